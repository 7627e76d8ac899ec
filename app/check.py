"""Check: whether a plan obeys every rule, by the independent checker, and whether it answers the given problem."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from catalytic.solver.check import violations
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import load_plan, problem_digest
from catalytic.solver.problem import Problem

from .sources import read_source
from .summary import PlanSummary, summarise


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """A valid plan: its figures, the digest of its problem, and whether a problem file was compared with it."""

    summary: PlanSummary
    problem_digest: str
    compared: Path | None


def check_plan(path: Path, problem_path: Path | None = None) -> CheckAnswer:
    """Figures of the valid plan in ``path``.

    Raises ``InvalidPlan`` with every broken rule; a plan made for another problem than the one in ``problem_path``
    breaks one too. The shape of the workspace is part of a problem, so a plan made with ``--size`` differs from its
    file in that.
    """
    plan = load_plan(path).plan
    found = [f"{v.rule}: {v.message}" for v in violations(plan)]
    digest = problem_digest(plan.problem)
    if problem_path is not None:
        asked = read_source(problem_path).problem
        if problem_digest(asked) != digest:
            parts = [f.name for f in fields(Problem) if getattr(asked, f.name) != getattr(plan.problem, f.name)]
            found.append(
                f"problem: the plan answers the problem {digest}, {problem_path} holds {problem_digest(asked)}; "
                f"they differ in {', '.join(parts)}"
            )
    if found:
        raise InvalidPlan(found)
    return CheckAnswer(summarise(plan), digest, problem_path)
