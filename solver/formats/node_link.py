"""Node-link graphs as problems: the JSON that networkx and d3 write.

::

    {"directed": true, "graph": {"name": "chain"},
     "nodes": [{"id": 0, "size": 100, "duration": 2}, {"id": 1, "size": "1kB", "duration": 3}],
     "links": [{"source": 0, "target": 1}]}

A node is a task that writes one buffer, its output, and every successor reads that buffer whole. While a task runs its
inputs, its output and whatever others still have to read count; the output of a sink need not be kept. This is the
memory rule of Checkmate (Jain et al., MLSys 2020) and MOCCASIN (Bartan et al., ICML 2023), whose graphs are such files.

Edges stand under ``links`` or ``edges`` and name their ends ``source`` and ``target``, ``from`` and ``to``, or ``0``
and ``1``; a node is named by ``id`` or, where there is none, ``name``. Tasks are called by ``name`` when all names are
texts that differ, and by the id otherwise. Which attribute is the size and which the duration may be said; otherwise it
is the first that some node has of

- size: ``size``, ``bytes``, ``cost_ram`` (Checkmate), ``out_cost`` (MOCCASIN), ``memory``
- duration: ``duration``, ``cost_cpu`` (Checkmate), ``runtime``, ``time``, ``work``

A size is a number of bytes or text with a unit. The unit of durations is not part of such files, and ranges from
milliseconds to floating-point operations: it is one millisecond, or one second when fractions occur, divided by ten as
often as needed for the longest task to last an hour at most. A graph without durations has tasks of 1 ms.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from ..errors import InputError, Mistake
from ..problem import Buffer, Policy, Task, Workspace
from ..problem.graph import find_cycle
from ..problem.validate import did_you_mean
from ..units import MAX_BYTES, SIZE_FORM, parse_size
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
from .json_text import describe, join, parse_json, read_bytes
from .reading import refuse, unpacked

SIZE_ATTRIBUTES = ("size", "bytes", "cost_ram", "out_cost", "memory")
DURATION_ATTRIBUTES = ("duration", "cost_cpu", "runtime", "time", "work")
_ENDS = (("source", "target"), ("from", "to"), ("0", "1"))
_LONGEST_MS = 3_600_000

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Attributes:
    """Names of what is read: of a node its id, size and duration (None: not in the file), of an edge its two ends."""

    id: str
    size: str
    duration: str | None
    ends: tuple[str, str]


def is_node_link(document: Mapping[str, object]) -> bool:
    """Whether a JSON object holds a list of nodes and a list of edges."""
    return isinstance(document.get("nodes"), list) and any(
        isinstance(document.get(key), list) for key in ("links", "edges")
    )


def import_node_link(
    path: Path,
    *,
    scale_sizes: float = 1.0,
    scale_time: float = 1.0,
    workspace: Workspace | None = None,
    policy: Policy | None = None,
    workers: int = DEFAULT_WORKERS,
    alignment: int = ABSTRACT_ALIGNMENT,
    size_attribute: str | None = None,
    duration_attribute: str | None = None,
) -> Imported:
    """The node-link graph in ``path`` (``.json`` or ``.json.gz``) as a problem.

    Sizes are multiplied by ``scale_sizes``, durations by ``scale_time``; both are rounded up. Without ``workspace`` it
    is one shared partition that holds all buffers side by side, each at a multiple of ``alignment`` bytes. Raises
    ``InputError`` with every mistake of the file.
    """
    origin = str(path)
    refuse_scales(scale_sizes, scale_time)
    document = parse_json(unpacked(read_bytes(path), origin), origin)
    section = "links" if isinstance(document.get("links"), list) else "edges"
    nodes, edges = _records(document, "nodes", origin), _records(document, section, origin)
    names = _attributes(nodes, edges, section, size_attribute, duration_attribute, origin)

    mistakes = [*_directedness(document)]
    place = _ids(nodes, names.id, mistakes)
    before = _edges(edges, section, names.ends, place, mistakes)
    sizes = _sizes(nodes, names.size, mistakes)
    costs = _costs(nodes, names.duration, mistakes)
    refuse(origin, mistakes)
    called = _called(nodes, list(place))
    _refuse_cycle(before, called, section, origin)
    unit = _unit(costs)

    tasks = {
        f"nodes[{i}]": Task(
            id=called[i],
            duration=scaled_ticks(costs[i] * unit, scale_time),
            inputs=tuple(called[p] for p in before[i]),
            outputs=(called[i],),
        )
        for i in range(len(nodes))
    }
    buffers = {f"nodes[{i}]": Buffer(called[i], scaled_size(sizes[i], scale_sizes)) for i in range(len(nodes))}
    return imported_graph(
        origin,
        path.name.removesuffix(".gz").removesuffix(".json"),
        tasks,
        buffers,
        alignment=alignment,
        workspace=workspace,
        policy=policy,
        workers=workers,
        assumptions=[
            f"each node is a task with one output of {names.size!r} bytes, which all its successors read",
            *_said_of_durations(names.duration, costs, unit),
            *([f"nodes of size zero ({sizes.count(0)}) are edges without a region"] if 0 in sizes else []),
            *_ignored(document, nodes, edges, names),
            *said_of_scales(scale_sizes, scale_time),
        ],
    )


def _records(document: Record, section: str, origin: str) -> list[Record]:
    """The objects of a list; ``InputError`` when it is none, is empty though it lists nodes, or holds other things."""
    values = document.get(section)
    if not isinstance(values, list):
        raise InputError(origin, [Mistake(section, describe(values), "a list of objects")])
    if not values and section == "nodes":
        raise InputError(origin, [Mistake(section, "an empty list", "at least one node")])
    refuse(
        origin,
        [
            Mistake(f"{section}[{i}]", describe(value), "an object")
            for i, value in enumerate(values)
            if not isinstance(value, dict)
        ],
    )
    return values


def _attributes(
    nodes: Sequence[Record], edges: Sequence[Record], section: str, size: str | None, duration: str | None, origin: str
) -> Attributes:
    """What the attributes of this file are called; ``InputError`` when that cannot be told."""
    present = {key for node in nodes for key in node}
    mistakes = []
    for option, name in (("--size-attribute", size), ("--duration-attribute", duration)):
        if name is not None and name not in present:
            allowed = f"an attribute of a node: {', '.join(sorted(present))}"
            mistakes.append(Mistake(option, repr(name), allowed, did_you_mean(name, present)))
    chosen = size or next((name for name in SIZE_ATTRIBUTES if name in present), None)
    if chosen is None:
        found = f"the attributes {', '.join(sorted(present))}" if present else "no attributes"
        hint = "say which one is the size of the output: catalytic import FILE --size-attribute NAME"
        mistakes.append(Mistake("nodes", found, f"one of {', '.join(SIZE_ATTRIBUTES)}", hint))
    ends = next((pair for pair in _ENDS if not edges or set(pair) <= edges[0].keys()), None)
    if ends is None:
        found = f"the keys {', '.join(sorted(edges[0]))}" if edges[0] else "no keys"
        mistakes.append(Mistake(f"{section}[0]", found, " or ".join(f"{a!r} and {b!r}" for a, b in _ENDS)))
    if chosen is None or ends is None or mistakes:
        raise InputError(origin, mistakes)
    return Attributes(
        id="id" if "id" in present else "name",
        size=chosen,
        duration=duration or next((name for name in DURATION_ATTRIBUTES if name in present), None),
        ends=ends,
    )


def _directedness(document: Record) -> Iterable[Mistake]:
    if document.get("directed", True) is not True:
        yield Mistake("directed", describe(document["directed"]), "true: an edge leads from a writer to a reader")


def _key(value: object) -> str:
    """An id as a text that is equal exactly for equal ids: 1 and "1" differ; networkx writes tuples as lists."""
    return json.dumps(value, sort_keys=True)


def _ids(nodes: Sequence[Record], key: str, mistakes: list[Mistake]) -> dict[str, int]:
    """Id of each node -> its position."""
    place: dict[str, int] = {}
    for i, node in enumerate(nodes):
        if node.get(key) is None:
            mistakes.append(Mistake(f"nodes[{i}].{key}", "nothing", "the id of the node"))
            continue
        name = _key(node[key])
        if name in place:
            mistakes.append(Mistake(f"nodes[{i}].{key}", name, f"each id once; it stands at nodes[{place[name]}]"))
        place.setdefault(name, i)
    return place


def _edges(
    edges: Sequence[Record], section: str, ends: tuple[str, str], place: Mapping[str, int], mistakes: list[Mistake]
) -> dict[int, dict[int, int]]:
    """Position of each node -> its predecessors, each with the position of the edge that says so. Parallels are one."""
    before: dict[int, dict[int, int]] = {i: {} for i in place.values()}
    for number, edge in enumerate(edges):
        at = []
        for end in ends:
            if end not in edge:
                mistakes.append(Mistake(join(f"{section}[{number}]", end), "nothing", "the id of a node"))
            elif (name := _key(edge[end])) not in place:
                hint = did_you_mean(name, place)
                mistakes.append(Mistake(join(f"{section}[{number}]", end), name, "the id of a node", hint))
            else:
                at.append(place[name])
        if len(at) == 2:
            before[at[1]].setdefault(at[0], number)
    return before


def _sizes(nodes: Sequence[Record], attribute: str, mistakes: list[Mistake]) -> list[int]:
    """Bytes of each node's output, fractions rounded up."""
    sizes = []
    for i, node in enumerate(nodes):
        value = node.get(attribute)
        try:
            if isinstance(value, float):
                value = int(Decimal(str(value)).to_integral_value(rounding=ROUND_CEILING))
            if not isinstance(value, (int, str)) or isinstance(value, bool):
                raise ValueError
            sizes.append(int(parse_size(value)))
        except ValueError:
            found = describe(node[attribute]) if attribute in node else "nothing"
            allowed = f"{SIZE_FORM}, 0 to {MAX_BYTES} bytes"
            mistakes.append(Mistake(join(f"nodes[{i}]", attribute), found, allowed))
    return sizes


