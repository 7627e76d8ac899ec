"""Schedules under a ceiling, anytime: chains of annealing from many beginnings, the best of them taken further.

One chain ends in a basin that its first steps decide, and the basins differ by tens of percent. So the first third of
the time goes to short chains from different beginnings (reference orders of several rules, priorities by order or by
longest tail, several temperatures), as many as their length allows; then the best few states are reheated again and
again. Problems too large for several chains get one.

In partitions and pools two gates take turns, chain by chain: one that counts bytes and places each start wherever it
can (``gate.py``, quick), and one that keeps every block's partition in mind (``cell_gate.py``). Neither is better
everywhere.

Chains run on threads: the compiled loops release the interpreter. A deterministic search counts schedules instead of
seconds, on one thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import product
from threading import Condition, get_ident
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints
from ..budget import Budget
from ..order import Compact
from .anneal import anneal
from .cell_gate import celled_schedule, cells_of, no_cells
from .gate import NO_SCHEDULE, gated_schedule
from .line import Line
from .list_schedule import Schedule, Scheduler, reference_position
from .serial import MOST_UNITS, serial_schedule

FRESH_SHARE = 0.4
"""Of the time, for chains from new beginnings."""

MOST_FRESH = 16
"""Chains from new beginnings, where time allows so many."""

LEAST_STEPS_PER_TASK = 50
"""Schedules per task that a chain needs to get anywhere; fewer chains are better than shorter ones."""

ELITE = 4
"""States that are taken further, each from a beginning of its own: the best of one lineage are all alike."""

REHEATED_SHARE = 0.08
"""Of the time, for each chain that takes one further."""

FRESH_HEAT, COLD = (0.03, 0.01, 0.03, 0.003), 0.0005
"""Temperatures a new chain begins with, in turns, and the one it ends with; shares of the makespan."""

REHEAT = (0.003, 0.01, 0.001, 0.02)
"""Temperatures a chain that goes on begins with, in turns."""

JUSTIFIED, JUSTIFIED_SERIALLY = (0.05, 0.3), (0.3, 0.6)
"""Share of justified neighbours, in turns (without partitions); where there are no bytes, more of them pay."""

FRESH_SERIALLY = 4
"""Chains from new beginnings where there are no bytes: basins hardly differ then, and longer chains go deeper."""

HEADROOMS = (0.0, 0.03, 0.08, 0.2)
"""Shares of a partition left free for fragmentation, tried in this order."""

LOOSENESS = (1.0, 1.05)
"""Of the gate that sees partitions: what chains may reserve, in ceilings, in turns. They pay for the excess, but may
pass through it."""

SLACKS = (1.0, 0.93, 0.86, 0.97)
"""Of the other gate in partitions: shares of the ceiling that live bytes may reach, in turns; the rest is what
partitions waste."""

COST_BY_HOME = 5
"""Schedules of the other gate that take as long as one of the gate that sees partitions."""

MOST_TASKS_FOR_REPLAY = 3000
"""Tasks beyond which one such replaying schedule takes longer than all of them may."""

MIXES = (1.0, 0.4, 0.1, 0.0)
"""Shares of the longest tail in their priorities; the rest is the place in the reference order."""

SCHEDULES_PER_SECOND = 400_000
"""What one second of a deterministic budget buys, divided by the number of tasks."""


@dataclass(frozen=True, slots=True)
class State:
    """What made a schedule: priorities, reference order, strict tasks, the partition of each block in a replay of the
    reference order, and how partitions are used."""

    rank: Ints
    reference: Ints
    strict: NDArray[np.bool_]
    home: Ints
    used_partitions: int = 1
    headroom: float = 0.0
    by_home: bool = False
    """Whether the gate that sees partitions makes the schedule; never on one address line."""
    lineage: int = -1
    """The beginning that the state descends from."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schedule and the state that made it."""

    schedule: Schedule
    state: State

    def worth(self, ceiling: int) -> tuple[int, int, int]:
        """Less is better: excess over ``ceiling`` (bytes), makespan (ticks), reserved bytes."""
        if not self.schedule.complete:
            return (2**62, 2**62, 0)
        return (max(0, self.schedule.reserved - ceiling), self.schedule.makespan, self.schedule.reserved)


