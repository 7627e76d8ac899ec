"""``run`` and what looks after a run, through the command line: exit codes, documents, results without reuse."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from catalytic.runtime.locks import WorkspaceLocks
from catalytic.runtime.report import RunReport, RunStatus

from .console import DIAMOND, catalytic, write_problem

QUICK = ("--time-limit", "3", "--threads", "1")
WHOLE = (*QUICK, "--processes", "2")


def ran(folder: Path, *options: str | Path, **changes: Any) -> dict[str, Any]:
    """A complete run of the diamond in ``folder/w``; its document."""
    problem = write_problem(folder, **changes)
    where = ("--workspace", folder / "w", "--output-dir", folder / "out")
    said = catalytic("run", problem, *where, *WHOLE, *options, "--json")
    assert said.code == 0, said.err
    return said.document


def test_one_word_plans_creates_a_workspace_and_runs(tmp_path: Path) -> None:
    document = ran(tmp_path)

    assert document["format"] == "catalytic-run/1"
    assert document["report"]["status"] == "complete"
    assert document["report"]["executed"] == 4
    assert document["created"]
    assert (tmp_path / "out" / "end").stat().st_size == 65536


def test_the_defaults_lie_beside_the_caller_and_are_named_after_the_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    said = catalytic("run", write_problem(tmp_path), *WHOLE)

    assert said.code == 0, said.err
    assert said.out.startswith("COMPLETE: 4 tasks executed")
    assert (tmp_path / "diamond-workspace" / "metadata").is_dir()
    assert (tmp_path / "diamond-out" / "end").is_file()


def test_a_run_without_reuse_gives_the_same_bytes_and_leaves_no_workspace(tmp_path: Path) -> None:
    with_reuse = ran(tmp_path)
    without = ran(tmp_path, "--no-reuse", "--force")

    assert without["report"]["results"] == with_reuse["report"]["results"]
    assert without["report"]["bytes_reused"] == 0
    assert with_reuse["report"]["bytes_reused"] > 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["diamond.json", "out", "w"]


def test_a_run_without_reuse_does_not_boast_of_a_plan(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)

    said = catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", "--no-reuse")

    assert said.code == 0, said.err
    assert "plan: none; each of 4 buffers had bytes of its own" in said.out
    assert "gap" not in said.out


def test_loads_of_inputs_are_not_counted_as_tasks(tmp_path: Path) -> None:
    tasks = [{"id": "t", "duration": 0.01, "inputs": ["given"], "outputs": ["made"]}]
    buffers = [{"id": "given", "size": 4096}, {"id": "made", "size": 4096}]
    problem = write_problem(tmp_path, tasks=tasks, buffers=buffers)

    said = catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", *QUICK)

    assert said.code == 0, said.err
    assert said.out.startswith("COMPLETE: 1 task executed, 1 input loaded in ")


def test_a_dry_run_says_what_would_happen_and_writes_nothing(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "end").touch()
    words = ("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", "--dry-run", *QUICK)

    document = catalytic(*words, "--json").document
    said = catalytic(*words)

    assert document["format"] == "catalytic-dry-run/1"
    assert document["creates"]
    assert document["exports"] == document["replaced"] == ["end"]
    assert said.out.startswith("would run 4 tasks")
    assert not (tmp_path / "w").exists()


def test_what_cannot_run_is_refused_before_it_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "end").touch()
    monkeypatch.setattr("catalytic.app.run.find_plan", lambda *_: pytest.fail("planned"))

    said = catalytic("run", write_problem(tmp_path), "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out")

    assert said.code == 8
    assert "--force" in said.err


def test_an_exported_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    ran(tmp_path)
    problem = tmp_path / "diamond.json"
    words = ("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", *WHOLE)

    said = catalytic(*words)

    assert said.code == 8
    assert "--force" in said.err
    assert catalytic(*words, "--force").code == 0


@pytest.mark.parametrize("algorithm", ["sha256", "blake3", "xxh3_128"])
def test_a_seal_is_chosen_for_every_region(algorithm: str, tmp_path: Path) -> None:
    ran(tmp_path, "--seal", algorithm)

    assert {p.suffix for p in (tmp_path / "w" / "checksums").iterdir()} == {f".{algorithm}"}


def failing(command: list[str]) -> list[dict[str, Any]]:
    """The tasks of the diamond, of which b runs ``command``."""
    tasks: list[dict[str, Any]] = json.loads(json.dumps(DIAMOND["tasks"]))
    tasks[1]["run"] = {"command": command}
    return tasks


def test_a_failed_task_is_named_with_its_next_step_and_the_rest_is_listed(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, tasks=failing(["false"]))

    said = catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", *WHOLE)

    assert said.code == 1
    assert said.out.startswith("PARTIAL")
    assert "failed: b" in said.out
    assert "not run: d" in said.out
    assert "Traceback" not in said.err


def test_a_failed_run_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    """The command fails until a file appears; resume runs b and d and nothing that has committed."""
    token = tmp_path / "token"
    problem = write_problem(tmp_path, tasks=failing(["sh", "-c", f"test -e {token} && cp '{{x}}' '{{y}}'"]))
    said = catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", *WHOLE)
    assert said.code == 1, said.err

    token.touch()
    resumed = catalytic("resume", tmp_path / "w", "--json")

    assert resumed.code == 0, resumed.err
    report = resumed.document["report"]
    assert (report["status"], report["already_done"], report["executed"]) == ("complete", 2, 2)


def test_a_workspace_that_is_not_free_is_refused_before_anything_is_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = write_problem(tmp_path, tasks=failing(["false"]))
    words = ("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", "--force")
    assert catalytic(*words, *WHOLE).code == 1
    monkeypatch.setattr("catalytic.app.run.find_plan", lambda *_: pytest.fail("planned"))

    unfinished = catalytic(*words)
    with WorkspaceLocks(tmp_path / "w" / "metadata"):
        busy = catalytic(*words)

    assert (unfinished.code, busy.code) == (8, 6)
    assert "holds the unfinished run" in unfinished.err
    assert str(os.getpid()) in busy.err


def test_a_failed_run_says_where_its_tasks_wrote(tmp_path: Path) -> None:
    """Commands and functions print into one file, which is where tracebacks are too."""
    problem = write_problem(tmp_path, tasks=failing(["sh", "-c", "echo why; exit 3"]))
    said = catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", *WHOLE)
    again = catalytic("resume", tmp_path / "w")

    for answer in (said, again):
        assert answer.code == 1
        (line,) = (line for line in answer.out.splitlines() if line.startswith("output of tasks, with tracebacks: "))
        assert "why" in Path(line.partition(": ")[2]).read_text()


def test_exports_are_named_where_there_are_some(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, policy={"outputs": "discard"})
    nothing = catalytic("run", problem, "--workspace", tmp_path / "none", "--output-dir", tmp_path / "no", *WHOLE)
    ran(tmp_path)
    resumed = catalytic("resume", tmp_path / "w")

    assert "exports: none;" in nothing.out
    assert not (tmp_path / "no").exists()
    assert f"exports: {tmp_path / 'out'}" in resumed.out.splitlines()


def test_a_workspace_that_another_run_owns_is_busy(tmp_path: Path) -> None:
    ran(tmp_path)
    with WorkspaceLocks(tmp_path / "w" / "metadata"):
        for word in ("verify", "gc", "resume"):
            said = catalytic(word, tmp_path / "w")
            assert said.code == 6, word
            assert str(os.getpid()) in said.err
        assert catalytic("status", tmp_path / "w").code == 0


def test_damaged_bytes_are_found_by_verify_with_exit_5(tmp_path: Path) -> None:
    ran(tmp_path, policy={"outputs": "keep"})
    assert catalytic("verify", tmp_path / "w").code == 0

    kept = ran_region(tmp_path)
    with (tmp_path / "w" / "partitions" / f"p{kept['partition']}.arena").open("r+b") as file:
        file.seek(kept["offset"])
        byte = file.read(1)
        file.seek(kept["offset"])
        file.write(bytes([byte[0] ^ 1]))
    said = catalytic("verify", tmp_path / "w", "--json")

    assert said.code == 5
    assert said.document["damaged"][0]["buffer"] == "end"


def ran_region(folder: Path) -> dict[str, int]:
    """Where the kept buffer ``end`` lies."""
    plan = json.loads((folder / "w" / "metadata" / "plan.json").read_bytes())
    extent: dict[str, int] = next(r for r in plan["regions"] if r["buffer"] == "end")["extents"][0]
    return extent


def test_status_counts_tasks_and_lists_the_owners_of_a_region(tmp_path: Path) -> None:
    ran(tmp_path)

    document = catalytic("status", tmp_path / "w", "--region", "end", "--json").document
    text = catalytic("status", tmp_path / "w", "--region", "end").out

    assert document["format"] == "catalytic-status/1"
    assert document["report"]["tasks"]["done"] == 4
    # x died before d, which takes over its bytes: two owners in time.
    assert [o["buffer"] for o in document["owners"]] == ["x", "end"]
    assert "owners of the bytes of region_" in text


def test_a_misspelt_region_is_answered_with_the_nearest(tmp_path: Path) -> None:
    ran(tmp_path)

    said = catalytic("status", tmp_path / "w", "--region", "region_01")

    assert said.code == 2
    assert "did you mean 'region_001'" in said.err


def test_kept_buffers_are_forgotten_only_when_asked(tmp_path: Path) -> None:
    ran(tmp_path, policy={"outputs": "keep"})

    assert catalytic("gc", tmp_path / "w", "--json").document["forgotten"] == []
    assert catalytic("gc", tmp_path / "w", "--kept", "--dry-run", "--json").document["forgotten"] == ["end"]
    assert catalytic("status", tmp_path / "w", "--json").document["report"]["kept"] == ["end"]
    assert catalytic("gc", tmp_path / "w", "--kept", "--json").document["forgotten"] == ["end"]
    after = catalytic("status", tmp_path / "w", "--json").document["report"]
    assert (after["kept"], after["run_id"]) == ([], None)
    ran(tmp_path)  # and the workspace is as new


def test_gc_removes_what_dead_programs_left_and_nothing_else(tmp_path: Path) -> None:
    ran(tmp_path)
    workspace = tmp_path / "w"
    left = [
        workspace / "staging" / "input",
        workspace / "metadata" / ".plan.json.part",
        tmp_path / "out" / ".end.7.part",
    ]
    for path in left:
        path.write_bytes(b"12345")
    beside = tmp_path / ".w-no-reuse-abc"
    (beside / "workspace").mkdir(parents=True)
    before = {p for p in tmp_path.rglob("*") if p.is_file()}

    document = catalytic("gc", workspace, "--json").document

    assert sorted(document["removed"]) == sorted(map(str, [*left, beside]))
    assert document["bytes"] == 15
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before - set(left)


def test_gc_spares_what_an_unfinished_run_needs(tmp_path: Path) -> None:
    problem = write_problem(tmp_path, tasks=failing(["false"]))
    catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", *WHOLE)
    staged = tmp_path / "w" / "staging" / "input"
    staged.parent.mkdir(exist_ok=True)
    staged.write_bytes(b"needed")

    assert catalytic("gc", tmp_path / "w").code == 0
    assert staged.exists()
    refused = catalytic("gc", tmp_path / "w", "--kept")
    assert refused.code == 8
    assert "catalytic resume" in refused.err


def test_measurements_of_a_run_go_back_into_the_problem(tmp_path: Path) -> None:
    ran(tmp_path)
    output = tmp_path / "measured.json"

    said = catalytic("import", tmp_path / "diamond.json", "-o", output, "--from-run", tmp_path / "w")

    assert said.code == 0, said.err
    assert "the duration of 4 of 4 tasks" in said.out


def test_a_plan_file_runs_as_it_is_unless_more_is_asked(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    catalytic("plan", write_problem(tmp_path), "-o", plan, *QUICK)
    where = ("--workspace", tmp_path / "w", "--output-dir", tmp_path / "out", "--force")

    ran = catalytic("run", plan, *where, "--json")
    more = catalytic("run", plan, *where, "--reuse-factor", "0.5", *QUICK)
    unsealed = catalytic("run", plan, *where, "--no-integrity", "--json")

    assert ran.code == 0, ran.err
    assert more.code == 3
    assert unsealed.document["report"]["bytes_sealed"] == 0


def test_a_broken_plan_is_not_run(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    catalytic("plan", write_problem(tmp_path), "-o", plan, *QUICK)
    content = json.loads(plan.read_bytes())
    for region in content["regions"]:
        region["extents"][0] |= {"partition": 0, "offset": 0}
    plan.write_text(json.dumps(content))

    said = catalytic("run", plan, "--workspace", tmp_path / "w")

    assert said.code == 5
    assert not (tmp_path / "w").exists()


def test_a_plan_that_does_not_fit_the_workspace_says_plan_again(tmp_path: Path) -> None:
    ran(tmp_path)
    problem = write_problem(tmp_path, workspace={"size": "1MB", "partitions": 4})

    said = catalytic("run", problem, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "o2", *WHOLE)

    assert said.code == 2
    assert "partitions" in said.err


def test_a_workspace_larger_than_the_disk_is_a_storage_error_now(tmp_path: Path) -> None:
    said = catalytic("init", tmp_path / "w", "--size", "1000TB")

    assert said.code == 9
    assert "Traceback" not in said.err


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    write_problem(tmp_path)

    assert catalytic("init", tmp_path, "--size", "1MB").code == 8


def test_init_says_whether_the_workspace_was_there(tmp_path: Path) -> None:
    words = ("init", tmp_path / "w", "--size", "1MB")
    first, second = catalytic(*words), catalytic(*words)

    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith("created ")
    assert second.out.startswith("exists already: ")


def test_init_prints_one_document(tmp_path: Path) -> None:
    document = catalytic("init", tmp_path / "w", "--size", "1MB", "--partitions", "2", "--json").document

    assert (document["format"], document["partitions"], document["partition_size"]) == ("catalytic-init/1", 2, 499712)


def test_doctor_finds_this_machine_able(tmp_path: Path) -> None:
    document = catalytic("doctor", tmp_path, "--size", "1MB", "--json").document

    assert document["format"] == "catalytic-doctor/1"
    assert {f["check"] for f in document["findings"]} >= {"python", "cores", "space", "lock", "map", "journal"}
    assert list(tmp_path.iterdir()) == []


def test_doctor_fails_where_a_workspace_cannot_stand(tmp_path: Path) -> None:
    said = catalytic("doctor", tmp_path, "--size", "1000TB")

    assert said.code == 9
    assert "NOT HEALTHY" in said.out


@pytest.mark.parametrize(
    ("status", "received", "code"),
    [
        (RunStatus.COMPLETE, None, 0),
        (RunStatus.PARTIAL, None, 1),
        (RunStatus.CANCELLED, None, 7),
        (RunStatus.INTERRUPTED, signal.SIGINT, 130),
        (RunStatus.INTERRUPTED, signal.SIGTERM, 143),
    ],
)
def test_the_end_of_a_run_has_its_exit_code(status: RunStatus, received: int | None, code: int) -> None:
    from catalytic.cli.output import report_exit_code

    report = RunReport("r", status, {}, (), (), 0, 0, (), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    assert report_exit_code(report, received) == code


def started(folder: Path) -> subprocess.Popen[str]:
    """A run whose task b waits, in a process of its own; returns when b has begun."""
    begun = folder / "begun"
    problem = write_problem(folder, tasks=failing(["sh", "-c", f"touch {begun}; sleep 600; cp '{{x}}' '{{y}}'"]))
    words = ["run", problem, "--workspace", folder / "w", "--output-dir", folder / "out", *WHOLE]
    code = "from catalytic.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not begun.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_a_run_in_order_and_its_exit_code_names_it(number: int, code: int, tmp_path: Path) -> None:
    process = started(tmp_path)
    process.send_signal(number)
    out, err = process.communicate()

    assert process.returncode == code, err
    assert out.startswith("INTERRUPTED")
    assert "Traceback" not in err
    assert catalytic("status", tmp_path / "w", "--json").document["report"]["run_state"] == "interrupted"


def test_a_run_is_cancelled_on_request_with_exit_7(tmp_path: Path) -> None:
    process = started(tmp_path)

    said = catalytic("cancel", tmp_path / "w")
    out, err = process.communicate()

    assert said.code == 0
    assert str(process.pid) in said.out
    assert process.returncode == 7, err
    assert out.startswith("CANCELLED")


def test_there_is_nothing_to_cancel_where_nothing_runs(tmp_path: Path) -> None:
    ran(tmp_path)

    assert catalytic("cancel", tmp_path / "w").code == 2
