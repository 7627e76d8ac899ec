"""Executions in the coordinator's own process, one after the other: for tests and for debugging a task."""

from __future__ import annotations

from ..assignment import Answer, Assignment
from ..perform import perform
from .base import Capabilities, ExecutorSettings, Force


class _Silent:
    """A messenger without anybody at the other end."""

    def progress(self, fraction: float) -> None:
        pass

    def cancelled(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        return False


class InlineExecutor:
    """Runs each assignment when it is polled. Synthetic kernels take no time."""

    capabilities = Capabilities(isolates=False, kills=False)

    def __init__(self, settings: ExecutorSettings) -> None:
        self._storage = settings.storage
        self._waiting: list[Assignment] = []

    def submit(self, assignment: Assignment) -> None:
        self._waiting.append(assignment)

    def stop(self, execution: str, force: Force) -> None:
        pass

    def poll(self, timeout_s: float) -> list[Answer]:
        waiting, self._waiting = self._waiting, []
        return [perform(a, _Silent(), storage=self._storage) for a in waiting]

    def peak_rss(self) -> int | None:
        return None

    def close(self) -> None:
        self._waiting.clear()
