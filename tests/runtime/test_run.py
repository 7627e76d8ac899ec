"""A run from the outside: same bytes as without reuse, what is refused, what is written where, how it is reported."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from catalytic.runtime import coordinator
from catalytic.runtime.assignment import Assignment
from catalytic.runtime.events import EventKind, RunEvent
from catalytic.runtime.executors import REGISTRY
from catalytic.runtime.executors.inline import InlineExecutor
from catalytic.runtime.report import Durability, RunOptions, RunReport, RunStatus, Scrub
from catalytic.runtime.workspace import Workspace
from catalytic.solver.budget import Budget
from catalytic.solver.errors import InputError, Refused, StorageError, WorkspaceBusy
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import (
    Extent,
    Objective,
    Plan,
    PoolSlice,
    Proof,
    Status,
    assemble,
    plan_without_reuse,
)
from catalytic.solver.problem import Buffer, InputPolicy, OutputPolicy, Policy, Problem, PythonCall, Task
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick
from tests.faults import Child, FaultyStorage, io_error, no_space, state_of
from tests.runtime.plans import PAGE, arena_of, chain, placed, random_problem, regions_reused, third_owners, tight_plan

TASKS = Path(__file__).parent / "tasks"


def run(plan: Plan, folder: Path, **changes: object) -> RunReport:
    """Execute in a new workspace below ``folder``, in this process unless told otherwise."""
    return coordinator.execute(plan, arena_of(plan, folder / "w"), options(folder, **changes))


def options(folder: Path, **changes: object) -> RunOptions:
    values: dict[str, object] = {"base": TASKS, "output_dir": folder / "out", "executor": "inline"} | changes
    return RunOptions(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(25))
def test_reuse_does_not_change_a_byte_of_any_result(seed: int, tmp_path: Path) -> None:
    """P8, over all input and output policies, scratch, in-place, kept, exported and empty buffers."""
    problem = random_problem(seed)
    plan = tight_plan(problem)
    assert regions_reused(plan) > 0

    tight = run(plan, tmp_path / "tight")
    separate = run(plan_without_reuse(problem), tmp_path / "separate")

    assert (tight.status, tight.notes, tight.failures) == (RunStatus.COMPLETE, (), ())
    assert tight.results == separate.results != {}
    assert tight.bytes_reused > 0
    for b, name in problem.graph.exported.items():
        content = (tmp_path / "tight/out" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == tight.results[b]


@pytest.mark.parametrize("seed", [3, 4])
def test_a_plan_of_the_solver_runs_on_several_workers_with_the_same_bytes(seed: int, tmp_path: Path) -> None:
    problem = random_problem(seed, tasks=15)
    outcome = solve(problem, objective=Objective.REUSE, target=None, budget=Budget(1.5, 2, seed))
    if outcome.plan is None:
        pytest.skip("no plan in the time given")

    report = run(outcome.plan, tmp_path / "solved", executor="processes")

    assert (report.status, report.notes) == (RunStatus.COMPLETE, ())
    assert report.results == run(plan_without_reuse(problem), tmp_path / "separate").results


def test_nothing_is_handed_out_before_its_record_is_durable(tmp_path: Path) -> None:
    """Read the journal the way a successor of a dead coordinator would, at the moment of every submission."""
    plan = tight_plan(random_problem(5))
    workspace = arena_of(plan, tmp_path / "w")
    seen: list[str] = []

    class Watchful(InlineExecutor):
        def submit(self, assignment: Assignment) -> None:
            begun = state_of(workspace).open[assignment.execution]
            assert begun.epoch == assignment.epoch
            written = {p.path.name for o in assignment.outputs for p in o.pieces if p.path.suffix == ".arena"}
            assert written <= {f"p{e.partition}.arena" for own in begun.writes.values() for e in own}
            seen.append(assignment.execution)
            super().submit(assignment)

    with mock.patch.dict(REGISTRY, {"inline": Watchful}):
        coordinator.execute(plan, workspace, options(tmp_path))
    assert len(seen) == len(state_of(workspace).committed)


@pytest.mark.parametrize("seal", ["sha256", "blake3", "xxh3_128"])
def test_worker_processes_give_the_same_bytes_with_every_seal(seal: str, tmp_path: Path) -> None:
    problem = random_problem(11)
    inline = run(tight_plan(problem), tmp_path / "inline")

    isolated = run(tight_plan(problem, seal=seal), tmp_path / "isolated", executor="processes")

    assert isolated.results == inline.results
    assert isolated.bytes_sealed == inline.bytes_sealed > 0
    assert isolated.verifications == inline.verifications > 0


def test_a_plan_has_three_owners_of_the_same_bytes() -> None:
    """The tests above mean something: bytes do change hands more than once."""
    assert all(third_owners(tight_plan(random_problem(seed))) for seed in range(10))


def test_no_byte_outside_the_planned_regions_changes(tmp_path: Path) -> None:
    """Fill the arena with a pattern, run, and look at everything no region covers."""
    plan = tight_plan(random_problem(4, partitions=3))
    workspace = arena_of(plan, tmp_path / "w")
    pattern = b"\xa5" * workspace.partition_size
    for number in range(workspace.partitions):
        with workspace.partition_path(number).open("r+b") as file:
            file.write(pattern)

    coordinator.execute(plan, workspace, options(tmp_path, executor="processes"))

    covered = [bytearray(workspace.partition_size) for _ in range(workspace.partitions)]
    for r in plan.regions:
        for e in r.extents:
            covered[e.partition][e.offset : e.end] = b"\x01" * e.length
    for number in range(workspace.partitions):
        content = workspace.partition_path(number).read_bytes()
        for page in range(0, len(content), PAGE):
            if not any(covered[number][page : page + PAGE]):
                assert content[page : page + PAGE] == pattern[:PAGE]


def test_a_buffer_larger_than_a_partition_runs_through_several(tmp_path: Path) -> None:
    from catalytic.solver.plan import Extent, Objective  # fmt: skip

    problem = replace(chain(3, size=20 * PAGE), buffers=tuple(Buffer(f"b{i:02}", Bytes(20 * PAGE)) for i in range(4)))
    space = replace(problem.workspace, size=Bytes(6 * 16 * PAGE), partitions=6)
    problem = replace(problem, workspace=space)
    starts = {f"t{i:02}": Tick(5 * i) for i in range(3)}

    def home(first: int) -> tuple[Extent, ...]:
        whole, rest = Bytes(16 * PAGE), Bytes(4 * PAGE)
        return (Extent(first, Bytes(0), whole), Extent(first + 1, Bytes(0), rest))

    extents = {"b01": home(0), "b02": home(2), "b03": home(0)}
    slices = [PoolSlice("default", p, Bytes(0), Bytes(16 * PAGE)) for p in range(6)]
    proof = Proof(Objective.REUSE, None, Status.FEASIBLE, (), None, 15, 1.0)
    plan = assemble(problem, starts, extents, slices, proof)

    report = run(plan, tmp_path / "a")

    assert report.bytes_reused == 20 * PAGE
    assert report.results == run(plan_without_reuse(problem), tmp_path / "b").results


def test_a_shorter_output_is_what_its_readers_see(tmp_path: Path) -> None:
    tasks = (
        Task("a", Tick(1), ("in",), ("x",), run=PythonCall("misdeeds:shorten")),
        Task("b", Tick(1), ("in", "x"), ("y",), run=PythonCall("misdeeds:lengths")),
    )
    buffers = (Buffer("in", Bytes(0)), Buffer("x", Bytes(5000)), Buffer("y", Bytes(100)))
    report = run(tight_plan(replace(chain(1), tasks=tasks, buffers=buffers)), tmp_path)

    assert (tmp_path / "out/y").read_bytes() == b"0,7"
    assert dict(report.measured[0].lengths) == {"x": 7}


@pytest.mark.parametrize("policy", list(InputPolicy))
def test_a_source_file_is_read_under_every_input_policy(policy: InputPolicy, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"some bytes of a user")
    problem = replace(chain(1, run=PythonCall("misdeeds:lengths")), policy=Policy(policy))
    problem = replace(problem, buffers=(Buffer("b00", Bytes(9000), source="data"), Buffer("b01", Bytes(9000))))
    (tmp_path / "misdeeds.py").write_text((TASKS / "misdeeds.py").read_text())

    report = run(tight_plan(problem), tmp_path, base=tmp_path)

    assert (tmp_path / "out/b01").read_bytes() == b"20"
    assert report.bytes_staged == 0


def test_a_source_less_input_is_staged_only_while_it_is_read(tmp_path: Path) -> None:
    problem = chain(2)
    report = run(tight_plan(problem), tmp_path)

    assert report.bytes_staged == problem.graph.buffer["b00"].size
    assert list((tmp_path / "w/staging").rglob("*")) == []


@pytest.mark.parametrize(
    ("source", "size", "word"), [("missing", 10, "no file"), ("data", 3, "at most the declared 3 bytes")]
)
def test_a_wrong_source_is_said_before_anything_runs(source: str, size: int, word: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"longer")
    problem = replace(chain(1), buffers=(Buffer("b00", Bytes(size), source=source), Buffer("b01", Bytes(10))))

    with pytest.raises(InputError, match=word):
        run(tight_plan(problem), tmp_path, base=tmp_path)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replaced_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def rewritten(path: Path) -> None:
    path.write_bytes(b"other content")


CHANGED = "has changed since it was first read"


@pytest.mark.parametrize(
    ("before", "change", "word"),
    [
        (b"first content", rewritten, CHANGED),
        (b"first content", emptied, CHANGED),
        (b"", rewritten, CHANGED),
        (b"first content", removed, "No such file"),
        (b"first content", replaced_by_a_folder, "is not a file"),
        (b"first content", replaced_by_a_pipe, CHANGED),
    ],
)
def test_a_source_that_changes_between_runs_is_named(
    before: bytes, change: Callable[[Path], None], word: str, tmp_path: Path
) -> None:
    (tmp_path / "misdeeds.py").write_text((TASKS / "misdeeds.py").read_text())
    (tmp_path / "data").write_bytes(before)
    mended = tmp_path / "mended"
    tasks = (
        Task("a", Tick(1), ("in",), ("x",), run=PythonCall("misdeeds:copy")),
        Task("b", Tick(1), ("in", "x"), ("y",), run=PythonCall("misdeeds:fail_unless_mended", {"mended": str(mended)})),
    )
    buffers = (Buffer("in", Bytes(20), source="data"), Buffer("x", Bytes(50)), Buffer("y", Bytes(50)))
    plan = tight_plan(replace(chain(1), tasks=tasks, buffers=buffers))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path, base=tmp_path))
    mended.touch()
    change(tmp_path / "data")

    report = coordinator.resume(workspace, options(tmp_path))

    assert [(f.task, f.kind) for f in report.failures] == [("b", "source")]
    assert word in report.failures[0].message


@pytest.mark.parametrize("obstacle", ["out/b02/", "out"])
def test_an_export_that_could_not_stand_is_refused_before_anything_runs(obstacle: str, tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    place = tmp_path / obstacle
    if obstacle.endswith("/"):
        place.mkdir(parents=True)
    else:
        place.write_text("a file")
    workspace = arena_of(plan, tmp_path / "w")

    with pytest.raises(Refused, match="--output-dir"):
        coordinator.execute(plan, workspace, options(tmp_path, force=True))
    assert state_of(workspace).run_id is None


def test_an_export_never_replaces_an_input_of_its_run_nor_a_part_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "b01").write_bytes(b"precious")
    buffers = (Buffer("b00", Bytes(20), source="b01"), Buffer("b01", Bytes(20)))
    plan = tight_plan(replace(chain(1), buffers=buffers))
    workspace = arena_of(plan, tmp_path / "w")

    for place, word in ((tmp_path, "would replace the input 'b00'"), (workspace.metadata, "part of the workspace")):
        with pytest.raises(Refused, match=word):
            coordinator.execute(plan, workspace, options(tmp_path, base=tmp_path, output_dir=place, force=True))
    assert (tmp_path / "b01").read_bytes() == b"precious"


def test_an_output_directory_that_takes_no_files_is_a_storage_error_at_once(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w")

    with pytest.raises(StorageError, match=r"/proc/nowhere.*--output-dir"):
        coordinator.execute(plan, workspace, options(tmp_path, output_dir=Path("/proc/nowhere")))
    assert state_of(workspace).run_id is None


def test_existing_exports_are_refused_before_anything_runs_unless_forced(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/b02").write_text("precious")
    workspace = arena_of(plan, tmp_path / "w")

    with pytest.raises(Refused, match=r"out/b02.*--force"):
        coordinator.execute(plan, workspace, options(tmp_path))
    assert (tmp_path / "out/b02").read_text() == "precious"
    assert state_of(workspace).run_id is None

    report = coordinator.execute(plan, workspace, options(tmp_path, force=True))
    assert hashlib.sha256((tmp_path / "out/b02").read_bytes()).hexdigest() == report.results["b02"]


def test_kept_buffers_of_another_run_are_not_overwritten_unless_discarded(tmp_path: Path) -> None:
    problem = replace(chain(2), policy=Policy(outputs=OutputPolicy.KEEP))
    plan = tight_plan(problem)
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    assert coordinator.status(workspace).kept == ("b02",)

    with pytest.raises(Refused, match=r"kept buffers .* b02.*--discard"):
        coordinator.execute(plan, workspace, options(tmp_path))
    assert coordinator.execute(plan, workspace, options(tmp_path, discard=True)).status is RunStatus.COMPLETE


def test_a_workspace_of_another_geometry_says_plan_again(tmp_path: Path) -> None:
    plan = tight_plan(chain(3))
    workspace = Workspace.create(tmp_path / "w", size=8 * PAGE, partitions=4, alignment=2 * PAGE)

    with pytest.raises(InputError, match="plan again") as caught:
        coordinator.execute(plan, workspace, options(tmp_path))
    assert len(caught.value.mistakes) == 3


def test_a_larger_workspace_of_the_same_shape_will_do(tmp_path: Path) -> None:
    plan = tight_plan(chain(3))
    workspace = arena_of(plan, tmp_path / "w", size=4 * plan.problem.workspace.size)

    assert coordinator.execute(plan, workspace, options(tmp_path)).status is RunStatus.COMPLETE


@pytest.mark.parametrize(
    ("change", "word"),
    [({"workers": 0}, "workers"), ({"time_factor": -1.0}, "time_factor"), ({"executor": "x"}, "inline")],
)
def test_senseless_options_are_an_input_error(change: dict[str, object], word: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=word):
        run(tight_plan(chain(1)), tmp_path, **change)


def test_a_second_run_is_told_to_wait_and_the_first_is_unharmed(tmp_path: Path) -> None:
    plan = tight_plan(chain(4))
    (tmp_path / "plan.json").write_bytes(dump_plan(plan))
    workspace = arena_of(plan, tmp_path / "w")
    child = Child("run", workspace, tmp_path / "plan.json", tmp_path, factor=40)
    assert child.wait_for(lambda: state_of(workspace).committed != {})

    for attempt in (
        lambda: coordinator.execute(plan, workspace, options(tmp_path)),
        lambda: coordinator.verify(workspace),
    ):
        with pytest.raises(WorkspaceBusy, match=f"process {child.process.pid}") as caught:
            attempt()
        assert caught.value.exit_code == 6
    assert coordinator.status(workspace).run_state == "running"

    assert child.finish()[:2] == (0, "complete")
    assert state_of(workspace).results["b04"].content == run(plan, tmp_path / "again").results["b04"]


def test_without_integrity_checks_the_report_says_so(tmp_path: Path) -> None:
    plan = tight_plan(chain(2))
    workspace = arena_of(plan, tmp_path / "w", integrity=False)

    report = coordinator.execute(plan, workspace, options(tmp_path))

    assert (report.bytes_sealed, report.verifications) == (0, 0)
    assert report.results == run(plan, tmp_path / "sealed").results
    assert "no integrity checks" in report.notes[0]


def test_checksums_can_be_checked_with_dd_and_sha256sum(tmp_path: Path) -> None:
    problem = replace(chain(1, size=2**20 + 5000), policy=Policy(outputs=OutputPolicy.KEEP))
    problem = replace(problem, workspace=replace(problem.workspace, size=Bytes(2**22)))
    plan = tight_plan(problem)
    run(plan, tmp_path)
    region = plan.region_of["b01"]

    lines = (tmp_path / f"w/checksums/{region.id}.sha256").read_text().splitlines()

    (extent,) = region.extents
    content = (tmp_path / "w/partitions/p0.arena").read_bytes()[extent.offset : extent.offset + 2**20 + 5001]
    assert lines[0].startswith("# region_001: buffer b01, 1053577 bytes, p0.arena from byte 0")
    assert lines[1:] == [hashlib.sha256(c).hexdigest() for c in (content[: 2**20], content[2**20 :])]


def test_checksums_of_overwritten_regions_are_gone(tmp_path: Path) -> None:
    plan = tight_plan(chain(6))
    run(plan, tmp_path)

    left = {path.name for path in (tmp_path / "w/checksums").iterdir()}
    overwritten = {o.region for owners in plan.takes_over.values() for o in owners}
    assert left == {f"{r.id}.sha256" for r in plan.regions if r.id not in overwritten}


def test_pool_slices_are_recorded(tmp_path: Path) -> None:
    problem = random_problem(2)
    plan = tight_plan(problem)
    run(plan, tmp_path)

    for pool in problem.graph.pools:
        document = json.loads((tmp_path / f"w/pools/{pool.id}/pool.json").read_text())
        assert [s["size"] for s in document["slices"]] == [s.size for s in plan.slices if s.pool == pool.id]


def test_the_log_and_the_observer_tell_the_same_story(tmp_path: Path) -> None:
    plan = tight_plan(chain(3))
    events: list[RunEvent] = []
    workspace = arena_of(plan, tmp_path / "w")

    report = coordinator.execute(plan, workspace, options(tmp_path), events.append)

    lines = [json.loads(line) for line in (workspace.path / f"logs/{report.run_id}.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == [e.kind.value for e in events]
    assert (events[0].kind, events[-1].kind) == (EventKind.RUN_STARTED, EventKind.RUN_ENDED)
    assert (events[-1].done, events[-1].total) == (15, 15)
    commits = [line for line in lines if line["type"] == "committed"]
    assert len({line["correlation"] for line in commits}) == len(commits) == 4


def test_durable_runs_give_the_same_bytes(tmp_path: Path) -> None:
    plan = tight_plan(chain(3))

    full = run(plan, tmp_path / "full", durability=Durability.FULL)

    assert full.results == run(plan, tmp_path / "process").results


def test_a_pattern_before_every_task_changes_no_result(tmp_path: Path) -> None:
    plan = tight_plan(random_problem(9))

    assert run(plan, tmp_path / "a", scrub=Scrub.PATTERN).results == run(plan, tmp_path / "b").results


@pytest.mark.parametrize("fault", [no_space, io_error])
def test_a_failing_disk_anywhere_is_a_storage_error_that_can_be_resumed(
    fault: Callable[[], BaseException], tmp_path: Path
) -> None:
    """At every storage step of a run: exit 9, the workspace verifies, and the run can be completed."""
    plan = tight_plan(random_problem(6, tasks=6))
    want = run(plan, tmp_path / "want").results
    counting = FaultyStorage(0, fault)
    coordinator.execute(plan, arena_of(plan, tmp_path / "count"), options(tmp_path / "count"), storage=counting)
    assert counting.steps > 20

    for step in range(1, counting.steps + 1):
        folder = tmp_path / str(step)
        workspace = arena_of(plan, folder / "w")
        with pytest.raises(StorageError, match="resume") as caught:
            coordinator.execute(plan, workspace, options(folder), storage=FaultyStorage(step, fault))
        assert caught.value.exit_code == 9
        assert coordinator.verify(workspace).damaged == ()
        if state_of(workspace).run_id is None:
            report = coordinator.execute(plan, workspace, options(folder))
        else:
            report = coordinator.resume(workspace, options(folder))
        assert (report.status, report.results) == (RunStatus.COMPLETE, want)


def test_history_of_a_region_names_every_owner_in_turn(tmp_path: Path) -> None:
    plan = tight_plan(chain(4))
    workspace = arena_of(plan, tmp_path / "w")
    coordinator.execute(plan, workspace, options(tmp_path))
    last = plan.region_of["b03"]

    history = coordinator.region_history(workspace, last.id)

    assert [(o.buffer, o.state) for o in history] == [("b01", "written"), ("b03", "written")]
    with pytest.raises(InputError, match="region_999"):
        coordinator.region_history(workspace, "region_999")


def test_the_runtime_starts_without_solver_engine_or_validators() -> None:
    program = (
        "import sys, catalytic.runtime.coordinator; "
        "print([m for m in ('ortools', 'numba', 'pydantic', 'numpy', 'networkx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_fewer_workers_than_the_problem_has_still_finish(tmp_path: Path) -> None:
    wide = (Task("wide", Tick(5), ("b00",), ("b01",), demands=(("workers", 2),)),)
    problem = replace(chain(1), tasks=wide)

    assert run(placed(problem, {"wide": Tick(0)}), tmp_path, workers=1).status is RunStatus.COMPLETE


def test_an_empty_problem_is_complete_at_once(tmp_path: Path) -> None:
    empty = Problem("empty", (), (), chain(1).workspace)

    assert run(tight_plan(empty), tmp_path).status is RunStatus.COMPLETE
