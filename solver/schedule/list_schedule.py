"""Banker-safe list scheduling into partitions and pools.

::

    time ->      t0      t1      t2
    p0 | image   [a=====][c===========]     a cell is (pool, partition); a task that writes into a partition
       | table   [b]        [d===]          holds it alone while it runs (isolation ``exclusive``)
    p1 | image      [e========]

A task may start when its resources are free, when partitions for all it writes can be found, when the *reserved* bytes
stay under the ceiling, and when the rest of a reference order still fits once everything running has ended (the
banker's test). Reserved bytes are the sum over cells of the most bytes ever alive in the cell: that is the footprint
that a perfect placement of each cell would have, so a schedule that keeps them under the ceiling is one that placement
only has to round up by its fragmentation. With one pool and one partition they are the peak of live bytes.

The task that is next in the reference order is started even above the ceiling when nothing runs and nothing else can
start; the excess is reported, and the search treats it as worse than any makespan.

Blocks larger than a partition start at a partition boundary and run through consecutive partitions; all but the last
are taken whole, and their pool is the only one in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints
from ..compiled import copy_into, loop
from ..order import Compact

FAR_SIGHTED_TASKS = 1500
"""Up to this many tasks the banker's test always replays the order to its end; beyond, where reservations grow."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Start (ticks) of each task and first partition of each block; ``reserved`` bytes as defined above.

    ``complete`` is False when the partitions cannot hold a task even above the ceiling.
    """

    start: Ints
    partition: Ints
    makespan: int
    reserved: int
    complete: bool

    @property
    def key(self) -> tuple[int, int]:
        """What tells schedules of one search apart nearly always."""
        return (self.makespan, self.reserved)


class Scheduler:
    """List schedules of one problem. ``used_partitions`` may be fewer than there are: less concurrency, less waste."""

    def __init__(self, compact: Compact) -> None:
        self.compact = compact
        workspace = compact.problem.workspace
        self._partition_size = int(workspace.partition_size)
        self._partitions = workspace.partitions
        self._exclusive = workspace.isolation.value == "exclusive"
        c = compact
        self._arrays = (
            c.duration,
            c.predecessors.start,
            c.successors.start,
            c.successors.index,
            c.demand,
            c.capacity,
            c.births.start,
            c.births.index,
            c.touches.start,
            c.touches.index,
            c.over.start,
            c.over.index,
            c.size,
            c.pool,
            c.pool_limit,
            c.users,
            c.kept,
            c.lazy,
            c.preload,
        )

    def run(
        self,
        priority: NDArray[np.float64],
        reference: Ints,
        ceiling: int,
        *,
        used_partitions: int | None = None,
        sequential: bool = False,
        headroom: float = 0.0,
    ) -> Schedule:
        """Schedule tasks by ``priority`` (larger first) with at most ``ceiling`` reserved bytes if possible.

        ``headroom``: share of every partition that is left to the fragmentation of the placement.
        """
        rank = np.lexsort((reference_position(reference), -priority)).astype(np.int64)
        start, partition, makespan, reserved, complete = list_schedule(
            rank,
            reference,
            ceiling,
            self._partition_size,
            int(self._partition_size * (1 - headroom)),
            min(used_partitions or self._partitions, self._partitions),
            self._exclusive,
            sequential,
            *self._arrays,
        )
        return Schedule(start, partition, int(makespan), int(reserved), bool(complete))


def reference_position(reference: Ints) -> Ints:
    """Position of each task in ``reference``."""
    position = np.empty_like(reference)
    position[reference] = np.arange(reference.size)
    return position


@loop
def list_schedule(  # type: ignore[no-untyped-def]
    rank, reference, ceiling, part_size, room, parts, exclusive, sequential,
    dur, ps, ss, si, demand, capacity, bs, bi, ts, ti, os, oi, size, pool, pool_limit, users, kept, lazy, preload,
):  # fmt: skip
    """See the module's docstring. Returns (start, first partition of each block, makespan, reserved, complete)."""
    n, m, pools = dur.shape[0], size.shape[0], pool_limit.shape[0]
    start = np.full(n, -1, np.int64)
    end = np.full(n, -1, np.int64)
    where = np.full(m, -1, np.int64)
    loaded_at = np.full(m, -1, np.int64)
    loaded_by = np.full(m, -1, np.int64)
    left = users.copy()  # users that have not ended
    unstarted = users.copy()  # users that have not started
    missing = np.empty(n, np.int64)
    place = np.empty(n, np.int64)
    by_rank = np.empty(n, np.int64)
    for k in range(n):
        place[reference[k]] = k
        by_rank[rank[k]] = k
        missing[k] = ps[k + 1] - ps[k]
    free = capacity.copy()
    live = np.zeros((pools, parts), np.int64)
    peak = np.zeros((pools, parts), np.int64)
    spans = np.zeros(parts, np.int64)  # living blocks larger than a partition that lie in it
    base = np.full(parts, -1, np.int64)  # the pool whose slice begins the partition, once a spanning block needs it
    held = np.full(parts, -1, np.int64)
    ready = np.empty(n, np.int64)
    ready_count = np.int64(0)
    running = np.empty(n, np.int64)
    running_count = 0
    needed = np.empty(m, np.int64)
    many_cells = pools * parts > 1
    far_sighted = many_cells and n <= FAR_SIGHTED_TASKS
    patience = 4 if n > 600 else 8
    nobody, once, alone = np.int64(-2), np.int64(1), np.bool_(False)
    for b in range(m):
        if preload[b]:
            needed[0] = b
            if not place_blocks(
                needed,
                once,
                nobody,
                np.int64(2**62),
                live,
                peak,
                spans,
                base,
                held,
                where,
                size,
                pool,
                pool_limit,
                part_size,
                room,
                parts,
                alone,
            ):
                return start, where, 0, 0, False
    for t in range(n):
        if missing[t] == 0:
            ready_count = _insert(ready, ready_count, t, by_rank)
    now = np.int64(0)
    first = np.int64(0)  # first position of the reference order that has not started
    done = 0
    while done < n:
        k = 0
        refused = 0
        force = False
        while k < ready_count:
            t = ready[k]
            started = False
            fits = not (sequential and running_count > 0)
            for r in range(capacity.shape[0]):
                if demand[t, r] > free[r]:
                    fits = False
            if fits and exclusive:
                for i in range(os[t], os[t + 1]):
                    if held[where[oi[i]]] >= 0:
                        fits = False
                for i in range(ts[t], ts[t + 1]):
                    # Among readers that start together the one with the least id loads (and holds the partition).
                    if lazy[ti[i]] and loaded_at[ti[i]] == now and loaded_by[ti[i]] > t:
                        fits = False
            count = 0
            if fits:
                count = _births(t, needed, where, bs, bi, ts, ti, lazy)
                if count == 0:
                    started = True
                elif force or refused < patience:
                    saved_live, saved_peak = live.copy(), peak.copy()
                    saved_spans, saved_base, saved_held = spans.copy(), base.copy(), held.copy()
                    limit = np.int64(2**62) if force else ceiling
                    if place_blocks(
                        needed,
                        count,
                        t,
                        limit,
                        live,
                        peak,
                        spans,
                        base,
                        held,
                        where,
                        size,
                        pool,
                        pool_limit,
                        part_size,
                        room,
                        parts,
                        exclusive,
                    ):
                        grown = _differ(peak, saved_peak)
                        stop = n if far_sighted or (many_cells and grown) else place[t]
                        started = (
                            force
                            or sequential
                            or _safe(
                                t,
                                stop,
                                first,
                                reference,
                                start,
                                ceiling,
                                live,
                                peak,
                                spans,
                                base,
                                where,
                                left,
                                unstarted,
                                bs,
                                bi,
                                ts,
                                ti,
                                size,
                                pool,
                                pool_limit,
                                part_size,
                                room,
                                parts,
                                kept,
                                lazy,
                            )
                        )
                        if not started:
                            refused += 1
                            _restore(
                                live,
                                peak,
                                spans,
                                base,
                                held,
                                saved_live,
                                saved_peak,
                                saved_spans,
                                saved_base,
                                saved_held,
                            )
                            for i in range(count):
                                where[needed[i]] = -1
                if started and exclusive:
                    for i in range(os[t], os[t + 1]):
                        held[where[oi[i]]] = t
            if not started:
                if force and place[t] == first:
                    return start, where, 0, 0, False
                k += 1
                if k == ready_count and running_count == 0 and not force:
                    # Stuck below the ceiling: the reference order says what comes next, at whatever price.
                    force = True
                    k = 0
                    for r in range(ready_count):
                        if ready[r] == reference[first]:
                            k = r
                continue
            start[t] = now
            end[t] = now + dur[t]
            for r in range(capacity.shape[0]):
                free[r] -= demand[t, r]
            for i in range(count):
                loaded_at[needed[i]], loaded_by[needed[i]] = now, t
            for i in range(ts[t], ts[t + 1]):
                unstarted[ti[i]] -= 1
            while first < n and start[reference[first]] >= 0:
                first += 1
            running[running_count] = t
            running_count += 1
            ready_count -= 1
            for r in range(k, ready_count):
                ready[r] = ready[r + 1]
            if force:
                break
        if running_count == 0:
            return start, where, 0, 0, False
        now = end[running[0]]
        for r in range(1, running_count):
            if end[running[r]] < now:
                now = end[running[r]]
        r = 0
        while r < running_count:
            t = running[r]
            if end[t] > now:
                r += 1
                continue
            running_count -= 1
            running[r] = running[running_count]
            done += 1
            for i in range(capacity.shape[0]):
                free[i] += demand[t, i]
            if exclusive:
                for p in range(parts):
                    if held[p] == t:
                        held[p] = -1
            for i in range(ts[t], ts[t + 1]):
                b = ti[i]
                left[b] -= 1
                if left[b] == 0 and not kept[b]:
                    release_block(b, live, spans, where, size, pool, part_size)
            for i in range(ss[t], ss[t + 1]):
                missing[si[i]] -= 1
                if missing[si[i]] == 0:
                    ready_count = _insert(ready, ready_count, si[i], by_rank)
    reserved = np.int64(0)
    for q in range(pools):
        for p in range(parts):
            reserved += peak[q, p]
    return start, where, now, reserved, True


