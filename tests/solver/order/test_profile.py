"""The profile of an order is what follows from the lifetimes of a plan that runs one task per tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.order.profile import profile
from catalytic.solver.plan import lifetimes
from catalytic.solver.problem import Buffer, InputPolicy, OutputPolicy, Policy, Problem, Task
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, diamond, problem, random_problem, task


def random_order(rng: Random, question: Problem) -> list[str]:
    """Any legal order: a random one of the tasks that are ready runs next."""
    graph, order = question.graph, list[str]()
    while len(order) < len(question.tasks):
        ready = [t for t in graph.task if t not in order and all(p in order for p in graph.predecessors[t])]
        order.append(rng.choice(sorted(ready)))
    return order


def alive_by_simulation(question: Problem, order: Sequence[str]) -> list[set[str]]:
    """The rules, followed task by task: what exists while each one runs."""
    graph = question.graph
    exists = set(graph.resident) & set(graph.external) if question.policy.inputs is InputPolicy.PRELOAD else set()
    seen = []
    for k, t in enumerate(order):
        touched = {*graph.task[t].inputs, *graph.task[t].outputs, f"scratch:{t}"}
        exists |= touched & set(graph.resident)
        seen.append(set(exists))
        later = {b for other in order[k + 1 :] for b in graph.task[other].inputs}
        exists = {b for b in exists if b in later or b in graph.kept}
    return seen


def bytes_by_simulation(question: Problem, order: Sequence[str], pool: str) -> list[int]:
    """Sizes of what exists, less the smaller of each pair that may share bytes where the input dies."""
    graph, seen = question.graph, alive_by_simulation(question, order)
    totals = []
    for k, (t, alive) in enumerate(zip(order, seen, strict=True)):
        total = sum(int(graph.aligned_size[b]) for b in alive if graph.pool_of[b] == pool)
        for output, source in graph.task[t].in_place:
            after = seen[k + 1] if k + 1 < len(order) else set(graph.kept)
            dies_here = {output, source} <= alive and source not in after
            if dies_here and graph.pool_of[output] == graph.pool_of[source] == pool:
                total -= min(graph.aligned_size[output], graph.aligned_size[source])
        totals.append(total)
    return totals


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_a_profile_is_what_a_simulation_of_the_rules_gives(seed: int) -> None:
    """Every feature at once: policies, kept and exported buffers, scratch, pools, in place, zero bytes, alignment."""
    rng = Random(seed)
    question = random_problem(rng)
    order = random_order(rng, question)

    found = profile(question, order)

    assert [set(found.alive(k)) for k in range(len(order))] == alive_by_simulation(question, order)
    by_pool = {p.id: bytes_by_simulation(question, order, p.id) for p in question.graph.pools}
    assert [dict(step) for step in found.pools] == [
        {pool: line[k] for pool, line in by_pool.items()} for k in range(len(order))
    ]
    assert found.peak == sum(max(line) for line in by_pool.values())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_buffers_live_as_in_a_plan_that_runs_one_task_per_tick(seed: int) -> None:
    rng = Random(seed)
    question = random_problem(rng)
    question = replace(question, tasks=tuple(replace(t, duration=Tick(1)) for t in question.tasks))
    order = random_order(rng, question)

    lives = lifetimes(question, {t: Tick(k) for k, t in enumerate(order)})

    spans = {b: (int(life.birth), int(life.death) - 1) for b, life in lives.items()}
    assert spans == profile(question, order).spans


def test_the_diamond_by_hand() -> None:
    """Each middle task needs the seed; the second of them also lives beside the first one's result."""
    found = profile(diamond(size=10), ["top", "right", "left", "bottom"])

    assert found.live == (10, 20, 30, 30)
    assert found.peak == 30
    assert found.peak_step() == 2  # the first of the steps with 30
    assert found.alive(2) == ("l", "r", "seed")
    assert found.alive(3) == ("l", "r", "result")


def test_larger_buffers_come_first() -> None:
    question = problem(task("t", "", "a b c"), sizes={"a": 2, "b": 5, "c": 5})

    assert profile(question, ["t"]).alive(0) == ("b", "c", "a")


def test_kept_buffers_live_to_the_end_and_scratch_for_its_task() -> None:
    question = problem(task("a", "", "x", scratch=3), task("b", "", "y"), sizes=1)
    kept = replace(question, policy=Policy(outputs=OutputPolicy.KEEP))

    assert profile(question, ["a", "b"]).live == (4, 1)
    assert profile(kept, ["a", "b"]).live == (4, 2)


@pytest.mark.parametrize(
    ("policy", "live"),
    [(InputPolicy.EXTERNAL, (1, 1, 1)), (InputPolicy.LAZY, (1, 6, 1)), (InputPolicy.PRELOAD, (6, 6, 1))],
    ids=lambda value: value.value if isinstance(value, InputPolicy) else "",
)
def test_inputs_live_as_the_policy_says(policy: InputPolicy, live: tuple[int, ...]) -> None:
    """``b`` alone reads the input of 5 bytes."""
    question = problem(task("a", "", "x"), task("b", "in", "y"), task("c", "", "z"), sizes={"in": 5})

    found = profile(replace(question, policy=Policy(inputs=policy)), ["a", "b", "c"])

    assert found.live == live


def test_bytes_are_shared_in_place_only_by_the_last_user() -> None:
    """``b`` may write ``y`` over ``x``; ``c`` reads ``x`` too, so the order of the two decides."""
    over = replace(task("b", "x", "y"), in_place=(("y", "x"),))
    question = problem(task("a", "", "x"), over, task("c", "x", "z"), sizes={"x": 4, "y": 6, "z": 1})

    before, after = profile(question, ["a", "b", "c"]), profile(question, ["a", "c", "b"])

    assert before.live == (4, 10, 5)
    assert before.shared == {}
    assert after.live == (4, 5, 6)
    assert after.shared == {2: (("y", "x", 4),)}


def test_pools_add_up_their_own_peaks() -> None:
    """Text peaks in the first step, images in the last: the slices of both are needed throughout."""
    question = Problem(
        name="pools",
        tasks=(Task("a", Tick(1), outputs=("t",), scratch=Bytes(4096)), Task("b", Tick(1), outputs=("i",))),
        buffers=(Buffer("t", Bytes(4096), "text"), Buffer("i", Bytes(12288), "image")),
    )

    found = profile(question, ["a", "b"])

    assert found.pool_peaks == {"image": 12288, "text": 8192}
    assert found.peak == 20480
    assert found.live == (8192, 12288)
    assert (found.peak_step("text"), found.peak_step("image")) == (0, 1)


@pytest.mark.parametrize(
    "order", [["t1"], ["t1", "t1"], ["t2", "t1"], ["t1", "t2", "x"]], ids=["short", "twice", "wrong-way", "stranger"]
)
def test_what_is_not_an_order_is_refused(order: list[str]) -> None:
    with pytest.raises(ValueError, match=r"must come before|exactly once"):
        profile(chain(2), order)


def test_nothing_resident_is_nothing_alive() -> None:
    found = profile(problem(task("a"), task("b", after="a")), ["a", "b"])

    assert (found.live, found.peak, found.alive(0)) == ((0, 0), 0, ())
