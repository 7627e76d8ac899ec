"""Graphs in DOT, Graphviz's language, as problems; and problems as graphs in DOT.

::

    digraph survey {
      duration_unit = "ms"
      "read" [duration=400, size=9000000]
      "clean" [duration=600, size=3000000]
      "read" -> "clean" [label="raw"]
    }

A node is a task, an edge leads from a task to one that follows it. Sizes and durations are attributes of nodes, found
as ``attributed`` says; a graph without sizes gives tasks without buffers. Numbers are read from their text. The unit of
durations may be said by the attribute ``duration_unit`` of the graph, ``ms`` or ``s``. Labels, shapes and the like are
ignored and counted. Undirected graphs are refused.

What is written has one node per task and one edge per task and follower, whose label names the buffers between them;
dashed edges carry none. ``size`` is stated where a task writes exactly one buffer, because that is what it means here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem import Problem
from ..units import format_size
from .attributed import Edge, Node, attributed_graph, choose_attributes, ignored_attributes
from .dot_text import DotGraph, parse_dot
from .foreign import Gaps, Imported, refuse_scales
from .json_text import describe, read_bytes
from .reading import decoded, refuse, unpacked

_UNITS = {"ms": Decimal(1), "s": Decimal(1000)}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?(?:[0-9]{1,18}\.?[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")


def read_dot(path: Path) -> DotGraph:
    """The directed graph in ``path`` (also compressed with gzip); ``InputError`` with the line of what is none."""
    origin = str(path)
    graph = parse_dot(decoded(unpacked(read_bytes(path), origin), origin), origin)
    if not graph.directed:
        raise InputError(origin, [Mistake("line 1", "graph", "digraph: an edge leads to what follows")])
    if not graph.nodes:
        raise InputError(origin, [Mistake("the graph", "no nodes", "at least one")])
    return graph


def import_dot(
    path: Path, *, size_attribute: str | None = None, duration_attribute: str | None = None, **gaps: Unpack[Gaps]
) -> Imported:
    """The graph in ``path`` as a problem; ``InputError`` with its mistakes by line."""
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    graph, origin = read_dot(path), str(path)
    nodes = [
        Node(name, f"line {node.line} (node {name!r})", {key: _value(text) for key, text in node.attributes.items()})
        for name, node in graph.nodes.items()
    ]
    attributes, mistakes = choose_attributes(
        (key for node in nodes for key in node.attributes), size_attribute, duration_attribute
    )
    unit = graph.attributes.get("duration_unit", "ms")
    if unit not in _UNITS:
        mistakes.append(Mistake("duration_unit", describe(unit), "ms or s"))
    refuse(origin, mistakes)
    at = {name: k for k, name in enumerate(graph.nodes)}
    return attributed_graph(
        origin,
        graph.name or path.name.removesuffix(".gz").removesuffix(".dot"),
        nodes,
        [Edge(at[edge.tail], at[edge.head], f"line {edge.line}") for edge in graph.edges],
        attributes,
        unit=_UNITS[unit] if "duration_unit" in graph.attributes else None,
        assumptions=ignored_attributes(nodes, attributes, (edge.attributes for edge in graph.edges)),
        **gaps,
    )


def _value(text: str) -> object:
    """The number that ``text`` writes, or the text."""
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def dump_dot(problem: Problem) -> str:
    """``problem`` as a graph of its tasks."""
    graph = problem.graph
    lines = [f"digraph {_quoted(problem.name)} {{", '  duration_unit = "ms"', "  node [shape=box]"]
    for t in problem.tasks:
        written = [graph.buffer[b] for b in t.outputs]
        size = f", size={written[0].size}" if len(written) == 1 else ""
        lines.append(f"  {_quoted(t.id)} [duration={t.duration}{size}]")
    for pair, buffers in _between(problem).items():
        named = ", ".join(f"{b} ({format_size(graph.buffer[b].size)})" for b in buffers)
        said = f"[label={_quoted(named)}]" if buffers else "[style=dashed]"
        lines.append(f"  {_quoted(pair[0])} -> {_quoted(pair[1])} {said}")
    return "\n".join([*lines, "}"]) + "\n"


def _between(problem: Problem) -> Mapping[tuple[str, str], list[str]]:
    """(task, one that follows it) -> the buffers that it writes and the other reads; none for mere order."""
    found: dict[tuple[str, str], list[str]] = {}
    for t in problem.tasks:
        for b in t.inputs:
            writer = problem.graph.writer.get(b)
            if writer is not None:
                found.setdefault((writer, t.id), []).append(b)
        for before in t.after:
            found.setdefault((before, t.id), [])
    return dict(sorted(found.items()))


def _quoted(text: str) -> str:
    """``text`` so that Graphviz and ``dot_text`` read it back, as long as it holds no backslash."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
