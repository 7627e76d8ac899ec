"""``place`` through the command line: what is said, what is written, and the exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from catalytic.app import place as use_case
from catalytic.solver import warm_up
from catalytic.solver.budget import Budget
from catalytic.solver.placement import arena_portfolio
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.arena_portfolio import Placed
from catalytic.solver.plan import Evidence, Status

from .console import catalytic, fresh, write_problem

ROOT = Path(__file__).resolve().parents[2]
INSTANCES = ROOT / "instances" / "placement"
QUICK = ("--time-limit", "20", "--threads", "1")
TINY = """\
id,lower,upper,size
a,0,3,4
b,2,9,5
c,4,6,5
d,6,9,4
"""
"""9 bytes are alive in [2, 3) and in [6, 9), 10 in [4, 6): none is lower than 10, and 10 is easily reached."""


def table(folder: Path, text: str = TINY) -> Path:
    path = folder / "buffers.csv"
    path.write_text(text, encoding="utf-8")
    return path


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def sharing(rows: list[dict[str, str]], begin: str = "lower", end: str = "upper", beyond: int = 0) -> list[str]:
    """Pairs that share a byte at a moment, by the definition: every moment's bytes are listed."""
    owner: dict[tuple[int, int], str] = {}
    found = []
    for row in rows:
        name = next(iter(row.values()))
        gaps = [tuple(map(int, gap.split("-"))) for gap in row.get("gaps", "").split()]
        for moment in range(int(row[begin]), int(row[end]) + beyond):
            if any(a <= moment < z + beyond for a, z in gaps):
                continue
            for byte in range(int(row["offset"]), int(row["offset"]) + int(row["size"])):
                if (other := owner.setdefault((moment, byte), name)) != name:
                    found.append(f"{name} and {other} at {moment}")
    return found


def test_without_a_capacity_the_lowest_placement_is_found_and_proved(tmp_path: Path) -> None:
    said = catalytic("place", table(tmp_path), *QUICK)

    assert said.code == 0
    assert said.out.startswith("buffers: OPTIMAL | height 10 bytes | = bound, CERTIFICATE | 4 buffers | ")
    assert "[4, 6) ticks: 2 buffers, 10 bytes alive at once" in said.out
    assert list(tmp_path.iterdir()) == [tmp_path / "buffers.csv"]
    assert catalytic("place", table(tmp_path), "--minimise", *QUICK).code == 0


def test_the_lowest_placement_within_a_capacity_is_not_the_first(tmp_path: Path) -> None:
    path = table(tmp_path)

    lowest = catalytic("place", path, "--capacity", "60", "--minimise", *QUICK, "--json").document

    assert (lowest["status"], lowest["height"], lowest["capacity"]) == ("OPTIMAL", 10, 60)
    assert catalytic("place", path, "--capacity", "9", "--minimise", *QUICK).code == 3


def test_the_file_is_written_with_offsets_that_are_valid(tmp_path: Path) -> None:
    placed = tmp_path / "placed.csv"

    said = catalytic("place", table(tmp_path), "--capacity", "10", "-o", placed, *QUICK)

    rows = records(placed.read_text())
    assert said.code == 0
    assert f"wrote {placed}" in said.err
    assert [{k: v for k, v in row.items() if k != "offset"} for row in rows] == records(TINY)
    assert sharing(rows) == []
    assert max(int(row["offset"]) + int(row["size"]) for row in rows) <= 10


def test_both_dialects_come_back_as_they_were(tmp_path: Path) -> None:
    """What was written is read again: all offsets are given then, and nothing moves."""
    for text, begin, end, beyond in ((TINY, "lower", "upper", 0), (inclusive(TINY), "begin", "end", 1)):
        once = catalytic("place", table(tmp_path, text), *QUICK, "-o", "-").out
        again = catalytic("place", table(tmp_path, once), *QUICK, "-o", "-")

        assert once.splitlines()[0] == text.splitlines()[0] + ",offset"
        assert [line.rpartition(",")[0] for line in once.splitlines()[1:]] == text.splitlines()[1:]
        assert sharing(records(once), begin, end, beyond) == []
        assert again.out == once
        assert "4 of 4 buffers stay at the offset" in again.err


