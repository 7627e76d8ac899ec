"""Dealing blocks out in order of time: what it makes is valid, and bounds without a list of moments are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import long_tailed
from catalytic.solver.budget import Budget
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.partition_bounds import least_footprint
from catalytic.solver.placement.partition_deal import deal, is_vast, peaks, place_cells
from catalytic.solver.placement.partition_question import Partitioned, disagreements
from catalytic.solver.placement.partitioned import place_partitioned
from catalytic.solver.plan import Status

from .partitions import broken, busy_questions, questions


def plain(question: Partitioned) -> bool:
    """Whether nothing is asked that dealing leaves to the check of its result."""
    return not any(x is not None for x in question.limits) and bool((question.held_offset < 0).all())


@settings(max_examples=100, deadline=None)
@given(st.one_of(questions(), busy_questions()).filter(lambda q: bool((q.held_offset < 0).all())))
def test_peaks_need_no_moments(question: Partitioned) -> None:
    assert sum(peaks(question)) == least_footprint(question)


@settings(max_examples=100, deadline=None)
@given(st.one_of(questions(), busy_questions()).filter(plain), st.integers(0, 3))
def test_what_is_dealt_and_placed_breaks_no_rule(question: Partitioned, seed: int) -> None:
    cells = deal(question, seed, lambda: False)
    if cells is None:
        return
    assert sorted(k for cell in cells for k in cell.blocks) == list(range(len(question.blocks)))

    placed = place_cells(question, cells, Budget(1.0, workers=1).start(), minimise=True)

    if placed is not None:
        spots = {
            b: (int(placed[0][k]), int(placed[1][k])) for k, block in enumerate(question.blocks) for b in block.members
        }
        assert not broken(question, spots)


def vast(room: float) -> Partitioned:
    """Thousands of blocks of which hundreds live at a time, in three partitions of ``room`` times what must be."""
    arena = long_tailed(3000, alive=500.0)
    need = sum(peaks(Partitioned.of(arena, (1,))))
    return Partitioned.of(arena, (int(need * room / 3) + 1,) * 3)


@pytest.mark.parametrize("minimise", [False, True])
def test_a_vast_question_is_answered_without_its_moments(minimise: bool) -> None:
    question = vast(1.5)
    assert is_vast(question)

    placed = place_partitioned(question, Budget(10.0, workers=1), minimise=minimise)

    assert placed.partition is not None
    assert placed.offset is not None
    assert placed.footprint is not None
    assert placed.bound <= placed.footprint
    assert disagreements(question, placed.partition.tolist(), placed.offset.tolist()) == []
    assert "moments" not in question.__dict__


def test_a_vast_question_with_less_room_than_lives_at_once_is_refuted() -> None:
    question = vast(0.99)

    placed = place_partitioned(question, Budget(10.0, workers=1), minimise=False)

    assert placed.status is Status.INFEASIBLE
    assert placed.impossible is not None
    assert "slices never overlap" in placed.impossible.reason


def test_running_writers_are_dealt_apart() -> None:
    """Three pairs of writers at once, each two into different partitions; a third at once finds none."""
    tasks = [(0, 2), (0, 2), (3, 5), (3, 5), (6, 8), (6, 8)]
    lower = np.array([a for a, _ in tasks])
    arena = Arena.of(lower, lower + 9, [1] * 6)
    question = Partitioned.of(arena, (6, 6), tasks=tasks, writer=range(6), exclusive=True)

    cells = deal(question, 0, lambda: False)

    assert cells is not None
    assert all(len({int(k) // 2 for k in cell.blocks}) == cell.blocks.size for cell in cells)
    crowded = Partitioned.of(arena, (6, 6), tasks=[(0, 9)] * 6, writer=range(6), exclusive=True)
    assert deal(crowded, 0, lambda: False) is None


def test_a_region_that_two_running_tasks_write_at_once_is_dealt_to_nobody() -> None:
    def asked(second: tuple[int, int]) -> Partitioned:
        arena = Arena.of([0, 0, second[0]], [1, 1, second[1]], [1, 1, 1])
        return Partitioned.of(
            arena, (2, 2), tasks=[(0, 1), (0, 1), second], writer=[0, 1, 2], exclusive=True, region=[-1, 7, 7]
        )

    assert deal(asked((0, 1)), 0, lambda: False) is None
    assert deal(asked((1, 2)), 0, lambda: False) is not None
