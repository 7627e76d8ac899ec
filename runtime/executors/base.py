"""What an executor is: it runs assignments somewhere and reports their answers.

The seam for other places to run (threads, asyncio, several machines): each says what it can do, and the registry
names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from ..assignment import Answer, Arena, Assignment
from ..storage import Storage


@dataclass(frozen=True, slots=True)
class Capabilities:
    """``isolates``: a crash of a task costs one task. ``kills``: it can end a task that does not listen."""

    isolates: bool
    kills: bool


class Force(IntEnum):
    """How hard a running execution is stopped."""

    ASK = 0
    TERMINATE = 1
    KILL = 2


@dataclass(frozen=True, slots=True)
class ExecutorSettings:
    """``slots``: executions at once. ``writers_lock``: descriptor workers inherit. ``output``: what tasks print."""

    arena: Arena
    slots: int
    writers_lock: int
    output: Path
    storage: Storage


class Executor(Protocol):
    """Runs assignments. At most ``slots`` may be under way."""

    capabilities: Capabilities

    def submit(self, assignment: Assignment) -> None:
        """Begin to run it."""

    def stop(self, execution: str, force: Force) -> None:
        """Ask or force the execution to end; nothing happens when it is not under way."""

    def poll(self, timeout_s: float) -> list[Answer]:
        """Answers that have come, waiting for the first one at most ``timeout_s`` seconds."""

    def peak_rss(self) -> int | None:
        """Largest resident memory of any worker so far, in bytes; None when it has none of its own."""

    def close(self) -> None:
        """End every worker. What is under way is killed."""
