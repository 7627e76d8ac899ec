"""After a crash, a kill or damage: the same bytes, nothing done twice, nothing read that was not what it should be."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalytic.runtime import coordinator
from catalytic.runtime.events import EventKind, RunEvent
from catalytic.runtime.report import RunOptions, RunStatus
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import IntegrityError
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Plan
from catalytic.solver.problem import OutputPolicy, Policy, PythonCall
from catalytic.solver.units import Bytes
from tests.faults import (
    Child,
    Crash,
    crash_at_flush,
    flip_bit,
    flip_in,
    kill_process,
    living,
    records,
    scramble_unfinished,
    state_of,
)
from tests.runtime.plans import PAGE, arena_of, chain, laid_out, random_problem, tasks_of, tight_plan

TASKS = Path(__file__).parent / "tasks"


def options(folder: Path, **changes: object) -> RunOptions:
    values: dict[str, object] = {"base": TASKS, "output_dir": folder / "out", "executor": "inline"} | changes
    return RunOptions(**values)  # type: ignore[arg-type]


def wanted(plan: Plan, folder: Path) -> dict[str, str]:
    """Results of a run in which nothing goes wrong."""
    return dict(coordinator.execute(plan, arena_of(plan, folder / "w"), options(folder)).results)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("after", [False, True], ids=["before the sync", "after the sync"])
def test_a_death_at_any_record_changes_no_result(seed: int, after: bool, tmp_path: Path) -> None:
    """P1-P4: die at each flush, with random bytes in everything that was allowed to be written at that time."""
    plan = tight_plan(random_problem(seed))
    want = wanted(plan, tmp_path / "want")
    for number in range(1, 200):
        folder = tmp_path / str(number)
        workspace = arena_of(plan, folder / "w")
        try:
            with crash_at_flush(number, after=after):
                coordinator.execute(plan, workspace, options(folder))
        except Crash:
            _require_good_resume(plan, workspace, folder, want, random.Random(number))
        else:
            assert number > 5
            return
    raise AssertionError("the run never came to an end")


def _require_good_resume(
    plan: Plan, workspace: Workspace, folder: Path, want: dict[str, str], rng: random.Random
) -> None:
    before = state_of(workspace)
    if before.run_id is None:
        return
    scramble_unfinished(workspace, rng)
    done = set(before.committed)

    report = coordinator.resume(workspace, options(folder))

    assert (report.status, report.results) == (RunStatus.COMPLETE, want)
    resumed = max((n for n, r in enumerate(records(workspace)) if r.kind == "resume"), default=len(records(workspace)))
    again = {r.subject for r in records(workspace)[resumed:] if r.kind == "commit"} & done
    in_place = {b for n in before.open if n in plan.task for _, b in plan.problem.graph.task[n].in_place}
    assert again == set() or in_place, "something committed ran again without a reason"
    assert coordinator.resume(workspace, options(folder)).executed == 0
    assert coordinator.verify(workspace).damaged == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_death_during_resume_is_resumed_too(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    plan = tight_plan(random_problem(seed))
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "w")
    verb: Callable[[], object] = lambda: coordinator.execute(plan, workspace, options(tmp_path))  # noqa: E731
    for _ in range(30):
        try:
            with crash_at_flush(rng.randrange(2, 7), after=rng.random() < 0.5):
                verb()
        except Crash:
            scramble_unfinished(workspace, rng)
            verb = lambda: coordinator.resume(workspace, options(tmp_path))  # noqa: E731
        else:
            break
    report = coordinator.resume(workspace, options(tmp_path))
    assert (report.status, report.results) == (RunStatus.COMPLETE, want)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("which", ["living", "dead"])
def test_a_flipped_bit_during_a_run_is_found_and_repaired(seed: int, which: str, tmp_path: Path) -> None:
    """A living buffer is found by its next reader, a dead one by whoever takes over its bytes."""
    rng = random.Random(seed)
    plan = tight_plan(random_problem(seed))
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "w")
    moment = rng.randrange(2, 9)
    flipped: list[str] = []

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and not flipped and len(state_of(workspace).committed) >= moment:
            candidates = _living_or_dead(workspace, plan, which)
            if candidates:
                flipped.append(flip_in(workspace, plan, rng.choice(candidates), rng).buffer)

    report = coordinator.execute(plan, workspace, options(tmp_path, repair_spill=True), flip)

    assert (report.status, report.results) == (RunStatus.COMPLETE, want)
    if flipped and which == "living":
        found = {r.subject for r in records(workspace) if r.kind == "damage"}
        found |= {d.buffer for d in coordinator.verify(workspace).damaged}
        assert found == set(flipped)
        coordinator.resume(workspace, options(tmp_path))
        assert coordinator.verify(workspace).damaged == ()


def _living_or_dead(workspace: Workspace, plan: Plan, which: str) -> list[str]:
    alive = living(workspace, plan)
    if which == "living":
        return alive
    state = state_of(workspace)
    return [
        b for b, r in sorted(state.results.items()) if b not in alive and state.intact(b) and r.extents and r.length
    ]


def test_readers_of_bytes_found_damaged_too_late_run_again(tmp_path: Path) -> None:
    """The last reader may have read the damage: its results, and what was made of them, are made again."""
    plan = tight_plan(chain(5))
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "w")
    once = iter([True])

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and event.task == "t01" and next(once, False):
            flip_in(workspace, plan, "b01", random.Random(0))  # dead now, taken over by t02

    report = coordinator.execute(plan, workspace, options(tmp_path), flip)

    assert report.results == want
    assert [r.subject for r in records(workspace) if r.kind == "undo"] == ["t01"]
    assert "may have read it: t01" in report.notes[0]


def test_what_was_made_from_suspect_results_runs_again_too(tmp_path: Path) -> None:
    """x is damaged after b read it; c has used b's result by the time d finds it, about to overwrite x."""
    problem = tasks_of("a: -> x\n b: x -> y\n c: y -> z\n d: z -> w", {"x": 1, "y": 1, "z": 2, "w": 1})
    plan = laid_out(problem, "a b c d", {"x": 0, "y": 1, "z": 2, "w": 0})
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "w")
    once = iter([True])

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and event.task == "c" and next(once, False):
            flip_in(workspace, plan, "x", random.Random(0))

    report = coordinator.execute(plan, workspace, options(tmp_path), flip)

    assert dict(report.results) == want
    assert [r.subject for r in records(workspace) if r.kind == "undo"] == ["b", "c"]


