"""HyperDAG files: real ones where they are present, and small ones with every trap."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect, dump_problem, import_hyperdag, parse_problem
from catalytic.solver.problem import Isolation

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data"))
FOLDERS = ("hyperdag", "remat/apache2-onestopparallel", "remat/ccby4-hyperdag_db")
REAL = sorted(p for name in FOLDERS for p in (DATA / name).glob("*.[ht]*"))

SMALL = """%% a diamond: 0 writes for 1 and 2, which write for 3; 3 writes nothing
3 4 7
0 1 10
1 1 20
2 1 0
0 5
1 0
%% comments may stand between the sections
2 7
3 1
0 0
0 1
0 2
1 1
1 3
2 2
2 3
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "small.hdag"
        path.write_text(text)
        return path

    return to_file


def test_a_hyperedge_is_a_buffer_and_its_first_pin_the_writer(write: Write) -> None:
    imported = import_hyperdag(write(SMALL))
    problem, graph = imported.problem, imported.problem.graph

    assert problem.name == "small"
    assert {b.id: b.size for b in problem.buffers} == {"e0": 10, "e1": 20, "e2": 0}
    assert {t.id: t.duration for t in problem.tasks} == {"n0": 5, "n1": 1, "n2": 7, "n3": 1}
    assert dict(graph.writer) == {"e0": "n0", "e1": "n1", "e2": "n2"}
    assert graph.readers["e0"] == ("n1", "n2")
    assert graph.predecessors["n3"] == ("n1", "n2")
    assert graph.task["n3"].outputs == ()
    assert "e2" not in graph.resident
    said = "\n".join(imported.assumptions)
    for part in ("memory weight is 1 byte", "unit of work lasts 1 ms", "no work (1)", "produce nothing (1)", "30B"):
        assert part in said


def test_sizes_count_as_they_are_and_everything_fits(write: Write) -> None:
    workspace = import_hyperdag(write(SMALL)).problem.workspace

    assert (workspace.size, workspace.partitions, workspace.alignment) == (30, 1, 1)
    assert workspace.isolation is Isolation.SHARED
    assert import_hyperdag(write(SMALL), alignment=16).problem.workspace.size == 16 + 32


def test_scaling_multiplies_weights_and_rounds_up(write: Write) -> None:
    problem = import_hyperdag(write(SMALL), scale_sizes=0.25, scale_time=10.0).problem

    assert {b.id: b.size for b in problem.buffers} == {"e0": 3, "e1": 5, "e2": 0}
    assert {t.id: t.duration for t in problem.tasks} == {"n0": 50, "n1": 1, "n2": 70, "n3": 10}


@pytest.mark.parametrize(
    ("text", "size", "duration", "said"),
    [
        ("1 2 2\n0\n0\n1\n0 0\n0 1\n", 1, 1, ["state no size", "state no work"]),
        ("1 2 2\n0 7\n0 3\n1 3\n0 0\n0 1\n", 7, 3, ["communication weight is 1 byte", "unit of work lasts"]),
        (
            "%\t There are 1 unique operation vertex types present in this graph.\n"
            "1 2 2 and the rest of this line is nobody's\n0 % none\n0 9 0 0\n1 9 0 1\n0 0\n0 1\n",
            1,
            1,
            ["state no size", "state no work"],
        ),
    ],
    ids=["nothing stated", "communication and work", "vertex types instead of work"],
)
def test_weights_that_are_missing_are_one(text: str, size: int, duration: int, said: list[str], write: Write) -> None:
    imported = import_hyperdag(write(text))

    assert [b.size for b in imported.problem.buffers] == [size]
    assert {t.duration for t in imported.problem.tasks} == {duration}
    for part in said:
        assert part in "\n".join(imported.assumptions)


def test_a_compressed_file_gives_the_same_problem(tmp_path: Path, write: Write) -> None:
    packed = tmp_path / "small.hdag.gz"
    packed.write_bytes(gzip.compress(SMALL.encode()))

    assert detect(packed) == "hyperdag"
    assert import_hyperdag(packed).problem == import_hyperdag(write(SMALL)).problem


@st.composite
def hyperdags(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[int], list[tuple[int, list[int]]]]:
    """Weights of hyperedges, works of nodes, and for each hyperedge its producer and readers; without cycles."""
    nodes = draw(st.integers(1, 8))
    works = draw(st.lists(st.integers(0, 99), min_size=nodes, max_size=nodes))
    edges = []
    for producer in range(nodes):
        for _ in range(draw(st.integers(0, 2))):
            readers = draw(st.lists(st.integers(producer + 1, nodes - 1), unique=True)) if producer + 1 < nodes else []
            edges.append((producer, readers))
    weights = [(draw(st.integers(0, 9)), draw(st.integers(0, 99))) for _ in edges]
    return weights, works, edges


