"""What a worker is told (``Assignment``) and what it answers (``Answer``): the language between the two processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from catalytic.solver.problem import Run

from .mapping import Piece
from .seal import Binding, Damage, Seal


@dataclass(frozen=True, slots=True)
class Load:
    """Bring in an external input: copy ``source``, or without one generate bytes from the buffer's id and length."""

    source: Path | None


@dataclass(frozen=True, slots=True)
class Input:
    """A buffer to be mapped read-only. ``seal`` is what its bytes must be; ``learn``: digest it, nobody has yet.

    ``path``: the file that holds nothing else, where there is one; ``external``: that file is the user's.
    """

    buffer: str
    pieces: tuple[Piece, ...]
    length: int
    binding: Binding
    seal: Seal | None = None
    learn: str | None = None
    path: Path | None = None
    external: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A buffer to be mapped writable. ``algorithm`` seals it (None: no seal); ``final``: digest its content for the

    report. ``export``: file to copy it to before the execution counts as done. ``staged``: create this file for it.
    ``in_place``: shares bytes with an input, so nothing may be written into it before the task runs.
    """

    buffer: str
    pieces: tuple[Piece, ...]
    size: int
    binding: Binding
    algorithm: str | None = None
    final: bool = False
    export: Path | None = None
    staged: bool = False
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """One sealed chunk: its number, where its bytes are (two pieces where partitions meet), and its digest."""

    number: int
    pieces: tuple[Piece, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Sealed chunks of a buffer nobody needs any more, all inside the bytes that are about to be overwritten."""

    buffer: str
    algorithm: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Arena:
    """The partition files, in order, and the size of each in bytes."""

    partitions: tuple[Path, ...]
    partition_size: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one execution. ``lasts_s``: how long a synthetic kernel takes. ``pattern``: fill outputs first."""

    execution: str
    epoch: int
    run: Run | Load
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    scratch: Output | None
    dead: tuple[Dead, ...]
    base: Path
    staging: Path
    lasts_s: float
    pattern: bool = False
    durable: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What an output became. ``content``: sha256 of a final output's bytes."""

    length: int
    seal: Seal | None
    content: str | None = None
    exported: Path | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What an execution took: seconds by activity, bytes by activity."""

    task_s: float = 0.0
    seal_s: float = 0.0
    verify_s: float = 0.0
    sealed: int = 0
    staged: int = 0
    exported: int = 0
    verifications: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The execution succeeded; nothing counts before the coordinator has recorded it."""

    execution: str
    outputs: Mapping[str, Written]
    learned: Mapping[str, Seal]
    costs: Costs


class FailureKind(StrEnum):
    """Why an execution failed, for programs; the message is for people."""

    EXCEPTION = "exception"
    EXIT_STATUS = "exit-status"
    WROTE_INTO_INPUT = "wrote-into-input"
    OUT_OF_BOUNDS = "out-of-bounds"
    LATE_USE = "late-use"
    UNWRITTEN = "unwritten"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"
    STORAGE = "storage"
    SOURCE = "source"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Failure:
    """The execution failed: one line why, one line what to do."""

    execution: str
    kind: FailureKind
    message: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A seal did not match before the task ran. ``role`` is input, source or dead; nothing was written."""

    execution: str
    buffer: str
    role: str
    damage: Damage


@dataclass(frozen=True, slots=True)
class Progress:
    """The task says how far it is: a fraction from 0 to 1."""

    execution: str
    fraction: float


@dataclass(frozen=True, slots=True)
class LastWords:
    """A worker's message from within a memory fault: it dies after this."""

    failure: Failure


Answer = Done | Failure | Damaged | Progress


class TaskError(Exception):
    """A failure with a name of its own, on its way to becoming a ``Failure``."""

    def __init__(self, kind: FailureKind, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.kind, self.message, self.next_step = kind, message, next_step
