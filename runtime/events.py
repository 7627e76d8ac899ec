"""What a run tells its observers: progress bars, log files and metrics are all consumers of these events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class EventKind(StrEnum):
    """What happened. ``COMMITTED`` and what follows from it is told only once it is durable."""

    RUN_STARTED = "run-started"
    RUN_RESUMED = "run-resumed"
    STARTED = "started"
    PROGRESS = "progress"
    COMMITTED = "committed"
    EXPORTED = "exported"
    FAILED = "failed"
    RETRIED = "retried"
    DAMAGED = "damaged"
    UNDONE = "undone"
    REPAIRED = "repaired"
    SCRUBBED = "scrubbed"
    STOPPING = "stopping"
    RUN_ENDED = "run-ended"


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event. ``at``: wall clock (s, display only). ``correlation``: ``<run>/<epoch>``, equal for all events of

    one attempt. ``done``/``total``: planned work (ms) committed and in all, for progress bars. ``detail``: plain
    values that depend on the kind (bytes, digests, seconds, messages).
    """

    kind: EventKind
    at: float
    run_id: str
    task: str | None = None
    correlation: str | None = None
    done: int = 0
    total: int = 0
    detail: Mapping[str, object] = field(default_factory=dict)


Observer = Callable[[RunEvent], None]
