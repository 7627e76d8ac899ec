"""Bytes alive over the time of a plan: when most are, who is alive then, and what a smaller buffer would help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from ..plan import Extent, Objective, Plan, assemble
from ..problem import SCRATCH_PREFIX, Problem
from ..units import Bytes, align_up

MOST_SHRUNK = 24
"""Buffers that are shrunk, the largest first: a plan is put together for each."""


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


def ceiling_of(plan: Plan) -> int:
    """Most bytes that the plan could use: what its target leaves, and no more than the workspace.

    Where the largest reuse factor is the objective, more bytes than it uses would be a worse plan.
    """
    if plan.proof.objective is Objective.REUSE:
        return int(plan.measures.footprint)
    capacity, target = int(plan.problem.workspace.capacity), plan.proof.target
    if target is None:
        return capacity
    return min(capacity, int((1 - Fraction(str(target))) * plan.measures.allocated))


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
    throughout = alive_throughout(plan, fullest(live_stretches(plan)))
    height: dict[int, int] = {}
    for r in plan.regions:
        for e in r.extents:
            height[e.partition] = max(height.get(e.partition, 0), e.end)
    topmost = [r.buffer for r in plan.regions if any(e.end == height[e.partition] for e in r.extents)]
    size = {r.buffer: int(r.length) for r in plan.regions}
    candidates = sorted({*throughout, *topmost}, key=lambda b: (-size[b], b))
    single = [b for b in candidates if len(plan.region_of[b].extents) == 1][:MOST_SHRUNK]
    return tuple(_shrunk(plan, b, by) for b in single)


def _shrunk(plan: Plan, buffer: str, by: int) -> Shrunk:
    declared = int(plan.problem.graph.buffer[buffer].size)
    new_size = max(1, declared - by)
    problem = _resized(plan.problem, buffer, new_size)
    (extent,) = plan.region_of[buffer].extents
    length = align_up(new_size, problem.workspace.alignment)
    extents = {r.buffer: r.extents for r in plan.regions}
    extents[buffer] = (Extent(extent.partition, extent.offset, length),)
    starts = {t.id: t.start for t in plan.tasks}
    m = assemble(problem, starts, extents, plan.slices, plan.proof).measures
    return Shrunk(
        buffer=buffer,
        size=declared,
        by=declared - new_size,
        peak=plan.measures.peak_live - m.peak_live,
        footprint=plan.measures.footprint - m.footprint,
        working_set=largest_working_set(plan.problem) - largest_working_set(problem),
    )


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


def largest_working_set(problem: Problem) -> int:
    """Bytes that exist while some task runs, whatever the plan: its inputs, outputs and scratch.

    What its in-place permissions could save at most is subtracted.
    """
    graph = problem.graph
    most = 0
    for t in problem.tasks:
        size = {b: int(graph.aligned_size[b]) for b in graph.working_set(t.id)}
        saved = sum(min(size[out], size[source]) for out, source in t.in_place if out in size and source in size)
        most = max(most, sum(size.values()) - saved)
    return most
