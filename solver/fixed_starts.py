"""Planning at fixed starts (a timeline): every lifetime is given, only the addresses are open.

The makespan is what the timeline says and no order can be searched, so what remains is where each buffer lives. No
placement of fixed lifetimes uses less than the sum, over the pools, of the most bytes alive at once: pool slices are
fixed and disjoint. A target above that is proved out of reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from .budget import Budget
from .check import violations
from .errors import InputError, InvalidPlan, Mistake
from .order import Compact, peak_bounds
from .order.compact import Ints
from .placement import Placement, place
from .plan import Objective, Outcome, Proof, Status, assemble, lifetimes
from .problem import Isolation, Problem
from .schedule import makespan_bounds
from .units import Tick, format_size


def solve_fixed_starts(
    problem: Problem,
    starts: Mapping[str, Tick],
    *,
    target: float | None = None,
    budget: Budget | None = None,
    integrity: bool = True,
    monitoring: bool = False,
) -> Outcome:
    """Place the buffers of ``problem`` when task ``t`` starts at ``starts[t]``.

    ``InputError`` when the shape of the problem contradicts fixed starts: they cannot wait for a partition or worker.
    """
    _require_freedom(problem, starts)
    compact = Compact.of(problem)
    least = _least_footprint(compact, starts)
    allocated, capacity = int(problem.graph.allocated), int(problem.workspace.capacity)
    bounds = peak_bounds(compact)[0]
    ceiling = capacity if target is None else min(capacity, int((1 - Fraction(str(target))) * allocated))
    placement = _placed(compact, starts, (budget or Budget()).start(), least)
    plan = None
    if placement is not None:
        proof = _proof(compact, starts, placement, target, ceiling)
        plan = assemble(
            problem, starts, placement.extents, placement.slices, proof, integrity=integrity, monitoring=monitoring
        )
        broken = violations(plan)
        if broken:
            raise InvalidPlan([v.message for v in broken])
    if plan is not None and plan.measures.footprint <= ceiling:
        return Outcome(plan.proof.status, plan, bounds, True)
    if least > ceiling:
        fixed = f"the lifetimes of the timeline keep {format_size(least)} ({least} bytes) alive at once"
        allowed = f"the workspace and the target allow {format_size(ceiling)} of {format_size(allocated)} allocated"
        return Outcome(Status.INFEASIBLE, None, bounds, False, f"{fixed}, {allowed}", plan)
    return Outcome(Status.UNKNOWN, plan, bounds, False, "no placement of the timeline's lifetimes was found", plan)


def _require_freedom(problem: Problem, starts: Mapping[str, Tick]) -> None:
    mistakes = []
    workspace = problem.workspace
    if workspace.isolation is Isolation.EXCLUSIVE and workspace.partitions > 1:
        mistakes.append(
            Mistake("isolation", "exclusive", "shared: tasks with fixed starts cannot wait for a partition")
        )
    changes = sorted(change for t in problem.tasks for change in ((starts[t.id] + t.duration, -1), (starts[t.id], 1)))
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    workers = problem.capacity_of("workers")
    if workers < most:
        mistakes.append(Mistake("workers", str(workers), f"at least {most}: the timeline runs that many tasks at once"))
    if mistakes:
        raise InputError(problem.name, mistakes)


def _intervals(compact: Compact, starts: Mapping[str, Tick]) -> tuple[Ints, Ints, int]:
    """First and last+1 index of each block on the axis of all births and deaths, and the length of that axis."""
    lives = lifetimes(compact.problem, starts)
    births = np.array([min(lives[b].birth for b in members) for members in compact.blocks], dtype=np.int64)
    deaths = np.array([max(lives[b].death for b in members) for members in compact.blocks], dtype=np.int64)
    axis = np.unique(np.concatenate([births, deaths]))
    return np.searchsorted(axis, births), np.searchsorted(axis, deaths), len(axis)


def _least_footprint(compact: Compact, starts: Mapping[str, Tick]) -> int:
    """Sum over pools of the most bytes alive at once: what no placement of these lifetimes undercuts."""
    first, last, length = _intervals(compact, starts)
    live = np.zeros((max(1, len(compact.pools)), length), dtype=np.int64)
    for block, pool in enumerate(compact.pool):
        live[pool, first[block] : last[block]] += compact.size[block]
    return int(live.max(axis=1, initial=0).sum())


def _partitions(compact: Compact, starts: Mapping[str, Tick]) -> Ints | None:
    """First partition of each block: where the peak of its pool grows least, the first of equals; large blocks first.

    Keeping a pool together wastes nothing, so a second partition is used when the first is full. A block that spans
    partitions is counted as filling them: two of them must not share one while both live. None when one finds no room.
    """
    workspace = compact.problem.workspace
    part_size, count = int(workspace.partition_size), workspace.partitions
    first, last, length = _intervals(compact, starts)
    live = np.zeros((len(compact.pools), count, length), dtype=np.int64)
    peak = np.zeros((len(compact.pools), count), dtype=np.int64)
    chosen = np.zeros(len(compact.blocks), dtype=np.int64)
    for block in sorted(range(len(compact.blocks)), key=lambda b: (-int(compact.size[b]), b)):
        pool, size = int(compact.pool[block]), int(compact.size[block])
        span = slice(int(first[block]), int(last[block]))
        spread = -(-size // part_size)
        piece = size if spread == 1 else part_size
        best: tuple[int, int] | None = None
        for p in range(count - spread + 1):
            held = slice(p, p + spread)
            growth = np.maximum(live[pool, held, span].max(axis=1) + piece - peak[pool, held], 0)
            if bool((peak[:, held].sum(axis=0) + growth <= part_size).all()):
                best = min(best or (int(growth.sum()), p), (int(growth.sum()), p))
        if best is None:
            return None
        chosen[block] = best[1]
        held = slice(best[1], best[1] + spread)
        live[pool, held, span] += piece
        peak[pool, held] = live[pool, held].max(axis=1)
    return chosen


def _placed(compact: Compact, starts: Mapping[str, Tick], budget: Budget, least: int) -> Placement | None:
    """The placement with the smallest footprint that was found; None when the blocks find no room."""
    partitions = _partitions(compact, starts)
    if partitions is None:
        return None
    moments = np.array([starts[t] for t in compact.tasks], dtype=np.int64)
    placement = place(compact, moments, partitions, budget, enough=least, tries=200, cp_sat_s=budget.remaining_s() / 2)
    return placement if placement.fits else None


def _proof(
    compact: Compact, starts: Mapping[str, Tick], placement: Placement, target: float | None, ceiling: int
) -> Proof:
    """The bounds hold for every order; that the lifetimes were fixed is a parameter."""
    peaks = peak_bounds(compact)[0]
    low = max((b.value for b in peaks), default=0)
    times = makespan_bounds(compact, int(compact.problem.workspace.capacity))
    allocated = int(compact.problem.graph.allocated)
    gap = (placement.footprint - low) / placement.footprint if placement.footprint else 0.0
    if placement.footprint > ceiling:
        status = Status.INFEASIBLE if low > ceiling else Status.UNKNOWN
    else:
        status = Status.OPTIMAL if gap == 0 else Status.FEASIBLE
    return Proof(
        objective=Objective.REUSE,
        target=target,
        status=status,
        bounds=(*peaks, *times),
        largest_reuse_factor=1 - low / allocated if allocated else None,
        least_makespan=max((b.value for b in times), default=0),
        gap=gap,
        parameters={"lifetimes": "fixed by the timeline", "least_footprint": _least_footprint(compact, starts)},
    )
