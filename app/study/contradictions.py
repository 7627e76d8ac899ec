"""What cannot all be true: a bound says that no plan is better, and some cell has a plan that is.

Two cells contradict each other only about one question. The problem as planned must be the same (the digest of its
canonical form: workspace, policies and workers are part of it). A bound on bytes then holds for every plan; one on the
makespan for the plans that reach the target it was proved under, whatever the target of the search that found them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from .row import PlanFacts, Row

BYTES = ("peak_live", "footprint")


@dataclass(frozen=True, slots=True)
class Claim:
    """A cell, and what it says."""

    configuration: str
    seed: int
    says: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A plan, and the bound or proof that it refutes. ``value`` and ``bound``: bytes or ticks; None: infeasibility."""

    instance: str
    quantity: str
    value: int
    bound: int | None
    plan: Claim
    proof: Claim

    def __str__(self) -> str:
        return (
            f"{self.instance}: {self.plan.configuration}/{self.plan.seed} {self.plan.says}, but "
            f"{self.proof.configuration}/{self.proof.seed} {self.proof.says}"
        )


def contradictions(rows: Sequence[Row]) -> tuple[Contradiction, ...]:
    """Of each problem and quantity the plan and the bound that are furthest apart."""
    known = sorted((r for r in rows if r.problem.digest is not None), key=lambda r: (r.problem.digest or "", r.place))
    found: list[Contradiction] = []
    for _, group in groupby(known, key=lambda r: r.problem.digest):
        worst: dict[str, Contradiction] = {}
        for one in _among(list(group)):
            held = worst.get(one.quantity)
            if held is None or _distance(one) > _distance(held):
                worst[one.quantity] = one
        found += worst.values()
    return tuple(sorted(found, key=lambda c: (c.instance, c.quantity)))


def _distance(one: Contradiction) -> int:
    return 0 if one.bound is None else one.bound - one.value


def _among(rows: Sequence[Row]) -> Iterator[Contradiction]:
    """All contradictions among cells of one problem."""
    plans = [(row, plan) for row in rows for plan in (row.plan, row.missed) if plan is not None]
    for prover in rows:
        for maker, plan in plans:
            yield from _between(prover, maker, plan)


def _between(prover: Row, maker: Row, plan: PlanFacts) -> Iterator[Contradiction]:
    reaches = _reaches(prover.target, maker, plan)
    for b in prover.bounds:
        value = plan.footprint if b.quantity in BYTES else plan.makespan
        if value < b.value and (b.quantity in BYTES or reaches):
            unit = "bytes" if b.quantity in BYTES else "ms"
            what = "footprint" if b.quantity in BYTES else "makespan"
            has = Claim(maker.configuration, maker.seed, f"has a plan with a {what} of {value} {unit}")
            says = f"bounds the {b.quantity} of every plan by {b.value} {unit} ({b.method}, {b.evidence})"
            yield Contradiction(
                maker.instance, what, value, b.value, has, Claim(prover.configuration, prover.seed, says)
            )
    if prover.status == "INFEASIBLE" and reaches:
        has = Claim(maker.configuration, maker.seed, f"has a plan with a reuse factor of {plan.reuse_factor}")
        target = "no plan" if prover.target is None else f"no plan with a reuse factor of {prover.target:g}"
        proved = Claim(prover.configuration, prover.seed, f"has proved that there is {target}")
        yield Contradiction(maker.instance, "feasibility", plan.footprint, None, has, proved)


def _reaches(target: float | None, row: Row, plan: PlanFacts) -> bool:
    """Whether ``plan`` has a reuse factor of at least ``target``."""
    allocated = row.problem.allocated
    if target is None or not allocated:
        return True
    return plan.footprint <= (1 - Fraction(str(target))) * allocated
