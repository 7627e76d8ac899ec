"""The planning problem as it was asked: tasks that write and read buffers, and the workspace they must fit.

Vocabulary: a *buffer* is bytes one task writes and others read; a buffer without a writer is an *external input*;
*scratch* is a buffer whose writer and only reader are the same task. Sizes are bytes as declared; everything that
measures memory rounds them up to ``workspace.alignment``. Durations are ticks (ms), at least 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import InputError
from ..units import Bytes, Tick

if TYPE_CHECKING:
    from .graph import Graph

DEFAULT_ALIGNMENT = 4096
DEFAULT_PARTITIONS = 8
DEFAULT_WORKSPACE_SIZE = Bytes(10 * 10**9)
DEFAULT_POOL = "default"
SCRATCH_PREFIX = "scratch:"
"""Id of the scratch buffer of task ``t`` is ``scratch:t``; declared buffers may not begin so."""
LOAD_PREFIX = "load:"
"""What brings an external input ``b`` into the workspace is called ``load:b``; tasks may not begin so."""


class Isolation(StrEnum):
    """Whether running tasks may write into the same partition at the same time."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"


class InputPolicy(StrEnum):
    """Where external inputs are: outside the workspace, loaded when first read, or present from the start."""

    EXTERNAL = "external"
    LAZY = "lazy"
    PRELOAD = "preload"


class OutputPolicy(StrEnum):
    """What happens to a written buffer nobody reads: copied out, kept until the end, or only digested."""

    EXPORT = "export"
    KEEP = "keep"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Outputs are a deterministic function of the inputs' bytes; lasts the declared duration times a factor."""


@dataclass(frozen=True, slots=True)
class PythonCall:
    """``module:function``, imported with the problem's folder first on the path. ``args`` are plain JSON values."""

    target: str
    args: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A program: argument list, extra environment, and buffers bound to its standard streams.

    In ``argv`` and ``env`` values, ``{buffer-id}`` stands for the path of the staged file of that buffer.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    stdin: str | None = None
    stdout: str | None = None


Run = Synthetic | PythonCall | Command


@dataclass(frozen=True, slots=True)
class Task:
    """A unit of work. ``demands`` are (resource, amount), sorted; ``in_place`` are (output, input) permissions."""

    id: str
    duration: Tick
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    scratch: Bytes = Bytes(0)
    demands: tuple[tuple[str, int], ...] = ()
    in_place: tuple[tuple[str, str], ...] = ()
    run: Run = field(default_factory=Synthetic)
    reversible: bool = False
    timeout: Tick | None = None

    def demand(self, resource: str) -> int:
        """Amount of ``resource`` held while running. Every task holds one of ``workers`` unless it says otherwise."""
        for name, amount in self.demands:
            if name == resource:
                return amount
        return 1 if resource == "workers" else 0


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes with one writer (or none: an external input). ``export``: file name to copy to, ``""`` for the id."""

    id: str
    size: Bytes
    data_type: str | None = None
    access: str | None = None
    keep: bool = False
    export: str | None = None
    source: str | None = None

    @property
    def pool_key(self) -> tuple[str | None, str | None]:
        """(data type, access): buffers with the same key share a pool."""
        return (self.data_type, self.access)


@dataclass(frozen=True, slots=True)
class Pool:
    """All buffers of one pool key. ``size`` (bytes, all partitions) is an upper bound; None: the planner sizes it."""

    id: str
    data_type: str | None = None
    access: str | None = None
    size: Bytes | None = None

    @property
    def key(self) -> tuple[str | None, str | None]:
        return (self.data_type, self.access)


@dataclass(frozen=True, slots=True)
class Workspace:
    """The fixed memory: ``partitions`` files, each ``size // partitions`` bytes rounded down to ``alignment``."""

    size: Bytes = DEFAULT_WORKSPACE_SIZE
    partitions: int = DEFAULT_PARTITIONS
    alignment: int = DEFAULT_ALIGNMENT
    isolation: Isolation = Isolation.EXCLUSIVE

    @property
    def partition_size(self) -> Bytes:
        """Bytes of one partition."""
        return Bytes(self.size // self.partitions // self.alignment * self.alignment)

    @property
    def capacity(self) -> Bytes:
        """Usable bytes: all partitions together (at most ``size``)."""
        return Bytes(self.partition_size * self.partitions)


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done with external inputs and with unread outputs. Moves the reuse factor; every report states it."""

    inputs: InputPolicy = InputPolicy.EXTERNAL
    outputs: OutputPolicy = OutputPolicy.EXPORT


@dataclass(frozen=True)
class Problem:
    """Tasks, buffers and the workspace they must fit; construction raises ``InputError`` with every mistake.

    ``tasks``, ``buffers``, ``pools`` and ``resources`` (name, capacity) are sorted by id at construction, and so are
    a task's ``after``, ``demands``, ``in_place`` and environment, so that two equal problems are equal values.
    ``resources`` always contains ``workers``.
    """

    name: str
    tasks: tuple[Task, ...]
    buffers: tuple[Buffer, ...]
    workspace: Workspace = field(default_factory=Workspace)
    resources: tuple[tuple[str, int], ...] = (("workers", 8),)
    policy: Policy = field(default_factory=Policy)
    pools: tuple[Pool, ...] = ()

    def __post_init__(self) -> None:
        from .validate import mistakes_of

        mistakes = mistakes_of(self)
        if mistakes:
            raise InputError(self.name or "problem", mistakes)
        object.__setattr__(self, "tasks", tuple(_canonical(t) for t in self.tasks))
        for name in ("tasks", "buffers", "pools"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=lambda item: item.id)))
        object.__setattr__(self, "resources", tuple(sorted(self.resources)))

    @cached_property
    def graph(self) -> Graph:
        """Derived relations: writers, readers, predecessors, resident buffers. Built once."""
        from .graph import Graph

        return Graph(self)

    def capacity_of(self, resource: str) -> int:
        """Capacity of a renewable resource; ``KeyError`` for an unknown one."""
        return dict(self.resources)[resource]


def _canonical(t: Task) -> Task:
    """``t`` with what has no order of its own sorted."""
    run = replace(t.run, env=tuple(sorted(t.run.env))) if isinstance(t.run, Command) and t.run.env else t.run
    after, demands, in_place = tuple(sorted(set(t.after))), tuple(sorted(t.demands)), tuple(sorted(t.in_place))
    if (run, after, demands, in_place) == (t.run, t.after, t.demands, t.in_place):
        return t
    return replace(t, run=run, after=after, demands=demands, in_place=in_place)
