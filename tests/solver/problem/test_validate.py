"""A problem is valid from birth: every mistake is refused, with its place, and all of them at once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.problem import Buffer, Command, Policy, Pool, Problem, PythonCall, Task, Workspace, find_cycle
from catalytic.solver.units import MAX_BYTES, MAX_TICKS, Bytes, Tick
from tests.builders import TINY, chain, diamond, task


def mistakes(*tasks: Task, **changes: object) -> str:
    """What is said about a problem of these tasks, one mistake a line."""
    named = sorted({b for t in tasks for b in (*t.inputs, *t.outputs)})
    parts = {"name": "test", "tasks": tasks, "buffers": tuple(Buffer(b, Bytes(1)) for b in named), "workspace": TINY}
    with pytest.raises(InputError) as caught:
        Problem(**{**parts, **changes})  # type: ignore[arg-type]
    return "\n".join(map(str, caught.value.mistakes))


def test_a_cycle_is_told_as_a_cycle_with_the_edge_to_cut() -> None:
    """The ``after`` edge is the one to cut: data edges say what a task really reads."""
    message = mistakes(task("a", "", "x", after="c"), task("b", "x", "y"), task("c", "y"))

    assert message == (
        "tasks: found the cycle a -> b -> c -> a, allowed no cycle; cut c -> a, stated at tasks[0].after[0]"
    )


def test_a_task_after_itself_is_the_shortest_cycle() -> None:
    assert "the cycle a -> a" in mistakes(task("a", after="a"))


graphs = st.dictionaries(st.integers(0, 7).map(str), st.sets(st.integers(0, 7).map(str)), max_size=8)


@given(graphs)
def test_a_cycle_is_found_exactly_when_there_is_one(edges: dict[str, set[str]]) -> None:
    successors = {node: sorted(targets) for node, targets in edges.items()}
    graph = nx.DiGraph([(a, b) for a, targets in successors.items() for b in targets])

    cycle = find_cycle(successors)

    assert (cycle is None) == nx.is_directed_acyclic_graph(graph)
    if cycle is not None:
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(graph.has_edge(a, b) for a, b in pairwise(cycle))


def test_unknown_names_come_with_the_nearest_known_one() -> None:
    buffers = (Buffer("plane", Bytes(1)),)
    message = mistakes(task("project", "plain"), task("blend", after="projct"), buffers=buffers)

    assert "tasks[0].inputs[0]: found 'plain', allowed the id of a buffer; did you mean 'plane'?" in message
    assert "tasks[1].after[0]: found 'projct', allowed the id of a task; did you mean 'project'?" in message


def test_a_buffer_has_one_writer() -> None:
    assert "one writer per buffer; task 'a' writes it" in mistakes(task("a", "", "x"), task("b", "", "x"))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"buffers": (Buffer("b", Bytes(-1)),)}, "buffers[0].size"),
        ({"buffers": (Buffer("b", Bytes(MAX_BYTES + 1)),)}, "buffers[0].size"),
        ({"buffers": (Buffer("b", Bytes(1)), Buffer("b", Bytes(1)))}, "buffers[1].id"),
        ({"buffers": (Buffer("scratch:a", Bytes(1)),)}, "buffers[0].id"),
        ({"buffers": (Buffer("b", Bytes(1), export="x"),)}, "buffers[0].export"),
        ({"workspace": Workspace(Bytes(100), 0)}, "workspace.partitions"),
        ({"workspace": Workspace(Bytes(100), 1, 3)}, "workspace.alignment"),
        ({"workspace": Workspace(Bytes(4095), 1, 4096)}, "workspace.size"),
        ({"resources": (("cpu", 1),)}, "resources"),
        ({"resources": (("workers", 0),)}, "resources.workers"),
        ({"resources": (("workers", 1), ("workers", 2))}, "resources"),
        ({"pools": (Pool("p", size=Bytes(0)),)}, "pools[0].size"),
        ({"pools": (Pool("p"), Pool("q"))}, "pools[1]"),
    ],
    ids=["negative size", "absurd size", "same id", "scratch prefix", "export of an input", "no partitions",
         "alignment", "too small", "no workers", "zero workers", "resource twice", "empty pool", "key twice"],
)  # fmt: skip
def test_a_wrong_value_is_refused_at_its_place(changes: dict[str, object], place: str) -> None:
    assert place + ":" in mistakes(task("a"), **changes)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (replace(task("a"), duration=Tick(0)), "duration"),
        (replace(task("a"), duration=Tick(MAX_TICKS + 1)), "duration"),
        (replace(task("a"), timeout=Tick(0)), "timeout"),
        (replace(task("a"), scratch=Bytes(-1)), "scratch"),
        (replace(task("a"), demands=(("luck", 1),)), "demands.luck"),
        (replace(task("a"), demands=(("workers", 99),)), "demands.workers"),
        (replace(task("a"), demands=(("workers", 1), ("workers", 2))), "demands"),
        (task("a", "x x"), "inputs[1]"),
        (task("a", "x", "x"), "outputs"),
        (replace(task("a", "x", "y"), in_place=(("y", "z"),)), "in_place.y"),
        (replace(task("a", "x", "y"), in_place=(("z", "x"),)), "in_place.z"),
        (replace(task("a", "x", "y"), in_place=(("y", "x"),)), "in_place.y"),
        (replace(task("a"), run=PythonCall("no_function")), "run.python"),
    ],
    ids=["no duration", "endless", "no timeout", "negative scratch", "unknown resource", "too much", "demand twice",
         "input twice", "reads its output", "not an input", "not an output", "external in place", "python"],
)  # fmt: skip
def test_a_wrong_task_is_refused_at_its_place(wrong: Task, place: str) -> None:
    assert f"tasks[0].{place}:" in mistakes(wrong)


def test_two_buffers_may_not_be_copied_to_one_file_whoever_names_it() -> None:
    writers = (task("a", "", "x"), task("b", "", "y"))

    stated = (Buffer("x", Bytes(1), export="same"), Buffer("y", Bytes(1), export="same"))
    by_policy = (Buffer("x", Bytes(1), export="y"), Buffer("y", Bytes(1)))
    inside = (Buffer("x", Bytes(1), export="y/z"), Buffer("y", Bytes(1)))

    assert "each file once" in mistakes(*writers, buffers=stated)
    assert "each file once" in mistakes(*writers, buffers=by_policy)
    assert "another file" in mistakes(*writers, buffers=inside)


@pytest.mark.parametrize("name", ["./b", "x//../b", ".", "y" * 221])
def test_one_file_has_one_spelling_and_a_name_that_file_systems_take(name: str) -> None:
    """``./b`` and ``b`` are one file: the second result would replace the first without a word."""
    buffers = (Buffer("a", Bytes(1), export=name), Buffer("b", Bytes(1)))

    assert "export: found" in mistakes(task("t", "", "a b"), buffers=buffers)


def test_a_task_cannot_be_mistaken_for_the_load_of_an_input() -> None:
    assert "ids that do not begin with 'load:'" in mistakes(task("load:x"))


@pytest.mark.parametrize(
    "run", [Command(("sh\x00",)), Command(("true",), (("A=B", "x"),)), Command(("true",), (("A", "\x00"),))]
)
def test_what_no_program_can_be_given_is_refused(run: Command) -> None:
    assert "tasks[0].run." in mistakes(replace(task("t"), run=run))


def test_all_mistakes_are_told_at_once() -> None:
    message = mistakes(
        task("a", "nothing"), task("a"), buffers=(), workspace=Workspace(Bytes(1)), resources=(("workers", 1), ("x", 0))
    )

    assert [line.split(":")[0] for line in message.splitlines()] == [
        "workspace.size",
        "resources.x",
        "tasks[1].id",
        "tasks[0].inputs[0]",
    ]


@given(st.randoms(use_true_random=False))
def test_equal_problems_are_equal_values_in_whatever_order_they_were_given(rng: Random) -> None:
    original = diamond()
    tasks, buffers = list(original.tasks), list(original.buffers)
    rng.shuffle(tasks)
    rng.shuffle(buffers)

    assert replace(original, tasks=tuple(tasks), buffers=tuple(buffers)) == original


def test_what_has_no_order_of_its_own_is_sorted() -> None:
    resources = (("workers", 2), ("cpu", 2), ("gpu", 2))
    given_order = replace(task("z", after="b a b"), demands=(("gpu", 1), ("cpu", 1)))

    canonical = Problem("p", (task("a"), task("b"), given_order), (), Workspace(), resources, Policy()).tasks[2]

    assert canonical.after == ("a", "b")
    assert canonical.demands == (("cpu", 1), ("gpu", 1))


def test_a_long_chain_is_no_recursion() -> None:
    assert len(chain(3000).graph.topological_order) == 3000


def test_a_name_that_no_file_can_hold_is_refused() -> None:
    """YAML, Python and names of files know halves of surrogate pairs; no plan with one could be written."""
    with pytest.raises(InputError) as refused:
        replace(chain(1), name="\udcff", tasks=(task("a\ud800"),), buffers=())

    assert {m.path for m in refused.value.mistakes} == {"name", "tasks[0].id"}
