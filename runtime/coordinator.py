"""Drives a run: asks the engine what to start, records it, hands it to the executor, records what came of it.

One turn of the loop: answers become events and staged records; the engine turns events into starts; starts become
BEGIN records; one ``flush`` makes all of it durable; only then are assignments handed out and observers told. So a
COMMIT of one task and the BEGINs it makes possible share one sync.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from catalytic.solver.errors import InputError, IntegrityError, Mistake, StorageError
from catalytic.solver.plan import Plan

from .account import Account
from .assignment import Answer, Damaged, Done, Failure, FailureKind, Progress, Written
from .binding import (
    require_fit,
    require_new_exports,
    require_nothing_to_lose,
    require_options,
    require_sources,
    require_writable,
)
from .dispatch import Beginning, Detour, Dispatcher, sealed_chunk
from .engine import Committed, Engine, Event, Failed, Halted, Resumed, Returned, Start
from .events import EventKind, Observer, RunEvent
from .execution import Executions, capacities
from .executors import Executor, ExecutorSettings, Force, open_executor
from .inspection import digest_of, living_kept, region_history, status, stored_plan, verify
from .interrupt import CANCEL_FILE, StopRequest
from .journal import Journal, Kind, Record, read_run
from .locks import WorkspaceLocks
from .perform import damage_of
from .recovery import Recovery, Step
from .region import Version
from .report import Durability, RunOptions, RunReport, RunStatus, Scrub, TaskFailure
from .scrub import Scrubber
from .seal import Damage
from .state import RETURNED, RunState, fold, seal_row
from .storage import Disk, Storage, explain, file_name, replace_file
from .workspace import FOLDERS, Workspace

__all__ = ["execute", "region_history", "request_cancel", "resume", "status", "verify"]

_POLL_S = 0.2
_MAX_REPAIRS = 5
_NEXT = "Free space or mend the disk, then run `catalytic resume`."


def execute(
    plan: Plan,
    workspace: Workspace,
    options: RunOptions,
    observer: Observer | None = None,
    *,
    storage: Storage | None = None,
) -> RunReport:
    """Run ``plan`` in ``workspace`` from the beginning.

    Raises ``InputError`` (the plan does not fit, inputs are missing), ``Refused`` (it would destroy something),
    ``WorkspaceBusy``, ``IntegrityError`` (damage that cannot be repaired) and ``StorageError``. Tasks that fail do
    not raise: they are in the report.
    """
    require_options(options)
    require_fit(plan, workspace)
    options = replace(options, base=options.base.absolute(), output_dir=options.output_dir.absolute())
    storage = storage or Disk()
    with WorkspaceLocks(workspace.metadata) as locks:
        before = _last_state(workspace, forgive=options.discard)
        if not options.discard:
            require_nothing_to_lose(before, living_kept(workspace, before), workspace)
        run_id = uuid4().hex[:12]
        state = RunState()
        dispatcher = Dispatcher(Executions(plan), state, workspace, options, run_id)
        require_sources(plan, dispatcher, options)
        require_new_exports(plan, dispatcher, (), options)
        require_writable(plan, options)  # before anything of an earlier run is given up
        with _storage_errors("cannot prepare the run in"):
            digest = _prepare(plan, workspace, storage)
        run = _Run(plan, workspace, options, state, run_id, locks, observer, storage)
        return run.go(Kind.RUN, {**_request(options), "plan": digest})


def require_vacant(workspace: Workspace) -> None:
    """Raise what ``execute`` without ``discard`` would for the state of ``workspace`` alone, before a plan is made.

    ``WorkspaceBusy``: a run is under way. ``Refused``: one is unfinished, or its kept buffers are there.
    """
    with WorkspaceLocks(workspace.metadata):
        before = _last_state(workspace)
        require_nothing_to_lose(before, living_kept(workspace, before), workspace)


def resume(
    workspace: Workspace,
    options: RunOptions | None = None,
    observer: Observer | None = None,
    *,
    storage: Storage | None = None,
) -> RunReport:
    """Continue the last run of ``workspace`` where its journal ends; does nothing when it is complete.

    What the run was asked (folders, time factor, limits) is taken from its journal; of ``options`` only ``workers``,
    ``force``, ``repair_spill``, ``executor`` and the intervals count. Raises as ``execute`` does.
    """
    storage = storage or Disk()
    with WorkspaceLocks(workspace.metadata) as locks:
        state = _last_state(workspace)
        if state.run_id is None:
            raise InputError(str(workspace.path), [Mistake("run", "no run", "a workspace in which a run was started")])
        options = _continued(state.request, options)
        plan = stored_plan(workspace, state)
        if plan is None:
            raise IntegrityError(f"{workspace.metadata}/plan.json is missing. Start the run again with --discard.")
        require_fit(plan, workspace)
        dispatcher = Dispatcher(Executions(plan), state, workspace, options, state.run_id)
        ours = {b for begun in state.begun for b in begun.writes}
        committed = {b for b, result in state.results.items() if result.exported is not None}
        require_new_exports(plan, dispatcher, ours | committed, options)
        with _storage_errors("cannot prepare the run in"):
            for name in FOLDERS:  # nothing but the partitions and the metadata has to have survived
                storage.make_folder(workspace.path / name)
        run = _Run(plan, workspace, options, state, state.run_id, locks, observer, storage)
        return run.go(Kind.RESUME, {"pid": os.getpid()})


def request_cancel(workspace: Workspace) -> None:
    """Ask the run that owns ``workspace`` now, in whatever process, to stop; it can be resumed."""
    (workspace.metadata / CANCEL_FILE).touch()


def _last_state(workspace: Workspace, *, forgive: bool = False) -> RunState:
    """State of the last run. ``forgive``: an unreadable journal counts as none, and is put aside."""
    journal = workspace.metadata / "journal.db"
    try:
        return fold(read_run(journal))
    except IntegrityError:
        if not forgive:
            raise
        for suffix in ("", "-wal", "-shm"):
            damaged = journal.with_name(journal.name + suffix)
            if damaged.exists():
                damaged.replace(damaged.with_name(f"damaged-{time.time_ns()}-{damaged.name}"))
        return RunState()


def _prepare(plan: Plan, workspace: Workspace, storage: Storage) -> str:
    """Store the plan, so that a resume needs nothing but the workspace; forget files of earlier runs. Its digest."""
    # Importing the file formats loads pydantic; the rest of the runtime does not need it.
    from catalytic.solver.formats import dump_plan

    shutil.rmtree(workspace.path / "staging", ignore_errors=True)
    shutil.rmtree(workspace.path / "checksums", ignore_errors=True)
    storage.make_folder(workspace.path / "staging")
    storage.make_folder(workspace.path / "checksums")
    text = dump_plan(plan)
    replace_file(storage, workspace.metadata / "plan.json", [text])
    if workspace.reuse_pools:
        _record_pools(plan, workspace, storage)
    return digest_of(text)


def _record_pools(plan: Plan, workspace: Workspace, storage: Storage) -> None:
    for pool in plan.problem.graph.pools:
        slices = [
            {"partition": s.partition, "offset": s.offset, "size": s.size} for s in plan.slices if s.pool == pool.id
        ]
        document = {"pool": pool.id, "data_type": pool.data_type, "access": pool.access, "slices": slices}
        folder = workspace.path / "pools" / file_name(pool.id)
        storage.make_folder(folder)
        replace_file(storage, folder / "pool.json", [json.dumps(document, indent=1).encode() + b"\n"])


def _request(options: RunOptions) -> dict[str, object]:
    """What a run was asked, as plain values."""
    return {name: str(v) if isinstance(v, (Path, Scrub, Durability)) else v for name, v in asdict(options).items()}


def _continued(request: Mapping[str, Any], options: RunOptions | None) -> RunOptions:
    """The options of a resumed run: its own, except for what may differ between attempts."""
    own = RunOptions(
        **{
            **{name: value for name, value in request.items() if name != "plan"},
            "base": Path(request["base"]),
            "output_dir": Path(request["output_dir"]),
            "scrub": Scrub(request["scrub"]),
            "durability": Durability(request["durability"]),
        }
    )
    if options is None:
        return own
    require_options(options)
    return replace(
        own,
        workers=options.workers if options.workers is not None else own.workers,
        force=own.force or options.force,
        repair_spill=own.repair_spill or options.repair_spill,
        executor=options.executor,
        retries=options.retries,
        grace_s=options.grace_s,
        scrub_interval_s=options.scrub_interval_s or own.scrub_interval_s,
    )


@contextmanager
def _storage_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain(error, doing, next_step=_NEXT) from error


@dataclass(slots=True)
class _Attempt:
    """An execution that is under way. Times are monotonic seconds."""

    begin: Beginning
    epoch: int
    started: float
    deadline: float | None
    stopping_since: float | None = None
    force: Force | None = None
    timed_out: bool = False


class _Run:
    """One process's part of a run: from taking the workspace to the report."""

    def __init__(
        self,
        plan: Plan,
        workspace: Workspace,
        options: RunOptions,
        state: RunState,
        run_id: str,
        locks: WorkspaceLocks,
        observer: Observer | None,
        storage: Storage,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._plan, self._workspace, self._options, self._state = plan, workspace, options, state
        self._run_id, self._locks, self._observer, self._storage = run_id, locks, observer, storage
        self._clock, self._wall_clock = clock, wall_clock
        self._started = clock()
        self._executions = Executions(plan)
        self._dispatcher = Dispatcher(self._executions, state, workspace, options, run_id)
        self._account = Account(already_done=len(state.committed))
        self._attempts: dict[str, _Attempt] = {}
        self._tries: dict[str, int] = {}
        self._events: list[RunEvent] = []
        self._suspects: set[str] = set()
        self._repair_due = False
        self._repairs = 0
        self._temporaries: dict[str, tuple[Version, Path | None]] = {}
        self._trouble: Failure | None = None
        self._unneeded: list[Path] = []
        self._durations = {t.id: int(t.end - t.start) for t in plan.tasks}
        self._total = sum(self._durations.values())
        self._done = sum(self._durations.get(n, 0) for n in state.committed)

    def go(self, kind: Kind, body: Mapping[str, object]) -> RunReport:
        """Run to the end, or as far as possible, and report."""
        workers = self._options.workers or dict(self._plan.problem.resources)["workers"]
        slots = max(1, min(workers, len(self._executions.order)))
        settings = ExecutorSettings(
            self._workspace.arena,
            slots,
            self._locks.writers,
            self._workspace.path / "logs" / f"{self._run_id}.out",
            self._storage,
        )
        with ExitStack() as stack:
            self._journal = Journal(self._workspace.metadata / "journal.db", uuid4().hex, self._wall_clock)
            stack.callback(self._journal.close)
            self._stop = stack.enter_context(StopRequest(self._workspace.metadata / CANCEL_FILE))
            if kind is Kind.RESUME and self._nothing_left():
                return self._report(RunStatus.COMPLETE)
            require_writable(self._plan, self._options)
            self._record(kind, self._run_id, body)
            self._engine = Engine(
                self._executions.order, capacities(self._plan.problem, workers), slots, self._state.committed
            )
            self._scrubber = Scrubber(self._options.scrub_interval_s, self._clock)
            self._executor: Executor = open_executor(self._options.executor, settings)
            stack.callback(lambda: self._executor.close())
            started = EventKind.RUN_STARTED if kind is Kind.RUN else EventKind.RUN_RESUMED
            self._tell(started, problem=self._plan.problem.name)
            self._note_coverage()
            if kind is Kind.RESUME:
                self._verify_kept()
                self._repair_due = True
            self._loop()
            return self._conclude()

    def _nothing_left(self) -> bool:
        everything = {e.id for e in self._executions.order}
        recovery = Recovery(self._executions, self._state, self._workspace, everything)
        return self._state.ended == "complete" and not recovery.missing()

    def _verify_kept(self) -> None:
        """Kept buffers have no reader ahead that would notice what happened to them while nobody ran."""
        if not self._dispatcher.sealing:
            return
        for b in sorted(self._plan.problem.graph.kept):
            result = self._state.results.get(b)
            if result is None or result.seal is None or not self._state.intact(b):
                continue
            for number in range(len(result.seal.chunks)):
                damage = damage_of(sealed_chunk(result, number, self._workspace))
                if damage is not None:
                    self._found_damage(b, "kept", damage)
                    break

    def _note_coverage(self) -> None:
        if not self._workspace.integrity:
            self._account.note("this workspace has no integrity checks: nothing was sealed or verified")
        elif not self._plan.integrity:
            self._account.note("the plan has no integrity checks: nothing was sealed or verified")

    # -- the loop -----------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        events: list[Event] = [Halted()] if self._repair_due else []
        while True:
            starts = self._engine.handle(events)
            self._begin_all(starts)
            if self._engine.idle and self._repair_due and not self._stop.requested and self._trouble is None:
                events = [Resumed(self._repair())]
                continue
            if self._engine.finished:
                return
            assert self._attempts, "the engine waits for something that is not under way"
            answers = self._executor.poll(self._wait_s())
            events = [event for answer in answers for event in self._take(answer)]
            if self._repair_due or self._stop_all_if_asked():
                events.append(Halted())
            self._enforce_limits()
            self._scrub()

    def _begin_all(self, starts: Sequence[Start]) -> None:
        """Record the starts, make everything recorded so far durable, then hand out the work."""
        assignments = []
        for start in starts:
            begin = self._dispatcher.beginning(start.execution)
            epoch = self._begin(begin)
            if self._straddling_is_sound(begin):
                assignments.append(self._dispatcher.assignment(begin, epoch))
        self._flush()
        for assignment in assignments:
            self._executor.submit(assignment)
        for start in starts:
            if start.execution not in self._attempts:  # not handed out: its bytes have to be looked at first
                self._engine.handle([Returned(start.execution), Halted()])

    def _begin(self, begin: Beginning) -> int:
        name = begin.execution
        self._tries[name] = self._tries.get(name, 0) + 1
        for extents in begin.writes.values():
            self._forget_checksums(extents)
        epoch = self._record(Kind.BEGIN, name, begin.body(self._tries[name]))
        now = self._clock()
        limit = self._limit_s(name)
        self._attempts[name] = _Attempt(begin, epoch, now, None if limit is None else now + limit)
        self._account.reused += begin.reused
        self._tell(EventKind.STARTED, name, epoch, writes=begin.body(0)["writes"])
        return epoch

    def _straddling_is_sound(self, begin: Beginning) -> bool:
        """Check dead chunks that reach beyond the execution's bytes now, while nobody can write into the rest."""
        for dead in begin.straddling:
            damage = damage_of(dead)
            self._account.verifications += 1
            if damage is not None:
                attempt = self._attempts.pop(begin.execution)
                self._fail_record(begin.execution, attempt, "a seal of bytes it was to overwrite did not match")
                self._found_damage(dead.buffer, "dead", damage)
                return False
        return True

    def _wait_s(self) -> float:
        """How long to wait for an answer: until the next deadline, and never so long that a signal goes unnoticed."""
        now = self._clock()
        waits = [_POLL_S]
        for a in self._attempts.values():
            if a.deadline is not None and a.stopping_since is None:
                waits.append(max(0.0, a.deadline - now))
            elif a.stopping_since is not None:
                waits.append(self._options.grace_s / 4)
        return min(waits)

    # -- answers ------------------------------------------------------------------------------------------------

    def _take(self, answer: Answer) -> list[Event]:
        attempt = self._attempts.get(answer.execution)
        if attempt is None:
            return []
        match answer:
            case Progress(name, fraction):
                self._tell(EventKind.PROGRESS, name, attempt.epoch, fraction=fraction)
                return []
            case Done():
                return self._succeed(answer, attempt)
            case Damaged(name, buffer, role, damage):
                del self._attempts[name]
                self._fail_record(name, attempt, f"the seal of {buffer!r} did not match")
                if role == "source":
                    return self._source_changed(name, buffer)
                self._found_damage(buffer, role, damage)
                return [Returned(name)]
            case Failure():
                return self._fail(answer, attempt)

    def _succeed(self, done: Done, attempt: _Attempt) -> list[Event]:
        name = done.execution
        del self._attempts[name]
        changed = self._changed_source(done)
        if changed is not None:
            self._fail_record(name, attempt, f"{changed!r} changed")
            return self._source_changed(name, changed)
        self._record(Kind.COMMIT, name, self._commit_body(done, attempt, ()))
        self._account.add(done, is_task=name in self._durations)
        self._done += self._durations.get(name, 0)
        for buffer, written in done.outputs.items():
            self._write_checksums(buffer, written)
        self._drop_staged(name)
        lengths = {b: w.length for b, w in done.outputs.items()}
        roots = {b: w.seal.root for b, w in done.outputs.items() if w.seal is not None}
        self._tell(
            EventKind.COMMITTED, name, attempt.epoch, lengths=lengths, digests=roots, seconds=done.costs.task_s,
            seal_s=done.costs.seal_s, verify_s=done.costs.verify_s,
        )  # fmt: skip
        for buffer, written in done.outputs.items():
            if written.exported is not None:
                self._tell(EventKind.EXPORTED, name, attempt.epoch, buffer=buffer, path=str(written.exported))
        return [Committed(name)]

    def _commit_body(self, done: Done, attempt: _Attempt, temporary: Sequence[str]) -> dict[str, object]:
        outputs = {
            b: {
                "length": w.length,
                "seal": seal_row(w.seal),
                "content": w.content,
                "exported": None if w.exported is None else str(w.exported),
                **({"temporary": True} if b in temporary else {}),
            }
            for b, w in done.outputs.items()
        }
        learned = {b: seal_row(s) for b, s in done.learned.items()}
        repair = attempt.begin.detour is not None
        seconds = done.costs.task_s
        return {"epoch": attempt.epoch, "repair": repair, "outputs": outputs, "learned": learned, "seconds": seconds}

    def _fail(self, failure: Failure, attempt: _Attempt) -> list[Event]:
        name = failure.execution
        del self._attempts[name]
        if attempt.timed_out:
            limit = self._limit_s(name)
            failure = Failure(
                name, FailureKind.TIMEOUT, f"took longer than its limit of {limit:g} s", "Raise the limit, or mend it."
            )
        elif attempt.force is not None:
            self._fail_record(name, attempt, "stopped on request")
            return [Returned(name)]
        elif failure.kind is FailureKind.LOST and self._tries[name] <= self._options.retries:
            self._fail_record(name, attempt, failure.message)
            self._tell(EventKind.RETRIED, name, attempt.epoch, message=failure.message)
            self._repair_due = self._repair_due or self._lost_inputs(name)
            return [Returned(name)]
        elif failure.kind is FailureKind.STORAGE:
            self._fail_record(name, attempt, failure.message)
            self._trouble = failure
            return [Returned(name), Halted()]
        self._fail_record(name, attempt, failure.message, failure.kind.value)
        return self._give_up(failure, attempt.epoch)

    def _give_up(self, failure: Failure, epoch: int | None) -> list[Event]:
        name = failure.execution
        self._account.failures[name] = TaskFailure(name, failure.kind.value, failure.message, failure.next_step)
        self._tell(EventKind.FAILED, name, epoch, failure=failure.kind.value, message=failure.message)
        return [Failed(name)]

    def _fail_record(self, name: str, attempt: _Attempt, message: str, kind: str = RETURNED) -> None:
        self._record(Kind.FAIL, name, {"epoch": attempt.epoch, "kind": kind, "message": message})

    def _lost_inputs(self, name: str) -> bool:
        """Whether an input that lives in the arena was taken over in place by an attempt that came to nothing."""
        return any(
            b in self._executions.writer and self._state.results[b].extents and not self._state.intact(b)
            for b in self._executions.inputs(name)
        )

    def _changed_source(self, done: Done) -> str | None:
        """An external input that was not the same for two readers of this run."""
        known = self._state.learned
        for buffer, seal in done.learned.items():
            if buffer in known and known[buffer].root != seal.root:
                return buffer
        for buffer, written in done.outputs.items():
            before = self._state.results.get(buffer)
            if buffer in self._executions.loaded and before is not None and not _same_bytes(before.seal, written):
                return buffer
        return None

    def _source_changed(self, name: str, buffer: str) -> list[Event]:
        path = self._dispatcher.source_path(buffer)
        message = f"its external input {buffer!r} ({path}) has changed since it was first read in this run"
        step = "Restore the file and resume, or start again with --discard."
        return self._give_up(Failure(name, FailureKind.SOURCE, message, step), None)

    # -- damage and repair --------------------------------------------------------------------------------------

    def _found_damage(self, buffer: str, role: str, damage: Damage) -> None:
        """Record it; nothing reads the version any more. A repair is due once nothing is under way."""
        result = self._state.results[buffer]
        version = result.version
        self._record(Kind.DAMAGE, buffer, {"epoch": version.epoch, **asdict(damage), "found_at": role})
        self._tell(EventKind.DAMAGED, buffer=buffer, found_at=role, **asdict(damage))
        if role == "dead":
            recovery = Recovery(self._executions, self._state, self._workspace, self._engine.wanting)
            suspects = recovery.suspects(version)
            self._suspects.update(suspects)
            again = f"; run again because they may have read it: {', '.join(suspects)}" if suspects else ""
            self._account.note(f"{buffer!r} was damaged after it was last verified{again}")
        else:
            self._account.note(f"{buffer!r} was damaged; nothing read the damaged bytes")
        self._repair_due = True

    def _repair(self) -> frozenset[str]:
        """Bring back what is needed and missing, while nothing else runs; the executions to be run again."""
        undone: frozenset[str] = frozenset()
        spill = self._dispatcher.staging / "repair" if self._options.repair_spill else None
        while self._repair_due:
            self._repair_due = False
            self._repairs += 1
            if self._repairs > _MAX_REPAIRS * len(self._executions.order):
                raise IntegrityError("repairs do not come to an end: check the disk, then run `catalytic resume`.")
            recovery = Recovery(self._executions, self._state, self._workspace, self._engine.wanting | undone)
            undone |= self._undo(recovery)
            self._temporaries.clear()
            for step in recovery.plan_repair((), spill):
                if not self._repair_step(step):
                    self._repair_due = True
                    break
        if spill is not None:
            shutil.rmtree(spill, ignore_errors=True)
        return undone

    def _undo(self, recovery: Recovery) -> frozenset[str]:
        """Give up what no longer stands; it will run again in its turn."""
        undone = recovery.undone(self._suspects)
        self._suspects.clear()
        for name in sorted(undone):
            self._record(Kind.UNDO, name, {})
            self._done -= self._durations.get(name, 0)
            self._tell(EventKind.UNDONE, name)
        self._flush()
        return undone

    def _repair_step(self, step: Step) -> bool:
        """Run one execution of a repair; False when more damage was found and the repair has to be decided anew."""
        temporaries = {b: self._temporaries[b] for b in step.temporary}
        detour = Detour(
            step.homes,
            {b: self._state.sealed[version] for b, (version, _) in temporaries.items()},
            {b: file for b, (_, file) in temporaries.items() if file is not None},
        )
        begin = self._dispatcher.beginning(step.execution, detour)
        epoch = self._begin(begin)
        if not self._straddling_is_sound(begin):
            self._flush()
            return False
        self._flush()
        self._executor.submit(self._dispatcher.assignment(begin, epoch))
        answer = self._await(step.execution)
        attempt = self._attempts.pop(step.execution)
        match answer:
            case Done():
                self._finish_repair(step, answer, attempt)
                return True
            case Damaged(_, buffer, role, damage) if role != "source":
                self._fail_record(step.execution, attempt, f"the seal of {buffer!r} did not match")
                self._found_damage(buffer, role, damage)
                self._flush()
                return False
            case _:
                message = getattr(answer, "message", "its external input has changed")
                self._fail_record(step.execution, attempt, message)
                self._flush()
                raise IntegrityError(
                    f"repairing {', '.join(step.restores) or 'lost buffers'} failed at {step.execution!r}: {message}. "
                    "Nothing else was lost; mend the cause, then run `catalytic resume`."
                )

    def _finish_repair(self, step: Step, done: Done, attempt: _Attempt) -> None:
        for b in step.restores:
            before = self._state.results[b]
            if not _same_bytes(before.seal, done.outputs[b]):
                self._account.note(
                    f"task {step.execution!r} is not deterministic: run again, it wrote other bytes into {b!r}"
                )
        temporary = [b for b in done.outputs if b not in step.restores]
        self._record(Kind.COMMIT, step.execution, self._commit_body(done, attempt, temporary))
        self._account.add(done, is_task=False)
        for b in done.outputs:
            file = step.homes[b].file if b in step.homes else None
            self._temporaries[b] = (Version(b, attempt.epoch), file)
        for b in step.restores:
            self._account.repaired.append(b)
            self._write_checksums(b, done.outputs[b])
            self._tell(EventKind.REPAIRED, step.execution, attempt.epoch, buffer=b)
        self._flush()

    def _await(self, execution: str) -> Answer:
        """The answer of the only execution under way."""
        while True:
            for answer in self._executor.poll(_POLL_S):
                if answer.execution == execution and not isinstance(answer, Progress):
                    return answer
            self._stop_all_if_asked()
            self._enforce_limits()

    def _scrub(self) -> None:
        """Verify a little more of what is alive, when it is time."""
        if not self._dispatcher.sealing or not self._scrubber.due():
            return
        recovery = Recovery(self._executions, self._state, self._workspace, self._engine.wanting)
        found = self._scrubber.step(recovery.needed(), self._state, self._workspace)
        if found is not None:
            buffer, damage = found
            self._found_damage(buffer, "scrub", damage)

    # -- limits -------------------------------------------------------------------------------------------------

    def _limit_s(self, name: str) -> float | None:
        task = self._plan.problem.graph.task.get(name)
        if task is not None and task.timeout is not None:
            return task.timeout / 1000
        return self._options.task_timeout_s if task is not None else None

    def _stop_all_if_asked(self) -> bool:
        if not self._stop.requested and self._trouble is None:
            return False
        now = self._clock()
        for name, a in self._attempts.items():
            if a.stopping_since is None and self._trouble is None:
                a.stopping_since, a.force = now, Force.ASK
                self._executor.stop(name, Force.ASK)
            if self._stop.urgent and a.force is not Force.KILL:
                a.force = Force.KILL
                self._executor.stop(name, Force.KILL)
        return True

    def _enforce_limits(self) -> None:
        """Ask at the deadline, terminate after the grace time, kill after as much again."""
        now = self._clock()
        for name, a in self._attempts.items():
            if a.stopping_since is None:
                if a.deadline is not None and now >= a.deadline:
                    a.stopping_since, a.force, a.timed_out = now, Force.ASK, True
                    self._executor.stop(name, Force.ASK)
                continue
            waited = now - a.stopping_since
            due = Force.KILL if waited >= 2 * self._options.grace_s else Force.TERMINATE
            if waited >= self._options.grace_s and a.force is not None and a.force < due:
                a.force = due
                self._executor.stop(name, due)

    # -- records, files, events ---------------------------------------------------------------------------------

    def _record(self, kind: Kind, subject: str, body: Mapping[str, object]) -> int:
        """Stage a record and take it into account; it counts for others after the next flush."""
        number = self._journal.stage(kind, subject, body)
        self._state.apply(Record(number, kind, subject, 0.0, json.loads(json.dumps(body))))
        return number

    def _flush(self) -> None:
        self._journal.flush()
        while self._unneeded:
            self._storage.remove(self._unneeded.pop())
        events, self._events = self._events, []
        if not events:
            return
        lines = "".join(json.dumps(_line(event), separators=(",", ":")) + "\n" for event in events)
        with _storage_errors("cannot write the log of the run in"):
            self._storage.append(self._workspace.path / "logs" / f"{self._run_id}.jsonl", lines.encode())
        if self._observer is not None:
            for event in events:
                self._observer(event)

    def _tell(self, kind: EventKind, task: str | None = None, epoch: int | None = None, **detail: object) -> None:
        """Tell observers after the next flush."""
        event = RunEvent(
            kind,
            self._wall_clock(),
            self._run_id,
            task,
            None if epoch is None else f"{self._run_id}/{epoch}",
            self._done,
            self._total,
            MappingProxyType(detail),
        )
        self._events.append(event)

    def _checksum_path(self, region: str, algorithm: str) -> Path:
        return self._workspace.path / "checksums" / f"{file_name(region)}.{algorithm}"

    def _write_checksums(self, buffer: str, written: Written) -> None:
        """One plain digest per chunk, so that ``dd | sha256sum`` can check a region without this program."""
        region = self._plan.region_of.get(buffer)
        if region is None or written.seal is None:
            return
        where = ", ".join(f"p{e.partition}.arena from byte {e.offset}" for e in region.extents)
        head = f"# {region.id}: buffer {buffer}, {written.length} bytes, {where}; one digest per {2**20} bytes\n"
        text = head + "".join(f"{chunk}\n" for chunk in written.seal.chunks)
        with _storage_errors("cannot write checksums in"):
            path = self._checksum_path(region.id, written.seal.algorithm)
            self._storage.remove(path)
            self._storage.append(path, text.encode())

    def _forget_checksums(self, extents: Sequence[Any]) -> None:
        """Remove the lists of regions about to be overwritten: they would be wrong from now on."""
        for span in self._state.ownership.within(extents):
            region = self._plan.region_of.get(span.owner.buffer)
            result = self._state.sealed.get(span.owner)
            if region is not None and result is not None and result.seal is not None:
                self._storage.remove(self._checksum_path(region.id, result.seal.algorithm))

    def _drop_staged(self, name: str) -> None:
        """Have generated inputs removed that ``name`` was the last to read, once its COMMIT is durable."""
        for b in self._executions.inputs(name):
            if b in self._executions.loaded and b not in self._plan.region_of:
                readers = self._plan.problem.graph.readers[b]
                if all(r in self._state.committed for r in readers):
                    self._unneeded.append(self._dispatcher.staged_path(b))

    # -- the end ------------------------------------------------------------------------------------------------

    def _conclude(self) -> RunReport:
        if self._trouble is not None:
            self._end(RunStatus.INTERRUPTED)
            raise StorageError(f"task {self._trouble.execution!r}: {self._trouble.message}. {_NEXT}")
        if self._stop.requested:
            status = RunStatus.CANCELLED if self._stop.by_file else RunStatus.INTERRUPTED
        elif len(self._engine.committed) == len(self._executions.order):
            status = RunStatus.COMPLETE
            shutil.rmtree(self._dispatcher.staging, ignore_errors=True)
        else:
            status = RunStatus.PARTIAL
        self._end(status)
        return self._report(status)

    def _end(self, status: RunStatus) -> None:
        self._record(Kind.END, self._run_id, {"status": status.value})
        self._tell(EventKind.RUN_ENDED, status=status.value)
        self._flush()

    def _report(self, status: RunStatus) -> RunReport:
        results = {
            b: result.content
            for b, result in self._state.results.items()
            if result.content is not None and result.writer in self._state.committed
        }
        blocked = tuple(sorted(self._engine.blocked)) if status is RunStatus.PARTIAL else ()
        exports = tuple(
            sorted(
                result.exported
                for result in self._state.results.values()
                if result.exported is not None and result.writer in self._state.committed
            )
        )
        return self._account.report(self._run_id, status, results, exports, blocked, self._clock() - self._started)


def _same_bytes(before: Any, written: Written) -> bool:
    """Whether a buffer that was written again holds what it held; unknown counts as yes."""
    if before is None or written.seal is None or before.algorithm != written.seal.algorithm:
        return True
    return bool(before.length == written.length and before.chunks == written.seal.chunks)


def _line(event: RunEvent) -> dict[str, object]:
    """An event as a line of the log."""
    return {
        "time": event.at,
        "type": event.kind.value,
        "run": event.run_id,
        "task": event.task,
        "correlation": event.correlation,
        **event.detail,
    }
