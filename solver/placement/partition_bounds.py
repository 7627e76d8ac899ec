"""What no choice of partitions can avoid, read off a single moment: these proofs need no search.

At one moment the living buffers lie side by side, so they are a bin packing problem; the writers that run at it need
partitions of their own. Over all moments, the slices of different pools are disjoint, so pools' own peaks add up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, islice, product

from ..plan import Evidence
from .partition_question import Moment, Partitioned

MOST_NAMES = 4
"""Buffers or tasks that a sentence lists before it only counts them."""

MOST_COMBINATIONS = 32
"""Choices of one moment per pool that are packed together."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """Why there is no placement: what already contradicts within ``[start, end)``.

    ``buffers`` and ``tasks`` are numbers of the question; ``reason`` is a clause that ends a sentence. ``evidence`` is
    CERTIFICATE where counting shows it, SOLVER_CLAIM where CP-SAT refuted those buffers in that interval.
    """

    reason: str
    start: int
    end: int
    buffers: tuple[int, ...]
    tasks: tuple[int, ...]
    evidence: Evidence = Evidence.CERTIFICATE


def least_footprint(question: Partitioned) -> int:
    """Bytes that no placement undercuts: the pools' own peaks added up, or a single buffer's held end."""
    most = [0] * len(question.limits)
    for moment in question.moments:
        live = [0] * len(most)
        for k in moment.blocks:
            live[question.blocks[k].pool] += question.blocks[k].size
        most = [max(a, b) for a, b in zip(most, live, strict=True)]
    held = [0] * len(question.partitions)
    for block in question.blocks:
        if block.held >= 0 and block.held_offset >= 0 and block.size <= question.partitions[block.held]:
            held[block.held] = max(held[block.held], block.held_offset + block.size)
    return max(sum(most), sum(held))


def refuted_by_peaks(question: Partitioned, needed: int) -> Impossible | None:
    """A contradiction that shows without a look at every moment, or None. ``needed``: the pools' own peaks added up."""
    room = sum(question.partitions)
    homeless = _without_a_place(question)
    if homeless is not None or needed <= room:
        return homeless
    arena = question.arena
    reason = f"pools need {needed} bytes in all at their own peaks, and slices never overlap; there are {room}"
    return Impossible(reason, int(arena.lower.min()), int(arena.upper.max()), tuple(range(arena.size.size)), ())


def _without_a_place(q: Partitioned) -> Impossible | None:
    """The first block that no partition takes, or None."""
    for k, block in enumerate(q.blocks):
        if not q.places[k]:
            where = "its place" if block.held >= 0 else f"any partition, the largest of {max(q.partitions)} bytes"
            reason = f"a buffer of {block.size} bytes does not fit {where}"
            return Impossible(reason, block.lives[0][0], block.lives[-1][1], block.members, ())
    return None


def refuted_by_counting(question: Partitioned) -> Impossible | None:
    """The first contradiction that counting finds, or None."""
    q = question
    homeless = _without_a_place(q)
    if homeless is not None:
        return homeless
    room = sum(q.partitions)
    peaks: dict[int, tuple[int, Moment]] = {}
    class_of = {k: together for together in q.classes for k in together}
    for moment in q.moments:
        live: dict[int, int] = {}
        for k in moment.blocks:
            live[q.blocks[k].pool] = live.get(q.blocks[k].pool, 0) + q.blocks[k].size
        for pool, size in live.items():
            if size > peaks.get(pool, (0, moment))[0]:
                peaks[pool] = (size, moment)
        found = _at(q, moment, live, class_of)
        if found is not None:
            return found
    if sum(size for size, _ in peaks.values()) > room:
        stretches = [moment for _, moment in peaks.values()]
        members = sorted({b for m in stretches for k in m.blocks for b in q.blocks[k].members})
        peak = sum(size for size, _ in peaks.values())
        reason = f"pools need {peak} bytes in all at their own peaks, and slices never overlap; there are {room}"
        return Impossible(reason, min(m.start for m in stretches), max(m.end for m in stretches), tuple(members), ())
    return _at_moments_of_their_own(q, class_of)


