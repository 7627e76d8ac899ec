"""Replaying a strategy gives its live sets, peak and cost; a timeline becomes a problem with fixed starts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from catalytic.solver.errors import InputError
from catalytic.solver.plan import (
    Allocation,
    Lifetime,
    Move,
    Step,
    Strategy,
    Timeline,
    lifetimes,
    replay,
    timeline_problem,
)
from catalytic.solver.problem import InputPolicy, Policy, Problem
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, problem, task
from tests.strategies import strategies, timelines


def steps(*words: str) -> tuple[Step, ...]:
    """``steps("compute t1", "borrow b1 t2")``."""
    return tuple(Step(Move(w.split()[0]), *w.split()[1:]) for w in words)


def refusal(question: Problem, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        replay(Strategy(question, steps(*words)))
    return "\n".join(map(str, caught.value.mistakes))


def test_a_chain_with_drops_holds_two_buffers() -> None:
    result = replay(Strategy(chain(3, size=5), steps("compute t1", "compute t2", "drop b1", "compute t3", "drop b2")))

    assert result.profile == (5, 10, 10, 10, 5)
    assert result.live == (("b1",), ("b1", "b2"), ("b2",), ("b2",), ())
    assert (result.peak, result.peak_step) == (10, 1)
    assert (result.base, result.extra, result.recomputes, result.io) == (3, 0, 0, 0)


def test_recomputing_costs_time_and_spilling_costs_bytes() -> None:
    question = problem(task("a", "", "x"), task("b", "", "y"), task("c", "x y", "z"), sizes=4)
    again = replay(Strategy(question, steps("compute a", "drop x", "compute b", "recompute a", "compute c")))
    spilled = replay(Strategy(question, steps("compute a", "spill x", "compute b", "load x", "compute c")))

    assert (again.extra, again.recomputes, again.io) == (1, 1, 0)
    assert (spilled.extra, spilled.recomputes, spilled.io) == (0, 0, 8)
    assert again.profile[2] == spilled.profile[2] == 4  # x is not in memory while b runs


def test_scratch_lies_in_what_was_borrowed() -> None:
    reversible = replace(task("b", "", "y", scratch=6), reversible=True)
    question = problem(task("a", "", "x"), reversible, task("c", "x y"), sizes={"x": 4, "y": 1})

    result = replay(Strategy(question, steps("compute a", "borrow x b", "compute b", "restore x b", "compute c")))

    assert result.profile[2] == 4 + 1 + (6 - 4)


def test_lazy_inputs_appear_when_first_read_and_preloaded_ones_are_there() -> None:
    question = problem(task("a", "", "x"), task("b", "given x"), sizes=2)
    for policy, first in ((InputPolicy.EXTERNAL, 2), (InputPolicy.LAZY, 2), (InputPolicy.PRELOAD, 4)):
        profile = replay(Strategy(replace(question, policy=Policy(policy)), steps("compute a", "compute b"))).profile
        assert profile[0] == first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compute t2", "compute t1"), "'t2' before 't1'"),
        (("compute t1", "drop b1", "compute t2"), "the input 'b1' of 't2' is not in memory"),
        (("compute t1",), "no computation of 't2'"),
        (("compute t1", "compute t1", "compute t2"), "allowed recompute"),
        (("recompute t1", "compute t2"), "it has not been computed yet"),
        (("compute t1", "drop b2", "compute t2"), "'b2' is not in memory"),
        (("compute t1", "load b1", "compute t2"), "'b1' was not spilled"),
        (("compute t1", "borrow b1 t2", "compute t2"), "allowed a reversible task"),
        (("compute t1", "restore b1 t2", "compute t2"), "'b1' is not lent to 't2'"),
        (("compute t9", "compute t1", "compute t2"), "allowed the id of a task"),
        (("compute t1", "drop b9", "compute t2"), "allowed the id of a buffer"),
    ],
)
def test_a_move_that_is_impossible_is_refused_where_it_stands(words: tuple[str, ...], message: str) -> None:
    assert message in refusal(chain(2), *words)


def test_what_is_lent_cannot_be_read_or_dropped() -> None:
    reversible = replace(task("b", "", "y", scratch=6), reversible=True)
    question = problem(task("a", "", "x"), reversible, task("c", "x y"))

    message = refusal(question, "compute a", "borrow x b", "compute b", "compute c", "drop x")

    assert "the input 'x' of 'c' is lent" in message
    assert "'x' is lent, allowed a buffer that has been restored" in message


@settings(max_examples=60, deadline=None)
@given(strategies())
def test_the_peak_is_never_below_a_working_set(strategy: Strategy) -> None:
    """No order, with whatever recomputation, runs a task without its inputs, outputs and scratch."""
    graph = strategy.problem.graph
    result = replay(strategy)

    assert len(result.profile) == len(result.live) == len(strategy.steps)
    sets = [sum(graph.aligned_size[b] for b in graph.working_set(t.id)) for t in strategy.problem.tasks]
    assert result.peak >= max(sets)
    assert result.base == sum(t.duration for t in strategy.problem.tasks)


@settings(max_examples=60, deadline=None)
@given(timelines())
def test_a_timeline_keeps_its_moments(timeline: Timeline) -> None:
    question, starts = timeline_problem(timeline)
    lives = lifetimes(question, starts)

    for a in timeline.allocations:
        if a.size:
            assert lives[f"{a.task}:memory"] == Lifetime(a.allocated, a.deallocated)
    for moment in {a.allocated for a in timeline.allocations}:
        at_once = sum(a.allocated <= moment < a.deallocated for a in timeline.allocations)
        assert at_once <= question.capacity_of("workers")


@pytest.mark.parametrize(
    ("name", "pool"), [("prd-2.1", "prd-2"), ("prd-2", "prd"), ("solo", "solo"), ("-1", "-1"), ("a.b-c", "a.b")]
)
def test_a_pool_is_the_id_up_to_its_last_separator(name: str, pool: str) -> None:
    allocation = Allocation(name, Tick(0), Tick(1), Bytes(1))

    assert allocation.pool_key == pool
    assert replace(allocation, data_type="text").pool_key == "text"
    assert timeline_problem(Timeline("t", "x", (allocation,)))[0].buffers[0].data_type == pool