def inclusive(text: str) -> str:
    """The same buffers with last moments instead of the first ones after them."""
    rows = [line.split(",") for line in text.splitlines()[1:]]
    lines = [f"{name},{low},{int(high) - 1},{size}" for name, low, high, size in rows]
    return "\n".join(["buffer,begin,end,size", *lines]) + "\n"


def test_output_to_stdout_is_the_table_alone(tmp_path: Path) -> None:
    said = catalytic("place", table(tmp_path), *QUICK, "-o", "-")

    assert [row["id"] for row in records(said.out)] == ["a", "b", "c", "d"]
    assert "OPTIMAL" in said.err


def test_a_given_offset_stays_and_gaps_are_used(tmp_path: Path) -> None:
    """b is 6 bytes at 2 except in [4, 6), when c takes all 8 bytes: possible in 8 only because of the gap."""
    text = "id,lower,upper,size,gaps,offset\na,0,4,2,,\nb,2,9,6,4-6,2\nc,4,6,8,,\n"

    said = catalytic("place", table(tmp_path, text), "--capacity", "8", *QUICK, "-o", "-")

    rows = records(said.out)
    assert said.code == 0
    assert {row["id"]: row["offset"] for row in rows} == {"a": "0", "b": "2", "c": "0"}
    assert sharing(rows) == []
    assert "1 of 3 buffers stay" in said.err


def test_alignment_is_kept_and_hints_are_counted(tmp_path: Path) -> None:
    text = "id,lower,upper,size,alignment,hint\na,0,4,3,4,0\nb,0,4,5,4,\n"

    document = catalytic("place", table(tmp_path, text), *QUICK, "--json").document

    assert set(document["offsets"].values()) in ({0, 4}, {0, 8})
    assert document["offsets"]["a"] % 4 == document["offsets"]["b"] % 4 == 0
    assert document["hints"][0] == 1
    assert document["hints"][1] == (document["offsets"]["a"] == 0)


def test_a_capacity_that_is_too_small_is_refused_with_the_moment_and_a_command_that_works(tmp_path: Path) -> None:
    path = table(tmp_path)

    said = catalytic("place", path, "--capacity", "9", *QUICK, "-o", tmp_path / "placed.csv", "--best-effort")

    assert said.code == 3
    assert "INFEASIBLE | nothing fits 9 bytes, at least 10 bytes are needed" in said.out
    assert "in [4, 6) ticks these buffers are alive at once, 10 bytes:" in said.out
    assert [line.split()[0] for line in said.out.splitlines() if line.endswith("5B")] == ["b", "c"]
    (command,) = [line for line in said.out.splitlines() if line.strip().startswith("try: catalytic place")]
    words = command.partition("#")[0].split()[2:]
    assert words[:4] == ["place", str(path), "--capacity", "10B"]
    assert not (tmp_path / "placed.csv").exists()
    assert catalytic(*words).code == 0
    assert (tmp_path / "placed.csv").exists()


def test_the_command_that_works_repeats_what_was_asked(tmp_path: Path) -> None:
    said = catalytic("place", table(tmp_path), "--capacity", "9", "--time-limit", "7", "--seed", "3", "-o", "-")

    assert said.code == 3
    assert said.out == ""
    assert "place " + str(tmp_path / "buffers.csv") + " --capacity 10B -o - --time-limit 7 --seed 3" in said.err


def test_what_no_single_moment_refutes_is_said_to_be_known_otherwise(tmp_path: Path) -> None:
    """f holds the third byte: 3 bytes fit neither below it nor, within 5, above it, though only 4 live at once."""
    path = table(tmp_path, "id,lower,upper,size,offset\nf,0,9,1,2\na,0,9,3,\n")

    said = catalytic("place", path, "--capacity", "5", *QUICK)

    assert said.code == 3
    assert "no single moment has too many bytes" in " ".join(said.out.split())
    assert "--capacity 6B" in said.out
    assert catalytic("place", path, "--capacity", "6", *QUICK).code == 0


def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that runs out of time: first fit's placement is known, the capacity is neither met nor refuted."""
    real = arena_portfolio.place_arena

    def weak(arena: Arena, budget: Budget, *, capacity: int | None = None, observer: object = None) -> Placed:
        found = real(arena, budget)
        assert found.offset is not None and found.height is not None
        return replace(found, status=Status.UNKNOWN, offset=found.offset + 8, height=found.height + 8)

    monkeypatch.setattr(arena_portfolio, "place_arena", weak)


