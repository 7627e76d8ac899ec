"""What a run is asked (``RunOptions``) and what it answers (``RunReport``, ``VerifyReport``, ``StatusReport``).

These types are the border between the runtime and everything that calls it; they hold plain values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from catalytic.solver.units import Bytes


class Durability(StrEnum):
    """What a committed execution survives: the end of every process, or the loss of power as well (costs a sync)."""

    PROCESS = "process"
    FULL = "full"


class Scrub(StrEnum):
    """What happens to a region before its writer starts: nothing, or a fixed pattern (exposes unwritten outputs)."""

    NONE = "none"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to execute a plan.

    ``base``: folder that ``source`` files and Python modules are relative to. ``output_dir``: where exports go.
    ``workers``: worker processes (None: the problem's capacity, at most the plan needs). ``time_factor``: multiplies
    the duration of synthetic kernels. ``task_timeout_s``: limit of tasks that set none (None: none).
    ``force``: replace existing exported files. ``discard``: drop kept buffers of another run.
    ``repair_spill``: repairs that do not fit the footprint may use a temporary file outside.
    ``scrub_interval_s``: re-verify sealed living regions periodically (None: never). ``retries``: how often an
    execution whose worker was killed from outside is tried again. ``grace_s``: time between asking a task to stop,
    terminating it and killing it.
    """

    base: Path
    output_dir: Path
    workers: int | None = None
    time_factor: float = 1.0
    task_timeout_s: float | None = None
    force: bool = False
    discard: bool = False
    repair_spill: bool = False
    scrub: Scrub = Scrub.NONE
    scrub_interval_s: float | None = None
    executor: str = "processes"
    durability: Durability = Durability.PROCESS
    retries: int = 2
    grace_s: float = 2.0


class RunStatus(StrEnum):
    """How a run ended. INTERRUPTED runs can be resumed."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """One failed task: why, in one line, and what to do about it."""

    task: str
    kind: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class MeasuredTask:
    """What one committed execution took: seconds, and the committed length of each output in bytes."""

    task: str
    seconds: float
    lengths: Mapping[str, Bytes]
    scratch_used: Bytes | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """Result of ``execute`` or ``resume``.

    ``results``: sha256 (hex) of the content of every exported, kept or discarded final output, keyed by buffer id;
    equal between runs with and without reuse (promise P8). ``blocked``: tasks not run because of a failure.
    ``executed`` counts executions of this process, ``already_done`` those a resume found committed. ``exports``: the
    exported files that are there now, by whichever attempt.
    """

    run_id: str
    status: RunStatus
    results: Mapping[str, str]
    failures: tuple[TaskFailure, ...]
    blocked: tuple[str, ...]
    executed: int
    already_done: int
    repaired: tuple[str, ...]
    wall_s: float
    task_s: float
    seal_s: float
    verify_s: float
    bytes_written: int
    bytes_reused: int
    bytes_sealed: int
    bytes_staged: int
    bytes_exported: int
    verifications: int
    peak_rss: int | None = None
    measured: tuple[MeasuredTask, ...] = ()
    notes: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DamagedRegion:
    """A sealed region whose bytes do not match."""

    region: str
    buffer: str
    chunk: int
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What ``verify`` found: sealed living regions and bytes checked, and every damaged one."""

    run_id: str | None
    regions: int
    bytes: int
    damaged: tuple[DamagedRegion, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class RegionOwner:
    """One owner of a byte range over time, from the journal (or from the plan when it has not happened yet)."""

    region: str
    buffer: str
    task: str | None
    state: str
    since: str | None
    bytes: int


@dataclass(frozen=True, slots=True)
class StatusReport:
    """State of a workspace: its geometry, the last run, counts by task state, and who owns it now."""

    path: Path
    size: int
    partitions: int
    alignment: int
    integrity: bool
    reuse_pools: bool
    run_id: str | None
    run_state: str
    problem: str | None
    tasks: Mapping[str, int] = field(default_factory=dict)
    living_regions: int = 0
    living_bytes: int = 0
    kept: tuple[str, ...] = ()
    owner_pid: int | None = None