def _costs(nodes: Sequence[Record], attribute: str | None, mistakes: list[Mistake]) -> list[Decimal]:
    """Duration of each node in the unit of the file; 1 where it has none."""
    if attribute is None:
        return [Decimal(1)] * len(nodes)
    costs = []
    for i, node in enumerate(nodes):
        value = node.get(attribute)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            costs.append(Decimal(str(value)))
        else:
            found = describe(value) if attribute in node else "nothing"
            mistakes.append(Mistake(join(f"nodes[{i}]", attribute), found, "a number from 0"))
    return costs


def _unit(costs: Sequence[Decimal]) -> Decimal:
    """Milliseconds of one unit of duration."""
    unit = Decimal(1000) if any(cost != int(cost) for cost in costs) else Decimal(1)
    while max(costs) * unit > _LONGEST_MS:
        unit /= 10
    return unit


def _called(nodes: Sequence[Record], ids: Sequence[str]) -> list[str]:
    """The id of each task: names that are texts and differ, or else the ids of the nodes."""
    names = [name for node in nodes if isinstance(name := node.get("name"), str) and name]
    if len(set(names)) == len(nodes):
        return names
    plain = [str(value) if isinstance(value := json.loads(text), str) else text for text in ids]
    return plain if len(set(plain)) == len(plain) else list(ids)


