"""The hook and the action do what they say: their entries are run as they are written in the files."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalytic.cli import main as cli
from catalytic.solver.formats import dump_plan, load_problem
from catalytic.solver.plan import plan_without_reuse

from .cli.console import catalytic, write_problem

ROOT = Path(__file__).resolve().parents[1]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}

needs_compare = pytest.mark.skipif("compare" not in cli.COMMANDS, reason="there is no command compare")


@dataclass(frozen=True)
class Ended:
    """What a process answered."""

    code: int
    out: str
    err: str


def run(words: list[str], folder: Path, env: Mapping[str, str] | None = None) -> Ended:
    """``words`` as a process that finds this environment's programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, **(env or {}), "PATH": path}, capture_output=True, text=True, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a problem, a plan, a broken problem, and a file that is none of ours."""
    problem = write_problem(tmp_path)
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "a plan.json").write_bytes(dump_plan(plan_without_reuse(load_problem(problem))))
    (tmp_path / "broken.json").write_bytes((ROOT / "instances" / "broken" / "many-mistakes.json").read_bytes())
    (tmp_path / "package.json").write_text("{}")
    return tmp_path


# -- pre-commit --------------------------------------------------------------------------------------------------


def test_the_hook_passes_what_is_right_and_stops_what_is_not(folder: Path) -> None:
    """pre-commit appends the names of the changed files to the entry."""
    entry = shlex.split(HOOK["entry"])

    assert run([*entry, "diamond.json", "plans/a plan.json", "package.json"], folder).code == 0
    stopped = run([*entry, "diamond.json", "broken.json"], folder)
    assert stopped.code == 2
    assert "broken.json: 5 mistakes" in stopped.err


def test_the_hook_says_what_pre_commit_needs() -> None:
    assert HOOK["id"] == "catalytic-check"
    assert HOOK["language"] == "python"  # pip installs this repository and finds the entry
    assert HOOK["types"] == ["json"]
    assert shlex.split(HOOK["entry"])[0] in _scripts()


def _scripts() -> dict[str, str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(project["scripts"])


# -- GitHub ------------------------------------------------------------------------------------------------------


def step(name: str, inputs: Mapping[str, str], folder: Path, **env: str) -> Ended | None:
    """Run a step as GitHub does with ``inputs``; None when its condition keeps it from running."""
    given = {key: spec.get("default", "") for key, spec in ACTION["inputs"].items()} | dict(inputs)

    def filled(text: str) -> str:
        text = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m.group(1)], text)
        return text.replace("${{ github.action_path }}", str(ROOT))

    found = STEPS[name]
    if "if" in found:
        asked = re.findall(r"inputs\.([\w-]+) != ''", found["if"])
        assert found["if"] == " && ".join(f"inputs.{key} != ''" for key in asked)
        if not all(given[key] for key in asked):
            return None
    script = folder / f"{name}.sh"
    script.write_text(found["run"])
    values = {key: filled(value) for key, value in found.get("env", {}).items()}
    return run(["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], folder, {**values, **env})


def test_every_input_is_declared_used_and_never_pasted_into_a_script() -> None:
    """An input inside ``run`` would be code of whoever wrote it; through the environment it is text."""
    text = (ROOT / "action.yml").read_text(encoding="utf-8")

    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    for found in STEPS.values():
        assert "${{" not in found["run"]
        assert found["shell"] == "bash"
    assert all(spec["description"] for spec in ACTION["inputs"].values())


def test_the_action_checks_files_by_pattern(folder: Path) -> None:
    good = step("Check", {"files": "diamond.json\nplans/*.json\n\npackage.json"}, folder)
    nested = step("Check", {"files": "**/a plan.json"}, folder)
    bad = step("Check", {"files": "*.json"}, folder)
    none = step("Check", {"files": "*.jsn"}, folder)

    assert good is not None and nested is not None and bad is not None and none is not None
    assert good.code == 0, good.err
    assert "3 files: 2 valid, 0 not, 1 of other kinds" in good.out
    assert (nested.code, "1 file: 1 valid" in nested.out) == (0, True)
    assert bad.code == 2
    assert "broken.json: 5 mistakes" in bad.err
    assert none.code == 2
    assert "no file matches *.jsn" in none.err


def test_text_of_an_input_is_no_code(folder: Path) -> None:
    ended = step("Check", {"files": "diamond.json; touch pwned\n$(touch pwned)\n`touch pwned`"}, folder)

    assert ended is not None and ended.code != 0
    assert not (folder / "pwned").exists()


def test_without_inputs_nothing_is_checked_or_compared(folder: Path) -> None:
    assert step("Check", {}, folder) is None
    assert step("Compare", {"before": "plans/a plan.json"}, folder) is None


@pytest.fixture
def two_plans(folder: Path) -> Path:
    """``lean.json``: one worker, least memory. ``wide.json``: the plan without reuse."""
    assert catalytic("plan", folder / "diamond.json", "-o", folder / "lean.json", "--time-limit", "2").code == 0
    (folder / "wide.json").write_bytes((folder / "plans" / "a plan.json").read_bytes())
    return folder


@needs_compare
def test_the_action_fails_when_a_plan_got_worse(two_plans: Path) -> None:
    summary = two_plans / "summary.md"
    inputs = {"before": "lean.json", "after": "wide.json", "fail-if": "footprint+0\nmakespan+900%"}
    worse = step("Compare", inputs, two_plans, GITHUB_STEP_SUMMARY=str(summary))
    better = step("Compare", {"before": "wide.json", "after": "lean.json", "fail-if": "footprint+0\n"}, two_plans)
    same = step("Compare", {"before": "lean.json", "after": "lean.json"}, two_plans)

    assert worse is not None and better is not None and same is not None
    assert worse.code == 8, worse.err
    assert "footprint" in worse.err
    assert summary.read_text().startswith("### wide.json against lean.json")
    assert worse.out.strip() in summary.read_text()
    assert (better.code, same.code) == (0, 0), better.err + same.err


@needs_compare
def test_a_gate_that_is_none_is_a_mistake(two_plans: Path) -> None:
    """It is told in the log; a summary of no comparison would be an empty box."""
    summary = two_plans / "summary.md"
    inputs = {"before": "lean.json", "after": "lean.json", "fail-if": "beauty+5"}

    ended = step("Compare", inputs, two_plans, GITHUB_STEP_SUMMARY=str(summary))

    assert ended is not None and ended.code == 2
    assert "beauty" in ended.err
    assert not summary.exists()


def test_the_action_installs_itself_or_what_it_is_told(folder: Path) -> None:
    """With a pip that only says what it was asked for: installing takes minutes and is the wheel check's job."""
    (folder / "bin").mkdir()
    fake = folder / "bin" / "python"
    fake.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    fake.chmod(0o755)

    def installed(inputs: Mapping[str, str]) -> str:
        found: Any = STEPS["Install"]
        values = {"REQUIREMENT": inputs.get("requirement", ""), "ACTION": str(ROOT)}
        path = f"{folder / 'bin'}:/usr/bin:/bin"
        words = ["bash", "-eo", "pipefail", "-c", found["run"]]
        done = subprocess.run(words, env={**values, "PATH": path}, capture_output=True, text=True, check=True)
        return done.stdout

    assert installed({}).endswith(f"|{ROOT}|")
    assert installed({"requirement": "catalytic==0.1.0"}).endswith("|catalytic==0.1.0|")
    assert json.dumps(ACTION["runs"]["using"]) == '"composite"'
