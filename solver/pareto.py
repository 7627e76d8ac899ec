"""The frontier of footprint against makespan, by the epsilon-constraint method.

::

    makespan
      ^  o                      o   found: checked plans, none better in both
      |  |___                       proved: no plan with so small a footprint is faster
      |      |   o
      |  ____|___|_______ o
      +--------------------------> footprint

First the two ends: the largest reuse factor, and the least makespan in the workspace. Then one search after another for
the least makespan below a *ceiling* on the footprint, in the middle of what is unknown between two neighbours, where
that is largest: as wide as the ceilings that nobody has asked about, as high as a plan there could be faster. (Going by
the height alone would halve one tall, narrow gap again and again.) When no such middle is left, plans whose makespan is
furthest from its bound are searched for again. Each search has the same part of the time that is left; what early ends
leave over goes to further ones.

Knowledge carries over in both directions: a plan found below a low ceiling is an answer below every higher one, and a
bound on the makespan below a high ceiling holds below every lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from .budget import Budget, Progress
from .check import proof_violations, violations
from .errors import InvalidPlan
from .order import Compact
from .plan import Bound, Objective, Outcome, Plan, Status, ceiling_of, restated, target_leaving
from .problem import Problem
from .schedule import makespan_bounds
from .solve import solve
from .units import format_size
from .warm_up import warm_up

LEAST_POINTS = 2
"""The two ends."""

LEAST_SECONDS, LEAST_SHARE = 0.2, 0.25
"""With less time left no further search begins, nor one beyond those planned with less than this share of a part: it
could only come back with what is known."""

SECONDS_PER_TASK = 4e-3
"""A search with less time per task often finds no plan at all: large problems get fewer searches instead."""

COST_OF_A_POINT, MOST_RESERVED = 1.2, 0.4
"""Time kept for each point, in times that one check of a plan takes, and the most of the time limit for all of them."""

MOST_SEARCHES_PER_POINT = 4
"""Searches that end early leave time for others; there is an end to that too."""

NEAR = 0.005
"""Two ceilings that differ by less than this share of the range are one: plans between them tell nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One search: its objective and ceiling (bytes), how it ended, and the plan it gave as (footprint, makespan)."""

    objective: Objective
    ceiling: int
    status: Status
    found: tuple[int, int] | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """No plan with a footprint of at most ``ceiling`` bytes is faster than ``bound`` says (ticks)."""

    ceiling: int
    bound: Bound


@dataclass(frozen=True, slots=True)
class Point:
    """A checked plan that no other plan found beats in both; its proof is about plans with no larger footprint.

    ``bound``: the best on the makespan of such plans (None: none is known); ``proved``: no such plan is faster.
    """

    plan: Plan
    bound: Bound | None
    proved: bool

    @property
    def footprint(self) -> int:
        return int(self.plan.measures.footprint)

    @property
    def makespan(self) -> int:
        return int(self.plan.measures.makespan)


@dataclass(frozen=True, slots=True)
class Frontier:
    """``points`` by footprint, the least first; ``floor``: what is proved, by ceiling, the lowest first.

    ``least_footprint``: the best bound on the bytes of every plan. Without points ``outcome`` says why: it is that of
    the search for the largest reuse factor.
    """

    points: tuple[Point, ...]
    floor: tuple[Step, ...]
    least_footprint: Bound | None
    probes: tuple[Probe, ...]
    outcome: Outcome


def frontier(
    problem: Problem,
    *,
    points: int = 6,
    budget: Budget | None = None,
    integrity: bool = True,
    monitoring: bool = False,
    observer: Callable[[Progress], None] | None = None,
) -> Frontier:
    """At most ``points`` plans (at least 2, the ends) from one time limit; fewer where no others are found.

    The answer comes within the budget's time limit plus a second, like one of ``solve``.
    """
    if points < LEAST_POINTS:
        raise ValueError(f"a frontier has at least {LEAST_POINTS} points, found {points}")
    tell = observer or (lambda _: None)
    budget = (budget or Budget()).start()
    budget = budget.postponed(warm_up(lambda message: tell(Progress("compile", None, message))))
    return _Search(problem, points, budget, integrity, monitoring, tell).run()


class _Search:
    """State of one frontier: the plans found, and what is known of the makespan below which ceiling."""

    def __init__(
        self,
        problem: Problem,
        points: int,
        budget: Budget,
        integrity: bool,
        monitoring: bool,
        tell: Callable[[Progress], None],
    ) -> None:
        self.problem, self.left, self.budget = problem, _searches(problem, points, budget), budget
        self.integrity, self.monitoring, self.tell = integrity, monitoring, tell
        self.most = points
        self.allocated = int(problem.graph.allocated)
        self.capacity = int(problem.workspace.capacity)
        self.unit = int(problem.workspace.alignment)
        self.plans: list[Plan] = []
        self.steps: list[Step] = []
        self.bytes: dict[tuple[str, str], Bound] = {}
        self.probes: list[Probe] = []
        self.reserve_s = 0.0
        self.overrun_s = 0.0

    # -- the story ---------------------------------------------------------------------------------------------

    def run(self) -> Frontier:
        first = self.ask(Objective.REUSE, None)
        if not self.plans:
            return Frontier((), (), self.least_footprint(), tuple(self.probes), first)
        self.keep_time_for_the_end()
        if self.goes_on():
            self.ask(Objective.MAKESPAN, None)
        while self.goes_on():
            ceiling = self.next_ceiling()
            if ceiling is None:
                break
            self.ask(Objective.MAKESPAN, ceiling)
        self.bound_the_leanest()
        chosen = self.undominated()
        return Frontier(
            points=tuple(self.point(plan) for plan in chosen),
            floor=staircase(self.steps),
            least_footprint=self.least_footprint(),
            probes=tuple(self.probes),
            outcome=first,
        )

    def keep_time_for_the_end(self) -> None:
        """Every point is stated anew, checked and written: the more edges a plan has, the longer that takes."""
        before = self.budget.elapsed_s()
        violations(self.plans[0])
        each = COST_OF_A_POINT * (self.budget.elapsed_s() - before)
        self.reserve_s = min(self.most * each, MOST_RESERVED * self.budget.time_limit_s)

    def remaining_s(self) -> float:
        return max(0.0, self.budget.remaining_s() - self.reserve_s)

    def goes_on(self) -> bool:
        """Whether another search may begin: those that were planned, and in time that they left over some more."""
        if self.budget.deterministic:
            return self.left > 0
        if self.left > 0:
            return self.remaining_s() >= LEAST_SECONDS
        enough = max(LEAST_SECONDS, LEAST_SHARE * self.budget.time_limit_s / self.most)
        return len(self.probes) < MOST_SEARCHES_PER_POINT * self.most and self.remaining_s() >= enough

    def next_ceiling(self) -> int | None:
        """Where to search next; None when there is nothing left to find or to prove."""
        ceiling = self.widest_gap() if len(self.undominated()) < self.most else None
        return self.least_proved() if ceiling is None else ceiling

    def widest_gap(self) -> int | None:
        """The ceiling in the middle of the largest unknown rectangle; None where none is worth a search.

        Below a neighbour to the right everything up to the highest ceiling searched is done: what was not found there
        is looked for above it. Where the bound says that nothing in between is faster, there is nothing to look for.
        """
        found = self.undominated()
        near = max(self.unit, int(NEAR * (found[-1].measures.footprint - found[0].measures.footprint)))
        best: tuple[int, int] | None = None
        for slow, fast in pairwise(found):
            right = int(fast.measures.footprint)
            low = max([int(slow.measures.footprint), *(p.ceiling for p in self.probes if p.ceiling < right)])
            middle = (low + right) // 2
            if middle - low < near or right - middle < near:
                continue
            gain = int(slow.measures.makespan) - max(int(fast.measures.makespan), self.bound_below(middle))
            if gain > 0 and (best is None or gain * (right - low) > best[0]):
                best = (gain * (right - low), middle)
        return None if best is None else best[1]

    def least_proved(self) -> int | None:
        """The footprint of the plan that is furthest from its bound and was not searched for at that ceiling."""
        searched = {p.ceiling for p in self.probes if p.objective is Objective.MAKESPAN}
        gaps = [
            ((int(m.makespan) - self.bound_below(int(m.footprint))) / m.makespan, -int(m.footprint))
            for m in (plan.measures for plan in self.undominated())
            if m.makespan and int(m.footprint) not in searched
        ]
        gap, footprint = max(gaps, default=(0.0, 0))
        return -footprint if gap > 0 else None

    # -- one search --------------------------------------------------------------------------------------------

    def ask(self, objective: Objective, ceiling: int | None) -> Outcome:
        """Ask the planner for plans below ``ceiling`` bytes (None: the workspace) and keep what it says."""
        target = None if ceiling is None or not self.allocated else self.target_of(ceiling)
        if target is not None:
            ceiling = ceiling_of(target, self.allocated, self.capacity)
        where = "the workspace" if target is None else format_size(ceiling or 0)
        number = len(self.probes) + 1
        self.say(f"search {number}: {objective.value} within {where}")
        budget = self.share()
        outcome = solve(
            self.problem,
            objective=objective,
            target=target,
            budget=budget,
            integrity=self.integrity,
            monitoring=self.monitoring,
            observer=lambda news: self.say(f"search {number}: {news.message}"),
        )
        self.left -= 1
        self.overrun_s = max(self.overrun_s, -budget.time_limit_s + budget.elapsed_s())
        below = self.capacity if ceiling is None else ceiling
        self.learn(outcome, below, objective)
        return outcome

    def target_of(self, ceiling: int) -> float:
        """A target that people can read, if no plan lies between the ceiling and what it leaves; else an exact one."""
        footprints = {int(p.measures.footprint) for p in self.plans}
        target = target_leaving(ceiling, self.allocated)
        beyond = range(ceiling, ceiling_of(target, self.allocated, self.capacity) + 1)
        if any(f in beyond for f in footprints):
            return target_leaving(ceiling, self.allocated, Fraction(0))
        return target

    def share(self) -> Budget:
        """An equal part of the time that is left, less what a search took beyond its own; of counted work, of all."""
        if self.budget.deterministic:
            seconds = self.budget.time_limit_s / self.most
        else:
            part = self.remaining_s() / max(1, self.left)
            seconds = max(part - self.overrun_s, part / 2)
        return replace(self.budget, time_limit_s=max(seconds, 0.01), started=None).start()

    def learn(self, outcome: Outcome, below: int, objective: Objective) -> None:
        """Keep plan and bounds; the bounds on the makespan hold below the ceiling that was asked."""
        plan = outcome.plan if outcome.plan is not None else outcome.best_alternative
        if plan is not None and plan.problem.workspace != self.problem.workspace:
            plan = None  # a plan for another workspace, offered as a way out
        if plan is not None:
            self.plans.append(plan)
        for b in outcome.bounds:
            if b.quantity == "makespan":
                self.steps.append(Step(below, b))
            else:
                known = self.bytes.get((b.quantity, b.method))
                if known is None or b.value > known.value:
                    self.bytes[b.quantity, b.method] = b
        found = None if plan is None else (int(plan.measures.footprint), int(plan.measures.makespan))
        effort = None if plan is None or plan.proof.effort is None else plan.proof.effort.get("seconds")
        seconds = float(effort) if isinstance(effort, (int, float)) else None
        self.probes.append(Probe(objective, below, outcome.status, found, seconds))

    def bound_the_leanest(self) -> None:
        """What needs no search to be known of plans with the least footprint found: few searches ask about it."""
        lean = min(int(p.measures.footprint) for p in self.plans)
        if lean and not any(s.ceiling == lean for s in self.steps):
            self.steps += [Step(lean, b) for b in makespan_bounds(Compact.of(self.problem), lean)]

    def say(self, message: str) -> None:
        limit = self.budget.time_limit_s
        self.tell(Progress("frontier", min(1.0, self.budget.elapsed_s() / limit) if limit > 0 else 1.0, message))

    # -- what is known -----------------------------------------------------------------------------------------

    def undominated(self) -> list[Plan]:
        """Plans that no other one equals or beats in both measures, the least footprint first."""
        best: list[Plan] = []
        for plan in sorted(self.plans, key=lambda p: (p.measures.footprint, p.measures.makespan)):
            if not best or plan.measures.makespan < best[-1].measures.makespan:
                best.append(plan)
        return best

    def bounds_below(self, footprint: int) -> list[Bound]:
        """Bounds on the makespan of every plan with at most ``footprint`` bytes."""
        return [s.bound for s in self.steps if s.ceiling >= footprint]

    def bound_below(self, footprint: int) -> int:
        return max((b.value for b in self.bounds_below(footprint)), default=0)

    def least_footprint(self) -> Bound | None:
        return max(self.bytes.values(), key=lambda b: b.value, default=None)

    def point(self, plan: Plan) -> Point:
        """``plan`` as the answer to the question it answers best: the least makespan in no more bytes than it has."""
        m = plan.measures
        bounds = (*self.bytes.values(), *self.bounds_below(int(m.footprint)))
        bare = replace(plan, proof=replace(plan.proof, bounds=()))
        plan = restated(bare, objective=Objective.MAKESPAN, target=m.reuse_factor, bounds=bounds)
        broken = proof_violations(plan)
        if broken:
            raise InvalidPlan([v.message for v in broken])
        bound = plan.proof.bound("makespan")
        return Point(plan, bound, bound is not None and bound.value >= m.makespan)


def _searches(problem: Problem, points: int, budget: Budget) -> int:
    """How many searches are planned: one per point, fewer where each would be too short, but both ends in any case."""
    worthwhile = int(budget.time_limit_s / (SECONDS_PER_TASK * max(1, len(problem.tasks))))
    return points if budget.deterministic else max(LEAST_POINTS, min(points, worthwhile))


def staircase(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that say something no other one implies: the lowest ceiling, which has the largest bound, first."""
    best: list[Step] = []
    for step in sorted(steps, key=lambda s: (-s.ceiling, -s.bound.value, s.bound.method)):
        if not best or step.bound.value > best[-1].bound.value:
            best.append(step)
    return tuple(reversed(best))


def floor_at(floor: Sequence[Step], footprint: int) -> Bound | None:
    """The bound of a staircase on the makespan of plans with at most ``footprint`` bytes."""
    return max((s.bound for s in floor if s.ceiling >= footprint), key=lambda b: b.value, default=None)
