"""MiniMalloc's CSV: both dialects, every column, and every mistake of a file at once."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats import BufferTable, dump_minimalloc, load_minimalloc, parse_minimalloc

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data")) / "minimalloc"
REAL = sorted(DATA.glob("*.csv"))

FULL = """\
id,lower,upper,size,alignment,hint,gaps,offset
b1,0,9,4,2,8,3-5 6-8,
b2,-2,3,5,,,,7
"""


def mistakes(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        parse_minimalloc(text.encode(), "x.csv")
    return [(m.path, m.found) for m in caught.value.mistakes]


def test_every_column_is_read() -> None:
    table = parse_minimalloc(FULL.encode(), "x.csv")

    assert table.id == ("b1", "b2")
    assert (table.lower, table.upper, table.size) == ((0, -2), (9, 3), (4, 5))
    assert (table.alignment, table.hint, table.offset) == ((2, 1), (8, None), (None, 7))
    assert table.gaps == (((3, 5), (6, 8)), ())


@pytest.mark.parametrize("names", ["buffer,begin,end", "buffer_id,start,end"])
def test_a_column_end_is_inclusive_and_so_are_the_ends_of_gaps(names: str) -> None:
    table = parse_minimalloc(f"{names},size,gaps\nb,0,8,4,3-4\n".encode(), "x.csv")

    assert (table.lower, table.upper, table.gaps) == ((0,), (9,), (((3, 5),),))
    assert dump_minimalloc(table, [16]) == f"{names},size,gaps,offset\nb,0,8,4,3-4,16\n"


def test_offsets_are_written_over_those_that_were_read() -> None:
    table = parse_minimalloc(FULL.encode(), "x.csv")
    assert dump_minimalloc(table, [0, 4]) == FULL.replace("6-8,\n", "6-8,0\n").replace(
        "b2,-2,3,5,,,,7", "b2,-2,3,5,1,,,4"
    )


def test_order_of_columns_spaces_quotes_marks_and_line_ends_do_not_matter() -> None:
    plain = parse_minimalloc(b"id,lower,upper,size\nb 1,0,3,4\n", "x.csv")
    other = parse_minimalloc(b'\xef\xbb\xbfsize, upper ,lower,id\r\n\r\n4, 3 ,0,"b 1"\r\n', "x.csv")
    assert (plain.id, plain.lower, plain.upper, plain.size) == (other.id, other.lower, other.upper, other.size)


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(FULL.encode()))
    assert load_minimalloc(path) == parse_minimalloc(FULL.encode(), "x.csv")


def test_lines_are_remembered_for_whoever_finds_more_to_say() -> None:
    assert parse_minimalloc(b"\n\nid,lower,upper,size\n\na,0,1,1\n\nb,0,1,1\n", "x.csv").line == (5, 7)


def test_a_table_made_of_columns_is_written_and_read_again() -> None:
    table = BufferTable.of(["a", "b"], [0, 1], [2, 3], [4, 5], alignment=8)

    again = parse_minimalloc(dump_minimalloc(table, [0, 8]).encode(), "x.csv")

    assert (again.lower, again.upper, again.size, again.alignment) == ((0, 1), (2, 3), (4, 5), (8, 8))
    assert again.offset == (0, 8)


ARENAS = """\
id,lower,upper,size,pool,arena
b1,0,9,4,weights,1
b2,0,9,5,,
"""


def test_pools_and_arenas_are_read_and_written_beside_the_offsets() -> None:
    table = parse_minimalloc(ARENAS.encode(), "x.csv")

    assert (table.pool, table.arena) == (("weights", ""), (1, None))
    assert dump_minimalloc(table, [8, 0], [1, 2]) == (
        "id,lower,upper,size,pool,arena,offset\nb1,0,9,4,weights,1,8\nb2,0,9,5,,2,0\n"
    )
    assert parse_minimalloc(FULL.encode(), "x.csv").arena == (None, None)
    assert mistakes(ARENAS.replace(",1\n", ",-1\n").replace(",,\n", ",,x\n")) == [
        ("line 2, arena", "'-1'"),
        ("line 3, arena", "'x'"),
    ]


def test_some_buffers_of_a_table_are_a_table() -> None:
    table = parse_minimalloc(FULL.encode(), "x.csv")

    assert table.only([0, 1]) == table
    assert table.only([1]).id == ("b2",)
    assert (table.only([1]).gaps, table.only([1]).offset, table.only([1]).line) == (((),), (7,), (3,))
    assert BufferTable.of(["a", "b"], [0, 1], [2, 3], [4, 5], 8).only([1]).line == ()


names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@st.composite
def files(draw: st.DrawFn) -> str:
    lines = ["id,lower,upper,size"]
    for name in draw(st.lists(names.map(lambda n: n.replace('"', "q").replace(",", "c")), unique=True)):
        low = draw(st.integers(-5, 100))
        lines.append(f"{name},{low},{low + draw(st.integers(1, 9))},{draw(st.integers(0, 2**62))}")
    return "\n".join(lines) + "\n"


@settings(max_examples=80, deadline=None)
@given(files())
def test_what_is_written_is_read_again(text: str) -> None:
    table = parse_minimalloc(text.encode(), "x.csv")
    at = list(range(len(table.id)))
    again = parse_minimalloc(dump_minimalloc(table, at).encode(), "x.csv")

    assert again.offset == tuple(at)
    assert (again.id, again.lower, again.upper, again.size) == (table.id, table.lower, table.upper, table.size)


def test_all_mistakes_are_told_at_once() -> None:
    text = """\
