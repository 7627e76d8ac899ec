"""Snakemake workflows as problems: the graph of jobs (``snakemake --dag``) and what ``benchmark:`` measured.

::

    digraph snakemake_dag {
        0[label = "all"];
        2[label = "compute_readcounts\\nds: 554", color = "0.1 0.6 0.85", style="rounded,dashed"];
        2 -> 0                                                                  job 0 needs job 2
    }

    s        h:m:s    max_rss  ...  rule_name  wildcards        separated by tabs
    1.0338   0:00:01  76.62    ...  bench_run  {'ds': '554'}

A job is a task, called by its label (the rule and its wildcards) and, where several jobs have one, its number. Jobs
that are drawn dashed are up to date; they are planned like all others.

Benchmarks are given ``--with`` the graph, or the graph with them. A table belongs to the rule in its column
``rule_name`` (``benchmark-extended``), or else to the rule that its file is called after. A job lasts the mean of the
rows of its rule, of those with its wildcards where there are any; its demand ``memory`` is the largest ``max_rss``
(in units of 2^20 bytes), or its scratch is. A graph alone has no durations, benchmarks
alone no dependencies, and no file states sizes.

Sources: dag.py and benchmark.py of github.com/snakemake/snakemake.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..units import MAX_BYTES, MAX_TICKS
from .dot import read_dot
from .dot_text import is_dot
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, problem_of_jobs
from .json_text import TOP, describe, read_bytes
from .reading import decoded, refuse, unpacked
from .tab_table import Row, parse_tab_table

_GRAPH = re.compile(rb"digraph\s+snakemake_dag\s*\{")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")
_NOTHING = ("", "-", "NA")
_COLUMNS = ("s", "h:m:s")
_ALONE = "benchmarks know no dependencies: tasks may run in any order (give the graph of snakemake --dag --with them)"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One job of the graph: its rule, its wildcards, the node and its line, whether it is up to date, what it needs."""

    rule: str
    wildcards: Mapping[str, str]
    node: str
    place: str
    done: bool
    needs: tuple[str, ...]

    @property
    def label(self) -> str:
        """The rule and its wildcards in one line."""
        return ", ".join([self.rule, *(f"{name}: {value}" for name, value in self.wildcards.items())])


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of a benchmark: where it stands, whose it is, how long it took (ms), and how much memory (bytes).

    ``memory``: None if it was not measured.
    """

    place: str
    rule: str
    wildcards: Mapping[str, str]
    milliseconds: Decimal
    memory: int | None


def is_snakemake(data: bytes) -> bool:
    """Whether ``data`` is a graph of jobs, or a benchmark."""
    return _GRAPH.match(data.lstrip()) is not None or data.startswith(b"s\th:m:s\t")


def import_snakemake(
    path: Path, *, companions: Sequence[Path] = (), scratch_from_memory: bool = False, **gaps: Unpack[Gaps]
) -> Imported:
    """The workflow that ``path`` and ``companions`` describe, a graph, benchmarks or both; else ``InputError``."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    drawn: dict[str, Drawn] = {}
    measured: list[Measured] = []
    for part in (path, *companions):
        data = unpacked(read_bytes(part), str(part))
        if not is_dot(data):
            measured += _measured(decoded(data, str(part)), part)
        elif drawn:
            raise InputError(str(part), [Mistake(TOP, "a second graph", "one graph, of one workflow")])
        else:
            drawn = _drawn(part)
    alone = not drawn
    drawn = drawn or _of_benchmarks(measured)
    names = _names(drawn)
    jobs = {
        names[node]: _job(job, measured, tuple(names[before] for before in job.needs), scratch_from_memory)
        for node, job in drawn.items()
    }
    memory = max((amount for job in jobs.values() for _, amount in job.demands), default=0)
    return problem_of_jobs(
        origin,
        path.name.removesuffix(".gz").removesuffix(".dot"),
        jobs,
        assumptions=[*_assumptions(drawn, measured, jobs), *([_ALONE] if alone else [])],
        resources={"memory": memory} if memory else None,
        **gaps,
    )


