"""Run: plan if need be, create the workspace if need be, execute, report. In one word what three commands do.

A run without reuse is the reference of every other: each buffer has bytes of its own, in a temporary workspace of
exactly the allocated size beside the real one, and the results must be the same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catalytic.runtime.events import RunEvent
from catalytic.runtime.mapping import PAGE
from catalytic.runtime.report import RunOptions, RunReport, Scrub
from catalytic.runtime.workspace import Workspace
from catalytic.solver.budget import Progress
from catalytic.solver.check import violations
from catalytic.solver.errors import InputError, InvalidPlan, Mistake, Refused, StorageError
from catalytic.solver.plan import Plan, plan_without_reuse
from catalytic.solver.problem import Problem

from .plan import find_plan
from .request import Observer, PlanRequest, Search
from .sources import Shape, Source, read_source
from .summary import PlanSummary, summarise

SCRUB_INTERVAL_S = 30.0
"""How often a monitored run hashes the sealed living regions again."""

FILES_SHOWN = 8
"""Files named in one refusal; the rest are counted."""

LONGEST_STEM = 80
"""Characters of a problem's name that are used in file names."""


@dataclass(frozen=True, slots=True)
class Execution:
    """How to run a plan. ``None``: decided by the problem (``output_dir``: ``./NAME-out``; ``workers``: its capacity).

    ``seal``: digest of every region instead of the plan's own choice. ``no_reuse``: the reference run.
    """

    output_dir: Path | None = None
    workers: int | None = None
    time_factor: float = 1.0
    task_timeout_s: float | None = None
    seal: str | None = None
    scrub: Scrub = Scrub.NONE
    force: bool = False
    discard: bool = False
    repair_spill: bool = False
    no_reuse: bool = False


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One call of ``catalytic run``. ``workspace`` None: ``./NAME-workspace``."""

    path: Path
    workspace: Path | None = None
    shape: Shape = Shape()
    search: Search = Search()
    execution: Execution = Execution()


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """What was planned, where it ran, and how it went.

    ``created``: the workspace was made for this run; ``temporary``: it was removed afterwards.
    """

    summary: PlanSummary
    report: RunReport
    workspace: Path
    created: bool
    temporary: bool
    output_dir: Path
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What ``run`` would do. ``replaced``: exported files that exist already (refused without ``--force``)."""

    summary: PlanSummary
    workspace: Path
    creates: bool
    bytes_needed: int
    bytes_free: int
    output_dir: Path
    exports: tuple[str, ...]
    replaced: tuple[str, ...]
    notes: tuple[str, ...]


def run(request: RunRequest, observer: Observer | None = None) -> RunAnswer:
    """Execute the plan or problem in ``request.path``.

    Raises what planning, the workspace or the run raise; failures of single tasks are in ``report``.
    """
    from catalytic.runtime import coordinator

    source = read_source(request.path, request.shape)
    _require_whole_pages(request, source.problem)
    _require_new_exports(request, source.problem)
    _require_vacant_workspace(request, source.problem)
    plan = _plan_to_run(request, source, observer)
    options = _options(request, source, plan)
    with _workspace_for(request, plan) as (path, created):
        workspace = _open_or_create(path, plan)
        report = coordinator.execute(plan, workspace, options, run_observer(observer))
    temporary = request.execution.no_reuse
    return RunAnswer(summarise(plan), report, path, created, temporary, options.output_dir, source.notes)


def dry_run(request: RunRequest, observer: Observer | None = None) -> DryRun:
    """What :func:`run` would do; writes nothing."""
    source = read_source(request.path, request.shape)
    _require_whole_pages(request, source.problem)
    plan = _plan_to_run(request, source, observer)
    path = _workspace_path(request, plan.problem)
    creates = request.execution.no_reuse or not is_workspace(path)
    geometry = plan.problem.workspace
    output_dir = _output_dir(request.execution, plan.problem)
    exports = tuple(sorted(plan.problem.graph.exported.values()))
    ground = path.absolute().parent
    while not ground.is_dir():
        ground = ground.parent
    return DryRun(
        summary=summarise(plan),
        workspace=path,
        creates=creates,
        bytes_needed=geometry.capacity if creates else 0,
        bytes_free=shutil.disk_usage(ground).free,
        output_dir=output_dir,
        exports=exports,
        replaced=tuple(name for name in exports if (output_dir / name).exists()),
        notes=source.notes,
    )


def is_workspace(path: Path) -> bool:
    """Whether a workspace stands at ``path``."""
    return (path / "metadata" / "workspace.json").is_file()


def _require_whole_pages(request: RunRequest, problem: Problem) -> None:
    """Refuse before planning a problem whose regions cannot be mapped, such as a graph of unit weights."""
    alignment = problem.workspace.alignment
    if alignment % PAGE:
        allowed = f"a multiple of the page size {PAGE}: a run maps its regions"
        hint = f"plan and run it with --alignment {PAGE}"
        raise InputError(str(request.path), [Mistake("workspace.alignment", str(alignment), allowed, hint)])


