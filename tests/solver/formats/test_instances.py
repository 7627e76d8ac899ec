"""The problems that ship with the project are good ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalytic.solver.check import violations
from catalytic.solver.formats import detect, dump_problem, load_problem, load_strategy, parse_problem
from catalytic.solver.plan import Timeline, plan_without_reuse, timeline_problem

INSTANCES = Path(__file__).parents[3] / "instances"
PROBLEMS = [
    *sorted((INSTANCES / "didactic").glob("*.json")),
    *sorted((INSTANCES / "families").glob("*.json")),
    INSTANCES / "specification" / "problem.json",
]


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda p: p.stem)
def test_an_instance_is_a_problem_that_can_be_planned(path: Path) -> None:
    problem = load_problem(path)

    assert detect(path) == "problem"
    assert parse_problem(dump_problem(problem), "again.json") == problem
    assert violations(plan_without_reuse(problem)) == []
    if path.stem == "chain-8-1":
        return  # made not to fit
    # Every task can run in this workspace at all.
    graph = problem.graph
    sets = [sum(graph.aligned_size[b] for b in graph.working_set(t.id)) for t in problem.tasks]
    assert max(sets) <= problem.workspace.capacity


def test_the_specification_instance_has_the_pools_of_the_specification() -> None:
    problem = load_problem(INSTANCES / "specification" / "problem.json")

    assert {p.id: p.size for p in problem.pools} == {
        "prd_generation_pool": 1_500_000_000,
        "optimization_pool": 2_000_000_000,
        "validation_pool": 1_000_000_000,
        "monitoring_pool": 500_000_000,
    }
    assert {p.id for p in problem.graph.pools} == {p.id for p in problem.pools}
    assert (problem.workspace.size, problem.workspace.partitions) == (10 * 10**9, 8)


def test_the_timeline_of_the_specification_is_the_same_work() -> None:
    problem = load_problem(INSTANCES / "specification" / "problem.json")
    timeline = load_strategy(INSTANCES / "specification" / "pebbling-strategy.json")
    assert isinstance(timeline, Timeline)
    fixed, starts = timeline_problem(timeline)

    assert {t.id for t in fixed.tasks} == {t.id for t in problem.tasks}
    for t in problem.tasks:
        assert fixed.graph.task[t.id].duration == t.duration
        assert all(starts[t.id] >= starts[p] + problem.graph.task[p].duration for p in problem.graph.predecessors[t.id])
