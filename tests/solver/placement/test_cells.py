"""From a schedule with partitions to addresses: valid, as low as enumeration with effort, and within every room."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.arena_families import PLANTED
from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.order import Compact
from catalytic.solver.placement import Placement, place
from catalytic.solver.problem import Buffer, Isolation, Pool, Problem, Task, Workspace
from catalytic.solver.units import Bytes, Tick

from .arenas import Row, arena_of, least_height, rows

BUDGET = Budget(10.0, deterministic=True)


def schedule(
    some: Sequence[Row], pools: Sequence[int], workspace: Workspace, limits: Sequence[Bytes | None] = (None, None)
) -> tuple[Compact, Ints]:
    """A task that writes and one that reads each buffer, and the starts at which it lives from lower to upper."""
    tasks: list[Task] = []
    starts: dict[str, int] = {}
    for b, (lower, upper, _) in enumerate(some):
        tasks.append(Task(f"write{b}", Tick(1), outputs=(f"b{b}",)))
        tasks.append(Task(f"read{b}", Tick(1), inputs=(f"b{b}",)))
        starts |= {f"write{b}": 2 * lower, f"read{b}": 2 * upper - 1}
    buffers = tuple(
        Buffer(f"b{b}", Bytes(size), f"kind{pool}")
        for b, ((_, _, size), pool) in enumerate(zip(some, pools, strict=True))
    )
    kinds = sorted(set(pools))
    named = tuple(Pool(f"kind{k}", f"kind{k}", None, limits[k]) for k in kinds)
    compact = Compact.of(Problem("cells", tuple(tasks), buffers, workspace=workspace, pools=named))
    return compact, np.array([starts[t] for t in compact.tasks])


def workspace_of(partitions: int, partition_size: int) -> Workspace:
    return Workspace(Bytes(partitions * partition_size), partitions, 1, Isolation.SHARED)


def wrong(some: Sequence[Row], pools: Sequence[int], partition_size: int, placement: Placement) -> list[str]:
    """The rules, byte by byte; ``fits`` is believed about the ends of partitions only when it says yes."""
    at = {b: placement.extents[f"b{b}"] for b in range(len(some))}
    found = [f"{b} has lost bytes" for b, own in at.items() if sum(e.length for e in own) != some[b][2]]
    spots = {b: {(e.partition, byte) for e in own for byte in range(e.offset, e.end)} for b, own in at.items()}
    found += [
        f"{a} and {b} share bytes"
        for a, b in combinations(at, 2)
        if some[a][0] < some[b][1] and some[b][0] < some[a][1] and spots[a] & spots[b]
    ]
    slices = {(s.pool, s.partition): range(s.offset, s.offset + s.size) for s in placement.slices}
    found += [
        f"{b} is outside of its slice"
        for b, own in spots.items()
        if any(byte not in slices[f"kind{pools[b]}", p] for p, byte in own)
    ]
    found += [
        "slices overlap"
        for (one, other) in combinations(slices, 2)
        if one[1] == other[1] and set(slices[one]) & set(slices[other])
    ]
    if placement.fits:
        found += [
            f"{b} leaves its partition" for b, own in spots.items() if any(byte >= partition_size for _, byte in own)
        ]
    return found


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[Row], list[int], list[int], int]:
    """Buffers, their pools, their first partitions of three, and the size of a partition; none spans."""
    some = draw(rows)
    n = len(some)
    pools = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    where = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return some, pools, where, draw(st.integers(5, 20))


@settings(max_examples=150, deadline=None)
@given(schedules(), st.sampled_from([0.0, 0.1]), st.integers(0, 60))
def test_placements_are_valid(drawn: tuple[list[Row], list[int], list[int], int], effort: float, enough: int) -> None:
    some, pools, where, part_size = drawn
    compact, start = schedule(some, pools, workspace_of(3, part_size))

    placement = place(compact, start, np.array(where), BUDGET, enough=enough, effort_s=effort)

    assert wrong(some, pools, part_size, placement) == []
    tops = [max((s.offset + s.size for s in placement.slices if s.partition == p), default=0) for p in range(3)]
    assert placement.footprint == sum(tops)
    assert placement.fits == (max(tops) <= part_size)


@settings(max_examples=60, deadline=None)
@given(rows)
def test_effort_reaches_the_height_of_enumeration(some: list[Row]) -> None:
    compact, start = schedule(some, [0] * len(some), workspace_of(1, 1000))

    placement = place(compact, start, np.zeros(len(some), np.int64), BUDGET, enough=0, effort_s=1.0)

    assert placement.footprint == least_height(arena_of(some))


@settings(max_examples=40, deadline=None)
@given(schedules(), st.integers(0, 60))
def test_effort_never_makes_a_footprint_larger(drawn: tuple[list[Row], list[int], list[int], int], enough: int) -> None:
    some, pools, where, part_size = drawn
    compact, start = schedule(some, pools, workspace_of(3, part_size))

    quick, searched = (
        place(compact, start, np.array(where), BUDGET, enough=enough, effort_s=effort) for effort in (0.0, 0.1)
    )

    assert searched.footprint <= quick.footprint
    assert searched.fits or not quick.fits


@settings(max_examples=40, deadline=None)
@given(schedules(), st.integers(2, 5))
def test_scaling_sizes_scales_the_footprint(drawn: tuple[list[Row], list[int], list[int], int], factor: int) -> None:
    some, pools, where, part_size = drawn
    larger = [(lower, upper, factor * size) for lower, upper, size in some]

    one, many = (
        place(*schedule(each, pools, workspace_of(3, size)), np.array(where), BUDGET, enough=0)
        for each, size in ((some, part_size), (larger, factor * part_size))
    )

    assert many.footprint == factor * one.footprint


def test_what_spans_partitions_begins_them_and_its_pool_comes_first() -> None:
    some = [(0, 2, 3), (0, 3, 13)]
    compact, start = schedule(some, [0, 1], workspace_of(2, 10))

    placement = place(compact, start, np.array([1, 0]), BUDGET, enough=100)

    assert [(e.partition, e.offset, e.length) for e in placement.extents["b1"]] == [(0, 0, 10), (1, 0, 3)]
    assert [(e.partition, e.offset, e.length) for e in placement.extents["b0"]] == [(1, 3, 3)]
    assert placement.fits
    assert placement.footprint == 16


@pytest.mark.parametrize(("upper", "footprint"), [(2, 5), (3, 8)], ids=["touching", "overlapping"])
def test_lifetimes_are_half_open(upper: int, footprint: int) -> None:
    compact, start = schedule([(0, upper, 3), (2, 4, 5)], [0, 0], workspace_of(1, 100))
    assert place(compact, start, np.zeros(2, np.int64), BUDGET, enough=0).footprint == footprint


def planted(seed: int) -> tuple[list[Row], int]:
    """Thirty buffers that fill a rectangle without a gap, and its height; first fit does not find that."""
    found = PLANTED["pinwheel"](30, seed=seed)
    columns = (found.arena.lower, found.arena.upper, found.arena.size)
    return list(zip(*(column.tolist() for column in columns), strict=True)), found.optimum


@pytest.mark.parametrize("seed", range(4))
def test_a_partition_that_overflows_is_lowered_even_where_the_footprint_would_do(seed: int) -> None:
    some, height = planted(seed)
    compact, start = schedule(some, [0] * 30, workspace_of(2, height))
    where = np.zeros(30, np.int64)
    assert not place(compact, start, where, BUDGET, enough=2 * height).fits

    placement = place(compact, start, where, BUDGET, enough=2 * height, effort_s=5.0)

    assert placement.fits
    assert placement.footprint == height


@pytest.mark.parametrize("seed", range(4))
def test_a_pool_above_its_limit_is_lowered_even_where_the_footprint_would_do(seed: int) -> None:
    some, height = planted(seed)
    compact, start = schedule(some, [0] * 30, workspace_of(1, 3 * height), limits=[Bytes(height)])
    where = np.zeros(30, np.int64)
    assert not place(compact, start, where, BUDGET, enough=3 * height).fits

    assert place(compact, start, where, BUDGET, enough=3 * height, effort_s=5.0).fits


@pytest.mark.parametrize("seed", range(3))
def test_a_deterministic_budget_gives_the_same_placement_twice(seed: int) -> None:
    some, height = planted(seed)
    compact, start = schedule(some, [seed % 2] * 30, workspace_of(1, height))
    once, twice = (place(compact, start, np.zeros(30, np.int64), BUDGET, enough=0, effort_s=0.05) for _ in range(2))
    assert once == twice