def _of_benchmarks(measured: Sequence[Measured]) -> dict[str, Drawn]:
    """Jobs that only benchmarks know: one for each rule and wildcards, in the order in which they come."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Drawn] = {}
    for row in measured:
        key = (row.rule, tuple(row.wildcards.items()))
        found.setdefault(key, Drawn(row.rule, row.wildcards, str(len(found)), row.place, False, ()))
    return {job.node: job for job in found.values()}


def _drawn(path: Path) -> dict[str, Drawn]:
    graph, origin = read_dot(path), str(path)
    if graph.name != "snakemake_dag":
        hint = "snakemake --dag draws jobs; --rulegraph and --filegraph do not"
        allowed = "'snakemake_dag', of snakemake --dag"
        raise InputError(origin, [Mistake("line 1", f"the graph {describe(graph.name)}", allowed, hint)])
    needs: dict[str, list[str]] = {node: [] for node in graph.nodes}
    for edge in graph.edges:
        needs[edge.head].append(edge.tail)
    mistakes = []
    found = {}
    for name, node in graph.nodes.items():
        place = f"line {node.line}"
        rule, *wildcards = node.attributes.get("label", "").split("\\n")
        if not rule:
            mistakes.append(Mistake(f"{place} (node {name!r})", "no label", "the rule of the job"))
        found[name] = Drawn(
            rule,
            dict(_pair(text) for text in wildcards if text),
            name,
            f"{place} (node {name!r})",
            "dashed" in node.attributes.get("style", ""),
            tuple(dict.fromkeys(needs[name])),
        )
    refuse(origin, mistakes)
    return found


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def _names(drawn: Mapping[str, Drawn]) -> dict[str, str]:
    """Node -> name of its task: the label, with the number of the node where it is not the only one."""
    count = Counter(job.label for job in drawn.values())
    return {node: f"{job.label} #{node}" if count[job.label] > 1 else job.label for node, job in drawn.items()}


def _measured(text: str, path: Path) -> list[Measured]:
    rows = parse_tab_table(text, _COLUMNS, str(path))
    mistakes: list[Mistake] = []
    found = []
    for row in rows:
        seconds = _number(row, "s", MAX_TICKS / 1000, mistakes)
        memory = _number(row, "max_rss", MAX_BYTES / 2**20, mistakes) if row.get("max_rss") else None
        found.append(
            Measured(
                row.place,
                row.get("rule_name") or path.name.partition(".")[0],
                _wildcards(row, mistakes),
                (seconds or Decimal(0)) * 1000,
                int(memory * 2**20) if memory is not None else None,
            )
        )
    refuse(str(path), mistakes)
    return found


def _number(row: Row, column: str, most: float, mistakes: list[Mistake]) -> Decimal | None:
    text = row.get(column)
    if text in _NOTHING:
        return None
    if not _NUMBER.fullmatch(text) or Decimal(text) > Decimal(most):
        mistakes.append(Mistake(f"{row.place}, {column}", describe(text), f"a number from 0 to {most:.0f}"))
        return None
    return Decimal(text)


def _wildcards(row: Row, mistakes: list[Mistake]) -> dict[str, str]:
    """The column ``wildcards``, which Snakemake writes as a Python literal."""
    text = row.get("wildcards")
    if text in _NOTHING:
        return {}
    try:
        value = literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        value = None
    if not isinstance(value, dict):
        mistakes.append(Mistake(f"{row.place}, wildcards", describe(text), "a dictionary such as {'sample': 'a'}"))
        return {}
    return {str(name): str(wildcard) for name, wildcard in value.items()}


def _job(job: Drawn, measured: Sequence[Measured], after: tuple[str, ...], scratch: bool) -> Job:
    rows = [row for row in measured if row.rule == job.rule]
    rows = [row for row in rows if row.wildcards.items() >= job.wildcards.items()] or rows
    memory = max((row.memory or 0 for row in rows), default=0)
    return Job(
        job.place,
        after=after,
        milliseconds=sum((row.milliseconds for row in rows), Decimal(0)) / len(rows) if rows else None,
        scratch=memory if scratch else 0,
        demands=(("memory", memory),) if memory and not scratch else (),
    )


def _assumptions(drawn: Mapping[str, Drawn], measured: Sequence[Measured], jobs: Mapping[str, Job]) -> Iterator[str]:
    done = sum(job.done for job in drawn.values())
    if done:
        yield f"jobs that are up to date ({done}, drawn dashed) are planned like the others"
    if measured:
        timed = sum(job.milliseconds is not None for job in jobs.values())
        yield f"benchmarks give the durations of {timed} of {len(jobs)} jobs, by their rules"
    strange = sorted({row.rule for row in measured} - {job.rule for job in drawn.values()})
    if strange:
        yield f"benchmarks of rules that the graph does not know are left out: {', '.join(strange)}"
    peaks = sum(bool(job.demands or job.scratch) for job in jobs.values())
    if peaks and any(job.scratch for job in jobs.values()):
        yield f"max_rss (of {peaks} tasks) is their scratch"
    elif peaks:
        yield f"max_rss (of {peaks} tasks) is the demand 'memory' against the largest; it takes no workspace"
