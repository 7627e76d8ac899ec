"""From whatever file a user names to buffers with lifetimes: a table that states them, a plan, a timeline, a problem.

What is asked of all of them is the same: an offset for each buffer on one address line. A problem states no lifetimes;
they follow from an order of its tasks, one after another, which is searched first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.errors import Mistake
from catalytic.solver.formats import BufferTable, detect, load_minimalloc
from catalytic.solver.formats.reading import refuse
from catalytic.solver.units import MAX_BYTES, Tick, align_up, format_size

from .ready import ready

if TYPE_CHECKING:
    from catalytic.solver.plan import Plan
    from catalytic.solver.problem import Problem

    from .request import Observer

SHARE_OF_ORDER = 0.5
"""Share of the time limit for the order of a problem's tasks; the rest places its buffers."""

LOOPS, LOOPS_OF_ARENAS, LOOPS_OF_ORDERS = ("placement",), ("placement", "partitions"), ("exact", "search")
"""Parts of ``warm_up`` that placing buffers needs, on one line or in several arenas, and searching orders before."""

MOST_COLLISIONS = 1000
"""Pairs that are looked for: a file in which more collide has one cause, and nobody reads a list of them."""

Life = tuple[int, int]
"""A half-open interval of time in which a buffer needs its bytes."""


@dataclass(frozen=True, slots=True)
class Buffers:
    """What is to be placed. ``clock``: what a unit of time is; ``notes``: what the reader of the file should know."""

    name: str
    kind: str
    table: BufferTable
    clock: str
    notes: tuple[str, ...] = ()


def in_arenas(table: BufferTable, arenas: int) -> bool:
    """Whether ``table`` asks for more than offsets on one address line: several arenas, or slices of pools."""
    return arenas > 1 or any(table.pool) or any(arena is not None for arena in table.arena)


def read_buffers(
    path: Path, budget: Budget, observer: Observer | None = None, *, arenas: int = 1
) -> tuple[Buffers, Budget]:
    """The buffers in ``path``, and the budget that is left; ``InputError`` with every mistake of the file."""
    if detect(path) == "minimalloc":
        table = load_minimalloc(path)
        _require_summable(table, str(path))
        loops = LOOPS_OF_ARENAS if in_arenas(table, arenas) else LOOPS
        return Buffers(path.stem, "minimalloc", table, "ticks", _given(table)), ready(budget, observer, loops)
    from .sources import read_source

    source = read_source(path)
    problem, aside = source.problem, _left_aside(source.problem, arenas)
    loops = LOOPS_OF_ARENAS if arenas > 1 else LOOPS
    if source.loaded is None and source.starts is None:
        budget = ready(budget, observer, (*LOOPS_OF_ORDERS, *loops))
        found, order = _of_order(problem, budget, observer)
        buffers = Buffers(problem.name, source.kind, found, "steps", (*source.notes, order, *aside))
    else:
        budget = ready(budget, observer, loops)
        lives = "the lifetimes are those of the file, and stay"
        found = _of_starts(problem, source.starts or {}) if source.loaded is None else _of_plan(source.loaded.plan)
        buffers = Buffers(problem.name, source.kind, found, "ms", (lives, *aside))
    _require_summable(buffers.table, str(path))
    return buffers, budget


def _of_plan(plan: Plan) -> BufferTable:
    regions = plan.regions
    return BufferTable.of(
        [r.id for r in regions],
        [r.lifetime.birth for r in regions],
        [r.lifetime.death for r in regions],
        [r.length for r in regions],
        plan.problem.workspace.alignment,
    )


def _of_starts(problem: Problem, starts: Mapping[str, Tick]) -> BufferTable:
    from catalytic.solver.plan import lifetimes

    lives = lifetimes(problem, starts)
    names = list(problem.graph.resident)
    return _table(problem, names, [lives[b].birth for b in names], [lives[b].death for b in names])


def _of_order(problem: Problem, budget: Budget, observer: Observer | None) -> tuple[BufferTable, str]:
    """Lifetimes in steps of the best order found, and what that means."""
    from catalytic.solver.order.profile import profile

    from .bound import search_order

    found = search_order(problem, budget, SHARE_OF_ORDER, observer)
    spans = profile(problem, found.order).spans
    names = [b for b in problem.graph.resident if b in spans]
    table = _table(problem, names, [spans[b][0] for b in names], [spans[b][1] + 1 for b in names])
    quality = "no order has less" if found.proved else f"no order has less than {format_size(found.lower)}"
    policy = problem.policy
    return table, (
        f"the {len(found.order)} tasks run one after another, with at most {format_size(found.peak)} alive "
        f"({quality}); inputs {policy.inputs.value}, outputs {policy.outputs.value}"
    )


def _table(problem: Problem, names: Sequence[str], lower: Sequence[int], upper: Sequence[int]) -> BufferTable:
    size = problem.graph.aligned_size
    return BufferTable.of(names, lower, upper, [size[b] for b in names], problem.workspace.alignment)


def _left_aside(problem: Problem, arenas: int) -> tuple[str, ...]:
    """What of a problem address lines do not know."""
    notes = []
    counted = ((len(problem.graph.pools), "pools"), (problem.workspace.partitions, "partitions"))
    several = [f"{count} {noun}" for count, noun in counted if count > 1]
    if several:
        shared = "the buffers share the arenas" if arenas > 1 else "all buffers share one address line"
        notes.append(f"{' and '.join(several)} are left aside: {shared}")
    if any(t.in_place for t in problem.tasks):
        notes.append("outputs that may take over an input's bytes in place get bytes of their own here")
    return tuple(notes)


