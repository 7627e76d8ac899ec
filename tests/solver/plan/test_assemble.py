"""What follows from starts and addresses, against the obvious definitions."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings

from catalytic.solver.check import violations
from catalytic.solver.plan import EdgeKind, Lifetime, Plan, lifetimes, plan_without_reuse
from catalytic.solver.problem import Problem
from tests.builders import chain, diamond, extents_of, random_plan, starts_of
from tests.oracles import successions_by_pairs
from tests.strategies import plans, small_problems


def owned(plan: Plan, tick: int) -> set[tuple[int, int]]:
    """Every (partition, byte) that some living buffer owns."""
    return {
        (e.partition, byte)
        for r in plan.regions
        if r.lifetime.birth <= tick < r.lifetime.death
        for e in r.extents
        for byte in range(e.offset, e.end)
    }


@settings(max_examples=150, deadline=None)
@given(plans())
def test_measures_are_what_counting_bytes_gives(plan: Plan) -> None:
    m = plan.measures
    ever = {byte for tick in range(m.makespan) for byte in owned(plan, tick)}

    assert m.makespan == max((t.end for t in plan.tasks), default=0)
    assert m.peak_live == max((len(owned(plan, tick)) for tick in range(m.makespan)), default=0)
    assert m.footprint == sum(1 + max(b for q, b in ever if q == p) for p in {q for q, _ in ever})
    assert m.allocated == sum(r.length for r in plan.regions)
    assert m.peak_live <= m.footprint <= plan.problem.workspace.capacity
    if m.reuse_factor is not None:
        assert abs(m.reuse_factor - (1 - m.footprint / m.allocated)) < 1e-12


@settings(max_examples=150, deadline=None)
@given(plans())
def test_takeovers_are_the_bytes_that_pass_directly(plan: Plan) -> None:
    stated = {
        (plan.region[t.region].buffer, plan.region[name].buffer): t.bytes
        for name, taken in plan.takes_over.items()
        for t in taken
    }

    assert stated == successions_by_pairs(plan)


@settings(max_examples=100, deadline=None)
@given(plans())
def test_following_the_edges_alone_keeps_every_buffer_until_its_last_use(plan: Plan) -> None:
    """Run the tasks one by one in any order the edges allow: no byte is written while somebody still needs it."""
    rng = Random(plan.measures.allocated)
    waiting = {t.id: {e.source for e in plan.edges if e.target == t.id} for t in plan.tasks}
    graph = plan.problem.graph
    holder: dict[tuple[int, int], str] = {}
    loaded: set[str] = set()

    def fill(b: str) -> None:
        for e in plan.region_of[b].extents:
            for byte in range(e.offset, e.end):
                holder[e.partition, byte] = b

    if plan.problem.policy.inputs.value == "preload":
        for b in graph.external:
            if graph.is_resident(b):
                fill(b)
                loaded.add(b)
    while waiting:
        name = rng.choice(sorted(t for t, before in waiting.items() if not before))
        task = graph.task[name]
        for b in task.inputs:
            if graph.is_resident(b):
                if b in graph.external and b not in loaded:
                    fill(b)
                    loaded.add(b)
                assert all(
                    holder[e.partition, byte] == b for e in plan.region_of[b].extents for byte in range(e.offset, e.end)
                )
        for b in task.outputs:
            if graph.is_resident(b):
                fill(b)
        del waiting[name]
        for before in waiting.values():
            before.discard(name)


@settings(max_examples=100, deadline=None)
@given(small_problems())
def test_a_plan_without_reuse_is_valid_and_reuses_nothing(question: Problem) -> None:
    plan = plan_without_reuse(question)

    assert violations(plan) == []
    assert plan.measures.footprint == plan.measures.allocated == question.graph.allocated
    assert not any(e.kind is EdgeKind.REUSE for e in plan.edges)


def test_a_buffer_lives_from_its_writers_start_to_its_last_readers_end() -> None:
    plan = random_plan(Random(1), diamond())
    lives = lifetimes(plan.problem, starts_of(plan))

    assert lives["seed"] == Lifetime(plan.task["top"].start, max(plan.task["left"].end, plan.task["right"].end))
    assert lives["result"] == Lifetime(plan.task["bottom"].start, plan.task["bottom"].end)


def test_a_chain_needs_two_buffers_at_a_time() -> None:
    """Whatever the length: while a step runs, its input and its output exist."""
    assert random_plan(Random(1), chain(5, size=3)).measures.peak_live == 6


def test_the_builders_place_every_resident_buffer() -> None:
    plan = random_plan(Random(3))

    assert set(extents_of(plan)) == set(plan.problem.graph.resident)
