"""First fit by index is first fit by definition, and what it makes is a placement."""

from __future__ import annotations

from itertools import islice, pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import long_tailed
from catalytic.solver.arrays import Ints
from catalytic.solver.placement.arena import Arena, Component, components
from catalytic.solver.placement.constructive import ORDERS, first_fit, first_placements, order_by

from .arenas import featured_arenas, violations


@st.composite
def preferring_arenas(draw: st.DrawFn) -> Arena:
    """Featured arenas in which some buffers prefer an offset, that they can reach or not."""
    arena = draw(featured_arenas())
    preferred = [draw(st.integers(-1, 12)) for _ in arena.size]
    return Arena.of(
        arena.lower,
        arena.upper,
        arena.size,
        alignment=arena.alignment,
        fixed=arena.fixed,
        gaps=arena.gaps,
        preferred=preferred,
    )


def first_fit_by_definition(component: Component, order: Ints) -> list[int]:
    """Each buffer in turn where it prefers to be, else at the lowest offset, unit by unit, that is free."""
    offset: list[int] = component.fixed.tolist()
    size, alignment = component.size.tolist(), component.alignment.tolist()
    lives = [
        {s for p in range(a, z) for s in range(component.first[p], component.end[p])}
        for a, z in pairwise(component.piece)
    ]

    def free(b: int, at: int) -> bool:
        return not any(
            offset[u] >= 0 and lives[u] & lives[b] and at < offset[u] + size[u] and offset[u] < at + size[b]
            for u in range(len(offset))
        )

    for b in order.tolist():
        if component.fixed[b] < 0:
            lowest = 0
            while not free(b, lowest):
                lowest += alignment[b]
            preferred = int(component.preferred[b])
            offset[b] = preferred if preferred >= 0 and free(b, preferred) else lowest
    return offset


@settings(max_examples=300, deadline=None)
@given(preferring_arenas(), st.randoms(use_true_random=False))
def test_first_fit_is_that_of_the_definition(arena: Arena, random: Random) -> None:
    for component in components(arena):
        order = list(range(component.size.size))
        random.shuffle(order)
        found = first_fit(component, np.array(order, dtype=np.int64))
        assert found is not None
        assert found.tolist() == first_fit_by_definition(component, np.array(order))


@pytest.mark.parametrize("key", ORDERS)
@pytest.mark.parametrize("alive", [5, 60])
def test_so_it_is_when_lists_grow_and_merge(key: str, alive: int) -> None:
    (component, *_) = components(long_tailed(300, alive=alive, seed=alive))
    order = order_by(component, key)
    found = first_fit(component, order)
    assert found is not None
    # Unit by unit would take long: the lowest offset is 0 or the top of another.
    tops = [0]
    for b in order.tolist():
        meets = (component.first < component.end[b]) & (component.first[b] < component.end)
        before = np.zeros(order.size, dtype=np.bool_)
        before[order[: len(tops) - 1]] = True
        near = np.flatnonzero(meets & before)
        free = [
            at
            for at in sorted({0, *(found[near] + component.size[near]).tolist()})
            if not ((found[near] < at + component.size[b]) & (at < found[near] + component.size[near])).any()
        ]
        assert found[b] == free[0]
        tops.append(int(found[b] + component.size[b]))


@settings(max_examples=150, deadline=None)
@given(preferring_arenas(), st.integers(0, 5))
def test_every_first_placement_is_one(arena: Arena, seed: int) -> None:
    for component in components(arena):
        part = Arena.of(
            *(column[component.buffers] for column in (arena.lower, arena.upper, arena.size)),
            alignment=arena.alignment[component.buffers],
            fixed=arena.fixed[component.buffers],
            gaps=[arena.gaps[b] for b in component.buffers],
        )
        for offset in islice(first_placements(component, seed), len(ORDERS) + 3):
            assert violations(part, (offset * component.unit).tolist()) == []
            assert int((offset + component.size).max()) >= component.bound


def test_the_same_seed_gives_the_same_placements() -> None:
    (component, *_) = components(long_tailed(200, alive=30.0))
    count = len(ORDERS) + 4

    def tell(seed: int) -> list[list[int]]:
        return [offset.tolist() for offset in islice(first_placements(component, seed), count)]

    assert tell(1) == tell(1)
    assert tell(1)[: len(ORDERS)] == tell(2)[: len(ORDERS)]
    assert tell(1)[len(ORDERS) :] != tell(2)[len(ORDERS) :]


def test_orders_that_learn_go_below_those_that_do_not() -> None:
    improvable = 0
    for seed in range(4):
        component = max(components(long_tailed(300, alive=30.0, seed=seed)), key=lambda part: part.bound)
        heights = [int((at + component.size).max()) for at in islice(first_placements(component, seed), 200)]
        if min(heights[: len(ORDERS)]) > component.bound:
            improvable += 1
            assert min(heights) < min(heights[: len(ORDERS)])
    assert improvable > 0


def test_a_preferred_offset_is_taken_when_it_is_free() -> None:
    (component,) = components(Arena.of([0, 0, 0], [1, 1, 1], [1, 2, 2], preferred=[7, 6, 3]))
    found = first_fit(component, np.arange(3))
    assert found is not None
    assert found.tolist() == [7, 0, 3]


def test_what_is_stopped_gives_nothing() -> None:
    (component, *_) = components(long_tailed(200))
    assert first_fit(component, np.arange(component.size.size), np.ones(1, np.bool_)) is None
    assert list(first_placements(component, 0, np.ones(1, np.bool_))) == []


def test_an_order_sorts_by_its_letters() -> None:
    # Buffer 2 lives in the fullest section (10 + 3), 1 is the longest.
    (component,) = components(Arena.of([0, 0, 2], [2, 9, 4], [1, 3, 10]))
    assert order_by(component, "WZ").tolist() == [1, 2, 0]
    assert order_by(component, "ZW").tolist() == [2, 1, 0]
    assert order_by(component, "A").tolist() == [1, 2, 0]  # 27, 20, 2
    assert order_by(component, "TAW").tolist() == [1, 2, 0]
    assert order_by(component, "B").tolist() == [0, 1, 2]


def test_a_buffer_of_thousands_of_pieces_comes_first() -> None:
    """So many of its pieces touch the upper nodes of the tree that the pool is too small for the very first buffer."""
    moments = 2**15
    gaps = tuple((t, t + 1) for t in range(1, moments, 2))
    lower, upper = [0, 0, *range(moments)], [moments, moments, *range(1, moments + 1)]
    arena = Arena.of(lower, upper, [2, 1, *[1] * moments], gaps=[gaps, *[()] * (moments + 1)])
    (component,) = components(arena)
    found = first_fit(component, np.arange(moments + 2))
    assert found is not None
    assert found.tolist() == [0, 2, *[3, 0] * (moments // 2)]
