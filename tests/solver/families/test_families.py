"""Generated problems: the shapes that their names promise, the same each time, and fast."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver import families
from catalytic.solver.errors import InputError
from catalytic.solver.families import FAMILIES, distribution, generate, parameters_for
from catalytic.solver.formats import dump_problem, parse_problem, problem_digest
from catalytic.solver.problem import Isolation, Problem
from catalytic.solver.units import parse_duration, parse_size

SMALL: Mapping[str, Mapping[str, Any]] = {
    "chain": {"tasks": 9, "skip": 3},
    "diamond": {"rows": 3, "columns": 2},
    "fork-join": {"width": 3, "depth": 2},
    "in-tree": {"depth": 2},
    "layered": {"tasks": 30, "layers": 5},
    "map-shuffle-reduce": {"mappers": 3, "reducers": 2, "rounds": 2},
    "mosaic": {"rows": 2, "columns": 2},
    "out-tree": {"depth": 2},
    "series-parallel": {"tasks": 20},
    "shared-input": {"readers": 4},
    "stencil": {"width": 4, "steps": 3},
    "training": {"layers": 4},
}
LARGE: Mapping[str, Mapping[str, Any]] = {
    "chain": {"tasks": 5000, "nested": True},
    "diamond": {"rows": 100, "columns": 50},
    "fork-join": {"width": 100, "depth": 50},
    "in-tree": {"depth": 12},
    "layered": {"tasks": 5000},
    "map-shuffle-reduce": {"mappers": 2500, "reducers": 2, "rounds": 2},
    "mosaic": {"rows": 40, "columns": 32},
    "out-tree": {"depth": 12},
    "series-parallel": {"tasks": 5000},
    "shared-input": {"readers": 5000},
    "stencil": {"width": 100, "steps": 50},
    "training": {"layers": 2500},
}
GOLDEN: Mapping[str, tuple[str, str]] = {
    "chain": ("b9f3915568688664", "96c02b27a398936f"),
    "diamond": ("2f49409d47b9a3fb", "04deb92bed9d719c"),
    "fork-join": ("efb13e91a4ab16de", "5023d13114fc9211"),
    "in-tree": ("7850efc2b2b95943", "83dce2821432a451"),
    "layered": ("0dbe9e33bf20807e", "f334d76348859d21"),
    "map-shuffle-reduce": ("126f05067a593dbe", "b6522e148bcff4ef"),
    "mosaic": ("84ff95d07203e75d", "cf9f8b8747f144d1"),
    "out-tree": ("b7187fceda7cb2d3", "cba23ac4c09cee2e"),
    "series-parallel": ("49b7ed087758a06c", "feedf94f82ce63cd"),
    "shared-input": ("093c8403cd1d0832", "6f5413004deb203d"),
    "stencil": ("905092dbb9169bad", "e4828cb0a37de5e4"),
    "training": ("04ebe36627894fb1", "c25b11295e8ea43e"),
}
"""Digests of problems of about 40 tasks with seed 7: sizes and durations from ranges, and from distributions."""


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


def essence(problem: Problem) -> str:
    """A digest of what was drawn, whatever files of problems look like."""
    tasks = [(t.id, t.duration, t.inputs, t.outputs) for t in problem.tasks]
    buffers = [(b.id, b.size, b.data_type) for b in problem.buffers]
    return hashlib.sha256(repr((tasks, buffers)).encode()).hexdigest()[:16]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_seed_means_does_not_drift(family: str) -> None:
    """On no machine and in no version of Python: results are saved under a family and a seed."""
    shape = parameters_for(family, 40)
    sizes = distribution("lognormal:mean=10MB,sigma=1", parse_size)
    durations = distribution("lognormal:mean=1,sigma=0.5", parse_duration)

    ranged = generate(family, seed=7, **shape)
    named = generate(family, seed=7, sizes=sizes, durations=durations, **shape)

    assert (essence(ranged), essence(named)) == GOLDEN[family]


def test_families_that_were_drawn_by_the_library_of_python_3_11_give_what_they_gave() -> None:
    """Digests of the problems as they were before draws were written out."""
    assert essence(generate("layered", tasks=1000, seed=7)) == "20ffaa8d761c6832"
    assert essence(generate("fork-join", width=40, depth=10, skew=0.7, seed=7)) == "0b44430db18088be"
    assert essence(generate("map-shuffle-reduce", mappers=80, reducers=60, seed=7)) == "9d6bbc1604b0ee1e"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_distribution_changes_no_edge_and_a_mean_scales_sizes(family: str) -> None:
    def drawn(sizes: str) -> Problem:
        return generate(family, seed=3, sizes=distribution(sizes, parse_size), **SMALL[family])

    small, large, other = (drawn(f"{d}") for d in ("exponential:mean=1GB", "exponential:mean=3GB", "1MB..2MB"))

    assert edges(small) == edges(large) == edges(other)
    assert [t.duration for t in small.tasks] == [t.duration for t in large.tasks] == [t.duration for t in other.tasks]
    for a, b in zip(small.buffers, large.buffers, strict=True):
        # Rounded, then divided by a skew or multiplied by a ratio; a loss has one byte whatever is drawn.
        assert b.size == pytest.approx(3 * a.size, abs=70) or b.size == a.size == 1


@given(st.sampled_from(sorted(FAMILIES)), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_a_number_of_tasks_is_reached_as_nearly_as_the_shape_allows(family: str, tasks: int) -> None:
    kind = FAMILIES[family]
    try:
        shape = parameters_for(family, tasks)
    except InputError as error:
        assert "allowed at least" in str(error)
        assert tasks < 7
        return

    assert len(generate(family, **shape).tasks) <= tasks
    assert len(generate(family, **{**shape, kind.grows: shape[kind.grows] + 1}).tasks) > tasks


@pytest.mark.parametrize("family", FAMILIES)
def test_the_number_of_tasks_that_a_family_states_is_that_of_its_problems(family: str) -> None:
    kind = FAMILIES[family]
    shape = {**kind.parameters, **SMALL[family]}
    if "tree" in family:
        shape = {**shape, "tasks": 11}

    assert len(generate(family, **shape).tasks) == kind.count(**shape)


@pytest.mark.parametrize(
    ("family", "given", "message"),
    [
        ("fork-join", {"width": 20}, "tasks: found 5, allowed at least 22 with width 20"),
        ("training", {"layers": 3}, "one of the two: --tasks chooses layers"),
        ("mosiac", {}, "did you mean 'mosaic'"),
        ("diamond", {"columns": -1}, "columns: found -1"),
    ],
)
def test_a_number_of_tasks_that_cannot_be_is_refused(family: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        generate(family, **parameters_for(family, 5, **given))

    assert message in str(caught.value)


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

    # Some shrink or enlarge what was drawn, or have a loss of 1 byte.
    even = family not in ("fork-join", "map-shuffle-reduce", "mosaic", "shared-input", "training")
    assert {b.size for b in problem.buffers} <= set(range(10, 13) if even else [*range(1, 13), 200, 220, 240])
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


def test_two_rows_of_two_are_the_diamond() -> None:
    problem = families.diamond(2, 2)

    assert edges(problem) == {
        ("row0.0", "row0.1"),
        ("row0.0", "row1.0"),
        ("row0.1", "row1.1"),
        ("row1.0", "row1.1"),
    }


@pytest.mark.parametrize(("rows", "columns"), [(1, 4), (2, 2), (2, 5), (3, 3), (4, 3)])
def test_the_least_peak_of_an_even_diamond_is_the_one_in_its_docstring(rows: int, columns: int) -> None:
    assert least_peak(families.diamond(rows, columns, sizes=(1, 1))) == min(rows, columns) + 1


def test_a_cell_reads_its_neighbourhood_of_the_step_before() -> None:
    line, ring = families.stencil(5, 2), families.stencil(5, 2, periodic=True)

    assert line.graph.task["step1.0"].inputs == ("step0.0", "step0.1")
    assert line.graph.task["step1.2"].inputs == ("step0.1", "step0.2", "step0.3")
    assert set(ring.graph.task["step1.0"].inputs) == {"step0.4", "step0.0", "step0.1"}
    # A neighbourhood that goes around the ring more than once still names each cell once.
    assert len(families.stencil(3, 2, radius=4, periodic=True).graph.task["step1.0"].inputs) == 3


def test_a_projection_waits_for_the_model_and_tables_have_a_pool_of_their_own() -> None:
    graph = families.mosaic(2, 3, sizes=(1000, 1000)).graph

    assert graph.external == tuple(f"tile.{r}.{c}" for r in range(2) for c in range(3))
    assert set(graph.readers["project.0.0"]) == {"compare-right.0.0", "compare-below.0.0", "correct.0.0"}
    assert len(graph.task["model"].inputs) == 2 * 2 + 3
    assert graph.task["strip.1"].inputs == ("correct.1.0", "correct.1.1", "correct.1.2")
    assert {b: graph.buffer[b].size for b in ("project.0.0", "model", "mosaic")} == {
        "project.0.0": 1000,
        "model": 10,
        "mosaic": 1000,
    }
    assert {p.data_type for p in graph.pools} == {"image", "table"}
    assert families.mosaic(1, 1).graph.task["model"].inputs == ("project.0.0",)


def test_every_reader_reads_every_table_and_tables_are_large() -> None:
    problem = families.shared_input(3, 2, ratio=20, sizes=(10, 10))
    graph = problem.graph

    assert graph.task["find1"].inputs == ("table0", "table1", "query1")
    assert graph.task["result"].inputs == ("find0", "find1", "find2")
    assert {b.size for b in problem.buffers if b.id.startswith("table")} == {200}


@given(st.integers(1, 60), st.integers(2, 5), st.floats(0, 1), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_blocks_reduce_to_one_edge(tasks: int, branches: int, share: float, seed: int) -> None:
    """The definition: joining edges in series and in parallel, again and again, leaves a single edge."""
    problem = families.series_parallel(tasks, branches=branches, parallel_probability=share, seed=seed)

    assert len(problem.tasks) == tasks
    left = edges(problem)
    changed = True
    while changed and len(left) > 1:
        changed = False
        for vertex in problem.graph.task:
            inward, outward = [e for e in left if e[1] == vertex], [e for e in left if e[0] == vertex]
            if len(inward) == len(outward) == 1:
                # An edge that is there already is one side by side: the set makes them one.
                left = left - {inward[0], outward[0]} | {(inward[0][0], outward[0][1])}
                changed = True
    assert len(left) == (tasks > 1)


@pytest.mark.parametrize("tree", ["in-tree", "out-tree"])
def test_a_tree_of_some_tasks_is_the_top_of_a_larger_one(tree: str) -> None:
    whole, top = generate(tree, depth=3), generate(tree, tasks=10)

    # Levels of 1, 2 and 4 vertices, and three of the next.
    assert edges(top) == {e for e in edges(whole) if set(e) <= set(top.graph.task)}
    assert len(top.tasks) == 10
    assert "level3.2" in top.graph.task
    assert "level3.3" not in top.graph.task


@pytest.mark.parametrize("family", FAMILIES)
def test_five_thousand_tasks_take_seconds_on_any_machine(family: str) -> None:
    """About one; what is quadratic in the tasks would take minutes."""
    before = time.process_time()
    problem = generate(family, **LARGE[family])

    assert len(problem.tasks) >= 5000
    assert time.process_time() - before < 20


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
        ("diamond", {"rows": 0, "columns": 0}, ["rows", "columns"]),
        ("stencil", {"width": 0, "steps": 0, "radius": -1}, ["width", "steps", "radius"]),
        ("mosaic", {"rows": 0, "columns": -1}, ["rows", "columns"]),
        ("series-parallel", {"tasks": 0, "branches": 1}, ["tasks", "branches"]),
        ("shared-input", {"readers": 0, "tables": 0, "ratio": 0}, ["readers", "tables", "ratio"]),
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


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("chain", {"tasks": 10**11}),
        ("chain", {"skip": 10**11}),
        ("diamond", {"rows": 10**6, "columns": 10**6}),
        ("fork-join", {"width": 10**11}),
        ("map-shuffle-reduce", {"mappers": 10**6, "reducers": 10**6}),
        ("stencil", {"width": 10**5, "steps": 10**5}),
    ],
)
def test_what_would_fill_the_memory_is_refused_at_once(family: str, parameters: Mapping[str, int]) -> None:
    began = time.monotonic()

    with pytest.raises(InputError, match="at most 1000000"):
        generate(family, **parameters)

    assert time.monotonic() - began < 10


def test_a_draft_ends_where_its_tasks_read_too_much() -> None:
    """The number of tasks alone does not say how large a problem is."""
    with pytest.raises(InputError, match="read and write at most 10000000 buffers"):
        generate("shared-input", readers=100_000, tables=1000)
