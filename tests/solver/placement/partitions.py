"""Small partitioned questions, an independent judge of placements, and the least footprint by enumeration."""

from __future__ import annotations

from itertools import combinations

from hypothesis import strategies as st

from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.partition_question import Partitioned


@st.composite
def questions(draw: st.DrawFn, *, most: int = 5) -> Partitioned:
    """Up to ``most`` small buffers in two or three partitions: pools, writers, spanning, shared regions, fixed ones."""
    n = draw(st.integers(1, most))
    sizes = draw(st.lists(st.integers(2, 5), min_size=2, max_size=3))
    if draw(st.booleans()):
        sizes = [sizes[0]] * len(sizes)
    lower = [draw(st.integers(0, 4)) for _ in range(n)]
    upper = [low + draw(st.integers(1, 4)) for low in lower]
    alignment = draw(st.sampled_from([1, 1, 1, 2]))
    size = [draw(st.integers(1, 4)) for _ in range(n)]
    pool = [draw(st.integers(0, 1)) for _ in range(n)] if draw(st.booleans()) else [0] * n
    limits = [draw(st.sampled_from([None, None, 4, 6])) for _ in range(max(pool) + 1)]
    tasks = [(low, low + draw(st.integers(1, 2))) for low in lower]
    writer = [draw(st.sampled_from([b, b, b // 2, -1])) for b in range(n)]
    held = [-1] * n
    offset = [-1] * n
    if draw(st.booleans()):
        held[0] = draw(st.integers(0, len(sizes) - 1))
        if draw(st.booleans()):
            offset[0] = draw(st.integers(0, 2)) * alignment
    region = [-1] * n
    if n > 2 and pool[1] == pool[2] and draw(st.booleans()):
        region[1] = region[2] = 7
    return Partitioned.of(
        Arena.of(lower, upper, size, alignment=[alignment] * n),
        sizes,
        pool=pool,
        limits=limits,
        tasks=tasks,
        writer=writer,
        exclusive=draw(st.booleans()),
        held=held,
        held_offset=offset,
        spanning=draw(st.booleans()),
        region=region,
    )


@st.composite
def busy_questions(draw: st.DrawFn) -> Partitioned:
    """Two workers that write without a pause into two exclusive partitions: who writes where follows by itself."""
    tasks: list[tuple[int, int]] = []
    size: list[int] = []
    upper: list[int] = []
    for _ in range(2):
        now = 0
        while now < 5 and len(tasks) < 5:
            end = now + draw(st.integers(1, 3))
            tasks.append((now, end))
            size.append(draw(st.integers(1, 3)))
            upper.append(end + draw(st.integers(0, 3)))
            now = end
    room = draw(st.integers(3, 6))
    return Partitioned.of(
        Arena.of([a for a, _ in tasks], upper, size),
        [room, room],
        tasks=tasks,
        writer=range(len(tasks)),
        exclusive=True,
        spanning=draw(st.booleans()),
    )


def extents(q: Partitioned, b: int, size: int, p: int, at: int) -> list[tuple[int, int, int]] | None:
    """(partition, low, high) of ``size`` bytes of buffer ``b``'s region that begin at ``at`` of ``p``; None if not."""
    room = q.partitions[p]
    if at % int(q.arena.alignment[b]):
        return None
    if size <= room:
        return [(p, at, at + size)] if at + size <= room else None
    if not q.spanning or at:
        return None
    result = []
    while size:
        if p == len(q.partitions):
            return None
        piece = min(size, q.partitions[p])
        result.append((p, 0, piece))
        size, p = size - piece, p + 1
    return result


def broken(q: Partitioned, place: dict[int, tuple[int, int]]) -> bool:
    """Whether the buffers in ``place`` (partition, offset) contradict a rule; byte by byte and tick by tick."""
    largest = {b: max(int(q.arena.size[m]) for m in _region(q, b)) for b in place}
    whole = {b: extents(q, b, largest[b], *place[b]) for b in place}
    if any(e is None for e in whole.values()):
        return True
    for b, at in place.items():
        if q.held[b] not in (-1, at[0]) or q.held_offset[b] not in (-1, at[1]):
            return True
    cells: dict[tuple[int, int], list[int]] = {}
    for b in place:
        for p, low, high in whole[b] or ():
            cells.setdefault((int(q.pool[b]), p), []).extend([low, high])
    for a, b in combinations(place, 2):
        if q.region[a] >= 0 and q.region[a] == q.region[b]:
            if place[a] != place[b]:
                return True
            continue
        alive = q.arena.lower[a] < q.arena.upper[b] and q.arena.lower[b] < q.arena.upper[a]
        if alive and any(
            p == r and low < top and bottom < high
            for p, low, high in whole[a] or ()
            for r, bottom, top in whole[b] or ()
        ):
            return True
    if q.exclusive:
        for a, b in combinations(place, 2):
            s, t = int(q.writer[a]), int(q.writer[b])
            if min(s, t) < 0 or s == t:
                continue
            if q.tasks[s][0] < q.tasks[t][1] and q.tasks[t][0] < q.tasks[s][1]:
                into = [
                    {p for p, _, _ in (whole[x] or ()) if _before(q, place[x][0], p) < int(q.arena.size[x])}
                    for x in (a, b)
                ]
                if into[0] & into[1]:
                    return True
    for (pool, p), ends in cells.items():
        for (other, r), others in cells.items():
            if p == r and pool < other and min(ends) < max(others) and min(others) < max(ends):
                return True
    for pool, limit in enumerate(q.limits):
        total = sum(max(ends) - min(ends) for (own, _), ends in cells.items() if own == pool)
        if limit is not None and total > limit:
            return True
    return False


def footprint(q: Partitioned, place: dict[int, tuple[int, int]]) -> int:
    """Sum over the partitions of the highest byte used."""
    top = [0] * len(q.partitions)
    for b, at in place.items():
        size = max(int(q.arena.size[m]) for m in _region(q, b))
        for p, _, high in extents(q, b, size, *at) or ():
            top[p] = max(top[p], high)
    return sum(top)


def least_footprint_by_enumeration(q: Partitioned) -> int | None:
    """Over every partition and offset of every buffer; None when nothing is valid. Rules only get harder to keep."""
    n = int(q.arena.size.size)
    best: int | None = None

    def extend(place: dict[int, tuple[int, int]]) -> None:
        nonlocal best
        if best is not None and footprint(q, place) >= best:
            return
        if len(place) == n:
            best = footprint(q, place)
            return
        b = len(place)
        for p, room in enumerate(q.partitions):
            for at in range(room):
                place[b] = (p, at)
                if not broken(q, place):
                    extend(place)
                del place[b]

    extend({})
    return best


def _region(q: Partitioned, b: int) -> list[int]:
    if q.region[b] < 0:
        return [b]
    return [m for m in range(int(q.arena.size.size)) if q.region[m] == q.region[b]]


def _before(q: Partitioned, first: int, p: int) -> int:
    return sum(q.partitions[first:p])
