"""Climbing from coarse to fine: always an order, the same for the same seed, and better than annealing on dust."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from catalytic.solver.families import layered
from catalytic.solver.order.constructive import NET, greedy
from catalytic.solver.order.live import Live
from catalytic.solver.order.local_search import anneal
from catalytic.solver.order.local_search import order_value as value_of
from catalytic.solver.order.multilevel import Ladder
from catalytic.solver.order.two_sided import two_sided
from tests.builders import chain, random_problem
from tests.oracles import least_peak_by_enumeration, order_value
from tests.solver.order.test_coarse import pipelines


@pytest.mark.parametrize("seed", range(30))
def test_every_climb_ends_with_an_order_of_all_tasks(seed: int) -> None:
    """From any order, on small problems with every feature; some climb finds the optimum."""
    question = random_problem(Random(seed), tasks=8)
    live = Live.of(question)
    start = greedy(NET, 0.0, seed, two_sided(live, backward=False))
    ladder = Ladder(live, int(value_of(start, two_sided(live, backward=False))))

    orders = [ladder.climb(start, 2000, number, seed) for number in range(6)]

    values = [order_value(question, [live.tasks[t] for t in order]) for order in orders]
    assert min(values) == least_peak_by_enumeration(question)


def test_the_same_number_and_seed_climb_the_same_way() -> None:
    live = Live.of(layered(80, seed=3))
    start = greedy(NET, 0.0, 0, two_sided(live, backward=False))
    ladder = Ladder(live, int(value_of(start, two_sided(live, backward=False))))

    first, again = (ladder.climb(start, 3000, 4, 7) for _ in range(2))

    assert np.array_equal(first, again)


def test_levels_grow_to_the_whole_problem_without_loss() -> None:
    live = Live.of(pipelines(8, 20))
    ladder = Ladder(live, 400)

    counts = [level.outline.live.task_count for level in ladder.levels]

    assert len(counts) > 1
    assert counts == sorted(counts)


def test_climbing_beats_annealing_where_dust_holds_large_files() -> None:
    """Twelve files, each freed only by its thirty statistics: the same moves, another way through them."""
    live = Live.of(pipelines(12, 30))
    forward = two_sided(live, backward=False)
    start = np.array(sorted(range(live.task_count), key=lambda t: not live.tasks[t].startswith("map")), np.int64)
    start = np.concatenate([start[start != live.tasks.index("report")], [live.tasks.index("report")]])
    value = int(value_of(start, forward))

    climbed = value_of(Ladder(live, value).climb(start, 20_000, 0, 1), forward)
    annealed = anneal(start, 20_000, 1, 0.02, forward)[1]

    assert climbed < annealed < value


def test_a_problem_without_dust_is_its_own_ladder() -> None:
    live = Live.of(chain(5))

    assert [level.outline.live.task_count for level in Ladder(live, 2).levels][-1] <= 5
