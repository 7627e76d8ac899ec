"""Filling partitions without proof: first fit in many orders, then repair by ejection. Compiled loops and their state.

First fit puts blocks one after another where they fit; what finds no place is moved to the front of the order and all
is filled again ("squeaky wheel", Joslin and Clements 1999). Repair starts from such a placement: a block without a
place is put where it drives out the least, what it drove out looks for a place in turn, and a block that was hard to
place becomes expensive to drive out (the weights of Morris's breakout method, 1993). Repair works in *windows*: bytes
of a partition that one pool may use; fixed regions and several pools are windows that are smaller than the partition.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints, Rows
from ..compiled import loop
from .partition_question import Partitioned

LEAST_GROWTH, LOWEST, FIRST = 0, 1, 2
"""Which of the places where a block fits first fit takes: where the footprint grows least, the lowest, the first."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Partition (or -1) and offset of each block, and the highest byte used by each pool in each partition.

    Offsets count from the start of the partition where there are windows; without, from the start of the pool's slice.
    """

    partition: Ints
    offset: Ints
    height: Ints

    @property
    def complete(self) -> bool:
        return bool((self.partition >= 0).all())


class Arrays:
    """A question as arrays of its blocks, for the compiled loops. ``windows``: ``low``, ``high`` by pool, partition."""

    def __init__(self, question: Partitioned) -> None:
        q, blocks = question, question.blocks
        self.question = question
        n, parts, pools = len(blocks), len(q.partitions), len(q.limits)
        self.size = np.array([b.size for b in blocks], dtype=np.int64)
        self.alignment = np.array([b.alignment for b in blocks], dtype=np.int64)
        self.pool = np.array([b.pool for b in blocks], dtype=np.int64)
        self.held_offset = np.array([b.held_offset for b in blocks], dtype=np.int64)
        self.may = np.zeros((n, parts), dtype=np.bool_)
        for k, places in enumerate(q.places):
            self.may[k, list(places)] = True
        self.birth = Rows.of([[a for a, _ in b.lives] for b in blocks])
        self.death = Rows.of([[z for _, z in b.lives] for b in blocks])
        self.writer = Rows.of([[t for t, _ in b.written] if q.exclusive else [] for b in blocks])
        self.written = Rows.of([[s for _, s in b.written] if q.exclusive else [] for b in blocks])
        self.running = np.array(q.tasks, dtype=np.int64).reshape(-1, 2)
        self.capacity = np.array(q.partitions, dtype=np.int64)
        whole = sum(q.partitions)
        self.limit = np.array([whole if x is None else x for x in q.limits], dtype=np.int64)
        self.grain = lcm(*(b.alignment for b in blocks)) if pools > 1 else 1
        self.base = self.size / max(1.0, float(self.size.mean())) + 0.05 if n else self.size.astype(np.float64)
        self.duration = np.array([sum(z - a for a, z in b.lives) for b in blocks], dtype=np.int64)
        self.start = np.array([b.lives[0][0] for b in blocks], dtype=np.int64)
        self.preferred = np.array([b.preferred for b in blocks], dtype=np.int64)
        self.preferred_offset = np.array([b.preferred_offset for b in blocks], dtype=np.int64)
        self.whole = (
            np.zeros((pools, parts), np.int64),
            np.repeat(self.capacity[None, :], pools, axis=0),
        )

    def fill(
        self,
        order: Ints,
        prefer: Ints,
        policy: int,
        windows: tuple[Ints, Ints] | None,
        wished: Ints | None = None,
        may: NDArray[np.bool_] | None = None,
    ) -> Filled:
        """First fit in ``order``; ``prefer``: a partition per block taken first, or -1; ``may``: where it may begin."""
        low, high = windows or self.whole
        allowed = self.may if may is None else may
        wish = np.full(self.size.size, -1, np.int64) if wished is None else wished
        return Filled(
            *fill(
                order, prefer, wish, policy, self.size, self.alignment, self.pool, self.held_offset, allowed,
                self.birth.start, self.birth.index, self.death.index,
                self.writer.start, self.writer.index, self.written.index, self.running,
                self.capacity, low, high, self.limit, self.grain if windows is None else 1,
            )
        )  # fmt: skip

    def repair(
        self, partition: Ints, offset: Ints, weight: NDArray[np.float64], windows: tuple[Ints, Ints], steps: int,
        seed: int, stop: NDArray[np.bool_], may: NDArray[np.bool_] | None = None,
    ) -> int:  # fmt: skip
        """Change the placement in place until it is complete; the number of blocks without a place in the end.

        ``offset`` counts from the start of the partition. ``weight``: what driving a block out costs; it is changed.
        """
        return int(
            repair(
                partition, offset, weight, self.base, steps, seed, stop,
                self.size, self.alignment, self.pool, self.held_offset, self.may if may is None else may,
                self.birth.start, self.birth.index, self.death.index,
                self.writer.start, self.writer.index, self.written.index, self.running,
                self.capacity, *windows,
            )
        )  # fmt: skip


@loop
def _together(a, b, start, birth, death):  # type: ignore[no-untyped-def]
    """Whether blocks ``a`` and ``b`` are alive at one moment."""
    i, j = start[a], start[b]
    while i < start[a + 1] and j < start[b + 1]:
        if birth[i] < death[j] and birth[j] < death[i]:
            return True
        if death[i] <= death[j]:
            i += 1
        else:
            j += 1
    return False


@loop
def _into(first, p, capacity):  # type: ignore[no-untyped-def]
    """Bytes of a region that begins in partition ``first`` which lie before partition ``p``."""
    before = np.int64(0)
    for k in range(first, p):
        before += capacity[k]
    return before


@loop
def _rivals(a, at_a, b, at_b, p, ws, wt, wz, running, capacity):  # type: ignore[no-untyped-def]
    """Whether writers of blocks ``a`` and ``b``, which begin in ``at_a`` and ``at_b``, meet in partition ``p``."""
    for i in range(ws[a], ws[a + 1]):
        if at_a < p and _into(at_a, p, capacity) >= wz[i]:
            continue
        for j in range(ws[b], ws[b + 1]):
            s, t = wt[i], wt[j]
            if s == t or running[s, 1] <= running[t, 0] or running[t, 1] <= running[s, 0]:
                continue
            if at_b == p or _into(at_b, p, capacity) < wz[j]:
                return True
    return False


@loop
def fill(  # type: ignore[no-untyped-def]
    order, prefer, wish, policy, size, alignment, pool, held, may, ls, birth, death, ws, wt, wz, running, capacity,
    low, high, limit, grain,
):  # fmt: skip
    """First fit; see ``Arrays.fill``. Occupants of a partition are kept sorted by offset."""
    n, parts, pools = size.shape[0], capacity.shape[0], limit.shape[0]
    where = np.full(n, -1, np.int64)
    offset = np.zeros(n, np.int64)
    here = np.zeros((parts, n), np.int64)
    count = np.zeros(parts, np.int64)
    height = np.zeros((pools, parts), np.int64)
    total = np.zeros(pools, np.int64)
    filled = np.zeros(parts, np.int64)
    base = np.full(parts, -1, np.int64)  # the pool whose slice must begin the partition
    for b in order:
        q = pool[b]
        best, best_at = -1, np.int64(0)
        best_unlike, best_key = True, np.int64(0)
        for p in range(parts):
            if not may[b, p]:
                continue
            spans = size[b] > capacity[p]
            at, growth, rest, k = np.int64(0), np.int64(0), size[b], p
            if not spans:
                at = (low[q, p] + alignment[b] - 1) // alignment[b] * alignment[b]
            if held[b] >= 0:
                at = held[b]
            wished = wish[b] >= 0 and prefer[b] == p and not spans and held[b] < 0
            fits, fresh = True, 0
            while rest > 0 and fits:
                piece = min(rest, capacity[k])
                free = True
                if wished:
                    wished = wish[b] >= low[q, p] and wish[b] % alignment[b] == 0
                for i in range(count[k]):
                    c = here[k, i]
                    if ws[c + 1] > ws[c] and _rivals(b, p, c, where[c], k, ws, wt, wz, running, capacity):
                        fits = False
                        break
                    if pool[c] != q or not _together(b, c, ls, birth, death):
                        continue
                    bottom = offset[c]
                    length = (
                        size[c]
                        if size[c] <= capacity[where[c]]
                        else min(capacity[k], size[c] - _into(where[c], k, capacity))
                    )
                    if wished and bottom < wish[b] + piece and wish[b] < bottom + length:
                        wished = False
                    if free and bottom < at + piece and at < bottom + length:
                        if spans or held[b] >= 0:
                            free = False
                        else:
                            at = (bottom + length + alignment[b] - 1) // alignment[b] * alignment[b]
                if wished and wish[b] + piece <= high[q, p]:
                    at = wish[b]
                elif not free:
                    fits = False
                if spans and (low[q, k] > 0 or (base[k] >= 0 and base[k] != q)):
                    fits = False
                if at < low[q, k] or at + piece > high[q, k]:
                    fits = False
                reach = (at + piece - low[q, k] + grain - 1) // grain * grain
                more = max(np.int64(0), reach - height[q, k])
                if filled[k] + more > capacity[k]:
                    fits = False
                growth += more
                fresh += height[q, k] == 0
                rest -= piece
                k += 1
            if not fits or total[q] + growth > limit[q]:
                continue
            unlike = prefer[b] != p  # the partition that is preferred comes first, then by policy, then by number
            key = growth if policy == 0 else (at if policy == 1 else np.int64(0))
            if best < 0 or unlike < best_unlike or (unlike == best_unlike and key < best_key):
                best, best_at, best_unlike, best_key = p, at, unlike, key
        if best < 0:
            continue
        where[b], offset[b] = best, best_at
        rest, k = size[b], best
        while rest > 0:
            piece = min(rest, capacity[k])
            if size[b] > capacity[best]:
                base[k] = q
            reach = (best_at + piece - low[q, k] + grain - 1) // grain * grain
            more = max(np.int64(0), reach - height[q, k])
            height[q, k] += more
            filled[k] += more
            total[q] += more
            i = count[k]
            while i > 0 and offset[here[k, i - 1]] > best_at:
                here[k, i] = here[k, i - 1]
                i -= 1
            here[k, i] = b
            count[k] += 1
            rest -= piece
            k += 1
    return where, offset, height


@loop
def repair(  # type: ignore[no-untyped-def]
    where, offset, weight, base, steps, seed, stop, size, alignment, pool, held, may, ls, birth, death, ws, wt, wz,
    running, capacity, low, high,
):  # fmt: skip
    """Ejection search; see ``Arrays.repair``."""
    np.random.seed(seed)
    n, parts = size.shape[0], capacity.shape[0]
    here = np.zeros((parts, n), np.int64)
    count = np.zeros(parts, np.int64)
    waiting = np.zeros(n, np.int64)
    missing = 0
    for b in range(n):
        if where[b] >= 0:
            rest, k = size[b], where[b]
            while rest > 0:
                here[k, count[k]] = b
                count[k] += 1
                rest -= min(rest, capacity[k])
                k += 1
        else:
            waiting[missing] = b
            missing += 1
    near = np.zeros(n, np.int64)
    bottoms = np.zeros(n, np.int64)
    tops = np.zeros(n, np.int64)
    out = np.zeros(n, np.int64)
    best_out = np.zeros(n, np.int64)
    for step in range(steps):
        if missing == 0 or (step % 64 == 0 and stop[0]):
            break
        i = np.random.randint(missing)
        if np.random.random() < 0.5:
            for j in range(missing):
                if base[waiting[j]] > base[waiting[i]]:
                    i = j
        b = waiting[i]
        waiting[i] = waiting[missing - 1]
        missing -= 1
        best_cost, best, best_at, best_count = np.inf, -1, np.int64(0), 0
        turn = np.random.randint(parts)
        for r in range(parts):
            p = (turn + r) % parts
            if not may[b, p] or best_cost == 0.0:
                continue
            q = pool[b]
            spans = size[b] > capacity[p]
            # What writes beside b, and over all pieces what lies where a spanning block must lie, has to leave.
            gone, cost, possible = 0, 0.0, True
            rest, k, m = size[b], p, 0
            while rest > 0:
                piece = min(rest, capacity[k])
                fixed_at = np.int64(0) if spans else held[b]
                if spans and (low[q, k] > 0 or piece > high[q, k]):
                    possible = False
                for i in range(count[k]):
                    c = here[k, i]
                    leaves = ws[c + 1] > ws[c] and _rivals(b, p, c, where[c], k, ws, wt, wz, running, capacity)
                    bottom = offset[c]
                    length = (
                        size[c]
                        if size[c] <= capacity[where[c]]
                        else min(capacity[k], size[c] - _into(where[c], k, capacity))
                    )
                    if not leaves and pool[c] == q and _together(b, c, ls, birth, death):
                        if fixed_at >= 0:
                            leaves = bottom < fixed_at + piece and fixed_at < bottom + length
                        else:
                            near[m], bottoms[m], tops[m] = c, bottom, bottom + length
                            m += 1
                    if leaves:
                        known = False
                        for j in range(gone):
                            known = known or out[j] == c
                        if not known:
                            out[gone] = c
                            gone += 1
                            cost += weight[c]
                            if held[c] >= 0:
                                possible = False
                rest -= piece
                k += 1
            if not possible:
                continue
            at = np.int64(0)
            if not spans and held[b] >= 0:
                at = held[b]
                if at < low[q, p] or at + size[b] > high[q, p]:
                    continue
            elif not spans:
                step_at = alignment[b]
                floor = (low[q, p] + step_at - 1) // step_at * step_at
                roof = (high[q, p] - size[b]) // step_at * step_at
                if roof < floor:
                    continue
                least = np.inf
                share = 1.0 if m <= 40 else 40.0 / m
                for c in range(-2, 2 * m):
                    if c == -2:
                        spot = floor
                    elif c == -1:
                        spot = roof
                    elif c % 2:
                        spot = (bottoms[c // 2] - size[b]) // step_at * step_at
                    else:
                        spot = (tops[c // 2] + step_at - 1) // step_at * step_at
                    if spot < floor or spot > roof or (c >= 0 and share < 1.0 and np.random.random() > share):
                        continue
                    loss = 0.0
                    for j in range(m):
                        if bottoms[j] < spot + size[b] and spot < tops[j]:
                            loss += weight[near[j]] if held[near[j]] < 0 else np.inf
                            if loss >= least:
                                break
                    if loss < least:
                        least, at = loss, spot
                        if loss == 0.0:
                            break
                if least == np.inf:
                    continue
                for j in range(m):
                    if bottoms[j] < at + size[b] and at < tops[j]:
                        out[gone] = near[j]
                        gone += 1
                cost += least
            if cost > 0.0:
                cost *= 1.0 + 0.1 * np.random.random()
            if cost < best_cost:
                best_cost, best, best_at, best_count = cost, p, at, gone
                for j in range(gone):
                    best_out[j] = out[j]
        if best < 0:
            waiting[missing] = b
            missing += 1
            continue
        for i in range(best_count):
            c = best_out[i]
            rest, k = size[c], where[c]
            while rest > 0:
                j = 0
                while here[k, j] != c:
                    j += 1
                count[k] -= 1
                here[k, j] = here[k, count[k]]
                rest -= min(rest, capacity[k])
                k += 1
            where[c] = -1
            waiting[missing] = c
            missing += 1
        if best_cost > 0.0:
            weight[b] += 0.2 * base[b] + 0.02
        where[b], offset[b] = best, best_at
        rest, k = size[b], best
        while rest > 0:
            here[k, count[k]] = b
            count[k] += 1
            rest -= min(rest, capacity[k])
            k += 1
    return missing
