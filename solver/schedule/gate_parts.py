"""Parts of the gates: groups, a profile over places of an order, the heap of running tasks, the list of ready ones.

A profile is kept in blocks of ``width`` places: ``level[k]`` is the level at place ``k`` without what was added to its
whole block, ``summary[b]`` says how much that is and which level of the block is highest with it. So an interval is
added, and the highest level of one is found, in about ``width`` steps where there are about as many blocks.
"""

from __future__ import annotations

import numpy as np

from ..compiled import inner

NOBODY = -(2**61)
"""Level at a place of which nothing is asked."""

SIZE, KEPT, BORN, UNSTARTED, LAST, FIRST, FIELDS = range(7)
"""What a row of the groups' state holds: bytes, two flags, users that have not started, where in the list of users'
places the last of them stands, and the place of the first user."""

ADDED, HIGHEST = range(2)
"""What the profile keeps of each block: what was added to all its levels, and the highest of them with it."""


@inner
def fill_groups(group, user_place, reference, ts, ti, us, size, kept, preload):  # type: ignore[no-untyped-def]
    """State of the groups before anything starts; ``user_place``: places of each group's users, last one first."""
    for g in range(size.shape[0]):
        group[g, LAST] = us[g]
    for k in range(reference.shape[0] - 1, -1, -1):
        t = reference[k]
        for i in range(ts[t], ts[t + 1]):
            user_place[group[ti[i], LAST]] = k
            group[ti[i], LAST] += 1
    for g in range(size.shape[0]):
        group[g, UNSTARTED], group[g, LAST], group[g, SIZE] = us[g + 1] - us[g], us[g], size[g]
        group[g, BORN], group[g, KEPT] = np.int64(preload[g]), np.int64(kept[g])
        group[g, FIRST] = user_place[us[g + 1] - 1]


@inner
def last_user(g, group, user_place, gone):  # type: ignore[no-untyped-def]
    """Where in ``user_place`` the last user of group ``g`` stands that has not started."""
    k = group[g, LAST]
    while gone[user_place[k]]:
        k += 1
    group[g, LAST] = k
    return k


@inner
def make_ready(t, ss, si, missing, ready, waiting, by_rank):  # type: ignore[no-untyped-def]
    """Put the successors of ``t`` that wait for nobody else into the ready list, sorted by rank; its new length."""
    for i in range(ss[t], ss[t + 1]):
        u = si[i]
        missing[u] -= 1
        if missing[u] == 0:
            at = waiting
            waiting += 1
            while at > 0 and by_rank[ready[at - 1]] > by_rank[u]:
                ready[at] = ready[at - 1]
                at -= 1
            ready[at] = u
    return waiting


@inner
def width_of(places):  # type: ignore[no-untyped-def]
    """Places of a block: a power of two near the square root of their number."""
    width = 4
    while width * width < places:
        width *= 2
    return width


@inner
def summarise(level, summary, width, places):  # type: ignore[no-untyped-def]
    """From differences of levels to levels, and what there is to know of each block; nothing is beyond ``places``."""
    for k in range(1, level.shape[0]):
        level[k] += level[k - 1]
    for k in range(places, level.shape[0]):
        level[k] = NOBODY
    for b in range(summary.shape[0]):
        top = level[b * width]
        for k in range(b * width + 1, (b + 1) * width):
            top = max(top, level[k])
        summary[b, ADDED], summary[b, HIGHEST] = np.int64(0), top


@inner
def add(level, summary, width, low, high, amount):  # type: ignore[no-untyped-def]
    """Add ``amount`` to the levels in ``[low, high)``."""
    if low >= high:
        return
    for b in range(low // width, (high - 1) // width + 1):
        begin = b * width
        if low <= begin and begin + width <= high:
            summary[b, ADDED] += amount
            summary[b, HIGHEST] += amount
            continue
        for k in range(max(low, begin), min(high, begin + width)):
            level[k] += amount
        top = level[begin]
        for k in range(begin + 1, begin + width):
            top = max(top, level[k])
        summary[b, HIGHEST] = top + summary[b, ADDED]


@inner
def highest(level, summary, width, low, high):  # type: ignore[no-untyped-def]
    """The highest level in ``[low, high)``; very low where that is empty."""
    top = np.int64(NOBODY)
    if low >= high:
        return top
    for b in range(low // width, (high - 1) // width + 1):
        begin = b * width
        if low <= begin and begin + width <= high:
            top = max(top, summary[b, HIGHEST])
            continue
        for k in range(max(low, begin), min(high, begin + width)):
            top = max(top, level[k] + summary[b, ADDED])
    return top


@inner
def push(heap, count, key, item):  # type: ignore[no-untyped-def]
    """Put ``item`` into the heap of ``count`` items, least ``key`` first."""
    k = count
    while k > 0 and key[heap[(k - 1) // 2]] > key[item]:
        heap[k] = heap[(k - 1) // 2]
        k = (k - 1) // 2
    heap[k] = item


@inner
def pop(heap, count, key):  # type: ignore[no-untyped-def]
    """Take the first item out of the heap; ``count`` items stay."""
    item, k = heap[count], 0
    while 2 * k + 1 < count:
        child = 2 * k + 1
        if child + 1 < count and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[item]:
            break
        heap[k] = heap[child]
        k = child
    heap[k] = item
