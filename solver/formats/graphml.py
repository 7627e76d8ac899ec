"""GraphML as problems: graphs in XML, as networkx, igraph, Gephi and yEd write them.

::

    <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
      <key id="d0" for="node" attr.name="size" attr.type="long"><default>0</default></key>
      <graph edgedefault="directed">
        <node id="a"><data key="d0">100</data></node>
        <node id="b"/>
        <edge source="a" target="b"/>
      </graph>
    </graphml>

A node is a task of the name of its id; sizes and durations are attributes of nodes, found as ``attributed`` says, and a
graph without sizes gives tasks without buffers. Values have the type that their key declares. Data of the kind that
yEd draws with (keys without a name) are passed over. Undirected graphs or edges, several graphs, graphs inside nodes
and hyperedges are refused.

Rejected: the reader of networkx, which adds nodes that an edge alone mentions, merges nodes of one id, and cannot say
where a mistake stands. It is the oracle of the tests.

Source: the GraphML primer, graphml.graphdrawing.org.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from .attributed import Edge, Node, attributed_graph, choose_attributes, ignored_attributes
from .foreign import Gaps, Imported, refuse_scales
from .json_text import describe, read_bytes
from .reading import refuse, unpacked
from .xml_tree import Element, parse_xml, root_name

_UNDIRECTED = "directed: an edge leads to what follows"
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError
    return value


_TYPES: Mapping[str, tuple[Callable[[str], object], str]] = {
    "int": (_whole, "a whole number"),
    "integer": (_whole, "a whole number"),
    "long": (_whole, "a whole number"),
    "float": (_real, "a number"),
    "double": (_real, "a number"),
    "boolean": (lambda text: _TRUTHS[text.lower()], "true or false"),
    "string": (str, "text"),
}
"""``attr.type`` -> how a value is read, and what is allowed."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What a ``key`` declares: the name of an attribute, its type, and the text of its default if there is one."""

    name: str
    type: str
    default: str | None


def is_graphml(data: bytes) -> bool:
    """Whether ``data`` is XML whose outermost element is ``graphml``."""
    return root_name(data) == "graphml"


