"""What is asked of the planner, as values: the goal, its price, and the file it concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from catalytic.solver.budget import Budget
from catalytic.solver.plan import Objective

from .sources import Shape

DEFAULT_PLAN_FILE = Path("catalytic-execution.json")

DETERMINISTIC_THREADS = 2
"""Threads of a deterministic search, whatever the machine has: the number of threads decides what is found."""


class Progress(Protocol):
    """What an observer of a search or a run receives: a phase, how much of it is done (or None), and a message."""

    @property
    def phase(self) -> str: ...
    @property
    def fraction(self) -> float | None: ...
    @property
    def message(self) -> str: ...


Observer = Callable[[Progress], None]


class NamedStrategy(StrEnum):
    """Objective and target by name (``app.strategies``); not the pebbling strategy that a file may hold."""

    THROUGHPUT = "throughput"
    LATENCY = "latency"
    MEMORY = "memory"
    BALANCED = "balanced"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for a plan: what is wanted, what it may cost, and what the plan should promise.

    ``strategy`` decides about the objective, and all but ``memory`` about the target.
    """

    objective: Objective = Objective.REUSE
    target: float | None = None
    budget: Budget = Budget()
    integrity: bool = True
    monitoring: bool = False
    best_effort: bool = False
    strategy: NamedStrategy | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """One call of ``catalytic plan``. ``output`` None: the plan is not written."""

    path: Path
    shape: Shape = Shape()
    search: Search = Search()
    output: Path | None = DEFAULT_PLAN_FILE
