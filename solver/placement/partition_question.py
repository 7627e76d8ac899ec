"""The placement problem of several partitions: which one each buffer lies in, and where in it.

::

    partition 0   | tables slice | images slice      |  free  |      a pool owns at most one slice of a partition
    partition 1   | images slice                 |   free     |      no other pool lies in it
                  0                                           S_p

Times are given. A task *holds* the partitions it writes into while it runs, and where writers are exclusive, two tasks
that run at the same moment hold no partition in common. A buffer that is larger than the partition it begins in, where
that is permitted at all, begins at its first byte and runs through the following ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import lcm

import numpy as np

from ..arrays import Ints
from .arena import Arena


@dataclass(frozen=True)
class Partitioned:
    """Buffers with known lifetimes, and the partitions they are to lie in. One entry per buffer in every column.

    ``arena``: lifetimes, gaps, sizes (bytes, at least 1) and alignments; it holds nothing fixed. ``partitions``: their
    sizes in bytes. ``pool``: number of each buffer's pool; ``limits``: bytes that all slices of a pool may have, None
    without a limit. ``tasks``: half-open interval in which each task runs; ``writer``: the task that writes each buffer
    or -1. ``exclusive``: whether tasks that run at once must write into different partitions. ``held`` and
    ``held_offset``: partition, and offset in it, that are given, or -1; ``preferred`` and ``preferred_offset``: those
    that are wished for. ``spanning``: whether a buffer larger than its partition may run through consecutive ones.
    ``region``: buffers with the same number (not -1) share one region: they begin at the same byte.
    ``ValueError`` where columns do not match or numbers make no sense.
    """

    arena: Arena
    partitions: tuple[int, ...]
    pool: Ints
    limits: tuple[int | None, ...]
    tasks: tuple[tuple[int, int], ...]
    writer: Ints
    exclusive: bool
    held: Ints
    held_offset: Ints
    preferred: Ints
    preferred_offset: Ints
    spanning: bool
    region: Ints

    @classmethod
    def of(
        cls,
        arena: Arena,
        partitions: Sequence[int],
        *,
        pool: Sequence[int] | Ints | None = None,
        limits: Sequence[int | None] | None = None,
        tasks: Sequence[tuple[int, int]] = (),
        writer: Sequence[int] | Ints | None = None,
        exclusive: bool = False,
        held: Sequence[int] | Ints | None = None,
        held_offset: Sequence[int] | Ints | None = None,
        preferred: Sequence[int] | Ints | None = None,
        preferred_offset: Sequence[int] | Ints | None = None,
        spanning: bool = False,
        region: Sequence[int] | Ints | None = None,
    ) -> Partitioned:
        """A question; without more, one pool, nobody writes, and nothing is fixed, wished for or shared."""
        n = arena.size.size

        def column(given: Sequence[int] | Ints | None, default: int) -> Ints:
            return np.full(n, default, np.int64) if given is None else np.array(given, dtype=np.int64)

        pools = column(pool, 0)
        return cls(
            arena=arena,
            partitions=tuple(int(p) for p in partitions),
            pool=pools,
            limits=(None,) * (int(pools.max(initial=0)) + 1) if limits is None else tuple(limits),
            tasks=tuple((int(a), int(z)) for a, z in tasks),
            writer=column(writer, -1),
            exclusive=exclusive,
            held=column(held, -1),
            held_offset=column(held_offset, -1),
            preferred=column(preferred, -1),
            preferred_offset=column(preferred_offset, -1),
            spanning=spanning,
            region=column(region, -1),
        )

    def __post_init__(self) -> None:
        n, parts = self.arena.size.size, len(self.partitions)
        columns = (self.pool, self.writer, self.held, self.held_offset, self.preferred, self.preferred_offset)
        if any(column.size != n for column in (*columns, self.region)):
            raise ValueError("every buffer needs an entry in every column")
        if not parts or min(self.partitions) < 1:
            raise ValueError(f"partitions of {self.partitions} bytes: there must be one, and each of a byte or more")
        if n and (int(self.arena.size.min()) < 1 or int(self.arena.fixed.max()) >= 0):
            raise ValueError("buffers need bytes, and are fixed by held and held_offset, not in the arena")
        for column, size, name in (
            (self.pool, len(self.limits), "pool"),
            (self.writer, len(self.tasks), "writer"),
            (self.held, parts, "held"),
            (self.preferred, parts, "preferred"),
        ):
            low = 0 if name == "pool" else -1
            if n and not low <= int(column.min()) <= int(column.max()) < size:
                raise ValueError(f"{name}: entries from {column.min()} to {column.max()}, there are {size}")
        if any(a >= z for a, z in self.tasks):
            raise ValueError("a task runs for no time")
        if n and bool(((self.held_offset >= 0) & (self.held < 0)).any()):
            raise ValueError("an offset is held without a partition")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """What is placed: the buffers, those of one region as one, in the order of their first buffers."""
        members: dict[tuple[int, int], list[int]] = {}
        for b in range(self.arena.size.size):
            shared = int(self.region[b])
            members.setdefault((0, shared) if shared >= 0 else (1, b), []).append(b)
        return tuple(self._block(tuple(each)) for each in members.values())

    def _block(self, members: tuple[int, ...]) -> Block:
        first = members[0]
        if any(self.pool[b] != self.pool[first] for b in members):
            raise ValueError(f"buffers {members} share a region and are of different pools")
        written: dict[int, int] = {}
        for b in members:
            if self.writer[b] >= 0:
                task = int(self.writer[b])
                written[task] = max(written.get(task, 0), int(self.arena.size[b]))

        def agreed(column: Ints, name: str) -> int:
            said = {int(column[b]) for b in members if column[b] >= 0}
            if len(said) > 1 and name == "held":
                raise ValueError(f"buffers {members} share a region and are held in different places")
            return min(said, default=-1)

        held, held_offset = agreed(self.held, "held"), agreed(self.held_offset, "held")
        preferred, preferred_offset = agreed(self.preferred, "wished"), agreed(self.preferred_offset, "wished")
        return Block(
            members=members,
            lives=union([life for b in members for life in self.arena.lives(b)]),
            size=max(int(self.arena.size[b]) for b in members),
            alignment=lcm(*(int(self.arena.alignment[b]) for b in members)),
            pool=int(self.pool[first]),
            written=tuple(sorted(written.items())),
            held=held,
            held_offset=held_offset,
            preferred=preferred,
            preferred_offset=preferred_offset,
        )

    @cached_property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """Per block, the partitions in which it may begin."""
        parts = range(len(self.partitions))
        return tuple(tuple(p for p in parts if self._may_begin(block, p)) for block in self.blocks)

    def _may_begin(self, block: Block, p: int) -> bool:
        if block.held not in (-1, p):
            return False
        if block.size <= self.partitions[p]:
            offset = max(block.held_offset, 0)
            return offset % block.alignment == 0 and offset + block.size <= self.partitions[p]
        fits = self.spanning and block.size <= sum(self.partitions[p:])
        return fits and block.held_offset in (-1, 0)

    def pieces(self, block: Block, p: int) -> list[tuple[int, int]]:
        """(partition, bytes) of ``block`` when it begins in ``p``."""
        return self.cut(block.size, p)

    def cut(self, size: int, p: int) -> list[tuple[int, int]]:
        """(partition, bytes) of the first ``size`` bytes of a region that begins in ``p``."""
        result = []
        while size > 0:
            result.append((p, min(size, self.partitions[p])))
            size -= self.partitions[p]
            p += 1
        return result

    def spans(self, block: Block, p: int) -> bool:
        """Whether ``block`` runs through more than one partition when it begins in ``p``."""
        return block.size > self.partitions[p]

    @cached_property
    def rivals(self) -> tuple[tuple[int, int], ...]:
        """Pairs of writing tasks, the lesser first, that run at one moment; none where writers need not be alone."""
        if not self.exclusive:
            return ()
        writing = sorted({t for block in self.blocks for t, _ in block.written}, key=lambda t: (self.tasks[t], t))
        pairs = []
        running: list[int] = []
        for t in writing:
            running = [r for r in running if self.tasks[r][1] > self.tasks[t][0]]
            pairs += [(min(r, t), max(r, t)) for r in running]
            running.append(t)
        return tuple(sorted(pairs))

    @cached_property
    def classes(self) -> tuple[tuple[int, ...], ...]:
        """Blocks that must begin in one partition, by the lesser of their numbers; most are alone.

        When as many writers run as there are partitions, each holds exactly one, so that all it writes begins there.
        When the next such moment differs by one task, that one has taken over the partition of the one that ended.
        """
        parent = list(range(len(self.blocks)))

        def root(k: int) -> int:
            while parent[k] != k:
                parent[k] = parent[parent[k]]
                k = parent[k]
            return k

        written: dict[int, list[int]] = {}
        for k, block in enumerate(self.blocks):
            for t, _ in block.written:
                written.setdefault(t, []).append(k)
        before: set[int] | None = None
        for moment in self.moments:
            if not self.exclusive or len(moment.tasks) != len(self.partitions):
                continue
            now = set(moment.tasks)
            for t in moment.tasks:
                for k in written[t]:
                    parent[root(k)] = root(written[t][0])
            if before is not None and len(now - before) == 1:
                (ended,), (started,) = before - now, now - before
                parent[root(written[started][0])] = root(written[ended][0])
            before = now
        members: dict[int, list[int]] = {}
        for k in range(len(self.blocks)):
            members.setdefault(root(k), []).append(k)
        return tuple(sorted(tuple(each) for each in members.values()))

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """Stretches whose blocks and running writers no neighbouring stretch contains, in order of time."""
        events: list[tuple[int, int, int, int]] = []
        for k, block in enumerate(self.blocks):
            for a, z in block.lives:
                events += [(a, 1, 0, k), (z, 0, 0, k)]
        writing = sorted({t for block in self.blocks for t, _ in block.written}) if self.exclusive else []
        for t in writing:
            a, z = self.tasks[t]
            events += [(a, 1, 1, t), (z, 0, 1, t)]
        alive: tuple[dict[int, None], dict[int, None]] = ({}, {})
        result: list[Moment] = []
        grown = False
        since = 0
        for moment, born, kind, item in sorted(events):
            if born:
                alive[kind][item] = None
                since = moment
            else:
                if grown:
                    result.append(Moment(since, moment, tuple(sorted(alive[0])), tuple(sorted(alive[1]))))
                alive[kind].pop(item)
            grown = bool(born)
        return tuple(result)


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of time in which nothing changes, and the blocks alive (and tasks running) in it."""

    start: int
    end: int
    blocks: tuple[int, ...]
    tasks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes that are placed as one: a buffer, or several that share a region.

    ``lives``: disjoint half-open intervals in order. ``written``: (task, bytes it writes, from the region's start).
    ``held``, ``preferred``: partitions or -1, with offsets in them or -1.
    """

    members: tuple[int, ...]
    lives: tuple[tuple[int, int], ...]
    size: int
    alignment: int
    pool: int
    written: tuple[tuple[int, int], ...]
    held: int
    held_offset: int
    preferred: int
    preferred_offset: int

    def alive(self, moment: int) -> bool:
        """Whether the block needs its bytes at ``moment``."""
        return any(a <= moment < z for a, z in self.lives)


def union(lives: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The union of half-open intervals as disjoint ones, in order."""
    ends: list[list[int]] = []
    for low, high in sorted(lives):
        if ends and low <= ends[-1][1]:
            ends[-1][1] = max(ends[-1][1], high)
        else:
            ends.append([low, high])
    return tuple((low, high) for low, high in ends)


def disagreements(question: Partitioned, partition: Sequence[int], offset: Sequence[int]) -> list[str]:
    """Every rule that the placement breaks; empty when it is valid. Nearly linear but for collisions."""
    q = question
    found = []
    spots: dict[int, list[tuple[int, int, int, int]]] = {}  # partition -> (low, high, pool, block)
    holders: dict[int, set[int]] = {}
    for k, block in enumerate(q.blocks):
        b = block.members[0]
        p, at = int(partition[b]), int(offset[b])
        if any((int(partition[m]), int(offset[m])) != (p, at) for m in block.members):
            found.append(f"buffers {block.members} share a region and lie apart")
        if p not in q.places[k] or (q.spans(block, p) and at != 0) or at % block.alignment or at < 0:
            found.append(f"buffer {b} may not lie at {at} of partition {p}")
            continue
        if block.held_offset not in (-1, at):
            found.append(f"buffer {b} is not at {block.held_offset}, where it is held")
        for piece, size in q.pieces(block, p):
            spots.setdefault(piece, []).append((at, at + size, block.pool, k))
            if at + size > q.partitions[piece]:
                found.append(f"buffer {b} ends at {at + size} of partition {piece}")
        for task, size in block.written:
            for piece, _ in q.cut(size, p):
                holders.setdefault(piece, set()).add(task)
    total = [0] * len(q.limits)
    for p, line in sorted(spots.items()):
        for a, b in _collisions(q, line):
            found.append(f"blocks {a} and {b} share bytes of partition {p} while both are alive")
        ranges: dict[int, tuple[int, int]] = {}
        for low, high, pool, _ in line:
            before = ranges.get(pool, (low, high))
            ranges[pool] = (min(before[0], low), max(before[1], high))
        for pool, (low, high) in ranges.items():
            total[pool] += high - low
        for (_, high), (low, _) in pairwise(sorted(ranges.values())):
            if low < high:
                found.append(f"slices of two pools overlap in partition {p}")
    for pool, limit in enumerate(q.limits):
        if limit is not None and total[pool] > limit:
            found.append(f"pool {pool} has {total[pool]} bytes, its limit is {limit}")
    for a, b in q.rivals:
        shared = [p for p, tasks in holders.items() if a in tasks and b in tasks]
        if shared:
            found.append(f"tasks {a} and {b} run at once and both write into partitions {shared}")
    return found


def _collisions(q: Partitioned, line: Sequence[tuple[int, int, int, int]]) -> list[tuple[int, int]]:
    """Pairs of blocks of one partition, as (low, high, pool, block), that share a byte while both are alive, in order.

    One sweep over time. The living blocks that collide with none are disjoint, so that a newborn meets only its
    neighbours in the order of offsets; those that do collide are kept apart and compared with one by one.
    """
    events = []
    for low, high, _, k in line:
        for birth, death in q.blocks[k].lives:
            events += [(birth, 1, low, high, k), (death, 0, low, high, k)]
    events.sort()
    apart: list[tuple[int, int, int]] = []
    astray: list[tuple[int, int, int]] = []
    pairs: set[tuple[int, int]] = set()
    for _, born, low, high, k in events:
        own = (low, high, k)
        at = bisect_left(apart, own)
        if not born:
            if at < len(apart) and apart[at] == own:
                del apart[at]
            else:
                astray.remove(own)
            continue
        # Below the newborn only the next can reach it; above it, everybody that begins before it ends.
        near = apart[max(0, at - 1) : bisect_left(apart, (high,))]
        met = [other for bottom, top, other in (*near, *astray) if bottom < high and low < top]
        pairs.update((min(k, other), max(k, other)) for other in met)
        if met:
            astray.append(own)
        else:
            apart.insert(at, own)
    return sorted(pairs)


def slices(question: Partitioned, partition: Sequence[int], offset: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """(pool, partition, offset, bytes) of the least slice that holds each pool's regions in each partition."""
    ranges: dict[tuple[int, int], tuple[int, int]] = {}
    for block in question.blocks:
        b = block.members[0]
        low = int(offset[b])
        for piece, size in question.pieces(block, int(partition[b])):
            before = ranges.get((block.pool, piece), (low, low + size))
            ranges[block.pool, piece] = (min(before[0], low), max(before[1], low + size))
    return [(pool, p, low, high - low) for (pool, p), (low, high) in sorted(ranges.items())]


def heights(question: Partitioned, partition: Sequence[int], offset: Sequence[int]) -> list[int]:
    """The first byte above every region, per partition."""
    result = [0] * len(question.partitions)
    for block in question.blocks:
        b = block.members[0]
        for piece, size in question.pieces(block, int(partition[b])):
            result[piece] = max(result[piece], int(offset[b]) + size)
    return result
