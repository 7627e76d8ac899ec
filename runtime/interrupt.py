"""Requests to stop a run: signals of this process, or a file that another process leaves in the workspace."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

CANCEL_FILE = "cancel"
"""Name of the file in the workspace's metadata that asks its run to stop."""


class StopRequest:
    """While entered, Ctrl-C and SIGTERM ask for a stop instead of ending the process; twice is ``urgent``.

    Outside the main thread signals cannot be caught, so only the file counts there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._signals = 0
        self._before: dict[int, Any] = {}

    @property
    def by_file(self) -> bool:
        """Whether another process asked."""
        return self._file.exists()

    @property
    def requested(self) -> bool:
        """Whether anybody asked."""
        return self._signals > 0 or self.by_file

    @property
    def urgent(self) -> bool:
        """Whether the person at the keyboard asked twice."""
        return self._signals > 1

    def __enter__(self) -> StopRequest:
        with suppress(FileNotFoundError):
            self._file.unlink()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
