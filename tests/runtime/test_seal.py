"""Seals: any changed bit, any wrong place and any old version is found."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.runtime.seal import ALGORITHMS, CHUNK, Binding, check, seal
from catalytic.solver.errors import InputError

HERE = Binding("b", ((0, 4096, 8192),), 7)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=30, deadline=None)
@given(data=st.binary(min_size=1, max_size=300), position=st.integers(0), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found(algorithm: str, data: bytes, position: int, bit: int) -> None:
    sealed = seal(memoryview(data), algorithm, HERE)
    assert check(memoryview(data), sealed, HERE) is None

    flipped = bytearray(data)
    flipped[position % len(data)] ^= 1 << bit
    damage = check(memoryview(flipped), sealed, HERE)
    assert damage is not None
    assert damage.chunk == 0


def test_the_damaged_chunk_is_named() -> None:
    data = bytearray(3 * CHUNK + 5)
    sealed = seal(memoryview(data), "sha256", HERE)
    assert len(sealed.chunks) == 4

    data[2 * CHUNK] = 1
    damage = check(memoryview(data), sealed, HERE)
    assert damage is not None
    assert damage.chunk == 2


def test_chunks_are_plain_digests() -> None:
    data = b"x" * (CHUNK + 1)
    assert seal(memoryview(data), "sha256", HERE).chunks == (
        hashlib.sha256(data[:CHUNK]).hexdigest(),
        hashlib.sha256(b"x").hexdigest(),
    )


@pytest.mark.parametrize(
    "elsewhere",
    [replace(HERE, buffer="c"), replace(HERE, extents=((0, 0, 8192),)), replace(HERE, epoch=8)],
    ids=["another buffer", "another place", "another version"],
)
def test_the_right_bytes_under_another_name_are_damage(elsewhere: Binding) -> None:
    data = memoryview(b"right bytes")
    damage = check(data, seal(data, "sha256", HERE), elsewhere)
    assert damage is not None
    assert damage.chunk == -1


def test_a_forged_list_of_chunks_does_not_match_its_root() -> None:
    data = memoryview(b"right bytes")
    forged = replace(seal(data, "sha256", HERE), chunks=(hashlib.sha256(b"wrong").hexdigest(),))
    damage = check(memoryview(b"wrong"), forged, HERE)
    assert damage is not None


def test_an_empty_buffer_has_a_seal_without_chunks() -> None:
    sealed = seal(memoryview(b""), "blake3", HERE)
    assert sealed.chunks == ()
    assert check(memoryview(b""), sealed, HERE) is None


def test_an_unknown_algorithm_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'md5', allowed sha256 \| blake3 \| xxh3_128"):
        seal(memoryview(b"x"), "md5", HERE)
