"""The problem of one address line, and the smaller one that a search looks at."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.placement.arena import Arena, components

from .arenas import Row, arena_of, featured_arenas, least_height, moments, rows


def test_sizes_count_in_the_largest_unit_that_divides_them() -> None:
    arena = Arena.of([0, 0], [2, 2], [12, 18])
    (component,) = components(arena)
    assert (component.unit, component.size.tolist()) == (6, [2, 3])


@pytest.mark.parametrize(
    ("alignment", "unit", "steps"),
    # 12 and 18 are multiples of 3: an alignment of 3 asks nothing. One of 4 leaves a grid of gcd(6, 4) = 2.
    [([3, 3], 6, [1, 1]), ([4, 1], 2, [2, 1]), ([12, 1], 6, [2, 1])],
    ids=["divides the sizes", "breaks the grid", "a multiple"],
)
def test_alignments_that_ask_nothing_go(alignment: list[int], unit: int, steps: list[int]) -> None:
    (component,) = components(Arena.of([0, 0], [2, 2], [12, 18], alignment=alignment))
    assert (component.unit, component.alignment.tolist()) == (unit, steps)


def test_a_fixed_offset_lies_on_the_grid() -> None:
    (component,) = components(Arena.of([0, 0], [2, 2], [12, 18], fixed=[4, -1]))
    assert (component.unit, component.fixed.tolist()) == (2, [2, -1])
    assert component.bound == 15


def test_sections_that_a_neighbour_contains_go() -> None:
    """a grows into a+b, into a+b+c, and shrinks again: only the largest set says something."""
    (component,) = components(Arena.of([0, 1, 2], [6, 5, 4], [1, 1, 1]))
    assert component.members.items.tolist() == [0, 1, 2]
    assert component.members.start.tolist() == [0, 3]


def test_buffers_never_alive_together_are_components_of_their_own() -> None:
    parts = components(Arena.of([0, 1, 2, 3], [2, 2, 4, 4], [1, 1, 1, 1]))
    assert [p.buffers.tolist() for p in parts] == [[0, 1], [2, 3]]


def test_a_gap_separates_and_the_same_buffer_connects() -> None:
    """b lives in the gap of a: they never meet. c meets both ends of a."""
    apart = Arena.of([0, 2], [6, 4], [1, 1], gaps=[((2, 4),), ()])
    assert len(components(apart)) == 2
    both = Arena.of([0, 2, 1, 4], [6, 4, 2, 5], [1, 1, 1, 1], gaps=[((2, 4),), (), (), ()])
    assert [p.buffers.tolist() for p in components(both)] == [[0, 2, 3], [1]]


def test_only_buffers_equal_in_every_respect_are_twins() -> None:
    arena = Arena.of(
        [0] * 6, [2] * 5 + [3], [4, 4, 8, 4, 4, 4], alignment=[1, 1, 1, 8, 1, 1], fixed=[-1] * 4 + [40, -1]
    )
    (component,) = components(arena)
    # The last one lives on, but nobody else is there then: its sections are the same.
    assert component.twin.tolist() == [-1, 0, -1, -1, -1, 1]


def test_buffers_of_no_size_are_in_no_component() -> None:
    assert [p.buffers.tolist() for p in components(Arena.of([0, 0], [2, 2], [0, 5]))] == [[1]]
    assert components(Arena.of([], [], [])) == ()


@settings(max_examples=100, deadline=None)
@given(rows)
def test_the_bound_is_the_most_live_bytes_at_any_tick(some: list[Row]) -> None:
    arena = arena_of(some)
    alive = [moments(arena, b) for b in range(len(some))]
    most = max(sum(some[b][2] for b in range(len(some)) if t in alive[b]) for t in range(12))
    assert max(p.bound * p.unit for p in components(arena)) == most


@settings(max_examples=60, deadline=None)
@given(featured_arenas())
def test_the_bound_is_never_above_the_optimum(arena: Arena) -> None:
    assert max(p.bound * p.unit for p in components(arena)) <= least_height(arena)


@settings(max_examples=100, deadline=None)
@given(featured_arenas())
def test_neighbours_are_the_buffers_with_a_common_tick(arena: Arena) -> None:
    alive = [moments(arena, b) for b in range(len(arena.size))]
    for part in components(arena):
        start, items = part.neighbours
        for k, b in enumerate(part.buffers):
            near = {int(part.buffers[i]) for i in items[start[k] : start[k + 1]]}
            assert near == {u for u in range(len(alive)) if u != b and alive[u] & alive[int(b)]}


def sections_by_definition(arena: Arena) -> list[list[int]]:
    """Who is alive, tick by tick, without the sets that the one before or after contains."""
    sets: list[set[int]] = [set()]
    for t in range(20):
        alive = {b for b in range(len(arena.size)) if arena.size[b] and t in moments(arena, b)}
        if alive != sets[-1]:
            sets.append(alive)
    sets.append(set())
    between = zip(sets[:-2], sets[1:-1], sets[2:], strict=True)
    return [sorted(own) for before, own, after in between if not (own <= before or own <= after)]


@settings(max_examples=200, deadline=None)
@given(featured_arenas())
def test_members_and_sections_are_those_of_the_definition(arena: Arena) -> None:
    expected = sections_by_definition(arena)
    found = []
    parts = components(arena)
    for part in parts:
        start, items = part.members
        own = [items[a:z].tolist() for a, z in pairwise(start)]
        found += [[int(part.buffers[b]) for b in section] for section in own]
        start, items = part.sections
        assert [items[a:z].tolist() for a, z in pairwise(start)] == [
            [s for s, section in enumerate(own) if b in section] for b in range(part.size.size)
        ]
        # Connected: no set of buffers is closed under having a section in common.
        reached = set(own[0])
        for _ in own:
            reached |= {b for section in own if reached & set(section) for b in section}
        assert reached == set(range(part.size.size))
        assert part.live.tolist() == [sum(int(part.size[b]) for b in section) for section in own]
        assert part.duration.tolist() == [len(moments(arena, int(b))) for b in part.buffers]
    assert sorted(found) == sorted(expected)
    assert sorted(b for part in parts for b in part.buffers) == [b for b in range(len(arena.size)) if arena.size[b]]
    assert [part.buffers[0] for part in parts] == sorted(part.buffers[0] for part in parts)


@settings(max_examples=100, deadline=None)
@given(featured_arenas())
def test_pieces_are_disjoint_and_apart(arena: Arena) -> None:
    for part in components(arena):
        for a, z in pairwise(part.piece):
            assert a < z
            assert (part.first[a:z] < part.end[a:z]).all()
            assert (part.end[a : z - 1] < part.first[a + 1 : z]).all()


@settings(max_examples=100, deadline=None)
@given(rows, st.sampled_from([2, 3, 4]), st.booleans())
def test_with_a_common_alignment_the_bound_counts_rounded_sizes(some: list[Row], step: int, held: bool) -> None:
    arena = Arena.of(
        *zip(*some, strict=True), alignment=[step] * len(some), fixed=[step if held else -1] + [-1] * (len(some) - 1)
    )
    assert max(p.bound * p.unit for p in components(arena)) <= least_height(arena)


def test_of_three_buffers_of_one_byte_at_multiples_of_four_two_are_rounded_up() -> None:
    (component,) = components(Arena.of([0, 0, 0], [1, 1, 1], [1, 1, 1], alignment=[4, 4, 4]))
    assert component.bound * component.unit == 9


def test_a_preferred_offset_counts_in_units_where_it_can_be_reached() -> None:
    arena = Arena.of([0] * 4, [2] * 4, [12, 12, 18, 6], preferred=[24, 7, -1, 12], alignment=[12, 1, 1, 4])
    (component,) = components(arena)
    assert (component.unit, component.preferred.tolist()) == (2, [12, -1, -1, 6])


@settings(max_examples=50, deadline=None)
@given(rows, st.integers(2, 5))
def test_scaled_sizes_and_times_are_the_same_component(some: list[Row], factor: int) -> None:
    one = components(arena_of(some))
    many = components(arena_of([(factor * low, factor * high, factor * size) for low, high, size in some]))
    assert [p.size.tolist() for p in one] == [p.size.tolist() for p in many]
    assert [p.members.items.tolist() for p in one] == [p.members.items.tolist() for p in many]
    assert [factor * p.unit for p in one] == [p.unit for p in many]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"lower": [2, 0]}, r"buffer 0: lifetime \[2, 2\)"),
        ({"size": [-1, 3]}, "buffer 0: .*size -1"),
        ({"alignment": [1, 0]}, "buffer 1: .*alignment 0"),
        ({"alignment": [1, 4], "fixed": [-1, 6]}, "buffer 1: fixed at 6, alignment 4"),
        ({"gaps": [(), ((1, 3),)]}, "buffer 1: gaps"),
        ({"gaps": [(), ((0, 2),)]}, "buffer 1: gaps"),
        ({"upper": [5, 5], "gaps": [((1, 3), (2, 4)), ()]}, "buffer 0: gaps"),
        ({"preferred": [-2, -1]}, "buffer 0: preferred at -2"),
        ({"preferred": [3]}, "every buffer needs"),
        ({"fixed": [0, 2]}, "buffers 0 and 1 are fixed on common bytes"),
        ({"size": [3]}, "every buffer needs"),
    ],
    ids=[
        "lifetime",
        "size",
        "alignment",
        "fixed",
        "gap outside",
        "gap of all",
        "gaps overlap",
        "preferred",
        "preferences",
        "collision",
        "columns",
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    columns: dict[str, Any] = {"lower": [0, 0], "upper": [2, 2], "size": [3, 3], **wrong}
    with pytest.raises(ValueError, match=said):
        Arena.of(columns.pop("lower"), columns.pop("upper"), columns.pop("size"), **columns)


@settings(max_examples=200, deadline=None)
@given(rows, st.data())
def test_fixed_offsets_are_refused_when_they_collide_and_only_then(some: list[Row], data: st.DataObject) -> None:
    lower, upper, size = zip(*some, strict=True)
    fixed = [data.draw(st.integers(-1, 12)) for _ in some]
    free = Arena.of(lower, upper, size)
    held = [b for b in range(len(some)) if fixed[b] >= 0]
    collide = any(
        moments(free, a) & moments(free, b) and fixed[a] < fixed[b] + size[b] and fixed[b] < fixed[a] + size[a]
        for a, b in combinations(held, 2)
    )
    if collide:
        with pytest.raises(ValueError, match="fixed on common bytes"):
            Arena.of(lower, upper, size, fixed=fixed)
    else:
        Arena.of(lower, upper, size, fixed=fixed)


def test_fixed_buffers_may_share_bytes_when_they_never_meet() -> None:
    assert len(components(Arena.of([0, 2], [2, 4], [3, 3], fixed=[0, 1]))) == 2
