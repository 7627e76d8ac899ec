"""Buffers that share bytes while both live: one sweep, against the definition."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.buffer_tables import collisions, lives
from catalytic.solver.formats import BufferTable


@st.composite
def tables(draw: st.DrawFn) -> BufferTable:
    """A few buffers, some with a gap, some without size, some without offset; most collide with others."""
    n = draw(st.integers(0, 9))
    lower = [draw(st.integers(0, 6)) for _ in range(n)]
    upper = [low + draw(st.integers(1, 5)) for low in lower]
    table = BufferTable.of(
        [f"b{k}" for k in range(n)], lower, upper, [draw(st.integers(0, 4)) for _ in range(n)], alignment=1
    )
    gaps = tuple(
        ((low + 1, low + 2),) if high - low > 2 and draw(st.booleans()) else ()
        for low, high in zip(lower, upper, strict=True)
    )
    offset = tuple(draw(st.one_of(st.none(), st.integers(0, 9))) for _ in range(n))
    return replace(table, gaps=gaps, offset=offset)


def shared_by_definition(table: BufferTable) -> set[tuple[int, int]]:
    """Every byte at every moment."""

    def held(b: int) -> set[tuple[int, int]]:
        at = table.offset[b]
        if at is None:
            return set()
        gone = {t for a, z in table.gaps[b] for t in range(a, z)}
        moments = set(range(table.lower[b], table.upper[b])) - gone
        return {(t, byte) for t in moments for byte in range(at, at + table.size[b])}

    cells = [held(b) for b in range(len(table.id))]
    return {(a, b) for a, b in combinations(range(len(cells)), 2) if cells[a] & cells[b]}


@settings(max_examples=300, deadline=None)
@given(tables())
def test_the_sweep_finds_each_pair_that_shares_bytes_once(table: BufferTable) -> None:
    found = list(collisions(table, table.offset))

    assert len(found) == len(set(found))
    assert set(found) == shared_by_definition(table)


@settings(max_examples=100, deadline=None)
@given(tables())
def test_lives_are_the_lifetime_without_its_gaps(table: BufferTable) -> None:
    for b in range(len(table.id)):
        moments = [t for a, z in lives(table, b) for t in range(a, z)]
        gone = {t for a, z in table.gaps[b] for t in range(a, z)}
        assert moments == [t for t in range(table.lower[b], table.upper[b]) if t not in gone]
