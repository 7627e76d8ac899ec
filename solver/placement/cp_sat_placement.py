"""CP-SAT for one address line: feasibility at a height, never minimisation (which it does badly)."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from ..budget import Budget
from ..order.cp_sat_engine import ask


def offsets_within(
    birth: Ints, death: Ints, size: Ints, fixed: Ints, height: int, seconds: float, budget: Budget
) -> Ints | None:
    """Offsets below ``height`` for blocks with constant lifetimes, or None when none were found in ``seconds``."""
    sizes = [int(s) for s in size]
    unit = gcd(*sizes, *(int(f) for f in fixed if f > 0)) if sizes else 1
    model = cp_model.CpModel()
    offset = []
    for b, s in enumerate(sizes):
        low, high = (int(fixed[b]) // unit,) * 2 if fixed[b] >= 0 else (0, height // unit - s // unit)
        if high < low:
            return None
        offset.append(model.new_int_var(low, high, f"offset[{b}]"))
    _add_no_overlap_in_space_and_time(model, offset, birth, death, [s // unit for s in sizes])
    solver, status, _ = ask(model, seconds, budget)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return np.array([solver.value(o) * unit for o in offset], dtype=np.int64)


def _add_no_overlap_in_space_and_time(
    model: cp_model.CpModel, offset: Sequence[cp_model.IntVar], birth: Ints, death: Ints, size: Sequence[int]
) -> None:
    """Blocks alive at the same tick share no byte: rectangles ``lifetime x [offset, offset + size)`` do not overlap."""
    lifetime, extent = [], []
    for b, s in enumerate(size):
        born, dead = int(birth[b]), int(death[b])
        lifetime.append(model.new_fixed_size_interval_var(born, dead - born, f"lifetime[{b}]"))
        extent.append(model.new_fixed_size_interval_var(offset[b], s, f"extent[{b}]"))
    model.add_no_overlap_2d(lifetime, extent)
