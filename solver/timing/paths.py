"""Longest paths through the waits of a plan: how early and how late things can be, and what each task's speed is worth.

Every wait leads forward in the plan's own order (by start, then id), so that order serves all sweeps. A path alternates
between running a task and waiting for it::

    0 --> start(a) --duration--> end(a) --> start(b) ...      (load: start(a) --lag--> start(b))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from ..plan import Plan
from .waits import Wait, WaitKind, by_target


@dataclass(frozen=True, slots=True)
class Paths:
    """``head[t]``: the longest path to the start of ``t``. ``tail[t]``: from there to the end. ``length``: the longest.

    Starts equal to the heads respect every wait, and nothing that does ends sooner than ``length``.
    """

    order: tuple[str, ...]
    head: dict[str, int]
    tail: dict[str, int]
    length: int

    def through(self, task: str) -> int:
        """The longest path that passes the start of ``task``."""
        return self.head[task] + self.tail[task]


def longest_paths(plan: Plan, waits: Iterable[Wait]) -> Paths:
    """Heads, tails and the length of the longest path; linear, after sorting."""
    order = tuple(t.id for t in sorted(plan.tasks, key=lambda t: (t.start, t.id)))
    duration = {t.id: int(t.end - t.start) for t in plan.tasks}
    incoming = by_target(waits)
    head: dict[str, int] = {}
    for t in order:
        head[t] = max((head[w.source] + w.lag for w in incoming.get(t, ())), default=0)
    tail = dict(duration)
    for t in reversed(order):
        for w in incoming.get(t, ()):
            tail[w.source] = max(tail[w.source], w.lag + tail[t])
    return Paths(order, head, tail, max((head[t] + duration[t] for t in order), default=0))


def latest_starts(plan: Plan, waits: Iterable[Wait]) -> dict[str, int]:
    """How late each task may start, the tasks that wait for it as late as they may, without a longer plan."""
    order = sorted(plan.tasks, key=lambda t: (t.start, t.id), reverse=True)
    makespan = int(plan.measures.makespan)
    latest = {t.id: makespan - int(t.end - t.start) for t in order}
    incoming = by_target(waits)
    for t in order:
        for w in incoming.get(t.id, ()):
            latest[w.source] = min(latest[w.source], latest[t.id] - w.lag)
    return latest


def speedups(plan: Plan, waits: Iterable[Wait], paths: Paths) -> dict[str, int]:
    """Per task, by how many ticks the longest path shrinks at most, however fast the task becomes; 0 off that path.

    A task that is faster by ``x`` shrinks it by exactly ``min(x, that)``, for ``x`` below its duration: what does not
    shrink is the longest path that does not run the task. Every such path passes the moment "the task has started and
    not ended" in the order by some other wait, so one sweep over the order with a heap of the waits that lead across
    finds all of these paths in O(m log m).
    """
    waits = tuple(waits)
    place = {t: k for k, t in enumerate(paths.order)}
    duration = {t.id: int(t.end - t.start) for t in plan.tasks}
    from_end: dict[str, list[Wait]] = {}
    from_start: dict[str, list[Wait]] = {}
    for w in waits:
        (from_start if w.kind is WaitKind.LOAD else from_end).setdefault(w.source, []).append(w)
    begins_later = [0] * (len(paths.order) + 1)
    for k in range(len(paths.order) - 1, -1, -1):
        begins_later[k] = max(begins_later[k + 1], paths.tail[paths.order[k]])
    ends_earlier = 0
    across: list[tuple[int, int]] = []
    result = {}

    def lead(outgoing: list[Wait]) -> None:
        for w in outgoing:
            heappush(across, (-(paths.head[w.source] + w.lag + paths.tail[w.target]), place[w.target]))

    for k, t in enumerate(paths.order):
        lead(from_start.get(t, []))
        while across and across[0][1] <= k:
            heappop(across)
        avoiding = max(ends_earlier, begins_later[k + 1], -across[0][0] if across else 0)
        result[t] = max(0, min(paths.length - avoiding, duration[t] - 1))
        lead(from_end.get(t, []))
        ends_earlier = max(ends_earlier, paths.head[t] + duration[t])
    return result
