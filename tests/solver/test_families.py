"""Generated problems: the shapes that their names promise, the same each time, and fast."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver import families
from catalytic.solver.errors import InputError
from catalytic.solver.families import FAMILIES, generate
from catalytic.solver.formats import dump_problem, parse_problem, problem_digest
from catalytic.solver.problem import Isolation, Problem

SMALL: Mapping[str, Mapping[str, Any]] = {
    "chain": {"tasks": 9, "skip": 3},
    "fork-join": {"width": 3, "depth": 2},
    "in-tree": {"depth": 2},
    "layered": {"tasks": 30, "layers": 5},
    "map-shuffle-reduce": {"mappers": 3, "reducers": 2, "rounds": 2},
    "out-tree": {"depth": 2},
    "training": {"layers": 4},
}
LARGE: Mapping[str, Mapping[str, Any]] = {
    "chain": {"tasks": 5000, "nested": True},
    "fork-join": {"width": 100, "depth": 50},
    "in-tree": {"depth": 12},
    "layered": {"tasks": 5000},
    "map-shuffle-reduce": {"mappers": 2500, "reducers": 2, "rounds": 2},
    "out-tree": {"depth": 12},
    "training": {"layers": 2500},
}


def edges(problem: Problem) -> set[tuple[str, str]]:
    return {(p, t) for t, before in problem.graph.predecessors.items() for p in before}


def least_peak(problem: Problem) -> int:
    """The definition, over all sets of executed tasks: what is alive while a task runs, in the best order."""
    graph, everything = problem.graph, frozenset(t.id for t in problem.tasks)

    def alive(done: frozenset[str], task: str) -> int:
        used = {b for b in graph.buffer if graph.writer[b] in done and not done.issuperset(graph.readers[b])}
        return sum(graph.buffer[b].size for b in used | set(graph.task[task].outputs))

    @cache
    def peak(done: frozenset[str]) -> int:
        ready = (t for t in everything - done if done.issuperset(graph.predecessors[t]))
        return min((max(alive(done, t), peak(done | {t})) for t in ready), default=0)

    return peak(frozenset())


def test_there_are_examples_of_every_family() -> None:
    assert SMALL.keys() == LARGE.keys() == FAMILIES.keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_and_nothing_else(family: str) -> None:
    first, again, other = (generate(family, seed=seed, **SMALL[family]) for seed in (1, 1, 2))

    assert first == again
    assert problem_digest(first) == problem_digest(again)
    assert first != other
    assert parse_problem(dump_problem(first), "again.json") == first


def test_a_problem_is_the_same_on_every_machine_and_in_every_version() -> None:
    """Saved results name a family and a seed: what they mean must not drift."""
    problem = families.layered(6, 3, seed=7)

    # As drawn when the family was written.
    assert [(t.id, t.duration, t.inputs) for t in problem.tasks] == [
        ("t0", 667, ()),
        ("t1", 75, ()),
        ("t2", 60, ("t1",)),
        ("t3", 72, ("t2", "t1")),
        ("t4", 229, ("t2", "t0")),
        ("t5", 51, ("t2",)),
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_and_durations_stay_in_their_ranges(family: str) -> None:
    problem = generate(family, sizes=(10, 12), durations=(5, 6), **SMALL[family])

    even = family not in ("fork-join", "map-shuffle-reduce", "training")  # those shrink some, or have a loss of 1 byte
    assert {b.size for b in problem.buffers} <= set(range(10 if even else 1, 13))
    assert {t.duration for t in problem.tasks} <= ({5, 6, 10, 12} if family == "training" else {5, 6})


@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_scarce_and_nothing_is_rounded(family: str) -> None:
    problem = generate(family, workers=3, **SMALL[family])

    workspace = problem.workspace
    assert (workspace.partitions, workspace.alignment, workspace.isolation) == (1, 1, Isolation.SHARED)
    assert workspace.size == sum(b.size for b in problem.buffers)
    assert problem.capacity_of("workers") == 3


def test_a_chain_has_residual_or_nested_skips() -> None:
    plain = {(f"t{i}", f"t{i + 1}") for i in range(5)}

    assert edges(families.chain(6)) == plain
    assert edges(families.chain(6, skip=2)) == plain | {("t0", "t2"), ("t2", "t4")}
    assert edges(families.chain(6, nested=True)) == plain | {("t1", "t4"), ("t0", "t5")}
    assert edges(families.chain(1, skip=2, nested=True)) == set()


def test_fork_join_alternates_and_its_sizes_are_skewed() -> None:
    problem = families.fork_join(3, 2, skew=1.0, sizes=(60, 60))

    assert len(problem.tasks) == 3 * 2 + 3
    assert problem.graph.predecessors["join1"] == ("stage0.0", "stage0.1", "stage0.2")
    assert problem.graph.successors["join1"] == ("stage1.0", "stage1.1", "stage1.2")
    for stage in (0, 1):
        assert sorted(problem.graph.buffer[f"stage{stage}.{k}"].size for k in range(3)) == [20, 30, 60]


def test_trees_are_each_other_upside_down() -> None:
    inward, outward = families.in_tree(3, 2), families.out_tree(3, 2)

    assert len(inward.tasks) == 15
    assert edges(inward) == {(b, a) for a, b in edges(outward)}
    assert inward.graph.predecessors["level0.0"] == ("level1.0", "level1.1")


@pytest.mark.parametrize(("depth", "arity"), [(1, 1), (1, 3), (2, 2), (3, 2), (2, 3)])
def test_the_least_peak_of_an_even_tree_is_the_one_in_its_docstring(depth: int, arity: int) -> None:
    assert least_peak(families.in_tree(depth, arity, sizes=(1, 1))) == (arity - 1) * depth + 2


@given(st.integers(1, 60), st.data())
@settings(max_examples=50, deadline=None)
def test_layers_are_as_many_as_asked_and_nobody_stands_alone(tasks: int, data: st.DataObject) -> None:
    layers = data.draw(st.integers(1, tasks))
    problem = families.layered(tasks, layers, edge_probability=0.1, skip_probability=0.0, seed=data.draw(st.integers()))

    level: dict[str, int] = {}
    for t in problem.graph.topological_order:
        before = {level[p] for p in problem.graph.predecessors[t]}
        assert len(before) <= 1  # without skips all inputs come from one layer
        level[t] = max(before, default=-1) + 1
    assert set(level.values()) == set(range(layers))


def test_certain_edges_are_all_there_and_skips_reach_further() -> None:
    full = families.layered(20, 4, edge_probability=1.0, skip_probability=1.0, seed=3)
    none = families.layered(20, 4, edge_probability=1.0, skip_probability=0.0, seed=3)

    # The layers are drawn first, so they are the same; each task of the third and fourth layer has one skip.
    level = {t: 0 for t in none.graph.task if not none.graph.predecessors[t]}
    for t in none.graph.topological_order:
        level.setdefault(t, max((level[p] for p in none.graph.predecessors[t]), default=0) + 1)
    assert edges(none) == {(a, b) for a in level for b in level if level[a] + 1 == level[b]}
    skips = edges(full) - edges(none)
    assert len(skips) == sum(place >= 2 for place in level.values())
    assert all(level[a] + 1 < level[b] for a, b in skips)


def test_a_backward_task_reads_gradient_and_both_activations() -> None:
    problem = families.training(3)
    graph = problem.graph

    assert graph.predecessors["loss"] == ("forward2",)
    assert graph.predecessors["backward2"] == ("forward1", "forward2", "loss")
    assert graph.predecessors["backward1"] == ("backward2", "forward0", "forward1")
    assert graph.predecessors["backward0"] == ("backward1", "forward0")
    for i in range(3):
        assert graph.buffer[f"backward{i}"].size == graph.buffer[f"forward{i}"].size
        assert graph.task[f"backward{i}"].duration == 2 * graph.task[f"forward{i}"].duration


def test_every_mapper_writes_for_every_reducer() -> None:
    problem = families.map_shuffle_reduce(2, 3, rounds=2, skew=1.0, sizes=(60, 60))
    graph = problem.graph

    assert len(problem.tasks) == 2 * (2 + 3) + 1
    assert graph.task["round0.map1"].inputs == ("input1",)
    assert [graph.buffer[b].size for b in graph.task["round0.map1"].outputs] == [60, 30, 20]
    assert graph.predecessors["round0.reduce2"] == ("round0.map0", "round0.map1")
    assert graph.predecessors["round1.map0"] == ("round0.reduce0", "round0.reduce1", "round0.reduce2")
    assert graph.predecessors["result"] == ("round1.reduce0", "round1.reduce1", "round1.reduce2")
    assert graph.external == ("input0", "input1")


@pytest.mark.parametrize("family", FAMILIES)
def test_five_thousand_tasks_take_less_than_a_second(family: str) -> None:
    before = time.process_time()
    problem = generate(family, **LARGE[family])

    assert len(problem.tasks) >= 5000
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("family", "parameters", "messages"),
    [
        ("chains", {}, ["family: found 'chains'", "did you mean 'chain'"]),
        ("chain", {"lenght": 3}, ["lenght: found an unknown parameter", "tasks, skip"]),
        ("chain", {"tasks": 0, "skip": -1, "workers": 0}, ["3 mistakes", "tasks", "skip", "workers"]),
        ("chain", {"sizes": (3, 2), "durations": (0, 5)}, ["sizes: found (3, 2)", "durations: found (0, 5)"]),
        ("layered", {"tasks": 5, "layers": 6}, ["layers: found 6, allowed 1 to 5"]),
        ("layered", {"edge_probability": float("nan")}, ["edge_probability: found nan, allowed 0 to 1"]),
        ("layered", {"tasks": -4}, ["tasks: found -4"]),
        ("in-tree", {"depth": 21}, ["at most a million"]),
        ("out-tree", {"depth": -1, "arity": 0}, ["depth", "arity"]),
        ("fork-join", {"width": 0, "skew": -1}, ["width", "skew"]),
        ("map-shuffle-reduce", {"mappers": 0, "rounds": 0}, ["mappers", "rounds"]),
    ],
)
def test_parameters_that_make_no_sense_are_all_told(
    family: str, parameters: dict[str, Any], messages: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        generate(family, **parameters)

    for message in messages:
        assert message in str(caught.value)
