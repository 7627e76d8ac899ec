"""Dealing spans to lines: nobody shares a line, and no more lines than are needed."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.tracks import Span, dealt, planned_tracks
from tests.builders import random_plan

spans = st.lists(
    st.builds(
        lambda start, length, width: (start, start + length, width),
        st.integers(0, 30),
        st.integers(1, 12),
        st.integers(1, 3),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(spans)
def test_a_line_holds_one_span_at_a_moment(listed: list[tuple[int, int, int]]) -> None:
    made = [Span(f"s{k}", *span) for k, span in enumerate(listed)]

    lines, count = dealt(made)

    for moment in range(45):
        taken = [line for span, own in zip(made, lines, strict=True) if span.start <= moment < span.end for line in own]
        assert len(taken) == len(set(taken))
    assert all(len(own) == span.width for span, own in zip(made, lines, strict=True))
    assert {line for own in lines for line in own} == set(range(count))


@settings(max_examples=100, deadline=None)
@given(spans)
def test_there_are_as_many_lines_as_are_held_at_the_fullest_moment(listed: list[tuple[int, int, int]]) -> None:
    """First come, first served is optimal for intervals: a new line is opened only when every other one is taken."""
    made = [Span(f"s{k}", *span) for k, span in enumerate(listed)]

    fullest = max((sum(s.width for s in made if s.start <= m < s.end) for m in range(45)), default=0)

    assert dealt(made)[1] == fullest


def test_the_order_of_the_list_does_not_matter() -> None:
    made = [Span(f"s{k}", k % 5, k % 5 + 1 + k % 3) for k in range(30)]
    by_name = {s.id: own for s, own in zip(made, dealt(made)[0], strict=True)}
    Random(1).shuffle(made)

    assert {s.id: own for s, own in zip(made, dealt(made)[0], strict=True)} == by_name


def test_an_attempt_that_took_no_time_is_dealt_too() -> None:
    lines, count = dealt([Span("a", 5, 5), Span("b", 5, 9)])

    assert count == 2
    assert lines[0] != lines[1]


def test_a_plan_never_needs_more_lines_than_workers() -> None:
    """The planner keeps within the capacity; tasks that hold no worker take a line without being counted."""
    for seed in range(30):
        plan = random_plan(Random(seed))
        lines, count = planned_tracks(plan)

        assert len(lines) == len(plan.tasks)
        assert count <= plan.problem.capacity_of("workers")
