"""Hole search: right both ways about every capacity, whatever the order, the tie and what earlier searches refuted."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import PLANTED, long_tailed
from catalytic.solver.arrays import Ints
from catalytic.solver.placement import holes
from catalytic.solver.placement.answers import Found, rank_by
from catalytic.solver.placement.arena import Arena, Component, components
from catalytic.solver.placement.holes import Refuted, Tie, fill_holes

from .arenas import Row, arena_of, featured_arenas, least_height, rows, shares_of_long_files, violations
from .canonical import search

GOING = np.zeros(1, np.bool_)
TIES = st.sampled_from(list(Tie))
ORDERS = st.sampled_from(["TAW", "WZ", "ZW"])


def part_of(arena: Arena, component: Component) -> Arena:
    """The buffers of ``component`` as an arena of their own."""
    return Arena.of(
        *(column[component.buffers] for column in (arena.lower, arena.upper, arena.size)),
        alignment=arena.alignment[component.buffers],
        fixed=arena.fixed[component.buffers],
        gaps=[arena.gaps[b] for b in component.buffers],
    )


def assert_decided(arena: Arena, tie: Tie, key: str, seed: int) -> None:
    """Every capacity about the least is decided; a second search that knows what the first refuted says the same."""
    for component in components(arena):
        part = part_of(arena, component)
        least = -(-least_height(part) // component.unit)
        for capacity in range(max(0, least - 4), least + 4):
            refuted = Refuted.of(component, bits=6)
            for noise in (0.0, 1.0):
                rank = rank_by(component, key, noise, seed)
                answer = fill_holes(component, capacity, rank, 10**6, tie=tie, refuted=refuted, stop=GOING)
                assert answer.found is (Found.PLACED if capacity >= least else Found.NONE_EXISTS)
                if answer.offset is not None:
                    assert violations(part, (answer.offset * component.unit).tolist()) == []
                    assert int((answer.offset + component.size).max()) <= capacity


@settings(max_examples=150, deadline=None)
@given(rows, TIES, ORDERS, st.integers(0, 99))
def test_every_capacity_is_decided_as_enumeration_does(some: list[Row], tie: Tie, key: str, seed: int) -> None:
    assert_decided(arena_of(some), tie, key, seed)


@settings(max_examples=250, deadline=None)
@given(featured_arenas(), TIES, ORDERS, st.integers(0, 99))
def test_so_it_is_with_alignments_gaps_and_fixed_offsets(arena: Arena, tie: Tie, key: str, seed: int) -> None:
    assert_decided(arena, tie, key, seed)


def featured(rng: random.Random) -> Arena:
    """Up to six buffers, crowded in time; every feature in some of them."""
    n = rng.randint(3, 6)
    low = [rng.randint(0, 5) for _ in range(n)]
    high = [t + rng.randint(1, 6) for t in low]
    plain = rng.random() < 0.4
    alignment = [1 if plain else rng.choice([1, 1, 2, 3, 4, 6]) for _ in range(n)]
    gaps = [
        ((a + 1, z - 1),) if not plain and z - a >= 3 and rng.random() < 0.4 else ()
        for a, z in zip(low, high, strict=True)
    ]
    fixed = [-1] * n
    if not plain and rng.random() < 0.4:
        fixed[0] = alignment[0] * rng.randint(0, 4)
    return Arena.of(low, high, [rng.randint(1, 7) for _ in range(n)], alignment=alignment, fixed=fixed, gaps=gaps)


@pytest.mark.parametrize("seed", range(8))
def test_thousands_of_crowded_arenas_are_decided(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(40):
        assert_decided(featured(rng), rng.choice(list(Tie)), "TAW", seed)


def drawn_out(rng: random.Random) -> Arena:
    """Seven to fourteen buffers over a longer time, so that distant parts are decided in turns and jumps happen."""
    n = rng.randint(7, 14)
    plain = rng.random() < 0.6
    low = [rng.randint(0, 12) for _ in range(n)]
    high = [t + rng.randint(1, 5) for t in low]
    alignment = [1 if plain else rng.choice([1, 1, 2, 3]) for _ in range(n)]
    gaps = [
        ((a + 1, z - 1),) if not plain and z - a >= 3 and rng.random() < 0.3 else ()
        for a, z in zip(low, high, strict=True)
    ]
    fixed = [-1] * n
    if not plain and rng.random() < 0.4:
        fixed[0] = alignment[0] * rng.randint(0, 5)
    most = rng.choice([3, 9])
    return Arena.of(low, high, [rng.randint(1, most) for _ in range(n)], alignment=alignment, fixed=fixed, gaps=gaps)


def assert_canonical_search_agrees(rng: random.Random) -> None:
    """The canonical search is another algorithm: without jumps it decides from the lowest offset to the highest."""
    for component in components(drawn_out(rng)):
        for capacity in range(component.bound, component.bound + 4):
            other = search(component, capacity, rank_by(component, "TAW"), 50_000, jumps=False, stop=GOING)
            refuted = Refuted.of(component, bits=8)
            for noise in (0.0, 1.0):
                rank = rank_by(component, "TWA", noise, capacity)
                tie = rng.choice(list(Tie))
                answer = fill_holes(component, capacity, rank, 50_000, tie=tie, refuted=refuted, stop=GOING)
                assert Found.GAVE_UP in (answer.found, other.found) or answer.found is other.found
            if other.found is Found.PLACED:
                break


@pytest.mark.parametrize("seed", range(4))
def test_canonical_search_agrees(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        assert_canonical_search_agrees(rng)


@pytest.mark.stress
def test_it_agrees_on_many_more() -> None:
    rng = random.Random(10**7)
    for _ in range(5000):
        assert_canonical_search_agrees(rng)


@pytest.mark.stress
def test_many_more_of_them() -> None:
    rng = random.Random(10**6)
    for _ in range(10_000):
        assert_decided(featured(rng), rng.choice(list(Tie)), "TAW", 1)


@pytest.mark.parametrize("family", sorted(PLANTED))
@pytest.mark.parametrize("buffers", [30, 100])
@pytest.mark.parametrize("tie", list(Tie))
def test_a_planted_optimum_is_found_and_less_is_refuted(family: str, buffers: int, tie: Tie) -> None:
    planted = PLANTED[family](buffers, seed=buffers)
    for component in components(planted.arena):
        rank = rank_by(component, "WZ")
        refuted = Refuted.of(component)
        answer = fill_holes(
            component, planted.optimum // component.unit, rank, 200_000, tie=tie, refuted=refuted, stop=GOING
        )
        assert answer.found is Found.PLACED
        assert answer.offset is not None
        assert int((answer.offset + component.size).max()) * component.unit <= planted.optimum
        assert shares_of_long_files(part_of(planted.arena, component), (answer.offset * component.unit).tolist()) == 0


def test_it_ends_when_told_to_and_when_its_nodes_are_spent() -> None:
    (component, *_) = components(PLANTED["pinwheel"](100).arena)
    for nodes, stop in ((10, GOING), (10**9, ~GOING)):
        answer = fill_holes(
            component,
            component.bound,
            rank_by(component, "T"),
            nodes,
            tie=Tie.LOWEST,
            refuted=Refuted.of(component),
            stop=stop,
        )
        assert answer.found is Found.GAVE_UP
        assert answer.nodes <= 10


def test_it_answers_the_same_from_however_little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    arenas = [PLANTED["guillotine"](30, seed=4).arena, long_tailed(40, alive=8.0, seed=1)]

    def answers() -> list[tuple[Found, int, list[int] | None]]:
        found = []
        for component in (component for arena in arenas for component in components(arena)):
            for tie in Tie:
                rank, refuted = rank_by(component, "TAW", 1.0, 1), Refuted.of(component, bits=8)
                answer = fill_holes(component, component.bound, rank, 2000, tie=tie, refuted=refuted, stop=GOING)
                found.append((answer.found, answer.nodes, None if answer.offset is None else answer.offset.tolist()))
        return found

    enough = answers()
    room = holes._room

    def little(component: Component) -> tuple[Ints, ...]:
        *states, frame, choices, trail, blame = room(component)
        return (*states, frame[:1].copy(), choices[:1].copy(), trail[:1].copy(), blame[:1, :1].copy())

    monkeypatch.setattr(holes, "_room", little)
    assert answers() == enough
