"""The journal: what was flushed is there whatever is torn off behind it; what was changed is found."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from catalytic.runtime.journal import Journal, Kind, read_all, read_run
from catalytic.solver.errors import IntegrityError, StorageError, WorkspaceBusy


def journal_at(path: Path, token: str = "me") -> Journal:
    return Journal(path, token, lambda: 0.0)


def filled(path: Path, count: int) -> Journal:
    journal = journal_at(path)
    for n in range(count):
        journal.stage(Kind.RUN if n == 0 else Kind.BEGIN, f"s{n}", {"n": n, "padding": "x" * 300})
        journal.flush()
    return journal


def test_what_was_flushed_is_read_back(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 3)
    journal.stage(Kind.COMMIT, "never flushed", {})
    journal.close()

    assert [(r.number, r.kind, r.subject, r.body["n"]) for r in read_run(tmp_path / "j")] == [
        (1, Kind.RUN, "s0", 0),
        (2, Kind.BEGIN, "s1", 1),
        (3, Kind.BEGIN, "s2", 2),
    ]


def test_only_the_last_run_is_folded(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 3)
    journal.stage(Kind.RUN, "second", {})
    journal.stage(Kind.BEGIN, "t", {})
    journal.flush()

    assert [r.subject for r in read_run(tmp_path / "j")] == ["second", "t"]
    assert len(read_all(tmp_path / "j")) == 5


def test_a_torn_tail_loses_only_what_was_behind_the_tear(tmp_path: Path) -> None:
    """Cut the write-ahead log at many lengths: what is read is always a beginning of what was written."""
    journal = filled(tmp_path / "j", 8)  # kept open: closing would move the log into the database
    whole = (tmp_path / "j-wal").read_bytes()
    seen = set()
    for length in range(0, len(whole) + 1, 1021):
        torn = tmp_path / f"torn{length}"
        shutil.copy(tmp_path / "j", torn)
        Path(f"{torn}-wal").write_bytes(whole[:length])
        subjects = [r.subject for r in read_run(torn)]
        assert subjects == [f"s{n}" for n in range(len(subjects))]
        seen.add(len(subjects))
    journal.close()
    assert len(seen) > 3


def test_a_record_changed_in_place_is_found(tmp_path: Path) -> None:
    filled(tmp_path / "j", 4).close()
    with sqlite3.connect(tmp_path / "j") as database:
        database.execute("UPDATE record SET subject = 'other' WHERE number = 3")

    with pytest.raises(IntegrityError, match="record 3 is damaged"):
        read_run(tmp_path / "j")


def test_a_record_of_bytes_instead_of_text_is_found(tmp_path: Path) -> None:
    filled(tmp_path / "j", 4).close()
    with sqlite3.connect(tmp_path / "j") as database:
        database.execute("UPDATE record SET body = x'ff' WHERE number = 3")

    with pytest.raises(IntegrityError, match="damaged"):
        read_run(tmp_path / "j")


def test_a_record_taken_out_is_found(tmp_path: Path) -> None:
    filled(tmp_path / "j", 4).close()
    with sqlite3.connect(tmp_path / "j") as database:
        database.execute("DELETE FROM record WHERE number = 3")

    with pytest.raises(IntegrityError, match="damaged"):
        read_run(tmp_path / "j")


def test_a_file_that_is_no_journal_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(b"not a database at all" * 400)

    with pytest.raises(IntegrityError):
        read_run(tmp_path / "j")
    with pytest.raises(IntegrityError):
        journal_at(tmp_path / "j")


def test_a_stale_owner_cannot_record(tmp_path: Path) -> None:
    stale = filled(tmp_path / "j", 2)
    journal_at(tmp_path / "j", token="the new owner").close()
    stale.stage(Kind.COMMIT, "s1", {})

    with pytest.raises(WorkspaceBusy, match="another run has taken"):
        stale.flush()
    assert [r.kind for r in read_run(tmp_path / "j")] == [Kind.RUN, Kind.BEGIN]


def test_a_failing_disk_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="resume"):
        journal_at(tmp_path / "no such folder" / "j")


def test_no_journal_is_no_records(tmp_path: Path) -> None:
    assert read_run(tmp_path / "j") == []
