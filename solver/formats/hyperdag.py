"""HyperDAG files as problems: the text format of HyperDAG_DB and OneStopParallel.

::

    %% any number of comment lines, anywhere
    M N P                            hyperedges, nodes, pins
    M lines   edge [comm [mem]]      a produced value; edges are 0 .. M-1
    N lines   node [work [type]]     an operation; nodes are 0 .. N-1
    P lines   edge node              the first pin of an edge is its producer, the others read it

A node is a task ``n<node>``, a hyperedge a buffer ``e<edge>``. The size is the last weight of the hyperedge: its memory
weight, or its communication weight where there is no other (the amount of data that would be sent), or 1. One unit is
one byte, so most files have buffers of one byte: the alignment is 1, because any other would decide every size.
``work`` is milliseconds. Graphs that were extracted from running programs have three properties per node, and say in
their comments that these are a vertex type and numbers of it: no work is known then.

A sink (a node that produces nothing) is a task without outputs: the rule of pebble games, where a result that nobody
reads need not be kept. More after the numbers of a line is a comment when it begins with ``%``.

Source: FORMAT.md of HyperDAG_DB (github.com/Algebraic-Programming/HyperDAG_DB), version 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ..errors import InputError, Mistake
from ..problem import Buffer, Policy, Task, Workspace
from ..problem.graph import find_cycle
from ..units import MAX_BYTES, MAX_TICKS
from .foreign import (
    ABSTRACT_ALIGNMENT,
    DEFAULT_WORKERS,
    Imported,
    imported_graph,
    refuse_scales,
    said_of_scales,
    scaled_size,
    scaled_ticks,
)
from .json_text import TOP, describe, read_bytes
from .reading import decoded, refuse, unpacked

_HEADER = re.compile(r"\s*[0-9]+\s+[0-9]+\s+[0-9]+(\s.*)?$")
_TYPED = re.compile(r"^%.*unique (source|operation) vertex types", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Line:
    """The integers of one line, and where it stands: ``line 12``."""

    place: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """The three sections of a file, and whether its comments say that nodes state types instead of work."""

    edges: tuple[Line, ...]
    nodes: tuple[Line, ...]
    pins: tuple[Line, ...]
    typed: bool


def is_hyperdag(data: bytes) -> bool:
    """Whether ``data`` is text whose first line that is no comment holds three whole numbers."""
    for line in data[: 2**16].decode("utf-8", "replace").splitlines():
        if line.strip() and not line.startswith("%"):
            return _HEADER.match(line) is not None
    return False


def import_hyperdag(
    path: Path,
    *,
    scale_sizes: float = 1.0,
    scale_time: float = 1.0,
    workspace: Workspace | None = None,
    policy: Policy | None = None,
    workers: int = DEFAULT_WORKERS,
    alignment: int = ABSTRACT_ALIGNMENT,
) -> Imported:
    """The HyperDAG in ``path`` (also compressed with gzip) as a problem.

    Weights are multiplied by ``scale_sizes`` and ``scale_time`` and rounded up. Without ``workspace`` it
    is one shared partition that holds all buffers side by side, each at a multiple of ``alignment`` bytes. Raises
    ``InputError`` with the mistakes of the file by line.
    """
    origin = str(path)
    refuse_scales(scale_sizes, scale_time)
    lines = _lines(unpacked(read_bytes(path), origin), origin)
    edges = {line.numbers[0]: line for line in lines.edges}
    nodes = {line.numbers[0]: line for line in lines.nodes}
    writes, reads = _pins(lines, origin)

    buffers = {
        line.place: Buffer(f"e{e}", scaled_size(line.numbers[-1] if len(line.numbers) > 1 else 1, scale_sizes))
        for e, line in sorted(edges.items())
    }
    tasks = {
        nodes[n].place: Task(
            id=f"n{n}",
            duration=scaled_ticks(Decimal(_work(nodes[n], lines.typed)), scale_time),
            inputs=tuple(f"e{e}" for e in reads[n]),
            outputs=tuple(f"e{e}" for e in writes[n]),
        )
        for n in sorted(nodes)
    }
    return imported_graph(
        origin,
        path.name.removesuffix(".gz").removesuffix(".txt").removesuffix(".hdag"),
        tasks,
        buffers,
        alignment=alignment,
        workspace=workspace,
        policy=policy,
        workers=workers,
        assumptions=[*_assumptions(lines, writes), *said_of_scales(scale_sizes, scale_time)],
    )


def _work(node: Line, typed: bool) -> int:
    return 1 if typed or len(node.numbers) == 1 else node.numbers[1]


def _assumptions(lines: Lines, writes: Sequence[Sequence[int]]) -> list[str]:
    columns = {len(line.numbers) for line in lines.edges}
    weight = "memory weight" if columns == {3} else "communication weight" if columns == {2} else "last weight"
    said = ["hyperedges state no size: each is 1 byte"] if columns == {1} else [f"a unit of {weight} is 1 byte"]
    if lines.typed or all(len(line.numbers) == 1 for line in lines.nodes):
        said.append("nodes state no work: each task lasts 1 ms")
    else:
        idle = sum(_work(line, False) == 0 for line in lines.nodes)
        also = f"; nodes of no work ({idle}) are tasks of 1 ms" if idle else ""
        said.append(f"a unit of work lasts 1 ms{also}")
    sinks = sum(not produced for produced in writes)
    if sinks:
        said.append(f"nodes that produce nothing ({sinks}) are tasks without outputs: no memory is kept for them")
    return said


def _lines(data: bytes, origin: str) -> Lines:
    """The sections of the file; ``InputError`` when lines are missing, superfluous, or not of whole numbers."""
    text = decoded(data, origin)
    mistakes: list[Mistake] = []
    found_lines: list[Line] = []
    for number, raw in enumerate(text.split("\n"), 1):
        words = raw.partition("%")[0].split()
        if not words:
            continue
        if not found_lines and _HEADER.match(raw):
            words = words[:3]  # what follows the counts is not for readers
        if all(word.isascii() and word.isdigit() and len(word) < 20 for word in words):
            found_lines.append(Line(f"line {number}", tuple(map(int, words))))
        else:
            mistakes.append(Mistake(f"line {number}", describe(raw.strip()), "whole numbers of 1 to 19 digits"))
            found_lines.append(Line(f"line {number}", ()))
    refuse(origin, mistakes)
    if not found_lines or len(found_lines[0].numbers) != 3:
        place = found_lines[0].place if found_lines else TOP
        found = f"{len(found_lines[0].numbers)} numbers" if found_lines else "no numbers"
        raise InputError(origin, [Mistake(place, found, "three: how many hyperedges, nodes and pins")])
    head, *body = found_lines
    counts = head.numbers
    if len(body) != sum(counts):
        hint = "the file seems to be truncated" if len(body) < sum(counts) else ""
        if len(body) == counts[2]:
            hint = "a sparse matrix states rows, columns and entries, and is no HyperDAG"
        allowed = f"{counts[0]} hyperedges + {counts[1]} nodes + {counts[2]} pins = {sum(counts)} ({head.place})"
        raise InputError(origin, [Mistake(TOP, f"{len(body)} lines after the header", allowed, hint)])
    if not counts[1]:
        raise InputError(origin, [Mistake(head.place, "no nodes", "at least one")])
    m, n, _ = counts
    sections = (tuple(body[:m]), tuple(body[m : m + n]), tuple(body[m + n :]))
    return Lines(*sections, typed=_TYPED.search(text) is not None)


def _pins(lines: Lines, origin: str) -> tuple[list[list[int]], list[list[int]]]:
    """For each node the hyperedges it writes, and those it reads, in the order of the file."""
    count = {"hyperedge": len(lines.edges), "node": len(lines.nodes)}
    mistakes: list[Mistake] = []
    for kind, section, limit, unit in (
        ("hyperedge", lines.edges, MAX_BYTES, "bytes"),
        ("node", lines.nodes, MAX_TICKS, "ms"),
    ):
        seen: dict[int, str] = {}
        for line in section:
            name = line.numbers[0]
            if name >= count[kind]:
                mistakes.append(Mistake(line.place, f"{kind} {name}", f"0 to {count[kind] - 1}"))
            elif name in seen:
                mistakes.append(Mistake(line.place, f"{kind} {name}", f"each {kind} once; it stands at {seen[name]}"))
            seen.setdefault(name, line.place)
            if max(line.numbers[1:], default=0) > limit:
                mistakes.append(Mistake(line.place, f"a weight of {max(line.numbers[1:])}", f"0 to {limit} {unit}"))
    producer: dict[int, int] = {}
    pinned: dict[tuple[int, int], str] = {}
    for line in lines.pins:
        if len(line.numbers) < 2:
            mistakes.append(Mistake(line.place, "one number", "a hyperedge and a node"))
            continue
        e, n = line.numbers[:2]
        for kind, name in (("hyperedge", e), ("node", n)):
            if name >= count[kind]:
                mistakes.append(Mistake(line.place, f"{kind} {name}", f"0 to {count[kind] - 1}"))
        if (e, n) in pinned:
            mistakes.append(Mistake(line.place, f"pin {e} {n}", f"each pin once; it stands at {pinned[e, n]}"))
        pinned.setdefault((e, n), line.place)
        producer.setdefault(e, n)
    for line in lines.edges:
        if line.numbers[0] < count["hyperedge"] and line.numbers[0] not in producer:
            mistakes.append(Mistake(line.place, "a hyperedge without a pin", "at least its producer among the pins"))
    refuse(origin, mistakes)

    writes: list[list[int]] = [[] for _ in lines.nodes]
    reads: list[list[int]] = [[] for _ in lines.nodes]
    for e, n in pinned:
        (writes if producer[e] == n else reads)[n].append(e)
    _refuse_cycle(producer, pinned, len(lines.nodes), origin)
    return writes, reads


def _refuse_cycle(producer: Mapping[int, int], pinned: Mapping[tuple[int, int], str], nodes: int, origin: str) -> None:
    """``InputError`` that names a cycle of nodes and the line of its last pin."""
    successors: dict[str, list[str]] = {f"n{n}": [] for n in range(nodes)}
    place: dict[tuple[str, str], str] = {}
    for (e, n), line in pinned.items():
        if producer[e] != n:
            step = (f"n{producer[e]}", f"n{n}")
            successors[step[0]].append(step[1])
            place.setdefault(step, line)
    cycle = find_cycle(successors)
    if cycle:
        raise InputError(origin, [Mistake(place[cycle[-2], cycle[-1]], f"the cycle {' -> '.join(cycle)}", "no cycle")])
