"""Tasks that do right and wrong, in worker processes: each wrong is named in one line and costs one task."""

from __future__ import annotations

import os
import re
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from catalytic.runtime import coordinator
from catalytic.runtime.events import EventKind, RunEvent
from catalytic.runtime.locks import WorkspaceLocks
from catalytic.runtime.report import RunOptions, RunReport, RunStatus, Scrub
from catalytic.solver.problem import Buffer, Command, Problem, PythonCall, Run, Task
from catalytic.solver.units import Bytes, Tick
from tests.faults import living, state_of
from tests.runtime.plans import arena_of, chain, tight_plan

TASKS = Path(__file__).parent / "tasks"
GRACE_S = 0.2


def execute(problem: Problem, folder: Path, **changes: object) -> RunReport:
    plan = tight_plan(problem)
    values: dict[str, object] = {"base": TASKS, "output_dir": folder / "out", "grace_s": GRACE_S} | changes
    return coordinator.execute(plan, arena_of(plan, folder / "w"), RunOptions(**values))  # type: ignore[arg-type]


def beside_an_innocent(run: Run, scratch: int = 0) -> Problem:
    """``bad`` runs ``run`` on what ``first`` wrote; ``good`` reads the same bytes and depends on nothing else."""
    tasks = (
        Task("first", Tick(5), (), ("x",), run=PythonCall("misdeeds:copy")),
        Task("bad", Tick(5), ("x",), ("y",), run=run, scratch=Bytes(scratch)),
        Task("good", Tick(5), ("x",), ("z",), run=PythonCall("misdeeds:copy")),
        Task("after", Tick(5), ("y",), ("end",), run=PythonCall("misdeeds:copy")),
    )
    buffers = tuple(Buffer(b, Bytes(12289)) for b in ("x", "y", "z", "end"))
    return replace(chain(1), tasks=tasks, buffers=buffers)


MISDEEDS = {
    "fail": ("exception", "RuntimeError: the flux capacitor is empty"),
    "assign_to_input": ("exception", "cannot modify read-only memory"),
    "write_into_input": ("wrote-into-input", "wrote into its input 'x', at byte 0"),
    "write_past_page": ("out-of-bounds", "went past the end of its output 'y' (12289 bytes)"),
    "write_past_end": ("out-of-bounds", "wrote past the end of its output 'y' (12289 bytes)"),
    "fork_and_die": ("crash", "its worker crashed (status 3)"),
    "fail_at_length": ("exception", "RuntimeError: first line and so on"),
    "fail_untellably": ("exception", "Untellable"),
    "die_of_an_unnamed_signal": ("crash", "its worker crashed (signal 40)"),
    "no_such_function": ("exception", "cannot import 'misdeeds:no_such_function'"),
}


@pytest.mark.parametrize("name", MISDEEDS)
def test_a_misdeed_is_named_and_costs_one_task(name: str, tmp_path: Path) -> None:
    kind, message = MISDEEDS[name]

    report = execute(beside_an_innocent(PythonCall(f"misdeeds:{name}")), tmp_path)

    (failure,) = report.failures
    assert (failure.task, failure.kind) == ("bad", kind)
    assert message in failure.message
    assert "\n" not in failure.message
    assert len(failure.message) < 1000
    assert failure.next_step
    assert (report.status, report.blocked) == (RunStatus.PARTIAL, ("after",))
    assert set(report.results) == {"z"}
    assert (tmp_path / "out/z").exists()


def test_what_a_function_raises_is_told_with_its_line(tmp_path: Path) -> None:
    """The innermost line of a file beside the problem: `fail` itself, not what called it."""
    report = execute(beside_an_innocent(PythonCall("misdeeds:fail")), tmp_path)

    found = re.search(r" \(misdeeds\.py, line (\d+)\)$", report.failures[0].message)
    assert found is not None
    assert "flux capacitor" in (TASKS / "misdeeds.py").read_text().splitlines()[int(found.group(1)) - 1]


