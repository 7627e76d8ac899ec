"""Several arenas: each buffer wholly in one of them, or the moment and the buffers for which there is no room.

::

    arena 0   |  a  | b |     c      |         |     memories of a chip, banks, devices: each has a size of its own;
    arena 1   |   d   |    e    |    |               no buffer crosses from one into the next

Where the file names pools, the buffers of each lie next to each other: in no arena does another pool's buffer lie
between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import BufferTable
from catalytic.solver.plan import Evidence, Status

from .buffer_tables import Buffers, lives
from .placing import SECONDS_FOR_REMEDY, STDOUT, Alive, PlaceRequest, alive, broken_rules, command_line, highest_byte
from .views.svg_map import Chart, Picture, svg_maps

if TYPE_CHECKING:
    from catalytic.solver.placement.partition_question import Partitioned
    from catalytic.solver.placement.partitioned import Placed

    from .request import Observer


@dataclass(frozen=True, slots=True)
class ArenaUse:
    """One arena: its bytes, the first byte above its buffers, and their number."""

    arena: int
    capacity: int
    height: int
    buffers: int


@dataclass(frozen=True, slots=True)
class Slice:
    """What a pool has of an arena: ``[offset, offset + size)``, and no other pool's buffer in it."""

    pool: str
    arena: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Why there is no placement: ``reason``, about ``buffers`` (the largest first) in ``[start, end)``."""

    start: int
    end: int
    reason: str
    buffers: tuple[Alive, ...]


@dataclass(frozen=True, slots=True)
class ArenasAnswer:
    """A placement in several arenas in figures; sizes in bytes, times in the ``clock`` of the file.

    ``footprint``: heights of the arenas added up; no placement has less than ``bound``. ``evidence``: of the bound, or
    of what is impossible. ``gap`` = (footprint - bound) / footprint. ``arenas``, ``slices`` (of pools that the file
    names), ``offsets`` and ``arena_of`` are empty or None without a placement. ``given``: buffers at an offset of the
    file; ``hints``: how many are preferred, and how many of those were kept. ``impossible``: why there is no placement;
    ``remedy``: what works.
    """

    name: str
    kind: str
    clock: str
    status: Status
    buffers: int
    given: int
    hints: tuple[int, int]
    capacities: tuple[int, ...]
    minimise: bool
    footprint: int | None
    bound: int
    evidence: Evidence
    gap: float | None
    arenas: tuple[ArenaUse, ...]
    slices: tuple[Slice, ...]
    impossible: Contradiction | None
    remedy: str | None
    seconds: float
    time_limit_s: float
    file: Path | None
    svg: Path | None
    notes: tuple[str, ...]
    offsets: dict[str, int] | None
    arena_of: dict[str, int] | None


def place_in_arenas(
    request: PlaceRequest, buffers: Buffers, budget: Budget, observer: Observer | None
) -> tuple[ArenasAnswer, str | None]:
    """The answer, and the picture if one is to be written. The offsets that ``buffers`` give have been looked at."""
    from catalytic.solver.placement.partitioned import place_partitioned

    table = buffers.table
    question = question_of(table, request.capacities)
    placed = place_partitioned(question, budget, minimise=request.minimise, observer=observer)
    spots = _spots(table, placed)
    if spots is not None and (broken := _broken(table, request.capacities, spots)):
        raise InvalidPlan(broken)
    remedy = None
    if placed.status is Status.INFEASIBLE and (larger := _capacities_that_work(question, budget)) is not None:
        remedy = command_line(request, larger)
    answer = _answer(request, buffers, placed, spots, remedy, budget.elapsed_s())
    if answer.svg is None or spots is None:
        return answer, None
    return answer, svg_maps(answer.name, _charts(answer, table, spots))


def question_of(table: BufferTable, capacities: Sequence[int]) -> Partitioned:
    """The buffers of ``table`` that have bytes, in its order, and an arena of each of the ``capacities``.

    An arena that the file gives holds its buffer, at the offset if that is given too. A hint is a wish for an offset in
    that arena; where there are several and none is named it is no wish.
    """
    from catalytic.solver.placement.arena import Arena
    from catalytic.solver.placement.partition_question import Partitioned

    own = _with_bytes(table)
    some = table.only(own)
    count = len(capacities)
    home = [_home(some, b, count) for b in range(len(own))]
    wished = [at is not None and offset is None for at, offset in zip(some.hint, some.offset, strict=True)]
    names = {name: k for k, name in enumerate(sorted(set(some.pool)))}
    return Partitioned.of(
        Arena.of(some.lower, some.upper, some.size, alignment=some.alignment, gaps=some.gaps),
        capacities,
        pool=[names[name] for name in some.pool],
        held=home,
        held_offset=[-1 if offset is None else offset for offset in some.offset],
        preferred=[arena if wish else -1 for arena, wish in zip(home, wished, strict=True)],
        preferred_offset=[
            hint if wish and arena >= 0 and hint is not None else -1
            for arena, hint, wish in zip(home, some.hint, wished, strict=True)
        ],
    )


def _with_bytes(table: BufferTable) -> list[int]:
    """Buffers without bytes lie anywhere, and are not asked about."""
    return [b for b, size in enumerate(table.size) if size]


def _home(table: BufferTable, b: int, count: int) -> int:
    """The arena that holds buffer ``b``, or -1; where there is one arena, that one."""
    arena = table.arena[b]
    return arena if arena is not None else 0 if count == 1 else -1


Spot = tuple[int, int]
"""Arena, and offset in it."""


def _spots(table: BufferTable, placed: Placed) -> list[Spot] | None:
    """Where each buffer of ``table`` lies; those without bytes where the file says, or at the first byte."""
    if placed.partition is None or placed.offset is None:
        return None
    spots = [(arena or 0, offset or 0) for arena, offset in zip(table.arena, table.offset, strict=True)]
    for b, arena, offset in zip(_with_bytes(table), placed.partition.tolist(), placed.offset.tolist(), strict=True):
        spots[b] = (arena, offset)
    return spots


def _inside(spots: Sequence[Spot], arena: int) -> list[int]:
    return [b for b, spot in enumerate(spots) if spot[0] == arena]


def _broken(table: BufferTable, capacities: Sequence[int], spots: Sequence[Spot]) -> list[str]:
    """The rules that a placement breaks, by the definition."""
    broken = [
        f"{table.id[b]!r} is in arena {spot[0]}, and {given} was given"
        for b, (spot, given) in enumerate(zip(spots, table.arena, strict=True))
        if given not in (None, spot[0])
    ]
    for arena, capacity in enumerate(capacities):
        own = _inside(spots, arena)
        found = broken_rules(table.only(own), [spots[b][1] for b in own], capacity)
        broken += [f"arena {arena}: {rule}" for rule in found]
    for first, second in pairwise(_slices(table, spots)):
        if first.arena == second.arena and first.offset + first.size > second.offset:
            broken.append(f"slices of pools {first.pool!r} and {second.pool!r} overlap in arena {first.arena}")
    return broken


def _slices(table: BufferTable, spots: Sequence[Spot]) -> tuple[Slice, ...]:
    """The least slice of each pool in each arena, by arena and offset."""
    ends: dict[tuple[int, str], tuple[int, int]] = {}
    for b in _with_bytes(table):
        arena, offset = spots[b]
        low, high = ends.get((arena, table.pool[b]), (offset, offset))
        ends[arena, table.pool[b]] = (min(low, offset), max(high, offset + table.size[b]))
    slices = [Slice(pool, arena, low, high - low) for (arena, pool), (low, high) in ends.items()]
    return tuple(sorted(slices, key=lambda s: (s.arena, s.offset, s.pool)))


def _capacities_that_work(question: Partitioned, budget: Budget) -> list[int] | None:
    """Capacities with a larger largest arena, in which everything was placed; None when none was found soon.

    The growth is doubled from the least that may be missing until there is a placement, which then says how much of it
    is needed. Buffers that are held elsewhere may not be helped by it.
    """
    from catalytic.solver.placement.partition_question import heights
    from catalytic.solver.placement.partitioned import place_partitioned

    sizes = list(question.partitions)
    largest = sizes.index(max(sizes))
    total = int((question.arena.size + question.arena.alignment).sum())
    until = min(budget.time_limit_s, budget.elapsed_s() + SECONDS_FOR_REMEDY)
    growth = max(1, int(question.arena.size.max(initial=0)) - sizes[largest])
    while budget.elapsed_s() < until:
        tried = [*sizes]
        tried[largest] += growth
        limit = replace(budget, time_limit_s=min(until, budget.elapsed_s() + SECONDS_FOR_REMEDY / 6))
        wider = replace(question, partitions=tuple(tried))
        placed = place_partitioned(wider, limit, minimise=False)
        if placed.partition is not None and placed.offset is not None:
            used = heights(wider, placed.partition.tolist(), placed.offset.tolist())
            tried[largest] = max(sizes[largest], used[largest])
            return tried
        if growth > total:
            return None
        growth *= 2
    return None


def _answer(
    request: PlaceRequest,
    buffers: Buffers,
    placed: Placed,
    spots: list[Spot] | None,
    remedy: str | None,
    seconds: float,
) -> ArenasAnswer:
    table = buffers.table
    hints = [(hint, b) for b, hint in enumerate(table.hint) if hint is not None and table.offset[b] is None]
    kept = 0 if spots is None else sum(spots[b][1] == hint for hint, b in hints)
    homeless = sum(_home(table, b, len(request.capacities)) < 0 for _, b in hints)
    notes = buffers.notes
    if homeless:
        notes = (*notes, f"{homeless} hints say nothing: without an arena beside it, a hint is not looked at")
    footprint = placed.footprint
    return ArenasAnswer(
        name=buffers.name,
        kind=buffers.kind,
        clock=buffers.clock,
        status=placed.status,
        buffers=len(table.id),
        given=sum(at is not None for at in table.offset),
        hints=(len(hints), kept),
        capacities=request.capacities,
        minimise=request.minimise,
        footprint=footprint,
        bound=placed.bound,
        evidence=placed.evidence,
        gap=None if footprint is None else (footprint - placed.bound) / max(1, footprint),
        arenas=() if spots is None else _uses(table, request.capacities, spots),
        slices=_slices(table, spots) if spots is not None and any(table.pool) else (),
        impossible=_contradiction(table, placed),
        remedy=remedy,
        seconds=round(seconds, 3),
        time_limit_s=request.budget.time_limit_s,
        file=request.output if spots is not None and request.output != STDOUT else None,
        svg=request.svg if spots is not None else None,
        notes=notes,
        offsets=None if spots is None else dict(zip(table.id, (offset for _, offset in spots), strict=True)),
        arena_of=None if spots is None else dict(zip(table.id, (arena for arena, _ in spots), strict=True)),
    )


def _uses(table: BufferTable, capacities: Sequence[int], spots: Sequence[Spot]) -> tuple[ArenaUse, ...]:
    uses = []
    for arena, capacity in enumerate(capacities):
        own = _inside(spots, arena)
        uses.append(ArenaUse(arena, capacity, highest_byte(table.only(own), [spots[b][1] for b in own]), len(own)))
    return tuple(uses)


def _contradiction(table: BufferTable, placed: Placed) -> Contradiction | None:
    """The solver's reason in the words of this command: what it calls a partition is an arena here."""
    found = placed.impossible
    if found is None:
        return None
    own = _with_bytes(table)
    reason = found.reason.replace("partition", "arena")
    return Contradiction(found.start, found.end, reason, alive(table, (own[b] for b in found.buffers)))


def _charts(answer: ArenasAnswer, table: BufferTable, spots: Sequence[Spot]) -> list[Chart]:
    charts = []
    for use in answer.arenas:
        own = _inside(spots, use.arena)
        part = table.only(own)
        marks = Picture(f"{answer.name}, arena {use.arena}", answer.clock, use.height, None, use.capacity)
        charts.append(Chart(part, [spots[b][1] for b in own], [lives(part, b) for b in range(len(own))], marks))
    return charts
