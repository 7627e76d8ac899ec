"""Graphs whose nodes carry attributes, as problems: what node-link JSON, GraphML and DOT have in common.

A node is a task that writes one buffer, its output, and every successor reads that buffer whole. While a task runs its
inputs, its output and whatever others still have to read count; the output of a sink need not be kept. This is the
memory rule of Checkmate (Jain et al., MLSys 2020) and MOCCASIN (Bartan et al., ICML 2023).

Which attribute is the size and which the duration may be said; otherwise it is the first that some node has of

- size: ``size``, ``bytes``, ``cost_ram`` (Checkmate), ``out_cost`` (MOCCASIN), ``memory``
- duration: ``duration``, ``cost_cpu`` (Checkmate), ``runtime``, ``time``, ``work``

A size is a number of bytes or text with a unit. The unit of durations is not part of such files, and ranges from
milliseconds to floating-point operations: it is one millisecond, or one second when fractions occur, divided by ten as
often as needed for the longest task to last an hour at most. A graph without durations has tasks of 1 ms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem.graph import find_cycle
from ..problem.validate import did_you_mean
from ..units import MAX_BYTES, SIZE_FORM, parse_size
from .foreign import ABSTRACT_ALIGNMENT, Gaps, Imported
from .jobs import Job, problem_of_jobs
from .json_text import describe, join
from .reading import refuse

SIZE_ATTRIBUTES = ("size", "bytes", "cost_ram", "out_cost", "memory")
DURATION_ATTRIBUTES = ("duration", "cost_cpu", "runtime", "time", "work")
_LONGEST_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Node:
    """A node: the name of its task, where it stands in the file, and what is said of it."""

    name: str
    place: str
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between two nodes, given by their positions, and where it stands in the file."""

    source: int
    target: int
    place: str


@dataclass(frozen=True, slots=True)
class Attributes:
    """Names of the attributes that are read. None: no node has such an attribute."""

    size: str | None
    duration: str | None


def choose_attributes(
    present: Iterable[str], size: str | None, duration: str | None
) -> tuple[Attributes, list[Mistake]]:
    """What sizes and durations are called among the attributes ``present``: as said, or by known names."""
    known = sorted(set(present))
    mistakes = []
    for option, name in (("--size-attribute", size), ("--duration-attribute", duration)):
        if name is not None and name not in known:
            allowed = f"an attribute of a node: {', '.join(known) or 'there is none'}"
            mistakes.append(Mistake(option, repr(name), allowed, did_you_mean(name, known)))
    return Attributes(
        size or next((name for name in SIZE_ATTRIBUTES if name in known), None),
        duration or next((name for name in DURATION_ATTRIBUTES if name in known), None),
    ), mistakes


def attributed_graph(
    origin: str,
    name: str,
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    attributes: Attributes,
    *,
    mistakes: Iterable[Mistake] = (),
    unit: Decimal | None = None,
    assumptions: Iterable[str],
    **gaps: Unpack[Gaps],
) -> Imported:
    """The problem of a graph of ``nodes`` whose names differ; ``InputError`` with ``mistakes`` and all others by place.

    ``unit``: milliseconds of one unit of duration, where the file says so. Nodes without any size write no buffers.
    """
    found = [*mistakes]
    sizes = _sizes(nodes, attributes.size, found) if attributes.size is not None else None
    costs = _costs(nodes, attributes.duration, found)
    refuse(origin, found)
    _refuse_cycle(nodes, edges, origin)
    unit = unit or _unit(costs)
    before: list[dict[str, None]] = [{} for _ in nodes]
    for edge in edges:
        before[edge.target][nodes[edge.source].name] = None
    jobs = {
        node.name: Job(
            place=node.place,
            after=tuple(before[k]),
            milliseconds=costs[k] * unit,
            size=sizes[k] if sizes is not None else None,
        )
        for k, node in enumerate(nodes)
    }
    return problem_of_jobs(
        origin,
        name,
        jobs,
        assumptions=[*assumptions, *_said(nodes, attributes, costs, unit)],
        **{"alignment": ABSTRACT_ALIGNMENT, **gaps},  # type: ignore[arg-type]
    )


