"""Other starts for the tasks of a plan, its regions staying where they are.

A schedule is built anew, task by task in a given order: each begins at the first moment at which everything it waits
for has happened and its resources and partitions are free, counting the tasks before it in that order only::

    order a, b, c          workers 1 |aaaa|ccc|            b and c were given later starts,
                           workers 2 |bb|                  and find earlier ones free

In the order of the plan's own starts no task begins later than it did: whatever came before it has only moved to
earlier moments, so its own interval is still free. With the same order and larger capacities the same holds again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..plan import Plan, assemble, restated
from ..problem import Isolation, Problem
from ..units import Tick
from .waits import Wait, fixed_waits


@dataclass(frozen=True, slots=True)
class Conditions:
    """What starts must respect.

    ``behind[t]``: (task, lag) pairs, task ``t`` starts no earlier than the lag after the other's start. ``takes[t]``:
    what it holds while it runs, as (thing, amount). A thing is a resource's name, or a partition's number where writers
    are exclusive; ``capacity`` has all of them.
    """

    duration: Mapping[str, int]
    behind: Mapping[str, Sequence[tuple[str, int]]]
    takes: Mapping[str, Sequence[tuple[str | int, int]]]
    capacity: Mapping[str | int, int]

    @classmethod
    def of(cls, plan: Plan, *, problem: Problem | None = None) -> Conditions:
        """Those of ``plan``: its fixed waits, its partitions, and the capacities (of another ``problem`` if given)."""
        problem = problem or plan.problem
        exclusive = problem.workspace.isolation is Isolation.EXCLUSIVE
        partitions = {t.id: t.partitions for t in plan.tasks} if exclusive else {}
        capacity: dict[str | int, int] = dict(problem.resources)
        return cls(
            duration={t.id: int(t.duration) for t in problem.tasks},
            behind=_behind(fixed_waits(plan)),
            takes={
                t.id: [
                    *((name, t.demand(name)) for name, _ in problem.resources if t.demand(name)),
                    *((p, 1) for p in partitions.get(t.id, ())),
                ]
                for t in problem.tasks
            },
            capacity=capacity | {p: 1 for held in partitions.values() for p in held},
        )


def _behind(waits: Iterable[Wait]) -> dict[str, list[tuple[str, int]]]:
    """The waits of each task, of several for the same other task the longest."""
    longest: dict[str, dict[str, int]] = {}
    for w in waits:
        lags = longest.setdefault(w.target, {})
        lags[w.source] = max(lags.get(w.source, 0), w.lag)
    return {t: list(lags.items()) for t, lags in longest.items()}


class _Usage:
    """How much of one thing is taken, over time: a step function, constant from each moment to the next.

    Before the moment number ``open`` so little is left that nobody's least amount fits: tries begin there.
    """

    __slots__ = ("capacity", "enough", "moments", "open", "used")

    def __init__(self, capacity: int, least: int) -> None:
        self.capacity = capacity
        self.enough = capacity - least
        self.moments = [0]
        self.used = [0]
        self.open = 0

    def next_try(self, start: int, end: int, amount: int) -> int:
        """``start`` if ``amount`` is free during ``[start, end)``; else the end of the last stretch where it is not."""
        if start < self.moments[self.open]:
            return self.moments[self.open]
        most = self.capacity - amount
        first = bisect_right(self.moments, start) - 1
        k = bisect_right(self.moments, end - 1) - 1
        while k >= first:
            if self.used[k] > most:
                return self.moments[k + 1]
            k -= 1
        return start

    def take(self, start: int, end: int, amount: int) -> None:
        for moment in (start, end):
            k = bisect_right(self.moments, moment) - 1
            if self.moments[k] != moment:
                self.moments.insert(k + 1, moment)
                self.used.insert(k + 1, self.used[k])
        for k in range(bisect_right(self.moments, start) - 1, bisect_right(self.moments, end) - 1):
            self.used[k] += amount
        while self.used[self.open] > self.enough:
            self.open += 1


def earliest_starts(conditions: Conditions, order: Sequence[str]) -> dict[str, Tick]:
    """Starts as described above. ``order`` holds every task, each behind all that it waits for."""
    least: dict[str | int, int] = {}
    for takes in conditions.takes.values():
        for thing, amount in takes:
            least[thing] = min(least.get(thing, amount), amount)
    usage = {thing: _Usage(amount, least.get(thing, amount)) for thing, amount in conditions.capacity.items()}
    starts: dict[str, Tick] = {}
    for t in order:
        start = max([starts[source] + lag for source, lag in conditions.behind.get(t, ())], default=0)
        duration = conditions.duration[t]
        held = [(usage[thing], amount) for thing, amount in conditions.takes[t]]
        fits = False
        while not fits:
            fits = True
            for use, amount in held:
                later = use.next_try(start, start + duration, amount)
                if later > start:
                    start, fits = later, False
        for use, amount in held:
            use.take(start, start + duration, amount)
        starts[t] = Tick(start)
    return starts


def in_order(starts: Mapping[str, Tick]) -> list[str]:
    """Tasks by start, then id: every task behind all that it waits for."""
    return sorted(starts, key=lambda t: (starts[t], t))


def makespan_of(conditions: Conditions, starts: Mapping[str, Tick]) -> int:
    """The last end."""
    return max((starts[t] + conditions.duration[t] for t in starts), default=0)


def moved(plan: Plan, starts: Mapping[str, Tick]) -> Plan:
    """``plan`` with other starts, and everything that follows from them; not checked."""
    extents = {r.buffer: r.extents for r in plan.regions}
    seals = {r.buffer: r.seal for r in plan.regions}
    new = assemble(
        plan.problem,
        starts,
        extents,
        plan.slices,
        plan.proof,
        integrity=plan.integrity,
        monitoring=plan.monitoring,
    )
    return restated(replace(new, regions=tuple(replace(r, seal=seals[r.buffer]) for r in new.regions)))