@loop
def _differ(a, b):  # type: ignore[no-untyped-def]
    """Whether two matrices of one shape differ anywhere."""
    for q in range(a.shape[0]):
        for p in range(a.shape[1]):
            if a[q, p] != b[q, p]:
                return True
    return False


@loop
def _restore(live, peak, spans, base, held, *saved):  # type: ignore[no-untyped-def]
    """Write back what was saved before blocks were placed."""
    for q in range(live.shape[0]):
        copy_into(live[q], saved[0][q])
        copy_into(peak[q], saved[1][q])
    copy_into(spans, saved[2])
    copy_into(base, saved[3])
    copy_into(held, saved[4])


@loop
def _insert(ready, count, t, by_rank):  # type: ignore[no-untyped-def]
    """Insert ``t`` into the ready list, which is sorted by rank; the new length."""
    k = count
    while k > 0 and by_rank[ready[k - 1]] > by_rank[t]:
        ready[k] = ready[k - 1]
        k -= 1
    ready[k] = t
    return count + 1


@loop
def release_block(b, live, spans, where, size, pool, part_size):  # type: ignore[no-untyped-def]
    """Take the bytes of block ``b`` out of its cells."""
    rest = size[b]
    p = where[b]
    spanning = rest > part_size
    while rest > 0:
        piece = min(rest, part_size)
        live[pool[b], p] -= piece
        if spanning:
            spans[p] -= 1
        rest -= piece
        p += 1


