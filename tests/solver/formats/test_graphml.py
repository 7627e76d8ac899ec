"""GraphML: what networkx writes is read back, and small files with every trap."""

from __future__ import annotations

import gzip
from pathlib import Path

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect, dump_problem, parse_problem
from catalytic.solver.formats.graphml import import_graphml

from .files import Write, writer

SMALL = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
  <key id="d0" for="node" attr.name="size" attr.type="string"><default>1kB</default></key>
  <key id="d1" for="node" attr.name="duration" attr.type="double"/>
  <key id="d2" for="node" attr.name="colour" attr.type="string"/>
  <key id="d3" for="node" yfiles.type="nodegraphics"/>
  <key id="d4" for="edge" attr.name="weight" attr.type="int"/>
  <graph id="survey" edgedefault="directed">
    <node id="read"><data key="d1">0.5</data><data key="d2">red</data></node>
    <node id="clean"><data key="d0">3000</data><data key="d1">2</data><data key="d3"><y:ShapeNode/></data></node>
    <edge source="read" target="clean"><data key="d4">7</data></edge>
  </graph>
</graphml>
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "graph.graphml")


def test_nodes_are_tasks_and_defaults_count(write: Write) -> None:
    imported = import_graphml(write(SMALL))
    problem = imported.problem

    assert detect(write(SMALL)) == detect(write(gzip.compress(SMALL.encode()))) == "graphml"
    assert problem.name == "survey"
    assert {b.id: b.size for b in problem.buffers} == {"read": 1000, "clean": 3000}
    assert {t.id: (t.duration, t.inputs) for t in problem.tasks} == {"read": (500, ()), "clean": (2000, ("read",))}
    said = "\n".join(imported.assumptions)
    for part in ("ignored: colour (1)", "ignored: data of edges (1)", "a unit of 'duration' lasts 1 s"):
        assert part in said


def test_attributes_may_be_named_and_sizes_given(write: Write) -> None:
    bare = SMALL.replace("size", "peak").replace("duration", "heat")

    named = import_graphml(write(bare), size_attribute="peak", duration_attribute="heat").problem
    given_one = import_graphml(write(bare), buffer_size=5).problem

    assert named == import_graphml(write(SMALL)).problem
    assert {b.size for b in given_one.buffers} == {5}


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (("</graph>", ""), ["line 13, column", "mismatched tag"]),
        (("</graphml>", ""), ["no element found", "truncated"]),
        (('edgedefault="directed"', 'edgedefault="undirected"'), ["line 8 (graph), edgedefault: found 'undirected'"]),
        (('target="clean"', 'target="claen"'), ["line 11 (edge), target: found 'claen'", "did you mean 'clean'?"]),
        (('source="read"', ""), ["line 11 (edge), source: found nothing"]),
        (('target="clean"', 'target="clean" directed="false"'), ["line 11 (edge), directed: found 'false'"]),
        (('id="clean"', 'id="read"'), ["line 10 (node), id: found 'read', allowed each id once; it stands at line 9"]),
        (('id="clean"', 'id=""'), ["line 10 (node), id: found nothing"]),
        (('<data key="d1">2<', '<data key="d1">two<'), ["line 10 (data), duration: found 'two', allowed a number"]),
        (('<data key="d1">2<', '<data key="d1">nan<'), ["duration: found 'nan'"]),
        (('<data key="d1">2</data>', ""), ["line 10 (node 'clean').duration: found nothing"]),
        (("3000", "3 pigs"), ["line 10 (node 'clean').size: found '3 pigs'"]),
        (('"double"', '"complex"'), ["line 4 (key), attr.type: found 'complex', allowed one of int"]),
        (('id="d1" ', ""), ["line 4 (key), id: found nothing"]),
        (("<edge ", "<hyperedge/><edge "), ["line 11 (hyperedge): found the element hyperedge"]),
        (('id="read">', 'id="read"><graph/>'), ["line 9 (graph): found a graph inside a node"]),
        (("</graphml>", '<graph edgedefault="directed"/></graphml>'), ["found 2 graphs (line 8, line 13)"]),
        (('source="read" target="clean"', 'source="read" target="read"'), ["line 11 (edge): found the cycle read -> "]),
        (("<graphml ", '<!DOCTYPE g [<!ENTITY a "b">]><graphml '), ["line 2: found the entity 'a' declared"]),
        (('"UTF-8"', '"x-none"'), ["line 1", "unknown encoding"]),
    ],
)
def test_a_defect_is_told_by_its_line(change: tuple[str, str], messages: list[str], write: Write) -> None:
    assert change[0] in SMALL
    with pytest.raises(InputError) as caught:
        import_graphml(write(SMALL.replace(*change, 1)))

    for message in messages:
        assert message in str(caught.value)


def test_all_defects_are_told_at_once(write: Write) -> None:
    with pytest.raises(InputError) as caught:
        import_graphml(write(SMALL.replace("0.5", "y").replace('target="clean"', 'target="x"')))

    assert [m.path for m in caught.value.mistakes] == [
        "line 9 (data), duration",
        "line 11 (edge), target",
    ]


@settings(max_examples=40, deadline=None)
@given(
    nodes=st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 1e6)), min_size=1, max_size=6),
    picks=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8),
)
def test_what_networkx_writes_is_read_as_networkx_reads_it(
    nodes: list[tuple[int, float]], picks: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    graph = networkx.DiGraph()
    for k, (size, duration) in enumerate(nodes):
        graph.add_node(f"n{k}", size=size, duration=duration)
    graph.add_edges_from((f"n{a}", f"n{b}") for a, b in picks if a < b < len(nodes))
    path = tmp_path_factory.mktemp("graphml") / "graph.graphml"
    networkx.write_graphml(graph, path)
    theirs = networkx.read_graphml(path)

    problem = import_graphml(path, scale_time=1.0).problem

    assert {b.id: b.size for b in problem.buffers} == {n: d["size"] for n, d in theirs.nodes(data=True)}
    assert {(p, t) for t, before in problem.graph.predecessors.items() for p in before} == set(theirs.edges)
    assert parse_problem(dump_problem(problem), "again") == problem
