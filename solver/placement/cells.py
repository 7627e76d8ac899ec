"""From a schedule with partitions to addresses: each (pool, partition) cell is placed alone, then cells are stacked.

::

    partition 0   | tables slice | images slice      |   free
                  0              L                   H

Inside a partition the slice of a pool with a block larger than a partition comes first, because such a block starts at
the partition's boundary. The footprint is the sum of the stacked heights.

A local search asks hundreds of times and gets an answer by first fit. What is asked with effort goes on: cells that
reach above their share of what is allowed are searched, first for that share, then below it to make up for others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from ..arrays import Ints
from ..budget import Budget
from ..order import Compact
from ..plan import Extent, PoolSlice, lifetimes
from ..units import Bytes, Tick
from .arena import Arena, components
from .arena_portfolio import place_arena
from .constructive import first_placements

LEAST_EFFORT_S = 0.01
"""Effort for one cell below which a search is not worth the threads it runs on."""

QUICK_ORDERS = 4
"""Orders of first fit that are tried for every cell; the first of them are the best."""

SHARE_FOR_SHARES = 0.7
"""Of the effort, for reaching the shares."""

_Room = tuple[int, Sequence[int]]
"""Bytes, and the numbers of the cells that share them."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Extents of every resident buffer, pool slices, and the footprint in bytes. ``fits``: every partition holds."""

    extents: dict[str, tuple[Extent, ...]]
    slices: tuple[PoolSlice, ...]
    footprint: int
    fits: bool


@dataclass(slots=True)
class _Cell:
    """Pieces of blocks in one (pool, partition), fixed at 0 where the block spans partitions; and where they lie.

    ``bound``: bytes that no placement of the cell undercuts.
    """

    pool: int
    partition: int
    block: Ints
    arena: Arena
    bound: int = 0
    offset: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    height: int = 0


def place(
    compact: Compact,
    start: Ints,
    partition: Ints,
    budget: Budget,
    *,
    enough: int,
    effort_s: float = 0.0,
) -> Placement:
    """Addresses for blocks when task ``t`` starts at ``start[t]`` and ``partition[b]`` is the first one of block ``b``.

    First fit, and where that does not fit or takes more than ``enough`` bytes in all, a search of at most ``effort_s``
    seconds within the budget; a deterministic budget makes the same of them every time.
    """
    starts = {t: Tick(int(s)) for t, s in zip(compact.tasks, start, strict=True)}
    cells = _cells(compact, partition, starts)
    for cell in cells:
        _place_quickly(cell, budget.seed)
    if effort_s > 0.0:
        _improve(compact, cells, budget, enough, effort_s)
    return _stack(compact, cells)


def placed_at(compact: Compact, start: Ints, offset: Ints) -> Placement:
    """The placement that puts each block at its offset, on one address line; its blocks must not collide."""
    starts = {t: Tick(int(s)) for t, s in zip(compact.tasks, start, strict=True)}
    cells = _cells(compact, np.zeros(offset.size, np.int64), starts)
    for cell in cells:
        cell.offset = offset[cell.block]
        cell.height = int((cell.offset + cell.arena.size).max(initial=0))
    return _stack(compact, cells)


def _place_quickly(cell: _Cell, seed: int) -> None:
    """First fit in a few orders, one connected part after another; no part need be lower than the fullest moment."""
    parts = components(cell.arena)
    cell.bound = max(part.bound * part.unit for part in parts)
    cell.offset = np.maximum(cell.arena.fixed, 0)
    for part in parts:
        height = -1
        for offset in islice(first_placements(part, seed), QUICK_ORDERS):
            reached = int((offset + part.size).max())
            if height < 0 or reached < height:
                cell.offset[part.buffers], height = offset * part.unit, reached
            if height * part.unit <= cell.bound:
                break
        cell.height = max(cell.height, height * part.unit)


def _improve(compact: Compact, cells: list[_Cell], budget: Budget, enough: int, effort_s: float) -> None:
    """Lower cells until all fits: each to its share of what is allowed, then some below it for those that stay above.

    A height a percent above the bound is often found in a hundredth of a second where the least takes minutes.
    """
    rules = _rules(compact, cells)
    rooms = [(enough, range(len(cells))), *rules]
    left = effort_s if budget.deterministic else min(effort_s, budget.remaining_s())
    shares = _shares(cells, rooms)
    hopeless = sum(cell.bound for cell in cells) > enough
    for lowest in (True,) if hopeless else (False, True):
        above = [k for k, cell in enumerate(cells) if cell.height > (cell.bound if lowest else shares[k])]
        above.sort(key=lambda k: cells[k].bound - cells[k].height)
        for number, k in enumerate(above):
            if _hold(cells, rooms) or not _hold(cells, rules, least=True):
                return
            before = budget.elapsed_s()
            seconds = left / (len(above) - number) * (1.0 if lowest else SHARE_FOR_SHARES)
            if seconds >= LEAST_EFFORT_S:
                _search(cells[k], replace(budget, time_limit_s=seconds, started=None), None if lowest else shares[k])
            left -= seconds if budget.deterministic else budget.elapsed_s() - before


