"""Orders improved by simulated annealing: compiled loops.

Two moves, both always legal. *Pull*: a task moves to an earlier place and brings along, in their order, those of its
ancestors that stand between. *Push*: it moves to a later place and takes its descendants between along. A pipeline thus
moves as a whole, which single steps would have to take apart. A move changes the live bytes only between the two
places, so only those are computed anew: O(uses between), not O(uses).

The value minimised is the peak (several pools: the sum of the pools' own peaks) plus a small share of the mean excess
above nine tenths of it, so that of two orders with one peak the one with fewer critical moments wins.

Arrays are the forward ones of :func:`~catalytic.solver.order.two_sided.two_sided`.
"""

from __future__ import annotations

import numpy as np

from ..compiled import copy_into, loop

SHARE_OF_EXCESS = 0.1


@loop
def usages(order, problem):  # type: ignore[no-untyped-def]
    """Bytes alive while each task of a legal order runs: one row per position, one column per pool."""
    us, ui = problem.use_start, problem.use_index
    gs = problem.user_start
    ks, kt, kv = problem.taker_start, problem.taker_index, problem.saving
    size, pool = problem.size, problem.pool
    early, kept, pools = problem.early, problem.kept, problem.pools
    n, m = order.shape[0], gs.shape[0] - 1
    left = np.empty(m, np.int64)
    live = np.zeros(pools, np.int64)
    for g in range(m):
        left[g] = gs[g + 1] - gs[g]
        if early[g]:
            live[pool[g]] += size[g]
    result = np.empty((n, pools), np.int64)
    for k in range(n):
        t = order[k]
        for i in range(us[t], us[t + 1]):
            g = ui[i]
            if left[g] == gs[g + 1] - gs[g] and not early[g]:
                live[pool[g]] += size[g]
        copy_into(result[k], live)
        for i in range(us[t], us[t + 1]):
            g = ui[i]
            if left[g] == 1:
                for j in range(ks[g], ks[g + 1]):
                    if kt[j] == t:
                        result[k, pool[g]] -= kv[j]
            left[g] -= 1
            if left[g] == 0 and not kept[g]:
                live[pool[g]] -= size[g]
    return result


@loop
def order_value(order, problem):  # type: ignore[no-untyped-def]
    """Sum over pools of the most bytes alive, preloaded buffers before the first task included."""
    size, pool, early, pools = problem.size, problem.pool, problem.early, problem.pools
    peak = np.zeros(pools, np.int64)
    for g in range(size.shape[0]):
        if early[g]:
            peak[pool[g]] += size[g]
    rows = usages(order, problem)
    for k in range(rows.shape[0]):
        for q in range(pools):
            peak[q] = max(peak[q], rows[k, q])
    return peak.sum()


@loop
def _profile(order, low, high, live, first, final, count, rows, before, problem):  # type: ignore[no-untyped-def]
    """Bytes alive at (``rows``) and before (``before``) the positions ``low..high`` of ``order``.

    ``live``: bytes alive before ``low``; used up. ``first`` and ``final``: first and last position of each group's
    users; any order of the window gives the same answer. ``count``: zeros, and zeros again afterwards.
    """
    us, ui = problem.use_start, problem.use_index
    ks, kt, kv = problem.taker_start, problem.taker_index, problem.saving
    size, pool = problem.size, problem.pool
    early, kept = problem.early, problem.kept
    for k in range(low, high + 1):
        for i in range(us[order[k]], us[order[k] + 1]):
            count[ui[i]] += 1
    for k in range(low, high + 1):
        t = order[k]
        copy_into(before[k], live)
        for i in range(us[t], us[t + 1]):
            g = ui[i]
            if count[g] > 0 and first[g] >= low and not early[g]:
                live[pool[g]] += size[g]
                count[g] = -count[g]  # negative: born in this window
        copy_into(rows[k], live)
        for i in range(us[t], us[t + 1]):
            g = ui[i]
            if abs(count[g]) == 1 and final[g] <= high:
                for j in range(ks[g], ks[g + 1]):
                    if kt[j] == t:
                        rows[k, pool[g]] -= kv[j]
                if not kept[g]:
                    live[pool[g]] -= size[g]
            count[g] += 1 if count[g] < 0 else -1


