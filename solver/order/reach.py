"""Compiled loops of the exact search: which sets of executed tasks can be reached below a ceiling.

Arrays are those of :class:`~catalytic.solver.order.two_sided.TwoSided`, forward or backward.

State: executed tasks, users left per group, ready tasks, and per task and pool what it would *need* while running and
the *net* change of live bytes it would leave. Executing a task updates these in time proportional to what it touches,
and is undone exactly.

Depth-first search over states with three rules that lose nothing (live bytes are submodular, see ``docs/order.md``):

1. *Safe move*: a ready task that fits and raises no pool's live bytes is executed without branching.
2. *Valley*: when a state X is reached from an earlier state A of the same path with ``live(X) <= live(A)``, some least
   set Y between A and X (a minimum cut) can be reached from A under the same ceiling, and from A a solution exists
   exactly if one exists from Y. All other branches between A and Y are dropped; if A is the base, Y becomes the base.
3. *Twins*: of tasks whose exchange leaves the problem unchanged only the first one not executed is branched on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Ints
from ..compiled import copy_into, loop

GOAL, EXHAUSTED, LIMIT = 1, 2, 0
"""How :func:`reach` ended: all allowed tasks executed; no way below the ceiling; out of nodes."""

NOTHING = np.int64(2**62)
BARRED = np.int64(2**40)
"""Added to the missing predecessors of a task that is not allowed: it never becomes ready."""

PATH_OF_A_NODE = 8
"""A minimum cut between two states costs about as much as visiting one state per so many tasks between them."""


class State(NamedTuple):
    """A set of executed tasks. ``missing``: per task, predecessors not executed (``BARRED`` more if not allowed).

    ``left``: per group, users not executed; ``link``: their bitwise exclusive or, so that the last one is known.
    ``need`` and ``net``: per task and pool, bytes. ``live``: bytes alive per pool. ``ready[:ready_count[0]]``: allowed
    tasks whose predecessors are executed; ``where``: their places there.
    """

    missing: Ints
    left: Ints
    link: Ints
    need: Ints
    net: Ints
    live: Ints
    ready: Ints
    where: Ints
    ready_count: Ints


@loop
def prepare(done, allowed, problem):  # type: ignore[no-untyped-def]
    """The state after executing ``done``, from scratch."""
    ps, pi = problem.before_start, problem.before_index
    gs, gi = problem.user_start, problem.user_index
    ks, kt, kv = problem.taker_start, problem.taker_index, problem.saving
    size, pool = problem.size, problem.pool
    early, kept, last, pools = problem.early, problem.kept, problem.last, problem.pools
    n, m = ps.shape[0] - 1, gs.shape[0] - 1
    missing = np.zeros(n, np.int64)
    left = np.zeros(m, np.int64)
    link = np.zeros(m, np.int64)
    need = np.zeros((n, pools), np.int64)
    net = np.zeros((n, pools), np.int64)
    live = np.zeros(pools, np.int64)
    ready = np.zeros(n, np.int64)
    where = np.zeros(n, np.int64)
    count = np.zeros(1, np.int64)
    for t in range(n):
        if not allowed[t]:
            missing[t] = BARRED
        for i in range(ps[t], ps[t + 1]):
            if not done[pi[i]]:
                missing[t] += 1
        if missing[t] == 0 and not done[t]:
            ready[count[0]] = t
            where[t] = count[0]
            count[0] += 1
    for g in range(m):
        users = gs[g + 1] - gs[g]
        for i in range(gs[g], gs[g + 1]):
            if not done[gi[i]]:
                left[g] += 1
                link[g] ^= gi[i]
        begun = early[g] or left[g] < users
        if begun and (left[g] > 0 or kept[g]):
            live[pool[g]] += size[g]
        for i in range(gs[g], gs[g + 1]):
            u = gi[i]
            if not begun:
                need[u, pool[g]] += size[g]
                net[u, pool[g]] += size[g]
            if left[g] == 1 and not kept[g] and not done[u]:
                net[u, pool[g]] -= size[g]
        for i in range(ks[g], ks[g + 1]):
            if left[g] == (1 if last else users) and not done[kt[i]]:
                need[kt[i], pool[g]] -= kv[i]
    return State(missing, left, link, need, net, live, ready, where, count)


@loop
def execute(t, done, state, problem):  # type: ignore[no-untyped-def]
    """Execute ``t``."""
    ss, si = problem.after_start, problem.after_index
    us, ui = problem.use_start, problem.use_index
    gs, gi = problem.user_start, problem.user_index
    ks, kt, kv = problem.taker_start, problem.taker_index, problem.saving
    size, pool = problem.size, problem.pool
    early, kept, last = problem.early, problem.kept, problem.last
    missing, ready, where, count = state.missing, state.ready, state.where, state.ready_count
    left, link, need, net, live = state.left, state.link, state.need, state.net, state.live
    done[t] = True
    for i in range(us[t], us[t + 1]):
        g = ui[i]
        q = pool[g]
        if left[g] == gs[g + 1] - gs[g]:
            if not early[g]:
                live[q] += size[g]
                for j in range(gs[g], gs[g + 1]):
                    need[gi[j], q] -= size[g]
                    net[gi[j], q] -= size[g]
            if not last:
                for j in range(ks[g], ks[g + 1]):
                    need[kt[j], q] += kv[j]
        left[g] -= 1
        link[g] ^= t
        if left[g] == 1:
            if not kept[g]:
                net[link[g], q] -= size[g]
            if last:
                for j in range(ks[g], ks[g + 1]):
                    if kt[j] == link[g]:
                        need[kt[j], q] -= kv[j]
        elif left[g] == 0 and not kept[g]:
            live[q] -= size[g]
    count[0] -= 1
    ready[where[t]] = ready[count[0]]
    where[ready[count[0]]] = where[t]
    for i in range(ss[t], ss[t + 1]):
        s = si[i]
        missing[s] -= 1
        if missing[s] == 0:
            ready[count[0]] = s
            where[s] = count[0]
            count[0] += 1


@loop
def undo(t, done, state, problem):  # type: ignore[no-untyped-def]
    """Take back ``t``, the task executed last."""
    ss, si = problem.after_start, problem.after_index
    us, ui = problem.use_start, problem.use_index
    gs, gi = problem.user_start, problem.user_index
    ks, kt, kv = problem.taker_start, problem.taker_index, problem.saving
    size, pool = problem.size, problem.pool
    early, kept, last = problem.early, problem.kept, problem.last
    missing, ready, where, count = state.missing, state.ready, state.where, state.ready_count
    left, link, need, net, live = state.left, state.link, state.need, state.net, state.live
    for i in range(ss[t], ss[t + 1]):
        if missing[si[i]] == 0:
            count[0] -= 1
        missing[si[i]] += 1
    # The task that took the place of t goes back to the end of the list.
    ready[count[0]] = ready[where[t]]
    where[ready[count[0]]] = count[0]
    ready[where[t]] = t
    count[0] += 1
    for i in range(us[t + 1] - 1, us[t] - 1, -1):
        g = ui[i]
        q = pool[g]
        if left[g] == 1:
            if not kept[g]:
                net[link[g], q] += size[g]
            if last:
                for j in range(ks[g], ks[g + 1]):
                    if kt[j] == link[g]:
                        need[kt[j], q] += kv[j]
        elif left[g] == 0 and not kept[g]:
            live[q] += size[g]
        left[g] += 1
        link[g] ^= t
        if left[g] == gs[g + 1] - gs[g]:
            if not early[g]:
                live[q] -= size[g]
                for j in range(gs[g], gs[g + 1]):
                    need[gi[j], q] += size[g]
                    net[gi[j], q] += size[g]
            if not last:
                for j in range(ks[g], ks[g + 1]):
                    need[kt[j], q] -= kv[j]
    done[t] = False


@loop
def least_between(path, done, state, problem):  # type: ignore[no-untyped-def]
    """The largest of the sets of least live bytes between the state before ``path`` and the one after it.

    ``path``: tasks executed last, in order. Returns one flag per task of the path. A maximum closure: what a task
    allocates is a cost, a group that dies inside is a profit of all its users; solved by blocking flows.
    """
    ps, pi = problem.before_start, problem.before_index
    us, ui = problem.use_start, problem.use_index
    gs, gi = problem.user_start, problem.user_index
    size, early, kept = problem.size, problem.early, problem.kept
    left = state.left
    k = path.shape[0]
    number = np.full(ps.shape[0] - 1, -1, np.int64)
    edges = 0
    for a in range(k):
        number[path[a]] = a
        edges += ps[path[a] + 1] - ps[path[a]] + 2 * (us[path[a] + 1] - us[path[a]])
    # Groups touched by the path, each once, and how many of its users lie on the path.
    inside = np.zeros(gs.shape[0] - 1, np.int64)
    touched = np.empty(edges + 1, np.int64)
    groups = 0
    for a in range(k):
        for i in range(us[path[a]], us[path[a] + 1]):
            if inside[ui[i]] == 0:
                touched[groups] = ui[i]
                groups += 1
            inside[ui[i]] += 1
    # Nodes: tasks, a cost node and a profit node per group, source, sink.
    source, sink = k + 2 * groups, k + 2 * groups + 1
    nodes = sink + 1
    most = 2 * (edges + 2 * groups) + 2
    head = np.full(nodes, -1, np.int64)
    after = np.empty(most, np.int64)
    to = np.empty(most, np.int64)
    room = np.empty(most, np.int64)
    arcs = np.int64(0)
    for a in range(k):
        for i in range(ps[path[a]], ps[path[a] + 1]):
            b = number[pi[i]]
            if b >= 0:
                arcs = _arc(a, b, NOTHING, head, after, to, room, arcs)
    for h in range(groups):
        g = touched[h]
        users = gs[g + 1] - gs[g]
        if not early[g] and left[g] + inside[g] == users:
            arcs = _arc(k + h, sink, size[g], head, after, to, room, arcs)
            for i in range(gs[g], gs[g + 1]):
                a = number[gi[i]]
                if a >= 0:
                    arcs = _arc(a, k + h, NOTHING, head, after, to, room, arcs)
        if left[g] == 0 and not kept[g]:
            arcs = _arc(source, k + groups + h, size[g], head, after, to, room, arcs)
            for i in range(gs[g], gs[g + 1]):
                a = number[gi[i]]
                if a >= 0:
                    arcs = _arc(k + groups + h, a, NOTHING, head, after, to, room, arcs)
    level = np.empty(nodes, np.int64)
    queue = np.empty(nodes, np.int64)
    current = np.empty(nodes, np.int64)
    came = np.empty(nodes, np.int64)
    while True:
        level[:] = -1
        level[source] = 0
        queue[0] = source
        first, end = 0, 1
        while first < end and level[sink] < 0:
            x = queue[first]
            first += 1
            e = head[x]
            while e >= 0:
                if room[e] > 0 and level[to[e]] < 0:
                    level[to[e]] = level[x] + 1
                    queue[end] = to[e]
                    end += 1
                e = after[e]
        if level[sink] < 0:
            break
        copy_into(current, head)
        x = source
        while True:
            if x == sink:
                flow = NOTHING
                while x != source:
                    flow = min(flow, room[came[x]])
                    x = to[came[x] ^ 1]
                x = sink
                while x != source:
                    e = came[x]
                    room[e] -= flow
                    room[e ^ 1] += flow
                    x = to[e ^ 1]
                continue
            e = current[x]
            while e >= 0 and not (room[e] > 0 and level[to[e]] == level[x] + 1):
                e = after[e]
            current[x] = e
            if e >= 0:
                came[to[e]] = e
                x = to[e]
            elif x == source:
                break
            else:
                level[x] = -1
                x = to[came[x] ^ 1]
    # What cannot reach the sink any more is the largest closure: search backwards from the sink.
    level[:] = 0
    level[sink] = 1
    queue[0] = sink
    first, end = 0, 1
    while first < end:
        x = queue[first]
        first += 1
        e = head[x]
        while e >= 0:
            if room[e ^ 1] > 0 and level[to[e]] == 0:
                level[to[e]] = 1
                queue[end] = to[e]
                end += 1
            e = after[e]
    chosen = np.empty(k, np.bool_)
    for a in range(k):
        chosen[a] = level[a] == 0
    return chosen


@loop
def _arc(a, b, capacity, head, after, to, room, count):  # type: ignore[no-untyped-def]
    """Append the arc ``a -> b`` and its reverse; returns the new number of arcs."""
    to[count], room[count], after[count] = b, capacity, head[a]
    head[a] = count
    to[count + 1], room[count + 1], after[count + 1] = a, 0, head[b]
    head[b] = count + 1
    return count + 2


@loop
def _fits(t, live, need, caps, slack):  # type: ignore[no-untyped-def]
    """Whether running ``t`` now raises the caps by at most ``slack`` bytes, and by how many bytes it does."""
    raised = 0
    for q in range(live.shape[0]):
        over = live[q] + need[t, q] - caps[q]
        if over > 0:
            raised += over
    return raised <= slack, raised


@loop
def _flip(t, bits, code, key):  # type: ignore[no-untyped-def]
    """Put ``t`` into the set ``bits`` or take it out; ``code`` is the set's hash."""
    bits[t >> 6] ^= np.uint64(1) << np.uint64(t & 63)
    code[0] ^= key[t]


