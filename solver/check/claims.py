"""What a plan says about itself and about all other plans: measures recomputed, bounds checked from their witnesses.

A witness is checked without search. A bound by search or by a solver (EXHAUSTIVE, SOLVER_CLAIM) cannot be; but no
bound may contradict the plan that it stands in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from math import floor, isclose

from ..plan import Bound, Evidence, Measures, Objective, Plan, Status
from ..units import Bytes, Tick
from .facts import Facts
from .sharing import Successions
from .violation import Violation


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


class _Unproved(Exception):
    """The witness does not show what it should."""


def bounds(plan: Plan, facts: Facts, real: Measures) -> Iterator[Violation]:
    """Each certificate proves its value, each other claim says how it is known, and none contradicts the plan."""
    for b in plan.proof.bounds:
        name = f"{b.quantity} >= {b.value} by {b.method}"
        if b.evidence is Evidence.CERTIFICATE:
            try:
                proved = _proved(b, plan, facts)
            except (_Unproved, LookupError, TypeError, ValueError) as error:
                yield Violation("bounds", f"{name}: {error or 'the witness is malformed'}")
            else:
                if b.value > proved:
                    yield Violation("bounds", f"{name}: its witness proves {proved} only")
        elif not b.witness:
            yield Violation("bounds", f"{name} is a claim without the parameters of the search")
        if b.quantity == "peak_live" and b.value > real.peak_live:
            yield Violation("bounds", f"{name}, yet this plan has a peak of {real.peak_live}")
        if b.quantity == "makespan" and b.value > real.makespan and _meets_target(plan, real):
            yield Violation("bounds", f"{name}, yet this plan takes {real.makespan}")


def _proved(bound: Bound, plan: Plan, facts: Facts) -> int:
    """The value that the witness of ``bound`` proves."""
    certificates: Mapping[tuple[str, str], Callable[[Mapping[str, object], Plan, Facts], int]] = {
        ("peak_live", "working_set"): _working_set,
        ("peak_live", "through_set"): _through_set,
        ("makespan", "critical_path"): _critical_path,
        ("makespan", "resource_energy"): _resource_energy,
        ("makespan", "memory_time_energy"): _memory_time_energy,
    }
    check = certificates.get((bound.quantity, bound.method))
    if check is None:
        raise _Unproved("a certificate of a kind that cannot be checked")
    return check(bound.witness, plan, facts)


def _names(witness: Mapping[str, object], key: str) -> list[str]:
    names = witness[key]
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names) or len(set(names)) != len(names):
        raise _Unproved(f"{key!r} is not a list of distinct names")
    return names


def _working_set(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Inputs, outputs and scratch of one task exist while it runs; a pair in place occupies the larger of the two."""
    task = next((t for t in plan.problem.tasks if t.id == witness["task"]), None)
    if task is None:
        raise _Unproved(f"there is no task {witness['task']!r}")
    names = _names(witness, "buffers")
    strangers = set(names) - {*task.inputs, *task.outputs, f"scratch:{task.id}"} | set(names) - facts.residents.keys()
    if strangers:
        raise _Unproved(f"{min(strangers)!r} does not take memory while {task.id!r} runs")
    size = {b: facts.residents[b].size for b in names}
    saved = sum(min(size[out], size[source]) for out, source in task.in_place if out in size and source in size)
    return sum(size.values()) - saved


