"""``task-master`` as its specification spells it, and side by side with another tool of that name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalytic.cli.task_master import next_on_path

from .console import fresh, taskmaster, write_problem

SPECIFIED_INIT = (
    "catalytic-init",
    "--size",
    "4MB",
    "--partition-count",
    "2",
    "--enable-integrity-checks",
    "--configure-reuse-pools",
)


def test_a_workspace_is_created_and_planned_for_as_the_specification_spells_it(tmp_path: Path) -> None:
    workspace = tmp_path / "catalytic"
    made = taskmaster(*SPECIFIED_INIT, "--workspace", workspace, "--json")

    assert made.code == 0, made.err
    assert (made.document["partitions"], made.document["integrity"]) == (2, True)

    plan = tmp_path / "catalytic-execution.json"
    planned = taskmaster(
        "catalytic-plan",
        "--input",
        write_problem(tmp_path, workspace={"size": "1GB"}),
        "--workspace",
        workspace,
        "--output",
        plan,
        "--reuse-factor",
        "0.2",
        "--enable-monitoring",
        "--optimize-concurrency",
        "--time-limit",
        "3",
        "--json",
    )

    assert planned.code == 0, planned.err
    summary = planned.document["summary"]
    # The workspace decides, not the problem file.
    assert (summary["workspace_size"], summary["partition_count"]) == (4_000_000, 2)
    assert summary["objective"] == "makespan"
    assert summary["monitoring"]
    assert summary["reuse_factor"] >= 0.2
    assert plan.is_file()

    where = ("--workspace", workspace, "--output-dir", tmp_path / "out")
    ran = taskmaster("catalytic-run", "--plan", plan, *where)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("COMPLETE")
    assert (workspace / "pools" / "default" / "pool.json").is_file()


def test_without_integrity_checks_every_report_says_no_seals(tmp_path: Path) -> None:
    words = [word for word in SPECIFIED_INIT if word != "--enable-integrity-checks"]

    said = taskmaster(*words, "--workspace", tmp_path / "w")

    assert said.code == 0
    assert "NO SEALS" in said.out


@pytest.mark.parametrize("spelling", ["/catalytic", "/catalytic/", "//catalytic", "/./catalytic"])
def test_an_unset_home_is_refused(spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASKMASTER_HOME", raising=False)

    said = taskmaster(*SPECIFIED_INIT, "--workspace", spelling)

    assert said.code == 8
    assert "TASKMASTER_HOME is not set" in said.err
    assert not Path("/catalytic").exists()


def test_planning_for_a_workspace_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    said = taskmaster("catalytic-plan", "--input", write_problem(tmp_path), "--workspace", tmp_path / "none")

    assert said.code == 2
    assert "catalytic init" in said.err


def other_tool(folder: Path, text: str) -> Path:
    """An executable called task-master in ``folder``."""
    folder.mkdir()
    tool = folder / "task-master"
    tool.write_text(text)
    tool.chmod(0o755)
    return tool


def test_any_other_word_is_handed_to_the_next_tool_with_its_exit_code(tmp_path: Path) -> None:
    other = other_tool(tmp_path / "other", '#!/bin/sh\necho other: "$@"\nexit 17\n')

    said = fresh(
        "next", "--all", cwd=tmp_path, env={"PATH": f"{other.parent}:{os.environ['PATH']}"}, module="task_master"
    )

    assert said.code == 17
    assert said.out == "other: next --all\n"


def test_a_word_nobody_knows_is_a_clear_error(tmp_path: Path) -> None:
    said = fresh("next", cwd=tmp_path, env={"PATH": str(tmp_path)}, module="task_master")

    assert said.code == 2
    assert "no other task-master is on PATH" in said.err
    assert "Traceback" not in said.err


def test_the_next_tool_is_never_ourselves(tmp_path: Path) -> None:
    """Neither the file we were started from, nor a link to it, nor another installation of the same program."""
    ours = other_tool(tmp_path / "ours", "#!/bin/sh\n")
    other_tool(tmp_path / "installed", "#!/usr/bin/python3\nfrom catalytic.cli.task_master import main\nmain()\n")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "task-master").symlink_to(ours)
    path = os.pathsep.join(str(tmp_path / name) for name in ("ours", "installed", "linked"))

    assert next_on_path(path, ours) is None
    theirs = other_tool(tmp_path / "theirs", "#!/bin/sh\n")
    assert next_on_path(os.pathsep.join([path, str(theirs.parent)]), ours) == theirs
