"""JSON Schema (draft 2020-12) of our files, for editors and for other programs.

Shapes, required keys, types and defaults come from the models that read the files; what the keys mean, and examples,
stand in the tables of this module, with those limits of content that JSON Schema has words for. That an id occurs once,
or that there is no cycle, it cannot say, and ``catalytic check`` does. A plan or a strategy embeds a problem, so their
schemas embed its schema as a resource of its own: one file is enough, nothing is fetched.

What a schema refuses, the reader refuses too. The other way round two things of shape are left to the reader: to JSON
Schema ``1.0`` is an integer, and it cannot tell how many bytes a text means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ..plan.strategy import Move
from ..problem import LOAD_PREFIX, SCRATCH_PREFIX
from ..units import MAX_BYTES, SIZE_FORM
from .json_text import write_json
from .plan_file import PlanShape
from .problem_file import PROBLEM_FORMAT, ProblemShape
from .strategy_file import STRATEGY_FORMAT, StrategyShape, TimelineShape

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_SIZE = f"Bytes: {SIZE_FORM}."

_ABOUT: Mapping[type[BaseModel], tuple[str, str]] = {
    ProblemShape: (
        "Problem",
        "Tasks that write and read buffers, and the workspace they must fit. Everything but ids, durations, sizes and "
        "the names that tie tasks to buffers is optional.",
    ),
    PlanShape: (
        "Plan",
        "When each task starts, where each buffer lives, who takes over whose bytes, in which order a run goes, and "
        "what is proved about every other plan. Self-contained: the problem is embedded.",
    ),
    StrategyShape: ("Pebbling strategy", "A sequence of moves for a problem that may need less memory than it has."),
    TimelineShape: (
        "Timeline",
        "The form of earlier tools: lifetimes are fixed, only addresses are open. Unknown keys are ignored.",
    ),
}
"""Title and description of each whole file."""

_RECORDS: Mapping[str, str] = {
    "Workspace": "The fixed memory: so many files of equal size.",
    "Policy": "What becomes of buffers that nobody writes or nobody reads. It moves the reuse factor.",
    "Pool": "All buffers of one data type and access; it owns one contiguous slice in each partition.",
    "Python": "A function, called with one context: inputs, outputs, scratch, args.",
    "Command": "A program. In its words and environment, {buffer} stands for the path of that buffer's file.",
    "Synthetic": "Lasts the declared duration and writes bytes that depend on the inputs.",
    "Task": "A unit of work.",
    "Buffer": "Bytes that one task writes and others read; without a writer, an external input.",
    "Header": "What the plan is worth, and under which policies.",
    "Slice": "The contiguous part of one partition that a pool owns.",
    "Extent": "Bytes of one partition.",
    "Region": "Where one buffer lives while it lives.",
    "TakeOver": "Bytes of a region whose last owner was another one.",
    "Event": "What happens to a region at a moment of the plan.",
    "Edge": "One execution must have ended before another starts.",
    "Integrity": "How a run verifies what it reads and overwrites.",
    "Bound": "What no plan without recomputation and spilling can beat.",
    "Proof": "Objective, target and status; the bounds, and what follows from them.",
    "Allocation": "One buffer with its lifetime.",
    "TimelineHeader": "What made the timeline.",
}
"""Description of each kind of record."""

_PROBLEM_KEYS: Mapping[str, tuple[str, list[Any]]] = {
    "Problem.format": ("Name and version of the format.", []),
    "Problem.name": ("What reports call the problem. Default: the name of the file.", ["mosaic"]),
    "Problem.workspace": ("The memory that all buffers must fit.", [{"size": "10GB", "partitions": 8}]),
    "Problem.resources": (
        "Capacities of renewable resources. 'workers' is how many tasks run at once; default: the cores of the machine "
        "that reads the file.",
        [{"workers": 2, "cpu": 4}],
    ),
    "Problem.policy": ("What becomes of buffers that nobody writes or nobody reads.", [{"inputs": "lazy"}]),
    "Problem.pools": ("Names and limits for pools; a pool that is not named is made and sized by the planner.", []),
    "Problem.tasks": ("Each id once; no cycle.", []),
    "Problem.buffers": ("Every buffer that a task reads or writes, each id once.", []),
    "Workspace.size": (f"All partitions together. {_SIZE}", ["10GB", "8GiB", 1000000]),
    "Workspace.partitions": ("Number of partitions, 1 to 4096, of equal size.", [8]),
    "Workspace.alignment": ("A power of two: offsets and sizes of regions are multiples of it.", [4096]),
    "Workspace.isolation": (
        "exclusive: no two running tasks write into one partition. Default: shared with one partition, exclusive with "
        "several.",
        ["shared"],
    ),
    "Policy.inputs": (
        "external: read where they are, no workspace. lazy: loaded when the first reader starts. preload: there from "
        "the start.",
        [],
    ),
    "Policy.outputs": (
        "Of buffers nobody reads. export: copied out when written. keep: stay to the end. discard: only digested.",
        [],
    ),
    "Pool.id": ("Name of the pool.", ["rasters"]),
    "Pool.data_type": ("Data type of its buffers.", ["image"]),
    "Pool.access": ("Access pattern of its buffers.", ["sequential"]),
    "Pool.size": (f"An upper bound on all its slices. {_SIZE}", ["2GB"]),
    "Python.python": ("module:function; the folder of the problem file is first on the path.", ["steps:project"]),
    "Python.args": ("Values for the function, in context.args.", [{"zoom": 2}]),
    "Command.command": ("The program and its arguments.", [["sort", "{raw}", "-o", "{clean}"]]),
    "Command.env": ("Variables besides those of the run.", [{"LANG": "C"}]),
    "Command.stdin": ("The input that is bound to standard input.", ["raw"]),
    "Command.stdout": ("The output that standard output goes to.", ["sum"]),
    "Synthetic.synthetic": ("Always true.", []),
    "Task.id": ("Name of the task.", ["project"]),
    "Task.duration": ("Seconds, exact to the millisecond; 0 counts as one millisecond.", [12.5]),
    "Task.timeout": ("Seconds after which an execution is ended and has failed.", [60]),
    "Task.after": ("Tasks that must end before this one starts, besides the writers of its inputs.", [["prepare"]]),
    "Task.inputs": ("Buffers that it reads.", [["tile", "grid"]]),
    "Task.outputs": ("Buffers that it writes; each buffer has one writer.", [["plane"]]),
    "Task.scratch": (f"Memory that only this task uses, while it runs. {_SIZE}", ["64MB"]),
    "Task.demands": ("Amounts of resources that it holds while it runs. Default: one worker.", [{"cpu": 1}]),
    "Task.in_place": (
        "output -> input: the output may take over the bytes of the input, if this task is its last reader.",
        [{"plane": "grid"}],
    ),
    "Task.reversible": ("Its scratch may be borrowed from bytes that are alive but idle, and is given back.", []),
    "Task.run": ("What it does. Default: synthetic.", [{"python": "steps:project", "args": {"zoom": 2}}, "synthetic"]),
    "Buffer.id": ("Name of the buffer.", ["plane"]),
    "Buffer.size": (f"An upper bound: a task may commit less. {_SIZE}", ["250MB", "2GiB", 4096]),
    "Buffer.data_type": ("With the access, decides its pool.", ["image"]),
    "Buffer.access": ("With the data type, decides its pool.", ["sequential"]),
    "Buffer.keep": ("It survives the run in the workspace.", []),
    "Buffer.export": ("It is copied out: a path below the output folder, or true for its id.", ["planes/p1.raw", True]),
    "Buffer.source": ("File of an external input, relative to the problem file.", ["data/tile.raw"]),
}

_LIMITS: Mapping[str, Schema] = {
    "Problem.resources": {"additionalProperties": {"type": "integer", "minimum": 1, "maximum": MAX_BYTES}},
    "Workspace.partitions": {"minimum": 1, "maximum": 4096},
    "Pool.id": {"minLength": 1},
    "Python.python": {"pattern": "^[^:]+:[^:]+$"},
    "Command.command": {"minItems": 1},
    "Task.id": {"pattern": f"^(?!{LOAD_PREFIX})", "minLength": 1},
    "Task.inputs": {"uniqueItems": True},
    "Task.outputs": {"uniqueItems": True},
    "Task.demands": {"additionalProperties": {"type": "integer", "minimum": 0}},
    "Buffer.id": {"pattern": f"^(?!{SCRATCH_PREFIX})", "minLength": 1},
}
"""What a problem's values must keep to besides their types."""

