"""A worker process: one task at a time, on memory of its own, gone when its coordinator is gone.

The main thread runs tasks. A second thread reads the pipe, so that a request to stop reaches a running task, and the
end of the pipe ends the worker even in the middle of a task; the kernel does the same through PDEATHSIG when that
thread cannot run. The writers' lock is inherited and held until death.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from time import monotonic

from ..assignment import Answer, Arena, Assignment, Failure, FailureKind, LastWords, Progress
from ..mapping import Window
from ..perform import perform
from .fault import FaultReporter

_PR_SET_PDEATHSIG = 1
_PROGRESS_EVERY_S = 0.1


class PipeMessenger:
    """Talks to the coordinator through the worker's pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._execution = ""
        self._last_progress = 0.0

    def begin(self, execution: str) -> None:
        """The messages from now on concern ``execution``."""
        self._execution, self._last_progress = execution, 0.0
        self._stop.clear()

    def stop(self, execution: str) -> None:
        """Ask the running task to end, if it is still ``execution``."""
        if execution == self._execution:
            self._stop.set()

    def send(self, answer: Answer) -> None:
        """Deliver ``answer``."""
        with self._sending:
            self._pipe.send(answer)

    def report_fault(self, kind: FailureKind, message: str, next_step: str) -> None:
        """Deliver a fault from its handler, where a lock may be held by the interrupted code."""
        self._pipe.send(LastWords(Failure(self._execution, kind, message, next_step)))

    def progress(self, fraction: float) -> None:
        now = monotonic()
        if now - self._last_progress >= _PROGRESS_EVERY_S:
            self._last_progress = now
            self.send(Progress(self._execution, fraction))

    def cancelled(self) -> bool:
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        return self._stop.wait(seconds) if seconds > 0 else self._stop.is_set()


def main(descriptor: int, coordinator: int) -> None:
    """Serve assignments from the pipe until it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != coordinator:  # it died before the line above
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides what Ctrl-C means
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pipe = Connection(descriptor)
    os.set_inheritable(descriptor, False)
    messenger = PipeMessenger(pipe)
    _let_forks_die_with_this_process(descriptor)
    reporter = FaultReporter(messenger.report_fault)
    assignments: queue.SimpleQueue[Assignment | Arena] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, messenger, assignments), daemon=True).start()
    window: Window | None = None
    while True:
        message = assignments.get()
        if isinstance(message, Arena):
            window = Window(message.partitions, message.partition_size)
            continue
        answer = perform(message, messenger, window=window, watch=reporter.watch)
        with suppress(OSError, ValueError):  # the disk may be full, and a task may have closed it
            sys.stdout.flush()
        messenger.send(answer)


def _let_forks_die_with_this_process(pipe: int) -> None:
    """What a task forks must not outlive the worker, nor hold its pipe open: the pipe's end tells the worker's death.

    The kernel ties a child to the *thread* that forked it, so only forks of the main thread can be tied.
    """
    worker, prctl = os.getpid(), ctypes.CDLL(None).prctl
    by_main_thread = [True]

    def before() -> None:
        by_main_thread[0] = threading.current_thread() is threading.main_thread()

    def in_child() -> None:
        with suppress(OSError):
            os.close(pipe)
        if by_main_thread[0] and os.getppid() == worker:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    os.register_at_fork(before=before, after_in_child=in_child)


def _listen(pipe: Connection, messenger: PipeMessenger, assignments: queue.SimpleQueue[Assignment | Arena]) -> None:
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        if isinstance(message, str):
            messenger.stop(message)
            continue
        if isinstance(message, Assignment):
            messenger.begin(message.execution)
        assignments.put(message)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
