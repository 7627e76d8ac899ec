"""Waits, slack, longest paths and shifted schedules against definitions and against the independent checker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings

from catalytic.solver.check import violations
from catalytic.solver.plan import Extent, Plan
from catalytic.solver.problem import InputPolicy, Isolation, Policy, Problem, Workspace
from catalytic.solver.timing import (
    Conditions,
    Wait,
    WaitKind,
    deal,
    earliest_starts,
    early_results,
    fixed_waits,
    latest_starts,
    longest_paths,
    moved,
    order_waits,
    results_of,
    speedups,
)
from catalytic.solver.timing.shift import in_order
from catalytic.solver.units import Bytes, Tick
from tests.builders import planned, problem, random_plan, starts_of, task
from tests.strategies import plans


def all_waits(plan: Plan) -> tuple[Wait, ...]:
    return (*fixed_waits(plan), *order_waits(plan))


def respected(waits: Iterable[Wait], starts: dict[str, Tick]) -> bool:
    return all(starts[w.target] >= starts[w.source] + w.lag for w in waits)


@settings(max_examples=80, deadline=None)
@given(plans())
def test_the_times_of_a_valid_plan_respect_every_wait(plan: Plan) -> None:
    assert respected(all_waits(plan), starts_of(plan))


@settings(max_examples=80, deadline=None)
@given(plans())
def test_units_of_a_resource_serve_one_task_at_a_time(plan: Plan) -> None:
    for name, capacity in plan.problem.resources:
        dealing = deal(plan, name)
        for t in plan.problem.tasks:
            assert sum(len(units) for units in dealing.units.get(t.id, ())) == t.demand(name)
        lines = dealing.lines()
        assert len(lines) <= capacity
        for line in lines:
            spans = [(plan.task[t].start, plan.task[t].end) for t in line]
            assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_a_resource_may_have_as_many_units_as_memory_has_bytes() -> None:
    question = problem(task("a", "", "x", duration=2), task("b", "", "y", duration=3), task("c", "x y", "z"))
    tasks = tuple(replace(t, demands=(("memory", 3 * 10**9),)) for t in question.tasks)
    question = replace(question, tasks=tasks, resources=(("memory", 8 * 10**9), ("workers", 2)))
    plan = planned(question, at(a=0, b=0, c=3), _apart(question))

    dealing = deal(plan, "memory")

    assert {t: sum(len(r) for r in units) for t, units in dealing.units.items()} == dict.fromkeys("abc", 3 * 10**9)
    # c waits for a anyway: it takes over a's units rather than the two billion that nobody has used.
    assert dealing.handovers == (("a", "c"),)


def at(**starts: int) -> dict[str, Tick]:
    return {t.replace("_", "-"): Tick(start) for t, start in starts.items()}


def _apart(question: Problem) -> dict[str, list[Extent]]:
    """Every buffer in a byte of its own."""
    return {b: [Extent(0, Bytes(k), Bytes(1))] for k, b in enumerate(question.graph.resident)}


@pytest.mark.parametrize("seed", range(80))
def test_any_order_gives_a_valid_plan_with_the_same_regions(seed: int) -> None:
    """Whatever order the schedule is built in, the checker finds nothing: fixed waits and capacities are enough."""
    rng = Random(seed)
    plan = random_plan(rng)
    conditions = Conditions.of(plan)

    starts = earliest_starts(conditions, random_order(rng, conditions))
    shifted = moved(plan, starts)

    assert violations(shifted) == []
    assert {r.buffer: r.extents for r in shifted.regions} == {r.buffer: r.extents for r in plan.regions}
    assert {(e.source, e.target, e.kind, e.via) for e in shifted.edges} == {
        (e.source, e.target, e.kind, e.via) for e in plan.edges
    }


def random_order(rng: Random, conditions: Conditions) -> list[str]:
    """Tasks in a random order in which each stands behind all that it waits for."""
    order: list[str] = []
    left = sorted(conditions.duration)
    while left:
        ready = [t for t in left if all(before in order for before, _ in conditions.behind.get(t, ()))]
        order.append(rng.choice(ready))
        left.remove(order[-1])
    return order


@settings(max_examples=80, deadline=None)
@given(plans())
def test_in_the_plans_own_order_no_task_begins_later(plan: Plan) -> None:
    starts = earliest_starts(Conditions.of(plan), in_order(starts_of(plan)))

    assert all(starts[t] <= old for t, old in starts_of(plan).items())
    assert violations(moved(plan, starts)) == []


@settings(max_examples=60, deadline=None)
@given(plans())
def test_more_of_a_resource_never_makes_a_task_begin_later(plan: Plan) -> None:
    before = earliest_starts(Conditions.of(plan), in_order(starts_of(plan)))
    for name, _ in plan.problem.resources:
        richer = replace(plan.problem, resources=tuple((n, c + (n == name)) for n, c in plan.problem.resources))
        after = earliest_starts(Conditions.of(plan, problem=richer), in_order(before))
        assert all(after[t] <= before[t] for t in before)


@settings(max_examples=80, deadline=None)
@given(plans())
def test_a_task_can_end_later_by_its_slack_and_by_no_tick_more(plan: Plan) -> None:
    """Enumeration: delay the task, push on whatever waits for it, and let the checker judge the new plan."""
    waits = all_waits(plan)
    latest = latest_starts(plan, waits)
    for t in plan.tasks:
        slack = latest[t.id] - t.start
        assert slack >= 0
        late = pushed(plan, waits, t.id, slack)
        assert violations(moved(plan, late)) == []
        assert max(late[u.id] + (u.end - u.start) for u in plan.tasks) == plan.measures.makespan
        later = pushed(plan, waits, t.id, slack + 1)
        assert max(later[u.id] + (u.end - u.start) for u in plan.tasks) == plan.measures.makespan + 1


def pushed(plan: Plan, waits: Iterable[Wait], name: str, delay: int) -> dict[str, Tick]:
    """Starts when one task is late and every other one as soon as its waits and its old start allow."""
    starts = starts_of(plan)
    starts[name] = Tick(starts[name] + delay)
    changed = True
    while changed:
        changed = False
        for w in waits:
            if starts[w.target] < starts[w.source] + w.lag:
                starts[w.target] = Tick(starts[w.source] + w.lag)
                changed = True
    return starts


def longest_by_repetition(plan: Plan, waits: Iterable[Wait], duration: dict[str, int]) -> int:
    """Starts pushed until every wait holds, with durations that may differ from the plan's."""
    waits = tuple(waits)
    starts = dict.fromkeys(duration, 0)
    changed = True
    while changed:
        changed = False
        for w in waits:
            lag = w.lag if w.kind is WaitKind.LOAD else duration[w.source]
            if starts[w.target] < starts[w.source] + lag:
                starts[w.target] = starts[w.source] + lag
                changed = True
    return max((starts[t] + duration[t] for t in duration), default=0)


