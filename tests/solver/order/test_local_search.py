"""Annealing against the definition: values are those of the oracle, moves keep orders legal, the best is kept."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from catalytic.solver.families import layered
from catalytic.solver.order.constructive import NET, greedy
from catalytic.solver.order.live import Live
from catalytic.solver.order.local_search import anneal, usages
from catalytic.solver.order.local_search import order_value as value_of
from catalytic.solver.order.two_sided import two_sided
from tests.builders import random_problem
from tests.oracles import least_peak_by_enumeration, order_value


@pytest.mark.parametrize("seed", range(60))
def test_values_are_those_of_the_definition(seed: int) -> None:
    """Random orders of problems with pools, sharing in place, kept, lazy and preloaded buffers."""
    question = random_problem(Random(seed), tasks=9)
    live = Live.of(question)
    forward = two_sided(live, backward=False)
    for k in range(5):
        order = greedy(NET, 100.0, k, forward)
        assert value_of(order, forward) == order_value(question, [live.tasks[t] for t in order])


@pytest.mark.parametrize("seed", range(60))
def test_annealing_ends_with_a_legal_order_and_its_true_value(seed: int) -> None:
    """The value is kept up to date move by move: a wrong window would show here."""
    question = random_problem(Random(seed), tasks=9)
    live = Live.of(question)
    forward = two_sided(live, backward=False)
    start = greedy(NET, 100.0, seed, forward)

    for steps in (0, 1, 10, 300):
        order, value = anneal(start, steps, seed, 0.1, forward)
        assert value == order_value(question, [live.tasks[t] for t in order])
        assert least_peak_by_enumeration(question) <= value <= value_of(start, forward)


def test_annealing_finds_most_optima_of_small_problems() -> None:
    found = 0
    for seed in range(60):
        question = random_problem(Random(seed), tasks=8)
        forward = two_sided(Live.of(question), backward=False)
        _, value = anneal(greedy(NET, 100.0, seed, forward), 3000, seed, 0.1, forward)
        found += value == least_peak_by_enumeration(question)

    assert found >= 57


def test_the_same_seed_gives_the_same_order_and_the_start_stays_as_it_was() -> None:
    forward = two_sided(Live.of(layered(80, seed=2)), backward=False)
    start = greedy(NET, 0.0, 0, forward)
    before = start.copy()

    first, again = (anneal(start, 5000, 3, 0.05, forward)[0] for _ in range(2))

    assert np.array_equal(first, again)
    assert np.array_equal(start, before)
    assert value_of(first, forward) < value_of(start, forward)


def test_read_backward_every_moment_keeps_its_bytes() -> None:
    for seed in range(40):
        live = Live.of(random_problem(Random(seed), tasks=9))
        if not live.groups:
            continue
        order = greedy(NET, 100.0, seed, two_sided(live, backward=False))
        forward = usages(order, two_sided(live, backward=False))
        mirrored = usages(order[::-1].copy(), two_sided(live, backward=True))
        if not live.takings.index.size:
            assert np.array_equal(forward, mirrored[::-1])
