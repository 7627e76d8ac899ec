"""Ninja builds as problems: the log of what was built, and the graph of ``ninja -t graph``.

::

    # ninja log v5
    1<TAB>12182<TAB>1795223687619475598<TAB>src/parser.o<TAB>5eaecd2bdf291e89     start, end (ms), time, output, hash

    digraph ninja {
    "0x1" [label="src/parser.o"]                   a file
    "0x2" [label="link", shape=ellipse]            a rule, where it has several inputs or outputs
    "0x1" -> "0x2" [arrowhead=none]                an input of it (style=dotted: for the order only)
    "0x2" -> "0x3"                                 an output of it
    "0x4" -> "0x1" [label=" compile"]              a rule of one input and one output
    }

A task is one edge of the build, called by its first output, and lasts as long as in the log; the last row of an output
counts, since a log holds several builds. The outputs of one edge repeat interval and hash, and are one task. Names of
nodes in the graph are addresses, so the two are joined by the paths in labels.

Either file may be imported, and the other given ``--with`` it. With both, tasks are the edges of the graph that are in
the log, and what the log alone knows is stale and left out; edges that the log does not know (``phony`` ones, and what
was not built) are passed through. With a log alone nothing depends on anything; with a graph alone nothing has a
duration. Versions 5 to 7 of the log are read, which have these five columns.

Sources: build_log.cc and graphviz.cc of github.com/ninja-build/ninja.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from .dot import read_dot
from .dot_text import is_dot
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, problem_of_jobs
from .json_text import TOP, describe, read_bytes
from .passing import predecessors_past, refuse_cycle
from .reading import decoded, refuse, unpacked

_HEADER = re.compile(r"# ninja log v([0-9]{1,9})\s*")
_VERSIONS = range(5, 8)
_MOMENT = re.compile(r"[0-9]{1,18}")
_GRAPH = re.compile(rb"digraph\s+ninja\s*\{")


@dataclass(frozen=True, slots=True)
class Built:
    """One edge in the log: its outputs, how long it took (ms), and the line of its first output."""

    outputs: tuple[str, ...]
    milliseconds: int
    place: str


@dataclass(slots=True)
class Rule:
    """One edge in the graph: the name of its rule, the paths it needs and makes, and where it stands."""

    name: str
    place: str
    inputs: list[str]
    outputs: list[str]


def is_ninja(data: bytes) -> bool:
    """Whether ``data`` is a log of ninja, or its graph."""
    return data.startswith(b"# ninja log v") or _GRAPH.match(data.lstrip()) is not None


def import_ninja(path: Path, *, companions: Sequence[Path] = (), **gaps: Unpack[Gaps]) -> Imported:
    """The build that ``path`` and ``companions`` describe, a log, a graph or both; ``InputError`` with its mistakes."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    log: dict[str, Built] | None = None
    rules: list[Rule] | None = None
    for part in (path, *companions):
        data = unpacked(read_bytes(part), str(part))
        if is_dot(data):
            _only_one(rules, "graph", part)
            rules = _rules(part)
        else:
            _only_one(log, "log", part)
            log = _log(decoded(data, str(part)), str(part))
    jobs, said = _of_log(log or {}) if rules is None else _of_graph(rules, log, origin)
    name = path.name.removesuffix(".gz").removesuffix(".txt").removesuffix(".dot").strip("._")
    return problem_of_jobs(origin, name or "ninja", jobs, assumptions=said, **gaps)


def _only_one(before: object, what: str, part: Path) -> None:
    if before is not None:
        raise InputError(str(part), [Mistake(TOP, f"a second {what}", f"one {what}, of one build")])


def _log(text: str, origin: str) -> dict[str, Built]:
    """Output -> the edge that made it last; ``InputError`` with every line that is none."""
    lines = text.splitlines()
    header = _HEADER.fullmatch(lines[0]) if lines else None
    if header is None or int(header[1]) not in _VERSIONS:
        found = describe(lines[0]) if lines else "nothing"
        raise InputError(origin, [Mistake("line 1", found, "'# ninja log v5', v6 or v7")])
    rows: dict[str, tuple[int, int, str, str]] = {}
    mistakes = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if line.startswith("#") or not line.strip():
            continue
        if len(fields) != 5:
            hint = "the file seems to be truncated" if number == len(lines) else ""
            mistakes.append(Mistake(f"line {number}", f"{len(fields)} fields", "5, separated by tabs", hint))
        elif not all(map(_MOMENT.fullmatch, fields[:2])) or int(fields[0]) > int(fields[1]):
            found = f"{describe(fields[0])} to {describe(fields[1])}"
            mistakes.append(
                Mistake(f"line {number}", found, "milliseconds of a start, and of an end that is not before")
            )
        elif not fields[3]:
            mistakes.append(Mistake(f"line {number}", "no output", "the path of an output"))
        else:
            rows.pop(fields[3], None)
            rows[fields[3]] = (int(fields[0]), int(fields[1]), fields[4], f"line {number}")
    refuse(origin, mistakes)
    edges: dict[tuple[int, int, str], list[str]] = {}
    for output, (start, end, command, _) in rows.items():
        edges.setdefault((start, end, command), []).append(output)
    return {
        output: Built(tuple(outputs), end - start, rows[outputs[0]][3])
        for (start, end, _), outputs in edges.items()
        for output in outputs
    }


