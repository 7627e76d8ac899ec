"""Tiling: right both ways about components whose sections are all full, whatever the order, the tie and the past."""

from __future__ import annotations

import random

import numpy as np
import pytest

from catalytic.solver.arena_families import PLANTED
from catalytic.solver.placement.answers import Found, rank_by
from catalytic.solver.placement.arena import Arena, Component, components
from catalytic.solver.placement.holes import Tie
from catalytic.solver.placement.restarts import Restarts
from catalytic.solver.placement.tiling import Tiling, is_full

from .arenas import shares_of_long_files
from .canonical import search

GOING = np.zeros(1, np.bool_)


def filled(rng: random.Random) -> Arena:
    """A cut rectangle in which buffers of one size exchanged their deaths: all sections stay full, but whether the
    buffers fit is open."""
    pieces = rng.randint(14, 24)
    arena = PLANTED[rng.choice(sorted(PLANTED))](pieces, moments=14, units=12, seed=rng.randrange(10**6)).arena
    lower, upper, size = arena.lower.tolist(), arena.upper.tolist(), arena.size.tolist()
    for a in range(pieces):
        others = [b for b in range(pieces) if size[a] == size[b] and lower[a] < upper[b] and lower[b] < upper[a]]
        b = rng.choice(others)
        upper[a], upper[b] = upper[b], upper[a]
    return Arena.of(lower, upper, size)


def assert_placed(component: Component, offset: np.ndarray) -> None:
    part = Arena.of(component.first, component.end, component.size)
    assert shares_of_long_files(part, offset.tolist()) == 0
    assert offset.min() == 0
    assert int((offset + component.size).max()) == component.bound


def decided(rng: random.Random) -> dict[Found, int]:
    """The canonical search says the same, which is another algorithm; runs of few nodes before share their nogoods."""
    count = dict.fromkeys(Found, 0)
    for component in components(filled(rng)):
        assert is_full(component)
        other = search(component, component.bound, rank_by(component, "TAW"), 30_000, jumps=False, stop=GOING)
        if other.found is Found.GAVE_UP:
            count[other.found] += 1
            continue
        tiling = Tiling(component)
        for nodes in (3, 10, 10**6, 10**6):
            rank = rank_by(component, "WZ", 1.0, rng.randrange(100))
            answer = tiling.ask(rank, nodes, tie=rng.choice(list(Tie)), stop=GOING)
            assert answer.found is other.found or (nodes < 10**6 and answer.found is Found.GAVE_UP)
            if answer.offset is not None:
                assert_placed(component, answer.offset)
        count[other.found] += 1
    return count


@pytest.mark.parametrize("seed", range(4))
def test_canonical_search_agrees(seed: int) -> None:
    rng = random.Random(seed)
    counts = [decided(rng) for _ in range(400)]
    assert all(sum(count[found] for count in counts) > 1 for found in (Found.PLACED, Found.NONE_EXISTS))


@pytest.mark.stress
def test_it_agrees_on_many_more() -> None:
    rng = random.Random(10**8)
    for _ in range(20_000):
        decided(rng)


@pytest.mark.parametrize("family", sorted(PLANTED))
@pytest.mark.parametrize("grid", [60, 10_000])
def test_hundreds_of_buffers_are_placed_at_the_planted_optimum(family: str, grid: int) -> None:
    for seed in range(3):
        planted = PLANTED[family](600, moments=grid, units=grid, seed=seed)
        for component in components(planted.arena):
            answer = Restarts(component, seed).ask(component.bound, 10**7, GOING)
            assert answer.offset is not None
            assert component.bound * component.unit == planted.optimum
            assert_placed(component, answer.offset)


@pytest.mark.parametrize(
    "arena",
    [
        Arena.of([0, 0, 1], [1, 2, 2], [1, 1, 2]),
        Arena.of([0], [2], [2], alignment=[4]),
        Arena.of([0], [2], [2], fixed=[0]),
        Arena.of([0, 0, 1], [3, 3, 2], [2, 1, 2], gaps=[((1, 2),), (), ()]),
    ],
    ids=["slack", "alignment", "fixed", "gap"],
)
def test_what_else_has_to_be_searched_otherwise(arena: Arena) -> None:
    assert not all(is_full(component) for component in components(arena))


def test_it_ends_when_told_to_and_when_its_nodes_are_spent() -> None:
    (component, *_) = components(PLANTED["pinwheel"](100).arena)
    for nodes, stop in ((10, GOING), (10**9, ~GOING)):
        answer = Tiling(component).ask(rank_by(component, "T"), nodes, tie=Tie.LOWEST, stop=stop)
        assert answer.found is Found.GAVE_UP
        assert answer.nodes <= 10
