"""Serial generation: schedules in which nothing can start earlier, among them an optimal one."""

from __future__ import annotations

from itertools import permutations
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.order import Compact
from catalytic.solver.problem import Problem, Task
from catalytic.solver.schedule.line import Line
from catalytic.solver.schedule.serial import serial_schedule
from catalytic.solver.units import Tick

from .oracles import least_makespan


def project(rng: Random, tasks: int) -> Compact:
    """Jobs that share two resources and know no bytes."""
    rows = tuple(
        Task(
            f"t{k}",
            Tick(rng.randint(1, 3)),
            after=tuple(f"t{j}" for j in range(k) if rng.random() < 0.25),
            demands=(("a", rng.randint(0, 3)), ("b", rng.randint(0, 3))),
        )
        for k in range(tasks)
    )
    return Compact.of(Problem("project", rows, (), resources=(("a", 3), ("b", 3), ("workers", tasks))))


def fits(compact: Compact, start: Ints, tasks: list[int]) -> bool:
    """Whether ``tasks`` at their starts never demand more than there is."""
    end = start + compact.duration
    return all(
        (
            sum((compact.demand[t] for t in tasks if start[t] <= tick < end[t]), 0 * compact.capacity)
            <= compact.capacity
        ).all()
        for tick in range(int(end.max()))
    )


@pytest.mark.parametrize("seed", range(30))
def test_no_task_could_start_earlier_and_some_order_is_optimal(seed: int) -> None:
    rng = Random(seed)
    compact = project(rng, 5)
    line, start = Line.of(compact).arrays(), np.empty(5, np.int64)
    best = 10**6
    for rank in permutations(range(5)):
        makespan = serial_schedule(np.array(rank, dtype=np.int64), line, start)
        assert makespan == (start + compact.duration).max()
        assert fits(compact, start, list(range(5)))
        best = min(best, makespan)
        for t in range(5):
            for earlier in range(int(start[t])):
                moved = start.copy()
                moved[t] = earlier
                late = any(moved[p] + compact.duration[p] > earlier for p in compact.predecessors[t])
                assert late or not fits(compact, moved, list(range(5)))
    assert best == least_makespan(compact, 1)
