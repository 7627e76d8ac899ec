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

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd
from typing import NamedTuple

import numpy as np

from ..order.compact import Ints

Gaps = tuple[tuple[int, int], ...]
"""Half-open intervals inside a lifetime in which the buffer needs no bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Arena:
    """Buffers of one address line. Lifetimes are ``[lower, upper)`` without ``gaps``; sizes and offsets in bytes.

    An offset is a multiple of ``alignment``; ``fixed`` is an offset that is given, or -1. ``ValueError`` when a
    lifetime, a size, an alignment or a gap makes no sense, or two fixed buffers cannot both be where they are.
    """

    lower: Ints
    upper: Ints
    size: Ints
    alignment: Ints
    fixed: Ints
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
            gaps=((),) * n if gaps is None else tuple(tuple(sorted(g)) for g in gaps),
        )

    def __post_init__(self) -> None:
        n = self.size.size
        if any(len(column) != n for column in (self.lower, self.upper, self.alignment, self.fixed, self.gaps)):
            raise ValueError("every buffer needs a lower, an upper, a size, an alignment and a fixed offset or -1")
        for b in range(n):
            low, high = int(self.lower[b]), int(self.upper[b])
            if low >= high or self.size[b] < 0 or self.alignment[b] < 1:
                raise ValueError(
                    f"buffer {b}: lifetime [{low}, {high}), size {self.size[b]}, alignment {self.alignment[b]}"
                )
            if self.fixed[b] < -1 or (self.fixed[b] > 0 and self.fixed[b] % self.alignment[b]):
                raise ValueError(f"buffer {b}: fixed at {self.fixed[b]}, alignment {self.alignment[b]}")
            inside = all(low <= a < z <= high for a, z in self.gaps[b]) and self.lives(b)
            if not inside or any(first[1] > second[0] for first, second in pairwise(self.gaps[b])):
                raise ValueError(
                    f"buffer {b}: gaps {self.gaps[b]} are not disjoint, inside [{low}, {high}), and less than all of it"
                )

        held = [int(b) for b in np.flatnonzero(self.fixed >= 0)]
        for k, a in enumerate(held):
            others = np.array(held[k + 1 :], dtype=np.int64)
            share = (self.fixed[others] < self.fixed[a] + self.size[a]) & (
                self.fixed[a] < self.fixed[others] + self.size[others]
            )
            for b in others[share]:
                if self.size[a] and self.size[b] and self.together(a, int(b)):
                    raise ValueError(f"buffers {a} and {b} are fixed on common bytes while both are alive")

    def together(self, a: int, b: int) -> bool:
        """Whether ``a`` and ``b`` are alive at one moment."""
        return any(p[0] < q[1] and q[0] < p[1] for p in self.lives(a) for q in self.lives(b))

    def lives(self, b: int) -> list[tuple[int, int]]:
        """The half-open intervals in which buffer ``b`` needs its bytes, in order."""
        ends = [int(self.lower[b]), *(t for gap in self.gaps[b] for t in gap), int(self.upper[b])]
        return [(a, z) for a, z in zip(ends[::2], ends[1::2], strict=True) if a < z]


class Lists(NamedTuple):
    """Several lists in one array: list ``k`` is ``items[start[k]:start[k + 1]]``."""

    start: Ints
    items: Ints

    @classmethod
    def of(cls, lists: Sequence[Sequence[int] | Ints]) -> Lists:
        start = np.zeros(len(lists) + 1, np.int64)
        start[1:] = np.cumsum([len(each) for each in lists])
        items = np.concatenate([np.asarray(each, np.int64) for each in lists]) if lists else start[:0]
        return cls(start, np.ascontiguousarray(items))


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Buffers connected by common sections, with sizes, alignments and fixed offsets in multiples of ``unit`` bytes.

    ``buffers``: their numbers in the arena. ``members``: buffers (positions here) of each section; ``sections``: the
    sections of each buffer; ``neighbours``: the buffers each is alive together with. ``duration``: time alive.
    ``twin``: the buffer before this one that is the same in every respect, or -1. ``most_live``: units alive at once.
    """

    buffers: Ints
    unit: int
    size: Ints
    alignment: Ints
    fixed: Ints
    duration: Ints
    twin: Ints
    members: Lists
    sections: Lists
    neighbours: Lists

    @property
    def live(self) -> Ints:
        """Units alive in each section."""
        sums = np.concatenate([[0], np.cumsum(self.size[self.members.items])])
        return np.asarray(sums[self.members.start[1:]] - sums[self.members.start[:-1]], dtype=np.int64)

    @property
    def bound(self) -> int:
        """Units below which no placement stays: the most alive at once, and what fixed buffers reach."""
        held = np.where(self.fixed >= 0, self.fixed + self.size, 0)
        return int(max(self.live.max(initial=0), held.max(initial=0)))


