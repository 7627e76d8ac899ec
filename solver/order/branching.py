"""A lower bound by branching on who comes first.

One minimum cut per task bounds the peak at one moment of an order; but two tasks with high moments of their own can
force more together: whichever of them runs first, the other one runs among what the first has left behind. So two
tasks without an order between them are taken, and the bound is the smaller one of both ways round. The tree of such
decisions is searched best first; its least open bound holds for every order, and it ends where that reaches a known
order's peak.

Sources: disjunctive branching as in shop scheduling (Carlier and Pinson, Management Science 35, 1989), with minimum
cuts in the place of head and tail bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np

from ..arrays import Ints
from .closure import closure
from .live import Live
from .min_cut import CutNetwork, min_cut_bound

CANDIDATES = 8
"""Tasks with the highest moments whose pairs are tried before a decision is taken."""

MORE_CANDIDATES = 40
"""Tasks that are tried with the highest one when no pair of the first helps."""

ROOT_CANDIDATES = 1000
"""Tasks whose moments are computed before the first decision."""

MOST_OPEN = 20_000
"""Open decisions kept; beyond, the search ends with the bound it has."""

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Node:
    """A set of decisions (pairs: first, second) and what they force: per task, a lower bound on its moment."""

    pairs: Pairs
    values: Ints
    peak: int


class PrecedenceBranching:
    """The tree of decisions for one order problem; :meth:`run` may be called again to go on.

    ``value``: bytes that every order needs at some moment (all pools together). ``nodes``: decisions evaluated.
    ``stuck``: whether the least open node has no decision left that would raise it.
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        self.value = 0
        self.nodes = 0
        self.stuck = False
        self._open: list[tuple[int, int, _Node]] = []

    def run(self, order: Ints, upper: int, go_on: Callable[[], bool]) -> int:
        """Raise ``value`` until it reaches ``upper`` (the value of ``order``), or ``go_on`` says no; returns it."""
        if not self.live.groups:
            return 0
        if self.nodes == 0:
            network = CutNetwork(self.live)
            self._add((), network.estimates(order) * network.unit, 0, order, upper, go_on)
        while self.value < upper and not self.stuck and go_on():
            if not self._open:
                self.value = upper
                break
            peak, _, node = self._open[0]
            self.value = max(self.value, min(peak, upper))
            if self.value >= upper or len(self._open) > MOST_OPEN:
                self.stuck = self.value < upper
                break
            pair = self._decision(node, go_on)
            if pair is None:
                self.stuck = go_on()
                break
            heappop(self._open)
            for first, second in (pair, pair[::-1]):
                self._add((*node.pairs, (first, second)), node.values, node.peak, order, upper, go_on)
        return self.value

    def _add(self, pairs: Pairs, values: Ints, peak: int, order: Ints, upper: int, go_on: Callable[[], bool]) -> None:
        """Evaluate a node and keep it open unless it cannot contain an order below ``upper``.

        When time runs out on the way, the node is kept with what is known of it.
        """
        self.nodes += 1
        network = CutNetwork(self.live, extra=pairs)
        values = values.copy()
        value = peak
        looked_at = MORE_CANDIDATES if pairs else ROOT_CANDIDATES
        for task in np.argsort(-values, kind="stable")[:looked_at].tolist():
            if not go_on():
                break
            values[task] = self._moment(network, task)
            value = max(value, int(values[task]))
            if value >= upper:
                return
        cut = min_cut_bound(network, legal(self.live, pairs, order), enough=upper, go_on=go_on)
        if cut.task is not None:
            values[cut.task] = max(int(values[cut.task]), cut.value)
        value = max(value, cut.value)
        if value < upper:
            heappush(self._open, (value, self.nodes, _Node(pairs, values, value)))

    def _moment(self, network: CutNetwork, task: int) -> int:
        return network.cut(task, network.sides(task))[0] * network.unit

    def _decision(self, node: _Node, go_on: Callable[[], bool]) -> tuple[int, int] | None:
        """The pair whose worse way round is best: among the highest moments, then any with the highest; None if no
        way round forces more than is known.
        """
        reach = _descendants(self.live, node.pairs)
        ranked = np.argsort(-node.values, kind="stable").tolist()
        top = ranked[:CANDIDATES]
        pairs = [(a, b) for i, a in enumerate(top) for b in top[i + 1 :]]
        others = [(top[0], b) for b in ranked[CANDIDATES : CANDIDATES + MORE_CANDIDATES]]
        best, chosen = (node.peak, node.peak), None
        for group in (pairs, others):
            for a, b in group:
                if not go_on():
                    return None
                if reach[a] >> b & 1 or reach[b] >> a & 1:
                    continue
                ways = sorted(self._forced(node, pair) for pair in ((a, b), (b, a)))
                if (ways[0], ways[1]) > best:
                    best, chosen = (ways[0], ways[1]), (a, b)
            if best[0] > node.peak:
                break
        return chosen

    def _forced(self, node: _Node, pair: tuple[int, int]) -> int:
        """What the moments of both tasks force when ``pair`` is decided too."""
        network = CutNetwork(self.live, extra=(*node.pairs, pair))
        return max(node.peak, *(self._moment(network, task) for task in pair))


def legal(live: Live, pairs: Pairs, order: Ints) -> Ints:
    """An order that respects ``pairs`` too, as close to ``order`` as taking the first ready task allows."""
    place = np.empty(live.task_count, np.int64)
    place[order] = np.arange(live.task_count)
    after: dict[int, list[int]] = {}
    missing = np.diff(live.predecessors.start).tolist()
    for a, b in pairs:
        after.setdefault(a, []).append(b)
        missing[b] += 1
    ready = [(int(place[t]), t) for t in range(live.task_count) if missing[t] == 0]
    heapify(ready)
    result = []
    while ready:
        _, t = heappop(ready)
        result.append(t)
        for s in (*live.successors[t].tolist(), *after.get(t, ())):
            missing[s] -= 1
            if missing[s] == 0:
                heappush(ready, (int(place[s]), s))
    return np.array(result, dtype=np.int64)


def _descendants(live: Live, pairs: Pairs) -> list[int]:
    """Per task, its descendants as a bit mask, ``pairs`` being edges too."""
    before = [live.predecessors[t].tolist() for t in range(live.task_count)]
    after = [live.successors[t].tolist() for t in range(live.task_count)]
    for a, b in pairs:
        before[b].append(a)
        after[a].append(b)
    return closure(after, before)
