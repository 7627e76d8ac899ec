"""A layered drawing: to the right, nothing upon anything else, and with few crossings."""

from __future__ import annotations

from itertools import combinations, pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.layers import BESIDE_TASK, GRID, MOST_ROWS, Drawing, drawing, layers_of
from catalytic.app.overview import graph_pictures
from tests.app.report_plans import wide_plan


@st.composite
def dags(draw: st.DrawFn, most: int = 24) -> tuple[list[str], dict[str, list[str]]]:
    """Nodes in topological order, and the predecessors of each."""
    count = draw(st.integers(1, most))
    before: dict[str, list[str]] = {}
    for k in range(count):
        some = draw(st.lists(st.integers(0, k - 1), max_size=3, unique=True)) if k else []
        before[f"n{k}"] = [f"n{p}" for p in sorted(some)]
    return list(before), before


def pictured(nodes: list[str], before: dict[str, list[str]]) -> tuple[list[int], list[tuple[int, int]], Drawing]:
    layer = layers_of(nodes, before)
    number = {n: k for k, n in enumerate(nodes)}
    edges = [(number[p], number[n]) for n in nodes for p in before[n]]
    return layer, edges, drawing(layer, edges)


def crossings(found: Drawing) -> int:
    """Pairs of stretches between two columns that cross, by definition; only for unwrapped drawings."""
    stretches: dict[int, list[tuple[int, int]]] = {}
    for a, b, bends in found.edges:
        points = [(found.column[a], found.row[a]), *bends, (found.column[b], found.row[b])]
        for (column, y0), (_, y1) in pairwise(points):
            stretches.setdefault(column, []).append((y0, y1))
    return sum((p[0] - q[0]) * (p[1] - q[1]) < 0 for lines in stretches.values() for p, q in combinations(lines, 2))


@settings(max_examples=60, deadline=None)
@given(dags())
def test_every_edge_runs_to_the_right_through_every_layer_between(dag: tuple[list[str], dict[str, list[str]]]) -> None:
    _, edges, found = pictured(*dag)

    assert [(a, b) for a, b, _ in found.edges] == edges
    for a, b, bends in found.edges:
        assert [c for c, _ in bends] == list(range(found.column[a] + 1, found.column[b]))


@settings(max_examples=60, deadline=None)
@given(dags())
def test_no_two_tasks_touch_and_no_edge_runs_through_a_task(dag: tuple[list[str], dict[str, list[str]]]) -> None:
    _, _, found = pictured(*dag)

    rounding = 1
    tasks = list(zip(found.column, found.row, strict=True))
    for p, q in combinations(tasks, 2):
        assert p[0] != q[0] or abs(p[1] - q[1]) >= GRID - rounding
    for _, _, bends in found.edges:
        for column, row in bends:
            assert all(c != column or abs(r - row) >= BESIDE_TASK * GRID - rounding for c, r in tasks)


@settings(max_examples=50, deadline=None)
@given(dags())
def test_the_picture_begins_at_zero_and_ends_where_it_says(dag: tuple[list[str], dict[str, list[str]]]) -> None:
    _, _, found = pictured(*dag)
    rows = [*found.row, *(row for _, _, bends in found.edges for _, row in bends)]

    assert min(rows) == 0 and max(rows) <= found.rows * GRID
    assert max(found.column) == found.columns - 1


def test_a_task_without_predecessors_stands_before_its_first_reader() -> None:
    before = {"a": [], "b": ["a"], "late": [], "c": ["b", "late"], "alone": []}

    assert layers_of(list(before), before) == [0, 1, 1, 2, 0]


def test_two_chains_that_are_named_crosswise_are_drawn_without_a_crossing() -> None:
    """Every edge leads to the other side of the list: in the order given all of them would cross."""
    size = 6
    nodes = [f"{layer}-{k}" for layer in range(4) for k in range(size)]
    before = {
        f"{layer}-{k}": [f"{layer - 1}-{size - 1 - k}"] if layer else [] for layer in range(4) for k in range(size)
    }

    assert crossings(pictured(nodes, before)[2]) == 0


def test_sweeping_saves_crossings_of_random_graphs() -> None:
    better = 0
    for seed in range(12):
        rng = Random(seed)
        nodes = [f"{layer}-{k}" for layer in range(5) for k in range(8)]
        before = {n: [] if n[0] == "0" else rng.sample(nodes[8 * (int(n[0]) - 1) : 8 * int(n[0])], 2) for n in nodes}
        layer, _, found = pictured(nodes, before)
        in_order = Drawing(tuple(layer), tuple(GRID * (k % 8) for k in range(40)), found.edges, 5, 8)
        assert crossings(found) <= crossings(in_order)
        better += crossings(found) < crossings(in_order)
    assert better >= 10


def test_a_chain_is_drawn_as_a_straight_line() -> None:
    nodes = [f"n{k}" for k in range(9)]
    found = pictured(nodes, {n: nodes[k - 1 : k] if k else [] for k, n in enumerate(nodes)})[2]

    assert set(found.row) == {0}


def test_a_layer_of_very_many_tasks_is_wrapped() -> None:
    count = 5 * MOST_ROWS
    nodes = ["first", *(f"n{k}" for k in range(count)), "last"]
    before = {"first": [], **{f"n{k}": ["first"] for k in range(count)}, "last": [f"n{k}" for k in range(count)]}
    found = pictured(nodes, before)[2]

    assert found.columns == 2 + 5
    assert found.rows <= MOST_ROWS + 1
    assert len(set(zip(found.column, found.row, strict=True))) == count + 2
    assert all(found.column[a] < found.column[b] for a, b, _ in found.edges)


def test_an_overview_has_every_task_once_and_counts_every_edge() -> None:
    plan = wide_plan(400, workers=6)
    found = graph_pictures(plan)
    assert found.overview is not None

    assert sorted(k for kind in found.overview.kinds for k in kind.tasks) == list(range(400))
    assert sum(found.overview.weight) == len(found.tasks.edges)
    assert sum(map(len, plan.problem.graph.predecessors.values())) == len(found.tasks.edges)
    of = {k: number for number, kind in enumerate(found.overview.kinds) for k in kind.tasks}
    assert {(of[a], of[b]) for a, b, _ in found.tasks.edges} == {(a, b) for a, b, _ in found.overview.drawing.edges}
    assert all(kind.name == "stage*.task_*" or len(kind.tasks) == 1 for kind in found.overview.kinds)


def test_a_small_graph_needs_no_overview() -> None:
    assert graph_pictures(wide_plan(30)).overview is None
