"""Buffers in several partitions, times given: placed, or shown to be impossible, or neither within the budget.

What counting refutes is refuted at once. Where first fit finds no placement at once, CP-SAT is asked by itself for a
short while whether there is a choice of partitions at all. Then two members work side by side on one record. One fills
and repairs (``partition_search``); for a small footprint it lowers the partitions bit by bit and repairs what no longer
fits. The other asks CP-SAT: is there a choice of partitions at all (what that refutes has no placement), and, for small
questions, is there a placement. Choices of partitions that CP-SAT finds become starts of the first member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Event, Lock

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints
from ..budget import Budget, Progress
from ..plan import Evidence, Status
from .arena_portfolio import place_arena
from .cp_sat_partitions import Leave, choose_partitions, place_exactly
from .partition_bounds import Impossible, least_footprint, refuted_by_counting, refuted_by_peaks
from .partition_colouring import Colouring
from .partition_deal import arena_of, deal, is_vast, peaks, place_cells
from .partition_question import Moment, Partitioned, disagreements, heights, slices
from .partition_search import FIRST, LEAST_GROWTH, LOWEST, Arrays, Filled

SQUEAKS = 40
"""Orders that first fit tries before repair begins; nearly all that it can do it does in the first few."""

SQUEAKS_SHARE = 0.05
"""Share of the time for a first round of them, before anything is proved."""

REPAIR_STEPS = 20_000
"""Steps of one repair; the next begins from another filling."""

COLOURING_STEPS = 20_000
"""Steps of the first annealing of a colouring; each further one has twice as many, up to 32 times."""

MOST_BLOCKS_FOR_EXACT = 200
"""Blocks beyond which the whole question is no question for CP-SAT."""

MOST_TERMS = 1_500_000
"""Block-moment-partition triples beyond which building the relaxation would take longer than it may have."""

FEW_BLOCKS = 12
"""Up to so many blocks CP-SAT minimises the footprint by itself; beyond, it is asked for feasibility only."""

HEADROOMS = (0.08, 0.03, 0.0)
"""Shares of the partitions that a colouring leaves free for holes, the easiest to place first."""

EXPLAINING_S = 2.0
"""Seconds for the short stretch of time that shows a contradiction; the answer itself is known by then."""

ALONE_SHARE, ALONE_S = 0.2, 3.0
"""Share of the time, and seconds, for which CP-SAT has the processor to itself before anything is repaired."""

COARSE = (3, 8, 20)
"""Parts of a partition: without the blocks below one, the relaxation becomes small enough to be answered."""

STEPS_PER_SECOND = 20_000
"""Steps of repair that one second of a deterministic budget buys."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Answer to a partitioned question.

    ``status``: OPTIMAL (``footprint`` equals ``bound``), FEASIBLE, INFEASIBLE (``impossible`` says why) or UNKNOWN.
    ``partition`` and ``offset``: per buffer, where its region begins; None without a placement. ``footprint``: sum over
    the partitions of the highest byte used. ``bound``: bytes that no placement undercuts, with its ``evidence``.
    """

    status: Status
    partition: Ints | None
    offset: Ints | None
    footprint: int | None
    bound: int
    evidence: Evidence
    impossible: Impossible | None
    seconds: float


def place_partitioned(
    question: Partitioned,
    budget: Budget,
    *,
    minimise: bool,
    observer: Callable[[Progress], None] | None = None,
    enough: int = 0,
) -> Placed:
    """Where every buffer lies; ends at the first placement, or with ``minimise`` at the least footprint.

    ``enough``: a footprint that need not be undercut. A deterministic budget counts steps, on one thread.
    """
    budget = budget.start()
    begun = budget.elapsed_s()
    search = _Search(question, budget, minimise, enough, observer or (lambda _: None))
    if search.vast:
        search.deal()
    else:
        search.run()
    return search.answer(budget.elapsed_s() - begun)


class _Search:
    """State of one search, shared by its members under a lock. Placements are per block, offsets in the partition."""

    def __init__(
        self, question: Partitioned, budget: Budget, minimise: bool, enough: int, tell: Callable[[Progress], None]
    ) -> None:
        self.question, self.budget, self.minimise, self.enough, self.tell = question, budget, minimise, enough, tell
        self.lock, self.closed, self.stop = Lock(), Event(), np.zeros(1, np.bool_)
        self.best: tuple[Ints, Ints] | None = None
        self.footprint: int | None = None
        self.vast = is_vast(question)
        self.bound = sum(peaks(question)) if self.vast else least_footprint(question)
        self.evidence = Evidence.CERTIFICATE
        self.impossible = refuted_by_peaks(question, self.bound) if self.vast else refuted_by_counting(question)
        self.proposals: SimpleQueue[Ints] = SimpleQueue()
        self.random = np.random.default_rng(budget.seed)
        self.steps = 0
        self.leave = Leave()
        self.relaxed_holds = False
        sizes = [block.size for block in question.blocks] or [0]
        levels = [min(question.partitions) // share for share in COARSE]
        self.coarse = [smallest for smallest in levels if min(sizes) < smallest <= max(sizes)]
        if self.impossible is None and not self.vast:
            self.arrays = Arrays(question)
        if not question.blocks:
            self.offer(np.zeros(0, np.int64), np.zeros(0, np.int64))
        self.close_if_answered()

    # -- the story ---------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the answer is known or the time is spent."""
        if self.closed.is_set():
            return
        self.fill_quickly()
        if self.closed.is_set():
            return
        if self.budget.deterministic:
            self.prove()
            self.search()
            return
        self.squeaky(self.budget.elapsed_s() + SQUEAKS_SHARE * self.budget.remaining_s())
        if not self.closed.is_set():
            self.prove_alone()
        if self.closed.is_set():
            return
        members = (self.search, self.prove) if self.budget.workers > 1 else (self.in_turns,)
        with ThreadPoolExecutor(len(members)) as threads:
            try:
                running = [threads.submit(member) for member in members]
                self.closed.wait(self.budget.remaining_s())
            finally:
                self.halt()
                while wait(running, timeout=0.05).not_done:
                    self.leave.stop()
            for each in running:
                each.result()

    def deal(self) -> None:
        """A vast question: blocks dealt out in order of time, every cell placed by itself; again while there is time.

        What is held at an offset, a pool's limit and blocks that span are left to the check of what comes out.
        """
        # The check of the result and its conversion take what the deal takes; it is not begun where they would be late.
        attempt = 0
        while not self.closed.is_set():
            before = self.budget.elapsed_s()
            cells = deal(self.question, attempt, lambda: self.past(self.budget.time_limit_s))
            taken = self.budget.elapsed_s() - before
            limit = self.budget.time_limit_s - 1.5 * taken
            if cells is not None:
                placing = replace(self.budget, time_limit_s=max(limit, self.budget.elapsed_s()))
                placed = place_cells(self.question, cells, placing, minimise=self.minimise)
                if placed is not None:
                    self.offer(*placed)
            attempt += 1
            if (self.minimise and self.best is not None) or self.budget.deterministic or self.past(limit - taken):
                return

    def in_turns(self) -> None:
        """Both members on one thread: CP-SAT answers few blocks at once, the others are searched first."""
        few = len(self.question.blocks) <= FEW_BLOCKS
        self.search(self.budget.elapsed_s() + (0.0 if few else 0.2) * self.budget.remaining_s())
        self.prove(self.budget.elapsed_s() + 0.5 * self.budget.remaining_s())
        self.search()

    def halt(self) -> None:
        """Tell every member to return."""
        self.closed.set()
        self.stop[0] = True

    # -- filling and repairing -----------------------------------------------------------------------------------

    def fill_quickly(self) -> None:
        """First fit in a handful of orders, wishes first."""
        q = self.question
        windows = self.windows(self.needs(), q.partitions) if self.anchored() else None
        prefer = self.arrays.preferred
        for policy in (LEAST_GROWTH, LOWEST, FIRST):
            for order in self.orders():
                filled = self.arrays.fill(order, prefer, policy, windows, self.arrays.preferred_offset)
                if filled.complete:
                    self.offer_filled(filled, windows)
                    if self.closed.is_set() or (prefer >= 0).any():
                        return

    def orders(self) -> list[Ints]:
        """Static orders: held first, then by size, area, duration, start, and tasks as they start."""
        a = self.arrays
        free = a.held_offset < 0
        writer = np.array([min((a.running[t, 0] for t, _ in b.written), default=-1) for b in self.question.blocks])
        wishes = a.preferred < 0
        whole = a.size <= a.capacity.min()  # what spans partitions begins them
        keys = (
            (-a.duration, -a.size),
            (-a.size * a.duration.astype(np.float64),),
            (-a.size, -a.duration),
            (-a.size, a.start),
            (-a.size, writer, a.start),
        )
        return [np.lexsort((*key, whole, wishes, free)).astype(np.int64) for key in keys]

    def search(self, until: float | None = None) -> None:
        """Squeaky wheels and repairs until there is a placement; then lower footprints, where they are wanted."""
        until = self.budget.time_limit_s if until is None else until
        proposals = []
        while (proposal := self.proposal()) is not None:
            proposals.append(proposal)
        for proposal in reversed(proposals):  # the last is the one that says most
            self.follow(proposal, until)
        round_number = 0
        while not self.over(until) and self.best is None:
            start, windows = self.squeaky(until)
            for _ in range(4):
                if self.over(until) or self.best is not None:
                    break
                self.repaired(*start, windows, REPAIR_STEPS)
                proposal = self.proposal()
                if proposal is not None:
                    self.follow(proposal, until)
                elif len(self.question.limits) > 1 or self.anchored():
                    windows = self.windows(self.needs_of(start[0]), self.question.partitions)
                    start = self.inside(start, windows)
            round_number += 1
            if self.best is None:
                self.colour(until, COLOURING_STEPS * 2 ** min(round_number, 5))
        if self.minimise:
            self.lower_footprint(until)

    def follow(self, proposal: Ints, until: float) -> None:
        """Complete a choice of partitions that CP-SAT proposes; blocks without one (-1) are coloured around it."""
        if self.over(until) or self.best is not None:
            return
        if (proposal >= 0).all():
            self.from_partitions(proposal, until)
            return
        given = {k: int(p) for k, p in enumerate(proposal) if p >= 0}
        self.colour(until, COLOURING_STEPS * 4, given)
        if not self.over(until) and self.best is None:
            self.from_partitions(proposal, until)

    def colour(self, until: float, steps: int, given: dict[int, int] | None = None) -> None:
        """Colourings of the tasks with less and less room to spare, each filled and repaired as it is.

        ``given``: partitions of blocks that keep them, among them all that span.
        """
        # What spans partitions is put in place by chance, another time each time; the rest is coloured around it.
        colouring = Colouring(self.question, int(self.random.integers(2**31)), given)
        if not colouring.possible:
            return
        for headroom in HEADROOMS:
            if self.over(until) or self.best is not None:
                return
            seed = int(self.random.integers(2**31))
            found = colouring.anneal(steps, seed, headroom, self.stop)
            self.steps += steps // 10
            if found is None:
                return
            partition, excess = found
            if excess <= 0.0 or headroom == HEADROOMS[-1]:
                self.from_partitions(partition, until)

    def from_partitions(self, partition: Ints, until: float) -> None:
        """Offsets for a choice of partitions: first fit, repair in each partition, then with moves between them."""
        a, q = self.arrays, self.question
        free = len(q.limits) == 1 and not self.anchored()
        only = a.may.copy()
        told = partition >= 0
        only[told] = False
        only[told, partition[told]] = True
        for order in self.orders():
            filled = a.fill(order, partition, LEAST_GROWTH, None, may=only)
            if filled.complete:
                self.offer_filled(filled, None)
            if self.over(until) or self.best is not None:
                return
        for attempt in range(2 if free else 6):
            windows = self.windows(self.needs_of(partition), q.partitions)
            filled = a.fill(self.orders()[attempt % 5], partition, LEAST_GROWTH, windows, may=only)
            start = filled.partition, filled.offset
            if self.over(until) or self.best is not None or self.repaired(*start, windows, REPAIR_STEPS // 2, only):
                return
            self.repaired(*start, windows, REPAIR_STEPS // 2)

    def squeaky(self, until: float) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
        """Fill, move what found no place to the front, fill again; the fullest placement and its windows."""
        a, q = self.arrays, self.question
        policy = int(self.random.integers(3))
        order = self.orders()[int(self.random.integers(5))]
        urgency = np.zeros(a.size.size)
        urgency[order] = np.arange(order.size, 0, -1) / max(1, order.size)
        urgency[a.held_offset >= 0] += 1e6
        windows = self.windows(self.needs(), q.partitions) if self.anchored() else None
        best: Filled | None = None
        least = np.inf
        for _ in range(SQUEAKS):
            order = np.argsort(-urgency + 0.02 * self.random.random(urgency.size), kind="stable")
            prefer = self.writer_affinity(best)
            filled = a.fill(order, prefer, policy, windows)
            missing = filled.partition < 0
            left = float(a.base[missing].sum())
            if left < least:
                best, least = filled, left
            if filled.complete:
                self.offer_filled(filled, windows)
            if self.best is not None or self.over(until):
                break
            urgency[missing] += 0.1 + 0.3 * self.random.random(int(missing.sum()))
        assert best is not None
        if windows is None:
            windows = self.windows(best.height, q.partitions)
            return self.stacked(best, windows), windows
        return (best.partition, best.offset), windows

    def writer_affinity(self, before: Filled | None) -> Ints:
        """A partition per block: where its task wrote most the last time, so that tasks hold few partitions."""
        prefer = self.arrays.preferred.copy()
        if before is None or not self.question.exclusive:
            return prefer
        weight: dict[int, dict[int, int]] = {}
        for k, block in enumerate(self.question.blocks):
            p = int(before.partition[k])
            for task, size in block.written if p >= 0 else ():
                held = weight.setdefault(task, {})
                held[p] = held.get(p, 0) + size
        for k, block in enumerate(self.question.blocks):
            for task, _ in block.written:
                if task in weight and prefer[k] < 0:
                    prefer[k] = max(weight[task], key=lambda p: (weight[task][p], -p))
        return prefer

    def repaired(
        self,
        partition: Ints,
        offset: Ints,
        windows: tuple[Ints, Ints],
        steps: int,
        may: NDArray[np.bool_] | None = None,
    ) -> bool:
        """Whether repair completes the placement; if so it is offered. The columns are changed."""
        weight: NDArray[np.float64] = self.arrays.base.copy()
        seed = int(self.random.integers(2**31))
        if self.budget.deterministic:
            steps = min(steps, max(1, int(self.budget.time_limit_s * STEPS_PER_SECOND) - self.steps))
        missing = self.arrays.repair(partition, offset, weight, windows, steps, seed, self.stop, may)
        self.steps += steps
        return missing == 0 and self.offer(partition, offset)

    def proposal(self) -> Ints | None:
        try:
            return self.proposals.get_nowait()
        except Empty:
            return None

    def lower_footprint(self, until: float) -> None:
        """Lower one partition after another a little, or exchange bytes between two, and repair what no longer fits."""
        misses = 0
        while not self.over(until) and self.best is not None and self.footprint is not None:
            goal = max(self.bound, self.enough)
            if self.footprint <= goal:
                return
            partition, offset = self.best[0].copy(), self.best[1].copy()
            tops = np.array(self.tops(partition, offset), dtype=np.int64)
            used = np.flatnonzero(tops)
            cut = int(used[self.random.integers(used.size)])
            excess = self.footprint - goal
            share = (1.0, 0.5, 0.25, 0.1, 0.03)[min(4, misses // 3) if misses < 15 else int(self.random.integers(5))]
            grain = max(1, int(np.gcd.reduce(self.arrays.size)))
            step = min(int(tops[cut]), max(grain, int(excess * share) // grain * grain))
            caps = tops.copy()
            if self.random.random() < 0.5 and used.size > 1:
                other = int(used[self.random.integers(used.size)])
                moved = int(min(self.random.integers(0, max(1, int(tops[cut]) - step)), tops[cut] - step))
                if other != cut:
                    moved = min(moved, int(self.arrays.capacity[other] - tops[other])) // grain * grain
                    caps[other] += moved
                    caps[cut] -= moved
            caps[cut] -= step
            windows = self.windows(self.needs_of(partition, offset), caps.tolist())
            start = self.inside((partition, offset), windows)
            misses = 0 if self.repaired(*start, windows, REPAIR_STEPS // 4) else misses + 1
            if misses and misses % 20 == 0:
                self.pack_cells(until)

    def pack_cells(self, until: float) -> None:
        """Each cell by itself, with the whole placement engine of one address line."""
        assert self.best is not None
        q, a = self.question, self.arrays
        if self.anchored() or any(q.spans(b, int(p)) for b, p in zip(q.blocks, self.best[0], strict=True)):
            return
        for pool, p in {(b.pool, int(at)) for b, at in zip(q.blocks, self.best[0], strict=True)}:
            own = np.flatnonzero((a.pool == pool) & (self.best[0] == p))
            if self.over(until) or not own.size:
                continue
            partition, offset = self.best[0].copy(), self.best[1].copy()
            low = int(offset[own].min())
            seconds = min(1.0, 0.1 * self.budget.remaining_s())
            placed = place_arena(arena_of(q, own), replace(self.budget, time_limit_s=seconds, started=None, workers=1))
            height = int((offset[own] + a.size[own]).max()) - low
            if placed.offset is None or placed.height is None or placed.height >= height:
                continue
            gain = (height - placed.height) // a.grain * a.grain
            offset[own] = low + placed.offset
            above = (partition == p) & (a.pool != pool) & (self.best[1] > low)
            offset[above] -= gain
            self.offer(partition, offset)

    # -- windows -------------------------------------------------------------------------------------------------

    def anchored(self) -> bool:
        """Whether some block is held at an offset: then slices cannot be moved about."""
        return bool((self.arrays.held_offset >= 0).any())

    def needs(self) -> Ints:
        """Bytes that each pool might want in each partition: its peak, spread evenly."""
        peak = np.zeros(len(self.question.limits))
        for moment in self.question.moments:
            live = np.zeros(peak.size)
            for k in moment.blocks:
                live[self.arrays.pool[k]] += self.arrays.size[k]
            peak = np.maximum(peak, live)
        return np.repeat((peak / len(self.question.partitions)).astype(np.int64)[:, None], self.arrays.capacity.size, 1)

    def needs_of(self, partition: Ints, offset: Ints | None = None) -> Ints:
        """Bytes of each pool in each partition: by offsets the height of its slice, else its most living bytes."""
        q = self.question
        need = np.zeros((len(q.limits), len(q.partitions)), dtype=np.int64)
        if offset is not None:
            for pool, p, _, size in self.slices(partition, offset):
                need[pool, p] = size
            return need
        for moment in q.moments:
            live = np.zeros_like(need)
            for k in moment.blocks:
                if partition[k] >= 0:
                    for piece, size in q.pieces(q.blocks[k], int(partition[k])):
                        live[q.blocks[k].pool, piece] += size
            need = np.maximum(need, live)
        return need

    def windows(self, need: Ints, caps: Sequence[int]) -> tuple[Ints, Ints]:
        """Disjoint windows of the pools in every partition below ``caps``: what each needs, and a share of the rest.

        Pools with held blocks stay around them; the others lie in the gaps between.
        """
        q, a = self.question, self.arrays
        low, high = np.zeros_like(need), np.zeros_like(need)
        if len(q.limits) == 1 and q.limits[0] is None:
            high[0] = np.array(caps)
            return low, high
        slack = a.limit - need.sum(axis=1)
        for p, cap in enumerate(caps):
            anchors: dict[int, tuple[int, int]] = {}
            for block in q.blocks:
                if block.held == p and block.held_offset >= 0:
                    end = block.held_offset + min(block.size, q.partitions[p])
                    before = anchors.get(block.pool, (block.held_offset, end))
                    anchors[block.pool] = (min(before[0], block.held_offset), max(before[1], end))
            line = sorted(anchors, key=lambda pool: anchors[pool])
            others = [pool for pool in range(len(q.limits)) if pool not in anchors]
            first = [pool for pool in others if self.begins_with_span(pool, p)]
            rest = [pool for pool in others if pool not in first]
            self.random.shuffle(rest)
            gaps: list[list[int]] = [[] for _ in range(len(line) + 1)]
            gaps[0] += first
            for pool in rest:
                gaps[int(self.random.integers(len(gaps)))].append(pool)
            for g, inside in enumerate(gaps):
                floor = anchors[line[g - 1]][1] if g else 0
                roof = anchors[line[g]][0] if g < len(line) else int(cap)
                below, above = line[g - 1 : g] if g else [], line[g : g + 1]
                self.divide(max(0, roof - floor), floor, below, inside, above, p, need, slack, low, high)
            for pool, (bottom, top) in anchors.items():
                low[pool, p] = min(low[pool, p], bottom) if low[pool, p] else bottom
                high[pool, p] = max(high[pool, p], top)
        return low, high

    def divide(
        self, room: int, floor: int, below: list[int], inside: list[int], above: list[int], p: int, need: Ints,
        slack: Ints, low: Ints, high: Ints,
    ) -> None:  # fmt: skip
        """Share ``room`` bytes from ``floor`` among a pool that grows up into it, those inside, and one from above."""
        sharers = [*below, *inside, *above]
        if not sharers:
            return
        wanted = np.array([float(need[pool, p]) if pool in inside else 0.0 for pool in sharers])
        total = wanted.sum()
        if total > room:
            wanted *= room / total
        spare = max(0.0, room - wanted.sum())
        shares = self.random.dirichlet(np.full(len(sharers), 0.5)) * spare
        at = floor
        for pool, want, more in zip(sharers, wanted, shares, strict=True):
            extra = int(min(more, max(0, slack[pool])))
            slack[pool] -= extra
            width = int(want + extra + 0.5) // self.arrays.grain * self.arrays.grain
            width = min(width, floor + room - at)
            if pool in below:
                high[pool, p] = max(high[pool, p], at + width)
            elif pool in above:
                low[pool, p] = floor + room - width
            else:
                low[pool, p], high[pool, p] = at, at + width
            at += width

    def begins_with_span(self, pool: int, p: int) -> bool:
        """Whether a block of ``pool`` runs through partition ``p`` in the best or in any placement."""
        q = self.question
        return any(
            b.pool == pool and any(q.spans(b, at) and p in dict(q.pieces(b, at)) for at in q.places[k])
            for k, b in enumerate(q.blocks)
        )

    def inside(self, start: tuple[Ints, Ints], windows: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        """``start`` moved along with its windows; what is outside of them has no place."""
        q, (low, high) = self.question, windows
        partition, offset = start[0].copy(), start[1].copy()
        old: dict[tuple[int, int], int] = {}
        for k, block in enumerate(q.blocks):
            if partition[k] >= 0:
                key = (block.pool, int(partition[k]))
                old[key] = min(old.get(key, int(offset[k])), int(offset[k]))
        single = len(q.limits) == 1
        for k, block in enumerate(q.blocks):
            p = int(partition[k])
            if p < 0 or (block.held_offset >= 0):
                continue
            spans = q.spans(block, p)
            if not single and not spans and not self.anchored():
                shift = int(low[block.pool, p]) - old[block.pool, p]
                offset[k] += shift
            fits = all(
                low[block.pool, piece] <= offset[k] and offset[k] + size <= high[block.pool, piece]
                for piece, size in q.pieces(block, p)
            )
            if not fits or offset[k] % block.alignment:
                partition[k] = -1
        return partition, offset

    def stacked(self, filled: Filled, windows: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        """Offsets in the partition of a filling without windows, moved into ``windows``."""
        partition, offset = filled.partition.copy(), filled.offset.copy()
        for k, block in enumerate(self.question.blocks):
            if partition[k] >= 0 and not self.question.spans(block, int(partition[k])):
                offset[k] += windows[0][block.pool, partition[k]]
        return self.inside((partition, offset), windows) if len(self.question.limits) == 1 else (partition, offset)

    def offer_filled(self, filled: Filled, windows: tuple[Ints, Ints] | None) -> None:
        """Offer a complete filling; without windows, its slices are stacked first."""
        if windows is not None:
            self.offer(filled.partition, filled.offset)
            return
        q, a = self.question, self.arrays
        offset = filled.offset.copy()
        for p in range(len(q.partitions)):
            here = [k for k, b in enumerate(q.blocks) if p in dict(q.pieces(b, int(filled.partition[k])))]
            spanning = {q.blocks[k].pool for k in here if q.spans(q.blocks[k], int(filled.partition[k]))}
            base = 0
            for pool in sorted({q.blocks[k].pool for k in here}, key=lambda pool: (pool not in spanning, pool)):
                if base:
                    own = [k for k in here if q.blocks[k].pool == pool]
                    offset[own] += base
                base += int(filled.height[pool, p])
        assert (offset % a.alignment == 0).all()
        self.offer(filled.partition, offset)

    # -- proving -------------------------------------------------------------------------------------------------

    def prove_alone(self) -> None:
        """CP-SAT on the relaxation, with nobody beside it, where first fit has placed nothing."""
        q = self.question
        terms = sum(len(m.blocks) for m in q.moments) * len(q.partitions)
        if self.best is not None or terms > MOST_TERMS // 8:
            return
        until = self.budget.elapsed_s() + min(ALONE_S, ALONE_SHARE * self.budget.remaining_s())
        self.leave = Leave(lambda: self.over(until))
        self.refute_peaks(until)
        levels = self.levels()
        for smallest in levels:
            if self.over(until) or self.relaxed_holds:
                return
            left_s = until - self.budget.elapsed_s()
            self.relax(left_s if smallest == levels[-1] else left_s / 2, 0, until, smallest)

    def levels(self) -> tuple[int, ...]:
        """Relaxations to ask, the most promising first; of few blocks the whole one is small as it is."""
        few = len(self.question.blocks) <= MOST_BLOCKS_FOR_EXACT
        return (0, *reversed(self.coarse)) if few else (*self.coarse, 0)

    def relax(self, seconds: float, number: int, until: float, smallest: int) -> None:
        """Ask a relaxation, coarse or whole, that is not known to hold yet; which do is kept."""
        holds = self.ask_relaxation(seconds, number, until, smallest)
        if holds and smallest:
            self.coarse = [size for size in self.coarse if size < smallest]
        elif holds:
            self.relaxed_holds, self.coarse = True, []

    def refute_peaks(self, until: float) -> None:
        """Ask CP-SAT whether the pools pack together, each at its fullest moment: slices never overlap."""
        q = self.question
        fullest: dict[int, tuple[int, int]] = {}
        for m, moment in enumerate(q.moments):
            live: dict[int, int] = {}
            for k in moment.blocks:
                live[q.blocks[k].pool] = live.get(q.blocks[k].pool, 0) + q.blocks[k].size
            for pool, size in live.items():
                fullest[pool] = max(fullest.get(pool, (0, 0)), (size, m))
        if len(fullest) < 2:
            return
        peaks = [q.moments[m] for m in sorted({m for _, m in fullest.values()})]
        seconds = self.limit((until - self.budget.elapsed_s()) / 3, until)
        if choose_partitions(q, seconds, self.asking(0), within=peaks, leave=self.leave).impossible:
            reason = "buffers alive when the pools are fullest do not pack into the partitions, as slices never overlap"
            self.conclude(self.contradiction(peaks, reason))

    def prove(self, until: float | None = None) -> None:
        """CP-SAT on the relaxation, on single moments, and on the whole of a small question, longer each time."""
        until = self.budget.time_limit_s if until is None else until
        q = self.question
        self.leave = Leave(lambda: self.over(until))
        seconds, number = 2.0, 0
        terms = sum(len(m.blocks) for m in q.moments) * len(q.partitions)
        if terms > MOST_TERMS // 8:
            self.refute_moments(until, 6)
        while not self.over(until):
            if not self.relaxed_holds and terms <= MOST_TERMS:
                for smallest in self.levels() if self.best is None else (0,):
                    if not self.over(until) and not self.relaxed_holds:
                        self.relax(seconds, number, until, smallest)
            elif terms <= MOST_TERMS and self.best is None:
                self.ask_relaxation(seconds, number, until)
            if self.over(until):
                return
            if len(q.blocks) <= MOST_BLOCKS_FOR_EXACT:
                self.ask_exactly(seconds, number, until)
            elif self.best is not None or terms > MOST_TERMS:
                return
            number += 1
            seconds *= 1.7
            if self.budget.deterministic and number > 3:
                return

    def limit(self, seconds: float, until: float) -> float:
        if self.budget.deterministic:
            return min(seconds, self.budget.time_limit_s)
        return max(0.01, min(seconds, until - self.budget.elapsed_s()))

    def asking(self, number: int) -> Budget:
        return replace(self.budget, seed=self.budget.seed + number, workers=max(1, self.budget.workers - 1))

    def ask_relaxation(self, seconds: float, number: int, until: float, smallest: int = 0) -> bool:
        """Whether the relaxation is known to have a solution (or the best bound it can give is known).

        ``smallest``: blocks of fewer bytes are left out but for their bytes, and without partition in the proposal.
        """
        minimise = self.minimise and self.best is not None
        verdict = choose_partitions(
            self.question, self.limit(seconds, until), self.asking(number), minimise=minimise,
            wanted=None if self.best is None else self.best[0].tolist(), smallest=smallest, leave=self.leave,
        )  # fmt: skip
        if verdict.impossible:
            self.refute(until, smallest)
            return True
        self.raise_bound(verdict.bound)
        if verdict.partition is not None and self.best is None:
            self.proposals.put(np.array(verdict.partition, dtype=np.int64))
        return verdict.partition is not None and (not minimise or verdict.least)

    def ask_exactly(self, seconds: float, number: int, until: float) -> None:
        """The whole question: any placement, or one below the best footprint, or the least of a few blocks."""
        q = self.question
        few = self.minimise and len(q.blocks) <= FEW_BLOCKS
        total = None
        if self.minimise and self.footprint is not None and not few:
            goal = max(self.bound, self.enough)
            steps = (goal, (3 * goal + self.footprint) // 4, (goal + self.footprint) // 2)
            total = steps[number % 3]
        verdict = place_exactly(
            q, self.limit(seconds, until), self.asking(number), total=total, minimise=few, leave=self.leave
        )
        if verdict.impossible and total is None:
            self.refute(until)
        elif verdict.impossible and total is not None:
            self.raise_bound(total + 1)
        self.raise_bound(verdict.bound)
        if verdict.partition is not None and verdict.offset is not None:
            self.offer(np.array(verdict.partition, dtype=np.int64), np.array(verdict.offset, dtype=np.int64))

    def refute(self, until: float, smallest: int = 0) -> None:
        """CP-SAT has shown that there is no placement; find a short stretch of time that shows it already."""
        q = self.question
        if not self.budget.deterministic:
            until = min(until, self.budget.elapsed_s() + EXPLAINING_S)
            self.leave = Leave(lambda: self.over(until))
        self.refute_moments(until, 12)
        if self.impossible is not None:
            return
        first, last = 0, len(q.moments)
        reason = "CP-SAT finds no choice of partitions for what lives and runs then"
        for side in (0, 1):
            step = (last - first) // 2
            while step and not self.past(until):
                window = (first + step, last) if side == 0 else (first, last - step)
                verdict = choose_partitions(
                    q,
                    self.limit(EXPLAINING_S / 4, until),
                    self.asking(0),
                    within=q.moments[window[0] : window[1]],
                    smallest=smallest,
                    leave=self.leave,
                )
                if verdict.impossible:
                    first, last = window
                    step = min(step, (last - first) // 2)
                else:
                    step //= 2
        whole = first == 0 and last == len(q.moments)
        if whole:
            reason = "CP-SAT finds no placement of what lives and runs then"
        self.conclude(self.contradiction(q.moments[first:last], reason))

    def refute_moments(self, until: float, count: int) -> None:
        """Ask CP-SAT whether the living buffers of single moments pack into the partitions, the fullest first."""
        q = self.question

        def fullness(moment: Moment) -> tuple[int, int]:
            return -sum(q.blocks[k].size for k in moment.blocks), -len(moment.tasks)

        for moment in sorted(q.moments, key=fullness)[:count]:
            if self.past(until) or self.closed.is_set():
                return
            if choose_partitions(
                q, self.limit(1.0, until), self.asking(0), within=[moment], leave=self.leave
            ).impossible:
                writers = " with partitions of their own for the writers" if q.exclusive and moment.tasks else ""
                reason = f"{len(moment.blocks)} buffers alive at one moment do not pack into the partitions{writers}"
                self.conclude(self.contradiction([moment], reason))
                return

    def contradiction(self, stretch: Sequence[Moment], reason: str) -> Impossible:
        q = self.question
        blocks = sorted({k for m in stretch for k in m.blocks})
        tasks = sorted({t for m in stretch for t in m.tasks}) if q.exclusive else []
        return Impossible(
            reason,
            min(m.start for m in stretch),
            max(m.end for m in stretch),
            tuple(sorted(b for k in blocks for b in q.blocks[k].members)),
            tuple(tasks),
            Evidence.SOLVER_CLAIM,
        )

    # -- the record ----------------------------------------------------------------------------------------------

    def conclude(self, impossible: Impossible) -> None:
        if self.best is not None:
            raise AssertionError(f"a placement was found, and yet: {impossible.reason}")
        self.impossible = impossible
        self.close_if_answered()

    def offer(self, partition: Ints, offset: Ints) -> bool:
        """Keep a placement that is valid and lower than the best one; whether it is."""
        spread = self.spread(partition), self.spread(offset)
        if disagreements(self.question, *spread):
            return False
        footprint = sum(heights(self.question, *spread))
        with self.lock:
            better = self.footprint is None or footprint < self.footprint
            if better:
                self.best, self.footprint = (partition.copy(), offset.copy()), footprint
                self.say()
        self.close_if_answered()
        return better

    def raise_bound(self, bound: int) -> None:
        with self.lock:
            if bound > self.bound:
                self.bound, self.evidence = bound, Evidence.SOLVER_CLAIM
        self.close_if_answered()

    def close_if_answered(self) -> None:
        done = self.footprint is not None and (not self.minimise or self.footprint <= max(self.bound, self.enough))
        if done or self.impossible is not None:
            self.halt()

    def past(self, until: float) -> bool:
        if self.budget.deterministic:
            return self.steps >= self.budget.time_limit_s * STEPS_PER_SECOND
        return self.budget.elapsed_s() >= until

    def over(self, until: float) -> bool:
        return self.closed.is_set() or self.past(until)

    def say(self) -> None:
        limit = self.budget.time_limit_s
        fraction = min(1.0, self.budget.elapsed_s() / limit) if limit > 0 else 1.0
        self.tell(Progress("placement", fraction, f"footprint between {self.bound} and {self.footprint} bytes"))

    def spread(self, column: Ints) -> list[int]:
        """From one entry per block to one per buffer."""
        result = [0] * self.question.arena.size.size
        for block, entry in zip(self.question.blocks, column, strict=True):
            for b in block.members:
                result[b] = int(entry)
        return result

    def tops(self, partition: Ints, offset: Ints) -> list[int]:
        return heights(self.question, self.spread(partition), self.spread(offset))

    def slices(self, partition: Ints, offset: Ints) -> list[tuple[int, int, int, int]]:
        return slices(self.question, self.spread(partition), self.spread(offset))

    def answer(self, seconds: float) -> Placed:
        if self.impossible is not None:
            evidence = self.impossible.evidence
            return Placed(Status.INFEASIBLE, None, None, None, self.bound, evidence, self.impossible, seconds)
        if self.best is None or self.footprint is None:
            return Placed(Status.UNKNOWN, None, None, None, self.bound, self.evidence, None, seconds)
        partition, offset = (np.array(self.spread(column), dtype=np.int64) for column in self.best)
        status = Status.OPTIMAL if self.footprint <= self.bound else Status.FEASIBLE
        return Placed(status, partition, offset, self.footprint, self.bound, self.evidence, None, seconds)
