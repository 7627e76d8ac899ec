"""The folder of a study: ``cells.jsonl`` (one line per cell, only ever appended to), ``plans/``, and a lock.

A row is written by one ``write`` and synced before anything else happens. Whoever is killed in between leaves a last
line without its end: it is cut off, and its cell is made again. Damage before the last line is an error, never silence.

One place (problem, configuration, seed) may have several rows: the last one counts. Others are of questions that have
been changed since.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from catalytic.solver.errors import InputError, Mistake, StorageError, WorkspaceBusy
from catalytic.solver.formats.json_text import TOP, parse_json

from .cell import Place
from .row import Row, read_row

ROWS = "cells.jsonl"
PLANS = "plans"
LOCK = "batch.lock"


class Ledger:
    """The rows of a study, for one writer."""

    def __init__(self, folder: Path, descriptor: int, rows: Sequence[Row], torn: bool) -> None:
        self.folder, self.torn = folder, torn
        self._descriptor = descriptor
        self._by_digest = {row.cell: row for row in rows}
        self._current = current(rows)

    def of_cell(self, digest: str) -> Row | None:
        """The row of the cell with this digest."""
        return self._by_digest.get(digest)

    def at(self, place: Place) -> Row | None:
        """The row that counts at ``place``."""
        return self._current.get(place)

    def append(self, row: Row) -> None:
        """Add ``row``. When this returns, it survives whatever happens; ``StorageError`` otherwise."""
        line = row.line()
        before = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._descriptor, before)  # half a line must not stand before another
            raise StorageError(f"{self.folder / ROWS}: could not be written: {error.strerror or error}") from error
        self._by_digest[row.cell] = row
        self._current[row.place] = row


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """The ledger in ``folder``, made if need be, with its last line whole and no other writer.

    ``WorkspaceBusy``: another batch writes there. ``InputError``: it holds rows that are damaged, or something else.
    """
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise StorageError(f"{folder}: cannot hold a study: {error.strerror or error}") from error
    try:
        _take(lock, folder)
        (folder / PLANS).mkdir(exist_ok=True)
        path = folder / ROWS
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            _sync_folder(folder)
            content = path.read_bytes()
            whole = content.rfind(b"\n") + 1
            rows = _rows(content[:whole], path)  # before anything is cut: damage elsewhere is not ours to touch
            if whole < len(content):
                os.ftruncate(descriptor, whole)
                os.fsync(descriptor)
            yield Ledger(folder, descriptor, rows, whole < len(content))
        finally:
            os.close(descriptor)
    finally:
        os.close(lock)


def read_rows(folder: Path) -> tuple[tuple[Row, ...], int]:
    """The rows that count, in the order of their places' first rows, and how many others there are.

    Reads beside a batch that is writing: a last line without its end is not there yet.
    """
    path = folder / ROWS
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            str(folder), [Mistake(TOP, f"no study: {ROWS}: {reason}", "the folder a batch wrote to (--out)")]
        ) from None
    rows = _rows(content[: content.rfind(b"\n") + 1], path)
    counting = tuple(current(rows).values())
    return counting, len(rows) - len(counting)


def current(rows: Sequence[Row]) -> dict[Place, Row]:
    """The last row of each place."""
    return {row.place: row for row in rows}


def _rows(content: bytes, path: Path) -> list[Row]:
    rows, mistakes = [], []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            rows.append(read_row(parse_json(line, str(path)), str(path)))
        except InputError as error:
            mistakes += [
                Mistake(f"line {number}" if m.path == TOP else f"line {number}, {m.path}", m.found, m.allowed, m.hint)
                for m in error.mistakes
            ]
    if mistakes:
        raise InputError(str(path), mistakes[:20])
    return rows


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(lock, 32, 0).decode(errors="replace").strip()
        who = f" (process {owner})" if owner.isdigit() else ""
        raise WorkspaceBusy(
            f"{folder}: another batch writes here{who}. Wait for it, or use another folder with --out."
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
