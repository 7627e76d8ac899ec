"""CP-SAT on the schedule: least makespan with resources and a ceiling on live bytes, all partitions as one line.

Partitions are relaxed to a count (at most as many writing tasks as there are partitions), so the optimum bounds every
real plan; the start order of a solution is decoded by the list scheduler, which knows partitions and pools.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from ..budget import Budget
from ..order import Compact
from ..order.compact import Alike
from ..order.cp_sat_engine import ask


@dataclass(frozen=True, slots=True)
class Solution:
    """``start`` in ticks (None: nothing found), a proved lower ``bound`` on the makespan, and how it was asked."""

    start: Ints | None
    bound: int
    optimal: bool
    impossible: bool
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Variables:
    """Start of each task (ticks), its interval, and the end of the plan."""

    start: list[cp_model.IntVar]
    run: list[cp_model.IntervalVar]
    makespan: cp_model.IntVar


def least_makespan(
    compact: Compact, ceiling: int, hint: Ints | None, lower: int, upper: int, seconds: float, budget: Budget
) -> Solution:
    """Search starts with makespan in ``[lower, upper]`` and at most ``ceiling`` bytes alive, from ``hint``."""
    model = cp_model.CpModel()
    x = _variables(model, compact, lower, upper)
    _add_precedence(model, compact, x)
    _add_resources(model, compact, x)
    _add_live_bytes_ceiling(model, compact, x, ceiling, upper)
    _add_writers_at_most_partitions(model, compact, x)
    model.minimize(x.makespan)
    if hint is not None:
        for t, value in enumerate(hint):
            model.add_hint(x.start[t], int(value))
    solver, status, how = ask(model, seconds, budget, least_workers=4)
    parameters = {**how, "model": "schedule", "ceiling": ceiling}
    if status == cp_model.INFEASIBLE:
        return Solution(None, lower, False, True, parameters)
    bound = max(lower, int(np.ceil(solver.best_objective_bound - 1e-6)))
    if status == cp_model.UNKNOWN:
        return Solution(None, bound, False, False, parameters)
    start = np.array([solver.value(s) for s in x.start], dtype=np.int64)
    return Solution(start, bound, status == cp_model.OPTIMAL, False, parameters)


def _variables(model: cp_model.CpModel, compact: Compact, lower: int, upper: int) -> Variables:
    start, run = [], []
    for t, name in enumerate(compact.tasks):
        duration = int(compact.duration[t])
        start.append(model.new_int_var(0, max(0, upper - duration), f"start[{name}]"))
        run.append(model.new_fixed_size_interval_var(start[t], duration, f"run[{name}]"))
    makespan = model.new_int_var(lower, upper, "makespan")
    for t in range(compact.task_count):
        model.add(makespan >= start[t] + int(compact.duration[t]))
    return Variables(start, run, makespan)


def _add_precedence(model: cp_model.CpModel, compact: Compact, x: Variables) -> None:
    """``start[p] + duration[p] <= start[t]`` for every predecessor ``p`` of ``t``."""
    for t in range(compact.task_count):
        for p in compact.predecessors[t]:
            model.add(x.start[int(p)] + int(compact.duration[p]) <= x.start[t])


def _add_resources(model: cp_model.CpModel, compact: Compact, x: Variables) -> None:
    """At no time do running tasks demand more of a resource than there is."""
    for r in range(compact.capacity.size):
        users = [t for t in range(compact.task_count) if compact.demand[t, r] > 0]
        demands = [int(compact.demand[t, r]) for t in users]
        if sum(demands) > int(compact.capacity[r]):
            model.add_cumulative([x.run[t] for t in users], demands, int(compact.capacity[r]))


def _add_writers_at_most_partitions(model: cp_model.CpModel, compact: Compact, x: Variables) -> None:
    """Exclusive isolation, relaxed: running tasks that write hold at least one partition each."""
    workspace = compact.problem.workspace
    if workspace.isolation.value != "exclusive":
        return
    writers, demands = [], []
    for t in range(compact.task_count):
        sizes = [int(compact.size[b]) for b in (*compact.births[t], *compact.over[t])]
        if sizes:
            writers.append(x.run[t])
            demands.append(max(1, -(-max(sizes) // int(workspace.partition_size))))
    if sum(demands) > workspace.partitions:
        model.add_cumulative(writers, demands, workspace.partitions)


def _add_live_bytes_ceiling(model: cp_model.CpModel, compact: Compact, x: Variables, ceiling: int, upper: int) -> None:
    """The blocks alive at any tick have at most ``ceiling`` bytes.

    A block lives from the start of its writer (lazy: no later than its first reader) to at least the end of every
    user; inequalities suffice, because a shorter lifetime is never worse. Blocks with the same writer and users share
    one interval.
    """
    alike = compact.alike()
    if sum(a.size for a in alike) <= ceiling:
        return
    unit = gcd(*(a.size for a in alike))
    lifetimes = [_lifetime(model, compact, x, number, a, upper) for number, a in enumerate(alike)]
    model.add_cumulative(lifetimes, [a.size // unit for a in alike], ceiling // unit)


def _lifetime(
    model: cp_model.CpModel, compact: Compact, x: Variables, number: int, a: Alike, upper: int
) -> cp_model.IntervalVar:
    start: cp_model.LinearExprT
    if a.preload:
        start = 0
    elif a.writer is not None:
        start = x.start[a.writer]
    else:
        start = model.new_int_var(0, upper, f"loaded[{number}]")
        for t in a.users:
            model.add(start <= x.start[t])
    if not a.kept and a.users == (a.writer,):
        return x.run[a.users[0]]
    end: cp_model.LinearExprT
    if a.kept:
        end = x.makespan
    elif len(a.users) == 1:
        end = x.start[a.users[0]] + int(compact.duration[a.users[0]])
    else:
        end = model.new_int_var(0, upper, f"freed[{number}]")
        for t in a.users:
            model.add(end >= x.start[t] + int(compact.duration[t]))
    length = model.new_int_var(1, upper, f"alive[{number}]")
    return model.new_interval_var(start, length, end, f"lifetime[{number}]")
