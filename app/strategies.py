"""Strategies by name, for people who do not want to think in objectives and targets.

========== ===========================================================================================================
memory     objective ``reuse``: the largest reuse factor, then the least makespan
throughput objective ``makespan`` without a target: the least makespan in the workspace
latency    as ``throughput``; then, in the plan found, the final outputs as early as its regions allow, without a
           longer plan (``solver.timing.results``)
balanced   objective ``makespan`` at a reuse factor of 0.8 where an order of the tasks reaches it; else with a target
           that leaves 5 % more bytes than the least footprint found
auto       one of these, by the character of the problem (``solver.character``), and one sentence why
========== ===========================================================================================================

``throughput``, ``latency``, ``balanced`` and ``auto`` decide about the target, so none can be given with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.check import violations
from catalytic.solver.errors import InputError, InvalidPlan, Mistake
from catalytic.solver.plan import Objective, Outcome, Plan, Status, ceiling_of, restated, target_leaving
from catalytic.solver.problem import Problem
from catalytic.solver.units import format_size

from .ready import ready
from .request import NamedStrategy, Observer, Search

if TYPE_CHECKING:
    from catalytic.solver.character import Character

BALANCED_TARGET = 0.8
"""The reuse factor that ``balanced`` asks for where it can be reached."""

BALANCED_ROOM = 1.05
"""Where it cannot: footprint that ``balanced`` allows, in least footprints found."""

SHARE_OF_LEAST_FOOTPRINT = 0.4
"""Share of the time that ``balanced`` then looks for the least footprint; the rest is for the makespan."""

SHARE_OF_CHARACTER, MOST_SECONDS_FOR_CHARACTER = 0.1, 5.0
"""What the look at the problem may take of the time limit."""

TIGHT = 0.8
"""Share of the workspace that every plan needs, from which ``auto`` puts memory first."""

RESERVE_S_PER_TASK, RESERVE_SHARE, MOST_RESERVE_SHARE = 2e-3, 0.02, 0.3
"""Seconds that ``latency`` keeps for its second step: to move results forward, put the plan together and check it."""

Ask = Callable[[Search], Outcome]
"""The planner, asked for one objective and target within one budget."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The strategy that was carried out, and the sentence that says why or what it came to."""

    strategy: NamedStrategy
    reason: str


def contradiction(strategy: NamedStrategy, objective: Objective | None, target: float | None) -> str:
    """Why these cannot be asked together; empty if they can. ``None``: not given."""
    fixed = Objective.REUSE if strategy is NamedStrategy.MEMORY else Objective.MAKESPAN
    wrong = []
    if objective is not None and (strategy is NamedStrategy.AUTO or objective is not fixed):
        decides = "chooses the objective" if strategy is NamedStrategy.AUTO else f"has the objective {fixed.value}"
        wrong.append(f"the strategy {strategy.value} {decides}, not {objective.value}")
    if target is not None and strategy is not NamedStrategy.MEMORY:
        decides = {
            NamedStrategy.BALANCED: f"asks for a reuse factor of {BALANCED_TARGET:g} or what comes near",
            NamedStrategy.AUTO: "chooses the target",
        }.get(strategy, "has no target")
        wrong.append(f"the strategy {strategy.value} {decides}, not a reuse factor of {target:g}")
    if not wrong:
        return ""
    instead = "leave out --strategy to choose both yourself (--objective, --reuse-factor), or leave out the others"
    return f"{'; '.join(wrong)}: {instead}"


def by_strategy(problem: Problem, search: Search, ask: Ask, observer: Observer | None = None) -> Outcome:
    """Carry out ``search.strategy``; the plan's proof says in its parameters which one and why.

    ``InputError`` when a target is given that the strategy does not take.
    """
    strategy = search.strategy
    assert strategy is not None
    wrong = contradiction(strategy, None, search.target)
    if wrong:
        raise InputError("strategy", [Mistake("target", f"{search.target:g}", f"none with {strategy.value}", wrong)])
    work = _Work(problem, replace(search, strategy=None, budget=ready(search.budget, observer)), ask, observer)
    outcome, choice = work.carry_out(strategy)
    return outcome if outcome.plan is None else replace(outcome, plan=work.signed(outcome.plan, strategy, choice))


