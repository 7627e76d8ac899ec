"""Placement in several partitions: equal to enumeration, and what must not change or get worse."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalytic.solver.budget import Budget
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.cp_sat_partitions import NOTHING_KNOWN, Leave, choose_partitions, place_exactly
from catalytic.solver.placement.partition_bounds import refuted_by_counting
from catalytic.solver.placement.partition_question import Partitioned, disagreements, heights
from catalytic.solver.placement.partitioned import Placed, place_partitioned
from catalytic.solver.plan import Evidence, Status

from .partitions import broken, busy_questions, footprint, least_footprint_by_enumeration, questions

BUDGET = Budget(10.0, workers=1)


def where(placed: Placed) -> dict[int, tuple[int, int]]:
    assert placed.partition is not None
    assert placed.offset is not None
    return {b: (int(p), int(o)) for b, (p, o) in enumerate(zip(placed.partition, placed.offset, strict=True))}


@settings(max_examples=60, deadline=None)
@given(questions())
def test_the_least_footprint_equals_enumeration(question: Partitioned) -> None:
    least = least_footprint_by_enumeration(question)

    placed = place_partitioned(question, BUDGET, minimise=True)

    if least is None:
        assert placed.status is Status.INFEASIBLE
        assert placed.impossible is not None
    else:
        assert placed.status is Status.OPTIMAL
        assert placed.footprint == placed.bound == least == footprint(question, where(placed))
        assert not broken(question, where(placed))


@settings(max_examples=40, deadline=None)
@given(questions())
def test_a_fit_is_found_exactly_when_there_is_one(question: Partitioned) -> None:
    placed = place_partitioned(question, BUDGET, minimise=False)

    assert (placed.status is Status.INFEASIBLE) == (least_footprint_by_enumeration(question) is None)
    if placed.status is not Status.INFEASIBLE:
        assert not broken(question, where(placed))
        assert placed.footprint is not None
        assert placed.bound <= placed.footprint == footprint(question, where(placed))
        assert (placed.status is Status.OPTIMAL) == (placed.footprint == placed.bound)


@settings(max_examples=60, deadline=None)
@given(st.one_of(questions(), busy_questions()), st.integers(2, 5))
def test_what_a_coarse_relaxation_refutes_has_no_placement(question: Partitioned, smallest: int) -> None:
    assume(all(question.places))  # or it is refuted before any solver is asked
    verdict = choose_partitions(question, 5.0, BUDGET, smallest=smallest)

    if verdict.impossible:
        assert least_footprint_by_enumeration(question) is None
    else:
        assert verdict.partition is not None
        for block, p in zip(question.blocks, verdict.partition, strict=True):
            assert (p < 0) == (block.size < smallest)


def test_a_coarse_relaxation_knows_the_bytes_and_the_writers_that_it_leaves_out() -> None:
    """One byte too many beside a large block; and two small writers beside a large one in two partitions."""
    full = question_of((0, 9, 4), (0, 9, 4), (0, 9, 1), parts=(4, 4))
    assert choose_partitions(full, 5.0, BUDGET, smallest=2).impossible
    writers = question_of((0, 9, 3), (0, 9, 1), (0, 9, 1), parts=(4, 4))
    assert not choose_partitions(writers, 5.0, BUDGET, smallest=2).impossible
    assert choose_partitions(replace(writers, exclusive=True), 5.0, BUDGET, smallest=2).impossible


@settings(max_examples=60, deadline=None)
@given(busy_questions())
def test_tasks_that_take_turns_share_a_partition_in_every_placement(question: Partitioned) -> None:
    """What counting concludes from partitions that are held without a pause is what enumeration finds."""
    placed = place_partitioned(question, BUDGET, minimise=False)

    assert (placed.status is Status.INFEASIBLE) == (least_footprint_by_enumeration(question) is None)


@st.composite
def pooled_questions(draw: st.DrawFn) -> Partitioned:
    """Two pools in two or three equal partitions, nothing else: what one pool leaves free the other cannot use."""
    n = draw(st.integers(3, 6))
    lower = [draw(st.integers(0, 3)) for _ in range(n)]
    upper = [low + draw(st.integers(1, 2)) for low in lower]
    size = [draw(st.integers(1, 6)) for _ in range(n)]
    room = [draw(st.integers(3, 5))] * draw(st.integers(2, 3))
    pool = [b % 2 for b in range(n)]
    return Partitioned.of(Arena.of(lower, upper, size), room, pool=pool, spanning=draw(st.booleans()))


@settings(max_examples=150, deadline=None)
@given(pooled_questions())
def test_what_counting_refutes_has_no_placement_by_enumeration(question: Partitioned) -> None:
    refuted = refuted_by_counting(question)
    if refuted is not None:
        assert least_footprint_by_enumeration(question) is None


def test_pools_that_never_live_at_once_do_not_share_a_partition() -> None:
    """3 + 3 of one pool, later 3 of another, in two partitions of 5: 9 bytes of 10, never more than 6 alive."""
    question = Partitioned.of(Arena.of([0, 0, 5], [2, 2, 6], [3, 3, 3]), (5, 5), pool=[0, 0, 1])

    refuted = refuted_by_counting(question)

    assert refuted is not None
    assert (refuted.start, refuted.end, refuted.buffers) == (0, 6, (0, 1, 2))
    assert least_footprint_by_enumeration(question) is None
    assert refuted_by_counting(replace(question, pool=np.zeros(3, np.int64), limits=(None,))) is None
    assert refuted_by_counting(replace(question, partitions=(5, 5, 5))) is None


def test_pools_that_do_not_pack_when_fullest_are_told_by_the_solver() -> None:
    """4 4 4 4 4 of one pool, later 3 3 3 of another, in three partitions of 10: 29 bytes of 30, and no way."""
    rows = [*[(0, 2, 4)] * 5, *[(5, 7, 3)] * 3]
    arena = Arena.of(*zip(*rows, strict=True))
    question = Partitioned.of(arena, (10, 10, 10), pool=[0] * 5 + [1] * 3)
    assert refuted_by_counting(question) is None

    placed = place_partitioned(question, BUDGET, minimise=False)

    assert placed.impossible is not None
    assert placed.evidence is Evidence.SOLVER_CLAIM
    assert placed.impossible.buffers == tuple(range(8))
    wider = place_partitioned(replace(question, partitions=(11, 11, 11)), BUDGET, minimise=False)
    assert wider.partition is not None


def test_partitions_held_without_a_pause_are_told() -> None:
    """Two tasks in turns beside one that runs all the time: both write into the other partition, 4 + 4 bytes of 6."""
    arena = Arena.of([0, 0, 2], [4, 4, 4], [1, 4, 4])
    question = Partitioned.of(arena, (6, 6), tasks=[(0, 4), (0, 2), (2, 4)], writer=[0, 1, 2], exclusive=True)

    placed = place_partitioned(question, BUDGET, minimise=False)

    assert placed.evidence is Evidence.CERTIFICATE
    assert placed.impossible is not None
    assert placed.impossible.tasks == (1, 2)
    assert placed.impossible.buffers == (1, 2)


@settings(max_examples=150, deadline=None)
@given(st.one_of(questions(most=4), busy_questions()), st.randoms(use_true_random=False))
def test_the_definition_in_the_engine_is_the_definition_here(question: Partitioned, random: object) -> None:
    """On arbitrary placements, right or wrong, both judges agree."""
    n = question.arena.size.size
    draw = random.randint  # type: ignore[attr-defined]
    place = {b: (p := draw(0, len(question.partitions) - 1), draw(0, question.partitions[p] - 1)) for b in range(n)}
    for b in range(n):  # those of one region begin together, or chance would never let them
        if question.region[b] >= 0:
            place[b] = place[int(np.flatnonzero(question.region == question.region[b])[0])]

    found = disagreements(question, [p for p, _ in place.values()], [at for _, at in place.values()])

    assert bool(found) == broken(question, place)
    if not found:
        assert sum(heights(question, *zip(*place.values(), strict=True))) == footprint(question, place)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 3), st.integers(4, 60))
def test_the_collisions_told_are_those_of_all_pairs(seed: int, count: int, parts: int, room: int) -> None:
    """Many blocks, some of several lives, at random places: every pair that shares a byte, and no other."""
    random = np.random.default_rng(seed)
    lower, size = random.integers(0, 30, count), random.integers(1, 4, count)
    upper = lower + random.integers(1, 12, count)
    region = random.integers(-1, count // 2 + 1, count)
    question = Partitioned.of(Arena.of(lower, upper, size), (room,) * parts, region=region)
    blocks = question.blocks
    p, at = random.integers(0, parts, len(blocks)), random.integers(0, room - 3, len(blocks))
    expected = {
        f"blocks {a} and {b} share bytes of partition {p[a]} while both are alive"
        for a, b in combinations(range(len(blocks)), 2)
        if p[a] == p[b]
        and max(at[a], at[b]) < min(at[a] + blocks[a].size, at[b] + blocks[b].size)
        and any(blocks[a].alive(moment) and blocks[b].alive(moment) for moment in range(45))
    }
    partition, offset = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for k, block in enumerate(blocks):
        partition[list(block.members)], offset[list(block.members)] = p[k], at[k]

    told = disagreements(question, partition.tolist(), offset.tolist())

    assert len(told) == len(set(told))
    assert set(told) == expected


@settings(max_examples=15, deadline=None)
@given(questions(most=4).filter(lambda q: len(set(q.partitions)) == 1 and not q.spanning))
def test_partitions_of_equal_size_can_be_renumbered(question: Partitioned) -> None:
    answers = set()
    for order in permutations(range(len(question.partitions))):
        held = np.array([order[p] if p >= 0 else -1 for p in question.held])
        placed = place_partitioned(replace(question, held=held), BUDGET, minimise=True)
        answers.add((placed.status, placed.footprint))
    assert len(answers) == 1


@settings(max_examples=20, deadline=None)
@given(questions(most=4).filter(lambda q: not q.spanning), st.integers(1, 3))
def test_more_capacity_or_another_partition_takes_nothing_away(question: Partitioned, more: int) -> None:
    """Where buffers span, a larger partition is no more: it moves the borders."""
    placed = place_partitioned(question, BUDGET, minimise=True)
    if placed.footprint is None:
        return
    sizes = question.partitions
    for wider in ((*(p + more for p in sizes),), (*sizes, more)):
        again = place_partitioned(replace(question, partitions=wider), BUDGET, minimise=True)
        assert again.footprint is not None
        assert again.footprint <= placed.footprint


def question_of(*rows: tuple[int, int, int], parts: tuple[int, ...], **more: object) -> Partitioned:
    """Buffers as (lower, upper, size), each written by a task of its own that runs one tick."""
    lower, upper, size = zip(*rows, strict=True)
    tasks = [(low, low + 1) for low in lower]
    arena = Arena.of(lower, upper, size)
    return Partitioned.of(arena, parts, tasks=tasks, writer=list(range(len(rows))), **more)  # type: ignore[arg-type]


def test_more_running_writers_than_partitions_are_named() -> None:
    question = question_of((0, 4, 1), (5, 7, 1), (5, 8, 1), (5, 9, 1), parts=(9, 9), exclusive=True)
    placed = place_partitioned(question, BUDGET, minimise=False)
    assert placed.impossible is not None
    assert placed.impossible.tasks == (1, 2, 3)
    assert (placed.impossible.start, placed.impossible.end) == (5, 6)
    assert placed.evidence is Evidence.CERTIFICATE


def test_buffers_of_one_moment_that_do_not_pack_are_named() -> None:
    """Three of 3 bytes in two partitions of 5: 9 bytes of 10, and yet no way."""
    question = question_of((0, 2, 5), (2, 6, 3), (3, 6, 3), (4, 9, 3), parts=(5, 5))
    placed = place_partitioned(question, BUDGET, minimise=False)
    assert placed.impossible is not None
    assert placed.impossible.buffers == (1, 2, 3)
    assert (placed.impossible.start, placed.impossible.end) == (4, 6)


def test_what_only_search_refutes_is_a_claim_of_the_solver_about_a_stretch_of_time() -> None:
    """Sizes 4 4 3 3 3 3 fill 9 and 11 bytes only as 3 3 3 and 4 4 3: a 4 that is held in the first is one too many."""
    rows = ((0, 5, 4), (0, 5, 4), (1, 5, 3), (1, 5, 3), (2, 5, 3), (2, 5, 3), (8, 9, 1))
    question = question_of(*rows, parts=(10, 10), exclusive=False)
    assert place_partitioned(question, BUDGET, minimise=False).status is not Status.INFEASIBLE
    tight = replace(question, partitions=(9, 11))
    placed = place_partitioned(tight, BUDGET, minimise=False)
    assert placed.status is not Status.INFEASIBLE
    held = replace(tight, held=np.array([0, -1, -1, -1, -1, -1, -1]))
    placed = place_partitioned(held, BUDGET, minimise=False)
    assert placed.status is Status.INFEASIBLE
    assert placed.evidence is Evidence.SOLVER_CLAIM
    assert placed.impossible is not None
    assert set(placed.impossible.buffers) == {0, 1, 2, 3, 4, 5}
    assert placed.impossible.start < 5


def test_running_writers_that_meet_in_a_partition_are_told_and_nothing_else() -> None:
    question = question_of((0, 3, 1), (0, 3, 1), parts=(4, 4), exclusive=True)
    assert disagreements(question, [0, 1], [0, 0]) == []
    assert len(disagreements(question, [0, 0], [0, 1])) == 1
    assert disagreements(replace(question, exclusive=False), [0, 0], [0, 1]) == []


def test_a_wish_is_granted_where_nothing_speaks_against_it() -> None:
    question = question_of((0, 3, 2), (1, 4, 2), parts=(6, 6))
    wishing = replace(question, preferred=np.array([1, -1]), preferred_offset=np.array([3, -1]))
    placed = place_partitioned(wishing, BUDGET, minimise=False)
    assert where(placed)[0] == (1, 3)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_deterministic_budget_gives_the_same_answer_twice(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = [(int(a), int(a + d), int(s)) for a, d, s in random.integers(1, 12, size=(40, 3))]
    question = question_of(*rows, parts=(40, 40, 40))
    budget = Budget(1.0, workers=1, seed=seed, deterministic=True)
    once, twice = (place_partitioned(question, budget, minimise=True) for _ in range(2))
    assert (once.status, once.footprint, once.bound) == (twice.status, twice.footprint, twice.bound)
    assert np.array_equal(once.offset, twice.offset)  # type: ignore[arg-type]


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_a_model_that_comes_too_late_is_not_solved(looks: int) -> None:
    """Nothing is claimed, wherever in its making the time ends; with time there is an answer."""
    question = question_of((0, 4, 3), (1, 5, 3), (6, 8, 2), parts=(4, 4))

    def leave_for(count: int) -> Leave:
        left = iter([False] * count)
        return Leave(lambda: next(left, True))

    assert choose_partitions(question, 5.0, BUDGET, leave=leave_for(looks)) == NOTHING_KNOWN
    assert place_exactly(question, 5.0, BUDGET, total=None, minimise=False, leave=leave_for(0)) == NOTHING_KNOWN
    assert choose_partitions(question, 5.0, BUDGET, leave=leave_for(100)).partition is not None


@pytest.mark.parametrize(
    "more",
    [{"partitions": ()}, {"pool": [3]}, {"writer": [0]}, {"held_offset": [0]}, {"held": [7]}],
    ids=["no partition", "pool without limit", "unknown writer", "offset without partition", "unknown partition"],
)
def test_a_question_that_makes_no_sense_is_refused(more: dict[str, object]) -> None:
    arguments: dict[str, object] = {"partitions": (4,), "limits": [None], **more}
    with pytest.raises(ValueError, match=r"."):
        Partitioned.of(Arena.of([0], [1], [1]), **arguments)  # type: ignore[arg-type]