def test_a_reader_that_ended_before_the_last_good_check_is_not_suspected(tmp_path: Path) -> None:
    """b read x, then c verified and read it, then it was damaged: only c may have seen the damage."""
    problem = tasks_of("a: -> x\n b: x -> y\n c: x y -> z\n d: z -> v\n e: v -> w", dict.fromkeys("xyzvw", 1))
    plan = laid_out(problem, "a b c d e", {"x": 0, "y": 1, "z": 2, "v": 3, "w": 0})
    workspace = arena_of(plan, tmp_path / "w")
    once = iter([True])

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and event.task == "c" and next(once, False):
            flip_in(workspace, plan, "x", random.Random(0))

    report = coordinator.execute(plan, workspace, options(tmp_path, workers=1), flip)

    assert dict(report.results) == wanted(plan, tmp_path / "want")
    assert [r.subject for r in records(workspace) if r.kind == "undo"] == ["c", "d"]


def test_a_dead_chunk_of_which_only_a_part_is_taken_over_is_verified(tmp_path: Path) -> None:
    """x has two pages and one chunk; w takes the first page, the damage is in the second."""
    problem = tasks_of("a: -> x\n b: x -> y\n c: -> v\n d: y v -> w", {"x": 2, "y": 1, "v": 1, "w": 1})
    plan = laid_out(problem, "a b c d", {"x": 0, "y": 2, "v": 3, "w": 0})
    workspace = arena_of(plan, tmp_path / "w")
    once = iter([True])

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and event.task == "b" and next(once, False):
            flip_bit(workspace.partition_path(0), PAGE + 5)

    report = coordinator.execute(plan, workspace, options(tmp_path, workers=1), flip)

    assert (report.status, dict(report.results)) == (RunStatus.COMPLETE, wanted(plan, tmp_path / "want"))
    assert [(r.subject, r.body["found_at"]) for r in records(workspace) if r.kind == "damage"] == [("x", "dead")]


def test_a_repair_leaves_alone_what_it_reads(tmp_path: Path) -> None:
    """m is kept and damaged. i is dead but intact at page 0, j is gone: j's temporary must not be put over i."""
    problem = tasks_of("a: -> i\n b: -> j\n c: i j -> m\n d: -> n", dict.fromkeys("ijmn", 1), keep="m")
    plan = laid_out(problem, "a b c d", {"i": 0, "j": 1, "m": 2, "n": 1})
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    flip_in(workspace, plan, "m", random.Random(0))
    assert [d.buffer for d in coordinator.verify(workspace).damaged] == ["m"]

    report = coordinator.resume(workspace, options(tmp_path))

    assert (report.repaired, report.executed) == (("m",), 2)
    assert [r.subject for r in records(workspace) if r.kind == "damage"] == ["m"]


