"""Addresses for known lifetimes: no overlap, never below the live bytes, equal to enumeration on tiny ones."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.placement.cp_sat_placement import offsets_within
from catalytic.solver.placement.first_fit import first_fit, lowest_height, most_live_bytes

QUICK = Budget(5.0, deterministic=True)
Block = tuple[int, int, int]

blocks = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(1, 5)).map(lambda b: (b[0], b[0] + b[1], b[2])),
    min_size=1,
    max_size=6,
)


def columns(rows: list[Block]) -> tuple[Ints, Ints, Ints, Ints]:
    """Birth, death, size, and no fixed offsets."""
    birth, death, size = (np.array(c, dtype=np.int64) for c in zip(*rows, strict=True))
    return birth, death, size, np.full(len(rows), -1, dtype=np.int64)


def overlaps(rows: list[Block], offset: Ints) -> list[tuple[int, int]]:
    """Pairs that share a byte while both live, the obvious way."""
    return [
        (a, b)
        for a, b in combinations(range(len(rows)), 2)
        if rows[a][0] < rows[b][1]
        and rows[b][0] < rows[a][1]
        and offset[a] < offset[b] + rows[b][2]
        and offset[b] < offset[a] + rows[a][2]
    ]


def least_height_by_enumeration(rows: list[Block]) -> int:
    """Some optimum is first fit in some order, each block resting on the ground or on another."""
    birth, death, size, fixed = columns(rows)
    return min(
        int(first_fit(np.array(order, dtype=np.int64), birth, death, size, fixed)[1])
        for order in permutations(range(len(rows)))
    )


@settings(max_examples=150, deadline=None)
@given(blocks)
def test_placements_are_disjoint_and_no_lower_than_live_bytes(rows: list[Block]) -> None:
    birth, death, size, fixed = columns(rows)
    bound = most_live_bytes(birth, death, size)
    offset, height = lowest_height(birth, death, size, fixed, enough=bound, tries=30, seed=0)

    assert overlaps(rows, offset) == []
    assert height == int((offset + size).max()) >= bound


@settings(max_examples=25, deadline=None)
@given(blocks.filter(lambda rows: len(rows) <= 5))
def test_cp_sat_reaches_the_height_of_enumeration_and_nothing_less(rows: list[Block]) -> None:
    birth, death, size, fixed = columns(rows)
    least = least_height_by_enumeration(rows)

    at = offsets_within(birth, death, size, fixed, least, 5.0, QUICK)
    assert at is not None
    assert overlaps(rows, at) == []
    assert int((at + size).max()) <= least
    assert offsets_within(birth, death, size, fixed, least - 1, 5.0, QUICK) is None


@settings(max_examples=50, deadline=None)
@given(blocks, st.integers(2, 5))
def test_scaling_sizes_scales_the_height(rows: list[Block], factor: int) -> None:
    birth, death, size, fixed = columns(rows)
    one = lowest_height(birth, death, size, fixed, enough=0, tries=10, seed=1)[1]
    many = lowest_height(birth, death, factor * size, fixed, enough=0, tries=10, seed=1)[1]
    assert many == factor * one


def test_a_fixed_block_stays_where_it_is() -> None:
    rows = [(0, 4, 3), (0, 4, 5), (2, 6, 2)]
    birth, death, size, fixed = columns(rows)
    fixed[1] = 0
    offset, height = lowest_height(birth, death, size, fixed, enough=0, tries=0, seed=0)
    assert offset[1] == 0
    assert overlaps(rows, offset) == []
    assert height == 10


def test_live_bytes_are_zero_without_blocks() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert most_live_bytes(none, none, none) == 0
    assert lowest_height(none, none, none, none, enough=0, tries=5, seed=0)[1] == 0


@pytest.mark.parametrize(("death", "expected"), [(2, 5), (3, 8)], ids=["touching", "overlapping"])
def test_lifetimes_are_half_open(death: int, expected: int) -> None:
    """A block that dies at 2 and one born at 2 may share bytes."""
    birth, dead, size, fixed = columns([(0, death, 3), (2, 4, 5)])
    assert lowest_height(birth, dead, size, fixed, enough=0, tries=0, seed=0)[1] == expected
