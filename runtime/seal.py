"""Seals: what the bytes of a buffer were when its writer ended.

A seal is one digest per chunk of 1 MiB (so that damage is found near its place and a person can check a chunk with
``dd`` and ``sha256sum``) and a root over them. The root also binds which buffer it is, where it lies, its length and
the epoch of its writer, so that a valid buffer in the wrong place, or an old version of the right one, is caught.
The root is always sha256: it covers a few hundred bytes per chunk list, whatever the algorithm of the chunks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from catalytic.solver.errors import InputError, Mistake

CHUNK = 2**20
ALGORITHMS = ("sha256", "blake3", "xxh3_128")


class Digest(Protocol):
    """What hashlib, blake3 and xxhash have in common."""

    def update(self, data: memoryview, /) -> object:
        """Add bytes."""

    def hexdigest(self) -> str:
        """The digest so far, as hexadecimal text."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a seal speaks about. ``extents`` are (partition, offset, length); empty for a file outside the arena."""

    buffer: str
    extents: tuple[tuple[int, int, int], ...]
    epoch: int


@dataclass(frozen=True, slots=True)
class Seal:
    """Digests of ``length`` bytes by chunk, and the root that binds them."""

    algorithm: str
    length: int
    chunks: tuple[str, ...]
    root: str


@dataclass(frozen=True, slots=True)
class Damage:
    """A chunk that is not what the seal says. ``chunk`` is -1 when the bytes are right but sealed as something else."""

    chunk: int
    expected: str
    actual: str


@cache
def _constructor(algorithm: str) -> Callable[[], Digest]:
    if algorithm == "sha256":
        return hashlib.sha256
    if algorithm == "blake3":
        from blake3 import blake3

        return blake3
    if algorithm == "xxh3_128":
        from xxhash import xxh3_128

        return xxh3_128
    raise InputError("seal", [Mistake("regions.seal", repr(algorithm), " | ".join(ALGORITHMS))])


def digest(data: memoryview, algorithm: str) -> str:
    """Hexadecimal digest of ``data``."""
    hasher = _constructor(algorithm)()
    hasher.update(data)
    return hasher.hexdigest()


def chunks_of(view: memoryview) -> Iterator[memoryview]:
    """``view`` in pieces of 1 MiB, the last one shorter; nothing for an empty view."""
    for start in range(0, len(view), CHUNK):
        yield view[start : start + CHUNK]


def root_of(algorithm: str, length: int, chunks: Sequence[str], binding: Binding) -> str:
    """The digest that ties a list of chunk digests to a buffer, a place, a length and an epoch."""
    bound = json.dumps([algorithm, length, binding.buffer, binding.extents, binding.epoch], separators=(",", ":"))
    root = hashlib.sha256(bound.encode())
    root.update("".join(chunks).encode())
    return root.hexdigest()


def seal(view: memoryview, algorithm: str, binding: Binding) -> Seal:
    """The seal of ``view`` as ``binding``."""
    chunks = tuple(digest(chunk, algorithm) for chunk in chunks_of(view))
    return Seal(algorithm, len(view), chunks, root_of(algorithm, len(view), chunks, binding))


def check(view: memoryview, expected: Seal, binding: Binding) -> Damage | None:
    """The first damage of ``view`` against its seal, or None."""
    if root_of(expected.algorithm, expected.length, expected.chunks, binding) != expected.root:
        actual = root_of(expected.algorithm, expected.length, expected.chunks, binding)
        return Damage(-1, expected.root, actual)
    if len(view) != expected.length:
        return Damage(-1, f"{expected.length} bytes", f"{len(view)} bytes")
    for number, (chunk, promised) in enumerate(zip(chunks_of(view), expected.chunks, strict=True)):
        found = digest(chunk, expected.algorithm)
        if found != promised:
            return Damage(number, promised, found)
    return None