def components(arena: Arena) -> tuple[Component, ...]:
    """The connected parts of ``arena``, by their first buffer. Buffers of no size belong to none: they lie anywhere."""
    living = _maximal_sections(arena)
    parent = list(range(arena.size.size))

    def root(b: int) -> int:
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        return b

    for members in living:
        first = root(members[0])
        for b in members:
            parent[root(b)] = first
    buffers: dict[int, list[int]] = {}
    for b in range(arena.size.size):
        if arena.size[b] > 0:
            buffers.setdefault(root(b), []).append(b)
    sections: dict[int, list[list[int]]] = {}
    for members in living:
        sections.setdefault(root(members[0]), []).append(members)
    return tuple(_component(arena, own, sections[key]) for key, own in buffers.items())


def _maximal_sections(arena: Arena) -> list[list[int]]:
    """Buffers alive in each section of time that neither neighbouring section contains, in the order of time.

    One sweep: a set of living buffers is maximal when the last event before it was a birth and the next is a death.
    """
    events = []
    for b in range(arena.size.size):
        if arena.size[b] > 0:
            for birth, death in arena.lives(b):
                events += [(birth, 1, b), (death, 0, b)]
    alive: dict[int, None] = {}
    sections = []
    grown = False
    for _, born, b in sorted(events):
        if born:
            alive[b] = None
        else:
            if grown:
                sections.append(sorted(alive))
            del alive[b]
        grown = bool(born)
    return sections


def _component(arena: Arena, buffers: list[int], living: list[list[int]]) -> Component:
    at = np.array(buffers, dtype=np.int64)
    n = at.size
    position = {b: k for k, b in enumerate(buffers)}
    members = [[position[b] for b in section] for section in living]
    sections: list[list[int]] = [[] for _ in range(n)]
    together = np.zeros((n, n), dtype=np.bool_)
    for s, section in enumerate(members):
        together[np.ix_(section, section)] = True
        for k in section:
            sections[k].append(s)
    np.fill_diagonal(together, False)
    unit = _unit(arena.size[at], arena.alignment[at], arena.fixed[at])
    # An alignment that divides the unit is no constraint: every offset is a multiple of the unit.
    alignment = np.where(unit % arena.alignment[at] == 0, 1, arena.alignment[at] // unit)
    fixed = np.where(arena.fixed[at] >= 0, arena.fixed[at] // unit, -1)
    size = arena.size[at] // unit
    seen: dict[tuple[object, ...], int] = {}
    twin = np.full(n, -1, dtype=np.int64)
    for k in range(n):
        if fixed[k] < 0:
            same = (tuple(sections[k]), int(size[k]), int(alignment[k]))
            twin[k] = seen.get(same, -1)
            seen[same] = k
    return Component(
        buffers=at,
        unit=unit,
        size=size,
        alignment=alignment,
        fixed=fixed,
        duration=np.array([sum(z - a for a, z in arena.lives(b)) for b in buffers], dtype=np.int64),
        twin=twin,
        members=Lists.of(members),
        sections=Lists.of(sections),
        neighbours=Lists.of([np.flatnonzero(row) for row in together]),
    )


def _unit(size: Ints, alignment: Ints, fixed: Ints) -> int:
    """The largest number of bytes that divides all sizes, fixed offsets, and alignments that are no divisor of it.

    Some best placement has all its offsets on this grid: a buffer that is moved down until it rests on the ground, on
    another buffer or on its alignment lies on a sum of such numbers.
    """
    unit = gcd(*(int(s) for s in size), *(int(f) for f in fixed if f > 0))
    while rough := [int(a) for a in alignment if unit % a]:
        finer = gcd(unit, *rough)
        if finer == unit:
            break
        unit = finer
    return unit


def _frozen(column: Sequence[int] | Ints) -> Ints:
    result = np.array(column, dtype=np.int64)
    result.setflags(write=False)
    return result
