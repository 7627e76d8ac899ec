"""Planned into a fifth of its bytes and executed, the mosaic is the one that its steps give on arrays of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from catalytic.runtime import coordinator
from catalytic.runtime.report import RunOptions, RunStatus, Scrub
from catalytic.runtime.workspace import Workspace
from catalytic.solver.budget import Budget
from catalytic.solver.formats import parse_problem
from catalytic.solver.plan import Objective, Plan, plan_without_reuse
from catalytic.solver.solve import solve

from . import mosaic

make_problem = mosaic.load("make_problem")

GRID = {"rows": 3, "cols": 4, "tile": 160, "seed": 5, "workspace": "24MB"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A plan for the least makespan in less than half of the allocated bytes; found by counted work, not seconds."""
    problem = parse_problem(make_problem.render(make_problem.make_problem(**GRID)).encode(), "small mosaic")
    budget = Budget(time_limit_s=2.0, deterministic=True)
    outcome = solve(problem, objective=Objective.MAKESPAN, target=0.5, budget=budget)
    assert outcome.plan is not None and outcome.target_met, outcome.reason
    return outcome.plan


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """Digest of every result, computed without catalytic."""
    result = mosaic.run(make_problem.make_problem(**GRID))
    return {name: sha256(result[name]).hexdigest() for name in ("mosaic", "preview", "report", "checksum")}


@pytest.mark.parametrize("scrub", list(Scrub), ids=str)
@pytest.mark.parametrize("reuse", [True, False], ids=["reuse", "separate"])
def test_results_are_those_of_plain_arrays(
    plan: Plan, expected: dict[str, str], tmp_path: Path, reuse: bool, scrub: Scrub
) -> None:
    """With reuse and without, and whatever the regions held before."""
    chosen = plan if reuse else plan_without_reuse(plan.problem)
    geometry = chosen.problem.workspace
    workspace = Workspace.create(
        tmp_path / "workspace", size=geometry.size, partitions=geometry.partitions, alignment=geometry.alignment
    )
    options = RunOptions(base=mosaic.FOLDER, output_dir=tmp_path / "out", scrub=scrub)

    report = coordinator.execute(chosen, workspace, options)

    assert report.status is RunStatus.COMPLETE, report.failures
    assert dict(report.results) == expected
    assert (report.bytes_reused > 0) is reuse
    files = {"mosaic": "mosaic.f32", "preview": "preview.png", "report": "report.json", "checksum": "checksum.txt"}
    for name, file in files.items():
        assert sha256((tmp_path / "out" / file).read_bytes()).hexdigest() == expected[name]
    assert coordinator.verify(workspace).damaged == ()


def test_the_main_job_does_all_of_it_in_a_small_workspace(tmp_path: Path) -> None:
    """Create, plan, execute, verify, execute without reuse, compare: one command, and files a person can look at."""
    command = [sys.executable, str(mosaic.FOLDER / "main.py"), "--size", "100MB", "--folder", str(tmp_path / "job")]

    done = subprocess.run([*command, "--seconds", "5"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "all 4 results have the same sha256 with and without reuse" in done.stdout
    report = json.loads((tmp_path / "job" / "out" / "report.json").read_text())
    assert report["seams_in_rows_rms"]["after"] < report["seams_in_rows_rms"]["before"] / 5
    assert (tmp_path / "job" / "out" / "preview.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "job" / "catalytic-execution.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--size", "plenty"), 2, "allowed small, medium, large"),
        (("--size", "4000TB"), 9, "free"),
    ],
    ids=["no size", "no space"],
)
def test_the_main_job_refuses_in_one_line(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:  # fmt: skip
    command = [sys.executable, str(mosaic.FOLDER / "main.py"), "--folder", str(tmp_path / "job"), *arguments]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "job" / "workspace").exists()