@loop
def _safe(  # type: ignore[no-untyped-def]
    t, stop, first, reference, start, ceiling, live, peak, spans, base, where, left, unstarted, bs, bi, ts, ti,
    size, pool, pool_limit, part_size, room, parts, kept, lazy,
):  # fmt: skip
    """Whether the reference order can go on below the ceiling after ``t``, whose blocks are placed, was started.

    Everything running ends; then the unstarted tasks up to place ``stop`` of the order run one at a time, each placed
    as it would be. When this holds at every start with ``stop`` at the end, the ceiling is never exceeded: as soon as
    nothing runs, the replayed world is the real one.
    """
    live, peak, spans, base, where = live.copy(), peak.copy(), spans.copy(), base.copy(), where.copy()
    nobody, alone = np.full(parts, -1, np.int64), np.bool_(False)
    waiting = unstarted.copy()
    for i in range(ts[t], ts[t + 1]):
        waiting[ti[i]] -= 1
    for b in range(size.shape[0]):
        if where[b] >= 0 and left[b] > 0 and waiting[b] == 0 and not kept[b]:
            release_block(b, live, spans, where, size, pool, part_size)
    needed = np.empty(size.shape[0], np.int64)
    for step in range(first, stop):
        u = reference[step]
        if start[u] >= 0 or u == t:
            continue
        count = _births(u, needed, where, bs, bi, ts, ti, lazy)
        if count > 0 and not place_blocks(
            needed,
            count,
            u,
            ceiling,
            live,
            peak,
            spans,
            base,
            nobody,
            where,
            size,
            pool,
            pool_limit,
            part_size,
            room,
            parts,
            alone,
        ):
            return False
        for i in range(ts[u], ts[u + 1]):
            b = ti[i]
            waiting[b] -= 1
            if waiting[b] == 0 and not kept[b]:
                release_block(b, live, spans, where, size, pool, part_size)
    return True


