"""DOT: the language against pydot and against its grammar, graphs as problems, and problems as graphs."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.dot import dump_dot, import_dot
from catalytic.solver.formats.dot_text import is_dot, parse_dot
from catalytic.solver.problem import Buffer, Problem, Task
from catalytic.solver.units import Bytes, Tick
from tests.builders import random_problem

from .files import DATA, Write, writer

REAL = sorted(DATA.glob("*/*.dot"))

SURVEY = """// a comment
digraph survey {
  node [size="1kB", color=red]   /* of those that
                                    follow */
  read [duration=4]; "clean up" [duration=6, size=3000]
  read -> "clean up" -> stack [label="x -> y"]
  subgraph late { node [size=5] last [duration=1] }
  stack [duration=5];
}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "graph.dot")


def test_nodes_are_tasks_with_one_output_and_defaults_hold_in_their_scope(write: Write) -> None:
    imported = import_dot(write(SURVEY))
    problem = imported.problem

    assert detect(write(SURVEY)) == "dot"
    assert problem.name == "survey"
    assert {b.id: b.size for b in problem.buffers} == {"read": 1000, "clean up": 3000, "stack": 1000, "last": 5}
    assert {t.id: (t.duration, t.inputs) for t in problem.tasks} == {
        "read": (4, ()),
        "clean up": (6, ("read",)),
        "stack": (5, ("clean up",)),
        "last": (1, ()),
    }
    assert "ignored: color (4), label of edges (2)" in imported.assumptions


def test_a_graph_without_sizes_is_order_alone_until_one_is_given(write: Write) -> None:
    path = write('digraph { a -> {b c} -> d [weight=3] "a":n -> d }')

    bare, sized = import_dot(path), import_dot(path, buffer_size=64, duration=None)

    assert bare.problem.buffers == ()
    assert {(p, t.id) for t in bare.problem.tasks for p in t.after} == {
        (*"ab",),
        (*"ac",),
        (*"bd",),
        (*"cd",),
        (*"ad",),
    }
    assert any("--buffer-size" in said for said in bare.assumptions)
    assert {b.size for b in sized.problem.buffers} == {64}
    assert sized.problem.graph.predecessors == bare.problem.graph.predecessors


@pytest.mark.parametrize(
    ("text", "nodes", "edges"),
    [
        ("strict digraph{a->b;b->c}", {"a", "b", "c"}, [("a", "b"), ("b", "c")]),
        ('DIGRAPH "x" { "a" + "b" -> -1.5; .5 }', {"ab", "-1.5", ".5"}, [("ab", "-1.5")]),
        ('digraph { "say \\"hi\\"" [label="two\\nlines"] }', {'say "hi"'}, []),
        ("digraph { a [label=<<b>bold</b> and <i>x</i>>] b }", {"a", "b"}, []),
        ("# first line\ndigraph { a:port:n -> b:s\n# a comment\n}", {"a", "b"}, [("a", "b")]),
        ("digraph { subgraph s { a b } -> subgraph { c } }", {"a", "b", "c"}, [("a", "c"), ("b", "c")]),
        ("digraph { rankdir=LR graph [x=1] edge [y=2] node [z=3] a }", {"a"}, []),
        ('digraph { "long \\\nname" }', {"long name"}, []),
    ],
)
def test_the_grammar_is_graphvizs(text: str, nodes: set[str], edges: list[tuple[str, str]]) -> None:
    graph = parse_dot(text, "text")

    assert is_dot(text.encode())
    assert set(graph.nodes) == nodes
    assert [(e.tail, e.head) for e in graph.edges] == edges


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("digraph {\na ->", "line 2: found the end of the text, allowed a node, an edge"),
        ("digraph {\na -> b\n", "line 3: found the end of the text"),
        ('digraph {\na [label="x]\n}', "line 2: found '\"x]', allowed DOT; a quotation mark is not closed"),
        ("digraph { a @ b }", "line 1: found '@ b }', allowed DOT"),
        ("digraph {\n\na -- b }", "line 3: found '--', allowed '->' in a digraph"),
        ("digraph { a [x=] }", "line 1: found ']', allowed a value"),
        ("digraph { a [=1] }", "found '=', allowed the name of an attribute"),
        ("digraph " + "{" * 200, "allowed at most 100 subgraphs inside each other"),
        ('digraph { "a" + b }', "found 'b', allowed a quoted text"),
        ("graph { a -- b }", "line 1: found graph, allowed digraph"),
        ("digraph { }", "the graph: found no nodes"),
        ("digraph {\n a -> b\n b -> a }", "line 3: found the cycle a -> b -> a"),
        ("digraph { a [size=x] }", "line 1 (node 'a').size: found 'x'"),
        ("digraph { a [size=1] b }", "line 1 (node 'b').size: found nothing"),
        ("digraph { a [size=1, duration=soon] }", "(node 'a').duration: found 'soon', allowed a number from 0"),
        ("digraph { duration_unit=weeks a }", "duration_unit: found 'weeks', allowed ms or s"),
    ],
)
def test_a_defect_is_told_by_its_line(text: str, message: str, write: Write) -> None:
    with pytest.raises(InputError) as caught:
        import_dot(write(text))

    assert message in str(caught.value)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real graphs: set CATALYTIC_DATA")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_graph_reads_as_it_does_to_pydot(path: Path) -> None:
    """pydot takes seconds for the larger ones, so it is shown their first statements."""
    pydot = pytest.importorskip("pydot")
    lines = path.read_text().splitlines()
    text = "\n".join(lines if len(lines) < 200 else [*lines[:120], "}"])

    graph = parse_dot(text, path.name)
    (theirs,) = pydot.graph_from_dot_data(text)
    ends = [(plain(e.get_source()), plain(e.get_destination())) for e in theirs.get_edges()]
    nodes = [n for n in theirs.get_nodes() if n.get_name() not in ("node", "edge")]

    assert [(e.tail, e.head) for e in graph.edges] == ends
    assert {n: graph.nodes[n].attributes.get("label", "") for n in map(plain, (n.get_name() for n in nodes))} == {
        plain(n.get_name()): plain(n.get("label")) for n in nodes
    }
    assert len(nodes) > 10