def test_a_capacity_that_was_not_reached_exits_with_4_and_writes_only_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown(monkeypatch)
    words = ("place", table(tmp_path), "--capacity", "12", "-o", tmp_path / "placed.csv", *QUICK)

    said = catalytic(*words)
    assert said.code == 4
    assert "UNKNOWN | no placement within 12 bytes was found in time" in said.out
    assert "--capacity 18B" in said.out
    assert not (tmp_path / "placed.csv").exists()

    kept = catalytic(*words, "--best-effort", "--svg", tmp_path / "map.svg")
    assert kept.code == 0
    assert "CAPACITY MISSED" in kept.out
    assert sharing(records((tmp_path / "placed.csv").read_text())) == []
    assert (tmp_path / "map.svg").exists()


def test_a_placement_that_breaks_a_rule_never_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = use_case._search

    def broken(arena: Arena, *words: Any) -> Placed:
        return replace(real(arena, *words), offset=np.zeros_like(arena.size))

    monkeypatch.setattr(use_case, "_search", broken)

    said = catalytic("place", table(tmp_path), *QUICK, "-o", tmp_path / "placed.csv")

    assert said.code == 5
    assert "'a' and 'b' share bytes" in said.err
    assert not (tmp_path / "placed.csv").exists()


def test_every_given_offset_that_collides_or_leaves_the_capacity_is_named(tmp_path: Path) -> None:
    text = "id,lower,upper,size,alignment,offset\na,0,3,4,,0\nb,2,9,5,,3\nc,4,6,5,,20\nd,6,9,4,,4\ne,0,9,70,,\n"

    said = catalytic("place", table(tmp_path, text), "--capacity", "24", *QUICK, "--json")

    assert said.code == 2
    assert [(m["path"], m["found"]) for m in said.document["mistakes"]] == [
        ("line 4, offset", "20"),
        ("line 3, offset", "3"),
        ("line 5, offset", "4"),
    ]
    allowed = [m["allowed"] for m in said.document["mistakes"]]
    assert allowed[0] == "at most 19: the buffer has 5 bytes, the capacity 24"
    assert "none of [0, 4), where 'a' of line 2 lies while both are alive" in allowed
    assert "none of [3, 8), where 'b' of line 3 lies while both are alive" in allowed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--best-effort",), "--capacity"),
        (("-o", "-", "--json"), "stdout"),
        (("--capacity", "much"), "much"),
        (("--time-limit", "nan"), "nan"),
    ],
    ids=["nothing to miss", "one stdout", "no size", "no time"],
)
def test_options_that_contradict_each_other_are_refused(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    answer = catalytic("place", table(tmp_path), *words)

    assert answer.code == 2
    assert said in answer.err


def test_sizes_have_units(tmp_path: Path) -> None:
    text = TINY.replace(",4\n", ",4096\n").replace(",5\n", ",5120\n")

    assert catalytic("place", table(tmp_path, text), "--capacity", "10KiB", *QUICK).code == 0
    assert catalytic("place", table(tmp_path, text), "--capacity", "10kB", *QUICK).code == 3


def test_mistakes_of_the_table_are_reported_whole(tmp_path: Path) -> None:
    said = catalytic("place", table(tmp_path, "id,lower,upper,size\na,0,0,4\na,0,1,-4\n"), *QUICK)

    assert said.code == 2
    assert "3 mistakes" in said.err


def test_sizes_that_add_up_to_too_much_are_refused(tmp_path: Path) -> None:
    text = f"id,lower,upper,size\na,0,1,{2**62}\nb,0,1,{2**62}\n"

    said = catalytic("place", table(tmp_path, text), *QUICK)

    assert said.code == 2
    assert "add up to at most" in said.err


def test_where_nothing_can_be_written_is_said_before_the_search(tmp_path: Path) -> None:
    path = table(tmp_path)

    assert catalytic("place", path, "-o", tmp_path / "no" / "x.csv", *QUICK).code == 9
    assert catalytic("place", path, "-o", path, *QUICK).code == 8
    assert catalytic("place", path, "--svg", path, *QUICK).code == 8
    assert catalytic("place", path, "-o", tmp_path / "x", "--svg", tmp_path / "x", *QUICK).code == 8
    assert path.read_text() == TINY


def test_a_table_without_buffers_is_placed_in_nothing(tmp_path: Path) -> None:
    said = catalytic("place", table(tmp_path, "id,lower,upper,size\n"), *QUICK, "--svg", tmp_path / "m.svg", "-o", "-")

    assert said.code == 0
    assert said.out == "id,lower,upper,size,offset\n"
    assert ElementTree.parse(tmp_path / "m.svg").getroot() is not None


def test_a_timeline_is_placed_at_its_lifetimes() -> None:
    path = ROOT / "instances" / "specification" / "pebbling-strategy.json"

    document = catalytic("place", path, *QUICK, "--json").document

    assert (document["kind"], document["clock"], document["status"]) == ("timeline", "ms", "OPTIMAL")
    assert document["height"] == document["bound"] == document["fullest"]["bytes"]


def test_a_problem_is_placed_along_its_best_order_and_says_so(tmp_path: Path) -> None:
    """Three of the four buffers of 64 KiB live at once in every order, and three fit where three live."""
    said = catalytic("place", write_problem(tmp_path), *QUICK, "--json")

    assert said.code == 0
    assert said.document["height"] == 3 * 64 * 1024
    assert sorted(said.document["offsets"]) == ["end", "x", "y", "z"]
    assert "run one after another" in said.err
    assert "inputs external, outputs export" in said.err


def test_a_plan_is_placed_at_the_lifetimes_it_has(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert catalytic("plan", write_problem(tmp_path), "-o", plan, "--time-limit", "5", "--threads", "1").code == 0

    said = catalytic("place", plan, *QUICK, "-o", "-")

    rows = records(said.out)
    assert said.code == 0
    assert {row["size"] for row in rows} == {"65536"}
    assert len(rows) == 4


def test_other_commands_take_a_table_for_steps_that_keep_its_lifetimes(tmp_path: Path) -> None:
    for word in ("bound", "import"):
        said = catalytic(word, table(tmp_path), *(("-o", tmp_path / "problem.json") if word == "import" else ()))
        assert said.code == 0
    problem = json.loads((tmp_path / "problem.json").read_text())
    assert {b["id"] for b in problem["buffers"]} == {row["id"] for row in records(table(tmp_path).read_text())}


@pytest.mark.parametrize("path", sorted(INSTANCES.glob("*.csv")), ids=lambda p: p.stem)
def test_the_instances_are_placed_at_their_bound(path: Path) -> None:
    document = catalytic("place", path, *QUICK, "--json").document

    assert document["status"] == "OPTIMAL"
    assert len(document["offsets"]) == document["buffers"]


def test_ten_thousand_buffers_are_placed_checked_and_drawn(tmp_path: Path) -> None:
    random = Random(5)
    lines = ["id,lower,upper,size"]
    for k in range(10_000):
        low = random.randrange(100_000)
        lines.append(f"tensor-{k},{low},{low + random.randint(1, 400)},{random.randint(1, 100) * 64}")
    path = table(tmp_path, "\n".join(lines) + "\n")

    said = catalytic(
        "place", path, "--time-limit", "5", "--threads", "1", "-o", tmp_path / "p.csv", "--svg", tmp_path / "m.svg"
    )

    assert said.code == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 10_001
    assert (tmp_path / "m.svg").read_text().count("<title>tensor-") == 10_000


@pytest.mark.parametrize("kind", ["table", "problem"])
def test_compilation_is_announced_and_not_counted(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def slow(announce: Callable[[str], None], parts: Sequence[str]) -> float:
        asked.append(tuple(parts))
        announce("compiling the search loops")
        return 3600.0

    monkeypatch.setattr(warm_up, "warm_up", slow)
    path = table(tmp_path) if kind == "table" else write_problem(tmp_path)

    said = catalytic("place", path, *QUICK, "--json")

    assert said.code == 0
    assert "note: compiling the search loops" in said.err
    assert asked == [("placement",) if kind == "table" else ("exact", "search", "placement")]
    # The clock was moved by the hour that compilation is said to have taken.
    assert said.document["seconds"] < 0


def test_help_has_examples_and_exit_codes_and_loads_no_engine() -> None:
    code = (
        "import sys\nfrom catalytic.cli.main import exit_code_of, program\n"
        "assert exit_code_of(program, sys.argv[1:], 'catalytic') == 0\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, "place", "--help"], capture_output=True, text=True, check=True)

    said, modules = done.stdout.split("MODULES", 1)
    assert "catalytic place buffers.csv" in " ".join(said.split())
    assert "Exit codes: 0 ok" in " ".join(said.split())
    assert not {"ortools", "numba"} & set(modules.split())


def test_nothing_is_wider_than_eighty_columns(tmp_path: Path) -> None:
    said = fresh("place", table(tmp_path), *QUICK, cwd=tmp_path, env={"COLUMNS": "80"})

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_reader_that_goes_away_is_no_failed_task(tmp_path: Path) -> None:
    """The report is written in two steps; the reader leaves after the first line."""
    code = "from catalytic.cli.main import main; main()"
    words = f"place {table(tmp_path)} --time-limit 20 --threads 1"
    piped = f"{sys.executable} -c '{code}' {words} | head -1; exit ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", piped], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert done.stdout.startswith("buffers: OPTIMAL")


@pytest.mark.parametrize(("limit", "said"), [("1234567", "1234567"), ("7.25", "7.25"), ("0.5", "0.5")])
def test_the_command_that_works_says_the_time_limit_to_the_millisecond(limit: str, said: str, tmp_path: Path) -> None:
    refused = catalytic("place", table(tmp_path), "--capacity", "9", "--time-limit", limit)

    assert f" --time-limit {said}  # the smallest" in refused.out


def test_what_a_search_refuted_is_not_said_to_be_alive_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exhaustion is about buffers of different times: their sum is no moment's."""
    real = arena_portfolio.place_arena

    def exhausted(arena: Arena, budget: Budget, *, capacity: int | None = None, observer: object = None) -> Placed:
        moment = arena_portfolio.Moment(0, 9, (0, 1, 2, 3))
        found = replace(real(arena, budget), evidence=Evidence.EXHAUSTIVE, moment=moment, bound=10)
        return found if capacity is None else replace(found, status=Status.INFEASIBLE)

    monkeypatch.setattr(arena_portfolio, "place_arena", exhausted)
    said = catalytic("place", table(tmp_path), "--capacity", "9", *QUICK)
    fullest = catalytic("place", table(tmp_path), "--capacity", "9", *QUICK, "--json").document["fullest"]

    assert said.code == 3
    assert "no single moment has too many bytes; that nothing fits is known by EXHAUSTIVE" in said.out
    assert "alive at once" not in said.out
    assert (fullest["at_once"], fullest["bytes"], len(fullest["buffers"])) == (False, 18, 4)


@pytest.mark.parametrize("rows", ["", "a,0,1,0\n"], ids=["no buffer", "no bytes"])
@pytest.mark.parametrize("words", [(), ("--capacity", "0"), ("--time-limit", "0")], ids=["open", "no room", "no time"])
def test_nothing_is_placed_in_nothing(rows: str, words: tuple[str, ...], tmp_path: Path) -> None:
    said = catalytic("place", table(tmp_path, "id,lower,upper,size\n" + rows), "--threads", "1", *words, "-o", "-")

    assert said.code == 0
    assert "OPTIMAL | height 0 bytes" in said.err
    assert said.out == "id,lower,upper,size,offset\n" + rows.replace("0\n", "0,0\n")


def test_a_table_is_placed_without_the_libraries_of_other_files(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom catalytic.cli.main import exit_code_of, program\n"
        "assert exit_code_of(program, sys.argv[1:], 'catalytic') == 0\nprint('MODULES', *sys.modules)"
    )
    words = [sys.executable, "-c", code, "place", str(table(tmp_path)), *QUICK]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    modules = set(done.stdout.split("MODULES", 1)[1].split())
    beyond = {"catalytic.solver.order", "catalytic.solver.placement.partitioned", "catalytic.app.sources"}
    assert not {"ortools", "pydantic", *beyond} & modules


def test_a_picture_is_not_written_to_stdout(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,lower,upper,size\na,0,1,1\n")
    result = catalytic("place", table, "--svg", "-")
    assert result.code == 2
    assert "--svg writes a file" in result.err


def test_only_what_there_is_several_of_is_said_to_be_left_aside(tmp_path: Path) -> None:
    """The diamond has one pool."""
    said = catalytic("place", write_problem(tmp_path, workspace={"size": "1MB", "partitions": 2}), *QUICK)

    assert said.code == 0, said.err
    assert "note: 2 partitions are left aside: " in said.err
