"""From a problem to a checked plan and a proof: the pipeline, told from top to bottom.

1. Bounds that need no search; a target or workspace below them is refused at once.
2. An order with a low peak and the proof of what no order can beat: the sequential plan everything starts from.
3. Schedules under the ceiling (list scheduling, local search, CP-SAT), each placed as soon as it is better.
4. Feedback: when a placement misses the ceiling by fragmentation, the schedule's own ceiling is lowered.
5. The independent checker. No plan leaves without it.

Everything is anytime: the best placed plan so far is kept, and the clock is asked between steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from math import gcd

import numpy as np

from .arrays import Ints
from .budget import Budget, Progress
from .check import violations
from .errors import InvalidPlan
from .interrupts import interruptible
from .order import Compact, Force, LeastPeak, forces_of_pools, least_peak, peak_bounds
from .order.diverse import orders_below
from .order.live import Live
from .placement import Placement, place, placed_at
from .plan import Bound, Evidence, Objective, Outcome, Plan, Proof, Status, assemble
from .problem import Pool, Problem
from .schedule import MakespanBounds
from .schedule.cp_sat_joint import MOST_BLOCKS, MOST_TASKS, least_makespan_placed
from .schedule.ladder import Ladder
from .schedule.search import Candidate, ScheduleSearch, sequential
from .smallest_workspace import least_workspace_size
from .units import Bytes, Tick, format_size
from .warm_up import warm_up

MANY_REGIONS = 3000
"""Tasks and blocks beyond which a plan takes so long to assemble that the time is measured, not guessed."""

ASSEMBLY_FACTOR = 1.8
"""Of the time to assemble and check a sequential plan: parallel ones have more edges, and are written to a file."""

SEARCH_SHARE = 0.95
"""Of the time before assembly, when the search for schedules ends; the rest places what was not placed yet."""

PLACING_SHARE = 0.03
"""Of the time limit, for placing one schedule that first fit leaves too high."""

LADDER_SHARE = 0.5
"""Of the time of one thread, for the ladder; afterwards the thread anneals."""

FIRST_CEILINGS = (1.0, 0.85, 0.7)
"""Of the ceiling, what the very first schedules may reserve, in turns."""

FIRST_SHARE = 0.1
"""Of the time limit, after which no further turn begins."""

FIRST_LEAST_S = 0.2
"""The same where the limit is short, even beyond it: a parallel plan late is better than a sequential one in time."""

LATE_S = 0.5
"""How long any plan at all may be looked for by first fit beyond the limit, also where starting took all of it."""

FIRST_CEILING = 0.97
"""Of the ceiling, what schedules on one address line may reserve at first: placements nearly always need more."""

JOINT_SHARE = 0.3
"""Of the time, for schedule and placement together, where the problem is small enough."""

MISSES = 4
"""Placements in a row that miss the ceiling before schedules in partitions, which lose little, must reserve less."""

COUNTED_ROUNDS = 5
"""A deterministic search is interrupted so many times for placing what it found."""

MOST_HEADROOM = 0.3
"""Largest share of the partitions that schedules leave to fragmentation."""


def solve(
    problem: Problem,
    *,
    objective: Objective = Objective.MAKESPAN,
    target: float | None = None,
    budget: Budget | None = None,
    integrity: bool = True,
    monitoring: bool = False,
    observer: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Plan ``problem``.

    ``reuse``: largest reuse factor, then least makespan. ``makespan``: least makespan whose reuse factor is at least
    ``target`` (None: whatever fits the workspace). The answer comes within the budget's time limit plus a second;
    compilation of loops at first use is announced and not counted.
    """
    tell = observer or (lambda _: None)
    budget = (budget or Budget()).start()
    budget = budget.postponed(warm_up(lambda message: tell(Progress("compile", None, message))))
    with interruptible():
        return _Pipeline(problem, objective, target, budget, integrity, monitoring, tell).run()


@dataclass(frozen=True, slots=True)
class _Found:
    """A placed schedule."""

    candidate: Candidate
    placement: Placement

    @property
    def makespan(self) -> int:
        return self.candidate.schedule.makespan

    @property
    def footprint(self) -> int:
        return self.placement.footprint


