"""The instruments of ``benchmarks/order.py``: its baseline, its rows, and one whole run in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from catalytic.solver.order.profile import profile
from catalytic.solver.problem import Problem
from tests.builders import problem, random_problem, task

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "order.py"

CHAIN = """2 3 4
0 1 5
1 1 7
0 1
1 1
2 1
0 0
0 1
1 1
1 2
"""
"""A HyperDAG: node 0 writes 5 for node 1, which writes 7 for node 2."""


def load() -> ModuleType:
    """``benchmarks/order.py`` as a module; it is a script, and no package holds it."""
    spec = importlib.util.spec_from_file_location("benchmarks_order", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


order = load()


def run(**changes: Any) -> Any:
    """A run of 10 tasks whose order of 100 bytes is 20 above the bound."""
    values = {
        "tasks": 10, "allocated": 400, "greedy": 150, "best": 100, "bound": 80, "evidence": "min_cut certificate",
        "seconds": 2.0, "to_best": None, "megabytes": 200.0,
    }  # fmt: skip
    return order.Run(**{**values, **changes})


def row(family: str, name: str, *runs: Any, early: tuple[int, ...] = ()) -> Any:
    return order.Row(order.Instance(family, name), 60.0, runs, early)


def greedy_by_definition(question: Problem) -> tuple[str, ...]:
    """Every ready task is tried at every step, and its bytes are counted along the whole order."""
    order: list[str] = []

    def live_after(done: list[str]) -> int:
        rest = [t for t in question.graph.topological_order if t not in done]
        spans = profile(question, [*done, *rest]).spans
        return sum(
            question.graph.aligned_size[b]
            for b, (first, last) in spans.items()
            if first < len(done) and (last >= len(done) or b in question.graph.kept)
        )

    while len(order) < len(question.tasks):
        ready = [
            t.id for t in question.tasks if t.id not in order and set(question.graph.predecessors[t.id]) <= set(order)
        ]
        order.append(min(ready, key=lambda t: live_after([*order, t])))
    return tuple(order)


@pytest.mark.parametrize("seed", range(60))
def test_the_baseline_always_runs_what_leaves_the_fewest_bytes(seed: int) -> None:
    question = random_problem(Random(seed))

    assert order.greedy_order(question) == greedy_by_definition(question)


def test_the_baseline_walks_into_a_trap_that_an_order_avoids() -> None:
    """``small`` looks cheaper than ``big`` and opens nothing but a bill: 3 wait while 9 are alive."""
    question = problem(
        task("big", "", "x"), task("reduce", "x", "y"), task("small", "", "s"), task("end", "y s"),
        sizes={"x": 9, "y": 1, "s": 3},
    )  # fmt: skip

    assert order.greedy_order(question)[0] == "small"
    assert profile(question, order.greedy_order(question)).peak == 13  # s, x and y
    assert order.measure(question, 5.0, 0).best == 10


def test_the_best_order_is_timed_by_the_first_line_that_ends_with_its_value() -> None:
    """A bound of the same digits comes first in its line, and other values end alike."""
    news = [(0.1, ""), (0.2, "least peak between 4kB and 34kB"), (0.7, "least peak 4kB"), (0.9, "least peak 4kB")]

    assert order.first_named(news, 4000) == 0.7
    assert order.first_named(news, 5000) is None


def test_a_row_shows_the_median_of_its_seeds_and_their_range() -> None:
    cells = order.cells(row("layered", "G1", run(), run(best=90), run(best=160)))

    shown = dict(zip(order.COLUMNS, cells, strict=True))
    assert shown["best"] == "100 [90, 160]"
    assert shown["bound"] == "80"
    assert shown["gap %"] == "20.00 [11.11, 50.00]"
    assert shown["reuse <="] == "0.8000"
    assert (shown["to best"], shown["at 5 s"]) == ("-", "-")


def test_what_was_wanted_stands_beside_what_was_obtained() -> None:
    lines = order.wanted(
        [
            row("workflows", "a", run(bound=100)),
            row("workflows", "b", run(bound=98)),
            row("training", "c", run(bound=100, seconds=7.0)),
            row("layered", "G1", run(bound=96)),
            row("generated", "layered-2000", run(megabytes=900.0), early=(103,)),
        ]
    )

    assert lines == [
        "workflows: optimum proved on 1 of 2, largest gap 2.0% (wanted: 12 of 15, the rest within 3%)",
        "onnx and training graphs: optimum proved on 1 of 1, the slowest run 7.0 s (wanted: all in 20 s)",
        "G1: gap 4.0% (wanted: at most 5%)",
        "2000 to 5000 tasks: after 5 s at most 3.0% above the last result, memory up to 900 MB "
        "(wanted: at most 5%, below 2000 MB)",
    ]


def test_a_proof_by_some_seeds_is_no_proof() -> None:
    assert row("onnx", "a", run(bound=100), run(bound=100)).proved
    assert not row("onnx", "a", run(bound=100), run()).proved


def test_every_wanted_graph_is_in_the_catalogue_whether_present_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALYTIC_DATA", str(tmp_path))

    families = [instance.family for instance in order.catalogue()]

    assert {family: families.count(family) for family in order.FAMILIES} == {
        "workflows": 15,
        "onnx": 4,
        "training": 8,
        "layered": 3,
        "hyperdag": 0,
        "generated": 4,
    }


def script(data: Path, *options: str) -> str:
    """What the script prints with its graphs below ``data``."""
    environment = {**os.environ, "CATALYTIC_DATA": str(data)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *options], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_script_measures_what_is_present_and_counts_what_is_not(tmp_path: Path) -> None:
    """One small graph and no ONNX file; both policies in the headline."""
    (tmp_path / "hyperdag").mkdir()
    (tmp_path / "hyperdag" / "instance_chain.hdag").write_text(CHAIN)

    printed = script(tmp_path, "--family", "hyperdag", "--family", "onnx", "--time-limit", "2").splitlines()

    assert printed[0].startswith("inputs external, outputs export; at most 2 s each")
    assert printed[3].split()[:5] == ["instance_chain", "3", "12", "12", "12"]  # 5 and 7 while node 1 runs
    assert printed[-1].startswith("1 instances measured, 4 skipped")


def test_the_script_prints_one_document_for_programs(tmp_path: Path) -> None:
    (tmp_path / "hyperdag").mkdir()
    (tmp_path / "hyperdag" / "instance_chain.hdag").write_text(CHAIN)

    document = json.loads(script(tmp_path, "--family", "hyperdag", "--time-limit", "2", "--seeds", "2", "--json"))

    assert (document["inputs"], document["outputs"], document["skipped"]) == ("external", "export", 0)
    runs = document["rows"][0]["runs"]
    assert [(one["best"], one["bound"], one["proved"]) for one in runs] == [(12, 12, True)] * 2
    assert all(10 < one["megabytes"] < 2000 for one in runs)
