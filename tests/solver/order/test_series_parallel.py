"""What is put in line keeps an optimal order, and makes series-parallel graphs easy."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from random import Random

import numpy as np
import pytest

from catalytic.solver.budget import Budget
from catalytic.solver.families import in_tree, map_shuffle_reduce
from catalytic.solver.order import least_peak
from catalytic.solver.order.exact import ExactSearch
from catalytic.solver.order.live import Live
from catalytic.solver.order.local_search import order_value
from catalytic.solver.order.series_parallel import in_line
from catalytic.solver.order.two_sided import two_sided
from catalytic.solver.problem import InputPolicy, Policy, Problem
from tests.builders import problem, random_problem, task
from tests.oracles import least_peak_by_enumeration


def least_in_line(question: Problem) -> int:
    """The least peak among the orders that are legal in line, by exact search from zero upwards."""
    live = in_line(Live.of(question))
    search = ExactSearch(live, np.zeros(1, np.int64), memory=2**18)
    ceiling = 0
    while True:
        answer = search.ask(ceiling, 10**6, np.arange(live.task_count))
        if answer.order is not None:
            assert int(order_value(answer.order, two_sided(live, backward=False))) <= ceiling
            return ceiling
        assert answer.above is not None
        ceiling = answer.above


def parallel_sequences(rng: Random) -> Problem:
    """Sequences between a source and a sink, with buffers of their own, shared ones, scratch, keep and permissions."""
    tasks, sizes = (
        [task("source", "e" if rng.random() < 0.5 else "", "s")],
        {"s": rng.randint(0, 9), "e": rng.randint(1, 9)},
    )
    ends = []
    for c in range(rng.randint(2, 4)):
        last = "s" if rng.random() < 0.7 else ""
        for k in range(rng.randint(1, 3)):
            name = f"{c}{k}"
            reads = " ".join(
                filter(None, (last, "e" if rng.random() < 0.15 else "", "s" if rng.random() < 0.1 else ""))
            )
            reads = " ".join(dict.fromkeys(reads.split()))
            own = task(f"t{name}", reads, f"b{name}", scratch=rng.choice((0, 0, rng.randint(1, 12))), after="source")
            if last and last != "s" and rng.random() < 0.3:
                own = replace(own, in_place=((f"b{name}", last),))
            sizes[f"b{name}"] = rng.randint(0, 12)
            tasks.append(own)
            last = f"b{name}"
        if rng.random() < 0.8:
            ends.append(last)
    tasks.append(task("sink", " ".join(dict.fromkeys(e for e in ends if e != "s")), "out"))
    question = problem(*tasks, sizes=sizes)
    kept = {b.id for b in question.buffers if b.id != "e" and rng.random() < 0.05}
    return replace(
        question,
        buffers=tuple(replace(b, keep=b.id in kept) for b in question.buffers),
        policy=Policy(rng.choice((InputPolicy.LAZY, InputPolicy.PRELOAD, InputPolicy.EXTERNAL))),
    )


def check_parallel(seed: int) -> int:
    question = parallel_sequences(Random(seed))
    live = Live.of(question)
    if len(live.pools) != 1:
        return 0
    assert least_in_line(question) == least_peak_by_enumeration(question)
    return int(in_line(live).predecessors.index.size > live.predecessors.index.size)


def test_an_optimal_order_stays_legal() -> None:
    assert sum(check_parallel(seed) for seed in range(150)) > 40  # so many had parts that could be put in line


@pytest.mark.stress
@pytest.mark.parametrize("block", range(20))
def test_an_optimal_order_stays_legal_in_many(block: int) -> None:
    for seed in range(1000 + 200 * block, 1200 + 200 * block):
        check_parallel(seed)


@pytest.mark.parametrize("seed", range(100))
def test_an_optimal_order_stays_legal_in_any_graph(seed: int) -> None:
    question = random_problem(Random(seed), tasks=8)
    if len(Live.of(question).pools) == 1:
        assert least_in_line(question) == least_peak_by_enumeration(question)


def test_falling_parts_come_first_and_rising_ones_by_what_they_leave_free() -> None:
    """Two rising tasks: a needs 9 and leaves 1, b needs 6 and leaves 5. First a: max(9, 1 + 6); first b: 5 + 9."""
    question = problem(
        task("a", "", "x", scratch=8),
        task("b", "", "y", scratch=1),
        task("sink", "x y", "z"),
        sizes={"x": 1, "y": 5, "z": 1},
    )
    live = in_line(Live.of(question))
    number = {t: i for i, t in enumerate(live.tasks)}
    assert number["a"] in live.predecessors[number["b"]]


def test_what_others_touch_is_not_put_in_line() -> None:
    """Both branches read ``s``, which dies with the second of them: which comes second is not its own affair."""
    question = problem(
        task("source", "", "s"), task("a", "s", "x"), task("b", "s", "y"), task("sink", "x y", "z"), sizes=3
    )
    live = Live.of(question)
    assert in_line(live) is live


@pytest.mark.parametrize("seed", range(5))
def test_trees_become_chains(seed: int) -> None:
    """Liu's result: a reduction tree has one best order, found without search."""
    question = in_tree(depth=6, seed=seed)
    live = in_line(Live.of(question))
    ready = [t for t in range(live.task_count) if len(live.predecessors[t]) == 0]
    assert len(ready) == 1
    found = least_peak(question, Budget(2.0, deterministic=True))
    assert found.proved


def test_a_small_tree_by_all_its_orders() -> None:
    question = in_tree(depth=2, seed=3)
    graph = question.graph
    legal = [
        order
        for order in permutations(graph.task)
        if all(order.index(p) < order.index(t) for t in order for p in graph.predecessors[t])
    ]
    live = Live.of(question)
    form = two_sided(live, backward=False)
    number = {t: i for i, t in enumerate(live.tasks)}
    values = [int(order_value(np.array([number[t] for t in order]), form)) for order in legal]
    assert least_in_line(question) == min(values) < max(values)


def test_rounds_of_map_and_reduce_are_solved() -> None:
    question = map_shuffle_reduce(mappers=20, reducers=5, rounds=3, seed=1)
    assert least_peak(question, Budget(2.0, deterministic=True)).proved
