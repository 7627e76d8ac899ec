"""Exact search for the least peak: is there an order below a ceiling, asked from both ends at once.

Forward, the executed tasks grow from nothing; backward, the tasks still to come shrink from everything. Both are the
same search on mirrored arrays. Each end keeps a *base* that was reached below the ceiling and through which a solution
passes if there is one; a valley moves the base (see :mod:`~catalytic.solver.order.reach`). When the bases meet, the
order is found; when one end has exhausted all it can reach, there is none. The ends take turns with growing numbers of
nodes, because graphs that are wide at one end are often narrow at the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints
from .live import Live
from .reach import EXHAUSTED, GOAL, LIMIT, NOTHING, reach
from .two_sided import TwoSided, two_sided

MEMORY_OF_STATES = 256 * 2**20
"""Bytes for failed states, both ends together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to: ``order`` when there is one below the ceiling; ``above`` when it is proved that none
    is: no order has a lower value; neither when the nodes were spent. ``nodes``: states visited.
    """

    order: Ints | None
    above: int | None
    nodes: int


@dataclass
class _End:
    """One end of the search: mirrored arrays, twins, memory of failed states, the base and how it was reached."""

    problem: TwoSided
    twin: Ints
    rank: Ints
    table: NDArray[np.uint64]
    table_caps: Ints
    key: NDArray[np.uint64]
    base: list[int] = field(default_factory=list)
    least: int = int(NOTHING)
    limit: int = 0


class ExactSearch:
    """Asks one order problem at one ceiling after another. ``lows``: per pool, bytes that every order needs."""

    def __init__(self, live: Live, lows: Ints, *, seed: int = 0, memory: int = MEMORY_OF_STATES) -> None:
        self.live, self.lows = live, lows
        n = live.task_count
        words = max(1, -(-n // 64))
        rows = max(64, memory // 2 // (8 * (words + len(live.pools))))
        random = np.random.default_rng(seed)
        key = random.integers(1, 2**63, n, dtype=np.uint64)
        twin = _twins(live)
        self._ends = [
            _End(
                two_sided(live, backward=backward),
                _followers(twin) if backward else twin,
                np.zeros(n, np.int64),
                np.zeros((rows, words), np.uint64),
                np.zeros((rows, len(live.pools)), np.int64),
                key,
            )
            for backward in (False, True)
        ]

    def ask(self, ceiling: int, nodes: int, guide: Ints, go_on: Callable[[], bool] = lambda: True) -> Answer:
        """Is there an order whose value (sum over pools of their peaks) is at most ``ceiling`` bytes?

        Visits at most about ``nodes`` states. ``guide``: an order (task indices) whose sequence is tried first.
        """
        n = self.live.task_count
        slack = ceiling - int(self.lows.sum())
        if slack < 0:
            return Answer(None, int(self.lows.sum()), 0)
        caps = self.lows.copy()
        if len(self.live.pools) == 1:
            caps, slack = caps + slack, 0
        place = np.empty(n, np.int64)
        place[guide] = np.arange(n)
        rows = min(self._ends[0].table.shape[0], 2 * nodes) // 2 * 2
        for end, rank in zip(self._ends, (place, n - place), strict=True):
            end.table[:rows] = 0
            end.base, end.least, end.rank, end.limit = [], int(NOTHING), rank, 200
        spent = 0
        turn = 0
        while spent < nodes and go_on():
            end, other = self._ends[turn % 2], self._ends[1 - turn % 2]
            done = np.zeros(n, np.bool_)
            done[end.base] = True
            allowed = np.ones(n, np.bool_)
            allowed[other.base] = False
            limit = min(end.limit, nodes - spent)
            how, moved, least, visited = reach(
                done, allowed, caps, slack, end.rank, end.twin, limit,
                end.table[:rows], end.table_caps[:rows], end.key, end.problem,
            )  # fmt: skip
            spent += int(visited)
            end.least = min(end.least, int(least))
            if how == EXHAUSTED:
                return Answer(None, ceiling + end.least, spent)
            end.base.extend(int(t) for t in moved)
            if how == GOAL:
                forward, backward = self._ends
                return Answer(np.array(forward.base + backward.base[::-1], dtype=np.int64), None, spent)
            if how == LIMIT:
                end.limit *= 1 if moved.size else 4
                turn += 1
        return Answer(None, None, spent)


def _twins(live: Live) -> Ints:
    """Per task, the twin that precedes it, or -1.

    Twins may be exchanged without changing the problem: same predecessors and successors, the same groups where several
    tasks read, and otherwise groups that correspond in size, flags, pool and remaining users.
    """
    n = live.task_count
    special = {int(t) for t in range(n) if live.takings.start[t] < live.takings.start[t + 1]}
    special_groups = {int(g) for g in live.takings.index}
    users = [tuple(int(u) for u in live.users[g]) for g in range(len(live.groups))]
    latest: dict[tuple[object, ...], int] = {}
    twin = np.full(n, -1, dtype=np.int64)
    for t in range(n):
        groups = [int(g) for g in live.uses[t]]
        if t in special or special_groups.intersection(groups):
            continue
        described: list[tuple[object, ...]] = []
        for g in groups:
            readers = len(users[g]) - (live.writer[g] >= 0)
            if readers > 1 and live.writer[g] != t:
                described.append((0, g))
            else:
                rest = tuple(u for u in users[g] if u != t)
                flags = (bool(live.kept[g]), bool(live.preload[g]), int(live.pool[g]), bool(live.writer[g] == t))
                described.append((1, int(live.size[g]), flags, rest))
        look = (tuple(live.predecessors[t]), tuple(live.successors[t]), tuple(sorted(described, key=repr)))
        twin[t] = latest.get(look, -1)
        latest[look] = t
    return twin


def _followers(twin: Ints) -> Ints:
    """Per task, the twin that follows it, or -1."""
    follower = np.full(twin.shape[0], -1, dtype=np.int64)
    for t, before in enumerate(twin):
        if before >= 0:
            follower[before] = t
    return follower
