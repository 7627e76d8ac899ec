"""The plan file, ``catalytic-execution/1``: self-contained, canonical, and redundant where a reader profits from it.

::

    {"format": "catalytic-execution/1",
     "catalytic_execution_plan": {
       "workspace_size": "10GB", "reuse_factor": 0.8, "partition_count": 8, "integrity_enabled": true,
       "workspace_size_bytes": 10000000000, "partition_size_bytes": 1249996800, "alignment": 4096,
       "isolation": "exclusive", "monitoring_enabled": false, "input_policy": "external", "output_policy": "export",
       "objective": "reuse", "target": 0.8, "status": "OPTIMAL", "allocated": 5000, "footprint": 1000,
       "peak_live": 1000, "makespan": 12.5, "problem_name": "mosaic", "problem_digest": "sha256:...",
       "base": ".", "tool": "catalytic 0.1.0"},
     "memory_pools": [{"pool_id": "rasters", "size": "2GB", "size_bytes": 2000000000,
       "slices": [{"partition": 0, "offset": 0, "size": 2000000000}], "reuse_tasks": ["project"],
       "data_type": "image", "access": "sequential", "lifecycle_duration": 12.5}],
     "regions": [{"id": "region_001", "buffer": "plane", "pool": "rasters", "birth": 0, "death": 12.5,
       "extents": [{"partition": 0, "offset": 0, "length": 4096}], "seal": "sha256"}],
     "tasks": [{"id": "project", "start": 0, "end": 12.5, "partitions": [0]}],
     "reuse_schedule": [{"timestamp": 0, "action": "reuse", "pool": "rasters", "task": "project",
       "memory_region": "region_002", "takes_over": [{"region": "region_001", "bytes": 4096}],
       "verification": "checksum_validated"}],
     "edges": [{"from": "project", "to": "blend", "kind": "data", "via": "plane"}],
     "integrity_mechanisms": {"checksum_algorithm": "sha256", "verification_frequency": "per_reuse",
       "rollback_enabled": true, "isolation_barriers": true},
     "proof": {"objective": "reuse", "target": 0.8, "status": "OPTIMAL", "gap": 0.0, "largest_reuse_factor": 0.8,
       "least_makespan": 12.5, "bounds": [{"quantity": "peak_live", "value": 1000, "method": "working_set",
       "evidence": "CERTIFICATE", "witness": {}}], "parameters": {}, "effort": {}},
     "problem": {"format": "catalytic-problem/1"}}

Times are seconds (exact to the millisecond), sizes bytes. ``reuse_tasks`` are the tasks that write into a pool, by
start; ``lifecycle_duration`` is its last death minus its first birth. ``base`` is the folder that ``source`` files
and modules are relative to, relative to the plan file.

What a plan says twice must agree: after reading, the plan is written again in memory and compared with the file, so
a hand-edited headline, pool or digest raises ``InvalidPlan``. Whether the plan itself is *right* is for
``solver.check`` to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import InputError, InvalidPlan, Mistake
from ..plan import (
    Action,
    Bound,
    Edge,
    EdgeKind,
    Evidence,
    Extent,
    Lifetime,
    Measures,
    Objective,
    Plan,
    PoolSlice,
    Proof,
    Region,
    ReuseEvent,
    ScheduledTask,
    Status,
    TakeOver,
)
from ..problem import Isolation, Pool, Problem
from ..units import MAX_BYTES, Bytes, Tick, exact_size, to_seconds
from .border import Moment, Shape, check_shape
from .json_text import describe, digest_json, join, parse_json, plain, read_bytes, write_json
from .problem_file import problem_document, problem_from, refuse_other_format

PLAN_FORMAT = "catalytic-execution/1"


def _number(value: object) -> object:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _amount(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not abs(value) <= MAX_BYTES:
        context = {"found": describe(value), "allowed": f"a number of at most {MAX_BYTES}"}
        raise PydanticCustomError("catalytic", "amount", context)
    return value


Amount = Annotated[
    int | float,
    BeforeValidator(_amount),
    WithJsonSchema({"type": "number", "minimum": -MAX_BYTES, "maximum": MAX_BYTES}),
]
Number = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Free = Annotated[dict[str, Any], Field(default_factory=dict)]


class HeaderShape(Shape):
    workspace_size: str
    reuse_factor: Number | None
    partition_count: int
    integrity_enabled: bool
    workspace_size_bytes: int
    partition_size_bytes: int
    alignment: int
    isolation: str
    monitoring_enabled: bool
    input_policy: str
    output_policy: str
    objective: str
    target: Number | None
    status: str
    allocated: int
    footprint: int
    peak_live: int
    makespan: Moment
    problem_name: str
    problem_digest: str
    base: str
    tool: str


class SliceShape(Shape):
    partition: int
    offset: int
    size: int


class PoolShape(Shape):
    pool_id: str
    size: str
    size_bytes: int
    slices: list[SliceShape]
    reuse_tasks: list[str]
    data_type: str | None
    access: str | None
    lifecycle_duration: Moment


class ExtentShape(Shape):
    partition: int
    offset: int
    length: int


class RegionShape(Shape):
    id: str
    buffer: str
    pool: str
    birth: Moment
    death: Moment
    extents: list[ExtentShape]
    seal: str | None


class TaskShape(Shape):
    id: str
    start: Moment
    end: Moment
    partitions: list[int]


class TakeOverShape(Shape):
    region: str
    bytes: int


class EventShape(Shape):
    timestamp: Moment
    action: Literal["allocate", "reuse", "release", "export", "recompute", "spill", "load", "borrow", "restore"]
    pool: str
    task: str | None
    memory_region: str
    takes_over: Annotated[list[TakeOverShape], Field(default_factory=list)]
    verification: str | None = None


class EdgeShape(Shape):
    source: str = Field(alias="from")
    target: str = Field(alias="to")
    kind: Literal["data", "after", "reuse", "exclusive", "resource"]
    via: str | None = None


class IntegrityShape(Shape):
    checksum_algorithm: str | None
    verification_frequency: str
    rollback_enabled: bool
    isolation_barriers: bool


class BoundShape(Shape):
    quantity: Literal["peak_live", "footprint", "makespan"]
    value: Amount
    method: str
    evidence: Literal["CERTIFICATE", "EXHAUSTIVE", "SOLVER_CLAIM"]
    witness: Free


class ProofShape(Shape):
    objective: Literal["reuse", "makespan"]
    target: Number | None
    status: Literal["OPTIMAL", "FEASIBLE", "INFEASIBLE", "UNKNOWN"]
    gap: Number
    largest_reuse_factor: Number | None
    least_makespan: Moment
    bounds: list[BoundShape]
    parameters: Free
    effort: dict[str, Any] | None = None


class PlanShape(Shape):
    format: Literal["catalytic-execution/1"]
    catalytic_execution_plan: HeaderShape
    memory_pools: list[PoolShape]
    regions: list[RegionShape]
    tasks: list[TaskShape]
    reuse_schedule: list[EventShape]
    edges: list[EdgeShape]
    integrity_mechanisms: IntegrityShape
    proof: ProofShape
    problem: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan and what its file says beside it.

    ``base``: the folder that ``source`` files and modules are relative to. ``stated_base``: the same as the file
    spells it (relative to the file); ``dump_plan(plan, base=stated_base)`` gives the file back byte for byte when
    ``tool``, the program that wrote it, is this one.
    """

    plan: Plan
    base: Path
    stated_base: str
    tool: str


