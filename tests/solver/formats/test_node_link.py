"""Node-link graphs: real ones where they are present, and small ones with every trap."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect, dump_problem, import_node_link, parse_problem

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data")) / "remat" / "gpl3-moccasin"
REAL = sorted(DATA.glob("*.json"))

Write = Callable[[dict[str, Any]], Path]


def diamond() -> dict[str, Any]:
    """Four nodes; two that a parallel edge connects; a size in words, one of zero, a duration of zero."""
    return {
        "directed": True,
        "multigraph": False,
        "graph": {"order": [0, 1, 2, 3]},
        "nodes": [
            {"id": 0, "name": "top", "size": 10, "duration": 3, "colour": "red"},
            {"id": 1, "name": "left", "size": "1kB", "duration": 0},
            {"id": 2, "name": "right", "size": 0, "duration": 5},
            {"id": 3, "name": "bottom", "size": 2.5, "duration": 1},
        ],
        "links": [
            {"source": 0, "target": 1, "weight": 1},
            {"source": 0, "target": 2},
            {"source": 1, "target": 3},
            {"source": 2, "target": 3},
            {"source": 2, "target": 3},
        ],
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(document: dict[str, Any]) -> Path:
        path = tmp_path / "diamond.json"
        path.write_text(json.dumps(document))
        return path

    return to_file


def test_a_node_is_a_task_whose_output_all_successors_read(write: Write) -> None:
    imported = import_node_link(write(diamond()))
    problem, graph = imported.problem, imported.problem.graph

    assert problem.name == "diamond"
    assert {b.id: b.size for b in problem.buffers} == {"top": 10, "left": 1000, "right": 0, "bottom": 3}
    assert {t.id: t.duration for t in problem.tasks} == {"top": 3, "left": 1, "right": 5, "bottom": 1}
    assert graph.readers["top"] == ("left", "right")
    assert graph.task["bottom"].inputs == ("left", "right")
    assert graph.resident == ("bottom", "left", "top")
    assert (problem.workspace.size, problem.workspace.alignment) == (1013, 1)
    said = "\n".join(imported.assumptions)
    for part in ("'size' bytes", "'duration' lasts 1 ms", "no duration (1)", "size zero (1)"):
        assert part in said
    assert "ignored: colour (1), graph.order (1), weight of edges (1)" in said


@pytest.mark.parametrize("key", ["links", "edges"])
@pytest.mark.parametrize("ends", [("source", "target"), ("from", "to"), ("0", "1")], ids="-".join)
def test_the_dialects_say_the_same(key: str, ends: tuple[str, str], write: Write) -> None:
    original = diamond()
    other = diamond()
    other[key] = [{ends[0]: e["source"], ends[1]: e["target"]} for e in other.pop("links")]

    assert import_node_link(write(other)).problem == import_node_link(write(original)).problem
    assert detect(write(other)) == "node-link"


@pytest.mark.parametrize(
    ("size", "duration"), [("cost_ram", "cost_cpu"), ("out_cost", "duration"), ("bytes", "runtime"), ("memory", "work")]
)
def test_attributes_are_found_by_known_names_or_said(size: str, duration: str, write: Write) -> None:
    document = diamond()
    for node in document["nodes"]:
        node[size], node[duration] = node.pop("size"), node.pop("duration")
    known = import_node_link(write(document)).problem
    for node in document["nodes"]:
        node["x"], node["y"] = node.pop(size), node.pop(duration)
    said = import_node_link(write(document), size_attribute="x", duration_attribute="y").problem

    assert known == said == import_node_link(write(diamond())).problem


def test_what_is_said_wins_over_known_names(write: Write) -> None:
    document = diamond()
    for i, node in enumerate(document["nodes"]):
        node["peak"] = 7 + i

    assert import_node_link(write(document), size_attribute="peak").problem.graph.buffer["left"].size == 8


@pytest.mark.parametrize(
    ("costs", "ticks", "said"),
    [
        ([1, 2, 3, 4], [1, 2, 3, 4], "lasts 1 ms"),
        ([0.5, 2, 3, 0.0001], [500, 2000, 3000, 1], "lasts 1 s"),
        # 36 * 10^9 is an hour when a unit is 10^-4 ms.
        ([36 * 10**9, 10**9, 0, 1], [3_600_000, 100_000, 1, 1], "lasts 0.0001 ms, so that the longest"),
        ([7200.5, 1, 1, 1], [720_050, 100, 100, 100], "lasts 100 ms, so that the longest"),
    ],
    ids=["milliseconds", "seconds", "operations", "many seconds"],
)
def test_the_unit_of_durations_is_chosen_and_said(
    costs: list[float], ticks: list[int], said: str, write: Write
) -> None:
    document = diamond()
    for node, cost in zip(document["nodes"], costs, strict=True):
        node["duration"] = cost
    imported = import_node_link(write(document))

    task = imported.problem.graph.task
    assert [task[name].duration for name in ("top", "left", "right", "bottom")] == ticks
    assert said in "\n".join(imported.assumptions)


def test_scaling_comes_before_rounding(write: Write) -> None:
    problem = import_node_link(write(diamond()), scale_sizes=0.1, scale_time=0.5).problem

    assert {b.id: b.size for b in problem.buffers} == {"top": 1, "left": 100, "right": 0, "bottom": 1}
    assert {t.id: t.duration for t in problem.tasks} == {"top": 2, "left": 1, "right": 3, "bottom": 1}


def test_tasks_are_called_by_their_ids_unless_names_are_texts_that_differ(write: Write) -> None:
    document = diamond()
    document["nodes"][1]["name"] = "top"
    assert [t.id for t in import_node_link(write(document)).problem.tasks] == ["0", "1", "2", "3"]

    for node in document["nodes"]:
        node["name"] = node.pop("id")  # networkx calls the id what it is told to
    assert [t.id for t in import_node_link(write(document)).problem.tasks] == ["0", "1", "2", "3"]

    document["nodes"][0]["name"], document["links"][0]["source"], document["links"][1]["source"] = "1", "1", "1"
    ids = {t.id for t in import_node_link(write(document)).problem.tasks}
    assert ids == {'"1"', "1", "2", "3"}  # the text and the number differ


def test_a_graph_without_durations_has_tasks_of_a_millisecond(write: Write) -> None:
    document = diamond()
    for node in document["nodes"]:
        del node["duration"]
    imported = import_node_link(write(document))

    assert {t.duration for t in imported.problem.tasks} == {1}
    assert "nodes state no duration" in "\n".join(imported.assumptions)


def test_a_compressed_file_gives_the_same_problem(tmp_path: Path, write: Write) -> None:
    packed = tmp_path / "diamond.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(diamond()).encode()))

    assert detect(packed) == "node-link"
    assert import_node_link(packed).problem == import_node_link(write(diamond())).problem


@given(
    sizes=st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    bits=st.integers(0, 2**28 - 1),
    edges=st.sampled_from(["links", "edges"]),
)
@settings(max_examples=60, deadline=None)
def test_what_networkx_writes_is_read_back(
    sizes: list[int], bits: int, edges: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    graph = networkx.DiGraph()
    for i, size in enumerate(sizes):
        graph.add_node((i, "x"), size=size, duration=i)
    pairs = [(a, b) for a in range(len(sizes)) for b in range(a + 1, len(sizes))]
    graph.add_edges_from(((a, "x"), (b, "x")) for k, (a, b) in enumerate(pairs) if bits >> k & 1)
    path = tmp_path_factory.mktemp("graph") / "drawn.json"
    path.write_text(json.dumps(networkx.node_link_data(graph, edges=edges)))

    problem = import_node_link(path).problem

    name = {node: f'[{node[0]}, "x"]' for node in graph}
    assert {b.id: b.size for b in problem.buffers} == {name[n]: size for n, size in graph.nodes(data="size")}
    assert {t.id: set(t.inputs) for t in problem.tasks} == {
        name[n]: {name[p] for p in graph.predecessors(n)} for n in graph
    }


def _node(index: int, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["nodes"][index].update(values)


def _link(index: int, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["links"][index].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(directed=False), "directed: found false, allowed true"),
        (lambda d: d.update(nodes=[]), "nodes: found an empty list"),
        (lambda d: d["nodes"].append(7), "nodes[4]: found 7, allowed an object"),
        (lambda d: d["links"].append([0, 1]), "links[5]: found a list, allowed an object"),
        (lambda d: d["nodes"][2].pop("id"), "nodes[2].id: found nothing"),
        (_node(2, id=1), "nodes[2].id: found 1, allowed each id once; it stands at nodes[1]"),
        (_link(0, target=9), "links[0].target: found 9, allowed the id of a node"),
        (_link(0, target="1"), 'links[0].target: found "1"'),
        (lambda d: d["links"][1].pop("target"), "links[1].target: found nothing"),
        (lambda d: d["links"].insert(0, {"a": 0, "b": 1}), "links[0]: found the keys a, b, allowed 'source' and"),
        (_node(1, size=-1), "nodes[1].size: found -1"),
        (_node(1, size=-0.5e19), "nodes[1].size: found -5e+18"),
        (_node(1, size="big"), "nodes[1].size: found 'big'"),
        (_node(1, size=True), "nodes[1].size: found true"),
        (_node(1, size=None), "nodes[1].size: found null"),
        (lambda d: d["nodes"][1].pop("size"), "nodes[1].size: found nothing"),
        (_node(1, duration=-1), "nodes[1].duration: found -1"),
        (_node(1, duration="long"), "nodes[1].duration: found 'long'"),
        (_link(2, source=3, target=0), "links[2]: found the cycle"),
        (_link(0, source=1), "links[0]: found the cycle left -> left"),
        (_node(1, name="load:x"), "nodes[1].id: found 'load:x', allowed ids that do not begin with 'load:'"),
    ],
)
def test_a_defect_is_told_with_its_path_in_the_file(
    change: Callable[[dict[str, Any]], None], message: str, write: Write
) -> None:
    document = diamond()
    change(document)

    with pytest.raises(InputError) as caught:
        import_node_link(write(document))

    assert message in str(caught.value)


def test_a_graph_without_sizes_says_what_it_has_and_how_to_go_on(write: Write) -> None:
    document = diamond()
    for node in document["nodes"]:
        node["peak"] = node.pop("size")

    with pytest.raises(InputError, match=r"the attributes .*peak.*--size-attribute NAME"):
        import_node_link(write(document))
    with pytest.raises(InputError, match=r"--size-attribute: found 'peek'.*did you mean 'peak'"):
        import_node_link(write(document), size_attribute="peek")


def test_all_defects_are_told_at_once(write: Write) -> None:
    document = diamond()
    document["directed"] = False
    document["nodes"][0]["size"] = document["nodes"][1]["duration"] = "?"
    document["links"][3]["source"] = 17

    with pytest.raises(InputError) as caught:
        import_node_link(write(document))

    paths = [m.path for m in caught.value.mistakes]
    assert paths == ["directed", "links[3].source", "nodes[0].size", "nodes[1].duration"]


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real graphs: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_graph_is_imported_whole(path: Path) -> None:
    document = json.loads(path.read_text())
    size, key, ends = ("cost_ram", "id", "source target") if "cost_ram" in document["nodes"][0] else (
        "out_cost", "name", "0 1"
    )  # fmt: skip
    a, b = ends.split()

    imported = import_node_link(path)
    problem = imported.problem

    assert detect(path) == "node-link"
    assert len(problem.tasks) == len(problem.buffers) == len(document["nodes"])
    assert problem.graph.allocated == sum(node[size] for node in document["nodes"])
    names = {node[key]: str(node["name"]) for node in document["nodes"]}
    found = {(p, t) for t, before in problem.graph.predecessors.items() for p in before}
    assert found == {(names[e[a]], names[e[b]]) for e in document["links"]}
    assert parse_problem(dump_problem(problem), "again.json") == problem