def _rules(path: Path) -> list[Rule]:
    """The edges of a graph; ``InputError`` for a graph of another program."""
    graph, origin = read_dot(path), str(path)
    if graph.name != "ninja":
        raise InputError(origin, [Mistake("line 1", f"the graph {describe(graph.name)}", "'ninja', of ninja -t graph")])
    label = {name: node.attributes.get("label", name) for name, node in graph.nodes.items()}
    rules = {
        name: Rule(label[name], f"line {node.line}", [], [])
        for name, node in graph.nodes.items()
        if node.attributes.get("shape") == "ellipse"
    }
    single = []
    for edge in graph.edges:
        if edge.tail in rules and edge.head in rules:
            raise InputError(origin, [Mistake(f"line {edge.line}", "an edge between two rules", "a file in between")])
        if edge.tail in rules:
            rules[edge.tail].outputs.append(label[edge.head])
        elif edge.head in rules:
            rules[edge.head].inputs.append(label[edge.tail])
        else:
            name = edge.attributes.get("label", "").strip()
            single.append(Rule(name, f"line {edge.line}", [label[edge.tail]], [label[edge.head]]))
    return [*rules.values(), *single]


def _of_log(log: Mapping[str, Built]) -> tuple[dict[str, Job], list[str]]:
    jobs = {b.outputs[0]: Job(b.place, milliseconds=Decimal(b.milliseconds)) for b in log.values()}
    said = "a log knows no dependencies: tasks may run in any order (give the graph of ninja -t graph --with it)"
    return jobs, [_TASKS + _TIMES, said]


def _of_graph(rules: Sequence[Rule], log: Mapping[str, Built] | None, origin: str) -> tuple[dict[str, Job], list[str]]:
    """Jobs of the edges that do something, and what was assumed of the others."""
    maker = _makers(rules, origin)
    made = [next((b for path in rule.outputs if (b := (log or {}).get(path))), None) for rule in rules]
    works = [
        bool(rule.outputs) and rule.name != "phony" and (log is None or b is not None)
        for rule, b in zip(rules, made, strict=True)
    ]
    before = [[maker[path] for path in rule.inputs if path in maker] for rule in rules]
    refuse_cycle(before, [_called(rule) for rule in rules], [rule.place for rule in rules], origin)
    past = predecessors_past(before, works)
    jobs = {
        rule.outputs[0]: Job(
            rule.place,
            after=tuple(rules[k].outputs[0] for k in past[number]),
            milliseconds=Decimal(b.milliseconds) if b is not None else None,
        )
        for number, (rule, b) in enumerate(zip(rules, made, strict=True))
        if works[number]
    }
    return jobs, [*_said_of_graph(rules, works, log)]


def _called(rule: Rule) -> str:
    return rule.outputs[0] if rule.outputs else rule.name


def _makers(rules: Sequence[Rule], origin: str) -> dict[str, int]:
    """Path -> the rule that makes it."""
    maker: dict[str, int] = {}
    mistakes = []
    for k, rule in enumerate(rules):
        for path in rule.outputs:
            if path in maker:
                mistakes.append(
                    Mistake(rule.place, f"{path!r} made again", f"one rule; {rules[maker[path]].place} has one")
                )
            maker.setdefault(path, k)
    refuse(origin, mistakes)
    return maker


_TASKS = "a task is an edge of the build, called by its first output"
_TIMES = "; it lasts as long as when it was built last"


def _said_of_graph(rules: Sequence[Rule], works: Sequence[bool], log: Mapping[str, Built] | None) -> Iterator[str]:
    yield _TASKS if log is None else _TASKS + _TIMES
    phony = sum(rule.name == "phony" for rule in rules)
    if phony:
        yield f"phony edges ({phony}) are passed through"
    unbuilt = sum(not w and rule.name != "phony" for w, rule in zip(works, rules, strict=True))
    if unbuilt:
        yield f"edges that the log does not know ({unbuilt}) were not built, and are passed through"
    if log is not None:
        known = {path for rule in rules for path in rule.outputs}
        stale = len({b.outputs for b in log.values() if known.isdisjoint(b.outputs)})
        if stale:
            yield f"entries of the log that the graph does not know ({stale}) are left out"
    yield "headers that only depfiles name are no dependencies: the graph does not show them"
