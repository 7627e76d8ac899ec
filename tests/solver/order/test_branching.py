"""Branching on precedence against enumeration: its value never exceeds the least peak, and restrictions are kept."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from catalytic.solver.families import layered
from catalytic.solver.order.branching import PrecedenceBranching, legal
from catalytic.solver.order.constructive import NET, greedy
from catalytic.solver.order.live import Live
from catalytic.solver.order.local_search import order_value as value_of
from catalytic.solver.order.min_cut import min_cut_bound
from catalytic.solver.order.two_sided import two_sided
from tests.builders import problem, random_problem, task
from tests.oracles import least_peak_by_enumeration


def bound_of(seed: int) -> tuple[int, int, bool]:
    """The value of the finished tree, the least peak of all pools together, and whether there are several pools."""
    question = random_problem(Random(seed), tasks=8)
    live = Live.of(question)
    order = greedy(NET, 0.0, 0, two_sided(live, backward=False))
    upper = int(value_of(order, two_sided(live, backward=False)))
    value = PrecedenceBranching(live).run(order, upper, lambda: True)
    return value, least_peak_by_enumeration(question), len(live.pools) > 1


@pytest.mark.parametrize("seed", range(100))
def test_no_order_is_below_the_value(seed: int) -> None:
    value, optimum, _ = bound_of(seed)

    assert value <= optimum


def test_the_value_is_nearly_always_the_optimum() -> None:
    """Of one hundred problems with a single pool; a tree that closes too late or claims too little would show."""
    single = [(value, optimum) for value, optimum, several in map(bound_of, range(100)) if not several]

    assert sum(value == optimum for value, optimum in single) >= 0.9 * len(single)


@pytest.mark.stress
@pytest.mark.parametrize("part", range(10))
def test_no_order_of_many_problems_is_below_the_value(part: int) -> None:
    for seed in range(20_000 + part, 21_000, 10):
        value, optimum, _ = bound_of(seed)
        assert value <= optimum, f"seed {seed}"


def two_hills() -> Live:
    """Two tasks that write 9 beside what the other leaves behind: 4 bytes if it comes later, nothing before."""
    return Live.of(
        problem(
            *(task(f"hill{k}", "", f"rest{k}", scratch=9) for k in "ab"),
            task("end", "resta restb", ""),
            sizes={"resta": 4, "restb": 4},
        )
    )


def test_a_decision_forces_what_no_single_cut_does() -> None:
    """By hand: one hill alone needs 4 + 9 = 13; the second one runs beside the first one's 4, in either order."""
    live = two_hills()
    order = np.arange(live.task_count)

    assert live.tasks == ("end", "hilla", "hillb") or live.tasks == ("hilla", "hillb", "end")
    order = legal(live, (), order)
    assert min_cut_bound(live, order).value == 13
    assert PrecedenceBranching(live).run(order, 17, lambda: True) == 17


def test_more_time_only_raises_the_value() -> None:
    live = Live.of(layered(60, seed=1))
    forward = two_sided(live, backward=False)
    order = greedy(NET, 0.0, 0, forward)
    tree = PrecedenceBranching(live)
    values = []
    for _ in range(6):
        left = iter(range(60))
        values.append(tree.run(order, int(value_of(order, forward)), lambda left=left: next(left, None) is not None))  # type: ignore[misc]

    assert values == sorted(values)


def test_without_time_nothing_is_claimed_falsely() -> None:
    assert PrecedenceBranching(two_hills()).run(legal(two_hills(), (), np.arange(3)), 17, lambda: False) <= 17


def test_an_order_with_pairs_respects_them_and_stays_close() -> None:
    live = two_hills()
    order = legal(live, (), np.arange(3))
    a, b = live.tasks.index("hilla"), live.tasks.index("hillb")

    assert legal(live, ((a, b),), order).tolist() == [a, b, live.tasks.index("end")]
    assert legal(live, ((b, a),), order).tolist() == [b, a, live.tasks.index("end")]
