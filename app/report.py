"""Report: everything a page about a plan, or about a run of it, has to say; and writing it as HTML, SVG or PNG.

What is derived here is derived once, in plain values: the views only draw. The figures are the plan's own, as in
``show``; ``check`` is what verifies them. Nothing depends on the clock or on where the files lie, so that the same plan
gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.history import LOG_SUFFIX, RunHistory, run_history
from catalytic.runtime.workspace import Workspace
from catalytic.solver.analysis import Stretch
from catalytic.solver.analysis.fullness import live_stretches
from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.formats import detect, dump_plan, load_plan
from catalytic.solver.plan import Plan, ceiling_of
from catalytic.solver.problem import LOAD_PREFIX, Synthetic

from .bottlenecks import Bottlenecks, bottlenecks
from .criticality import Criticality, criticality
from .files import write_whole
from .overview import GraphPictures, graph_pictures
from .summary import PlanSummary, summarise
from .tracks import Span, dealt, planned_tracks

KINDS = {".html": "html", ".htm": "html", ".svg": "svg", ".png": "png"}
"""Ending of the output's name -> what is written."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """One call of ``catalytic report``.

    ``source``: a plan file, a workspace (its last run), or the log of a run in a workspace's ``logs/``. ``plan``: the
    plan of the run, for one whose workspace has another by now.
    """

    source: Path
    output: Path
    plan: Path | None = None


@dataclass(frozen=True, slots=True)
class RunPart:
    """A run beside its plan.

    ``tracks``: lines of each attempt, dealt like those of the plan, ``track_count`` how many. ``expected``: seconds
    each task should have taken, by id: its planned duration, times the run's time factor if it is synthetic.
    """

    workspace: str
    history: RunHistory
    tracks: tuple[tuple[int, ...], ...]
    track_count: int
    expected: dict[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """What is drawn.

    ``digest``: of the canonical plan file. ``capacity``: bytes of all partitions; ``ceiling``: what the target leaves
    of them. ``tracks``: lines of each task in the plan's order. ``stretches``: living bytes over time.
    """

    plan: Plan
    summary: PlanSummary
    digest: str
    capacity: int
    ceiling: int
    tracks: tuple[tuple[int, ...], ...]
    track_count: int
    stretches: tuple[Stretch, ...]
    criticality: Criticality
    bottlenecks: Bottlenecks
    pictures: GraphPictures
    run: RunPart | None = None


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """The file that was written and what it is about."""

    file: Path
    kind: str
    bytes: int
    name: str
    tasks: int
    buffers: int
    run_id: str | None


def write_report(request: ReportRequest) -> ReportAnswer:
    """Write the report that ``request`` asks for.

    Raises ``InputError`` (no plan, no run, an unknown kind of output, a missing library), ``InvalidPlan`` and
    ``IntegrityError`` (damaged files).
    """
    kind = _kind_of(request.output)
    report = read_report(request.source, request.plan)
    data = _rendered(report, kind, str(request.output))
    write_whole(request.output, data)
    return ReportAnswer(
        file=request.output,
        kind=kind,
        bytes=len(data),
        name=report.summary.name,
        tasks=report.summary.tasks,
        buffers=report.summary.buffers,
        run_id=report.run.history.run_id if report.run is not None else None,
    )


def _kind_of(output: Path) -> str:
    kind = KINDS.get(output.suffix.lower())
    if kind is None:
        found = repr(output.suffix) if output.suffix else "no ending"
        raise InputError(str(output), [Mistake("output", found, f"a name that ends in {', '.join(KINDS)}")])
    return kind


def _rendered(report: Report, kind: str, output: str) -> bytes:
    from .views.report import page, picture, png, svg

    if kind == "html":
        return page.render(report)
    if kind == "svg":
        return svg.render(picture.drawn(report))
    return png.render(picture.drawn(report), output)


def read_report(source: Path, plan_file: Path | None = None) -> Report:
    """The report on ``source``: a plan file, a workspace or a run's log; ``plan_file`` as in ``ReportRequest``."""
    if source.is_dir():
        return _report_of_run(Workspace.open(source), None, plan_file)
    if source.suffix == LOG_SUFFIX:
        return _report_of_run(_workspace_of(source), source.name.removesuffix(LOG_SUFFIX), plan_file)
    if plan_file is not None:
        found = "a plan file"
        raise InputError(str(source), [Mistake("--plan", found, "a run: a workspace, or a log in its logs folder")])
    return report_of(_plan_in(source))


