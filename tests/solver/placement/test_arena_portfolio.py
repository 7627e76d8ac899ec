"""The portfolio says what is true: of heights, of bounds, of capacities that are too small, and of what forces them."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import guillotine, long_tailed
from catalytic.solver.budget import Budget, Progress
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.arena_portfolio import Placed, place_arena
from catalytic.solver.plan import Evidence
from catalytic.solver.plan.proof import Status

from .arenas import Row, arena_of, featured_arenas, least_height, rows, shares_of_long_files, violations

PATIENT = Budget(60.0, workers=2)
COUNTED = Budget(0.5, deterministic=True)


def top(arena: Arena, placed: Placed) -> int:
    """Height by definition: of buffers that have bytes."""
    return max((int(at + size) for at, size in zip(placed.offset, arena.size, strict=True) if size), default=0)


def alive_at(arena: Arena, moment: int) -> set[int]:
    return {
        b
        for b in range(arena.size.size)
        if arena.lower[b] <= moment < arena.upper[b] and not any(low <= moment < high for low, high in arena.gaps[b])
    }


@settings(max_examples=60, deadline=None)
@given(rows)
def test_small_arenas_are_placed_as_enumeration_would_and_proved(some: list[Row]) -> None:
    arena = arena_of(some)
    placed = place_arena(arena, PATIENT)
    assert violations(arena, placed.offset.tolist()) == []
    assert placed.status is Status.OPTIMAL
    assert placed.height == placed.bound == top(arena, placed) == least_height(arena)
    assert placed.gap == 0


@settings(max_examples=60, deadline=None)
@given(featured_arenas())
def test_so_they_are_with_alignments_gaps_and_a_fixed_one(arena: Arena) -> None:
    placed = place_arena(arena, PATIENT)
    assert violations(arena, placed.offset.tolist()) == []
    assert placed.status is Status.OPTIMAL
    assert placed.height == placed.bound == top(arena, placed) == least_height(arena)


@settings(max_examples=60, deadline=None)
@given(featured_arenas(), st.integers(-2, 2))
def test_a_capacity_is_met_or_said_to_be_too_small(arena: Arena, more: int) -> None:
    least = least_height(arena)
    capacity = least + more
    placed = place_arena(arena, PATIENT, capacity=capacity)
    assert violations(arena, placed.offset.tolist()) == []
    assert placed.height == top(arena, placed)
    assert placed.bound <= least
    if capacity >= least:
        assert placed.status in (Status.OPTIMAL, Status.FEASIBLE)
        assert placed.height <= capacity
    else:
        assert placed.status is Status.INFEASIBLE
        assert capacity < placed.bound
        assert placed.moment is not None


def test_the_moment_of_a_bound_is_when_that_many_bytes_are_alive() -> None:
    arena = long_tailed(200, alive=20.0, seed=2)
    placed = place_arena(arena, Budget(0.0))
    assert placed.evidence is Evidence.CERTIFICATE
    assert placed.moment is not None
    for tick in (placed.moment.start, placed.moment.end - 1):
        assert alive_at(arena, tick) == set(placed.moment.buffers)
    assert int(arena.size[list(placed.moment.buffers)].sum()) == placed.bound
    refused = place_arena(arena, Budget(5.0), capacity=placed.bound - 1)
    assert refused.status is Status.INFEASIBLE
    assert refused.moment == placed.moment


def test_of_several_components_the_highest_decides() -> None:
    """Three parts in time: 3 + 4 bytes, a single buffer of 9, and 5 + 1."""
    arena = arena_of([(0, 2, 3), (1, 3, 4), (10, 12, 9), (20, 22, 5), (21, 23, 1)])
    placed = place_arena(arena, PATIENT)
    assert (placed.status, placed.height, placed.bound) == (Status.OPTIMAL, 9, 9)
    assert violations(arena, placed.offset.tolist()) == []
    assert placed.moment is not None
    assert placed.moment.buffers == (2,)
    assert (placed.moment.start, placed.moment.end) == (10, 12)


def test_buffers_by_themselves_stay_where_they_are_fixed_or_lie_where_they_prefer() -> None:
    """The second prefers what the height that the first forces leaves free, the third what it does not."""
    arena = Arena.of([0, 2, 4, 6], [1, 3, 5, 7], [4, 3, 3, 2], fixed=[8, -1, -1, -1], preferred=[-1, 6, 12, -1])
    placed = place_arena(arena, PATIENT)
    assert placed.status is Status.OPTIMAL
    assert placed.height == placed.bound == 12
    assert placed.offset[:2].tolist() == [8, 6]
    assert placed.offset[2] + 3 <= 12
    assert placed.offset[3] == 0


def test_many_separate_buffers_all_lie_at_the_bottom() -> None:
    n = 3000
    arena = Arena.of(2 * np.arange(n), 2 * np.arange(n) + 1, 1 + np.arange(n) % 97)
    placed = place_arena(arena, Budget(0.0))
    assert (placed.status, placed.height, placed.bound) == (Status.OPTIMAL, 97, 97)
    assert not placed.offset.any()


@pytest.mark.parametrize("capacity", [None, 0, 5])
def test_an_empty_arena_has_no_height(capacity: int | None) -> None:
    placed = place_arena(Arena.of([], [], []), PATIENT, capacity=capacity)
    assert (placed.status, placed.height, placed.bound, placed.moment) == (Status.OPTIMAL, 0, 0, None)
    assert placed.offset.size == 0


def test_buffers_of_no_size_take_no_room_and_stay_where_they_are_fixed() -> None:
    arena = Arena.of([0, 0, 0], [2, 2, 2], [0, 4, 0], fixed=[-1, -1, 70])
    placed = place_arena(arena, PATIENT)
    assert (placed.status, placed.height) == (Status.OPTIMAL, 4)
    assert placed.offset.tolist() == [0, 0, 70]


@pytest.mark.parametrize("deterministic", [False, True])
def test_without_time_there_is_a_placement(deterministic: bool) -> None:
    arena = long_tailed(300, alive=60.0, seed=4)
    placed = place_arena(arena, Budget(0.0, deterministic=deterministic))
    spans = placed.offset.tolist()
    assert shares_of_long_files(arena, spans) == 0
    assert placed.bound <= placed.height == top(arena, placed)
    assert placed.status is (Status.OPTIMAL if placed.height == placed.bound else Status.FEASIBLE)


def test_what_was_not_found_in_time_is_unknown_and_still_a_placement() -> None:
    arena = long_tailed(300, alive=60.0, seed=4)
    first = place_arena(arena, Budget(0.0))
    assert first.height > first.bound
    placed = place_arena(arena, Budget(0.0), capacity=first.bound)
    assert placed.status is Status.UNKNOWN
    assert placed.height > first.bound
    assert shares_of_long_files(arena, placed.offset.tolist()) == 0


@pytest.mark.parametrize("alive", [40.0, 250.0])
def test_a_deterministic_budget_repeats_its_answer(alive: float) -> None:
    arena = long_tailed(700, alive=alive, seed=1)
    one, two = (place_arena(arena, COUNTED) for _ in range(2))
    assert one.offset.tolist() == two.offset.tolist()
    assert (one.height, one.bound, one.nodes, one.status) == (two.height, two.bound, two.nodes, two.status)


@pytest.mark.parametrize("alive", [40.0, 250.0])
def test_more_work_never_ends_higher(alive: float) -> None:
    arena = long_tailed(700, alive=alive, seed=1)
    heights = [place_arena(arena, Budget(units, deterministic=True)).height for units in (0.0, 0.3, 3.0)]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] < heights[0]


def test_a_cut_rectangle_is_filled_and_proved() -> None:
    planted = guillotine(60, moments=60, units=60, seed=1)
    placed = place_arena(planted.arena, PATIENT)
    assert (placed.status, placed.height, placed.bound) == (Status.OPTIMAL, planted.optimum, planted.optimum)


@settings(max_examples=20, deadline=None)
@given(rows, st.integers(2, 5), st.integers(0, 9))
def test_larger_units_later_times_and_another_seed_change_nothing(some: list[Row], factor: int, seed: int) -> None:
    plain = place_arena(arena_of(some), PATIENT)
    other = [(low * 3 + 7, high * 3 + 7, size * factor) for low, high, size in reversed(some)]
    assert place_arena(arena_of(other), Budget(60.0, seed=seed)).height == factor * plain.height


def test_news_is_told_while_it_searches() -> None:
    """Heights fall, bounds rise, fractions are shares of the time."""
    told: list[Progress] = []
    arena = long_tailed(400, alive=250.0, seed=3)
    placed = place_arena(arena, Budget(3.0, deterministic=True), observer=told.append)
    numbers = [[int(word) for word in news.message.split() if word.isdigit()] for news in told]
    assert len(told) > 1
    assert all(news.phase == "placement" for news in told)
    assert all(news.fraction is not None and 0 <= news.fraction <= 1 for news in told)
    assert [low for low, _ in numbers] == sorted(low for low, _ in numbers)
    assert [high for _, high in numbers] == sorted((high for _, high in numbers), reverse=True)
    assert numbers[-1] == [placed.bound, placed.height]


def test_a_mistake_of_whoever_listens_ends_the_search() -> None:
    """Be it before there are workers or in one of them: the other one does not go on for an hour."""

    def after(calls: int) -> Callable[[Progress], None]:
        told: list[Progress] = []

        def listen(news: Progress) -> None:
            told.append(news)
            if len(told) > calls:
                raise RuntimeError("the listener fell over")

        return listen

    before = threading.active_count()
    arena = long_tailed(400, alive=250.0, seed=3)
    for calls in (0, 1):
        with pytest.raises(RuntimeError, match="fell over"):
            place_arena(arena, Budget(3600.0), observer=after(calls))
    assert threading.active_count() == before


INTERRUPTED = """
import os, signal, threading, time
from catalytic.solver.arena_families import long_tailed
from catalytic.solver.budget import Budget
from catalytic.solver.placement.arena_portfolio import place_arena

before, sent = threading.active_count(), threading.Event()

def interrupt(news):
    if threading.current_thread() is not threading.main_thread() and not sent.is_set():
        sent.set()
        time.sleep(0.3)  # until all threads have been started
        os.kill(os.getpid(), signal.SIGINT)

try:
    place_arena(long_tailed(400, alive=250.0, seed=3), Budget(3600.0), observer=interrupt)
except KeyboardInterrupt:
    print("interrupted, threads left:", threading.active_count() - before)
"""


def test_an_interrupt_ends_the_search_and_all_its_threads() -> None:
    """In a process of its own: the signal is not for whoever runs the tests."""
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert done.stdout == "interrupted, threads left: 0\n", done.stderr