@dataclass(frozen=True, slots=True)
class _Work:
    """One search by strategy: the problem, the budget for all of it, and whom to ask."""

    problem: Problem
    search: Search
    ask: Ask
    observer: Observer | None

    @property
    def budget(self) -> Budget:
        return self.search.budget

    def signed(self, plan: Plan, asked: NamedStrategy, choice: Choice) -> Plan:
        """``plan`` that states its strategy among its parameters, and the time of all searches as its effort."""
        stated = {"asked": asked.value, "chosen": choice.strategy.value, "reason": choice.reason}
        effort = plan.proof.effort
        if effort is not None:
            effort = {**effort, "seconds": round(self.budget.elapsed_s(), 3)}
        parameters = {**plan.proof.parameters, "strategy": stated}
        return replace(plan, proof=replace(plan.proof, parameters=parameters, effort=effort))

    def carry_out(self, strategy: NamedStrategy) -> tuple[Outcome, Choice]:
        match strategy:
            case NamedStrategy.MEMORY:
                return self.least_memory(), Choice(strategy, "the largest reuse factor, then the least makespan")
            case NamedStrategy.THROUGHPUT:
                return self.least_makespan(), Choice(strategy, "the least makespan in the workspace")
            case NamedStrategy.LATENCY:
                return self.early(), Choice(strategy, "the least makespan in the workspace, results moved forward")
            case NamedStrategy.BALANCED:
                return self.balanced(self.look())
            case NamedStrategy.AUTO:
                seen = self.look()
                choice = chosen(seen)
                if choice.strategy is NamedStrategy.BALANCED:
                    outcome, reached = self.balanced(seen)
                    return outcome, Choice(choice.strategy, f"{choice.reason}; {reached.reason}")
                return self.carry_out(choice.strategy)[0], choice

    def least_memory(self) -> Outcome:
        return self.ask(replace(self.search, objective=Objective.REUSE, budget=self.within(1.0)))

    def least_makespan(self, target: float | None = None, share: float = 1.0) -> Outcome:
        return self.ask(replace(self.search, objective=Objective.MAKESPAN, target=target, budget=self.within(share)))

    def within(self, share: float) -> Budget:
        """A budget of ``share`` of what is left."""
        seconds = self.budget.time_limit_s if self.budget.deterministic else self.budget.remaining_s()
        return replace(self.budget, time_limit_s=max(0.1, share * seconds), started=None)

    def look(self) -> Character:
        """The character of the problem, with the best order that a short search finds."""
        from catalytic.solver.character import character

        seconds = min(MOST_SECONDS_FOR_CHARACTER, SHARE_OF_CHARACTER * self.budget.time_limit_s)
        budget = replace(self.budget, time_limit_s=max(0.05, seconds), started=None)
        enough = ceiling_of(BALANCED_TARGET, int(self.problem.graph.allocated), int(self.problem.workspace.capacity))
        return character(self.problem, budget, enough=max(1, enough), observer=self.observer)

    def early(self) -> Outcome:
        """The least makespan, and then the final outputs of that plan as early as possible."""
        from catalytic.solver.timing import early_results

        reserve = self.reserve_s()
        outcome = self.least_makespan(share=1 - reserve / max(reserve, self.budget.time_limit_s))
        if outcome.plan is None:
            return outcome
        sure = self.budget.deterministic
        plan = early_results(outcome.plan, lambda: sure or self.budget.remaining_s() > reserve / 2)
        return replace(outcome, plan=_checked(plan), status=plan.proof.status)

    def reserve_s(self) -> float:
        limit = self.budget.time_limit_s
        return min(MOST_RESERVE_SHARE * limit, RESERVE_SHARE * limit + RESERVE_S_PER_TASK * len(self.problem.tasks))

    def balanced(self, seen: Character) -> tuple[Outcome, Choice]:
        """0.8 where an order reaches it; else a little above the least footprint that a search finds."""
        allocated, strategy = seen.allocated, NamedStrategy.BALANCED
        if not allocated:
            return self.least_makespan(), Choice(strategy, "nothing is placed in the workspace: the least makespan")
        wanted = ceiling_of(BALANCED_TARGET, allocated, seen.capacity)
        aimed = f"a reuse factor of {BALANCED_TARGET:g}"
        if seen.sequential <= wanted:
            outcome = self.least_makespan(BALANCED_TARGET)
            if outcome.target_met or outcome.best_alternative is None:
                return outcome, Choice(strategy, f"the least makespan at {aimed}, which an order of the tasks reaches")
            why = f"{aimed} was not reached by placement"
            return self.near(outcome.best_alternative, None, why)
        proved = seen.needed > wanted
        why = (
            f"{aimed} is impossible (every plan needs {format_size(seen.needed)})"
            if proved
            else f"no order that reaches {aimed} was found"
        )
        lean = self.ask(replace(self.search, objective=Objective.REUSE, budget=self.within(SHARE_OF_LEAST_FOOTPRINT)))
        if lean.plan is None:
            return lean, Choice(strategy, why)
        return self.near(lean.plan, 1.0, why)

    def near(self, lean: Plan, share: float | None, why: str) -> tuple[Outcome, Choice]:
        """The least makespan in a little more than the footprint of ``lean``, which is itself an answer.

        ``share`` of the time left for the search; None: there is no time for one.
        """
        allocated, footprint = int(lean.measures.allocated), int(lean.measures.footprint)
        target = target_leaving(int(BALANCED_ROOM * footprint), allocated)
        reason = (
            f"{why}: the least makespan at a reuse factor of {target:g}, which leaves {BALANCED_ROOM - 1:.0%} more "
            f"than the least footprint found ({format_size(footprint)})"
        )
        choice = Choice(NamedStrategy.BALANCED, reason)
        fallback = restated(lean, objective=Objective.MAKESPAN, target=target)
        if share is not None:
            found = self.least_makespan(target, share)
            if found.plan is not None and found.target_met:
                if found.plan.measures.makespan <= lean.measures.makespan:
                    return found, choice
                fallback = restated(fallback, bounds=found.bounds)
        plan = _checked(fallback)
        return Outcome(plan.proof.status, plan, plan.proof.bounds, plan.proof.status is not Status.UNKNOWN), choice


