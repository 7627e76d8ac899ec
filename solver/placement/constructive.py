"""First fit in many orders, quickly enough for 100 000 buffers.

A buffer goes to the lowest offset that the buffers placed before it, and alive together with it, leave. Which those
are is answered by a segment tree over the sections of time. A lifetime is cut into *whole* nodes of the tree; the
nodes above them it only *touches*::

    touches   touches                   what lies in the way of a lifetime: everything in its whole nodes, and in the
    whole     touches   touches         nodes it touches only what covers them wholly
    ...       whole     whole

Each node keeps the bytes taken by those buffers that cover it wholly, and the bytes taken by anyone in it; both as
disjoint intervals in order. The second list is short although many buffers are in it: what is placed from below grows
together. A search for room walks some twenty such lists upward instead of thousands of buffers sorted by offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from ..compiled import inner, loop
from ..interrupts import interruptible
from .arena import Component

ORDERS = ("ZW", "A", "TWZ", "WZ", "TAW", "B")
"""Sorted by, all falling: T most alive at once in a section of the buffer, W time alive, Z size, A size x time alive;
B is the order of birth, for which first fit is what an allocator would do that knows no future."""

FORWARD = 0.5
"""A buffer that ended too high is sorted as if it were larger by up to this much (in the logarithm), next time."""

TOO_HIGH = 0.7
"""Too high is what reaches above this share of the way from the bound to the lowest height so far."""

GOING = np.zeros(1, np.bool_)
"""A flag that stops nothing."""


def first_placements(component: Component, seed: int, stop: npt.NDArray[np.bool_] = GOING) -> Iterator[Ints]:
    """Placements by first fit, in units: one for each of ``ORDERS``, then of orders that learn, without end.

    Those that learn start from area and from size in turns; whoever ended too high comes earlier next time (squeaky
    wheel optimisation, Joslin and Clements 1999). Ends when ``stop[0]`` is set, which also interrupts the one in the
    making.
    """
    lowest = -1
    for key in ORDERS:
        offset = first_fit(component, order_by(component, key), stop)
        if offset is None:
            return
        height = int((offset + component.size).max())
        lowest = height if lowest < 0 else min(lowest, height)
        yield offset
    random = np.random.default_rng(seed)
    size = np.log(component.size)
    urgent = [size + np.log(component.duration), size]
    for turn in count():
        own = urgent[turn % len(urgent)]
        offset = first_fit(component, np.lexsort((-component.duration, -own)), stop)
        if offset is None:
            return
        top = offset + component.size
        lowest = min(lowest, int(top.max()))
        too_high = np.flatnonzero(top > component.bound + TOO_HIGH * (lowest - component.bound))
        own[too_high] += FORWARD * random.random(too_high.size)
        yield offset


def first_fit(component: Component, order: Ints, stop: npt.NDArray[np.bool_] = GOING) -> Ints | None:
    """Offsets in units when buffers are placed in ``order``, each at the lowest one that fits; None when stopped.

    Fixed buffers come first. A buffer goes where it prefers to be when that is free. About O(n log^2 n).
    """
    order = np.concatenate([np.flatnonzero(component.fixed >= 0), order[component.fixed[order] < 0]])
    leaves, levels = 1, 1
    while leaves < component.section_count:
        leaves, levels = 2 * leaves, levels + 1
    # List 2 v: who covers node v wholly. List 2 v + 1: whoever is in it. Where each begins, how many intervals it has
    # and how many it has room for. List 0 is nobody's: it counts the intervals of all.
    lists = np.zeros((4 * leaves, 3), np.int64)
    pool = np.empty((8 * lists.shape[0], 2), np.int64)
    nodes = np.empty((4, 4 * levels * int(np.diff(component.piece).max())), np.int64)
    offset = component.fixed.copy()
    placed = 0
    with interruptible():
        while True:
            placed = _first_fit(
                placed,
                order,
                component.size,
                component.alignment,
                component.preferred,
                component.piece,
                component.first,
                component.end,
                lists,
                pool,
                *nodes,
                offset,
                stop,
            )
            if placed == order.size or stop[0]:
                break
            pool = np.concatenate([pool, np.empty_like(pool)])
    return offset if placed == order.size else None


def order_by(component: Component, key: str) -> Ints:
    """The buffers sorted by ``key``, a word over the letters of ``ORDERS``."""
    begin = component.piece[:-1]
    columns = {
        "A": -component.size * component.duration,
        "W": -component.duration,
        "Z": -component.size,
        "B": component.first[begin],
    }
    if "T" in key:
        columns["T"] = -np.maximum.reduceat(_most(component.live, component.first, component.end), begin)
    return np.lexsort([columns[letter] for letter in reversed(key)]).astype(np.int64)


def _most(values: Ints, first: Ints, end: Ints) -> Ints:
    """The largest of ``values[first:end]`` for each pair, by a table of the largest in windows of powers of two."""
    best = values[first]
    window, length = values, 1
    while window.size:
        # An interval of length in [length, 2 length) is the union of two windows.
        fits = np.flatnonzero((end - first >= length) & (end - first < 2 * length))
        best[fits] = np.maximum(window[first[fits]], window[end[fits] - length])
        window = np.maximum(window[:-length], window[length:])
        length *= 2
    return best


@inner
def _add(pool, lists, k, low, high):  # type: ignore[no-untyped-def]
    """Add ``[low, high)`` to list ``k`` and merge what it touches; the pool has room for it."""
    at, n = lists[k, 0], lists[k, 1]
    if n == lists[k, 2]:
        new = lists[0, 0]
        for i in range(n):
            pool[new + i, 0], pool[new + i, 1] = pool[at + i, 0], pool[at + i, 1]
        at = new
        lists[k, 0], lists[k, 2] = new, _longer(n)
        lists[0, 0] += _longer(n)
    i, j = 0, n
    while i < j:  # the first that ends at ``low`` or later
        middle = (i + j) >> 1
        if pool[at + middle, 1] < low:
            i = middle + 1
        else:
            j = middle
    j = i
    while j < n and pool[at + j, 0] <= high:
        low = min(low, pool[at + j, 0])
        high = max(high, pool[at + j, 1])
        j += 1
    if j == i:
        for m in range(at + n, at + i, -1):
            pool[m, 0], pool[m, 1] = pool[m - 1, 0], pool[m - 1, 1]
    else:
        back = j - i - 1
        for m in range(at + j, at + n if back > 0 else at + j):
            pool[m - back, 0], pool[m - back, 1] = pool[m, 0], pool[m, 1]
    lists[k, 1] = n + 1 - (j - i)
    pool[at + i, 0], pool[at + i, 1] = low, high


@inner
def _longer(length):  # type: ignore[no-untyped-def]
    """How many intervals a list gets room for when it has ``length`` and no more room."""
    return max(np.int64(4), 2 * length)


@inner
def _lowest(pool, lists, ways, m, position, begin, size, alignment):  # type: ignore[no-untyped-def]
    """The lowest aligned offset from ``begin`` on with ``size`` units that none of the ``m`` lists has taken."""
    at = begin
    for turn in range(m):
        position[turn] = 0
    calm, turn = 0, 0
    while calm < m:
        k = ways[turn]
        from_ = lists[k, 0]
        i, last = from_ + position[turn], from_ + lists[k, 1]
        # Gallop to the first interval that ends above ``at``: lists are walked only upward.
        step = 1
        while i + step <= last and pool[i + step - 1, 1] <= at:
            i += step
            step <<= 1
        while step > 0:
            if i + step <= last and pool[i + step - 1, 1] <= at:
                i += step
            step >>= 1
        moved = False
        while i < last and pool[i, 0] < at + size:
            if pool[i, 1] > at:
                at = (pool[i, 1] + alignment - 1) // alignment * alignment
                moved = True
            i += 1
        position[turn] = max(0, i - 1 - from_) if moved else i - from_
        calm = 1 if moved else calm + 1
        turn = turn + 1 if turn + 1 < m else 0
    return at


@loop
def _first_fit(  # type: ignore[no-untyped-def]
    number, order, size, alignment, preferred, piece, first, end, lists, pool, whole, touched, ways, position, offset,
    stop,
):  # fmt: skip
    """Fills ``offset``; where it is not negative already, it stays. Returns how many buffers of ``order`` are placed:
    less than all when stopped, or when the pool has not enough room for the next one."""
    leaves = lists.shape[0] >> 2
    while number < order.size:
        if number & 63 == 0 and stop[0]:
            break
        b = order[number]
        wholes, touches = 0, 0
        for p in range(piece[b], piece[b + 1]):
            a, z = first[p] + leaves, end[p] - 1 + leaves
            low, high, width = a, z + 1, 1
            while a > 0:
                if low < high:
                    if low & 1:
                        whole[wholes] = low
                        wholes += 1
                        low += 1
                    if high & 1:
                        high -= 1
                        whole[wholes] = high
                        wholes += 1
                    low >>= 1
                    high >>= 1
                # Ancestors of the two ends that reach out of the piece.
                base = a * width - leaves
                if base < first[p] or base + width > end[p]:
                    touched[touches] = a
                    touches += 1
                base = z * width - leaves
                if z != a and (base < first[p] or base + width > end[p]):
                    touched[touches] = z
                    touches += 1
                a >>= 1
                z >>= 1
                width <<= 1
        m = np.int64(0)
        for k in range(wholes):
            ways[m] = 2 * whole[k] + 1
            m += lists[ways[m], 1] > 0
        for k in range(touches):
            ways[m] = 2 * touched[k]
            m += lists[ways[m], 1] > 0
        # Whoever covers a node wholly is in it as well.
        for k in range(wholes):
            touched[touches] = whole[k]
            touches += 1
        room = lists[0, 0]
        for k in range(touches + wholes):
            v = 2 * touched[k] + 1 if k < touches else 2 * whole[k - touches]
            if lists[v, 1] == lists[v, 2]:
                room += _longer(lists[v, 1])
        if room > pool.shape[0]:
            break
        if offset[b] < 0:
            at = preferred[b]
            if at >= 0:
                at = _lowest(pool, lists, ways, m, position, at, size[b], alignment[b])
            if at < 0 or at != preferred[b]:
                at = _lowest(pool, lists, ways, m, position, np.int64(0), size[b], alignment[b])
            offset[b] = at
        for k in range(touches + wholes):
            v = 2 * touched[k] + 1 if k < touches else 2 * whole[k - touches]
            _add(pool, lists, v, offset[b], offset[b] + size[b])
        number += 1
    return number
