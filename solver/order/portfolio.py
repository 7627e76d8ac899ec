"""The least peak of live bytes over all sequential orders: best order found, best bound proved, and how it is known.

The members, each where it is strong: greedy orders and beams from both ends (at once), minimum cuts (a bound with a
witness, at once), annealing (the last percents of an order), the exact search from both ends (proofs, and orders that
no local step finds), branching on precedence (bounds on wide graphs), CP-SAT (small graphs that resist). They take
turns in rounds of growing length; annealing runs beside the others on a second core.

Anytime: ends when both sides meet, when the peak is at most what the caller calls enough, when that is proved out of
reach, or when the time is spent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import gcd
from time import monotonic

import numpy as np

from ..arrays import Ints
from ..budget import Budget, Progress
from ..plan import Bound, Evidence
from ..problem import Problem
from ..units import format_size
from .bounds import Force, min_cut_bounds, peak_bounds
from .branching import PrecedenceBranching, legal
from .coarse import untouched
from .compact import Compact
from .constructive import RULES, beam, greedy
from .cp_sat_order import order_below
from .exact import ExactSearch
from .live import Live
from .local_search import anneal, order_value, usages
from .multilevel import Ladder
from .series_parallel import in_line
from .two_sided import two_sided

MOST_TASKS_FOR_CP_SAT = 400
"""Beyond, CP-SAT finds nothing and proves nothing in the seconds it would get."""

FIRST_ROUND_S, LONGEST_ROUND_S = 0.1, 3.0

BEAM_STATES = 40_000
"""Width times tasks of the beam; a second at most."""

MOVES_PER_SECOND, NODES_PER_SECOND, DECISIONS_PER_SECOND, ASKS_OF_A_ROUND = 50_000, 50_000, 5000, 30
"""What one second of a deterministic budget buys, and how often the exact search is asked in a round."""

USES_OF_A_MOVE = 1000
"""Beyond so many uses in the whole problem a move of annealing costs more, in proportion."""

HEATS = (0.02, 0.005, 0.05)
"""First temperatures of annealing, in turns."""


@dataclass(frozen=True, slots=True)
class LeastPeak:
    """Answer to the order problem.

    ``order``: task ids, every predecessor first. ``peak``: bytes, sum over pools of the pool's own peak in that order.
    ``bounds``: what no order beats, best first: ``peak_live`` (all pools at one moment) or ``footprint`` (pools added
    up; only with several pools). ``force``: the task and the buffers that force the strongest checkable bound (None
    without resident buffers). ``moment``: the task during which the order reaches its peak. ``seconds``: wall clock.
    """

    order: tuple[str, ...]
    peak: int
    bounds: tuple[Bound, ...]
    force: Force | None
    moment: str | None
    seconds: float

    @property
    def lower(self) -> int:
        """The best proved lower bound on the value, in bytes."""
        return max((b.value for b in self.bounds), default=0)

    @property
    def proved(self) -> bool:
        """Whether no order is better."""
        return self.peak <= self.lower

    @property
    def evidence(self) -> Evidence | None:
        """How the best bound is known (the strongest kind where several have its value); None without buffers."""
        best = [b.evidence for b in self.bounds if b.value == self.lower]
        return min(best, key=list(Evidence).index, default=None)


def least_peak(
    problem: Problem,
    budget: Budget,
    *,
    enough: int = 0,
    observer: Callable[[Progress], None] | None = None,
) -> LeastPeak:
    """The best order and the best bound found within the budget's time limit.

    Ends early at a peak of at most ``enough`` bytes, or when ``enough`` (if positive) is proved out of reach.
    Deterministic budgets count moves, states and decisions instead of seconds.
    """
    budget = budget.start()
    begun = budget.elapsed_s()
    search = _Portfolio(problem, budget, enough, observer or (lambda _: None))
    search.run()
    return search.answer(budget.elapsed_s() - begun)


class _Portfolio:
    """State of one search: the best order, the bounds, and the members."""

    def __init__(self, problem: Problem, budget: Budget, enough: int, tell: Callable[[Progress], None]) -> None:
        self.problem, self.budget, self.enough, self.tell = problem, budget, enough, tell
        self.live = live = Live.of(problem)
        self.line = in_line(live)  # fewer orders, an optimal one among them
        self.forward = two_sided(self.line, backward=False)
        self.backward = two_sided(self.line, backward=True)
        self.unit = gcd(*(int(s) for s in live.size)) or 1
        number = {t: i for i, t in enumerate(live.tasks)}
        topological = np.array([number[t] for t in problem.graph.topological_order], dtype=np.int64)
        self.best: Ints = legal(self.line, (), topological)
        self.guide = self.best  # the best order that is legal in line, where others start from
        self.finest = untouched(self.line)  # the same least peak with fewer tasks, once the ladder stands
        self.peak = int(order_value(self.best, self.forward))
        self.bounds: list[Bound] = []
        self.force: Force | None = None
        self.lows = np.zeros(len(live.pools), np.int64)
        self.nodes_per_second = float(NODES_PER_SECOND)
        self.moves_per_second = MOVES_PER_SECOND / max(1.0, live.uses.index.size / USES_OF_A_MOVE)
        self.nodes = 0

    # -- the story ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        if not self.live.groups:
            return
        self.construct()
        self.bound()
        if self.closed():
            return
        ladder = Ladder(self.line, self.peak, self.within(0.1))
        self.finest = ladder.finest
        exact = ExactSearch(self.finest.live, self.lows, seed=self.budget.seed)
        branching = PrecedenceBranching(self.finest.live)
        with ThreadPoolExecutor(1) as second_core:
            for number, seconds in enumerate(self.rounds()):
                annealing = second_core.submit(self.annealed, ladder, self.guide, number, seconds)
                if self.alone():
                    annealing.result()
                self.search(exact, seconds)
                if not self.closed():
                    self.branch(branching, seconds)
                if not self.closed() and seconds >= 1 and number % 2:
                    self.ask_cp_sat(seconds)
                self.offer(annealing.result())
                if self.closed():
                    return

    def rounds(self) -> Iterator[float]:
        """Lengths of the rounds in seconds, doubling, within what is left of the budget."""
        length, spent = FIRST_ROUND_S, 0.0
        while True:
            left = self.budget.time_limit_s - spent if self.budget.deterministic else self.budget.remaining_s()
            if left <= 0.01:
                return
            # A round visits up to three members one after another.
            yield min(length, left / 3)
            spent += 3 * length
            length = min(LONGEST_ROUND_S, 2 * length)

    def closed(self) -> bool:
        """Whether the answer is known: both sides meet, or the caller's question is decided."""
        return self.peak <= max(self.lower(), self.enough) or (0 < self.enough < self.lower())

    def lower(self) -> int:
        return max((b.value for b in self.bounds), default=0)

    def alone(self) -> bool:
        """Whether annealing may not run beside the others."""
        return self.budget.deterministic or self.budget.workers < 2

    # -- members -----------------------------------------------------------------------------------------------

    def construct(self) -> None:
        """Greedy orders and beams from both ends."""
        width = max(2, BEAM_STATES // 8 // self.live.task_count)
        for rule in (*RULES, None):
            for backward in (False, True):
                if self.late(0.2):
                    return
                form = self.backward if backward else self.forward
                seed = self.budget.seed
                order = beam(width, seed, form) if rule is None else greedy(rule, 0.0, seed, form)
                self.offer(order[::-1].copy() if backward else order)

    def bound(self) -> None:
        """Bounds that are checked by adding up: sets that are alive at one moment, minimum cuts, sums over pools."""
        sets, self.force = peak_bounds(Compact.of(self.problem))
        self.bounds = list(sets)
        if self.closed() and len(self.live.pools) == 1:
            return
        cuts = min_cut_bounds(self.live, self.best, enough=self.peak, go_on=self.within(0.3))
        self.lows = cuts.lows
        if cuts.force is not None and (self.force is None or cuts.force.bytes > self.force.bytes):
            self.force = cuts.force
        for bound in reversed(cuts.bounds):  # the peak before the sum over pools, which is never less
            if bound.value > self.lower():
                self.claim(bound)

    def annealed(self, ladder: Ladder, start: Ints, number: int, seconds: float) -> Ints:
        """The best order that annealing finds in about ``seconds``: from ``start``, or (every third time) a new one;
        where there are levels, by climbing them (two times of three).
        """
        seed = self.budget.seed * 1009 + number
        if len(ladder.levels) > 1 and number % 3 < 2:
            return ladder.climb(start, max(200, int(seconds * self.moves_per_second)), number, seed)
        if number % 3 == 2:
            form = self.forward if number % 2 else self.backward
            start = greedy(RULES[number % len(RULES)], 0.05, seed, form)
            start = start if form is self.forward else start[::-1].copy()
        moves = max(200, int(seconds * self.moves_per_second))
        before = monotonic()
        order, _ = anneal(start, moves, seed, HEATS[number % len(HEATS)], self.forward)
        if not self.budget.deterministic:
            self.moves_per_second = max(100.0, moves / max(1e-4, monotonic() - before))
        result: Ints = order
        return result

    def search(self, exact: ExactSearch, seconds: float) -> None:
        """Ask the exact search: below the best order, at the bound, and between; or what the caller asks."""
        until = self.within_seconds(seconds)
        while not self.closed() and until():
            low, high = self.lower(), self.peak - self.unit
            if low <= self.enough < high:
                low = high = self.enough
            before, decided = monotonic(), False
            for ceiling in sorted({low, high, (low + high) // 2}, key=lambda c: (c != high, c)):
                if self.closed() or not until() or not self.lower() <= ceiling < self.peak:
                    continue
                nodes = max(500, int(self.nodes_per_second * seconds / 3))
                answer = exact.ask(ceiling, nodes, self.finest.outline(self.guide), until)
                self.nodes += answer.nodes
                spent = monotonic() - before
                if not self.budget.deterministic and answer.nodes > 1000:
                    self.nodes_per_second = max(1000.0, answer.nodes / max(1e-4, spent))
                before = monotonic()
                if answer.order is not None:
                    self.offer(self.finest.whole(answer.order))
                if answer.above is not None:
                    quantity = "peak_live" if len(self.live.pools) == 1 else "footprint"
                    witness = {"search": "both ends", "states": self.nodes, "seed": self.budget.seed}
                    self.claim(Bound(quantity, answer.above, "order_search", Evidence.EXHAUSTIVE, witness))
                decided = decided or answer.order is not None or answer.above is not None
            if not decided:
                return

    def branch(self, branching: PrecedenceBranching, seconds: float) -> None:
        """Raise the bound by branching on precedence (all pools together)."""
        if branching.stuck:
            return
        outline = self.finest.outline(self.guide)
        value = branching.run(outline, self.peak, self.within_seconds(seconds, steps=DECISIONS_PER_SECOND))
        if value > self.lower():
            witness = {"search": "precedence", "decisions": branching.nodes}
            self.claim(Bound("peak_live", value, "precedence_branching", Evidence.EXHAUSTIVE, witness))

    def ask_cp_sat(self, seconds: float) -> None:
        """Ask CP-SAT for an order below the best one, or below what the caller calls enough."""
        if self.live.task_count > MOST_TASKS_FOR_CP_SAT or len(self.live.pools) > 1:
            return
        ceiling = self.enough if self.lower() <= self.enough < self.peak else self.peak - self.unit
        answer = order_below(Compact.of(self.problem), ceiling, seconds, self.budget)
        if answer.order is not None:
            self.offer(answer.order, guides=False)
        # The model fixes who shares bytes in place, which orders need not: its no is none where sharing is permitted.
        if answer.impossible and not any(t.in_place for t in self.problem.tasks):
            value = (ceiling // self.unit + 1) * self.unit
            self.claim(Bound("peak_live", value, "cp_sat", Evidence.SOLVER_CLAIM, answer.parameters))

    # -- results -----------------------------------------------------------------------------------------------

    def offer(self, order: Ints, *, guides: bool = True) -> None:
        """Keep ``order`` if it is not worse than the best one; ``guides``: it is legal in line."""
        peak = int(order_value(order, self.forward))
        if peak < self.peak:
            self.say(peak, self.lower())
        if peak <= self.peak:
            self.best, self.peak = order, peak
            if guides:
                self.guide = order

    def claim(self, bound: Bound) -> None:
        """Keep ``bound``; a weaker one of the same kind is dropped."""
        if bound.value > self.lower():
            self.say(self.peak, bound.value)
        self.bounds = [b for b in self.bounds if (b.quantity, b.method) != (bound.quantity, bound.method)]
        self.bounds.append(bound)
        self.bounds.sort(key=lambda b: -b.value)

    def say(self, peak: int, lower: int) -> None:
        spent = self.budget.elapsed_s() / self.budget.time_limit_s if self.budget.time_limit_s > 0 else 1.0
        between = f"least peak between {format_size(lower)} and {format_size(peak)}"
        self.tell(Progress("order", min(1.0, spent), between if lower < peak else f"least peak {format_size(peak)}"))

    def answer(self, seconds: float) -> LeastPeak:
        moment = None
        if self.live.groups:
            moment = self.live.tasks[int(self.best[usages(self.best, self.forward).sum(axis=1).argmax()])]
        return LeastPeak(
            order=tuple(self.live.tasks[t] for t in self.best),
            peak=self.peak,
            bounds=tuple(self.bounds),
            force=self.force,
            moment=moment,
            seconds=seconds,
        )

    # -- time --------------------------------------------------------------------------------------------------

    def late(self, share: float) -> bool:
        """Whether ``share`` of the time limit is spent (never, when work is counted instead)."""
        return not self.budget.deterministic and self.budget.elapsed_s() > share * self.budget.time_limit_s

    def within(self, share: float) -> Callable[[], bool]:
        """Says whether there is time left in the first ``share`` of the time limit."""
        return lambda: not self.late(share)

    def within_seconds(self, seconds: float, steps: int = 0) -> Callable[[], bool]:
        """Says whether ``seconds`` from now are not over; deterministic: whether it was asked too often."""
        if self.budget.deterministic:
            left = iter(range(max(1, int(seconds * steps)) if steps else ASKS_OF_A_ROUND))
            return lambda: next(left, None) is not None
        until = min(self.budget.elapsed_s() + seconds, self.budget.time_limit_s)
        return lambda: self.budget.elapsed_s() < until
