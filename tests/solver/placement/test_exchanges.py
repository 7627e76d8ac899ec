"""Exchanges of full components: planted rectangles come back at their optimum, and nothing else is called one."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import PLANTED
from catalytic.solver.arrays import Ints
from catalytic.solver.placement.arena import Component, components
from catalytic.solver.placement.exchanges import exchange
from catalytic.solver.placement.restarts import Restarts
from catalytic.solver.placement.tiling import is_full

GO_ON = np.zeros(1, np.bool_)


def fits(component: Component, offset: Ints) -> bool:
    """Whether no two living buffers share a byte, and none reaches above the bound: a sweep over births and deaths."""
    rows = zip(component.first.tolist(), component.end.tolist(), strict=True)
    events = sorted((t, born, b) for b, life in enumerate(rows) for t, born in zip(life, (1, 0), strict=True))
    alive: list[tuple[int, int]] = []
    for _, born, b in events:
        own = int(offset[b]), b
        at = bisect_left(alive, own)
        if not born:
            del alive[at]
            continue
        if own[0] < 0 or own[0] + component.size[b] > component.bound:
            return False
        for bottom, other in alive[max(0, at - 1) : at + 1]:
            if bottom < own[0] + component.size[b] and own[0] < bottom + component.size[other]:
                return False
        alive.insert(at, own)
    return True


@pytest.mark.parametrize("name", sorted(PLANTED))
@pytest.mark.parametrize("buffers", [60, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_cuts_at_distinct_moments_are_read_back_without_search(name: str, buffers: int, seed: int) -> None:
    planted = PLANTED[name](buffers, moments=10**7, units=10**7, seed=seed)
    for component in components(planted.arena):
        assert is_full(component)
        offset = exchange(component, 0, 100, GO_ON)
        assert offset is not None
        assert fits(component, offset)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PLANTED)), st.integers(2, 40), st.integers(6, 60), st.integers(0, 10**6))
def test_what_is_found_is_a_placement_at_the_bound(name: str, buffers: int, grid: int, seed: int) -> None:
    planted = PLANTED[name](min(buffers, grid * grid // 4), moments=grid, units=grid, seed=seed)
    for component in components(planted.arena):
        for guesses in (0, seed + 1):
            offset = exchange(component, guesses, 50, GO_ON)
            assert offset is None or fits(component, offset)


def test_a_stop_is_obeyed() -> None:
    planted = PLANTED["pinwheel"](1000, moments=200, units=200, seed=1)
    (component,) = components(planted.arena)
    assert exchange(component, 0, 10**9, np.ones(1, np.bool_)) is None


def test_restarts_ask_exchanges_first() -> None:
    planted = PLANTED["guillotine"](2000, moments=10**7, units=10**7, seed=4)
    for component in components(planted.arena):
        answer = Restarts(component, 0).ask(component.bound, 10, GO_ON)
        assert answer.offset is not None
        assert fits(component, answer.offset)
