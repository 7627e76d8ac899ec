"""Bound: the least peak of live bytes of any order, what it allows at best, and the smallest workspace that can work.

No plan is written. The order problem is far smaller than planning, so its answer is known where a plan is still being
looked for; and a no is a proof for every number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.budget import Progress as News
from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.interrupts import interruptible
from catalytic.solver.plan import Evidence, Plan
from catalytic.solver.problem import Problem
from catalytic.solver.units import align_up, format_size

from .moment import Moment, forced_moment
from .ready import ready
from .request import Observer
from .sources import Shape, Source, read_source

if TYPE_CHECKING:
    from catalytic.solver.order.portfolio import LeastPeak
    from catalytic.solver.order.profile import Profile
    from catalytic.solver.smallest_workspace import LeastSize

SHARE_OF_ORDER = 0.7
"""Share of the time limit for orders and bounds; the rest places a plan in the smallest workspace."""


LEAST_SECONDS_TO_PLACE = 0.3
"""What one placement gets even when the time has run out: an order alone says little about a workspace."""


@dataclass(frozen=True, slots=True)
class BoundRequest:
    """One call of ``catalytic bound``."""

    path: Path
    shape: Shape = Shape()
    budget: Budget = Budget()


@dataclass(frozen=True, slots=True)
class Proved:
    """One bound: no order needs fewer bytes than ``value``. ``witness`` is what shows it, or who says so."""

    quantity: str
    value: int
    method: str
    evidence: str
    witness: dict[str, object]


@dataclass(frozen=True, slots=True)
class PoolBound:
    """One pool by itself: ``least`` bytes in every order (``forced`` says when), ``peak`` in the order found.

    Both are the pool's own; over several pools the peaks of one order add up, the least values are not always
    attained together. ``limit`` None: the planner sizes the pool.
    """

    pool: str
    buffers: int
    allocated: int
    least: int
    forced: Moment
    peak: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class SmallestWorkspace:
    """No workspace with ``partitions`` partitions and below ``least`` bytes can work; a plan was placed in ``placed``.

    ``least_task``: its buffers do not pack into less (None: the least peak decides). ``placed`` None: no size was
    found in the time left, or no size would help because a pool's limit is too small.
    """

    partitions: int
    alignment: int
    least: int
    least_task: str | None
    placed: int | None


@dataclass(frozen=True, slots=True)
class BoundAnswer:
    """What every plan without recomputation or spilling needs. Sizes are bytes, rounded up to the alignment.

    ``peak``: of the best order found, whose fullest step is ``peak_task``; ``lower``: no order has less; ``proved``:
    they meet. ``evidence`` None: nothing
    is resident, so nothing had to be proved. ``largest_reuse_factor`` = 1 - lower / allocated: no plan exceeds it;
    ``order_reuse_factor`` = 1 - peak / allocated: what a plan along the order would have if placement wasted nothing.
    """

    name: str
    inputs: str
    outputs: str
    tasks: int
    buffers: int
    allocated: int
    external_bytes: int
    peak: int
    peak_task: str | None
    lower: int
    gap: float
    proved: bool
    evidence: str | None
    largest_reuse_factor: float | None
    order_reuse_factor: float | None
    bounds: tuple[Proved, ...]
    forced: Moment | None
    pools: tuple[PoolBound, ...]
    workspaces: tuple[SmallestWorkspace, ...]
    seconds: float
    time_limit_s: float
    notes: tuple[str, ...]


@interruptible()
def bound_problem(request: BoundRequest, observer: Observer | None = None) -> BoundAnswer:
    """Search orders and bounds, then place a sequential plan in the smallest workspace; within the time limit."""
    from catalytic.solver.order.profile import profile
    from catalytic.solver.smallest_workspace import least_workspace_size

    source = open_order(request.path, request.shape)
    problem = source.problem
    budget = ready(request.budget, observer)
    found = search_order(problem, budget, SHARE_OF_ORDER, observer)
    along = profile(problem, found.order)
    pools = bounds_of_pools(problem, along)
    workspaces = []
    for count, share in _partition_counts(problem):
        asked = Shape(partitions=count).applied_to(problem)
        least = least_workspace_size(asked, found.lower)
        plan = None
        if not any(overfull(p) for p in pools):
            seconds = max(LEAST_SECONDS_TO_PLACE, share * budget.remaining_s())
            until = replace(budget, time_limit_s=budget.elapsed_s() + seconds)
            plan = _placed(asked, along, least.size, until, observer)
        workspaces.append(_smallest(asked, least, plan))
        if plan is not None:
            # One task at a time, yet not always in our order: the plan's own may turn out to need less.
            along = min(along, profile(problem, [t.id for t in plan.tasks]), key=lambda p: p.peak)
    graph = problem.graph
    return BoundAnswer(
        name=problem.name,
        inputs=problem.policy.inputs.value,
        outputs=problem.policy.outputs.value,
        tasks=len(problem.tasks),
        buffers=len(graph.resident),
        allocated=graph.allocated,
        external_bytes=sum(graph.buffer[b].size for b in graph.external),
        peak=along.peak,
        peak_task=along.order[along.peak_step()] if graph.resident else None,
        lower=found.lower,
        gap=relative_gap(along.peak, found.lower),
        proved=along.peak <= found.lower,
        evidence=found.evidence.value if found.evidence is not None else None,
        largest_reuse_factor=reuse_factor(problem, found.lower),
        order_reuse_factor=reuse_factor(problem, along.peak),
        bounds=proofs(found),
        forced=None if found.force is None else forced_moment(problem, found.force),
        pools=with_peaks(pools, along),
        workspaces=tuple(workspaces),
        seconds=round(budget.elapsed_s(), 3),
        time_limit_s=budget.time_limit_s,
        notes=source.notes,
    )


def _partition_counts(problem: Problem) -> list[tuple[int, float]]:
    """Numbers of partitions to ask for, and the share of the time left that each may take.

    One partition beside the problem's own number: nothing is lost at the ends of partitions, so no number needs less.
    """
    own = problem.workspace.partitions
    return [(own, 1.0)] if own == 1 else [(own, 0.6), (1, 1.0)]


def _placed(problem: Problem, along: Profile, least: int, budget: Budget, observer: Observer | None) -> Plan | None:
    """A sequential plan in a small workspace; along an order none is smaller than the order's peak."""
    from catalytic.solver.smallest_workspace import placed_sequentially

    def tried(size: int) -> None:
        if observer is not None:
            spent = min(1.0, budget.elapsed_s() / budget.time_limit_s)
            observer(News("workspace", spent, f"placing a plan in {format_size(size)}"))

    whole = problem.workspace.partitions * problem.workspace.alignment
    return placed_sequentially(problem, along.order, max(least, align_up(along.peak, whole)), budget, tried)