def test_what_ran_ahead_of_a_failed_task_and_is_needed_gives_its_bytes_back(tmp_path: Path) -> None:
    """a fails; t takes over a's input x, which is fine while r will use t's result; then r fails, too.

    When both are mended, a needs x where z is. So t is undone, x is made again, and all run in the planned order.
    """
    mended = tmp_path / "mended"
    problem = tasks_of("s: -> x\n a: x -> y\n t: -> z\n r: z -> w", dict.fromkeys("xyzw", 1))
    later = PythonCall("misdeeds:fail_unless_mended", {"mended": str(mended)})
    copy = PythonCall("misdeeds:copy")
    tasks = tuple(replace(t, run=later if t.id in "ar" else copy) for t in problem.tasks)
    plan = laid_out(replace(problem, tasks=tasks), "s a t r", {"x": 0, "y": 1, "z": 0, "w": 2})
    workspace = arena_of(plan, tmp_path / "w")
    first = coordinator.execute(plan, workspace, options(tmp_path))
    assert [f.task for f in first.failures] == ["a", "r"]
    mended.touch()

    report = coordinator.resume(workspace, options(tmp_path))

    assert report.status is RunStatus.COMPLETE
    assert dict(report.results) == wanted(plan, tmp_path / "want")
    assert [(r.kind.value, r.subject) for r in records(workspace) if r.kind in ("undo", "damage")] == [("undo", "t")]


def test_a_damaged_generated_input_is_generated_again(tmp_path: Path) -> None:
    problem = chain(2)
    tasks = (problem.tasks[0], replace(problem.tasks[1], inputs=("b00", "b01")))
    plan = tight_plan(replace(problem, tasks=tasks))
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "w")

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.COMMITTED and event.task == "t00":
            (staged,) = (workspace.path / "staging").rglob("b00")
            flip_bit(staged, 77)

    report = coordinator.execute(plan, workspace, options(tmp_path), flip)

    assert (report.status, dict(report.results)) == (RunStatus.COMPLETE, want)
    assert [r.subject for r in records(workspace) if r.kind == "undo"] == ["load:b00"]


def test_damage_that_comes_back_again_and_again_ends_the_run(tmp_path: Path) -> None:
    plan = tight_plan(chain(3))
    workspace = arena_of(plan, tmp_path / "w")

    def flip(event: RunEvent) -> None:
        if event.kind in (EventKind.COMMITTED, EventKind.REPAIRED) and event.task == "t00":
            flip_in(workspace, plan, "b01", random.Random(0))

    with pytest.raises(IntegrityError, match="do not come to an end"):
        coordinator.execute(plan, workspace, options(tmp_path), flip)


def test_a_repair_without_room_names_the_bytes_and_spills_when_allowed(tmp_path: Path) -> None:
    """Two pages of arena. b03 (kept, page 0) and b02 (dead, page 1) are damaged, and b01 is overwritten by b03.

    Making b01 again needs the generated b00 beside it, but page 0 waits for b03: one page is missing.
    """
    problem = replace(chain(3, size=PAGE - 3), policy=Policy(outputs=OutputPolicy.KEEP))
    problem = replace(problem, workspace=replace(problem.workspace, size=Bytes(2 * PAGE)))
    plan = tight_plan(problem)
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    flip_in(workspace, plan, "b02", random.Random(1))
    flip_in(workspace, plan, "b03", random.Random(1))
    assert [d.buffer for d in coordinator.verify(workspace).damaged] == ["b03"]

    with pytest.raises(IntegrityError, match=r"needs 4096 bytes .* 'b01' .* --repair-spill") as caught:
        coordinator.resume(workspace, options(tmp_path))
    assert caught.value.exit_code == 5

    report = coordinator.resume(workspace, options(tmp_path, repair_spill=True))
    assert report.repaired == ("b03",)
    assert dict(report.results) == want
    assert coordinator.verify(workspace).damaged == ()


@pytest.mark.parametrize("seed", range(10))
def test_random_failures_then_mended_give_the_same_results(seed: int, tmp_path: Path) -> None:
    """Whatever ran ahead of the failed tasks, in the end every result is what it would have been."""
    rng = random.Random(seed)
    mended = tmp_path / "mended"
    problem = random_problem(seed, tasks=14)
    calm = replace(problem, tasks=tuple(replace(t, run=PythonCall("misdeeds:copy")) for t in problem.tasks))
    want = wanted(tight_plan(calm), tmp_path / "want")
    later = PythonCall("misdeeds:fail_unless_mended", {"mended": str(mended)})
    tasks = tuple(replace(t, run=later) if rng.random() < 0.25 else t for t in calm.tasks)
    plan = tight_plan(replace(calm, tasks=tasks))
    workspace = arena_of(plan, tmp_path / "w")

    first = coordinator.execute(plan, workspace, options(tmp_path))
    assert {f.task for f in first.failures} | set(first.blocked) or first.status is RunStatus.COMPLETE
    mended.touch()
    report = coordinator.resume(workspace, options(tmp_path, repair_spill=True))

    assert (report.status, report.failures, dict(report.results)) == (RunStatus.COMPLETE, (), want)


