"""Schedule and placement together: against enumeration of both, and where one alone is not enough."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest

from catalytic.solver.budget import Budget
from catalytic.solver.check import violations
from catalytic.solver.order import Compact
from catalytic.solver.plan import Objective, Status
from catalytic.solver.problem import Isolation, Problem, Workspace
from catalytic.solver.schedule.cp_sat_joint import least_makespan_placed
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick
from tests.builders import problem, task

from .oracles import users

QUICK = Budget(5.0, deterministic=True)


def small_question(seed: int) -> Problem:
    """Three tasks in a row or side by side, blocks of one to four bytes in six."""
    rng = Random(seed)
    reads = ("", rng.choice(("", "x")), rng.choice(("x", "y", "x y")))
    question = problem(
        task("a", reads[0], "x", duration=rng.randint(1, 2)),
        task("b", reads[1], "y", duration=rng.randint(1, 2)),
        task("c", reads[2], "z", duration=rng.randint(1, 2)),
        sizes={"x": rng.randint(1, 4), "y": rng.randint(1, 4), "z": rng.randint(1, 4)},
    )
    return replace(question, workspace=Workspace(Bytes(6), 1, 1, Isolation.SHARED), resources=(("workers", 2),))


def optimum(compact: Compact, ceiling: int) -> int | None:
    """The least makespan over all starts and all offsets."""
    n, horizon, rows = compact.task_count, int(compact.duration.sum()), users(compact)
    best: int | None = None
    for starts in product(*(range(horizon - int(d) + 1) for d in compact.duration)):
        start = np.array(starts)
        end = start + compact.duration
        if any(end[p] > start[t] for t in range(n) for p in compact.predecessors[t]):
            continue
        if any(((start <= k) & (k < end)).sum() > 2 for k in range(horizon)):
            continue
        if best is not None and end.max() >= best:
            continue
        life = [(min(start[t] for t in row), max(end[t] for t in row)) for row in rows]
        for at in product(*(range(ceiling - int(s) + 1) for s in compact.size)):
            apart = all(
                life[i][1] <= life[j][0] or life[j][1] <= life[i][0]
                or at[i] + compact.size[i] <= at[j] or at[j] + compact.size[j] <= at[i]
                for i in range(len(at)) for j in range(i)
            )  # fmt: skip
            if apart:
                best = int(end.max())
                break
    return best


@pytest.mark.parametrize("seed", range(25))
def test_the_joint_optimum_is_that_of_enumeration(seed: int) -> None:
    compact = Compact.of(small_question(seed))
    least = optimum(compact, 6)
    found = least_makespan_placed(compact, 6, int(compact.duration.sum()), 0, 5.0, QUICK)
    if least is None:
        assert found.start is None
    else:
        assert found.optimal
        assert found.bound == least
        assert found.start is not None
        assert int((found.start + compact.duration).max()) == least


@pytest.mark.parametrize("seed", range(12))
def test_small_plans_on_one_line_end_with_the_optimum(seed: int) -> None:
    question = small_question(seed)
    least = optimum(Compact.of(question), 6)
    outcome = solve(question, objective=Objective.MAKESPAN, budget=Budget(2.0, deterministic=True))
    if least is None:
        assert outcome.status in (Status.INFEASIBLE, Status.UNKNOWN)
    else:
        assert outcome.plan is not None
        assert violations(outcome.plan) == []
        assert outcome.plan.measures.makespan == Tick(least)
        assert outcome.status is Status.OPTIMAL
