"""What a plan says about itself and about all other plans: measures recomputed, bounds checked from their witnesses.

A witness is checked without search. A bound by search or by a solver (EXHAUSTIVE, SOLVER_CLAIM) cannot be; but no
bound may contradict the plan that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isclose

from ..plan import Bound, Evidence, Measures, Objective, Plan, Status
from ..units import Bytes, Tick
from .durations import critical_path, longest_chain, memory_time_energy, resource_energy
from .facts import Facts
from .moments import min_cut, pool_sum, through_set, working_set
from .sharing import Successions
from .violation import Violation
from .witness import Unproved


def measured(plan: Plan, facts: Facts, shared: Successions) -> Measures:
    """The measures that regions and times give, whatever the plan states."""
    height: dict[int, int] = {}
    for r in plan.regions:
        for e in r.extents:
            height[e.partition] = max(height.get(e.partition, 0), e.offset + e.length)
    footprint = sum(height.values())
    return Measures(
        allocated=Bytes(facts.allocated),
        footprint=Bytes(footprint),
        reuse_factor=(facts.allocated - footprint) / facts.allocated if facts.allocated else None,
        makespan=max((t.end for t in plan.tasks), default=Tick(0)),
        peak_live=Bytes(_peak(plan, shared)),
    )


def measures(plan: Plan, real: Measures) -> Iterator[Violation]:
    """Allocated, footprint, reuse factor, makespan and peak are stated as they are."""
    for name in ("allocated", "footprint", "reuse_factor", "makespan", "peak_live"):
        found, expected = getattr(plan.measures, name), getattr(real, name)
        if found != expected:
            yield Violation("measures", f"{name} is stated as {found}, it is {expected}")


def _peak(plan: Plan, shared: Successions) -> int:
    """Most bytes owned at a moment; what two living buffers share in place counts once."""
    alive = {r.buffer: r.lifetime for r in plan.regions}
    changes: list[tuple[int, int]] = []
    for r in plan.regions:
        size = sum(e.length for e in r.extents)
        changes += [(r.lifetime.birth, size), (r.lifetime.death, -size)]
    for (earlier, later), count in shared.items():
        begin, end = alive[later].birth, min(alive[earlier].death, alive[later].death)
        if begin < end:
            changes += [(begin, -count), (end, count)]
    total = peak = 0
    moments: dict[int, int] = {}
    for moment, change in changes:
        moments[moment] = moments.get(moment, 0) + change
    for moment in sorted(moments):
        total += moments[moment]
        peak = max(peak, total)
    return peak


def bounds(plan: Plan, facts: Facts, real: Measures) -> Iterator[Violation]:
    """Each certificate proves its value, each other claim says how it is known, and none contradicts the plan."""
    for b in plan.proof.bounds:
        name = f"{b.quantity} >= {b.value} by {b.method}"
        if b.evidence is Evidence.CERTIFICATE:
            try:
                proved = _proved(b, plan, facts)
            except (Unproved, LookupError, TypeError, ValueError) as error:
                yield Violation("bounds", f"{name}: {error or 'the witness is malformed'}")
            else:
                if b.value > proved:
                    yield Violation("bounds", f"{name}: its witness proves {proved} only")
        elif not b.witness:
            yield Violation("bounds", f"{name} is a claim without the parameters of the search")
        if b.quantity == "peak_live" and b.value > real.peak_live:
            yield Violation("bounds", f"{name}, yet this plan has a peak of {real.peak_live}")
        if b.quantity == "footprint" and b.value > real.footprint:
            yield Violation("bounds", f"{name}, yet this plan has a footprint of {real.footprint}")
        if b.quantity == "makespan" and b.value > real.makespan and _meets_target(plan, real):
            yield Violation("bounds", f"{name}, yet this plan takes {real.makespan}")


def _proved(bound: Bound, plan: Plan, facts: Facts) -> int:
    """The value that the witness of ``bound`` proves."""
    certificates: Mapping[tuple[str, str], Callable[[Mapping[str, object], Plan, Facts], int]] = {
        ("peak_live", "working_set"): working_set,
        ("peak_live", "through_set"): through_set,
        ("peak_live", "min_cut"): min_cut,
        ("footprint", "pool_sum"): pool_sum,
        ("makespan", "critical_path"): critical_path,
        ("makespan", "resource_energy"): resource_energy,
        ("makespan", "memory_time_energy"): memory_time_energy,
    }
    check = certificates.get((bound.quantity, bound.method))
    if check is None:
        raise Unproved("a certificate of a kind that cannot be checked")
    return check(bound.witness, plan, facts)


def _meets_target(plan: Plan, real: Measures) -> bool:
    factor = real.reuse_factor
    return plan.proof.target is None or factor is None or factor >= plan.proof.target


def verdict(plan: Plan, facts: Facts, real: Measures) -> Iterator[Violation]:
    """Target, status, gap and the two headline bounds agree with measures and bounds."""
    proof, m = plan.proof, real
    if not _meets_target(plan, real) and proof.status in (Status.OPTIMAL, Status.FEASIBLE):
        yield Violation("target", f"the reuse factor {m.reuse_factor} misses the target {proof.target}")
    # What is alive at once lies in distinct bytes, so a bound on the peak is one on the footprint.
    room = max((b.value for b in proof.bounds if b.quantity in ("peak_live", "footprint")), default=None)
    ticks = max((b.value for b in proof.bounds if b.quantity == "makespan"), default=None)
    largest = 1 - room / m.allocated if room is not None and m.allocated else None
    if not _same(proof.largest_reuse_factor, largest):
        yield Violation("verdict", f"largest_reuse_factor is {proof.largest_reuse_factor}, the bounds give {largest}")
    if ticks is not None and proof.least_makespan != ticks:
        yield Violation("verdict", f"least_makespan is {proof.least_makespan}, the bounds give {ticks}")
    if ticks is None and proof.least_makespan > longest_chain(facts):
        yield Violation("verdict", f"least_makespan is {proof.least_makespan}, and no bound says so")
    value: int = m.footprint if proof.objective is Objective.REUSE else m.makespan
    bound = (room or 0) if proof.objective is Objective.REUSE else proof.least_makespan
    gap = (value - bound) / value if value else 0.0
    if not _same(proof.gap, gap):
        yield Violation("verdict", f"the gap is {proof.gap}, value {value} and bound {bound} give {gap}")
    if proof.status is Status.OPTIMAL and gap > 1e-9:
        yield Violation("verdict", f"the status is OPTIMAL with a gap of {gap}")
    if proof.status is Status.INFEASIBLE and (proof.target is None or largest is None or largest >= proof.target):
        yield Violation("verdict", f"the status is INFEASIBLE, and no bound excludes the target {proof.target}")


def _same(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and isclose(a, b, rel_tol=1e-9, abs_tol=1e-12))
