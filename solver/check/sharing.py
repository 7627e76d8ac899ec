"""Who owns which byte after whom: one sweep over the addresses of each partition.

At every address the regions that ever cover it are kept sorted by birth; two that stand side by side are *successive
owners* there. Walking up the addresses, a region that begins or ends changes at most two of these pairs, so there are
O(n) pairs per partition, found in O(n log n) comparisons. Every rule about shared bytes is about successive owners:
if each of them gives way to the next, all do.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from ..plan import Plan, Region
from .facts import Facts
from .violation import Violation

Successions = dict[tuple[str, str], int]
"""(earlier buffer, later buffer) -> bytes that pass from the one to the other."""


def successions(plan: Plan) -> Successions:
    """Bytes that pass directly from one buffer to the next, over all partitions. Spans of no length are left out."""
    points: dict[int, list[tuple[int, int, int]]] = {}
    for number, r in enumerate(plan.regions):
        for e in r.extents:
            if e.length > 0:
                points.setdefault(e.partition, []).append((e.offset, 1, number))
                points.setdefault(e.partition, []).append((e.offset + e.length, 0, number))
    written = {b for t in plan.problem.tasks for b in (*t.outputs, f"scratch:{t.id}")}
    rank = sorted(
        range(len(plan.regions)),
        key=lambda n: (plan.regions[n].lifetime.birth, plan.regions[n].buffer in written, plan.regions[n].buffer),
    )  # born together, a loaded input precedes the output that takes over its bytes in place
    place = [0] * len(rank)
    for position, number in enumerate(rank):
        place[number] = position
    result: Successions = {}
    for line in points.values():
        for earlier, later, count in _pairs(sorted(line), place):
            key = (plan.regions[rank[earlier]].buffer, plan.regions[rank[later]].buffer)
            result[key] = result.get(key, 0) + count
    return result


def _pairs(points: list[tuple[int, int, int]], place: list[int]) -> Iterator[tuple[int, int, int]]:
    """(earlier, later, bytes) of owners side by side; owners are given by their place in the order of births."""
    here: list[int] = []
    since: dict[tuple[int, int], int] = {}

    def part(a: int, b: int, address: int) -> Iterator[tuple[int, int, int]]:
        count = address - since.pop((a, b), address)
        if count:
            yield a, b, count

    for address, begins, number in points:
        own = place[number]
        at = bisect_left(here, own)
        if begins:
            below = here[at - 1] if at else None
            above = here[at] if at < len(here) else None
            if below is not None and above is not None:
                yield from part(below, above, address)
            insort(here, own)
            if below is not None:
                since[below, own] = address
            if above is not None:
                since[own, above] = address
        else:
            del here[at]
            below = here[at - 1] if at else None
            above = here[at] if at < len(here) else None
            if below is not None:
                yield from part(below, own, address)
            if above is not None:
                yield from part(own, above, address)
            if below is not None and above is not None:
                since[below, above] = address


def overlaps(plan: Plan, facts: Facts, shared: Successions) -> Iterator[Violation]:
    """No two living buffers share a byte, but for an output that may take the bytes of an input that dies with it."""
    region: dict[str, Region] = {r.buffer: r for r in plan.regions}
    for earlier, later in sorted(shared):
        a, b = region[earlier], region[later]
        if a.lifetime.death <= b.lifetime.birth:
            continue
        both = f"{a.id} ({earlier!r}) and {b.id} ({later!r}) share {shared[earlier, later]} bytes"
        writer = facts.residents[later].writer
        if (later, earlier) not in facts.in_place or writer is None:
            yield Violation("overlap", f"{both} while both are alive")
        elif facts.residents[earlier].kept:
            yield Violation("in_place", f"{both}, and {earlier!r} must survive the run")
        elif a.lifetime.death > plan.task[writer].end or any(
            plan.task[t].end > plan.task[writer].start for t in facts.residents[earlier].users if t != writer
        ):
            yield Violation("in_place", f"{both}, and {writer!r} is not the only one that still needs {earlier!r}")
