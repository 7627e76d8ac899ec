"""Memory of a buffer: contiguous over pieces, read-only where it must be, surrounded by nothing."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from catalytic.runtime.mapping import PAGE, Mapping, Piece, Window


def file_of(path: Path, pages: int) -> Path:
    path.write_bytes(b"".join(bytes([65 + n]) * PAGE for n in range(pages)))
    return path


def test_pieces_of_several_files_are_one_range(tmp_path: Path) -> None:
    a, b = file_of(tmp_path / "a", 3), file_of(tmp_path / "b", 2)
    with Mapping([Piece(a, PAGE, 2 * PAGE), Piece(b, 0, 10)], writable=True) as mapping:
        assert bytes(mapping.view) == b"B" * PAGE + b"C" * PAGE + b"A" * 10
        mapping.view[PAGE - 1 : PAGE + 1] = b"xy"
        mapping.view[-1:] = b"z"
    assert a.read_bytes()[2 * PAGE - 1 : 2 * PAGE + 1] == b"xy"
    assert b.read_bytes()[9:10] == b"z"


def test_the_margin_is_the_rest_of_the_last_page(tmp_path: Path) -> None:
    with Mapping([Piece(file_of(tmp_path / "a", 2), 0, PAGE + 1)], writable=True) as mapping:
        assert len(mapping.margin) == PAGE - 1
        mapping.margin[:] = bytes(PAGE - 1)
    assert (tmp_path / "a").read_bytes() == b"A" * PAGE + b"B" + bytes(PAGE - 1)


def test_a_read_only_view_cannot_be_assigned(tmp_path: Path) -> None:
    with (
        Mapping([Piece(file_of(tmp_path / "a", 1), 0, 5)], writable=False) as mapping,
        pytest.raises(TypeError, match="read-only"),
    ):
        mapping.view[0] = 1


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Mapping([Piece(file_of(tmp_path / "a", 1), 0, PAGE)], writable=True):
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_nothing_maps_beyond_the_end_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="shorter"):
        Mapping([Piece(file_of(tmp_path / "a", 1), 0, PAGE + 1)], writable=False)


def test_an_empty_buffer_has_an_empty_view() -> None:
    with Mapping([], writable=True) as mapping:
        assert bytes(mapping.view) == b""


@pytest.mark.parametrize("where", ["-1", f"{PAGE}", "late"])
def test_touching_what_is_not_the_buffer_is_a_fault(tmp_path: Path, where: str) -> None:
    file_of(tmp_path / "a", 3)
    program = f"""
import ctypes
from pathlib import Path
from catalytic.runtime.mapping import Mapping, Piece
mapping = Mapping([Piece(Path({str(tmp_path / "a")!r}), {PAGE}, {PAGE})], writable=True)
view, where = mapping.view, {where!r}
if where == "late":
    mapping.close()
    ctypes.memset(mapping.address, 1, 1)
ctypes.memset(mapping.address + int(where), 1, 1)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == -11
    assert (tmp_path / "a").read_bytes() == b"A" * PAGE + b"B" * PAGE + b"C" * PAGE


def test_memory_without_views_is_given_back(tmp_path: Path) -> None:
    mapping = Mapping([Piece(file_of(tmp_path / "a", 1), 0, PAGE)], writable=True)
    address = mapping.address
    assert ctypes.string_at(address, 1) == b"A"
    mapping.close()

    lines = Path("/proc/self/maps").read_text().splitlines()
    assert not any(int(line.split("-")[0], 16) <= address < int(line.split("-")[1].split()[0], 16) for line in lines)


def window_of(folder: Path) -> Window:
    """Two partitions of three pages."""
    return Window([file_of(folder / "p0", 3), file_of(folder / "p1", 3)], 3 * PAGE)


def test_an_opening_is_the_file_and_continues_in_the_next_partition(tmp_path: Path) -> None:
    window = window_of(tmp_path)
    address = window.address_of([Piece(tmp_path / "p0", 0, 3 * PAGE), Piece(tmp_path / "p1", 0, 10)])
    assert address is not None

    with window.open(address, 3 * PAGE + 10) as opening:
        assert bytes(opening.view) == b"A" * PAGE + b"B" * PAGE + b"C" * PAGE + b"A" * 10
        opening.view[3 * PAGE] = 33
    assert (tmp_path / "p1").read_bytes()[:2] == b"!A"


def test_pieces_that_are_not_one_range_are_not_in_the_window(tmp_path: Path) -> None:
    window = window_of(tmp_path)

    assert window.address_of([Piece(tmp_path / "p0", 0, PAGE), Piece(tmp_path / "p1", 0, 10)]) is None
    assert window.address_of([Piece(tmp_path / "elsewhere", 0, PAGE)]) is None
    assert window.address_of([]) is None


def test_a_kept_view_closes_its_window_for_ever(tmp_path: Path) -> None:
    window = window_of(tmp_path)
    pieces = [Piece(tmp_path / "p0", PAGE, PAGE)]
    first = window.address_of(pieces)
    assert first is not None
    opening = window.open(first, PAGE)
    kept = opening.view[3:]
    opening.close()

    assert window.address_of(pieces) != first
    assert len(kept) == PAGE - 3


@pytest.mark.parametrize("where", ["before", "behind", "closed"])
def test_only_the_opened_bytes_of_a_window_are_accessible(tmp_path: Path, where: str) -> None:
    file_of(tmp_path / "p0", 3)
    program = f"""
import ctypes
from pathlib import Path
from catalytic.runtime.mapping import Piece, Window
path = Path({str(tmp_path / "p0")!r})
window = Window([path], {3 * PAGE})
address = window.address_of([Piece(path, {PAGE}, 100)])
opening = window.open(address, 100)
ctypes.memset(address, 66, {PAGE})
if {where!r} == "closed":
    opening.close()
ctypes.memset(address + dict(before=-1, behind={PAGE}, closed=0)[{where!r}], 1, 1)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == -11
    assert (tmp_path / "p0").read_bytes() == b"A" * PAGE + b"B" * PAGE + b"C" * PAGE
