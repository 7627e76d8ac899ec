"""A process with limits: forked, watched, and ended together with everything it started.

Fork, and not a fresh interpreter: the parent has imported the planner and loaded its compiled loops, which would cost
every cell two seconds of CPU. The parent must therefore be a process without threads that does nothing else
(``fork_server``).

**Time.** A process is killed when its time is over, whatever it is doing: ``SIGKILL`` to its process group.

**Memory.** What is limited is resident memory, as ``top`` shows it, read every few hundredths of a second. The usual
``RLIMIT_AS`` would count addresses: the libraries alone map 0.6 GB of which a third is ever touched, each thread of a
solver adds 72 MB for a stack and an arena, and a search that reserves a table of 1 GB and fills a tenth of it would be
refused; with such a limit the figure means something else on each machine. Between two looks a process can grow by what
the kernel can hand out in that time, some ten megabytes; ``RLIMIT_DATA`` at the limit plus what may be reserved and
never touched (``UNTOUCHED``) makes sure that no single leap is larger.

A child dies with its parent (``PR_SET_PDEATHSIG``), so that nothing runs on when a batch is killed.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import BinaryIO, Literal, NoReturn

UNTOUCHED = 2 * 2**30
"""Bytes that a process may reserve beyond its limit as long as it does not touch them."""

OUT_OF_MEMORY = 71
"""Exit code of a child that was refused memory."""

FIRST_WORDS, LAST_WORDS = 2000, 4000
"""Bytes that are kept of what a child wrote to its streams: a crash is named at the beginning of its report, an
exception at the end."""

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_REFUSED_MEMORY = (b"std::bad_alloc", b"MemoryError", b"LLVM ERROR: out of memory", b"Cannot allocate memory")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. ``end``: by itself (``code``), by a signal nobody here sent (``-code``), or over a limit.

    ``said``: what it wrote into its news; ``stderr``: how what it wrote to its standard streams began and ended.
    ``peak_memory``: resident bytes at most.
    """

    end: Literal["exit", "signal", "time", "memory"]
    code: int
    seconds: float
    cpu_s: float
    peak_memory: int
    said: bytes
    stderr: str


class Child:
    """A running process that leads a process group of its own."""

    def __init__(
        self,
        work: Callable[[BinaryIO], None],
        *,
        time_s: float,
        memory: int | None = None,
        private: Iterable[int] = (),
    ) -> None:
        """Fork a process that does ``work``, which is given the file for its news, for at most ``time_s`` seconds.

        ``private``: descriptors of the parent that the child closes.
        """
        self._news = tempfile.TemporaryFile()  # noqa: SIM115 (closed by wait)
        self._streams = tempfile.TemporaryFile()  # noqa: SIM115
        self._memory = memory
        self.limited = memory is not None
        self._over: Literal["time", "memory"] | None = None
        parent = os.getpid()
        self.started = monotonic()
        self.deadline = self.started + time_s
        self.pid = os.fork()
        if self.pid == 0:
            _live(work, self._news, self._streams.fileno(), parent, memory, private)
        # Both sides do this: whoever comes second finds it done, and the group exists before anybody needs it.
        with suppress(OSError):
            os.setpgid(self.pid, self.pid)
        self.pidfd = os.pidfd_open(self.pid)

    def watch(self) -> None:
        """Kill the process if it is over a limit."""
        if self._over is not None:
            return
        if monotonic() >= self.deadline:
            self._over = "time"
        elif self._memory is not None and resident(self.pid) > self._memory:
            self._over = "memory"
        if self._over is not None:
            self.kill()

    def kill(self) -> None:
        """End the process and all it started. Until it is waited for, nobody else can have its number."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self) -> Ended:
        """What became of the process; blocks until it has ended (``pidfd`` is readable then)."""
        os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED | os.WNOWAIT)
        self.kill()  # what it left behind
        _, status, used = os.wait4(self.pid, 0)
        seconds = monotonic() - self.started
        os.close(self.pidfd)
        code = os.waitstatus_to_exitcode(status)
        with self._news, self._streams:
            said, words = _content(self._news), _both_ends(self._streams)
        return Ended(
            end=self._end(code, words),
            code=code,
            seconds=seconds,
            cpu_s=used.ru_utime + used.ru_stime,
            peak_memory=used.ru_maxrss * 1024,
            said=said,
            stderr=words.decode(errors="replace"),
        )

    def _end(self, code: int, said: bytes) -> Literal["exit", "signal", "time", "memory"]:
        if code == -signal.SIGKILL and self._over is not None:
            return self._over
        refused = code < 0 and any(words in said for words in _REFUSED_MEMORY)
        if code == OUT_OF_MEMORY or refused:
            return "memory"
        return "exit" if code >= 0 else "signal"


def resident(pid: int) -> int:
    """Resident bytes of a process, 0 when there is none."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_bytes().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(pages[1]) * os.sysconf("SC_PAGESIZE") if len(pages) > 1 else 0


def die_with_parent(parent: int) -> None:
    """Let the kernel kill this process when ``parent`` dies; end now if it did already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def outlive_parent() -> None:
    """Undo ``die_with_parent``."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, 0, 0, 0, 0)


def _live(
    work: Callable[[BinaryIO], None],
    news: BinaryIO,
    streams: int,
    parent: int,
    memory: int | None,
    private: Iterable[int],
) -> NoReturn:
    """The child's whole life. It never returns: what the parent would do after the fork is not its business."""
    code = 1
    try:
        os.setpgid(0, 0)
        die_with_parent(parent)
        for descriptor in private:
            os.close(descriptor)
        os.dup2(streams, 1)
        os.dup2(streams, 2)
        # Not the parent's: whoever replaced those would hear the child speak.
        sys.stdout = sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        faulthandler.enable(file=2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (memory + UNTOUCHED, memory + UNTOUCHED))
        work(news)
        news.flush()
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
        traceback.print_exc(limit=-4)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stderr.flush()
        os._exit(code)


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _both_ends(file: BinaryIO) -> bytes:
    """The content of ``file``, without its middle if it is long."""
    size = file.seek(0, os.SEEK_END)
    if size <= FIRST_WORDS + LAST_WORDS:
        return _content(file)
    file.seek(0)
    first = file.read(FIRST_WORDS)
    file.seek(size - LAST_WORDS)
    return first + b"\n...\n" + file.read()
