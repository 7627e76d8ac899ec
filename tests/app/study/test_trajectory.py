"""What a search knew when."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.study.trajectory import improvements, trajectory

steps = st.lists(st.integers(0, 9), max_size=8).map(lambda values: [(float(k), v) for k, v in enumerate(values)])


def test_the_moments_of_a_search_that_proves_its_value() -> None:
    """The value 5 comes at 2 s and the bound reaches it at 3 s: that is when nothing was left to prove."""
    story = trajectory([(1.0, 9), (2.0, 5)], [(0.5, 1), (3.0, 5)], 4.0, 5, 5)

    assert (story.first_s, story.best_s, story.proof_s()) == (1.0, 2.0, 3.0)
    assert story.observed


def test_a_bound_that_came_before_the_value_proves_it_when_it_comes() -> None:
    assert trajectory([(2.0, 5)], [(0.5, 5)], 4.0, 5, 5).proof_s() == 2.0


def test_without_news_the_answer_is_the_whole_story() -> None:
    story = trajectory([], [], 4.0, 5, 3)

    assert (story.incumbents, story.bounds) == (((4.0, 5),), ((4.0, 3),))
    assert not story.observed
    assert story.proof_s() is None


def test_a_best_value_that_was_never_told_is_not_observed() -> None:
    story = trajectory([(1.0, 9)], [], 4.0, 5, None)

    assert (story.first_s, story.best_s, story.observed) == (1.0, 4.0, False)


def test_a_killed_search_keeps_what_it_told() -> None:
    story = trajectory([(1.0, 9), (2.0, 7)], [(1.5, 2)], 10.0, None, None)

    assert story.incumbents == ((1.0, 9), (2.0, 7))
    assert story.bounds == ((1.5, 2),)


def test_a_value_better_than_the_answer_was_not_this_search_s() -> None:
    assert trajectory([(1.0, 9), (2.0, 3)], [], 4.0, 7, None).incumbents == ((1.0, 9), (4.0, 7))


@settings(deadline=None, max_examples=60)
@given(steps, steps, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))
def test_values_fall_bounds_rise_and_both_end_at_the_answer(
    values: list[tuple[float, int]], bounds: list[tuple[float, int]], value: int | None, bound: int | None
) -> None:
    story = trajectory(values, bounds, 20.0, value, bound)

    found = [v for _, v in story.incumbents]
    proved = [b for _, b in story.bounds]
    assert found == sorted(set(found), reverse=True)
    assert proved == sorted(set(proved))
    assert [t for t, _ in story.incumbents] == sorted(t for t, _ in story.incumbents)
    if value is not None:
        assert found[-1] == value
    if bound is not None:
        assert proved[-1] == bound


@settings(deadline=None, max_examples=60)
@given(steps)
def test_improvements_are_the_running_minima(told: list[tuple[float, int]]) -> None:
    expected = [(t, v) for k, (t, v) in enumerate(told) if all(v < before for _, before in told[:k])]

    assert list(improvements(told)) == expected
