"""From a schedule with partitions to addresses: each (pool, partition) cell is placed alone, then cells are stacked.

::

    partition 0   | tables slice | images slice      |   free
                  0              L                   H

Inside a partition the slice of a pool with a block larger than a partition comes first, because such a block starts at
the partition's boundary. The footprint is the sum of the stacked heights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Ints
from ..budget import Budget
from ..order import Compact
from ..plan import Extent, PoolSlice, lifetimes
from ..units import Bytes, Tick
from .cp_sat_placement import offsets_within
from .first_fit import GoOn, always, lowest_height, most_live_bytes

MOST_BLOCKS_FOR_CP_SAT = 600
"""Cells with more blocks are left to first fit: building the model would take longer than CP-SAT may have."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Extents of every resident buffer, pool slices, and the footprint in bytes. ``fits``: every partition holds."""

    extents: dict[str, tuple[Extent, ...]]
    slices: tuple[PoolSlice, ...]
    footprint: int
    fits: bool


@dataclass(frozen=True, slots=True)
class _Cell:
    """Pieces of blocks in one (pool, partition). ``fixed`` offsets are 0 for pieces of spanning blocks, else -1."""

    pool: int
    partition: int
    block: Ints
    birth: Ints
    death: Ints
    size: Ints
    fixed: Ints


def place(
    compact: Compact,
    start: Ints,
    partition: Ints,
    budget: Budget,
    *,
    enough: int,
    tries: int = 60,
    cp_sat_s: float = 0.0,
    go_on: GoOn = always,
) -> Placement:
    """Addresses for blocks when task ``t`` starts at ``start[t]`` and ``partition[b]`` is the first one of block ``b``.

    Stops improving when the footprint is at most ``enough`` bytes. ``tries`` bounds the exchanges per cell;
    ``go_on`` cuts them short; ``cp_sat_s`` is what CP-SAT may spend on cells above their lower bound.
    """
    starts = {t: Tick(int(s)) for t, s in zip(compact.tasks, start, strict=True)}
    cells = _cells(compact, partition, starts)
    bounds = [most_live_bytes(c.birth, c.death, c.size) for c in cells]
    placed = [
        lowest_height(c.birth, c.death, c.size, c.fixed, enough=low, tries=0, seed=budget.seed)
        for c, low in zip(cells, bounds, strict=True)
    ]
    excess = sorted((k for k in range(len(cells)) if placed[k][1] > bounds[k]), key=lambda k: bounds[k] - placed[k][1])
    slack = max(0, enough - sum(bounds)) / max(1, sum(bounds))
    for k in excess:
        if sum(height for _, height in placed) <= enough and _fits(compact, cells, placed):
            break
        aim = int(bounds[k] * (1 + slack))
        placed[k] = _improve(cells[k], placed[k], bounds[k], aim, budget, tries, cp_sat_s / len(excess), go_on)
    return _stack(compact, cells, placed)


def _improve(
    cell: _Cell,
    placed: tuple[Ints, int],
    bound: int,
    aim: int,
    budget: Budget,
    tries: int,
    cp_sat_s: float,
    go_on: GoOn,
) -> tuple[Ints, int]:
    """A lower height for one cell: exchanges, then CP-SAT at the height the ceiling needs, else between that and ours.

    CP-SAT is asked for feasibility only: at a height a percent above the bound it often answers in a tenth of a second
    what it cannot minimise in a minute, and where exchanges are stuck ten percent above.
    """
    offset, height = lowest_height(
        cell.birth, cell.death, cell.size, cell.fixed, enough=aim, tries=tries, seed=budget.seed, go_on=go_on
    )
    if height >= placed[1]:
        offset, height = placed
    if cell.size.size > MOST_BLOCKS_FOR_CP_SAT:
        return offset, height
    for target, share in ((aim, 0.4), ((3 * aim + height) // 4, 0.3), ((aim + height) // 2, 0.3)):
        seconds = share * cp_sat_s if budget.deterministic else min(share * cp_sat_s, budget.remaining_s())
        if height <= aim or seconds < 0.05:
            break
        found = offsets_within(cell.birth, cell.death, cell.size, cell.fixed, max(bound, target), seconds, budget)
        if found is not None:
            return found, int((found + cell.size).max())
    return offset, height


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
        columns = np.array(rows, dtype=np.int64).T
        cells.append(_Cell(pool, partition, *(np.ascontiguousarray(c) for c in columns)))
    return cells


def _order_in_partition(cells: list[_Cell]) -> list[int]:
    """Cell numbers by partition, then the one with fixed pieces first, then by pool."""
    return sorted(
        range(len(cells)), key=lambda k: (cells[k].partition, not bool((cells[k].fixed >= 0).any()), cells[k].pool)
    )


def _heights(compact: Compact, cells: list[_Cell], placed: list[tuple[Ints, int]]) -> Ints:
    heights = np.zeros(compact.problem.workspace.partitions, dtype=np.int64)
    for cell, (_, height) in zip(cells, placed, strict=True):
        heights[cell.partition] += height
    return heights


def _fits(compact: Compact, cells: list[_Cell], placed: list[tuple[Ints, int]]) -> bool:
    """Whether every partition and every pool limit holds."""
    totals = np.zeros(len(compact.pools), dtype=np.int64)
    for cell, (_, height) in zip(cells, placed, strict=True):
        totals[cell.pool] += height
    sizes = {p.id: p.size for p in compact.problem.graph.pools}
    limits_hold = all(
        sizes[pool] is None or total <= int(sizes[pool] or 0) for pool, total in zip(compact.pools, totals, strict=True)
    )
    return (
        limits_hold and int(_heights(compact, cells, placed).max(initial=0)) <= compact.problem.workspace.partition_size
    )


def _stack(compact: Compact, cells: list[_Cell], placed: list[tuple[Ints, int]]) -> Placement:
    """Slices from the partition's start upwards, and extents of every buffer of every block."""
    top: dict[int, int] = {}
    slices = []
    pieces: dict[int, list[Extent]] = {}
    for k in _order_in_partition(cells):
        cell, (offset, height) = cells[k], placed[k]
        base = top.get(cell.partition, 0)
        slices.append(PoolSlice(compact.pools[cell.pool], cell.partition, Bytes(base), Bytes(height)))
        top[cell.partition] = base + height
        for b, at, size in zip(cell.block, offset, cell.size, strict=True):
            pieces.setdefault(int(b), []).append(Extent(cell.partition, Bytes(base + int(at)), Bytes(int(size))))
    extents = {}
    for b, buffers in enumerate(compact.blocks):
        for buffer in buffers:
            extents[buffer] = _cut(sorted(pieces[b]), compact.problem.graph.aligned_size[buffer])
    heights = _heights(compact, cells, placed)
    return Placement(extents, tuple(slices), int(heights.sum()), _fits(compact, cells, placed))


def _cut(extents: list[Extent], size: int) -> tuple[Extent, ...]:
    """The first ``size`` bytes of a block's extents: later buffers of an in-place block may be shorter."""
    result = []
    for e in extents:
        if size <= 0:
            break
        result.append(Extent(e.partition, e.offset, Bytes(min(size, e.length))))
        size -= e.length
    return tuple(result)
