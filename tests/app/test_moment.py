"""Who writes what is alive at a moment, who still needs it, and that the sizes add up."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.moment import Moment, Role, forced_moment, peak_moment, working_moment
from catalytic.solver.order import Compact, peak_bounds
from catalytic.solver.order.profile import profile
from catalytic.solver.problem import InputPolicy, OutputPolicy, Policy
from tests.builders import random_problem

from .orders import PAGE, pages, task, two_branches

ORDER = ("grow-1", "shrink-1", "grow-2", "shrink-2", "join")


def rows(moment: Moment) -> list[tuple[str, int, str | None, tuple[str, ...], str, tuple[str, ...]]]:
    """Groups in short: role, pages, writer, readers, what then, buffers."""
    return [
        (g.role.value, g.size // PAGE, g.written_by, g.needed_by, g.then, tuple(s.buffer for s in g.buffers))
        for g in moment.groups
    ]


def test_the_peak_of_an_order_by_hand() -> None:
    """While the second branch shrinks, the first one's result waits for the join."""
    moment = peak_moment(profile(two_branches(), ORDER))

    assert (moment.task, moment.bytes, moment.shared, moment.certain) == ("shrink-2", 10 * PAGE, 0, True)
    assert rows(moment) == [
        ("read", 8, "grow-2", ("shrink-2",), "dropped", ("big-2",)),
        ("waiting", 1, "shrink-1", ("join",), "dropped", ("small-1",)),
        ("written", 1, "shrink-2", ("join",), "dropped", ("small-2",)),
    ]


def test_buffers_that_live_alike_are_one_group_and_larger_groups_come_first() -> None:
    question = pages(
        task("write", "", "a b c"), task("use", "a b c", "out", scratch=4), sizes={"a": 1, "b": 2, "c": 1, "out": 3}
    )

    moment = peak_moment(profile(question, ("write", "use")))

    assert rows(moment) == [
        ("scratch", 4, "use", (), "dropped", ("scratch:use",)),
        ("read", 4, "write", ("use",), "dropped", ("b", "a", "c")),
        ("written", 3, "use", (), "exported", ("out",)),
    ]


def test_readers_that_have_ended_need_a_buffer_no_more() -> None:
    question = pages(task("a", "", "x"), task("b", "x", "y"), task("c", "x y", "z"), sizes={"x": 5, "y": 1, "z": 2})

    moment = peak_moment(profile(question, ("a", "b", "c")))

    assert (moment.task, moment.groups[0].needed_by) == ("c", ("c",))


def test_inputs_have_no_writer_and_kept_outputs_are_said_to_stay() -> None:
    question = replace(
        pages(task("a", "in", "x"), sizes={"in": 3, "x": 1}), policy=Policy(InputPolicy.LAZY, OutputPolicy.KEEP)
    )

    moment = peak_moment(profile(question, ("a",)))

    assert rows(moment) == [
        ("read", 3, None, ("a",), "dropped", ("in",)),
        ("written", 1, "a", (), "kept", ("x",)),
    ]


def test_what_is_shared_in_place_is_subtracted() -> None:
    over = replace(task("b", "x", "y"), in_place=(("y", "x"),))
    question = pages(task("a", "", "x"), over, sizes={"x": 3, "y": 4})

    for moment in (peak_moment(profile(question, ("a", "b"))), working_moment(question, "b")):
        assert (moment.task, moment.bytes, moment.shared) == ("b", 4 * PAGE, 3 * PAGE)


def test_of_a_forced_moment_only_readers_that_must_precede_are_done() -> None:
    """``c`` may run before or after ``b``, so it may still need ``x`` while ``b`` runs; ``a`` cannot."""
    question = pages(
        task("w", "", "x"), task("a", "x", "y"), task("b", "x y", "z"), task("c", "x"), sizes={"x": 3, "y": 1, "z": 9}
    )
    _, force = peak_bounds(Compact.of(question))
    assert force is not None

    moment = forced_moment(question, force)

    assert moment.task == "b"
    assert {g.buffers[0].buffer: g.needed_by for g in moment.groups} == {"x": ("b", "c"), "y": ("b",), "z": ()}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_sizes_less_what_is_shared_are_the_bytes_and_every_buffer_appears_once(seed: int) -> None:
    question = random_problem(Random(seed))
    along = profile(question, question.graph.topological_order)
    if not question.graph.resident:
        return

    moment = peak_moment(along)

    names = [s.buffer for g in moment.groups for s in g.buffers]
    assert sorted(names) == sorted(along.alive(along.peak_step()))
    assert sum(g.size for g in moment.groups) - moment.shared == moment.bytes == max(along.live)
    assert [g.size for g in moment.groups] == sorted((g.size for g in moment.groups), reverse=True)
    for g in moment.groups:
        assert (g.role is Role.WAITING) == (
            moment.task not in (g.written_by, *(r for b in g.buffers for r in question.graph.readers[b.buffer]))
        )