def this_tool() -> str:
    """Name and version of this program, as plan files state it."""
    return f"catalytic {version('catalytic')}"


def load_plan(path: Path) -> LoadedPlan:
    """The plan in ``path``.

    Raises ``InputError`` with every mistake when the file is malformed, ``InvalidPlan`` when it contradicts itself:
    a digest that is not the embedded problem's, a headline that is not the plan's.
    """
    return parse_plan(read_bytes(path), str(path), folder=path.parent)


def parse_plan(data: bytes, origin: str, *, folder: Path) -> LoadedPlan:
    """The plan in ``data``, a file that stands in ``folder``; raises like :func:`load_plan`."""
    document = parse_json(data, origin)
    refuse_other_format(document, PLAN_FORMAT, origin)
    shape = check_shape(PlanShape, document, origin)
    mistakes = list(_empty_lifetimes(shape))
    try:
        problem = problem_from(shape.problem, origin)
    except InputError as error:
        mistakes += [Mistake(f"problem.{m.path}", m.found, m.allowed, m.hint) for m in error.mistakes]
        raise InputError(origin, mistakes) from None
    if mistakes:
        raise InputError(origin, mistakes)
    plan = _plan(shape, problem)
    header = shape.catalytic_execution_plan
    contradictions = list(_contradictions(document, plan_document(plan, base=header.base, tool=header.tool)))
    if contradictions:
        raise InvalidPlan(contradictions)
    return LoadedPlan(plan, folder / header.base, header.base, header.tool)


def dump_plan(plan: Plan, *, base: str = ".") -> bytes:
    """Canonical bytes of ``plan``. ``base``: the problem's folder, relative to where the plan file will stand."""
    return write_json(plan_document(plan, base=base, tool=this_tool()))