_PLAN_KEYS: Mapping[str, tuple[str, list[Any]]] = {
    "Plan.format": ("Name and version of the format.", []),
    "Plan.catalytic_execution_plan": ("What the plan is worth, and under which policies.", []),
    "Plan.memory_pools": ("Each pool with its slices.", []),
    "Plan.regions": ("One region for each buffer that lives in the workspace.", []),
    "Plan.tasks": ("Planned times of each task.", []),
    "Plan.reuse_schedule": ("The story of all regions in time.", []),
    "Plan.edges": ("The partial order that a run follows; times are not promised.", []),
    "Plan.integrity_mechanisms": ("How a run verifies what it reads and overwrites.", []),
    "Plan.proof": ("What is known about every other plan.", []),
    "Plan.problem": ("The problem that the plan answers.", []),
    "Header.workspace_size": ("Size of the workspace for people.", ["10GB"]),
    "Header.reuse_factor": ("1 - footprint / allocated; null when nothing is allocated.", [0.8]),
    "Header.partition_count": ("Number of partitions.", [8]),
    "Header.integrity_enabled": ("Whether regions are sealed with digests.", []),
    "Header.workspace_size_bytes": ("Bytes of the workspace as it was asked.", [10000000000]),
    "Header.partition_size_bytes": ("Bytes of one partition.", [1249996800]),
    "Header.alignment": ("Bytes.", [4096]),
    "Header.isolation": ("exclusive or shared.", ["exclusive"]),
    "Header.monitoring_enabled": ("Whether runs write metrics and scrub sealed regions.", []),
    "Header.input_policy": ("external, lazy or preload.", ["external"]),
    "Header.output_policy": ("export, keep or discard.", ["export"]),
    "Header.objective": ("reuse or makespan.", ["reuse"]),
    "Header.target": ("The least reuse factor that was asked; null: none.", [0.8]),
    "Header.status": ("OPTIMAL, FEASIBLE, INFEASIBLE or UNKNOWN.", ["OPTIMAL"]),
    "Header.allocated": ("Bytes of all buffers, each counted once, aligned.", [5000]),
    "Header.footprint": ("The highest byte ever used, summed over partitions.", [1000]),
    "Header.peak_live": ("Most bytes alive at once.", [1000]),
    "Header.makespan": ("Seconds to the end of the last task.", [12.5]),
    "Header.problem_name": ("Name of the problem.", ["mosaic"]),
    "Header.problem_digest": ("sha256 of the canonical problem.", []),
    "Header.base": ("Folder of sources and modules, relative to the plan file.", ["."]),
    "Header.tool": ("The program that wrote the plan, and its version.", ["catalytic 0.1.0"]),
    "Pool.pool_id": ("Name of the pool.", ["rasters"]),
    "Pool.size": ("Size of its slices for people.", ["2GB"]),
    "Pool.size_bytes": ("Bytes of its slices.", [2000000000]),
    "Pool.slices": ("At most one for each partition.", []),
    "Pool.reuse_tasks": ("Tasks that write into the pool, by start.", [["project"]]),
    "Pool.data_type": ("Data type of its buffers; null: those without one.", ["image"]),
    "Pool.access": ("Access pattern of its buffers; null: those without one.", ["sequential"]),
    "Pool.lifecycle_duration": ("Seconds from the first birth to the last death in the pool.", [12.5]),
    "Slice.partition": ("Counted from 0.", [0]),
    "Slice.offset": ("Bytes from the start of the partition.", [0]),
    "Slice.size": ("Bytes.", [2000000000]),
    "Extent.partition": ("Counted from 0.", [0]),
    "Extent.offset": ("Bytes from the start of the partition.", [0]),
    "Extent.length": ("Bytes.", [4096]),
    "Region.id": ("Name of the region.", ["region_001"]),
    "Region.buffer": ("Its buffer; scratch of a task is called scratch:TASK.", ["plane"]),
    "Region.pool": ("Its pool.", ["rasters"]),
    "Region.birth": ("Seconds: the start of the writer.", [0]),
    "Region.death": ("Seconds: the end of the last reader.", [12.5]),
    "Region.extents": ("One, or several consecutive ones for a buffer larger than a partition.", []),
    "Region.seal": ("Digest that seals it; null: none.", ["sha256"]),
    "Task.id": ("The task.", ["project"]),
    "Task.start": ("Planned seconds from the start of the plan.", [0]),
    "Task.end": ("Planned seconds from the start of the plan.", [12.5]),
    "Task.partitions": ("Partitions that it writes into.", [[0]]),
    "TakeOver.region": ("The last owner of the bytes.", ["region_001"]),
    "TakeOver.bytes": ("How many of its bytes.", [4096]),
    "Event.timestamp": ("Planned seconds from the start of the plan.", [0]),
    "Event.action": ("What happens.", []),
    "Event.pool": ("Pool of the region.", ["rasters"]),
    "Event.task": ("Task that makes it happen; null: none.", ["project"]),
    "Event.memory_region": ("The region.", ["region_002"]),
    "Event.takes_over": ("Whose bytes it covers.", []),
    "Event.verification": ("What the run checks before bytes are overwritten.", ["checksum_validated"]),
    "Edge.from": ("What must have ended.", ["project"]),
    "Edge.to": ("What starts later.", ["blend"]),
    "Edge.kind": ("Why.", []),
    "Edge.via": ("The buffer, partition or resource behind it.", ["plane"]),
    "Integrity.checksum_algorithm": ("Digest of the seals; null: none.", ["sha256"]),
    "Integrity.verification_frequency": ("When seals are verified.", ["per_reuse"]),
    "Integrity.rollback_enabled": ("Whether damage is undone by running writers again.", []),
    "Integrity.isolation_barriers": ("Whether no two running tasks write into one partition.", []),
    "Bound.quantity": ("What is bounded from below: bytes, or seconds of the makespan.", []),
    "Bound.value": ("Bytes or seconds.", [1000]),
    "Bound.method": ("The argument.", ["working_set", "critical_path"]),
    "Bound.evidence": (
        "CERTIFICATE: checkable without search. EXHAUSTIVE: a search ended. SOLVER_CLAIM: a solver's word.",
        [],
    ),
    "Bound.witness": ("What a checker needs.", [{"task": "project"}]),
    "Proof.objective": ("What was asked to be best.", []),
    "Proof.target": ("The least reuse factor that was asked; null: none.", [0.8]),
    "Proof.status": ("OPTIMAL: the value equals its bound. FEASIBLE: a gap remains.", []),
    "Proof.gap": ("(value - bound) / value of the objective.", [0.0]),
    "Proof.largest_reuse_factor": ("No plan has a larger one; null when nothing is allocated.", [0.8]),
    "Proof.least_makespan": ("Seconds: no plan takes less.", [12.5]),
    "Proof.bounds": ("The best first for each quantity.", []),
    "Proof.parameters": ("Of the search.", []),
    "Proof.effort": ("What it took; absent in deterministic mode.", [{"seconds": 1.2}]),
}

