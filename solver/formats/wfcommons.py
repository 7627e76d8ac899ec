"""WfCommons workflow instances (wfformat 1.5 and 1.6) as problems; and problems as instances (1.5).

A file of the workflow is a buffer, a task a task; ``runtimeInSeconds`` is its duration, rounded up to milliseconds.
A file of zero bytes stays an edge without a region. ``parents`` and ``children`` that no file implies become
``after``. ``memoryInBytes`` becomes the demand ``memory``, never scratch, unless that is asked for. ``coreCount`` is
left out unless asked for: the cores of the machine that was measured say nothing about the workers here.

1.6 differs from 1.5 by optional metrics only. 1.4 and older have another layout and are refused. Keys without a
meaning here are ignored and counted. Errors carry the path in the file that was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from ..errors import InputError, Mistake
from ..problem import Buffer, Policy, Problem, Synthetic, Task, Workspace
from ..problem.validate import did_you_mean
from ..units import MAX_BYTES, MAX_TICKS, Bytes, Tick, format_size
from .border import check_shape
from .foreign import (
    DEFAULT_WORKERS,
    ForeignShape,
    Imported,
    refuse_scales,
    said_of_scales,
    scaled_size,
    scaled_ticks,
)
from .json_text import describe, parse_json, read_bytes, spelled_out, write_json
from .reading import unpacked

VERSIONS = ("1.5", "1.6")


Names = Annotated[list[str], Field(default_factory=list)]
Number = Annotated[int | float, Field(ge=0)]
Whole = Annotated[int, Field(ge=0)]


class SpecifiedTaskShape(ForeignShape):
    id: str
    name: str | None = None
    parents: Names
    children: Names
    input_files: Names = Field(alias="inputFiles", default_factory=list)
    output_files: Names = Field(alias="outputFiles", default_factory=list)


class FileShape(ForeignShape):
    id: str
    size: Whole = Field(alias="sizeInBytes")


class SpecificationShape(ForeignShape):
    tasks: list[SpecifiedTaskShape]
    files: Annotated[list[FileShape], Field(default_factory=list)]


class ExecutedTaskShape(ForeignShape):
    id: str
    runtime: Number | None = Field(alias="runtimeInSeconds", default=None)
    memory: Number | None = Field(alias="memoryInBytes", default=None)
    cores: Number | None = Field(alias="coreCount", default=None)


class CpuShape(ForeignShape):
    cores: Number | None = Field(alias="coreCount", default=None)


class MachineShape(ForeignShape):
    memory: Number | None = Field(alias="memoryInBytes", default=None)
    cpu: CpuShape | None = None


class ExecutionShape(ForeignShape):
    tasks: Annotated[list[ExecutedTaskShape], Field(default_factory=list)]
    machines: Annotated[list[MachineShape], Field(default_factory=list)]


class WorkflowShape(ForeignShape):
    specification: SpecificationShape
    execution: ExecutionShape | None = None


class InstanceShape(ForeignShape):
    name: str | None = None
    schema_version: str = Field(alias="schemaVersion")
    workflow: WorkflowShape


def is_wfcommons(document: Mapping[str, object]) -> bool:
    """Whether a JSON object is an instance of any version."""
    return "schemaVersion" in document and "workflow" in document


def import_wfcommons(
    path: Path,
    *,
    scale_sizes: float = 1.0,
    scale_time: float = 1.0,
    workspace: Workspace | None = None,
    policy: Policy | None = None,
    workers: int = DEFAULT_WORKERS,
    scratch_from_memory: bool = False,
    cores_as_demand: bool = False,
) -> Imported:
    """The workflow in ``path`` (``.json`` or ``.json.gz``) as a problem.

    Sizes are multiplied by ``scale_sizes`` and rounded up, at least 1 byte unless the file says 0; durations by
    ``scale_time``. The demand ``memory`` is not scaled: it is memory of the machine, not of the workspace.
    Raises ``InputError`` with every mistake of the file.
    """
    origin = str(path)
    refuse_scales(scale_sizes, scale_time)
    document = parse_json(unpacked(read_bytes(path), origin), origin)
    found = document.get("schemaVersion")
    if found not in VERSIONS:
        allowed = " or ".join(map(repr, VERSIONS))
        hint = "1.4 and older have another layout; the WfCommons tools migrate them" if isinstance(found, str) else ""
        what = describe(found) if found is not None else "nothing"
        raise InputError(origin, [Mistake("schemaVersion", what, allowed, hint)])
    shape = check_shape(InstanceShape, document, origin)
    specification = shape.workflow.specification
    execution = shape.workflow.execution or ExecutionShape.model_validate({})
    mistakes = [*_unknown_names(specification, execution)]
    if mistakes:
        raise InputError(origin, mistakes)

    measured = {t.id: t for t in execution.tasks}
    memory = {t: int(m.memory) for t, m in measured.items() if m.memory}
    cores = {t: int(m.cores) for t, m in measured.items() if m.cores and m.cores >= 1}
    resources = {"workers": workers}
    assumed = list(_assumptions(shape, scale_sizes, scale_time))
    machine_memory = max((int(m.memory) for m in execution.machines if m.memory), default=0)
    if memory and not scratch_from_memory:
        # A capacity that nobody measured must not bind: what one task needed says nothing about the machine.
        resources["memory"] = max(machine_memory or workers * max(memory.values()), *memory.values())
        if machine_memory == resources["memory"]:
            whose = "the largest machine's"
        else:
            whose = "the largest task's" if machine_memory else "all workers' need: no machine states its own"
        assumed.append(
            f"memoryInBytes (of {len(memory)} tasks) is the demand 'memory' against {format_size(resources['memory'])} "
            f"({whose}); it takes no workspace"
        )
    if memory and scratch_from_memory:
        assumed.append(f"memoryInBytes (of {len(memory)} tasks) is their scratch")
    if cores and cores_as_demand:
        machine_cores = max((int(m.cpu.cores) for m in execution.machines if m.cpu and m.cpu.cores), default=0)
        resources["cores"] = max(machine_cores, *cores.values())
        assumed.append(f"coreCount (of {len(cores)} tasks) is the demand 'cores' against {resources['cores']}")
    elif cores:
        assumed.append(f"coreCount (of {len(cores)} tasks) is not a demand: every task takes one of {workers} workers")

    after = _after(specification)
    tasks = tuple(
        Task(
            id=t.id,
            duration=_duration(measured[t.id].runtime if t.id in measured else None, scale_time),
            inputs=tuple(dict.fromkeys(t.input_files)),
            outputs=tuple(dict.fromkeys(t.output_files)),
            after=after[t.id],
            scratch=scaled_size(memory.get(t.id, 0), scale_sizes) if scratch_from_memory else Bytes(0),
            demands=tuple(
                (name, amounts[t.id])
                for name, amounts in (("cores", cores), ("memory", memory))
                if name in resources and t.id in amounts
            ),
        )
        for t in specification.tasks
    )
    try:
        problem = Problem(
            name=shape.name or spelled_out(path.name.removesuffix(".gz").removesuffix(".json")),
            tasks=tasks,
            buffers=tuple(Buffer(f.id, scaled_size(f.size, scale_sizes)) for f in specification.files),
            workspace=workspace or Workspace(),
            resources=tuple(sorted(resources.items())),
            policy=policy or Policy(),
        )
    except InputError as error:
        raise InputError(origin, [_in_the_foreign_file(m) for m in error.mistakes]) from None
    assumed.append(
        f"external inputs ({len(problem.graph.external)} files, "
        f"{format_size(sum(problem.graph.buffer[b].size for b in problem.graph.external))}) follow the policy "
        f"'{problem.policy.inputs}', unread outputs the policy '{problem.policy.outputs}'"
    )
    return Imported(problem, tuple(assumed))


def _unknown_names(specification: SpecificationShape, execution: ExecutionShape) -> Iterator[Mistake]:
    """Names that nothing answers to, and tasks that were executed twice or never specified."""
    tasks = {t.id for t in specification.tasks}
    files = {f.id for f in specification.files}
    for index, t in enumerate(specification.tasks):
        for key, names, known, kind in (
            ("parents", t.parents, tasks, "task"),
            ("children", t.children, tasks, "task"),
            ("inputFiles", t.input_files, files, "file"),
            ("outputFiles", t.output_files, files, "file"),
        ):
            for i, name in enumerate(names):
                if name not in known:
                    path = f"workflow.specification.tasks[{index}].{key}[{i}]"
                    yield Mistake(path, repr(name), f"the id of a {kind}", did_you_mean(name, known))
    seen: set[str] = set()
    for index, m in enumerate(execution.tasks):
        path = f"workflow.execution.tasks[{index}]"
        if m.id not in tasks:
            yield Mistake(f"{path}.id", repr(m.id), "the id of a specified task", did_you_mean(m.id, tasks))
        if m.id in seen:
            yield Mistake(f"{path}.id", repr(m.id), "each task once")
        seen.add(m.id)
        if m.runtime is not None and m.runtime * 1000 > MAX_TICKS:
            yield Mistake(f"{path}.runtimeInSeconds", str(m.runtime), f"0 to {MAX_TICKS // 1000} seconds")
        if m.memory is not None and m.memory > MAX_BYTES:
            yield Mistake(f"{path}.memoryInBytes", str(m.memory), f"0 to {MAX_BYTES} bytes")


def _after(specification: SpecificationShape) -> dict[str, tuple[str, ...]]:
    """Task id -> parents that no file implies."""
    writer = {name: t.id for t in specification.tasks for name in t.output_files}
    parents: dict[str, set[str]] = {t.id: set(t.parents) for t in specification.tasks}
    for t in specification.tasks:
        for child in t.children:
            parents[child].add(t.id)
    return {
        t.id: tuple(sorted(parents[t.id] - {writer.get(name) for name in t.input_files}))
        for t in specification.tasks
    }  # fmt: skip


def _duration(seconds: float | None, scale: float) -> Tick:
    return scaled_ticks(Decimal(str(1 if seconds is None else seconds)) * 1000, scale)


def _assumptions(shape: InstanceShape, scale_sizes: float, scale_time: float) -> Iterator[str]:
    specification = shape.workflow.specification
    execution = shape.workflow.execution or ExecutionShape.model_validate({})
    runtimes = {t.id: t.runtime for t in execution.tasks}
    unknown = sum(runtimes.get(t.id) is None for t in specification.tasks)
    if unknown:
        yield f"tasks that state no runtime ({unknown}) last 1 s"
    instant = sum(runtimes.get(t.id) == 0 for t in specification.tasks)
    if instant:
        yield f"tasks that took no measurable time ({instant}) last 1 ms"
    empty = sum(f.size == 0 for f in specification.files)
    if empty:
        yield f"files of zero bytes ({empty}) are edges without a region"
    extra = sum(len(names) for names in _after(specification).values())
    if extra:
        yield f"dependencies that no file implies ({extra}) are kept as 'after'"
    yield from said_of_scales(scale_sizes, scale_time)
    records = (shape, shape.workflow, specification, execution)
    ignored = _ignored([*records, *specification.tasks, *specification.files, *execution.tasks, *execution.machines])
    if ignored:
        named = ", ".join(f"{key} ({count})" for key, count in sorted(ignored.items()))
        yield f"ignored: {named}"


def _ignored(records: Sequence[BaseModel]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for record in records:
        for key in record.model_extra or {}:
            counts[key] = counts.get(key, 0) + 1
    return counts


_FOREIGN = (
    (re.compile(r"\btasks\["), "workflow.specification.tasks["),
    (re.compile(r"\bbuffers\["), "workflow.specification.files["),
    (re.compile(r"\.inputs\b"), ".inputFiles"),
    (re.compile(r"\.outputs\b"), ".outputFiles"),
    (re.compile(r"\.after\[\d+\]"), ".parents"),
    (re.compile(r"(files\[\d+\])\.size"), r"\1.sizeInBytes"),
)


def _in_the_foreign_file(mistake: Mistake) -> Mistake:
    """``mistake`` with the paths that the file which was read uses. Tasks and files stand in the same order in both."""
    texts = [mistake.path, mistake.allowed, mistake.hint]
    for pattern, foreign in _FOREIGN:
        texts = [pattern.sub(foreign, text) for text in texts]
    return Mistake(texts[0], mistake.found, texts[1], texts[2])


_UNSAFE = re.compile(r"[^0-9a-zA-Z\-_.]")
_NEVER = "1970-01-01T00:00:00Z"


def dump_wfcommons(problem: Problem, *, makespan: Tick, version: str) -> tuple[bytes, tuple[str, ...]]:
    """``problem`` as an instance of wfformat 1.5, and what of it such an instance cannot say, one sentence each.

    ``makespan``: of the plan, or what no plan undercuts. ``version``: of this program. The demand ``memory`` is written
    as ``memoryInBytes``, the demand ``cores`` as ``coreCount``, and their capacities as one machine.
    """
    tasks, files = _safe_ids([t.id for t in problem.tasks]), _safe_ids([b.id for b in problem.buffers])
    before = problem.graph.predecessors
    after: dict[str, list[str]] = {t.id: [] for t in problem.tasks}
    for t, names in before.items():
        for name in names:
            after[name].append(t)
    specified = [
        {
            "name": t.id,
            "id": tasks[t.id],
            "parents": sorted(tasks[name] for name in before[t.id]),
            "children": sorted(tasks[name] for name in after[t.id]),
            "inputFiles": [files[b] for b in t.inputs],
            "outputFiles": [files[b] for b in t.outputs],
        }
        for t in problem.tasks
    ]
    executed = [
        {"id": tasks[t.id], "runtimeInSeconds": t.duration / 1000, **_used(t), "machines": [_MACHINE]}
        for t in problem.tasks
    ]
    document = {
        "name": problem.name or "problem",
        "description": "Durations and the makespan are planned, not measured.",
        "schemaVersion": "1.5",
        "runtimeSystem": {"name": "catalytic", "version": version},
        "workflow": {
            "specification": {
                "tasks": specified,
                "files": [{"id": files[b.id], "sizeInBytes": int(b.size)} for b in problem.buffers],
            },
            "execution": {
                "makespanInSeconds": makespan / 1000,
                "executedAt": _NEVER,
                "tasks": executed,
                "machines": [_machine(problem)],
            },
        },
    }
    return write_json(document), tuple(_unsaid(problem, {**tasks, **files}))


_MACHINE = "planned"
_MEASURES = {"memory": "memoryInBytes", "cores": "coreCount"}
"""Demand -> what a task of an instance states of it."""


def _used(t: Task) -> dict[str, int]:
    return {_MEASURES[name]: amount for name, amount in t.demands if name in _MEASURES and amount}


def _machine(problem: Problem) -> dict[str, object]:
    """One machine with the capacities of the problem."""
    capacity = dict(problem.resources)
    machine: dict[str, object] = {"nodeName": _MACHINE}
    if "memory" in capacity:
        machine["memoryInBytes"] = capacity["memory"]
    if "cores" in capacity:
        machine["cpu"] = {"coreCount": capacity["cores"]}
    return machine


def _safe_ids(names: Sequence[str]) -> dict[str, str]:
    """Each name -> an id of letters, digits and ``-_.``, as the format wants; names that are such ids stay."""
    taken = {name for name in names if not _UNSAFE.search(name)}
    ids = {}
    for name in names:
        safe = stem = _UNSAFE.sub("_", name)
        number = 1
        while safe != name and safe in taken:
            number += 1
            safe = f"{stem}_{number}"
        taken.add(safe)
        ids[name] = safe
    return ids


def _unsaid(problem: Problem, ids: Mapping[str, str]) -> Iterator[str]:
    """What an instance has no words for, as far as this problem uses it."""
    renamed = sum(name != safe for name, safe in ids.items())
    if renamed:
        yield f"ids with characters that the format does not allow ({renamed}) are written with '_' in their place"
    others = sorted({name for t in problem.tasks for name, _ in t.demands} - {*_MEASURES, "workers"})
    if others:
        yield f"left out: demands of {', '.join(others)}"
    counts = {
        "scratch": sum(t.scratch > 0 for t in problem.tasks),
        "in-place permissions": sum(bool(t.in_place) for t in problem.tasks),
        "what tasks run": sum(not isinstance(t.run, Synthetic) for t in problem.tasks),
        "pools of buffers": sum(b.pool_key != (None, None) for b in problem.buffers),
    }
    for what, count in counts.items():
        if count:
            yield f"left out: {what} ({count})"
    yield "left out: the workspace, the number of workers, and the policies for inputs and outputs"
