"""Ownership of bytes, against the definition: an array with one owner per byte."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.runtime.region import Ownership, Version, free_spans
from catalytic.solver.plan import Extent
from catalytic.solver.units import Bytes

SIZE = 24


@st.composite
def extents(draw: st.DrawFn) -> Extent:
    low = draw(st.integers(0, SIZE - 1))
    return Extent(draw(st.integers(0, 1)), Bytes(low), Bytes(draw(st.integers(1, SIZE - low))))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(extents(), min_size=1, max_size=2), max_size=12), st.lists(extents(), min_size=1, max_size=3))
def test_every_byte_has_its_last_claimant_as_owner(claims: list[list[Extent]], asked: list[Extent]) -> None:
    ownership = Ownership()
    owner: dict[tuple[int, int], Version] = {}
    for number, claim in enumerate(claims):
        version = Version("b", number)
        ownership.claim(claim, version)
        owner |= {(e.partition, byte): version for e in claim for byte in range(e.offset, e.end)}

    for e in asked:
        found = {(s.partition, byte): s.owner for s in ownership.within([e]) for byte in range(s.low, s.high)}
        assert found == {k: v for k, v in owner.items() if k[0] == e.partition and e.offset <= k[1] < e.end}
    for version in set(owner.values()):
        whole = all(owner.get((e.partition, byte)) == version for e in asked for byte in range(e.offset, e.end))
        disjoint = len({(e.partition, b) for e in asked for b in range(e.offset, e.end)}) == sum(
            e.length for e in asked
        )
        if disjoint:
            assert ownership.intact(asked, version) == whole


@settings(max_examples=100, deadline=None)
@given(st.lists(extents(), max_size=6))
def test_free_spans_are_exactly_the_unoccupied_bytes(occupied: list[Extent]) -> None:
    busy = {(e.partition, byte) for e in occupied for byte in range(e.offset, e.end)}
    free = [(e.partition, byte) for e in free_spans(occupied, 2, SIZE) for byte in range(e.offset, e.end)]

    assert sorted(free) == [(p, byte) for p in range(2) for byte in range(SIZE) if (p, byte) not in busy]
