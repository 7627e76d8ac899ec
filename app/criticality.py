"""What decides the end of a plan: the chain of tasks that waited for each other, and how late every other may be.

The only place that answers this for reports; what it hands out (:class:`Criticality`) is all that they know of it.

A plan's edges do not name every reason to wait: that a worker, another resource or a partition was taken shows in the
times alone. So a link of the chain is, in this order: an edge from a task that ended just then, a task that ended just
then and wrote into a partition that this one writes into (isolation ``exclusive``), any task that ended just then, and,
when nothing did, the edge whose source ended last, with the time that passed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalytic.solver.plan import EdgeKind, Plan, ScheduledTask
from catalytic.solver.problem import Isolation

from .tracks import planned_tracks

_RANK = {EdgeKind.DATA: 0, EdgeKind.AFTER: 1, EdgeKind.REUSE: 2, EdgeKind.EXCLUSIVE: 3, EdgeKind.RESOURCE: 4}


@dataclass(frozen=True, slots=True)
class Link:
    """A task of the chain and why it did not start before: ``why`` the task before it had to end first.

    ``via``: the buffer, partition or resource, as in an edge. ``waited``: ticks between that end and this start. The
    first link has neither.
    """

    task: str
    why: EdgeKind | None = None
    via: str | None = None
    waited: int = 0


@dataclass(frozen=True, slots=True)
class Criticality:
    """The chain that ends last, from its first task on, and the slack of every task.

    ``slack``: ticks by which a task may be late without the last end moving, if the order of tasks on each track and
    in each exclusive partition stays what it is.
    """

    chain: tuple[Link, ...]
    slack: Mapping[str, int]


def criticality(plan: Plan) -> Criticality:
    """What decides the end of ``plan``. Takes O(edges + tasks log tasks)."""
    chain = tuple(_chain(plan))
    return Criticality(chain, _slack(plan, chain))


def _chain(plan: Plan) -> list[Link]:
    if not plan.tasks:
        return []
    into: dict[str, list[tuple[int, int, str, EdgeKind, str | None]]] = {}
    end = {t.id: t.end for t in plan.tasks}
    for e in plan.edges:
        into.setdefault(e.target, []).append((end[e.source], -_RANK[e.kind], e.source, e.kind, e.via))
    ending: dict[int, list[ScheduledTask]] = {}
    for t in plan.tasks:
        ending.setdefault(t.end, []).append(t)
    exclusive = plan.problem.workspace.isolation is Isolation.EXCLUSIVE
    last = max(plan.tasks, key=lambda t: (t.end, t.id))
    found: list[Link] = []
    while True:
        before = max(into.get(last.id, ()), default=None, key=lambda edge: edge[:3])
        if before is not None and before[0] == last.start:
            found.append(Link(last.id, before[3], before[4]))
            last = plan.task[before[2]]
        elif last.start in ending:
            other, why, via = _freed(last, ending[last.start], exclusive)
            found.append(Link(last.id, why, via))
            last = other
        elif before is not None:
            found.append(Link(last.id, before[3], before[4], last.start - before[0]))
            last = plan.task[before[2]]
        else:
            found.append(Link(last.id, waited=last.start))
            return found[::-1]


def _freed(
    task: ScheduledTask, ended: Sequence[ScheduledTask], exclusive: bool
) -> tuple[ScheduledTask, EdgeKind, str | None]:
    """Which of the tasks that ended when ``task`` started made room for it."""
    own = set(task.partitions)
    for other in ended if exclusive else ():
        shared = own.intersection(other.partitions)
        if shared:
            return other, EdgeKind.EXCLUSIVE, str(min(shared))
    return ended[0], EdgeKind.RESOURCE, None


def _slack(plan: Plan, chain: Sequence[Link]) -> dict[str, int]:
    follow: dict[str, set[str]] = {t.id: set() for t in plan.tasks}
    for e in plan.edges:
        follow[e.source].add(e.target)
    for before, after in (*_queues(plan), *((a.task, b.task) for a, b in pairwise(chain))):
        follow[before].add(after)
    makespan = max((t.end for t in plan.tasks), default=0)
    latest: dict[str, int] = {}
    for t in sorted(plan.tasks, key=lambda t: (t.start, t.end), reverse=True):
        latest[t.id] = min((latest[s] for s in follow[t.id]), default=makespan) - (t.end - t.start)
    return {t.id: latest[t.id] - t.start for t in plan.tasks}


def _queues(plan: Plan) -> Iterator[tuple[str, str]]:
    """Pairs of tasks that follow each other on a track, or in a partition that one task writes into at a time."""
    tracks, _ = planned_tracks(plan)
    lines: dict[tuple[str, int], list[ScheduledTask]] = {}
    for t, own in zip(plan.tasks, tracks, strict=True):
        for track in own:
            lines.setdefault(("track", track), []).append(t)
        if plan.problem.workspace.isolation is Isolation.EXCLUSIVE:
            for partition in t.partitions:
                lines.setdefault(("partition", partition), []).append(t)
    for queue in lines.values():
        queue.sort(key=lambda t: (t.start, t.end))
        yield from ((a.id, b.id) for a, b in pairwise(queue))