def plain(text: str | None) -> str:
    """A text of pydot, which keeps quotation marks, and has None where there is none."""
    return (text or "").strip('"')


def one_output_each(problem: Problem) -> Problem:
    """``problem`` with one output per task, called as the task: what a graph of nodes with a size can say."""
    sizes = {t.id: sum(problem.graph.buffer[b].size for b in t.outputs) for t in problem.tasks}
    return Problem(
        name=problem.name,
        tasks=tuple(
            Task(t.id, t.duration, inputs=problem.graph.predecessors[t.id], outputs=(t.id,)) for t in problem.tasks
        ),
        buffers=tuple(Buffer(name, Bytes(size)) for name, size in sizes.items()),
    )


@pytest.mark.parametrize("seed", range(10))
def test_what_is_written_is_read_back(seed: int, write: Write) -> None:
    problem = one_output_each(random_problem(Random(seed)))

    again = import_dot(write(dump_dot(problem))).problem

    assert (again.name, again.tasks, again.buffers) == (problem.name, problem.tasks, problem.buffers)


names = st.text(
    st.characters(exclude_characters="\\\x00\r", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@given(ids=st.lists(names, min_size=1, max_size=5, unique=True), hours=st.integers(1, 2**30))
def test_any_name_and_any_duration_survive(
    ids: list[str], hours: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Durations above an hour too: the unit is stated, so none is guessed."""
    tasks = tuple(Task(name, Tick(hours), after=(ids[k - 1],) if k else ()) for k, name in enumerate(ids))
    path = tmp_path_factory.mktemp("dot") / "graph.dot"
    path.write_text(dump_dot(Problem("any", tasks, ())), newline="")

    again = import_dot(path).problem

    assert {t.id: (t.duration, t.after) for t in again.tasks} == {t.id: (t.duration, t.after) for t in tasks}


def test_edges_of_mere_order_are_dashed_and_buffers_are_named() -> None:
    problem = Problem(
        "order",
        (
            Task("a", Tick(1), outputs=("x", "y")),
            Task("b", Tick(1), inputs=("x", "y")),
            Task("c", Tick(1), after=("a",)),
        ),
        (Buffer("x", Bytes(2000)), Buffer("y", Bytes(3))),
    )

    text = dump_dot(problem)

    assert '"a" -> "b" [label="x (2kB), y (3B)"]' in text
    assert '"a" -> "c" [style=dashed]' in text
    assert "size" not in text


def test_brackets_that_never_close_are_told_at_once() -> None:
    """Each begins a text that ends with its own bracket; none of them is a reason to copy the rest of the file."""
    text = "digraph g {" + " <a>" * 100_000
    began = time.monotonic()

    with pytest.raises(InputError, match="the file seems to be truncated"):
        parse_dot(text, "g.dot")

    assert time.monotonic() - began < 10  # 0.5 s; copies made it a minute
