"""The gate that sees partitions: nothing jams, cells keep to their sizes, and one cell is one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.order import Compact
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Policy, Workspace
from catalytic.solver.schedule import Schedule, Scheduler
from catalytic.solver.schedule.cell_gate import celled_schedule, cells_of, no_cells
from catalytic.solver.schedule.gate import NO_SCHEDULE, gated_schedule
from catalytic.solver.schedule.line import Line
from catalytic.solver.units import Bytes, Tick
from tests.builders import problem, random_problem, task

from .oracles import users
from .test_gate import low_order, random_compact


def random_divided(seed: int, *, isolation: Isolation | None = None) -> tuple[Random, Compact]:
    """A random problem with pools, permissions to overwrite, any policy, and buffers larger than a partition."""
    rng = Random(seed)
    question = random_problem(rng, tasks=9)
    policy = Policy(rng.choice(tuple(InputPolicy)), rng.choice(tuple(OutputPolicy)))
    step = question.workspace.alignment
    largest = max((int(s) for s in question.graph.aligned_size.values()), default=step)
    size = Bytes(rng.choice((-(-largest // 2 // step) * step, 2 * largest, 6 * largest)))
    isolation = isolation or rng.choice(tuple(Isolation))
    workspace = Workspace(Bytes(size * 4), 4, step, isolation)
    tasks = tuple(replace(t, duration=Tick(min(int(t.duration), 6))) for t in question.tasks)
    return rng, Compact.of(replace(question, tasks=tasks, policy=policy, workspace=workspace))


def replayed(compact: Compact, used: int = 4) -> tuple[Ints, Schedule]:
    """An order, and where its tasks write when they run one at a time."""
    order = np.array([compact.tasks.index(t) for t in compact.problem.graph.topological_order], dtype=np.int64)
    position = -np.argsort(order).astype(np.float64)
    return order, Scheduler(compact).run(position, order, 10**9, used_partitions=used, sequential=True)


def pieces(compact: Compact, block: int, first: int) -> list[tuple[int, int]]:
    """Partition and bytes of each part of a block."""
    size, part = int(compact.size[block]), int(compact.problem.workspace.partition_size)
    return [(first + k, min(part, size - k * part)) for k in range(-(-size // part))]


def lives(compact: Compact, start: Ints) -> list[tuple[int, int]]:
    """Birth and death of each block."""
    end = start + compact.duration
    horizon = int(end.max(initial=0)) + 1
    return [
        (
            0 if compact.preload[b] else min(int(start[t]) for t in tasks),
            horizon if compact.kept[b] else max(int(end[t]) for t in tasks),
        )
        for b, tasks in enumerate(users(compact))
    ]


def cell_peaks(compact: Compact, start: Ints, where: Ints) -> dict[tuple[int, int], int]:
    """Most bytes ever alive in each (pool, partition), tick by tick; spanning blocks must not meet."""
    most: dict[tuple[int, int], int] = {}
    span = lives(compact, start)
    for tick in range(int((start + compact.duration).max(initial=0))):
        held: dict[tuple[int, int], int] = {}
        large: list[int] = []
        for b, (birth, death) in enumerate(span):
            if birth <= tick < death:
                parts = pieces(compact, b, int(where[b]))
                large += [p for p, _ in parts] if len(parts) > 1 else []
                for p, bytes_ in parts:
                    held[int(compact.pool[b]), p] = held.get((int(compact.pool[b]), p), 0) + bytes_
        assert len(large) == len(set(large))
        most = {cell: max(most.get(cell, 0), held.get(cell, 0)) for cell in most | held}
    return most


def assert_follows_precedence_and_resources(compact: Compact, start: Ints) -> None:
    end = start + compact.duration
    assert all(end[p] <= start[t] for t in range(start.size) for p in compact.predecessors[t])
    for tick in range(int(end.max(initial=0))):
        running = (start <= tick) & (tick < end)
        assert (compact.demand[running].sum(axis=0) <= compact.capacity).all()


def assert_writers_are_alone(compact: Compact, start: Ints, where: Ints) -> None:
    """Whoever allocates, loads or overwrites holds the partitions of what it writes while it runs."""
    end = start + compact.duration
    held: list[set[int]] = []
    for t in range(start.size):
        written = {*compact.births[t].tolist(), *compact.over[t].tolist()}
        for b in compact.touches[t].tolist():
            loads = [u for u in users(compact)[b] if start[u] == min(start[v] for v in users(compact)[b])]
            if compact.lazy[b] and min(loads) == t:
                written.add(b)
        held.append({p for b in written for p, _ in pieces(compact, b, int(where[b]))})
    for a in range(start.size):
        for b in range(a):
            if start[a] < end[b] and start[b] < end[a]:
                assert not held[a] & held[b]


@pytest.mark.parametrize("seed", range(150))
def test_no_priorities_jam_and_cells_keep_to_what_may_be_reserved(seed: int) -> None:
    rng, compact = random_divided(seed)
    order, replay = replayed(compact)
    if not replay.complete:
        pytest.skip("the order does not go into the partitions even one task at a time")
    part = int(compact.problem.workspace.partition_size)
    starts = np.zeros(order.size, np.int64)
    starts[order[1:]] = np.cumsum(compact.duration[order])[:-1]
    needed = cell_peaks(compact, starts, replay.partition)
    of_pool = [sum(most for (pool, _), most in needed.items() if pool == q) for q in range(compact.pool_limit.size)]
    if rng.random() < 0.5:
        compact = replace(compact, pool_limit=np.array(of_pool) + rng.choice((0, part)))
    line, cells = Line.of(compact, merged=False).arrays(), cells_of(compact, rng.choice((1, 2, 4)), 0.0)
    n = order.size
    for limit in (replay.reserved, replay.reserved + rng.randrange(1, 3 * part)):
        start, where = np.empty(n, np.int64), np.empty(compact.size.size, np.int64)
        rank = np.array(rng.sample(range(n), n), dtype=np.int64)
        strict = np.array([rng.random() < 0.3 for _ in range(n)], dtype=np.bool_)
        makespan, reserved = celled_schedule(rank, order, strict, replay.partition, limit, line, cells, start, where)
        assert makespan == int((start + compact.duration).max())
        assert_follows_precedence_and_resources(compact, start)
        peaks = cell_peaks(compact, start, where)
        assert sum(peaks.values()) == reserved <= limit
        for p in range(4):
            assert sum(most for (_, partition), most in peaks.items() if partition == p) <= part
        for q, most_of_pool in enumerate(compact.pool_limit.tolist()):
            assert sum(most for (pool, _), most in peaks.items() if pool == q) <= most_of_pool
        if compact.problem.workspace.isolation is Isolation.EXCLUSIVE:
            assert_writers_are_alone(compact, start, where)


def test_whoever_overwrites_holds_the_partition() -> None:
    over = replace(task("b", "x", "y"), in_place=(("y", "x"),))
    question = problem(task("a", "", "x"), over, task("c", "", "z"), sizes=8)
    one = replace(question, workspace=Workspace(Bytes(64), 1, 1, Isolation.EXCLUSIVE))
    compact = Compact.of(one)
    order = np.arange(3)
    line, home = Line.of(compact, merged=False).arrays(), np.zeros(compact.size.size, np.int64)
    start, where = np.empty(3, np.int64), home.copy()
    celled_schedule(order, order, np.zeros(3, np.bool_), home, 64, line, cells_of(compact, 1, 0.0), start, where)
    assert start.tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(60))
def test_one_cell_is_one_line(seed: int) -> None:
    rng, compact = random_compact(3000 + seed)
    order, peak = low_order(compact)
    limit = peak + rng.choice((0, 0, 3, 10))
    line, home = Line.of(compact, merged=False).arrays(), np.zeros(compact.size.size, np.int64)
    start, where, other = np.empty(order.size, np.int64), home.copy(), np.empty(order.size, np.int64)
    for _ in range(4):
        rank = np.array(rng.sample(range(order.size), order.size), dtype=np.int64)
        strict = np.array([rng.random() < 0.3 for _ in order], dtype=np.bool_)
        found = celled_schedule(rank, order, strict, home, limit, line, cells_of(compact, 1, 0.0), start, where)
        assert found == gated_schedule(rank, order, strict, limit, limit, line, no_cells(), other, where)
        assert start.tolist() == other.tolist()


@pytest.mark.parametrize("seed", range(40))
def test_where_there_is_room_for_everything_partitions_keep_nobody_waiting(seed: int) -> None:
    rng, compact = random_divided(5000 + seed, isolation=Isolation.SHARED)
    roomy = replace(compact.problem, workspace=replace(compact.problem.workspace, size=Bytes(4 * 10**7)), pools=())
    compact = Compact.of(roomy)
    order, replay = replayed(compact)
    line = Line.of(compact, merged=False).arrays()
    start, where, other = (np.empty(k, np.int64) for k in (order.size, compact.size.size, order.size))
    rank = np.array(rng.sample(range(order.size), order.size), dtype=np.int64)
    lax = np.zeros(order.size, np.bool_)
    makespan, _ = celled_schedule(
        rank, order, lax, replay.partition, 10**9, line, cells_of(compact, 4, 0.0), start, where
    )
    assert makespan == gated_schedule(rank, order, lax, 10**9, 10**9, line, no_cells(), other, where)[0]
    assert start.tolist() == other.tolist()


def spoiled(change: Callable[[Compact, Ints, Ints], tuple[Ints, Ints]]) -> int:
    """The makespan for a changed order or changed homes."""
    _, compact = random_divided(3)
    order, replay = replayed(compact)
    order, home = change(compact, order, replay.partition.copy())
    start, where, lax = np.empty(order.size, np.int64), home.copy(), np.zeros(order.size, np.bool_)
    line = Line.of(compact, merged=False).arrays()
    makespan, _ = celled_schedule(order, order, lax, home, 10**9, line, cells_of(compact, 4, 0.0), start, where)
    return int(makespan)


@pytest.mark.parametrize(
    "change",
    [
        lambda c, order, home: (order, np.full_like(home, 4)),
        lambda c, order, home: (order, np.full_like(home, -1)),
    ],
    ids=["homes beyond the last partition", "no homes"],
)
def test_what_cannot_be_replayed_gives_no_schedule(change: Callable[[Compact, Ints, Ints], tuple[Ints, Ints]]) -> None:
    assert spoiled(lambda _, order, home: (order, home)) < NO_SCHEDULE
    assert spoiled(change) == NO_SCHEDULE
