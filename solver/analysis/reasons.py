"""Why each task of a plan starts when it does: the critical chain, and what idle workers waited for.

A task is *blocked* at a moment by whatever would have to change for it to run: a wait that is not over, a resource of
which too little is free, a partition that another writes into. Several things may block it at once; what comes first in
``Reason`` is named as the reason, because the ones behind it could not be put right without it: a task without its data
cannot run on any worker, and bytes of its own are no use to a task for which there is no worker.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from ..plan import Plan, ScheduledTask
from ..timing import Dealing, Wait, WaitKind, by_target
from .fullness import Stretch, ceiling_of_plan


class Reason(StrEnum):
    """Why a task starts no earlier.

    The kinds of waits; ``ceiling``: everything it waits for has happened, but its bytes on top of those alive would
    exceed what the plan could use; ``held``: nothing in the plan forces it, the planner chose it; ``start``: it begins
    the plan.
    """

    DATA = "data"
    AFTER = "after"
    LOAD = "load"
    RESOURCE = "resource"
    EXCLUSIVE = "exclusive"
    REUSE = "reuse"
    CEILING = "ceiling"
    HELD = "held"
    START = "start"


RANK = {WaitKind(reason.value): k for k, reason in enumerate(Reason) if reason.value in set(WaitKind)}


@dataclass(frozen=True, slots=True)
class Link:
    """One task of the critical chain, and why it starts no earlier.

    ``after``: the task before it in the chain (None for the first), the last it waits for; ``via``: buffer, partition
    or resource. ``also``: other reasons that end at the same moment. ``gap``: ticks between the end of the last wait
    and the start, which no wait explains.
    """

    task: str
    start: int
    end: int
    reason: Reason
    after: str | None
    via: str | None
    also: tuple[Reason, ...]
    gap: int


class Cause(StrEnum):
    """What an idle worker waited for.

    ``data``: tasks that come before (data, ``after``, another reader's load). ``resource``: units of a resource.
    ``partition``: another writer. ``memory``: bytes of others, at their place or under the ceiling. ``held``: nothing
    that the plan names. ``nothing left``: every task has started.
    """

    DATA = "data"
    RESOURCE = "resource"
    PARTITION = "partition"
    MEMORY = "memory"
    HELD = "held"
    NOTHING = "nothing left"


CAUSE_OF = {
    Reason.DATA: Cause.DATA,
    Reason.AFTER: Cause.DATA,
    Reason.LOAD: Cause.DATA,
    Reason.RESOURCE: Cause.RESOURCE,
    Reason.EXCLUSIVE: Cause.PARTITION,
    Reason.REUSE: Cause.MEMORY,
    Reason.CEILING: Cause.MEMORY,
    Reason.HELD: Cause.HELD,
}


@dataclass(frozen=True, slots=True)
class IdleTime:
    """One worker: ticks in which it runs ``tasks`` tasks, and ticks of waiting by cause; together the makespan."""

    worker: int
    tasks: int
    busy: int
    waited: Mapping[Cause, int]


class Reasons:
    """Why the tasks of one plan start when they do. ``waits``: all of the plan, fixed ones and orders."""

    def __init__(self, plan: Plan, waits: Iterable[Wait], stretches: Sequence[Stretch]) -> None:
        self.plan = plan
        self.waits = by_target(waits)
        self.ceiling = ceiling_of_plan(plan)
        self.tasks = sorted(plan.tasks, key=lambda t: (t.start, t.id))
        self.ends = sorted({int(t.end) for t in plan.tasks})
        self.capacity = dict(plan.problem.resources)
        self.demand = {
            t.id: {name: t.demand(name) for name in self.capacity if t.demand(name)} for t in plan.problem.tasks
        }
        self.used = {name: _Steps.of_use(plan, name) for name in self.capacity}
        self.live = _Steps([s.begin for s in stretches], [s.live for s in stretches])
        self.born: dict[int, int] = {}
        for r in plan.regions:
            fresh = r.length - sum(
                t.bytes
                for t in plan.takes_over.get(r.id, ())
                if plan.region[t.region].lifetime.death > r.lifetime.birth
            )
            self.born[r.lifetime.birth] = self.born.get(r.lifetime.birth, 0) + fresh

    def happened(self, wait: Wait) -> int:
        """The moment from which ``wait`` no longer holds its target back."""
        return int(self.plan.task[wait.source].start) + wait.lag

    def blocking(self, task: str, moment: int) -> list[Wait]:
        """The waits of ``task`` that are not over at ``moment``, before its start, the first reason first.

        A turn at a resource counts only where too little of it is free: whose units a task takes over is otherwise a
        matter of taste.
        """
        return sorted(
            (w for w in self.waits.get(task, ()) if self.happened(w) > moment and self._counts(w, moment)),
            key=lambda w: (RANK[w.kind], w.via or "", w.source),
        )

    def _counts(self, wait: Wait, moment: int) -> bool:
        if wait.kind is not WaitKind.RESOURCE or wait.via is None:
            return True
        return self.used[wait.via].at(moment) + self.demand[wait.target].get(wait.via, 0) > self.capacity[wait.via]

    def critical_chain(self) -> tuple[Link, ...]:
        """From the first task of the chain to the one that ends last: each starts when the one before it allows."""
        if not self.plan.tasks:
            return ()
        links: list[Link] = []
        task: ScheduledTask | None = max(self.plan.tasks, key=lambda t: (t.end, t.id))
        while task is not None:
            links.append(self._link(task))
            before = links[-1].after
            task = None if before is None else self.plan.task[before]
        return tuple(reversed(links))

    def _link(self, task: ScheduledTask) -> Link:
        start, end = int(task.start), int(task.end)
        if start == 0:
            return Link(task.id, start, end, Reason.START, None, None, (), 0)
        tight = self.blocking(task.id, start - 1)
        if tight:
            first, kinds = tight[0], dict.fromkeys(Reason(w.kind.value) for w in tight)
            reason, *also = kinds
            return Link(task.id, start, end, reason, first.source, first.via, tuple(also), 0)
        over = (w for w in self.waits.get(task.id, ()) if self._counts(w, self.happened(w) - 1))
        last = max(over, key=lambda w: (self.happened(w), w.source), default=None)
        gap = start if last is None else start - self.happened(last)
        return Link(task.id, start, end, self._unforced(start), last.source if last else None, None, (), gap)

    def _unforced(self, start: int) -> Reason:
        """Why tasks start at ``start`` although nothing they wait for is open: would a tick earlier be too full?"""
        return Reason.CEILING if self.live.at(start - 1) + self.born.get(start, 0) > self.ceiling else Reason.HELD

    def idle_times(self, workers: Dealing) -> tuple[IdleTime, ...]:
        """Each worker that ever runs a task, and one more for all that never do (``worker`` -1), if there are any.

        Between two tasks a worker waits for what its next task waits for; after its last one, for what the task of the
        plan that starts next does.
        """
        makespan = int(self.plan.measures.makespan)
        lines = workers.lines()
        times = [self._idle(k, line, makespan) for k, line in enumerate(lines)]
        if len(lines) < workers.capacity and makespan:
            times.append(self._idle(-1, (), makespan))
        return tuple(times)

    def _idle(self, worker: int, line: Sequence[str], makespan: int) -> IdleTime:
        waited = dict.fromkeys(Cause, 0)
        busy = now = 0
        for name in line:
            task = self.plan.task[name]
            self._blame(waited, now, task)
            busy += task.end - task.start
            now = int(task.end)
        for task in self.tasks:
            if task.start > now:
                self._blame(waited, now, task)
                now = int(task.start)
        waited[Cause.NOTHING] += max(0, makespan - now)
        return IdleTime(worker, len(line), busy, {cause: ticks for cause, ticks in waited.items() if ticks})

    def _blame(self, waited: dict[Cause, int], since: int, task: ScheduledTask) -> None:
        """Share ``[since, start of task)`` out among what blocked the task; only an end somewhere can change that."""
        start = int(task.start)
        if since >= start:
            return
        between = self.ends[bisect_right(self.ends, since) : bisect_right(self.ends, start - 1)]
        for begin, end in pairwise([since, *between, start]):
            first = next(iter(self.blocking(task.id, begin)), None)
            reason = self._unforced(start) if first is None else Reason(first.kind.value)
            waited[CAUSE_OF[reason]] += end - begin


class _Steps:
    """A step function: ``values[k]`` from ``moments[k]`` on."""

    def __init__(self, moments: Sequence[int], values: Sequence[int]) -> None:
        self.moments, self.values = moments, values

    @classmethod
    def of_use(cls, plan: Plan, resource: str) -> _Steps:
        """Units of ``resource`` in use."""
        demand = {t.id: t.demand(resource) for t in plan.problem.tasks}
        change: dict[int, int] = {}
        for t in plan.tasks:
            change[t.start] = change.get(t.start, 0) + demand[t.id]
            change[t.end] = change.get(t.end, 0) - demand[t.id]
        moments, values, used = sorted(change), [], 0
        for moment in moments:
            used += change[moment]
            values.append(used)
        return cls(moments, values)

    def at(self, moment: int) -> int:
        k = bisect_right(self.moments, moment) - 1
        return self.values[k] if k >= 0 else 0
