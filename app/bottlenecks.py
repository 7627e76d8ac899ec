"""Where a plan is tight: its longest tasks, its largest buffers, and the moments at which most bytes are alive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalytic.solver.analysis import Stretch
from catalytic.solver.plan import Plan, Region, ScheduledTask

from .live_bytes import peaks

MOST_SHOWN = 10
"""Rows of each list."""
MOST_MOMENTS = 5
MOST_NAMED = 3
"""Buffers and tasks named at a moment; the rest are counted."""


@dataclass(frozen=True, slots=True)
class FullMoment:
    """A moment of many bytes: the largest buffers alive when it begins, and tasks that run then.

    ``buffers`` and ``tasks`` name the first ``MOST_NAMED`` of ``alive`` and ``running`` in all.
    """

    stretch: Stretch
    alive: int
    buffers: tuple[Region, ...]
    running: int
    tasks: tuple[ScheduledTask, ...]


@dataclass(frozen=True, slots=True)
class Bottlenecks:
    """Longest tasks, largest buffers (by size, then by how long they live) and fullest moments, the worst first."""

    tasks: tuple[ScheduledTask, ...]
    buffers: tuple[Region, ...]
    moments: tuple[FullMoment, ...]


def bottlenecks(plan: Plan, stretches: Sequence[Stretch]) -> Bottlenecks:
    """Where ``plan`` is tight; ``stretches`` are its living bytes."""
    return Bottlenecks(
        tasks=tuple(sorted(plan.tasks, key=lambda t: (t.start - t.end, t.start, t.id))[:MOST_SHOWN]),
        buffers=tuple(
            sorted(plan.regions, key=lambda r: (-r.length, r.lifetime.birth - r.lifetime.death, r.id))[:MOST_SHOWN]
        ),
        moments=tuple(_moment(plan, stretch) for stretch in peaks(stretches, MOST_MOMENTS)),
    )


def _moment(plan: Plan, stretch: Stretch) -> FullMoment:
    alive = [r for r in plan.regions if r.lifetime.birth <= stretch.begin < r.lifetime.death]
    running = [t for t in plan.tasks if t.start <= stretch.begin < t.end]
    alive.sort(key=lambda r: (-r.length, r.id))
    return FullMoment(stretch, len(alive), tuple(alive[:MOST_NAMED]), len(running), tuple(running[:MOST_NAMED]))
