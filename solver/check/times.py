"""When: durations, precedence, resources, exclusive writers, and the lifetimes that follow."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan import Plan
from ..problem import Isolation
from .facts import Facts
from .violation import Violation


def times(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """Every task lasts its duration from a moment >= 0, and starts when all that come before it have ended."""
    for t in plan.tasks:
        if t.start < 0:
            yield Violation("tasks", f"{t.id!r} starts at {t.start}, before the plan does")
        if t.end - t.start != facts.duration[t.id]:
            yield Violation("tasks", f"{t.id!r} takes {t.end - t.start} ms, its duration is {facts.duration[t.id]} ms")
        for before in sorted(facts.before[t.id]):
            if plan.task[before].end > t.start:
                yield Violation(
                    "precedence", f"{t.id!r} starts at {t.start}, {before!r} ends at {plan.task[before].end}"
                )


def resources(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """At no moment do running tasks demand more of a resource than there is."""
    for name, capacity in plan.problem.resources:
        changes = []
        for t in plan.tasks:
            amount = facts.demand[t.id].get(name, 0)
            changes += [(t.start, amount), (t.end, -amount)]
        used = 0
        for moment, amount in sorted(changes):  # at one moment what ends (negative) comes first
            used += amount
            if used > capacity:
                yield Violation("resources", f"{used} of {name!r} are in use at {moment}, there are {capacity}")
                break


def partitions_held(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """A task holds exactly the partitions it writes into, and when exclusive, nobody else does meanwhile."""
    written: dict[str, set[int]] = {t.id: set() for t in plan.tasks}
    for r in plan.regions:
        who = facts.residents[r.buffer].writer or _loader(plan, facts, r.buffer)
        if who is not None:
            written[who] |= {e.partition for e in r.extents}
    lines: dict[int, list[tuple[int, int, str]]] = {}
    for t in plan.tasks:
        if tuple(sorted(written[t.id])) != t.partitions:
            yield Violation(
                "partitions", f"{t.id!r} writes into {sorted(written[t.id])}, the plan says {list(t.partitions)}"
            )
        for p in written[t.id]:
            lines.setdefault(p, []).append((t.start, t.end, t.id))
    if plan.problem.workspace.isolation is Isolation.EXCLUSIVE:
        for p, line in sorted(lines.items()):
            yield from _one_at_a_time(p, line)


def _one_at_a_time(partition: int, line: list[tuple[int, int, str]]) -> Iterator[Violation]:
    busy_until, busy = -1, ""
    for start, end, task in sorted(line):
        if start < busy_until:
            yield Violation("exclusive", f"{task!r} and {busy!r} write into partition {partition} at {start}")
        if end > busy_until:
            busy_until, busy = end, task


def _loader(plan: Plan, facts: Facts, buffer: str) -> str | None:
    """Who loads a lazy input by the plan: its first reader; nobody when inputs are there from the start."""
    if facts.preloaded:
        return None
    return min(facts.residents[buffer].readers, key=lambda t: (plan.task[t].start, t))


def lives(plan: Plan, facts: Facts) -> dict[str, tuple[int, int]]:
    """Buffer id -> (birth, death) as they follow from the planned times."""
    makespan = max((t.end for t in plan.tasks), default=0)
    result = {}
    for b, r in facts.residents.items():
        if r.writer is not None:
            birth: int = plan.task[r.writer].start
        else:
            birth = 0 if facts.preloaded else min(plan.task[t].start for t in r.readers)
        result[b] = (birth, makespan if r.kept else max(plan.task[t].end for t in r.users))
    return result


def lifetimes(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """Every region states the lifetime that follows from the planned times."""
    expected = lives(plan, facts)
    for r in plan.regions:
        birth, death = expected[r.buffer]
        if (r.lifetime.birth, r.lifetime.death) != (birth, death):
            found = f"[{r.lifetime.birth}, {r.lifetime.death})"
            yield Violation("lifetime", f"{r.id} ({r.buffer!r}) lives in {found}, by the times in [{birth}, {death})")
