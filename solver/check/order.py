"""Which must wait for which: the edges are complete, mean something, and keep every byte safe without a clock."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan import EdgeKind, Plan
from .facts import Facts
from .sharing import Successions
from .violation import Violation


def edges(plan: Plan, facts: Facts, shared: Successions) -> Iterator[Violation]:
    """Every data and ``after`` edge is there; no edge is unknown, repeated, meaningless or against the times."""
    seen = set()
    successors: dict[str, list[str]] = {t.id: [] for t in plan.tasks}
    for e in plan.edges:
        name = f"{e.source!r} -> {e.target!r} ({e.kind.value}{'' if e.via is None else f' {e.via!r}'})"
        if e.source not in successors or e.target not in successors:
            yield Violation("edges", f"{name} names a task that is not in the plan")
            continue
        if e in seen:
            yield Violation("edges", f"{name} is given twice")
        seen.add(e)
        successors[e.source].append(e.target)
        if plan.task[e.source].end > plan.task[e.target].start:
            yield Violation("edges", f"{name} contradicts the times: the first ends after the second starts")
    for kind, wanted in ((EdgeKind.DATA, _data(plan)), (EdgeKind.AFTER, _after(plan)), (EdgeKind.REUSE, None)):
        given = {(e.source, e.target, e.via) for e in plan.edges if e.kind is kind}
        meant = wanted if wanted is not None else _takeovers(facts, shared)
        for source, target, via in sorted(given - meant, key=str):
            yield Violation("edges", f"{source!r} -> {target!r} ({kind.value} {via!r}) has no reason")
        for source, target, via in sorted(wanted - given if wanted is not None else (), key=str):
            yield Violation("edges", f"{source!r} -> {target!r} ({kind.value} {via!r}) is missing")
    yield from _shared_things(plan, facts)
    cycle = _cycle(successors)
    if cycle:
        yield Violation("edges", f"the edges run in a cycle: {' -> '.join(cycle)}")


Triples = set[tuple[str, str, str | None]]


def _data(plan: Plan) -> Triples:
    writer = {b: t.id for t in plan.problem.tasks for b in t.outputs}
    return {(writer[b], t.id, b) for t in plan.problem.tasks for b in t.inputs if b in writer}


def _after(plan: Plan) -> Triples:
    return {(before, t.id, None) for t in plan.problem.tasks for before in t.after}


def _takeovers(facts: Facts, shared: Successions) -> Triples:
    """Every wait that a takeover may ask for: a user of the earlier buffer before whoever fills the later one."""
    return {
        (user, target, earlier)
        for earlier, later in shared
        for user in facts.residents[earlier].users
        for target in _fillers(facts, later)
        if user != target
    }


def _fillers(facts: Facts, buffer: str) -> tuple[str, ...]:
    """Who may write the bytes first: the writer; of a loaded input any reader; of a preloaded one nobody."""
    r = facts.residents[buffer]
    if r.writer is not None:
        return (r.writer,)
    return () if facts.preloaded else r.readers


def _shared_things(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """An exclusive edge names a partition both tasks write into, a resource edge a resource both demand."""
    for e in plan.edges:
        if e.source not in plan.task or e.target not in plan.task:
            continue
        ends = (e.source, e.target)
        if e.kind is EdgeKind.EXCLUSIVE and any(e.via not in [str(p) for p in plan.task[t].partitions] for t in ends):
            yield Violation("edges", f"{e.source!r} -> {e.target!r} (exclusive {e.via!r}): not both write into it")
        if e.kind is EdgeKind.RESOURCE and any(facts.demand[t].get(e.via or "", 0) <= 0 for t in ends):
            yield Violation("edges", f"{e.source!r} -> {e.target!r} (resource {e.via!r}): not both demand it")


def _cycle(successors: dict[str, list[str]]) -> list[str]:
    """Some cycle ``[a, b, ..., a]``, or nothing. Tasks without a successor are peeled off until only cycles remain."""
    waiting = {t: len(after) for t, after in successors.items()}
    predecessors: dict[str, list[str]] = {t: [] for t in successors}
    for t, after in successors.items():
        for s in after:
            predecessors[s].append(t)
    free = [t for t, count in waiting.items() if count == 0]
    while free:
        for p in predecessors[free.pop()]:
            waiting[p] -= 1
            if waiting[p] == 0:
                free.append(p)
    left = {t for t, count in waiting.items() if count > 0}
    if not left:
        return []
    path = [min(left)]
    while path[-1] not in path[:-1]:
        path.append(min(s for s in successors[path[-1]] if s in left))
    return path[path.index(path[-1]) :]


def reuse(plan: Plan, facts: Facts, shared: Successions) -> Iterator[Violation]:
    """Who takes bytes over waits, by a path of edges, for all who used them: whatever the clock says.

    Usually the wait is an edge of its own; otherwise the edges are followed backwards from who waits. An edge against
    the times is a violation of its own and counts for nothing here.
    """
    direct = {
        (e.source, e.target)
        for e in plan.edges
        if e.source in plan.task and e.target in plan.task and plan.task[e.source].end <= plan.task[e.target].start
    }
    before: dict[str, list[str]] = {}
    for source, target in direct:
        before.setdefault(target, []).append(source)
    open_waits: dict[str, dict[str, tuple[str, str]]] = {}
    for earlier, later in sorted(shared):
        if facts.residents[later].writer is None and facts.preloaded:
            yield Violation("reuse", f"{later!r} is there from the start and cannot take over bytes of {earlier!r}")
        for target in _fillers(facts, later):
            for user in facts.residents[earlier].users:
                in_place = user == target and (later, earlier) in facts.in_place
                if not in_place and (user, target) not in direct:
                    open_waits.setdefault(target, {})[user] = (earlier, later)
    for target, waits in sorted(open_waits.items()):
        earliest = min(plan.task[user].start for user in waits)
        missing = waits.keys() - _ancestors(plan, before, target, earliest)
        for user in sorted(missing):
            earlier, later = waits[user]
            yield Violation(
                "reuse", f"no path of edges makes {target!r} ({later!r}) wait for {user!r}, which uses {earlier!r}"
            )


def _ancestors(plan: Plan, before: dict[str, list[str]], target: str, earliest: int) -> set[str]:
    """Tasks from which a path of edges leads to ``target``, back to those that start at ``earliest``."""
    seen: set[str] = set()
    stack = list(before.get(target, ()))
    while stack:
        t = stack.pop()
        if t not in seen and plan.task[t].start >= earliest:
            seen.add(t)
            stack += before.get(t, ())
    return seen
