"""Why each task of a plan starts when it does: the critical chain, and what idle workers waited for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..plan import Plan, ScheduledTask
from ..timing import Dealing, Wait, WaitKind, by_target
from .fullness import Stretch, ceiling_of


class Reason(StrEnum):
    """Why a task starts no earlier.

    The kinds of waits; ``ceiling``: everything it waits for has happened, but its bytes on top of those alive would
    exceed what the plan may use; ``held``: nothing in the plan forces it, the planner chose it; ``start``: it begins
    the plan.
    """

    DATA = "data"
    AFTER = "after"
    REUSE = "reuse"
    EXCLUSIVE = "exclusive"
    RESOURCE = "resource"
    LOAD = "load"
    CEILING = "ceiling"
    HELD = "held"
    START = "start"


@dataclass(frozen=True, slots=True)
class Link:
    """One task of the critical chain, and why it starts no earlier.

    ``after``: the task before it in the chain (None for the first), the last it waits for; ``via``: buffer, partition
    or resource. ``gap``: ticks between the end of that wait and the start, which no wait explains.
    """

    task: str
    start: int
    end: int
    reason: Reason
    after: str | None
    via: str | None
    gap: int


class Cause(StrEnum):
    """What an idle worker waited for.

    ``data``: tasks that come before (data, ``after``, another reader's load). ``memory``: bytes of others, at their
    place or under the ceiling. ``partition``: another writer. ``resource``: units of a resource. ``held``: nothing that
    the plan names. ``nothing left``: every task has started.
    """

    DATA = "data"
    MEMORY = "memory"
    PARTITION = "partition"
    RESOURCE = "resource"
    HELD = "held"
    NOTHING = "nothing left"


CAUSE_OF = {
    WaitKind.DATA: Cause.DATA,
    WaitKind.AFTER: Cause.DATA,
    WaitKind.LOAD: Cause.DATA,
    WaitKind.REUSE: Cause.MEMORY,
    WaitKind.EXCLUSIVE: Cause.PARTITION,
    WaitKind.RESOURCE: Cause.RESOURCE,
}
"""In this order: while its data are missing, a task's other waits do not matter."""


@dataclass(frozen=True, slots=True)
class IdleTime:
    """One worker: ticks in which it runs ``tasks`` tasks, and ticks of waiting by cause; together the makespan."""

    worker: int
    tasks: int
    busy: int
    waited: Mapping[Cause, int]


class Reasons:
    """Why the tasks of one plan start when they do."""

    def __init__(self, plan: Plan, waits: Iterable[Wait], stretches: Sequence[Stretch]) -> None:
        self.plan = plan
        self.waits = by_target(waits)
        self.stretches = stretches
        self.ceiling = ceiling_of(plan)
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

    def critical_chain(self) -> tuple[Link, ...]:
        """From the first task of the chain to the one that ends last: each starts when the one before it allows.

        Of several that would explain a start, data come first, then ``after``, reuse, exclusive, resource and load.
        """
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
        rank = {kind: k for k, kind in enumerate(WaitKind)}
        last = max(
            self.waits.get(task.id, ()),
            key=lambda w: (self.happened(w), -rank[w.kind], w.source),
            default=None,
        )
        if last is None:
            reason = Reason.START if task.start == 0 else self._unforced(task.start)
            return Link(task.id, task.start, task.end, reason, None, None, int(task.start))
        gap = int(task.start) - self.happened(last)
        reason = Reason(last.kind.value) if gap == 0 else self._unforced(task.start)
        return Link(task.id, task.start, task.end, reason, last.source, last.via if gap == 0 else None, gap)

    def _unforced(self, start: int) -> Reason:
        """Why tasks start at ``start`` although nothing they wait for is open: would a tick earlier be too full?"""
        before = next((s.live for s in self.stretches if s.begin < start <= s.end), 0)
        return Reason.CEILING if before + self.born.get(start, 0) > self.ceiling else Reason.HELD

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
        waited: dict[Cause, int] = {}
        busy = now = 0
        for name in line:
            task = self.plan.task[name]
            self._blame(waited, now, task)
            busy += task.end - task.start
            now = task.end
        for task in sorted(self.plan.tasks, key=lambda t: (t.start, t.id)):
            if task.start > now:
                self._blame(waited, now, task)
                now = task.start
        if now < makespan:
            waited[Cause.NOTHING] = waited.get(Cause.NOTHING, 0) + makespan - now
        return IdleTime(worker, len(line), busy, {cause: waited[cause] for cause in Cause if waited.get(cause)})

    def _blame(self, waited: dict[Cause, int], since: int, task: ScheduledTask) -> None:
        """Share ``[since, start of task)`` out among what the task waited for, stage by stage."""
        open_until: dict[Cause, int] = {}
        for w in self.waits.get(task.id, ()):
            cause = CAUSE_OF[w.kind]
            open_until[cause] = max(open_until.get(cause, 0), self.happened(w))
        now = since
        for cause in dict.fromkeys(CAUSE_OF.values()):
            until = min(open_until.get(cause, 0), int(task.start))
            if until > now:
                waited[cause] = waited.get(cause, 0) + until - now
                now = until
        if now < task.start:
            full = self._unforced(task.start) is Reason.CEILING
            cause = Cause.MEMORY if full else Cause.HELD
            waited[cause] = waited.get(cause, 0) + task.start - now
