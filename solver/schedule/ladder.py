"""A ladder of relaxations for bounds on the makespan: small models first, the best bound kept, anytime.

Each rung leaves out fewer groups of bytes or has a finer clock than the one before (``relaxed.py``). A rung ends when
its own best solution is no longer above the bound known already: then it has nothing to give. The first rung that is
too hard for its share of the time is not the end: the last one that was solved is refined instead.

The last rung, where the others were easy, is the problem itself on one address line: for small problems it proves the
optimum. Solutions of all rungs are start orders worth a try.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from ..arrays import Ints
from ..budget import Budget
from ..order import Compact
from ..plan import Bound, Evidence
from .cp_sat_schedule import Asked, Solution
from .relaxed import Chains, Relaxed, relax

SHARES = (0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.0)
"""Rungs: groups below this share of the ceiling are left out."""

COARSE, FINE = 240, 600
"""Grains in the span of the plan: for climbing, and for refining what was solved."""

RUNG_SHARE = 0.4
"""Of the time left, for one rung."""

MOST_TASKS = 2000
"""Tasks beyond which even the longest chains between all pairs take more memory and time than the ladder gives."""

FEW_TASKS = 60
"""Up to so many tasks the problem itself is the first rung."""

FEW_SHARE = 0.25
"""Of the time, for that."""

NICENESS = 10
"""The solver's threads leave the processor to the search for schedules."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What is relaxed: a clock of ``grain`` ticks, and groups of fewer than ``smallest`` bytes."""

    grain: int
    smallest: int


class Ladder:
    """Bounds on the makespan under ``ceiling``; ``lower`` is known. ``upper``: makespan of the best schedule so far.

    ``on_bound`` is told each better bound, ``on_start`` starts (ticks, one per task) of a relaxation's
    solution, and whether they are a schedule as they are or only its shadow.
    """

    def __init__(
        self,
        compact: Compact,
        ceiling: int,
        budget: Budget,
        lower: int,
        best: Callable[[], tuple[int, Ints]],
        on_bound: Callable[[Bound], None],
        on_start: Callable[[Ints, bool], None],
    ) -> None:
        self.compact, self.ceiling, self.budget, self.lower = compact, ceiling, budget, lower
        self.best, self.on_bound, self.on_start = best, on_bound, on_start
        self.solved: Rung | None = None
        # All starts of a left-shifted schedule are sums of durations: a clock of their divisor loses nothing.
        self.exact = int(np.gcd.reduce(compact.duration)) or 1
        self._asked = Asked()
        self._stopped = self._failed = False

    def stop(self) -> None:
        """End at once; may be called from another thread."""
        self._stopped = True
        self._asked.stop()

    def run(self, seconds: float) -> None:
        """Climb for ``seconds`` (deterministic: of CP-SAT's own measure)."""
        if self.compact.task_count > MOST_TASKS:
            return
        if self.compact.size.size:
            self._step_back()
        chains = Chains(self.compact)
        left = seconds
        for rung, share in self._rungs():
            if self._stopped or left < 0.05 or self.lower >= self.best()[0]:
                return
            before = self.budget.elapsed_s()
            limit = share * left
            relaxed = relax(self.compact, chains, self.ceiling, rung.grain, rung.smallest)
            solution = self._ask(relaxed, limit)
            left -= limit if self.budget.deterministic else self.budget.elapsed_s() - before
            if solution.optimal or solution.impossible or self._useless(solution, relaxed):
                self.solved = rung
            self._failed = self.solved is not rung

    # -- rungs -------------------------------------------------------------------------------------------------

    def _rungs(self) -> Iterator[tuple[Rung, float]]:
        """Rungs, and the share of the time left that each may take; which come next depends on what was solved."""
        span = max(1, self.best()[0])
        coarse, fine = max(self.exact, span // COARSE), max(self.exact, span // FINE)
        if not self.compact.size.size:
            yield Rung(self.exact, 0), 1.0
            return
        if self.compact.task_count <= FEW_TASKS:
            yield Rung(self.exact, 0), FEW_SHARE
            if self.solved is not None:
                return
        sizes = sorted({a.size for a in self.compact.alike()})
        levels = sorted({self._smallest(share, sizes) for share in SHARES}, reverse=True)
        for smallest in levels:
            yield Rung(coarse, smallest), RUNG_SHARE
            if self._failed:
                break
        if self.solved is None:
            yield Rung(max(1, span // (COARSE // 4)), levels[0]), 1.0
            return
        if self.solved.smallest == 0 and not self._failed:
            yield Rung(fine, 0), RUNG_SHARE
            yield Rung(self.exact, 0), 1.0
        refined = self.solved
        yield Rung(fine, refined.smallest), RUNG_SHARE
        between = max((s for s in sizes if s < refined.smallest), default=0)
        for part in (0.85, 0.7):
            yield Rung(fine, max(between // 2, int(part * refined.smallest))), 0.5
        yield Rung(coarse, int(0.5 * refined.smallest)), 1.0

    def _smallest(self, share: float, sizes: list[int]) -> int:
        """The least size at or above ``share`` of the ceiling: thresholds between two sizes are one rung."""
        level = int(share * self.ceiling)
        return next((s for s in sizes if s >= level), level) if level else 0

    # -- one rung ----------------------------------------------------------------------------------------------

    def _ask(self, relaxed: Relaxed, seconds: float) -> Solution:
        makespan, start = self.best()
        grain = relaxed.grain
        exact = grain == self.exact and len(relaxed.groups) == len(self.compact.alike())

        def pass_on(found: Ints) -> None:
            whole = start.copy()
            whole[relaxed.tasks] = found * grain
            self.on_start(whole, exact)

        solution = self._asked.least_makespan(
            relaxed,
            makespan // grain,
            seconds,
            self.budget,
            lower=-(-self.lower // grain) if exact else 0,
            hint=start[relaxed.tasks] // grain,
            useless=-1 if exact else self.lower // grain,
            on_solution=pass_on if exact else None,
        )
        # Impossible: nothing is shorter than the best schedule, to the grain.
        bound = grain * (max(solution.bound, makespan // grain) if solution.impossible else solution.bound)
        if bound > self.lower:
            self.lower = bound
            self.on_bound(Bound("makespan", bound, "cp_sat", Evidence.SOLVER_CLAIM, solution.parameters))
        if solution.start is not None:
            pass_on(solution.start)
        return solution

    def _useless(self, solution: Solution, relaxed: Relaxed) -> bool:
        """Whether the rung ended because its optimum lies at or below the bound that is known."""
        if solution.start is None:
            return False
        return int((solution.start + relaxed.tail).max(initial=0)) * relaxed.grain <= self.lower

    def _step_back(self) -> None:
        """Let this thread, and the solver's threads that it begins, wait for the others."""
        if threading.current_thread() is not threading.main_thread() and hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
