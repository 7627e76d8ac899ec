"""Preferred offsets: nothing is placed higher for them, and what can stay at no cost stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.arena_portfolio import place_arena
from catalytic.solver.placement.preferred import held

BUDGET = Budget(0.2, deterministic=True)
Row = tuple[int, int, int, int]
rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 6), st.integers(-1, 12)), min_size=1, max_size=7
)


def arena_of(rows: list[Row], *, preferring: bool = True) -> Arena:
    lower, length, size, wish = (np.array(column) for column in zip(*rows, strict=True))
    return Arena.of(lower, lower + length, size, preferred=wish if preferring else None)


def shared(arena: Arena, offset: Ints) -> bool:
    """Whether two buffers share a byte while both live."""
    return any(
        arena.together(a, b) and offset[a] < offset[b] + arena.size[b] and offset[b] < offset[a] + arena.size[a]
        for a in range(arena.size.size)
        for b in range(a)
    )


@settings(max_examples=60, deadline=None)
@given(rows)
def test_preferences_cost_no_height(rows: list[Row]) -> None:
    near = place_arena(arena_of(rows), BUDGET)
    free = place_arena(arena_of(rows, preferring=False), BUDGET)
    assert (near.height, near.bound) == (free.height, free.bound)
    assert not shared(arena_of(rows), near.offset)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_what_was_placed_best_stays_when_it_is_asked_again(rows: list[Row]) -> None:
    """Metamorphic: a best placement, preferred, comes back whole."""
    free = place_arena(arena_of(rows, preferring=False), BUDGET)
    again = place_arena(Arena.of(*_lifetimes(rows), preferred=free.offset), BUDGET)
    assert (again.offset == free.offset).all()


def _lifetimes(rows: list[Row]) -> tuple[Ints, Ints, Ints]:
    lower, length, size, _ = (np.array(column) for column in zip(*rows, strict=True))
    return lower, lower + length, size


@pytest.mark.parametrize(
    ("wish", "capacity", "expected"), [(4, 8, 4), (4, 7, -1), (3, 8, -1)], ids=["meets", "too high", "not aligned"]
)
def test_a_preference_that_nobody_could_meet_is_dropped(wish: int, capacity: int, expected: int) -> None:
    arena = Arena.of([0, 0], [2, 2], [4, 4], alignment=[1, 4], preferred=[-1, wish])
    assert held(arena, capacity).fixed.tolist() == [-1, expected]


def test_of_two_that_want_the_same_bytes_the_larger_is_held() -> None:
    arena = Arena.of([0, 0], [2, 2], [3, 5], preferred=[2, 2])
    assert held(arena, 100).fixed.tolist() == [-1, 2]


def test_bytes_preferred_within_the_capacity_are_kept_although_the_lowest_placement_would_move_them() -> None:
    arena = Arena.of([0, 0], [2, 2], [4, 4], preferred=[8, -1])
    placed = place_arena(arena, BUDGET, capacity=12)
    assert placed.offset[0] == 8
    assert place_arena(arena, BUDGET).height == 8
