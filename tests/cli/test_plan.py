"""``plan``, ``show`` and ``check`` through the command line: what is written, what is said, and every exit code."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from catalytic.solver.budget import MAX_SEED, MAX_WORKERS
from catalytic.solver.plan import Outcome, Plan, Status

from .console import DIAMOND, catalytic, fresh, write_problem

QUICK = ("--time-limit", "3", "--threads", "1")


def planned(folder: Path, *options: str, **changes: Any) -> Path:
    """A plan file of the diamond."""
    path = folder / "plan.json"
    said = catalytic("plan", write_problem(folder, **changes), "-o", path, *QUICK, *options)
    assert said.code == 0, said.err
    return path


def test_plan_says_value_bound_evidence_and_status_in_one_line(tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "plan.json", *QUICK)

    headline = said.out.splitlines()[0]
    assert said.code == 0
    # Three of the four buffers of 64 KiB live while b runs: 1 - 3/4.
    assert "reuse factor 0.2500 (= bound, CERTIFICATE)" in headline
    assert "makespan" in headline
    assert "OPTIMAL" in headline
    assert "inputs external, outputs export" in said.out
    assert (tmp_path / "plan.json").is_file()


def test_plan_with_json_prints_one_versioned_document(tmp_path: Path) -> None:
    document = catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "plan.json", *QUICK, "--json").document

    assert document["format"] == "catalytic-plan/1"
    assert document["summary"]["reuse_factor"] == 0.25
    assert document["file"] == str(tmp_path / "plan.json")


def test_the_same_seed_gives_the_same_file_in_deterministic_mode(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    for name in ("one.json", "two.json"):
        assert catalytic("plan", problem, "-o", tmp_path / name, "--deterministic", *QUICK).code == 0

    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_a_plan_beside_its_problem_or_elsewhere_finds_the_problems_folder(tmp_path: Path) -> None:
    from catalytic.solver.formats import load_plan

    (tmp_path / "problems").mkdir()
    (tmp_path / "plans").mkdir()
    problem = write_problem(tmp_path / "problems")

    catalytic("plan", problem, "-o", tmp_path / "plans" / "plan.json", *QUICK)

    assert load_plan(tmp_path / "plans" / "plan.json").base.resolve() == tmp_path / "problems"


def test_options_reshape_the_problem(tmp_path: Path) -> None:
    options = ("--size", "2MB", "--partitions", "1", "--workers", "3", "--outputs", "keep", "--json")
    said = catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "plan.json", *QUICK, *options)

    summary = said.document["summary"]
    assert summary["workspace_size"] == 2_000_000
    assert (summary["partition_count"], summary["isolation"]) == (1, "shared")
    assert (summary["workers"], summary["outputs"]) == (3, "keep")


def test_a_plan_file_can_be_planned_again(tmp_path: Path) -> None:
    again = catalytic("plan", planned(tmp_path), "-o", tmp_path / "again.json", *QUICK, "--workers", "1", "--json")

    assert again.document["summary"]["workers"] == 1


def test_an_existing_workspace_decides_what_it_fixes(tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    catalytic("init", workspace, "--size", "2MB", "--partitions", "4", "--no-integrity")
    words = ("plan", write_problem(tmp_path), "-o", tmp_path / "plan.json", "--workspace", workspace, *QUICK)

    summary = catalytic(*words, "--json").document["summary"]
    refused = catalytic(*words, "--size", "1GB")

    assert (summary["workspace_size"], summary["partition_count"], summary["integrity"]) == (2_000_000, 4, False)
    assert refused.code == 2
    assert "--size cannot be given with --workspace" in refused.err


def test_a_target_out_of_reach_is_proved_and_the_remedies_work(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)

    said = catalytic("plan", problem, "-o", tmp_path / "plan.json", "--reuse-factor", "0.5", *QUICK)

    assert said.code == 3
    assert said.out == ""
    assert "has a reuse factor above 0.2500 (working_set, CERTIFICATE)" in said.err
    assert "'d'" in said.err or "'b'" in said.err
    assert not (tmp_path / "plan.json").exists()
    remedies = [line.split("try: ", 1)[1] for line in said.err.splitlines() if "try: " in line]
    assert remedies
    for remedy in remedies:
        words = shlex.split(remedy, comments=True)
        assert words[0] == "catalytic"
        assert catalytic(*words[1:]).code == 0, remedy


def test_a_workspace_too_small_is_proved_and_the_remedies_work(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, workspace={"size": "128KiB", "partitions": 2})

    said = catalytic("plan", problem, "-o", tmp_path / "plan.json", *QUICK)

    assert said.code == 3
    remedies = [line.split("try: ", 1)[1] for line in said.err.splitlines() if "try: " in line]
    assert remedies
    for remedy in remedies:
        assert catalytic(*shlex.split(remedy, comments=True)[1:]).code == 0, remedy


def missed(plan: Plan) -> Outcome:
    """What the planner answers when time ran out between the target and its bound."""
    return Outcome(Status.FEASIBLE, plan, plan.proof.bounds, False, "time ran out", plan)


def test_a_target_missed_but_not_disproved_is_said_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalytic.app import plan as use_case
    from catalytic.solver.formats import load_plan

    best = load_plan(planned(tmp_path)).plan
    monkeypatch.setattr(use_case, "search_plan", lambda *_: missed(best))
    file = tmp_path / "missed.json"

    said = catalytic("plan", tmp_path / "diamond.json", "-o", file, "--reuse-factor", "0.3")
    assert said.code == 4
    assert "TARGET MISSED" in said.err
    assert not file.exists()


def test_best_effort_writes_a_plan_that_misses_its_target_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from catalytic.app import plan as use_case
    from catalytic.solver.formats import load_plan

    best = load_plan(planned(tmp_path)).plan
    best = replace(best, proof=replace(best.proof, target=0.3))
    monkeypatch.setattr(use_case, "search_plan", lambda *_: missed(best))
    file = tmp_path / "missed.json"

    said = catalytic("plan", tmp_path / "diamond.json", "-o", file, "--reuse-factor", "0.3", "--best-effort")
    assert said.code == 0
    assert "TARGET MISSED (asked 0.3)" in said.out
    assert file.exists()


def test_a_plan_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "no" / "such" / "folder.json", *QUICK)

    assert said.code == 9
    assert "folder.json" in said.err


def test_the_problem_itself_is_not_overwritten(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    before = problem.read_bytes()

    assert catalytic("plan", problem, "-o", problem, *QUICK).code == 8
    assert problem.read_bytes() == before


def test_names_from_a_file_cannot_control_the_terminal(tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path, name="\x1b]0;title\x07"), "-o", tmp_path / "plan.json", *QUICK)

    assert said.code == 0
    assert "\x1b" not in said.out + said.err


def test_what_if_prints_one_row_per_value_and_writes_nothing(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    said = catalytic("plan", problem, "-o", tmp_path / "plan.json", "--what-if", "size=100kB,1MB", "--time-limit", "6")

    rows = said.out.splitlines()
    assert said.code == 0
    assert rows[0].split()[:3] == ["size", "status", "footprint"]
    assert rows[1].split()[:2] == ["100kB", "INFEASIBLE"]
    assert rows[2].split()[0] == "1MB"
    assert "0.2500" in rows[2]
    assert not (tmp_path / "plan.json").exists()


def test_what_if_says_which_values_miss_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalytic.app import trade as use_case
    from catalytic.solver.formats import load_plan

    best = load_plan(planned(tmp_path)).plan
    monkeypatch.setattr(use_case, "search_plan", lambda *_: missed(best))

    said = catalytic("plan", tmp_path / "diamond.json", "--what-if", "reuse-factor=0.3")

    assert "TARGET MISSED" in said.out.splitlines()[1]


def test_show_draws_tables_a_schedule_and_a_map_within_the_width(tmp_path: Path) -> None:
    said = catalytic("show", planned(tmp_path), "--width", "80")

    assert said.code == 0
    for word in ("pools", "partitions", "largest buffers", "bounds", "schedule", "memory"):
        assert word in said.out
    # Headline, goal, policies and memory are sentences; everything below is drawn to the width.
    assert max(map(len, said.out.splitlines()[4:])) <= 80


def test_show_with_json_gives_the_same_figures_as_the_plan_file(tmp_path: Path) -> None:
    path = planned(tmp_path)
    header = json.loads(path.read_bytes())["catalytic_execution_plan"]

    document = catalytic("show", path, "--json").document

    assert document["format"] == "catalytic-show/1"
    assert document["reuse_factor"] == header["reuse_factor"]
    assert document["footprint"] == header["footprint"]


def test_check_accepts_a_plan_and_its_problem(tmp_path: Path) -> None:
    said = catalytic("check", planned(tmp_path), tmp_path / "diamond.json")

    assert said.code == 0
    assert said.out.startswith("valid: diamond")


def test_check_refuses_a_plan_of_another_problem(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    other = write_problem(tmp_path, name="other")

    said = catalytic("check", plan, other)

    assert said.code == 5
    assert "they differ in name" in said.err


def test_check_lists_the_broken_rules_of_a_plan(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    content = json.loads(plan.read_bytes())
    for region in content["regions"]:
        region["extents"][0] |= {"partition": 0, "offset": 0}
    plan.write_text(json.dumps(content))

    said = catalytic("check", plan, "--json")

    assert said.code == 5
    assert said.document["error"] == "InvalidPlan"
    assert said.document["violations"]


def test_a_plan_whose_headline_was_edited_is_refused(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    content = json.loads(plan.read_bytes())
    content["catalytic_execution_plan"]["reuse_factor"] = 0.99
    plan.write_text(json.dumps(content))

    said = catalytic("check", plan)

    assert said.code == 5
    assert "reuse_factor" in said.err


@pytest.mark.parametrize("word", ["show", "status", "--help"])
def test_quick_commands_load_no_engine(word: str, tmp_path: Path) -> None:
    """Fresh process. The time is printed for the reader of a failure; a slow machine must not fail."""
    import subprocess
    import sys
    import time

    workspace = tmp_path / "w"
    assert catalytic("init", workspace, "--size", "1MB").code == 0
    arguments = {"show": [str(planned(tmp_path))], "status": [str(workspace)], "--help": []}[word]
    code = (
        "import sys\nfrom catalytic.cli.main import exit_code_of, program\n"
        "assert exit_code_of(program, sys.argv[1:], 'catalytic') == 0\nprint('MODULES', *sys.modules)"
    )
    before = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, word, *arguments], capture_output=True, text=True, check=True)
    print(f"{word}: {time.monotonic() - before:.2f} s")

    loaded = set(done.stdout.split("MODULES", 1)[1].split())
    assert "catalytic.cli.main" in loaded
    assert not {"ortools", "numba", "networkx"} & loaded


@pytest.mark.parametrize(("option", "most"), [("--seed", MAX_SEED), ("--threads", MAX_WORKERS)])
def test_a_seed_or_a_number_of_threads_beyond_all_use_is_refused(option: str, most: int, tmp_path: Path) -> None:
    """Searches count on from the seed in 64 bits; as many threads as one can type would never have started."""
    said = catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "plan.json", option, str(most + 1))

    assert said.code == 2
    assert option in said.err


def test_the_largest_seed_is_a_seed(tmp_path: Path) -> None:
    for objective in ("reuse", "makespan"):
        words = ("--seed", str(MAX_SEED), "--deterministic", "--time-limit", "1", "--objective", objective)
        assert catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "plan.json", *words).code == 0


def test_an_interrupt_exits_with_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalytic.app import show as use_case

    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(use_case, "show_plan", interrupted)

    assert catalytic("show", write_problem(tmp_path)).code == 130


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    """Only errors of the tree become one message; anything else is ours and must be seen whole."""
    code = "raise ZeroDivisionError"
    (tmp_path / "sitecustomize.py").write_text(
        f"import catalytic.app.show as s\ndef boom(p):\n    {code}\ns.show_plan = boom\n"
    )

    said = fresh("show", write_problem(tmp_path), cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})

    assert said.code == 1
    assert "Traceback" in said.err
    assert "ZeroDivisionError" in said.err


def test_the_diamond_of_these_tests_is_what_its_comment_says() -> None:
    assert [b["size"] for b in DIAMOND["buffers"]] == ["64KiB"] * 4