def import_graphml(
    path: Path, *, size_attribute: str | None = None, duration_attribute: str | None = None, **gaps: Unpack[Gaps]
) -> Imported:
    """The graph in ``path`` (also compressed with gzip) as a problem; ``InputError`` with its mistakes by line."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    root = parse_xml(unpacked(read_bytes(path), origin), origin)
    graph = _graph(root, origin)
    mistakes: list[Mistake] = []
    keys = dict(_keys(root, mistakes))
    at = _positions(graph, mistakes)
    nodes = [
        Node(name, f"line {element.line} (node {name!r})", _data(element, keys, mistakes))
        for element in graph.all("node")
        for name in [element.attributes.get("id", "")]
    ]
    edges = list(_edges(graph, at, mistakes))
    attributes, unknown = choose_attributes(
        (k for node in nodes for k in node.attributes), size_attribute, duration_attribute
    )
    refuse(origin, [*mistakes, *unknown])
    return attributed_graph(
        origin,
        graph.attributes.get("id") or path.name.removesuffix(".gz").removesuffix(".graphml"),
        nodes,
        edges,
        attributes,
        assumptions=[*ignored_attributes(nodes, attributes), *_ignored_of_edges(graph)],
        **gaps,
    )


def _graph(root: Element, origin: str) -> Element:
    """The one directed graph of the file."""
    graphs = list(root.all("graph"))
    if root.name != "graphml":
        raise InputError(origin, [Mistake(root.place, f"the element {root.name}", "graphml")])
    if len(graphs) != 1:
        places = ", ".join(f"line {g.line}" for g in graphs)
        found = f"{len(graphs)} graphs ({places})" if graphs else "no graph"
        raise InputError(origin, [Mistake(root.place, found, "one graph")])
    graph = graphs[0]
    mistakes = [
        Mistake(child.place, f"the element {child.name}", "nodes and edges")
        for child in graph.all("hyperedge", "graph")
    ]
    mistakes += [
        Mistake(inner.place, "a graph inside a node", "nodes") for n in graph.all("node") for inner in n.all("graph")
    ]
    if graph.attributes.get("edgedefault") != "directed":
        found = describe(graph.attributes["edgedefault"]) if "edgedefault" in graph.attributes else "nothing"
        mistakes.append(Mistake(f"{graph.place}, edgedefault", found, _UNDIRECTED))
    if next(graph.all("node"), None) is None:
        mistakes.append(Mistake(graph.place, "no nodes", "at least one"))
    refuse(origin, mistakes)
    return graph


def _keys(root: Element, mistakes: list[Mistake]) -> Iterator[tuple[str, _Key]]:
    """Declared attributes of nodes by the id of their key."""
    for key in root.all("key"):
        stated = key.attributes
        if stated.get("for", "all") not in ("node", "all") or "attr.name" not in stated:
            continue
        kind = stated.get("attr.type", "string")
        if kind not in _TYPES:
            mistakes.append(Mistake(f"{key.place}, attr.type", describe(kind), f"one of {', '.join(_TYPES)}"))
        elif "id" not in stated:
            mistakes.append(Mistake(f"{key.place}, id", "nothing", "the id of the key"))
        else:
            default = next(key.all("default"), None)
            yield stated["id"], _Key(stated["attr.name"], kind, default.text if default is not None else None)


def _positions(graph: Element, mistakes: list[Mistake]) -> dict[str, int]:
    """Id of each node -> its position."""
    at: dict[str, int] = {}
    lines: dict[str, int] = {}
    for k, node in enumerate(graph.all("node")):
        name = node.attributes.get("id")
        if not name:
            mistakes.append(Mistake(f"{node.place}, id", "nothing", "the id of the node"))
            continue
        if name in at:
            mistakes.append(Mistake(f"{node.place}, id", repr(name), f"each id once; it stands at line {lines[name]}"))
        at.setdefault(name, k)
        lines.setdefault(name, node.line)
    return at


def _data(element: Element, keys: Mapping[str, _Key], mistakes: list[Mistake]) -> dict[str, object]:
    """What is said of a node, by the names of attributes; defaults included."""
    texts = {name: (key.default, element) for name, key in keys.items() if key.default is not None}
    texts |= {data.attributes.get("key", ""): (data.text, data) for data in element.all("data")}
    found: dict[str, object] = {}
    for name, (text, where) in texts.items():
        if name not in keys:
            continue
        convert, allowed = _TYPES[keys[name].type]
        try:
            found[keys[name].name] = convert((text or "").strip())
        except (KeyError, ValueError):
            mistakes.append(Mistake(f"{where.place}, {keys[name].name}", describe(text), allowed))
    return found


def _edges(graph: Element, at: Mapping[str, int], mistakes: list[Mistake]) -> Iterator[Edge]:
    for edge in graph.all("edge"):
        ends = []
        for end in ("source", "target"):
            name = edge.attributes.get(end)
            if name is None or name not in at:
                hint = did_you_mean(name, at) if name else ""
                found = describe(name) if name is not None else "nothing"
                mistakes.append(Mistake(f"{edge.place}, {end}", found, "the id of a node", hint))
            else:
                ends.append(at[name])
        if edge.attributes.get("directed", "true") not in ("true", "1"):
            mistakes.append(Mistake(f"{edge.place}, directed", describe(edge.attributes["directed"]), _UNDIRECTED))
        if len(ends) == 2:
            yield Edge(ends[0], ends[1], edge.place)


def _ignored_of_edges(graph: Element) -> Iterable[str]:
    count = sum(1 for edge in graph.all("edge") for _ in edge.all("data"))
    if count:
        yield f"ignored: data of edges ({count})"
