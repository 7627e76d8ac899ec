"""Hole search by restarts: does a component fit within a height? Asked again, it goes on where it ended.

Runs are heavy-tailed: where an order helps, it needs little more nodes than there are buffers, so that many short runs
beat few long ones. Their lengths follow Luby, Sinclair and Zuckerman (1993); orders, their noise and the choice between
equally good holes are drawn anew for each. From time to time a long run follows, of twice the nodes each time, which
can prove that nothing fits. All runs for one target share what was refuted. When every section is full, the bound is
asked of ``exchanges`` first, which needs no search where the moments say enough, and with many buffers of ``tiling``,
where a node costs the same however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .answers import Answer, Found, rank_by
from .arena import Component
from .exchanges import exchange
from .holes import Refuted, Tie, fill_holes
from .tiling import Tiling, is_full, is_ready

RESTART_NODES = 1000
"""Nodes of the shortest run, at least; and at least twice as many as there are buffers."""

SHORT_SHARE = 3
"""Nodes of short runs between two long ones, in multiples of those of the next long one."""

ORDERS = ("TAW", "TWA", "TZW", "WAT", "WZ", "ZW", "A", "T")
"""Who is tried first: T total of the fullest section, A area, W width (time alive), Z size, each falling."""

NOISES = (0.0, 0.1, 0.3, 1.0)
"""Standard deviations of the logarithms of what an order sorts by."""

TIES = (*Tie, Tie.TROUBLED)
"""Which of equally good holes comes first, drawn for each run; the one that fails most solves the most."""

FEWEST_FOR_TILING, TILING_RUNS = 150, 10
"""Buffers from which on full sections are tiled, and how many times longer its runs are: its nodes cost less."""

SWEEPS, FIRST_BACKTRACKS = 7, 30
"""How often exchanges are asked, and how many wrong guesses they may make the first time; twice as many each time."""

MOST_TARGETS = 8
"""Targets whose refuted states are kept."""


@dataclass(slots=True)
class _Runs:
    """What was done for one target. ``credit``: nodes asked for and not spent yet, or spent beforehand."""

    refuted: Refuted
    planned: Iterator[tuple[int, bool]]
    credit: int = 0


class Restarts:
    """All searches of one component. Two objects with different seeds look in different places."""

    def __init__(self, component: Component, seed: int) -> None:
        self.component = component
        self._random = np.random.default_rng((seed, 0x401E5))
        self._runs: dict[int, _Runs] = {}
        self._seed = seed
        self._sweeps = SWEEPS if is_full(component) else 0
        self._tiling = Tiling(component) if is_tileable(component) and is_ready() else None

    def ask(self, target: int, nodes: int, stop: npt.NDArray[np.bool_]) -> Answer:
        """Spend about ``nodes`` nodes on a placement within ``target`` units; ends early when ``stop[0]`` is set.

        Over several calls about as many nodes are spent as were asked for: a run is not cut, but a call that ends with
        a long one is followed by shorter calls. NONE_EXISTS is a proof.
        """
        if target < self.component.bound:
            return Answer(Found.NONE_EXISTS, None, 0)
        if self._sweeps > 0 and target == self.component.bound:
            done = SWEEPS - self._sweeps
            self._sweeps -= 1
            offset = exchange(self.component, self._seed * SWEEPS + done, FIRST_BACKTRACKS << done, stop)
            if offset is not None:
                return Answer(Found.PLACED, offset, self.component.section_count)
        runs = self._of(target)
        runs.credit += nodes
        spent = 0
        while runs.credit > 0 and not stop[0]:
            limit, long = next(runs.planned)
            rank, tie = self._drawn(long)
            if self._tiling is not None and target == self.component.bound:
                answer = self._tiling.ask(rank, TILING_RUNS * limit, tie=tie, stop=stop)
            else:
                answer = fill_holes(self.component, target, rank, limit, tie=tie, refuted=runs.refuted, stop=stop)
            runs.credit -= max(1, answer.nodes)
            spent += answer.nodes
            if answer.found is not Found.GAVE_UP:
                return Answer(answer.found, answer.offset, spent)
        return Answer(Found.GAVE_UP, None, spent)

    def _of(self, target: int) -> _Runs:
        """The runs for ``target``, which become the newest."""
        bits = 17 if self.component.size.size > 30 else 12
        runs = self._runs.pop(target, None) or _Runs(Refuted.of(self.component, bits), self._lengths())
        self._runs[target] = runs
        if len(self._runs) > MOST_TARGETS:
            del self._runs[next(iter(self._runs))]
        return runs

    def _lengths(self) -> Iterator[tuple[int, bool]]:
        """Nodes of each run, and whether it is a long one, without end."""
        shortest = max(RESTART_NODES, 2 * self.component.size.size)
        long, tried = 4 * shortest, 0
        while True:
            short = 0
            while short < SHORT_SHARE * long:
                tried += 1
                yield shortest * luby(tried), False
                short += shortest * luby(tried)
            yield long, True
            long *= 2

    def _drawn(self, long: bool) -> tuple[npt.NDArray[np.int64], Tie]:
        """An order and a tie; long runs have no noise."""
        key = ORDERS[self._random.integers(len(ORDERS))]
        tie = TIES[self._random.integers(len(TIES))]
        noise = 0.0 if long else NOISES[self._random.integers(len(NOISES))]
        return rank_by(self.component, key, noise, int(self._random.integers(2**31))), tie


def is_tileable(component: Component) -> bool:
    """Whether tiling would be used, were it compiled."""
    return component.size.size >= FEWEST_FOR_TILING and is_full(component)


def luby(i: int) -> int:
    """The ``i``-th member, from 1, of 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ..."""
    k = i.bit_length()
    return 2 ** (k - 1) if i == 2**k - 1 else luby(i - 2 ** (k - 1) + 1)
