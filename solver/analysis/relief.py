"""What one more of something would give: a worker, a unit of a resource, shared partitions, bytes of one's own.

Each answer is a plan that was worked out, not a guess: the regions stay where they are (but for the buffer that gets
bytes of its own), the tasks are scheduled anew in the order of their starts, and what follows is a valid plan of the
richer problem. It is measured against the same thing without the addition, so that it cannot be negative. A search for
another plan may well find more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..plan import Action, Extent, Plan, PoolSlice, Region, assemble
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
    """``task`` writes into bytes of its own, like the tasks of the steps before: what that costs and gives in all.

    ``buffers``: those that moved; ``partition``: where they lie now. ``footprint``: bytes more than the plan's;
    ``gain``: ticks less than ``compressed``.
    """

    task: str
    buffers: tuple[str, ...]
    partition: int
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
    """Tasks that get bytes of their own one after another, each where it costs least to break the critical chain.

    A task of the chain that waits for bytes alone gets fresh ones in their partition; one that waits for another writer
    of the partition too, fresh ones in the partition that is written into least. It ends when bytes and
    partitions alone help no task of the chain, when a step makes the plan longer, after ``rounds``, or at once where a
    buffer spans partitions, because then the partitions cannot grow. ``starts``: those of :func:`compressed`.
    """
    if any(len(r.extents) > 1 for r in plan.regions):
        return ()
    now = makespan_of(Conditions.of(plan), starts)
    footprint = int(plan.measures.footprint)
    steps: list[OwnBytes] = []
    current = moved(plan, starts)
    for _ in range(rounds):
        options = list(_on_chain(current))
        if not options:
            break
        task, buffers, partition = min(options, key=lambda o: (_bytes(current, o[1]), o[0]))
        roomier = with_own_bytes(current, buffers, partition)
        makespan = int(roomier.measures.makespan)
        if makespan > current.measures.makespan:
            break
        current = roomier
        more = int(current.measures.footprint) - footprint
        steps.append(OwnBytes(task, buffers, partition, more, now - makespan, makespan))
    return tuple(steps)


def _bytes(plan: Plan, buffers: Sequence[str]) -> int:
    return sum(plan.region_of[b].length for b in buffers)


def _on_chain(plan: Plan) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """(task, buffers, partition) for each task of the critical chain that bytes of its own would let start earlier."""
    waits = (*fixed_waits(plan), *order_waits(plan))
    busy = dict.fromkeys(range(plan.problem.workspace.partitions), 0)
    for t in plan.tasks:
        for p in t.partitions:
            busy[p] += int(t.end - t.start)
    for link in Reasons(plan, waits, live_stretches(plan)).critical_chain():
        reasons = {link.reason, *link.also}
        written = _written(plan, link.task)
        if reasons == {Reason.REUSE}:
            for partition in sorted({e.partition for r in written for e in r.extents}):
                takers = [
                    r.buffer for r in written if plan.takes_over.get(r.id) and r.extents[0].partition == partition
                ]
                if takers:
                    yield link.task, tuple(takers), partition
        elif reasons <= {Reason.REUSE, Reason.EXCLUSIVE} and written:
            elsewhere = [p for p in busy if p not in plan.task[link.task].partitions]
            if elsewhere:
                quiet = min(elsewhere, key=lambda p: (busy[p], p))
                yield link.task, tuple(r.buffer for r in written), quiet


def _written(plan: Plan, task: str) -> list[Region]:
    """Regions that ``task`` fills: outputs, scratch, and lazy inputs that it loads by the plan."""
    loaded = {e.region for e in plan.events if e.action is Action.LOAD and e.task == task}
    writer = plan.problem.graph.writer
    return [r for r in plan.regions if writer.get(r.buffer) == task or r.id in loaded]


def with_own_bytes(plan: Plan, buffers: Sequence[str], partition: int) -> Plan:
    """A plan in which ``buffers`` lie in ``partition`` and take over nobody's bytes, scheduled anew in the same order.

    Their pool's slice there grows by their sizes (or begins on top of the others), what lies above moves up, and the
    partitions (all are equal) and a limit of the pool grow where they must. The proof is the old plan's and says
    nothing about this one.
    """
    places = {r.buffer: r.extents[0] for r in plan.regions}
    slices = {(s.pool, s.partition): s for s in plan.slices}
    limits: dict[str, int] = {}
    for b in buffers:
        pool, size = plan.region_of[b].pool, plan.region_of[b].length
        here = [s for s in slices.values() if s.partition == partition]
        own = slices.get((pool, partition))
        top = own.offset + own.size if own is not None else max((s.offset + s.size for s in here), default=0)
        for s in here:
            if s.offset >= top:
                slices[s.pool, partition] = replace(s, offset=Bytes(s.offset + size))
        for other, e in places.items():
            if e.partition == partition and e.offset >= top:
                places[other] = replace(e, offset=Bytes(e.offset + size))
        slices[pool, partition] = (
            PoolSlice(pool, partition, Bytes(top), size) if own is None else replace(own, size=Bytes(own.size + size))
        )
        places[b] = Extent(partition, Bytes(top), size)
        limits[pool] = limits.get(pool, 0) + size
    problem = _enlarged(plan.problem, limits, max(s.offset + s.size for s in slices.values()))
    starts = {t.id: t.start for t in plan.tasks}
    extents = {b: (e,) for b, e in places.items()}

    def put_together(at: Mapping[str, Tick]) -> Plan:
        return assemble(problem, at, extents, tuple(slices.values()), plan.proof, integrity=plan.integrity)

    return put_together(_in_same_order(put_together(starts), starts))


def _in_same_order(plan: Plan, starts: Mapping[str, Tick]) -> dict[str, Tick]:
    return earliest_starts(Conditions.of(plan), in_order(starts))


def _enlarged(problem: Problem, limits: Mapping[str, int], height: int) -> Problem:
    w = problem.workspace
    part = max(int(w.partition_size), height)
    return replace(
        problem,
        workspace=replace(w, size=Bytes(max(int(w.size), part * w.partitions))),
        pools=tuple(
            p if p.size is None or p.id not in limits else replace(p, size=Bytes(p.size + limits[p.id]))
            for p in problem.pools
        ),
    )
