"""Processes with limits: whatever they do, they end, and how they ended is known."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from catalytic.app.study.child import Child, Ended, resident

MIB = 2**20


def ended(work: Callable[[BinaryIO], None], *, time_s: float = 600.0, memory: int | None = None) -> Ended:
    """Watch a child to its end, as the fork server does."""
    child = Child(work, time_s=time_s, memory=memory)
    while not os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        child.watch()
        time.sleep(0.01)
    return child.wait()


def touch(size: int) -> None:
    """Hold ``size`` bytes that are really there."""
    block = bytearray(b"x") * size
    time.sleep(30)
    assert block


def test_a_child_that_does_its_work_leaves_its_news() -> None:
    def work(news: BinaryIO) -> None:
        news.write(b"hello")
        sum(range(3_000_000))

    end = ended(work)

    assert (end.end, end.code, end.said) == ("exit", 0, b"hello")
    assert end.cpu_s > 0
    assert end.peak_memory > MIB


def test_an_exception_is_exit_code_1_and_its_traceback_the_last_words() -> None:
    def work(news: BinaryIO) -> None:
        print("before")
        raise ZeroDivisionError("by nothing")

    end = ended(work)

    assert (end.end, end.code) == ("exit", 1)
    assert "before" in end.stderr
    assert "ZeroDivisionError: by nothing" in end.stderr


def test_of_many_words_the_first_and_the_last_are_kept() -> None:
    def work(news: BinaryIO) -> None:
        print("begin" + 100_000 * "x" + "end")

    end = ended(work)

    assert end.stderr.startswith("begin")
    assert end.stderr.endswith("end\n")
    assert len(end.stderr) < 10_000


def test_a_crash_in_compiled_code_is_a_signal_and_says_where() -> None:
    def work(news: BinaryIO) -> None:
        ctypes.memset(0, 1, 1)

    end = ended(work)

    assert (end.end, end.code) == ("signal", -signal.SIGSEGV)
    assert "Segmentation fault" in end.stderr
    assert "test_child.py" in end.stderr


def test_a_child_that_closes_nothing_and_exits_by_itself_is_not_mistaken() -> None:
    end = ended(lambda news: os._exit(7))

    assert (end.end, end.code) == ("exit", 7)


def test_time_ends_a_child_and_everything_it_started(tmp_path: Path) -> None:
    def work(news: BinaryIO) -> None:
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (tmp_path / "pid").write_text(str(sleeper.pid))
        while True:
            sum(range(1000))

    child = Child(work, time_s=600.0)
    sleeper = number(tmp_path / "pid")
    child.watch()
    assert psutil.pid_exists(sleeper)
    child.deadline = time.monotonic()
    child.watch()
    end = child.wait()

    assert (end.end, end.code) == ("time", -signal.SIGKILL)
    assert gone(sleeper)


def number(path: Path) -> int:
    """The number in a file, once another process has written it."""
    while not path.is_file() or not path.read_text():
        time.sleep(0.01)
    return int(path.read_text())


def test_what_a_child_leaves_running_ends_with_it(tmp_path: Path) -> None:
    def work(news: BinaryIO) -> None:
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (tmp_path / "pid").write_text(str(sleeper.pid))

    assert ended(work).end == "exit"
    assert gone(int((tmp_path / "pid").read_text()))


def gone(pid: int) -> bool:
    """Whether a process ends soon, or is only waited for."""
    for _ in range(10_000):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_memory_that_is_touched_beyond_the_limit_ends_a_child() -> None:
    limit = resident(os.getpid()) + 64 * MIB

    end = ended(lambda news: touch(192 * MIB), memory=limit)

    assert end.end == "memory"
    assert end.peak_memory > limit


def test_memory_that_is_only_reserved_costs_nothing() -> None:
    def work(news: BinaryIO) -> None:
        table = mmap.mmap(-1, 1024 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        table[0] = 1
        time.sleep(0.2)

    assert ended(work, memory=resident(os.getpid()) + 64 * MIB).end == "exit"


def test_a_leap_that_no_look_could_catch_is_refused_by_the_kernel() -> None:
    def work(news: BinaryIO) -> None:
        bytearray(64 * 1024 * MIB)

    end = ended(work, memory=resident(os.getpid()) + 64 * MIB)

    assert end.end == "memory"
    assert "MemoryError" in end.stderr


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed before it can end anything."""
    script = (
        "import time\n"
        "from pathlib import Path\n"
        "from catalytic.app.study.child import Child\n"
        "child = Child(lambda news: time.sleep(600), time_s=600)\n"
        f"Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    child = number(tmp_path / "pid")
    parent.kill()
    parent.wait()

    assert gone(child)


@pytest.mark.parametrize("pid", [2**22 + 1])
def test_a_process_that_is_not_there_has_no_memory(pid: int) -> None:
    assert resident(pid) == 0
