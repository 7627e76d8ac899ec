"""List scheduling behind a gate that sees partitions and pools: no schedule jams in them.

The gate of ``gate.py`` knows how many bytes are alive; here it also knows *where*. Every block has a *home*: the
partition in which a replay of the reference order would put it. Each *cell*, a pool in a partition, has a profile of
its own over the positions of the order, and a *height*, the most bytes it may ever hold: at first what the replay
needs. A task may start when the blocks it allocates go into partitions that nobody else writes into, such that the
replay of what is left still keeps below the heights; they may grow as long as all of them together keep below the
limit and those of one partition below its size::

    position in the reference order   0 1 2 3 4 5 6 7        height, limit
    partition 0   a                     [=====]              ]
                  b                           [===]          ] 2 of them together below the limit,
    partition 1   c                       [=========]        ] each below the size of a partition
                  b, moved here when it starts [===]         ]

Blocks go to their homes where they can, else all together into the partition whose heights grow least. When nothing
runs, the next task of the reference order can always start, at home. So nothing jams, whatever the priorities; only
where the replay itself needs more than the limit is the limit exceeded, by as much.

A block larger than a partition starts at a partition boundary and runs through consecutive partitions, of which all but
the last are taken whole; it stays at home. (Two of them never meet in a partition: one would need the bytes of the
other.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiled import copy_into, inner, loop
from ..order import Compact
from .gate import NO_SCHEDULE
from .gate_parts import (
    BORN,
    FIELDS,
    FIRST,
    KEPT,
    UNSTARTED,
    add,
    fill_groups,
    highest,
    last_user,
    make_ready,
    pop,
    push,
    summarise,
    width_of,
)

PATIENCE = 8
"""Tasks that are refused at one moment before the others are not asked any more."""

TRIES = 2
"""Ways to place the blocks of a task, the most promising first, before it is refused."""

IMPOSSIBLE = 2**62


def cells_of(compact: Compact, used_partitions: int, headroom: float) -> tuple[Any, ...]:
    """Partitions and pools of ``compact``. ``headroom``: the share of every partition left to fragmentation.

    Blocks that leave their homes go to the first ``used_partitions`` only.
    """
    workspace = compact.problem.workspace
    part_size = int(workspace.partition_size)
    return (
        workspace.partitions,
        min(used_partitions, workspace.partitions),
        part_size,
        int(part_size * (1 - headroom)),
        workspace.isolation.value == "exclusive",
        compact.pool,
        compact.pool_limit,
        compact.births.start,
        compact.births.index,
        compact.over.start,
        compact.over.index,
        compact.lazy,
    )


def no_cells() -> tuple[Any, ...]:
    """What loops are given that could also work on cells, where there is one address line."""
    none, rows = np.zeros(0, np.int64), np.zeros(1, np.int64)
    return (0, 0, 1, 1, False, none, none, rows, none, rows, none, np.zeros(0, np.bool_))


@loop
def celled_schedule(rank, reference, strict, home, limit, line, cells, start, where):  # type: ignore[no-untyped-def]
    """See the module's docstring. Fills ``start`` and ``where``, the first partition of each block.

    Returns the makespan and the reserved bytes: the sum over cells of the most bytes ever alive in them.
    """
    dur, waits, ss, si, demand, capacity, low, ts, ti, us, ui, size, kept, preload = line
    parts, used, part_size, room, exclusive, pool, pool_limit, bs, bi, os, oi, lazy = cells
    n, m, resources, pools = dur.shape[0], size.shape[0], capacity.shape[0], pool_limit.shape[0]
    shape = (parts, part_size)
    lines = pools * parts
    by_rank, place, missing = np.empty(n, np.int64), np.empty(n, np.int64), waits.copy()
    gone = np.zeros(n, np.bool_)  # places of the reference order whose tasks have started
    width = width_of(n)
    blocks = n // width + 1
    level, summary = np.zeros((lines, blocks * width), np.int64), np.zeros((lines, blocks, 2), np.int64)
    for k in range(n):
        by_rank[rank[k]] = k
        place[reference[k]] = k
        start[k] = -1
    group, user_place = np.empty((m, FIELDS), np.int64), np.empty(ui.shape[0], np.int64)
    fill_groups(group, user_place, reference, ts, ti, us, size, kept, preload)
    unended = np.empty(m, np.int64)
    live, peak, height = np.zeros(lines, np.int64), np.zeros(lines, np.int64), np.zeros(lines, np.int64)
    need = np.zeros(pools, np.int64)
    extra, want, top = np.zeros(lines, np.int64), np.zeros(lines, np.int64), np.full(parts, room, np.int64)
    base = np.full(parts, -1, np.int64)  # the pool that begins a partition in which a large block lies
    copy_into(where, home)
    for g in range(m):
        unended[g] = us[g + 1] - us[g]
        pieces = (size[g] + part_size - 1) // part_size
        if where[g] < 0 or where[g] + pieces > parts:
            return np.int64(NO_SCHEDULE), np.int64(0)
        birth = group[g, FIRST]
        if preload[g]:
            birth = np.int64(0)
            _hold(live, g, where[g], np.int64(1), size, pool, shape)
        death = n if kept[g] else user_place[us[g]] + 1
        for p in range(where[g], where[g] + pieces):
            piece = min(part_size, size[g] - (p - where[g]) * part_size)
            level[pool[g] * parts + p, birth] += piece
            level[pool[g] * parts + p, death] -= piece
            if pieces > 1:
                if base[p] >= 0 and base[p] != pool[g]:
                    return np.int64(NO_SCHEDULE), np.int64(0)
                base[p], top[p] = pool[g], part_size
    total = np.int64(0)
    for c in range(lines):
        summarise(level[c], summary[c], width, n)
        height[c] = max(np.int64(0), highest(level[c], summary[c], width, np.int64(0), np.int64(n)))
        total += height[c]
    limit = max(limit, total)
    for p in range(parts):
        inside = np.int64(0)
        for q in range(pools):
            inside += height[q * parts + p]
        top[p] = max(top[p], inside)
        if inside > part_size:
            return np.int64(NO_SCHEDULE), np.int64(0)
    if _growth(height, height, limit, total, top, pool_limit, shape) < 0:
        return np.int64(NO_SCHEDULE), np.int64(0)
    copy_into(peak, live)
    free = capacity.copy()
    held = np.full(parts, -1, np.int64)
    loaded_at, loaded_by = np.full(m, -1, np.int64), np.full(m, -1, np.int64)
    fresh, before, growth = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(used + 1, np.int64)
    ready, end, running = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    waiting, busy = np.int64(0), np.int64(0)
    for k in range(n):
        if missing[rank[k]] == 0:
            ready[waiting] = rank[k]
            waiting += 1
    now, makespan = np.int64(0), np.int64(0)
    first, done = np.int64(0), np.int64(0)  # first place of the reference order that has not started
    force = False
    while done < n:
        looked, stay, refused = np.int64(0), np.int64(0), np.int64(0)
        closed, full = False, False
        while looked < waiting:
            t = ready[looked]
            allowed = not full and (not force or t == reference[first])
            for r in range(resources):
                if demand[t, r] > free[r]:
                    allowed = False
            if allowed and exclusive:
                for i in range(os[t], os[t + 1]):
                    for p in range(where[oi[i]], where[oi[i]] + (size[oi[i]] + part_size - 1) // part_size):
                        if held[p] >= 0:
                            allowed = False
                for i in range(ts[t], ts[t + 1]):
                    # Among readers that start together the one with the least number loads, and holds the partition.
                    if lazy[ti[i]] and loaded_at[ti[i]] == now and loaded_by[ti[i]] > t:
                        allowed = False
            count, small = np.int64(0), False
            if allowed:
                for i in range(bs[t], bs[t + 1]):
                    fresh[count] = bi[i]
                    count += 1
                for i in range(ts[t], ts[t + 1]):
                    if lazy[ti[i]] and group[ti[i], BORN] == 0:
                        fresh[count] = ti[i]
                        count += 1
            if allowed and count > 0 and not force and (closed or refused >= PATIENCE):
                allowed = False
                closed = closed or strict[t]
            if allowed and count > 0:
                # Growth of heights for what is alive now: at home (option 0), or all small blocks in one partition.
                at_home, large = np.int64(0), False
                for q in range(pools):
                    need[q] = 0
                for i in range(count):
                    g = fresh[i]
                    before[i] = where[g]
                    small = small or size[g] <= part_size
                    large = large or size[g] > part_size
                    if size[g] <= part_size:
                        need[pool[g]] += size[g]
                    for p in range(where[g], where[g] + (size[g] + part_size - 1) // part_size):
                        if held[p] >= 0 and exclusive:
                            at_home = np.int64(IMPOSSIBLE)
                        extra[pool[g] * parts + p] += min(part_size, size[g] - (p - where[g]) * part_size)
                for c in range(lines):
                    if extra[c] > 0:
                        at_home += max(np.int64(0), live[c] + extra[c] - height[c])
                        extra[c] = 0
                growth[0] = at_home if total + at_home <= limit else np.int64(IMPOSSIBLE)
                options = used + 1 if small and not force and not (large and at_home >= IMPOSSIBLE) else 1
                for p in range(options - 1):
                    if exclusive and held[p] >= 0:
                        growth[p + 1] = IMPOSSIBLE
                        continue
                    more, inside = np.int64(0), np.int64(0)
                    for q in range(pools):
                        if need[q] > 0:
                            more += max(np.int64(0), live[q * parts + p] + need[q] - height[q * parts + p])
                        inside += height[q * parts + p]
                    growth[p + 1] = more if total + more <= limit and inside + more <= top[p] else IMPOSSIBLE
                tries = 0
                allowed = False
                while tries < TRIES and not allowed:
                    best = 0
                    for option in range(1, options):
                        if growth[option] < growth[best]:
                            best = option
                    if growth[best] >= IMPOSSIBLE:
                        break
                    tries += 1
                    growth[best] = IMPOSSIBLE
                    for i in range(count):
                        g = fresh[i]
                        goes = best - 1 if best > 0 and size[g] <= part_size else before[i]
                        if goes != where[g]:
                            _move(g, goes, level, summary, width, n, group, user_place, us, where, size, pool, shape)
                    _advance(
                        t, place[t], first, level, summary, width, group, user_place, gone, ts, ti, where, size, pool,
                        shape, np.int64(1),
                    )  # fmt: skip
                    for c in range(lines):
                        want[c] = 0
                    for i in range(count):
                        g = fresh[i]
                        _hold(extra, g, where[g], np.int64(1), size, pool, shape)
                    for i in range(count):
                        g = fresh[i]
                        for p in range(where[g], where[g] + (size[g] + part_size - 1) // part_size):
                            c = pool[g] * parts + p
                            if want[c] == 0:
                                most = highest(level[c], summary[c], width, first, np.int64(n))
                                want[c] = max(most, live[c] + extra[c])
                    more = _growth(want, height, limit, total, top, pool_limit, shape)
                    for i in range(count):
                        _hold(extra, fresh[i], where[fresh[i]], np.int64(-1), size, pool, shape)
                    if more >= 0:
                        allowed = True
                        total += more
                        for c in range(lines):
                            height[c] = max(height[c], want[c])
                    else:
                        _advance(
                            t, place[t], first, level, summary, width, group, user_place, gone, ts, ti, where, size,
                            pool, shape, np.int64(-1),
                        )  # fmt: skip
                if not allowed:
                    for i in range(count):
                        if where[fresh[i]] != before[i]:
                            _move(
                                fresh[i], before[i], level, summary, width, n, group, user_place, us, where, size,
                                pool, shape,
                            )  # fmt: skip
                    refused += 1
                    closed = closed or strict[t]
            elif allowed:
                _advance(
                    t, place[t], first, level, summary, width, group, user_place, gone, ts, ti, where, size, pool,
                    shape, np.int64(1),
                )  # fmt: skip
            if allowed:
                for i in range(ts[t], ts[t + 1]):
                    group[ti[i], UNSTARTED] -= 1
                for i in range(count):
                    g = fresh[i]
                    group[g, BORN] = 1
                    loaded_at[g], loaded_by[g] = now, t
                    _hold(live, g, where[g], np.int64(1), size, pool, shape)
                    if exclusive:
                        _take(t, g, held, where, size, part_size)
                for c in range(lines):
                    peak[c] = max(peak[c], live[c])
                if exclusive:
                    for i in range(os[t], os[t + 1]):
                        _take(t, oi[i], held, where, size, part_size)
                gone[place[t]] = True
                start[t], end[t] = now, now + dur[t]
                makespan = max(makespan, end[t])
                for r in range(resources):
                    free[r] -= demand[t, r]
                    full = full or free[r] < low[r]
                full = full or force
                while first < n and gone[first]:
                    first += 1
                push(running, busy, end, t)
                busy += 1
            else:
                ready[stay] = t
                stay += 1
            looked += 1
        waiting = stay
        if busy == 0:
            if force:  # not even the next task of the reference order: that is no legal order
                return np.int64(NO_SCHEDULE), np.int64(0)
            force = True
            continue
        force = False
        now = end[running[0]]
        while busy > 0 and end[running[0]] == now:
            t = running[0]
            busy -= 1
            pop(running, busy, end)
            done += 1
            for r in range(resources):
                free[r] += demand[t, r]
            for p in range(parts):
                if held[p] == t:
                    held[p] = -1
            for i in range(ts[t], ts[t + 1]):
                g = ti[i]
                unended[g] -= 1
                if unended[g] == 0 and not kept[g]:
                    _hold(live, g, where[g], np.int64(-1), size, pool, shape)
            waiting = make_ready(t, ss, si, missing, ready, waiting, by_rank)
    reserved = np.int64(0)
    for c in range(lines):
        reserved += peak[c]
    return makespan, reserved


@inner
def _hold(amount, g, p, sign, size, pool, shape):  # type: ignore[no-untyped-def]
    """Add (``sign`` -1: take away) the bytes of group ``g``, which begins in partition ``p``, to what cells hold."""
    parts, part_size = shape
    rest = size[g]
    if rest <= part_size:
        amount[pool[g] * parts + p] += sign * rest
        return
    while rest > 0:
        amount[pool[g] * parts + p] += sign * min(rest, part_size)
        rest -= part_size
        p += 1


@inner
def _spread(g, p, low, high, sign, level, summary, width, size, pool, shape):  # type: ignore[no-untyped-def]
    """Add group ``g``, which begins in partition ``p``, to the profiles of its cells in ``[low, high)``."""
    parts, part_size = shape
    rest = size[g]
    c = pool[g] * parts + p
    if rest <= part_size:
        add(level[c], summary[c], width, low, high, sign * rest)
        return
    while rest > 0:
        add(level[c], summary[c], width, low, high, sign * min(rest, part_size))
        rest -= part_size
        c += 1
        p += 1


@inner
def _move(g, p, level, summary, width, n, group, user_place, us, where, size, pool, shape):  # type: ignore[no-untyped-def]
    """Give group ``g``, of which no user has started, another partition in the replay of the reference order."""
    low, high = group[g, FIRST], n if group[g, KEPT] else user_place[us[g]] + 1
    _spread(g, where[g], low, high, np.int64(-1), level, summary, width, size, pool, shape)
    where[g] = p
    _spread(g, p, low, high, np.int64(1), level, summary, width, size, pool, shape)


@inner
def _advance(  # type: ignore[no-untyped-def]
    t, own, first, level, summary, width, group, user_place, gone, ts, ti, where, size, pool, shape, sign
):  # fmt: skip
    """Change the profiles as the start of task ``t``, at place ``own``, does (``sign`` -1: back again)."""
    for i in range(ts[t], ts[t + 1]):
        g = ti[i]
        if group[g, BORN] == 0:
            _spread(g, where[g], first, group[g, FIRST], sign, level, summary, width, size, pool, shape)
        if group[g, KEPT] == 0:
            k = last_user(g, group, user_place, gone)
            if user_place[k] == own:
                death = first
                if group[g, UNSTARTED] > 1:
                    k += 1
                    while gone[user_place[k]]:
                        k += 1
                    death = user_place[k] + 1
                _spread(g, where[g], death, own + 1, -sign, level, summary, width, size, pool, shape)


@inner
def _growth(want, height, limit, total, top, pool_limit, shape):  # type: ignore[no-untyped-def]
    """Bytes by which heights must grow so that each is at least as wanted; -1 where they may not."""
    parts, pools = shape[0], pool_limit.shape[0]
    growth = np.int64(0)
    for p in range(parts):
        inside = np.int64(0)
        for q in range(pools):
            c = q * parts + p
            inside += max(height[c], want[c])
            growth += max(np.int64(0), want[c] - height[c])
        if inside > top[p]:
            return np.int64(-1)
    if total + growth > limit:
        return np.int64(-1)
    for q in range(pools):
        inside = np.int64(0)
        for p in range(parts):
            inside += max(height[q * parts + p], want[q * parts + p])
        if inside > pool_limit[q]:
            return np.int64(-1)
    return growth


@inner
def _take(t, g, held, where, size, part_size):  # type: ignore[no-untyped-def]
    """Task ``t`` holds the partitions of group ``g``."""
    for p in range(where[g], where[g] + (size[g] + part_size - 1) // part_size):
        held[p] = t
