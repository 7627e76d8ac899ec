"""Looking at a workspace without running anything: its state, whether its seals hold, who owned which bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from time import monotonic, time
from uuid import uuid4

from catalytic.solver.errors import InputError, IntegrityError, InvalidPlan, Mistake
from catalytic.solver.plan import Extent, Plan, Region

from .dispatch import pieces_of
from .execution import Executions
from .journal import Journal, Kind, read_run
from .locks import WorkspaceLocks, owner_pid
from .mapping import Mapping
from .recovery import Recovery
from .region import Version
from .report import DamagedRegion, RegionOwner, StatusReport, VerifyReport
from .seal import Binding, check
from .state import Begun, Result, RunState, fold
from .storage import explain
from .workspace import Workspace

_DISCARD = "Restore it from a backup, or start the run again with --discard."


def stored_plan(workspace: Workspace, state: RunState | None = None) -> Plan | None:
    """The plan of the workspace's last run, or None. Loading it imports the file formats.

    Raises ``IntegrityError`` when it is not the plan that ``state`` says the run began with, to the last bit: what is
    in the partitions has a meaning by that plan only.
    """
    path = workspace.metadata / "plan.json"
    if not path.exists():
        return None
    from catalytic.solver.formats import load_plan

    promised = state.request.get("plan") if state is not None else None
    try:
        if promised is not None and digest_of(path.read_bytes()) != promised:
            raise IntegrityError(f"{path} is not the plan that the run began with. {_DISCARD}")
        return load_plan(path).plan
    except (InputError, InvalidPlan) as error:
        raise IntegrityError(f"{path} is damaged: {error}\n{_DISCARD}") from error
    except OSError as error:
        raise explain(error, "cannot read", next_step="Check the file and its permissions.") from error


def digest_of(plan: bytes) -> str:
    """What the journal remembers of a plan file."""
    return hashlib.sha256(plan).hexdigest()


def living_kept(workspace: Workspace, state: RunState) -> tuple[str, ...]:
    """Kept buffers of the last run whose bytes are still there."""
    plan = stored_plan(workspace, state) if state.run_id is not None else None
    if plan is None:
        return ()
    return tuple(sorted(b for b in plan.problem.graph.kept if state.intact(b)))


def status(workspace: Workspace) -> StatusReport:
    """State of the workspace now; does not disturb a run."""
    state = fold(read_run(workspace.metadata / "journal.db"))
    owner = owner_pid(workspace.metadata)
    plan = stored_plan(workspace, state) if state.run_id is not None else None
    living: list[Result] = []
    counts: dict[str, int] = {}
    kept: tuple[str, ...] = ()
    if plan is not None:
        executions = Executions(plan)
        recovery = Recovery(executions, state, workspace, {e.id for e in executions.order})
        living = [state.results[b] for b in sorted(recovery.needed()) if recovery.present(b)]
        kept = tuple(sorted(b for b in plan.problem.graph.kept if state.intact(b)))
        counts = _counts(plan, state, running=owner is not None)
    return StatusReport(
        path=workspace.path,
        size=workspace.size,
        partitions=workspace.partitions,
        alignment=workspace.alignment,
        integrity=workspace.integrity,
        reuse_pools=workspace.reuse_pools,
        run_id=state.run_id,
        run_state=_run_state(state, running=owner is not None),
        problem=None if plan is None else plan.problem.name,
        tasks=counts,
        living_regions=len(living),
        living_bytes=sum(e.length for r in living for e in r.extents),
        kept=kept,
        owner_pid=owner,
    )


def _run_state(state: RunState, *, running: bool) -> str:
    if state.run_id is None:
        return "none"
    return "running" if running else state.ended or "interrupted"


def _counts(plan: Plan, state: RunState, *, running: bool) -> dict[str, int]:
    counts = {"done": 0, "running": 0, "failed": 0, "waiting": 0}
    for t in plan.tasks:
        if t.id in state.committed:
            counts["done"] += 1
        elif t.id in state.open and running:
            counts["running"] += 1
        elif t.id in state.failed:
            counts["failed"] += 1
        else:
            counts["waiting"] += 1
    return counts


def verify(workspace: Workspace) -> VerifyReport:
    """Check the seal of every living buffer: those still to be read, and kept ones.

    Damage is recorded, so that ``resume`` repairs it. Raises ``WorkspaceBusy`` while a run is under way.
    """
    started = monotonic()
    with WorkspaceLocks(workspace.metadata):
        state = fold(read_run(workspace.metadata / "journal.db"))
        plan = stored_plan(workspace, state) if state.run_id is not None else None
        if plan is None:
            return VerifyReport(None, 0, 0, (), monotonic() - started)
        executions = Executions(plan)
        recovery = Recovery(executions, state, workspace, {e.id for e in executions.order})
        living = [state.results[b] for b in sorted(recovery.needed()) if recovery.present(b)]
        sealed = [r for r in living if r.seal is not None and r.extents]
        damaged = [d for r in sealed for d in _damage(r, plan, workspace)]
        _record(workspace, damaged, state)
    return VerifyReport(state.run_id, len(sealed), sum(r.length for r in sealed), tuple(damaged), monotonic() - started)


def _damage(result: Result, plan: Plan, workspace: Workspace) -> Iterator[DamagedRegion]:
    rows = tuple((e.partition, e.offset, e.length) for e in result.extents)
    binding = Binding(result.version.buffer, rows, result.version.epoch)
    assert result.seal is not None
    with Mapping(pieces_of(workspace, result.extents, result.length), writable=False) as mapping:
        damage = check(mapping.view, result.seal, binding)
    if damage is not None:
        buffer = result.version.buffer
        yield DamagedRegion(plan.region_of[buffer].id, buffer, damage.chunk, damage.expected, damage.actual)


def _record(workspace: Workspace, damaged: list[DamagedRegion], state: RunState) -> None:
    if not damaged:
        return
    journal = Journal(workspace.metadata / "journal.db", uuid4().hex, time)
    try:
        for d in damaged:
            body = {**asdict(d), "epoch": state.results[d.buffer].version.epoch, "found_at": "verify"}
            journal.stage(Kind.DAMAGE, d.buffer, body)
        journal.flush()
    finally:
        journal.close()


def region_history(workspace: Workspace, region: str) -> tuple[RegionOwner, ...]:
    """Who owned the bytes of ``region`` in the last run, oldest first, then who will by the plan.

    ``state`` is one of written, writing, damaged, given up (an attempt that came to nothing), repair, planned. Raises
    ``InputError`` for a region the plan does not have.
    """
    plan = stored_plan(workspace)
    if plan is None or region not in plan.region:
        known = "no plan" if plan is None else f"{len(plan.regions)} regions, such as {plan.regions[0].id!r}"
        raise InputError(str(workspace.path), [Mistake("region", repr(region), f"a region of the plan ({known})")])
    state = fold(read_run(workspace.metadata / "journal.db"))
    return (*_past(plan, state, plan.region[region]), *_future(plan, state, plan.region[region]))


def _past(plan: Plan, state: RunState, region: Region) -> Iterator[RegionOwner]:
    for begun in state.begun:
        for buffer, extents in begun.writes.items():
            shared = _shared(extents, region)
            if shared:
                since = datetime.fromtimestamp(begun.at, UTC).isoformat(timespec="milliseconds")
                name = plan.region_of[buffer].id
                yield RegionOwner(name, buffer, begun.execution, _state(state, begun, buffer), since, shared)


def _state(state: RunState, begun: Begun, buffer: str) -> str:
    version = Version(buffer, begun.epoch)
    if version in state.damaged:
        return "damaged"
    if version in state.sealed:
        return "written" if state.results.get(buffer) in (None, state.sealed[version]) else "repair"
    if state.committed.get(begun.execution) == begun.epoch:
        return "written"  # scratch: it has no seal
    return "writing" if state.open.get(begun.execution) == begun else "given up"


def _future(plan: Plan, state: RunState, region: Region) -> Iterator[RegionOwner]:
    writer = Executions(plan).writer
    for other in plan.regions:
        shared = _shared(other.extents, region)
        if shared and writer[other.buffer] not in state.committed and writer[other.buffer] not in state.open:
            yield RegionOwner(other.id, other.buffer, writer[other.buffer], "planned", None, shared)


def _shared(extents: Iterable[Extent], region: Region) -> int:
    """Bytes of ``extents`` that lie in ``region``."""
    return sum(
        max(0, min(a.end, b.end) - max(a.offset, b.offset))
        for a in extents
        for b in region.extents
        if a.partition == b.partition
    )
