"""When and where at once: the exact model of small problems on one address line.

The schedule model knows how many bytes are alive, not where they lie; a schedule that it calls optimal may have no
placement as low, and a placement may miss the ceiling for a schedule that another one of the same makespan would not.
Here every block is a rectangle whose both sides are decided together: lifetime x extent. That is far too much for large
problems, and closes the gap of small ones: a plan as fast as the optimum of this model is the fastest there is.

Blocks are not merged as in the schedule model: two that live together need not lie together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from ..budget import Budget
from ..order import Compact
from ..order.cp_sat_engine import ask
from . import cp_sat_redundant as redundant
from .cp_sat_schedule import BOUND_WORKERS, Variables, build
from .relaxed import Chains, Relaxed, relax

MOST_TASKS, MOST_BLOCKS = 16, 40
"""Beyond either, the model has too many pairs of rectangles to be decided in the seconds it gets."""


@dataclass(frozen=True, slots=True)
class Placed:
    """``start`` per task (ticks), ``offset`` per block (bytes), None when nothing was found; and a bound."""

    start: Ints | None
    offset: Ints | None
    bound: int
    optimal: bool
    parameters: Mapping[str, object]


def least_makespan_placed(
    compact: Compact, ceiling: int, upper: int, lower: int, seconds: float, budget: Budget, hint: Ints | None = None
) -> Placed:
    """Least makespan in ``[lower, upper]`` ticks of a plan whose blocks lie below ``ceiling``, from starts ``hint``."""
    grain = int(np.gcd.reduce(compact.duration)) or 1
    relaxed = relax(compact, Chains(compact), ceiling, grain, 0, compact.alone())
    model, x = build(relaxed, upper // grain, -(-lower // grain), redundant.NONE)  # twins may lie in different places
    unit = int(np.gcd.reduce(compact.size)) or 1
    offset = [
        model.new_int_var(0, max(0, (ceiling - g.size) // unit), f"offset[{b}]") for b, g in enumerate(relaxed.groups)
    ]
    _add_no_overlap_in_space_and_time(model, relaxed, x, offset, unit)
    if hint is not None:
        for variable, value in zip(x.start, hint[relaxed.tasks] // grain, strict=True):
            model.add_hint(variable, int(value))
    solver, status, how = ask(model, seconds, budget, least_workers=BOUND_WORKERS)
    parameters = {**how, "model": "schedule and placement", "ceiling": ceiling}
    if status in (cp_model.INFEASIBLE, cp_model.UNKNOWN):
        return Placed(None, None, lower, False, parameters)
    start = np.zeros(compact.task_count, np.int64)
    start[relaxed.tasks] = np.array([solver.value(s) for s in x.start], dtype=np.int64) * grain
    where = np.array([solver.value(o) * unit for o in offset], dtype=np.int64)
    bound = max(lower, int(np.ceil(solver.best_objective_bound - 1e-6)) * grain)
    return Placed(start, where, bound, status == cp_model.OPTIMAL, parameters)


def _add_no_overlap_in_space_and_time(
    model: cp_model.CpModel, relaxed: Relaxed, x: Variables, offset: list[cp_model.IntVar], unit: int
) -> None:
    """Blocks alive at the same tick share no byte."""
    extent = [
        model.new_fixed_size_interval_var(o, g.size // unit, f"extent[{b}]")
        for b, (o, g) in enumerate(zip(offset, relaxed.groups, strict=True))
    ]
    model.add_no_overlap_2d(x.lifetime, extent)
