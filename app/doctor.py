"""Doctor: whether this machine, this file system and this installation can hold what catalytic promises.

Every check tries the thing itself in a temporary folder beside the workspace; names and versions prove nothing.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from catalytic.runtime.storage import UNSUITABLE_FILE_SYSTEMS, file_system_type
from catalytic.solver.errors import CatalyticError
from catalytic.solver.problem import DEFAULT_WORKSPACE_SIZE
from catalytic.solver.units import format_size

from .status import workspace_status

PROBE_SIZE = 1 << 20
"""Bytes of the file that the file system is tried with."""
LIBRARIES = ("ortools", "numpy", "numba", "pydantic", "orjson", "click", "rich", "psutil", "blake3", "xxhash")


class Verdict(StrEnum):
    """OK; WARN: works, but weaker or slower; FAIL: a promise cannot be kept here."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, the verdict, what was found, and what to do when it is not OK."""

    check: str
    verdict: Verdict
    found: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class DoctorAnswer:
    """Every finding, in a fixed order. ``healthy``: nothing failed."""

    folder: Path
    findings: tuple[Finding, ...]
    healthy: bool


def examine(folder: Path, *, size: int = DEFAULT_WORKSPACE_SIZE) -> DoctorAnswer:
    """Check the machine, and the file system of ``folder`` for a workspace of ``size`` bytes.

    ``folder`` need not exist; its nearest existing parent is tried. An existing workspace is asked for its owner.
    """
    ground = folder.absolute()
    while not ground.is_dir():
        ground = ground.parent
    exists = (folder / "metadata" / "workspace.json").is_file()
    findings = (
        *_machine(),
        *_libraries(),
        *_file_system(ground),
        *(_workspace(folder) if exists else _space(ground, size)),
    )
    return DoctorAnswer(folder, findings, all(f.verdict is not Verdict.FAIL for f in findings))


def _machine() -> Iterator[Finding]:
    yield Finding("python", Verdict.OK, f"{platform.python_version()} on {platform.system()} {platform.release()}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Finding("cores", Verdict.OK, str(cores))
    if platform.system() != "Linux":
        yield Finding("system", Verdict.WARN, platform.system(), "Linux is what is tested; expect weaker isolation")
    import psutil

    memory = psutil.virtual_memory()
    yield Finding("memory", Verdict.OK, f"{format_size(memory.available)} available of {format_size(memory.total)}")


def _libraries() -> Iterator[Finding]:
    try:
        yield Finding("catalytic", Verdict.OK, version("catalytic"))
    except PackageNotFoundError:
        yield Finding("catalytic", Verdict.WARN, "not installed", "install it with `pip install .`")
    for name in LIBRARIES:
        try:
            yield Finding(name, Verdict.OK, version(name))
        except PackageNotFoundError:
            yield Finding(name, Verdict.FAIL, "missing", f"pip install {name}")
    safe = sqlite3.sqlite_version_info >= (3, 35)
    step = "" if safe else "install Python with SQLite 3.35 or newer"
    yield Finding("sqlite", Verdict.OK if safe else Verdict.FAIL, sqlite3.sqlite_version, step)


def _space(ground: Path, size: int) -> Iterator[Finding]:
    free = shutil.disk_usage(ground).free
    enough = free >= size
    yield Finding(
        "space",
        Verdict.OK if enough else Verdict.FAIL,
        f"{format_size(free)} free at {ground}, {format_size(size)} wanted",
        "" if enough else "free space, choose another folder, or a smaller workspace with --size",
    )


def _file_system(ground: Path) -> Iterator[Finding]:
    kind = file_system_type(ground)
    weak = UNSUITABLE_FILE_SYSTEMS.get(kind)
    if weak is None:
        yield Finding("file system", Verdict.OK, kind or "of unknown type")
    else:
        yield Finding("file system", Verdict.FAIL, f"{kind}: {weak}", "choose a folder on a local disk")
    try:
        probe_folder = Path(tempfile.mkdtemp(prefix=".catalytic-doctor-", dir=ground))
    except OSError as error:
        yield Finding("write", Verdict.FAIL, f"{ground}: {error.strerror}", "choose a folder you may write to")
        return
    try:
        for name, probe, promise in PROBES:
            try:
                probe(probe_folder)
            except OSError as error:
                yield Finding(name, Verdict.FAIL, str(error.strerror or error), promise)
            else:
                yield Finding(name, Verdict.OK, "works")
    finally:
        shutil.rmtree(probe_folder, ignore_errors=True)


def _reserve(folder: Path) -> None:
    with (folder / "reserved").open("w+b") as file:
        os.posix_fallocate(file.fileno(), 0, PROBE_SIZE)


def _map_shared(folder: Path) -> None:
    with (folder / "mapped").open("w+b") as file:
        file.truncate(PROBE_SIZE)
        with mmap.mmap(file.fileno(), PROBE_SIZE) as view:
            view[:4] = b"seen"
        file.seek(0)
        if file.read(4) != b"seen":
            raise OSError("a write through the mapping is not seen by a read")


def _lock(folder: Path) -> None:
    """Two descriptors of one file: the second lock must be refused while the first is held."""
    path = folder / "lock"
    path.touch()
    with path.open("rb") as first, path.open("rb") as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    raise OSError("two owners hold one lock")


def _rename_durably(folder: Path) -> None:
    staged, final = folder / "staged", folder / "final"
    final.write_bytes(b"old")
    with staged.open("wb") as file:
        file.write(b"new")
        os.fsync(file.fileno())
    staged.replace(final)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _journal(folder: Path) -> None:
    connection = sqlite3.connect(folder / "journal.db")
    try:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute("CREATE TABLE t (x)")
    except sqlite3.Error as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if mode != "wal":
        raise OSError(f"SQLite chose journal mode {mode}")


PROBES: tuple[tuple[str, Callable[[Path], None], str], ...] = (
    ("reserve", _reserve, "posix_fallocate fails: a full disk would be noticed during a run; use a local file system"),
    ("map", _map_shared, "shared mappings fail: tasks could not see each other's bytes; use a local file system"),
    ("lock", _lock, "flock fails: two runs could own one workspace; use a local file system"),
    ("rename", _rename_durably, "fsync or rename fails: results could be lost at power failure"),
    ("journal", _journal, "SQLite's write-ahead log fails: use a local file system"),
)
"""Name of a check, what it tries, and what its failure means."""


def _workspace(folder: Path) -> Iterator[Finding]:
    try:
        report = workspace_status(folder).report
    except CatalyticError as error:
        yield Finding("workspace", Verdict.FAIL, str(error), "")
        return
    shape = f"{format_size(report.size)} in {report.partitions} partitions, last run: {report.run_state}"
    yield Finding("workspace", Verdict.OK, shape)
    if report.owner_pid is None:
        yield Finding("owner", Verdict.OK, "nobody")
    else:
        yield Finding("owner", Verdict.WARN, f"process {report.owner_pid}", "a run owns the workspace now")
