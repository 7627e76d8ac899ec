"""Show: what a plan file says, in figures and pictures. Believes the file; ``check`` is what verifies it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.formats import load_plan
from catalytic.solver.plan import Plan

from .summary import PlanSummary, summarise


@dataclass(frozen=True, slots=True)
class ShowAnswer:
    """A plan and its figures."""

    summary: PlanSummary
    plan: Plan


def show_plan(path: Path) -> ShowAnswer:
    """The plan in ``path``; ``InputError`` when it is malformed, ``InvalidPlan`` when it contradicts itself."""
    plan = load_plan(path).plan
    return ShowAnswer(summarise(plan), plan)
