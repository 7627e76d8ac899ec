"""``catalytic plan --pareto`` and ``--strategy`` through the command line: files, documents, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from catalytic.solver.formats import load_plan

from .console import catalytic, write_problem

QUICK = ("--time-limit", "4", "--deterministic")
"""Counted work: the same on any machine."""
FORK: dict[str, Any] = {
    "name": "fork",
    "workspace": {"size": "1MB", "partitions": 1},
    "tasks": [
        {"id": "a", "duration": 0.05, "outputs": ["x"]},
        {"id": "b", "duration": 0.04, "outputs": ["y"]},
    ],
    "buffers": [{"id": name, "size": "64KiB"} for name in ("x", "y")],
}
"""One after the other in the same 64 KiB (0.09 s), or side by side in 128 KiB (0.05 s)."""


@pytest.fixture(scope="module")
def frontier(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The frontier of the fork, asked for once: its folder and its document."""
    folder = tmp_path_factory.mktemp("frontier")
    said = catalytic(
        "plan", write_problem(folder, **FORK), "--pareto", "--points", "3", "-o", folder / "out", *QUICK, "--json"
    )
    assert said.code == 0, said.err
    return folder / "out", said.document


def test_the_document_has_both_ends_and_what_is_proved(frontier: tuple[Path, dict[str, Any]]) -> None:
    _, document = frontier

    assert document["format"] == "catalytic-frontier/1"
    assert [(p["footprint"], p["makespan_s"]) for p in document["points"]] == [(65536, 0.09), (131072, 0.05)]
    assert [p["reuse_factor"] for p in document["points"]] == [0.5, 0.0]
    for p in document["points"]:
        assert p["proved"] == (p["least_makespan_s"] == p["makespan_s"])
    assert document["points"][-1]["proved"]  # the longest task alone takes as long
    assert document["least_footprint"] == 65536
    ceilings = [step["footprint"] for step in document["floor"]]
    assert ceilings == sorted(ceilings)
    assert len(document["searches"]) >= 2


def test_every_point_is_a_plan_file_that_the_checker_accepts(frontier: tuple[Path, dict[str, Any]]) -> None:
    folder, document = frontier

    for p in document["points"]:
        assert catalytic("check", folder / p["file"]).code == 0
        plan = load_plan(folder / p["file"]).plan
        assert (plan.measures.footprint, plan.measures.makespan) == (p["footprint"], round(1000 * p["makespan_s"]))
        assert plan.proof.target == p["reuse_factor"]
        assert load_plan(folder / p["file"]).base.resolve() == folder.parent


def test_the_picture_lies_beside_the_plans(frontier: tuple[Path, dict[str, Any]]) -> None:
    folder, document = frontier

    assert document["picture"] == str(folder / "frontier.svg")
    ElementTree.parse(folder / "frontier.svg")
    assert sorted(p.name for p in folder.iterdir()) == ["frontier.svg", "point-01.json", "point-02.json"]


def test_a_point_runs(frontier: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = frontier
    words = ("run", folder / "point-01.json", "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out")

    assert catalytic(*words, "--time-factor", "0.01").code == 0


def test_a_new_frontier_replaces_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("point-07.json", "mine.json", "point-x.json"):
        (folder / name).write_text("{}")

    said = catalytic("plan", write_problem(tmp_path, **FORK), "--pareto", "--points", "2", "-o", folder, *QUICK)

    assert said.code == 0
    assert "frontier of" in said.out
    assert sorted(p.name for p in folder.iterdir()) == [
        "frontier.svg",
        "mine.json",
        "point-01.json",
        "point-02.json",
        "point-x.json",
    ]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--objective", "reuse"), ["--objective"]),
        (("--reuse-factor", "0.5", "--strategy", "memory"), ["--reuse-factor", "--strategy"]),
        (("--what-if", "size=1MB", "--best-effort"), ["--what-if", "--best-effort"]),
    ],
    ids=["objective", "target-and-strategy", "what-if"],
)
def test_one_goal_contradicts_all_goals(options: tuple[str, ...], named: list[str], tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), "--pareto", *options)

    assert said.code == 2
    assert all(name in said.err for name in named)
    assert "--pareto" in said.err


def test_points_are_for_frontiers(tmp_path: Path) -> None:
    assert catalytic("plan", write_problem(tmp_path), "--points", "3").code == 2
    assert catalytic("plan", write_problem(tmp_path), "--pareto", "--points", "1").code == 2


def test_where_a_frontier_cannot_be_written_is_said_before_the_search(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)

    assert catalytic("plan", problem, "--pareto", "-o", problem).code == 8
    assert catalytic("plan", problem, "--pareto", "-o", tmp_path / "no" / "such").code == 9
    assert catalytic("plan", problem, "-o", tmp_path).code == 2


def test_a_workspace_too_small_is_proved_for_the_whole_frontier(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, workspace={"size": "128KiB", "partitions": 2})

    said = catalytic("plan", problem, "--pareto", "-o", tmp_path / "out", *QUICK)

    assert said.code == 3
    assert "needs" in said.err
    assert not (tmp_path / "out").exists()


def test_a_timeline_has_no_frontier(tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "instances" / "specification" / "pebbling-strategy.json"

    said = catalytic("plan", example, "--pareto", "-o", tmp_path / "out")

    assert said.code == 2
    assert "without --pareto" in said.err


def test_a_strategy_is_said_written_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    words = ("plan", write_problem(tmp_path), "-o", path, *QUICK)

    said = catalytic(*words, "--strategy", "auto")
    document = catalytic(*words, "--strategy", "auto", "--json").document
    written = json.loads(path.read_text(encoding="utf-8"))["proof"]["parameters"]["strategy"]

    assert said.code == 0
    assert "strategy throughput: 4 tasks, 2 of which could run at once" in said.out
    assert document["summary"]["strategy"] == written["chosen"] == "throughput"
    assert document["summary"]["strategy_reason"] == written["reason"]
    assert written["asked"] == "auto"
    assert "strategy throughput" in catalytic("show", path).out
    assert catalytic("check", path).code == 0


def test_all_that_contradicts_a_strategy_is_said_at_once(tmp_path: Path) -> None:
    goal = ("--objective", "reuse", "--reuse-factor", "0.5")
    for command in ("plan", "run"):
        said = catalytic(command, write_problem(tmp_path), "--strategy", "throughput", *goal)

        assert said.code == 2
        assert "objective makespan, not reuse" in said.err
        assert "no target, not a reuse factor of 0.5" in said.err


def test_a_plan_of_the_strategy_runs_as_it_is_and_another_is_planned_again(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert catalytic("plan", write_problem(tmp_path), "-o", path, *QUICK, "--strategy", "memory").code == 0
    rehearse = ("run", path, "--dry-run", "--workspace", tmp_path / "w", *QUICK, "--json", "--strategy")

    same = catalytic(*rehearse, "memory").document["summary"]
    other = catalytic(*rehearse, "latency").document["summary"]

    assert (same["strategy"], same["objective"]) == ("memory", "reuse")
    assert (other["strategy"], other["objective"]) == ("latency", "makespan")