def _smallest(problem: Problem, least: LeastSize, plan: Plan | None) -> SmallestWorkspace:
    return SmallestWorkspace(
        partitions=problem.workspace.partitions,
        alignment=problem.workspace.alignment,
        least=least.size,
        least_task=least.task,
        placed=None if plan is None else plan.problem.workspace.size,
    )


def open_order(path: Path, shape: Shape) -> Source:
    """The problem in ``path``, whose order must be open; ``InputError`` for a timeline."""
    source = read_source(path, shape)
    if source.starts is not None:
        found = "a timeline, in which every lifetime is fixed"
        hint = "its bytes only have to be placed, which `catalytic plan` does, with a bound"
        raise InputError(str(path), [Mistake("allocation_timeline", found, "a problem whose order is open", hint)])
    return source


def search_order(
    problem: Problem, budget: Budget, share: float, observer: Observer | None, *, enough: int = 0
) -> LeastPeak:
    """The best order and bound in ``share`` of the time limit."""
    from catalytic.solver.order.portfolio import least_peak

    return least_peak(
        problem, replace(budget, time_limit_s=share * budget.time_limit_s), enough=enough, observer=observer
    )


def bounds_of_pools(problem: Problem, along: Profile) -> tuple[PoolBound, ...]:
    """Every pool by itself, in canonical order."""
    from catalytic.solver.order.bounds import forces_by_cut

    graph = problem.graph
    forces = forces_by_cut(problem, along.order)
    rows = []
    for p in graph.pools:
        members = [b for b in graph.resident if graph.pool_of[b] == p.id]
        force = forces[p.id]
        allocated = sum(graph.aligned_size[b] for b in members)
        forced = forced_moment(problem, force)
        rows.append(PoolBound(p.id, len(members), allocated, force.bytes, forced, along.pool_peaks[p.id], p.size))
    return tuple(rows)


def with_peaks(pools: tuple[PoolBound, ...], along: Profile) -> tuple[PoolBound, ...]:
    """``pools`` with their peaks in another order."""
    return tuple(replace(p, peak=along.pool_peaks[p.pool]) for p in pools)


def overfull(pool: PoolBound) -> bool:
    """Whether no order keeps the pool within its limit."""
    return pool.limit is not None and pool.least > pool.limit


def proofs(found: LeastPeak) -> tuple[Proved, ...]:
    """Every bound as it is reported: the best first, and of equal ones the best known."""
    grades = list(Evidence)
    best_first = sorted(found.bounds, key=lambda b: (-b.value, grades.index(b.evidence)))
    return tuple(Proved(b.quantity, b.value, b.method, b.evidence.value, dict(b.witness)) for b in best_first)


def reuse_factor(problem: Problem, peak: int) -> float | None:
    """1 - peak / allocated; None when nothing is allocated."""
    allocated = problem.graph.allocated
    return (allocated - peak) / allocated if allocated else None


def relative_gap(peak: int, lower: int) -> float:
    """(peak - lower) / peak: the share of the peak that a better order might still save."""
    return (peak - lower) / peak if peak else 0.0
