"""Coarse relaxations bound, the finest is exact, and what is redundant changes no optimum."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from ortools.sat.python import cp_model

from catalytic.solver.budget import Budget
from catalytic.solver.order import Compact
from catalytic.solver.plan import Bound
from catalytic.solver.schedule import cp_sat_redundant as redundant
from catalytic.solver.schedule.cp_sat_schedule import Asked, build
from catalytic.solver.schedule.ladder import Ladder
from catalytic.solver.schedule.relaxed import Chains, relax
from catalytic.solver.schedule.search import ScheduleSearch
from catalytic.solver.units import Tick

from .oracles import least_makespan, peak_of_starts
from .test_gate import low_order, random_compact

QUICK = Budget(3.0, deterministic=True)


def small(seed: int) -> tuple[Random, Compact, int]:
    """Four tasks of at most three ticks, and a ceiling that the best order just meets or a little more."""
    rng, compact = random_compact(seed, tasks=4)
    question = compact.problem
    tasks = tuple(replace(t, duration=Tick(rng.randint(1, 3)), in_place=()) for t in question.tasks)
    compact = Compact.of(replace(question, tasks=tasks))
    return rng, compact, low_order(compact)[1] + rng.choice((0, 2, 8))


@pytest.mark.parametrize("seed", range(30))
def test_every_relaxation_bounds_the_optimum_and_the_finest_is_it(seed: int) -> None:
    _, compact, ceiling = small(seed)
    optimum = least_makespan(compact, ceiling)
    assert optimum is not None
    chains, upper = Chains(compact), int(compact.duration.sum())
    sizes = sorted({0, *compact.size.tolist()})
    for grain in (1, 2, 3):
        for smallest in (0, sizes[len(sizes) // 2], sizes[-1] + 1):
            relaxed = relax(compact, chains, ceiling, grain, smallest)
            solution = Asked().least_makespan(relaxed, upper // grain, 5.0, QUICK)
            assert solution.optimal
            assert solution.bound * grain <= optimum
    exact = Asked().least_makespan(relax(compact, chains, ceiling, 1, 0), upper, 5.0, QUICK)
    assert exact.bound == optimum
    assert exact.start is not None
    assert peak_of_starts(compact, exact.start) <= ceiling


@pytest.mark.parametrize(
    "switches",
    [redundant.NONE, *(replace(redundant.NONE, **{name: True}) for name in ("energy", "memory_time", "twins"))],
)
@pytest.mark.parametrize("seed", range(8))
def test_the_optimum_stays_with_and_without_what_is_redundant(seed: int, switches: redundant.Switches) -> None:
    _, compact, ceiling = small(100 + seed)
    relaxed = relax(compact, Chains(compact), ceiling, 1, 0)
    model, x = build(relaxed, int(compact.duration.sum()), 0, switches)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    assert solver.value(x.makespan) == least_makespan(compact, ceiling)


def test_twins_are_put_in_order_and_a_hint_follows() -> None:
    """Three equal tasks without bytes on one worker: six optimal orders, one of them is left."""
    from tests.builders import problem, task

    question = replace(
        problem(task("a", duration=2), task("b", duration=2), task("c", duration=2)), resources=(("workers", 1),)
    )
    relaxed = relax(Compact.of(question), Chains(Compact.of(question)), 1, 1, 0)
    assert redundant.twins(relaxed) == [[0, 1, 2]]
    assert redundant.in_order(relaxed, np.array([4, 0, 2])).tolist() == [0, 2, 4]


@pytest.mark.parametrize("seed", range(12))
def test_the_ladder_never_passes_the_optimum_and_annealing_never_undercuts_it(seed: int) -> None:
    _, compact, ceiling = small(300 + seed)
    optimum = least_makespan(compact, ceiling)
    assert optimum is not None
    order, _ = low_order(compact)
    search = ScheduleSearch(compact, [order], ceiling, QUICK, 0)
    search.first(1.0)
    search.run_counted(0.002)
    best = search.best
    assert best is not None
    assert best.schedule.makespan >= optimum
    assert peak_of_starts(compact, best.schedule.start) == best.schedule.reserved <= ceiling
    bounds: list[Bound] = []
    known = (best.schedule.makespan, best.schedule.start)
    Ladder(compact, ceiling, QUICK, 0, lambda: known, bounds.append, lambda start, exact: None).run(2.0)
    assert all(b.value <= optimum for b in bounds)
    assert max(b.value for b in bounds) == optimum


def test_the_same_seed_gives_the_same_schedule_whatever_the_machine_does() -> None:
    _, compact, ceiling = small(5)
    order, _ = low_order(compact)

    def once() -> list[int]:
        search = ScheduleSearch(compact, [order], ceiling, Budget(1.0, deterministic=True, seed=7), 0)
        search.run_counted(0.003)
        assert search.best is not None
        return [int(s) for s in search.best.schedule.start]

    assert once() == once()
