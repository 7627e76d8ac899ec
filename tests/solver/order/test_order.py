"""Orders, the quick bounds and CP-SAT, against enumeration."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from catalytic.solver.budget import Budget
from catalytic.solver.order import Compact, forces_of_pools, least_peak, peak_bounds
from catalytic.solver.order.cp_sat_order import order_below
from catalytic.solver.problem import InputPolicy, Problem, Task
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration, order_value

QUICK = Budget(1.0, deterministic=True)


def without_in_place(question: Problem) -> Problem:
    return replace(question, tasks=tuple(replace(t, in_place=()) for t in question.tasks))


@pytest.mark.parametrize("seed", range(60))
def test_no_set_that_must_be_alive_exceeds_the_optimum(seed: int) -> None:
    question = without_in_place(random_problem(Random(1000 + seed), tasks=6))
    compact = Compact.of(question)
    optimum = least_peak_by_enumeration(question)

    bounds, force = peak_bounds(compact)

    assert all(b.value <= optimum for b in bounds)
    assert sum(f.bytes for f in forces_of_pools(compact).values()) <= optimum
    assert (force is None) == (not question.graph.resident)


@pytest.mark.parametrize("seed", range(25))
def test_cp_sat_proves_what_enumeration_knows(seed: int) -> None:
    """At the optimum an order exists; one byte below, none does. One pool, because the model adds all bytes up."""
    question = without_in_place(random_problem(Random(2000 + seed), tasks=6))
    question = replace(
        question, buffers=tuple(replace(b, data_type=None, access=None) for b in question.buffers), pools=()
    )
    compact = Compact.of(question)
    optimum = least_peak_by_enumeration(question)

    at = order_below(compact, optimum, 5.0, QUICK)
    assert at.order is not None
    assert order_value(question, [compact.tasks[t] for t in at.order]) <= optimum
    if optimum > 0:
        below = order_below(compact, optimum - 1, 5.0, QUICK)
        assert below.impossible
        assert below.order is None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("factor", [3])
def test_multiplying_sizes_multiplies_peak_and_bound(seed: int, factor: int) -> None:
    question = without_in_place(random_problem(Random(3000 + seed), tasks=7))
    question = replace(question, workspace=replace(question.workspace, alignment=1))
    larger = replace(
        question,
        buffers=tuple(replace(b, size=Bytes(factor * b.size)) for b in question.buffers),
        tasks=tuple(replace(t, scratch=Bytes(factor * t.scratch)) for t in question.tasks),
    )
    one, many = Compact.of(question), Compact.of(larger)

    assert least_peak(larger, QUICK).peak == factor * least_peak(question, QUICK).peak
    assert [b.value for b in peak_bounds(many)[0]] == [factor * b.value for b in peak_bounds(one)[0]]


def test_a_buffer_that_bridges_a_task_counts_while_the_task_runs() -> None:
    """``seed`` is written before and read after ``middle``, which does not touch it."""
    question = problem(
        task("first", "", "seed a"),
        task("middle", "a", "b"),
        task("last", "b seed", "c"),
        sizes={"seed": 100, "a": 1, "b": 10, "c": 1},
    )
    bounds, force = peak_bounds(Compact.of(question))

    assert force is not None
    assert force.task in ("middle", "last")
    assert bounds[0].value == 111  # seed + a + b while middle runs; seed + b + c while last runs is as much
    assert bounds[0].method == ("through_set" if force.task == "middle" else "working_set")


def test_in_place_output_takes_no_bytes_of_its_own() -> None:
    plain = chain(3, size=8)
    tasks = tuple(replace(t, in_place=((t.outputs[0], t.inputs[0]),)) if t.inputs else t for t in plain.tasks)
    shared = replace(plain, tasks=tasks)

    assert least_peak(plain, QUICK).peak == 16
    assert least_peak(shared, QUICK).peak == 8
    assert Compact.of(shared).blocks == (("b1", "b2", "b3"),)


def test_in_place_is_not_used_while_another_task_may_still_read_the_input() -> None:
    tasks = (
        task("w", "", "x"),
        Task("t", Tick(1), inputs=("x",), outputs=("y",), in_place=(("y", "x"),)),
        task("other", "x", "z"),
    )
    assert ("x", "y") not in Compact.of(problem(*tasks)).blocks


@pytest.mark.parametrize("policy", list(InputPolicy))
def test_external_inputs_count_as_the_policy_says(policy: InputPolicy) -> None:
    question = problem(task("a", "big", "x"), task("b", "x", "y"), sizes={"big": 50, "x": 1, "y": 1})
    question = replace(question, policy=replace(question.policy, inputs=policy))

    expected = 2 if policy is InputPolicy.EXTERNAL else 51
    assert least_peak(question, QUICK).peak == expected


def test_the_same_seed_gives_the_same_order() -> None:
    question = random_problem(Random(5), tasks=12)
    assert least_peak(question, QUICK).order == least_peak(question, QUICK).order