@loop
def _births(t, needed, where, bs, bi, ts, ti, lazy):  # type: ignore[no-untyped-def]
    """Write the blocks ``t`` would allocate into ``needed`` (own ones, larger first, then lazy inputs); how many."""
    count = 0
    for i in range(bs[t], bs[t + 1]):
        needed[count] = bi[i]
        count += 1
    for i in range(ts[t], ts[t + 1]):
        b = ti[i]
        if lazy[b] and where[b] < 0:
            needed[count] = b
            count += 1
    return count


@loop
def place_blocks(  # type: ignore[no-untyped-def]
    needed, count, t, limit, live, peak, spans, base, held, where, size, pool, pool_limit, part_size, room,
    parts, exclusive,
):  # fmt: skip
    """Choose partitions for the ``count`` blocks of task ``t``; all of them or none (then nothing has changed).

    First one partition for everything, the one whose reservations grow least and then the fullest; else each block,
    larger first, where it grows reservations least, preferring partitions the task already holds.
    """
    pools = live.shape[0]
    reserved = np.int64(0)
    pool_total = np.zeros(pools, np.int64)
    for q in range(pools):
        for p in range(parts):
            pool_total[q] += peak[q, p]
        reserved += pool_total[q]
    need = np.zeros(pools, np.int64)
    spanning = False
    for i in range(count):
        need[pool[needed[i]]] += size[needed[i]]
        if size[needed[i]] > part_size:
            spanning = True
    if not spanning:
        best, best_growth, best_slack = -1, np.int64(0), np.int64(0)
        for p in range(parts):
            if exclusive and held[p] >= 0 and held[p] != t:
                continue
            growth, inside, slack, allowed = np.int64(0), np.int64(0), np.int64(0), True
            for q in range(pools):
                more = max(np.int64(0), live[q, p] + need[q] - peak[q, p])
                growth += more
                inside += peak[q, p] + more
                if need[q] > 0:
                    slack += peak[q, p] + more - live[q, p] - need[q]
                if pool_total[q] + more > pool_limit[q]:
                    allowed = False
            if inside > room or not allowed or reserved + growth > limit:
                continue
            if best < 0 or growth < best_growth or (growth == best_growth and slack < best_slack):
                best, best_growth, best_slack = p, growth, slack
        if best >= 0:
            for i in range(count):
                where[needed[i]] = best
            for q in range(pools):
                live[q, best] += need[q]
                peak[q, best] = max(peak[q, best], live[q, best])
            if exclusive:
                held[best] = t
            return True
        if count == 1:
            return False
    saved_live, saved_peak = live.copy(), peak.copy()
    saved_spans, saved_base, saved_held = spans.copy(), base.copy(), held.copy()
    for i in range(count):
        b = needed[i]
        q = pool[b]
        pieces = (size[b] + part_size - 1) // part_size
        best, best_cost = -1, np.int64(0)
        for p in range(parts - pieces + 1):
            growth, allowed, fresh = np.int64(0), True, np.int64(0)
            rest = size[b]
            for j in range(p, p + pieces):
                piece = min(rest, part_size)
                rest -= piece
                if exclusive and held[j] >= 0 and held[j] != t:
                    allowed = False
                    break
                if exclusive and held[j] != t:
                    fresh += 1
                if pieces > 1 and (spans[j] > 0 or (base[j] >= 0 and base[j] != q)):
                    allowed = False
                    break
                more = max(np.int64(0), live[q, j] + piece - peak[q, j])
                inside = more
                for other in range(pools):
                    inside += peak[other, j]
                if inside > (part_size if pieces > 1 else room):
                    allowed = False
                    break
                growth += more
            if not allowed or reserved + growth > limit or pool_total[q] + growth > pool_limit[q]:
                continue
            cost = growth * (np.int64(parts) + 1) + fresh
            if best < 0 or cost < best_cost:
                best, best_cost = p, cost
        if best < 0:
            _restore(live, peak, spans, base, held, saved_live, saved_peak, saved_spans, saved_base, saved_held)
            for k in range(i):
                where[needed[k]] = -1
            return False
        where[b] = best
        rest = size[b]
        for j in range(best, best + pieces):
            piece = min(rest, part_size)
            rest -= piece
            live[q, j] += piece
            more = max(np.int64(0), live[q, j] - peak[q, j])
            peak[q, j] += more
            reserved += more
            pool_total[q] += more
            if pieces > 1:
                spans[j] += 1
                base[j] = q
            if exclusive:
                held[j] = t
    return True
