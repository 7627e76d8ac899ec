"""Relations derived from a problem hold on every problem."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import pytest
from hypothesis import given, settings

from catalytic.solver.problem import Buffer, InputPolicy, OutputPolicy, Policy, Pool, Problem, Workspace
from catalytic.solver.units import Bytes
from tests.builders import diamond, problem, task
from tests.strategies import problems


def digraph(question: Problem) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(t.id for t in question.tasks)
    graph.add_edges_from((p, t) for t, before in question.graph.predecessors.items() for p in before)
    return graph


@settings(max_examples=80, deadline=None)
@given(problems())
def test_predecessors_are_writers_of_inputs_and_after(question: Problem) -> None:
    graph = question.graph
    writer = {b: t.id for t in question.tasks for b in t.outputs}
    for t in question.tasks:
        assert set(graph.predecessors[t.id]) == {writer[b] for b in t.inputs if b in writer} | set(t.after)
        assert all(t.id in graph.successors[p] for p in graph.predecessors[t.id])
        assert all(t.id in graph.predecessors[s] for s in graph.successors[t.id])


@settings(max_examples=80, deadline=None)
@given(problems())
def test_the_topological_order_puts_predecessors_first(question: Problem) -> None:
    order = question.graph.topological_order
    place = {t: k for k, t in enumerate(order)}

    assert sorted(order) == sorted(t.id for t in question.tasks)
    assert all(place[p] < place[t] for t, before in question.graph.predecessors.items() for p in before)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_the_critical_path_is_a_longest_path(question: Problem) -> None:
    graph = question.graph
    path, length = graph.critical_path()
    weighted = digraph(question)
    for a, b in weighted.edges:  # the duration of a task lies on the edges that lead to it
        weighted.edges[a, b]["weight"] = graph.task[b].duration
    for root in [t for t in weighted if not graph.predecessors[t]]:
        weighted.add_edge("\0", root, weight=graph.task[root].duration)

    assert length == sum(graph.task[t].duration for t in path)
    assert all(a in graph.predecessors[b] for a, b in pairwise(path))
    assert length == (nx.dag_longest_path_length(weighted) if question.tasks else 0)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_what_lives_in_the_workspace_is_aligned_counted_once_and_in_one_pool(question: Problem) -> None:
    graph = question.graph
    alignment = question.workspace.alignment
    for b in graph.resident:
        size = graph.buffer[b].size
        assert 0 <= graph.aligned_size[b] - size < alignment
        assert graph.aligned_size[b] % alignment == 0
        assert size > 0
    assert graph.allocated == sum(graph.aligned_size[b] for b in graph.resident)
    assert set(graph.pool_of) == set(graph.resident)
    assert {p.id for p in graph.pools} == set(graph.pool_of.values())
    for a in graph.resident:
        for b in graph.resident:
            same_key = graph.buffer[a].pool_key == graph.buffer[b].pool_key
            assert (graph.pool_of[a] == graph.pool_of[b]) == same_key


@pytest.mark.parametrize("inputs", InputPolicy)
def test_external_inputs_take_workspace_unless_they_are_read_where_they_are(inputs: InputPolicy) -> None:
    question = replace(problem(task("t", "given", "made")), policy=Policy(inputs))

    expected = ("made",) if inputs is InputPolicy.EXTERNAL else ("given", "made")
    assert question.graph.resident == expected
    assert question.graph.external == ("given",)


@pytest.mark.parametrize("outputs", OutputPolicy)
def test_the_policy_decides_about_unread_outputs_only(outputs: OutputPolicy) -> None:
    question = replace(problem(task("a", "", "x"), task("b", "x", "y")), policy=Policy(outputs=outputs))

    assert question.graph.exported == ({"y": "y"} if outputs is OutputPolicy.EXPORT else {})
    assert question.graph.kept == ({"y"} if outputs is OutputPolicy.KEEP else set())


def test_a_buffers_own_wish_wins_over_the_policy() -> None:
    buffers = (Buffer("x", Bytes(1), export="x.raw"), Buffer("y", Bytes(1), keep=True))
    question = replace(diamond(), tasks=(task("a", "", "x"), task("b", "x", "y")), buffers=buffers)

    assert question.graph.exported == {"x": "x.raw"}
    assert question.graph.kept == {"y"}


@pytest.mark.parametrize(
    ("name", "file"),
    [("/c3/x.csv", "c3/x.csv"), ("../../etc/passwd", "etc/passwd"), ("a//b/./c", "a/b/c"), ("..", "_")],
)
def test_an_id_never_becomes_a_file_outside_the_output_directory(name: str, file: str) -> None:
    question = replace(diamond(), tasks=(replace(task("t"), outputs=(name,)),), buffers=(Buffer(name, Bytes(1)),))

    assert question.graph.exported == {name: file}


def test_scratch_belongs_to_the_pool_of_the_first_output() -> None:
    buffers = (Buffer("x", Bytes(1), "image", "random"), Buffer("y", Bytes(1), "text"))
    tasks = (replace(task("a", scratch=5), outputs=("x", "y")), task("b", scratch=5))
    question = replace(diamond(), tasks=tasks, buffers=buffers)

    assert question.graph.pool_of["scratch:a"] == question.graph.pool_of["x"] == "image-random"
    assert question.graph.pool_of["scratch:b"] == "default"


def test_a_derived_pool_does_not_take_a_declared_name() -> None:
    buffers = (Buffer("x", Bytes(1), "text"), Buffer("y", Bytes(1)))
    question = replace(diamond(), tasks=(task("a", "", "x y"),), buffers=buffers, pools=(Pool("default", "text"),))

    assert question.graph.pool_of == {"x": "default", "y": "default-2"}


def test_partitions_are_rounded_down_to_the_alignment() -> None:
    workspace = Workspace(Bytes(10 * 10**9), 8, 4096)

    assert workspace.partition_size == 1_249_996_800  # 1.25e9 / 4096 = 305175.78
    assert workspace.capacity <= workspace.size
