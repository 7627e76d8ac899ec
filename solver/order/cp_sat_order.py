"""CP-SAT on the order problem itself: unit durations, one worker, a ceiling on live bytes.

By the sequential-equivalence theorem a schedule of any width whose peak is at most M exists only if this model has a
solution at M. Asked for feasibility at a ceiling (never for the minimum), it either returns an order or proves that no
plan without recomputation stays below; both answers are useful.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from ..budget import Budget
from .compact import Compact
from .cp_sat_engine import ask


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Answer at one ceiling: ``order`` when one was found; ``impossible`` when proved; neither when time ran out."""

    order: Ints | None
    impossible: bool
    parameters: Mapping[str, object]


def order_below(compact: Compact, ceiling: int, seconds: float, budget: Budget) -> Ceiling:
    """Look for a sequential order with at most ``ceiling`` bytes alive at any step, for ``seconds``."""
    model = cp_model.CpModel()
    n = compact.task_count
    position = [model.new_int_var(0, n - 1, f"position[{t}]") for t in range(n)]
    _add_precedence(model, compact, position)
    model.add_all_different(position)
    _add_live_bytes_ceiling(model, compact, position, ceiling)
    solver, status, how = ask(model, seconds, budget, least_workers=2)
    parameters = {**how, "model": "unit-duration order", "ceiling": ceiling}
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        order = np.array(sorted(range(n), key=lambda t: solver.value(position[t])), dtype=np.int64)
        return Ceiling(order, False, parameters)
    return Ceiling(None, status == cp_model.INFEASIBLE, parameters)


def _add_precedence(model: cp_model.CpModel, compact: Compact, position: list[cp_model.IntVar]) -> None:
    """``position[p] < position[t]`` for every predecessor ``p`` of ``t``."""
    for t in range(compact.task_count):
        for p in compact.predecessors[t]:
            model.add(position[int(p)] < position[t])


def _add_live_bytes_ceiling(
    model: cp_model.CpModel, compact: Compact, position: list[cp_model.IntVar], ceiling: int
) -> None:
    """Sum of the sizes of the blocks alive at each position is at most ``ceiling``.

    A block lives ``[position[writer], max position[user] + 1)``. Blocks with the same writer and users share one
    interval. A lazy block's first use is the least position of its readers.
    """
    n = compact.task_count
    alike = compact.alike()
    unit = gcd(*(a.size for a in alike)) or 1
    intervals, demands = [], []
    for number, a in enumerate(alike):
        start: cp_model.LinearExprT
        if a.preload:
            start = 0
        elif a.writer is not None:
            start = position[a.writer]
        else:
            start = model.new_int_var(0, n - 1, f"loaded[{number}]")
            model.add_min_equality(start, [position[t] for t in a.users])
        end: cp_model.LinearExprT
        if a.kept:
            end = n
        elif len(a.users) == 1:
            end = position[a.users[0]] + 1
        else:
            end = model.new_int_var(1, n, f"freed[{number}]")
            model.add_max_equality(end, [position[t] + 1 for t in a.users])
        length = model.new_int_var(1, n, f"alive[{number}]")
        intervals.append(model.new_interval_var(start, length, end, f"lifetime[{number}]"))
        demands.append(a.size // unit)
    model.add_cumulative(intervals, demands, ceiling // unit)
