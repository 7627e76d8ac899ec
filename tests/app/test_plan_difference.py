"""What changed between two plans is exactly what was changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.gates import parse_gates
from catalytic.app.plan_difference import PlanDifference, compare_plans, difference
from catalytic.app.views.plan_difference import difference_text, figure, headline
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Bound, Evidence, Extent, Plan, ScheduledTask, plan_without_reuse
from catalytic.solver.units import Bytes, Tick
from tests.builders import random_plan, random_problem

from .problems import chain, separate

OLD, NEW = Path("old.json"), Path("new.json")


def changed(old: Plan, new: Plan, *gates: str) -> PlanDifference:
    return difference(old, new, OLD, NEW, parse_gates(gates))


def with_task(plan: Plan, number: int, task: ScheduledTask) -> Plan:
    return replace(plan, tasks=(*plan.tasks[:number], task, *plan.tasks[number + 1 :]))


def test_a_plan_does_not_differ_from_itself() -> None:
    plan = separate(4)
    change = changed(plan, plan, "makespan+0", "footprint+0", "reuse_factor-0")

    assert change.same
    assert change.same_problem
    assert not (change.moved_tasks or change.moved_regions or change.edges_added or change.edges_removed)
    assert all(metric.difference in (0, None) for metric in change.metrics)
    assert all(gate.passed for gate in change.gates)
    assert "nothing moved" in headline(change)


def test_a_task_that_was_moved_is_the_one_that_moved() -> None:
    plan = separate(4)
    task = plan.tasks[2]
    later = replace(task, start=Tick(task.start + 500), end=Tick(task.end + 500))
    change = changed(plan, with_task(plan, 2, later))

    (move,) = change.moved_tasks
    assert move.task == task.id
    assert (move.start_s[1] - move.start_s[0], move.end_s[1] - move.end_s[0]) == (0.5, 0.5)
    assert change.moved_regions == ()
    assert not change.same


def test_a_region_that_was_moved_is_the_one_that_moved() -> None:
    plan = separate(3)
    region = plan.regions[1]
    (extent,) = region.extents
    there = replace(region, extents=(Extent(extent.partition, Bytes(extent.offset + 4096), extent.length),))
    change = changed(plan, replace(plan, regions=(plan.regions[0], there, *plan.regions[2:])))

    (move,) = change.moved_regions
    assert (move.buffer, move.moved) == (region.buffer, True)
    assert move.extents[1][0].offset - move.extents[0][0].offset == 4096


def test_edges_are_counted_by_kind() -> None:
    plan = separate(4)
    fewer = replace(plan, edges=plan.edges[1:])
    change = changed(plan, fewer)

    assert change.edges_removed == (plan.edges[0],)
    assert change.edges == {plan.edges[0].kind.value: (0, 1)}
    assert changed(fewer, plan).edges == {plan.edges[0].kind.value: (1, 0)}


def test_plans_of_other_problems_are_compared_by_name() -> None:
    change = changed(separate(3), plan_without_reuse(chain(5, workers=2)))

    assert not change.same_problem
    assert set(change.problem_parts) >= {"tasks", "buffers", "resources"}
    assert change.tasks.after == ("t3", "t4")
    assert change.buffers.after == ("b3", "b4")
    assert change.contradictions == ()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_difference_turned_over_has_everything_turned_over(one: int, other: int) -> None:
    problem = random_problem(Random(one), tasks=6)
    old, new = (random_plan(Random(seed), problem) for seed in (one, other))
    there, back = changed(old, new), changed(new, old)

    assert there.edges_added == back.edges_removed
    assert [m.task for m in there.moved_tasks] == [m.task for m in back.moved_tasks]
    assert [m.extents for m in there.moved_regions] == [m.extents[::-1] for m in back.moved_regions]
    for metric, turned in zip(there.metrics, back.metrics, strict=True):
        assert (metric.before, metric.after) == (turned.after, turned.before)
    assert there.same == back.same
    if there.same:
        assert (old.tasks, old.regions, old.edges) == (new.tasks, new.regions, new.edges)
    assert max(map(len, difference_text(there, width=100).splitlines())) < 400


def test_gates_are_judged_on_exact_figures() -> None:
    """One task of a second more: 4 s against 3 s is a third more."""
    old, new = separate(3), separate(4)
    change = changed(old, new, "makespan+33.33%", "makespan+33.34%", "makespan+1s", "makespan+999ms", "peak_live-1GB")

    assert [gate.passed for gate in change.gates] == [False, True, True, False, True]


def test_a_reuse_factor_is_written_as_everywhere_else() -> None:
    """Rounded down: a comparison shows no more than the headline of the plan."""
    assert figure("reuse_factor", 0.38459) == "0.3845"
    assert figure("reuse_factor", None) == "none"


def test_a_bound_that_the_other_plan_refutes_is_told() -> None:
    plan = separate(3)
    bound = Bound("makespan", int(plan.measures.makespan) + 1, "cp_sat", Evidence.SOLVER_CLAIM)
    wrong = replace(plan, proof=replace(plan.proof, bounds=(bound,)))

    (told,) = changed(plan, wrong).contradictions
    assert "new.json bounds the makespan of every plan by 3001 ms (cp_sat, SOLVER_CLAIM), old.json has 3000" in told
    assert len(changed(wrong, plan).contradictions) == 1
    assert changed(plan, plan).contradictions == ()


def test_a_plan_that_breaks_a_rule_is_not_compared(tmp_path: Path) -> None:
    plan = separate(3)
    early = replace(plan.tasks[2], start=Tick(0), end=Tick(1000))
    (tmp_path / "good.json").write_bytes(dump_plan(plan))
    (tmp_path / "bad.json").write_bytes(dump_plan(with_task(plan, 2, early)))

    with pytest.raises(InvalidPlan, match=r"bad\.json"):
        compare_plans(tmp_path / "good.json", tmp_path / "bad.json")
    assert compare_plans(tmp_path / "good.json", tmp_path / "good.json").same
