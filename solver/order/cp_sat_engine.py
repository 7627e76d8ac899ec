"""How CP-SAT is asked, in one place: limits, seed and workers of a budget, and the statuses an answer may have."""

from __future__ import annotations

from collections.abc import Mapping

from ortools.sat.python import cp_model

from ..budget import Budget


def ask(
    model: cp_model.CpModel, seconds: float, budget: Budget, *, least_workers: int = 1
) -> tuple[cp_model.CpSolver, int, Mapping[str, object]]:
    """Solve ``model``; returns the solver (for values and bounds), the status, and parameters that go into a claim.

    A deterministic budget counts work instead of seconds and uses one worker. ``least_workers``: bounds want more
    workers than cores. An invalid model is our bug and raises.
    """
    solver, parameters = configured(seconds, budget, least_workers=least_workers)
    status = solver.solve(model)
    if status == cp_model.MODEL_INVALID:
        raise AssertionError(f"the model is invalid: {model.validate()}")
    return solver, status, parameters


def configured(
    seconds: float, budget: Budget, *, least_workers: int = 1
) -> tuple[cp_model.CpSolver, Mapping[str, object]]:
    """A solver with the limits of ``ask``, not yet started, and its parameters."""
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = budget.seed
    if budget.deterministic:
        solver.parameters.num_workers = 1
        solver.parameters.max_deterministic_time = seconds
    else:
        solver.parameters.num_workers = max(least_workers, budget.workers)
        solver.parameters.max_time_in_seconds = seconds
    return solver, {
        "solver": "CP-SAT",
        "seed": budget.seed,
        "workers": solver.parameters.num_workers,
        "limit_s": round(seconds, 1),
    }
