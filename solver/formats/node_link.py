"""Node-link graphs as problems: the JSON that networkx and d3 write.

::

    {"directed": true, "graph": {"name": "chain"},
     "nodes": [{"id": 0, "size": 100, "duration": 2}, {"id": 1, "size": "1kB", "duration": 3}],
     "links": [{"source": 0, "target": 1}]}

Nodes are tasks with one output, sized and timed by attributes: ``attributed`` says by which, and why.

Edges stand under ``links`` or ``edges`` and name their ends ``source`` and ``target``, ``from`` and ``to``, or ``0``
and ``1``; a node is named by ``id`` or, where there is none, ``name``. Tasks are called by ``name`` when all names are
texts that differ, and by the id otherwise.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from .attributed import SIZE_ATTRIBUTES, Attributes, Edge, Node, attributed_graph, choose_attributes
from .foreign import Gaps, Imported, refuse_scales
from .json_text import describe, join, parse_json, read_bytes
from .reading import refuse, unpacked

_ENDS = (("source", "target"), ("from", "to"), ("0", "1"))

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Names:
    """What the keys of this file are: the id of a node, the two ends of an edge, and what is read of a node."""

    id: str
    ends: tuple[str, str]
    attributes: Attributes


def is_node_link(document: Mapping[str, object]) -> bool:
    """Whether a JSON object holds a list of nodes and a list of edges."""
    return isinstance(document.get("nodes"), list) and any(
        isinstance(document.get(key), list) for key in ("links", "edges")
    )


def import_node_link(
    path: Path, *, size_attribute: str | None = None, duration_attribute: str | None = None, **gaps: Unpack[Gaps]
) -> Imported:
    """The node-link graph in ``path`` (``.json`` or ``.json.gz``) as a problem.

    Sizes are multiplied by ``scale_sizes``, durations by ``scale_time``; both are rounded up. Without ``workspace`` it
    is one shared partition that holds all buffers side by side, each at a multiple of ``alignment`` bytes. Raises
    ``InputError`` with every mistake of the file.
    """
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    document = parse_json(unpacked(read_bytes(path), origin), origin)
    section = "links" if isinstance(document.get("links"), list) else "edges"
    nodes, edges = _records(document, "nodes", origin), _records(document, section, origin)
    names = _names(nodes, edges, section, size_attribute, duration_attribute, origin)

    mistakes = [*_directedness(document)]
    place = _ids(nodes, names.id, mistakes)
    between = _edges(edges, section, names.ends, place, mistakes)
    called = _called(nodes, list(place)) if len(place) == len(nodes) else [str(i) for i in range(len(nodes))]
    return attributed_graph(
        origin,
        path.name.removesuffix(".gz").removesuffix(".json"),
        [Node(called[i], f"nodes[{i}]", node) for i, node in enumerate(nodes)],
        between,
        names.attributes,
        mistakes=mistakes,
        assumptions=_ignored(document, nodes, edges, names),
        **gaps,
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


def _names(
    nodes: Sequence[Record], edges: Sequence[Record], section: str, size: str | None, duration: str | None, origin: str
) -> Names:
    """What the keys of this file are called; ``InputError`` when that cannot be told."""
    present = {key for node in nodes for key in node}
    attributes, mistakes = choose_attributes(present, size, duration)
    if attributes.size is None:
        found = f"the attributes {', '.join(sorted(present))}" if present else "no attributes"
        hint = "say which one is the size of the output: catalytic import FILE --size-attribute NAME"
        mistakes.append(Mistake("nodes", found, f"one of {', '.join(SIZE_ATTRIBUTES)}", hint))
    ends = next((pair for pair in _ENDS if not edges or set(pair) <= edges[0].keys()), None)
    if ends is None:
        found = f"the keys {', '.join(sorted(edges[0]))}" if edges[0] else "no keys"
        mistakes.append(Mistake(f"{section}[0]", found, " or ".join(f"{a!r} and {b!r}" for a, b in _ENDS)))
    if ends is None or mistakes:
        raise InputError(origin, mistakes)
    return Names("id" if "id" in present else "name", ends, attributes)


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
) -> list[Edge]:
    """The edges between positions of nodes; those that lead nowhere are mistakes."""
    between = []
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
            between.append(Edge(at[0], at[1], f"{section}[{number}]"))
    return between


def _called(nodes: Sequence[Record], ids: Sequence[str]) -> list[str]:
    """The id of each task: names that are texts and differ, or else the ids of the nodes."""
    names = [name for node in nodes if isinstance(name := node.get("name"), str) and name]
    if len(set(names)) == len(nodes):
        return names
    plain = [str(value) if isinstance(value := json.loads(text), str) else text for text in ids]
    return plain if len(set(plain)) == len(plain) else list(ids)


def _ignored(document: Record, nodes: Sequence[Record], edges: Sequence[Record], names: Names) -> Iterable[str]:
    """What the file says and the problem does not."""
    read = (names.id, names.attributes.size, names.attributes.duration, "name")
    ignored = Counter(key for node in nodes for key in node if key not in read)
    ignored.update(f"{key} of edges" for edge in edges for key in edge if key not in names.ends)
    graph = document.get("graph")
    if isinstance(graph, Mapping) and "order" in graph:
        ignored["graph.order"] = 1
    if ignored:
        yield f"ignored: {', '.join(f'{key} ({count})' for key, count in sorted(ignored.items()))}"
