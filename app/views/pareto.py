"""A frontier as a table: one row per plan, what is proved beside what was found."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..pareto import FrontierPoint, ParetoAnswer
from .lines import paragraph
from .table import table
from .words import bound_factor, bound_seconds, factor, percent, plural, seconds


def pareto_report(answer: ParetoAnswer, *, width: int) -> str:
    """Everything ``catalytic plan --pareto`` prints, in at most ``width`` columns (the headline may be longer)."""
    header = ("plan", "proof", "reuse factor", "footprint", "makespan", "at least", "gap")
    rows = [_row(p) for p in answer.points]
    lines = [_headline(answer), _goal(answer), "", table(header, rows, width=width, left=2), "", *_never(answer, width)]
    return "\n".join(lines)


def _headline(a: ParetoAnswer) -> str:
    lean, fast = a.points[0], a.points[-1]
    proved = sum(p.proved for p in a.points)
    parts = [
        f"{a.name}: frontier of {plural(len(a.points), 'plan')}, {proved} proved",
        f"reuse factor {factor(fast.reuse_factor)} to {factor(lean.reuse_factor)}",
        f"makespan {seconds(fast.makespan_s)} to {seconds(lean.makespan_s)}",
        f"found in {seconds(a.seconds)}",
    ]
    return " | ".join(parts)


def _goal(a: ParetoAnswer) -> str:
    return (
        f"{plural(a.tasks, 'task')} on {plural(a.workers, 'worker')}, {format_size(a.allocated)} of buffers, workspace "
        f"{format_size(a.workspace_size)} in {plural(a.partition_count, 'partition')}; policies: inputs {a.inputs}, "
        f"outputs {a.outputs}"
    )


def _row(p: FrontierPoint) -> tuple[str, ...]:
    least = "-" if p.least_makespan_s is None else bound_seconds(p.least_makespan_s)
    return (
        p.file,
        ("PROVED, " if p.proved else "") + (p.evidence or "no bound"),
        factor(p.reuse_factor),
        format_size(p.footprint),
        seconds(p.makespan_s),
        "= bound" if p.proved else least,
        percent(p.gap),
    )


def _never(a: ParetoAnswer, width: int) -> list[str]:
    """What no plan without recomputation or spilling can do."""
    lines = ["proved of every plan without recomputation or spilling:"]
    if a.least_footprint is not None:
        lines.append(
            paragraph(
                f"  footprint at least {format_size(a.least_footprint)}, reuse factor at most "
                f"{bound_factor(a.largest_reuse_factor)} ({a.footprint_method}, {a.footprint_evidence})",
                width=width,
            )
        )
    for step in a.floor:
        lines.append(
            paragraph(
                f"  with at most {format_size(step.footprint)}: makespan at least "
                f"{bound_seconds(step.least_makespan_s)} ({step.method}, {step.evidence})",
                width=width,
            )
        )
    return lines
