"""Import: a foreign file, or one of ours, as a problem file; scaled, reshaped, or corrected by what a run measured."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from catalytic.runtime.journal import read_run
from catalytic.runtime.report import MeasuredTask
from catalytic.runtime.state import fold
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import InputError, Mistake, Refused
from catalytic.solver.formats import FOREIGN, detect, dump_problem
from catalytic.solver.problem import Problem, PythonCall
from catalytic.solver.units import Bytes, Tick, parse_duration

from .files import write_whole
from .sources import Reading, Shape, read_foreign, read_source

_CONCERNS = "another kind: this option does not concern it"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One call of ``catalytic import``.

    ``kind``: what the file is said to be; None tells by its content. ``from_run``: a workspace whose last run measured
    this problem.
    """

    path: Path
    output: Path
    reading: Reading = Reading()
    from_run: Path | None = None
    shape: Shape = Shape()
    force: bool = False
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class ImportAnswer:
    """The problem file that was written, in figures, and every assumption that was made, one sentence each."""

    file: Path
    kind: str
    name: str
    tasks: int
    buffers: int
    allocated: int
    external: int
    critical_path_s: float
    assumptions: tuple[str, ...]


def import_file(request: ImportRequest) -> ImportAnswer:
    """Write the problem in ``request.path`` as a problem file.

    ``Refused`` when the output exists and ``force`` is not set: a problem file may hold hand-made corrections.
    """
    if request.output.exists() and not request.force:
        raise Refused(f"{request.output} exists. Write elsewhere with -o, or replace it with --force.")
    kind = _kind(request)
    stray = request.reading.stray(kind)
    if stray:
        raise InputError(str(request.path), [Mistake(option, f"a file of kind {kind}", _CONCERNS) for option in stray])
    if kind in FOREIGN:
        imported = read_foreign(request.path, kind, request.reading, request.shape)
        problem, notes = imported.problem, imported.assumptions
    else:
        source = read_source(request.path, request.shape)
        problem = scaled(source.problem, request.reading.scale_sizes, request.reading.scale_time)
        problem, moved = _seen_from(problem, source.base, request.output.parent)
        notes = (*source.notes, *moved)
        if source.starts is not None:
            notes = (*notes, "the moments of the timeline are not kept: a problem file leaves the order to the planner")
    if request.from_run is not None:
        problem, corrected = _with_measurements(problem, request.from_run)
        notes = (*notes, corrected)
    write_whole(request.output, dump_problem(problem))
    graph = problem.graph
    return ImportAnswer(
        file=request.output,
        kind=kind,
        name=problem.name,
        tasks=len(problem.tasks),
        buffers=len(problem.buffers),
        allocated=graph.allocated,
        external=sum(graph.buffer[b].size for b in graph.external),
        critical_path_s=graph.critical_path()[1] / 1000,
        assumptions=notes,
    )


def _kind(request: ImportRequest) -> str:
    """What the file is: foreign kinds are believed, ours can be told."""
    if request.kind is not None and request.kind in FOREIGN:
        return request.kind
    found = detect(request.path)
    if request.kind not in (None, found):
        raise InputError(str(request.path), [Mistake("format", found, f"{request.kind}, as was asked for")])
    return found


def scaled(problem: Problem, sizes: float, time: float) -> Problem:
    """``problem`` with sizes and durations multiplied; both rounded up, what is not empty stays at least 1.

    The workspace is left alone: it is given with ``--size``.
    """
    if sizes == 1 and time == 1:
        return problem
    return replace(
        problem,
        tasks=tuple(
            replace(t, duration=Tick(max(1, ceil(t.duration * time))), scratch=Bytes(ceil(t.scratch * sizes)))
            for t in problem.tasks
        ),
        buffers=tuple(replace(b, size=Bytes(ceil(b.size * sizes))) for b in problem.buffers),
    )


def _seen_from(problem: Problem, base: Path, folder: Path) -> tuple[Problem, tuple[str, ...]]:
    """``problem`` for a file in ``folder``: data files keep being found, modules are said to have moved."""
    if base.resolve() == folder.resolve():
        return problem, ()
    here = folder.resolve()
    buffers = tuple(
        replace(b, source=os.path.relpath((base / b.source).resolve(), here)) if b.source is not None else b
        for b in problem.buffers
    )
    modules = sorted({t.run.target.partition(":")[0] for t in problem.tasks if isinstance(t.run, PythonCall)})
    said = f"modules {', '.join(modules)} are imported from {folder}, no longer from {base}: copy them there"
    return replace(problem, buffers=buffers), (said,) if modules else ()


def _with_measurements(problem: Problem, workspace: Path) -> tuple[Problem, str]:
    """``problem`` corrected by the last run of ``workspace``, whatever its state: what has committed was measured."""
    state = fold(read_run(Workspace.open(workspace).metadata / "journal.db"))
    lengths: dict[str, dict[str, Bytes]] = {}
    for buffer, result in state.results.items():
        lengths.setdefault(result.writer, {})[buffer] = Bytes(result.length)
    return corrected(problem, [MeasuredTask(t, s, lengths.get(t, {})) for t, s in state.seconds.items()])


def corrected(problem: Problem, measured: Iterable[MeasuredTask]) -> tuple[Problem, str]:
    """``problem`` with the durations and sizes that a run measured, and how many were known.

    A committed length is what the output needed, so it replaces the bound that was declared.
    """
    by_task = {m.task: m for m in measured}
    lengths = {b: n for m in by_task.values() for b, n in m.lengths.items()}
    tasks = tuple(
        replace(t, duration=parse_duration(by_task[t.id].seconds)) if t.id in by_task else t for t in problem.tasks
    )
    buffers = tuple(replace(b, size=lengths[b.id]) if b.id in lengths else b for b in problem.buffers)
    known = sum(t.id in by_task for t in problem.tasks)
    sized = sum(b.id in lengths for b in problem.buffers)
    said = f"measured: the duration of {known} of {len(tasks)} tasks, the size of {sized} of {len(buffers)} buffers"
    return replace(problem, tasks=tasks, buffers=buffers), said