def _empty_lifetimes(shape: PlanShape) -> Iterator[Mistake]:
    for index, r in enumerate(shape.regions):
        if r.death <= r.birth:
            allowed = f"a moment after the birth at {to_seconds(r.birth)}"
            yield Mistake(f"regions[{index}].death", str(to_seconds(r.death)), allowed)


def _contradictions(stated: Mapping[str, object], derived: Mapping[str, object]) -> Iterator[str]:
    for path, found, expected in differences(stated, derived):
        if path == "catalytic_execution_plan.problem_digest":
            yield f"digest: the embedded problem has the digest {expected}, the header states {found}"
        else:
            yield f"header: {path} is {describe(found)}, the rest of the file makes it {describe(expected)}"


def differences(a: object, b: object, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Paths at which two JSON values differ, with both values; quick where they are equal."""
    if a == b:
        return
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in sorted({*a, *b}):
            yield from differences(a.get(key, "nothing"), b.get(key, "nothing"), join(path, key))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from differences(x, y, f"{path}[{index}]")
    else:
        yield path, a, b


def _plan(shape: PlanShape, problem: Problem) -> Plan:
    header = shape.catalytic_execution_plan
    return Plan(
        problem=problem,
        tasks=tuple(ScheduledTask(t.id, Tick(t.start), Tick(t.end), tuple(t.partitions)) for t in shape.tasks),
        regions=tuple(
            Region(
                id=r.id,
                buffer=r.buffer,
                pool=r.pool,
                extents=tuple(Extent(e.partition, Bytes(e.offset), Bytes(e.length)) for e in r.extents),
                lifetime=Lifetime(Tick(r.birth), Tick(r.death)),
                seal=r.seal,
            )
            for r in shape.regions
        ),
        slices=tuple(
            PoolSlice(p.pool_id, s.partition, Bytes(s.offset), Bytes(s.size))
            for p in shape.memory_pools
            for s in p.slices
        ),
        edges=tuple(Edge(e.source, e.target, EdgeKind(e.kind), e.via) for e in shape.edges),
        events=tuple(
            ReuseEvent(
                timestamp=Tick(e.timestamp),
                action=Action(e.action),
                pool=e.pool,
                task=e.task,
                region=e.memory_region,
                takes_over=tuple(TakeOver(t.region, Bytes(t.bytes)) for t in e.takes_over),
                verification=e.verification,
            )
            for e in shape.reuse_schedule
        ),
        measures=Measures(
            allocated=Bytes(header.allocated),
            footprint=Bytes(header.footprint),
            reuse_factor=header.reuse_factor,
            makespan=Tick(header.makespan),
            peak_live=Bytes(header.peak_live),
        ),
        proof=_proof(shape.proof),
        integrity=header.integrity_enabled,
        monitoring=header.monitoring_enabled,
    )


def _proof(shape: ProofShape) -> Proof:
    return Proof(
        objective=Objective(shape.objective),
        target=shape.target,
        status=Status(shape.status),
        bounds=tuple(bound_from(b) for b in shape.bounds),
        largest_reuse_factor=shape.largest_reuse_factor,
        least_makespan=shape.least_makespan,
        gap=shape.gap,
        parameters=shape.parameters,
        effort=shape.effort,
    )


def bound_from(shape: BoundShape) -> Bound:
    """A bound as it is inside: bytes, or ticks where the file states seconds."""
    value = round(shape.value * 1000) if shape.quantity == "makespan" else int(shape.value)
    return Bound(shape.quantity, value, shape.method, Evidence(shape.evidence), shape.witness)


def bound_document(bound: Bound) -> dict[str, object]:
    """A bound as a file states it."""
    return {
        "quantity": bound.quantity,
        "value": to_seconds(bound.value) if bound.quantity == "makespan" else bound.value,
        "method": bound.method,
        "evidence": bound.evidence.value,
        "witness": plain(bound.witness),
    }


def plan_document(plan: Plan, *, base: str, tool: str) -> dict[str, object]:
    """The canonical JSON document of ``plan``."""
    problem_json = problem_document(plan.problem)
    return {
        "format": PLAN_FORMAT,
        "catalytic_execution_plan": _header(plan, digest_json(problem_json), base, tool),
        "memory_pools": _pools(plan),
        "regions": [
            {
                "id": r.id,
                "buffer": r.buffer,
                "pool": r.pool,
                "birth": to_seconds(r.lifetime.birth),
                "death": to_seconds(r.lifetime.death),
                "extents": [{"partition": e.partition, "offset": e.offset, "length": e.length} for e in r.extents],
                "seal": r.seal,
            }
            for r in plan.regions
        ],
        "tasks": [
            {"id": t.id, "start": to_seconds(t.start), "end": to_seconds(t.end), "partitions": list(t.partitions)}
            for t in plan.tasks
        ],
        "reuse_schedule": [_event(e) for e in plan.events],
        "edges": [
            {"from": e.source, "to": e.target, "kind": e.kind.value} | ({"via": e.via} if e.via is not None else {})
            for e in plan.edges
        ],
        "integrity_mechanisms": {
            "checksum_algorithm": ", ".join(sorted({r.seal for r in plan.regions if r.seal})) or None,
            "verification_frequency": "per_reuse" if plan.integrity else "never",
            "rollback_enabled": plan.integrity,
            "isolation_barriers": plan.problem.workspace.isolation is Isolation.EXCLUSIVE,
        },
        "proof": _proof_document(plan.proof),
        "problem": problem_json,
    }


def _header(plan: Plan, digest: str, base: str, tool: str) -> dict[str, object]:
    workspace, policy, measures = plan.problem.workspace, plan.problem.policy, plan.measures
    return {
        "workspace_size": exact_size(workspace.size),
        "reuse_factor": measures.reuse_factor,
        "partition_count": workspace.partitions,
        "integrity_enabled": plan.integrity,
        "workspace_size_bytes": workspace.size,
        "partition_size_bytes": workspace.partition_size,
        "alignment": workspace.alignment,
        "isolation": workspace.isolation.value,
        "monitoring_enabled": plan.monitoring,
        "input_policy": policy.inputs.value,
        "output_policy": policy.outputs.value,
        "objective": plan.proof.objective.value,
        "target": plan.proof.target,
        "status": plan.proof.status.value,
        "allocated": measures.allocated,
        "footprint": measures.footprint,
        "peak_live": measures.peak_live,
        "makespan": to_seconds(measures.makespan),
        "problem_name": plan.problem.name,
        "problem_digest": digest,
        "base": base,
        "tool": tool,
    }


def _pools(plan: Plan) -> list[dict[str, object]]:
    declared = {p.id: p for p in plan.problem.graph.pools}
    slices: dict[str, list[PoolSlice]] = {name: [] for name in declared}
    for s in plan.slices:
        slices.setdefault(s.pool, []).append(s)
    lives: dict[str, list[Lifetime]] = {}
    for r in plan.regions:
        lives.setdefault(r.pool, []).append(r.lifetime)
    start = {t.id: t.start for t in plan.tasks}
    writers: dict[str, set[str]] = {}
    for e in plan.events:
        if e.action in (Action.ALLOCATE, Action.REUSE, Action.LOAD) and e.task is not None:
            writers.setdefault(e.pool, set()).add(e.task)
    return [
        _pool(
            declared.get(name, Pool(name)),
            owned,
            sorted(writers.get(name, ()), key=lambda t: (start.get(t, Tick(0)), t)),
            lives.get(name, ()),
        )
        for name, owned in slices.items()
    ]


def _pool(
    pool: Pool, slices: Sequence[PoolSlice], writers: Sequence[str], lives: Sequence[Lifetime]
) -> dict[str, object]:
    size = sum(s.size for s in slices)
    span = max(x.death for x in lives) - min(x.birth for x in lives) if lives else 0
    return {
        "pool_id": pool.id,
        "size": exact_size(size),
        "size_bytes": size,
        "slices": [{"partition": s.partition, "offset": s.offset, "size": s.size} for s in slices],
        "reuse_tasks": list(writers),
        "data_type": pool.data_type,
        "access": pool.access,
        "lifecycle_duration": to_seconds(span),
    }


def _event(e: ReuseEvent) -> dict[str, object]:
    document: dict[str, object] = {
        "timestamp": to_seconds(e.timestamp),
        "action": e.action.value,
        "pool": e.pool,
        "task": e.task,
        "memory_region": e.region,
    }
    if e.takes_over:
        document["takes_over"] = [{"region": t.region, "bytes": t.bytes} for t in e.takes_over]
    if e.verification is not None:
        document["verification"] = e.verification
    return document


def _proof_document(proof: Proof) -> dict[str, object]:
    document: dict[str, object] = {
        "objective": proof.objective.value,
        "target": proof.target,
        "status": proof.status.value,
        "gap": proof.gap,
        "largest_reuse_factor": proof.largest_reuse_factor,
        "least_makespan": to_seconds(proof.least_makespan),
        "bounds": [bound_document(b) for b in proof.bounds],
        "parameters": plain(proof.parameters),
    }
    if proof.effort is not None:
        document["effort"] = plain(proof.effort)
    return document
