"""The journal: what was intended and what was done, in an SQLite file that is only ever appended to.

State is a fold over its records (:mod:`.state`), never stored. One transaction carries everything that became true
in one turn of the coordinator's loop, so a busy run pays for one sync (about half a millisecond) and not for one per
task. ``synchronous=FULL`` makes a transaction durable before ``flush`` returns; the coordinator acts on a record only
after that. SQLite's write-ahead log has its own checksums, which cut a torn tail; ``mark`` chains the records, so
that a record changed in place is found too.

Rejected: one JSON line per record (a torn line in the middle of a batch has to be told from damage) and a table of
states (an update forgets what was true before).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from catalytic.solver.errors import IntegrityError, StorageError, WorkspaceBusy


class Kind(StrEnum):
    """What a record says. The subject is a run id for RUN, RESUME and END; a buffer for DAMAGE; else an execution."""

    RUN = "run"
    RESUME = "resume"
    BEGIN = "begin"
    COMMIT = "commit"
    FAIL = "fail"
    DAMAGE = "damage"
    UNDO = "undo"
    END = "end"


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal. ``at`` is the wall clock in seconds, for display only."""

    number: int
    kind: Kind
    subject: str
    at: float
    body: Mapping[str, object] = field(default_factory=dict)


SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
    mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS owner (id INTEGER PRIMARY KEY CHECK (id = 0), token TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS by_kind ON record (kind, number);
"""


class Journal:
    """Append and read. ``token`` names the owner; once another owner has opened the journal, ``flush`` is refused."""

    def __init__(self, path: Path, token: str, clock: Callable[[], float]) -> None:
        self._path, self._token, self._clock = path, token, clock
        self._pending: list[Record] = []
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + SCHEMA)
            path.chmod(0o600)
            self._database.execute("INSERT OR REPLACE INTO owner VALUES (0, ?)", (token,))
            last = self._database.execute("SELECT number, mark FROM record ORDER BY number DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise _trouble(path, error) from error
        self._number: int
        self._mark: str
        self._number, self._mark = last or (0, "")

    def stage(self, kind: Kind, subject: str, body: Mapping[str, object]) -> int:
        """Prepare a record for the next ``flush``; its number, which grows by one per record for ever."""
        number = self._number + len(self._pending) + 1
        self._pending.append(Record(number, kind, subject, self._clock(), body))
        return number

    def flush(self) -> None:
        """Make every staged record durable, all or none.

        Raises ``WorkspaceBusy`` when another run has taken the workspace, ``StorageError`` when the disk fails.
        """
        if not self._pending:
            return
        mark = self._mark
        rows = []
        for record in self._pending:
            body = json.dumps(record.body, separators=(",", ":"))
            mark = _mark(mark, record.number, record.kind, record.subject, body)
            rows.append((record.number, record.kind.value, record.subject, record.at, body, mark))
        try:
            self._write(rows)
        except sqlite3.Error as error:
            raise _trouble(self._path, error) from error
        self._number, self._mark = rows[-1][0], mark
        self._pending.clear()

    def _write(self, rows: list[tuple[int, str, str, float, str, str]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            (owner,) = self._database.execute("SELECT token FROM owner").fetchone()
            if owner != self._token:
                raise WorkspaceBusy(f"{self._path}: another run has taken this workspace; nothing was recorded")
            self._database.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Forget staged records and release the file."""
        self._database.close()


def read_run(path: Path) -> list[Record]:
    """Records of the last run, oldest first; the empty list when there is none. Safe beside a running owner.

    Raises ``IntegrityError`` when the file or a record is damaged.
    """
    return list(_read(path, "SELECT COALESCE(MAX(number), 1) FROM record WHERE kind = 'run'"))


def read_all(path: Path) -> list[Record]:
    """Records of every run of the workspace, oldest first."""
    return list(_read(path, "SELECT 1"))


def _read(path: Path, first: str) -> Iterator[Record]:
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'record'").fetchone() is None:
                return
            (start,) = database.execute(first).fetchone()
            before = database.execute("SELECT mark FROM record WHERE number = ?", (start - 1,)).fetchone()
            mark, expected = before[0] if before else "", start
            rows = database.execute("SELECT * FROM record WHERE number >= ? ORDER BY number", (start,))
            for number, kind, subject, at, body, stored in rows:
                mark = _mark(mark, number, kind, subject, body)
                if mark != stored or number != expected:
                    raise IntegrityError(
                        f"{path}: record {number} is damaged. Nothing of this run can be trusted; "
                        "start it again with --discard."
                    )
                expected += 1
                yield Record(number, Kind(kind), subject, at, json.loads(body))
    except (sqlite3.Error, ValueError, TypeError) as error:  # TypeError: a value of a type that is never written
        raise _trouble(path, error) from error


def _mark(before: str, number: int, kind: str, subject: str, body: str) -> str:
    text = "\x00".join((before, str(number), kind, subject, body))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _trouble(path: Path, error: Exception) -> IntegrityError | StorageError:
    """``error`` of SQLite, as damage or as trouble of the device."""
    text = str(error)
    if isinstance(error, sqlite3.OperationalError) and "malformed" not in text:
        return StorageError(f"{path}: {text}. Free space or mend the disk, then run `catalytic resume`.")
    return IntegrityError(f"{path} is damaged ({text}). Start the run again with --discard.")
