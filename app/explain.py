"""Explain: why a reuse factor (or the workspace) cannot be reached, or the order that reaches it.

The answer is about sequential orders and live bytes. A no is a proof for every plan; a yes still needs a placement and
a schedule, which are the planner's matter. What would help is taken from plans that were found, never from bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.interrupts import interruptible
from catalytic.solver.plan import Outcome
from catalytic.solver.problem import Problem
from catalytic.solver.units import exact_size, format_size

from .bound import (
    PoolBound,
    Proved,
    bounds_of_pools,
    open_order,
    overfull,
    proofs,
    relative_gap,
    reuse_factor,
    search_order,
    with_peaks,
)
from .moment import Moment, forced_moment, peak_moment, working_moment
from .plan import search_plan
from .ready import ready
from .remedies import plan_command, remedies
from .request import Observer, PlanRequest, Search
from .sources import Shape, Source

if TYPE_CHECKING:
    from catalytic.solver.order.portfolio import LeastPeak
    from catalytic.solver.order.profile import Profile
    from catalytic.solver.smallest_workspace import LeastSize

SHARE_OF_ORDER = 0.7
"""Share of the time limit for orders and bounds; the rest looks for plans that do work."""

LEAST_SECONDS_FOR_PLANS, MOST_SECONDS_FOR_PLANS = 0.5, 10.0
"""An answer without a way out is worth little, even when time has run out; and a long search is `catalytic plan`'s."""


