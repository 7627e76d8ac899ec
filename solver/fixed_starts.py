"""Planning at fixed starts: every lifetime is given, only the addresses are open.

A timeline fixes all starts from outside; a plan that is placed again, in another workspace or around regions that a run
already uses, keeps its own. What is refused is refused for these starts: other starts may work.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from fractions import Fraction

from .budget import Budget
from .check import violations
from .errors import InputError, InvalidPlan, Mistake
from .order import Compact, peak_bounds
from .placement.partition_bounds import MOST_NAMES, Impossible
from .placement.partition_plan import extents_and_slices, question_of
from .placement.partition_question import Partitioned
from .placement.partitioned import Placed, place_partitioned
from .plan import Evidence, Objective, Outcome, Plan, Proof, Status, assemble
from .problem import Problem, Workspace
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
    """Place the buffers of ``problem`` when task ``t`` starts at ``starts[t]``, in as few bytes as the budget finds.

    ``InputError`` when the starts need more workers than there are: they cannot wait for one.
    """
    _require_freedom(problem, starts)
    allocated, capacity = int(problem.graph.allocated), int(problem.workspace.capacity)
    ceiling = capacity if target is None else min(capacity, int((1 - Fraction(str(target))) * allocated))
    compact = Compact.of(problem)
    question = question_of(compact, starts)
    placed = place_partitioned(question, budget or Budget(), minimise=True)
    return _outcome(compact, starts, question, placed, target, ceiling, (integrity, monitoring))


def place_again(
    plan: Plan,
    workspace: Workspace,
    *,
    held: Collection[str] = (),
    budget: Budget | None = None,
    minimise: bool = False,
) -> Outcome:
    """``plan`` with its starts in another ``workspace``: other partitions, another size or isolation.

    Buffers in ``held`` stay where they are, to the byte (a run under way has filled them); the others stay where they
    can. ``minimise``: rather a small footprint than few moves. ``ValueError`` when a held buffer has no region, or one
    that the new partitions would cut differently.
    """
    problem = replace(plan.problem, workspace=workspace)
    strange = sorted(set(held) - set(plan.region_of))
    if strange:
        raise ValueError(f"buffers {strange} have no region in the plan")
    places = {b: (r.extents[0].partition, int(r.extents[0].offset)) for b, r in plan.region_of.items()}
    inside = {b: place for b, place in places.items() if place[0] < workspace.partitions}
    for b in held:
        length = int(plan.region_of[b].length)
        if b not in inside or (len(plan.region_of[b].extents) > 1) != (length > workspace.partition_size):
            raise ValueError(f"buffer {b!r} cannot stay where it is: its region does not lie in the new partitions")
    starts = {t.id: t.start for t in plan.tasks}
    compact = Compact.of(problem)
    question = question_of(compact, starts, held={b: inside[b] for b in held}, preferred=inside)
    placed = place_partitioned(question, budget or Budget(), minimise=minimise)
    options = (plan.integrity, plan.monitoring)
    return _outcome(compact, starts, question, placed, None, int(workspace.capacity), options)


def _outcome(
    compact: Compact,
    starts: Mapping[str, Tick],
    question: Partitioned,
    placed: Placed,
    target: float | None,
    ceiling: int,
    options: tuple[bool, bool],
) -> Outcome:
    """A checked plan from an answer, or why there is none."""
    problem = compact.problem
    bounds = peak_bounds(compact)[0]
    plan = None
    if placed.footprint is not None:
        proof = _proof(compact, placed, target, ceiling)
        extents, slices = extents_and_slices(compact, question, placed)
        plan = assemble(problem, starts, extents, slices, proof, integrity=options[0], monitoring=options[1])
        broken = violations(plan)
        if broken:
            raise InvalidPlan([v.message for v in broken])
    if plan is not None and plan.measures.footprint <= ceiling:
        return Outcome(plan.proof.status, plan, bounds, True)
    # Which permitted buffers share bytes in place is fixed before the question is asked: then a no is none for all.
    proves = not any(t.in_place for t in problem.tasks)
    if placed.bound > ceiling and proves:
        fixed = f"the lifetimes of the timeline keep {format_size(placed.bound)} ({placed.bound} bytes) alive at once"
        if placed.evidence is not Evidence.CERTIFICATE:
            fixed = f"no placement of the timeline's lifetimes takes less than {placed.bound} bytes"
        allowed = (
            f"the workspace and the target allow {format_size(ceiling)} of "
            f"{format_size(problem.graph.allocated)} allocated"
        )
        return Outcome(Status.INFEASIBLE, None, bounds, False, f"{fixed}, {allowed}", plan)
    if placed.impossible is not None and proves:
        return Outcome(Status.INFEASIBLE, None, bounds, False, _why(compact, placed.impossible), plan)
    return Outcome(Status.UNKNOWN, plan, bounds, False, "no placement of the timeline's lifetimes was found", plan)


def _why(compact: Compact, impossible: Impossible) -> str:
    """The moment, the tasks and the buffers of a contradiction, as a sentence."""
    buffers = [compact.problem.graph.resident[b] for b in impossible.buffers]
    tasks = [compact.tasks[t] for t in impossible.tasks]

    def listed(some: list[str]) -> str:
        more = f" and {len(some) - MOST_NAMES} more" if len(some) > MOST_NAMES else ""
        return ", ".join(map(repr, some[:MOST_NAMES])) + more

    names = "; ".join(f"{kind} {listed(some)}" for kind, some in (("tasks", tasks), ("buffers", buffers)) if some)
    when = f"from {impossible.start / 1000:g} s to {impossible.end / 1000:g} s"
    return f"at these starts there is no placement: {when} {impossible.reason} ({names})"


def _require_freedom(problem: Problem, starts: Mapping[str, Tick]) -> None:
    mistakes = []
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


def _proof(compact: Compact, placed: Placed, target: float | None, ceiling: int) -> Proof:
    """The bounds hold for every order; that the lifetimes were fixed is a parameter."""
    peaks = peak_bounds(compact)[0]
    low = max((b.value for b in peaks), default=0)
    times = makespan_bounds(compact, int(compact.problem.workspace.capacity))
    allocated = int(compact.problem.graph.allocated)
    assert placed.footprint is not None
    gap = (placed.footprint - low) / placed.footprint if placed.footprint else 0.0
    if placed.footprint > ceiling:
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
        parameters={
            "lifetimes": "fixed by the timeline",
            "least_footprint": placed.bound,
            "known_by": placed.evidence.value,
        },
    )
