"""The placement problem of one address line: buffers with known lifetimes, each to get an offset.

::

    offset
      ^   +-----------+       +-----+      a buffer is as wide as its lifetime and as high as its size;
      |   |     b     |       |  b  |      with a gap in its lifetime it is several rectangles, all at one offset
      |   +---+-------+---+   +-----+
      |   | a |   |   c   |
      +---+---+---+-------+--------------> time

Before a search looks at it, the problem is made small. What remains of time is *sections*: stretches in which nobody
is born and nobody dies. A section whose buffers all live in the next or the previous one too asks for nothing new and
goes. Buffers that no chain of common sections connects are placed alone, as *components*. Sizes count in the largest
unit that divides them all, and everything an offset can be forced to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..arrays import Ints

Gaps = tuple[tuple[int, int], ...]
"""Half-open intervals inside a lifetime in which the buffer needs no bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Arena:
    """Buffers of one address line. Lifetimes are ``[lower, upper)`` without ``gaps``; sizes and offsets in bytes.

    An offset is a multiple of ``alignment``; ``fixed`` is an offset that is given, or -1; ``preferred`` one that is
    welcome where it costs nothing, or -1. ``ValueError`` when a lifetime, a size, an alignment, an offset or a gap
    makes no sense, or two fixed buffers cannot both be where they are.
    """

    lower: Ints
    upper: Ints
    size: Ints
    alignment: Ints
    fixed: Ints
    preferred: Ints
    gaps: tuple[Gaps, ...]

    @classmethod
    def of(
        cls,
        lower: Sequence[int] | Ints,
        upper: Sequence[int] | Ints,
        size: Sequence[int] | Ints,
        *,
        alignment: Sequence[int] | Ints | None = None,
        fixed: Sequence[int] | Ints | None = None,
        preferred: Sequence[int] | Ints | None = None,
        gaps: Sequence[Gaps] | None = None,
    ) -> Arena:
        """An arena; without more, offsets are free and lifetimes whole."""
        n = len(size)
        return cls(
            lower=_frozen(lower),
            upper=_frozen(upper),
            size=_frozen(size),
            alignment=_frozen(np.ones(n, np.int64) if alignment is None else alignment),
            fixed=_frozen(np.full(n, -1, np.int64) if fixed is None else fixed),
            preferred=_frozen(np.full(n, -1, np.int64) if preferred is None else preferred),
            gaps=((),) * n if gaps is None else tuple(tuple(sorted(g)) for g in gaps),
        )

    def __post_init__(self) -> None:
        n = self.size.size
        columns = (self.lower, self.upper, self.alignment, self.fixed, self.preferred, self.gaps)
        if any(len(column) != n for column in columns):
            raise ValueError("every buffer needs a lower, an upper, a size, an alignment and a fixed offset or -1")
        wrong = (self.lower >= self.upper) | (self.size < 0) | (self.alignment < 1)
        for b in np.flatnonzero(wrong)[:1]:
            raise ValueError(
                f"buffer {b}: lifetime [{self.lower[b]}, {self.upper[b]}), size {self.size[b]}, "
                f"alignment {self.alignment[b]}"
            )
        wrong = (self.fixed < -1) | ((self.fixed > 0) & (self.fixed % self.alignment > 0))
        for b in np.flatnonzero(wrong)[:1]:
            raise ValueError(f"buffer {b}: fixed at {self.fixed[b]}, alignment {self.alignment[b]}")
        for b in np.flatnonzero(self.preferred < -1)[:1]:
            raise ValueError(f"buffer {b}: preferred at {self.preferred[b]}")
        for b in self.with_gaps():
            low, high = int(self.lower[b]), int(self.upper[b])
            inside = all(low <= a < z <= high for a, z in self.gaps[b]) and self.lives(b)
            if not inside or any(first[1] > second[0] for first, second in pairwise(self.gaps[b])):
                raise ValueError(
                    f"buffer {b}: gaps {self.gaps[b]} are not disjoint, inside [{low}, {high}), and less than all of it"
                )
        self._refuse_collisions()

    def _refuse_collisions(self) -> None:
        """One sweep over the fixed buffers in time.

        While no two have met, the living ones are disjoint: a newborn collides with the next below or above, or none.
        """
        events = []
        for b in np.flatnonzero((self.fixed >= 0) & (self.size > 0)).tolist():
            for birth, death in self.lives(b):
                events += [(birth, 1, b), (death, 0, b)]
        alive: list[tuple[int, int]] = []
        for _, born, b in sorted(events):
            own = int(self.fixed[b]), b
            if not born:
                del alive[bisect_left(alive, own)]
                continue
            at = bisect_left(alive, own)
            for bottom, other in alive[max(0, at - 1) : at + 1]:
                if bottom < own[0] + self.size[b] and own[0] < bottom + self.size[other]:
                    first, second = sorted((b, other))
                    raise ValueError(f"buffers {first} and {second} are fixed on common bytes while both are alive")
            alive.insert(at, own)

    def with_gaps(self) -> list[int]:
        """Buffers whose lifetimes have gaps."""
        return [b for b, gaps in enumerate(self.gaps) if gaps] if any(self.gaps) else []

    def pieces(self) -> Pieces:
        """All intervals in which buffers need their bytes, by buffer and time. Buffers of no size have none."""
        buffer = np.flatnonzero(self.size > 0)
        if not self.with_gaps():
            return Pieces(buffer, self.lower[buffer], self.upper[buffer])
        rows = [(b, birth, death) for b in buffer.tolist() for birth, death in self.lives(b)]
        return Pieces(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)

    def together(self, a: int, b: int) -> bool:
        """Whether ``a`` and ``b`` are alive at one moment."""
        return any(p[0] < q[1] and q[0] < p[1] for p in self.lives(a) for q in self.lives(b))

    def lives(self, b: int) -> list[tuple[int, int]]:
        """The half-open intervals in which buffer ``b`` needs its bytes, in order."""
        ends = [int(self.lower[b]), *(t for gap in self.gaps[b] for t in gap), int(self.upper[b])]
        return [(a, z) for a, z in zip(ends[::2], ends[1::2], strict=True) if a < z]