def _plan_in(path: Path) -> Plan:
    kind = detect(path)
    if kind != "plan":
        hint = "`catalytic plan` makes a plan of a problem"
        raise InputError(str(path), [Mistake("format", f"a file of kind {kind}", "a plan, or a run", hint)])
    return load_plan(path).plan


def _workspace_of(log: Path) -> Workspace:
    folder = log.absolute().parent
    if folder.name != "logs" or not (folder.parent / "metadata").is_dir():
        hint = "name the workspace, or the log where the run wrote it"
        raise InputError(str(log), [Mistake("log", "a log outside a workspace", "WORKSPACE/logs/RUN.jsonl", hint)])
    return Workspace.open(folder.parent)


def _report_of_run(workspace: Workspace, run_id: str | None, plan_file: Path | None) -> Report:
    history = run_history(workspace, run_id)
    if history is None:
        found = "no run" if run_id is None else f"no run {run_id!r}"
        raise InputError(str(workspace.path), [Mistake("run", found, "a workspace in which a run was started")])
    plan = _plan_of_run(workspace, history, plan_file)
    return report_of(plan, _run_part(workspace, plan, history))


def _plan_of_run(workspace: Workspace, history: RunHistory, given: Path | None) -> Plan:
    """The very plan that the run began with: moments and names of a run mean nothing beside another one."""
    path = given or workspace.metadata / "plan.json"
    if path.exists():
        plan = _plan_in(path)
        if history.plan_digest in (None, hashlib.sha256(dump_plan(plan)).hexdigest()):
            return plan
        found = "another plan than the one that the run began with"
    else:
        found = "no plan"
    hint = f"give the plan of run {history.run_id} with --plan"
    raise InputError(str(path), [Mistake("plan", found, f"the plan of run {history.run_id}", hint)])


def report_of(plan: Plan, run: RunPart | None = None) -> Report:
    """Everything there is to say of ``plan``, and of ``run`` if there was one."""
    tracks, track_count = planned_tracks(plan)
    stretches, capacity = live_stretches(plan), plan.problem.workspace.capacity
    return Report(
        plan=plan,
        summary=summarise(plan),
        digest=hashlib.sha256(dump_plan(plan)).hexdigest(),
        capacity=capacity,
        ceiling=ceiling_of(plan.proof.target, plan.measures.allocated, capacity),
        tracks=tuple(tracks),
        track_count=track_count,
        stretches=stretches,
        criticality=criticality(plan, stretches),
        bottlenecks=bottlenecks(plan, stretches),
        pictures=graph_pictures(plan),
        run=run,
    )


def _run_part(workspace: Workspace, plan: Plan, history: RunHistory) -> RunPart:
    spans = [
        Span(f"{a.execution} {a.epoch}", a.began, history.length if a.ended is None else a.ended)
        for a in history.attempts
    ]
    tracks, count = dealt(spans)
    factor = history.request.get("time_factor", 1.0)
    share = float(factor) if isinstance(factor, (int, float)) else 1.0
    expected = {t.id: t.duration / 1000 * (share if isinstance(t.run, Synthetic) else 1.0) for t in plan.problem.tasks}
    return RunPart(workspace.path.name, history, tuple(tracks), count, expected)


def is_load(execution: str) -> bool:
    """Whether an execution brings in an external input instead of running a task."""
    return execution.startswith(LOAD_PREFIX)
