"""The instruments of ``benchmarks/placement.py``: its judge, its engines, its enumeration, and one whole run."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.placement.arena import Arena
from tests.solver.placement.arenas import featured_arenas, violations
from tests.solver.placement.arenas import least_height as least_height_by_orders

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "placement.py"

TWO = Arena.of([0, 1], [3, 4], [4, 5])
"""Both alive in [1, 3): 9 bytes."""


def load() -> ModuleType:
    """``benchmarks/placement.py`` as a module; it is a script, and no package holds it."""
    spec = importlib.util.spec_from_file_location("benchmarks_placement", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


placement = load()


@settings(max_examples=200, deadline=None)
@given(featured_arenas(), st.data())
def test_the_judge_agrees_with_the_definition(arena: Arena, data: st.DataObject) -> None:
    offset = [data.draw(st.integers(0, 12)) for _ in range(arena.size.size)]

    assert (placement.fault(arena, np.array(offset)) is None) == (violations(arena, offset) == [])


@pytest.mark.parametrize(
    ("offset", "why"),
    [([0, 3], "buffers 1 and 0 share"), ([-1, 4], "negative"), ([0], "1 offsets for 2"), ([0, 4], None)],
    ids=["sharing", "below the ground", "one too few", "valid"],
)
def test_the_judge_says_why(offset: list[int], why: str | None) -> None:
    found = placement.fault(TWO, np.array(offset))

    assert found is None if why is None else why in found


@settings(max_examples=40, deadline=None)
@given(featured_arenas())
def test_all_placements_are_no_lower_than_all_orders(arena: Arena) -> None:
    """Two enumerations: every offset of every buffer, and every order with each buffer at its lowest place."""
    assert placement.least_height(arena) == least_height_by_orders(arena)


@settings(max_examples=60, deadline=None)
@given(featured_arenas())
def test_first_fit_is_a_placement(arena: Arena) -> None:
    answer = placement.first_fit(arena, 1.0, 0, None)

    assert violations(arena, answer.offset.tolist()) == []


def test_generated_arenas_of_few_buffers_have_every_feature() -> None:
    some = [placement.few_buffers(Random(seed)) for seed in range(100)]

    assert {a.size.size for a in some} == {1, 2, 3, 4, 5, 6}
    assert any(g for a in some for g in a.gaps)
    assert any((a.fixed >= 0).any() for a in some)
    assert any((a.alignment > 1).any() for a in some)


FAKE = """#!{python}
import csv, sys, time
words = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
assert set(words) == {{"capacity", "input", "output"}}, words
rows = list(csv.DictReader(open(words["input"])))
top = 0
for row in rows:
    row["offset"] = -(-top // int(row["alignment"])) * int(row["alignment"])
    top = row["offset"] + int(row["size"])
{then}
if top > int(words["capacity"]):
    sys.exit(1)
with open(words["output"], "w", newline="") as stream:
    writer = csv.DictWriter(stream, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
"""
"""Stacks every buffer on the one before it, and fails like the real program when the stack is too high."""


def fake(folder: Path, then: str = "") -> Path:
    path = folder / "minimalloc"
    path.write_text(FAKE.format(python=sys.executable, then=then))
    path.chmod(0o755)
    return path


def test_minimalloc_is_asked_through_files(tmp_path: Path) -> None:
    program = fake(tmp_path)

    fits = placement.minimalloc(program, TWO, 30.0, 0, 9)
    too_low = placement.minimalloc(program, TWO, 30.0, 0, 8)
    at_bound = placement.minimalloc(program, TWO, 30.0, 0, None)

    assert fits.offset.tolist() == at_bound.offset.tolist() == [0, 4]
    assert placement.judged(TWO, fits, 9) == ("FITS", 9)
    assert (too_low.offset, too_low.says) == (None, "NONE")


@pytest.mark.parametrize(
    ("then", "seconds", "says"),
    [("time.sleep(60)", 1.0, "TIMEOUT"), ("rows.pop()", 30.0, "NONE")],
    ids=["too slow", "a buffer is missing"],
)
def test_a_minimalloc_that_does_not_answer_is_a_row(then: str, seconds: float, says: str, tmp_path: Path) -> None:
    answer = placement.minimalloc(fake(tmp_path, then), TWO, seconds, 0, 9)

    assert (answer.offset, answer.says) == (None, says)


def test_an_invalid_answer_is_called_invalid(tmp_path: Path) -> None:
    """The judge looks at every engine: here one that puts everything at 0."""
    answer = placement.minimalloc(fake(tmp_path, "for row in rows: row['offset'] = 0"), TWO, 30.0, 0, 9)

    status, peak = placement.judged(TWO, answer, 9)
    assert status.startswith("INVALID") and peak is None


def test_rectangles_are_cut_as_finely_as_asked() -> None:
    coarse = [i for i in placement.catalogue(20) if i.family == "planted"]

    assert [i.size for i in coarse] == [50, 100, 50, 100]
    assert all(i.optimum == 20 and i.load(3).upper.max() == 20 for i in coarse)


def test_an_engine_that_is_not_there_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "find_spec", lambda name: None)
    chosen = placement.engines(None)
    instance = placement.Instance("long-tailed", "two", lambda seed: TWO)

    said = [row for row in placement.measured([instance], chosen, 1.0, 1) if isinstance(row, str)]

    assert [line.split()[1] for line in said] == ["supermalloc", "omni", "minimalloc"]
    assert all("not installed" in line for line in said)


@pytest.mark.parametrize("name", ["supermalloc", "omni"])
def test_omnimalloc_places_validly(name: str) -> None:
    pytest.importorskip("omnimalloc")
    arena = Arena.of([0, 1, 5], [3, 6, 9], [4, 5, 0], alignment=[4, 4, 4])

    answer = placement.omnimalloc(name, arena, 2.0, 0, None)

    assert placement.fault(arena, answer.offset) is None
    # The sizes are given as 4 and 8, and whichever lies above is counted with its own.
    assert placement.judged(arena, answer, None)[1] in (9, 12)


def row(family: str, name: str, *peaks: int, bound: int = 100, **changes: Any) -> Any:
    runs = tuple(
        placement.Run("ours", seed, 10, "FEASIBLE", peak, bound, 2.0, 1.0, **changes) for seed, peak in enumerate(peaks)
    )
    instance = placement.Instance(family, name, lambda seed: TWO, size=1000)
    return placement.Row(instance, "ours", runs, dict.fromkeys(range(len(peaks)), bound))


def test_a_line_is_the_median_and_the_range() -> None:
    found = dict(zip(placement.COLUMNS, placement.cells(row("planted", "x", 100, 103, 110)), strict=True))

    assert found["peak"] == "103 [100, 110]"
    assert found["peak/bound"] == "1.0300 [1.0000, 1.1000]"
    assert found["status"] == "FEASIBLE"


def test_what_was_wanted_stands_beside_what_was_obtained() -> None:
    rows = [
        row("minimised", "A", 100, 100),
        row("minimised", "D", 101, 100),
        row("planted", "x", 101),
        row("long-tailed", "long-tailed-1000", 102, first_s=0.25, first_cpu_s=0.125, first_peak=120),
    ]

    said = "\n".join(placement.wanted(rows))

    assert "optimum proved on A (wanted: A B C" in said
    assert "D at 101 (wanted: at most 1048576)" in said
    assert "planted: the worst ratio 1.0100" in said
    assert "long-tailed-1000: first answer after 0.25 s, 0.12 s of CPU (wanted: 0.1 s)" in said


def test_a_run_prints_one_document(tmp_path: Path) -> None:
    words = ["--family", "planted", "--family", "enumeration", "--only", "guillotine-50", "--only", "up to 6 buffers"]
    engines = ["--engine", "ours", "--engine", "first-fit", "--engine", "minimalloc"]
    program = ["--minimalloc", str(fake(tmp_path)), "--time-limit", "20", "--json"]

    done = subprocess.run([sys.executable, str(SCRIPT), *words, *engines, *program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    ours, stacked, fitted = said["rows"]
    assert (ours["engine"], ours["runs"][0]["status"], ours["runs"][0]["peak"]) == ("ours", "OPTIMAL", 1000)
    assert (stacked["engine"], stacked["runs"][0]["status"]) == ("minimalloc", "NONE")
    assert fitted["runs"][0]["peak"] >= 1000
    assert [each["wrong"] for each in said["enumeration"]] == [0, 0, 0]
    assert said["enumeration"][0]["optimal"] == said["enumeration"][0]["instances"] == 100
