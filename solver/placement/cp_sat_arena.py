"""CP-SAT for one component of an arena: is there a placement within a capacity? Never a minimisation.

It learns from failures, which the tree search does not, and is strong where that one is slow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from .arena import Arena, Component


@dataclass(frozen=True, slots=True)
class Verdict:
    """``offset``: units, when a placement was found; ``impossible``: CP-SAT says that there is none."""

    offset: Ints | None
    impossible: bool


class CapacityQuestion:
    """One question to CP-SAT, which another thread may stop."""

    def __init__(self, arena: Arena, component: Component, capacity: int) -> None:
        self.model = cp_model.CpModel()
        self.solver = cp_model.CpSolver()
        self.component = component
        self.offset: list[cp_model.LinearExprT] = []
        lifetime, extent = [], []
        for k, b in enumerate(component.buffers):
            size, step, fixed = int(component.size[k]), int(component.alignment[k]), int(component.fixed[k])
            if fixed >= 0:
                at: cp_model.LinearExprT = fixed
            else:
                at = step * self.model.new_int_var(0, (capacity - size) // step, f"offset[{b}]")
            self.offset.append(at)
            for birth, death in arena.lives(int(b)):
                lifetime.append(self.model.new_fixed_size_interval_var(birth, death - birth, f"lifetime[{b},{birth}]"))
                extent.append(self.model.new_fixed_size_interval_var(at, size, f"extent[{b},{birth}]"))
        # Buffers alive together share no byte: rectangles lifetime x [offset, offset + size) do not overlap.
        self.model.add_no_overlap_2d(lifetime, extent)

    def ask(self, seconds: float, *, seed: int, workers: int) -> Verdict:
        """What CP-SAT answers within ``seconds``; neither when it does not know, or was stopped."""
        self.solver.parameters.max_time_in_seconds = seconds
        self.solver.parameters.random_seed = seed
        self.solver.parameters.num_workers = workers
        status = self.solver.solve(self.model)
        if status == cp_model.MODEL_INVALID:
            raise AssertionError(f"the model is invalid: {self.model.validate()}")
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Verdict(np.array([self.solver.value(at) for at in self.offset], dtype=np.int64), impossible=False)
        return Verdict(None, impossible=status == cp_model.INFEASIBLE)

    def stop(self) -> None:
        """End ``ask`` soon, from another thread."""
        self.solver.stop_search()