def _refuse_cycle(before: Mapping[int, Mapping[int, int]], called: Sequence[str], section: str, origin: str) -> None:
    """``InputError`` that names a cycle of nodes and its last edge."""
    successors: dict[str, list[str]] = {name: [] for name in called}
    stated: dict[tuple[str, str], int] = {}
    for node, sources in before.items():
        for source, number in sources.items():
            successors[called[source]].append(called[node])
            stated[called[source], called[node]] = number
    cycle = find_cycle(successors)
    if cycle:
        place = f"{section}[{stated[cycle[-2], cycle[-1]]}]"
        raise InputError(origin, [Mistake(place, f"the cycle {' -> '.join(cycle)}", "no cycle")])


def _said_of_durations(attribute: str | None, costs: Sequence[Decimal], unit: Decimal) -> Iterable[str]:
    if attribute is None:
        yield "nodes state no duration: each task lasts 1 ms"
        return
    length = f"{unit:f} ms" if unit < 1000 else "1 s"
    why = ", so that the longest task lasts an hour at most" if unit not in (1, 1000) else ""
    yield f"a unit of {attribute!r} lasts {length}{why} (--scale-time changes it)"
    instant = sum(cost == 0 for cost in costs)
    if instant:
        yield f"nodes of no duration ({instant}) are tasks of 1 ms"


def _ignored(document: Record, nodes: Sequence[Record], edges: Sequence[Record], names: Attributes) -> Iterable[str]:
    """What the file says and the problem does not."""
    empty = sum(node[names.size] == 0 for node in nodes)
    if empty:
        yield f"nodes of size zero ({empty}) are edges without a region"
    ignored = Counter(
        key for node in nodes for key in node if key not in (names.id, names.size, names.duration, "name")
    )
    ignored.update(f"{key} of edges" for edge in edges for key in edge if key not in names.ends)
    graph = document.get("graph")
    if isinstance(graph, Mapping) and "order" in graph:
        ignored["graph.order"] = 1
    if ignored:
        yield f"ignored: {', '.join(f'{key} ({count})' for key, count in sorted(ignored.items()))}"
