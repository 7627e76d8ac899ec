"""Restarts: right both ways on everything small, and asked again they go on where they ended."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.placement.answers import Found
from catalytic.solver.placement.arena import Arena, components
from catalytic.solver.placement.restarts import Restarts, luby

from .arenas import featured_arenas, least_height, violations

GOING = np.zeros(1, np.bool_)


@settings(max_examples=100, deadline=None)
@given(featured_arenas(), st.integers(0, 9), st.sampled_from([1, 300, 5000]))
def test_every_target_is_decided_as_enumeration_does(arena: Arena, seed: int, nodes: int) -> None:
    for component in components(arena):
        part = Arena.of(
            *(column[component.buffers] for column in (arena.lower, arena.upper, arena.size)),
            alignment=arena.alignment[component.buffers],
            fixed=arena.fixed[component.buffers],
            gaps=[arena.gaps[b] for b in component.buffers],
        )
        least = least_height(part) // component.unit
        restarts = Restarts(component, seed)
        for target in range(max(0, least - 3), least + 3):
            answers = [restarts.ask(target, nodes, GOING)]
            while answers[-1].found is Found.GAVE_UP and len(answers) < 10**4:
                answers.append(restarts.ask(target, nodes, GOING))
            assert answers[-1].found is (Found.PLACED if target >= least else Found.NONE_EXISTS)
            offset = answers[-1].offset
            if offset is not None:
                assert violations(part, (offset * component.unit).tolist()) == []
                assert int((offset + component.size).max()) <= target


def test_nothing_is_searched_when_told_to_stop() -> None:
    (component,) = components(Arena.of([0, 0], [2, 2], [3, 3], alignment=[2, 2]))
    assert Restarts(component, 0).ask(7, 100, ~GOING).found is Found.GAVE_UP


def test_luby_begins_as_published() -> None:
    assert [luby(i) for i in range(1, 16)] == [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]
