"""A scheduling problem as the compiled loops read it, and its mirror image.

A *group* is bytes that are alive from the start of the first of its users until the end of the last one: blocks with
the same writer and users are one group where that makes no difference. The writer precedes all other users, so "the
first user" is the writer; an input that is loaded lazily has readers only, and the first of them loads it. A preloaded
group is alive from the start of the plan, a kept one to its end.

That definition does not change when time runs backwards; only preloaded and kept groups change places. So a schedule
of the mirrored problem, read from its end, is a schedule of the problem, with the same peak of live bytes: this is what
justification passes use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints, Rows
from ..order import Compact


@dataclass(frozen=True, slots=True)
class Line:
    """Tasks, and groups of bytes on one address line. Durations in ticks, sizes in bytes.

    ``touches``: groups of each task. ``users``: tasks of each group. ``demand[t, r]`` of resource ``r`` while task
    ``t`` runs, against ``capacity[r]``; resources that can never run short are left out.
    """

    duration: Ints
    predecessors: Rows
    successors: Rows
    demand: Ints
    capacity: Ints
    touches: Rows
    users: Rows
    size: Ints
    kept: NDArray[np.bool_]
    preload: NDArray[np.bool_]

    @staticmethod
    def of(compact: Compact, *, merged: bool = True, unit: int = 1) -> Line:
        """The line of ``compact``; not ``merged``: group ``i`` is block ``i``, as partitions and pools need it.

        ``unit``: ticks in a unit of time, which must divide all durations.
        """
        if merged:
            alike = compact.alike()
            users = Rows.of([a.users for a in alike])
            touches = _inverse(users, compact.task_count)
            size = np.array([a.size for a in alike], dtype=np.int64)
            kept = np.array([a.kept for a in alike], dtype=np.bool_)
            preload = np.array([a.preload for a in alike], dtype=np.bool_)
        else:
            touches, size, kept, preload = compact.touches, compact.size, compact.kept, compact.preload
            users = _inverse(touches, size.size)
        scarce = scarce_resources(compact)
        return Line(
            duration=compact.duration // unit,
            predecessors=compact.predecessors,
            successors=compact.successors,
            demand=np.ascontiguousarray(compact.demand[:, scarce]),
            capacity=compact.capacity[scarce],
            touches=touches,
            users=users,
            size=size,
            kept=kept,
            preload=preload,
        )

    def mirrored(self) -> Line:
        """The same problem with time running backwards."""
        return replace(
            self, predecessors=self.successors, successors=self.predecessors, kept=self.preload, preload=self.kept
        )

    def arrays(self) -> tuple[Any, ...]:
        """What compiled loops take. ``low``: per resource the least demand of any task; below it nothing can start."""
        count = np.diff(self.predecessors.start)
        low = self.demand.min(axis=0) if self.duration.size else np.zeros(self.capacity.size, np.int64)
        return (
            self.duration,
            np.ascontiguousarray(count),
            self.successors.start,
            self.successors.index,
            self.demand,
            self.capacity,
            low,
            self.touches.start,
            self.touches.index,
            self.users.start,
            self.users.index,
            self.size,
            self.kept,
            self.preload,
        )


def scarce_resources(compact: Compact) -> list[int]:
    """Resources that tasks may have to wait for: the largest demands that workers allow at once exceed the capacity."""
    count = compact.task_count
    at_once = dict.fromkeys(range(compact.capacity.size), count)
    for w, (name, capacity) in enumerate(compact.problem.resources):
        if name == "workers" and count and compact.demand[:, w].min() > 0:
            at_once |= {r: min(count, capacity // int(compact.demand[:, w].min())) for r in at_once if r != w}
    largest = np.sort(compact.demand, axis=0)[::-1]
    return [r for r, most in at_once.items() if int(largest[:most, r].sum()) > int(compact.capacity[r])]


def _inverse(rows: Rows, count: int) -> Rows:
    """Row ``j`` of the result: the rows that contain ``j``, ascending."""
    owner = np.repeat(np.arange(rows.start.size - 1), np.diff(rows.start))
    order = np.argsort(rows.index, kind="stable")
    start = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows.index, minlength=count), out=start[1:])
    return Rows(start, owner[order].astype(np.int64))
