"""A plan whose proof is worked out again: after its times changed, or when more is known about all other plans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .model import Plan
from .proof import Bound, Objective, Proof, Status
from .target import ceiling_of


def restated(
    plan: Plan, *, objective: Objective | None = None, target: float | None = None, bounds: Iterable[Bound] = ()
) -> Plan:
    """``plan`` with ``bounds`` added to its proof, and status, gap and headline bounds as they follow.

    ``objective`` and ``target``: the question it answers now, its own where None. Of several bounds with the same
    quantity and method the best stays. Bounds on the makespan that state a ceiling below what the target leaves go:
    they say nothing of all plans that meet it. For any other the caller answers.
    """
    proof, m = plan.proof, plan.measures
    objective = objective or proof.objective
    target = proof.target if target is None else target
    ceiling = ceiling_of(target, m.allocated, int(plan.problem.workspace.capacity))
    known = [b for b in (*proof.bounds, *bounds) if holds_below(b, ceiling)]
    best = {(b.quantity, b.method): b for b in sorted(known, key=lambda b: b.value)}
    kept = tuple(sorted(best.values(), key=lambda b: (b.quantity == "makespan", -b.value, b.method)))
    room = max((b.value for b in kept if b.quantity in ("peak_live", "footprint")), default=None)
    ticks = max((b.value for b in kept if b.quantity == "makespan"), default=min(proof.least_makespan, m.makespan))
    value, bound = (m.footprint, room or 0) if objective is Objective.REUSE else (m.makespan, ticks)
    gap = (value - bound) / value if value else 0.0
    largest = 1 - room / m.allocated if room is not None and m.allocated else None
    return replace(
        plan,
        proof=Proof(
            objective=objective,
            target=target,
            status=_status(m.reuse_factor, target, largest, gap),
            bounds=kept,
            largest_reuse_factor=largest,
            least_makespan=ticks,
            gap=gap,
            parameters=proof.parameters,
            effort=proof.effort,
        ),
    )


def holds_below(bound: Bound, ceiling: int) -> bool:
    """Whether ``bound`` speaks of every plan with a footprint of at most ``ceiling`` bytes."""
    stated = bound.witness.get("ceiling")
    return bound.quantity != "makespan" or not isinstance(stated, int) or stated >= ceiling


def _status(factor: float | None, target: float | None, largest: float | None, gap: float) -> Status:
    if target is not None and factor is not None and factor < target:
        return Status.INFEASIBLE if largest is not None and largest < target else Status.UNKNOWN
    return Status.OPTIMAL if gap == 0 else Status.FEASIBLE
