"""What to say when a target is proved out of reach: the bound, what forces it, and commands that do work."""

from __future__ import annotations

import shlex
from math import floor

from catalytic.solver.plan import Outcome, Plan
from catalytic.solver.problem import Problem
from catalytic.solver.units import exact_size

from .request import PlanRequest
from .views.words import bound_factor


def explanation(problem: Problem, target: float | None, outcome: Outcome) -> str:
    """Why no plan meets what was asked: the planner's reason, and the bound on the reuse factor if that proves it."""
    peak = max(
        (b for b in outcome.bounds if b.quantity in ("peak_live", "footprint")), key=lambda b: b.value, default=None
    )
    allocated = problem.graph.allocated
    if peak is None or not allocated:
        return outcome.reason
    largest = 1 - peak.value / allocated
    if target is not None and largest >= target:
        return outcome.reason
    return (
        f"{outcome.reason}\n  so no plan without recomputation or spilling has a reuse factor above "
        f"{bound_factor(largest)} ({peak.method}, {peak.evidence.value})"
    )


def remedies(problem: Problem, request: PlanRequest, outcome: Outcome) -> tuple[str, ...]:
    """Command lines that are known to work: each is backed by a plan that was found, not by a bound."""
    best = outcome.best_alternative
    if best is None:
        return ()
    target, factor = request.search.target, best.measures.reuse_factor
    missed = target is not None and factor is not None and factor < target
    found = []
    if missed and factor is not None:
        enlarged = best.problem.workspace.size if best.problem.workspace.size > problem.workspace.size else None
        command = plan_command(request, floor(factor * 10_000) / 10_000, size=enlarged)
        found.append(f"{command}  # the largest target known to work")
    partitions, size = smallest_workspace(best)
    if size != problem.workspace.size:
        command = plan_command(request, None if missed else target, size=size, partitions=partitions)
        found.append(f"{command}  # the smallest workspace known to work{' (without a target)' if missed else ''}")
    return tuple(found)


def smallest_workspace(plan: Plan) -> tuple[int, int]:
    """Partitions and bytes of the smallest workspace that ``plan`` fits as it is.

    Partitions are equal, so the highest of them decides; those behind the last one used are not needed. A buffer that
    spans partitions fills whole ones, so such a plan needs its own partition size.
    """
    workspace = plan.problem.workspace
    extents = [e for r in plan.regions for e in r.extents]
    used = max((e.partition + 1 for e in extents), default=1)
    if any(len(r.extents) > 1 for r in plan.regions):
        return used, workspace.partition_size * used
    return used, max((e.end for e in extents), default=workspace.alignment) * used


def plan_command(
    request: PlanRequest, target: float | None, *, size: int | None = None, partitions: int | None = None
) -> str:
    """``catalytic plan ...`` as in ``request``, with another target or workspace; quoted for a shell."""
    search, shape = request.search, request.shape
    size = size if size is not None else shape.size
    words: list[str | None] = ["catalytic", "plan", str(request.path)]
    if request.output is not None:
        words += ["-o", str(request.output)]
    options: list[tuple[str, object | None]] = [
        ("--reuse-factor", None if target is None else f"{target:.4f}".rstrip("0").rstrip(".") or "0"),
        ("--size", None if size is None else exact_size(size)),
        ("--strategy", None if search.strategy is None else search.strategy.value),
        ("--objective", search.objective.value if search.objective.value != "reuse" else None),
        ("--partitions", partitions if partitions is not None else shape.partitions),
        ("--alignment", shape.alignment),
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
