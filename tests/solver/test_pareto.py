"""The frontier: valid plans, none beaten, and bounds that enumeration confirms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.budget import Budget, Progress
from catalytic.solver.check import violations
from catalytic.solver.pareto import Frontier, Step, floor_at, frontier, staircase
from catalytic.solver.plan import Bound, Evidence, Objective, Status, lifetimes
from catalytic.solver.problem import Isolation, Problem, Workspace
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, problem, random_problem, task

ROOMY = Workspace(Bytes(4096), 1, 1, Isolation.SHARED)


def budget(seconds: float = 2.0, seed: int = 0) -> Budget:
    return Budget(seconds, seed=seed, deterministic=True)


def small(seed: int) -> Problem:
    """A random problem small enough to enumerate, in one roomy partition."""
    question = random_problem(Random(seed), tasks=4)
    return replace(
        question,
        tasks=tuple(replace(t, in_place=(), duration=Tick(min(t.duration, 2))) for t in question.tasks),
        pools=(),
        workspace=replace(ROOMY, alignment=question.workspace.alignment),
    )


def schedules(question: Problem) -> Iterator[tuple[int, int]]:
    """(peak of live bytes, makespan) of every schedule that ends within the sum of the durations."""
    tasks = question.tasks
    horizon = sum(t.duration for t in tasks)
    capacity = dict(question.resources)
    before = question.graph.predecessors
    for starts in product(*(range(horizon - t.duration + 1) for t in tasks)):
        start = {t.id: Tick(s) for t, s in zip(tasks, starts, strict=True)}
        end = {t.id: start[t.id] + t.duration for t in tasks}
        if any(end[p] > start[t.id] for t in tasks for p in before[t.id]):
            continue
        if any(
            sum(t.demand(name) for t in tasks if start[t.id] <= tick < end[t.id]) > most
            for tick in range(horizon)
            for name, most in capacity.items()
        ):
            continue
        lives = lifetimes(question, start)
        size = question.graph.aligned_size
        live = (sum(size[b] for b, life in lives.items() if life.birth <= tick < life.death) for tick in range(horizon))
        yield max(live, default=0), max(end.values(), default=0)


def assert_sound(found: Frontier) -> None:
    """What every frontier promises."""
    for p in found.points:
        assert violations(p.plan) == []
        assert p.proved == (p.bound is not None and p.bound.value == p.makespan)
        assert p.plan.proof.objective is Objective.MAKESPAN
        assert p.bound is None or p.bound.value <= p.makespan
        assert floor_at(found.floor, p.footprint) is None or p.bound is not None
        low = floor_at(found.floor, p.footprint)
        assert (low.value if low else 0) <= p.makespan
    for a, b in pairwise(found.points):
        assert a.footprint < b.footprint
        assert a.makespan > b.makespan
    for s, t in pairwise(found.floor):
        assert s.ceiling < t.ceiling
        assert s.bound.value > t.bound.value
    if found.least_footprint is not None and found.points:
        assert found.least_footprint.value <= found.points[0].footprint
    plans = [p.found for p in found.probes if p.found is not None]
    for footprint, makespan in plans:
        assert any(p.footprint <= footprint and p.makespan <= makespan for p in found.points)
        for s in found.floor:
            assert footprint > s.ceiling or makespan >= s.bound.value


@pytest.mark.parametrize("seed", range(14))
def test_no_schedule_contradicts_what_the_frontier_proves(seed: int) -> None:
    """Every bound here speaks of live bytes, so enumeration of schedules without addresses must respect it."""
    question = small(seed)
    found = frontier(question, points=4, budget=budget())
    every = sorted(set(schedules(question)))

    assert found.points
    assert_sound(found)
    for s in found.floor:
        assert min((m for peak, m in every if peak <= s.ceiling), default=10**9) >= s.bound.value
    for p in found.points:
        best = min(m for peak, m in every if peak <= p.footprint)
        assert best <= p.makespan
        if p.proved:
            assert best == p.makespan


def test_two_independent_tasks_share_bytes_or_time() -> None:
    """8 bytes one after the other (9 ticks), or 16 bytes side by side (5 ticks): both proved."""
    question = problem(task("a", "", "x", duration=5), task("b", "", "y", duration=4), sizes=8, workers=2)
    found = frontier(replace(question, workspace=ROOMY), points=4, budget=budget())

    assert [(p.footprint, p.makespan, p.proved) for p in found.points] == [(8, 9, True), (16, 5, True)]
    assert_sound(found)


@pytest.fixture(scope="module")
def three() -> Frontier:
    """Three independent tasks of 6 ticks and 8 bytes, on three workers."""
    question = problem(*(task(f"t{k}", "", f"b{k}", duration=6) for k in range(3)), sizes=8, workers=3)
    return frontier(replace(question, workspace=ROOMY), points=5, budget=budget(15.0))


def test_three_independent_tasks_have_a_point_between_the_ends(three: Frontier) -> None:
    assert [(p.footprint, p.makespan) for p in three.points] == [(8, 18), (16, 12), (24, 6)]
    assert all(p.proved for p in three.points)


def test_where_both_ends_are_one_plan_there_is_one_point() -> None:
    found = frontier(replace(chain(5), workspace=ROOMY), points=5, budget=budget())

    assert [(p.footprint, p.makespan, p.proved) for p in found.points] == [(2, 5, True)]


@pytest.mark.parametrize("seed", range(8))
def test_the_ends_are_what_the_planner_finds_for_either_objective(seed: int) -> None:
    question = replace(random_problem(Random(100 + seed), tasks=8), pools=())
    question = replace(question, workspace=Workspace(Bytes(8192), 3, question.workspace.alignment))
    found = frontier(question, points=3, budget=budget(3.0))
    share = budget(1.0)
    lean = solve(question, objective=Objective.REUSE, budget=share).plan
    fast = solve(question, objective=Objective.MAKESPAN, budget=share).plan

    assert_sound(found)
    assert lean is not None
    assert fast is not None
    assert found.points[0].footprint <= lean.measures.footprint
    assert found.points[-1].makespan <= fast.measures.makespan


def test_a_plan_is_restated_for_its_own_footprint(three: Frontier) -> None:
    """Each point's plan answers: the least makespan of all plans with no larger footprint."""
    for p in three.points:
        assert p.plan.proof.target == p.plan.measures.reuse_factor
        assert p.plan.proof.status is Status.OPTIMAL
        for b in p.plan.proof.bounds:
            stated = b.witness.get("ceiling")
            assert b.quantity != "makespan" or not isinstance(stated, int) or stated >= p.footprint


