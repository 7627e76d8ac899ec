"""From starts and addresses to a whole plan: lifetimes, owners byte by byte, edges, reuse schedule, measures.

Everything here is derived: the caller decides *when* and *where*, this module says what follows. The independent
checker computes the same things its own way.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from ..problem import InputPolicy, Problem
from ..units import Bytes, Tick
from .lifetime import lifetimes, loader_of
from .model import (
    Action,
    Edge,
    EdgeKind,
    Extent,
    Measures,
    Plan,
    PoolSlice,
    Region,
    ReuseEvent,
    ScheduledTask,
    TakeOver,
)
from .proof import Proof


def assemble(
    problem: Problem,
    starts: Mapping[str, Tick],
    extents: Mapping[str, Sequence[Extent]],
    slices: Sequence[PoolSlice],
    proof: Proof,
    *,
    integrity: bool = True,
    monitoring: bool = False,
    seal: str = "sha256",
) -> Plan:
    """The plan in which task ``t`` starts at ``starts[t]`` and buffer ``b`` lives in ``extents[b]``.

    ``extents`` covers exactly the resident buffers. Regions are numbered by birth, then buffer id. Takes
    O(n log n + takeovers) for n regions.
    """
    graph = problem.graph
    lives = lifetimes(problem, starts)
    order = sorted(graph.resident, key=lambda b: (lives[b].birth, b))
    width = max(3, len(str(len(order))))
    regions = tuple(
        Region(
            id=f"region_{number:0{width}d}",
            buffer=b,
            pool=graph.pool_of[b],
            extents=tuple(sorted(extents[b])),
            lifetime=lives[b],
            seal=seal if integrity else None,
        )
        for number, b in enumerate(order, start=1)
    )
    # Born together, a loaded input comes before an output that takes over its bytes in place.
    takeovers = _takeovers(sorted(regions, key=lambda r: (r.lifetime.birth, r.buffer in graph.writer)))
    end = {t.id: Tick(starts[t.id] + t.duration) for t in problem.tasks}
    region_of = {r.buffer: r for r in regions}
    tasks = tuple(
        ScheduledTask(t.id, starts[t.id], end[t.id], _partitions_written(problem, t.id, region_of, starts))
        for t in sorted(problem.tasks, key=lambda t: (starts[t.id], t.id))
    )
    return Plan(
        problem=problem,
        tasks=tasks,
        regions=regions,
        slices=tuple(sorted(slices, key=lambda s: (s.pool, s.partition))),
        edges=tuple(
            sorted(set(_edges(problem, regions, takeovers)), key=lambda e: (e.source, e.target, e.kind, e.via or ""))
        ),
        events=tuple(_events(problem, regions, takeovers, starts, end, integrity)),
        measures=_measures(problem, regions, end),
        proof=proof,
        integrity=integrity,
        monitoring=monitoring,
    )


def _partitions_written(
    problem: Problem, task: str, region_of: Mapping[str, Region], starts: Mapping[str, Tick]
) -> tuple[int, ...]:
    """Partitions of outputs, scratch and the lazy inputs that ``task`` loads by the plan."""
    graph = problem.graph
    t = graph.task[task]
    written = [b for b in t.outputs if b in region_of]
    if task in graph.scratch_of:
        written.append(graph.scratch_of[task])
    if problem.policy.inputs is InputPolicy.LAZY:
        written += [
            b for b in t.inputs if b not in graph.writer and b in region_of and loader_of(problem, b, starts) == task
        ]
    return tuple(sorted({e.partition for b in written for e in region_of[b].extents}))


def _takeovers(regions: Sequence[Region]) -> dict[str, dict[str, int]]:
    """Region id -> {region id of a last owner: bytes taken over}, found by painting each partition in order of birth.

    Per partition a sorted list of disjoint owned intervals; each new region replaces what it covers. In place, an
    output born while its input still lives paints over it like any other successor.
    """
    painted: dict[int, _Paint] = {}
    result: dict[str, dict[str, int]] = {r.id: {} for r in regions}
    for r in regions:
        for e in r.extents:
            for owner, count in painted.setdefault(e.partition, _Paint()).cover(e.offset, e.end, r.id):
                result[r.id][owner] = result[r.id].get(owner, 0) + count
    return result


class _Paint:
    """Disjoint intervals with owners on one address line, sorted."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._spans: list[tuple[int, int, str]] = []

    def cover(self, low: int, high: int, owner: str) -> Iterator[tuple[str, int]]:
        """Give ``[low, high)`` to ``owner``; yields (previous owner, bytes) from low to high addresses."""
        first = max(0, bisect_right(self._starts, low) - 1)
        last = bisect_left(self._starts, high)
        kept: list[tuple[int, int, str]] = []
        replaced: list[tuple[str, int]] = []
        for begin, stop, previous in self._spans[first:last]:
            if stop <= low or begin >= high:
                kept.append((begin, stop, previous))
                continue
            if begin < low:
                kept.append((begin, low, previous))
            if stop > high:
                kept.append((high, stop, previous))
            replaced.append((previous, min(stop, high) - max(begin, low)))
        kept.append((low, high, owner))
        kept.sort()
        self._spans[first:last] = kept
        self._starts[first:last] = [span[0] for span in kept]
        yield from replaced


