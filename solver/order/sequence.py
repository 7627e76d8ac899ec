"""Sequential orders with a low peak: greedy starts, then annealing over legal moves.

The value of an order is the sum over pools of each pool's own peak, because pools own disjoint slices; with one pool
it is the peak of live bytes. By the sequential-equivalence theorem no
parallel schedule has a lower one than the best order.

A move takes one task to another place between its last predecessor and its first successor, so every visited order is
legal. Temperature falls linearly; the value is the peak plus a small share of the excess above nine tenths of it, so
that orders with the same peak but fewer critical moments win.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from ..budget import Budget
from .compact import Compact, Ints

FRUITLESS_MOVES_PER_TASK = 2000
"""Annealing ends after so many moves per task without a lower peak: small problems are exhausted by then."""


@dataclass(frozen=True, slots=True)
class Order:
    """A legal sequence of task indices and its value: the sum over pools of the peak of live bytes."""

    sequence: Ints
    peak: int


@njit(cache=True)
def sequence_peak(order, bs, bi, ts, ti, size, pool, users, kept, lazy, preload, pools):  # type: ignore[no-untyped-def]
    """(sum of pool peaks, sum over steps of the bytes above nine tenths of the final peak) of a sequential order."""
    left = users.copy()
    loaded = np.zeros(size.shape[0], np.bool_)
    live = np.zeros(pools, np.int64)
    peak = np.zeros(pools, np.int64)
    for b in range(size.shape[0]):
        if preload[b]:
            live[pool[b]] += size[b]
    for q in range(pools):
        peak[q] = live[q]
    n = order.shape[0]
    totals = np.empty(n, np.int64)
    for k in range(n):
        t = order[k]
        for i in range(bs[t], bs[t + 1]):
            live[pool[bi[i]]] += size[bi[i]]
        for i in range(ts[t], ts[t + 1]):
            b = ti[i]
            if lazy[b] and not loaded[b]:
                loaded[b] = True
                live[pool[b]] += size[b]
        total = 0
        for q in range(pools):
            total += live[q]
            if live[q] > peak[q]:
                peak[q] = live[q]
        totals[k] = total
        for i in range(ts[t], ts[t + 1]):
            b = ti[i]
            left[b] -= 1
            if left[b] == 0 and not kept[b]:
                live[pool[b]] -= size[b]
    value = 0
    for q in range(pools):
        value += peak[q]
    level = value - value // 10
    excess = 0.0
    for k in range(n):
        if totals[k] > level:
            excess += totals[k] - level
    return value, excess


@njit(cache=True)
def greedy_sequence(rule, noise, seed, tail, ps, ss, si, bs, bi, ts, ti, size, pool, users, kept, lazy, preload, pools):  # type: ignore[no-untyped-def]
    """A legal order, built forward: the ready task with the least score runs next.

    Rules: 0 net change of live bytes, then bytes needed; 1 bytes needed while running; 2 the task whose inputs were
    written last (depth first); 3 net change weighed by the share of each input that the task would finish.
    ``noise`` perturbs the score by that share of its scale.
    """
    np.random.seed(seed)
    n = ps.shape[0] - 1
    missing = np.empty(n, np.int64)
    for t in range(n):
        missing[t] = ps[t + 1] - ps[t]
    left = users.copy()
    loaded = np.zeros(size.shape[0], np.bool_)
    ready = np.empty(n, np.int64)
    count = 0
    when = np.zeros(n, np.int64)
    for t in range(n):
        if missing[t] == 0:
            ready[count] = t
            count += 1
    order = np.empty(n, np.int64)
    scale = 1.0
    for b in range(size.shape[0]):
        scale = max(scale, float(size[b]))
    for k in range(n):
        best = -1
        best_score = 0.0
        for r in range(count):
            t = ready[r]
            grow = 0.0
            for i in range(bs[t], bs[t + 1]):
                grow += size[bi[i]]
            shrink = 0.0
            part = 0.0
            for i in range(ts[t], ts[t + 1]):
                b = ti[i]
                if lazy[b] and not loaded[b]:
                    grow += size[b]
                if not kept[b]:
                    if left[b] == 1:
                        shrink += size[b]
                    part += size[b] / left[b]
            if rule == 0:
                score = grow - shrink + 1e-3 * grow
            elif rule == 1:
                score = grow - 1e-3 * shrink
            elif rule == 2:
                score = -float(when[t]) * scale + 1e-3 * (grow - shrink)
            else:
                score = grow - part
            if noise > 0.0:
                score += noise * scale * np.random.random()
            score -= 1e-9 * tail[t]
            if best < 0 or score < best_score:
                best, best_score = r, score
        t = ready[best]
        count -= 1
        ready[best] = ready[count]
        order[k] = t
        for i in range(ts[t], ts[t + 1]):
            loaded[ti[i]] = True
            left[ti[i]] -= 1
        for i in range(ss[t], ss[t + 1]):
            s = si[i]
            missing[s] -= 1
            when[s] = k + 1
            if missing[s] == 0:
                ready[count] = s
                count += 1
    return order


@njit(cache=True)
def anneal_sequence(order, steps, seed, ps, pi, ss, si, bs, bi, ts, ti, size, pool, users, kept, lazy, preload, pools):  # type: ignore[no-untyped-def]
    """The best order met in ``steps`` moves, and its peak."""
    np.random.seed(seed)
    n = order.shape[0]
    current = order.copy()
    place = np.empty(n, np.int64)
    for k in range(n):
        place[current[k]] = k
    peak, excess = sequence_peak(current, bs, bi, ts, ti, size, pool, users, kept, lazy, preload, pools)
    value = peak + 0.05 * excess / max(n, 1)
    best, best_peak, best_value = current.copy(), peak, value
    for step in range(steps):
        t = current[np.random.randint(n)]
        low, high = 0, n - 1
        for i in range(ps[t], ps[t + 1]):
            low = max(low, place[pi[i]] + 1)
        for i in range(ss[t], ss[t + 1]):
            high = min(high, place[si[i]] - 1)
        if low >= high:
            continue
        old = place[t]
        reach = max(2, (high - low) // 4) if np.random.random() < 0.5 else high - low
        new = min(high, max(low, old - reach + np.random.randint(2 * reach + 1)))
        if new == old:
            continue
        _shift(current, place, old, new)
        peak, excess = sequence_peak(current, bs, bi, ts, ti, size, pool, users, kept, lazy, preload, pools)
        trial = peak + 0.05 * excess / n
        heat = 0.01 * best_value * (1.0 - step / steps) + 1e-9
        if trial <= value or np.random.random() < np.exp((value - trial) / heat):
            value = trial
            if trial < best_value:
                best_value, best_peak = trial, peak
                best[:] = current
        else:
            _shift(current, place, new, old)
    return best, best_peak


@njit(cache=True)
def _shift(order, place, old, new):  # type: ignore[no-untyped-def]
    """Move the task at ``old`` to ``new``, the ones between by one."""
    t = order[old]
    if new > old:
        for k in range(old, new):
            order[k] = order[k + 1]
            place[order[k]] = k
    else:
        for k in range(old, new, -1):
            order[k] = order[k - 1]
            place[order[k]] = k
    order[new] = t
    place[t] = new


def tails(compact: Compact) -> Ints:
    """Per task, the longest chain of durations from its start to the end of the plan (ticks)."""
    tail = np.zeros(compact.task_count, dtype=np.int64)
    number = {t: i for i, t in enumerate(compact.tasks)}
    for name in reversed(compact.problem.graph.topological_order):
        t = number[name]
        after = compact.successors[t]
        tail[t] = compact.duration[t] + (tail[after].max() if after.size else 0)
    return tail


def least_peak_order(compact: Compact, budget: Budget, *, enough: int = 0, share: float = 0.15) -> Order:
    """The best order found in ``share`` of the budget's time limit; ends early at a peak of at most ``enough`` bytes.

    Deterministic budgets count moves instead of seconds. Complexity of one move: O(tasks + uses).
    """
    arrays = compact.order_arrays()
    links = (compact.predecessors.start, compact.successors.start, compact.successors.index)
    tail = tails(compact).astype(np.float64)
    until = budget.elapsed_s() + share * budget.time_limit_s

    def value(sequence: Ints) -> Order:
        return Order(sequence, int(sequence_peak(sequence, *arrays)[0]))

    best = min(
        (
            value(greedy_sequence(rule, noise, budget.seed, tail, *links, *arrays))
            for rule in range(4)
            for noise in (0.0, 0.02)
        ),
        key=lambda o: o.peak,
    )
    work = max(1, int(compact.touches.index.size + compact.births.index.size + compact.task_count))
    chunk = max(50, 4_000_000 // work)
    rounds = max(1, int(20 * share * budget.time_limit_s)) if budget.deterministic else 10**9
    since = 0
    for round_ in range(rounds):
        if since * chunk > FRUITLESS_MOVES_PER_TASK * compact.task_count:
            break
        if best.peak <= enough or (not budget.deterministic and budget.elapsed_s() >= until):
            break
        start = best.sequence
        if round_ % 4 == 3:
            start = greedy_sequence(round_ % 3, 0.1, budget.seed + round_, tail, *links, *arrays)
        found, peak = anneal_sequence(
            start,
            chunk,
            budget.seed * 1009 + round_,
            compact.predecessors.start,
            compact.predecessors.index,
            *links[1:],
            *arrays,
        )
        since += 1
        if peak < best.peak:
            best, since = Order(found, int(peak)), 0
        elif peak == best.peak:
            best = Order(found, int(peak))
    return best
