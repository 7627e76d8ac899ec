"""What a solve returns: a status that is never confused with another, and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

from .model import Plan
from .proof import Bound, Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of ``solve``.

    ``plan`` is the best checked plan (None when INFEASIBLE without any plan, or UNKNOWN). ``target_met`` says whether
    it reaches the asked reuse factor. ``reason`` is a sentence for INFEASIBLE and UNKNOWN. ``bounds`` hold also
    without a plan. ``best_alternative`` is the plan with the largest reuse factor found when the target was missed or
    disproved: it gives the largest target and the smallest workspace known to work.
    """

    status: Status
    plan: Plan | None
    bounds: tuple[Bound, ...]
    target_met: bool
    reason: str = ""
    best_alternative: Plan | None = None
