"""What one more of something would give: a worker, a unit of a resource, shared partitions, bytes of one's own.

Each answer is a plan that was worked out, not a guess: the regions stay where they are (but for the buffer that gets
bytes of its own), the tasks are scheduled anew in the order of their starts, and what follows is a valid plan of the
richer problem. It is measured against the same thing without the addition, so that it cannot be negative. A search for
another plan may well find more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..plan import Extent, Plan, PoolSlice, assemble
from ..problem import Isolation, Problem
from ..timing import Conditions, Paths, Wait, WaitKind, earliest_starts
from ..timing.shift import in_order, makespan_of
from ..units import Bytes, Tick

MOST_MOVED = 24
"""Buffers that are tried with bytes of their own, the largest first: a plan is put together for each."""


@dataclass(frozen=True, slots=True)
class Relief:
    """One addition: the makespan of the plan that was worked out with it, and by how many ticks that is shorter.

    ``kind``: ``resource`` (one unit more of ``name``), ``isolation`` (shared instead of exclusive), ``own bytes`` (for
    buffer ``name``; ``bytes`` more footprint). ``at_most``: no plan with the same regions gains more, however many
    units there are; None where the regions change.
    """

    kind: str
    name: str
    gain: int
    makespan: int
    at_most: int | None = None
    bytes: int = 0


def compressed(plan: Plan) -> dict[str, Tick]:
    """The plan's tasks scheduled anew in the order of their starts: what is gained for nothing."""
    return earliest_starts(Conditions.of(plan), in_order({t.id: t.start for t in plan.tasks}))


def more_resources(plan: Plan, fixed: Paths, starts: Mapping[str, Tick]) -> tuple[Relief, ...]:
    """One unit more of each resource, and shared partitions where they are exclusive.

    ``fixed``: the longest paths of the fixed waits alone. ``starts``: those of :func:`compressed`.
    """
    now = makespan_of(Conditions.of(plan), starts)
    at_most = now - fixed.length
    found = []
    for kind, name, problem in _richer(plan.problem):
        conditions = Conditions.of(plan, problem=problem)
        makespan = makespan_of(conditions, earliest_starts(conditions, in_order(starts)))
        found.append(Relief(kind, name, now - makespan, makespan, at_most))
    return tuple(found)


def _richer(problem: Problem) -> Iterable[tuple[str, str, Problem]]:
    for name, _ in problem.resources:
        more = tuple((n, c + (n == name)) for n, c in problem.resources)
        yield "resource", name, replace(problem, resources=more)
    if problem.workspace.isolation is Isolation.EXCLUSIVE:
        yield "isolation", "shared", replace(problem, workspace=replace(problem.workspace, isolation=Isolation.SHARED))


def own_bytes(
    plan: Plan, waits: Iterable[Wait], paths: Paths, starts: Mapping[str, Tick]
) -> tuple[tuple[Relief, ...], bool]:
    """Bytes of its own for each buffer whose takeover lies on a longest path; whether all such could be tried.

    ``waits`` and ``paths``: all waits of the plan and their longest paths. Where a buffer spans partitions none can be
    tried, because the partitions would have to grow; beyond ``MOST_MOVED`` the smaller ones are left out.
    """
    critical = {
        w.target
        for w in waits
        if w.kind is WaitKind.REUSE and paths.head[w.source] + w.lag + paths.tail[w.target] == paths.length
    }
    graph = plan.problem.graph
    takers = [
        r
        for r in plan.regions
        if plan.takes_over.get(r.id)
        and ({graph.writer[r.buffer]} if r.buffer in graph.writer else {*graph.readers[r.buffer]}) & critical
    ]
    if any(len(r.extents) > 1 for r in plan.regions):
        return (), not takers
    takers.sort(key=lambda r: (-r.length, r.buffer))
    now = makespan_of(Conditions.of(plan), starts)
    found = []
    for r in takers[:MOST_MOVED]:
        roomier = with_own_bytes(plan, r.buffer, starts)
        more = roomier.measures.footprint - plan.measures.footprint
        makespan = int(roomier.measures.makespan)
        found.append(Relief("own bytes", r.buffer, now - makespan, makespan, None, more))
    return tuple(found), len(takers) <= MOST_MOVED


def with_own_bytes(plan: Plan, buffer: str, starts: Mapping[str, Tick]) -> Plan:
    """A plan in which ``buffer`` takes over nobody's bytes, scheduled anew in the order of ``starts``.

    Its pool's slice in its partition grows by the buffer's size, what lies above moves up, and the partitions (all are
    equal) and a limit of the pool grow where they must. The proof is the old plan's and says nothing about this one.
    """
    (extent,) = plan.region_of[buffer].extents
    pool, size = plan.region_of[buffer].pool, plan.region_of[buffer].length
    top = next(s.offset + s.size for s in plan.slices if (s.pool, s.partition) == (pool, extent.partition))

    def lifted(offset: Bytes, partition: int) -> Bytes:
        return Bytes(offset + size) if partition == extent.partition and offset >= top else offset

    slices = [
        PoolSlice(s.pool, s.partition, s.offset, Bytes(s.size + size))
        if (s.pool, s.partition) == (pool, extent.partition)
        else PoolSlice(s.pool, s.partition, lifted(s.offset, s.partition), s.size)
        for s in plan.slices
    ]
    extents = {
        r.buffer: [Extent(e.partition, lifted(e.offset, e.partition), e.length) for e in r.extents]
        for r in plan.regions
    }
    extents[buffer] = [Extent(extent.partition, Bytes(top), size)]
    problem = _enlarged(plan.problem, pool, int(size), max(s.offset + s.size for s in slices))
    place = assemble(problem, starts, extents, slices, plan.proof, integrity=plan.integrity, monitoring=plan.monitoring)
    again = earliest_starts(Conditions.of(place), in_order(starts))
    return assemble(problem, again, extents, slices, plan.proof, integrity=plan.integrity, monitoring=plan.monitoring)


def _enlarged(problem: Problem, pool: str, size: int, height: int) -> Problem:
    w = problem.workspace
    part = max(int(w.partition_size), height)
    return replace(
        problem,
        workspace=replace(w, size=Bytes(max(int(w.size), part * w.partitions))),
        pools=tuple(
            replace(p, size=Bytes(p.size + size)) if p.id == pool and p.size is not None else p for p in problem.pools
        ),
    )
