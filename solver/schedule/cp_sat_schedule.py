"""CP-SAT on the schedule: least makespan with resources and a ceiling on live bytes, all partitions as one line.

Partitions are relaxed to a count (at most as many writing tasks as there are partitions), so the optimum bounds every
real plan; the start order of a solution is decoded by the list scheduler, which knows partitions and pools.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from ortools.sat.python import cp_model

from ..budget import Budget
from ..order import Compact
from ..order.compact import Ints


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
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = budget.seed
    solver.parameters.num_workers = 1 if budget.deterministic else max(4, budget.workers)
    if budget.deterministic:
        solver.parameters.max_deterministic_time = seconds
    else:
        solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    parameters = {
        "solver": "CP-SAT",
        "model": "schedule",
        "ceiling": ceiling,
        "seed": budget.seed,
        "workers": solver.parameters.num_workers,
        "limit_s": round(seconds, 1),
    }
    if status == cp_model.MODEL_INVALID:
        raise AssertionError(f"the schedule model is invalid: {model.validate()}")
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
    users: list[list[int]] = [[] for _ in compact.blocks]
    writer: dict[int, int] = {}
    for t in range(compact.task_count):
        for b in compact.touches[t]:
            users[int(b)].append(t)
        for b in compact.births[t]:
            writer[int(b)] = t
    together: dict[tuple[int | None, tuple[int, ...], bool, bool], int] = defaultdict(int)
    for b in range(len(compact.blocks)):
        key = (writer.get(b), tuple(users[b]), bool(compact.kept[b]), bool(compact.preload[b]))
        together[key] += int(compact.size[b])
    if sum(together.values()) <= ceiling:
        return
    unit = gcd(*together.values())
    intervals, demands = [], []
    for number, ((born, used, kept, preload), size) in enumerate(together.items()):
        intervals.append(_lifetime(model, compact, x, number, born, used, kept, preload, upper))
        demands.append(size // unit)
    model.add_cumulative(intervals, demands, ceiling // unit)


def _lifetime(
    model: cp_model.CpModel,
    compact: Compact,
    x: Variables,
    number: int,
    born: int | None,
    used: Sequence[int],
    kept: bool,
    preload: bool,
    upper: int,
) -> cp_model.IntervalVar:
    start: cp_model.LinearExprT
    if preload:
        start = 0
    elif born is not None:
        start = x.start[born]
    else:
        start = model.new_int_var(0, upper, f"loaded[{number}]")
        for t in used:
            model.add(start <= x.start[t])
    if not kept and born is not None and list(used) == [born]:
        return x.run[born]
    end: cp_model.LinearExprT
    if kept:
        end = x.makespan
    elif len(used) == 1:
        end = x.start[used[0]] + int(compact.duration[used[0]])
    else:
        end = model.new_int_var(0, upper, f"freed[{number}]")
        for t in used:
            model.add(end >= x.start[t] + int(compact.duration[t]))
    length = model.new_int_var(1, upper, f"alive[{number}]")
    return model.new_interval_var(start, length, end, f"lifetime[{number}]")
