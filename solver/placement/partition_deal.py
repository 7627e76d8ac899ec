"""Many buffers in a few partitions: dealt out in order of time, then each cell is an arena of its own.

The search over all partitions at once knows every block that lives at every moment; for a hundred thousand buffers that
is more than memory holds. Here one sweep over time deals each newborn block to a partition, so that the peaks of the
cells (the blocks of one pool in one partition) grow least, and the engine of one address line places each cell. The
cells of a partition lie one upon the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import lcm

import numpy as np

from ..arrays import Ints
from ..budget import Budget
from .arena import Arena
from .arena_portfolio import place_arena
from .partition_question import Partitioned

MOST_LIVING = 1_000_000
"""Pairs of a block and a birth at which it lives, up to which the search over all partitions looks at every moment."""


def is_vast(question: Partitioned) -> bool:
    """Whether what lives at all moments together is too much to be looked at moment by moment."""
    arena = question.arena
    births, deaths = np.sort(arena.lower), np.sort(arena.upper)
    living = np.arange(1, births.size + 1) - np.searchsorted(deaths, births, side="right")
    return int(living.sum()) > MOST_LIVING


def peaks(question: Partitioned) -> list[int]:
    """Per pool, the most bytes that live at once; without a list of moments."""
    most = []
    for pool in range(len(question.limits)):
        events = sorted(
            (moment, sign * block.size)
            for block in question.blocks
            if block.pool == pool
            for life in block.lives
            for moment, sign in zip(life, (1, -1), strict=True)
        )
        changes = np.array([size for _, size in events], dtype=np.int64)
        most.append(int(np.cumsum(changes).max(initial=0)))
    return most


@dataclass(frozen=True, slots=True)
class Cell:
    """The blocks of one pool in one partition."""

    pool: int
    partition: int
    blocks: Ints


def deal(question: Partitioned, seed: int, over: Callable[[], bool]) -> list[Cell] | None:
    """A cell for every block; None where a block finds no partition, where one would span, or when it is ``over``.

    A block of one region that several running tasks write at once finds none where writers hold partitions alone.

    A block goes where the peak of its cell grows least; else where most is free. ``seed``: 0 adds no noise to that.
    """
    q = question
    if q.exclusive and any(_rivals(q, k, dict(block.written)) for k, block in enumerate(q.blocks)):
        return None
    random = np.random.default_rng(seed)
    parts = len(q.partitions)
    live = [[0] * parts for _ in q.limits]
    peak = [[0] * parts for _ in q.limits]
    free = list(q.partitions)
    holders: list[dict[int, int]] = [{} for _ in range(parts)]  # task -> end, of those that run
    where = [-1] * len(q.blocks)
    events = [
        (at, born, k) for k, b in enumerate(q.blocks) for life in b.lives for born, at in ((1, life[0]), (0, life[1]))
    ]
    for count, (now, born, k) in enumerate(sorted(events)):
        block = q.blocks[k]
        of = block.pool
        if not born:
            live[of][where[k]] -= block.size
            continue
        if count % 1024 == 0 and over():
            return None
        if where[k] < 0:
            best: tuple[float, float] | None = None
            for p in q.places[k]:
                growth = max(0, live[of][p] + block.size - peak[of][p])
                if q.spans(block, p) or growth > free[p] or (q.exclusive and _rivals(q, k, holders[p])):
                    continue
                noise = 1.0 if seed == 0 else 1.0 + 0.2 * random.random()
                key = growth * noise, -(free[p] - growth) * noise if growth else live[of][p] * noise
                if best is None or key < best:
                    best, where[k] = key, p
            if best is None:
                return None
            if q.exclusive:
                holders[where[k]] = {t: end for t, end in holders[where[k]].items() if end > now}
                holders[where[k]].update({t: q.tasks[t][1] for t, _ in block.written})
        p = where[k]
        live[of][p] += block.size
        if live[of][p] > peak[of][p]:
            free[p] -= live[of][p] - peak[of][p]
            peak[of][p] = live[of][p]
    pool, partition = np.array([b.pool for b in q.blocks]), np.array(where)
    order = sorted({(int(a), int(p)) for a, p in zip(pool, partition, strict=True)})
    return [Cell(a, p, np.flatnonzero((pool == a) & (partition == p))) for a, p in order]


def _rivals(q: Partitioned, k: int, holders: dict[int, int]) -> bool:
    """Whether a writer of block ``k`` runs at once with another that writes into the partition of ``holders``."""
    return any(
        s != t and q.tasks[s][0] < q.tasks[t][1] and q.tasks[t][0] < q.tasks[s][1]
        for t, _ in q.blocks[k].written
        for s in holders
    )


def place_cells(
    question: Partitioned, cells: list[Cell], budget: Budget, *, minimise: bool
) -> tuple[Ints, Ints] | None:
    """Partition and offset per block, each cell by itself in its share of the time; None where they are too high."""
    q = question
    partition, offset = np.zeros(len(q.blocks), np.int64), np.zeros(len(q.blocks), np.int64)
    total = sum(cell.blocks.size for cell in cells)
    top = [0] * len(q.partitions)
    grain = lcm(*(block.alignment for block in q.blocks))
    for cell in cells:
        base = -(-top[cell.partition] // grain) * grain
        room = q.partitions[cell.partition] - base
        alone = arena_of(q, cell.blocks)
        seconds = 0.9 * budget.remaining_s() * cell.blocks.size / max(1, total)
        goal = None if minimise or _has_more(cells, cell) else room
        placed = place_arena(alone, replace(budget, time_limit_s=seconds, started=None), capacity=goal)
        total -= cell.blocks.size
        if placed.offset is None or placed.height is None or placed.height > room:
            return None
        partition[cell.blocks] = cell.partition
        offset[cell.blocks] = base + placed.offset
        top[cell.partition] = base + placed.height
    return partition, offset


def _has_more(cells: list[Cell], cell: Cell) -> bool:
    """Whether another cell lies in the partition: then each has to be as low as can be."""
    return any(other is not cell and other.partition == cell.partition for other in cells)


def arena_of(question: Partitioned, own: Ints) -> Arena:
    """The blocks ``own`` as one address line."""
    blocks = [question.blocks[k] for k in own]
    gaps = [tuple((a[1], b[0]) for a, b in zip(block.lives, block.lives[1:], strict=False)) for block in blocks]
    return Arena.of(
        [b.lives[0][0] for b in blocks],
        [b.lives[-1][1] for b in blocks],
        [b.size for b in blocks],
        alignment=[b.alignment for b in blocks],
        gaps=gaps,
    )