def sequential(compact: Compact, reference: Ints, ceiling: int) -> Iterator[Candidate]:
    """One task at a time in the reference order, in few partitions first: least waste, longest makespan."""
    scheduler = Scheduler(compact)
    position = -reference_position(reference) / max(1, compact.task_count)
    for headroom in HEADROOMS:
        for used in _partition_counts(compact):
            schedule = scheduler.run(
                position, reference, ceiling, used_partitions=used, sequential=True, headroom=headroom
            )
            if schedule.complete:
                yield Candidate(
                    schedule, _state(reference, reference, schedule.partition, used=used, headroom=headroom)
                )


class ScheduleSearch:
    """The search for one ceiling. ``references``: orders that fit; the first is the one to trust.

    ``ceiling`` may change while the search runs, as placements turn out to need more than schedules reserve, or do not.
    ``lower``: a makespan that cannot be undercut.
    """

    def __init__(
        self, compact: Compact, references: Sequence[Ints], ceiling: int, budget: Budget, lower: int = 0
    ) -> None:
        self.compact, self.references, self.ceiling, self.budget, self.lower = (
            compact, references, ceiling, budget, lower,
        )  # fmt: skip
        workspace = compact.problem.workspace
        self.divided = workspace.partitions > 1 or len(compact.pools) > 1 or workspace.isolation.value == "exclusive"
        self._unit = int(np.gcd.reduce(compact.duration)) if compact.task_count else 1
        self._serial = not compact.size.size and int(compact.duration.sum()) <= MOST_UNITS * self._unit
        line = Line.of(compact, merged=not self.divided, unit=self._unit)
        self._line, self._mirror = line.arrays(), line.mirrored().arrays()
        self._tail = np.argsort(-tails(compact), kind="stable").astype(np.int64)
        self._scheduler = Scheduler(compact)
        self._stop = np.zeros(1, np.bool_)
        self._news = Condition()
        self._elite: list[Candidate] = []
        self._home: dict[tuple[bytes, int], Ints] = {}
        self._dropped: set[tuple[int, int]] = set()
        self._running: dict[int, tuple[Ints, Ints, Ints, State]] = {}
        self._fresh = 0
        self._chains = 0
        self._gates = (True, False) if self.divided else (False,)  # whether homes decide
        self._pace: dict[bool, float] = {}  # seconds per schedule of each gate
        self.headroom = 0.0
        self.made = 0
        self.seed = budget.seed

    # -- what a pipeline asks ----------------------------------------------------------------------------------

    @property
    def best(self) -> Candidate | None:
        """The best schedule so far, which may exceed the ceiling."""
        return self._elite[0] if self._elite else None

    @property
    def elite(self) -> tuple[Candidate, ...]:
        """The best few schedules, best first, with what the chains that run have found so far."""
        with self._news:
            running = list(self._running.values())
        for look in running:
            candidate = self._look_on(*look)
            if candidate is not None:
                self._remember(candidate)
        with self._news:
            return tuple(self._elite)

    def offer(self, candidate: Candidate) -> None:
        """Take a schedule from elsewhere into account."""
        self._remember(candidate)

    def drop(self, candidate: Candidate) -> None:
        """Forget a schedule that could not be placed: it would keep out what is longer and can be."""
        with self._news:
            self._dropped.add(candidate.schedule.key)
            self._elite = [other for other in self._elite if other.schedule.key not in self._dropped]

    def set_ceiling(self, ceiling: int) -> None:
        """From now on reserve at most this: what was found so far is measured by the new ceiling."""
        with self._news:
            self.ceiling = ceiling
            self._elite.sort(key=self._rank)

    def wait_for_news(self, seconds: float) -> None:
        """Return when a chain has ended, or after ``seconds``."""
        with self._news:
            self._news.wait(seconds)

    def stop(self) -> None:
        """Let all chains end."""
        self._stop[0] = True
        with self._news:
            self._news.notify_all()

    @property
    def stopped(self) -> bool:
        return bool(self._stop[0])

    def closed(self) -> bool:
        """Whether the best schedule meets the ceiling and cannot be undercut."""
        best = self.best
        return best is not None and best.worth(self.ceiling)[0] == 0 and best.schedule.makespan <= self.lower

    def first(self, seconds: float) -> None:
        """Quick schedules of every reference and number of partitions: one at least, and more for ``seconds``."""
        until = self.budget.elapsed_s() + seconds
        if self.divided and self.compact.task_count <= MOST_TASKS_FOR_REPLAY:
            self._first_that_fit(until - seconds / 2)
        counts = _partition_counts(self.compact)[::-1]
        for reference, rank_by_tail in product(self.references, (True, False)):
            for lineage, used in enumerate(counts):
                rank = self._tail if rank_by_tail else reference
                home = self._homes(reference, used)
                for by_home in self._gates:
                    state = _state(rank, reference, home, used=used, by_home=by_home, lineage=-1 - lineage)
                    self._remember(self.schedule(state))
                if self._past(until):
                    return

    def _first_that_fit(self, until: float) -> None:
        """Schedules whose gate replays the reference order and chooses partitions anew, instead of homes: slow."""
        reference = self.references[0]
        position = -reference_position(reference) / max(1, self.compact.task_count)
        tail = tails(self.compact)
        for number, mix in enumerate(MIXES):
            for used in reversed(_partition_counts(self.compact)):
                priority = mix * tail / max(1, tail.max(initial=0)) + (1 - mix) * position
                schedule = self._scheduler.run(priority, reference, self.ceiling, used_partitions=used)
                if schedule.complete:
                    order = legal_order(self.compact, schedule.start)
                    state = _state(order, order, schedule.partition, used=used, lineage=-10 - number)
                    self._remember(Candidate(schedule, state))
                if self._past(until):
                    return

    def _past(self, until: float) -> bool:
        return not self.budget.deterministic and self.budget.elapsed_s() > until

    def run(self, until: float, threads: int = 1) -> None:
        """Anneal until the budget's clock shows ``until`` seconds, or ``stop``; to be called on each thread."""
        begin = self.budget.elapsed_s()
        while not self.stopped and not self.closed():
            now = self.budget.elapsed_s()
            if now >= until:
                return
            total = max(1e-3, until - begin)
            by_home = self._next_by_home()
            per_schedule = self._pace.get(by_home) or self._measure(by_home)
            fresh = 0 if by_home else self._fresh_chains(total * threads / per_schedule)
            if (now - begin) / total < FRESH_SHARE and self._fresh < fresh:
                seconds = FRESH_SHARE * total * threads / fresh
            else:
                seconds = max(0.2, REHEATED_SHARE * total)
            steps = max(1, int(min(seconds, until - now) / per_schedule))
            made = self._chain(steps, fresh=self._fresh < fresh, by_home=by_home)
            spent = self.budget.elapsed_s() - now
            if made > 10:
                self._pace[by_home] = 0.5 * per_schedule + 0.5 * spent / made

    def run_counted(self, seconds: float) -> None:
        """Anneal for a number of schedules that only depends on ``seconds`` and the problem."""
        total = int(seconds * SCHEDULES_PER_SECOND / max(1, self.compact.task_count))
        fresh = self._fresh_chains(total)
        left = total
        while left > 0 and not self.closed():
            by_home = self._next_by_home()
            cost = COST_BY_HOME if by_home else 1
            begins = self._fresh < fresh and not by_home
            share = FRESH_SHARE / fresh if begins else REHEATED_SHARE
            steps = max(1, min(left, int(share * total)) // cost)
            made = self._chain(steps, fresh=begins, by_home=by_home)
            if made == 0:
                return
            left -= max(made, steps // 10) * cost  # a state without a schedule ends its chain at once

    def _next_by_home(self) -> bool:
        """Which gate the next chain has: in partitions the two take turns."""
        return self.divided and self._chains % 2 == 0

    def schedule(self, state: State) -> Candidate:
        """The schedule of a state."""
        n = self.compact.task_count
        start, where = np.empty(n, np.int64), np.zeros(self.compact.size.size, np.int64)
        if self._serial:
            makespan, reserved = serial_schedule(state.rank, self._line, start), 0
        elif state.by_home:
            makespan, reserved = celled_schedule(
                state.rank, state.reference, state.strict, state.home, self.ceiling, self._line, self._cells(state),
                start, where,
            )  # fmt: skip
        else:
            makespan, reserved = gated_schedule(
                state.rank, state.reference, state.strict, self.ceiling, self.ceiling, self._line, self._cells(state),
                start, where,
            )  # fmt: skip
        self.made += 1
        return self._candidate(start, where, makespan, reserved, state)

    def accept(self, start: Ints) -> Candidate:
        """Given starts as they are where they keep below the ceiling on one line, else what their order gives."""
        if not self.divided:
            candidate = self.as_it_is(start)
            if candidate.schedule.reserved <= self.ceiling:
                return candidate
        return self.decode(start)

    def as_it_is(self, start: Ints) -> Candidate:
        """A schedule on one line, given by its starts."""
        order = legal_order(self.compact, start)
        makespan = int((start + self.compact.duration).max(initial=0))
        where = np.zeros(self.compact.size.size, np.int64)
        return Candidate(Schedule(start, where, makespan, self._peak(start), True), _state(order, order, where))

    def _peak(self, start: Ints) -> int:
        """Most bytes alive at once on one line."""
        _, _, _, _, _, _, _, _, _, us, ui, size, kept, preload = self._line
        if not size.size:
            return 0
        end = start + self.compact.duration
        birth = np.minimum.reduceat(start[ui], us[:-1])
        birth[preload] = 0
        death = np.maximum.reduceat(end[ui], us[:-1])
        death[kept] = end.max() + 1
        times = np.concatenate([death, birth])
        changes = np.concatenate([-size, size])
        return int(np.cumsum(changes[np.argsort(times, kind="stable")]).max())

    def decode(self, start: Ints) -> Candidate:
        """The best schedule in the order of given starts, which may be those of a relaxed model."""
        order = legal_order(self.compact, start)
        used = self.compact.problem.workspace.partitions
        references = [order, *self.references[:1]]
        found = [
            self.schedule(_state(order, r, self._homes(r, used), used=used, by_home=by_home))
            for r in references
            for by_home in self._gates
        ]
        return min(found, key=self._rank)

    # -- chains ------------------------------------------------------------------------------------------------

    def _chain(self, steps: int, *, fresh: bool, by_home: bool) -> int:
        """Anneal for ``steps`` schedules from a new beginning or from one of the elite; how many were made."""
        with self._news:
            number = self._chains
            self._chains += 1
            if fresh or not self._elite:
                fresh = True
                number, self._fresh = self._fresh, self._fresh + 1
                state = self._beginning(number)
            else:
                state = self._elite[(number // 2 if self.divided else number) % len(self._elite)].state
            if self.divided:  # with the headroom that placements ask for by now
                state = replace(state, headroom=self.headroom, by_home=by_home)
            ceiling = self.ceiling
        hot = FRESH_HEAT[number % len(FRESH_HEAT)] if fresh else REHEAT[number % len(REHEAT)]
        justifying = JUSTIFIED_SERIALLY if self._serial else JUSTIFIED
        justified = 0.0 if self.divided else justifying[number % len(justifying)]
        shares = LOOSENESS if by_home else SLACKS if self.divided else (1.0,)
        most = int(ceiling * shares[number // 2 % len(shares)])
        rank, reference, home = state.rank.copy(), state.reference.copy(), state.home.copy()
        strict = state.strict.copy()
        start, where = np.zeros(rank.size, np.int64), np.zeros(self.compact.size.size, np.int64)
        found = np.full(2, -1, np.int64)
        with self._news:
            self._running[get_ident()] = (start, where, found, state)
        seed = (self.seed * 1_000_003 + number * 2 + fresh + 1) * 0x9E3779B97F4A7C15 % 2**64
        lower = -(-self.lower // self._unit)
        made = anneal(
            rank, reference, strict, home, np.array([seed or 1], np.uint64), self._serial, by_home, steps, hot,
            min(COLD, hot), justified, most, ceiling, lower, self._line, self._mirror, self._cells(state), start, where,
            found, self._stop,
        )  # fmt: skip
        with self._news:
            self.made += made
            del self._running[get_ident()]
        if found[0] >= 0:
            end = replace(state, rank=rank, reference=reference, strict=strict, home=home)
            self._remember(self._candidate(start, where, found[0], found[1], end))
        with self._news:
            self._news.notify_all()
        return int(made)

    def _look_on(self, start: Ints, where: Ints, found: Ints, state: State) -> Candidate | None:
        """A schedule in the order of the best one of a chain that runs; None while it has none.

        The chain may be writing: what is read is taken for an order, from which a schedule is made.
        """
        if found[0] < 0:
            return None
        order = legal_order(self.compact, start.copy())
        lax = np.zeros(order.size, np.bool_)
        home = where.copy()
        return self.schedule(replace(state, rank=order, reference=order, strict=lax, home=home, by_home=self.divided))

    def _beginning(self, number: int) -> State:
        reference = self.references[number % len(self.references)]
        rank = self._tail if number % 3 == 1 else reference
        counts = _partition_counts(self.compact)[::-1]
        used = counts[number % len(counts)]
        home = self._homes(reference, used)
        return _state(rank, reference, home, used=used, headroom=self.headroom, by_home=self.divided, lineage=number)

    def _homes(self, reference: Ints, used: int) -> Ints:
        """The partition of each block when the tasks run one at a time in the reference order."""
        if not self.divided:
            return np.zeros(self.compact.size.size, np.int64)
        key = (reference.tobytes(), used)
        if key not in self._home:
            position = -reference_position(reference) / max(1, self.compact.task_count)
            schedule = self._scheduler.run(position, reference, self.ceiling, used_partitions=used, sequential=True)
            self._home[key] = schedule.partition
        return self._home[key]

    def _cells(self, state: State) -> tuple[Any, ...]:
        return cells_of(self.compact, state.used_partitions, state.headroom) if self.divided else no_cells()

    def _fresh_chains(self, schedules: float) -> int:
        """How many new beginnings a search of so many schedules can afford."""
        most = FRESH_SERIALLY if self._serial else MOST_FRESH
        return max(1, min(most, int(FRESH_SHARE * schedules / (LEAST_STEPS_PER_TASK * self.compact.task_count))))

    def _measure(self, by_home: bool) -> float:
        """Seconds per schedule, by making one."""
        before = self.budget.elapsed_s()
        self.schedule(replace(self._beginning(0), by_home=by_home))
        return max(1e-6, self.budget.elapsed_s() - before)

    def _candidate(self, start: Ints, where: Ints, makespan: int, reserved: int, state: State) -> Candidate:
        complete = int(makespan) < NO_SCHEDULE
        schedule = Schedule(start * self._unit, where, int(makespan) * self._unit, int(reserved), complete)
        return Candidate(schedule, state)

    def _rank(self, candidate: Candidate) -> tuple[int, int, int]:
        return candidate.worth(self.ceiling)

    def _remember(self, candidate: Candidate) -> None:
        """Keep the best of each lineage, and of these the best few."""
        if not candidate.schedule.complete or candidate.schedule.key in self._dropped:
            return
        with self._news:
            best: dict[int, Candidate] = {}
            if any(self._rank(other) == self._rank(candidate) for other in self._elite):
                return
            for other in sorted([*self._elite, candidate], key=self._rank):
                best.setdefault(other.state.lineage, other)
            self._elite = list(best.values())[:ELITE]


def legal_order(compact: Compact, start: Ints) -> Ints:
    """Tasks by start where precedence allows it: of those whose predecessors are in the order, the earliest is next."""
    missing = np.diff(compact.predecessors.start)
    ready = [(int(start[t]), t) for t in range(compact.task_count) if missing[t] == 0]
    heapify(ready)
    order = []
    while ready:
        _, t = heappop(ready)
        order.append(t)
        for u in compact.successors[t].tolist():
            missing[u] -= 1
            if missing[u] == 0:
                heappush(ready, (int(start[u]), u))
    return np.array(order, dtype=np.int64)


def _state(
    rank: Ints,
    reference: Ints,
    home: Ints,
    *,
    used: int = 1,
    headroom: float = 0.0,
    by_home: bool = False,
    lineage: int = -1,
) -> State:
    return State(rank, reference, np.zeros(rank.size, np.bool_), home, used, headroom, by_home, lineage)


def _partition_counts(compact: Compact) -> list[int]:
    """Numbers of used partitions worth trying, few first."""
    partitions = compact.problem.workspace.partitions
    return sorted({partitions, *(max(1, partitions * k // 8) for k in (1, 2, 3, 4, 6))})


def tails(compact: Compact) -> Ints:
    """Per task, the longest chain of durations from its start to the end of the plan (ticks)."""
    tail = np.zeros(compact.task_count, dtype=np.int64)
    number = {t: i for i, t in enumerate(compact.tasks)}
    for name in reversed(compact.problem.graph.topological_order):
        t = number[name]
        after = compact.successors[t]
        tail[t] = compact.duration[t] + (tail[after].max() if after.size else 0)
    return tail