@pytest.mark.parametrize("name", ["fork_and_go_on", "fork_and_return_twice", "close_stdout"])
def test_what_a_task_leaves_behind_ends_with_its_worker(name: str, tmp_path: Path) -> None:
    """A child that lived on could still write into regions, so it would keep the workspace from its next owner."""
    report = execute(beside_an_innocent(PythonCall(f"misdeeds:{name}")), tmp_path)

    assert (report.status, report.failures) == (RunStatus.COMPLETE, ())
    WorkspaceLocks(tmp_path / "w/metadata", wait_s=2.0).close()


def test_unwritten_output_bytes_are_exposed_by_the_pattern(tmp_path: Path) -> None:
    problem = beside_an_innocent(PythonCall("misdeeds:leave_a_hole"))

    assert execute(problem, tmp_path / "a").status is RunStatus.COMPLETE
    (failure,) = execute(problem, tmp_path / "b", scrub=Scrub.PATTERN).failures
    assert (failure.task, failure.kind) == ("bad", "unwritten")
    assert "from byte 1024 of 12289" in failure.message


def test_a_view_used_after_its_task_is_named(tmp_path: Path) -> None:
    report = execute(chain(2, run=PythonCall("misdeeds:keep_a_view")), tmp_path, workers=1)

    assert [(f.task, f.kind) for f in report.failures] == [("t01", "late-use")]


@pytest.mark.parametrize("name", ["hang", "hang_politely"])
def test_a_task_over_its_limit_is_asked_then_ended(name: str, tmp_path: Path) -> None:
    problem = beside_an_innocent(PythonCall(f"misdeeds:{name}"))
    tasks = tuple(replace(t, timeout=Tick(200)) if t.id == "bad" else t for t in problem.tasks)

    report = execute(replace(problem, tasks=tasks), tmp_path)

    assert [(f.task, f.kind, f.message) for f in report.failures] == [
        ("bad", "timeout", "took longer than its limit of 0.2 s")
    ]
    assert set(report.results) == {"z"}


def test_a_worker_killed_from_outside_costs_one_attempt(tmp_path: Path) -> None:
    run = PythonCall("misdeeds:die", {"marker": str(tmp_path / "marker")})

    report = execute(beside_an_innocent(run), tmp_path)

    assert (report.status, report.failures) == (RunStatus.COMPLETE, ())
    assert report.results == execute(beside_an_innocent(PythonCall("misdeeds:copy")), tmp_path / "calm").results


def test_a_worker_that_is_always_killed_is_a_failure(tmp_path: Path) -> None:
    run = PythonCall("misdeeds:die", {"marker": str(tmp_path / "no folder" / "marker")})
    report = execute(beside_an_innocent(run), tmp_path, retries=1)

    assert [(f.task, f.kind) for f in report.failures] == [("bad", "exception")]  # the marker cannot be written


def test_scratch_and_arrays_are_usable(tmp_path: Path) -> None:
    report = execute(beside_an_innocent(PythonCall("misdeeds:with_numpy"), scratch=20_000), tmp_path)

    assert report.status is RunStatus.COMPLETE


def command(*argv: str, **bound: str) -> Command:
    return Command(argv, **bound)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "run",
    [
        command("sh", "-c", "head -c 50 {x} > {y}"),
        command("sh", "-c", "head -c 50", stdin="x", stdout="y"),
        Command(("sh", "-c", 'head -c 50 "$FROM" > "$TO"'), (("FROM", "{x}"), ("TO", "{y}"))),
    ],
    ids=["arguments", "streams", "environment"],
)
def test_a_command_works_on_staged_files(run: Command, tmp_path: Path) -> None:
    report = execute(beside_an_innocent(run), tmp_path)

    assert (report.status, report.failures) == (RunStatus.COMPLETE, ())
    assert {m.task: dict(m.lengths) for m in report.measured}["bad"] == {"y": 50}
    assert report.bytes_staged == 12289 + 50
    assert not any(path.is_file() for path in (tmp_path / "w/staging").rglob("*"))


