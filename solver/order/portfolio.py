"""The least peak of live bytes over all sequential orders: best order found, best bound proved, and how it is known.

Anytime: ends when both meet, when the peak is at most what the caller calls enough, or when its share of the budget is
spent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..budget import Budget, Progress
from ..plan import Bound, Evidence
from ..problem import Problem
from .bounds import Force, peak_bounds
from .compact import Compact
from .sequence import least_peak_order


@dataclass(frozen=True, slots=True)
class LeastPeak:
    """Answer to the order problem.

    ``order``: task ids, every predecessor first. ``peak``: bytes, sum over pools of the pool's own peak in that order.
    ``bounds``: what no order beats, best first: ``peak_live`` (all pools at one moment) or ``footprint`` (pools added
    up; only with several pools). ``force``: the task and the buffers that force the strongest checkable bound (None
    without resident buffers). ``moment``: the task during which the order reaches its peak. ``seconds``: wall clock.
    """

    order: tuple[str, ...]
    peak: int
    bounds: tuple[Bound, ...]
    force: Force | None
    moment: str | None
    seconds: float

    @property
    def lower(self) -> int:
        """The best proved lower bound on the value, in bytes."""
        return max((b.value for b in self.bounds), default=0)

    @property
    def proved(self) -> bool:
        """Whether no order is better."""
        return self.peak <= self.lower

    @property
    def evidence(self) -> Evidence | None:
        """How the best bound is known (the strongest kind where several have its value); None without buffers."""
        best = [b.evidence for b in self.bounds if b.value == self.lower]
        return min(best, key=list(Evidence).index, default=None)


def least_peak(
    problem: Problem,
    budget: Budget,
    *,
    enough: int = 0,
    observer: Callable[[Progress], None] | None = None,
) -> LeastPeak:
    """The best order and the best bound found within the budget's time limit.

    Ends early at a peak of at most ``enough`` bytes, or when ``enough`` (if positive) is proved out of reach.
    """
    budget = budget.start()
    begun = budget.elapsed_s()
    compact = Compact.of(problem)
    bounds, force = peak_bounds(compact)
    lower = max((b.value for b in bounds), default=0)
    found = least_peak_order(compact, budget, enough=max(lower, enough), share=1.0)
    return LeastPeak(
        order=tuple(compact.tasks[t] for t in found.sequence),
        peak=found.peak,
        bounds=bounds,
        force=force,
        moment=force.task if force is not None else None,
        seconds=budget.elapsed_s() - begun,
    )
