"""Bytes alive over the time of a plan: when most are, who is alive then, and what a smaller buffer would help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..plan import Objective, Plan, Region, assemble, ceiling_of
from ..problem import SCRATCH_PREFIX, Problem, Task
from ..units import Bytes, align_up

MOST_SHRUNK = 24
"""Buffers that are shrunk, the largest first: more than anybody would look at."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """``live`` bytes are alive during ``[begin, end)`` (ticks)."""

    begin: int
    end: int
    live: int


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What it helps to make ``buffer`` smaller by ``by`` bytes, at its place and with the starts as they are.

    ``peak``, ``footprint``: by how many bytes they fall. ``working_set``: by how many the largest working set falls
    (inputs, outputs and scratch of one task), which bounds the peak of every plan.
    """

    buffer: str
    size: int
    by: int
    peak: int
    footprint: int
    working_set: int


def ceiling_of_plan(plan: Plan) -> int:
    """Most bytes that the plan could use: what its target leaves, and no more than the workspace.

    Where the largest reuse factor is the objective, more bytes than it uses would be a worse plan.
    """
    if plan.proof.objective is Objective.REUSE:
        return int(plan.measures.footprint)
    return ceiling_of(plan.proof.target, plan.measures.allocated, int(plan.problem.workspace.capacity))


def live_stretches(plan: Plan) -> tuple[Stretch, ...]:
    """The bytes alive from 0 to the makespan, each stretch as long as possible; shared in place, bytes count once."""
    change: dict[int, int] = {0: 0, int(plan.measures.makespan): 0}

    def alive(begin: int, end: int, count: int) -> None:
        change[begin] = change.get(begin, 0) + count
        change[end] = change.get(end, 0) - count

    for r in plan.regions:
        alive(r.lifetime.birth, r.lifetime.death, r.length)
        for before in plan.takes_over.get(r.id, ()):
            death = plan.region[before.region].lifetime.death
            if death > r.lifetime.birth:
                alive(r.lifetime.birth, min(death, r.lifetime.death), -before.bytes)
    stretches: list[Stretch] = []
    live, moments = 0, sorted(change)
    for begin, end in pairwise(moments):
        live += change[begin]
        if stretches and stretches[-1].live == live:
            stretches[-1] = replace(stretches[-1], end=end)
        else:
            stretches.append(Stretch(begin, end, live))
    return tuple(stretches)