@pytest.mark.parametrize(
    ("run", "kind", "message"),
    [
        (command("sh", "-c", "echo first >&2; echo last >&2; exit 3"), "exit-status", "sh ended with status 3: last"),
        (command("sh", "-c", "kill -9 $$", stdout="y"), "exit-status", "sh was killed by SIGKILL"),
        (command("no-such-program", stdout="y"), "exit-status", "cannot start 'no-such-program'"),
        (command("sh", "-c", "kill -40 $$", stdout="y"), "exit-status", "sh was killed by signal 40"),
        (command("true"), "unwritten", "did not create its output 'y'"),
        (command("mkfifo", "{y}"), "unwritten", "something else than a file of its output 'y'"),
        (command("ln", "-s", "/dev/zero", "{y}"), "unwritten", "something else than a file of its output 'y'"),
        (command("sh", "-c", "yes | head -c 20000", stdout="y"), "out-of-bounds", "wrote 20000 bytes"),
    ],
    ids=[
        "status",
        "signal",
        "missing program",
        "unnamed signal",
        "no output",
        "pipe",
        "device",
        "too much",
    ],
)
def test_a_command_that_fails_is_named(run: Command, kind: str, message: str, tmp_path: Path) -> None:
    (failure,) = execute(beside_an_innocent(run), tmp_path).failures

    assert (failure.task, failure.kind) == ("bad", kind)
    assert message in failure.message


def test_a_command_over_its_limit_leaves_no_process(tmp_path: Path) -> None:
    marker = f"{os.getpid()}.2345"
    problem = beside_an_innocent(command("sh", "-c", f"trap '' TERM; sleep {marker} & wait", stdout="y"))

    report = execute(problem, tmp_path, task_timeout_s=0.2)

    assert [f.kind for f in report.failures] == ["timeout"]
    commands = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert not any(marker.encode() in line for line in commands)


def test_what_tasks_print_is_kept_in_the_log(tmp_path: Path) -> None:
    report = execute(beside_an_innocent(PythonCall("misdeeds:fail")), tmp_path)

    assert "flux capacitor" in (tmp_path / f"w/logs/{report.run_id}.out").read_text()


def test_a_failed_run_is_completed_by_resume_once_the_task_is_mended(tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    run = PythonCall("misdeeds:fail_unless_mended", {"mended": str(mended)})
    plan = tight_plan(beside_an_innocent(run))
    workspace = arena_of(plan, tmp_path / "w")
    assert coordinator.execute(plan, workspace, RunOptions(TASKS, tmp_path / "out")).blocked == ("after",)
    mended.touch()

    report = coordinator.resume(workspace)

    assert report.status is RunStatus.COMPLETE
    assert report.already_done == 2
    calm = execute(beside_an_innocent(PythonCall("misdeeds:copy")), tmp_path / "calm")
    assert report.results == calm.results


@pytest.mark.parametrize("how", ["signal", "file"])
def test_a_run_that_is_asked_to_stop_can_be_resumed(how: str, tmp_path: Path) -> None:
    plan = tight_plan(chain(6))
    workspace = arena_of(plan, tmp_path / "w")

    def stop_after_two(event: RunEvent) -> None:
        if event.kind is EventKind.STARTED and event.task == "t02":
            if how == "signal":
                signal.raise_signal(signal.SIGINT)
            else:
                coordinator.request_cancel(workspace)

    options = RunOptions(TASKS, tmp_path / "out", time_factor=100, grace_s=GRACE_S)
    report = coordinator.execute(plan, workspace, options, stop_after_two)

    assert report.status is (RunStatus.INTERRUPTED if how == "signal" else RunStatus.CANCELLED)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert living(workspace, plan) == ["b02"]
    resumed = coordinator.resume(workspace)
    assert (resumed.status, resumed.already_done) == (RunStatus.COMPLETE, 3)
    assert state_of(workspace).committed.keys() >= {f"t{n:02}" for n in range(6)}


def test_a_run_in_another_thread_works_without_signals(tmp_path: Path) -> None:
    reports: list[RunReport] = []
    thread = threading.Thread(target=lambda: reports.append(execute(chain(2), tmp_path)))
    thread.start()
    thread.join()

    assert reports[0].status is RunStatus.COMPLETE