def ignored_attributes(
    nodes: Sequence[Node], read: Attributes, of_edges: Iterable[Mapping[str, object]] = ()
) -> Iterator[str]:
    """One sentence that counts the attributes nobody reads."""
    ignored = Counter(key for node in nodes for key in node.attributes if key not in (read.size, read.duration))
    ignored.update(f"{key} of edges" for attributes in of_edges for key in attributes)
    if ignored:
        yield f"ignored: {', '.join(f'{key} ({count})' for key, count in sorted(ignored.items()))}"


def _said(nodes: Sequence[Node], attributes: Attributes, costs: Sequence[Decimal], unit: Decimal) -> Iterator[str]:
    if attributes.size is not None:
        yield f"each node is a task with one output of {attributes.size!r} bytes, which all its successors read"
        empty = sum(node.attributes[attributes.size] == 0 for node in nodes)
        if empty:
            yield f"nodes of size zero ({empty}) are edges without a region"
    if attributes.duration is None:
        yield "nodes state no duration: each task lasts 1 ms"
        return
    length = f"{unit:f} ms" if unit < 1000 else "1 s"
    why = ", so that the longest task lasts an hour at most" if unit not in (1, 1000) else ""
    yield f"a unit of {attributes.duration!r} lasts {length}{why} (--scale-time changes it)"


def _sizes(nodes: Sequence[Node], attribute: str, mistakes: list[Mistake]) -> list[int]:
    """Bytes of each node's output, fractions rounded up."""
    sizes = []
    for node in nodes:
        value = node.attributes.get(attribute)
        try:
            if isinstance(value, float):
                value = int(Decimal(str(value)).to_integral_value(rounding=ROUND_CEILING))
            if not isinstance(value, (int, str)) or isinstance(value, bool):
                raise ValueError
            sizes.append(int(parse_size(value)))
        except ValueError:
            allowed = f"{SIZE_FORM}, 0 to {MAX_BYTES} bytes"
            mistakes.append(Mistake(join(node.place, attribute), _found(node, attribute), allowed))
    return sizes


def _costs(nodes: Sequence[Node], attribute: str | None, mistakes: list[Mistake]) -> list[Decimal]:
    """Duration of each node in the unit of the file; 1 where it has none."""
    if attribute is None:
        return [Decimal(1)] * len(nodes)
    costs = []
    for node in nodes:
        value = node.attributes.get(attribute)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            costs.append(Decimal(str(value)))
        else:
            mistakes.append(Mistake(join(node.place, attribute), _found(node, attribute), "a number from 0"))
    return costs


def _found(node: Node, attribute: str) -> str:
    return describe(node.attributes[attribute]) if attribute in node.attributes else "nothing"


def _unit(costs: Sequence[Decimal]) -> Decimal:
    """Milliseconds of one unit of duration."""
    unit = Decimal(1000) if any(cost != int(cost) for cost in costs) else Decimal(1)
    while max(costs, default=Decimal(0)) * unit > _LONGEST_MS:
        unit /= 10
    return unit


def _refuse_cycle(nodes: Sequence[Node], edges: Sequence[Edge], origin: str) -> None:
    """``InputError`` that names a cycle of nodes and its last edge."""
    successors: dict[str, list[str]] = {node.name: [] for node in nodes}
    stated: dict[tuple[str, str], str] = {}
    for edge in edges:
        pair = nodes[edge.source].name, nodes[edge.target].name
        if pair not in stated:
            stated[pair] = edge.place
            successors[pair[0]].append(pair[1])
    cycle = find_cycle(successors)
    if cycle:
        place = stated[cycle[-2], cycle[-1]]
        raise InputError(origin, [Mistake(place, f"the cycle {' -> '.join(cycle)}", "no cycle")])
