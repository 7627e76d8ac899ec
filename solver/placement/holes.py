"""Hole search: does a component fit below a height? One hole after another is filled, the hardest first.

Over every section of time the placed buffers reach up to a *floor*; neighbouring sections of one floor between higher
walls are a *hole*::

    offset
      ^  capacity ------------------------------------
      |   |     |            |      |        |  b  |
      |   |  a  |    hole    |  c   |  hole  +-----+
      |   |     +-----+------+      +--------+  d  |
      |   |     |  e  |  f   |      |   g    |     |
      +---+-----+-----+------+------+--------+-----+---> sections of time

What is left to place lies above the floors. Whoever rests on the floor of a hole fits between its walls, and nobody can
come to lie below it any more: its offset is known. So a node takes one section of one hole and branches on who covers
it there. One more branch says that nobody does, as long as the section has bytes to waste (*slack*: capacity less floor
less what is still to come). The section with the fewest branches is taken first, wherever in time it is (fail first,
Haralick and Elliott 1980): where little may be wasted most holes have one answer or none, and a wrong start is noticed
where it was made. The canonical search, from the lowest offset to the highest, interleaves distant places.

What is left out, and why nothing is lost. Of all placements that fit take one in which no buffer can be pushed down,
and of two buffers equal in every respect the one of lesser number lies lower. If nobody rests on the floor of a
section, the lowest buffer to come in it rests on somebody outside the section, which gives the next offset it can have.
A state is the set of placed buffers and the lowest offset of each other one; what can be completed depends on nothing
else. So states that were refuted are remembered, by 128 bits of hash, from one search for one capacity to the next.

**Jumps.** A decision says that a buffer lies at exactly some offset, or that nobody rests on the floor of a section. A
section that became too full is explained by the decisions that lifted its buffers, the last one for each. That the
branches of a node were all there are is explained by the decisions that lifted the members of its section, and what is
alive together with those that fit: they cannot lie lower. Where nobody was to rest on the floor, the placed neighbours
that somebody might have rested on are to blame as well. A node of which one branch fails for reasons that do not
include that branch fails for the same reasons altogether: its other branches are skipped (conflict-directed
backjumping, Prosser 1993). So all that is skipped is refuted, and exhaustion stays a proof. A state that was refuted
before is blamed on everything.

Gaps in lifetimes: a buffer at the floor of one hole may reach down into another, so that only the lowest holes are
filled. Fixed buffers wait at their offset until they are the next; who covers one of them is refuted.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from ..compiled import inner, loop
from ..interrupts import interruptible
from .answers import Answer, Found
from .arena import Component

_NEVER = np.int64(2**62)
_NOBODY = np.int64(-1)
_NODES_BETWEEN_LOOKS = 64


class Tie(IntEnum):
    """Which section comes first among those with equally few branches."""

    LOWEST = 0
    NARROWEST = 1
    TIGHTEST = 2
    NEAREST = 3
    TROUBLED = 4


@dataclass(frozen=True, slots=True)
class Refuted:
    """States without a completion within one capacity, and how often each section was the one that failed."""

    states: npt.NDArray[np.uint64]
    failures: Ints

    @classmethod
    def of(cls, component: Component, bits: int = 17) -> Refuted:
        """Room for ``2**bits`` states of 16 bytes; later ones take the place of earlier ones."""
        return cls(np.zeros((2**bits, 2), np.uint64), np.zeros(component.members.start.size - 1, np.int64))


def fill_holes(
    component: Component,
    capacity: int,
    rank: Ints,
    nodes: int,
    *,
    tie: Tie,
    refuted: Refuted,
    stop: npt.NDArray[np.bool_],
) -> Answer:
    """Ask for a placement within ``capacity`` units, visiting at most ``nodes`` nodes; ends when ``stop[0]`` is set.

    ``rank``: which of the buffers that fit into a hole is tried first. ``refuted`` belongs to this component and this
    capacity. O(neighbours x their sections) per node. NONE_EXISTS is a proof.
    """
    offset = np.where(component.fixed >= 0, component.fixed, 0)
    start, items = component.sections
    whole = bool(np.all(items[start[1:] - 1] - items[start[:-1]] == np.diff(start) - 1))
    with interruptible():
        code, visited = _fill(
            capacity,
            nodes,
            int(tie),
            whole,
            component.size,
            component.alignment,
            component.fixed,
            component.twin,
            rank,
            *component.neighbours,
            *component.sections,
            *component.members,
            refuted.states,
            refuted.failures,
            offset,
            *_room(component),
            stop,
        )
    found = Found(code)
    return Answer(found, offset if found is Found.PLACED else None, int(visited))


def _room(component: Component) -> tuple[Ints, ...]:
    """What ``_fill`` works in, from ``placed`` to ``blame``."""
    n, sections = component.size.size, component.section_count
    depths = 2 * n + 2
    return (
        np.zeros(n, np.int64),
        np.full(n, -1, np.int64),
        np.full(n, -1, np.int64),
        *np.zeros((5, sections), np.int64),
        np.zeros((depths, 8), np.int64),
        np.empty((4 * n, 1), np.int64),
        np.empty((4 * (n + sections), 3), np.int64),
        np.empty((depths, depths // 64 + 1), np.int64),
    )


@inner
def _hash(b, value):  # type: ignore[no-untyped-def]
    """64 bits for buffer ``b`` with ``value`` (the finisher of MurmurHash3, variant 13 of David Stafford)."""
    x = np.uint64(b + 1) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(value)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@inner
def _look(s, low, placed, twin, fixed, in_start, members):  # type: ignore[no-untyped-def]
    """Floor of section ``s``, how many buffers may rest on it, and whether one of them is fixed there."""
    floor, count, held = _NEVER, np.int64(0), False
    for i in range(in_start[s], in_start[s + 1]):
        u = members[i]
        if placed[u] or low[u] > floor:
            continue
        if low[u] < floor:
            floor, count, held = low[u], np.int64(0), False
        count += twin[u] < 0 or placed[twin[u]]
        held |= fixed[u] >= 0
    return floor, count, held


@inner
def _choose(tie, whole, nearest, capacity, rest, floor, branches, failures):  # type: ignore[no-untyped-def]
    """The section of a hole with the fewest branches."""
    sections = floor.size
    ground = _NEVER
    for s in range(sections):
        ground = min(ground, floor[s])
    best, fewest, least = -1, _NEVER, _NEVER
    begin = 0
    while begin < sections:
        f = floor[begin]
        end = begin + 1
        while end < sections and floor[end] == f:
            end += 1
        walls = (begin == 0 or floor[begin - 1] > f) and (end == sections or floor[end] > f)
        if f < _NEVER and (walls if whole else f == ground):
            for s in range(begin, end):
                if branches[s] > fewest:
                    continue
                if tie == 0:
                    second = f
                elif tie == 1:
                    second = np.int64(end - begin)
                elif tie == 2:
                    second = capacity - f - rest[s]
                elif tie == 3:
                    second = np.int64(abs(s - nearest))
                else:
                    second = -failures[s]
                if branches[s] < fewest or second < least:
                    best, fewest, least = s, branches[s], second
        begin = end
    return best


@inner
def _next_floor(s, low, placed, size, near_start, near, of_start, sections_of, in_start, members):  # type: ignore[no-untyped-def]
    """Lowest offset in section ``s`` when nobody rests on its floor: of a member that lies higher anyway, or the top of
    a buffer outside the section that a member may rest on."""
    floor = _NEVER
    for i in range(in_start[s], in_start[s + 1]):
        if not placed[members[i]]:
            floor = min(floor, low[members[i]])
    least = _NEVER
    for i in range(in_start[s], in_start[s + 1]):
        u = members[i]
        if placed[u]:
            continue
        if low[u] > floor:
            least = min(least, low[u])
            continue
        for j in range(near_start[u], near_start[u + 1]):
            v = near[j]
            if not placed[v] and low[v] + size[v] < least:
                here = False
                for k in range(of_start[v], of_start[v + 1]):
                    here |= sections_of[k] == s
                if not here:
                    least = max(floor + 1, low[v] + size[v])
    return least


@inner
def _longer(table, rows, columns, used):  # type: ignore[no-untyped-def]
    """``table`` itself, or one twice as long when it has less than ``rows``: its first ``used`` are kept."""
    if rows <= table.shape[0]:
        return table
    copy = np.empty((2 * rows, columns), np.int64)
    for i in range(used):
        for j in range(columns):
            copy[i, j] = table[i, j] if j < table.shape[1] else 0
    return copy


@inner
def _add(words, d):  # type: ignore[no-untyped-def]
    """Add the decision at depth ``d``; -1 is none."""
    if d >= 0:
        words[d >> 6] |= np.int64(1) << (d & 63)


@inner
def _remove(words, d):  # type: ignore[no-untyped-def]
    """Remove the decision at depth ``d``; whether it was there."""
    bit = np.int64(1) << (d & 63)
    found = words[d >> 6] & bit != 0
    words[d >> 6] &= ~bit
    return found


@inner
def _explain_branching(  # type: ignore[no-untyped-def]
    words, s, wasting, low, support, decided, placed, near_start, near, in_start, members
):
    """Add why nothing but the branches of section ``s`` had to be tried."""
    floor = _NEVER
    for i in range(in_start[s], in_start[s + 1]):
        if not placed[members[i]]:
            floor = min(floor, low[members[i]])
    for i in range(in_start[s], in_start[s + 1]):
        u = members[i]
        if placed[u]:
            continue
        _add(words, support[u])
        if low[u] > floor:
            continue
        for j in range(near_start[u], near_start[u + 1]):
            v = near[j]
            if not placed[v]:
                _add(words, support[v])
            elif wasting:
                _add(words, decided[v])


@loop
def _fill(  # type: ignore[no-untyped-def]
    capacity, limit, tie, whole, size, alignment, fixed, twin, rank, near_start, near, of_start, sections_of, in_start,
    members, refuted, failures, low, placed, support, decided, rest, floor, branches, dirty, marked,
    frame, choices, trail, blame, stop,
):  # fmt: skip
    """Depth first over holes. Returns a code of ``Found`` and the number of nodes; ``low`` begins with the lowest
    offsets and ends with the placement.

    ``frame``, a row for each depth: where the branches, the trail and the floors in it begin, the section, the next
    branch, the branch taken, whether others were skipped, and the state. ``trail``: (buffer, its low and who lifted it
    before), then (section, its floor and its branches before). A decision is known by its depth: ``support`` and
    ``decided`` say who lifted and who placed each buffer, ``blame`` who is to blame for each failure.
    """
    n, sections = size.size, floor.size
    key, placed_key = np.uint64(0), np.uint64(0)
    for b in range(n):
        key += _hash(b, low[b])
        for i in range(of_start[b], of_start[b + 1]):
            rest[sections_of[i]] += size[b]
        if low[b] + size[b] > capacity:
            return 0, 0
    for s in range(sections):
        floor[s], count, held = _look(s, low, placed, twin, fixed, in_start, members)
        branches[s] = count + (not held and floor[s] + rest[s] < capacity)
        if floor[s] + rest[s] > capacity:
            return 0, 0
    trail_end = np.int64(0)
    nodes, depth, left = np.int64(0), np.int64(0), n
    entering = True
    while True:
        if entering:
            entering = False
            if left == 0:
                return 1, nodes
            if nodes >= limit or (nodes % _NODES_BETWEEN_LOOKS == 0 and stop[0]):
                return 2, nodes
            nodes += 1
            frame = _longer(frame, depth + 2, frame.shape[1], depth + 1)
            blame = _longer(blame, depth + 2, (depth + 2) // 32 + 1, depth)
            for j in range(blame.shape[1]):
                blame[depth, j] = 0
            frame[depth, 3], frame[depth, 6] = -1, 0
            frame[depth, 7] = np.int64(key)
            begin = end = frame[depth, 0]
            choices = _longer(choices, begin + n + 1, choices.shape[1], begin)
            slot = key & np.uint64(refuted.shape[0] - 1)
            if refuted[slot, 0] != key or refuted[slot, 1] != placed_key:
                nearest = frame[depth - 1, 3] if depth > 0 else np.int64(0)
                s = _choose(tie, whole, nearest, capacity, rest, floor, branches, failures)
                frame[depth, 3] = s
                held = False
                for i in range(in_start[s], in_start[s + 1]):
                    u = members[i]
                    if placed[u] or low[u] > floor[s]:
                        continue
                    held |= fixed[u] >= 0
                    if twin[u] < 0 or placed[twin[u]]:
                        j = end
                        while j > begin and rank[choices[j - 1, 0]] > rank[u]:
                            choices[j, 0] = choices[j - 1, 0]
                            j -= 1
                        choices[j, 0] = u
                        end += 1
                if not held and floor[s] + rest[s] < capacity:
                    choices[end, 0] = _NOBODY
                    end += 1
            else:
                for j in range(blame.shape[1]):
                    blame[depth, j] = -1
            frame[depth, 4], frame[depth + 1, 0] = begin, end
        if frame[depth, 4] == frame[depth + 1, 0]:
            known = np.uint64(frame[depth, 7])
            slot = known & np.uint64(refuted.shape[0] - 1)
            refuted[slot, 0], refuted[slot, 1] = known, placed_key
            s = frame[depth, 3]
            if frame[depth, 6] == 0 and s >= 0:
                wasting = frame[depth, 4] > frame[depth, 0] and choices[frame[depth, 4] - 1, 0] == _NOBODY
                _explain_branching(
                    blame[depth], s, wasting, low, support, decided, placed, near_start, near, in_start, members
                )
            depth -= 1
            if depth < 0:
                return 0, nodes
            skips = not _remove(blame[depth + 1], depth)
            for j in range(blame.shape[1]):
                blame[depth, j] = blame[depth + 1, j] | (0 if skips else blame[depth, j])
            if skips:
                frame[depth, 4], frame[depth, 6] = frame[depth + 1, 0], 1
        else:
            s, b = frame[depth, 3], choices[frame[depth, 4], 0]
            frame[depth, 1], frame[depth, 5] = trail_end, b
            frame[depth, 4] += 1
            count = 0
            if b == _NOBODY:
                top = _next_floor(
                    s, low, placed, size, near_start, near, of_start, sections_of, in_start, members
                )  # fmt: skip
                first, last = in_start[s], in_start[s + 1]
            else:
                top = low[b] + size[b]
                first, last = near_start[b], near_start[b + 1]
                placed[b] = 1
                decided[b] = depth
                left -= 1
                key -= _hash(b, low[b])
                placed_key ^= _hash(b, _NOBODY)
                for i in range(of_start[b], of_start[b + 1]):
                    t = sections_of[i]
                    rest[t] -= size[b]
                    marked[t] = 1
                    dirty[count] = t
                    count += 1
            fails = top + (rest[s] if b == _NOBODY else 0) > capacity
            trail = _longer(trail, trail_end + n + sections, trail.shape[1], trail_end)
            for i in range(first, last):
                u = members[i] if b == _NOBODY else near[i]
                if fails or placed[u] or low[u] >= top:
                    continue
                fails = fixed[u] >= 0
                trail[trail_end, 0], trail[trail_end, 1], trail[trail_end, 2] = u, low[u], support[u]
                support[u] = depth
                trail_end += 1
                over = top % alignment[u]
                key -= _hash(u, low[u])
                low[u] = top if over == 0 else top + alignment[u] - over
                key += _hash(u, low[u])
                for j in range(of_start[u], of_start[u + 1]):
                    t = sections_of[j]
                    if not marked[t]:
                        marked[t] = 1
                        dirty[count] = t
                        count += 1
            frame[depth, 2] = trail_end
            for k in range(count):
                t = dirty[k]
                marked[t] = 0
                if fails:
                    continue
                trail[trail_end, 0], trail[trail_end, 1], trail[trail_end, 2] = t, floor[t], branches[t]
                trail_end += 1
                floor[t], options, held = _look(t, low, placed, twin, fixed, in_start, members)
                branches[t] = options + (not held and floor[t] + rest[t] < capacity)
                if floor[t] < _NEVER and floor[t] + rest[t] > capacity:
                    fails = True
                    failures[t] += 1
                    for i in range(in_start[t], in_start[t + 1]):
                        if not placed[members[i]]:
                            _add(blame[depth], support[members[i]])
                    _remove(blame[depth], depth)
            if not fails:
                depth += 1
                entering = True
                continue
        b = frame[depth, 5]
        while trail_end > frame[depth, 2]:
            trail_end -= 1
            t = trail[trail_end, 0]
            floor[t], branches[t] = trail[trail_end, 1], trail[trail_end, 2]
        while trail_end > frame[depth, 1]:
            trail_end -= 1
            u = trail[trail_end, 0]
            key -= _hash(u, low[u])
            low[u], support[u] = trail[trail_end, 1], trail[trail_end, 2]
            key += _hash(u, low[u])
        if b != _NOBODY:
            placed[b] = 0
            left += 1
            key += _hash(b, low[b])
            placed_key ^= _hash(b, _NOBODY)
            for i in range(of_start[b], of_start[b + 1]):
                rest[sections_of[i]] += size[b]