def _require_new_exports(request: RunRequest, problem: Problem) -> None:
    """Refuse before planning, which may take a minute, what the run would refuse after it."""
    folder = _output_dir(request.execution, problem)
    existing = sorted(str(folder / name) for name in problem.graph.exported.values() if (folder / name).exists())
    if existing and not request.execution.force:
        more = f" and {len(existing) - FILES_SHOWN} more" if len(existing) > FILES_SHOWN else ""
        raise Refused(
            f"the run would replace {', '.join(existing[:FILES_SHOWN])}{more}. "
            "Choose another --output-dir, or replace them with --force."
        )


def _require_vacant_workspace(request: RunRequest, problem: Problem) -> None:
    """Refuse before planning a workspace that a run owns, or that holds what would be lost."""
    from catalytic.runtime import coordinator

    path = _workspace_path(request, problem)
    if is_workspace(path) and not (request.execution.no_reuse or request.execution.discard):
        coordinator.require_vacant(Workspace.open(path))


def _output_dir(execution: Execution, problem: Problem) -> Path:
    return execution.output_dir or Path(f"{file_stem(problem.name)}-out")


def _plan_to_run(request: RunRequest, source: Source, observer: Observer | None) -> Plan:
    """The checked plan that will run: the file's own, a new one, or the one without reuse."""
    if request.execution.no_reuse:
        plan = plan_without_reuse(source.problem, integrity=request.search.integrity)
    elif source.loaded is not None and _serves(source.loaded.plan, request.search):
        plan = _with_promises(source.loaded.plan, request.search)
        broken = [f"{v.rule}: {v.message}" for v in violations(source.loaded.plan)]
        if broken:
            raise InvalidPlan(broken)
    else:
        plan = find_plan(source, PlanRequest(request.path, request.shape, request.search, None), observer)
    seal = request.execution.seal
    if seal is not None:
        plan = replace(plan, regions=tuple(replace(r, seal=seal) for r in plan.regions), integrity=True)
    return plan


def _serves(plan: Plan, search: Search) -> bool:
    """Whether a plan file is what is asked: a reuse factor or a strategy that is not its own calls for another plan."""
    if search.strategy is not None:
        own = plan.proof.parameters.get("strategy")
        if not isinstance(own, Mapping) or search.strategy.value not in (own.get("asked"), own.get("chosen")):
            return False
    factor = plan.measures.reuse_factor
    return search.target is None or factor is None or factor >= search.target


def _with_promises(plan: Plan, search: Search) -> Plan:
    """``plan`` without seals where none are wanted, monitored where that is."""
    if not search.integrity:
        plan = replace(plan, regions=tuple(replace(r, seal=None) for r in plan.regions), integrity=False)
    return replace(plan, monitoring=plan.monitoring or search.monitoring)


def _options(request: RunRequest, source: Source, plan: Plan) -> RunOptions:
    execution = request.execution
    return RunOptions(
        base=source.base,
        output_dir=_output_dir(execution, plan.problem),
        workers=execution.workers,
        time_factor=execution.time_factor,
        task_timeout_s=execution.task_timeout_s,
        force=execution.force,
        discard=execution.discard,
        repair_spill=execution.repair_spill,
        scrub=execution.scrub,
        scrub_interval_s=SCRUB_INTERVAL_S if plan.monitoring and plan.integrity else None,
    )


def file_stem(name: str) -> str:
    """A problem's name as part of a file name: whatever could lead elsewhere, or be no name at all, is replaced.

    >>> file_stem("survey 2.1"), file_stem("../../etc"), file_stem("")
    ('survey-2.1', 'etc', 'catalytic')
    """
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in name)
    return plain.strip(".-")[:LONGEST_STEM] or "catalytic"


def _workspace_path(request: RunRequest, problem: Problem) -> Path:
    return request.workspace or Path(f"{file_stem(problem.name)}-workspace")


def reference_prefix(workspace: Path) -> str:
    """Begins the names of the temporary folders in which reference runs of ``workspace`` put theirs."""
    return f".{workspace.name}-no-reuse-"


@contextmanager
def _workspace_for(request: RunRequest, plan: Plan) -> Iterator[tuple[Path, bool]]:
    """Path of the workspace to use, and whether it must be created; a reference run's is removed afterwards."""
    path = _workspace_path(request, plan.problem)
    if not request.execution.no_reuse:
        yield path, not is_workspace(path)
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix=reference_prefix(path), dir=path.absolute().parent))
    except OSError as error:
        raise StorageError(f"{path.parent}: no temporary workspace can stand here: {error.strerror}") from error
    try:
        yield folder / "workspace", True
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_observer(observer: Observer | None) -> Callable[[RunEvent], None] | None:
    """An observer of a run's events that tells ``observer`` how much of the planned work is done."""
    if observer is None:
        return None

    def observe(event: RunEvent) -> None:
        fraction = event.done / event.total if event.total else None
        observer(Progress("run", fraction, f"{event.kind.value} {event.task or ''}"))

    return observe


def _open_or_create(path: Path, plan: Plan) -> Workspace:
    if is_workspace(path):
        return Workspace.open(path)
    geometry = plan.problem.workspace
    return Workspace.create(
        path,
        size=geometry.size,
        partitions=geometry.partitions,
        alignment=geometry.alignment,
        integrity=plan.integrity,
        reuse_pools=True,
    )
