"""The answer to the order problem, against enumeration: small problems come out proved, and no claim is false."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from catalytic.solver.budget import Budget, Progress
from catalytic.solver.families import layered
from catalytic.solver.order.portfolio import LeastPeak, least_peak
from catalytic.solver.problem import OutputPolicy, Policy, Problem
from catalytic.solver.units import Bytes
from tests.builders import chain, diamond, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration, order_value

AMPLE = Budget(20.0, workers=1)
"""More seconds than any small problem takes: whoever needs them has failed."""

SEEDS = range(40)


@cache
def question_of(seed: int) -> Problem:
    """A random problem of 7 to 9 tasks with every feature."""
    candidates = (random_problem(Random(1000 * seed + k), tasks=9) for k in range(1000))
    return next(question for question in candidates if len(question.tasks) >= 7)


@cache
def optimum_of(seed: int) -> int:
    return least_peak_by_enumeration(question_of(seed))


def proved(question: Problem) -> int:
    """The least peak, found and proved."""
    found = least_peak(question, AMPLE)
    assert order_value(question, found.order) == found.peak
    assert found.proved
    return found.peak


def assert_true(question: Problem, found: LeastPeak, optimum: int) -> None:
    """The order is legal and has the peak it is said to have; no bound exceeds what is possible."""
    assert order_value(question, found.order) == found.peak >= optimum
    assert all(bound.value <= optimum for bound in found.bounds)
    assert {bound.quantity for bound in found.bounds} <= {"peak_live", "footprint"}
    assert [b.value for b in found.bounds] == sorted((b.value for b in found.bounds), reverse=True)
    assert (found.force is None) == (not question.graph.resident)


@pytest.mark.parametrize("seed", SEEDS)
def test_small_problems_come_out_proved(seed: int) -> None:
    question = question_of(seed)

    found = least_peak(question, AMPLE)

    assert_true(question, found, optimum_of(seed))
    assert found.peak == found.lower == optimum_of(seed)
    assert found.proved


@pytest.mark.stress
@pytest.mark.parametrize("part", range(10))
def test_many_small_problems_come_out_proved(part: int) -> None:
    for seed in range(10_000 + part, 10_500, 10):
        question = random_problem(Random(seed), tasks=9)
        assert proved(question) == least_peak_by_enumeration(question), f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS)
def test_names_do_not_matter(seed: int) -> None:
    rng = Random(seed)
    question = question_of(seed)
    names = [t.id for t in question.tasks]
    other = dict(zip(names, (f"u{k}" for k in rng.sample(range(len(names)), len(names))), strict=True))
    tasks = tuple(replace(t, id=other[t.id], after=tuple(other[a] for a in t.after)) for t in question.tasks)

    assert proved(replace(question, tasks=tasks)) == optimum_of(seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("factor", [7, 10**9])
def test_multiplying_sizes_multiplies_the_least_peak(seed: int, factor: int) -> None:
    question = replace(question_of(seed), workspace=replace(question_of(seed).workspace, alignment=1))
    larger = replace(
        question,
        buffers=tuple(replace(b, size=Bytes(factor * b.size)) for b in question.buffers),
        tasks=tuple(replace(t, scratch=Bytes(factor * t.scratch)) for t in question.tasks),
    )

    assert proved(larger) == factor * proved(question)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_reader_never_lowers_the_least_peak(seed: int) -> None:
    """It keeps the buffer longer. Unread outputs are exported here: kept ones would be freed by a first reader."""
    question = question_of(seed)
    question = replace(question, policy=Policy(question.policy.inputs, OutputPolicy.EXPORT))
    graph, order = question.graph, question.graph.topological_order
    later = [
        (b.id, t)
        for b in question.buffers
        for t in order[order.index(graph.writer[b.id]) + 1 if b.id in graph.writer else 0 :]
        if b.id not in graph.task[t].inputs + graph.task[t].outputs
    ]
    buffer, reader = Random(seed).choice(later)
    tasks = tuple(replace(t, inputs=(*t.inputs, buffer)) if t.id == reader else t for t in question.tasks)

    assert proved(replace(question, tasks=tasks)) >= proved(question)


@pytest.mark.parametrize("seed", range(8))
def test_a_seed_changes_the_way_and_not_the_answer(seed: int) -> None:
    assert least_peak(question_of(0), replace(AMPLE, seed=seed)).peak == optimum_of(0)


@pytest.mark.parametrize("seed", range(12))
def test_without_time_there_is_still_an_order_and_nothing_false(seed: int) -> None:
    question = question_of(seed)

    assert_true(question, least_peak(question, Budget(0.0, workers=1)), optimum_of(seed))


def test_counted_work_gives_the_same_answer_twice() -> None:
    question = layered(60, seed=1)
    budget = Budget(0.5, workers=1, deterministic=True)

    first, second = least_peak(question, budget), least_peak(question, budget)

    assert (first.order, first.bounds) == (second.order, second.bounds)


@pytest.mark.parametrize("seed", range(12))
def test_enough_ends_the_search_with_what_was_asked(seed: int) -> None:
    """Within reach: an order that is good enough. Out of reach: a bound that says so."""
    question, optimum = question_of(seed), optimum_of(seed)

    within = least_peak(question, AMPLE, enough=optimum + 1)
    beyond = least_peak(question, AMPLE, enough=max(1, optimum - 1))

    assert_true(question, within, optimum)
    assert_true(question, beyond, optimum)
    assert within.peak <= optimum + 1
    assert beyond.lower > optimum - 1 or beyond.peak <= 1


def test_news_come_with_the_share_of_the_time_that_is_spent() -> None:
    news: list[Progress] = []

    least_peak(layered(60, seed=1), Budget(1.0, workers=1), observer=news.append)

    assert news
    assert all(n.fraction is None or 0 <= n.fraction <= 1 for n in news)


def test_the_moment_is_the_task_during_which_the_peak_is_reached() -> None:
    """``hill`` writes 9 bytes beside the 4 that wait for the end."""
    question = problem(
        task("a", "", "wait"), task("hill", "wait", "x"), task("end", "x wait", ""), sizes={"wait": 4, "x": 9}
    )

    assert least_peak(question, AMPLE).moment in ("hill", "end")


@pytest.mark.parametrize(
    ("question", "expected"),
    [(chain(5, size=8), 16), (diamond(4), 12), (chain(3, size=0), 0)],
    ids=["chain", "diamond", "no bytes"],
)
def test_known_by_hand(question: Problem, expected: int) -> None:
    assert proved(question) == expected


def test_nothing_to_do_takes_no_bytes() -> None:
    found = least_peak(replace(chain(1), tasks=(), buffers=()), AMPLE)

    assert (found.order, found.peak, found.bounds, found.proved) == ((), 0, (), True)
