"""Iterated local search over the priorities of the list scheduler.

A schedule is worth (bytes reserved above the ceiling, makespan): first fit, then fast. Starts are mixes of longest tail
and reference order over several numbers of used partitions; a step changes the priorities of a few tasks; the start
order of a better schedule becomes the next reference order, because by the sequential-equivalence theorem it peaks no
higher than the schedule did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints
from ..order import Compact
from .list_schedule import Schedule, Scheduler, reference_position

MIXES = (1.0, 0.7, 0.4, 0.2, 0.1, 0.0)
"""Shares of the longest tail in a start priority; the rest is the position in the reference order."""


HEADROOMS = (0.0, 0.03, 0.08, 0.2)
"""Shares of a partition left free for fragmentation, tried in this order."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schedule and what made it."""

    schedule: Schedule
    priority: NDArray[np.float64]
    reference: Ints
    used_partitions: int
    headroom: float = 0.0

    def worth(self, ceiling: int) -> tuple[int, int, int]:
        """Less is better: excess over ``ceiling`` (bytes), makespan (ticks), reserved bytes."""
        if not self.schedule.complete:
            return (2**62, 2**62, 0)
        return (max(0, self.schedule.reserved - ceiling), self.schedule.makespan, self.schedule.reserved)


class PrioritySearch:
    """Local search whose state survives between calls, so that a pipeline can interleave it with placement."""

    def __init__(self, compact: Compact, reference: Ints, seed: int) -> None:
        self._compact = compact
        self._scheduler = Scheduler(compact)
        self._reference = reference
        self._tail = tails(compact).astype(np.float64)
        self._random = np.random.default_rng(seed)

    def _evaluate(
        self, priority: NDArray[np.float64], reference: Ints, used: int, ceiling: int, headroom: float = 0.0
    ) -> Candidate:
        schedule = self._scheduler.run(priority, reference, ceiling, used_partitions=used, headroom=headroom)
        return Candidate(schedule, priority, reference, used, headroom)

    def _counts(self) -> list[int]:
        """Numbers of used partitions worth trying, all of them first."""
        partitions = self._compact.problem.workspace.partitions
        return sorted({partitions, *(max(1, partitions * k // 8) for k in (1, 2, 3, 4, 6))}, reverse=True)

    def sequential(self, ceiling: int) -> Iterator[Candidate]:
        """One task at a time in the reference order, in few partitions first: least waste, longest makespan."""
        position = -reference_position(self._reference) / max(1, self._compact.task_count)
        for headroom in HEADROOMS:
            for used in reversed(self._counts()):
                schedule = self._scheduler.run(
                    position, self._reference, ceiling, used_partitions=used, sequential=True, headroom=headroom
                )
                if schedule.complete:
                    yield Candidate(schedule, position, self._reference, used, headroom)

    def starts(self, ceiling: int) -> Iterator[Candidate]:
        """The sequential schedules, then static mixes over numbers of used partitions."""
        yield from self.sequential(ceiling)
        position = -reference_position(self._reference) / max(1, self._compact.task_count)
        tail = self._tail / max(1.0, self._tail.max(initial=0.0))
        for used in self._counts():
            for mix in MIXES:
                yield self._evaluate(mix * tail + (1 - mix) * position, self._reference, used, ceiling)

    def again(self, candidate: Candidate, ceiling: int, headroom: float) -> Candidate:
        """The same priorities under another ceiling, with another share of the partitions left free."""
        return self._evaluate(candidate.priority, candidate.reference, candidate.used_partitions, ceiling, headroom)

    def improve(self, incumbent: Candidate, ceiling: int, go_on: Callable[[], bool], lower: int) -> Iterator[Candidate]:
        """Yield every strictly better candidate found from ``incumbent`` while ``go_on()``; ends at ``lower``."""
        current = best = incumbent
        count = self._compact.task_count
        partitions = self._compact.problem.workspace.partitions
        misses = 0
        while go_on() and best.worth(ceiling)[:2] > (0, lower):
            priority, reference, used = current.priority.copy(), current.reference, current.used_partitions
            kind = self._random.random()
            if kind < 0.15:
                reference = best.schedule.order()
            elif kind < 0.2 and partitions > 1:
                used = int(self._random.integers(1, partitions + 1))
            elif kind < 0.4:
                mix = self._random.random()
                spread = priority.std() or 1.0
                tail = self._tail / max(1.0, self._tail.max(initial=0.0))
                start = -best.schedule.start / max(1, best.schedule.makespan)
                priority = (mix * tail + (1 - mix) * start) * 1.0 + 0.02 * spread * self._random.random(count)
            else:
                moved = self._random.integers(0, count, size=1 + int(self._random.integers(0, max(2, count // 50))))
                priority[moved] = priority[self._random.integers(0, count, size=moved.size)] + (
                    1e-6 + 0.1 * priority.std()
                ) * self._random.standard_normal(moved.size)
            candidate = self._evaluate(priority, reference, used, ceiling, current.headroom)
            if not candidate.schedule.complete:
                continue
            misses += 1
            if candidate.worth(ceiling)[:2] <= current.worth(ceiling)[:2]:
                current = candidate
            if candidate.worth(ceiling)[:2] < best.worth(ceiling)[:2]:
                best = candidate
                misses = 0
                yield best
            elif misses > 300:  # drift: take a neighbour of the best that is a little worse
                current, misses = best, 0
        return

    def decode(self, start: Ints, ceiling: int) -> Iterator[Candidate]:
        """Candidates whose priority and reference are the order of given starts (for instance of a relaxed model)."""
        order = np.lexsort((np.arange(start.size), start)).astype(np.int64)
        priority = -reference_position(order) / max(1, start.size)
        partitions = self._compact.problem.workspace.partitions
        for reference in (order, self._reference):
            for used in range(partitions, 0, -1):
                yield self._evaluate(priority, reference, used, ceiling)


def tails(compact: Compact) -> Ints:
    """Per task, the longest chain of durations from its start to the end of the plan (ticks)."""
    tail = np.zeros(compact.task_count, dtype=np.int64)
    number = {t: i for i, t in enumerate(compact.tasks)}
    for name in reversed(compact.problem.graph.topological_order):
        t = number[name]
        after = compact.successors[t]
        tail[t] = compact.duration[t] + (tail[after].max() if after.size else 0)
    return tail