_STRATEGY_KEYS: Mapping[str, tuple[str, list[Any]]] = {
    "Pebbling strategy.format": ("Name and version of the format.", []),
    "Pebbling strategy.problem_digest": ("sha256 of the canonical problem.", []),
    "Pebbling strategy.limit": ("The most bytes that were allowed; null: no limit.", [1000000]),
    "Pebbling strategy.rule": ("What made the strategy.", ["greedy"]),
    "Pebbling strategy.status": ("What is proved about it.", []),
    "Pebbling strategy.steps": ("One move a line.", [[{"compute": "a"}, {"drop": "x"}]]),
    "Pebbling strategy.profile": ("Peak, where it is, and the live bytes after each step; follows from the moves.", []),
    "Pebbling strategy.cost": ("Base and extra seconds, recomputations, bytes of input and output.", []),
    "Pebbling strategy.bounds": ("What no strategy can beat.", []),
    "Pebbling strategy.problem": ("The problem that the strategy is for.", []),
    "Timeline.pebbling_strategy": ("What made the timeline.", []),
    "Timeline.allocation_timeline": ("One entry for each buffer.", []),
    "Allocation.task_id": ("Each id once.", ["prd-2.1"]),
    "Allocation.allocation_time": ("Seconds.", [0]),
    "Allocation.deallocation_time": ("Seconds, from the allocation on.", [120]),
    "Allocation.memory_requirement": ("MB = 10^6 bytes.", [128]),
    "Allocation.data_type": ("Decides its pool. Default: the id up to its last '.' or '-'.", ["image"]),
    "TimelineHeader.algorithm": ("Its name.", ["branching-program"]),
}

