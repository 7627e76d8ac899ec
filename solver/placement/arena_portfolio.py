"""One arena placed as low as it can be, or within a capacity: constructions, searches and CP-SAT, side by side.

::

    components --first fit--> a placement --workers--> lower placements, higher bounds --> they meet, or time is spent

Two workers (threads: the compiled loops and CP-SAT let each other run) take turns with their own searchers. The one
that had least of its share of the time comes next, and its turns grow longer, so that whoever is good at a problem
gets to it and nobody who is not takes much. All share one record of the best placement and bound of each component;
a component matters while it keeps the arena from its goal.

The bound is always asked for first, because a placement that must waste nothing is often found sooner than one that
may waste a little: wrong starts are refuted early. And when it is found, it is proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from threading import Event, RLock
from typing import Protocol

import numpy as np

from ..arrays import Ints
from ..budget import Budget, Progress
from ..plan import Evidence
from ..plan.proof import Status
from .answers import Found
from .arena import Arena, Component, components
from .constructive import first_placements
from .preferred import held
from .repair import Repair
from .restarts import Restarts

FIRST_NODES, MOST_NODES = 2_000, 400_000
"""Nodes of tree search in its first turn on a target, and in the longest."""

FIRST_STEPS, MOST_STEPS = 2_000, 2_000_000
"""Steps of repair in its first turn on a target, and in the longest."""

DESCENTS = (0.1, 0.2)
"""The share of the way to the bound by which each worker's repair goes down at first."""

LEAST_PATIENCE = 100_000
"""Steps of repair after which a target is given up for a higher one."""

DENSE = 150
"""Buffers alive at a time, on average, with which repair does not begin with the bound."""

MOST_DENSE_FOR_SEARCH = 600
"""Buffers of a dense component beyond which tree search and CP-SAT are left out."""

UNITS_PER_SECOND = 100_000
"""Nodes and steps that one second of a deterministic budget buys."""

CP_SAT_JOINS_S, FIRST_CP_SAT_S = 2.0, 4.0
"""Most problems are solved before CP-SAT would have built its model."""

MOST_FOR_SEARCH, MOST_FOR_CP_SAT = 8_000, 2_000
"""Buffers of a component beyond which tree search (it lists neighbours) and CP-SAT are left out."""

MOST_PAIRS_FOR_SEARCH = 20_000_000
"""Pairs of a buffer and a section it lives in, beyond which tree search is left out."""

CONSTRUCTIONS = 12
"""Placements that first fit makes before it leaves a component to the searches."""

MOST_CONSTRUCTED = 250_000
"""Buffers that first fit has placed, over all its placements, when it leaves a component to the searches."""

REWARD = 0.5
"""Whose turn lowered a placement counts as having had this share of its time."""

