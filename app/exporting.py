"""Export: a problem, a plan or a run in the words of another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from catalytic.solver.errors import InputError, Mistake, Refused
from catalytic.solver.plan import Plan
from catalytic.solver.problem import Problem
from catalytic.solver.units import Tick

from .files import write_whole
from .placing import STDOUT
from .sources import read_source


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One call of ``catalytic export``. ``output``: a file, or ``STDOUT``."""

    form: str
    path: Path
    output: Path
    force: bool = False


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """What was written. ``file``: None for the standard output. ``notes``: what the form cannot say, or assumes."""

    file: Path | None
    form: str
    name: str
    size: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is exported: a problem, with its plan if the file was one."""

    problem: Problem
    plan: Plan | None

    @property
    def makespan(self) -> Tick:
        """When the last task ends: as planned, or as no plan undercuts."""
        return Tick(self.problem.graph.critical_path()[1]) if self.plan is None else self.plan.measures.makespan


Written = tuple[bytes, tuple[str, ...]]
"""Content of a file, and what is to be said about it."""


def export_file(request: ExportRequest) -> tuple[ExportAnswer, bytes]:
    """Write what is in ``request.path`` in the form asked for; the answer, and the content for the standard output.

    ``Refused`` when the output exists and ``force`` is not set; ``InputError`` when the form needs a plan and the file
    is none.
    """
    to_file = request.output != STDOUT
    if to_file and request.output.is_file() and not request.force:
        raise Refused(f"{request.output} exists. Write elsewhere with -o, or replace it with --force.")
    name, (data, notes) = _exported(request)
    if to_file:
        write_whole(request.output, data)
    return ExportAnswer(request.output if to_file else None, request.form, name, len(data), notes), data


def _exported(request: ExportRequest) -> tuple[str, Written]:
    """The name of what is exported, and how it is written."""
    log = _log_of(request.path)
    if log is not None:
        if request.form != "perfetto":
            allowed = "a problem or a plan; runs are exported as perfetto"
            raise InputError(str(request.path), [Mistake("format", f"a run, as {request.form}", allowed)])
        from catalytic.solver.formats.chrome_trace import trace_of_log
        from catalytic.solver.formats.json_text import read_bytes

        text = read_bytes(log).decode("utf-8", "replace")
        return log.stem, (trace_of_log(text, str(log)), (f"the log of the run {log.stem}",))
    source = read_source(request.path)
    plan = source.loaded.plan if source.loaded is not None else None
    notes, (data, said) = source.notes, EXPORTERS[request.form].write(Subject(source.problem, plan), str(request.path))
    return source.problem.name, (data, (*notes, *said))


def _log_of(path: Path) -> Path | None:
    """The log of the last run if ``path`` is a workspace, ``path`` itself if it is a log, else None."""
    if path.is_dir():
        logs = sorted((path / "logs").glob("*.jsonl"), key=lambda p: (p.stat().st_mtime_ns, p.name))
        if not logs:
            hint = "a workspace keeps the log of its last run in logs/"
            raise InputError(
                str(path), [Mistake("logs", "no log of a run", "a workspace in which something ran", hint)]
            )
        return logs[-1]
    return path if path.suffix == ".jsonl" else None


def _planned(subject: Subject, origin: str, form: str) -> Plan:
    if subject.plan is None:
        hint = "catalytic plan makes one"
        raise InputError(origin, [Mistake("format", f"a problem, as {form}", "a plan: a problem has no places", hint)])
    return subject.plan


def _wfcommons(subject: Subject, origin: str) -> Written:
    from catalytic.solver.formats.wfcommons import dump_wfcommons

    data, notes = dump_wfcommons(subject.problem, makespan=subject.makespan, version=version("catalytic"))
    unplanned = "the makespan is the length of the longest path: the file is no plan"
    return data, notes if subject.plan is not None else (*notes, unplanned)


def _dot(subject: Subject, origin: str) -> Written:
    from catalytic.solver.formats.dot import dump_dot

    return dump_dot(subject.problem).encode(), ()


def _minimalloc(subject: Subject, origin: str) -> Written:
    from catalytic.solver.formats.minimalloc import dump_minimalloc, placement_table

    table, offsets, arenas = placement_table(_planned(subject, origin, "minimalloc"))
    said = "times are milliseconds; sizes are rounded up to the alignment"
    several = ("partitions are arenas, in a column of their own",) if arenas is not None else ()
    return dump_minimalloc(table, offsets, arenas).encode(), (said, *several)


def _perfetto(subject: Subject, origin: str) -> Written:
    from catalytic.solver.formats.chrome_trace import trace_of_plan

    return trace_of_plan(_planned(subject, origin, "perfetto")), ("open it in ui.perfetto.dev or chrome://tracing",)


@dataclass(frozen=True, slots=True)
class Exporter:
    """One form: what it is, and what writes it (from a subject and the name of its file)."""

    named: str
    write: Callable[[Subject, str], Written]


EXPORTERS: Mapping[str, Exporter] = {
    "wfcommons": Exporter("a WfCommons instance, wfformat 1.5 (of a problem or a plan)", _wfcommons),
    "dot": Exporter("the graph of tasks, for Graphviz (of a problem or a plan)", _dot),
    "minimalloc": Exporter("the regions of a plan with their offsets, CSV", _minimalloc),
    "perfetto": Exporter("a trace of a plan, or of a run (WORKSPACE, or logs/RUN.jsonl), JSON", _perfetto),
}
"""Word on the command line -> form."""
