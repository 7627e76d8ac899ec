"""First fit: blocks in some order, each at the lowest offset where it meets no living neighbour.

One order is rarely best, so several static ones are tried (size, area, lifetime, birth), then random exchanges in the
best of them. A height equal to the most live bytes is optimal and ends the search.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

from ..arrays import Ints

GoOn = Callable[[], bool]
"""Asked between chunks of work whether there is time for more."""

STEPS_OF_20_MS = 10_000_000
"""Pairs of blocks that first fit compares in about 20 ms."""


def always() -> bool:
    """No limit but the number of tries."""
    return True


@njit(cache=True)
def first_fit(order, birth, death, size, fixed):  # type: ignore[no-untyped-def]
    """Offsets and height when blocks are placed in ``order``; a block with ``fixed >= 0`` stays at that offset."""
    n = order.shape[0]
    offset = np.full(n, -1, np.int64)
    low = np.empty(n, np.int64)
    high = np.empty(n, np.int64)
    placed = np.empty(n, np.int64)
    count = 0
    height = np.int64(0)
    for b in range(n):
        if fixed[b] >= 0:
            offset[b] = fixed[b]
            placed[count] = b
            count += 1
            height = max(height, fixed[b] + size[b])
    for k in range(n):
        b = order[k]
        if fixed[b] >= 0:
            continue
        # Neighbours sorted by offset: `placed` is kept in that order, so one pass finds the lowest gap.
        neighbours = 0
        for i in range(count):
            o = placed[i]
            if birth[o] < death[b] and birth[b] < death[o]:
                low[neighbours] = offset[o]
                high[neighbours] = offset[o] + size[o]
                neighbours += 1
        at = np.int64(0)
        for i in range(neighbours):
            if low[i] - at >= size[b]:
                break
            at = max(at, high[i])
        offset[b] = at
        height = max(height, at + size[b])
        i = count
        while i > 0 and offset[placed[i - 1]] > at:
            placed[i] = placed[i - 1]
            i -= 1
        placed[i] = b
        count += 1
    return offset, height


@njit(cache=True)
def exchange_search(order, birth, death, size, fixed, enough, tries, seed):  # type: ignore[no-untyped-def]
    """Best (offsets, height) and last order after ``tries`` steps; a step never raises the height.

    Half of the moves bring a block that reaches the height forward: nothing else can lower it.
    """
    np.random.seed(seed)
    n = order.shape[0]
    best_offset, best = first_fit(order, birth, death, size, fixed)
    current, current_offset = order.copy(), best_offset
    for _ in range(tries):
        if best <= enough or n < 2:
            break
        trial = current.copy()
        top = np.random.random() < 0.5
        for _ in range(1 + np.random.randint(3)):
            i, j = np.random.randint(n), np.random.randint(n)
            if top:
                top = False
                for k in range(n):
                    if current_offset[trial[k]] + size[trial[k]] == best:
                        j = k
                        break
                i = np.random.randint(j + 1)
            if i == j:
                continue
            if np.random.random() < 0.3:
                trial[i], trial[j] = trial[j], trial[i]
            else:
                b = trial[max(i, j)]
                for k in range(max(i, j), min(i, j), -1):
                    trial[k] = trial[k - 1]
                trial[min(i, j)] = b
        offset, height = first_fit(trial, birth, death, size, fixed)
        if height <= best:
            current, current_offset = trial, offset
            if height < best:
                best, best_offset = height, offset
    return best_offset, best, current


def most_live_bytes(birth: Ints, death: Ints, size: Ints) -> int:
    """The most bytes alive at one moment: no placement is lower."""
    if size.size == 0:
        return 0
    moments = np.concatenate([birth, death])
    changes = np.concatenate([size, -size])
    order = np.lexsort((changes, moments))  # at one moment, deaths come first
    return int(np.cumsum(changes[order]).max())


def lowest_height(
    birth: Ints, death: Ints, size: Ints, fixed: Ints, *, enough: int, tries: int, seed: int, go_on: GoOn = always
) -> tuple[Ints, int]:
    """Offsets and height by first fit; stops at a height of at most ``enough`` bytes, or when not ``go_on()``.

    Worst case O(tries x n^2); the clock is asked about every 20 ms.
    """
    if size.size == 0:
        return np.zeros(0, dtype=np.int64), 0
    length = death - birth
    orders = [
        np.lexsort((birth, -length, -size)),
        np.lexsort((birth, -(size.astype(np.float64) * length))),
        np.lexsort((birth, -size, -length)),
        np.lexsort((-size, birth)),
    ]
    best: tuple[Ints, int, Ints] | None = None
    for order in orders:
        offset, height = first_fit(order.astype(np.int64), birth, death, size, fixed)
        if best is None or height < best[1]:
            best = offset, int(height), order.astype(np.int64)
    assert best is not None
    offset, height, order = best
    chunk = max(1, STEPS_OF_20_MS // max(1, size.size * size.size))
    for step in range(0, tries, chunk):
        if height <= enough or not go_on():
            break
        found, lower, order = exchange_search(
            order, birth, death, size, fixed, enough, min(chunk, tries - step), seed + step
        )
        if lower < height:
            offset, height = found, int(lower)
    return offset, height