@pytest.mark.parametrize("victim", ["coordinator", "worker"])
@pytest.mark.parametrize("seed", range(3))
def test_kill_nine_at_a_random_moment(victim: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    plan = tight_plan(random_problem(100 + seed, tasks=15, ms=(10, 40)))
    want = wanted(plan, tmp_path / "want")
    (tmp_path / "plan.json").write_bytes(dump_plan(plan))
    workspace = arena_of(plan, tmp_path / "w")
    child = Child("run", workspace, tmp_path / "plan.json", tmp_path)
    at = rng.randrange(1, 10)
    if child.wait_for(lambda: len(state_of(workspace).committed) >= at):
        time.sleep(rng.random() * 0.03)
        if victim == "worker":
            for pid in child.workers()[:1]:
                kill_process(pid)
        else:
            child.kill()
    if victim == "worker":
        status, printed, errors = child.finish()
        assert (status, printed) == (0, "complete"), errors
    done = set(state_of(workspace).committed)

    report = coordinator.resume(workspace, options(tmp_path))

    assert (report.status, dict(report.results)) == (RunStatus.COMPLETE, want)
    assert report.already_done == len(done)


def test_workers_die_with_their_coordinator(tmp_path: Path) -> None:
    plan = tight_plan(chain(3, run=PythonCall("misdeeds:hang")))
    (tmp_path / "plan.json").write_bytes(dump_plan(plan))
    workspace = arena_of(plan, tmp_path / "w")
    child = Child("run", workspace, tmp_path / "plan.json", TASKS)
    child.wait_for(lambda: "t00" in state_of(workspace).open and bool(child.workers()))
    workers = child.workers()
    child.kill()

    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "a worker outlives its coordinator"
        time.sleep(0.01)
    assert coordinator.verify(workspace).damaged == ()  # the writers' lock is free again


def test_a_damaged_journal_is_an_integrity_error_and_can_be_discarded(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    (workspace.metadata / "journal.db").write_bytes(b"rubbish" * 1000)

    with pytest.raises(IntegrityError, match="--discard"):
        coordinator.resume(workspace, options(tmp_path))
    report = coordinator.execute(plan, workspace, options(tmp_path, discard=True, force=True))
    assert report.status is RunStatus.COMPLETE


@pytest.mark.parametrize("word", ["b00", "]", "4096"])
def test_a_plan_that_is_not_the_one_the_run_began_with_is_not_resumed(word: str, tmp_path: Path) -> None:
    """Where the sealed bytes are, and what follows, is known by the plan alone."""
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    stored = workspace.metadata / "plan.json"
    stored.write_text(stored.read_text().replace(word, "0"))

    for ask in (coordinator.resume, coordinator.verify, coordinator.status):
        with pytest.raises(IntegrityError, match=r"plan\.json is not the plan .* --discard"):
            ask(workspace)
    report = coordinator.execute(plan, workspace, options(tmp_path, discard=True, force=True))
    assert report.status is RunStatus.COMPLETE


def test_scrubbing_finds_damage_before_a_reader_does(tmp_path: Path) -> None:
    plan = tight_plan(random_problem(1))
    workspace = arena_of(plan, tmp_path / "w")
    found: list[RunEvent] = []
    flipped: list[str] = []

    def flip(event: RunEvent) -> None:
        if event.kind is EventKind.DAMAGED:
            found.append(event)
        elif event.kind is EventKind.COMMITTED and not flipped and living(workspace, plan):
            flipped.append(flip_in(workspace, plan, living(workspace, plan)[0], random.Random(0)).buffer)

    report = coordinator.execute(plan, workspace, options(tmp_path, scrub_interval_s=1e-9, repair_spill=True), flip)

    assert report.status is RunStatus.COMPLETE
    assert [e.detail["found_at"] for e in found] == ["scrub"]


def test_a_kept_buffer_damaged_while_nobody_ran_is_found_and_repaired_on_resume(tmp_path: Path) -> None:
    """Its readers are done, so none of them would notice: resume has to look itself."""
    plain = chain(8)
    plan = tight_plan(replace(plain, buffers=tuple(replace(b, keep=b.id == "b01") for b in plain.buffers)))
    want = wanted(plan, tmp_path / "want")
    workspace = arena_of(plan, tmp_path / "run" / "w")
    with pytest.raises(Crash), crash_at_flush(6, after=True):
        coordinator.execute(plan, workspace, options(tmp_path / "run"))
    done = {r.subject for r in records(workspace) if r.kind == "commit"}
    assert {"t00", "t01"} <= done, "the only reader of the kept buffer has ended"
    flip_in(workspace, plan, "b01", random.Random(1))

    report = coordinator.resume(Workspace.open(workspace.path), options(tmp_path / "run"))

    assert report.repaired == ("b01",)
    assert dict(report.results) == want
    assert coordinator.verify(Workspace.open(workspace.path)).damaged == ()
