"""Who owns which byte: the arena as intervals with owners, replayed from the journal.

Every execution claims the bytes it may write when it begins; a later claim replaces what it covers. A version of a
buffer is *intact* while every byte of it still has that version as its owner. The same intervals answer what a
task is about to overwrite, which bytes are free for a repair, and who owned a region over time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalytic.solver.plan import Extent
from catalytic.solver.units import Bytes


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """One writing of one buffer: ``epoch`` is the number of the journal record that began it."""

    buffer: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``[low, high)`` of a partition with one owner."""

    partition: int
    low: int
    high: int
    owner: Version


class Ownership:
    """Current owner of each byte of each partition; bytes that were never claimed have none."""

    def __init__(self) -> None:
        self._starts: dict[int, list[int]] = {}
        self._spans: dict[int, list[Span]] = {}

    def claim(self, extents: Iterable[Extent], owner: Version) -> None:
        """Give the bytes of ``extents`` to ``owner``."""
        for e in extents:
            starts = self._starts.setdefault(e.partition, [])
            spans = self._spans.setdefault(e.partition, [])
            first, last = _touched(starts, e.offset, e.end)
            kept = [Span(e.partition, e.offset, e.end, owner)]
            for s in spans[first:last]:
                if s.low < e.offset:
                    kept.append(Span(s.partition, s.low, min(s.high, e.offset), s.owner))
                if s.high > e.end:
                    kept.append(Span(s.partition, max(s.low, e.end), s.high, s.owner))
            kept.sort(key=lambda s: s.low)
            spans[first:last] = kept
            starts[first:last] = [s.low for s in kept]

    def within(self, extents: Iterable[Extent]) -> Iterator[Span]:
        """Owned bytes of ``extents``, cut to them, by extent and address."""
        for e in extents:
            spans = self._spans.get(e.partition, [])
            first, last = _touched(self._starts.get(e.partition, []), e.offset, e.end)
            for s in spans[first:last]:
                if s.low < e.end and s.high > e.offset:
                    yield Span(s.partition, max(s.low, e.offset), min(s.high, e.end), s.owner)

    def intact(self, extents: Iterable[Extent], owner: Version) -> bool:
        """Whether every byte of ``extents`` still belongs to ``owner``."""
        extents = tuple(extents)
        owned = sum(s.high - s.low for s in self.within(extents) if s.owner == owner)
        return owned == sum(e.length for e in extents)


def _touched(starts: list[int], low: int, high: int) -> tuple[int, int]:
    """Slice of the spans that may share a byte with ``[low, high)``."""
    return max(0, bisect_right(starts, low) - 1), bisect_left(starts, high)


def free_spans(occupied: Iterable[Extent], partitions: int, partition_size: int) -> list[Extent]:
    """The bytes of the arena outside ``occupied``, as extents by partition and address."""
    busy: dict[int, list[Extent]] = {p: [] for p in range(partitions)}
    for e in occupied:
        busy[e.partition].append(e)
    free = []
    for partition, extents in busy.items():
        low = 0
        for e in sorted(extents, key=lambda e: e.offset):
            if e.offset > low:
                free.append(Extent(partition, Bytes(low), Bytes(e.offset - low)))
            low = max(low, e.end)
        if low < partition_size:
            free.append(Extent(partition, Bytes(low), Bytes(partition_size - low)))
    return free
