"""Tree search and the portfolio around it: optimal where that is known, and never wrong about what is impossible."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.budget import Budget
from catalytic.solver.formats import load_minimalloc
from catalytic.solver.placement.answers import Found, rank_by
from catalytic.solver.placement.arena import Arena, components
from catalytic.solver.placement.arena_portfolio import Placed, place_arena
from catalytic.solver.placement.cp_sat_arena import CapacityQuestion
from catalytic.solver.plan import Evidence
from catalytic.solver.plan.proof import Status

from .arenas import Row, arena_of, featured_arenas, least_height, rows, shares_of_long_files, violations
from .canonical import NOISY_ORDERS, STATIC_ORDERS, search

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data")) / "minimalloc"
REAL = sorted(DATA.glob("*.csv"))

COUNTED = Budget(3.0, deterministic=True)
GOING = np.zeros(1, np.bool_)


def lowest(arena: Arena) -> int:
    """The height of the portfolio's answer, which is valid and proved."""
    placed = place_arena(arena, COUNTED)
    assert placed.status is Status.OPTIMAL
    assert placed.offset is not None
    assert violations(arena, placed.offset.tolist()) == []
    assert placed.height == int((placed.offset + arena.size).max()) == placed.bound
    return placed.height


@settings(max_examples=150, deadline=None)
@given(rows)
def test_the_least_height_is_that_of_enumeration(some: list[Row]) -> None:
    assert lowest(arena_of(some)) == least_height(arena_of(some))


@settings(max_examples=200, deadline=None)
@given(featured_arenas())
def test_so_it_is_with_alignments_gaps_and_fixed_offsets(arena: Arena) -> None:
    assert lowest(arena) == least_height(arena)


@settings(max_examples=150, deadline=None)
@given(featured_arenas(), st.sampled_from(NOISY_ORDERS), st.sampled_from([0.0, 1.0]), st.integers(0, 99))
def test_every_order_decides_every_capacity(arena: Arena, key: str, noise: float, seed: int) -> None:
    """Without jumps a search that ends is right both ways; with jumps it may give up, but is never wrong."""
    for component in components(arena):
        part = Arena.of(
            *(column[component.buffers] for column in (arena.lower, arena.upper, arena.size)),
            alignment=arena.alignment[component.buffers],
            fixed=arena.fixed[component.buffers],
            gaps=[arena.gaps[b] for b in component.buffers],
        )
        least = least_height(part) // component.unit
        rank = rank_by(component, key, noise, seed)
        for capacity in range(max(0, least - 3), least + 3):
            exact = search(component, capacity, rank, 10**6, jumps=False, stop=GOING)
            assert exact.found is (Found.PLACED if capacity >= least else Found.NONE_EXISTS)
            jumping = search(component, capacity, rank, 10**6, jumps=True, stop=GOING)
            assert jumping.found in (exact.found, Found.GAVE_UP)
            for answer in (exact, jumping):
                if answer.offset is not None:
                    assert violations(part, (answer.offset * component.unit).tolist()) == []
                    assert int((answer.offset + component.size).max()) <= capacity


@settings(max_examples=30, deadline=None)
@given(featured_arenas())
def test_cp_sat_agrees_with_enumeration(arena: Arena) -> None:
    for component in components(arena):
        least = next(
            height
            for height in range(component.bound, 10**6)
            if search(component, height, rank_by(component, "TAW"), 10**6, jumps=False, stop=GOING).found
            is Found.PLACED
        )
        found = CapacityQuestion(arena, component, least).ask(10.0, seed=0, workers=1)
        assert found.offset is not None
        assert int((found.offset + component.size).max()) <= least
        if least > component.bound:
            assert CapacityQuestion(arena, component, least - 1).ask(10.0, seed=0, workers=1).impossible


def guillotine(width: int, height: int, cuts: int, seed: int) -> tuple[list[Row], int]:
    """A ``width`` x ``height`` rectangle cut ``cuts`` times from edge to edge: packing the pieces wastes nothing."""
    rng = random.Random(seed)
    pieces = [(0, width, 0, height)]
    for _ in range(cuts):
        k = max(
            range(len(pieces)),
            key=lambda k: (pieces[k][1] - pieces[k][0]) * (pieces[k][3] - pieces[k][2]) * rng.random(),
        )
        low, high, bottom, top = pieces.pop(k)
        if rng.random() < 0.5 and high - low > 1:
            at = rng.randrange(low + 1, high)
            pieces += [(low, at, bottom, top), (at, high, bottom, top)]
        elif top - bottom > 1:
            at = rng.randrange(bottom + 1, top)
            pieces += [(low, high, bottom, at), (low, high, at, top)]
        else:
            pieces.append((low, high, bottom, top))
    rng.shuffle(pieces)
    return [(low, high, top - bottom) for low, high, bottom, top in pieces], height


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cuts", [10, 30])
def test_a_planted_optimum_is_found(cuts: int, seed: int) -> None:
    some, height = guillotine(40, 60, cuts, seed)
    assert lowest(arena_of(some)) == height


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(2, 5), st.integers(2, 5))
def test_scaling_sizes_scales_the_height_and_scaling_times_does_nothing(some: list[Row], size: int, time: int) -> None:
    scaled = [(time * low, time * high, size * height) for low, high, height in some]
    assert lowest(arena_of(scaled)) == size * lowest(arena_of(some))


