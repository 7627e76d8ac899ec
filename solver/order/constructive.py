"""Orders built task by task: greedy rules, depth first, and a beam of partial orders; compiled loops.

Arrays are those of :class:`~catalytic.solver.order.two_sided.TwoSided`. An order built on the mirrored arrays, read
backwards, is an order of the problem: what is wide and undecided at one end is often narrow at the other.
"""

from __future__ import annotations

import numpy as np

from ..compiled import copy_into, copy_rows, loop
from .reach import State, execute, prepare

NET, NEED, DEPTH_FIRST, SHARE = 0, 1, 2, 3
RULES = (NET, NEED, DEPTH_FIRST, SHARE)
"""Which ready task runs next: least net change of live bytes; least bytes needed; the one whose predecessor ran last;
least net change where every user of a buffer counts as freeing its share."""


@loop
def greedy(rule, noise, seed, problem):  # type: ignore[no-untyped-def]
    """A legal order. ``noise``: random share of the largest size that is added to each score."""
    np.random.seed(seed)
    n, pools = problem.before_start.shape[0] - 1, problem.pools
    done = np.zeros(n, np.bool_)
    state = prepare(done, np.ones(n, np.bool_), problem)
    order = np.empty(n, np.int64)
    since = np.zeros(n, np.int64)
    scale = 1.0
    for g in range(problem.size.shape[0]):
        scale = max(scale, float(problem.size[g]))
    for k in range(n):
        best, best_score = np.int64(-1), 0.0
        for r in range(state.ready_count[0]):
            t = state.ready[r]
            need, net = 0.0, 0.0
            for q in range(pools):
                need += state.need[t, q]
                net += state.net[t, q]
            if rule == NET:
                score = net + 1e-3 * need
            elif rule == NEED:
                score = need + 1e-3 * net
            elif rule == DEPTH_FIRST:
                score = -float(since[t]) * scale + 1e-3 * net
            else:
                score = need
                for i in range(problem.use_start[t], problem.use_start[t + 1]):
                    g = problem.use_index[i]
                    if not problem.kept[g]:
                        score -= problem.size[g] / state.left[g]
            if noise > 0.0:
                score += noise * scale * np.random.random()
            if best < 0 or score < best_score or (score == best_score and t < best):
                best, best_score = t, score
        order[k] = best
        execute(best, done, state, problem)
        for i in range(problem.after_start[best], problem.after_start[best + 1]):
            since[problem.after_index[i]] = k + 1
    return order


@loop
def beam(width, seed, problem):  # type: ignore[no-untyped-def]
    """A legal order: ``width`` partial orders side by side, those with the lowest peak, then the least bytes alive.

    Equal sets of executed tasks are kept once. O(width x tasks x (tasks + uses)).
    """
    n, m, pools = problem.before_start.shape[0] - 1, problem.size.shape[0], problem.pools
    np.random.seed(seed)
    key = np.empty(n, np.int64)
    for t in range(n):
        key[t] = np.random.randint(1, 2**62)
    dones = np.zeros((2, width, n), np.bool_)
    first = prepare(dones[0, 0], np.ones(n, np.bool_), problem)
    # Every partial order has its own row in each of these arrays; the two halves take turns.
    missing = np.empty((2, width, n), np.int64)
    left = np.empty((2, width, m), np.int64)
    link = np.empty((2, width, m), np.int64)
    need = np.empty((2, width, n, pools), np.int64)
    net = np.empty((2, width, n, pools), np.int64)
    live = np.empty((2, width, pools), np.int64)
    ready = np.empty((2, width, n), np.int64)
    where = np.empty((2, width, n), np.int64)
    count = np.empty((2, width, 1), np.int64)
    for target, source in (
        (missing[0, 0], first.missing),
        (left[0, 0], first.left),
        (link[0, 0], first.link),
        (live[0, 0], first.live),
        (ready[0, 0], first.ready),
        (where[0, 0], first.where),
        (count[0, 0], first.ready_count),
    ):
        copy_into(target, source)
    copy_rows(need[0, 0], first.need)
    copy_rows(net[0, 0], first.net)
    peaks = np.zeros((2, width, pools), np.int64)
    copy_into(peaks[0, 0], first.live)
    codes = np.zeros((2, width), np.int64)
    came = np.empty((n, width), np.int64)
    ran = np.empty((n, width), np.int64)
    alive = 1
    for k in range(n):
        now, then = k % 2, 1 - k % 2
        total = 0
        for w in range(alive):
            total += count[now, w, 0]
        peak = np.empty(total, np.int64)
        after = np.empty(total, np.int64)
        origin = np.empty(total, np.int64)
        chosen = np.empty(total, np.int64)
        x = 0
        for w in range(alive):
            for r in range(count[now, w, 0]):
                t = ready[now, w, r]
                highest, rest = 0, 0
                for q in range(pools):
                    highest += max(peaks[now, w, q], live[now, w, q] + need[now, w, t, q])
                    rest += live[now, w, q] + net[now, w, t, q]
                peak[x], after[x], origin[x], chosen[x] = highest, rest, w, t
                x += 1
        by_rest = np.argsort(after, kind="mergesort")
        ranking = by_rest[np.argsort(peak[by_rest], kind="mergesort")]
        taken = 0
        for x in ranking:
            w, t = origin[x], chosen[x]
            code = codes[now, w] ^ key[t]
            known = False
            for v in range(taken):
                if codes[then, v] == code:
                    known = True
            if known:
                continue
            v = taken
            taken += 1
            codes[then, v] = code
            came[k, v], ran[k, v] = w, t
            copy_into(dones[then, v], dones[now, w])
            for row in (missing, left, link, live, ready, where, count):
                copy_into(row[then, v], row[now, w])
            copy_rows(need[then, v], need[now, w])
            copy_rows(net[then, v], net[now, w])
            for q in range(pools):
                peaks[then, v, q] = max(peaks[now, w, q], live[now, w, q] + need[now, w, t, q])
            state = State(
                missing[then, v], left[then, v], link[then, v], need[then, v], net[then, v],
                live[then, v], ready[then, v], where[then, v], count[then, v],
            )  # fmt: skip
            execute(t, dones[then, v], state, problem)
            if taken == width:
                break
        alive = taken
    order = np.empty(n, np.int64)
    w = 0
    for k in range(n - 1, -1, -1):
        order[k] = ran[k, w]
        w = came[k, w]
    return order
