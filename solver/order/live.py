"""The order problem as index arrays: which bytes are alive when the tasks run one after another.

Tasks are numbered in canonical order. Buffers with the same pool, writer, users and flags live and die together and
form one *group*. A group is born when its writer starts (lazy inputs: when the first reader starts; preloaded ones
live from the start) and dies after its last user ended, or never when it is kept. A *taking* is a permission in place:
while task ``t`` runs and is the only user left of the input, the pair occupies ``saving`` bytes less.

For a set ``S`` of executed tasks closed under predecessors, the bytes alive are a function ``live(S)`` of the set
alone; while ``t`` runs after ``S``, ``live(S) + need(t, S)`` bytes are alive, where ``need`` adds up births and first
loads and subtracts savings. ``live`` is submodular and ``need`` never grows with ``S``: the searches rest on it.

Arrays of pairs are in compressed sparse row form (:class:`~catalytic.solver.order.compact.Rows`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints, Rows
from ..problem import InputPolicy, Problem


@dataclass(frozen=True, slots=True)
class Live:
    """Index form of the order problem. Sizes in bytes (aligned).

    ``groups[g]``: ids of the buffers of group ``g``. ``births``: per task, groups it writes. ``uses``: per task, groups
    it touches (reads, writes or holds as scratch). ``users``: the inverse. ``takings``: per task, groups whose bytes an
    output may take over; ``saving[i]`` belongs to ``takings.index[i]``. ``writer[g]`` is -1 for a loaded input.
    """

    problem: Problem
    tasks: tuple[str, ...]
    pools: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    predecessors: Rows
    successors: Rows
    births: Rows
    uses: Rows
    users: Rows
    takings: Rows
    saving: Ints
    writer: Ints
    size: Ints
    pool: Ints
    kept: NDArray[np.bool_]
    lazy: NDArray[np.bool_]
    preload: NDArray[np.bool_]

    @property
    def task_count(self) -> int:
        return len(self.tasks)

    @staticmethod
    def of(problem: Problem) -> Live:
        """Index ``problem``; linear in its size."""
        graph = problem.graph
        tasks = tuple(t.id for t in problem.tasks)
        number = {t: i for i, t in enumerate(tasks)}
        pools = tuple(p.id for p in graph.pools)
        pairs = _takings(problem)
        users = {
            b: tuple(sorted({number[t] for t in (*graph.readers[b], *_writers(graph.writer, b))}))
            for b in graph.resident
        }
        sources = {source for row in pairs.values() for source, _ in row}
        together: dict[tuple[object, ...], list[str]] = {}
        for b in graph.resident:
            alone = b if b in sources else None  # whether its bytes are taken over is its own affair
            key = (graph.writer.get(b), users[b], b in graph.kept, graph.pool_of[b], alone)
            together.setdefault(key, []).append(b)
        groups = tuple(tuple(members) for members in together.values())
        group_of = {b: g for g, members in enumerate(groups) for b in members}
        writer = [number[graph.writer[m[0]]] if m[0] in graph.writer else -1 for m in groups]
        takings = [[group_of[source] for source, _ in pairs.get(t, ())] for t in tasks]
        saving = [saved for t in tasks for _, saved in pairs.get(t, ())]
        loaded = np.array([w < 0 for w in writer], dtype=np.bool_)
        policy = problem.policy.inputs
        return Live(
            problem=problem,
            tasks=tasks,
            pools=pools,
            groups=groups,
            predecessors=Rows.of([[number[p] for p in graph.predecessors[t]] for t in tasks]),
            successors=Rows.of([[number[s] for s in graph.successors[t]] for t in tasks]),
            births=_inverse([[w] if w >= 0 else [] for w in writer], len(tasks)),
            uses=_inverse([users[m[0]] for m in groups], len(tasks)),
            users=Rows.of([users[m[0]] for m in groups]),
            takings=Rows.of(takings),
            saving=np.array(saving, dtype=np.int64),
            writer=np.array(writer, dtype=np.int64),
            size=np.array([sum(graph.aligned_size[b] for b in m) for m in groups], dtype=np.int64),
            pool=np.array([pools.index(graph.pool_of[m[0]]) for m in groups], dtype=np.int64),
            kept=np.array([m[0] in graph.kept for m in groups], dtype=np.bool_),
            lazy=loaded & (policy is InputPolicy.LAZY),
            preload=loaded & (policy is InputPolicy.PRELOAD),
        )

    def arrays(self) -> tuple[Any, ...]:
        """What the compiled loops over orders take, in their order of parameters."""
        return (
            self.births.start,
            self.births.index,
            self.uses.start,
            self.uses.index,
            self.takings.start,
            self.takings.index,
            self.saving,
            self.size,
            self.pool,
            self.users.start,
            self.kept,
            self.lazy,
            self.preload,
            len(self.pools),
        )


def _takings(problem: Problem) -> dict[str, list[tuple[str, int]]]:
    """Task id -> (input whose bytes may be taken over, bytes saved while the task runs)."""
    graph = problem.graph
    pairs: dict[str, list[tuple[str, int]]] = {}
    for t in problem.tasks:
        for output, source in t.in_place:
            both = graph.is_resident(output) and graph.is_resident(source)
            if both and source not in graph.kept and graph.pool_of[output] == graph.pool_of[source]:
                saved = min(graph.aligned_size[output], graph.aligned_size[source])
                pairs.setdefault(t.id, []).append((source, saved))
    return pairs


def _writers(writer: Mapping[str, str], buffer: str) -> tuple[str, ...]:
    return (writer[buffer],) if buffer in writer else ()


def _inverse(rows: Iterable[Iterable[int]], count: int) -> Rows:
    """Row ``j`` of the result: the rows that contain ``j``."""
    inverse: list[list[int]] = [[] for _ in range(count)]
    for i, row in enumerate(rows):
        for j in row:
            inverse[j].append(i)
    return Rows.of(inverse)
