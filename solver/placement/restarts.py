"""Tree search by restarts: does a component fit within a height? Asked again, it goes on where it ended.

Runs are heavy-tailed: where any order helps, it needs a few hundred to a few thousand nodes, so that many short runs
beat few long ones. A round turns through each static order with jumps, many short searches with noisy orders (their
lengths follow Luby, Sinclair and Zuckerman 1993), and one search without jumps, which can prove that nothing fits.
Nodes of the long searches double from round to round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from .arena import Component
from .tree_search import NOISY_ORDERS, STATIC_ORDERS, Answer, Found, rank_by, search

FIRST_NODES, MOST_NODES = 3000, 400_000
"""Nodes of one long search in the first round, and in the longest."""

RESTART_NODES = 4000
"""Nodes of the shortest noisy search."""

NOISY_SHARE = 4
"""Nodes of all noisy searches of a round, in multiples of those of the static orders: on the hardest of the published
instances no static order finds anything in two million nodes, and a few in a hundred noisy searches do in 10 000."""

NOISES = (0.1, 0.3, 0.1, 1.0)
"""Standard deviations of the logarithms of what an order sorts by, in turns."""


@dataclass(frozen=True, slots=True)
class _Run:
    """One search: the order, its noise and seed, the nodes it may visit, and whether it jumps."""

    key: str
    noise: float
    seed: int
    nodes: int
    jumps: bool


class Restarts:
    """All searches of one component. Two objects with different seeds look in different places."""

    def __init__(self, component: Component, seed: int) -> None:
        self.component, self.seed = component, seed
        self._runs: dict[int, Iterator[_Run]] = {}

    def ask(self, target: int, nodes: int, stop: npt.NDArray[np.bool_]) -> Answer:
        """Spend up to ``nodes`` nodes on a placement within ``target`` units; ends early when ``stop[0]`` is set.

        NONE_EXISTS is a proof.
        """
        if target < self.component.bound:
            return Answer(Found.NONE_EXISTS, None, 0)
        runs = self._runs.setdefault(target, self._all_runs())
        spent = 0
        while spent < nodes and not stop[0]:
            run = next(runs)
            rank = rank_by(self.component, run.key, run.noise, run.seed)
            limit = min(run.nodes, nodes - spent)
            answer = search(self.component, target, rank, limit, jumps=run.jumps, stop=stop)
            spent += max(1, answer.nodes)
            if answer.found is not Found.GAVE_UP:
                return Answer(answer.found, answer.offset, spent)
        return Answer(Found.GAVE_UP, None, spent)

    def _all_runs(self) -> Iterator[_Run]:
        """The searches for one target, without end."""
        tried = 0
        for number in count():
            nodes = min(FIRST_NODES << min(number, 30), MOST_NODES)
            first = (number + self.seed) % len(STATIC_ORDERS)
            orders = STATIC_ORDERS[first:] + STATIC_ORDERS[:first]
            for key in orders:
                yield _Run(key, 0.0, 0, nodes, jumps=True)
            spent = 0
            while spent < NOISY_SHARE * len(STATIC_ORDERS) * nodes:
                tried += 1
                limit = RESTART_NODES * luby(tried)
                key = NOISY_ORDERS[tried % len(NOISY_ORDERS)]
                noise = NOISES[tried // len(NOISY_ORDERS) % len(NOISES)]
                yield _Run(key, noise, self.seed * 1_000_003 + tried, limit, jumps=True)
                spent += limit
            yield _Run(orders[0], 0.0, 0, nodes, jumps=False)


def luby(i: int) -> int:
    """The ``i``-th member, from 1, of 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ..."""
    k = i.bit_length()
    return 2 ** (k - 1) if i == 2**k - 1 else luby(i - 2 ** (k - 1) + 1)