def _users(problem: Problem, buffer: str) -> tuple[str, ...]:
    """Tasks that touch a buffer: its writer (which also exports it) and its readers."""
    graph = problem.graph
    writer = graph.writer.get(buffer)
    return (*((writer,) if writer is not None else ()), *graph.readers[buffer])


def _edges(problem: Problem, regions: Sequence[Region], takeovers: Mapping[str, Mapping[str, int]]) -> Iterator[Edge]:
    graph = problem.graph
    for t in problem.tasks:
        for b in t.inputs:
            if b in graph.writer:
                yield Edge(graph.writer[b], t.id, EdgeKind.DATA, b)
        for before in t.after:
            yield Edge(before, t.id, EdgeKind.AFTER)
    buffer_of = {r.id: r.buffer for r in regions}
    for r in regions:
        # A loaded input may be loaded by any reader that the run starts first, so all of them wait.
        into = (graph.writer[r.buffer],) if r.buffer in graph.writer else graph.readers[r.buffer]
        for owner in takeovers[r.id]:
            for user in _users(problem, buffer_of[owner]):
                for target in into:
                    if user != target:
                        yield Edge(user, target, EdgeKind.REUSE, buffer_of[owner])


def _events(
    problem: Problem,
    regions: Sequence[Region],
    takeovers: Mapping[str, Mapping[str, int]],
    starts: Mapping[str, Tick],
    end: Mapping[str, Tick],
    integrity: bool,
) -> list[ReuseEvent]:
    graph = problem.graph
    verification = "checksum_validated" if integrity else None
    events = []
    for r in regions:
        taken = tuple(sorted(TakeOver(owner, Bytes(count)) for owner, count in takeovers[r.id].items()))
        writer = graph.writer.get(r.buffer)
        if writer is None:
            task: str | None = (
                None if problem.policy.inputs is InputPolicy.PRELOAD else loader_of(problem, r.buffer, starts)
            )
            action = Action.LOAD
        else:
            task, action = writer, Action.REUSE if taken else Action.ALLOCATE
        check = verification if taken else None
        events.append(ReuseEvent(r.lifetime.birth, action, r.pool, task, r.id, taken, check))
        if r.buffer in graph.exported and writer is not None:
            events.append(ReuseEvent(end[writer], Action.EXPORT, r.pool, writer, r.id))
        users = _users(problem, r.buffer)
        last = max(users, key=lambda t: (end[t], t))
        if r.buffer not in graph.kept:
            events.append(ReuseEvent(r.lifetime.death, Action.RELEASE, r.pool, last, r.id))
    # At one moment bytes are first copied out and released, then taken.
    rank = {Action.EXPORT: 0, Action.RELEASE: 1}
    return sorted(events, key=lambda e: (e.timestamp, rank.get(e.action, 2), e.region))


def _measures(problem: Problem, regions: Sequence[Region], end: Mapping[str, Tick]) -> Measures:
    heights: dict[int, int] = {}
    for r in regions:
        for e in r.extents:
            heights[e.partition] = max(heights.get(e.partition, 0), e.end)
    allocated = problem.graph.allocated
    footprint = sum(heights.values())
    return Measures(
        allocated=allocated,
        footprint=Bytes(footprint),
        reuse_factor=(allocated - footprint) / allocated if allocated else None,
        makespan=max(end.values(), default=Tick(0)),
        peak_live=Bytes(_peak_live(regions, any(t.in_place for t in problem.tasks))),
    )


def _peak_live(regions: Sequence[Region], in_place: bool) -> int:
    """Most bytes owned at one moment; bytes shared in place by two living buffers count once."""
    changes: list[tuple[int, int, Region]] = []
    for r in regions:
        changes += [(r.lifetime.birth, 1, r), (r.lifetime.death, 0, r)]
    changes.sort(key=lambda c: (c[0], c[1], c[2].id))
    live = peak = 0
    shared = _shared_in_place(regions) if in_place else {}
    alive: set[str] = set()
    for _, born, r in changes:
        sign = 1 if born else -1
        live += sign * r.length
        for other, count in shared.get(r.id, ()):
            if other in alive:
                live -= sign * count
        if born:
            alive.add(r.id)
        else:
            alive.discard(r.id)
        peak = max(peak, live)
    return peak


def _shared_in_place(regions: Sequence[Region]) -> dict[str, list[tuple[str, int]]]:
    """Pairs of regions that share bytes while both live (only in-place pairs can), with the number of bytes."""
    spans: dict[int, list[tuple[int, int, Region]]] = {}
    for r in regions:
        for e in r.extents:
            spans.setdefault(e.partition, []).append((e.offset, e.end, r))
    shared: dict[str, list[tuple[str, int]]] = {}
    for line in spans.values():
        line.sort(key=lambda s: (s[2].lifetime.birth, s[0]))
        active: list[tuple[int, int, Region]] = []
        for low, high, r in line:
            active = [s for s in active if s[2].lifetime.death > r.lifetime.birth]
            for other_low, other_high, other in active:
                count = min(high, other_high) - max(low, other_low)
                if count > 0:
                    shared.setdefault(r.id, []).append((other.id, count))
                    shared.setdefault(other.id, []).append((r.id, count))
            active.append((low, high, r))
    return shared
