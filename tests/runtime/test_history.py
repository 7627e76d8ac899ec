"""The story of a run, told from its journal: beside what the run itself reported, and after what can go wrong."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from catalytic.app.gc import collect
from catalytic.runtime import coordinator
from catalytic.runtime.events import EventKind, RunEvent
from catalytic.runtime.execution import Executions
from catalytic.runtime.history import Outcome, RunHistory, run_history
from catalytic.runtime.inspection import digest_of
from catalytic.runtime.journal import Journal, Kind
from catalytic.runtime.report import RunOptions
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import IntegrityError
from catalytic.solver.formats import dump_plan
from catalytic.solver.problem import PythonCall
from tests.faults import Crash, crash_at_flush, flip_in, living
from tests.runtime.plans import arena_of, chain, random_problem, tight_plan

TASKS = Path(__file__).parent / "tasks"


def options(folder: Path, **changes: object) -> RunOptions:
    values: dict[str, object] = {"base": TASKS, "output_dir": folder / "out", "executor": "inline"} | changes
    return RunOptions(**values)  # type: ignore[arg-type]


def told(workspace: Workspace, run_id: str | None = None) -> RunHistory:
    history = run_history(workspace, run_id)
    assert history is not None
    return history


@pytest.mark.parametrize("seed", range(4))
def test_a_run_without_trouble_is_one_attempt_per_execution(seed: int, tmp_path: Path) -> None:
    plan = tight_plan(random_problem(seed))
    workspace = arena_of(plan, tmp_path / "w")

    report = coordinator.execute(plan, workspace, options(tmp_path))
    history = told(workspace)

    assert (history.run_id, history.status) == (report.run_id, "complete")
    assert sorted(a.execution for a in history.attempts) == sorted(e.id for e in Executions(plan).order)
    assert {a.outcome for a in history.attempts} == {Outcome.COMMITTED}
    assert sum(a.written for a in history.attempts) == report.bytes_written
    assert sum(a.task_s or 0 for a in history.attempts) == pytest.approx(report.task_s)
    assert sum(a.seal_s or 0 for a in history.attempts) == pytest.approx(report.seal_s)
    assert sum(a.verify_s or 0 for a in history.attempts) == pytest.approx(report.verify_s)
    assert {r.buffer: r.content for r in history.results} == dict(report.results)
    assert [i.kind for i in history.incidents] == ["started", "ended"]
    assert history.committed == {a.execution for a in history.attempts}


@pytest.mark.parametrize("seed", range(2))
def test_attempts_begin_after_what_they_wait_for_and_end_within_the_run(seed: int, tmp_path: Path) -> None:
    plan = tight_plan(random_problem(seed))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    history = told(workspace)

    at = {a.execution: a for a in history.attempts}
    for e in plan.edges:
        ended = at[e.source].ended
        assert ended is not None and ended <= at[e.target].began
    assert all(0 <= a.began <= (a.ended or 0) <= history.length for a in history.attempts)


def test_damage_and_repair_are_told_in_order(tmp_path: Path) -> None:
    plan = tight_plan(random_problem(3))
    workspace = arena_of(plan, tmp_path / "w")
    flipped: list[str] = []

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and not flipped and living(workspace, plan):
            flipped.append(flip_in(workspace, plan, living(workspace, plan)[0], random.Random(0)).buffer)

    report = coordinator.execute(plan, workspace, options(tmp_path, repair_spill=True), flip)
    history = told(workspace)

    assert report.repaired
    kinds = [i.kind for i in history.incidents]
    assert kinds.index("damaged") < kinds.index("repaired") < kinds.index("ended")
    damage = next(i for i in history.incidents if i.kind == "damaged")
    assert damage.subject == flipped[0]
    assert "expected" in damage.text and "noticed before a reader read it" in damage.text
    writer = Executions(plan).writer[flipped[0]]
    assert [a.outcome for a in history.attempts if a.execution == writer] == [Outcome.COMMITTED, Outcome.REPAIRED]
    assert any(a.outcome is Outcome.RETURNED and a.message for a in history.attempts)


def test_a_failed_task_is_told_with_its_reason(tmp_path: Path) -> None:
    plan = tight_plan(chain(3, run=PythonCall("misdeeds:fail")))
    workspace = arena_of(plan, tmp_path / "w")

    report = coordinator.execute(plan, workspace, options(tmp_path))
    history = told(workspace)

    assert history.status == "partial"
    (failure,) = report.failures
    assert dict(history.failed) == {failure.task: failure.message}
    (attempt,) = (a for a in history.attempts if a.execution == failure.task)
    assert (attempt.outcome, attempt.message, attempt.written) == (Outcome.FAILED, failure.message, 0)


def test_what_was_under_way_when_the_process_died_is_open_until_the_resume(tmp_path: Path) -> None:
    plan = tight_plan(chain(4))
    workspace = arena_of(plan, tmp_path / "w")
    with crash_at_flush(3, after=True), pytest.raises(Crash):
        coordinator.execute(plan, workspace, options(tmp_path))

    before = told(workspace)
    coordinator.resume(workspace, options(tmp_path))
    after = told(workspace)

    assert before.status == "interrupted"
    assert [a.outcome for a in before.attempts][-1] is Outcome.OPEN
    assert (before.attempts[-1].ended, before.resumed) == (None, ())
    assert after.status == "complete" and len(after.resumed) == 1
    assert after.attempts[: len(before.attempts)] == before.attempts


def journal(workspace: Workspace, records: list[tuple[float, Kind, str, dict[str, object]]]) -> None:
    """Records with the wall clock given, as a run would have written them."""
    moments = iter([at for at, *_ in records])
    written = Journal(workspace.metadata / "journal.db", "test", lambda: next(moments))
    for _, kind, subject, body in records:
        written.stage(kind, subject, body)
    written.flush()
    written.close()


def fabricated(run: str, second: float) -> list[tuple[float, Kind, str, dict[str, object]]]:
    """A run of one task that was interrupted for an hour, damaged meanwhile, and resumed."""
    begin = {"attempt": 1, "repair": False, "writes": {}, "overwrites": []}
    commit = {"repair": False, "outputs": {}, "learned": {}, "seconds": 1.5}
    damage = {"epoch": 2, "chunk": 0, "expected": "a", "actual": "b", "found_at": "verify"}
    return [
        (second, Kind.RUN, run, {"time_factor": 0.5, "plan": f"digest of {run}"}),
        (second + 1, Kind.BEGIN, "t00", begin),
        (second + 3, Kind.FAIL, "t00", {"epoch": 2, "kind": "returned", "message": "stopped on request"}),
        (second + 4, Kind.END, run, {"status": "interrupted"}),
        (second + 1800, Kind.DAMAGE, "b01", damage),
        (second + 3600, Kind.RESUME, run, {"pid": 7}),
        (second + 3601, Kind.BEGIN, "t00", begin),
        (second + 3599, Kind.COMMIT, "t00", commit | {"epoch": 7}),  # the wall clock was set back
        (second + 3602, Kind.END, run, {"status": "complete"}),
    ]


def test_the_clock_of_a_run_stands_still_between_two_processes_and_never_goes_back(tmp_path: Path) -> None:
    workspace = arena_of(tight_plan(chain(1)), tmp_path / "w")
    journal(workspace, fabricated("first", 1_000_000.0))

    history = told(workspace)

    assert [(a.began, a.ended, a.outcome) for a in history.attempts] == [
        (1000, 3000, Outcome.RETURNED),
        (5000, 5000, Outcome.COMMITTED),
    ]
    assert history.resumed == (4000,)
    assert history.length == 8000
    assert [i.at for i in history.incidents if i.kind == "damaged"] == [4000]
    assert [i.wall for i in history.incidents if i.kind == "damaged"] == [1_001_800.0]


def test_an_earlier_run_is_found_by_its_id_and_the_last_one_without(tmp_path: Path) -> None:
    plan = tight_plan(random_problem(1))
    workspace = arena_of(plan, tmp_path / "w")
    first = coordinator.execute(plan, workspace, options(tmp_path))
    second = coordinator.execute(plan, workspace, options(tmp_path, force=True, discard=True))

    assert told(workspace).run_id == second.run_id
    assert told(workspace, first.run_id).results == told(workspace).results != ()
    assert told(workspace, first.run_id).run_id == first.run_id
    assert run_history(workspace, "another") is None


def test_a_run_whose_journal_was_put_away_is_found_among_the_logs(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")
    report = coordinator.execute(plan, workspace, options(tmp_path))
    collect(workspace.path, kept=True)
    assert not (workspace.metadata / "journal.db").exists()

    assert told(workspace, report.run_id).status == "complete"
    assert told(workspace).run_id == report.run_id


def test_a_workspace_without_a_run_has_no_history(tmp_path: Path) -> None:
    assert run_history(arena_of(tight_plan(chain(1)), tmp_path / "w")) is None


@pytest.mark.parametrize("damage", [b"", b"\xff\x00{", b'{"type": "committed"}\n[]\n"x"\n{"type": 3}\n'])
def test_a_log_that_cannot_be_read_costs_nothing_but_the_costs(damage: bytes, tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")
    report = coordinator.execute(plan, workspace, options(tmp_path))
    whole = told(workspace)
    (workspace.path / "logs" / f"{report.run_id}.jsonl").write_bytes(damage)

    history = told(workspace)

    assert all(a.seal_s is None and a.verify_s is None for a in history.attempts)
    assert [replace(a, seal_s=None, verify_s=None) for a in whole.attempts] == list(history.attempts)


def test_a_damaged_journal_is_not_told(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    path = workspace.metadata / "journal.db"
    path.write_bytes(path.read_bytes().replace(b'"time_factor":1.0', b'"time_factor":2.0'))

    with pytest.raises(IntegrityError):
        run_history(workspace)


def test_a_plan_has_a_digest_that_its_history_knows(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))

    assert told(workspace).plan_digest == digest_of(dump_plan(plan))