SHARE_FOR_PREFERENCES = 0.2
"""Of the time limit, for each of two attempts to keep buffers where they are preferred (see ``preferred``)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Why nothing is lower: the time ``[start, end)`` and the buffers (numbers in the arena) that force ``bound``."""

    start: int
    end: int
    buffers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Answer for one arena.

    ``status``: OPTIMAL (``height`` equals ``bound``), FEASIBLE, INFEASIBLE (``bound`` exceeds the capacity) or UNKNOWN
    (nothing within the capacity was found). ``offset``: bytes, the best placement known, even one above the capacity.
    ``bound``: bytes below which no placement stays, with its ``evidence`` and the ``moment`` that forces it: buffers
    alive together, or, when a search was exhausted, those whose placements it went through (None without bytes).
    ``nodes``: of the tree search; ``seconds``: wall clock; ``first_s``: seconds until there was a placement.
    """

    status: Status
    offset: Ints
    height: int
    bound: int
    evidence: Evidence
    moment: Moment | None
    nodes: int
    seconds: float
    first_s: float

    @property
    def gap(self) -> float:
        """(height - bound) / height."""
        return (self.height - self.bound) / max(1, self.height)


def place_arena(
    arena: Arena,
    budget: Budget,
    *,
    capacity: int | None = None,
    observer: Callable[[Progress], None] | None = None,
) -> Placed:
    """Offsets with the least height found in the budget; with a ``capacity``, ends at the first that is within it.

    Some placement is made however short the budget. A deterministic budget counts nodes and steps on one thread and
    leaves CP-SAT out.
    """
    budget = budget.start()
    begun = budget.elapsed_s()
    record = _Record(arena, budget, capacity, observer or (lambda _: None))
    first_s = budget.elapsed_s() - begun
    if not ((arena.preferred >= 0) & (arena.fixed < 0)).any():
        _run(record, 1.0)
    else:
        goal = record.goal()
        record.adopt(_held(record, goal))
        _run(record, 1 - SHARE_FOR_PREFERENCES)
        if record.height() > goal:
            record.adopt(_held(record, record.height()))
    return record.answer(budget.elapsed_s() - begun, first_s)


def _held(record: _Record, goal: int) -> Ints:
    """The best placement found when buffers stay where they prefer to be, as many as can within ``goal`` bytes."""
    share = SHARE_FOR_PREFERENCES * record.budget.time_limit_s
    budget = replace(record.budget, time_limit_s=min(share, record.budget.remaining_s()), started=None).start()
    other = _Record(held(record.arena, goal), budget, goal, lambda _: None)
    _run(other, 1.0)
    return other.offset()


@dataclass(slots=True)
class _Part:
    """What is known about one component, in its units. ``best`` is ``height`` high; ``kept``: units where preferred."""

    number: int
    component: Component
    placements: Iterator[Ints]
    best: Ints
    height: int
    kept: int
    lower: int
    evidence: Evidence = Evidence.CERTIFICATE


class _Record:
    """The best placement and bound of each component, shared by all searchers under a lock."""

    def __init__(self, arena: Arena, budget: Budget, capacity: int | None, tell: Callable[[Progress], None]) -> None:
        self.arena, self.budget, self.capacity, self.tell = arena, budget, capacity, tell
        self.lock, self.closed, self.stop = RLock(), Event(), np.zeros(1, np.bool_)
        self.interruptions: list[Callable[[], None]] = []
        self.units = 0
        self.nodes = 0
        self.parts: list[_Part] = []
        for number, component in enumerate(components(arena)):
            self.parts.append(_begun(number, component, first_placements(component, budget.seed, self.stop)))
        self.say()
        self.close_if_answered()

    def lower(self) -> int:
        """Bytes below which the arena cannot be placed."""
        return max((part.lower * part.component.unit for part in self.parts), default=0)

    def height(self) -> int:
        """Bytes of the best placement of all components."""
        return max((part.height * part.component.unit for part in self.parts), default=0)

    def goal(self) -> int:
        """Bytes that are good enough: the capacity, or the bound when there is nothing to reach but the optimum."""
        return self.lower() if self.capacity is None else max(self.capacity, 0)

    def open_parts(self) -> list[_Part]:
        """Components that keep the arena from its goal."""
        goal = self.goal()
        return [part for part in self.parts if part.height * part.component.unit > goal]

    def least_target(self, part: _Part) -> int:
        """The lowest height in units worth asking for: other components may not allow less."""
        least = max(part.lower, self.lower() // part.component.unit)
        return least if self.capacity is None else min(least, self.capacity // part.component.unit)

    def most_target(self, part: _Part) -> int:
        """The greatest height in units that would be news."""
        return part.height - 1 if self.capacity is None else self.capacity // part.component.unit

    def offer(self, part: _Part, offset: Ints) -> None:
        """Keep a placement that is lower than the best one, or as low with more buffers where they are preferred."""
        height, kept = int((offset + part.component.size).max()), _kept(part.component, offset)
        with self.lock:
            if (height, -kept) < (part.height, -part.kept):
                lower = height < part.height
                part.best, part.height, part.kept = offset, height, kept
                if lower:
                    self.say()
        self.close_if_answered()

    def raise_bound(self, part: _Part, lower: int, evidence: Evidence) -> None:
        """Keep a bound that is higher than the best one."""
        with self.lock:
            if lower > part.lower:
                part.lower, part.evidence = lower, evidence
                self.say()
        self.close_if_answered()

    def close_if_answered(self) -> None:
        if self.height() <= self.goal() or (self.capacity is not None and self.lower() > self.capacity):
            self.halt()

    def halt(self) -> None:
        """Tell every searcher to return."""
        self.closed.set()
        self.stop[0] = True
        with self.lock:
            for interrupt in self.interruptions:
                interrupt()

    def over(self) -> bool:
        """Whether to end: answered, told to, or out of units of a deterministic budget."""
        spent = self.budget.deterministic and self.units >= self.budget.time_limit_s * UNITS_PER_SECOND
        return spent or self.closed.is_set()

    def spend(self, units: int) -> None:
        with self.lock:
            self.units += units

    def say(self) -> None:
        limit = self.budget.time_limit_s
        fraction = min(1.0, self.budget.elapsed_s() / limit) if limit > 0 else 1.0
        self.tell(Progress("placement", fraction, f"height between {self.lower()} and {self.height()} bytes"))

    def adopt(self, offset: Ints) -> None:
        """Offer a placement of the whole arena, in bytes."""
        for part in self.parts:
            self.offer(part, offset[part.component.buffers] // part.component.unit)

    def offset(self) -> Ints:
        """The best placement, in bytes. Buffers of no size are in no component: they lie at the bottom, or fixed."""
        offset = np.maximum(self.arena.fixed, 0)
        for part in self.parts:
            offset[part.component.buffers] = part.best * part.component.unit
        return offset

    def answer(self, seconds: float, first_s: float) -> Placed:
        height, bound = self.height(), self.lower()
        if self.capacity is not None and bound > self.capacity:
            status = Status.INFEASIBLE
        elif self.capacity is not None and height > self.capacity:
            status = Status.UNKNOWN
        else:
            status = Status.OPTIMAL if height <= bound else Status.FEASIBLE
        forcing = [part for part in self.parts if part.lower * part.component.unit == bound]
        strongest = min(forcing, key=lambda part: list(Evidence).index(part.evidence), default=None)
        evidence = Evidence.CERTIFICATE if strongest is None else strongest.evidence
        moment = None if strongest is None else _moment(self.arena, strongest)
        return Placed(status, self.offset(), height, bound, evidence, moment, self.nodes, seconds, first_s)


def _begun(number: int, component: Component, placements: Iterator[Ints]) -> _Part:
    """What is known after first fit. A buffer by itself takes no search: there may be very many of them."""
    if component.size.size == 1:
        size, fixed, preferred = int(component.size[0]), int(component.fixed[0]), int(component.preferred[0])
        at = fixed if fixed >= 0 else max(0, preferred)
        kept = size if at == preferred else 0
        return _Part(number, component, placements, np.array([at]), at + size, kept, max(0, fixed) + size)
    best = next(placements)
    height = int((best + component.size).max())
    return _Part(number, component, placements, best, height, _kept(component, best), component.bound)


def _kept(component: Component, offset: Ints) -> int:
    """Units of buffers that lie where they are preferred to."""
    return int(component.size[(component.preferred >= 0) & (offset == component.preferred)].sum())


def _moment(arena: Arena, part: _Part) -> Moment:
    """What forces the bound of ``part``: its fullest moment, or all of it when a search was exhausted."""
    pieces = arena.pieces()
    own = np.isin(pieces.buffer, part.component.buffers)
    buffer, birth, death = pieces.buffer[own], pieces.birth[own], pieces.death[own]
    if part.evidence is not Evidence.CERTIFICATE:
        return Moment(int(birth.min()), int(death.max()), tuple(np.unique(buffer).tolist()))
    moments, at = np.unique(np.concatenate([birth, death]), return_inverse=True)
    change = np.zeros(moments.size, dtype=np.int64)
    np.add.at(change, at[: buffer.size], arena.size[buffer])
    np.subtract.at(change, at[buffer.size :], arena.size[buffer])
    k = int(np.argmax(np.cumsum(change)))
    alive = buffer[(birth <= moments[k]) & (moments[k] < death)]
    return Moment(int(moments[k]), int(moments[k + 1]), tuple(alive.tolist()))


# -- workers and their turns -----------------------------------------------------------------------------------------


def _run(record: _Record, share: float) -> None:
    """Until the answer is known or this share of the time is spent."""
    late = record.budget.expired() and not record.budget.deterministic
    if late or record.closed.is_set():
        return
    if record.budget.deterministic:
        _Worker(record, 0, 1).run()
        return
    workers = max(1, min(2, record.budget.workers))
    with ThreadPoolExecutor(workers) as threads:
        try:
            running = [threads.submit(_Worker(record, k, workers).run) for k in range(workers)]
            record.closed.wait(record.budget.remaining_s() - (1 - share) * record.budget.time_limit_s)
        finally:
            record.halt()
        for each in running:
            each.result()


class _Searcher(Protocol):
    """One way of looking. ``weight``: its share of a worker's time, relative to the others'."""

    weight: float

    def can(self, part: _Part) -> bool:
        """Whether a turn on ``part`` makes sense."""

    def turn(self, part: _Part, number: int) -> None:
        """The ``number``-th turn on ``part``; what is found goes to the record."""


class _Worker:
    """A thread that gives turns to searchers of its own."""

    def __init__(self, record: _Record, number: int, workers: int) -> None:
        self.record = record
        seed = record.budget.seed * workers + number
        self.searchers: list[_Searcher] = [
            _Constructing(record, first=number == 0),
            _Searching(record, seed),
            _Repairing(record, seed, DESCENTS[number]),
        ]
        if number == 1:
            self.searchers.append(_AskingCpSat(record, seed))
        self.had = [0.0] * len(self.searchers)
        self.turns: dict[tuple[int, int], Iterator[int]] = {}

    def run(self) -> None:
        """Turns until it is over, or until nobody can do more. A mistake ends the other worker too, and is raised."""
        try:
            self.give_turns()
        except BaseException:
            self.record.halt()
            raise

    def give_turns(self) -> None:
        while not self.record.over():
            parts = self.record.open_parts()
            able = [
                (self.had[k] / searcher.weight, k)
                for k, searcher in enumerate(self.searchers)
                if any(searcher.can(part) for part in parts)
            ]
            if not able:
                if self.record.budget.deterministic:
                    return
                self.record.closed.wait(0.05)  # another worker may still find something, or CP-SAT join
                continue
            k = min(able)[1]
            for part in parts:
                if self.searchers[k].can(part) and not self.record.over():
                    self.give_turn(k, part)

    def give_turn(self, k: int, part: _Part) -> None:
        record = self.record
        before, units, height = record.budget.elapsed_s(), record.units, part.height
        self.searchers[k].turn(part, next(self.turns.setdefault((k, part.number), count())))
        spent = record.units - units if record.budget.deterministic else record.budget.elapsed_s() - before
        self.had[k] += max(spent, 1e-6)
        if part.height < height:
            self.had[k] *= REWARD


@dataclass(slots=True)
class _Constructing:
    """First fit in further orders, by one worker only: there are not many, and each is quick."""

    record: _Record
    first: bool
    weight: float = 4.0
    made: dict[int, int] = field(default_factory=dict)

    def can(self, part: _Part) -> bool:
        made = self.made.get(part.number, 1)
        return self.first and made < CONSTRUCTIONS and made * part.component.size.size < MOST_CONSTRUCTED

    def turn(self, part: _Part, number: int) -> None:
        self.made[part.number] = number + 2
        self.record.spend(part.component.size.size)
        offset = next(part.placements, None)
        if offset is not None:
            self.record.offer(part, offset)


class _Searching:
    """Tree search, where its lists are affordable: for the bound, then for heights between it and the best."""

    weight = 1.0

    def __init__(self, record: _Record, seed: int) -> None:
        self.record, self.seed = record, seed
        self.restarts: dict[int, Restarts] = {}

    def can(self, part: _Part) -> bool:
        few = part.component.size.size <= MOST_FOR_SEARCH and _pairs(part.component) <= MOST_PAIRS_FOR_SEARCH
        return few and not _left_to_repair(part.component)

    def turn(self, part: _Part, number: int) -> None:
        record = self.record
        restarts = self.restarts.setdefault(part.number, Restarts(part.component, self.seed))
        nodes = min(FIRST_NODES << min(number, 30), MOST_NODES)
        for target in _ladder(record.least_target(part), record.most_target(part), (0.0, 0.5, 0.75, 1.0)):
            if record.over() or not part.lower <= target < part.height:
                return
            answer = restarts.ask(target, nodes, record.stop)
            record.spend(answer.nodes)
            record.nodes += answer.nodes
            if answer.offset is not None:
                record.offer(part, answer.offset)
            elif answer.found is Found.NONE_EXISTS:
                record.raise_bound(part, target + 1, Evidence.EXHAUSTIVE)


@dataclass(slots=True)
class _Descent:
    """Repair that goes down from the best placement by a ``share`` of the way to the bound at a time."""

    repair: Repair
    share: float
    target: int = -1
    spent: int = 0
    patience: int = 0

    def next_target(self, least: int, part: _Part) -> int:
        """Units to ask for now: what was asked for last while it is news and was not tried for too long."""
        if self.target >= part.height:  # reached, by whomever
            self.share, self.target = min(1.0, 1.1 * self.share), -1
        elif self.target >= 0 and self.spent >= self.patience:
            self.share, self.target, self.patience = self.share / 2, -1, 3 * self.patience // 2
        if self.target < least:
            most = part.height - 1
            self.target, self.spent = max(least, min(most, part.height - round(self.share * (part.height - least)))), 0
        return self.target


class _Repairing:
    """Local search from the best placement: strong on large instances, where tree search is lost.

    It asks for the bound, and going on with another placement for a height on the way there. With many buffers alive at
    a time the bound is out of reach at first, and only the way there is gone.
    """

    def __init__(self, record: _Record, seed: int, share: float) -> None:
        self.record, self.seed, self.share = record, seed, share
        self.weight = 1.0
        self.repairs: dict[int, Repair] = {}
        self.descents: dict[int, _Descent] = {}

    def can(self, part: _Part) -> bool:
        return True

    def turn(self, part: _Part, number: int) -> None:
        record = self.record
        if part.number not in self.descents:
            patience = max(LEAST_PATIENCE, part.component.size.size // 2)
            self.descents[part.number] = _Descent(Repair(part.component, self.seed), self.share, patience=patience)
        descent = self.descents[part.number]
        steps = min(FIRST_STEPS << min(number, 30), MOST_STEPS)
        least, most = record.least_target(part), record.most_target(part)
        if record.capacity is None:
            target = descent.next_target(least, part)
            descent.spent += min(steps, descent.patience)
            self.ask(part, descent.repair, target, min(steps, descent.patience))
        else:
            self.ask(part, descent.repair, most, steps)
        if _dense(part.component):
            return
        repair = self.repairs.get(part.number) or Repair(part.component, self.seed)
        self.repairs[part.number] = repair
        self.ask(part, repair, min(least, most), steps)

    def ask(self, part: _Part, repair: Repair, target: int, steps: int) -> None:
        if self.record.over() or not part.lower <= target < part.height:
            return
        offset = repair.ask(target, part.best, steps, self.record.stop)
        self.record.spend(steps)
        if offset is not None:
            self.record.offer(part, offset)


class _AskingCpSat:
    """CP-SAT on one target after another, longer each time. It joins late: its models take time to build."""

    weight = 1.0

    def __init__(self, record: _Record, seed: int) -> None:
        self.record, self.seed = record, seed
        self.begun = record.budget.elapsed_s()

    def can(self, part: _Part) -> bool:
        late = self.record.budget.elapsed_s() - self.begun >= CP_SAT_JOINS_S
        few = part.component.size.size <= MOST_FOR_CP_SAT
        return late and few and not _left_to_repair(part.component)

    def turn(self, part: _Part, number: int) -> None:
        from .cp_sat_arena import CapacityQuestion

        record = self.record
        targets = _ladder(record.least_target(part), record.most_target(part), (0.0, 0.5, 0.75, 1.0))
        target = targets[number % len(targets)]
        question = CapacityQuestion(record.arena, part.component, target)
        with record.lock:
            record.interruptions = [question.stop]
        limit = min(FIRST_CP_SAT_S * 1.3**number, record.budget.remaining_s())
        if record.over() or limit <= 0:
            return
        verdict = question.ask(limit, seed=self.seed + number, workers=1)
        if verdict.offset is not None:
            record.offer(part, verdict.offset)
        elif verdict.impossible:
            record.raise_bound(part, target + 1, Evidence.SOLVER_CLAIM)


def _ladder(low: int, high: int, rungs: tuple[float, ...]) -> list[int]:
    """Heights between ``low`` and ``high``, both included, at these shares of the way, the lowest first."""
    return sorted({low + round(rung * (high - low)) for rung in rungs}) if low <= high else [high]


def _dense(component: Component) -> bool:
    return _pairs(component) > DENSE * component.section_count


def _left_to_repair(component: Component) -> bool:
    """Whether nobody else should take turns: a node of a tree search costs too much and leads nowhere."""
    return _dense(component) and component.size.size > MOST_DENSE_FOR_SEARCH


def _pairs(component: Component) -> int:
    """Pairs of a buffer and a section in which it lives."""
    return int((component.end - component.first).sum())
