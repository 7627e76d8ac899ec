"""List scheduling behind a memory gate: thousands of schedules per second, none of which can get stuck.

Tasks start in order of priority as soon as their predecessors have ended, their resources are free, and the gate lets
them in. The gate is the banker's: live bytes stay below the ceiling now, and *if everything running ended and the
tasks that have not started then ran one at a time in the reference order*, they would stay below it too. So the
reference order can always be resumed, and whoever is refused now will be let in later.

What the replay of the reference order would keep alive is not replayed: it is a profile over the positions of the
order, in which each group is one interval, from its first user (from now, if it is born) to its last user that has not
started. Starting a task changes the intervals of the groups it touches::

    position in the reference order   0 1 2 3 4 5 6 7
    a group whose users are at 2, 5       [=====]           alive while the replay is at 2 .. 5
    the task at 5 starts now          [===]                 it is born now; its last user left is the one at 2

and only positions before the task's own can rise.

*Strict* tasks are those for which others wait: a ready strict task that the gate refuses lets no task of lower
priority allocate bytes. Without them, small tasks would keep a large one out for ever.

With several partitions or pools every start is also placed into partitions (``list_schedule.place_blocks``), where the
*reserved* bytes, the sum over (pool, partition) of the most bytes ever alive, must stay below a limit. This gate does
not see partitions: when nothing runs and nothing may start, the next task of the reference order starts above the
limit, and the caller sees the excess. ``cell_gate.py`` never jams, but binds what comes later to partitions; neither is
better everywhere.
"""

from __future__ import annotations

import numpy as np

