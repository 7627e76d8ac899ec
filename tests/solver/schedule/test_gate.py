"""The gate: the profile of the reference order says what its replay says, and nobody gets stuck."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.order import Compact, least_peak
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Policy, Workspace
from catalytic.solver.schedule.cell_gate import cells_of, no_cells
from catalytic.solver.schedule.gate import NO_SCHEDULE, gated_schedule
from catalytic.solver.schedule.line import Line, scarce_resources
from catalytic.solver.units import Bytes, Tick
from tests.builders import problem, random_problem, task

from .oracles import gated, peak_of_starts


def random_compact(seed: int, tasks: int = 9) -> tuple[Random, Compact]:
    """A random problem of one pool, any policy, on one line."""
    rng = Random(seed)
    question = random_problem(rng, tasks=tasks)
    policy = Policy(rng.choice(tuple(InputPolicy)), rng.choice(tuple(OutputPolicy)))
    question = replace(
        question,
        policy=policy,
        tasks=tuple(replace(t, duration=Tick(min(int(t.duration), 6))) for t in question.tasks),
        workspace=Workspace(Bytes(10**6), 1, question.workspace.alignment, Isolation.SHARED),
        pools=(),
        buffers=tuple(replace(b, data_type=None, access=None) for b in question.buffers),
    )
    return rng, Compact.of(question)


def low_order(compact: Compact) -> tuple[Ints, int]:
    """An order with a low peak, as numbers, and that peak on blocks that never share bytes by chance."""
    found = least_peak(compact.problem, Budget(0.3, deterministic=True))
    order = np.array([compact.tasks.index(t) for t in found.order], dtype=np.int64)
    starts = np.zeros(order.size, np.int64)
    starts[order] = np.concatenate([[0], np.cumsum(compact.duration[order])[:-1]])
    return order, peak_of_starts(compact, starts)


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_the_profile_admits_whom_a_replay_admits(seed: int, merged: bool) -> None:
    rng, compact = random_compact(seed)
    order, peak = low_order(compact)
    ceiling = peak + rng.choice((0, 0, 3, 10))
    line = Line.of(compact, merged=merged).arrays()
    start, where = np.empty(order.size, np.int64), np.zeros(compact.size.size, np.int64)
    for _ in range(4):
        rank = np.array(rng.sample(range(order.size), order.size), dtype=np.int64)
        strict = np.array([rng.random() < 0.3 for _ in order], dtype=np.bool_)
        makespan, reserved = gated_schedule(rank, order, strict, ceiling, ceiling, line, no_cells(), start, where)
        assert start.tolist() == gated(compact, rank, order, strict, ceiling).tolist()
        assert makespan == int((start + compact.duration).max())
        assert reserved == peak_of_starts(compact, start) <= ceiling


@pytest.mark.parametrize("seed", range(40))
def test_a_mirrored_schedule_read_backwards_is_a_schedule_with_the_same_peak(seed: int) -> None:
    rng, compact = random_compact(700 + seed)
    order, peak = low_order(compact)
    line = Line.of(compact)
    n = order.size
    start, where = np.empty(n, np.int64), np.zeros(0, np.int64)
    rank = np.array(rng.sample(range(n), n), dtype=np.int64)
    turned = np.ascontiguousarray(order[::-1])
    lax = np.zeros(n, np.bool_)
    makespan, reserved = gated_schedule(
        rank, turned, lax, peak, peak, line.mirrored().arrays(), no_cells(), start, where
    )
    forward = makespan - start - compact.duration
    assert all(forward[p] + compact.duration[p] <= forward[t] for t in range(n) for p in compact.predecessors[t])
    assert peak_of_starts(compact, forward) == reserved <= peak


def test_a_reference_that_is_no_order_gives_no_schedule() -> None:
    _, compact = random_compact(3)
    order, _ = low_order(compact)
    backwards = np.ascontiguousarray(order[::-1])
    start, where = np.empty(order.size, np.int64), np.zeros(0, np.int64)
    none = np.zeros(order.size, np.bool_)
    makespan, _ = gated_schedule(order, backwards, none, 0, 0, Line.of(compact).arrays(), no_cells(), start, where)
    assert makespan == NO_SCHEDULE


@pytest.mark.parametrize("seed", range(60))
def test_with_partitions_writers_hold_theirs_alone_and_reserved_bytes_are_what_cells_ever_held(seed: int) -> None:
    rng = Random(9000 + seed)
    question = random_problem(rng, tasks=9)
    question = replace(question, workspace=Workspace(Bytes(120), 3, question.workspace.alignment, Isolation.EXCLUSIVE))
    compact = Compact.of(question)
    if compact.size.max(initial=0) > question.workspace.partition_size:
        pytest.skip("a buffer that spans partitions")
    order = np.array([compact.tasks.index(t) for t in question.graph.topological_order], dtype=np.int64)
    start, where = np.empty(order.size, np.int64), np.zeros(compact.size.size, np.int64)
    line, cells = Line.of(compact, merged=False).arrays(), cells_of(compact, 3, 0.0)
    rank = np.array(rng.sample(range(order.size), order.size), dtype=np.int64)
    lax = np.zeros(order.size, np.bool_)
    makespan, reserved = gated_schedule(rank, order, lax, 10**6, 10**6, line, cells, start, where)
    if makespan == NO_SCHEDULE:
        return
    end = start + compact.duration
    held = {t: {int(where[b]) for b in (*compact.births[t], *compact.over[t])} for t in range(order.size)}
    for a in range(order.size):
        for b in range(a):
            if start[a] < end[b] and start[b] < end[a]:
                assert not held[a] & held[b]
    assert reserved >= peak_of_starts(compact, start) or any(t.in_place for t in question.tasks)


def test_workers_are_a_resource_that_tasks_wait_for() -> None:
    """Two independent tasks, one worker: what workers allow at once may spare other resources, never workers."""
    question = replace(problem(task("a", duration=2), task("b", duration=3)), resources=(("workers", 1),))
    assert scarce_resources(Compact.of(question)) == [0]
