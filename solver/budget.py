"""What a search may spend: seconds, workers, and the seed that makes it repeatable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

MAX_SEED = 2**62
"""Largest seed: searches count on from it, in 64 bits."""

MAX_WORKERS = 4096
"""Most threads of a search. More would spend its time on being started."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one search.

    ``time_limit_s`` counts from ``started`` (a value of ``clock``) and covers model building and extraction.
    ``deterministic`` replaces the wall clock by counted work, so that seed and budget alone decide the plan.
    """

    time_limit_s: float = 60.0
    workers: int = 2
    seed: int = 0
    deterministic: bool = False
    started: float | None = None
    clock: Callable[[], float] = monotonic

    def start(self) -> Budget:
        """This budget with its clock started now, unless it already runs."""
        if self.started is not None:
            return self
        return replace(self, started=self.clock())

    def postponed(self, seconds: float) -> Budget:
        """This budget as if started ``seconds`` later: for work that is not the search's, such as compilation."""
        return self if self.started is None else replace(self, started=self.started + seconds)

    def elapsed_s(self) -> float:
        """Seconds since the start; 0 before it."""
        return 0.0 if self.started is None else self.clock() - self.started

    def remaining_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.time_limit_s - self.elapsed_s())

    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining_s() <= 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """News of a search: the phase, the share of the budget spent (None when unknown), and a line for people.

    For programs: ``makespan`` (ticks) and ``footprint`` (bytes) of the best plan so far, ``bound``: what no plan can
    beat, in the unit of what the search minimises. None: not news of this kind.
    """

    phase: str
    fraction: float | None
    message: str
    makespan: int | None = None
    footprint: int | None = None
    bound: int | None = None
