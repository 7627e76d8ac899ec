"""The pipeline: whatever it is asked, it answers with a checked plan, a proof, or an honest 'unknown'."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from catalytic.solver.budget import Budget, Progress
from catalytic.solver.check import violations
from catalytic.solver.order import Compact, peak_bounds
from catalytic.solver.plan import Evidence, Objective, Outcome, Status
from catalytic.solver.problem import Buffer, Isolation, Policy, Pool, Problem, Task, Workspace
from catalytic.solver.problem.model import InputPolicy, OutputPolicy
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration

BIG = Workspace(Bytes(10**6), 1, 1, Isolation.SHARED)


def budget(seconds: float = 0.3, seed: int = 0) -> Budget:
    return Budget(seconds, deterministic=True, seed=seed)


def random_question(seed: int) -> tuple[Problem, Objective, float | None]:
    """Any mix of policies, partitions, pools with limits, isolation, objective and target."""
    rng = Random(seed)
    question = random_problem(rng, tasks=rng.choice((4, 8, 14)))
    partitions, alignment = rng.choice((1, 1, 2, 3, 4)), question.workspace.alignment
    size = max(alignment * partitions, rng.choice((20, 40, 80, 1000)) * rng.choice((1, 2)))
    if rng.random() < 0.3:
        limits = tuple(replace(p, size=rng.choice((None, Bytes(10), Bytes(30)))) for p in question.pools)
        question = replace(question, pools=limits)
    workspace = Workspace(Bytes(size), partitions, alignment, rng.choice(tuple(Isolation)))
    return replace(question, workspace=workspace), rng.choice(tuple(Objective)), rng.choice((None, 0.2, 0.5, 0.8))


def consistent(outcome: Outcome, target: float | None) -> None:
    """What holds of every outcome."""
    for plan in (outcome.plan, outcome.best_alternative):
        if plan is not None:
            assert violations(plan) == []
    if outcome.status is Status.INFEASIBLE:
        assert outcome.plan is None
        assert outcome.reason
    if outcome.target_met:
        assert outcome.plan is not None
        factor = outcome.plan.measures.reuse_factor
        assert target is None or factor is None or factor >= target
        assert outcome.status in (Status.OPTIMAL, Status.FEASIBLE)


@pytest.mark.parametrize("seed", range(60))
def test_any_question_gets_a_consistent_answer(seed: int) -> None:
    question, objective, target = random_question(seed)
    consistent(solve(question, objective=objective, target=target, budget=budget(seed=seed)), target)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(1000, 2500))
def test_many_questions_get_consistent_answers(seed: int) -> None:
    question, objective, target = random_question(seed)
    consistent(solve(question, objective=objective, target=target, budget=budget(seed=seed)), target)


def test_a_chain_reuses_all_but_two_buffers() -> None:
    """Ten buffers of 8 bytes, two alive at a time: footprint 16 of 80."""
    outcome = solve(replace(chain(10, size=8), workspace=BIG), objective=Objective.REUSE, budget=budget())

    assert outcome.status is Status.OPTIMAL
    assert outcome.plan is not None
    assert outcome.plan.measures.footprint == 16
    assert outcome.plan.measures.reuse_factor == 0.8
    assert outcome.plan.proof.largest_reuse_factor == 0.8


def test_a_target_of_exactly_the_optimum_is_met() -> None:
    outcome = solve(replace(chain(10, size=8), workspace=BIG), target=0.8, budget=budget())
    assert outcome.target_met


def test_a_target_beyond_the_optimum_is_disproved_with_the_moment_and_the_largest_that_works() -> None:
    outcome = solve(replace(chain(10, size=8), workspace=BIG), target=0.81, budget=budget())

    assert outcome.status is Status.INFEASIBLE
    assert "while task" in outcome.reason
    assert outcome.best_alternative is not None
    assert outcome.best_alternative.measures.reuse_factor == 0.8


def test_a_buffer_larger_than_the_workspace_is_infeasible_and_a_larger_workspace_is_offered() -> None:
    question = replace(problem(task("a", "", "x"), sizes=100), workspace=Workspace(Bytes(64), 1, 1, Isolation.SHARED))
    outcome = solve(question, budget=budget())

    assert outcome.status is Status.INFEASIBLE
    assert "'x'" in outcome.reason
    assert outcome.best_alternative is not None
    assert outcome.best_alternative.problem.workspace.size == 100


def test_buffers_of_a_task_that_do_not_pack_into_the_partitions_are_named() -> None:
    """Four buffers of 5 bytes at once, three partitions of 8: together 20 of 24 bytes, yet two never share one."""
    question = replace(
        problem(task("a", "", "x y z w"), sizes=5), workspace=Workspace(Bytes(24), 3, 1, Isolation.SHARED)
    )
    outcome = solve(question, budget=budget())
    assert outcome.status is Status.INFEASIBLE
    assert "do not pack into 3 partitions of 8B" in outcome.reason
    assert outcome.best_alternative is not None


def test_a_pool_limit_below_a_task_is_infeasible() -> None:
    question = replace(
        problem(task("a", "", "x"), sizes=100), workspace=BIG, pools=(Pool("small", None, None, Bytes(50)),)
    )
    outcome = solve(question, budget=budget())
    assert outcome.status is Status.INFEASIBLE
    assert "pool 'small'" in outcome.reason


def test_pools_are_never_mixed() -> None:
    base = problem(task("a", "", "x"), task("b", "x", "y"), task("c", "y", "z"), sizes=8)
    kinds = {"x": "image", "y": "table", "z": "image"}
    question = replace(base, workspace=BIG, buffers=tuple(Buffer(b, Bytes(8), kind) for b, kind in kinds.items()))
    outcome = solve(question, objective=Objective.REUSE, budget=budget())

    assert outcome.plan is not None
    assert outcome.plan.measures.footprint == 16  # z takes x's bytes, y has a slice of its own
    assert {s.pool for s in outcome.plan.slices} == {"image", "table"}


def test_keep_makes_reuse_impossible() -> None:
    question = replace(chain(4, size=8), workspace=BIG)
    question = replace(question, buffers=tuple(replace(b, keep=True) for b in question.buffers))
    outcome = solve(question, objective=Objective.REUSE, budget=budget())
    assert outcome.plan is not None
    assert outcome.plan.measures.reuse_factor == 0


def test_nothing_to_allocate_is_planned_all_the_same() -> None:
    outcome = solve(replace(problem(task("a"), task("b", after="a")), workspace=BIG), target=0.8, budget=budget())
    assert outcome.plan is not None
    assert outcome.target_met
    assert outcome.plan.measures.reuse_factor is None
    assert outcome.plan.measures.makespan == 2


def test_no_tasks_at_all_give_an_empty_plan() -> None:
    outcome = solve(Problem("empty", (), (), BIG, (("workers", 1),), Policy()), budget=budget())
    assert outcome.plan is not None
    assert outcome.plan.measures.makespan == 0


@pytest.mark.parametrize("objective", list(Objective))
def test_same_seed_and_budget_give_equal_plans(objective: Objective) -> None:
    question, _, _ = random_question(21)
    question = replace(question, workspace=BIG, pools=())
    first, second = (solve(question, objective=objective, budget=budget(seed=5)) for _ in range(2))
    assert first.plan is not None
    assert first.plan == second.plan


@pytest.mark.parametrize("seed", range(8))
def test_renaming_tasks_keeps_the_smallest_footprint(seed: int) -> None:
    question = replace(random_problem(Random(seed), tasks=6), workspace=BIG, pools=())
    question = replace(question, tasks=tuple(replace(t, in_place=()) for t in question.tasks))
    names = {t.id: f"z{len(question.tasks) - k}" for k, t in enumerate(question.tasks)}
    renamed = replace(
        question,
        tasks=tuple(replace(t, id=names[t.id], after=tuple(names[a] for a in t.after)) for t in question.tasks),
    )
    one, other = (solve(q, objective=Objective.REUSE, budget=budget(0.5)) for q in (question, renamed))
    assert one.plan is not None
    assert other.plan is not None
    assert one.plan.measures.peak_live == other.plan.measures.peak_live or one.status is not Status.OPTIMAL


@pytest.mark.parametrize("seed", range(10))
def test_more_memory_never_makes_a_feasible_question_infeasible(seed: int) -> None:
    question, _, _ = random_question(300 + seed)
    small = solve(question, budget=budget())
    larger = replace(question.workspace, size=Bytes(4 * question.workspace.size))
    if small.plan is not None:
        assert solve(replace(question, workspace=larger), budget=budget()).plan is not None


def test_discarded_outputs_die_with_their_writer() -> None:
    question = replace(chain(2, size=8), workspace=BIG, policy=Policy(outputs=OutputPolicy.DISCARD))
    outcome = solve(question, objective=Objective.REUSE, budget=budget())
    assert outcome.plan is not None
    assert {e.action.value for e in outcome.plan.events} == {"allocate", "release"}


def test_an_output_takes_over_a_lazy_input_whatever_their_ids() -> None:
    """Both are born when the task starts; the input was there first although its id sorts last."""
    heir = Task("t", Tick(3), inputs=("z",), outputs=("a",), in_place=(("a", "z"),))
    buffers = tuple(Buffer(b, Bytes(8)) for b in "zac")
    question = Problem("heir", (heir, task("u", "a", "c")), buffers, BIG, policy=Policy(InputPolicy.LAZY))
    outcome = solve(question, objective=Objective.REUSE, budget=budget())
    assert outcome.plan is not None
    assert outcome.plan.measures.footprint == 16
    regions = outcome.plan.region_of
    assert [t.region for t in outcome.plan.takes_over[regions["a"].id]] == [regions["z"].id]


def test_bounds_say_how_they_are_known() -> None:
    outcome = solve(replace(chain(6, size=8), workspace=BIG), target=0.5, budget=budget())
    assert outcome.plan is not None
    assert {b.evidence for b in outcome.plan.proof.bounds} <= set(Evidence)
    assert {b.quantity for b in outcome.plan.proof.bounds} == {"peak_live", "makespan"}


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_on_bytes_of_every_plan_is_the_least_peak_of_any_order(seed: int) -> None:
    """With room enough, whatever the pools, policies and permissions in place: proved, and equal to enumeration."""
    question = random_problem(Random(seed), tasks=7)
    question = replace(
        question,
        workspace=replace(BIG, alignment=question.workspace.alignment),
        pools=tuple(replace(p, size=None) for p in question.pools),
    )
    outcome = solve(question, objective=Objective.REUSE, budget=budget())
    assert outcome.plan is not None
    bound = outcome.plan.proof.least_bytes
    assert (bound.value if bound else 0) == least_peak_by_enumeration(question)


def test_a_target_that_only_the_exact_search_excludes_is_disproved() -> None:
    """Two branches that each need more on the way than they leave: no single moment shows what both need."""
    found = 0
    for seed in range(200):
        question = replace(random_problem(Random(seed), tasks=8), workspace=BIG, pools=())
        compact = Compact.of(question)
        optimum, sets = least_peak_by_enumeration(question), max((b.value for b in peak_bounds(compact)[0]), default=0)
        allocated = int(question.graph.allocated)
        target = 1 - (optimum - 0.5) / allocated if allocated else 0.0  # allows one byte too few
        if len(question.graph.pools) != 1 or sets >= optimum or any(t.in_place for t in question.tasks):
            continue
        found += 1
        outcome = solve(question, target=target, budget=budget())
        assert outcome.status is Status.INFEASIBLE
        assert str(optimum) in outcome.reason
        assert {b.method for b in outcome.bounds if b.value == optimum} <= {
            "min_cut",
            "order_search",
            "precedence_branching",
        }
    assert found >= 3


def test_progress_is_told_with_phases() -> None:
    news: list[Progress] = []
    solve(replace(chain(6, size=8), workspace=BIG), budget=budget(), observer=news.append)
    assert {"order", "schedule"} <= {n.phase for n in news}


def test_the_time_limit_is_kept() -> None:
    """Generous: a machine may be slow, but a limit of two seconds is not thirty."""
    question, _, _ = random_question(7)
    limit = Budget(2.0)
    outcome = solve(replace(question, workspace=BIG), budget=limit)
    assert outcome.plan is not None
    effort = outcome.plan.proof.effort
    assert effort is not None
    assert float(str(effort["seconds"])) < 30


@pytest.mark.parametrize("objective", list(Objective))
def test_tasks_without_buffers_are_planned(objective: Objective) -> None:
    """A ceiling of no bytes is nothing to divide by; the best plan here is one unit above its bounds."""
    tasks = (
        task("a", duration=2), task("b", duration=2), task("c", duration=2), task("d", after="a"),
        task("e", duration=3, after="b c"), task("f", duration=3, after="d"), task("g", duration=2, after="e"),
    )  # fmt: skip
    found = solve(replace(problem(*tasks, workers=2), workspace=BIG), objective=objective, budget=budget())
    assert found.plan is not None
    assert found.plan.measures.makespan == 8


@pytest.mark.parametrize("seed", range(6))
def test_a_search_for_reuse_tells_footprints_and_bounds_in_bytes_as_they_come(seed: int) -> None:
    question = replace(random_problem(Random(seed), tasks=9), workspace=BIG, pools=())
    news: list[Progress] = []
    found = solve(question, objective=Objective.REUSE, budget=budget(), observer=news.append)
    assert found.plan is not None
    footprints = [n.footprint for n in news if n.footprint is not None]
    bounds = [n.bound for n in news if n.bound is not None]
    assert min(footprints) == found.plan.measures.footprint
    assert bounds == sorted(bounds)
    assert max(bounds) <= found.plan.measures.footprint