def _search(cell: _Cell, budget: Budget, goal: int | None) -> None:
    """A lower height for one cell, at most ``goal`` if there is one."""
    placed = place_arena(cell.arena, budget, capacity=goal)
    cell.bound = max(cell.bound, placed.bound)
    if placed.height < cell.height:
        cell.offset, cell.height = placed.offset, placed.height


def _rules(compact: Compact, cells: list[_Cell]) -> list[_Room]:
    """Bytes of every partition and every pool, with the cells that share them."""
    workspace = compact.problem.workspace
    rooms: list[_Room] = []
    for p in range(workspace.partitions):
        rooms.append((int(workspace.partition_size), [k for k, cell in enumerate(cells) if cell.partition == p]))
    for pool, limit in enumerate(compact.pool_limit.tolist()):
        rooms.append((limit, [k for k, cell in enumerate(cells) if cell.pool == pool]))
    return rooms


def _hold(cells: list[_Cell], rooms: list[_Room], *, least: bool = False) -> bool:
    """Whether the cells that share a room fit into it side by side; ``least``: if each were as low as its bound."""
    return all(sum(cells[k].bound if least else cells[k].height for k in own) <= room for room, own in rooms)


def _shares(cells: list[_Cell], rooms: list[_Room]) -> list[int]:
    """A height for each cell so that all fit: its bound and the same share of it in what the bounds leave free."""
    shares = [room for room, own in rooms[:1] for _ in own]
    for room, own in rooms:
        least = sum(cells[k].bound for k in own)
        for k in own:
            shares[k] = max(cells[k].bound, min(shares[k], cells[k].bound * room // max(1, least)))
    return shares


def _cells(compact: Compact, first: Ints, starts: dict[str, Tick]) -> list[_Cell]:
    lives = lifetimes(compact.problem, starts)
    part_size = int(compact.problem.workspace.partition_size)
    members: dict[tuple[int, int], list[tuple[int, int, int, int, int]]] = {}
    for b, buffers in enumerate(compact.blocks):
        birth = min(int(lives[x].birth) for x in buffers)
        death = max(int(lives[x].death) for x in buffers)
        rest, partition = int(compact.size[b]), int(first[b])
        spanning = rest > part_size
        while rest > 0:
            piece = min(rest, part_size)
            row = (b, birth, death, piece, 0 if spanning else -1)
            members.setdefault((int(compact.pool[b]), partition), []).append(row)
            rest, partition = rest - piece, partition + 1
    cells = []
    for (pool, partition), rows in sorted(members.items()):
        block, birth, death, size, fixed = np.array(rows, dtype=np.int64).T
        cells.append(_Cell(pool, partition, block, Arena.of(birth, death, size, fixed=fixed)))
    return cells


def _order_in_partition(cells: list[_Cell]) -> list[_Cell]:
    """By partition, then the one with fixed pieces first, then by pool."""
    return sorted(cells, key=lambda c: (c.partition, not bool((c.arena.fixed >= 0).any()), c.pool))


def _stack(compact: Compact, cells: list[_Cell]) -> Placement:
    """Slices from the partition's start upwards, and extents of every buffer of every block."""
    top: dict[int, int] = {}
    slices = []
    pieces: dict[int, list[Extent]] = {}
    for cell in _order_in_partition(cells):
        base = top.get(cell.partition, 0)
        slices.append(PoolSlice(compact.pools[cell.pool], cell.partition, Bytes(base), Bytes(cell.height)))
        top[cell.partition] = base + cell.height
        for b, at, size in zip(cell.block.tolist(), cell.offset.tolist(), cell.arena.size.tolist(), strict=True):
            pieces.setdefault(b, []).append(Extent(cell.partition, Bytes(base + at), Bytes(size)))
    extents = {}
    for b, buffers in enumerate(compact.blocks):
        for buffer in buffers:
            extents[buffer] = _cut(sorted(pieces[b]), compact.problem.graph.aligned_size[buffer])
    return Placement(extents, tuple(slices), sum(top.values()), _hold(cells, _rules(compact, cells)))


def _cut(extents: list[Extent], size: int) -> tuple[Extent, ...]:
    """The first ``size`` bytes of a block's extents: later buffers of an in-place block may be shorter."""
    result = []
    for e in extents:
        if size <= 0:
            break
        result.append(Extent(e.partition, e.offset, Bytes(min(size, e.length))))
        size -= e.length
    return tuple(result)
