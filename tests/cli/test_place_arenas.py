"""``place`` in several arenas and with pools, through the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalytic.solver import warm_up
from catalytic.solver.placement import partitioned

from .console import Said, catalytic, write_problem

QUICK = ("--time-limit", "20", "--threads", "1")
THREE = "id,lower,upper,size\na,0,4,6\nb,0,4,5\nc,0,4,4\n"
"""15 bytes alive at once."""
Row = dict[str, str]


def place(folder: Path, text: str, *words: str | Path) -> Said:
    path = folder / "buffers.csv"
    path.write_text(text, encoding="utf-8")
    return catalytic("place", path, *QUICK, *words)


def within(*capacities: int) -> list[str]:
    return [word for capacity in capacities for word in ("--capacity", str(capacity))]


def records(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


def wrong(rows: Sequence[Row], capacities: Sequence[int]) -> list[str]:
    """What is wrong with a placement, by the definition: every byte at every moment, every slice of a pool."""
    found = []
    owner: dict[tuple[int, int, int], str] = {}
    slices: dict[tuple[int, str], set[int]] = {}
    for row in rows:
        arena, low, size = int(row["arena"]), int(row["offset"]), int(row["size"])
        if low % int(row.get("alignment") or 1) or low + size > capacities[arena]:
            found.append(f"{row['id']} at {low}")
        if size:
            slices.setdefault((arena, row.get("pool", "")), set()).update((low, low + size))
        gaps = [tuple(map(int, gap.split("-"))) for gap in row.get("gaps", "").split()]
        for moment, byte in product(range(int(row["lower"]), int(row["upper"])), range(low, low + size)):
            if (
                not any(a <= moment < z for a, z in gaps)
                and owner.setdefault((arena, moment, byte), row["id"]) != row["id"]
            ):
                found.append(f"{row['id']} and {owner[arena, moment, byte]} at {moment}")
    for (one, first), (two, second) in combinations(slices.items(), 2):
        if one[0] == two[0] and min(first) < max(second) and min(second) < max(first):
            found.append(f"slices of {one} and {two}")
    return found


def test_every_buffer_lies_wholly_in_one_arena(tmp_path: Path) -> None:
    """6 and 4 bytes fill one arena, 5 the other; on one line of 15 bytes nothing would be different."""
    said = place(tmp_path, THREE, *within(10, 5), "-o", "-")

    rows = records(said.out)
    assert said.code == 0
    assert list(rows[0]) == ["id", "lower", "upper", "size", "arena", "offset"]
    assert wrong(rows, (10, 5)) == []
    assert [row["arena"] for row in rows] == ["0", "1", "0"]
    assert "OPTIMAL | footprint 15 bytes in 2 arenas | = bound, CERTIFICATE | 3 buffers" in said.err
    assert ["0", "10B", "10B", "100%", "2"] in [line.split() for line in said.err.splitlines()]
    assert ["1", "5B", "5B", "100%", "1"] in [line.split() for line in said.err.splitlines()]


def test_what_fits_no_choice_of_arenas_names_the_moment_and_the_buffers_and_a_command_that_works(
    tmp_path: Path,
) -> None:
    """Two of 6 and one of 5 bytes: 17 bytes are no more than the arenas have, and yet one of 6 finds no room."""
    text = "id,lower,upper,size\na,0,4,6\nb,2,4,6\nc,0,4,5\nd,5,6,1\n"
    said = place(tmp_path, text, *within(9, 8), "-o", tmp_path / "placed.csv", "--seed", "3")

    assert said.code == 3
    assert "INFEASIBLE | nothing fits 9B + 8B" in said.out
    assert "in [2, 4) ticks" in said.out
    shown = [line.split()[0] for line in said.out.splitlines() if line.endswith(("6B", "5B")) and "[" in line]
    assert shown == ["a", "b", "c"]
    assert not (tmp_path / "placed.csv").exists()
    (command,) = [line for line in said.out.splitlines() if line.strip().startswith("try: catalytic place")]
    words = command.partition("#")[0].split()[2:]
    assert words[-4:] == ["--time-limit", "20", "--seed", "3"]
    assert catalytic(*words).code == 0
    assert wrong(records((tmp_path / "placed.csv").read_text()), [12, 12]) == []


def test_more_bytes_than_there_are_is_said_in_words_of_arenas(tmp_path: Path) -> None:
    said = place(tmp_path, THREE, *within(6, 6))

    assert said.code == 3
    assert "15 bytes are alive at once, the arenas hold 12 (CERTIFICATE)" in said.out
    assert "partition" not in said.out


def test_an_arena_that_is_given_holds_its_buffer(tmp_path: Path) -> None:
    """a is held in arena 1, b there at an offset, c prefers one there; e has no bytes."""
    text = "id,lower,upper,size,hint,arena,offset\na,0,4,2,,1,\nb,0,4,3,,1,5\nc,0,4,2,8,1,\nd,0,4,4,,,\ne,0,4,0,,1,7\n"
    said = place(tmp_path, text, *within(4, 10), "-o", "-")

    rows = {row["id"]: (row["arena"], row["offset"]) for row in records(said.out)}
    assert said.code == 0
    assert rows["a"][0] == "1"
    assert (rows["b"], rows["c"], rows["e"]) == (("1", "5"), ("1", "8"), ("1", "7"))
    assert wrong(records(said.out), (4, 10)) == []
    assert "1 of 1 kept" in said.err


def test_a_hint_without_an_arena_is_not_looked_at_and_that_is_said(tmp_path: Path) -> None:
    text = "id,lower,upper,size,hint\na,0,4,2,3\n"

    assert "1 hints say nothing" in place(tmp_path, text, *within(9, 9)).err
    assert (
        "hints say" not in place(tmp_path, text.replace("hint", "hint,pool").replace(",3\n", ",3,p\n"), *within(9)).err
    )


def test_what_was_written_is_read_again_and_nothing_moves(tmp_path: Path) -> None:
    once = place(tmp_path, THREE, *within(10, 5), "-o", "-").out
    again = place(tmp_path, once, *within(10, 5), "-o", "-")

    assert again.out == once
    assert "3 of 3 buffers stay at the offset" in again.err


def test_given_arenas_and_offsets_that_cannot_be_are_all_named(tmp_path: Path) -> None:
    text = (
        "id,lower,upper,size,arena,offset\na,0,4,6,0,0\nb,0,4,6,0,5\nc,0,4,6,1,0\nd,0,4,6,2,\ne,0,4,6,,0\nf,0,4,6,1,5\n"
    )

    said = place(tmp_path, text, *within(11, 10), "--json")

    assert said.code == 2
    assert [(m["path"], m["found"], m["allowed"]) for m in said.document["mistakes"]] == [
        ("line 5, arena", "2", "0 to 1, one for each --capacity"),
        ("line 6, offset", "0", "an arena beside it, or an empty offset"),
        ("line 7, offset", "5", "at most 4: the buffer has 6 bytes, the capacity 10"),
        ("line 3, offset", "5", "none of [0, 6), where 'a' of line 2 lies while both are alive"),
        ("line 7, offset", "5", "none of [0, 6), where 'c' of line 4 lies while both are alive"),
    ]


@pytest.mark.parametrize("column", ["arena", "pool"])
def test_arenas_and_pools_need_capacities(column: str, tmp_path: Path) -> None:
    said = place(tmp_path, f"id,lower,upper,size,{column}\na,0,4,6,0\n")

    assert said.code == 2
    assert f"the column {column}" in said.err and "--capacity" in said.err
    assert place(tmp_path, f"id,lower,upper,size,{column}\na,0,4,6,\n").code == 0
    assert place(tmp_path, f"id,lower,upper,size,{column}\na,0,4,6,0\n", *within(6)).code == 0


def test_pools_own_slices(tmp_path: Path) -> None:
    """One pool is full early, the other late: shared bytes would need 6, slices need 6 + 5."""
    text = "id,lower,upper,size,pool\na,0,4,3,x\nb,0,4,3,x\nc,5,9,2,y\nd,5,9,3,y\n"

    placed = place(tmp_path, text, *within(11), "--minimise", "--json").document
    refused = place(tmp_path, text, *within(10))
    apart = records(place(tmp_path, text, *within(6, 5), "-o", "-").out)

    assert (placed["status"], placed["footprint"], placed["bound"]) == ("OPTIMAL", 11, 11)
    assert sorted((s["pool"], s["arena"], s["size"]) for s in placed["slices"]) == [("x", 0, 6), ("y", 0, 5)]
    assert refused.code == 3
    assert "pools need 11 bytes in all" in refused.out
    assert wrong(apart, (6, 5)) == []
    assert {row["pool"]: row["arena"] for row in apart} == {"x": "0", "y": "1"}


def test_minimise_takes_the_fewest_bytes_within_the_capacities(tmp_path: Path) -> None:
    """Alone, each of the three would have an arena to itself; together they share what two leave to one another."""
    text = "id,lower,upper,size\na,0,2,8\nb,2,4,8\nc,4,6,8\n"

    document = place(tmp_path, text, *within(9, 20, 9), "--minimise", "--json").document

    assert (document["footprint"], document["bound"], document["status"]) == (8, 8, "OPTIMAL")
    assert sum(use["height"] for use in document["arenas"]) == 8
    assert sum(use["buffers"] for use in document["arenas"]) == 3


def test_only_minimise_goes_on_searching_after_the_first_placement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    real = partitioned.place_partitioned

    def listening(*words: Any, minimise: bool, **more: Any) -> partitioned.Placed:
        asked.append(minimise)
        return real(*words, minimise=minimise, **more)

    monkeypatch.setattr(partitioned, "place_partitioned", listening)

    place(tmp_path, THREE, *within(10, 5))
    place(tmp_path, THREE, *within(10, 5), "--minimise")

    assert asked == [False, True]


def test_each_arena_has_its_picture(tmp_path: Path) -> None:
    assert place(tmp_path, THREE, *within(10, 5, 3), "--svg", tmp_path / "map.svg").code == 0

    root = ElementTree.parse(tmp_path / "map.svg").getroot()
    said = [text for e in root.iter() if (text := e.text)]
    for arena in range(3):
        assert f"buffers, arena {arena}" in said
    assert sum(text.startswith(("a:", "b:", "c:")) for text in said) == 3


def test_a_table_without_bytes_lies_in_any_arenas(tmp_path: Path) -> None:
    for text in ("id,lower,upper,size\n", "id,lower,upper,size\na,0,1,0\n"):
        said = place(tmp_path, text, *within(4, 5), "-o", "-", "--svg", tmp_path / "m.svg")
        assert said.code == 0
        assert wrong(records(said.out), (4, 5)) == []


def test_an_arena_has_a_byte(tmp_path: Path) -> None:
    said = place(tmp_path, THREE, *within(20, 0))

    assert said.code == 2
    assert "a byte or more in each arena" in said.err


def test_tasks_of_a_problem_share_the_arenas(tmp_path: Path) -> None:
    """Three of four buffers of 64 KiB live at once: two in one arena and one in the other."""
    problem = write_problem(tmp_path)

    said = catalytic("place", problem, *QUICK, *within(131072, 65536), "--json")

    assert said.code == 0
    assert said.document["footprint"] == 3 * 65536
    assert "the buffers share the arenas" in said.err
    assert catalytic("place", problem, *QUICK, *within(65536, 65536)).code == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*within(9, 9), "--best-effort"), "--best-effort"),
        ((*within(9, 9), "-o", "-", "--json"), "stdout"),
    ],
    ids=["nothing to miss", "one stdout"],
)
def test_options_that_contradict_each_other_are_refused(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    answer = place(tmp_path, THREE, *words)

    assert answer.code == 2
    assert said in answer.err


def test_only_the_loops_that_are_needed_are_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def load(announce: Callable[[str], None], parts: Sequence[str]) -> float:
        asked.append(tuple(parts))
        return 0.0

    monkeypatch.setattr(warm_up, "warm_up", load)
    monkeypatch.setattr(warm_up, "PARTS", ("exact", "search", "placement", "schedule", "partitions"))

    place(tmp_path, THREE)
    place(tmp_path, THREE, *within(20))
    place(tmp_path, THREE, *within(20, 20))
    place(tmp_path, "id,lower,upper,size,pool\na,0,4,6,x\n", *within(20))

    assert asked == [("placement",), ("placement",), ("placement", "partitions"), ("placement", "partitions")]


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Up to five small buffers, some aligned, some with a gap, some of a pool."""
    lines = ["id,lower,upper,size,alignment,gaps,pool"]
    for k in range(draw(st.integers(1, 5))):
        low = draw(st.integers(0, 4))
        high = low + draw(st.integers(1, 4))
        gap = f"{low + 1}-{low + 2}" if high - low > 2 and draw(st.booleans()) else ""
        size, alignment, pool = draw(st.integers(0, 4)), draw(st.sampled_from([1, 2])), draw(st.sampled_from("xy"))
        lines.append(f"b{k},{low},{high},{size},{alignment},{gap},{pool}")
    return "\n".join(lines) + "\n"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(), st.lists(st.integers(1, 6), min_size=1, max_size=2))
def test_an_answer_is_valid_or_enumeration_finds_none(tmp_path: Path, text: str, capacities: list[int]) -> None:
    said = place(tmp_path, text, *within(*capacities), "-o", "-")

    if said.code == 0:
        assert wrong(records(said.out), capacities) == []
    else:
        assert said.code == 3
        assert not possible(records(text), capacities)


def possible(rows: list[Row], capacities: Sequence[int]) -> bool:
    """Whether there is a placement: everything is tried, one buffer after another."""
    spots = [(arena, at) for arena, capacity in enumerate(capacities) for at in range(capacity)]
    placed: list[Row] = []

    def rest(k: int) -> bool:
        if k == len(rows):
            return wrong(placed, capacities) == []
        for arena, at in spots:
            placed.append({**rows[k], "arena": str(arena), "offset": str(at)})
            alone = [row if row["size"] != "0" else {**row, "offset": "0"} for row in placed]
            # Slices only grow and bytes stay taken: what is wrong already stays wrong.
            if wrong(alone, capacities) == [] and rest(k + 1):
                return True
            placed.pop()
        return False

    return rest(0)