def _given(table: BufferTable) -> tuple[str, ...]:
    fixed = sum(offset is not None for offset in table.offset)
    return (f"{fixed} of {len(table.id)} buffers stay at the offset that the file gives them",) if fixed else ()


def _require_summable(table: BufferTable, origin: str) -> None:
    """Offsets are whole numbers of 64 bits: even one buffer above another must stay below 2^62."""
    most = max((f + s for f, s in zip(table.offset, table.size, strict=True) if f is not None), default=0)
    total = most + sum(align_up(s, a) for s, a in zip(table.size, table.alignment, strict=True))
    if total > MAX_BYTES:
        refuse(origin, [Mistake("size", f"{total} bytes in all", f"sizes that add up to at most {MAX_BYTES}")])


def require_room(table: BufferTable, origin: str, capacities: Sequence[int]) -> None:
    """``InputError`` when given arenas or offsets cannot be, every one by line and column.

    ``capacities``: of each arena; none: the one address line has no end.
    """
    count = len(capacities)
    if not count and in_arenas(table, count):
        column = "pool" if any(table.pool) else "arena"
        allowed = "a capacity for each arena: --capacity, once or several times"
        refuse(origin, [Mistake("header", f"the column {column}", allowed, "or leave it empty")])
    if in_arenas(table, count) and min(capacities) < 1:
        refuse(origin, [Mistake("--capacity", str(min(capacities)), "a byte or more in each arena")])
    mistakes: list[Mistake] = []
    inside: dict[int, list[int]] = {}
    line = table.line or range(len(table.id))
    for b, (arena, offset, size) in enumerate(zip(table.arena, table.offset, table.size, strict=True)):
        if arena is not None and arena >= count:
            mistakes.append(Mistake(f"line {line[b]}, arena", str(arena), f"0 to {count - 1}, one for each --capacity"))
        elif offset is not None and arena is None and count > 1:
            mistakes.append(Mistake(f"line {line[b]}, offset", str(offset), "an arena beside it, or an empty offset"))
        elif offset is not None:
            inside.setdefault(arena or 0, []).append(b)
            if count and offset + size > (capacity := capacities[arena or 0]):
                fits = f"at most {capacity - size}" if size <= capacity else "none"
                allowed = f"{fits}: the buffer has {size} bytes, the capacity {capacity}"
                mistakes.append(Mistake(f"line {line[b]}, offset", str(offset), allowed))
    for own in inside.values():
        part = table.only(own)
        mistakes += [
            _collision(table, own[a], own[b]) for a, b in sorted(islice(collisions(part, part.offset), MOST_COLLISIONS))
        ]
    refuse(origin, mistakes)


def _collision(table: BufferTable, a: int, b: int) -> Mistake:
    """The given offset of ``b`` is a mistake: bytes of ``a`` are there."""
    line = table.line or range(len(table.id))
    start, stop = table.offset[a], (table.offset[a] or 0) + table.size[a]
    allowed = f"none of [{start}, {stop}), where {table.id[a]!r} of line {line[a]} lies while both are alive"
    return Mistake(f"line {line[b]}, offset", str(table.offset[b]), allowed, "leave one of them empty")


def lives(table: BufferTable, b: int) -> list[Life]:
    """The intervals in which buffer ``b`` needs its bytes, in order."""
    ends = [table.lower[b], *(t for gap in table.gaps[b] for t in gap), table.upper[b]]
    return [(a, z) for a, z in zip(ends[::2], ends[1::2], strict=True) if a < z]


def collisions(table: BufferTable, offset: Sequence[int | None]) -> Iterator[tuple[int, int]]:
    """Pairs of buffers that share a byte while both are alive, each pair once; None: no offset, no collision.

    One sweep over time. The living buffers that collide with none are disjoint, so that a newborn meets the ones next
    to it in the order of addresses; those that do collide are kept apart and compared with one by one.
    """
    events = []
    for b, at in enumerate(offset):
        if at is not None and table.size[b]:
            spans = lives(table, b) if table.gaps[b] else [(table.lower[b], table.upper[b])]
            for birth, death in spans:
                events += [(birth, 1, b), (death, 0, b)]
    events.sort()
    apart: list[tuple[int, int, int]] = []
    astray: list[tuple[int, int, int]] = []
    told: set[tuple[int, int]] = set()
    for _, born, b in events:
        bottom = offset[b] or 0
        own = (bottom, bottom + table.size[b], b)
        at = bisect_left(apart, own)
        if not born:
            if at < len(apart) and apart[at] == own:
                del apart[at]
            else:
                astray.remove(own)
            continue
        # Below the newborn only the next can reach it; above it, everybody that begins before it ends.
        near = apart[max(0, at - 1) : bisect_left(apart, (own[1],))]
        met = [other for other in (*near, *astray) if other[0] < own[1] and own[0] < other[1]]
        if met:
            astray.append(own)
        else:
            apart.insert(at, own)
        for _, _, other in met:
            pair = (min(b, other), max(b, other))
            if pair not in told:
                told.add(pair)
                yield pair
