"""Small arenas, an independent judge of placements, and the least height by enumeration."""

from __future__ import annotations

from itertools import combinations, permutations

from hypothesis import strategies as st

from catalytic.solver.placement.arena import Arena

Row = tuple[int, int, int]
"""Lower, upper, size."""

rows = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 4), st.integers(1, 5)).map(lambda b: (b[0], b[0] + b[1], b[2])),
    min_size=1,
    max_size=6,
)


@st.composite
def featured_arenas(draw: st.DrawFn) -> Arena:
    """Up to five buffers with alignments, gaps, and one that may be fixed."""
    some = draw(rows.filter(lambda drawn: len(drawn) <= 5))
    alignment = [draw(st.sampled_from([1, 1, 2, 3, 4])) for _ in some]
    gaps = [((low + 1, low + 2),) if high - low >= 3 and draw(st.booleans()) else () for low, high, _ in some]
    fixed = [-1] * len(some)
    if draw(st.booleans()):
        fixed[0] = draw(st.integers(0, 3)) * alignment[0]
    lower, upper, size = zip(*some, strict=True)
    return Arena.of(lower, upper, size, alignment=alignment, fixed=fixed, gaps=gaps)


def arena_of(some: list[Row]) -> Arena:
    lower, upper, size = zip(*some, strict=True)
    return Arena.of(lower, upper, size)


def moments(arena: Arena, b: int) -> set[int]:
    """Every tick at which buffer ``b`` is alive."""
    dead = {t for low, high in arena.gaps[b] for t in range(low, high)}
    return set(range(int(arena.lower[b]), int(arena.upper[b]))) - dead


def violations(arena: Arena, offset: list[int]) -> list[str]:
    """The definition, tick by tick; shares no code with the search."""
    n = len(offset)
    alive = [moments(arena, b) for b in range(n)]
    found = [f"{b} is misaligned" for b in range(n) if offset[b] % int(arena.alignment[b])]
    found += [f"{b} is not where it is fixed" for b in range(n) if arena.fixed[b] >= 0 and offset[b] != arena.fixed[b]]
    found += [f"{b} is below the ground" for b in range(n) if offset[b] < 0]
    return found + [
        f"{a} and {b} share bytes"
        for a, b in combinations(range(n), 2)
        if alive[a] & alive[b]
        and offset[a] < offset[b] + int(arena.size[b])
        and offset[b] < offset[a] + int(arena.size[a])
    ]


def shares_of_long_files(arena: Arena, offset: list[int]) -> int:
    """Pairs that share bytes while both live, for whole lifetimes too long to list their ticks."""
    spans = [
        (int(arena.lower[b]), int(arena.upper[b]), offset[b], offset[b] + int(arena.size[b]))
        for b in range(len(offset))
    ]
    return sum(a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3] for a, b in combinations(spans, 2))


def least_height(arena: Arena) -> int:
    """Over every order: each buffer in turn at the lowest offset, byte by byte, where nothing is violated."""
    n = len(arena.size)
    alive = [moments(arena, b) for b in range(n)]
    best = -1
    for order in permutations([b for b in range(n) if arena.fixed[b] < 0]):
        at = {b: int(arena.fixed[b]) for b in range(n) if arena.fixed[b] >= 0}
        for b in order:
            lowest = 0
            while lowest % int(arena.alignment[b]) or any(
                alive[b] & alive[u] and lowest < at[u] + int(arena.size[u]) and at[u] < lowest + int(arena.size[b])
                for u in at
            ):
                lowest += 1
            at[b] = lowest
        height = max(at[b] + int(arena.size[b]) for b in at)
        best = height if best < 0 else min(best, height)
    return best
