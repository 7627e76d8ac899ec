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

SOURCES_AT_A_TIME = 128
"""Longest paths from so many writers are found together, as the columns of one table."""

MOST_ROWS = 200_000
"""Of such tables, in all: about a second. Problems with more have no memory-time energy."""

UNREACHED = -(2**62)


class MakespanBounds:
    """What no schedule of a problem can beat, for one ceiling after another."""

    def __init__(self, compact: Compact) -> None:
        self._timeless = (*_critical_path(compact), *_resource_energy(compact))
        self._area = _memory_time_area(compact)

    def under(self, ceiling: int | None) -> tuple[Bound, ...]:
        """Critical path, energy of each resource, and memory-time energy under ``ceiling`` bytes; the largest first."""
        bounds = list(self._timeless)
        if ceiling is not None and ceiling > 0 and self._area:
            least, witness = -(-self._area // ceiling), {"ceiling": ceiling}
            bounds.append(Bound("makespan", least, "memory_time_energy", Evidence.CERTIFICATE, witness))
        return tuple(sorted(bounds, key=lambda b: (-b.value, b.method)))


def makespan_bounds(compact: Compact, ceiling: int | None) -> tuple[Bound, ...]:
    """The bounds under one ceiling."""
    return MakespanBounds(compact).under(ceiling)


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


def _memory_time_area(compact: Compact) -> int:
    """``sum of size x shortest possible lifetime`` in byte-ticks: a rectangle as high as the ceiling must hold it.

    0 where it proves nothing (buffers that share bytes in place would count twice) or would take too long to find.
    """
    problem = compact.problem
    graph = problem.graph
    if any(t.in_place for t in problem.tasks):
        return 0
    number = {t: i for i, t in enumerate(compact.tasks)}
    total = 0
    written: list[tuple[int, int, list[int]]] = []  # writer, bytes, readers
    for b in graph.resident:
        writer = graph.writer.get(b)
        if writer is not None:
            written.append((number[writer], graph.aligned_size[b], [number[r] for r in graph.readers[b]]))
            continue
        lives = max(int(graph.task[r].duration) for r in graph.readers[b])
        total += graph.aligned_size[b] * (max(lives, 1) if problem.policy.inputs is InputPolicy.PRELOAD else lives)
    order = np.array([number[t] for t in graph.topological_order], np.int64)
    shortest = _shortest_lifetimes(compact, order, written)
    return 0 if shortest is None else total + shortest


def _shortest_lifetimes(compact: Compact, order: Ints, written: list[tuple[int, int, list[int]]]) -> int | None:
    """``sum of size x longest path from the start of the writer to the end of a reader``; None: too much work."""
    place = np.empty(order.size, np.int64)
    place[order] = np.arange(order.size)
    written = sorted(written, key=lambda w: place[w[0]])
    batches = [written[i : i + SOURCES_AT_A_TIME] for i in range(0, len(written), SOURCES_AT_A_TIME)]
    spans = [
        (int(place[batch[0][0]]), max(int(place[[t, *readers]].max()) for t, _, readers in batch)) for batch in batches
    ]
    if sum(last - first + 1 for first, last in spans) > MOST_ROWS:
        return None
    total = 0
    for batch, (first, last) in zip(batches, spans, strict=True):
        sources: dict[int, list[int]] = {}
        for column, (writer, _, _) in enumerate(batch):
            sources.setdefault(writer, []).append(column)
        length = np.full((last - first + 1, len(batch)), UNREACHED)  # from the start of a writer to the end of a task
        for row in range(last - first + 1):
            t = int(order[first + row])
            before = place[compact.predecessors[t]] - first
            before = before[before >= 0]
            if before.size:
                length[row] = length[before].max(axis=0) + compact.duration[t]
            length[row, sources.get(t, [])] = compact.duration[t]
        for column, (writer, size, readers) in enumerate(batch):
            total += size * int(length[place[[writer, *readers]] - first, column].max())
    return total