@loop
def anneal(order, steps, seed, heat, problem):  # type: ignore[no-untyped-def]
    """The best order met in ``steps`` moves, and its value. ``heat``: first temperature, as a share of the value."""
    ps, pi = problem.before_start, problem.before_index
    ss, si = problem.after_start, problem.after_index
    us, ui = problem.use_start, problem.use_index
    gs = problem.user_start
    size, pool = problem.size, problem.pool
    early, pools = problem.early, problem.pools
    np.random.seed(seed)
    n, m = order.shape[0], gs.shape[0] - 1
    current = order.copy()
    place = np.empty(n, np.int64)
    first = np.full(m, n, np.int64)
    final = np.full(m, -1, np.int64)
    count = np.zeros(m, np.int64)
    rows = np.zeros((n, pools), np.int64)
    before = np.zeros((n, pools), np.int64)
    new_rows = np.zeros((n, pools), np.int64)
    new_before = np.zeros((n, pools), np.int64)
    head = np.zeros((n + 1, pools), np.int64)  # most bytes before each position
    tail = np.zeros((n + 1, pools), np.int64)  # most bytes from each position on
    moved = np.zeros(n, np.bool_)
    block = np.empty(n, np.int64)
    live = np.zeros(pools, np.int64)
    for g in range(m):
        if early[g]:
            live[pool[g]] += size[g]
    copy_into(head[0], live)
    for k in range(n):
        t = current[k]
        place[t] = k
        for i in range(us[t], us[t + 1]):
            first[ui[i]] = min(first[ui[i]], k)
            final[ui[i]] = k
    _profile(current, np.int64(0), n - 1, live, first, final, count, rows, before, problem)
    for k in range(n):
        head[k + 1] = np.maximum(head[k], rows[k])
    for k in range(n - 1, -1, -1):
        tail[k] = np.maximum(tail[k + 1], rows[k])
    level = np.maximum(head[0], tail[0])
    value = level.sum()
    level -= level // 10
    excess = _excess(rows, np.int64(0), n - 1, level)
    best, best_value, best_excess = current.copy(), value, excess
    for step in range(steps):
        t = current[np.random.randint(n)]
        reach = int(np.exp(np.random.random() * np.log(n)))
        pull = np.random.random() < 0.5
        low, high = max(0, place[t] - reach), min(n - 1, place[t] + reach)
        some = 0
        moved[t] = True
        if pull:
            high = place[t]
            for k in range(high - 1, low - 1, -1):
                for i in range(ss[current[k]], ss[current[k] + 1]):
                    if moved[si[i]]:
                        moved[current[k]] = True
                        break
        else:
            low = place[t]
            for k in range(low + 1, high + 1):
                for i in range(ps[current[k]], ps[current[k] + 1]):
                    if moved[pi[i]]:
                        moved[current[k]] = True
                        break
        for chosen in (pull, not pull):
            for k in range(low, high + 1):
                if moved[current[k]] == chosen:
                    block[some] = current[k]
                    some += 1
        changed = False
        for k in range(low, high + 1):
            moved[current[k]] = False
            if block[k - low] != current[k]:
                changed = True
        if not changed:
            continue
        for k in range(low, high + 1):  # the old window is kept in block
            current[k], block[k - low] = block[k - low], current[k]
        copy_into(live, before[low])
        _profile(current, low, high, live, first, final, count, new_rows, new_before, problem)
        new_value = 0
        for q in range(pools):
            most = max(head[low, q], tail[high + 1, q])
            for k in range(low, high + 1):
                most = max(most, new_rows[k, q])
            new_value += most
        new_excess = excess - _excess(rows, low, high, level) + _excess(new_rows, low, high, level)
        worse = (new_value - value) + SHARE_OF_EXCESS * (new_excess - excess) / n
        warmth = heat * best_value * (1.0 - step / steps) + 1e-9
        if worse > 0 and np.random.random() >= np.exp(-worse / warmth):
            for k in range(low, high + 1):
                current[k] = block[k - low]
            continue
        for k in range(low, high + 1):
            rows[k] = new_rows[k]
            before[k] = new_before[k]
            t = current[k]
            place[t] = k
            for i in range(us[t], us[t + 1]):
                if final[ui[i]] <= high:
                    final[ui[i]] = k
        for k in range(high, low - 1, -1):
            for i in range(us[current[k]], us[current[k] + 1]):
                if first[ui[i]] >= low:
                    first[ui[i]] = k
        _maxima(rows, low, high, head, tail)
        excess = new_excess
        if new_value != value:
            value = new_value
            level = np.maximum(head[0], tail[0])
            level -= level // 10
            excess = _excess(rows, np.int64(0), n - 1, level)
        if value < best_value or (value == best_value and excess < best_excess):
            best_value, best_excess = value, excess
            copy_into(best, current)
    return best, best_value


@loop
def _maxima(rows, low, high, head, tail):  # type: ignore[no-untyped-def]
    """Bring the running maxima up to date after the rows ``low..high`` have changed."""
    n, pools = rows.shape
    for q in range(pools):
        for k in range(low, n):
            most = max(head[k, q], rows[k, q])
            if k > high and head[k + 1, q] == most:
                break
            head[k + 1, q] = most
        for k in range(high, -1, -1):
            most = max(tail[k + 1, q], rows[k, q])
            if k < low and tail[k, q] == most:
                break
            tail[k, q] = most


@loop
def _excess(rows, low, high, level):  # type: ignore[no-untyped-def]
    """Bytes above ``level``, summed over positions and pools."""
    total = 0
    for k in range(low, high + 1):
        for q in range(level.shape[0]):
            if rows[k, q] > level[q]:
                total += rows[k, q] - level[q]
    return total
