"""Place: an offset for every buffer on one address line, as low as can be found or within a capacity.

A capacity that is proved too small is an answer, not an error: it names the moment, the buffers and what would work.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalytic.solver.budget import Budget
from catalytic.solver.errors import InvalidPlan, Refused, StorageError
from catalytic.solver.formats import BufferTable, dump_minimalloc
from catalytic.solver.interrupts import interruptible
from catalytic.solver.plan import Evidence, Status
from catalytic.solver.units import exact_size

from .buffer_tables import Buffers, collisions, lives, read_buffers, require_room
from .files import write_whole
from .views.svg_map import Picture, svg_map

if TYPE_CHECKING:
    from catalytic.solver.placement.arena import Arena
    from catalytic.solver.placement.arena_portfolio import Placed

    from .request import Observer


STDOUT = Path("-")
"""As an output: the caller prints the table; nothing is written."""

SECONDS_FOR_REMEDY = 3.0
"""What looking for a capacity that works may take, within the time limit."""


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """One call of ``catalytic place``. ``capacity`` None: as low as can be found.

    ``output``, ``svg``: files to write once the buffers are placed; ``best_effort``: also above the capacity.
    """

    path: Path
    capacity: int | None = None
    budget: Budget = Budget()
    output: Path | None = None
    svg: Path | None = None
    best_effort: bool = False


@dataclass(frozen=True, slots=True)
class Alive:
    """A buffer at a moment: its bytes and its lifetime ``[lower, upper)``."""

    id: str
    size: int
    lower: int
    upper: int


@dataclass(frozen=True, slots=True)
class FullMoment:
    """The first time ``[start, end)`` with the most bytes alive, and the buffers alive in it, the largest first."""

    start: int
    end: int
    bytes: int
    buffers: tuple[Alive, ...]


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

    answer: PlaceAnswer
    table: BufferTable

    def csv(self) -> str | None:
        """The buffers in the dialect of their file, with offsets; None when there are none to write."""
        offsets = self.answer.offsets
        return None if offsets is None else dump_minimalloc(self.table, [offsets[name] for name in self.table.id])


@interruptible()
def place_file(request: PlaceRequest, observer: Observer | None = None) -> PlacedFile:
    """Give the buffers in ``request.path`` offsets and write the files that were asked for.

    ``InputError`` with every mistake of the file: offsets that it gives and that collide or leave the capacity too.
    """
    for file in (request.output, request.svg):
        if file is not None and file != STDOUT:
            _require_place_for(file, request)
    buffers, budget = read_buffers(request.path, request.budget, observer)
    table = buffers.table
    require_room(table, str(request.path), request.capacity)
    arena = arena_of(table)
    placed = _search(arena, budget, request.capacity, observer)
    offset = None if placed.offset is None else [int(at) for at in placed.offset]
    if offset is not None:
        _require_valid(table, offset, placed.height)
    accepted = placed.status in (Status.OPTIMAL, Status.FEASIBLE)
    accepted |= request.best_effort and placed.status is Status.UNKNOWN
    answer = _answer(request, buffers, arena, placed, offset, accepted=accepted, seconds=budget.elapsed_s())
    found = PlacedFile(answer, table)
    if (text := found.csv()) is not None and answer.file is not None:
        write_whole(answer.file, text.encode())
    if answer.svg is not None and offset is not None:
        marks = Picture(answer.name, buffers.clock, answer.height or 0, answer.bound, request.capacity)
        write_whole(answer.svg, svg_map(table, offset, [lives(table, b) for b in range(len(offset))], marks).encode())
    return found


def _require_place_for(file: Path, request: PlaceRequest) -> None:
    """Say now, not after a minute of searching, that a file cannot be written or would destroy what is read."""
    if not file.absolute().parent.is_dir():
        raise StorageError(f"{file}: could not be written: there is no folder {file.parent}")
    if file.exists() and file.samefile(request.path):
        raise Refused(f"{file} is the file that is read; name another one")
    if request.svg is not None and request.output is not None and request.svg.absolute() == request.output.absolute():
        raise Refused(f"{file} cannot hold both the offsets and the picture; name two files")


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
    from catalytic.solver.placement.arena_portfolio import place_arena

    placed = place_arena(arena, budget, capacity=capacity, observer=observer)
    if placed.status is not Status.INFEASIBLE or not placed.gap:
        return placed
    limit = min(budget.time_limit_s, budget.elapsed_s() + SECONDS_FOR_REMEDY)
    lowest = place_arena(arena, replace(budget, time_limit_s=limit), observer=observer)
    if lowest.height is None or placed.height is None or lowest.height >= placed.height:
        return placed
    return replace(placed, offset=lowest.offset, height=lowest.height)


def _require_valid(table: BufferTable, offset: list[int], height: int | None) -> None:
    """No placement leaves unchecked: it is looked at again, by the definition, whoever made it."""
    name = table.id
    broken = [f"{name[a]!r} and {name[b]!r} share bytes while both are alive" for a, b in collisions(table, offset)]
    for b, at in enumerate(offset):
        if at < 0 or at % table.alignment[b]:
            broken.append(f"{name[b]!r} at {at} is not aligned to {table.alignment[b]}")
        if table.offset[b] not in (None, at):
            broken.append(f"{name[b]!r} is at {at}, and {table.offset[b]} was given")
    highest = max((at + s for at, s in zip(offset, table.size, strict=True) if s), default=0)
    if height is not None and highest > height:
        broken.append(f"the highest byte is {highest}, and {height} was said")
    if broken:
        raise InvalidPlan(broken)


def _answer(
    request: PlaceRequest,
    buffers: Buffers,
    arena: Arena,
    placed: Placed,
    offset: list[int] | None,
    *,
    accepted: bool,
    seconds: float,
) -> PlaceAnswer:
    table = buffers.table
    hints = [(hint, b) for b, hint in enumerate(table.hint) if hint is not None and table.offset[b] is None]
    kept = sum(offset[b] == hint for hint, b in hints) if offset is not None else 0
    missed = request.capacity is not None and placed.status in (Status.INFEASIBLE, Status.UNKNOWN)
    return PlaceAnswer(
        name=buffers.name,
        kind=buffers.kind,
        clock=buffers.clock,
        status=placed.status,
        buffers=len(table.id),
        given=sum(at is not None for at in table.offset),
        hints=(len(hints), kept),
        capacity=request.capacity,
        height=placed.height,
        bound=placed.bound,
        evidence=placed.evidence,
        gap=placed.gap,
        fullest=fullest_moment(arena, table.id),
        remedy=_remedy(request, placed.height) if missed and placed.height is not None else None,
        nodes=placed.nodes,
        seconds=round(seconds, 3),
        time_limit_s=request.budget.time_limit_s,
        best_effort=request.best_effort,
        file=request.output if accepted and request.output != STDOUT else None,
        svg=request.svg if accepted else None,
        notes=buffers.notes,
        offsets=dict(zip(table.id, offset, strict=True)) if accepted and offset is not None else None,
    )


def fullest_moment(arena: Arena, names: tuple[str, ...]) -> FullMoment | None:
    """The first moment with the most bytes alive; one sweep over births and deaths. O(n log n)."""
    pieces = arena.pieces()
    if not pieces.buffer.size:
        return None
    size = arena.size[pieces.buffer]
    moments, at = np.unique(np.concatenate([pieces.birth, pieces.death]), return_inverse=True)
    change = np.zeros(moments.size, dtype=np.int64)
    np.add.at(change, at[: size.size], size)
    np.subtract.at(change, at[size.size :], size)
    live = np.cumsum(change)
    k = int(np.argmax(live))
    start = int(moments[k])
    alive = pieces.buffer[(pieces.birth <= start) & (start < pieces.death)]
    rows = [Alive(names[b], int(arena.size[b]), int(arena.lower[b]), int(arena.upper[b])) for b in alive.tolist()]
    rows.sort(key=lambda row: (-row.size, row.id))
    return FullMoment(start, int(moments[k + 1]), int(live[k]), tuple(rows))


def _remedy(request: PlaceRequest, height: int) -> str:
    """The same call with the smallest capacity that is known to work; quoted for a shell."""
    words = ["catalytic", "place", str(request.path), "--capacity", exact_size(height)]
    for name, file in (("-o", request.output), ("--svg", request.svg)):
        words += [name, str(file)] if file is not None else []
    if request.budget.time_limit_s != Budget().time_limit_s:
        words += ["--time-limit", f"{request.budget.time_limit_s:g}"]
    words += ["--seed", str(request.budget.seed)] if request.budget.seed else []
    return shlex.join(words)
