"""What one more of something would give: a worker, a unit of a resource, shared partitions, bytes of one's own.

Each answer is a plan that was worked out, not a guess: the regions stay where they are (but for the buffer that gets
bytes of its own), the tasks are scheduled anew in the order of their starts, and what follows is a valid plan of the
richer problem. It is measured against the same thing without the addition, so that it cannot be negative. A search for
another plan may well find more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..plan import Extent, Plan, PoolSlice, assemble
from ..problem import Isolation, Problem
from ..timing import Conditions, earliest_starts, fixed_waits, moved, order_waits
from ..timing.shift import in_order, makespan_of
from ..units import Bytes, Tick
from .fullness import live_stretches
from .reasons import Reason, Reasons

MOST_UNITS = 100
"""A task that demands more units than this counts something of which a single one helps nobody."""


@dataclass(frozen=True, slots=True)
class Relief:
    """One addition: the makespan of the plan that was worked out with it, and by how many ticks that is shorter.

    ``kind``: ``resource`` (``amount`` more of ``name``) or ``isolation`` (shared instead of exclusive). ``at_most``: no
    plan of the richer problem gains more, wherever its regions lie: its longest chain and its work take so long.
    """

    kind: str
    name: str
    amount: int
    gain: int
    makespan: int
    at_most: int


@dataclass(frozen=True, slots=True)
class OwnBytes:
    """``buffer`` takes over nobody's bytes, nor do those of the steps before: what that costs and gives in all.

    ``footprint``: bytes more than the plan's; ``gain``: ticks less than ``compressed``.
    """

    buffer: str
    footprint: int
    gain: int
    makespan: int


def compressed(plan: Plan) -> dict[str, Tick]:
    """The plan's tasks scheduled anew in the order of their starts: what is gained for nothing."""
    return earliest_starts(Conditions.of(plan), in_order({t.id: t.start for t in plan.tasks}))


def more_resources(plan: Plan, starts: Mapping[str, Tick]) -> tuple[Relief, ...]:
    """A little more of each resource, and shared partitions where they are exclusive.

    A little is one unit; where a unit is next to nothing (memory counted in bytes), as much as some task demands.
    ``starts``: those of :func:`compressed`.
    """
    now = makespan_of(Conditions.of(plan), starts)
    found = []
    for kind, name, amount, problem in richer(plan.problem):
        conditions = Conditions.of(plan, problem=problem)
        makespan = makespan_of(conditions, earliest_starts(conditions, in_order(starts)))
        found.append(Relief(kind, name, amount, now - makespan, makespan, now - least_makespan(problem)))
    return tuple(found)


def richer(problem: Problem) -> Iterator[tuple[str, str, int, Problem]]:
    """(kind, name, amount, problem) for each addition that is tried."""
    for name, _ in problem.resources:
        largest = max((t.demand(name) for t in problem.tasks), default=1)
        amount = 1 if largest <= MOST_UNITS else largest
        more = tuple((n, c + amount if n == name else c) for n, c in problem.resources)
        yield "resource", name, amount, replace(problem, resources=more)
    w = problem.workspace
    if w.isolation is Isolation.EXCLUSIVE:
        yield "isolation", "shared", 0, replace(problem, workspace=replace(w, isolation=Isolation.SHARED))


def least_makespan(problem: Problem) -> int:
    """Ticks that no plan undercuts: the longest chain of tasks, and the work that each resource has to serve."""
    work = [
        -(-sum(t.duration * t.demand(name) for t in problem.tasks) // capacity) for name, capacity in problem.resources
    ]
    return max(problem.graph.critical_path()[1], *work)


def own_bytes(plan: Plan, starts: Mapping[str, Tick], rounds: int) -> tuple[OwnBytes, ...]:
    """Buffers that get bytes of their own one after another: what each step and those before it give together.

    Each step breaks the critical chain at its smallest buffer: one that takes over bytes, where nothing else holds its
    task back. It ends when the chain has no such link, after ``rounds``, or at once where a buffer spans partitions,
    because then the partitions cannot grow. ``starts``: those of :func:`compressed`.
    """
    if any(len(r.extents) > 1 for r in plan.regions):
        return ()
    now = makespan_of(Conditions.of(plan), starts)
    footprint = int(plan.measures.footprint)
    steps: list[OwnBytes] = []
    current = moved(plan, starts)
    for _ in range(rounds):
        takers = _takers_on_chain(current)
        if not takers:
            break
        buffer = min(takers, key=lambda b: (current.region_of[b].length, b))
        current = with_own_bytes(current, buffer)
        makespan = int(current.measures.makespan)
        steps.append(OwnBytes(buffer, int(current.measures.footprint) - footprint, now - makespan, makespan))
    return tuple(steps)


def _takers_on_chain(plan: Plan) -> list[str]:
    """Buffers on the critical chain whose bytes were another's, and whose tasks wait for those bytes alone."""
    waits = (*fixed_waits(plan), *order_waits(plan))
    graph = plan.problem.graph
    takers = []
    for link in Reasons(plan, waits, live_stretches(plan)).critical_chain():
        if link.reason is Reason.REUSE and not link.also and link.via is not None:
            source = plan.region_of[link.via].id
            takers += [
                r.buffer
                for r in plan.regions
                if any(t.region == source for t in plan.takes_over.get(r.id, ()))
                and (graph.writer.get(r.buffer) == link.task or link.task in graph.readers[r.buffer])
            ]
    return takers


def with_own_bytes(plan: Plan, buffer: str) -> Plan:
    """A plan in which ``buffer`` takes over nobody's bytes, scheduled anew in the order of its starts.

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
    starts = {t.id: t.start for t in plan.tasks}
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