@loop
def reach(done, allowed, caps, slack, rank, twin, node_limit, table, table_caps, key, problem):  # type: ignore[no-untyped-def]
    """Search from the base ``done`` for all ``allowed`` tasks, below ``caps`` (bytes per pool) plus ``slack`` in total.

    ``rank``: branches are tried in increasing rank. ``twin[t]``: the twin that precedes ``t``, or -1. ``table``: memory
    of failed states (bit sets; a row of zeros is free), two places per hash. ``key``: random words for hashing.
    Returns (how it ended, tasks by which the base has moved on, least excess met, nodes). Excess: bytes above the
    ceiling that would have been needed where a branch was cut off.
    """
    pools = problem.pools
    n = problem.before_start.shape[0] - 1
    words = table.shape[1]
    state = prepare(done, allowed, problem)
    need, net, live, ready, count = state.need, state.net, state.live, state.ready, state.ready_count
    one = pools == 1
    goal = 0
    for t in range(n):
        if allowed[t] and not done[t]:
            goal += 1
    bits = np.zeros(words, np.uint64)
    code = np.zeros(1, np.uint64)
    for t in range(n):
        if done[t]:
            _flip(t, bits, code, key)
    trail = np.empty(n, np.int64)
    length = 0
    # Frames: state after safe moves. Branches of frame f are branch[begin[f]:begin[f + 1]].
    begin = np.zeros(n + 2, np.int64)
    following = np.zeros(n + 2, np.int64)
    mark = np.zeros(n + 2, np.int64)
    level = np.zeros((n + 2, pools), np.int64)
    held = np.zeros((n + 2, pools), np.int64)
    spare = np.zeros(n + 2, np.int64)
    jump = np.zeros(n + 2, np.int64)  # the frame to which a valley has committed this one
    branch = np.empty(4 * n + 64, np.int64)
    held[0] = caps
    spare[0] = slack
    least = NOTHING
    nodes = 0
    depth = -1
    entering = True
    caps = caps.copy()
    while True:
        if entering:
            nodes += 1
            depth += 1
            # Safe moves, until none is left.
            moved = True
            while moved:
                moved = False
                r = 0
                while r < count[0]:
                    t = ready[r]
                    rises = False
                    for q in range(pools):
                        if net[t, q] > 0:
                            rises = True
                    if rises or not _fits(t, live, need, caps, np.int64(0))[0]:
                        r += 1
                        continue
                    execute(t, done, state, problem)
                    _flip(t, bits, code, key)
                    trail[length] = t
                    length += 1
                    moved = True
            mark[depth] = length
            copy_into(level[depth], live)
            copy_into(held[depth], caps)
            spare[depth] = slack
            begin[depth + 1] = begin[depth]
            following[depth] = begin[depth]
            if length == goal:
                return GOAL, trail[:length].copy(), least, nodes
            if nodes >= node_limit:
                return LIMIT, trail[: mark[0]].copy(), least, nodes
            entering = False
            jump[depth] = depth
            if depth > 0 and _known(bits, code, caps, table, table_caps):
                continue
            if one and depth > 0:
                above = 0
                while above < depth and (level[above, 0] < live[0] or jump[above] > above):
                    above = jump[above] if level[above, 0] >= live[0] else above + 1
                if above < depth:
                    path = trail[mark[above] : length]
                    nodes += path.shape[0] // PATH_OF_A_NODE
                    chosen = least_between(path, done, state, problem)
                    whole = True
                    for a in range(path.shape[0]):
                        if not chosen[a]:
                            whole = False
                    if whole and above == 0:
                        depth = -1  # the state becomes the base
                        entering = True
                        continue
                    if whole:
                        for f in range(above, depth):
                            following[f] = begin[f + 1]
                            jump[f] = depth
                    else:
                        taken = path.copy()
                        while length > mark[above]:
                            length -= 1
                            t = trail[length]
                            undo(t, done, state, problem)
                            _flip(t, bits, code, key)
                        for a in range(taken.shape[0]):
                            if chosen[a]:
                                t = taken[a]
                                execute(t, done, state, problem)
                                _flip(t, bits, code, key)
                                trail[length] = t
                                length += 1
                        following[above] = begin[above + 1]
                        jump[above] = above + 1
                        depth = above if above > 0 else -1
                        entering = True
                        continue
            # Branches: ready tasks that fit, none of which is safe; one of each set of twins.
            offered = 0
            at = begin[depth]
            if at + count[0] > branch.shape[0]:
                more = np.empty(2 * branch.shape[0] + count[0], np.int64)
                more[:at] = branch[:at]
                branch = more
            for r in range(count[0]):
                t = ready[r]
                if twin[t] >= 0 and allowed[twin[t]] and not done[twin[t]]:
                    continue
                fits, raised = _fits(t, live, need, caps, slack)
                if not fits:
                    least = min(least, raised - slack)
                    continue
                branch[at + offered] = t
                b = at + offered
                offered += 1
                while b > at and rank[branch[b - 1]] > rank[t]:
                    branch[b] = branch[b - 1]
                    b -= 1
                branch[b] = t
            begin[depth + 1] = at + offered
            following[depth] = at
        # Go on with the next branch of the deepest frame, or give the frame up.
        while length > mark[depth]:
            length -= 1
            t = trail[length]
            undo(t, done, state, problem)
            _flip(t, bits, code, key)
        copy_into(caps, held[depth])
        slack = spare[depth]
        if following[depth] < begin[depth + 1]:
            t = branch[following[depth]]
            following[depth] += 1
            for q in range(pools):
                over = live[q] + need[t, q] - caps[q]
                if over > 0:
                    caps[q] += over
                    slack -= over
            execute(t, done, state, problem)
            _flip(t, bits, code, key)
            trail[length] = t
            length += 1
            entering = True
            continue
        if depth == 0:
            return EXHAUSTED, trail[:0].copy(), least, nodes
        _remember(bits, code, caps, table, table_caps)
        depth -= 1


@loop
def _known(bits, code, caps, table, table_caps):  # type: ignore[no-untyped-def]
    """Whether this state has failed before, under the same ceiling, with caps raised no further than here."""
    rows = np.uint64(table.shape[0] >> 1)
    row = np.int64(code[0] % rows) * 2
    for r in range(row, row + 2):
        same = True
        for w in range(bits.shape[0]):
            if table[r, w] != bits[w]:
                same = False
                break
        if same:
            for q in range(caps.shape[0]):
                if table_caps[r, q] > caps[q]:
                    same = False
            if same:
                return True
    return False


@loop
def _remember(bits, code, caps, table, table_caps):  # type: ignore[no-untyped-def]
    """Write a failed state to the newer of its two places; the older entry moves over."""
    rows = np.uint64(table.shape[0] >> 1)
    row = np.int64(code[0] % rows) * 2
    table[row + 1] = table[row]
    table_caps[row + 1] = table_caps[row]
    table[row] = bits
    table_caps[row] = caps
