"""Strategies by name: what each asks of the planner, what contradicts it, and what the plan says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from catalytic.app.plan import search_plan
from catalytic.app.request import NamedStrategy, Search
from catalytic.app.sources import Source
from catalytic.app.strategies import BALANCED_ROOM, by_strategy, chosen, contradiction
from catalytic.solver.budget import Budget
from catalytic.solver.character import Character
from catalytic.solver.check import violations
from catalytic.solver.errors import InputError
from catalytic.solver.plan import Objective, Outcome, Plan, ceiling_of, target_leaving
from catalytic.solver.problem import Problem, Workspace
from catalytic.solver.solve import solve
from catalytic.solver.timing import results_of
from catalytic.solver.units import Bytes
from tests.builders import chain, problem, random_problem, task

ROOMY = Workspace(Bytes(4096), 4, 1)


def budget(seconds: float = 1.0) -> Budget:
    return Budget(seconds, deterministic=True)


def asked(question: Problem, strategy: NamedStrategy, target: float | None = None) -> Outcome:
    source = Source(question, "problem", Path())
    return search_plan(source, Search(target=target, budget=budget(), strategy=strategy))


def plan_of(outcome: Outcome) -> Plan:
    assert outcome.plan is not None, outcome.reason
    assert violations(outcome.plan) == []
    return outcome.plan


def roomy(seed: int) -> Problem:
    question = replace(random_problem(Random(seed), tasks=7), pools=())
    return replace(question, workspace=replace(ROOMY, alignment=question.workspace.alignment))


@pytest.mark.parametrize(
    ("strategy", "objective", "target", "agrees"),
    [
        ("memory", "reuse", None, True),
        ("memory", "reuse", 0.5, True),
        ("memory", "makespan", None, False),
        ("throughput", "makespan", None, True),
        ("throughput", None, 0.5, False),
        ("latency", "reuse", None, False),
        ("balanced", "makespan", None, True),
        ("balanced", None, 0.5, False),
        ("auto", "makespan", None, False),
        ("auto", None, None, True),
    ],
)
def test_what_contradicts_a_strategy(strategy: str, objective: str | None, target: float | None, agrees: bool) -> None:
    said = contradiction(NamedStrategy(strategy), Objective(objective) if objective else None, target)

    assert (said == "") == agrees
    if said:
        assert strategy in said
        assert "--strategy" in said


def test_a_target_that_the_strategy_does_not_take_is_an_input_error() -> None:
    with pytest.raises(InputError, match="none with throughput"):
        asked(chain(3), NamedStrategy.THROUGHPUT, target=0.5)


@pytest.mark.parametrize("seed", range(6))
def test_memory_is_the_objective_reuse(seed: int) -> None:
    question = roomy(seed)
    plan = plan_of(asked(question, NamedStrategy.MEMORY))
    plain = plan_of(solve(question, objective=Objective.REUSE, budget=budget()))

    assert (plan.tasks, plan.regions, plan.proof.objective) == (plain.tasks, plain.regions, Objective.REUSE)
    assert plan.proof.parameters["strategy"]["chosen"] == "memory"  # type: ignore[index]


@pytest.mark.parametrize("seed", range(6))
def test_throughput_is_the_objective_makespan_without_a_target(seed: int) -> None:
    question = roomy(seed)
    plan = plan_of(asked(question, NamedStrategy.THROUGHPUT))
    plain = plan_of(solve(question, objective=Objective.MAKESPAN, budget=budget()))

    assert (plan.tasks, plan.proof.target, plan.proof.objective) == (plain.tasks, None, Objective.MAKESPAN)


@pytest.mark.parametrize("seed", range(8))
def test_latency_never_has_a_longer_plan_nor_later_results_than_it_started_from(seed: int) -> None:
    question = roomy(seed)
    begun: list[Plan] = []

    def ask(search: Search) -> Outcome:
        outcome = solve(question, objective=search.objective, target=search.target, budget=search.budget)
        begun.append(plan_of(outcome))
        return outcome

    plan = plan_of(by_strategy(question, Search(budget=budget(), strategy=NamedStrategy.LATENCY), ask))

    (before,) = begun
    results = results_of(question)
    assert plan.measures.makespan <= before.measures.makespan
    assert sum(plan.task[t].end for t in results) <= sum(before.task[t].end for t in results) or (
        plan.measures.makespan < before.measures.makespan
    )
    assert plan.measures.footprint == before.measures.footprint
    assert plan.proof.gap <= before.proof.gap


def test_balanced_asks_for_four_fifths_where_an_order_reaches_it() -> None:
    """Two of ten equal buffers live at once along a chain: exactly 0.8."""
    plan = plan_of(asked(replace(chain(10), workspace=ROOMY), NamedStrategy.BALANCED))

    assert (plan.proof.objective, plan.proof.target) == (Objective.MAKESPAN, 0.8)
    assert plan.measures.reuse_factor == 0.8


@pytest.mark.parametrize("seed", range(6))
def test_balanced_else_allows_little_more_than_the_least_footprint_found(seed: int) -> None:
    question = roomy(seed)
    if not question.graph.allocated:
        return
    outcome = asked(question, NamedStrategy.BALANCED)
    plan = plan_of(outcome)

    assert outcome.target_met
    assert plan.proof.objective is Objective.MAKESPAN
    if plan.proof.target == 0.8:
        return
    least = min(
        plan_of(asked(question, strategy)).measures.footprint
        for strategy in (NamedStrategy.MEMORY, NamedStrategy.BALANCED)
    )
    allowed = target_leaving(int(BALANCED_ROOM * least), plan.measures.allocated)
    assert (plan.proof.target or 0.0) >= allowed - 1e-9
    stated = plan.proof.parameters["strategy"]
    assert "0.8" in stated["reason"]  # type: ignore[index]
    assert "5% more" in stated["reason"]  # type: ignore[index]


def test_a_bound_on_fewer_bytes_does_not_survive_in_the_plan_for_more() -> None:
    """``balanced`` restates plans for another target: each bound on the makespan must speak of every plan it allows."""
    for seed in range(4):
        question = roomy(seed)
        plan = plan_of(asked(question, NamedStrategy.BALANCED))
        allowed = ceiling_of(plan.proof.target, plan.measures.allocated, int(question.workspace.capacity))
        for b in plan.proof.bounds:
            stated = b.witness.get("ceiling")
            assert b.quantity != "makespan" or not isinstance(stated, int) or stated >= allowed


KIND = Character(
    tasks=20,
    width=5,
    work=100,
    floor=30,
    allocated=1000,
    needed=200,
    sequential=220,
    unhindered=400,
    capacity=500,
)


@pytest.mark.parametrize(
    ("seen", "strategy", "because"),
    [
        (KIND, "throughput", "without regard for memory keeps 400B alive, which the workspace of 500B holds"),
        (replace(KIND, floor=100), "memory", "one task after another"),
        (replace(KIND, needed=400), "memory", "every plan needs 400B, 80% of the workspace"),
        (replace(KIND, unhindered=900), "balanced", "more than the workspace of 500B"),
        (replace(KIND, allocated=0, needed=0, sequential=0, unhindered=0), "throughput", "nothing is placed"),
    ],
    ids=["room", "serial", "tight", "between", "nothing"],
)
def test_auto_chooses_by_the_character_and_says_why(seen: Character, strategy: str, because: str) -> None:
    choice = chosen(seen)

    assert choice.strategy.value == strategy
    assert because in choice.reason
    assert choice.reason.startswith("20 tasks, 5 of which could run at once")


@pytest.mark.parametrize(
    ("question", "strategy"),
    [
        (replace(chain(5), workspace=ROOMY), "memory"),
        (replace(problem(task("a", "", "x"), task("b", "", "y"), workers=2), workspace=ROOMY), "throughput"),
        (
            replace(
                problem(*(task(f"t{k}", "", f"x{k} y{k}") for k in range(6)), sizes=64, workers=6),
                workspace=Workspace(Bytes(512), 4, 1),
            ),
            "balanced",
        ),
    ],
    ids=["serial", "roomy", "between"],
)
def test_auto_is_carried_out_and_stated_in_the_plan(question: Problem, strategy: str) -> None:
    plan = plan_of(asked(question, NamedStrategy.AUTO))

    stated = plan.proof.parameters["strategy"]
    assert isinstance(stated, dict)
    assert (stated["asked"], stated["chosen"]) == ("auto", strategy)
    assert json.dumps(stated)


def test_the_same_deterministic_search_gives_the_same_plan_by_every_strategy() -> None:
    for strategy in NamedStrategy:
        first, second = (plan_of(asked(roomy(3), strategy)) for _ in range(2))
        assert first == second


def test_what_no_plan_can_do_is_infeasible_by_every_strategy() -> None:
    question = replace(chain(3, size=64), workspace=Workspace(Bytes(64), 1, 1))
    for strategy in NamedStrategy:
        outcome = asked(question, strategy)
        assert outcome.status.value == "INFEASIBLE"
        assert outcome.plan is None
