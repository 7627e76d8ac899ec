"""A problem as index arrays: the form in which every search of the planner reads it.

Tasks are numbered in canonical order. Buffers that share bytes in place are merged into *blocks*: a block is allocated
once, by the writer of its first buffer, and freed after the last user of its last buffer. Only permissions that hold in
every order are used here (all other readers of the input are ancestors of the task, same pool, output not larger than
the input), so that a block is a block whatever the schedule.

Arrays of pairs are in compressed sparse row form: the members of row ``i`` are ``index[start[i]:start[i + 1]]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints, Rows
from ..problem import InputPolicy, Problem


@dataclass(frozen=True, slots=True)
class Alike:
    """Blocks with the same lifetime in every schedule. ``writer`` is None for loaded inputs; ``size`` is their sum."""

    writer: int | None
    users: tuple[int, ...]
    kept: bool
    preload: bool
    size: int


@dataclass(frozen=True, slots=True)
class Compact:
    """Index form of a problem. Sizes in bytes (aligned), durations in ticks.

    ``blocks[i]``: ids of the buffers of block ``i`` in order of birth. ``births``: per task, blocks it allocates when
    it starts, larger first. ``touches``: per task, blocks it uses (reads, writes or holds as scratch). ``over``: per
    task, blocks it writes into in place. ``lazy`` blocks are allocated by whichever reader starts first;
    ``preload`` blocks live from the start. ``kept`` blocks are never freed.
    """

    problem: Problem
    tasks: tuple[str, ...]
    blocks: tuple[tuple[str, ...], ...]
    pools: tuple[str, ...]
    duration: Ints
    predecessors: Rows
    successors: Rows
    demand: Ints
    capacity: Ints
    births: Rows
    touches: Rows
    over: Rows
    size: Ints
    pool: Ints
    pool_limit: Ints
    users: Ints
    kept: NDArray[np.bool_]
    lazy: NDArray[np.bool_]
    preload: NDArray[np.bool_]

    @property
    def task_count(self) -> int:
        return len(self.tasks)

    @staticmethod
    def of(problem: Problem) -> Compact:
        """Index ``problem``; O(size of the problem), plus ancestor sets when it has in-place permissions."""
        graph = problem.graph
        tasks = tuple(t.id for t in problem.tasks)
        number = {t: i for i, t in enumerate(tasks)}
        blocks = _blocks(problem)
        pools = tuple(p.id for p in graph.pools)
        resources = [name for name, _ in problem.resources]
        births: list[list[int]] = [[] for _ in tasks]
        touches: list[list[int]] = [[] for _ in tasks]
        over: list[list[int]] = [[] for _ in tasks]
        size = [max(graph.aligned_size[b] for b in members) for members in blocks]
        lazy, preload = [], []
        for i, members in enumerate(blocks):
            writer = graph.writer.get(members[0])
            if writer is not None:
                births[number[writer]].append(i)
            lazy.append(writer is None and problem.policy.inputs is InputPolicy.LAZY)
            preload.append(writer is None and problem.policy.inputs is InputPolicy.PRELOAD)
            users = {graph.writer[b] for b in members if b in graph.writer}
            for b in members:
                users.update(graph.readers[b])
            for t in users:
                touches[number[t]].append(i)
            for b in members[1:]:
                over[number[graph.writer[b]]].append(i)
        for row in births:
            row.sort(key=lambda i: (-size[i], i))
        counts = np.zeros(len(blocks), dtype=np.int64)
        for row in touches:
            counts[row] += 1
        limits = {p.id: p.size for p in graph.pools}
        capacity = problem.workspace.capacity
        return Compact(
            problem=problem,
            tasks=tasks,
            blocks=blocks,
            pools=pools,
            duration=np.array([t.duration for t in problem.tasks], dtype=np.int64),
            predecessors=Rows.of([[number[p] for p in graph.predecessors[t]] for t in tasks]),
            successors=Rows.of([[number[s] for s in graph.successors[t]] for t in tasks]),
            demand=np.array([[t.demand(r) for r in resources] for t in problem.tasks], dtype=np.int64).reshape(
                len(tasks), len(resources)
            ),
            capacity=np.array([c for _, c in problem.resources], dtype=np.int64),
            births=Rows.of(births),
            touches=Rows.of(touches),
            over=Rows.of(over),
            size=np.array(size, dtype=np.int64),
            pool=np.array([pools.index(graph.pool_of[m[0]]) for m in blocks], dtype=np.int64),
            pool_limit=np.array([_limit(limits[p], capacity) for p in pools], dtype=np.int64),
            users=counts,
            kept=np.array([m[-1] in graph.kept for m in blocks], dtype=np.bool_),
            lazy=np.array(lazy, dtype=np.bool_),
            preload=np.array(preload, dtype=np.bool_),
        )

    def alone(self) -> list[Alike]:
        """One group per block, in order of the blocks."""
        users: list[list[int]] = [[] for _ in self.blocks]
        writer: dict[int, int] = {}
        for t in range(self.task_count):
            for b in self.touches[t]:
                users[int(b)].append(t)
            for b in self.births[t]:
                writer[int(b)] = t
        return [
            Alike(writer.get(b), tuple(users[b]), bool(self.kept[b]), bool(self.preload[b]), int(self.size[b]))
            for b in range(len(self.blocks))
        ]

    def alike(self) -> list[Alike]:
        """Blocks that live and die together, as one each: same writer, users and flags, sizes added up."""
        together: dict[tuple[int | None, tuple[int, ...], bool, bool], int] = {}
        for a in self.alone():
            key = (a.writer, a.users, a.kept, a.preload)
            together[key] = together.get(key, 0) + a.size
        return [Alike(*key, size) for key, size in together.items()]


def _limit(size: int | None, capacity: int) -> int:
    return capacity if size is None else min(size, capacity)


def ancestor_sets(problem: Problem) -> dict[str, int]:
    """Task id -> its ancestors as a bit mask over ``problem.tasks``."""
    graph = problem.graph
    bit = {t.id: 1 << i for i, t in enumerate(problem.tasks)}
    ancestors: dict[str, int] = {}
    for t in graph.topological_order:
        mask = 0
        for p in graph.predecessors[t]:
            mask |= ancestors[p] | bit[p]
        ancestors[t] = mask
    return ancestors


def _blocks(problem: Problem) -> tuple[tuple[str, ...], ...]:
    """Resident buffers grouped by the in-place permissions that hold in every order, sorted by their first buffer."""
    graph = problem.graph
    successor: dict[str, str] = {}
    if any(t.in_place for t in problem.tasks):
        ancestors = ancestor_sets(problem)
        bit = {t.id: 1 << i for i, t in enumerate(problem.tasks)}
        for t in problem.tasks:
            successor |= {
                source: output
                for output, source in t.in_place
                if _always_in_place(problem, t.id, output, source, ancestors[t.id], bit)
            }
    heads = sorted(set(graph.resident) - set(successor.values()))
    blocks = []
    for head in heads:
        members = [head]
        while members[-1] in successor:
            members.append(successor[members[-1]])
        blocks.append(tuple(members))
    return tuple(blocks)


def _always_in_place(
    problem: Problem, task: str, output: str, source: str, ancestors: int, bit: dict[str, int]
) -> bool:
    graph = problem.graph
    return (
        graph.is_resident(output)
        and graph.is_resident(source)
        and source not in graph.kept
        and graph.pool_of[output] == graph.pool_of[source]
        and graph.aligned_size[output] <= graph.aligned_size[source]
        and all(r == task or ancestors & bit[r] for r in graph.readers[source])
    )
