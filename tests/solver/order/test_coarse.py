"""The smaller problem against enumeration: it never needs more than the whole one, and at grain zero just as much."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.families import layered
from catalytic.solver.order.coarse import coarse
from catalytic.solver.order.exact import ExactSearch
from catalytic.solver.order.live import Live
from catalytic.solver.order.local_search import order_value as value_of
from catalytic.solver.order.two_sided import two_sided
from catalytic.solver.problem import InputPolicy, OutputPolicy, Policy, Problem
from tests.builders import problem, random_problem, task
from tests.oracles import least_peak_by_enumeration, order_value

GRAINS = (0, 1, 2, 4, 8, 16, 64, 10**6)


def least(live: Live) -> tuple[int, Ints]:
    """The least peak and an order that has it, by asking lower and lower ceilings."""
    forward = two_sided(live, backward=False)
    order: Ints = np.array(_topological(live), dtype=np.int64)
    search = ExactSearch(live, np.zeros(len(live.pools), np.int64))
    while True:
        value = int(value_of(order, forward))
        answer = search.ask(value - 1, 10**6, order)
        if answer.order is None:
            assert answer.above == value or value == 0
            return value, order
        order = answer.order


def _topological(live: Live) -> list[int]:
    done: list[int] = []
    while len(done) < live.task_count:
        done.append(
            next(t for t in range(live.task_count) if t not in done and set(live.predecessors[t].tolist()) <= set(done))
        )
    return done


def assert_relaxes(question: Problem, grains: tuple[int, ...] = GRAINS) -> None:
    """What the module promises, for one problem small enough to enumerate."""
    live = Live.of(question)
    optimum = least_peak_by_enumeration(question)
    forward = two_sided(live, backward=False)
    for grain in grains:
        small = coarse(live, grain)
        if small.live.task_count == 0:
            continue
        value, order = least(small.live)
        whole = small.whole(order)
        names = [live.tasks[t] for t in whole]
        assert order_value(question, names) == value_of(whole, forward)  # the oracle refuses orders that are not legal
        assert small.outline(whole).tolist() == order.tolist()
        assert value <= optimum
        if grain == 0:
            assert value == optimum == value_of(whole, forward)


@pytest.mark.parametrize("seed", range(60))
def test_a_coarse_problem_never_needs_more_and_loses_nothing_at_grain_zero(seed: int) -> None:
    assert_relaxes(random_problem(Random(seed), tasks=8))


@pytest.mark.stress
@pytest.mark.parametrize("part", range(10))
def test_many_coarse_problems_never_need_more(part: int) -> None:
    for seed in range(10_000 + part, 11_000, 10):
        assert_relaxes(random_problem(Random(seed), tasks=9))


@pytest.mark.parametrize("inputs", list(InputPolicy))
@pytest.mark.parametrize("outputs", list(OutputPolicy))
def test_every_policy_is_relaxed(inputs: InputPolicy, outputs: OutputPolicy) -> None:
    drawn = problem(
        task("a", "in", "x y"),
        task("b", "x in", "u", scratch=2),
        task("c", "x", "v"),
        task("d", "y u", "w"),
        task("e", "u v w other", ""),
        sizes={"in": 3, "other": 2, "x": 8, "y": 4, "u": 1, "v": 2, "w": 5},
    )

    assert_relaxes(replace(drawn, policy=Policy(inputs, outputs)))


def pipelines(samples: int, statistics: int) -> Problem:
    """``samples`` chains whose middle result of 100 bytes is read by ``statistics`` tasks that write a byte each."""
    tasks, sizes = [], {}
    report = []
    for s in range(samples):
        tasks.append(task(f"map{s}", "", f"big{s}"))
        sizes[f"big{s}"] = 100 + s
        for k in range(statistics):
            tasks.append(task(f"stat{s}.{k}", f"big{s}", f"dust{s}.{k}"))
            sizes[f"dust{s}.{k}"] = 1
            report.append(f"dust{s}.{k}")
        tasks.append(task(f"call{s}", f"big{s}", f"calls{s}"))
        sizes[f"calls{s}"] = 30
        report.append(f"calls{s}")
    tasks.append(task("report", " ".join(report), ""))
    return problem(*tasks, sizes=sizes)


def test_dust_leaves_and_is_counted_once_its_input_is_dead() -> None:
    """By hand: six chains; while the last one calls, its big file and its calls are alive beside five chains' rests."""
    question = pipelines(6, 4)
    live = Live.of(question)

    small = coarse(live, 1)
    value, order = least(small.live)

    assert {live.tasks[t] for t in small.left} >= {f"stat{s}.{k}" for s in range(6) for k in range(4)}
    # The smallest file last (100); 5 others have left 30 bytes of calls and 4 of dust each; 30 more are being written.
    assert value == 5 * 34 + 100 + 30
    # In the whole problem the last chain's statistics wait beside its file.
    assert value_of(small.whole(order), two_sided(live, backward=False)) <= value + 4


def test_nothing_leaves_that_matters() -> None:
    """At grain zero the tasks that only add or only free may leave; the peak in the middle stays."""
    question = pipelines(3, 0)

    assert least(coarse(Live.of(question), 0).live)[0] == 2 * 30 + 100 + 30


def test_a_coarser_grain_lets_more_tasks_leave() -> None:
    live = Live.of(layered(60, seed=2))

    stayed = [coarse(live, grain).live.task_count for grain in (0, 50, 200, 1000)]

    assert stayed == sorted(stayed, reverse=True)
    assert stayed[0] > stayed[-1]


def test_who_has_left_returns_next_to_what_it_waited_for() -> None:
    """``s`` frees x as soon as ``a`` has written it; ``z`` writes its bytes only when ``b`` reads them."""
    question = problem(
        task("a", "", "x"),
        task("s", "x", ""),
        task("b", "w z", ""),
        task("w", "", "w", after="s", scratch=9),
        task("z", "", "z"),
        sizes={"x": 8, "w": 3, "z": 5},
    )
    live = Live.of(question)
    small = coarse(live, 0)

    whole = [live.tasks[t] for t in small.whole(least(small.live)[1])]

    assert whole.index("s") == whole.index("a") + 1
    assert whole.index("b") == whole.index("z") + 1
    assert order_value(question, whole) == least_peak_by_enumeration(question) == 12


def test_tasks_with_too_many_neighbours_stay() -> None:
    """Joining 40 writers with 40 readers would take 1600 edges in the place of 80."""
    question = problem(
        *(task(f"in{k}", "", f"a{k}", scratch=5) for k in range(40)),
        task("hub", " ".join(f"a{k}" for k in range(40)), "b"),
        *(task(f"out{k}", "b", "", scratch=5) for k in range(40)),
    )
    live = Live.of(question)

    assert live.tasks.index("hub") in coarse(live, 1).stayed
