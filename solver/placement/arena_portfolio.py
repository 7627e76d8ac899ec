"""One arena placed as low as it can be, or within a capacity: first fit, tree search, and CP-SAT beside it.

The bound comes first: a placement that must waste nothing is often found sooner than one that may waste a little,
because every wrong start is refuted early; and when it is found, it is proved. Where it does not come, targets between
the bound and the best height are asked as well. All members share one record of bounds and placements; the search ends
when both meet, when the capacity is decided, or when the time is spent.

Tree search turns through: each static order with jumps, many short searches with noisy orders, one search that can
prove. Nodes per question double from round to round. Runs are heavy-tailed: where any order helps, it needs a few
hundred to a few thousand nodes, so that many short runs beat few long ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock

import numpy as np
from numba import njit

from ..budget import Budget, Progress
from ..order.compact import Ints
from ..plan import Evidence
from ..plan.proof import Status
from .arena import Arena, Component, components
from .cp_sat_arena import CapacityQuestion
from .tree_search import NOISY_ORDERS, STATIC_ORDERS, Found, rank_by, search

FIRST_NODES, MOST_NODES = 3000, 400_000
"""Nodes of one search in the first round, and in the longest."""

RESTART_NODES = 4000
"""Nodes of the shortest noisy search; the others follow Luby, Sinclair and Zuckerman (1993)."""

NOISY_SHARE = 4
"""Nodes of all noisy searches of a round, in multiples of those of the static orders: on the hardest of the published
instances no static order finds anything in two million nodes, and a few in a hundred noisy searches do in 10 000."""

NOISES = (0.1, 0.3, 0.1, 1.0)
"""Standard deviations of the logarithms of what an order sorts by, in turns."""

NODES_PER_SECOND = 100_000
"""What one second of a deterministic budget buys."""

CP_SAT_JOINS_S, FIRST_CP_SAT_S = 2.0, 4.0
"""Most problems are solved before CP-SAT would have built its model."""

MOST_BUFFERS_FOR_SEARCH = 6000
"""Buffers of a component beyond which only first fit is affordable: the search holds a matrix of neighbours."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Answer for one arena.

    ``status``: OPTIMAL (``height`` equals ``bound``), FEASIBLE, INFEASIBLE (``bound`` exceeds the capacity) or UNKNOWN
    (nothing within the capacity was found). ``offset``: bytes, the best placement known, even one above the capacity;
    None when none is. ``bound``: bytes below which no placement stays, with its ``evidence``. ``nodes``: of the tree
    search; ``seconds``: wall clock.
    """

    status: Status
    offset: Ints | None
    height: int | None
    bound: int
    evidence: Evidence
    nodes: int
    seconds: float

    @property
    def gap(self) -> float | None:
        """(height - bound) / height; None without a placement."""
        return None if self.height is None else (self.height - self.bound) / max(1, self.height)


def place_arena(
    arena: Arena,
    budget: Budget,
    *,
    capacity: int | None = None,
    observer: Callable[[Progress], None] | None = None,
) -> Placed:
    """Offsets with the least height found in the budget; with a ``capacity``, ends at the first that is within it.

    A deterministic budget counts nodes on one thread and leaves CP-SAT out.
    """
    budget = budget.start()
    begun = budget.elapsed_s()
    portfolio = _Portfolio(arena, budget, capacity, observer or (lambda _: None))
    portfolio.run()
    return portfolio.answer(budget.elapsed_s() - begun)


@dataclass(slots=True)
class _Part:
    """What is known about one component, in its units. ``best`` is at most ``height`` high."""

    component: Component
    best: Ints
    height: int
    lower: int
    evidence: Evidence = Evidence.CERTIFICATE
    seed: int = 0
    tried: int = field(default=0)


class _Portfolio:
    """State of one search, shared by its members under a lock."""

    def __init__(self, arena: Arena, budget: Budget, capacity: int | None, tell: Callable[[Progress], None]) -> None:
        self.arena, self.budget, self.capacity, self.tell = arena, budget, capacity, tell
        self.lock, self.closed, self.stop = Lock(), Event(), np.zeros(1, np.bool_)
        self.question: CapacityQuestion | None = None
        self.nodes = 0
        self.parts: list[_Part] = []
        for component in components(arena):
            best = _first_fit_best(component)
            self.parts.append(_Part(component, best, int((best + component.size).max()), component.bound))
        self.close_if_answered()

    # -- the story ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the answer is known or the time is spent."""
        if self.closed.is_set():
            return
        if self.budget.deterministic:
            self.climb()
            return
        members = [self.climb, self.ask_cp_sat] if self.budget.workers > 1 else [self.climb]
        with ThreadPoolExecutor(len(members)) as threads:
            try:
                running = [threads.submit(member) for member in members]
                self.closed.wait(self.budget.remaining_s())
            finally:
                self.halt()
            for each in running:
                each.result()

    def halt(self) -> None:
        """Tell every member to return."""
        self.closed.set()
        self.stop[0] = True
        with self.lock:
            if self.question is not None:
                self.question.stop()

    def climb(self) -> None:
        """Tree search, round after round, on every component that still matters."""
        nodes = FIRST_NODES
        number = 0
        while not self.over():
            open_parts = [part for part in self.parts if self.matters(part) and _searchable(part)]
            if not open_parts:
                return
            for part in open_parts:
                for target in self.targets(part):
                    self.search_target(part, target, nodes, number)
            number += 1
            nodes = min(2 * nodes, MOST_NODES)

    def search_target(self, part: _Part, target: int, nodes: int, number: int) -> None:
        """One round for one target: static orders, noisy ones, one that can prove."""
        for key, seed, noise, limit, jumps in self.runs(part, nodes, number):
            if self.over() or not part.lower <= target < part.height:
                return
            rank = rank_by(part.component, key, noise, seed)
            answer = search(part.component, target, rank, limit, jumps=jumps, stop=self.stop)
            self.nodes += answer.nodes
            if answer.offset is not None:
                self.offer(part, answer.offset)
            elif answer.found is Found.NONE_EXISTS:
                self.raise_bound(part, target + 1, Evidence.EXHAUSTIVE)

    def runs(self, part: _Part, nodes: int, number: int) -> Iterator[tuple[str, int, float, int, bool]]:
        """Order, seed, noise, nodes and whether to jump, of the searches of one round."""
        for key in STATIC_ORDERS:
            yield key, 0, 0.0, nodes, True
        spent = 0
        while spent < NOISY_SHARE * len(STATIC_ORDERS) * nodes:
            part.tried += 1
            limit = RESTART_NODES * _luby(part.tried)
            key = NOISY_ORDERS[part.tried % len(NOISY_ORDERS)]
            noise = NOISES[part.tried // len(NOISY_ORDERS) % len(NOISES)]
            yield key, self.budget.seed * 1_000_003 + part.tried, noise, limit, True
            spent += limit
        yield STATIC_ORDERS[number % len(STATIC_ORDERS)], 0, 0.0, nodes, False

    def ask_cp_sat(self) -> None:
        """CP-SAT on one target after another, longer each time."""
        seconds, number = FIRST_CP_SAT_S, 0
        self.closed.wait(CP_SAT_JOINS_S)
        while not self.over():
            open_parts = [part for part in self.parts if self.matters(part) and _searchable(part)]
            if not open_parts:
                return
            for part in open_parts:
                targets = self.targets(part)
                if not targets or self.over():
                    continue
                target = targets[number % len(targets)]
                question = CapacityQuestion(self.arena, part.component, target)
                with self.lock:
                    self.question = question
                limit = min(seconds, self.budget.remaining_s())
                if self.over() or limit <= 0:
                    return
                verdict = question.ask(limit, seed=self.budget.seed + number, workers=1)
                if verdict.offset is not None:
                    self.offer(part, verdict.offset)
                elif verdict.impossible:
                    self.raise_bound(part, target + 1, Evidence.SOLVER_CLAIM)
            number += 1
            seconds *= 1.3

    # -- the record --------------------------------------------------------------------------------------------

    def lower(self) -> int:
        """Bytes below which the arena cannot be placed."""
        return max((part.lower * part.component.unit for part in self.parts), default=0)

    def height(self) -> int:
        """Bytes of the best placement of all components."""
        return max((part.height * part.component.unit for part in self.parts), default=0)

    def goal(self) -> int:
        """Bytes that are good enough: the capacity, or the bound when there is nothing to reach but the optimum."""
        return self.lower() if self.capacity is None else max(self.capacity, 0)

    def matters(self, part: _Part) -> bool:
        """Whether ``part`` keeps the arena from its goal."""
        return part.height * part.component.unit > self.goal()

    def targets(self, part: _Part) -> list[int]:
        """Heights in units to ask for: the bound of the arena, the capacity, and steps down from the best height."""
        unit = part.component.unit
        low = max(part.lower, self.lower() // unit)
        if self.capacity is not None:
            return sorted({min(low, self.capacity // unit), self.capacity // unit})
        high = part.height - 1
        ladder = {low, high, (low + high) // 2, (low + 3 * high) // 4}
        return sorted(target for target in ladder if low <= target <= high)

    def offer(self, part: _Part, offset: Ints) -> None:
        """Keep a placement that is lower than the best one."""
        with self.lock:
            height = int((offset + part.component.size).max())
            if height < part.height:
                part.best, part.height = offset, height
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
            self.closed.set()
            self.stop[0] = True

    def over(self) -> bool:
        """Whether to end: answered, told to, or out of nodes of a deterministic budget."""
        spent = self.budget.deterministic and self.nodes >= self.budget.time_limit_s * NODES_PER_SECOND
        return spent or self.closed.is_set()

    def say(self) -> None:
        limit = self.budget.time_limit_s
        fraction = min(1.0, self.budget.elapsed_s() / limit) if limit > 0 else 1.0
        self.tell(Progress("placement", fraction, f"height between {self.lower()} and {self.height()} bytes"))

    def answer(self, seconds: float) -> Placed:
        # Buffers of no size are in no component: they lie at the bottom, or where they are fixed.
        offset = np.maximum(self.arena.fixed, 0)
        for part in self.parts:
            offset[part.component.buffers] = part.best * part.component.unit
        height, bound = self.height(), self.lower()
        strongest = [p.evidence for p in self.parts if p.lower * p.component.unit == bound]
        if self.capacity is not None and bound > self.capacity:
            status = Status.INFEASIBLE
        elif self.capacity is not None and height > self.capacity:
            status = Status.UNKNOWN
        else:
            status = Status.OPTIMAL if height <= bound else Status.FEASIBLE
        evidence = min(strongest, key=list(Evidence).index, default=Evidence.CERTIFICATE)
        return Placed(status, offset, height, bound, evidence, self.nodes, seconds)


def _searchable(part: _Part) -> bool:
    return part.component.size.size <= MOST_BUFFERS_FOR_SEARCH


def _luby(i: int) -> int:
    """The ``i``-th member, from 1, of 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ..."""
    k = i.bit_length()
    return 2 ** (k - 1) if i == 2**k - 1 else _luby(i - 2 ** (k - 1) + 1)


def _first_fit_best(component: Component) -> Ints:
    """Offsets of the lowest of the placements that first fit makes in its static orders."""
    offsets = (
        _first_fit(
            np.argsort(rank_by(component, key)),
            component.size,
            component.alignment,
            component.fixed,
            *component.neighbours,
        )
        for key in (*STATIC_ORDERS, "ZW", "A")
    )
    best: Ints = min(offsets, key=lambda offset: int((offset + component.size).max()))
    return best


@njit(cache=True, nogil=True)
def _first_fit(order, size, alignment, fixed, near_start, near):  # type: ignore[no-untyped-def]
    """Offsets when buffers are placed in ``order``, each at the lowest aligned offset that its neighbours leave."""
    offset = fixed.copy()
    for b in order:
        if fixed[b] >= 0:
            continue
        placed = near[near_start[b] : near_start[b + 1]]
        placed = placed[offset[placed] >= 0]
        at = np.int64(0)
        for u in placed[np.argsort(offset[placed])]:
            if offset[u] >= at + size[b]:
                break
            top = offset[u] + size[u]
            if top > at:
                at = (top + alignment[b] - 1) // alignment[b] * alignment[b]
        offset[b] = at
    return offset
