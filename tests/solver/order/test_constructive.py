"""Greedy orders and beams: always legal from both ends, deterministic, and optimal when the beam holds every set."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from catalytic.solver.families import layered
from catalytic.solver.order.constructive import RULES, beam, greedy
from catalytic.solver.order.live import Live
from catalytic.solver.order.local_search import order_value as value_of
from catalytic.solver.order.two_sided import two_sided
from tests.builders import random_problem
from tests.oracles import least_peak_by_enumeration, order_value


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_gives_legal_orders(rule: int, backward: bool) -> None:
    for seed in range(30):
        question = random_problem(Random(seed), tasks=9)
        live = Live.of(question)
        for noise in (0.0, 0.5):
            order = greedy(rule, noise, seed, two_sided(live, backward=backward))
            order = order[::-1] if backward else order
            assert order_value(question, [live.tasks[t] for t in order]) >= least_peak_by_enumeration(question)


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_a_beam_that_holds_every_set_of_tasks_finds_the_optimum(backward: bool) -> None:
    """One pool: of equal sets only the lowest peak counts. Seven tasks have at most 128 sets."""
    looked_at = 0
    for seed in range(120):
        question = random_problem(Random(seed), tasks=7)
        live = Live.of(question)
        if len(live.pools) > 1:
            continue
        order = beam(128, seed, two_sided(live, backward=backward))
        order = order[::-1] if backward else order
        assert order_value(question, [live.tasks[t] for t in order]) == least_peak_by_enumeration(question)
        looked_at += 1
    assert looked_at > 20


def test_without_noise_the_seed_does_not_matter_and_with_it_it_does() -> None:
    problem = two_sided(Live.of(layered(80, seed=1)), backward=False)

    for rule in RULES:
        assert np.array_equal(greedy(rule, 0.0, 1, problem), greedy(rule, 0.0, 2, problem))
        assert np.array_equal(greedy(rule, 0.3, 1, problem), greedy(rule, 0.3, 1, problem))
    assert not np.array_equal(greedy(RULES[0], 0.3, 1, problem), greedy(RULES[0], 0.3, 2, problem))


def test_a_wider_beam_is_better_on_the_whole() -> None:
    problems = [two_sided(Live.of(layered(60, seed=s)), backward=False) for s in range(6)]

    narrow, wide = (sum(value_of(beam(width, 0, p), p) for p in problems) for width in (1, 64))

    assert wide < narrow
