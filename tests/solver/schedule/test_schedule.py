"""Schedules under a ceiling: what they promise, against the definition and CP-SAT."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.order import Compact, least_peak
from catalytic.solver.problem import Isolation, Problem, Workspace
from catalytic.solver.schedule import Scheduler, makespan_bounds
from catalytic.solver.schedule.cp_sat_schedule import Asked, Solution
from catalytic.solver.schedule.relaxed import Chains, relax
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, problem, random_problem, task

QUICK = Budget(1.0, deterministic=True)
WIDE = 2**40


def least_makespan_by_enumeration(question: Problem) -> int:
    """Smallest makespan over all integer starts below the sum of durations: resources only, no memory."""
    horizon = sum(int(t.duration) for t in question.tasks)
    names = [t.id for t in question.tasks]
    best = horizon
    for starts in product(range(horizon), repeat=len(names)):
        at = dict(zip(names, starts, strict=True))
        end = {t.id: int(at[t.id] + t.duration) for t in question.tasks}
        if max(end.values()) >= best or any(end[p] > at[t] for t in names for p in question.graph.predecessors[t]):
            continue
        if all(
            sum(t.demand(r) for t in question.tasks if at[t.id] <= k < end[t.id]) <= capacity
            for k in range(horizon)
            for r, capacity in question.resources
        ):
            best = max(end.values())
    return best


def least_makespan(compact: Compact, ceiling: int, upper: int) -> Solution:
    """CP-SAT's answer on the whole problem."""
    return Asked().least_makespan(relax(compact, Chains(compact), ceiling, 1, 0), upper, 10.0, QUICK)


def low_order(compact: Compact) -> Ints:
    """Task indices in an order with a low peak."""
    return np.array([compact.tasks.index(t) for t in least_peak(compact.problem, QUICK).order], dtype=np.int64)


@pytest.mark.parametrize("seed", range(80))
def test_schedules_keep_precedence_and_resources(seed: int) -> None:
    rng = Random(seed)
    question = random_problem(rng, tasks=10)
    question = replace(
        question,
        workspace=replace(question.workspace, partitions=rng.choice((1, 2, 4)), alignment=question.workspace.alignment),
    )
    compact = Compact.of(question)
    order = low_order(compact)
    schedule = Scheduler(compact).run(np.array([rng.random() for _ in question.tasks]), order, WIDE)
    assert schedule.complete
    start = dict(zip(compact.tasks, schedule.start.tolist(), strict=True))
    end = {t.id: int(start[t.id] + t.duration) for t in question.tasks}
    assert all(end[p] <= start[t] for t in start for p in question.graph.predecessors[t])
    for resource, capacity in question.resources:
        for moment in start.values():
            assert sum(t.demand(resource) for t in question.tasks if start[t.id] <= moment < end[t.id]) <= capacity
    assert schedule.makespan == max(end.values(), default=0)


@pytest.mark.parametrize("seed", range(80))
def test_the_ceiling_holds_whenever_the_sequential_schedule_meets_it(seed: int) -> None:
    """Banker's promise: priorities may be anything; what one task at a time achieves is never exceeded."""
    rng = Random(7000 + seed)
    question = random_problem(rng, tasks=10)
    partitions = rng.choice((1, 2, 3))
    question = replace(
        question,
        workspace=Workspace(question.workspace.size, partitions, question.workspace.alignment, Isolation.EXCLUSIVE),
    )
    compact = Compact.of(question)
    order = low_order(compact)
    scheduler = Scheduler(compact)
    position = -np.argsort(order).astype(np.float64)
    alone = scheduler.run(position, order, WIDE, sequential=True)
    tight = scheduler.run(position, order, alone.reserved, sequential=True)
    if tight.reserved > alone.reserved:
        pytest.skip("the greedy choice of partitions differs under the ceiling")
    for _ in range(5):
        schedule = scheduler.run(np.array([rng.random() for _ in question.tasks]), order, tight.reserved)
        assert schedule.complete
        assert schedule.reserved <= tight.reserved


@pytest.mark.parametrize("seed", range(12))
def test_bounds_and_cp_sat_agree_with_enumeration(seed: int) -> None:
    rng = Random(500 + seed)
    question = random_problem(rng, tasks=4)
    question = replace(
        question,
        tasks=tuple(replace(t, duration=Tick(min(t.duration, 2)), in_place=()) for t in question.tasks),
        workspace=replace(question.workspace, isolation=Isolation.SHARED),
    )
    compact = Compact.of(question)
    optimum = least_makespan_by_enumeration(question)
    upper = sum(t.duration for t in question.tasks)
    solution = least_makespan(compact, WIDE, upper)

    assert solution.optimal
    assert solution.bound == optimum
    assert all(b.value <= optimum for b in makespan_bounds(compact, WIDE))


def test_memory_time_energy_counts_bytes_times_time() -> None:
    """Two buffers of 10 bytes that live 5 + 5 ticks under 10 bytes: at least (10 x 10 + 10 x 10) / 10 = 20 ticks."""
    question = problem(
        task("w1", "", "a", duration=5), task("r1", "a", duration=5),
        task("w2", "", "b", duration=5), task("r2", "b", duration=5),
        sizes=10,
    )  # fmt: skip
    values = {b.method: b.value for b in makespan_bounds(Compact.of(question), 10)}
    assert values == {"memory_time_energy": 20, "critical_path": 10, "resource_energy": 3}


def test_cp_sat_sees_the_ceiling() -> None:
    """Two independent pairs need 20 bytes side by side; under 10 they run one after the other."""
    question = problem(
        task("w1", "", "a", duration=5), task("r1", "a", duration=5),
        task("w2", "", "b", duration=5), task("r2", "b", duration=5),
        sizes=10,
    )  # fmt: skip
    compact = Compact.of(question)
    assert least_makespan(compact, 20, 20).bound == 10
    assert least_makespan(compact, 10, 20).bound == 20
    assert least_makespan(compact, 9, 20).impossible


@pytest.mark.parametrize("isolation", list(Isolation))
def test_writers_share_a_partition_only_when_they_may(isolation: Isolation) -> None:
    question = problem(task("a", "", "x", duration=4), task("b", "", "y", duration=4))
    question = replace(question, workspace=Workspace(question.workspace.size, 1, 1, isolation))
    compact = Compact.of(question)
    schedule = Scheduler(compact).run(np.zeros(2), np.arange(2), WIDE)
    assert schedule.makespan == (4 if isolation is Isolation.SHARED else 8)


def test_a_block_larger_than_a_partition_starts_one_and_runs_on() -> None:
    question = problem(task("a", "", "x"), task("b", "x", "y"), sizes={"x": 25, "y": 5})
    question = replace(question, workspace=Workspace(Bytes(40), 4, 1, Isolation.SHARED))
    schedule = Scheduler(Compact.of(question)).run(np.zeros(2), np.arange(2), 40)
    assert schedule.complete
    assert schedule.partition[0] <= 1  # needs three partitions of ten bytes


def test_chain_takes_the_sum_of_its_durations() -> None:
    compact = Compact.of(chain(5))
    assert Scheduler(compact).run(np.zeros(5), np.arange(5), WIDE).makespan == 5
