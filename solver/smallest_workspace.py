"""The smallest workspace, from both sides: a size below which none can work, and a size in which a plan was placed.

Partitions are equal and a multiple of the alignment, so useful sizes are multiples of ``partitions x alignment``. From
below: the usable bytes must hold the least peak, and at every moment the living buffers must *pack*: one that is no
larger than a partition lies in one, a larger one begins one and runs through the next. From above: one task
at a time in an order with a low peak, placed and checked; sizes are tried upwards until one works, then halved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .budget import Budget
from .check import violations
from .errors import InvalidPlan
from .order import Compact
from .placement import Placement, place
from .placement.partition_bounds import fewest_partitions
from .plan import Objective, Plan, Proof, Status, assemble
from .problem import Problem
from .schedule.search import sequential
from .units import Bytes, Tick

FIRST_GAP = 0.02
"""The second size tried is so much larger than the first; the gap doubles until a size works."""

SHARE_OF_AN_ATTEMPT = 0.25
"""Share of the time left that one size may take: a size that fails uses all it gets, and others must follow."""

SHARE_OF_A_SCHEDULE = 0.3
"""Share of an attempt that the placement of one schedule may take."""

NEAR_ENOUGH = 1.005
"""The search ends when a size that failed and the one that works differ by less."""


@dataclass(frozen=True, slots=True)
class LeastSize:
    """No workspace with as many partitions and fewer than ``size`` bytes can work.

    ``task``: while it runs, its buffers do not pack into less; None where the least peak decides.
    """

    size: Bytes
    task: str | None


def least_workspace_size(problem: Problem, least_peak: int) -> LeastSize:
    """The least size that passes every test from below; ``least_peak``: bytes that are alive at once in every plan.

    A packing at one size gives one at every larger size (pieces of large buffers only shrink in the last partition they
    reach), so a size that fails rules out the smaller ones too.
    """
    workspace = problem.workspace
    step = workspace.alignment
    units = max(1, -(-least_peak // (workspace.partitions * step)))
    failing = [t.id for t in problem.tasks if not _packs(problem, t.id, units * step)]
    if not failing:
        return LeastSize(Bytes(units * step * workspace.partitions), None)
    low, high = units, max(sum(_pieces(problem, t)) for t in failing) // step
    while high - low > 1:
        middle = (low + high) // 2
        if all(_packs(problem, t, middle * step) for t in failing):
            high = middle
        else:
            low = middle
    forced = next(t for t in failing if not _packs(problem, t, low * step))
    return LeastSize(Bytes(high * step * workspace.partitions), forced)


def _packs(problem: Problem, task: str, partition_size: int) -> bool:
    return fewest_partitions(_pieces(problem, task), partition_size) <= problem.workspace.partitions


def _pieces(problem: Problem, task: str) -> list[int]:
    """Sizes of buffers no two of which share a byte while ``task`` runs: of a pair in place, only the larger."""
    graph = problem.graph
    size = {b: int(graph.aligned_size[b]) for b in graph.working_set(task)}
    for output, source in graph.task[task].in_place:
        if output in size and source in size:
            del size[min(output, source, key=size.__getitem__)]
    return list(size.values())


def placed_sequentially(
    problem: Problem, order: Sequence[str], least: int, budget: Budget, say: Callable[[int], None] = lambda _: None
) -> Plan | None:
    """A checked plan, one task at a time near ``order``, in the smallest workspace found in the budget's time.

    Its problem is ``problem`` with another size, of at least ``least`` bytes (which must be a multiple of ``partitions
    x alignment``). None when time ran out first, or when the limits of the pools allow no size that was tried. ``say``
    is told every size that is tried. The plan carries no bounds: it shows that a size works, not that it is good.
    """
    workspace = problem.workspace
    step = workspace.alignment * workspace.partitions
    budget = budget.start()
    if budget.expired():
        return None

    def attempt(size: int, *, thorough: bool) -> Plan | None:
        say(size)
        share = replace(budget, time_limit_s=SHARE_OF_AN_ATTEMPT * budget.remaining_s(), started=None).start()
        resized = replace(problem, workspace=replace(workspace, size=Bytes(size)))
        return _in_order(resized, order, share, thorough=thorough)

    low, high = least, max(least, _every_buffer_alone(problem))
    size, gap, best = low, max(step, int(FIRST_GAP * low)), attempt(low, thorough=False)
    while best is None and size < high and not budget.expired():
        size, gap = min(high, (size + gap) // step * step + step), 2 * gap
        best = attempt(size, thorough=False)
    size = low
    while best is not None and best.problem.workspace.size > NEAR_ENOUGH * low and not budget.expired():
        better = attempt(size, thorough=True)
        if better is None:
            low = size + step
        else:
            best = better
        size = max(low, (low + best.problem.workspace.size - step) // 2 // step * step)
    return best


def _every_buffer_alone(problem: Problem) -> int:
    """A size at which one partition would hold every buffer side by side."""
    return max(int(problem.graph.allocated), problem.workspace.alignment) * problem.workspace.partitions


def _in_order(problem: Problem, order: Sequence[str], budget: Budget, *, thorough: bool) -> Plan | None:
    """The first sequential schedule along ``order`` that can be placed in the workspace of ``problem``."""
    compact = Compact.of(problem)
    number = {t: k for k, t in enumerate(compact.tasks)}
    sequence = np.array([number[t] for t in order], dtype=np.int64)
    capacity = int(problem.workspace.capacity)
    for candidate in sequential(compact, sequence, capacity):
        start, partition = candidate.schedule.start, candidate.schedule.partition
        effort = SHARE_OF_A_SCHEDULE * budget.time_limit_s if thorough else 0.0
        placement = place(compact, start, partition, budget, enough=capacity, effort_s=effort)
        if placement.fits:
            starts = dict(zip(compact.tasks, map(Tick, start.tolist()), strict=True))
            return _checked(_shrunk(problem, placement), starts, placement)
        if budget.expired():  # asked late: a slow machine is no reason to miss what the first schedule would give
            break
    return None


def _shrunk(problem: Problem, placement: Placement) -> Problem:
    """``problem`` in the smallest partitions that hold ``placement`` as it is: the same, where a buffer spans them."""
    workspace = problem.workspace
    if any(len(extents) > 1 for extents in placement.extents.values()):
        return problem
    height = max((e.end for extents in placement.extents.values() for e in extents), default=workspace.alignment)
    return replace(problem, workspace=replace(workspace, size=Bytes(height * workspace.partitions)))


def _checked(problem: Problem, starts: dict[str, Tick], placement: Placement) -> Plan:
    """The plan, after the independent checker passed it."""
    plan = assemble(problem, starts, placement.extents, placement.slices, _without_bounds(placement.footprint))
    broken = violations(plan)
    if broken:
        raise InvalidPlan([v.message for v in broken])
    return plan


def _without_bounds(footprint: int) -> Proof:
    """What a plan says of others when nothing was asked: nothing."""
    return Proof(
        objective=Objective.REUSE,
        target=None,
        status=Status.FEASIBLE if footprint else Status.OPTIMAL,
        bounds=(),
        largest_reuse_factor=None,
        least_makespan=0,
        gap=1.0 if footprint else 0.0,
    )
