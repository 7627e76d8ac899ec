"""The problem file, ``catalytic-problem/1``.

::

    {"format": "catalytic-problem/1", "name": "mosaic",
     "workspace": {"size": "10GB", "partitions": 8, "alignment": 4096, "isolation": "exclusive"},
     "resources": {"workers": 2, "cpu": 2},
     "policy": {"inputs": "external", "outputs": "export"},
     "pools": [{"id": "rasters", "data_type": "image", "access": "sequential", "size": "2GB"}],
     "tasks": [{"id": "project", "duration": 12.5, "timeout": 60, "after": [], "inputs": ["tile"], "outputs": ["plane"],
                "scratch": "64MB", "demands": {"cpu": 1}, "in_place": {"plane": "tile"}, "reversible": false,
                "run": {"python": "steps:project", "args": {"zoom": 2}}}],
     "buffers": [{"id": "tile", "size": "250MB", "source": "data/tile.raw"},
                 {"id": "plane", "size": "250MB", "data_type": "image", "keep": false, "export": "planes/p1.raw"}]}

Required: ``format``; of a task ``id`` and ``duration``; of a buffer ``id`` and ``size``. Defaults: workers = the
cores of this machine, isolation ``shared`` with one partition and ``exclusive`` otherwise, ``run`` synthetic, name =
the file's name. ``run`` is ``"synthetic"``, ``{"synthetic": true}``, ``{"python": "module:function", "args": {}}`` or
``{"command": [...], "env": {}, "stdin": id, "stdout": id}``. ``"export": true`` uses the buffer's id as file name.

The canonical form states every default of the workspace, the resources and the policy (a file that was read on one
machine means the same on another), omits those of tasks and buffers, and writes sizes as integers of bytes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import InputError, Mistake
from ..problem import (
    DEFAULT_ALIGNMENT,
    DEFAULT_PARTITIONS,
    DEFAULT_WORKSPACE_SIZE,
    Buffer,
    Command,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Pool,
    Problem,
    PythonCall,
    Run,
    Synthetic,
    Task,
    Workspace,
)
from ..units import Bytes, Tick, to_seconds
from .border import Duration, Shape, Size, check_shape
from .json_text import describe, digest_json, parse_json, plain, read_bytes, spelled_out, write_json

PROBLEM_FORMAT = "catalytic-problem/1"

Names = Annotated[list[str], Field(default_factory=list)]
Amounts = Annotated[dict[str, int], Field(default_factory=dict)]
Texts = Annotated[dict[str, str], Field(default_factory=dict)]
Free = Annotated[dict[str, Any], Field(default_factory=dict)]


class WorkspaceShape(Shape):
    size: Size = DEFAULT_WORKSPACE_SIZE
    partitions: int = DEFAULT_PARTITIONS
    alignment: Size = DEFAULT_ALIGNMENT
    isolation: Literal["exclusive", "shared"] | None = None


class PolicyShape(Shape):
    inputs: Literal["external", "lazy", "preload"] = "external"
    outputs: Literal["export", "keep", "discard"] = "export"


class PoolShape(Shape):
    id: str
    data_type: str | None = None
    access: str | None = None
    size: Size | None = None


class PythonShape(Shape):
    python: str
    args: Free


class CommandShape(Shape):
    command: list[str]
    env: Texts
    stdin: str | None = None
    stdout: str | None = None


class SyntheticShape(Shape):
    synthetic: Literal[True]


_RUN_FORM = '"synthetic", {"python": "module:function"} or {"command": ["program", "argument"]}'


def _kind_of_run(value: object) -> str | None:
    if value == "synthetic":
        return "<word>"
    if isinstance(value, Mapping):
        kinds = [name for name in ("python", "command", "synthetic") if name in value]
        if len(kinds) == 1:
            return f"<{kinds[0].capitalize()}Shape>"
    return None


_RunShape = Annotated[
    Annotated[PythonShape, Tag("<PythonShape>")]
    | Annotated[CommandShape, Tag("<CommandShape>")]
    | Annotated[SyntheticShape, Tag("<SyntheticShape>")]
    | Annotated[Literal["synthetic"], Tag("<word>")],
    Discriminator(
        _kind_of_run,
        custom_error_type="catalytic",
        custom_error_message="run",
        custom_error_context={"found": "no known kind of run", "allowed": _RUN_FORM},
    ),
]


_EXPORT_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, {"const": True}]}


def _export(value: object) -> object:
    if value is True:
        return ""
    if not isinstance(value, str):
        context = {"found": describe(value), "allowed": "a file name, or true for the buffer's id"}
        raise PydanticCustomError("catalytic", "export", context)
    return value


class TaskShape(Shape):
    id: str
    duration: Duration
    timeout: Duration | None = None
    after: Names
    inputs: Names
    outputs: Names
    scratch: Size = 0
    demands: Amounts
    in_place: Texts
    reversible: bool = False
    run: _RunShape = "synthetic"


class BufferShape(Shape):
    id: str
    size: Size
    data_type: str | None = None
    access: str | None = None
    keep: bool = False
    export: Annotated[str, BeforeValidator(_export), WithJsonSchema(_EXPORT_SCHEMA)] | None = None
    source: str | None = None


class ProblemShape(Shape):
    format: Literal["catalytic-problem/1"]
    name: str | None = None
    workspace: WorkspaceShape = WorkspaceShape()
    resources: Amounts
    policy: PolicyShape = PolicyShape()
    pools: Annotated[list[PoolShape], Field(default_factory=list)]
    tasks: list[TaskShape]
    buffers: Annotated[list[BufferShape], Field(default_factory=list)]


def load_problem(path: Path) -> Problem:
    """The problem in ``path``; ``InputError`` with every mistake of the file."""
    return parse_problem(read_bytes(path), str(path))


def parse_problem(data: bytes, origin: str) -> Problem:
    """The problem in ``data``. ``origin`` is named in errors, and its stem is the name of a problem that has none."""
    return problem_from(parse_json(data, origin), origin)


def problem_from(document: Mapping[str, object], origin: str) -> Problem:
    """The problem that a JSON document states; ``InputError`` with every mistake of shape and of content."""
    refuse_other_format(document, PROBLEM_FORMAT, origin)
    try:
        shape = check_shape(ProblemShape, document, origin)
    except InputError as error:
        raise InputError(origin, [*error.mistakes, *_mistakes_of_the_rest(document, error, origin)]) from None
    try:
        return _problem(shape, origin)
    except InputError as error:
        raise InputError(origin, error.mistakes) from None


def refuse_other_format(document: Mapping[str, object], expected: str, origin: str) -> None:
    """``InputError`` when ``document`` says that it is something else, or of another version."""
    found = document.get("format", expected)
    if found == expected:
        return
    stem, _, version = expected.partition("/")
    hint = ""
    if isinstance(found, str) and found.partition("/")[0] == stem:
        hint = f"this program reads version {version}"
    elif stem == "catalytic-execution":
        hint = "`catalytic plan` makes a plan of a problem"
    raise InputError(origin, [Mistake("format", describe(found), repr(expected), hint)])


def _mistakes_of_the_rest(document: Mapping[str, object], error: InputError, origin: str) -> tuple[Mistake, ...]:
    """Mistakes of content in a document whose shape is wrong in places that do not hide any others.

    Unknown keys are read as what they were probably meant to be, or left out; misshapen sizes and durations are
    replaced. If the shape is wrong elsewhere (a missing id, say), what depends on it cannot be judged and nothing is
    claimed.
    """
    repaired = plain(document)
    stand_in = {"size": 1, "duration": 1, "scratch": 0, "timeout": 1, "alignment": DEFAULT_ALIGNMENT}
    for mistake in error.mistakes:
        keys = mistake.path.replace("]", "").replace("[", ".").split(".")
        record: Any = repaired
        for key in keys[:-1]:
            record = record[int(key)] if isinstance(record, list) else record.get(key)
            if not isinstance(record, (dict, list)):
                return ()
        if not isinstance(record, dict):
            return ()
        if mistake.found == "an unknown key":
            meant = mistake.hint.removeprefix("did you mean '").removesuffix("'?")
            value = record.pop(keys[-1], None)
            if meant:
                record.setdefault(meant, value)
        elif keys[-1] in stand_in:
            record[keys[-1]] = DEFAULT_WORKSPACE_SIZE if keys[0] == "workspace" else stand_in[keys[-1]]
        else:
            return ()
    assert isinstance(repaired, dict)
    try:
        shape = check_shape(ProblemShape, repaired, origin)
    except InputError:
        return ()
    try:
        _problem(shape, origin)
    except InputError as rest:
        return rest.mistakes
    return ()


def _problem(shape: ProblemShape, origin: str) -> Problem:
    w = shape.workspace
    isolation = w.isolation or ("shared" if w.partitions == 1 else "exclusive")
    resources = {"workers": os.cpu_count() or 1, **shape.resources}
    return Problem(
        name=shape.name if shape.name is not None else spelled_out(Path(origin).stem),
        tasks=tuple(_task(t) for t in shape.tasks),
        buffers=tuple(
            Buffer(b.id, Bytes(b.size), b.data_type, b.access, b.keep, b.export, b.source) for b in shape.buffers
        ),
        workspace=Workspace(Bytes(w.size), w.partitions, w.alignment, Isolation(isolation)),
        resources=tuple(sorted(resources.items())),
        policy=Policy(InputPolicy(shape.policy.inputs), OutputPolicy(shape.policy.outputs)),
        pools=tuple(
            Pool(p.id, p.data_type, p.access, Bytes(p.size) if p.size is not None else None) for p in shape.pools
        ),
    )


def _task(t: TaskShape) -> Task:
    return Task(
        id=t.id,
        duration=Tick(t.duration),
        inputs=tuple(t.inputs),
        outputs=tuple(t.outputs),
        after=tuple(t.after),
        scratch=Bytes(t.scratch),
        demands=tuple(sorted(t.demands.items())),
        in_place=tuple(sorted(t.in_place.items())),
        run=_run(t.run),
        reversible=t.reversible,
        timeout=Tick(t.timeout) if t.timeout is not None else None,
    )


def _run(shape: PythonShape | CommandShape | SyntheticShape | str) -> Run:
    if isinstance(shape, PythonShape):
        return PythonCall(shape.python, dict(shape.args))
    if isinstance(shape, CommandShape):
        return Command(tuple(shape.command), tuple(sorted(shape.env.items())), shape.stdin, shape.stdout)
    return Synthetic()


def dump_problem(problem: Problem) -> bytes:
    """Canonical bytes: ``parse_problem`` gives the problem back, and equal problems give equal bytes."""
    return write_json(problem_document(problem))


def problem_digest(problem: Problem) -> str:
    """``sha256:<hex>`` of the canonical form."""
    return digest_json(problem_document(problem))


def problem_document(problem: Problem) -> dict[str, object]:
    """The canonical JSON document of ``problem``."""
    w = problem.workspace
    return {
        "format": PROBLEM_FORMAT,
        "name": problem.name,
        "workspace": {
            "size": w.size,
            "partitions": w.partitions,
            "alignment": w.alignment,
            "isolation": w.isolation.value,
        },
        "resources": dict(problem.resources),
        "policy": {"inputs": problem.policy.inputs.value, "outputs": problem.policy.outputs.value},
        "pools": [
            _stated({"id": p.id, "data_type": p.data_type, "access": p.access, "size": p.size}) for p in problem.pools
        ],
        "tasks": [_task_document(t) for t in problem.tasks],
        "buffers": [_buffer_document(b) for b in problem.buffers],
    }


def _stated(record: Mapping[str, object]) -> dict[str, object]:
    """``record`` without the keys that are unknown (None)."""
    return {key: value for key, value in record.items() if value is not None}


def _without_defaults(record: Mapping[str, object]) -> dict[str, object]:
    """``record`` without what says nothing about a task: None, empty, zero and False."""
    return {key: value for key, value in record.items() if value}


def _task_document(t: Task) -> dict[str, object]:
    return {"id": t.id, "duration": to_seconds(t.duration)} | _without_defaults(
        {
            "timeout": to_seconds(t.timeout) if t.timeout is not None else None,
            "after": list(t.after),
            "inputs": list(t.inputs),
            "outputs": list(t.outputs),
            "scratch": t.scratch,
            "demands": dict(t.demands),
            "in_place": dict(t.in_place),
            "reversible": t.reversible,
            "run": _run_document(t.run),
        }
    )


def _run_document(run: Run) -> dict[str, object] | None:
    match run:
        case PythonCall(target, args):
            return {"python": target} | _without_defaults({"args": plain(args)})
        case Command(argv, env, stdin, stdout):
            return {"command": list(argv)} | _stated({"env": dict(env) or None, "stdin": stdin, "stdout": stdout})
        case Synthetic():
            return None


def _buffer_document(b: Buffer) -> dict[str, object]:
    return {"id": b.id, "size": b.size} | _stated(
        {
            "data_type": b.data_type,
            "access": b.access,
            "keep": True if b.keep else None,
            "export": True if b.export == "" else b.export,
            "source": b.source,
        }
    )
