"""What changed from one plan to another: problem, figures, bounds, and everything that moved.

Plans of different problems are compared by the names they share. Both are checked by the independent checker first:
figures of a plan that breaks the rules are worth nothing, least of all to a gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from catalytic.solver.check import violations
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import load_plan, problem_digest
from catalytic.solver.plan import Bound, Edge, Extent, Plan
from catalytic.solver.problem import Problem
from catalytic.solver.units import to_seconds

from .gates import METRICS, Gate

Thing = TypeVar("Thing")

DECIDED = ("tasks", "regions", "slices", "edges", "events")
"""What a plan decides; the rest follows from it, or tells how it was found."""


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A figure before and after; seconds for the makespan, bytes for sizes. ``share``: of the old value."""

    metric: str
    before: float | None
    after: float | None
    difference: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class BoundChange:
    """The best bound on ``quantity`` before and after (bytes, or seconds), with its evidence; None: there is none."""

    quantity: str
    before: float | None
    before_evidence: str | None
    after: float | None
    after_evidence: str | None


@dataclass(frozen=True, slots=True)
class TaskMove:
    """A task that starts or ends at another time, or writes into other partitions."""

    task: str
    start_s: tuple[float, float]
    end_s: tuple[float, float]
    partitions: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class RegionMove:
    """A buffer that lives elsewhere (``moved``), or at another time, or in another pool."""

    buffer: str
    moved: bool
    extents: tuple[tuple[Extent, ...], tuple[Extent, ...]]
    birth_s: tuple[float, float]
    death_s: tuple[float, float]
    pools: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Names:
    """What only one of the plans has."""

    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """A gate and whether it passed."""

    gate: str
    passed: bool
    metric: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """From ``before`` to ``after``. ``same``: the same problem, and nothing that is decided differs.

    ``problem_parts``: fields of the problem that differ; empty for the same problem.
    ``edges``: added and removed ones by kind; ``edges_added``, ``edges_removed``: the edges themselves.
    ``contradictions``: a bound of one plan that the other refutes, which can be only with the same problem.
    """

    before: Path
    after: Path
    same: bool
    same_problem: bool
    problem_parts: tuple[str, ...]
    status: tuple[str, str]
    metrics: tuple[MetricChange, ...]
    bounds: tuple[BoundChange, ...]
    tasks: Names
    buffers: Names
    moved_tasks: tuple[TaskMove, ...]
    moved_regions: tuple[RegionMove, ...]
    edges: dict[str, tuple[int, int]]
    edges_added: tuple[Edge, ...]
    edges_removed: tuple[Edge, ...]
    gates: tuple[GateVerdict, ...]
    contradictions: tuple[str, ...]


def compare_plans(before: Path, after: Path, gates: Sequence[Gate] = ()) -> PlanDifference:
    """The difference of two plan files; ``InvalidPlan`` when one of them breaks the rules."""
    return difference(_checked(before), _checked(after), before, after, gates)


def _checked(path: Path) -> Plan:
    plan = load_plan(path).plan
    broken = [f"{path}: {v.rule}: {v.message}" for v in violations(plan)]
    if broken:
        raise InvalidPlan(broken)
    return plan


def difference(old: Plan, new: Plan, before: Path, after: Path, gates: Sequence[Gate] = ()) -> PlanDifference:
    """The difference of two plans that were read from ``before`` and ``after``."""
    parts = tuple(f.name for f in fields(Problem) if getattr(old.problem, f.name) != getattr(new.problem, f.name))
    same_problem = problem_digest(old.problem) == problem_digest(new.problem)
    added, removed = (sorted(set(a.edges) - set(b.edges), key=_edge_order) for a, b in ((new, old), (old, new)))
    moved_tasks, moved_regions = tuple(_moved_tasks(old, new)), tuple(_moved_regions(old, new))
    return PlanDifference(
        before=before,
        after=after,
        same=all(getattr(old, part) == getattr(new, part) for part in ("problem", *DECIDED)),
        same_problem=same_problem,
        problem_parts=parts,
        status=(old.proof.status.value, new.proof.status.value),
        metrics=tuple(_metric(name, of(old), of(new)) for name, of in METRICS.items()),
        bounds=tuple(_bounds(old, new)),
        tasks=_names(old.task, new.task),
        buffers=_names(old.region_of, new.region_of),
        moved_tasks=moved_tasks,
        moved_regions=moved_regions,
        edges=_by_kind(added, removed),
        edges_added=tuple(added),
        edges_removed=tuple(removed),
        gates=tuple(_verdict(gate, old, new) for gate in gates),
        contradictions=tuple(_contradictions(old, new, before, after)) if same_problem else (),
    )


