"""A pool of worker processes with a pipe each: the default executor.

One crash costs one task: the pool replaces the worker and goes on (``concurrent.futures`` gives up the whole pool).
Workers are started when they are first needed, by ``exec`` and not by ``fork``: a forked copy would share the
coordinator's threads, locks and descriptors.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from ..assignment import Answer, Assignment, Damaged, Done, Failure, FailureKind, LastWords
from ..tasks import signal_name
from .base import Capabilities, ExecutorSettings, Force

_SPAWN = "import sys; from catalytic.runtime.executors.worker import main; main(int(sys.argv[1]), int(sys.argv[2]))"


@dataclass(slots=True, eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    assignment: Assignment | None = None
    forced: Force | None = None


class ProcessExecutor:
    """At most ``slots`` workers; each runs one assignment at a time."""

    capabilities = Capabilities(isolates=True, kills=True)

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._workers: list[_Worker] = []
        self._peak_rss = 0

    def submit(self, assignment: Assignment) -> None:
        worker = next((w for w in self._workers if w.assignment is None), None)
        if worker is None:
            worker = self._spawn()
        worker.assignment, worker.forced = assignment, None
        with suppress(OSError):  # it died while idle: poll finds the end of its pipe and reports the loss
            worker.pipe.send(assignment)

    def stop(self, execution: str, force: Force) -> None:
        for worker in self._workers:
            if worker.assignment is not None and worker.assignment.execution == execution:
                worker.forced = force
                with suppress(OSError):
                    if force is Force.ASK:
                        worker.pipe.send(execution)
                    else:
                        # The worker leads a process group of its own, which commands of its task belong to.
                        number = signal.SIGTERM if force is Force.TERMINATE else signal.SIGKILL
                        os.killpg(worker.process.pid, number)

    def poll(self, timeout_s: float) -> list[Answer]:
        answers: list[Answer] = []
        ready = wait([w.pipe for w in self._workers], timeout_s) if self._workers else []
        for worker in [w for w in self._workers if w.pipe in ready]:
            answers += self._receive(worker)
        return answers

    def peak_rss(self) -> int | None:
        for worker in self._workers:
            self._measure(worker)
        return self._peak_rss or None

    def close(self) -> None:
        for worker in self._workers:
            self._measure(worker)
            if worker.assignment is not None:
                with suppress(OSError):
                    os.killpg(worker.process.pid, signal.SIGKILL)
            worker.pipe.close()
        for worker in self._workers:
            worker.process.wait()
        self._workers.clear()

    def _spawn(self) -> _Worker:
        ours, theirs = Pipe()
        lock = self._settings.writers_lock
        with theirs, self._settings.output.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SPAWN, str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(), lock),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        worker = _Worker(process, ours)
        self._workers.append(worker)
        with suppress(OSError):
            ours.send(self._settings.arena)
        return worker

    def _receive(self, worker: _Worker) -> list[Answer]:
        """Every message of a worker whose pipe is ready, and its loss when that is what the pipe says."""
        answers: list[Answer] = []
        try:
            while worker.pipe.poll():
                answer: Answer | LastWords = worker.pipe.recv()
                if isinstance(answer, LastWords):
                    worker.assignment = None
                    return [*answers, answer.failure, *self._bury(worker)]
                if isinstance(answer, (Done, Failure, Damaged)):
                    worker.assignment = None
                answers.append(answer)
        except (EOFError, OSError):
            answers += self._bury(worker)
        return answers

    def _bury(self, worker: _Worker) -> list[Answer]:
        worker.pipe.close()
        self._workers.remove(worker)
        # What its task started must not outlive it. Before the wait, while the number cannot belong to anybody else.
        with suppress(OSError):
            os.killpg(worker.process.pid, signal.SIGKILL)
        status = worker.process.wait()
        if worker.assignment is None:
            return []
        how = signal_name(-status) if status < 0 else f"status {status}"
        name = worker.assignment.execution
        if worker.forced is not None:
            return [Failure(name, FailureKind.CANCELLED, f"ended by force ({how})")]
        if status in (-signal.SIGKILL, -signal.SIGTERM):
            step = "If memory was short, run fewer workers; then run `catalytic resume`."
            return [Failure(name, FailureKind.LOST, f"its worker was killed from outside ({how})", step)]
        step = f"Correct the task; what it printed is in {self._settings.output}."
        return [Failure(name, FailureKind.CRASH, f"its worker crashed ({how})", step)]

    def _measure(self, worker: _Worker) -> None:
        with suppress(OSError, ValueError):
            for line in Path(f"/proc/{worker.process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self._peak_rss = max(self._peak_rss, int(line.split()[1]) * 1024)