from ..compiled import inner, loop
from .gate_parts import (
    BORN,
    FIELDS,
    FIRST,
    KEPT,
    NOBODY,
    SIZE,
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
from .list_schedule import place_blocks, release_block

NO_SCHEDULE = 2**62
"""Makespan where there is none: the reference is no legal order, or its bytes do not go into the partitions."""

PATIENCE = 12
"""Tasks that partitions refuse at one moment before the others are not asked any more."""


@loop
def gated_schedule(rank, reference, strict, ceiling, limit, line, cells, start, where):  # type: ignore[no-untyped-def]
    """See the module's docstring. ``rank``: tasks, highest priority first. Fills ``start`` and ``where`` (partitions).

    Returns (makespan, reserved bytes); without partitions, reserved bytes are the peak of live bytes.
    """
    dur, waits, ss, si, demand, capacity, low, ts, ti, us, ui, size, kept, preload = line
    _all, parts, part_size, room, exclusive, pool, pool_limit, bs, bi, os, oi, lazy = cells
    n, m, resources = dur.shape[0], size.shape[0], capacity.shape[0]
    by_rank, place = np.empty(n, np.int64), np.empty(n, np.int64)
    missing, need = waits.copy(), np.zeros(n, np.int64)  # need: bytes of the groups it touches that are not born
    gone = np.zeros(n, np.bool_)  # places of the reference order whose tasks have started
    width = width_of(n)
    blocks = n // width + 1
    level, summary = np.zeros(blocks * width, np.int64), np.zeros((blocks, 2), np.int64)
    for k in range(n):
        by_rank[rank[k]] = k
        place[reference[k]] = k
        start[k] = -1
    group = np.empty((m, FIELDS), np.int64)
    unended = np.empty(m, np.int64)
    user_place = np.empty(ui.shape[0], np.int64)
    fill_groups(group, user_place, reference, ts, ti, us, size, kept, preload)
    live = np.int64(0)
    for g in range(m):
        unended[g] = us[g + 1] - us[g]
        birth = np.int64(0)
        if preload[g]:
            live += size[g]
        else:
            birth = group[g, FIRST]
            for i in range(us[g], us[g + 1]):
                need[ui[i]] += size[g]
        level[birth] += size[g]
        level[n if kept[g] else user_place[us[g]] + 1] -= size[g]
    summarise(level, summary, width, n)
    pools = pool_limit.shape[0]
    cell_live, cell_peak = np.zeros((pools, parts), np.int64), np.zeros((pools, parts), np.int64)
    spans, base, held = np.zeros(parts, np.int64), np.full(parts, -1, np.int64), np.full(parts, -1, np.int64)
    loaded_at, loaded_by = np.full(m if parts else 0, -1, np.int64), np.full(m if parts else 0, -1, np.int64)
    needed = np.empty(m, np.int64)
    if parts:
        for b in range(m):
            where[b] = -1
        for b in range(m):
            needed[0] = b
            if preload[b] and not place_blocks(
                needed, np.int64(1), np.int64(-2), np.int64(2**62), cell_live, cell_peak, spans, base, held, where,
                size, pool, pool_limit, part_size, room, parts, np.bool_(False),
            ):  # fmt: skip
                return np.int64(NO_SCHEDULE), np.int64(0)
    free = capacity.copy()
    ready, end, running = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    waiting, busy = np.int64(0), np.int64(0)
    for k in range(n):
        if missing[rank[k]] == 0:
            ready[waiting] = rank[k]
            waiting += 1
    now, makespan, peak = np.int64(0), np.int64(0), live
    first, done = np.int64(0), np.int64(0)  # first place of the reference order that has not started
    force = False
    while done < n:
        looked, stay, refused = np.int64(0), np.int64(0), np.int64(0)
        closed, full = False, False
        while looked < waiting:
            t = ready[looked]
            allowed = not full
            if force:
                allowed = allowed and t == reference[first]
            else:
                for r in range(resources):
                    if demand[t, r] > free[r]:
                        allowed = False
                if (
                    allowed
                    and need[t] > 0
                    and (
                        closed
                        or live + need[t] > ceiling
                        or refused >= PATIENCE
                        or not _resumable(
                            t, ceiling, place[t], first, width, level, summary, ts, ti, group, user_place, gone
                        )
                    )
                ):
                    allowed = False
                    closed = closed or strict[t]
            if allowed and parts:
                allowed = _enter(
                    t, now, np.int64(2**62) if force else limit, needed, loaded_at, loaded_by, cell_live, cell_peak,
                    spans, base, held, where, size, pool, pool_limit, part_size, room, parts, exclusive, bs, bi, ts, ti,
                    os, oi, lazy,
                )  # fmt: skip
                if not allowed:
                    if force:
                        return np.int64(NO_SCHEDULE), np.int64(0)
                    refused += 1
                    closed = closed or strict[t]
            if allowed:
                _advance(t, place[t], first, width, level, summary, ts, ti, group, user_place, gone, np.int64(1))
                for i in range(ts[t], ts[t + 1]):
                    g = ti[i]
                    group[g, UNSTARTED] -= 1
                    if group[g, BORN] == 0:
                        group[g, BORN] = 1
                        live += size[g]
                        for u in range(us[g], us[g + 1]):
                            need[ui[u]] -= size[g]
                peak = max(peak, live)
                gone[place[t]] = True
                add(level, summary, width, place[t], place[t] + 1, np.int64(NOBODY))
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
                    live -= size[g]
                    if parts:
                        release_block(g, cell_live, spans, where, size, pool, part_size)
            waiting = make_ready(t, ss, si, missing, ready, waiting, by_rank)
    reserved = np.int64(0)
    for q in range(pools):
        for p in range(parts):
            reserved += cell_peak[q, p]
    return makespan, reserved if parts else peak


@inner
def _resumable(t, ceiling, own, first, width, level, summary, ts, ti, group, user_place, gone):  # type: ignore[no-untyped-def]
    """Whether the reference order can go on below ``ceiling`` once task ``t``, at place ``own`` of it, has started."""
    births, deaths, throughout = np.int64(0), np.int64(0), np.int64(0)
    for i in range(ts[t], ts[t + 1]):
        g = ti[i]
        if group[g, BORN] == 0:
            births += group[g, SIZE]
            if group[g, FIRST] == own:
                throughout += group[g, SIZE]
        if group[g, KEPT] == 0:
            k = last_user(g, group, user_place, gone)
            if user_place[k] == own:
                deaths += group[g, SIZE]
    before = highest(level, summary, width, first, own)
    if before + births <= ceiling:
        return True
    if before + throughout - deaths > ceiling:
        return False
    _advance(t, own, first, width, level, summary, ts, ti, group, user_place, gone, np.int64(1))
    fits = highest(level, summary, width, first, own) <= ceiling
    _advance(t, own, first, width, level, summary, ts, ti, group, user_place, gone, np.int64(-1))
    return fits


@inner
def _advance(t, own, first, width, level, summary, ts, ti, group, user_place, gone, sign):  # type: ignore[no-untyped-def]
    """Change the profile as the start of task ``t``, at place ``own``, does (``sign`` -1: back again)."""
    for i in range(ts[t], ts[t + 1]):
        g = ti[i]
        if group[g, BORN] == 0:
            add(level, summary, width, first, group[g, FIRST], sign * group[g, SIZE])
        if group[g, KEPT] == 0:
            k = last_user(g, group, user_place, gone)
            if user_place[k] == own:
                death = first
                if group[g, UNSTARTED] > 1:
                    k += 1
                    while gone[user_place[k]]:
                        k += 1
                    death = user_place[k] + 1
                add(level, summary, width, death, own, -sign * group[g, SIZE])


@inner
def _enter(  # type: ignore[no-untyped-def]
    t, now, limit, needed, loaded_at, loaded_by, live, peak, spans, base, held, where, size, pool, pool_limit,
    part_size, room, parts, exclusive, bs, bi, ts, ti, os, oi, lazy,
):  # fmt: skip
    """Partitions for all that task ``t`` would write at ``now``; whether there are any. If not, nothing has changed."""
    if exclusive:
        for i in range(os[t], os[t + 1]):
            if held[where[oi[i]]] >= 0:
                return False
        for i in range(ts[t], ts[t + 1]):
            # Among readers that start together the one with the least id loads (and holds the partition).
            if lazy[ti[i]] and loaded_at[ti[i]] == now and loaded_by[ti[i]] > t:
                return False
    count = np.int64(0)
    for i in range(bs[t], bs[t + 1]):
        needed[count] = bi[i]
        count += 1
    for i in range(ts[t], ts[t + 1]):
        if lazy[ti[i]] and where[ti[i]] < 0:
            needed[count] = ti[i]
            count += 1
    if count > 0 and not place_blocks(
        needed, count, t, limit, live, peak, spans, base, held, where, size, pool, pool_limit, part_size, room, parts,
        exclusive,
    ):  # fmt: skip
        return False
    for i in range(count):
        loaded_at[needed[i]], loaded_by[needed[i]] = now, t
    if exclusive:
        for i in range(os[t], os[t + 1]):
            held[where[oi[i]]] = t
    return True