class Verdict(StrEnum):
    """POSSIBLE: an order reaches it. IMPOSSIBLE: proved for every plan. UNDECIDED: time ran out between the two."""

    POSSIBLE = "POSSIBLE"
    IMPOSSIBLE = "IMPOSSIBLE"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict and the sentence that carries it; ``forced``: the moment that proves an impossibility."""

    verdict: Verdict
    reason: str
    forced: Moment | None = None


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """One call of ``catalytic explain``. ``target`` None: the question is whether the workspace is large enough."""

    path: Path
    target: float | None = None
    shape: Shape = Shape()
    budget: Budget = Budget()


@dataclass(frozen=True, slots=True)
class Step:
    """One task of the order and the bytes alive while it runs, in all and per pool."""

    task: str
    live: int
    pools: dict[str, int]


@dataclass(frozen=True, slots=True)
class ExplainAnswer:
    """The verdict, what it rests on, and what to do next. Sizes are bytes, rounded up to the alignment.

    ``allowed``: bytes that ``target`` and the workspace leave; ``limited_by`` says which of them decides. ``reason``: a
    sentence for every verdict. ``bounds``: best first; ``lower`` the best of them. ``forced``: a moment that shows
    without a search what every order needs: the one that proves the verdict, else that of the strongest bound.
    ``order``, ``peak`` and ``peak_at``: the best order found, what it needs, and its fullest moment; None where nothing
    is resident. ``commands``: command lines to go on with.
    """

    name: str
    verdict: Verdict
    reason: str
    target: float | None
    allowed: int
    limited_by: str
    workspace_size: int
    partition_count: int
    inputs: str
    outputs: str
    tasks: int
    buffers: int
    allocated: int
    external_bytes: int
    lower: int
    evidence: str | None
    peak: int
    gap: float
    largest_reuse_factor: float | None
    order_reuse_factor: float | None
    bounds: tuple[Proved, ...]
    forced: Moment | None
    peak_at: Moment | None
    pools: tuple[PoolBound, ...]
    order: tuple[Step, ...]
    commands: tuple[str, ...]
    seconds: float
    time_limit_s: float
    notes: tuple[str, ...]


@interruptible()
def explain_problem(request: ExplainRequest, observer: Observer | None = None) -> ExplainAnswer:
    """Decide the question as far as the time limit allows, and say why."""
    from catalytic.solver.order.profile import profile
    from catalytic.solver.smallest_workspace import least_workspace_size

    source = open_order(request.path, request.shape)
    problem, graph = source.problem, source.problem.graph
    budget = ready(request.budget, observer)
    allowed, limited_by = allowance(problem, request.target)
    found = search_order(problem, budget, SHARE_OF_ORDER, observer, enough=max(1, allowed))
    along = profile(problem, found.order)
    pools = bounds_of_pools(problem, along)
    least = least_workspace_size(problem, found.lower)
    judgement = judge(problem, request.target, found, along, pools, least)
    outcome = None
    if judgement.verdict is not Verdict.POSSIBLE and not any(overfull(p) for p in pools):
        outcome = _plans(source, request, budget, observer)
    if outcome is not None and outcome.plan is not None and outcome.target_met:
        # The planner found what the search for orders missed: its tasks in order of their starts are such an order.
        along = profile(problem, [t.id for t in outcome.plan.tasks])
        pools = with_peaks(pools, along)
        judgement = judge(problem, request.target, found, along, pools, least)
    return ExplainAnswer(
        name=problem.name,
        verdict=judgement.verdict,
        reason=judgement.reason,
        target=request.target,
        allowed=allowed,
        limited_by=limited_by,
        workspace_size=problem.workspace.size,
        partition_count=problem.workspace.partitions,
        inputs=problem.policy.inputs.value,
        outputs=problem.policy.outputs.value,
        tasks=len(problem.tasks),
        buffers=len(graph.resident),
        allocated=graph.allocated,
        external_bytes=sum(graph.buffer[b].size for b in graph.external),
        lower=found.lower,
        evidence=found.evidence.value if found.evidence is not None else None,
        peak=along.peak,
        gap=relative_gap(along.peak, found.lower),
        largest_reuse_factor=reuse_factor(problem, found.lower),
        order_reuse_factor=reuse_factor(problem, along.peak),
        bounds=proofs(found),
        forced=judgement.forced,
        peak_at=peak_moment(along) if graph.resident else None,
        pools=pools,
        order=tuple(Step(t, sum(live.values()), dict(live)) for t, live in zip(along.order, along.pools, strict=True)),
        commands=_commands(problem, request, judgement.verdict, outcome),
        seconds=round(budget.elapsed_s(), 3),
        time_limit_s=budget.time_limit_s,
        notes=source.notes,
    )


def allowance(problem: Problem, target: float | None) -> tuple[int, str]:
    """Bytes that the target and the workspace leave, and which of the two decides (``reuse-factor``, ``workspace``)."""
    capacity = int(problem.workspace.capacity)
    if target is None:
        return capacity, "workspace"
    by_target = int((1 - Fraction(str(target))) * int(problem.graph.allocated))
    return (capacity, "workspace") if capacity < by_target else (by_target, "reuse-factor")


def judge(
    problem: Problem,
    target: float | None,
    found: LeastPeak,
    along: Profile,
    pools: tuple[PoolBound, ...],
    least: LeastSize,
) -> Judgement:
    """The verdict; the proofs of impossibility come first."""
    allowed, limited_by = allowance(problem, target)
    capacity = int(problem.workspace.capacity)
    if limited_by == "workspace":
        leaves = f"the workspace holds {format_size(allowed)} ({allowed} bytes)"
    else:
        leaves = f"a reuse factor of {target:g} leaves {format_size(allowed)} ({allowed} bytes) of what is allocated"
    forced = None if found.force is None else forced_moment(problem, found.force)
    if found.lower > allowed:
        needed = f"every order needs {format_size(found.lower)} ({found.lower} bytes)"
        return Judgement(Verdict.IMPOSSIBLE, f"{leaves}, but {needed}", forced)
    for pool in pools:
        if overfull(pool):
            limit = f"pool {pool.pool!r} is limited to {format_size(pool.limit or 0)}"
            needed = f"while task {pool.forced.task!r} runs it needs {format_size(pool.least)} ({pool.least} bytes)"
            reason = f"{limit}, but {needed}; give it as much in the problem file"
            return Judgement(Verdict.IMPOSSIBLE, reason, pool.forced)
    if least.task is not None and least.size > capacity:
        count, part = problem.workspace.partitions, problem.workspace.partition_size
        reason = (
            f"the buffers of task {least.task!r} do not pack into {count} partitions of {format_size(part)} each "
            f"({part} bytes); no partitions smaller than {exact_size(least.size // count)} could hold them"
        )
        return Judgement(Verdict.IMPOSSIBLE, reason, working_moment(problem, least.task))
    over = [p for p in pools if p.limit is not None and p.peak > p.limit]
    if along.peak <= allowed and not over:
        reason = f"{leaves}, and an order needs {format_size(along.peak)} ({along.peak} bytes)"
        return Judgement(Verdict.POSSIBLE, reason, forced)
    if along.peak <= allowed:
        names = ", ".join(f"{p.pool!r} ({format_size(p.peak)} of {format_size(p.limit or 0)})" for p in over)
        reason = f"no order was found that keeps every pool within its limit; above it: {names}"
        return Judgement(Verdict.UNDECIDED, reason, forced)
    reason = (
        f"{leaves}; the best order found needs {format_size(along.peak)} ({along.peak} bytes), and that every order "
        f"needs {format_size(found.lower)} ({found.lower} bytes) is all that was proved"
    )
    return Judgement(Verdict.UNDECIDED, reason, forced)


def _plans(source: Source, request: ExplainRequest, budget: Budget, observer: Observer | None) -> Outcome:
    """What the planner finds in the time left: plans that do work, near what was asked."""
    seconds = min(MOST_SECONDS_FOR_PLANS, max(LEAST_SECONDS_FOR_PLANS, budget.remaining_s()))
    short = replace(request.budget, time_limit_s=seconds, started=None)
    return search_plan(source, Search(target=request.target, budget=short), observer)


def _commands(problem: Problem, request: ExplainRequest, verdict: Verdict, outcome: Outcome | None) -> tuple[str, ...]:
    """POSSIBLE: the command that looks for the plan. Otherwise: commands that are backed by plans that were found."""
    asked = Search(target=request.target, budget=request.budget)
    plan = PlanRequest(request.path, request.shape, asked, output=None)
    if verdict is Verdict.POSSIBLE:
        return (f"{plan_command(plan, request.target)}  # place and schedule it",)
    return remedies(problem, plan, outcome) if outcome is not None else ()