def _through_set(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """A working set, and buffers that exist before the task in every schedule and are needed after it."""
    names = _names(witness, "buffers")
    task = str(witness["task"])
    touched = [b for b in names if b in facts.residents and task in facts.residents[b].users]
    earlier, later = _reaching(task, facts.before), _reaching(task, _after(facts))
    for b in names:
        if b in touched:
            continue
        r = facts.residents[b]
        loaded = r.writer is None and (facts.preloaded or any(t in earlier for t in r.readers))
        if not (loaded or r.writer in earlier):
            raise _Unproved(f"{b!r} need not exist before {task!r}")
        if not (r.kept or any(t in later for t in r.readers)):
            raise _Unproved(f"{b!r} need not exist after {task!r}")
    rest = sum(facts.residents[b].size for b in names if b not in touched)
    return _working_set({"task": task, "buffers": touched}, plan, facts) + rest


def _after(facts: Facts) -> dict[str, set[str]]:
    after: dict[str, set[str]] = {t: set() for t in facts.before}
    for t, before in facts.before.items():
        for b in before:
            after[b].add(t)
    return after


def _reaching(task: str, links: Mapping[str, set[str]]) -> set[str]:
    """Every task that ``links`` lead to from ``task``, itself not included."""
    seen: set[str] = set()
    open_ends = [task]
    while open_ends:
        for t in links[open_ends.pop()]:
            if t not in seen:
                seen.add(t)
                open_ends.append(t)
    return seen


def _critical_path(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Tasks that wait for one another take at least the sum of their durations."""
    path = _names(witness, "path")
    for a, b in pairwise(path):
        if a not in facts.before[b]:
            raise _Unproved(f"{b!r} does not wait for {a!r}")
    return sum(facts.duration[t] for t in path)


def _resource_energy(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Demand times duration, over all tasks, fits under the capacity."""
    name = str(witness["resource"])
    work = sum(facts.duration[t] * demand.get(name, 0) for t, demand in facts.demand.items())
    return -(-work // dict(plan.problem.resources)[name])


def _memory_time_energy(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Bytes times least lifetimes fill a rectangle that is as high as the target leaves and as long as the makespan."""
    ceiling = witness["ceiling"]
    if not isinstance(ceiling, int) or isinstance(ceiling, bool) or ceiling <= 0:
        raise _Unproved(f"the ceiling {ceiling!r} is not a positive number of bytes")
    least = ceiling_of(plan, facts)
    if ceiling < least:
        raise _Unproved(f"plans may use {least} bytes, the bound assumes {ceiling}")
    return -(-_energy(facts) // ceiling)


def ceiling_of(plan: Plan, facts: Facts) -> int:
    """Most bytes that a plan which meets the target may use."""
    capacity, target = plan.problem.workspace.capacity, plan.proof.target
    if target is None:
        return capacity
    # In binary floating point (1 - 0.8) * 1000 falls just below 200; both readings of the target are allowed.
    exact, rounded = (1 - Fraction(target)) * facts.allocated, (1 - target) * facts.allocated
    return min(floor(exact), floor(rounded), capacity)


def _energy(facts: Facts) -> int:
    """Sum of size x least lifetime, in byte-ticks; what may be shared in place is counted once."""
    after: dict[str, list[str]] = {t: [] for t in facts.before}
    for t, before in facts.before.items():
        for b in before:
            after[b].append(t)
    place = {t: k for k, t in enumerate(_topological(facts))}
    order = sorted(place, key=place.__getitem__)
    written: dict[str, list[str]] = {}
    total = 0
    for b, r in facts.residents.items():
        if r.writer is None:
            total += r.size * max(facts.duration[t] for t in r.readers)
        else:
            written.setdefault(r.writer, []).append(b)
    for writer, buffers in written.items():
        readers = {t for b in buffers for t in facts.residents[b].readers}
        longest = {writer: facts.duration[writer]}
        for k in range(place[writer], max((place[t] for t in readers), default=place[writer]) + 1):
            t = order[k]
            if t in longest:
                for s in after[t]:
                    longest[s] = max(longest.get(s, 0), longest[t] + facts.duration[s])
        for b in buffers:
            total += facts.residents[b].size * max(longest[t] for t in facts.residents[b].users)
    for out, source in facts.in_place:
        task = facts.residents[out].writer
        if task is not None:
            total -= min(facts.residents[out].size, facts.residents[source].size) * facts.duration[task]
    return total


def _topological(facts: Facts) -> Iterator[str]:
    """Every task after all it waits for."""
    missing = {t: len(before) for t, before in facts.before.items()}
    after: dict[str, list[str]] = {t: [] for t in facts.before}
    for t, before in facts.before.items():
        for b in before:
            after[b].append(t)
    free = sorted(t for t, count in missing.items() if count == 0)
    while free:
        t = free.pop()
        yield t
        for s in after[t]:
            missing[s] -= 1
            if missing[s] == 0:
                free.append(s)


def _meets_target(plan: Plan, real: Measures) -> bool:
    factor = real.reuse_factor
    return plan.proof.target is None or factor is None or factor >= plan.proof.target


def verdict(plan: Plan, facts: Facts, real: Measures) -> Iterator[Violation]:
    """Target, status, gap and the two headline bounds agree with measures and bounds."""
    proof, m = plan.proof, real
    if not _meets_target(plan, real) and proof.status in (Status.OPTIMAL, Status.FEASIBLE):
        yield Violation("target", f"the reuse factor {m.reuse_factor} misses the target {proof.target}")
    best = {q: max((b.value for b in proof.bounds if b.quantity == q), default=None) for q in ("peak_live", "makespan")}
    largest = 1 - best["peak_live"] / m.allocated if best["peak_live"] is not None and m.allocated else None
    if not _same(proof.largest_reuse_factor, largest):
        yield Violation("verdict", f"largest_reuse_factor is {proof.largest_reuse_factor}, the bounds give {largest}")
    if best["makespan"] is not None and proof.least_makespan != best["makespan"]:
        yield Violation("verdict", f"least_makespan is {proof.least_makespan}, the bounds give {best['makespan']}")
    if best["makespan"] is None and proof.least_makespan > _longest_chain(facts):
        yield Violation("verdict", f"least_makespan is {proof.least_makespan}, and no bound says so")
    value: int = m.footprint if proof.objective is Objective.REUSE else m.makespan
    bound = (best["peak_live"] or 0) if proof.objective is Objective.REUSE else proof.least_makespan
    gap = (value - bound) / value if value else 0.0
    if not _same(proof.gap, gap):
        yield Violation("verdict", f"the gap is {proof.gap}, value {value} and bound {bound} give {gap}")
    if proof.status is Status.OPTIMAL and gap > 1e-9:
        yield Violation("verdict", f"the status is OPTIMAL with a gap of {gap}")
    if proof.status is Status.INFEASIBLE and (proof.target is None or largest is None or largest >= proof.target):
        yield Violation("verdict", f"the status is INFEASIBLE, and no bound excludes the target {proof.target}")


def _longest_chain(facts: Facts) -> int:
    longest: dict[str, int] = {}
    for t in _topological(facts):
        longest[t] = facts.duration[t] + max((longest[b] for b in facts.before[t]), default=0)
    return max(longest.values(), default=0)


def _same(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and isclose(a, b, rel_tol=1e-9, abs_tol=1e-12))