_KEYS = {
    "problem": _PROBLEM_KEYS,
    "plan": _PLAN_KEYS,
    "strategy": {**_PLAN_KEYS, **_STRATEGY_KEYS},
}

_EXAMPLE = {
    "format": PROBLEM_FORMAT,
    "workspace": {"size": "100MB", "partitions": 4},
    "tasks": [
        {"id": "read", "duration": 0.4, "outputs": ["raw"]},
        {"id": "clean", "duration": 0.6, "inputs": ["raw"], "outputs": ["map"]},
    ],
    "buffers": [{"id": "raw", "size": "9MB"}, {"id": "map", "size": "3MB"}],
}

KINDS = tuple(_KEYS)
"""What there is a schema of."""


def schema(kind: str) -> Schema:
    """The JSON Schema of one of ``KINDS``, a new value each time."""
    if kind == "problem":
        return {**_whole(ProblemShape, "problem"), "examples": [_EXAMPLE]}
    if kind == "plan":
        return _with_problem(_whole(PlanShape, "plan"))
    ours, timeline = _whole(StrategyShape, "strategy"), _whole(TimelineShape, "strategy")
    steps = ours["properties"]["steps"]
    ours["properties"]["steps"] = {**steps, "items": {"oneOf": [_move(move) for move in Move]}}
    entry = timeline["$defs"]["Allocation"]["properties"]["memory_requirement"]
    for key in ("anyOf", "ge", "le"):  # pydantic has no words of JSON Schema for limits of a union
        entry.pop(key)
    entry |= {"type": "number", "minimum": 0, "maximum": MAX_BYTES // 10**6}
    return _with_problem(
        {
            "$schema": DIALECT,
            "$id": _identity(STRATEGY_FORMAT),
            "title": "Pebbling strategy or timeline",
            "description": "A strategy of ours, or the timeline form of earlier tools.",
            "if": {"required": ["allocation_timeline"]},
            "then": {"$ref": "#/$defs/Timeline"},
            "else": {"$ref": "#/$defs/Strategy"},
            "$defs": {
                **ours.pop("$defs"),
                **timeline.pop("$defs"),
                "Strategy": _inner(ours),
                "Timeline": _inner(timeline),
            },
        }
    )


def schema_text(kind: str) -> bytes:
    """The schema as the bytes of a file."""
    return write_json(schema(kind))


def _identity(name: str) -> str:
    """``$id`` of a format: a name, not a place to fetch from."""
    stem, _, version = name.partition("/")
    return f"urn:catalytic:schema:{stem}:{version}"


def _move(move: Move) -> Schema:
    """The shape of one step of a strategy."""
    lends = ["for"] if move in (Move.BORROW, Move.RESTORE) else []
    keys = [move.value, *lends]
    return {
        "type": "object",
        "properties": {key: {"type": "string"} for key in keys},
        "required": keys,
        "additionalProperties": False,
    }


def _inner(whole: Schema) -> Schema:
    """``whole`` as a part of another schema."""
    return {key: value for key, value in whole.items() if key not in ("$schema", "$id")}


def _with_problem(outer: Schema) -> Schema:
    """``outer``, whose key ``problem`` holds a problem, with the schema of problems embedded."""
    whole = schema("problem")
    for record in (outer, *outer["$defs"].values()):
        if "problem" in record.get("properties", {}):
            told = record["properties"]["problem"]
            record["properties"]["problem"] = {"$ref": whole["$id"], "description": told["description"]}
    outer["$defs"]["Problem"] = whole
    return outer


def _whole(model: type[BaseModel], kind: str) -> Schema:
    """The schema of a model of a file, its records named and described."""
    raw = model.model_json_schema(ref_template="#/$defs/{model}")
    title, description = _ABOUT[model]
    definitions = {name.removesuffix("Shape"): record for name, record in raw.pop("$defs").items()}
    stated = raw["properties"].get("format", {}).get("const")
    head: Schema = {"$schema": DIALECT}
    if stated is not None:
        head["$id"] = _identity(stated)
    head |= {"title": title, "description": description}
    raw.pop("title")
    for name, record in definitions.items():
        record["title"] = name
        record["description"] = _RECORDS[name]
        _describe(record, name, _KEYS[kind])
    _describe(raw, title, _KEYS[kind])
    named = _renamed({**head, **raw, "$defs": definitions})
    assert isinstance(named, dict)
    return named


def _describe(record: Schema, name: str, keys: Mapping[str, tuple[str, list[Any]]]) -> None:
    for key, shape in record["properties"].items():
        if keys is _PROBLEM_KEYS:
            shape |= _LIMITS.get(f"{name}.{key}", {})
        description, examples = keys[f"{name}.{key}"]
        shape["description"] = description
        if examples:
            shape["examples"] = examples


def _renamed(value: object) -> object:
    """References as the records are called here."""
    if isinstance(value, dict):
        return {
            key: item.removesuffix("Shape") if key == "$ref" and isinstance(item, str) else _renamed(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    return value
