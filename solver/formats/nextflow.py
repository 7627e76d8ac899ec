"""Nextflow runs as problems: the execution trace (``-with-trace``) and the graph of processes (``-with-dag x.dot``).

::

    task_id  name                    status     realtime  peak_rss  wchar       separated by tabs
    5        CHIPSEQ:FASTQC (ctrl)   COMPLETED  1m 19s    2.2 GB    756.3 KB

    digraph "pipeline_dag" {
    p1 [shape=point,label="",fixedsize=true,width=0.1,xlabel="Channel.fromPath"];      a channel
    p2 [label="CHIPSEQ:FASTQC"];                                                       a process
    p1 -> p2 [label="reads"];

A task is a row that completed or came from the cache; what failed or was aborted is left out, because it was run again
or given up. It is called by its name, with its ``task_id`` where that is taken, and lasts ``realtime``, the time of the
script without staging (``duration`` where there is no such column). ``wchar``, the bytes it wrote, is an upper bound
of its outputs and taken as the size of one buffer that all tasks after it read. ``peak_rss`` is the demand ``memory``,
or scratch. Amounts are text with units (KB is 1024 bytes) or plain numbers (``trace.raw``: bytes, milliseconds).

The graph knows processes, not tasks. Every task of a process follows all tasks of the processes before it, past
operators and channels: more order than there was, never less. Either file may be imported, and the other given
``--with`` it: a trace alone has no dependencies, a graph alone no durations.

Sources: TraceRecord.groovy and DotRenderer.groovy of github.com/nextflow-io/nextflow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..units import MAX_BYTES
from .dot import read_dot
from .dot_text import is_dot
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, problem_of_jobs
from .json_text import TOP, describe, read_bytes
from .passing import predecessors_past, refuse_cycle
from .reading import decoded, refuse, unpacked
from .tab_table import Row, parse_tab_table

_CHANNEL = b'shape=point,label="",fixedsize=true,width=0.1'
_DONE = ("COMPLETED", "CACHED")
_UNDONE = ("FAILED", "ABORTED")
_TIME_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}
_NUMBER = r"([0-9]{1,18}(?:\.[0-9]{1,9})?)"
_TIME = re.compile(rf"{_NUMBER}\s*(ms|s|m|h|d)")
_SIZE = re.compile(rf"{_NUMBER}\s*([kmgtp]?b)?", re.IGNORECASE)
_PLAIN = re.compile(_NUMBER)
_NOTHING = ("", "-")


class _Process:
    """Nodes of the graph: names of processes, None for operators and channels; predecessors; lines."""

    def __init__(self, path: Path) -> None:
        graph = read_dot(path)
        at = {node: k for k, node in enumerate(graph.nodes)}
        self.names = [node.attributes.get("label", "") or None for node in graph.nodes.values()]
        self.places = [f"line {node.line}" for node in graph.nodes.values()]
        self.before: list[list[int]] = [[] for _ in at]
        for edge in graph.edges:
            self.before[at[edge.head]].append(at[edge.tail])
        refuse_cycle(
            self.before, [name or node for name, node in zip(self.names, at, strict=True)], self.places, str(path)
        )


def is_nextflow(data: bytes) -> bool:
    """Whether ``data`` is a trace of Nextflow, or a graph as it draws them."""
    first = data.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0]
    columns = {name.strip() for name in first.split(b"\t")}
    return ({b"name", b"status"} <= columns and b"task_id" in columns) or (is_dot(data) and _CHANNEL in data[: 2**16])


def import_nextflow(
    path: Path, *, companions: Sequence[Path] = (), scratch_from_memory: bool = False, **gaps: Unpack[Gaps]
) -> Imported:
    """The run that ``path`` and ``companions`` describe, a trace, a graph or both; ``InputError`` with its mistakes."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    rows: tuple[Row, ...] | None = None
    processes: _Process | None = None
    for part in (path, *companions):
        data = unpacked(read_bytes(part), str(part))
        drawn = is_dot(data)
        if (processes if drawn else rows) is not None:
            what = "graph" if drawn else "trace"
            raise InputError(str(part), [Mistake(TOP, f"a second {what}", f"one {what}, of one run")])
        if drawn:
            processes = _Process(part)
        else:
            rows = parse_tab_table(decoded(data, str(part)), ("name",), str(part))
    said: list[str] = []
    if rows is None:
        assert processes is not None
        jobs, memory = _jobs_of_processes(processes, origin), 0
        said.append("a graph of processes knows neither tasks nor durations: each process is one task")
    else:
        jobs = _jobs_of_rows(rows, scratch_from_memory, origin, said)
        jobs = _ordered(jobs, processes, said)
        memory = max((amount for job in jobs.values() for _, amount in job.demands), default=0)
    name = path.name.removesuffix(".gz").removesuffix(".txt").removesuffix(".dot")
    return problem_of_jobs(
        origin, name, jobs, assumptions=said, resources={"memory": memory} if memory else None, **gaps
    )


def _jobs_of_processes(processes: _Process, origin: str) -> dict[str, Job]:
    works = [name is not None for name in processes.names]
    before = predecessors_past(processes.before, works)
    called = [name or "" for name in processes.names]
    mistakes = [
        Mistake(processes.places[k], f"the process {name!r} again", "each process once")
        for k, name in enumerate(processes.names)
        if name is not None and name in processes.names[:k]
    ]
    refuse(origin, mistakes)
    return {
        called[k]: Job(processes.places[k], after=tuple(called[j] for j in before[k])) for k, w in enumerate(works) if w
    }


