"""The figures of a problem against definitions."""

from __future__ import annotations

from random import Random

import pytest

from catalytic.solver.budget import Budget
from catalytic.solver.character import character, width_of
from catalytic.solver.plan import plan_without_reuse
from catalytic.solver.problem import Problem
from tests.builders import chain, diamond, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration

BUDGET = Budget(0.2, deterministic=True)


def width_by_ticks(question: Problem) -> int:
    """The definition: earliest starts, then the tasks that run at each tick."""
    graph = question.graph
    start: dict[str, int] = {}
    for t in graph.topological_order:
        start[t] = max((start[p] + graph.task[p].duration for p in graph.predecessors[t]), default=0)
    horizon = max((start[t] + graph.task[t].duration for t in start), default=0)
    return max(
        (sum(start[t] <= k < start[t] + graph.task[t].duration for t in start) for k in range(horizon)), default=0
    )


@pytest.mark.parametrize("seed", range(60))
def test_the_width_is_the_most_tasks_at_one_tick(seed: int) -> None:
    question = random_problem(Random(seed))
    assert width_of(question) == width_by_ticks(question)


@pytest.mark.parametrize("seed", range(30))
def test_what_is_needed_lies_below_what_is_found(seed: int) -> None:
    question = random_problem(Random(seed), tasks=7)
    seen = character(question, BUDGET)

    assert seen.needed <= least_peak_by_enumeration(question) <= seen.sequential
    assert seen.unhindered == plan_without_reuse(question).measures.peak_live
    assert seen.floor <= seen.work
    assert seen.allocated == question.graph.allocated


def test_a_chain_is_serial_and_a_diamond_is_not() -> None:
    assert character(chain(4), BUDGET).serial
    assert not character(diamond(), BUDGET).serial


def test_one_worker_makes_any_problem_serial() -> None:
    seen = character(problem(task("a", "", "x"), task("b", "", "y"), workers=1), BUDGET)
    assert (seen.serial, seen.width, seen.work, seen.floor) == (True, 2, 2, 2)


def test_tightness_is_the_share_of_the_workspace_that_every_plan_needs() -> None:
    # Two neighbours of the chain live at once: 2 x 2^18 bytes of 2^20.
    assert character(chain(4, size=1 << 18), BUDGET).tightness == 0.5
