"""Bounds with witnesses: how they rank, what they tell people, and what several pools add."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.order import Compact
from catalytic.solver.order.bounds import (
    Force,
    force_of,
    forces_of_pools,
    min_cut_bounds,
    peak_bounds,
    pool_cuts,
)
from catalytic.solver.order.live import Live
from catalytic.solver.order.min_cut import min_cut_bound
from catalytic.solver.plan import Bound, Evidence
from catalytic.solver.problem import Buffer, Problem
from catalytic.solver.units import Bytes
from tests.builders import chain, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration


def some_order(live: Live) -> Ints:
    number = {t: i for i, t in enumerate(live.tasks)}
    return np.array([number[t] for t in live.problem.graph.topological_order], dtype=np.int64)


def bounds_of(question: Problem) -> tuple[tuple[Bound, ...], Force | None]:
    live = Live.of(question)
    return min_cut_bounds(live, some_order(live))[:2]


def two_pools() -> Problem:
    """``first`` needs 8 bytes of text, ``second`` 8 bytes of image, and never both at a time."""
    question = problem(task("first", "", "t"), task("second", "", "i", after="first"), sizes=8)
    kinds = {"t": "text", "i": "image"}
    return replace(question, buffers=tuple(Buffer(b.id, b.size, kinds[b.id]) for b in question.buffers))


@pytest.mark.parametrize("seed", range(200))
def test_bounds_rank_below_the_optimum(seed: int) -> None:
    """Working and through sets <= cuts <= optimum; the same for each pool; best first."""
    question = random_problem(Random(seed), tasks=8)
    live, compact = Live.of(question), Compact.of(question)
    optimum = least_peak_by_enumeration(question)
    bounds, _ = bounds_of(question)
    value = {b.quantity: b.value for b in bounds}
    sets = {pool: force.bytes for pool, force in forces_of_pools(compact).items()}
    cuts = {pool: cut.value for pool, cut in pool_cuts(live, some_order(live)).items()}

    assert max((b.value for b in peak_bounds(compact)[0]), default=0) <= value.get("peak_live", 0)
    assert all(b.value <= optimum for b in bounds)
    assert all(sets[pool] <= cuts[pool] for pool in live.pools)
    assert [b.value for b in bounds] == sorted((b.value for b in bounds), reverse=True)
    assert all(b.evidence is Evidence.CERTIFICATE for b in bounds)
    if len(live.pools) > 1:
        assert value["footprint"] == sum(cuts.values())
    else:
        assert "footprint" not in value


@pytest.mark.parametrize("seed", range(150))
def test_the_buffers_of_a_force_hold_its_bytes(seed: int) -> None:
    """All of them but what the task takes over in place, and never less than a witness proves."""
    question = random_problem(Random(seed), tasks=8)
    live = Live.of(question)
    graph = question.graph
    cuts = [min_cut_bound(live, some_order(live)), *pool_cuts(live, some_order(live)).values()]
    for cut in cuts:
        force = force_of(live, cut)
        assert force is not None
        sizes = [graph.aligned_size[b] for b in force.buffers]
        taken = [graph.aligned_size[source] for _, source in graph.task[force.task].in_place if source in force.buffers]
        assert force.bytes == cut.value
        assert sizes == sorted(sizes, reverse=True)
        assert sum(sizes) - sum(taken) <= force.bytes <= sum(sizes)
        if not taken:
            assert force.bytes == sum(sizes)


def test_pools_add_up_although_their_moments_differ() -> None:
    bounds, force = bounds_of(two_pools())

    assert [(b.quantity, b.value, b.method) for b in bounds] == [
        ("footprint", 16, "pool_sum"),
        ("peak_live", 8, "min_cut"),
    ]
    assert bounds[0].witness == {
        "pools": {
            "image": {"method": "min_cut", "task": "second", "buffers": [], "chains": []},
            "text": {"method": "min_cut", "task": "first", "buffers": [], "chains": []},
        }
    }
    assert force is not None
    assert force.bytes == 8


def test_a_witness_names_each_group_of_buffers_once() -> None:
    """``p`` and ``p2`` live and die together; either they or what ``m`` writes from them wait while ``b`` runs."""
    question = problem(
        task("a", "", "x p p2"),
        task("b", "x", "y"),
        task("m", "p p2", "q"),
        task("c", "y q", "z"),
        sizes={"x": 8, "y": 8, "p": 2, "p2": 3, "q": 4, "z": 1},
    )
    live = Live.of(question)
    bounds, force, _ = min_cut_bounds(live, some_order(live))

    assert (bounds[0].value, bounds[0].witness) == (20, {"task": "b", "buffers": ["p", "q"], "chains": [[4, 0, 1]]})
    assert force is not None
    assert force.sentence() == "while task 'b' runs, 20B must be alive: at best 'x', 'y', 'q'"


def test_a_clock_that_allows_nothing_claims_nothing() -> None:
    live = Live.of(two_pools())

    assert min_cut_bounds(live, some_order(live), go_on=lambda: False)[:2] == ((), None)


def test_without_resident_buffers_there_is_no_bound() -> None:
    assert bounds_of(chain(3, size=0)) == ((), None)
    assert bounds_of(replace(chain(2), tasks=(), buffers=(Buffer("b", Bytes(1)),))) == ((), None)
