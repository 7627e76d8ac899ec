"""Canonical tree search: does a component fit below a height?

Every placement can be pushed down until each buffer rests on the ground or on another one; listed by offset, such a
placement is a sequence in which each buffer lies at the lowest offset its predecessors leave. The search builds these
sequences and no others (M. D. Moffitt, MiniMalloc, ASPLOS 2023)::

    offset
      ^  capacity ------------------------------   a section fails when its floor and the sizes of its
      |        . . . . . . . . . . . . . . .       unplaced buffers do not fit below the capacity
      |              +------+
      |    +----+    |  b   |     <- b is next: lowest feasible offset, never below the one placed before
      |    | a  |----+------+
      |    +----+ c  |
      +----+----+----+------+--------------> sections of time

What is left out, and why nothing is lost. Of all placements that fit take the one whose sequence of (offset, rank) is
lexicographically least. No buffer of it can be pushed down; no buffer placed later fits wholly below the next offset
(``least_top``: moving it there would give a lesser sequence); of two buffers equal in every respect the one of lesser
number comes first. A search without jumps finds this sequence, so that its exhaustion is a proof.

**Jumps.** Buffers far apart in time do not matter to each other, but the sequence interleaves them, and a plain search
tries every arrangement of one place against each failure in another. So a failure is explained by the placed buffers
that made it: those in the failing section, those that raised the floors of its unplaced members, and what these rest
on. A node whose failures do not involve the buffer placed last is not going to be helped by its siblings: they are
skipped. The explanation of buffers that are no candidates any more is the one kept from their own last failure, which
is not exact; so a search that skipped anything never proves that there is no placement. On the published hard instances
its best static order needs 300 to 3 000 nodes on most of them, where the plain search needs 70 000 to more than
two million.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from catalytic.solver.arrays import Ints
from catalytic.solver.interrupts import interruptible
from catalytic.solver.placement.answers import Answer, Found
from catalytic.solver.placement.arena import Component

STATIC_ORDERS = ("TAW", "WAT", "TWA")
"""Ranks among buffers of one offset: total of the fullest section, area, width (time alive), each falling."""

NOISY_ORDERS = ("TZW", "WAT", "TZW", "TWA", "TAW")
"""Orders to which noise is added, in turns; Z is the size. Size after total is the one that noise helps most often."""

_NEVER = np.int64(2**62)
_NODES_BETWEEN_LOOKS = 64


def search(
    component: Component, capacity: int, rank: Ints, nodes: int, *, jumps: bool, stop: npt.NDArray[np.bool_]
) -> Answer:
    """Ask for a placement within ``capacity`` units, visiting at most ``nodes`` nodes; ends when ``stop[0]`` is set.

    O(neighbours x their sections) per node.
    """
    offset = np.zeros(component.size.size, dtype=np.int64)
    problem = _Problem(
        component.size,
        component.alignment,
        component.fixed,
        component.twin,
        rank,
        *component.neighbours,
        *component.sections,
        *component.members,
    )
    with interruptible():
        code, visited = _search(problem, capacity, nodes, jumps, offset, stop)
    found = Found(code)
    return Answer(found, offset if found is Found.PLACED else None, int(visited))


class _Problem(NamedTuple):
    """A component as the compiled loops see it; lists are cut by the array of starts before them."""

    size: Ints
    alignment: Ints
    fixed: Ints
    twin: Ints
    rank: Ints
    near_start: Ints
    near: Ints
    of_start: Ints
    sections_of: Ints
    in_start: Ints
    members_in: Ints


class _State(NamedTuple):
    """What a node is made of; everything is restored when it is left.

    ``low``: lowest offset of each unplaced buffer, and of each placed one its offset; ``support``: the placed buffer it
    comes from, or -1. ``rest``: units unplaced in each section. ``after``/``before``: linked list of the unplaced.
    """

    low: Ints
    support: Ints
    placed: npt.NDArray[np.bool_]
    rest: Ints
    after: Ints
    before: Ints
    trail_buffer: Ints
    trail_low: Ints
    trail_support: Ints


@njit(cache=True, nogil=True)
def _has(words, b):  # type: ignore[no-untyped-def]
    return (words[b >> 6] >> np.uint64(b & 63)) & np.uint64(1) != 0


@njit(cache=True, nogil=True)
def _add(words, b):  # type: ignore[no-untyped-def]
    words[b >> 6] |= np.uint64(1) << np.uint64(b & 63)


@njit(cache=True, nogil=True)
def _add_with_supports(words, b, state):  # type: ignore[no-untyped-def]
    """Add ``b`` and everything it rests on; -1 is nobody."""
    while b >= 0 and not _has(words, b):
        _add(words, b)
        b = state.support[b]


@njit(cache=True, nogil=True)
def _explain(words, section, last, problem, state):  # type: ignore[no-untyped-def]
    """Add who made ``section`` too full: its placed members, and the supports of its unplaced ones.

    ``last`` is the buffer placed last (or -1): it is to blame when a member may not use room below it any more. A
    smaller explanation (nobody outside the section when the placed members alone are too high) was tried: more is
    skipped, but too much, and two of the hard instances are no longer solved in 20 000 nodes.
    """
    at = state.low[last] if last >= 0 else np.int64(0)
    for i in range(problem.in_start[section], problem.in_start[section + 1]):
        b = problem.members_in[i]
        if state.placed[b]:
            _add_with_supports(words, b, state)
        else:
            _add_with_supports(words, state.support[b], state)
            if state.low[b] < at:
                _add_with_supports(words, last, state)


@njit(cache=True, nogil=True)
def _put(b, trail, dirty, problem, state):  # type: ignore[no-untyped-def]
    """Place ``b`` at its lowest offset; returns the new end of the trail, how many sections changed, and a victim.

    The changed sections are ``dirty[0]`` (marks in ``dirty[1]``). The victim is a fixed buffer that ``b`` covers,
    or -1.
    """
    size, low = problem.size, state.low
    top = low[b] + size[b]
    state.placed[b] = True
    state.after[state.before[b]] = state.after[b]
    state.before[state.after[b]] = state.before[b]
    count = 0
    victim = -1
    for i in range(problem.of_start[b], problem.of_start[b + 1]):
        s = problem.sections_of[i]
        state.rest[s] -= size[b]
        dirty[1, s] = 1
        dirty[0, count] = s
        count += 1
    for i in range(problem.near_start[b], problem.near_start[b + 1]):
        u = problem.near[i]
        if state.placed[u] or low[u] >= top:
            continue
        if problem.fixed[u] >= 0:
            victim = u
            break
        state.trail_buffer[trail] = u
        state.trail_low[trail] = low[u]
        state.trail_support[trail] = state.support[u]
        trail += 1
        over = top % problem.alignment[u]
        low[u] = top if over == 0 else top + problem.alignment[u] - over
        state.support[u] = b
        for j in range(problem.of_start[u], problem.of_start[u + 1]):
            s = problem.sections_of[j]
            if dirty[1, s] == 0:
                dirty[1, s] = 1
                dirty[0, count] = s
                count += 1
    for k in range(count):
        dirty[1, dirty[0, k]] = 0
    return trail, count, victim


@njit(cache=True, nogil=True)
def _take_back(b, trail, back_to, problem, state):  # type: ignore[no-untyped-def]
    """Undo ``_put`` of ``b``."""
    while trail > back_to:
        trail -= 1
        u = state.trail_buffer[trail]
        state.low[u] = state.trail_low[trail]
        state.support[u] = state.trail_support[trail]
    for i in range(problem.of_start[b], problem.of_start[b + 1]):
        state.rest[problem.sections_of[i]] += problem.size[b]
    state.placed[b] = False
    state.after[state.before[b]] = b
    state.before[state.after[b]] = b


@njit(cache=True, nogil=True)
def _failing(capacity, at, count, dirty, problem, state):  # type: ignore[no-untyped-def]
    """A changed section that cannot hold its unplaced buffers any more when none goes below ``at``, or -1."""
    for k in range(count):
        s = dirty[0, k]
        if state.rest[s] == 0:
            continue
        floor = _NEVER
        for i in range(problem.in_start[s], problem.in_start[s + 1]):
            u = problem.members_in[i]
            if not state.placed[u] and state.low[u] < floor:
                floor = state.low[u]
        if max(floor, at) + state.rest[s] > capacity:
            return s
    return -1


@njit(cache=True, nogil=True)
def _candidates(into, begin, capacity, last, problem, state):  # type: ignore[no-untyped-def]
    """Buffers that may come next, by offset and rank, from ``into[begin]`` on.

    Returns their end; a passed-over buffer that fits below all others, or -1; a section too full for the lowest buffer
    that was left out for it, and that buffer, or -1 twice.
    """
    n = problem.size.size
    at, rank = (state.low[last], problem.rank[last]) if last >= 0 else (np.int64(0), np.int64(-1))
    least_top, lowest_fixed = _NEVER, _NEVER
    lowest = -1
    u = state.after[n]
    while u < n:
        top = state.low[u] + problem.size[u]
        if top < least_top:
            least_top, lowest = top, u
        if problem.fixed[u] >= 0:
            lowest_fixed = min(lowest_fixed, state.low[u])
        u = state.after[u]
    highest, fullest = np.int64(capacity), -1
    for s in range(state.rest.size):
        if state.rest[s] > 0 and capacity - state.rest[s] < highest:
            highest, fullest = capacity - state.rest[s], s
    end = begin
    left_out = -1
    u = state.after[n]
    while u < n:
        low = state.low[u]
        passed = low < at or (low == at and problem.rank[u] < rank)
        too_late = low >= least_top or low > lowest_fixed or (low == lowest_fixed and problem.fixed[u] < 0)
        if not passed and not too_late:
            if low > highest:
                if left_out < 0 or low < state.low[left_out]:
                    left_out = u
            elif problem.twin[u] < 0 or state.placed[problem.twin[u]]:
                i = end
                while i > begin and (
                    state.low[into[i - 1]] > low
                    or (state.low[into[i - 1]] == low and problem.rank[into[i - 1]] > problem.rank[u])
                ):
                    into[i] = into[i - 1]
                    i -= 1
                into[i] = u
                end += 1
        u = state.after[u]
    if lowest >= 0:
        passed = state.low[lowest] < at or (state.low[lowest] == at and problem.rank[lowest] < rank)
        if not passed:
            lowest = -1
    return end, lowest, fullest if left_out >= 0 else -1, left_out


@njit(cache=True, nogil=True)
def _search(problem, capacity, limit, jumps, offset, stop):  # type: ignore[no-untyped-def]
    """Depth first over canonical sequences. Returns a code of ``Found`` and the number of nodes; fills ``offset``."""
    n, sections = problem.size.size, problem.in_start.size - 1
    low = np.zeros(n, np.int64)
    rest = np.zeros(sections, np.int64)
    for b in range(n):
        if problem.fixed[b] >= 0:
            low[b] = problem.fixed[b]
            if low[b] + problem.size[b] > capacity:
                return 0, 0
        for i in range(problem.of_start[b], problem.of_start[b + 1]):
            rest[problem.sections_of[i]] += problem.size[b]
    for s in range(sections):
        if rest[s] > capacity:
            return 0, 0
    # A pair of neighbours is on the trail at most once: when the first of the two is placed.
    trail_size = problem.near.size // 2 + 1
    state = _State(
        low,
        np.full(n, -1, np.int64),
        np.zeros(n, np.bool_),
        rest,
        np.arange(1, n + 2),
        np.arange(-1, n),
        np.empty(trail_size, np.int64),
        np.empty(trail_size, np.int64),
        np.empty(trail_size, np.int64),
    )
    state.after[n], state.before[0], state.before[n] = 0, n, n - 1
    dirty = np.zeros((2, sections), np.int64)
    choices = np.empty(n * (n + 1) // 2 + 1, np.int64)
    position = np.zeros(n + 1, np.int64)
    ends = np.zeros(n + 1, np.int64)
    chosen = np.full(n + 1, -1, np.int64)
    trail_at = np.zeros(n + 2, np.int64)
    words = (n + 63) // 64
    blame = np.zeros((n + 1, words), np.uint64)  # who is to blame for the failures below each depth
    unknown = np.zeros(n + 1, np.bool_)  # whether somebody unknown is
    kept = np.zeros((n, words), np.uint64)  # the explanation of each buffer's last failure
    has_kept = np.zeros(n, np.bool_)
    jumped = False
    depth, nodes, trail = 0, 0, 0
    entering = True
    while True:
        if entering:
            entering = False
            if depth == n:
                offset[:] = state.low
                return 1, nodes
            if nodes >= limit or (nodes % _NODES_BETWEEN_LOOKS == 0 and stop[0]):
                return 2, nodes
            nodes += 1
            last = chosen[depth - 1] if depth > 0 else -1
            begin = ends[depth - 1] if depth > 0 else 0
            end, lowest, full_section, left_out = _candidates(choices, begin, capacity, last, problem, state)
            position[depth], ends[depth] = begin, end
            if jumps:
                blame[depth] = 0
                unknown[depth] = False
                if lowest >= 0:
                    if has_kept[lowest]:
                        blame[depth] |= kept[lowest]
                        blame[depth, lowest >> 6] &= ~(np.uint64(1) << np.uint64(lowest & 63))
                        _add_with_supports(blame[depth], state.support[lowest], state)
                    else:
                        unknown[depth] = end == begin
                if left_out >= 0:
                    _add_with_supports(blame[depth], state.support[left_out], state)
                    _explain(blame[depth], full_section, -1, problem, state)
                if lowest < 0 and left_out < 0 and end == begin:
                    unknown[depth] = True
        if position[depth] == ends[depth]:
            depth -= 1
            if depth < 0:
                return (2 if jumped else 0), nodes
            b = chosen[depth]
            trail_end, trail = trail, trail_at[depth]
            _take_back(b, trail_end, trail, problem, state)
            if jumps:
                if unknown[depth + 1]:
                    unknown[depth] = True
                    has_kept[b] = False
                elif _has(blame[depth + 1], b):
                    has_kept[b] = True
                    kept[b] = blame[depth + 1]
                    blame[depth] |= blame[depth + 1]
                else:
                    jumped = jumped or position[depth] < ends[depth]
                    position[depth] = ends[depth]
                    unknown[depth] = False
                    blame[depth] = blame[depth + 1]
            continue
        b = choices[position[depth]]
        position[depth] += 1
        at = state.low[b]
        chosen[depth] = b
        trail_at[depth] = trail
        trail, count, victim = _put(b, trail, dirty, problem, state)
        failing = -1 if victim >= 0 else _failing(capacity, at, count, dirty, problem, state)
        if victim < 0 and failing < 0:
            depth += 1
            entering = True
            continue
        if jumps:
            kept[b] = 0
            has_kept[b] = True
            if victim >= 0:
                _add_with_supports(kept[b], b, state)
            else:
                _explain(kept[b], failing, b, problem, state)
            blame[depth] |= kept[b]
        trail_end, trail = trail, trail_at[depth]
        _take_back(b, trail_end, trail, problem, state)