def test_equal_calls_give_equal_frontiers() -> None:
    question = small(3)

    assert frontier(question, points=4, budget=budget()) == frontier(question, points=4, budget=budget())


def test_a_workspace_too_small_has_no_point_and_says_why() -> None:
    question = replace(chain(3, size=64), workspace=Workspace(Bytes(64), 1, 1, Isolation.SHARED))
    found = frontier(question, points=3, budget=budget())

    assert found.points == ()
    assert found.outcome.status is Status.INFEASIBLE
    assert found.outcome.reason
    assert found.least_footprint is not None
    assert found.least_footprint.value == 128


def test_where_nothing_is_allocated_there_is_one_point() -> None:
    question = replace(problem(task("a"), task("b", after="a")), workspace=ROOMY)
    found = frontier(question, points=3, budget=budget())

    assert [(p.footprint, p.makespan) for p in found.points] == [(0, 2)]


def test_fewer_than_the_two_ends_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        frontier(chain(2), points=1)


@pytest.mark.parametrize(("per_task", "first"), [(1e-3, 2.0), (10.0, 4.0)], ids=["small", "large"])
def test_the_searches_share_one_time_limit(per_task: float, first: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each search is given no more than is left; where four parts would be too short, two searches have half each."""
    from catalytic.solver import pareto

    given_: list[tuple[float, float]] = []
    clock = [0.0]

    def watched(question: Problem, *, budget: Budget, **rest: object):  # type: ignore[no-untyped-def]
        given_.append((clock[0], budget.time_limit_s))
        clock[0] += budget.time_limit_s
        return solve(question, budget=Budget(0.5, deterministic=True), **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pareto, "solve", watched)
    monkeypatch.setattr(pareto, "warm_up", lambda _: 0.0)
    monkeypatch.setattr(pareto, "SECONDS_PER_TASK", per_task)
    frontier(small(5), points=4, budget=Budget(8.0, clock=lambda: clock[0]))

    assert given_
    assert given_[0][1] == pytest.approx(first)
    for started, seconds in given_:
        assert started + seconds <= 8.0 + 1e-9


def test_progress_is_told_over_the_whole_time_limit() -> None:
    news: list[Progress] = []
    frontier(small(1), points=3, budget=budget(), observer=news.append)

    assert {n.phase for n in news} <= {"frontier", "compile"}
    assert any(n.message.startswith("search 2") for n in news)


steps = st.lists(
    st.builds(
        lambda ceiling, value: Step(ceiling, Bound("makespan", value, "critical_path", Evidence.CERTIFICATE)),
        st.integers(0, 20),
        st.integers(0, 20),
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(steps, st.integers(0, 21))
def test_the_staircase_says_what_all_its_steps_say(known: list[Step], footprint: int) -> None:
    """A bound below a high ceiling holds below every lower one."""
    expected = max((s.bound.value for s in known if s.ceiling >= footprint), default=None)
    found = floor_at(staircase(known), footprint)

    assert (found.value if found else None) == expected
