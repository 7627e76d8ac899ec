"""``catalytic show --analysis``: what it says, its document, and that it needs no solver engine."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalytic.app.analysis import analyse_plan
from catalytic.app.views.analysis import analysis_report
from catalytic.solver.analysis import Cause
from catalytic.solver.formats import dump_plan
from tests.builders import random_plan

from .console import catalytic, write_problem

QUICK = ("--time-limit", "3", "--threads", "1")


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The diamond for the largest reuse factor: b and c take turns."""
    folder = tmp_path_factory.mktemp("analysis")
    path = folder / "plan.json"
    said = catalytic("plan", write_problem(folder), "-o", path, *QUICK)
    assert said.code == 0, said.err
    return path


def test_the_chain_explains_the_whole_makespan(plan_file: Path) -> None:
    document = catalytic("show", plan_file, "--analysis", "--json").document

    assert document["format"] == "catalytic-analysis/1"
    chain = document["chain"]
    assert chain[0]["start_s"] == 0
    assert chain[0]["reason"] == "start"
    assert chain[-1]["end_s"] == document["makespan_s"] == document["summary"]["makespan_s"]
    for before, link in itertools.pairwise(chain):
        assert link["waits_for"] == before["task"]
        assert link["start_s"] == pytest.approx(before["end_s"] + link["gap_s"])


def test_the_document_has_every_task_and_every_second_of_every_worker(plan_file: Path) -> None:
    document = catalytic("show", plan_file, "--analysis", "--json").document

    assert {t["task"] for t in document["tasks"]} == {"a", "b", "c", "d"}
    for worker in document["workers"]:
        assert worker["busy_s"] + worker["idle_s"] == pytest.approx(document["makespan_s"])
        assert sum(worker["waited_s"].values()) == pytest.approx(worker["idle_s"])
        assert set(worker["waited_s"]) <= {cause.value for cause in Cause}
    assert sum(worker["count"] for worker in document["workers"]) == document["summary"]["workers"]


def test_the_text_says_why_who_waits_and_what_would_help(plan_file: Path) -> None:
    said = catalytic("show", plan_file, "--analysis", "--width", "90")

    assert said.code == 0
    assert "why it takes" in said.out
    assert "(the plan begins)" in said.out
    assert "slack: " in said.out
    assert "w0 " in said.out
    assert "memory: 197kB alive in" in said.out  # three buffers of 64 KiB
    assert "what one more would give" in said.out
    assert max(map(len, said.out.splitlines()[3:])) <= 90


def test_where_no_task_can_end_later_nothing_more_is_said_of_slack(tmp_path: Path) -> None:
    """A chain: half could end later by 0s or more, which is no news."""
    tasks = [
        {"id": "a", "duration": 1, "outputs": ["x"]},
        {"id": "b", "duration": 1, "inputs": ["x"], "outputs": ["y"]},
    ]
    buffers = [{"id": "x", "size": 4096}, {"id": "y", "size": 4096}]
    plan = tmp_path / "plan.json"
    assert catalytic("plan", write_problem(tmp_path, tasks=tasks, buffers=buffers), "-o", plan, *QUICK).code == 0

    said = catalytic("show", plan, "--analysis")

    assert "\nslack: 2 of 2 tasks can end no later\n" in said.out


@pytest.mark.parametrize("seed", range(25))
def test_a_report_can_be_written_of_any_plan(seed: int, tmp_path: Path) -> None:
    from random import Random

    path = tmp_path / "plan.json"
    path.write_bytes(dump_plan(random_plan(Random(seed))))

    answer = analyse_plan(path)
    text = analysis_report(answer, width=80)

    assert text.startswith(answer.summary.name)
    assert all(link.task in text for link in answer.chain[:12])
    for task in answer.tasks:
        assert 0 <= task.gain_s <= task.at_most_s
    for addition in answer.additions:
        assert 0 <= addition.gain_s <= addition.at_most_s


def test_a_plan_that_violates_a_rule_is_not_explained(plan_file: Path, tmp_path: Path) -> None:
    """Without its data edges the plan does not say what waits for what."""
    document = json.loads(plan_file.read_text(encoding="utf-8"))
    edges = [e for e in document["edges"] if e["kind"] != "data"]
    damaged = tmp_path / "damaged.json"
    damaged.write_text(json.dumps({**document, "edges": edges}), encoding="utf-8")

    said = catalytic("show", damaged, "--analysis")

    assert said.code == 5
    assert said.out == ""
    assert "is missing" in said.err


def test_no_solver_engine_is_loaded(plan_file: Path) -> None:
    code = (
        "import sys\n"
        "from catalytic.cli.main import program\n"
        f"program(['show', {str(plan_file)!r}, '--analysis'], standalone_mode=False)\n"
        "print('MODULES', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=plan_file.parent,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"ortools", "numba"} & set(done.stdout.split("MODULES", 1)[1].split())