def fullest(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The stretches in which most bytes are alive; none where nothing ever is."""
    stretches = tuple(stretches)
    most = max((s.live for s in stretches), default=0)
    return tuple(s for s in stretches if s.live == most) if most else ()


def alive_throughout(plan: Plan, stretches: Iterable[Stretch]) -> tuple[str, ...]:
    """Buffers that are alive in every one of ``stretches``, the largest first: only they can lower the peak."""
    stretches = tuple(stretches)
    inside = [
        r
        for r in plan.regions
        if stretches and all(r.lifetime.birth < s.end and s.begin < r.lifetime.death for s in stretches)
    ]
    return tuple(r.buffer for r in sorted(inside, key=lambda r: (-r.length, r.buffer)))


def shrinking(plan: Plan, by: int) -> tuple[Shrunk, ...]:
    """What each buffer that could help would give if it were ``by`` bytes smaller (at most all but one of its own).

    Buffers that could: those alive in all fullest moments, and those whose last byte is the highest of a partition. The
    others change neither peak nor footprint. A buffer that spans partitions keeps its partitions and is left out.
    """
    stretches = live_stretches(plan)
    throughout = alive_throughout(plan, fullest(stretches))
    tops = _tops(plan)
    topmost = [r.buffer for r in plan.regions if any(e.end == tops[e.partition][0] for e in r.extents)]
    size = {r.buffer: int(r.length) for r in plan.regions}
    candidates = sorted({*throughout, *topmost}, key=lambda b: (-size[b], b))
    single = [b for b in candidates if len(plan.region_of[b].extents) == 1][:MOST_SHRUNK]
    working_sets = WorkingSets(plan.problem)
    return tuple(_shrunk(plan, b, by, stretches, tops, working_sets) for b in single)


def _tops(plan: Plan) -> dict[int, list[int]]:
    """Per partition, the two highest ends of regions."""
    tops: dict[int, list[int]] = {}
    for r in plan.regions:
        for e in r.extents:
            tops[e.partition] = sorted((*tops.get(e.partition, ()), e.end), reverse=True)[:2]
    return tops


def _shrunk(
    plan: Plan,
    buffer: str,
    by: int,
    stretches: Sequence[Stretch],
    tops: Mapping[int, Sequence[int]],
    working_sets: WorkingSets,
) -> Shrunk:
    declared = int(plan.problem.graph.buffer[buffer].size)
    new_size = max(1, declared - by)
    region = plan.region_of[buffer]
    (extent,) = region.extents
    length = align_up(new_size, plan.problem.workspace.alignment)
    less = int(extent.length - length)
    top, *second = tops[extent.partition]
    new_top = top if extent.end < top else max(extent.end - less, *second, 0)
    if _shares_in_place(plan, region):
        cut = replace(region, extents=(replace(extent, length=length),))
        peak = max(s.live for s in live_stretches(_put_together(plan, cut, new_size)))
    else:
        born, dead = region.lifetime.birth, region.lifetime.death
        peak = max(s.live - (less if s.begin < dead and born < s.end else 0) for s in _split(stretches, (born, dead)))
    return Shrunk(
        buffer=buffer,
        size=declared,
        by=declared - new_size,
        peak=int(plan.measures.peak_live) - peak,
        footprint=top - new_top,
        working_set=working_sets.largest() - working_sets.largest({buffer: int(length)}),
    )


def _split(stretches: Iterable[Stretch], moments: Iterable[int]) -> Iterator[Stretch]:
    """The same stretches, cut at ``moments``."""
    for s in stretches:
        cuts = [s.begin, *sorted(m for m in moments if s.begin < m < s.end), s.end]
        for begin, end in pairwise(cuts):
            yield Stretch(begin, end, s.live)


def _shares_in_place(plan: Plan, region: Region) -> bool:
    """Whether some of the region's bytes are another's too while both live."""
    taken = any(
        plan.region[t.region].lifetime.death > region.lifetime.birth for t in plan.takes_over.get(region.id, ())
    )
    return taken or any(
        t.region == region.id and region.lifetime.death > other.lifetime.birth
        for other in plan.regions
        for t in plan.takes_over.get(other.id, ())
    )


def _put_together(plan: Plan, cut: Region, size: int) -> Plan:
    """The plan with one buffer of ``size`` bytes in the region ``cut``."""
    extents = {r.buffer: r.extents for r in plan.regions} | {cut.buffer: cut.extents}
    starts = {t.id: t.start for t in plan.tasks}
    return assemble(_resized(plan.problem, cut.buffer, size), starts, extents, plan.slices, plan.proof)


def _resized(problem: Problem, buffer: str, size: int) -> Problem:
    if buffer.startswith(SCRATCH_PREFIX):
        task = buffer.removeprefix(SCRATCH_PREFIX)
        return replace(
            problem,
            tasks=tuple(replace(t, scratch=Bytes(size)) if t.id == task else t for t in problem.tasks),
        )
    return replace(
        problem, buffers=tuple(replace(b, size=Bytes(size)) if b.id == buffer else b for b in problem.buffers)
    )


class WorkingSets:
    """Bytes that exist while each task runs, whatever the plan: its inputs, outputs and scratch.

    What its in-place permissions could save at most is subtracted.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.of = {t.id: self._bytes(t, {}) for t in problem.tasks}

    def largest(self, sizes: Mapping[str, int] | None = None) -> int:
        """The largest of them; ``sizes``: other aligned sizes of some buffers."""
        graph = self.problem.graph
        sizes = sizes or {}
        touched = {t for b in sizes for t in (*graph.readers[b], *((graph.writer[b],) if b in graph.writer else ()))}
        return max((self._bytes(graph.task[t], sizes) if t in touched else n for t, n in self.of.items()), default=0)

    def _bytes(self, task: Task, sizes: Mapping[str, int]) -> int:
        graph = self.problem.graph
        size = {b: sizes.get(b, int(graph.aligned_size[b])) for b in graph.working_set(task.id)}
        saved = sum(min(size[out], size[source]) for out, source in task.in_place if out in size and source in size)
        return sum(size.values()) - saved
