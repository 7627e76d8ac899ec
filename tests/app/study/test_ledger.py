"""Rows survive: torn at any byte, written by two, damaged in the middle."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalytic.app.study.ledger import ROWS, opened, read_rows
from catalytic.solver.errors import InputError, StorageError, WorkspaceBusy

from .rows import row

FIRST, SECOND, THIRD = row("p"), row("q"), row("r", value=3, bound=3)


def filled(folder: Path) -> Path:
    """A study of three rows."""
    with opened(folder) as ledger:
        for one in (FIRST, SECOND, THIRD):
            ledger.append(one)
    return folder / ROWS


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    filled(tmp_path / "study")

    assert read_rows(tmp_path / "study") == ((FIRST, SECOND, THIRD), 0)


def test_a_last_line_torn_at_any_byte_is_cut_and_the_others_stay(tmp_path: Path) -> None:
    path = filled(tmp_path / "study")
    whole = path.read_bytes()
    start = len(whole) - len(THIRD.line())

    for length in [*range(start + 1, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert read_rows(tmp_path / "study") == ((FIRST, SECOND), 0)
        with opened(tmp_path / "study") as ledger:
            assert ledger.torn
            assert ledger.of_cell(THIRD.cell) is None
            assert ledger.of_cell(SECOND.cell) == SECOND
            ledger.append(THIRD)
        assert path.read_bytes() == whole


def test_a_last_line_that_never_reached_the_disk_is_cut(tmp_path: Path) -> None:
    """After a power failure a file may have the length of a line and zeros for its bytes."""
    path = filled(tmp_path / "study")
    with path.open("ab") as file:
        file.write(bytes(100))

    with opened(tmp_path / "study") as ledger:
        assert ledger.torn
        assert ledger.of_cell(THIRD.cell) == THIRD


@pytest.mark.parametrize(
    ("line", "says"),
    [(b"{}", "line 1, cell: found nothing"), (b"{", "line 1"), (b"\xff", "line 1"), (b"", "line 1")],
)
def test_damage_before_the_last_line_is_an_error_and_nothing_is_touched(line: bytes, says: str, tmp_path: Path) -> None:
    path = filled(tmp_path / "study")
    damaged = line + b"\n" + SECOND.line() + b'{"torn'
    path.write_bytes(damaged)

    with pytest.raises(InputError, match=says), opened(tmp_path / "study"):
        pass
    assert path.read_bytes() == damaged


def test_an_unknown_key_or_a_wrong_type_is_told_with_its_line(tmp_path: Path) -> None:
    path = filled(tmp_path / "study")
    text = path.read_text().replace('"seed":0', '"seed":"zero","sead":1', 1)
    path.write_text(text)

    with pytest.raises(InputError) as refused:
        read_rows(tmp_path / "study")
    assert {m.path for m in refused.value.mistakes} == {"line 1, seed", "line 1, sead"}


def test_a_figure_that_no_search_gives_is_told_with_its_line(tmp_path: Path) -> None:
    """Rows are text that anybody can edit; logarithms of negative values would be tracebacks."""
    path = filled(tmp_path / "study")
    document = json.loads(path.read_text().splitlines()[0])
    wrong = {"value": -5, "first_s": -3.0, "incumbents": [[-1.0, 3]]}
    document.update(wrong, limits={**document["limits"], "time_s": -1.0})
    path.write_text(json.dumps(document) + "\n")

    with pytest.raises(InputError) as refused:
        read_rows(tmp_path / "study")
    places = {"line 1, value", "line 1, first_s", "line 1, incumbents[0][0]", "line 1, limits.time_s"}
    assert {m.path for m in refused.value.mistakes} == places


def test_the_last_row_of_a_place_counts(tmp_path: Path) -> None:
    again = row("p", value=7)
    filled(tmp_path / "study")
    with opened(tmp_path / "study") as ledger:
        ledger.append(again)
        assert ledger.at(FIRST.place) == again

    assert read_rows(tmp_path / "study") == ((again, SECOND, THIRD), 1)


def test_a_second_writer_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "study"),
        pytest.raises(WorkspaceBusy, match=f"process {os.getpid()}"),
        opened(tmp_path / "study"),
    ):
        pass
    with opened(tmp_path / "study"):
        pass


def test_a_folder_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError), opened(tmp_path / "no" / "study"):
        pass


def test_a_folder_without_rows_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no study"):
        read_rows(tmp_path)


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file can grow beyond ``size`` bytes: the kernel writes what fits and then refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_row_that_does_not_fit_leaves_no_half_line_behind(tmp_path: Path) -> None:
    with opened(tmp_path / "study") as ledger:
        ledger.append(FIRST)
        with full_disk(len(FIRST.line()) + 100), pytest.raises(StorageError):
            ledger.append(SECOND)
        ledger.append(THIRD)

    assert read_rows(tmp_path / "study") == ((FIRST, THIRD), 0)