def _checked(plan: Plan) -> Plan:
    broken = violations(plan)
    if broken:
        raise InvalidPlan([v.message for v in broken])
    return plan


def chosen(seen: Character) -> Choice:
    """What ``auto`` chooses for a problem of this character, and why."""
    shape = f"{seen.tasks:,} tasks, {seen.width:,} of which could run at once"
    if not seen.allocated:
        return Choice(NamedStrategy.THROUGHPUT, f"{shape}; nothing is placed in the workspace")
    if seen.serial:
        return Choice(
            NamedStrategy.MEMORY,
            f"{shape}; no plan is faster than one task after another, so bytes are all that can be saved",
        )
    if seen.tightness >= TIGHT:
        return Choice(
            NamedStrategy.MEMORY,
            f"{shape}; every plan needs {format_size(seen.needed)}, {seen.tightness:.0%} of the workspace, so a small "
            "footprint comes first",
        )
    if seen.unhindered <= seen.capacity:
        return Choice(
            NamedStrategy.THROUGHPUT,
            f"{shape}; a schedule without regard for memory keeps {format_size(seen.unhindered)} alive, which the "
            f"workspace of {format_size(seen.capacity)} holds, so time comes first",
        )
    return Choice(
        NamedStrategy.BALANCED,
        f"{shape}; a schedule without regard for memory keeps {format_size(seen.unhindered)} alive, more than the "
        f"workspace of {format_size(seen.capacity)}, and no plan needs fewer than {format_size(seen.needed)}",
    )
