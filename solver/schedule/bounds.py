"""Lower bounds on the makespan of every schedule without recomputation, each with its witness.

All values are ticks, rounded up: makespans are integers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import Ints
from ..order import Compact
from ..plan import Bound, Evidence
from ..problem import InputPolicy

MOST_STEPS_FOR_LIFETIMES = 2_000_000
"""Longest paths from every writer to its last reader, in tasks looked at: about a second."""


def makespan_bounds(compact: Compact, ceiling: int | None) -> tuple[Bound, ...]:
    """Critical path, energy of each resource, and memory-time energy under ``ceiling`` bytes; the largest first."""
    bounds = [*_critical_path(compact), *_resource_energy(compact)]
    if ceiling is not None and ceiling > 0:
        bounds += _memory_time_energy(compact, ceiling)
    return tuple(sorted(bounds, key=lambda b: (-b.value, b.method)))


def _critical_path(compact: Compact) -> Iterator[Bound]:
    """A longest chain of tasks."""
    path, length = compact.problem.graph.critical_path()
    if path:
        yield Bound("makespan", length, "critical_path", Evidence.CERTIFICATE, {"path": list(path)})


def _resource_energy(compact: Compact) -> Iterator[Bound]:
    """``sum of demand x duration / capacity`` for each resource; the largest only."""
    best: tuple[int, str] | None = None
    for r, (name, capacity) in enumerate(compact.problem.resources):
        energy = int(compact.demand[:, r] @ compact.duration)
        value = -(-energy // capacity)
        if best is None or value > best[0]:
            best = (value, name)
    if best is not None and best[0] > 0:
        yield Bound("makespan", best[0], "resource_energy", Evidence.CERTIFICATE, {"resource": best[1]})


def _memory_time_energy(compact: Compact, ceiling: int) -> Iterator[Bound]:
    """``sum of size x shortest possible lifetime / ceiling``: bytes and time fill a rectangle of that height."""
    problem = compact.problem
    graph = problem.graph
    number = {t: i for i, t in enumerate(compact.tasks)}
    total = 0
    targets: dict[str, list[str]] = {}
    for b in graph.resident:
        writer = graph.writer.get(b)
        if writer is None:
            lives = max(int(graph.task[r].duration) for r in graph.readers[b])
            if problem.policy.inputs is InputPolicy.PRELOAD:
                lives = max(lives, 1)
            total += graph.aligned_size[b] * lives
        else:
            targets.setdefault(writer, []).append(b)
    order = [number[t] for t in graph.topological_order]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    if _steps(compact, place) > MOST_STEPS_FOR_LIFETIMES:
        return
    for writer, buffers in targets.items():
        reach = _longest_from(
            compact, number[writer], order, place, {number[r] for b in buffers for r in graph.readers[b]}
        )
        for b in buffers:
            ends = [reach[number[r]] for r in graph.readers[b]]
            total += graph.aligned_size[b] * max([int(graph.task[writer].duration), *ends])
    if total and not any(t.in_place for t in problem.tasks):  # rectangles that share bytes would count twice
        yield Bound("makespan", -(-total // ceiling), "memory_time_energy", Evidence.CERTIFICATE, {"ceiling": ceiling})


def _steps(compact: Compact, place: Ints) -> int:
    """Tasks between each task and its last successor, added up: what the longest paths may have to look at."""
    return sum(
        int(place[compact.successors[t]].max() - place[t])
        for t in range(compact.task_count)
        if compact.successors[t].size
    )


def _longest_from(compact: Compact, source: int, order: list[int], place: Ints, targets: set[int]) -> dict[int, int]:
    """Longest path (durations, both ends included) from ``source`` to every task up to the last of ``targets``."""
    best = {source: int(compact.duration[source])}
    if not targets:
        return best
    last = max(int(place[t]) for t in targets)
    direct = {int(s) for s in compact.successors[source]}
    if targets <= direct and all(
        not any(int(p) in direct for p in compact.predecessors[t]) for t in targets
    ):  # the common case, and linear: readers right behind their writer
        return best | {t: best[source] + int(compact.duration[t]) for t in targets}
    for k in range(int(place[source]), last + 1):
        t = order[k]
        if t in best:
            for s in compact.successors[t]:
                length = best[t] + int(compact.duration[s])
                if length > best.get(int(s), 0):
                    best[int(s)] = length
    return best
