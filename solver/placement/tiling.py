"""Tiling: can a component whose every section is full be placed at its bound? No byte may be wasted then.

Where all is full, the floor of a hole (see ``holes``) has to be covered from wall to wall, and so has each of its two
*corners*. Who covers the corner at the left wall is born there, who covers the one at the right wall dies there; and
whoever fits between the walls::

      |     |                  |     |      left corner of the hole [s, e): born at s, dead by e
      |     +--+            +--+     |      right corner: dead at e, born from s on
      |  a  |l |    hole    |r |  b  |
      +-----+--+------------+--+-----+
            s                  e

All that changes the choice at a corner changes the hole itself. So a node costs what touches one hole, however many
buffers and sections there are. The hole with the fewest choices comes first; holes wait in buckets by that number.

**Jumps.** That a corner has no more choices is explained by few: who lies under it, who makes the two walls at the
height of the floor, and who could have lain in it but lies elsewhere. A node whose failures are not due to its own
branch is left at once (conflict-directed backjumping, Prosser 1993).

**Nogoods.** What explains the failure of a node is a set of buffers that cannot lie where they lie, all at once; this
is true in every branch and every run. Such sets are kept and no branch completes one again (Dechter 1990), so that
distant places of one instance, which the search visits in turns, are not solved again whenever it jumps over them.
Each set waits at one of its members that does not lie there now (half of the two watched literals of Moskewicz and
others 2001): nothing has to be done for it until that one does. On planted rectangles of 1 000 buffers with fine grids
this saved nine of ten nodes and more, and one of 2 000 was only solved with it.

All that is skipped is refuted; of twins the elder is tried for both. Exhaustion is a proof.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from ..compiled import inner, is_compiled, loop
from ..interrupts import interruptible
from .answers import Answer, Found
from .arena import Component
from .holes import Tie

_NEVER = np.int64(2**62)
_NODES_BETWEEN_LOOKS = 64
_BUCKETS = 6
_MOST_COMPARED = 64  # holes of one bucket that are compared by the tie

NOGOODS, LONGEST_NOGOOD, WATCH_SLOTS = 100_000, 24, 2**17
"""How many nogoods are kept (all are forgotten when there is no more room), and of how many buffers at most."""


def is_full(component: Component) -> bool:
    """Whether every section is full at the bound, and nothing but sizes and whole lifetimes matters."""
    whole = component.first.size == component.size.size
    plain = bool((component.alignment == 1).all() and (component.fixed < 0).all())
    return whole and plain and bool((component.live == component.bound).all())


def is_ready() -> bool:
    """Whether the loop is compiled: it is long, few arenas are full, and nobody should wait for it unasked."""
    return is_compiled(_tile)


class Tiling:
    """The searches of one component that ``is_full``, for a placement at its bound. They share their nogoods."""

    def __init__(self, component: Component) -> None:
        n, sections = component.size.size, component.section_count
        first, end = component.first, component.end
        self._problem = _Problem(
            component.size,
            first,
            end,
            component.twin,
            *_lists(first, sections + 1),
            *_lists(end, sections + 1),
            *component.members,
        )
        self._capacity = component.bound
        self._known = _Nogoods(
            np.zeros((NOGOODS, LONGEST_NOGOOD, 2), np.int64),
            np.zeros(NOGOODS, np.int64),
            np.full(NOGOODS, -1, np.int64),
            np.full(WATCH_SLOTS, -1, np.int64),
            np.zeros(1, np.int64),
        )
        self._failures = np.zeros(sections, np.int64)
        self._offset = np.full(n, -1, np.int64)

    def ask(self, rank: Ints, nodes: int, *, tie: Tie, stop: npt.NDArray[np.bool_]) -> Answer:
        """Visit at most ``nodes`` nodes; ends when ``stop[0]`` is set. NONE_EXISTS is a proof.

        ``rank``: which of the buffers that fit into a corner is tried first.
        """
        with interruptible():
            code, visited = _tile(
                self._problem, self._known, self._capacity, nodes, int(tie), rank, self._failures, self._offset, stop
            )
        found = Found(code)
        return Answer(found, self._offset.copy() if found is Found.PLACED else None, int(visited))


class _Problem(NamedTuple):
    """A component as the compiled loops see it: who is ``born`` at each section, ``dead`` at it, and alive in it."""

    size: Ints
    first: Ints
    end: Ints
    twin: Ints
    born_start: Ints
    born: Ints
    dead_start: Ints
    dead: Ints
    in_start: Ints
    members: Ints


class _Nogoods(NamedTuple):
    """``lies[g, :length[g]]``: pairs of a buffer and its offset. The first is watched, in a list that begins at
    ``watch[slot of the pair]`` and goes on by ``chain``. ``used``: how many there are."""

    lies: Ints
    length: Ints
    chain: Ints
    watch: Ints
    used: Ints


class _State(NamedTuple):
    """Runs of sections with one floor, and of those that are holes the bucket, its list, and the better corner.

    ``run_end`` and ``floor`` are kept at the first section of a run, ``run_start`` at its last one; ``bucket`` and the
    lists at the first. ``decided``: the depth at which a buffer was placed.
    """

    placed: npt.NDArray[np.bool_]
    decided: Ints
    run_start: Ints
    run_end: Ints
    floor: Ints
    bucket: Ints
    after: Ints
    before: Ints
    head: Ints
    left: npt.NDArray[np.bool_]


def _lists(key: Ints, count: int) -> tuple[Ints, Ints]:
    """The buffers of each key, as starts and items."""
    start = np.zeros(count + 1, np.int64)
    start[1:] = np.cumsum(np.bincount(key, minlength=count))
    return start, np.argsort(key, kind="stable").astype(np.int64)


@inner
def _add(words, d):  # type: ignore[no-untyped-def]
    """Add the decision at depth ``d``."""
    words[d >> 6] |= np.int64(1) << (d & 63)


@inner
def _at_corner(s, e, left, problem):  # type: ignore[no-untyped-def]
    """The list of those who begin or end at a corner of ``[s, e)``, and where it begins and ends."""
    if left:
        return problem.born, problem.born_start[s], problem.born_start[s + 1]
    return problem.dead, problem.dead_start[e], problem.dead_start[e + 1]


@inner
def _choices(s, e, left, problem, state):  # type: ignore[no-untyped-def]
    """How many different buffers can lie in a corner of the hole ``[s, e)``."""
    some, low, high = _at_corner(s, e, left, problem)
    count = np.int64(0)
    for i in range(low, high):
        u = some[i]
        if not state.placed[u] and problem.first[u] >= s and problem.end[u] <= e:
            count += problem.twin[u] < 0 or state.placed[problem.twin[u]]
    return count


@inner
def _unlink(s, state):  # type: ignore[no-untyped-def]
    """Take the run that begins at ``s`` out of its bucket, if it is in one."""
    if state.bucket[s] < 0:
        return
    after, before = state.after[s], state.before[s]
    if before < 0:
        state.head[state.bucket[s]] = after
    else:
        state.after[before] = after
    if after >= 0:
        state.before[after] = before
    state.bucket[s] = -1


@inner
def _link(s, capacity, problem, state):  # type: ignore[no-untyped-def]
    """Put the run that begins at ``s`` into its bucket when it is a hole; whether it is one that nobody can cover."""
    _unlink(s, state)
    e, floor = state.run_end[s], state.floor[s]
    if floor >= capacity or (s > 0 and state.floor[state.run_start[s - 1]] < floor):
        return False
    if e < state.floor.size and state.floor[e] < floor:
        return False
    left, right = _choices(s, e, True, problem, state), _choices(s, e, False, problem, state)
    state.left[s] = left <= right
    k = min(left, right, np.int64(state.head.size - 1))
    state.bucket[s], state.after[s], state.before[s] = k, state.head[k], -1
    if state.head[k] >= 0:
        state.before[state.head[k]] = s
    state.head[k] = s
    return k == 0


@inner
def _run(s, e, floor, state):  # type: ignore[no-untyped-def]
    """Let the sections ``[s, e)`` be a run."""
    state.run_end[s], state.run_start[e - 1], state.floor[s] = e, s, floor


@inner
def _chosen(tie, nearest, failures, state):  # type: ignore[no-untyped-def]
    """The hole with the fewest choices; among equals the tie decides, or who changed last."""
    k = 0
    while state.head[k] < 0:
        k += 1
    s = best = state.head[k]
    least = _NEVER
    for _ in range(_MOST_COMPARED if k > 1 else 0):
        if s < 0:
            break
        if tie == 0:
            second = state.floor[s]
        elif tie == 1:
            second = state.run_end[s] - s
        elif tie == 2:
            second = np.int64(0)
        elif tie == 3:
            second = np.int64(abs(s - nearest))
        else:
            second = -failures[s] - failures[state.run_end[s] - 1]
        if second < least:
            best, least = s, second
        s = state.after[s]
    return best


@inner
def _add_cover(words, section, height, offset, problem, state):  # type: ignore[no-untyped-def]
    """Add the decision for who covers ``height`` in ``section``, if it is one."""
    if height < 0 or section < 0 or section >= state.floor.size:
        return
    for i in range(problem.in_start[section], problem.in_start[section + 1]):
        u = problem.members[i]
        if state.placed[u] and offset[u] <= height < offset[u] + problem.size[u]:
            _add(words, state.decided[u])


@inner
def _explain(words, s, e, floor, left, offset, problem, state):  # type: ignore[no-untyped-def]
    """Add why nobody but the unplaced ones who fit can lie in a corner of ``[s, e)``."""
    _add_cover(words, s if left else e - 1, floor - 1, offset, problem, state)
    _add_cover(words, s - 1, floor, offset, problem, state)
    _add_cover(words, e, floor, offset, problem, state)
    some, low, high = _at_corner(s, e, left, problem)
    for i in range(low, high):
        u = some[i]
        if state.placed[u] and problem.first[u] >= s and problem.end[u] <= e:
            _add(words, state.decided[u])


@inner
def _slot(b, at, slots):  # type: ignore[no-untyped-def]
    """Where nogoods that watch buffer ``b`` at this offset are listed; ``slots`` is a power of two."""
    x = np.uint64(b + 1) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(at)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((x ^ (x >> np.uint64(27))) & np.uint64(slots - 1))


@inner
def _learn(words, depth, branch, offset, known):  # type: ignore[no-untyped-def]
    """Keep that the decisions in ``words``, all above ``depth``, cannot stand together; the deepest is watched."""
    if known.used[0] == known.length.size:
        known.used[0] = 0
        for i in range(known.watch.size):
            known.watch[i] = -1
    g, count = known.used[0], np.int64(0)
    for d in range(depth - 1, -1, -1):
        if words[d >> 6] == 0 or (words[d >> 6] >> (d & 63)) & 1 == 0:
            continue
        if count == known.lies.shape[1]:
            return
        known.lies[g, count, 0], known.lies[g, count, 1] = branch[d], offset[branch[d]]
        count += 1
    if count > 0:
        slot = _slot(known.lies[g, 0, 0], known.lies[g, 0, 1], known.watch.size)
        known.length[g], known.chain[g], known.watch[slot] = count, known.watch[slot], g
        known.used[0] += 1


@inner
def _completed(b, offset, placed, known):  # type: ignore[no-untyped-def]
    """A nogood that holds now that ``b`` is placed, or -1. Others that watched it watch someone else."""
    slot = _slot(b, offset[b], known.watch.size)
    last, g = np.int64(-1), known.watch[slot]
    while g >= 0:
        lies, following = known.lies[g], known.chain[g]
        other = slot
        if lies[0, 0] == b and lies[0, 1] == offset[b]:
            i = 1
            while i < known.length[g] and placed[lies[i, 0]] and offset[lies[i, 0]] == lies[i, 1]:
                i += 1
            if i == known.length[g]:
                return g
            for j in range(2):
                lies[0, j], lies[i, j] = lies[i, j], lies[0, j]
            other = _slot(lies[0, 0], lies[0, 1], known.watch.size)
        if other == slot:
            last = g
        else:
            if last < 0:
                known.watch[slot] = following
            else:
                known.chain[last] = following
            known.chain[g], known.watch[other] = known.watch[other], g
        g = following
    return np.int64(-1)


@loop
def _tile(problem, known, capacity, limit, tie, rank, failures, offset, stop):  # type: ignore[no-untyped-def]
    """Depth first over corners. Returns a code of ``Found`` and the number of nodes; ``offset`` ends as placement."""
    size, first, end, twin = problem.size, problem.first, problem.end, problem.twin
    n, m = size.size, failures.size
    state = _State(
        np.zeros(n, np.bool_),
        np.full(n, -1, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        np.zeros(m, np.int64),
        np.full(m, -1, np.int64),
        np.full(m, -1, np.int64),
        np.full(m, -1, np.int64),
        np.full(_BUCKETS, -1, np.int64),
        np.zeros(m, np.bool_),
    )
    placed, decided, floor = state.placed, state.decided, state.floor
    _run(np.int64(0), np.int64(m), np.int64(0), state)
    if _link(np.int64(0), capacity, problem, state):
        return 0, 0
    # Frames of the search: the hole, its floor and corner; the start and floor of the run before it, the end and floor
    # of the one behind it; where the choices of the depth begin, their end (-1: the rest is skipped), and the next one.
    frame = np.zeros((n + 1, 11), np.int64)
    branch = np.zeros(n + 1, np.int64)
    choices = np.zeros(4 * n, np.int64)
    blame = np.zeros((n + 1, n // 64 + 1), np.int64)
    touched = np.zeros(4, np.int64)
    nodes, depth, used = 0, 0, 0
    entering = True
    while True:
        own = frame[depth]
        if entering:
            entering = False
            if depth == n:
                return 1, nodes
            if nodes >= limit or (nodes % _NODES_BETWEEN_LOOKS == 0 and stop[0]):
                return 2, nodes
            nodes += 1
            s = _chosen(tie, frame[depth - 1, 0] if depth > 0 else np.int64(0), failures, state)
            e, left = state.run_end[s], state.left[s]
            own[0], own[1], own[2], own[3] = s, e, floor[s], left
            if s > 0:
                own[4], own[5] = state.run_start[s - 1], floor[state.run_start[s - 1]]
            if e < m:
                own[6], own[7] = state.run_end[e], floor[e]
            own[8] = used
            some, low, high = _at_corner(s, e, left, problem)
            if choices.size < used + high - low:
                more = np.zeros(2 * choices.size + high - low, np.int64)
                for i in range(used):
                    more[i] = choices[i]
                choices = more
            for i in range(low, high):
                u = some[i]
                if placed[u] or first[u] < s or end[u] > e or (twin[u] >= 0 and not placed[twin[u]]):
                    continue
                j = used
                while j > own[8] and rank[choices[j - 1]] > rank[u]:
                    choices[j] = choices[j - 1]
                    j -= 1
                choices[j] = u
                used += 1
            own[9], own[10] = used, own[8]
            for j in range(blame.shape[1]):
                blame[depth, j] = 0
        s, e = own[0], own[1]
        if own[9] < 0 or own[10] == own[9]:
            if own[9] >= 0:
                _explain(blame[depth], s, e, own[2], own[3] != 0, offset, problem, state)
            used = own[8]
            _learn(blame[depth], depth, branch, offset, known)
            depth -= 1
            if depth < 0:
                return 0, nodes
            skips = (blame[depth + 1, depth >> 6] >> (depth & 63)) & 1 == 0
            blame[depth + 1, depth >> 6] &= ~(np.int64(1) << (depth & 63))
            for j in range(blame.shape[1]):
                blame[depth, j] = blame[depth + 1, j] | (0 if skips else blame[depth, j])
            if skips:
                frame[depth, 9] = -1
        else:
            b = branch[depth] = choices[own[10]]
            own[10] += 1
            p, q, top = first[b], end[b], own[2] + size[b]
            placed[b], decided[b], offset[b] = True, depth, own[2]
            _unlink(s, state)
            low, high, count = p, q, 0
            if p > s:
                _run(s, p, own[2], state)
                touched[count] = s
                count += 1
            elif s > 0 and own[5] == top:
                low = own[4]
            elif s > 0:
                touched[count] = own[4]
                count += 1
            if q < e:
                _run(q, e, own[2], state)
                touched[count] = q
                count += 1
            elif e < m and own[7] == top:
                high = own[6]
                _unlink(e, state)
            elif e < m:
                touched[count] = e
                count += 1
            _run(low, high, top, state)
            touched[count] = low
            dead_end = np.int64(-1)
            for i in range(count + 1):
                if _link(touched[i], capacity, problem, state):
                    dead_end = touched[i]
            nogood = _completed(b, offset, placed, known)
            if dead_end < 0 and nogood < 0:
                depth += 1
                entering = True
                continue
            if nogood >= 0:
                for i in range(known.length[nogood]):
                    _add(blame[depth], decided[known.lies[nogood, i, 0]])
            else:
                last = state.run_end[dead_end]
                failures[dead_end] += 1
                failures[last - 1] += 1
                _explain(blame[depth], dead_end, last, floor[dead_end], state.left[dead_end], offset, problem, state)
            blame[depth, depth >> 6] &= ~(np.int64(1) << (depth & 63))
        own = frame[depth]
        s, e = own[0], own[1]
        b = branch[depth]
        placed[b], decided[b] = False, -1
        _unlink(first[b], state)
        if end[b] < m:
            _unlink(end[b], state)
        if s > 0:
            _run(own[4], s, own[5], state)
            _link(own[4], capacity, problem, state)
        if e < m:
            _run(e, own[6], own[7], state)
        _run(s, e, own[2], state)
        if e < m:
            _link(e, capacity, problem, state)
        _link(s, capacity, problem, state)
