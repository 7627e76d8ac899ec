"""Which unit of a resource serves which task: the plan only says how many, and who waits for whom needs to know.

Tasks are dealt their units in order of their starts. Among the free units a task prefers those that a task it waits for
anyway has just given back (such a handover asks for nothing new), then those that have been free longest: a unit that
was given back at the very moment of the start is only taken where no other was free, which is what waiting for the
resource means.

Units that have the same history are kept together as ranges, so that a resource may have as many as memory has bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

from ..plan import Plan


@dataclass(frozen=True, slots=True)
class Dealing:
    """``units[t]``: the units that task ``t`` holds while it runs, as disjoint ranges. Tasks without demand are absent.

    ``handovers``: (from, to) pairs of tasks, each once, in the order of the starts of the second.
    """

    resource: str
    capacity: int
    units: dict[str, tuple[range, ...]]
    handovers: tuple[tuple[str, str], ...]

    def lines(self) -> list[tuple[str, ...]]:
        """Per unit that is ever used, the tasks it serves, in order of their starts."""
        lines: dict[int, list[str]] = {}
        for task, ranges in self.units.items():
            for units in ranges:
                for unit in units:
                    lines.setdefault(unit, []).append(task)
        return [tuple(lines[unit]) for unit in sorted(lines)]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Units ``low`` to below ``high``, last held by ``holder`` (None: by nobody) until ``released``."""

    released: int
    low: int
    high: int
    holder: str | None


def deal(plan: Plan, resource: str) -> Dealing:
    """Deal the units of ``resource``; ``ValueError`` when the plan uses more than there are."""
    capacity = plan.problem.capacity_of(resource)
    before: dict[str, set[str]] = {}
    for edge in plan.edges:
        before.setdefault(edge.target, set()).add(edge.source)
    demand = {t.id: t.demand(resource) for t in plan.problem.tasks}
    free = [_Chunk(-1, 0, capacity, None)]
    busy: list[tuple[int, int, _Chunk]] = []
    units: dict[str, tuple[range, ...]] = {}
    handovers: list[tuple[str, str]] = []
    for t in sorted(plan.tasks, key=lambda t: (t.start, t.id)):
        if demand[t.id] == 0:
            continue
        while busy and busy[0][0] <= t.start:
            free.append(heappop(busy)[2])
        known = before.get(t.id, set())
        free.sort(key=lambda chunk, known=known: (chunk.holder not in known, chunk.released, chunk.low))  # type: ignore[misc]
        taken: list[_Chunk] = []
        missing = demand[t.id]
        while missing:
            if not free:
                raise ValueError(f"at {t.start} the plan uses more of {resource!r} than there is")
            chunk = free.pop(0)
            cut = min(chunk.high, chunk.low + missing)
            if cut < chunk.high:
                free.insert(0, _Chunk(chunk.released, cut, chunk.high, chunk.holder))
            taken.append(_Chunk(chunk.released, chunk.low, cut, chunk.holder))
            missing -= cut - chunk.low
        units[t.id] = tuple(range(chunk.low, chunk.high) for chunk in taken)
        handovers += [(h, t.id) for h in dict.fromkeys(chunk.holder for chunk in taken) if h is not None]
        for chunk in taken:
            heappush(busy, (t.end, chunk.low, _Chunk(t.end, chunk.low, chunk.high, t.id)))
    return Dealing(resource, capacity, units, tuple(handovers))
