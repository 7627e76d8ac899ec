"""A timeline fixes every lifetime: its plan keeps them, and reaches the sum of its pools' peaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.budget import Budget
from catalytic.solver.check import violations
from catalytic.solver.fixed_starts import place_again, solve_fixed_starts
from catalytic.solver.plan import Status
from catalytic.solver.plan.strategy import Allocation, Timeline, timeline_problem
from catalytic.solver.problem import Isolation, Workspace
from catalytic.solver.units import Bytes, Tick

QUICK = Budget(2.0, workers=1)
SHARED = Workspace(Bytes(8 * 2**20), 4, isolation=Isolation.SHARED)


def timeline(*rows: tuple[int, int, int]) -> Timeline:
    """Allocations ``(from, until, size)`` in ticks and bytes, all in one pool."""
    return Timeline(
        "timeline",
        "test",
        tuple(Allocation(f"t-{i}", Tick(a), Tick(b), Bytes(size), "pool") for i, (a, b, size) in enumerate(rows)),
    )


def test_lifetimes_that_do_not_overlap_share_their_bytes() -> None:
    problem, starts = timeline_problem(timeline((0, 10, 8192), (10, 20, 8192), (20, 30, 4096)), SHARED)

    outcome = solve_fixed_starts(problem, starts, budget=QUICK)

    assert outcome.plan is not None
    assert outcome.plan.measures.footprint == 8192
    assert {t.id: t.start for t in outcome.plan.tasks} == starts
    assert violations(outcome.plan) == []


def test_a_target_below_the_living_bytes_is_disproved() -> None:
    problem, starts = timeline_problem(timeline((0, 10, 4096), (5, 15, 4096)), SHARED)

    outcome = solve_fixed_starts(problem, starts, target=0.5, budget=QUICK)

    assert outcome.status is Status.INFEASIBLE
    assert "8192 bytes" in outcome.reason
    assert outcome.best_alternative is not None


def test_fixed_starts_in_exclusive_partitions_are_placed_or_the_tasks_are_named() -> None:
    """Two that run at once write into partitions of their own; three at once have only two partitions."""
    exclusive = Workspace(Bytes(8 * 2**20), 2)
    two, starts = timeline_problem(timeline((0, 10, 4096), (5, 15, 4096), (10, 20, 4096)), exclusive)
    plan = solve_fixed_starts(two, starts, budget=QUICK).plan
    assert plan is not None
    assert plan.task["t-0"].partitions != plan.task["t-1"].partitions

    three, starts = timeline_problem(timeline((0, 10, 4096), (5, 15, 4096), (9, 20, 4096)), exclusive)
    outcome = solve_fixed_starts(three, starts, budget=QUICK)
    assert outcome.status is Status.INFEASIBLE
    assert "'t-0', 't-1', 't-2'" in outcome.reason


def test_a_plan_is_placed_again_around_what_must_stay() -> None:
    rows = ((0, 10, 8192), (5, 20, 4096), (12, 30, 8192), (15, 25, 4096))
    problem, starts = timeline_problem(timeline(*rows), Workspace(Bytes(2**20), 1, isolation=Isolation.SHARED))
    plan = solve_fixed_starts(problem, starts, budget=QUICK).plan
    assert plan is not None
    stays = max(plan.regions, key=lambda r: r.extents[0].offset)

    again = place_again(plan, Workspace(Bytes(2**17), 4), held=[stays.buffer], budget=QUICK).plan

    assert again is not None
    assert violations(again) == []
    assert {t.id: t.start for t in again.tasks} == starts
    assert again.region_of[stays.buffer].extents == stays.extents


def test_a_plan_placed_again_where_it_lies_does_not_move() -> None:
    problem, starts = timeline_problem(timeline((0, 10, 8192), (5, 20, 4096), (12, 30, 8192)), SHARED)
    plan = solve_fixed_starts(problem, starts, budget=QUICK).plan
    assert plan is not None
    larger = Workspace(Bytes(16 * 2**20), 4, isolation=Isolation.SHARED)

    again = place_again(plan, larger, budget=QUICK).plan

    assert again is not None
    assert [r.extents for r in again.regions] == [r.extents for r in plan.regions]


def test_what_must_stay_and_cannot_is_refused() -> None:
    problem, starts = timeline_problem(timeline((0, 10, 8192)), SHARED)
    plan = solve_fixed_starts(problem, starts, budget=QUICK).plan
    assert plan is not None
    with pytest.raises(ValueError, match="no region"):
        place_again(plan, SHARED, held=["stranger"], budget=QUICK)
    with pytest.raises(ValueError, match="cannot stay"):
        place_again(plan, Workspace(Bytes(4096 * 4), 4), held=[plan.regions[0].buffer], budget=QUICK)


def test_buffers_that_span_partitions_never_share_one_while_both_live() -> None:
    """Three buffers of a partition and a byte each need two partitions: four do not hold three of them at once."""
    size = SHARED.partition_size + 1
    at_once, _ = timeline_problem(timeline((0, 1, size), (0, 1, size), (0, 1, size)), SHARED)
    in_turn, starts = timeline_problem(timeline((0, 1, size), (1, 2, size), (2, 3, size)), SHARED)

    assert solve_fixed_starts(at_once, dict.fromkeys(starts, Tick(0)), budget=QUICK).plan is None
    assert solve_fixed_starts(in_turn, starts, budget=QUICK).plan is not None


allocations = st.tuples(st.integers(0, 20), st.integers(1, 10), st.integers(1, 3 * 2**20))


@settings(max_examples=40, deadline=None)
@given(st.lists(allocations, min_size=1, max_size=8))
def test_every_plan_of_a_timeline_is_valid_and_keeps_its_starts(rows: list[tuple[int, int, int]]) -> None:
    problem, starts = timeline_problem(timeline(*((a, a + d, s) for a, d, s in rows)), SHARED)

    plan = solve_fixed_starts(problem, starts, budget=QUICK).plan

    if plan is not None:
        assert violations(plan) == []
        assert {t.id: t.start for t in plan.tasks} == starts


def test_the_command_line_plans_a_timeline(tmp_path: Path) -> None:
    import json

    from tests.cli.console import catalytic

    rows = [("prd-2.1", 0, 120, 128), ("prd-2.2", 120, 220, 100), ("prd-3.1", 100, 220, 64)]
    path = tmp_path / "pebbling-strategy.json"
    document = {
        "pebbling_strategy": {"algorithm": "branching-program"},
        "allocation_timeline": [
            {"task_id": t, "allocation_time": a, "deallocation_time": b, "memory_requirement": m} for t, a, b, m in rows
        ],
    }
    path.write_text(json.dumps(document))

    said = catalytic("plan", path, "-o", tmp_path / "plan.json", "--time-limit", "2", "--json")

    assert said.code == 0, said.err
    assert "fixes every lifetime" in said.err
    # Pools prd-2 (128 MB, then 100 MB over it) and prd-3 (64 MB): 192 of 292 MB.
    assert said.document["summary"]["footprint"] == pytest.approx(192_000_000, rel=1e-3)
