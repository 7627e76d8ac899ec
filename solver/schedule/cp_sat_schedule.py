"""CP-SAT on the schedule: least makespan with resources and a ceiling on live bytes, all partitions as one line.

The model is that of a relaxation (``relaxed.py``); the finest of them loses nothing but partitions and pools.
Partitions are relaxed to a count (at most as many writing tasks as there are partitions), so the optimum bounds every
real plan; the start order of a solution is decoded by the list scheduler, which knows partitions and pools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import gcd

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from ..budget import Budget
from ..order.cp_sat_engine import configured
from . import cp_sat_redundant as redundant
from .relaxed import Group, Relaxed

BOUND_WORKERS = 8
"""CP-SAT's bounds come from strategies that differ; with fewer workers than this some of them are never run."""


@dataclass(frozen=True, slots=True)
class Solution:
    """``start`` in grains, per task of the relaxation (None: nothing found); a proved lower ``bound`` on the makespan.

    ``bound`` is in grains. ``impossible``: there is no schedule with the makespan that was allowed.
    """

    start: Ints | None
    bound: int
    optimal: bool
    impossible: bool
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Variables:
    """Start of each task (grains), its interval, the lifetime of each group, and the end of the plan."""

    start: tuple[cp_model.IntVar, ...]
    run: tuple[cp_model.IntervalVar, ...]
    lifetime: tuple[cp_model.IntervalVar, ...]
    makespan: cp_model.IntVar


