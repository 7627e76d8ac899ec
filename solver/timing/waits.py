"""Who waits for whom in a plan, and why: all reasons in one form, ``start(target) >= start(source) + lag``.

*Fixed* waits follow from the problem and from where the buffers lie: data, ``after``, reused bytes (the plan's edges),
and which reader of a lazy input loads it. Whatever starts respect them, the capacities and the exclusive partitions
make a valid plan with the same regions. *Order* waits say more: they keep the order in which the plan's tasks take
turns at a resource or at a partition, so that respecting all waits alone makes a valid plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from ..plan import Plan, loader_of
from ..problem import InputPolicy, Isolation
from .dealing import deal


class WaitKind(StrEnum):
    """Why a task starts no earlier: the kinds of a plan's edges, and ``load``: another reader loads the input first."""

    DATA = "data"
    AFTER = "after"
    REUSE = "reuse"
    EXCLUSIVE = "exclusive"
    RESOURCE = "resource"
    LOAD = "load"


@dataclass(frozen=True, slots=True)
class Wait:
    """``start(target) >= start(source) + lag`` (ticks).

    ``lag`` is the source's duration, for ``load`` 0 or 1. ``via``: the buffer read, taken over or loaded, the
    partition, or the resource; None for ``after``.
    """

    source: str
    target: str
    kind: WaitKind
    via: str | None
    lag: int


def fixed_waits(plan: Plan) -> tuple[Wait, ...]:
    """The plan's edges, and the order of the readers of lazy inputs."""
    duration = {t.id: int(t.duration) for t in plan.problem.tasks}
    edges = (Wait(e.source, e.target, WaitKind(e.kind.value), e.via, duration[e.source]) for e in plan.edges)
    return (*edges, *_loads(plan))


def _loads(plan: Plan) -> Iterator[Wait]:
    """The first reader of a lazy input stays the first: who loads it holds the partition it lies in.

    Among readers that start together the one with the least id loads, so one that sorts before the loader has to start
    a tick later.
    """
    graph = plan.problem.graph
    if plan.problem.policy.inputs is not InputPolicy.LAZY:
        return
    starts = {t.id: t.start for t in plan.tasks}
    for b in graph.resident:
        if b not in graph.writer:
            loader = loader_of(plan.problem, b, starts)
            for reader in graph.readers[b]:
                if reader != loader:
                    yield Wait(loader, reader, WaitKind.LOAD, b, int(reader < loader))


def order_waits(plan: Plan) -> tuple[Wait, ...]:
    """Turns at resources and exclusive partitions, whether or not an edge says the same."""
    duration = {t.id: int(t.duration) for t in plan.problem.tasks}
    waits = [
        Wait(source, target, WaitKind.RESOURCE, name, duration[source])
        for name, _ in plan.problem.resources
        for source, target in deal(plan, name).handovers
    ]
    if plan.problem.workspace.isolation is Isolation.EXCLUSIVE:
        writers: dict[int, list[str]] = {}
        for t in sorted(plan.tasks, key=lambda t: (t.start, t.id)):
            for partition in t.partitions:
                writers.setdefault(partition, []).append(t.id)
        waits += [
            Wait(source, target, WaitKind.EXCLUSIVE, str(partition), duration[source])
            for partition, line in sorted(writers.items())
            for source, target in pairwise(line)
        ]
    return tuple(waits)


def by_target(waits: Iterable[Wait]) -> dict[str, list[Wait]]:
    """The waits of each task that waits for something."""
    result: dict[str, list[Wait]] = {}
    for wait in waits:
        result.setdefault(wait.target, []).append(wait)
    return result