class _Pipeline:
    """State of one solve: bounds so far, best placed schedules so far."""

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        target: float | None,
        budget: Budget,
        integrity: bool,
        monitoring: bool,
        tell: Callable[[Progress], None],
    ) -> None:
        self.problem, self.objective, self.target, self.budget = problem, objective, target, budget
        self.integrity, self.monitoring, self.tell = integrity, monitoring, tell
        self.compact = Compact.of(problem)
        self.allocated = int(problem.graph.allocated)
        self.unit = gcd(*(int(s) for s in self.compact.size)) or 1
        self.peaks, self.force = peak_bounds(self.compact)
        self.makespans: tuple[Bound, ...] = ()
        self.fastest: _Found | None = None
        self.leanest: _Found | None = None
        self.evaluations = 0
        self.misses = 0
        self.tried: dict[int, Candidate] = {}
        # Assembling and checking a plan is part of the budget: about half a millisecond per task and block (for large
        # problems it is measured).
        things = self.compact.task_count + self.compact.size.size
        self.limit = budget.time_limit_s - min(0.3 * budget.time_limit_s, 5e-4 * things)

    @cached_property
    def relaxations(self) -> MakespanBounds:
        return MakespanBounds(self.compact)

    # -- the story ---------------------------------------------------------------------------------------------

    def run(self) -> Outcome:
        wanted = self.wanted_ceiling()
        ceiling = wanted if self.objective is Objective.MAKESPAN else int(self.problem.workspace.capacity)
        if self.least_peak() > min(ceiling, wanted):
            return self.infeasible(min(ceiling, wanted))
        overfull = self.overfull_pool()
        if overfull:
            return Outcome(Status.INFEASIBLE, None, self.bounds(), False, overfull, self.enlarged())
        unpacked = self.unpackable()
        if unpacked:
            return Outcome(Status.INFEASIBLE, None, self.bounds(), False, unpacked, self.enlarged())
        if self.objective is Objective.REUSE:
            self.tell_least_peak()
        self.say("order", "searching an order with a low peak")
        order = self.order(min(ceiling, wanted))
        if self.least_peak() > min(ceiling, wanted):
            return self.infeasible(min(ceiling, wanted))
        self.makespans = self.relaxations.under(ceiling)
        self.first(order, ceiling)
        if self.objective is Objective.REUSE:
            self.say("placement", "looking for the smallest footprint")
            self.lean(order, ceiling)
            if self.leanest is None:
                return self.nothing()
            self.fastest = self.leanest
            ceiling = max(self.leanest.footprint, 1)
            self.makespans = self.relaxations.under(ceiling)
        self.say("schedule", "searching schedules under the ceiling")
        self.fast(order, ceiling)
        return self.outcome(ceiling, wanted)

    def overfull_pool(self) -> str:
        """Why some pool's size limit cannot hold, or the empty text."""
        limits = {p.id: p.size for p in self.problem.graph.pools if p.size is not None}
        if limits:
            for pool, force in forces_of_pools(self.compact).items():
                if pool in limits and force.bytes > limits[pool]:
                    return f"pool {pool!r} is limited to {format_size(limits[pool])}, but {force.sentence()}"
        return ""

    def unpackable(self) -> str:
        """Why the buffers of some task do not go into the partitions side by side, or the empty text."""
        least = least_workspace_size(self.problem, self.least_peak())
        workspace = self.problem.workspace
        if least.task is None or least.size <= workspace.capacity:
            return ""
        return (
            f"the buffers of task {least.task!r} do not pack into {workspace.partitions} partitions of "
            f"{format_size(workspace.partition_size)} ({workspace.partition_size} bytes); none below "
            f"{format_size(least.size)} ({least.size} bytes) in all can work"
        )

    def wanted_ceiling(self) -> int:
        """Largest footprint that meets the target and the workspace."""
        capacity = int(self.problem.workspace.capacity)
        if self.target is None:
            return capacity
        return min(capacity, int((1 - Fraction(str(self.target))) * self.allocated))

    def least_peak(self) -> int:
        """The best proved lower bound on the peak of live bytes, hence on the footprint."""
        return max((b.value for b in self.peaks), default=0)

    def order(self, ceiling: int) -> Ints:
        """A low-peak order, as task indices. What is proved on the way joins the bounds."""
        share = 0.3 if self.objective is Objective.REUSE else 0.04
        found = self.ask_order(share)
        if found.peak > ceiling >= self.least_peak():
            found = self.ask_order(0.35, enough=ceiling)
        number = {t: i for i, t in enumerate(self.compact.tasks)}
        return np.array([number[t] for t in found.order], dtype=np.int64)

    def ask_order(self, share: float, enough: int = 0) -> LeastPeak:
        """The order problem, for ``share`` of the time limit; ``enough``: a ceiling that need not be undercut."""
        seconds = share * self.budget.time_limit_s
        if not self.budget.deterministic:
            seconds = min(seconds, self.budget.remaining_s() - 0.2)
        budget = replace(self.budget, time_limit_s=max(seconds, 0.01), started=None)
        found = least_peak(
            self.problem, budget, enough=enough, observer=lambda news: self.say(news.phase, news.message)
        )
        self.learn(found.bounds, found.force)
        return found

    def learn(self, bounds: Iterable[Bound], force: Force | None) -> None:
        """Keep the best bound of each kind, best first, and the moment that forces most."""
        best = {(b.quantity, b.method): b for b in sorted((*self.peaks, *bounds), key=lambda b: b.value)}
        before, self.peaks = self.least_peak(), tuple(sorted(best.values(), key=lambda b: -b.value))
        if self.objective is Objective.REUSE and self.least_peak() > before:
            self.tell_least_peak()
        if force is not None and (self.force is None or force.bytes > self.force.bytes):
            self.force = force

    def tell_least_peak(self) -> None:
        low = self.least_peak()
        self.say("bound", f"no plan needs less than {format_size(low)}", bound=low)

    def claimable(self) -> bool:
        """Whether CP-SAT's models relax every plan: they fix who shares bytes in place, which other plans need not."""
        return not any(t.in_place for t in self.problem.tasks)

    def first(self, order: Ints, ceiling: int) -> None:
        """Some plan at once: the first sequential schedule whose quick placement fits the workspace."""
        late = max(self.budget.time_limit_s, self.budget.elapsed_s()) + LATE_S
        for effort, until in ((0.0, late), (0.01, self.limit)):
            for candidate in sequential(self.compact, order, ceiling):
                found = self.try_place(candidate, ceiling, effort=effort)
                if found is not None:
                    self.time_assembly(found, ceiling)
                if found is not None or self.past(until):
                    return

    def time_assembly(self, found: _Found, ceiling: int) -> None:
        """Find out how long assembling, checking and writing a large plan takes here, and leave that much time."""
        large = self.compact.task_count + self.compact.size.size > MANY_REGIONS
        if large and not self.budget.deterministic and self.budget.remaining_s() > 1.0:
            before = self.budget.elapsed_s()
            self.plan(found, ceiling)
            seconds = ASSEMBLY_FACTOR * (self.budget.elapsed_s() - before)
            self.limit = max(0.3 * self.budget.time_limit_s, self.budget.time_limit_s - seconds)

    def lean(self, order: Ints, ceiling: int, enough: int = 0) -> None:
        """Smallest footprint: sequential schedules in every number of partitions, placed with effort."""
        until = 0.5 * self.limit
        enough = max(enough, self.least_peak())
        for candidate in sequential(self.compact, order, ceiling):
            if self.past(until) or (self.leanest is not None and self.leanest.footprint <= enough):
                break
            if self.leanest is None or candidate.schedule.reserved < self.leanest.footprint:
                self.try_place(candidate, enough, effort=0.1)

    def fast(self, order: Ints, ceiling: int) -> None:
        """Least makespan under ``ceiling``: chains of annealing, and a ladder of relaxations for bounds."""
        if self.fastest is None:
            self.say("placement", "placing sequential schedules with effort")
            self.lean(order, ceiling, enough=ceiling)
        references = [order]
        if self.compact.task_count:
            found = orders_below(Live.of(self.problem), ceiling, self.budget.seed)
            references += [other for other in found if not np.array_equal(other, order)]
        search = ScheduleSearch(self.compact, references, ceiling, self.budget, self.least_makespan())
        for known in (self.fastest, self.leanest):
            if known is not None:
                search.offer(known.candidate)
        self.first_parallel(search, ceiling)
        self.place_best(search, ceiling)
        if not search.divided:  # cells hold few blocks and lose next to nothing
            search.set_ceiling(max(self.least_peak(), int(FIRST_CEILING * ceiling)))
        ladder = Ladder(
            self.compact,
            ceiling,
            self.budget,
            self.least_makespan(),
            partial(self.shortest, search),
            partial(self.learn_makespan, search),
            lambda start, exact: search.offer(search.accept(start) if exact else search.decode(start)),
        )
        if self.budget.deterministic:
            self.fast_counted(search, ladder, ceiling)
        else:
            self.fast_timed(search, ladder, ceiling)
        if self.joint(search) and not self.closed():
            self.say("joint", "deciding schedule and placement together")
            self.close_gap(search, ceiling)

    def joint(self, search: ScheduleSearch) -> bool:
        """Whether the problem is small enough, and of the kind, for the model of schedule and placement together."""
        small = self.compact.task_count <= MOST_TASKS and 0 < self.compact.size.size <= MOST_BLOCKS
        return small and not search.divided and self.claimable()

    def close_gap(self, search: ScheduleSearch, ceiling: int) -> None:
        """Find the optimum on one address line, or learn a bound on it, from the best plan so far."""
        seconds = JOINT_SHARE * self.budget.time_limit_s
        if not self.budget.deterministic:
            seconds = min(seconds, self.limit - self.budget.elapsed_s())
        makespan, start = self.shortest(search)
        upper = self.fastest.makespan if self.fastest is not None else int(self.compact.duration.sum())
        hint = self.fastest.candidate.schedule.start if self.fastest is not None else start
        if seconds < 0.1 or makespan > upper:
            return
        alignment = self.problem.workspace.alignment
        lower = self.least_makespan()
        room = ceiling // alignment * alignment
        found = least_makespan_placed(self.compact, room, upper, lower, seconds, self.budget, hint)
        if found.bound > lower:
            self.learn_makespan(
                search, Bound("makespan", found.bound, "cp_sat", Evidence.SOLVER_CLAIM, found.parameters)
            )
        if found.start is not None and found.offset is not None:
            candidate = search.as_it_is(found.start)
            self.keep(_Found(candidate, placed_at(self.compact, found.start, found.offset)), ceiling)

    def first_parallel(self, search: ScheduleSearch, ceiling: int) -> None:
        """Some parallel plan by first fit, which takes milliseconds: also when the time is already up.

        First fit needs more than schedules reserve, so they reserve less until one of them fits.
        """
        sequential_plan, seen = self.fastest, list[Candidate]()
        least = self.least_peak()
        seconds = max(FIRST_SHARE * self.budget.time_limit_s, FIRST_LEAST_S)
        until = self.budget.elapsed_s() + seconds
        for room in sorted({max(least, int(share * ceiling)) for share in FIRST_CEILINGS}, reverse=True):
            search.set_ceiling(room)
            search.first(seconds / 2)
            for candidate in search.elite:
                if candidate.worth(search.ceiling)[0] == 0 and not self.known(candidate):
                    self.try_place(candidate, ceiling)
            seen += search.elite
            if self.fastest is not sequential_plan or self.past(until):
                break
        search.set_ceiling(ceiling)
        for candidate in seen:
            search.offer(candidate)

    def fast_counted(self, search: ScheduleSearch, ladder: Ladder, ceiling: int) -> None:
        """The same work every time: rounds of annealing, the ladder after the first of them."""
        for number in range(COUNTED_ROUNDS):
            if not self.closed():
                search.run_counted(0.6 * self.budget.time_limit_s / COUNTED_ROUNDS)
                self.place_best(search, ceiling)
            if number == 0 and self.provable() and not self.closed():
                ladder.run(0.3 * self.budget.time_limit_s)

    def fast_timed(self, search: ScheduleSearch, ladder: Ladder, ceiling: int) -> None:
        """Annealing on every thread but one, which climbs the ladder first; this thread places what they find."""
        until = (SEARCH_SHARE - (JOINT_SHARE if self.joint(search) else 0.0)) * self.limit
        threads, begun = max(1, self.budget.workers), self.budget.elapsed_s()

        def climb_then_anneal() -> None:
            seconds = (until - self.budget.elapsed_s()) * (LADDER_SHARE if threads > 1 else 0.4)
            if self.provable() and not self.closed() and seconds > 0.1:
                ladder.run(seconds)
            search.run(until, threads)

        with ThreadPoolExecutor(max_workers=threads) as pool:
            jobs = [pool.submit(climb_then_anneal)]
            jobs += [pool.submit(search.run, until, threads) for _ in range(threads - 1)]
            try:
                while not self.past(until) and not self.closed() and not all(job.done() for job in jobs):
                    look_again = min(0.25, 0.02 + 0.05 * (self.budget.elapsed_s() - begun))
                    search.wait_for_news(min(look_again, max(0.01, until - self.budget.elapsed_s())))
                    self.place_best(search, ceiling)
            finally:
                search.stop()
                ladder.stop()
        for job in jobs:
            job.result()
        self.place_best(search, ceiling)

    def place_best(self, search: ScheduleSearch, ceiling: int) -> None:
        """Place the schedules that are better than what is placed, best first, until one fits.

        Where placements take more than schedules reserve, schedules are made to reserve less: a lower ceiling where
        the footprint is too large, free room in each partition where one of them overflows.
        """
        self.evaluations = search.made
        for candidate in search.elite:
            if candidate.worth(search.ceiling)[0] > 0 or self.known(candidate):
                continue
            if id(candidate) in self.tried or self.past(self.limit):
                continue
            self.tried[id(candidate)] = candidate
            found = self.try_place(candidate, ceiling, effort=PLACING_SHARE)
            if found is not None and ceiling < found.footprint <= ceiling + ceiling // 50:
                found = self.try_place(candidate, ceiling, effort=2 * PLACING_SHARE)
            if found is not None and self.meets(found, ceiling):
                search.set_ceiling(min(ceiling, search.ceiling + max(self.unit, (ceiling - search.ceiling) // 2)))
                self.misses = 0
                return
            self.misses += 1
            if search.divided:
                search.drop(candidate)
                if self.misses % MISSES:
                    continue
            if found is None:
                search.headroom = min(MOST_HEADROOM, search.headroom + 0.02)
            else:
                lower = search.ceiling - max((found.footprint - ceiling) // 2, self.unit)
                search.set_ceiling(lower if lower >= self.least_peak() else ceiling)

    def known(self, candidate: Candidate) -> bool:
        """Whether placing ``candidate`` could not beat what is placed already."""
        return self.fastest is not None and candidate.schedule.makespan >= self.fastest.makespan

    def shortest(self, search: ScheduleSearch) -> tuple[int, Ints]:
        """Makespan and starts of the shortest schedule, placed or not, that keeps to the ceiling; or an upper bound."""
        best = search.best
        if best is not None and best.worth(search.ceiling)[0] == 0:
            return best.schedule.makespan, best.schedule.start
        if self.fastest is not None:
            return self.fastest.makespan, self.fastest.candidate.schedule.start
        order = search.references[0]  # one task after another: whatever has a plan has one no longer than that
        start = np.zeros(order.size, np.int64)
        start[order[1:]] = np.cumsum(self.compact.duration[order])[:-1]
        return int(self.compact.duration.sum()), start

    def learn_makespan(self, search: ScheduleSearch, bound: Bound) -> None:
        """A better bound on the makespan, from the ladder."""
        self.makespans = (bound, *(b for b in self.makespans if b.method != bound.method))
        search.lower = max(search.lower, bound.value)
        if self.objective is Objective.MAKESPAN:  # otherwise it holds for the ceiling that was found, not for all plans
            self.say("bound", f"no plan is faster than {bound.value / 1000:g} s", bound=bound.value)

    def provable(self) -> bool:
        """Whether the ladder's models relax every plan of this question: what bounds is in force for all of them."""
        return self.claimable() and self.compact.task_count > 0

    # -- placed schedules --------------------------------------------------------------------------------------

    def try_place(self, candidate: Candidate, enough: int, *, effort: float = 0.0) -> _Found | None:
        """Place a schedule and remember it where it is the best of its kind; None when a partition cannot hold it.

        ``effort``: share of the time limit for cells that first fit leaves too high.
        """
        schedule = candidate.schedule
        if not schedule.complete:
            return None
        placement = place(
            self.compact,
            schedule.start,
            schedule.partition,
            self.budget,
            enough=enough,
            effort_s=effort * self.budget.time_limit_s,
        )
        if not placement.fits:
            return None
        found = _Found(candidate, placement)
        self.keep(found, enough)
        return found

    def keep(self, found: _Found, enough: int) -> None:
        """Remember a placed schedule where it is the best of its kind."""
        if self.leanest is None or (found.footprint, found.makespan) < (self.leanest.footprint, self.leanest.makespan):
            smaller = self.leanest is None or found.footprint < self.leanest.footprint
            self.leanest = found
            if smaller and self.objective is Objective.REUSE:
                message = f"footprint {format_size(found.footprint)}, makespan {found.makespan / 1000:g} s"
                self.say("placement", message, makespan=found.makespan, footprint=found.footprint)
        if self.meets(found, enough) and (self.fastest is None or found.makespan < self.fastest.makespan):
            self.fastest = found
            message = f"makespan {found.makespan / 1000:g} s in {format_size(found.footprint)}"
            self.say("schedule", message, makespan=found.makespan, footprint=found.footprint)

    def meets(self, found: _Found, ceiling: int) -> bool:
        return found.placement.fits and found.footprint <= ceiling

    def least_makespan(self) -> int:
        return max((b.value for b in self.makespans), default=0)

    def closed(self) -> bool:
        """Whether the fastest plan meets its bound."""
        return self.fastest is not None and self.fastest.makespan <= self.least_makespan()

    # -- time --------------------------------------------------------------------------------------------------

    def past(self, until: float) -> bool:
        """Whether ``until`` seconds of the budget are spent (deterministic: never, work is counted elsewhere)."""
        return not self.budget.deterministic and self.budget.elapsed_s() >= until

    def say(self, phase: str, message: str, **figures: int) -> None:
        """Tell the observer; ``figures`` are fields of ``Progress``."""
        spent = min(1.0, self.budget.elapsed_s() / self.budget.time_limit_s) if self.budget.time_limit_s > 0 else 1.0
        self.tell(Progress(phase, spent, message, **figures))

    # -- answers -----------------------------------------------------------------------------------------------

    def outcome(self, ceiling: int, wanted: int) -> Outcome:
        found = self.fastest or self.leanest
        if found is None:
            return self.nothing()
        met = self.meets(found, wanted)
        plan = self.plan(found, ceiling)
        if met:
            return Outcome(plan.proof.status, plan, self.bounds(), True)
        lean = self.leanest or found
        self.makespans = self.relaxations.under(int(self.problem.workspace.capacity))
        plan = self.plan(lean, int(self.problem.workspace.capacity))
        reason = (
            f"no plan with a footprint of at most {format_size(wanted)} was found in {self.budget.time_limit_s:g} s; "
            f"the best has {format_size(lean.footprint)}, and none below {format_size(self.least_peak())} exists"
        )
        return Outcome(plan.proof.status, plan, self.bounds(), False, reason, plan)

    def plan(self, found: _Found, ceiling: int) -> Plan:
        """Assemble, prove and check."""
        starts = _starts(self.compact, found.candidate.schedule.start)
        proof = self.proof(found, ceiling)
        plan = assemble(
            self.problem,
            starts,
            found.placement.extents,
            found.placement.slices,
            proof,
            integrity=self.integrity,
            monitoring=self.monitoring,
        )
        broken = violations(plan)
        if broken:
            raise InvalidPlan([v.message for v in broken])
        return plan

    def proof(self, found: _Found, ceiling: int) -> Proof:
        low_peak, low_makespan = self.least_peak(), max((b.value for b in self.claims()), default=0)
        if self.objective is Objective.REUSE:
            value, bound = found.footprint, low_peak
        else:
            value, bound = found.makespan, low_makespan
        gap = (value - bound) / value if value else 0.0
        parameters: dict[str, object] = {
            "time_limit_s": self.budget.time_limit_s,
            "workers": self.budget.workers,
            "seed": self.budget.seed,
            "deterministic": self.budget.deterministic,
            "ceiling": ceiling,
        }
        effort = None
        if not self.budget.deterministic:
            effort = {"seconds": round(self.budget.elapsed_s(), 3), "schedules": self.evaluations}
        return Proof(
            objective=self.objective,
            target=self.target,
            status=self.status(found, gap),
            bounds=(*self.peaks, *self.claims()),
            largest_reuse_factor=1 - low_peak / self.allocated if self.allocated else None,
            least_makespan=low_makespan,
            gap=gap,
            parameters=parameters,
            effort=effort,
        )

    def status(self, found: _Found, gap: float) -> Status:
        """A plan that misses the target is no answer, only the best known: UNKNOWN, or INFEASIBLE where proved."""
        wanted = self.wanted_ceiling()
        if self.least_peak() > wanted:
            return Status.INFEASIBLE
        if found.footprint > wanted:
            return Status.UNKNOWN
        return Status.OPTIMAL if gap == 0 else Status.FEASIBLE

    def claims(self) -> tuple[Bound, ...]:
        """Bounds on the makespan that hold for every plan of this question.

        Under ``reuse`` the ceiling is the best footprint found, which other plans need not respect: such bounds guide
        the search and are not published.
        """
        if self.objective is Objective.REUSE:
            return self.relaxations.under(int(self.problem.workspace.capacity))
        return self.makespans

    def bounds(self) -> tuple[Bound, ...]:
        return (*self.peaks, *self.claims())

    def nothing(self) -> Outcome:
        reason = f"no schedule that fits the workspace was found in {self.budget.time_limit_s:g} s"
        return Outcome(Status.UNKNOWN, None, self.bounds(), False, reason, self.enlarged())

    def infeasible(self, ceiling: int) -> Outcome:
        """Proved: the least peak lies above what the target or the workspace allows."""
        capacity = int(self.problem.workspace.capacity)
        self.makespans = self.relaxations.under(capacity)
        if self.least_peak() > capacity:
            what = f"the workspace holds {format_size(capacity)} ({capacity} bytes)"
            alternative = self.enlarged()
        else:
            what = (
                f"a reuse factor of {self.target} allows {format_size(ceiling)} "
                f"of {format_size(self.allocated)} allocated"
            )
            alternative = self.most_reuse()
        low = self.least_peak()  # looking for what does work may have raised it
        why = self.force.sentence() + "; " if self.force is not None and self.force.bytes >= low else ""
        needs = f"no plan without recomputation or spilling needs less than {format_size(low)} ({low} bytes)"
        reason = f"{what}, but {why}{needs}"
        return Outcome(Status.INFEASIBLE, None, self.bounds(), False, reason, alternative)

    def most_reuse(self) -> Plan | None:
        """The plan with the largest reuse factor that a short search finds: the largest target known to work."""
        seconds = max(0.5, min(10.0, self.budget.remaining_s() / 2))
        budget = replace(self.budget, time_limit_s=seconds, started=None).start()

        def only_words(news: Progress) -> None:  # the figures answer another question
            self.say(news.phase, news.message)

        other = _Pipeline(self.problem, Objective.REUSE, None, budget, self.integrity, self.monitoring, only_words)
        other.peaks = self.peaks
        order = other.order(int(self.problem.workspace.capacity))
        self.learn(other.peaks, other.force)
        other.lean(order, int(self.problem.workspace.capacity))
        return other.plan(other.leanest, other.leanest.footprint) if other.leanest is not None else None

    def enlarged(self) -> Plan | None:
        """A plan in the smallest workspace (same partitions) that quick bisection finds to work in the time left."""
        workspace = self.problem.workspace
        step = workspace.alignment * workspace.partitions
        low = max(self.least_peak(), int(workspace.capacity) + step)
        high = max(self.allocated, low) * workspace.partitions  # then one partition could hold everything
        best: Plan | None = None
        size = low

        def resized(size: int) -> Problem:
            wide = replace(workspace, size=Bytes(-(-size // step) * step))
            return replace(self.problem, workspace=wide, pools=_unlimited(self.problem))

        tries = 0
        while tries < 14 and low <= high and (tries == 0 or self.budget.elapsed_s() < 0.8 * self.limit):
            tries += 1
            size = -(-size // step) * step
            plan = self.quick(resized(size))
            if plan is None:
                low = size + step
                size = min(high, size * 2) if best is None else (low + high) // 2
            else:
                best, high = plan, size - step
                size = (low + high) // 2
            if best is not None and high - low < size // 50:
                break
        return best or self.quick(resized(high))

    def quick(self, problem: Problem) -> Plan | None:
        """The first plan of a short search without a target."""
        seconds = max(0.2, min(1.0, self.budget.remaining_s() / 4))
        budget = Budget(seconds, self.budget.workers, self.budget.seed, clock=self.budget.clock).start()
        other = _Pipeline(problem, Objective.MAKESPAN, None, budget, self.integrity, self.monitoring, lambda _: None)
        if other.least_peak() > problem.workspace.capacity:
            return None
        order = other.order(int(problem.workspace.capacity))
        for candidate in sequential(other.compact, order, int(problem.workspace.capacity)):
            found = other.try_place(candidate, int(problem.workspace.capacity))
            if found is not None:
                return other.plan(found, int(problem.workspace.capacity))
        return None


def _unlimited(problem: Problem) -> tuple[Pool, ...]:
    return tuple(replace(p, size=None) for p in problem.pools)


def _starts(compact: Compact, start: Ints) -> dict[str, Tick]:
    return {t: Tick(int(s)) for t, s in zip(compact.tasks, start, strict=True)}
