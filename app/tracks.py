"""Tracks: who would run beside whom. A plan names no worker, so each task is dealt to the first free line by start.

That is how a run would look if every duration were exact. A task that holds several workers takes as many lines; one
that holds none takes one all the same, or it could not be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from catalytic.solver.plan import Plan


@dataclass(frozen=True, slots=True)
class Span:
    """What is to be dealt: a half-open interval ``[start, end)`` that takes ``width`` lines at once."""

    id: str
    start: int
    end: int
    width: int = 1


def dealt(spans: Iterable[Span]) -> tuple[list[tuple[int, ...]], int]:
    """The lines of each span, in the order given, and how many lines there are.

    Spans are dealt by (start, end, id), each to the lowest lines that are free at its start; no line holds two spans
    at one moment. Takes O(n log n).
    """
    listed = list(spans)
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    lines: list[tuple[int, ...]] = [()] * len(listed)
    count = 0
    for k in sorted(range(len(listed)), key=lambda k: (listed[k].start, listed[k].end, listed[k].id)):
        span = listed[k]
        while busy and busy[0][0] <= span.start:
            heappush(free, heappop(busy)[1])
        taken = []
        for _ in range(max(1, span.width)):
            if free:
                taken.append(heappop(free))
            else:
                taken.append(count)
                count += 1
        for line in taken:
            heappush(busy, (max(span.end, span.start + 1), line))
        lines[k] = tuple(taken)
    return lines, count


def planned_tracks(plan: Plan) -> tuple[list[tuple[int, ...]], int]:
    """The lines of each task of ``plan``, in the plan's order, and how many lines there are."""
    return dealt(_spans(plan))


def _spans(plan: Plan) -> Sequence[Span]:
    task = plan.problem.graph.task
    return [Span(t.id, t.start, t.end, task[t.id].demand("workers")) for t in plan.tasks]