def _jobs_of_rows(rows: Sequence[Row], scratch: bool, origin: str, said: list[str]) -> dict[str, Job]:
    """A job for each row that completed, by its name; without any order."""
    columns = rows[0].fields.keys() if rows else ()
    clock = "realtime" if "realtime" in columns else "duration"
    mistakes: list[Mistake] = []
    jobs: dict[str, Job] = {}
    undone = 0
    for row in rows:
        status = row.get("status") or _DONE[0]
        if status not in (*_DONE, *_UNDONE):
            mistakes.append(Mistake(f"{row.place}, status", describe(status), ", ".join((*_DONE, *_UNDONE))))
        time = _amount(row, clock, _TIMES, mistakes)
        written = _amount(row, "wchar", _SIZES, mistakes)
        memory = int(_amount(row, "peak_rss", _SIZES, mistakes) or 0)
        if not row.get("name"):
            mistakes.append(Mistake(f"{row.place}, name", "nothing", "the name of the task"))
        undone += status in _UNDONE
        if status not in _UNDONE:
            jobs[_name(row, jobs)] = Job(
                row.place,
                milliseconds=time,
                size=int(written) if written is not None else None,
                scratch=memory if scratch else 0,
                demands=(("memory", memory),) if memory and not scratch else (),
            )
    refuse(origin, mistakes)
    said += _said_of_rows(jobs, clock, undone, scratch)
    return jobs


def _name(row: Row, taken: Mapping[str, Job]) -> str:
    """The name of a row; where another has it, with its number, and with its line where even that is taken."""
    name = row.get("name")
    for called in (name, f"{name} [{row.get('task_id')}]", f"{name} [{row.place}]"):
        if called not in taken:
            break
    return called


def _said_of_rows(jobs: Mapping[str, Job], clock: str, undone: int, scratch: bool) -> Iterator[str]:
    yield f"durations are the column {clock!r}"
    if undone:
        yield f"executions that failed or were aborted ({undone}) are left out"
    if any(job.size is not None for job in jobs.values()):
        yield "what a task wrote (wchar) is the size of its one output, which all tasks after it read"
    peaks = [amount for job in jobs.values() for amount in (job.scratch, *(n for _, n in job.demands)) if amount]
    if peaks and scratch:
        yield f"peak_rss (of {len(peaks)} tasks) is their scratch"
    elif peaks:
        yield f"peak_rss (of {len(peaks)} tasks) is the demand 'memory' against the largest; it takes no workspace"


def _ordered(jobs: Mapping[str, Job], processes: _Process | None, said: list[str]) -> dict[str, Job]:
    """``jobs`` with the order of their processes."""
    if processes is None:
        said.append("a trace knows no dependencies: tasks may run in any order (give the graph of processes --with it)")
        return dict(jobs)
    node = {name: k for k, name in enumerate(processes.names) if name is not None}
    short = {name.rpartition(":")[2]: k for name, k in node.items()}
    members: dict[int, list[str]] = {}
    stray = 0
    for name in jobs:
        process = name.partition(" (")[0].partition(" [")[0]
        k = node.get(process, short.get(process.rpartition(":")[2]))
        if k is None:
            stray += 1
        else:
            members.setdefault(k, []).append(name)
    past = predecessors_past(processes.before, [k in members for k in range(len(processes.names))])
    result = dict(jobs)
    for k, names in members.items():
        after = tuple(before for j in past[k] for before in members[j])
        for name in names:
            result[name] = replace(jobs[name], after=after)
    said.append("the graph knows processes: each task follows all tasks of the processes before its own")
    if stray:
        said.append(f"tasks of processes that the graph does not know ({stray}) depend on nothing")
    idle = sum(name is not None and k not in members for k, name in enumerate(processes.names))
    if idle:
        said.append(f"processes without a completed task ({idle}) are passed through")
    return result


def _amount(row: Row, column: str, measure: _Measure, mistakes: list[Mistake]) -> Decimal | None:
    """The amount in ``column``; None where nothing was measured."""
    text = row.get(column)
    if text in _NOTHING:
        return None
    value = measure.parse(text)
    if value is None:
        mistakes.append(Mistake(f"{row.place}, {column}", describe(text), measure.allowed))
    return value


def _milliseconds(text: str) -> Decimal | None:
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    parts = text.split()
    matches = [_TIME.fullmatch(part) for part in parts]
    if not parts or not all(matches):
        return None
    return sum((Decimal(m[1]) * _TIME_UNITS[m[2]] for m in matches if m), Decimal(0))


def _bytes(text: str) -> Decimal | None:
    match = _SIZE.fullmatch(text)
    if match is None:
        return None
    size = Decimal(match[1]) * _SIZE_UNITS[(match[2] or "b").lower()]
    return size if size <= MAX_BYTES else None


@dataclass(frozen=True, slots=True)
class _Measure:
    """How the text of an amount is read (None: it is none), and what is allowed."""

    parse: Callable[[str], Decimal | None]
    allowed: str


_TIMES = _Measure(_milliseconds, "a time such as '1m 19s', or milliseconds")
_SIZES = _Measure(_bytes, f"a size such as '2.2 GB', or bytes, at most {MAX_BYTES}")
