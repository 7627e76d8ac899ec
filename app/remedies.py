"""What to say when a target is proved out of reach: the bound, what forces it, and commands that do work."""

from __future__ import annotations

import shlex
from math import floor

from catalytic.solver.plan import Bound, Outcome, Plan
from catalytic.solver.problem import Problem
from catalytic.solver.units import exact_size, format_size

from .request import PlanRequest
from .views.words import bound_factor

BUFFERS_NAMED = 6
"""Buffers named in the explanation; the rest are counted."""


def explanation(problem: Problem, outcome: Outcome) -> str:
    """Why no plan meets what was asked: reason, bound, and the task and buffers that force it."""
    lines = [outcome.reason or "proved infeasible"]
    peak = max((b for b in outcome.bounds if b.quantity == "peak_live"), key=lambda b: b.value, default=None)
    if peak is not None:
        lines.append(
            f"  bound: every plan without recomputation or spilling has {format_size(peak.value)} ({peak.value} bytes) "
            f"alive at once, so its reuse factor is at most {_largest_factor(problem, peak)} "
            f"({peak.method}, {peak.evidence.value})"
        )
        forced = forced_by(problem, peak)
        if forced:
            lines.append(f"  forced by: {forced}")
    return "\n".join(lines)


def forced_by(problem: Problem, peak: Bound) -> str:
    """The task and buffers of a bound's witness in words; empty when the witness names none."""
    task = peak.witness.get("task")
    if not isinstance(task, str) or task not in problem.graph.task:
        return ""
    named = peak.witness.get("buffers")
    names = [str(b) for b in named] if isinstance(named, (list, tuple)) else list(problem.graph.working_set(task))
    sizes = problem.graph.aligned_size
    known = sorted((b for b in names if b in sizes), key=lambda b: (-sizes[b], b))
    shown = ", ".join(f"{b!r} ({format_size(sizes[b])})" for b in known[:BUFFERS_NAMED])
    rest = f" and {len(known) - BUFFERS_NAMED} more" if len(known) > BUFFERS_NAMED else ""
    return f"task {task!r}, while which {shown}{rest} must exist together"


def remedies(problem: Problem, request: PlanRequest, outcome: Outcome) -> tuple[str, ...]:
    """Command lines that are known to work: each is backed by a plan that was found, not by a bound."""
    best = outcome.best_alternative
    if best is None:
        return ()
    found = []
    asked_size = problem.workspace.size
    fits = best.problem.workspace.size <= asked_size
    factor = best.measures.reuse_factor
    if factor is not None and request.search.target is not None and factor < request.search.target:
        size = None if fits else best.problem.workspace.size
        found.append(plan_command(request, target=floor(factor * 10_000) / 10_000, size=size))
    smallest = smallest_workspace(best)
    if smallest != asked_size:
        target = request.search.target
        reachable = target if target is None or factor is None or factor >= target else None
        found.append(plan_command(request, target=reachable, drop_target=reachable is None, size=smallest))
    return tuple(found)


def smallest_workspace(plan: Plan) -> int:
    """Bytes of the smallest workspace with the same partitions that ``plan`` fits.

    Partitions are equal, so the highest of them decides. A buffer that spans partitions fills whole ones, so such a
    plan needs its own partition size.
    """
    workspace = plan.problem.workspace
    if any(len(r.extents) > 1 for r in plan.regions):
        return workspace.partition_size * workspace.partitions
    highest = max((e.end for r in plan.regions for e in r.extents), default=workspace.alignment)
    return highest * workspace.partitions


def plan_command(
    request: PlanRequest, *, target: float | None = None, drop_target: bool = False, size: int | None = None
) -> str:
    """``catalytic plan ...`` as in ``request``, with another target or workspace size; quoted for a shell."""
    search, shape = request.search, request.shape
    target = None if drop_target else target if target is not None else search.target
    size = size if size is not None else shape.size
    words: list[str | None] = ["catalytic", "plan", str(request.path)]
    if request.output is not None:
        words += ["-o", str(request.output)]
    options: list[tuple[str, object | None]] = [
        ("--reuse-factor", None if target is None else f"{target:.4f}".rstrip("0").rstrip(".") or "0"),
        ("--size", None if size is None else exact_size(size)),
        ("--objective", search.objective.value if search.objective.value != "reuse" else None),
        ("--partitions", shape.partitions),
        ("--workers", shape.workers),
        ("--isolation", shape.isolation),
        ("--inputs", shape.inputs),
        ("--outputs", shape.outputs),
        ("--time-limit", f"{search.budget.time_limit_s:g}" if search.budget.time_limit_s != 60 else None),
        ("--seed", search.budget.seed or None),
    ]
    for name, value in options:
        if value is not None:
            words += [name, str(value)]
    words += ["--deterministic"] if search.budget.deterministic else []
    return shlex.join(word for word in words if word is not None)


def _largest_factor(problem: Problem, peak: Bound) -> str:
    allocated = problem.graph.allocated
    return bound_factor(1 - peak.value / allocated if allocated else None)
