"""What the schedule model implies anyway, or may assume without loss: each with a switch, and why it is true.

``benchmarks/schedule.py --redundant`` shows what each earns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ortools.sat.python import cp_model

from ..arrays import Ints
from .relaxed import Relaxed


@dataclass(frozen=True, slots=True)
class Switches:
    """Which families are added."""

    energy: bool = True
    memory_time: bool = True
    twins: bool = True


DEFAULT = Switches()
NONE = Switches(energy=False, memory_time=False, twins=False)


def add(
    model: cp_model.CpModel,
    relaxed: Relaxed,
    start: Sequence[cp_model.IntVar],
    makespan: cp_model.IntVar,
    switches: Switches,
) -> None:
    """Add the families that are switched on."""
    if switches.energy:
        _add_resource_energy(model, relaxed, makespan)
    if switches.memory_time:
        _add_memory_time(model, relaxed, makespan)
    if switches.twins:
        _add_twins_in_order(model, relaxed, start)


def _add_resource_energy(model: cp_model.CpModel, r: Relaxed, makespan: cp_model.IntVar) -> None:
    """``capacity x makespan >= sum of demand x duration``: work fits under it while the plan lasts."""
    for k, capacity in enumerate(r.capacity.tolist()):
        model.add(capacity * makespan >= int(r.demand[:, k] @ r.duration))


def _add_memory_time(model: cp_model.CpModel, r: Relaxed, makespan: cp_model.IntVar) -> None:
    """``ceiling x makespan >= sum of size x shortest life``: bytes and time fill a rectangle of that height."""
    area = sum(g.size * g.least for g in r.groups)
    if area:
        model.add(makespan >= -(-area // r.ceiling))


def _add_twins_in_order(model: cp_model.CpModel, r: Relaxed, start: Sequence[cp_model.IntVar]) -> None:
    """``start[a] <= start[b]`` for twins ``a < b``.

    Twins can change places in every schedule: same duration, demands, arcs in and out, and the same groups apart from
    private ones that correspond in everything. Exchanging two that start in the other order gives a schedule of the
    same makespan, so one in this order exists.
    """
    for alike in twins(r):
        for a, b in pairwise(alike):
            model.add(start[a] <= start[b])


def twins(r: Relaxed) -> list[list[int]]:
    """Tasks of a relaxation that can change places in every schedule, ascending; only classes of two or more."""
    before: dict[int, list[tuple[int, int]]] = {}
    after: dict[int, list[tuple[int, int]]] = {}
    for a, b, lag in r.arcs:
        after.setdefault(a, []).append((b, lag))
        before.setdefault(b, []).append((a, lag))
    shared: dict[int, list[tuple[object, ...]]] = {}
    for k, g in enumerate(r.groups):
        private = len(g.users) == 1
        for t, lag in g.users:
            what = (g.size, g.least, g.kept, g.preload) if private else (k, g.writer == t, lag)
            shared.setdefault(t, []).append((private, g.writer == t, *what))
    held = dict(r.writers)
    kinds: dict[object, list[int]] = {}
    for t in range(r.tasks.size):
        key = (
            int(r.duration[t]),
            tuple(r.demand[t].tolist()),
            tuple(sorted(before.get(t, ()))),
            tuple(sorted(after.get(t, ()))),
            tuple(sorted(shared.get(t, ()), key=repr)),
            held.get(t, 0),
        )
        kinds.setdefault(key, []).append(t)
    return [alike for alike in kinds.values() if len(alike) > 1]


def in_order(r: Relaxed, start: Ints) -> Ints:
    """``start`` with the starts of twins exchanged so that they ascend: the same schedule, as the model wants it."""
    ordered = start.copy()
    for alike in twins(r):
        ordered[alike] = np.sort(start[alike])
    return ordered
