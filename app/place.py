"""Place: an offset for every buffer on one address line, as low as can be found or within a capacity.

A capacity that is proved too small is an answer, not an error: it names the moment, the buffers and what would work.
Several arenas, and slices of pools, are another question: ``place_arenas``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import BufferTable, dump_minimalloc
from catalytic.solver.interrupts import interruptible
from catalytic.solver.plan import Evidence, Status

from .buffer_tables import Buffers, in_arenas, lives, read_buffers, require_room
from .files import write_whole
from .placing import SECONDS_FOR_REMEDY, STDOUT, Alive, PlaceRequest, alive, broken_rules, command_line, require_files
from .ready import ready
from .views.svg_map import Picture, svg_map

if TYPE_CHECKING:
    from catalytic.solver.placement.arena import Arena
    from catalytic.solver.placement.arena_portfolio import Placed

    from .place_arenas import ArenasAnswer
    from .request import Observer


@dataclass(frozen=True, slots=True)
class FullMoment:
    """The time ``[start, end)`` that forces the bound, and its buffers, the largest first; ``bytes`` of them all.

    ``at_once``: they are alive together in all of it, the most bytes that ever are where nothing else forces more.
    Otherwise a search went through all placements of these buffers.
    """

    start: int
    end: int
    bytes: int
    buffers: tuple[Alive, ...]
    at_once: bool


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """A placement in figures; sizes, offsets and heights in bytes, times in the ``clock`` of the file.

    ``height``: of the best placement known, also one above the capacity; None: none is known. ``bound``: none is lower,
    known by ``evidence``. ``gap`` = (height - bound) / height. ``fullest``: None without a buffer that has bytes.
    ``given``: buffers at an offset of the file; ``hints``: how many are preferred, and how many of those were kept.
    ``offsets``: None unless placed within the capacity, or ``best_effort``. ``remedy``: a command line that works.
    """

    name: str
    kind: str
    clock: str
    status: Status
    buffers: int
    given: int
    hints: tuple[int, int]
    capacity: int | None
    height: int | None
    bound: int
    evidence: Evidence
    gap: float | None
    fullest: FullMoment | None
    remedy: str | None
    nodes: int
    seconds: float
    time_limit_s: float
    best_effort: bool
    file: Path | None
    svg: Path | None
    notes: tuple[str, ...]
    offsets: dict[str, int] | None

    @property
    def missed(self) -> bool:
        """Whether the best placement is above the capacity."""
        return self.status in (Status.INFEASIBLE, Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """The answer, and the buffers it is about."""

    answer: PlaceAnswer | ArenasAnswer
    table: BufferTable

    def csv(self) -> str | None:
        """The buffers in the dialect of their file, with offsets; None when there are none to write."""
        offsets = self.answer.offsets
        if offsets is None:
            return None
        arenas = None if isinstance(self.answer, PlaceAnswer) else self.answer.arena_of
        own = None if arenas is None else [arenas[name] for name in self.table.id]
        return dump_minimalloc(self.table, [offsets[name] for name in self.table.id], own)


@interruptible()
def place_file(request: PlaceRequest, observer: Observer | None = None) -> PlacedFile:
    """Give the buffers in ``request.path`` offsets and write the files that were asked for.

    ``InputError`` with every mistake of the file: offsets that it gives and that collide or leave the capacity too.
    """
    require_files(request)
    buffers, budget = read_buffers(request.path, request.budget, observer, arenas=len(request.capacities))
    require_room(buffers.table, str(request.path), request.capacities)
    answer: PlaceAnswer | ArenasAnswer
    if in_arenas(buffers.table, len(request.capacities)):
        from .place_arenas import place_in_arenas

        answer, picture = place_in_arenas(request, buffers, budget, observer)
    else:
        answer, picture = _place_on_one_line(request, buffers, budget, observer)
    found = PlacedFile(answer, buffers.table)
    if (text := found.csv()) is not None and answer.file is not None:
        write_whole(answer.file, text.encode())
    if answer.svg is not None and picture is not None:
        write_whole(answer.svg, picture.encode())
    return found


def _place_on_one_line(
    request: PlaceRequest, buffers: Buffers, budget: Budget, observer: Observer | None
) -> tuple[PlaceAnswer, str | None]:
    """The answer, and the picture if one is to be written."""
    table = buffers.table
    placed = _search(arena_of(table), budget, request.capacity, observer)
    if request.minimise and placed.status is Status.FEASIBLE and request.capacity is not None:
        placed = _lower(placed, _search(arena_of(table), budget, None, observer))
    offset = [int(at) for at in placed.offset]
    if broken := broken_rules(table, offset, placed.height):
        raise InvalidPlan(broken)
    accepted = placed.status in (Status.OPTIMAL, Status.FEASIBLE)
    accepted |= request.best_effort and placed.status is Status.UNKNOWN
    answer = _answer(request, buffers, placed, offset, accepted=accepted, seconds=budget.elapsed_s())
    if answer.svg is None:
        return answer, None
    marks = Picture(answer.name, buffers.clock, placed.height, answer.bound, request.capacity)
    return answer, svg_map(table, offset, [lives(table, b) for b in range(len(offset))], marks)


def arena_of(table: BufferTable) -> Arena:
    """The placement problem of ``table``: offsets that it states are fixed, its hints preferred."""
    from catalytic.solver.placement.arena import Arena

    return Arena.of(
        table.lower,
        table.upper,
        table.size,
        alignment=table.alignment,
        fixed=[-1 if offset is None else offset for offset in table.offset],
        preferred=[-1 if hint is None else hint for hint in table.hint],
        gaps=table.gaps,
    )


def _search(arena: Arena, budget: Budget, capacity: int | None, observer: Observer | None) -> Placed:
    """The one place where buffers are placed; ``read_buffers`` had the loops compiled, announced and not counted.

    A capacity can be refuted at once, when next to nothing has been tried: what would do is then looked for.
    """
    from catalytic.solver.placement.arena import components
    from catalytic.solver.placement.arena_portfolio import place_arena
    from catalytic.solver.placement.restarts import is_tileable
    from catalytic.solver.warm_up import FOR_FULL_ARENAS

    if any(is_tileable(component) for component in components(arena)):
        budget = ready(budget, observer, (FOR_FULL_ARENAS,))
    placed = place_arena(arena, budget, capacity=capacity, observer=observer)
    if placed.status is not Status.INFEASIBLE or not placed.gap:
        return placed
    limit = min(budget.time_limit_s, budget.elapsed_s() + SECONDS_FOR_REMEDY)
    lowest = place_arena(arena, replace(budget, time_limit_s=limit), observer=observer)
    if lowest.height >= placed.height:
        return placed
    return replace(placed, offset=lowest.offset, height=lowest.height)


def _lower(placed: Placed, other: Placed) -> Placed:
    """The lower of two placements with the higher of their bounds, which may meet."""
    best = min(placed, other, key=lambda p: p.height)
    known = max(placed, other, key=lambda p: p.bound)
    status = Status.OPTIMAL if best.height == known.bound else Status.FEASIBLE
    return replace(known, status=status, offset=best.offset, height=best.height, nodes=placed.nodes + other.nodes)


def _answer(
    request: PlaceRequest, buffers: Buffers, placed: Placed, offset: list[int], *, accepted: bool, seconds: float
) -> PlaceAnswer:
    table = buffers.table
    hints = [(hint, b) for b, hint in enumerate(table.hint) if hint is not None and table.offset[b] is None]
    missed = request.capacity is not None and placed.status in (Status.INFEASIBLE, Status.UNKNOWN)
    return PlaceAnswer(
        name=buffers.name,
        kind=buffers.kind,
        clock=buffers.clock,
        status=placed.status,
        buffers=len(table.id),
        given=sum(at is not None for at in table.offset),
        hints=(len(hints), sum(offset[b] == hint for hint, b in hints)),
        capacity=request.capacity,
        height=placed.height,
        bound=placed.bound,
        evidence=placed.evidence,
        gap=placed.gap,
        fullest=_fullest(placed, table),
        remedy=command_line(request, [placed.height]) if missed else None,
        nodes=placed.nodes,
        seconds=round(seconds, 3),
        time_limit_s=request.budget.time_limit_s,
        best_effort=request.best_effort,
        file=request.output if accepted and request.output != STDOUT else None,
        svg=request.svg if accepted else None,
        notes=buffers.notes,
        offsets=dict(zip(table.id, offset, strict=True)) if accepted else None,
    )


def _fullest(placed: Placed, table: BufferTable) -> FullMoment | None:
    """What forces the bound, with the names of the file."""
    moment = placed.moment
    if moment is None:
        return None
    total = sum(table.size[b] for b in moment.buffers)
    at_once = placed.evidence is Evidence.CERTIFICATE
    return FullMoment(moment.start, moment.end, total, alive(table, moment.buffers), at_once)
