"""The one line that says what a plan is worth: value, bound, gap, grade of evidence, status."""

from __future__ import annotations

from math import isclose

from ..summary import PlanSummary
from .words import bound_factor, bound_seconds, factor, percent, plural, seconds


def headline(plan: PlanSummary) -> str:
    """``name: STATUS | reuse factor V (at most B, EVIDENCE) | makespan V (at least B, EVIDENCE) | gap | time``.

    A value that equals its bound says ``= bound``: the two are rounded apart, and would look as if they differed.
    """
    verdict = plan.status if plan.target_met else f"TARGET MISSED (asked {plan.target:g}), {plan.status}"
    most, least = (
        f"at most {bound_factor(plan.largest_reuse_factor)}",
        f"at least {bound_seconds(plan.least_makespan_s)}",
    )
    if isclose(plan.reuse_factor or 0, plan.largest_reuse_factor or 0):
        most = "= bound"
    if plan.makespan_s == plan.least_makespan_s:
        least = "= bound"
    parts = [
        f"{plan.name}: {verdict}",
        f"reuse factor {factor(plan.reuse_factor)} {_graded(most, plan.reuse_evidence)}",
        f"makespan {seconds(plan.makespan_s)} {_graded(least, plan.makespan_evidence)}",
        f"gap {'unknown' if plan.reuse_evidence is None and plan.makespan_evidence is None else percent(plan.gap)}",
    ]
    if plan.seconds is not None:
        parts.append(f"planned in {seconds(plan.seconds)}")
    if not plan.integrity:
        parts.append("NO SEALS")
    return " | ".join(parts)


def headline_style(plan: PlanSummary) -> str:
    """Colour of the headline: green for a proved optimum, red for a missed target."""
    if not plan.target_met:
        return "bold red"
    return "bold green" if plan.status == "OPTIMAL" else "bold"


def policies(plan: PlanSummary) -> str:
    """What the figures rest on. The policies move the reuse factor, so every report states them."""
    goal = f"objective {plan.objective}" + ("" if plan.target is None else f", reuse factor at least {plan.target:g}")
    lines = [
        f"goal: {goal}; {plural(plan.tasks, 'task')} on {plural(plan.workers, 'worker')}, "
        f"{plural(plan.buffers, 'buffer')}, {plural(plan.reuse_edges, 'reuse edge')}",
        f"policies: inputs {plan.inputs}, outputs {plan.outputs}, isolation {plan.isolation}, "
        f"{'sealed' if plan.integrity else 'NO SEALS: damage would go unnoticed'}"
        f"{', monitored' if plan.monitoring else ''}",
    ]
    if plan.strategy is not None:
        lines.insert(0, f"strategy {plan.strategy}: {plan.strategy_reason}")
    return "\n".join(lines)


def _graded(bound: str, evidence: str | None) -> str:
    return f"({bound}, {evidence})" if evidence is not None else "(no bound)"
