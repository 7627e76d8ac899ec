"""Place again: a plan with the starts it has in another workspace, most of its regions where they were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.budget import Budget
from catalytic.solver.errors import InputError, Mistake, NothingFound, ProvedInfeasible, Refused, StorageError
from catalytic.solver.plan import Outcome, Plan, Status

from .buffer_tables import LOOPS_OF_ARENAS
from .placing import STDOUT
from .plan import write_plan
from .ready import ready
from .request import Observer
from .sources import Shape, read_source
from .summary import PlanSummary, summarise


@dataclass(frozen=True, slots=True)
class AgainRequest:
    """One call of ``catalytic place`` for a plan. ``held``: buffers that stay; ``output`` None: nothing is written.

    ``minimise``: rather few bytes than few moves.
    """

    path: Path
    shape: Shape
    held: tuple[str, ...] = ()
    budget: Budget = Budget()
    output: Path | None = None
    minimise: bool = False


@dataclass(frozen=True, slots=True)
class AgainAnswer:
    """The new plan in figures, how many of its regions stayed where they were, and the file it was written to."""

    summary: PlanSummary
    regions: int
    stayed: int
    file: Path | None


def place_plan_again(request: AgainRequest, observer: Observer | None = None) -> AgainAnswer:
    """Place the regions of the plan in ``request.path`` again and write the new plan.

    Raises ``ProvedInfeasible`` with the moment, the tasks and the buffers, or ``NothingFound`` when time ran out.
    """
    _require_file(request.output)
    source = read_source(request.path)
    if source.loaded is None:
        hint = "--size, --partitions, --isolation and --held are about plans"
        raise InputError(str(request.path), [Mistake("format", source.kind, "a plan", hint)])
    old = source.loaded.plan
    outcome = _place(old, request, ready(request.budget, observer, LOOPS_OF_ARENAS))
    new = outcome.plan
    if new is None or not outcome.target_met:
        other = "\n  These are the starts of the plan; `catalytic plan` may find others."
        reason = (outcome.reason or "there is no placement").replace("the timeline", "the plan")
        if outcome.status is Status.INFEASIBLE:
            raise ProvedInfeasible(reason + other)
        limit = f"within {request.budget.time_limit_s:g} s"
        raise NothingFound(f"{reason} {limit}; none was proved impossible. Allow more with --time-limit.{other}")
    stayed = sum(region.extents == old.region_of[buffer].extents for buffer, region in new.region_of.items())
    if request.output is not None:
        write_plan(new, request.output, base=source.base)
    return AgainAnswer(summarise(new), len(new.regions), stayed, request.output)


def _require_file(output: Path | None) -> None:
    """Say now, not after a minute of placing, that the plan file cannot be written."""
    if output == STDOUT:
        raise Refused("a plan is written to a file; name one with -o")
    if output is not None and not output.absolute().parent.is_dir():
        raise StorageError(f"{output}: could not be written: there is no folder {output.parent}")


def _place(plan: Plan, request: AgainRequest, budget: Budget) -> Outcome:
    # Here and not above: it loads a solver engine.
    from catalytic.solver.fixed_starts import place_again

    workspace = request.shape.applied_to(plan.problem).workspace
    try:
        return place_again(plan, workspace, held=request.held, budget=budget, minimise=request.minimise)
    except ValueError as error:
        if not request.held:
            raise
        found, allowed = ", ".join(request.held), "buffers with a region that the new partitions leave as it is"
        raise InputError(str(request.path), [Mistake("--held", found, allowed, str(error))]) from error