def _at_moments_of_their_own(q: Partitioned, class_of: dict[int, tuple[int, ...]]) -> Impossible | None:
    """What contradicts because slices never overlap: each pool at a moment of its choice, all packed together.

    A pool's slice holds what is alive of it at any moment, so that the buffers of different pools lie side by side even
    when they live at different times. Each pool brings its fullest moments, and the moments that fill most partitions.
    """
    if len(set(q.partitions)) > 1 or len(q.limits) < 2:
        return None
    each = q.partitions[0]
    choices: list[list[dict[tuple[int, ...], int]]] = []
    owners: list[list[tuple[Moment, tuple[int, ...]]]] = []
    for pool in range(len(q.limits)):
        fullest: dict[int, tuple[tuple[int, int], Moment, tuple[int, ...]]] = {}  # by kind of fullness
        for moment in q.moments:
            own = tuple(k for k in moment.blocks if q.blocks[k].pool == pool)
            sizes = [q.blocks[k].size for k in own]
            live, large = sum(sizes), sum(-(-size // each) for size in sizes if 2 * size > each)
            for kind, key in ((0, (live, large)), (1, (large, live))):
                if own and (kind not in fullest or key > fullest[kind][0]):
                    fullest[kind] = key, moment, own
        if fullest:
            when = {own: moment for _, moment, own in fullest.values()}
            owners.append([(moment, own) for own, moment in when.items()])
            choices.append([_by_class(q, own, class_of) for own in when])
    for picked in islice(product(*(range(len(told)) for told in choices)), MOST_COMBINATIONS):
        together: dict[tuple[int, ...], int] = {}
        for pool, i in enumerate(picked):
            for group, size in choices[pool][i].items():
                together[group] = together.get(group, 0) + size
        needed = fewest_partitions(together.values(), each)
        if needed > len(q.partitions):
            moments = [owners[pool][i][0] for pool, i in enumerate(picked)]
            members = (b for pool, i in enumerate(picked) for k in owners[pool][i][1] for b in q.blocks[k].members)
            reason = (
                f"pools at moments of their own fill {needed} partitions, and slices never overlap; there are "
                f"{len(q.partitions)}"
            )
            first, last = min(m.start for m in moments), max(m.end for m in moments)
            return Impossible(reason, first, last, tuple(sorted(members)), ())
    return None


def _by_class(
    q: Partitioned, blocks: Iterable[int], class_of: dict[int, tuple[int, ...]]
) -> dict[tuple[int, ...], int]:
    """Bytes of ``blocks`` by the class that begins in one partition."""
    sums: dict[tuple[int, ...], int] = {}
    for k in blocks:
        sums[class_of[k]] = sums.get(class_of[k], 0) + q.blocks[k].size
    return sums


def _at(
    q: Partitioned, moment: Moment, live: dict[int, int], class_of: dict[int, tuple[int, ...]]
) -> Impossible | None:
    """What contradicts at one moment by counting, or None. ``class_of``: blocks that begin where a block does."""
    members = tuple(b for k in moment.blocks for b in q.blocks[k].members)
    parts = len(q.partitions)

    def no(reason: str, buffers: Iterable[int] = members, tasks: Iterable[int] = ()) -> Impossible:
        return Impossible(reason, moment.start, moment.end, tuple(buffers), tuple(tasks))

    if q.exclusive and len(moment.tasks) > parts:
        return no(f"{len(moment.tasks)} tasks write at once and there are {parts} partitions", (), moment.tasks)
    if moment.tasks:
        needed = {t: _partitions_of(q, moment, t) for t in moment.tasks}
        if sum(needed.values()) > parts:
            count = len(moment.tasks)
            reason = (
                f"{count} tasks write at once into no fewer than {sum(needed.values())} partitions, there are {parts}"
            )
            return no(reason, tasks=moment.tasks)
    for pool, size in live.items():
        limit = q.limits[pool]
        if limit is not None and size > limit:
            own = [b for k in moment.blocks if q.blocks[k].pool == pool for b in q.blocks[k].members]
            return no(f"{size} bytes of one pool are alive at once, it is limited to {limit}", own)
    if sum(live.values()) > sum(q.partitions):
        return no(f"{sum(live.values())} bytes are alive at once, the partitions hold {sum(q.partitions)}")
    sums = _by_class(q, moment.blocks, class_of)
    for together, size in sums.items():
        if len(together) > 1 and size > max(q.partitions):
            own = [k for k in together if k in moment.blocks]
            reason = (
                f"tasks that take turns write {size} bytes that live at once into one partition of at most "
                f"{max(q.partitions)}, because all others are held without a pause"
            )
            return no(
                reason,
                (b for k in own for b in q.blocks[k].members),
                sorted({t for k in own for t, _ in q.blocks[k].written}),
            )
    if len(set(q.partitions)) == 1:
        needed_in_all = fewest_partitions(sums.values(), q.partitions[0])
        if needed_in_all > parts:
            return no(f"buffers alive at once fill {needed_in_all} partitions, there are {parts}", tasks=moment.tasks)
    return None


def _partitions_of(q: Partitioned, moment: Moment, task: int) -> int:
    """No fewer partitions take what ``task`` writes, all of it alive in ``moment``."""
    written = [size for k in moment.blocks for t, size in q.blocks[k].written if t == task and size == q.blocks[k].size]
    largest = max(q.partitions)
    return max(1, *(-(-size // largest) for size in written), -(-sum(written) // largest)) if written else 1


def fewest_partitions(sizes: Iterable[int], partition_size: int) -> int:
    """No fewer partitions hold buffers of ``sizes`` at once; a bound in O(n log n), not always the true number.

    The pieces of buffers larger than a partition all begin one, so they need one each. For all pieces, the bound ``L2``
    of Martello and Toth (1990): for every threshold, pieces above half a partition need one each, and pieces between
    the threshold and half a partition share what room is left beside those of them that leave any.
    """
    pieces = []
    best = 0
    for size in sizes:
        whole, rest = divmod(size, partition_size)
        pieces += [partition_size] * whole + [rest] * (rest > 0)
        best += whole + (rest > 0) if size > partition_size else 0
    pieces.sort()
    before = [0, *accumulate(pieces)]
    half = bisect_right(pieces, partition_size // 2)
    for threshold in {0, *pieces[:half]}:
        alone = len(pieces) - bisect_right(pieces, partition_size - threshold)
        large = len(pieces) - alone - half
        room = large * partition_size - (before[half + large] - before[half])
        small = before[half] - before[bisect_left(pieces, threshold, 0, half)]
        best = max(best, alone + large + max(0, -(-(small - room) // partition_size)))
    return best
