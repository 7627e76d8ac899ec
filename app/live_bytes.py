"""How many bytes are alive when, by the plan: a step function of time, and its fullest moments.

Bytes that an output takes over in place from a buffer that still lives count once, so that the highest step is the
plan's ``peak_live``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalytic.solver.plan import Plan, Region


@dataclass(frozen=True, slots=True)
class Step:
    """``bytes`` alive throughout ``[start, end)``, in ticks."""

    start: int
    end: int
    bytes: int


def live_steps(plan: Plan) -> tuple[Step, ...]:
    """The steps of ``plan`` from 0 to its end, each different from the one before it; empty for an empty plan."""
    changes: dict[int, int] = {0: 0}
    for r in plan.regions:
        changes[r.lifetime.birth] = changes.get(r.lifetime.birth, 0) + r.length
        changes[r.lifetime.death] = changes.get(r.lifetime.death, 0) - r.length
    for output, source, count in shared_in_place(plan):
        birth, death = output.lifetime.birth, source.lifetime.death
        changes[birth] = changes.get(birth, 0) - count
        changes[death] = changes.get(death, 0) + count
    end = max(plan.measures.makespan, max(changes))
    moments = [moment for moment in sorted(changes) if changes[moment] or moment == 0]
    steps, live = [], 0
    for moment, until in zip(moments, [*moments[1:], end], strict=True):
        live += changes[moment]
        if moment < until:
            steps.append(Step(moment, until, live))
    return tuple(steps)


def shared_in_place(plan: Plan) -> Iterator[tuple[Region, Region, int]]:
    """(output, the buffer it takes over in place, bytes both own while both live), for permissions the plan uses."""
    for t in plan.problem.tasks:
        for output, source in t.in_place:
            if output not in plan.region_of or source not in plan.region_of:
                continue
            ours, theirs = plan.region_of[output], plan.region_of[source]
            count = _common(ours, theirs)
            if count and ours.lifetime.overlaps(theirs.lifetime):
                yield ours, theirs, count


def _common(a: Region, b: Region) -> int:
    return sum(
        max(0, min(p.end, q.end) - max(p.offset, q.offset))
        for p in a.extents
        for q in b.extents
        if p.partition == q.partition
    )


def fullest(steps: tuple[Step, ...], most: int) -> tuple[Step, ...]:
    """The fullest steps, each fuller than its neighbours, the fullest first, at most ``most`` of them."""
    peaks = [
        step
        for k, step in enumerate(steps)
        if step.bytes > 0
        and (k == 0 or steps[k - 1].bytes < step.bytes)
        and (k == len(steps) - 1 or steps[k + 1].bytes < step.bytes)
    ]
    return tuple(sorted(peaks, key=lambda s: (-s.bytes, s.start))[:most])
