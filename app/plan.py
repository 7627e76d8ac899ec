"""Plan: find a plan for a problem, prove bounds on every other plan, and write the plan file.

A target that is missed but not disproved raises ``NothingFound`` (the best plan is written only on request); one that
is out of reach raises ``ProvedInfeasible`` with the reason and with command lines that do work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from catalytic.solver.errors import CatalyticError, NothingFound, ProvedInfeasible, Refused, StorageError
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Outcome, Plan, Status

from .files import relative_folder, write_whole
from .remedies import explanation, remedies
from .request import Observer, PlanRequest, Search
from .sources import Source, read_source
from .strategies import by_strategy
from .summary import PlanSummary, summarise
from .views.headline import headline


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """A plan in figures, the file it was written to, and what the reader of the problem assumed."""

    summary: PlanSummary
    file: Path | None
    notes: tuple[str, ...]


def make_plan(request: PlanRequest, observer: Observer | None = None) -> PlanAnswer:
    """Plan the problem in ``request.path`` and write the plan file.

    Raises ``ProvedInfeasible``, or ``NothingFound`` when time ran out before the target was met; with
    ``best_effort`` a plan that misses the target is written and returned (``summary.target_met`` is false).
    """
    source = read_source(request.path, request.shape)
    if request.output is not None:
        _require_room_for(request.output, source, request.path)
    plan = find_plan(source, request, observer)
    if request.output is not None:
        write_plan(plan, request.output, base=source.base)
    return PlanAnswer(summarise(plan), request.output, source.notes)


def _require_room_for(output: Path, source: Source, path: Path) -> None:
    """Say now, not after a minute of planning, that the plan file cannot be written or would destroy the problem."""
    if not output.absolute().parent.is_dir():
        raise StorageError(f"{output}: could not be written: there is no folder {output.parent}")
    if output.exists() and output.samefile(path) and source.kind != "plan":
        raise Refused(f"{output} is the problem itself; name another file with -o")


def find_plan(source: Source, request: PlanRequest, observer: Observer | None = None) -> Plan:
    """The best plan for ``source``, or the error that says why there is none (good enough)."""
    outcome = search_plan(source, request.search, observer)
    if outcome.plan is not None and (outcome.target_met or request.search.best_effort):
        return outcome.plan
    raise refusal(outcome, source, request)


def refusal(outcome: Outcome, source: Source, request: PlanRequest) -> CatalyticError:
    """The error that says why there is no plan (good enough), and what would help."""
    if outcome.status is Status.INFEASIBLE:
        return ProvedInfeasible(
            explanation(source.problem, request.search.target, outcome), remedies(source.problem, request, outcome)
        )
    return NothingFound(_shortfall(outcome, source, request))


def search_plan(source: Source, search: Search, observer: Observer | None = None) -> Outcome:
    """Ask the planner, by strategy if one is named; a timeline, whose order is given, only for addresses."""
    # Here and not above: the planner loads a solver engine, which no other use case of this package needs.
    if source.starts is not None:
        from catalytic.solver.fixed_starts import solve_fixed_starts

        return solve_fixed_starts(
            source.problem,
            source.starts,
            target=search.target,
            budget=search.budget.start(),
            integrity=search.integrity,
            monitoring=search.monitoring,
        )
    from catalytic.solver.solve import solve

    def ask(search: Search) -> Outcome:
        return solve(
            source.problem,
            objective=search.objective,
            target=search.target,
            budget=search.budget.start(),
            integrity=search.integrity,
            monitoring=search.monitoring,
            observer=observer,
        )

    return ask(search) if search.strategy is None else by_strategy(source.problem, search, ask, observer)


def write_plan(plan: Plan, path: Path, *, base: Path) -> None:
    """Write the plan file; ``base`` is the problem's folder."""
    write_whole(path, dump_plan(plan, base=relative_folder(base, seen_from=path.parent)))


def _shortfall(outcome: Outcome, source: Source, request: PlanRequest) -> str:
    """Why there is no plan to write, when nothing was proved impossible."""
    limit = f"the time limit of {request.search.budget.time_limit_s:g} s"
    if outcome.plan is None:
        reason = outcome.reason or f"no plan was found within {limit}"
        tries = "".join(f"\n  try: {command}" for command in remedies(source.problem, request, outcome))
        return f"{reason}; none was proved impossible. Allow more with --time-limit.{tries}"
    summary = summarise(replace(outcome.plan, proof=replace(outcome.plan.proof, target=request.search.target)))
    return (
        f"{headline(summary)}\n  The target was neither met nor disproved within {limit}. Allow more with "
        "--time-limit, or write the best plan with --best-effort."
    )