class Asked:
    """One question to CP-SAT that may be stopped from another thread."""

    def __init__(self, switches: redundant.Switches = redundant.DEFAULT) -> None:
        self._switches = switches
        self._solver: cp_model.CpSolver | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the search that runs, and any that would begin later."""
        self._stopped = True
        if self._solver is not None:
            self._solver.stop_search()

    def least_makespan(
        self,
        relaxed: Relaxed,
        upper: int,
        seconds: float,
        budget: Budget,
        *,
        lower: int = 0,
        hint: Ints | None = None,
        useless: int = -1,
        on_solution: Callable[[Ints], None] | None = None,
    ) -> Solution:
        """Search starts with a makespan in ``[lower, upper]`` grains, from ``hint``.

        The search ends at a makespan of at most ``useless``: then its bound cannot be worth more than that.
        ``on_solution`` is told the starts of each better schedule, on a thread of the solver.
        """
        model, x = build(relaxed, upper, lower, self._switches)
        if hint is not None:
            for variable, value in zip(x.start, redundant.in_order(relaxed, hint), strict=True):
                model.add_hint(variable, int(value))
        solver, how = configured(seconds, budget, least_workers=BOUND_WORKERS)
        parameters = {
            **how, "model": "schedule", "ceiling": relaxed.ceiling, "grain": relaxed.grain,
            "groups": len(relaxed.groups), "tasks": int(relaxed.tasks.size),
        }  # fmt: skip
        self._solver = solver
        if self._stopped:
            return Solution(None, lower, False, False, parameters)
        status = solver.solve(model, _Watch(x, useless, on_solution))
        self._solver = None
        if status == cp_model.MODEL_INVALID:
            raise AssertionError(f"the model is invalid: {model.validate()}")
        if status == cp_model.INFEASIBLE:
            return Solution(None, lower, False, True, parameters)
        bound = max(lower, _rounded_up(solver.best_objective_bound))
        if status == cp_model.UNKNOWN:
            return Solution(None, bound, False, False, parameters)
        start = np.array([solver.value(s) for s in x.start], dtype=np.int64)
        return Solution(start, bound, status == cp_model.OPTIMAL, False, parameters)


class _Watch(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """Passes solutions on, and ends the search at one whose makespan is at most ``useless``."""

    def __init__(self, x: Variables, useless: int, on_solution: Callable[[Ints], None] | None) -> None:
        super().__init__()
        self._x, self._useless, self._on_solution = x, useless, on_solution

    def on_solution_callback(self) -> None:
        if self._on_solution is not None:
            self._on_solution(np.array([self.value(s) for s in self._x.start], dtype=np.int64))
        if self.objective_value <= self._useless:
            self.stop_search()


def _rounded_up(bound: float) -> int:
    """A bound on an integer objective as an integer."""
    return int(np.ceil(bound - 1e-6)) if np.isfinite(bound) else 0


def build(
    relaxed: Relaxed, upper: int, lower: int = 0, switches: redundant.Switches = redundant.DEFAULT
) -> tuple[cp_model.CpModel, Variables]:
    """The model: one function per family of constraints, in no particular order."""
    model = cp_model.CpModel()
    x = _variables(model, relaxed, upper, max(lower, relaxed.least))
    _add_makespan(model, relaxed, x)
    _add_precedence(model, relaxed, x)
    _add_resources(model, relaxed, x)
    _add_live_bytes_ceiling(model, relaxed, x)
    _add_writers_at_most_partitions(model, relaxed, x)
    redundant.add(model, relaxed, x.start, x.makespan, switches)
    model.minimize(x.makespan)
    return model, x


def _variables(model: cp_model.CpModel, r: Relaxed, upper: int, lower: int) -> Variables:
    upper = max(upper, 0)
    start = tuple(
        model.new_int_var(int(head), max(int(head), upper - int(tail)), f"start[{t}]")
        for t, head, tail in zip(r.tasks, r.head, r.tail, strict=True)
    )
    run = tuple(
        model.new_fixed_size_interval_var(s, int(d), f"run[{t}]")
        for t, s, d in zip(r.tasks, start, r.duration, strict=True)
    )
    makespan = model.new_int_var(min(lower, upper), upper, "makespan")
    if lower > upper:
        model.add(makespan >= lower)
    lifetime = tuple(_lifetime(model, start, makespan, k, g, upper) for k, g in enumerate(r.groups))
    return Variables(start, run, lifetime, makespan)


def _add_makespan(model: cp_model.CpModel, r: Relaxed, x: Variables) -> None:
    """``makespan >= start[t] + tail[t]``: the longest chain from the start of ``t`` to the end of the plan."""
    for start, tail in zip(x.start, r.tail, strict=True):
        model.add(x.makespan >= start + int(tail))


def _add_precedence(model: cp_model.CpModel, r: Relaxed, x: Variables) -> None:
    """``start[b] >= start[a] + lag`` for every arc ``(a, b, lag)``."""
    for a, b, lag in r.arcs:
        model.add(x.start[b] >= x.start[a] + lag)


def _add_resources(model: cp_model.CpModel, r: Relaxed, x: Variables) -> None:
    """At no time do running tasks demand more of a resource than there is."""
    for k, capacity in enumerate(r.capacity.tolist()):
        users = [t for t in range(r.tasks.size) if r.demand[t, k] > 0 and r.duration[t] > 0]
        model.add_cumulative([x.run[t] for t in users], [int(r.demand[t, k]) for t in users], capacity)


def _add_writers_at_most_partitions(model: cp_model.CpModel, r: Relaxed, x: Variables) -> None:
    """Exclusive isolation, relaxed: running tasks that write hold at least so many partitions each."""
    writers = [(t, held) for t, held in r.writers if r.duration[t] > 0]
    if sum(held for _, held in writers) > r.partitions:
        model.add_cumulative([x.run[t] for t, _ in writers], [held for _, held in writers], r.partitions)


def _add_live_bytes_ceiling(model: cp_model.CpModel, r: Relaxed, x: Variables) -> None:
    """The groups alive at any time have at most ``ceiling`` bytes."""
    if sum(g.size for g in r.groups) > r.ceiling:
        unit = gcd(*(g.size for g in r.groups))
        model.add_cumulative(x.lifetime, [g.size // unit for g in r.groups], r.ceiling // unit)


def _lifetime(
    model: cp_model.CpModel,
    starts: tuple[cp_model.IntVar, ...],
    makespan: cp_model.IntVar,
    number: int,
    g: Group,
    upper: int,
) -> cp_model.IntervalVar:
    """From the start of the writer (lazy: no later than the first reader) to at least the end of every user.

    Inequalities suffice, because a shorter lifetime is never worse.
    """
    start: cp_model.LinearExprT
    if g.preload:
        start = 0
    elif g.writer is not None:
        start = starts[g.writer]
    else:
        start = model.new_int_var(0, upper, f"loaded[{number}]")
        for t, _ in g.users:
            model.add(start <= starts[t])
    end: cp_model.LinearExprT
    if g.kept:
        end = makespan
    elif len(g.users) == 1:
        t, lag = g.users[0]
        if g.writer == t and g.least <= lag:
            return model.new_fixed_size_interval_var(start, lag, f"lifetime[{number}]")
        end = starts[t] + lag
    else:
        end = model.new_int_var(0, upper, f"freed[{number}]")
        for t, lag in g.users:
            model.add(end >= starts[t] + lag)
    length = model.new_int_var(min(g.least, upper), upper, f"alive[{number}]")
    return model.new_interval_var(start, length, end, f"lifetime[{number}]")