@given(drawn=hyperdags())
@settings(max_examples=60, deadline=None)
def test_what_is_written_as_a_hyperdag_is_read_back(
    drawn: tuple[list[tuple[int, int]], list[int], list[tuple[int, list[int]]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    weights, works, edges = drawn
    pins = [(e, n) for e, (producer, readers) in enumerate(edges) for n in (producer, *readers)]
    lines = [f"{len(edges)} {len(works)} {len(pins)}"]
    lines += [f"{e} {comm} {memory}" for e, (comm, memory) in enumerate(weights)]
    lines += [f"{n} {work}" for n, work in enumerate(works)]
    lines += [f"{e} {n}" for e, n in pins]
    path = tmp_path_factory.mktemp("hdag") / "drawn.hdag"
    path.write_text("\n".join(lines) + "\n")

    problem = import_hyperdag(path).problem

    assert {t.id: t.duration for t in problem.tasks} == {f"n{n}": max(1, work) for n, work in enumerate(works)}
    assert {b.id: b.size for b in problem.buffers} == {f"e{e}": memory for e, (_, memory) in enumerate(weights)}
    for e, (producer, readers) in enumerate(edges):
        assert problem.graph.writer[f"e{e}"] == f"n{producer}"
        assert set(problem.graph.readers[f"e{e}"]) == {f"n{n}" for n in readers}


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (("3 4 7", "3 4"), ["line 2: found 2 numbers, allowed three"]),
        (("3 4 7", "3 4 8"), ["found 14 lines after the header", "3 hyperedges + 4 nodes + 8 pins = 15 (line 2)"]),
        (("3 4 7", "9 9 14"), ["14 lines", "a sparse matrix states rows, columns and entries"]),
        (("0 1 10", "0 1 ten"), ["line 3: found '0 1 ten', allowed whole numbers of 1 to 19 digits"]),
        (("0 1 10", "0 -1 10"), ["line 3: found '0 -1 10'"]),
        (("1 1 20", "0 1 20"), ["line 4: found hyperedge 0, allowed each hyperedge once; it stands at line 3"]),
        (("1 1 20", "3 1 20"), ["line 4: found hyperedge 3, allowed 0 to 2"]),
        (("2 7", "1 7"), ["line 9: found node 1, allowed each node once; it stands at line 7"]),
        (("2 7", "2 9999999999999"), ["line 9: found a weight of 9999999999999, allowed 0 to", "ms"]),
        (("2 1 0", f"2 1 {2**62 + 1}"), ["line 5: found a weight of", "bytes"]),
        (("0 2\n", "0 4\n"), ["line 13: found node 4, allowed 0 to 3"]),
        (("0 2\n", "7 2\n"), ["line 13: found hyperedge 7, allowed 0 to 2"]),
        (("0 2\n", "0\n"), ["line 13: found one number, allowed a hyperedge and a node"]),
        (("0 2\n", "0 1\n"), ["line 13: found pin 0 1, allowed each pin once; it stands at line 12"]),
        (("2 2\n2 3\n", "1 0\n1 2\n"), ["line 5: found a hyperedge without a pin"]),
        (("1 3\n", "1 0\n"), ["line 15: found the cycle n0 -> n1 -> n0"]),
    ],
)
def test_a_defect_is_told_by_its_line(change: tuple[str, str], messages: list[str], write: Write) -> None:
    assert change[0] in SMALL
    with pytest.raises(InputError) as caught:
        import_hyperdag(write(SMALL.replace(*change, 1)))

    for message in messages:
        assert message in str(caught.value)


def test_all_defects_are_told_at_once_and_many_are_counted(write: Write) -> None:
    with pytest.raises(InputError) as caught:
        import_hyperdag(write(SMALL.replace("1 1 20", "5 1 20").replace("0 2\n", "0 9\n")))
    assert {m.path for m in caught.value.mistakes} >= {"line 4", "line 13"}

    with pytest.raises(InputError) as caught:
        import_hyperdag(write("0 1 1000\n0 1\n" + "5 5\n" * 1000))
    assert len(caught.value.mistakes) == 51
    assert "more mistakes" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "no numbers"), (b"% nothing\n", "no numbers"), (b"0 0 0\n", "no nodes"), (b"1 1 1\n\xff", "byte 0xff")],
)
def test_a_file_without_a_graph_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.hdag"
    path.write_bytes(data)

    with pytest.raises(InputError, match=message):
        import_hyperdag(path)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real graphs: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_graph_is_imported_whole(path: Path) -> None:
    rows = [words for line in path.read_text().splitlines() if (words := line.partition("%")[0].split())]
    hyperedges, nodes, pins = map(int, rows[0][:3])
    first: dict[str, str] = {}
    edges = {(first.setdefault(e, n), n) for e, n in rows[1 + hyperedges + nodes :]}

    problem = import_hyperdag(path).problem

    assert detect(path) == "hyperdag"
    assert (len(problem.buffers), len(problem.tasks)) == (hyperedges, nodes)
    assert sum(len(t.inputs) + len(t.outputs) for t in problem.tasks) == pins
    found = {(p, t) for t, before in problem.graph.predecessors.items() for p in before}
    assert found == {(f"n{a}", f"n{b}") for a, b in edges if a != b}
    assert problem.graph.external == ()
    assert parse_problem(dump_problem(problem), "again.json") == problem