def _metric(name: str, before: Fraction | None, after: Fraction | None) -> MetricChange:
    if before is None or after is None:
        return MetricChange(name, _number(before), _number(after), None, None)
    change = after - before
    return MetricChange(
        name, _number(before), _number(after), _number(change), _number(change / abs(before)) if before else None
    )


def _number(value: Fraction | None) -> float | None:
    """An integer where it is whole."""
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _bounds(old: Plan, new: Plan) -> Iterator[BoundChange]:
    for quantity in sorted({b.quantity for plan in (old, new) for b in plan.proof.bounds}):
        before, after = old.proof.bound(quantity), new.proof.bound(quantity)
        yield BoundChange(quantity, _bound(before), _evidence(before), _bound(after), _evidence(after))


def _bound(bound: Bound | None) -> float | None:
    if bound is None:
        return None
    return to_seconds(bound.value) if bound.quantity == "makespan" else bound.value


def _evidence(bound: Bound | None) -> str | None:
    return None if bound is None else bound.evidence.value


def _names(before: Iterable[str], after: Iterable[str]) -> Names:
    old, new = set(before), set(after)
    return Names(tuple(sorted(old - new)), tuple(sorted(new - old)))


def _moved_tasks(old: Plan, new: Plan) -> Iterator[TaskMove]:
    for name, was, now in _shared(old.task, new.task):
        if (was.start, was.end, was.partitions) != (now.start, now.end, now.partitions):
            yield TaskMove(
                name,
                (to_seconds(was.start), to_seconds(now.start)),
                (to_seconds(was.end), to_seconds(now.end)),
                (was.partitions, now.partitions),
            )


def _moved_regions(old: Plan, new: Plan) -> Iterator[RegionMove]:
    for name, was, now in _shared(old.region_of, new.region_of):
        if (was.extents, was.lifetime, was.pool) != (now.extents, now.lifetime, now.pool):
            yield RegionMove(
                name,
                was.extents != now.extents,
                (was.extents, now.extents),
                (to_seconds(was.lifetime.birth), to_seconds(now.lifetime.birth)),
                (to_seconds(was.lifetime.death), to_seconds(now.lifetime.death)),
                (was.pool, now.pool),
            )


def _shared(old: Mapping[str, Thing], new: Mapping[str, Thing]) -> Iterator[tuple[str, Thing, Thing]]:
    for name in sorted(set(old) & set(new)):
        yield name, old[name], new[name]


def _edge_order(edge: Edge) -> tuple[str, str, str, str]:
    return (edge.kind.value, edge.source, edge.target, edge.via or "")


def _by_kind(added: Iterable[Edge], removed: Iterable[Edge]) -> dict[str, tuple[int, int]]:
    """Kind -> how many were added and removed."""
    more, fewer = Counter(e.kind.value for e in added), Counter(e.kind.value for e in removed)
    return {kind: (more[kind], fewer[kind]) for kind in sorted({*more, *fewer})}


def _verdict(gate: Gate, old: Plan, new: Plan) -> GateVerdict:
    of: Callable[[Plan], Fraction | None] = METRICS[gate.metric]
    before, after = of(old), of(new)
    return GateVerdict(gate.text, gate.passes(before, after), gate.metric, _number(before), _number(after))


def _contradictions(old: Plan, new: Plan, before: Path, after: Path) -> Iterator[str]:
    """A bound on bytes holds for every plan of the problem, one on the makespan for those that reach its target."""
    for plan, path, other, where in ((old, before, new, after), (new, after, old, before)):
        least, soonest = plan.proof.least_bytes, plan.proof.bound("makespan")
        if least is not None and other.measures.footprint < least.value:
            yield (
                f"{path} bounds the footprint of every plan by {least.value} bytes ({least.method}, "
                f"{least.evidence.value}), {where} has {other.measures.footprint}"
            )
        if soonest is not None and _reaches(plan, other) and other.measures.makespan < soonest.value:
            yield (
                f"{path} bounds the makespan of every plan by {soonest.value} ms ({soonest.method}, "
                f"{soonest.evidence.value}), {where} has {other.measures.makespan}"
            )


def _reaches(plan: Plan, other: Plan) -> bool:
    """Whether ``other`` reaches the target that ``plan`` was made for."""
    target, factor = plan.proof.target, METRICS["reuse_factor"](other)
    return target is None or factor is None or factor >= Fraction(str(target))
