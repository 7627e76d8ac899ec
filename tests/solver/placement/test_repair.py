"""Local search keeps every rule at every step, and finds what enumeration finds on small arenas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import guillotine, long_tailed
from catalytic.solver.arrays import Ints
from catalytic.solver.placement.arena import Arena, Component, components
from catalytic.solver.placement.constructive import GOING, first_fit
from catalytic.solver.placement.repair import Repair

from .arenas import featured_arenas, least_height, shares_of_long_files, violations


def begin(component: Component) -> Ints:
    offset = first_fit(component, np.arange(component.size.size))
    assert offset is not None
    return offset


@settings(max_examples=150, deadline=None)
@given(featured_arenas(), st.integers(0, 3), st.integers(0, 9))
def test_what_it_finds_is_a_placement_within_the_target(arena: Arena, slack: int, seed: int) -> None:
    for component in components(arena):
        part = Arena.of(
            *(column[component.buffers] for column in (arena.lower, arena.upper, arena.size)),
            alignment=arena.alignment[component.buffers],
            fixed=arena.fixed[component.buffers],
            gaps=[arena.gaps[b] for b in component.buffers],
        )
        least = least_height(part) // component.unit
        repair = Repair(component, seed)
        for target in (least + slack, least, least - 1):
            found = repair.ask(target, begin(component), 300, GOING)
            if found is not None:
                assert target >= least
                assert violations(part, (found * component.unit).tolist()) == []
                assert int((found + component.size).max()) <= target


@pytest.mark.parametrize("seed", range(3))
def test_it_lowers_what_first_fit_leaves(seed: int) -> None:
    arena = long_tailed(400, alive=20.0, seed=seed)
    (component, *_) = components(arena)
    first = begin(component)
    height = int((first + component.size).max())
    target = (height + component.bound) // 2
    found = Repair(component, seed).ask(target, first, 50_000, GOING)
    assert found is not None
    assert int((found + component.size).max()) <= target < height
    part = Arena.of(*(column[component.buffers] for column in (arena.lower, arena.upper, arena.size)))
    assert shares_of_long_files(part, (found * component.unit).tolist()) == 0


def test_a_cut_rectangle_is_put_together_again() -> None:
    planted = guillotine(12, moments=20, units=20, seed=3)
    (component,) = components(planted.arena)
    optimum = planted.optimum // component.unit
    found = Repair(component, 0).ask(optimum, begin(component), 200_000, GOING)
    assert found is not None
    assert int((found + component.size).max()) == optimum


def test_asked_again_for_the_same_target_it_goes_on() -> None:
    """A question of no steps changes nothing, one for another target begins from the placement that is given."""
    (component, *_) = components(long_tailed(300, alive=30.0, seed=1))
    first = begin(component)
    target = component.bound
    too_high = int((first + component.size > target).sum())
    repair = Repair(component, 5)
    assert repair.ask(target, first, 0, GOING) is None
    assert repair.out == too_high > 0
    repair.ask(target, first, 200, GOING)
    out = repair.out
    assert out != too_high
    repair.ask(target, first, 0, GOING)
    assert repair.out == out
    repair.ask(target + 1, first, 0, GOING)
    assert repair.out == int((first + component.size > target + 1).sum())


def test_below_the_bound_and_when_stopped_there_is_nothing() -> None:
    (component, *_) = components(long_tailed(100, seed=1))
    first = begin(component)
    assert Repair(component, 0).ask(component.bound - 1, first, 1000, GOING) is None
    height = int((first + component.size).max())
    assert Repair(component, 0).ask(height, first, 1000, GOING) is not None
    if component.bound < height:
        assert Repair(component, 0).ask(component.bound, first, 10**9, np.ones(1, np.bool_)) is None
