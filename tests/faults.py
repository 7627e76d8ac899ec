"""Faults on demand: a storage that fails or crashes at its n-th step, flipped bits, killed processes."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from catalytic.runtime import coordinator
from catalytic.runtime.execution import Executions
from catalytic.runtime.journal import Journal, read_run
from catalytic.runtime.recovery import Recovery
from catalytic.runtime.report import RunOptions
from catalytic.runtime.state import RunState, fold
from catalytic.runtime.storage import PRIVATE_FILE, Disk
from catalytic.runtime.workspace import Workspace
from catalytic.solver.formats import load_plan
from catalytic.solver.plan import Plan


class Crash(BaseException):
    """The process dies here. Not an ``Exception``: nobody may catch it."""


def crash() -> BaseException:
    """The process dies."""
    return Crash()


def no_space() -> BaseException:
    """The disk is full."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def io_error() -> BaseException:
    """The disk fails."""
    return OSError(errno.EIO, os.strerror(errno.EIO))


class FaultyStorage(Disk):
    """The real disk, except that step number ``at`` (from 1) raises ``fault``; a write is then half done."""

    def __init__(self, at: int, fault: Callable[[], BaseException]) -> None:
        self.at, self.fault, self.steps = at, fault, 0

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self.at:
            raise self.fault()

    def make_folder(self, path: Path) -> None:
        self._step()
        super().make_folder(path)

    def reserve(self, path: Path, size: int) -> None:
        try:
            self._step()
        except BaseException:
            super().reserve(path, max(1, size // 2))
            raise
        super().reserve(path, size)

    def write(self, path: Path, pieces: Iterable[bytes | memoryview], mode: int = PRIVATE_FILE) -> int:
        whole = b"".join(pieces)
        try:
            self._step()
        except BaseException:
            super().write(path, [whole[: len(whole) // 2]], mode)
            raise
        return super().write(path, [whole], mode)

    def append(self, path: Path, data: bytes) -> None:
        self._step()
        super().append(path, data)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def sync_folder(self, path: Path) -> None:
        self._step()
        super().sync_folder(path)


@contextmanager
def crash_at_flush(number: int, *, after: bool) -> Iterator[None]:
    """The process dies in its ``number``-th flush of the journal: before anything is durable, or just after."""
    flush, count = Journal.flush, 0

    def crashing(self: Journal) -> None:
        nonlocal count
        count += 1
        if count == number and not after:
            raise Crash
        flush(self)
        if count == number:
            raise Crash

    with mock.patch.object(Journal, "flush", crashing):
        yield


def state_of(workspace: Workspace) -> RunState:
    """What the journal says."""
    return fold(read_run(workspace.metadata / "journal.db"))


def scramble_unfinished(workspace: Workspace, rng: random.Random) -> int:
    """Overwrite what executions under way were allowed to write: the worst a death in the middle can leave."""
    extents = [e for begun in state_of(workspace).open.values() for own in begun.writes.values() for e in own]
    for e in extents:
        with workspace.partition_path(e.partition).open("r+b") as file:
            file.seek(e.offset)
            file.write(rng.randbytes(e.length))
    return len(extents)


@dataclass(frozen=True, slots=True)
class Flip:
    """One flipped bit of a partition."""

    buffer: str
    partition: int
    offset: int


def flip_bit(path: Path, offset: int, bit: int = 0) -> None:
    """Change one bit of a file in place."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def living(workspace: Workspace, plan: Plan) -> list[str]:
    """Sealed buffers of the arena that somebody still needs, by the journal."""
    state = state_of(workspace)
    executions = Executions(plan)
    recovery = Recovery(executions, state, workspace, {e.id for e in executions.order})
    return [
        b
        for b in sorted(recovery.needed())
        if recovery.present(b) and state.results[b].extents and state.results[b].length
    ]


def flip_in(workspace: Workspace, plan: Plan, buffer: str, rng: random.Random) -> Flip:
    """Flip one random bit of the content of ``buffer``."""
    result = state_of(workspace).results[buffer]
    position = rng.randrange(result.length)
    for e in result.extents:
        if position < e.length:
            flip_bit(workspace.partition_path(e.partition), e.offset + position, rng.randrange(8))
            return Flip(buffer, e.partition, e.offset + position)
        position -= e.length
    raise AssertionError("the result is shorter than its extents")


DRIVER = "from tests.faults import drive; import sys; drive(*sys.argv[1:])"


def drive(verb: str, workspace: str, plan: str, base: str, output_dir: str, time_factor: str, workers: str) -> None:
    """In a child process: run or resume, and print how it ended."""
    options = RunOptions(Path(base), Path(output_dir), time_factor=float(time_factor), workers=int(workers))
    space = Workspace.open(workspace)
    if verb == "run":
        report = coordinator.execute(load_plan(Path(plan)).plan, space, options)
    else:
        report = coordinator.resume(space, options)
    print(report.status.value, flush=True)


class Child:
    """A coordinator in a process of its own, which a test may kill."""

    def __init__(
        self, verb: str, workspace: Workspace, plan: Path, folder: Path, *, factor: float = 1, workers: int = 2
    ):
        words = [verb, workspace.path, plan, folder, folder / "out", factor, workers]
        root = Path(__file__).parent.parent
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *map(str, words)],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.communicate()

    def wait_for(self, condition: Callable[[], bool], limit_s: float = 60.0) -> bool:
        """Wait until ``condition``; False when the child ended first."""
        deadline = time.monotonic() + limit_s
        while self.process.poll() is None:
            if condition():
                return True
            assert time.monotonic() < deadline, "the child did nothing for a long time"
            time.sleep(0.002)
        return False

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        try:
            return [int(word) for word in path.read_text().split()]
        except OSError:
            return []

    def finish(self) -> tuple[int, str, str]:
        """Exit status and what it printed."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out.strip(), err


def kill_process(pid: int) -> None:
    """kill -9 of a process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def records(workspace: Workspace) -> list[Any]:
    """Records of the last run, or none while the journal is being made."""
    path = workspace.metadata / "journal.db"
    return list(read_run(path)) if path.exists() else []
