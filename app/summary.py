"""What a person wants to know of a plan: its value and its bound, the policies it rests on, who uses which bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalytic.solver.plan import Bound, Plan
from catalytic.solver.units import to_seconds

LARGEST_SHOWN = 10
"""Rows in the table of largest buffers."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """One pool: bytes of its slices, bytes its buffers would need without reuse, and its reuse factor."""

    pool: str
    data_type: str | None
    access: str | None
    buffers: int
    allocated: int
    slices: int
    reuse_factor: float | None


@dataclass(frozen=True, slots=True)
class PartitionUse:
    """One partition: highest byte ever used, tasks that write into it, and seconds during which one does."""

    partition: int
    height: int
    size: int
    regions: int
    writers: int
    busy_s: float


@dataclass(frozen=True, slots=True)
class BufferUse:
    """One buffer: bytes, when it lives, where, and how many bytes it takes over from earlier owners."""

    buffer: str
    region: str
    pool: str
    size: int
    birth_s: float
    death_s: float
    partitions: tuple[int, ...]
    taken_over: int


@dataclass(frozen=True, slots=True)
class BoundLine:
    """One bound in the units of people: bytes, or seconds for a makespan."""

    quantity: str
    value: float
    method: str
    evidence: str


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan in figures. Sizes are bytes. ``None``: not known, or nothing is allocated.

    ``largest_reuse_factor`` is what no plan of this problem and these policies can exceed without recomputation or
    spilling; ``least_makespan_s`` what none can undercut. Both come with the grade of evidence they rest on.
    ``strategy``: the one that chose objective and target, and the sentence that says why; None: the user did.
    """

    name: str
    status: str
    objective: str
    target: float | None
    target_met: bool
    reuse_factor: float | None
    largest_reuse_factor: float | None
    reuse_evidence: str | None
    makespan_s: float
    least_makespan_s: float
    makespan_evidence: str | None
    gap: float
    allocated: int
    footprint: int
    peak_live: int
    workspace_size: int
    partition_count: int
    partition_size: int
    alignment: int
    isolation: str
    workers: int
    inputs: str
    outputs: str
    integrity: bool
    monitoring: bool
    tasks: int
    buffers: int
    external_bytes: int
    reuse_edges: int
    pools: tuple[PoolUse, ...]
    partitions: tuple[PartitionUse, ...]
    largest: tuple[BufferUse, ...]
    bounds: tuple[BoundLine, ...]
    seconds: float | None
    strategy: str | None
    strategy_reason: str | None


def summarise(plan: Plan) -> PlanSummary:
    """The figures of ``plan``. They are the plan's own; ``check`` is what verifies them."""
    problem, measures, proof = plan.problem, plan.measures, plan.proof
    peak, makespan = proof.least_bytes, proof.bound("makespan")
    seconds = (proof.effort or {}).get("seconds")
    return PlanSummary(
        name=problem.name,
        status=proof.status.value,
        objective=proof.objective.value,
        target=proof.target,
        target_met=meets_target(plan),
        reuse_factor=measures.reuse_factor,
        largest_reuse_factor=proof.largest_reuse_factor,
        reuse_evidence=peak.evidence.value if peak else None,
        makespan_s=to_seconds(measures.makespan),
        least_makespan_s=to_seconds(proof.least_makespan),
        makespan_evidence=makespan.evidence.value if makespan else None,
        gap=proof.gap,
        allocated=measures.allocated,
        footprint=measures.footprint,
        peak_live=measures.peak_live,
        workspace_size=problem.workspace.size,
        partition_count=problem.workspace.partitions,
        partition_size=problem.workspace.partition_size,
        alignment=problem.workspace.alignment,
        isolation=problem.workspace.isolation.value,
        workers=problem.capacity_of("workers"),
        inputs=problem.policy.inputs.value,
        outputs=problem.policy.outputs.value,
        integrity=plan.integrity,
        monitoring=plan.monitoring,
        tasks=len(problem.tasks),
        buffers=len(problem.buffers),
        external_bytes=sum(problem.graph.buffer[b].size for b in problem.graph.external),
        reuse_edges=sum(edge.kind.value == "reuse" for edge in plan.edges),
        pools=_pools(plan),
        partitions=_partitions(plan),
        largest=_largest(plan),
        bounds=tuple(bound_line(b) for b in proof.bounds),
        seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
        strategy=_stated(plan, "chosen"),
        strategy_reason=_stated(plan, "reason"),
    )


def _stated(plan: Plan, key: str) -> str | None:
    """What the plan says of the strategy it was made by, if it was."""
    strategy = plan.proof.parameters.get("strategy")
    value = strategy.get(key) if isinstance(strategy, Mapping) else None
    return str(value) if value is not None else None


def meets_target(plan: Plan) -> bool:
    """Whether the plan reaches the reuse factor that was asked; a plan that allocates nothing reaches any."""
    target, factor = plan.proof.target, plan.measures.reuse_factor
    return target is None or factor is None or factor >= target


def bound_line(bound: Bound) -> BoundLine:
    """``bound`` in the units of people."""
    value = to_seconds(bound.value) if bound.quantity == "makespan" else bound.value
    return BoundLine(bound.quantity, value, bound.method, bound.evidence.value)


def _pools(plan: Plan) -> tuple[PoolUse, ...]:
    graph = plan.problem.graph
    members: dict[str, list[str]] = {p.id: [] for p in graph.pools}
    for buffer, pool in graph.pool_of.items():
        members[pool].append(buffer)
    owned = {p.id: sum(s.size for s in plan.slices if s.pool == p.id) for p in graph.pools}
    uses = []
    for p in graph.pools:
        allocated = sum(graph.aligned_size[b] for b in members[p.id])
        factor = 1 - owned[p.id] / allocated if allocated else None
        uses.append(PoolUse(p.id, p.data_type, p.access, len(members[p.id]), allocated, owned[p.id], factor))
    return tuple(uses)


def _partitions(plan: Plan) -> tuple[PartitionUse, ...]:
    workspace = plan.problem.workspace
    height = [0] * workspace.partitions
    regions = [0] * workspace.partitions
    spans: list[list[tuple[int, int]]] = [[] for _ in range(workspace.partitions)]
    for region in plan.regions:
        for extent in region.extents:
            height[extent.partition] = max(height[extent.partition], extent.end)
            regions[extent.partition] += 1
    for task in plan.tasks:
        for partition in task.partitions:
            spans[partition].append((task.start, task.end))
    return tuple(
        PartitionUse(p, height[p], workspace.partition_size, regions[p], len(spans[p]), to_seconds(_covered(spans[p])))
        for p in range(workspace.partitions)
    )


def _covered(spans: list[tuple[int, int]]) -> int:
    """Ticks that at least one of the half-open ``spans`` covers."""
    covered = reached = 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _largest(plan: Plan) -> tuple[BufferUse, ...]:
    regions = sorted(plan.regions, key=lambda r: (-r.length, r.buffer))[:LARGEST_SHOWN]
    return tuple(
        BufferUse(
            buffer=r.buffer,
            region=r.id,
            pool=r.pool,
            size=r.length,
            birth_s=to_seconds(r.lifetime.birth),
            death_s=to_seconds(r.lifetime.death),
            partitions=tuple(sorted({e.partition for e in r.extents})),
            taken_over=sum(t.bytes for t in plan.takes_over.get(r.id, ())),
        )
        for r in regions
    )