@settings(max_examples=40, deadline=None)
@given(featured_arenas(), st.randoms(use_true_random=False))
def test_names_and_the_direction_of_time_do_not_matter(arena: Arena, rng: random.Random) -> None:
    order = list(range(len(arena.size)))
    rng.shuffle(order)
    turned = Arena.of(
        -arena.upper[order],
        -arena.lower[order],
        arena.size[order],
        alignment=arena.alignment[order],
        fixed=arena.fixed[order],
        gaps=[tuple((-high, -low) for low, high in arena.gaps[b]) for b in order],
    )
    assert lowest(turned) == lowest(arena)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_another_buffer_never_lowers_the_height(some: list[Row]) -> None:
    heights = [lowest(arena_of(some[:k])) for k in range(1, len(some) + 1)]
    assert all(fewer <= more for fewer, more in pairwise(heights))


@settings(max_examples=60, deadline=None)
@given(rows, st.integers(-2, 2))
def test_a_capacity_is_met_or_proved_out_of_reach(some: list[Row], slack: int) -> None:
    arena = arena_of(some)
    least = least_height(arena)
    placed = place_arena(arena, COUNTED, capacity=least + slack)

    if slack < 0:
        assert placed.status is Status.INFEASIBLE
        assert placed.bound > least + slack
    else:
        assert placed.status in (Status.OPTIMAL, Status.FEASIBLE)
        assert placed.height is not None
        assert placed.bound <= least <= placed.height <= least + slack


def test_where_the_live_bytes_are_out_of_reach_the_search_proves_it() -> None:
    """Two buffers of 4 bytes, one at multiples of 3 and one of 5: the second one cannot lie below 5."""
    placed = place_arena(Arena.of([0, 0], [2, 2], [4, 4], alignment=[3, 5]), COUNTED)
    assert (placed.status, placed.height, placed.bound) == (Status.OPTIMAL, 9, 9)
    assert placed.evidence is Evidence.EXHAUSTIVE
    assert placed.gap == 0


def test_an_empty_arena_is_placed() -> None:
    placed = place_arena(Arena.of([], [], []), COUNTED)
    assert (placed.status, placed.height, placed.bound) == (Status.OPTIMAL, 0, 0)
    assert place_arena(Arena.of([0], [1], [0]), COUNTED).height == 0


def hard() -> Arena:
    """Pieces of a large rectangle, each with a little time cut off: neither proof nor optimum comes quickly."""
    some, _ = guillotine(997, 9973, 300, 1)
    return arena_of([(low, max(low + 1, high - high % 3), size) for low, high, size in some])


def same(a: Placed, b: Placed) -> bool:
    assert a.offset is not None
    assert b.offset is not None
    return (a.status, a.height, a.bound, a.nodes, a.offset.tolist()) == (
        b.status,
        b.height,
        b.bound,
        b.nodes,
        b.offset.tolist(),
    )


def test_counted_work_gives_the_same_answer_twice() -> None:
    arena = hard()
    budget = Budget(0.5, seed=3, deterministic=True)
    assert same(place_arena(arena, budget), place_arena(arena, budget))


@pytest.mark.parametrize("workers", [1, 2])
def test_the_time_limit_holds_and_the_answer_is_valid(workers: int) -> None:
    arena = hard()
    said: list[str] = []
    placed = place_arena(arena, Budget(2.0, workers=workers), observer=lambda news: said.append(news.message))
    assert placed.seconds < 4.0
    assert placed.offset is not None
    assert shares_of_long_files(arena, placed.offset.tolist()) == 0
    assert placed.height == int((placed.offset + arena.size).max()) >= placed.bound
    assert placed.status is (Status.OPTIMAL if placed.height == placed.bound else Status.FEASIBLE)
    assert said


def test_a_search_ends_when_it_is_told_to() -> None:
    (component, *_) = components(hard())
    answer = search(component, component.bound, rank_by(component, "TAW"), 10**9, jumps=False, stop=~GOING)
    assert (answer.found, answer.nodes) == (Found.GAVE_UP, 0)


def test_elder_twins_come_first_in_every_order() -> None:
    (component,) = components(Arena.of([0] * 8, [2] * 8, [3, 5] * 4))
    for key in STATIC_ORDERS:
        for seed in range(20):
            rank = rank_by(component, key, 1.0, seed)
            assert sorted(rank) == list(range(8))
            assert all(rank[elder] < rank[k] for k, elder in enumerate(component.twin) if elder >= 0)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real instances: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.name.split(".")[0])
def test_a_published_instance_fits(path: Path) -> None:
    """The number in the name is the capacity; files are known to fit. Time enough for a machine under load."""
    table = load_minimalloc(path)
    arena = Arena.of(table.lower, table.upper, table.size)
    capacity = int(path.name.split(".")[1])
    placed = place_arena(arena, Budget(60.0), capacity=capacity)

    assert placed.status is not Status.INFEASIBLE
    if placed.status is Status.UNKNOWN:
        pytest.skip("not solved in a minute on this machine")
    assert placed.offset is not None
    assert placed.height == int((placed.offset + arena.size).max()) <= capacity
    assert shares_of_long_files(arena, placed.offset.tolist()) == 0