id,lower,upper,size,alignment,gaps,offset
a,0,3,4,0,,
a,5,5,-1,1,,
,x,3,4.5,1,,
b,0,9,4,4,3,6
c,0,9,4,1,0-9,
d,0,9,4,1,2-4 3-5,
e,0,9,4,1,3-5@0:2,
f,0,9
"""
    assert mistakes(text) == [
        ("line 2, alignment", "'0'"),
        ("line 3, id", "'a'"),
        ("line 3, upper", "5"),
        ("line 3, size", "'-1'"),
        ("line 4, id", "''"),
        ("line 4, lower", "'x'"),
        ("line 4, size", "'4.5'"),
        ("line 5, offset", "6"),
        ("line 5, gaps", "'3'"),
        ("line 6, gaps", "'0-9'"),
        ("line 7, gaps", "'2-4 3-5'"),
        ("line 8, gaps", "'3-5@0:2'"),
        ("line 9", "3 fields"),
    ]


def test_a_mistake_says_what_is_allowed_and_what_to_do() -> None:
    with pytest.raises(InputError) as caught:
        parse_minimalloc(b"id,begin,end,size,alignment,offset\nb,3,2,4,4,6\n", "x.csv")
    assert [str(m) for m in caught.value.mistakes] == [
        "line 2, end: found 2, allowed the last moment, at least 3",
        "line 2, offset: found 6, allowed a multiple of the alignment 4; leave it empty if it is free",
    ]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("id,lower,upper", ["no column size"]),
        ("id,lower,start,upper,end,size", ["the columns lower and start", "the columns upper and end"]),
        ("id,lower,upper,size,colour", ["the column 'colour'"]),
        ("0,1,2,3", ["the column '0'", "the column '1'", "the column '2'", "the column '3'"]),
    ],
    ids=["missing", "twice", "unknown", "no header"],
)
def test_a_header_that_says_too_little_or_too_much_is_refused(header: str, found: list[str]) -> None:
    assert [f for _, f in mistakes(f"{header}\n")][: len(found)] == found


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xff\xfe", b'id,lower,upper,size\n"a,0,1,2\n'])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_minimalloc(data, "x.csv")


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real instances: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.name.split(".")[0])
def test_a_published_file_is_read_whole_and_written_the_same(path: Path) -> None:
    with path.open() as stream:
        records = list(csv.DictReader(stream))
    table = load_minimalloc(path)

    assert table.id == tuple(r["id"] for r in records)
    assert table.upper == tuple(int(r["upper"]) for r in records)
    written = dump_minimalloc(table, [0] * len(records))
    assert [line.removesuffix(",0") for line in written.splitlines()[1:]] == path.read_text().split()[1:]
