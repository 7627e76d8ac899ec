"""The frontier of footprint against makespan: one plan file per point, a picture, and what is proved of all others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.errors import InputError, Mistake, Refused, StorageError
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Bound, Plan
from catalytic.solver.units import to_seconds

from .files import relative_folder, write_whole
from .plan import refusal
from .ready import ready
from .request import Observer, PlanRequest
from .sources import Source, read_source
from .views.svg_frontier import svg_frontier

DEFAULT_FOLDER = Path("catalytic-frontier")
PICTURE = "frontier.svg"
POINT_FILE = re.compile(r"point-\d{2,}\.json")
"""Names of the plan files; those of an earlier frontier in the folder are removed."""


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """One plan, and what is known of all plans that need no more bytes.

    ``least_makespan_s``: none of them is faster (None: no bound is known), by ``method`` and ``evidence``; ``proved``:
    so none is faster than this one. ``gap``: (makespan - bound) / makespan.
    """

    reuse_factor: float | None
    footprint: int
    makespan_s: float
    least_makespan_s: float | None
    method: str | None
    evidence: str | None
    proved: bool
    gap: float
    file: str


@dataclass(frozen=True, slots=True)
class FloorStep:
    """No plan with a footprint of at most ``footprint`` bytes takes less than ``least_makespan_s``."""

    footprint: int
    least_makespan_s: float
    method: str
    evidence: str


@dataclass(frozen=True, slots=True)
class SearchLine:
    """One search: what was asked, how it ended, and the plan it gave (None: none). ``ceiling``: bytes."""

    objective: str
    ceiling: int
    status: str
    footprint: int | None
    makespan_s: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ParetoAnswer:
    """A frontier. ``points``: by footprint, the least first; ``floor``: by footprint too, the largest makespan first.

    ``least_footprint``: no plan has less, by ``footprint_method`` and ``footprint_evidence`` (None: nothing is known).
    """

    name: str
    allocated: int
    workspace_size: int
    partition_count: int
    workers: int
    tasks: int
    inputs: str
    outputs: str
    points: tuple[FrontierPoint, ...]
    floor: tuple[FloorStep, ...]
    least_footprint: int | None
    footprint_method: str | None
    footprint_evidence: str | None
    largest_reuse_factor: float | None
    searches: tuple[SearchLine, ...]
    folder: Path
    picture: Path
    seconds: float
    time_limit_s: float
    notes: tuple[str, ...]


def make_frontier(request: PlanRequest, points: int, observer: Observer | None = None) -> ParetoAnswer:
    """At most ``points`` plans, written with a picture into the folder ``request.output``.

    Raises ``ProvedInfeasible`` or ``NothingFound`` when there is no plan at all, as :func:`make_plan` does.
    """
    source = read_source(request.path, request.shape)
    if source.starts is not None:
        found, hint = "a timeline", "plan it without --pareto"
        raise InputError(
            str(request.path), [Mistake("file", found, "a problem whose tasks can start at other times", hint)]
        )
    folder = request.output or DEFAULT_FOLDER
    _require_folder(folder)
    # Here and not above: the planner loads a solver engine.
    from catalytic.solver.pareto import frontier

    search = request.search
    budget = ready(search.budget, observer)
    front = frontier(
        source.problem,
        points=points,
        budget=budget,
        integrity=search.integrity,
        monitoring=search.monitoring,
        observer=observer,
    )
    if not front.points:
        raise refusal(front.outcome, source, request)
    names = _write(folder, source, [point.plan for point in front.points])
    problem, least = source.problem, front.least_footprint
    allocated = int(problem.graph.allocated)
    answer = ParetoAnswer(
        name=problem.name,
        allocated=allocated,
        workspace_size=problem.workspace.size,
        partition_count=problem.workspace.partitions,
        workers=problem.capacity_of("workers"),
        tasks=len(problem.tasks),
        inputs=problem.policy.inputs.value,
        outputs=problem.policy.outputs.value,
        points=tuple(
            _point(point.plan, point.bound, point.proved, name) for point, name in zip(front.points, names, strict=True)
        ),
        floor=tuple(
            FloorStep(s.ceiling, to_seconds(s.bound.value), s.bound.method, s.bound.evidence.value) for s in front.floor
        ),
        least_footprint=least.value if least is not None else None,
        footprint_method=least.method if least is not None else None,
        footprint_evidence=least.evidence.value if least is not None else None,
        largest_reuse_factor=1 - least.value / allocated if least is not None and allocated else None,
        searches=tuple(
            SearchLine(
                objective=p.objective.value,
                ceiling=p.ceiling,
                status=p.status.value,
                footprint=p.found[0] if p.found is not None else None,
                makespan_s=to_seconds(p.found[1]) if p.found is not None else None,
                seconds=p.seconds,
            )
            for p in front.probes
        ),
        folder=folder,
        picture=folder / PICTURE,
        seconds=round(budget.elapsed_s(), 3),
        time_limit_s=budget.time_limit_s,
        notes=source.notes,
    )
    write_whole(answer.picture, svg_frontier(answer).encode())
    return answer


def _point(plan: Plan, bound: Bound | None, proved: bool, name: str) -> FrontierPoint:
    m = plan.measures
    return FrontierPoint(
        reuse_factor=m.reuse_factor,
        footprint=m.footprint,
        makespan_s=to_seconds(m.makespan),
        least_makespan_s=to_seconds(bound.value) if bound is not None else None,
        method=bound.method if bound is not None else None,
        evidence=bound.evidence.value if bound is not None else None,
        proved=proved,
        gap=plan.proof.gap,
        file=name,
    )


def _require_folder(folder: Path) -> None:
    """Say now, and not when the plans are made, that they cannot be written."""
    if not folder.absolute().parent.is_dir():
        raise StorageError(f"{folder}: could not be made: there is no folder {folder.parent}")
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file, and a frontier is written into a folder; name another with -o")


def _write(folder: Path, source: Source, plans: list[Plan]) -> list[str]:
    """One file per plan, numbered by footprint; files of an earlier frontier beyond these are removed."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: could not be made: {error.strerror or error}") from error
    names = [f"point-{number:02d}.json" for number in range(1, len(plans) + 1)]
    for name, plan in zip(names, plans, strict=True):
        write_whole(folder / name, dump_plan(plan, base=relative_folder(source.base, seen_from=folder)))
    for old in sorted(folder.iterdir()):
        if POINT_FILE.fullmatch(old.name) and old.name not in names:
            old.unlink()
    return names