class Pieces(NamedTuple):
    """Half-open intervals ``[birth, death)`` in which each ``buffer`` needs its bytes."""

    buffer: Ints
    birth: Ints
    death: Ints


class Lists(NamedTuple):
    """Several lists in one array: list ``k`` is ``items[start[k]:start[k + 1]]``."""

    start: Ints
    items: Ints


@dataclass(frozen=True, eq=False)
class Component:
    """Buffers connected by common sections, with sizes, alignments and offsets in multiples of ``unit`` bytes.

    ``buffers``: their numbers in the arena; everything else counts them from 0. ``fixed`` and ``preferred``: offsets
    or -1; a preferred one is taken where it costs nothing. ``duration``: time alive.

    A lifetime is one or several *pieces* in sections: those of buffer ``b`` are ``piece[b]:piece[b + 1]``, each in the
    sections ``[first, end)``. The lists that grow with the buffers alive at a time are made when first asked for.
    """

    buffers: Ints
    unit: int
    size: Ints
    alignment: Ints
    fixed: Ints
    preferred: Ints
    duration: Ints
    piece: Ints
    first: Ints
    end: Ints
    section_count: int

    @property
    def owner(self) -> Ints:
        """The buffer of each piece."""
        return np.repeat(np.arange(self.size.size), np.diff(self.piece))

    @cached_property
    def sections(self) -> Lists:
        """The sections of each buffer."""
        start = np.concatenate([[0], np.cumsum(self.end - self.first)])
        return Lists(start[self.piece], _ranges(self.first, self.end))

    @cached_property
    def members(self) -> Lists:
        """The buffers of each section."""
        at = _ranges(self.first, self.end)
        buffer = np.repeat(self.owner, self.end - self.first)[np.argsort(at, kind="stable")]
        start = np.zeros(self.section_count + 1, np.int64)
        start[1:] = np.cumsum(np.bincount(at, minlength=self.section_count))
        return Lists(start, buffer)

    @cached_property
    def neighbours(self) -> Lists:
        """The buffers each is alive together with."""
        n = self.size.size
        order = np.argsort(self.first, kind="stable")
        # A piece meets those that begin after it and before its end; each pair is found from the earlier one.
        later = np.searchsorted(self.first[order], self.end[order])
        own = np.arange(order.size)
        one = self.owner[np.repeat(order, later - own - 1)]
        other = self.owner[order[_ranges(own + 1, later)]]
        pairs = np.unique(np.concatenate([one * n + other, other * n + one]))
        pairs = pairs[pairs // n != pairs % n]
        start = np.searchsorted(pairs, np.arange(n + 1) * n)
        return Lists(start, pairs % n)

    @cached_property
    def twin(self) -> Ints:
        """The buffer before each that is the same in every respect (but what it prefers), or -1."""
        twin = np.full(self.size.size, -1, np.int64)
        seen: dict[tuple[object, ...], int] = {}
        lives = np.stack([self.first, self.end], axis=1).tolist()
        for b in np.flatnonzero(self.fixed < 0).tolist():
            own = lives[self.piece[b] : self.piece[b + 1]]
            same = (str(own), int(self.size[b]), int(self.alignment[b]))
            twin[b] = seen.get(same, -1)
            seen[same] = b
        return twin

    def alive(self, what: Ints) -> Ints:
        """Sum of ``what`` over the buffers of each section."""
        per_piece = what[self.owner]
        change = np.zeros(self.section_count + 1, np.int64)
        np.add.at(change, self.first, per_piece)
        np.subtract.at(change, self.end, per_piece)
        return np.cumsum(change[:-1])

    @cached_property
    def live(self) -> Ints:
        """Units alive in each section."""
        return self.alive(self.size)

    @cached_property
    def bound(self) -> int:
        """Units below which no placement stays: the most alive at once, and what fixed buffers reach.

        When every offset is a multiple of a common step, each buffer of a section but the topmost takes its size
        rounded up to that step: the next one above begins at a multiple. The topmost saves its rounding at most.
        """
        held = np.where(self.fixed >= 0, self.fixed + self.size, 0)
        lowest = int(max(self.live.max(initial=0), held.max(initial=0)))
        step = int(np.gcd.reduce(np.where(self.fixed >= 0, self.fixed, self.alignment), initial=0))
        rounding = -self.size % step if step > 1 else np.zeros_like(self.size)
        if not rounding.any():
            return lowest
        return max(lowest, int((self.alive(self.size + rounding) - int(rounding.max())).max()))


def components(arena: Arena) -> tuple[Component, ...]:
    """The connected parts of ``arena``, by their first buffer. Buffers of no size belong to none: they lie anywhere.

    O(n log n) for n buffers.
    """
    pieces = arena.pieces()
    if not pieces.buffer.size:
        return ()
    first, end = _maximal_sections(pieces)
    part = _connected(pieces.buffer, first, end)
    _, begin, part = np.unique(part, return_index=True, return_inverse=True)
    part = np.argsort(np.argsort(begin))[part]  # numbered by their first buffers
    order = np.argsort(part, kind="stable")
    cuts = np.flatnonzero(np.diff(part[order])) + 1
    return tuple(_component(arena, pieces, first, end, own) for own in np.split(order, cuts))


def _maximal_sections(pieces: Pieces) -> tuple[Ints, Ints]:
    """The sections ``[first, end)`` of each piece, of those that no neighbouring section contains.

    A set of living buffers is maximal when the last event before it was a birth and the next is a death. At one moment
    deaths come first.
    """
    n = pieces.buffer.size
    born = np.repeat([1, 0], n)
    order = np.lexsort((born, np.concatenate([pieces.birth, pieces.death])))
    in_turn = born[order]
    closes = np.zeros(2 * n, np.int64)
    closes[1:] = in_turn[:-1] > in_turn[1:]
    closed = np.empty(2 * n, np.int64)
    closed[order] = np.cumsum(closes)
    return closed[:n], closed[n:]


def _connected(buffer: Ints, first: Ints, end: Ints) -> Ints:
    """A number for each piece, the same for those that a chain of common sections or of common buffers connects."""
    count = int(end.max())
    bridges = np.zeros(count + 1, np.int64)  # pieces in a section and in the next one
    np.add.at(bridges, first, 1)
    np.subtract.at(bridges, end - 1, 1)
    run: Ints = np.concatenate([[0], np.cumsum(np.cumsum(bridges[: count - 1]) == 0)])[first]
    again = np.flatnonzero(buffer[1:] == buffer[:-1])
    if not again.size:
        return run
    parent = list(range(int(run.max()) + 1))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for k in again.tolist():
        parent[root(int(run[k]))] = root(int(run[k + 1]))
    roots: Ints = np.array([root(k) for k in range(len(parent))], dtype=np.int64)
    return roots[run]


def _component(arena: Arena, pieces: Pieces, first: Ints, end: Ints, own: Ints) -> Component:
    """The component of the pieces ``own``."""
    owner = pieces.buffer[own]
    new = np.concatenate([[True], owner[1:] != owner[:-1]])
    at, begin = owner[new], np.flatnonzero(new)
    duration = np.add.reduceat(pieces.death[own] - pieces.birth[own], begin)
    # The sections of a component may lie apart, with those of others between.
    first, end = first[own], end[own]
    if at.size < owner.size:
        first, end, keep, count = _without_other_sections(owner, first, end)
        owner = owner[keep]
        begin = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    else:
        low = int(first.min())
        first, end = first - low, end - low
        count = int(end.max())
    size, fixed, preferred = arena.size[at], arena.fixed[at], arena.preferred[at]
    unit = _unit(size, arena.alignment[at], fixed)
    # An alignment that divides the unit is no constraint: every offset is a multiple of the unit.
    alignment = np.where(unit % arena.alignment[at] == 0, 1, arena.alignment[at] // unit)
    reachable = (preferred >= 0) & (preferred % unit == 0) & (preferred % arena.alignment[at] == 0)
    return Component(
        buffers=at,
        unit=unit,
        size=size // unit,
        alignment=alignment,
        fixed=np.where(fixed >= 0, fixed // unit, -1),
        preferred=np.where(reachable, preferred // unit, -1),
        duration=duration,
        piece=np.append(begin, owner.size),
        first=first,
        end=end,
        section_count=count,
    )


def _without_other_sections(owner: Ints, first: Ints, end: Ints) -> tuple[Ints, Ints, Ints, int]:
    """``first`` and ``end`` counted in the sections of these pieces alone, which pieces remain, and how many sections.

    Pieces of one buffer that follow each other at once become one.
    """
    used = np.zeros(int(end.max()) + 1, np.int64)
    used[_ranges(first, end)] = 1
    number = np.concatenate([[0], np.cumsum(used)])
    first, end = number[first], number[end]
    starts = np.concatenate([[True], (owner[1:] != owner[:-1]) | (end[:-1] < first[1:])])
    ends = np.append(starts[1:], True)
    return first[starts], end[ends], np.flatnonzero(starts), int(number[-1])


def _ranges(begin: Ints, end: Ints) -> Ints:
    """``begin[0], ..., end[0] - 1, begin[1], ...``."""
    length = end - begin
    before = np.cumsum(length) - length
    ranges: Ints = np.arange(int(length.sum()), dtype=np.int64) + np.repeat(begin - before, length)
    return ranges


def _unit(size: Ints, alignment: Ints, fixed: Ints) -> int:
    """The largest number of bytes that divides all sizes, fixed offsets, and alignments that are no divisor of it.

    Some best placement has all its offsets on this grid: a buffer that is moved down until it rests on the ground, on
    another buffer or on its alignment lies on a sum of such numbers.
    """
    unit = int(np.gcd.reduce(np.concatenate([size, fixed[fixed > 0]])))
    while True:
        rough = alignment[unit % alignment > 0]
        finer = int(np.gcd.reduce(rough, initial=unit))
        if finer == unit:
            break
        unit = finer
    return unit


def _frozen(column: Sequence[int] | Ints) -> Ints:
    result = np.array(column, dtype=np.int64)
    result.setflags(write=False)
    return result
