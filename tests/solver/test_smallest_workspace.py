"""No plan fits a workspace below the lower figure, and the plan of the upper one is checked and fits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.budget import Budget
from catalytic.solver.check import violations
from catalytic.solver.order import Compact, peak_bounds
from catalytic.solver.placement.partition_bounds import fewest_partitions
from catalytic.solver.problem import Buffer, Isolation, Pool, Problem, Task, Workspace
from catalytic.solver.smallest_workspace import LeastSize, least_workspace_size, placed_sequentially
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, diamond, problem, random_plan, task


def fewest_by_enumeration(sizes: Sequence[int], room: int) -> int:
    """Put every piece into every partition in turn; no two pieces of large buffers, which begin theirs, into one."""
    bins: list[list[int]] = []  # bytes used, pieces of large buffers
    pieces = [(room, 1) for s in sizes if s > room for _ in range(s // room)]
    pieces += [(s % room, 1) for s in sizes if s > room and s % room] + [(s, 0) for s in sizes if s <= room]
    best = len(pieces)

    def put(k: int) -> None:
        nonlocal best
        if len(bins) >= best:
            return
        if k == len(pieces):
            best = len(bins)
            return
        size, large = pieces[k]
        for used in bins:
            if used[0] + size <= room and used[1] + large <= 1:
                used[0] += size
                used[1] += large
                put(k + 1)
                used[0] -= size
                used[1] -= large
        bins.append([size, large])
        put(k + 1)
        bins.pop()

    put(0)
    return best


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 14), max_size=7), st.integers(1, 10))
def test_a_packing_never_needs_fewer_partitions_than_the_bound(sizes: list[int], room: int) -> None:
    assert fewest_partitions(sizes, room) <= fewest_by_enumeration(sizes, room)


@pytest.mark.parametrize(
    ("sizes", "room", "partitions"),
    [
        ([], 10, 0),
        ([10, 10], 10, 2),
        ([6, 6, 6], 10, 3),  # 18 bytes would fit two, but no two of them share one
        ([6, 6, 4, 4], 10, 2),
        ([6, 6, 5, 4], 10, 3),  # 21 bytes
        ([7, 7, 4, 4], 10, 3),  # nothing of four bytes fits beside seven
        ([25], 10, 3),
        ([25, 5], 10, 3),  # beside the last piece of the large one
        ([12, 12], 10, 4),  # both begin a partition, and both reach into a second one
    ],
)
def test_packings_by_hand(sizes: list[int], room: int, partitions: int) -> None:
    assert fewest_partitions(sizes, room) == fewest_by_enumeration(sizes, room) == partitions


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_no_valid_plan_has_a_workspace_below_the_lower_figure(seed: int) -> None:
    """The plans come from a placer that knows nothing of bounds; spanning buffers, pools and in place included."""
    plan = random_plan(Random(seed))
    bounds, _ = peak_bounds(Compact.of(plan.problem))
    least = max((b.value for b in bounds), default=0)

    assert plan.problem.workspace.capacity >= least_workspace_size(plan.problem, least).size


def workspace(partitions: int, alignment: int = 1) -> Workspace:
    return Workspace(Bytes(1 << 20), partitions, alignment, Isolation.SHARED)


def test_the_lower_figure_is_the_peak_in_whole_partitions() -> None:
    question = problem(task("a", "", "u v w x"), sizes=5, workspace=workspace(4))

    assert least_workspace_size(question, 20) == LeastSize(Bytes(20), None)
    assert least_workspace_size(question, 21) == LeastSize(Bytes(24), None)
    assert least_workspace_size(replace(question, workspace=workspace(4, 16)), 64).size == 64


def test_large_buffers_begin_their_partitions() -> None:
    """Two buffers of 10 in three partitions: of 7 bytes each, both would reach into a second one."""
    question = problem(task("a", "", "x y"), sizes=10, workspace=workspace(3))

    assert least_workspace_size(question, 20) == LeastSize(Bytes(30), "a")


def test_buffers_that_cannot_share_a_partition_decide_and_are_named() -> None:
    """Three buffers of 6 in two partitions: 9 bytes each would hold the 18, but two must share: 12 each."""
    question = problem(task("idle"), task("wide", "", "x y z", after="idle"), sizes=6, workspace=workspace(2))

    least = least_workspace_size(question, 18)

    assert (least.size, least.task) == (24, "wide")


def test_a_buffer_larger_than_a_partition_spans() -> None:
    question = problem(task("a", "", "x"), sizes=10, workspace=workspace(4))

    # 3 bytes in each of four partitions hold it: 3 + 3 + 3 + 1.
    assert least_workspace_size(question, 10).size == 12


@pytest.mark.parametrize("sizes", [{"x": 6, "y": 6}, {"x": 6, "y": 2}, {"x": 2, "y": 6}], ids=["even", "less", "more"])
def test_of_a_pair_in_place_the_larger_counts(sizes: dict[str, int]) -> None:
    over = replace(task("b", "x", "y"), in_place=(("y", "x"),))
    question = problem(task("a", "", "x"), over, sizes=sizes, workspace=workspace(1))

    assert least_workspace_size(question, 1).size == 6


def placed(question: Problem, least: int) -> int | None:
    """Size of the workspace in which a plan was placed; the plan is checked here once more."""
    plan = placed_sequentially(question, question.graph.topological_order, least, Budget(3.0))
    if plan is None:
        return None
    assert violations(plan) == []
    assert replace(plan.problem, workspace=question.workspace) == question
    ends = [t.end for t in plan.tasks]
    assert all(t.start >= before for t, before in zip(plan.tasks[1:], ends, strict=False))  # one at a time
    return plan.problem.workspace.size


@pytest.mark.parametrize(
    ("question", "least"),
    [(chain(6, size=10), 20), (diamond(size=10), 30), (replace(chain(6, size=10), workspace=workspace(2)), 20)],
    ids=["chain", "diamond", "two-partitions"],
)
def test_a_plan_is_placed_in_the_least_size_where_that_is_possible(question: Problem, least: int) -> None:
    assert least_workspace_size(question, least).size == least
    assert placed(question, least) == least


def test_a_size_that_does_not_work_is_passed_over() -> None:
    """From 1 byte the search climbs to what the chain needs, and comes down to it."""
    assert placed(chain(6, size=1000), 1) == 2000


def test_pool_limits_that_cannot_hold_give_no_size() -> None:
    question = Problem(
        name="limited",
        tasks=(Task("a", Tick(1), outputs=("x",)),),
        buffers=(Buffer("x", Bytes(8), "text"),),
        workspace=workspace(1),
        pools=(Pool("text", "text", None, Bytes(4)),),
    )

    assert placed(question, 8) is None


def test_no_time_gives_no_plan() -> None:
    assert placed_sequentially(chain(3), ["t1", "t2", "t3"], 2, Budget(0.0)) is None


def test_the_climb_to_a_size_that_works_is_short() -> None:
    """The gap doubles: 1, 3, 6, ... reach 2000 in about a dozen tries; the way down halves what is left."""
    told: list[int] = []
    placed_sequentially(chain(6, size=1000), chain(6).graph.topological_order, 1, Budget(10.0), told.append)

    assert max(told) >= 2000
    assert len(told) <= 30


def test_every_size_that_is_tried_is_told() -> None:
    told: list[int] = []
    placed_sequentially(chain(3, size=10), ["t1", "t2", "t3"], 20, Budget(3.0), told.append)

    assert told == [20]