@settings(max_examples=80, deadline=None)
@given(plans())
def test_what_a_faster_task_gains_is_what_recomputation_gives(plan: Plan) -> None:
    waits = all_waits(plan)
    paths = longest_paths(plan, waits)
    duration = {t.id: int(t.end - t.start) for t in plan.tasks}
    gains = speedups(plan, waits, paths)

    assert paths.length == longest_by_repetition(plan, waits, duration)
    for t, most in gains.items():
        for faster in range(duration[t]):
            shorter = longest_by_repetition(plan, waits, duration | {t: duration[t] - faster})
            assert paths.length - shorter == min(faster, most)


def test_turns_at_a_worker_and_at_a_partition_are_waits() -> None:
    """Two tasks that share nothing but the only worker, or the only partition, take turns."""
    one_worker = problem(task("a", "", "x"), task("b", "", "y"), workers=1)
    plan = planned(one_worker, at(a=0, b=1), _apart(one_worker))
    assert order_waits(plan) == (Wait("a", "b", WaitKind.RESOURCE, "workers", 1),)

    one_writer = replace(
        problem(task("a", "", "x"), task("b", "", "y")), workspace=Workspace(Bytes(8), 1, 1, Isolation.EXCLUSIVE)
    )
    plan = planned(one_writer, at(a=0, b=1), _apart(one_writer))
    assert order_waits(plan) == (Wait("a", "b", WaitKind.EXCLUSIVE, "0", 1),)


def test_the_reader_that_loads_an_input_stays_first() -> None:
    question = replace(problem(task("a", "x", ""), task("b", "x", "")), policy=Policy(InputPolicy.LAZY))
    plan = planned(question, at(a=1, b=0), _apart(question))

    assert [w for w in fixed_waits(plan) if w.kind is WaitKind.LOAD] == [Wait("b", "a", WaitKind.LOAD, "x", 1)]


@settings(max_examples=60, deadline=None)
@given(plans())
def test_early_results_keep_the_plan_valid_and_are_never_later(plan: Plan) -> None:
    def worth(p: Plan) -> tuple[int, int]:
        return (p.measures.makespan, sum(p.task[t].end for t in results_of(p.problem)))

    early = early_results(plan)

    assert violations(early) == []
    assert worth(early) <= worth(plan)
    assert early.measures.footprint == plan.measures.footprint
    assert early_results(early).tasks == early.tasks


def test_a_result_overtakes_what_it_does_not_need() -> None:
    """One worker, two independent chains: the short one's result need not wait for the long one."""
    question = problem(
        task("slow-1", "", "s", duration=5),
        task("slow-2", "s", "slow", duration=5),
        task("quick", "", "q", duration=1),
        workers=1,
    )
    plan = planned(question, at(slow_1=0, slow_2=5, quick=10), _apart(question))

    early = early_results(plan)

    assert starts_of(early) == {"quick": 0, "slow-1": 1, "slow-2": 6}
    assert early.measures.makespan == 11


def test_a_result_never_overtakes_those_whose_bytes_it_takes_over() -> None:
    question = problem(
        task("slow-1", "", "s", duration=5),
        task("slow-2", "s", "slow", duration=5),
        task("quick", "", "q", duration=1),
        workers=1,
    )
    places = {"s": [Extent(0, Bytes(0), Bytes(1))], "slow": [Extent(0, Bytes(1), Bytes(1))]}
    plan = planned(question, at(slow_1=0, slow_2=5, quick=10), places | {"q": [Extent(0, Bytes(0), Bytes(1))]})

    assert starts_of(early_results(plan)) == {"slow-1": 0, "slow-2": 5, "quick": 10}


def test_results_are_what_outlives_the_plan_or_what_nothing_follows() -> None:
    question = problem(task("a", "", "x"), task("b", "x", "y"), task("c", "y", ""), task("d", "x", "w v"))
    question = replace(question, buffers=tuple(replace(b, keep=b.id == "x") for b in question.buffers))

    assert results_of(question) == ("a", "c", "d")
