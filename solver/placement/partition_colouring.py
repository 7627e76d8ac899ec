"""Which partition each task writes into: colours for an interval graph, with weights.

Where writers are exclusive, tasks that run at once need different partitions: partitions are colours of an interval
graph. It can always be coloured with as many colours as tasks ever run at once, in the order of their starts, and an
exchange of two colours within what they connect (a chain of Kempe) leads from one colouring to another. Annealing over
such exchanges evens out what is alive in each partition; without exclusive writers a chain is a single buffer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints, Rows
from ..compiled import copy_into, loop
from .partition_question import Partitioned

CHEAPEST = 1e-4
"""Temperature, in partitions, at the end of an annealing; it starts at a twentieth of one."""


class Colouring:
    """Units (the blocks of one task, of one class, or one block), each of one partition, around what spans several."""

    def __init__(self, question: Partitioned, seed: int = 0, given: dict[int, int] | None = None) -> None:
        """``given``: partitions that blocks keep; all that must span are among them. None: those spread by chance."""
        q = question
        self.question = q
        parts = len(q.partitions)
        self.spans = _spread(q, seed) if given is None else given
        by_task: dict[tuple[int, int], list[int]] = {}
        class_of = {k: c for c, together in enumerate(q.classes) for k in together}
        for k, block in enumerate(q.blocks):
            if self.spans is not None and k in self.spans:
                continue
            alone = len(q.classes[class_of[k]]) == 1
            if alone and q.exclusive and len(block.written) == 1:
                by_task.setdefault((0, block.written[0][0]), []).append(k)
            else:
                by_task.setdefault((1, class_of[k]), []).append(k)
        self.units: list[list[int]] = list(by_task.values())
        self.may = np.ones((len(self.units), parts), dtype=np.bool_)
        for u, unit in enumerate(self.units):
            for k in unit:
                for p in range(parts):
                    self.may[u, p] &= p in q.places[k] and not q.spans(q.blocks[k], p)
        self.base = np.zeros((len(q.limits), parts, len(q.moments)), np.int64)
        holders: dict[int, set[int]] = {}
        living: dict[int, list[int]] = {}
        for m, moment in enumerate(q.moments):
            for k in moment.blocks:
                living.setdefault(k, []).append(m)
        for k, p in (self.spans or {}).items():
            for piece, size in q.pieces(q.blocks[k], p):
                self.base[q.blocks[k].pool, piece, living[k]] += size
            for t, size in q.blocks[k].written:
                holders.setdefault(t, set()).update(piece for piece, _ in q.cut(size, p))
        rows: list[list[tuple[int, int, int, int]]] = [[] for _ in self.units]
        unit_of = {k: u for u, unit in enumerate(self.units) for k in unit}
        for k in unit_of:
            when = living[k]
            runs = np.split(np.array(when), np.flatnonzero(np.diff(when) > 1) + 1)
            rows[unit_of[k]] += [
                (q.blocks[k].pool, int(run[0]), int(run[-1]) + 1, q.blocks[k].size) for run in runs if run.size
            ]
        self.row_start = Rows.of([range(len(own)) for own in rows]).start
        self.rows = np.array([row for own in rows for row in own], dtype=np.int64).reshape(-1, 4)
        writers = [{t for k in unit for t, _ in q.blocks[k].written} for unit in self.units]
        units_of: dict[int, set[int]] = {}
        for u, own in enumerate(writers):
            for t in own:
                units_of.setdefault(t, set()).add(u)
        near: list[set[int]] = [set() for _ in self.units]
        for a, b in q.rivals:
            for u in units_of.get(a, ()):
                for v in units_of.get(b, ()):
                    if u != v:
                        near[u].add(v)
                        near[v].add(u)
        for a, b in q.rivals:
            for t, other in ((a, b), (b, a)):
                for u in units_of.get(t, ()):
                    self.may[u, list(holders.get(other, ()))] = False
        self.near = Rows.of([sorted(own) for own in near])
        start = [min([q.tasks[t][0] for t in own] or [q.blocks[unit[0]].lives[0][0]])
                 for own, unit in zip(writers, self.units, strict=True)]  # fmt: skip
        bytes_of = [sum(q.blocks[k].size for k in unit) for unit in self.units]
        self.order = np.lexsort((-np.array(bytes_of), np.array(start))).astype(np.int64)
        self.capacity = np.array(q.partitions, dtype=np.int64)

    @property
    def possible(self) -> bool:
        """Whether every unit goes whole into some partition beside the blocks that span several."""
        return self.spans is not None and bool(self.may.any(axis=1).all())

    def anneal(self, steps: int, seed: int, headroom: float, stop: NDArray[np.bool_]) -> tuple[Ints, float] | None:
        """Partition per block, and by how many partitions the living bytes exceed what is there; None without colours.

        ``headroom``: share of every partition that is to stay free.
        """
        room = self.capacity * (1 - headroom)
        colour, excess = anneal(
            self.order, self.may, self.row_start, self.rows, self.near.start, self.near.index, room,
            self.base, steps, seed, CHEAPEST, stop,
        )  # fmt: skip
        if colour[0] < 0:
            return None
        partition = np.zeros(len(self.question.blocks), np.int64)
        for u, unit in enumerate(self.units):
            partition[unit] = colour[u]
        for k, p in (self.spans or {}).items():
            partition[k] = p
        return partition, float(excess)


def _spread(q: Partitioned, seed: int) -> dict[int, int] | None:
    """Where each block begins that has to run through several partitions; None when chance finds no room for them.

    Larger ones first, each where the partitions it covers are least used while it lives, with some noise.
    """
    must = [k for k, b in enumerate(q.blocks) if all(q.spans(b, p) for p in q.places[k])]
    if not must:
        return {}
    random = np.random.default_rng(seed)
    parts = len(q.partitions)
    live = np.zeros((parts, len(q.moments)), np.int64)
    when = {k: [m for m, moment in enumerate(q.moments) if k in moment.blocks] for k in must}
    owner: dict[int, set[int]] = {p: set() for p in range(parts)}
    rivals: dict[int, set[int]] = {}
    for a, b in q.rivals:
        rivals.setdefault(a, set()).add(b)
        rivals.setdefault(b, set()).add(a)
    first: list[int | None] = [None] * parts
    result = {}
    for k in sorted(must, key=lambda k: -q.blocks[k].size * (1 + 0.3 * random.random())):
        block = q.blocks[k]
        best: tuple[float, int] | None = None
        for p in q.places[k]:
            pieces = q.pieces(block, p)
            clash = {piece: {t for t, size in block.written if piece in dict(q.cut(size, p))} for piece, _ in pieces}
            free = all(
                int(live[piece, when[k]].max()) + size <= q.partitions[piece]
                and first[piece] in (None, block.pool)
                and not any(rivals.get(t, set()) & owner[piece] for t in clash[piece])
                for piece, size in pieces
            )
            # Where others have run through already, it costs least: their bytes are free when they have died.
            fresh = sum(1.0 for piece, _ in pieces if not live[piece].any())
            cost = fresh + 0.7 * random.random()
            if free and (best is None or cost < best[0]):
                best = cost, p
        if best is None:
            return None
        result[k] = best[1]
        for piece, size in q.pieces(block, best[1]):
            live[piece, when[k]] += size
            first[piece] = block.pool
        for t, size in block.written:
            for piece, _ in q.cut(size, best[1]):
                owner[piece].add(t)
    return result


@loop
def _height(live, p):  # type: ignore[no-untyped-def]
    """Bytes that the pools' peaks in partition ``p`` add up to."""
    total = 0.0
    for q in range(live.shape[0]):
        peak = np.int64(0)
        for m in range(live.shape[2]):
            peak = max(peak, live[q, p, m])
        total += peak
    return total


@loop
def _add(u, p, sign, row_start, rows, live):  # type: ignore[no-untyped-def]
    """Put the bytes of unit ``u`` into partition ``p``, or take them out."""
    for r in range(row_start[u], row_start[u + 1]):
        for m in range(rows[r, 1], rows[r, 2]):
            live[rows[r, 0], p, m] += sign * rows[r, 3]


@loop
def anneal(order, may, row_start, rows, near_start, near, room, base, steps, seed, cold, stop):  # type: ignore[no-untyped-def]
    """Colour of each unit (all -1 where greedy finds none) and the excess; see ``Colouring.anneal``."""
    np.random.seed(seed)
    plus, minus = np.int64(1), np.int64(-1)
    units, parts = may.shape
    live = base.copy()
    pools = live.shape[0]
    colour = np.full(units, -1, np.int64)
    for u in order:
        best, least = -1, np.inf
        for p in range(parts):
            if not may[u, p]:
                continue
            free = True
            for i in range(near_start[u], near_start[u + 1]):
                free = free and colour[near[i]] != p
            if not free:
                continue
            load = 0.0
            for r in range(row_start[u], row_start[u + 1]):
                for m in range(rows[r, 1], rows[r, 2]):
                    for q in range(pools):
                        load += live[q, p, m]
            load = (load / room[p] + 1e-9) * (1.0 + 0.1 * np.random.random())
            if load < least:
                best, least = p, load
        if best < 0:
            return np.full(units, -1, np.int64), np.inf
        colour[u] = best
        _add(u, best, plus, row_start, rows, live)
    high = np.zeros(parts)
    excess = 0.0
    for p in range(parts):
        high[p] = _height(live, p)
        excess += max(0.0, high[p] / room[p] - 1.0)
    best_colour, best_excess = colour.copy(), excess
    chain = np.empty(units, np.int64)
    inside = np.zeros(units, np.bool_)
    for step in range(steps):
        if best_excess <= 0.0 or (step % 256 == 0 and stop[0]):
            break
        heat = 0.05 * (cold / 0.05) ** (step / steps)
        u = np.random.randint(units)
        if np.random.random() < 0.8:  # only what leaves an overfull partition helps by itself
            for _ in range(20):
                if high[colour[u]] > room[colour[u]]:
                    break
                u = np.random.randint(units)
        a = colour[u]
        b = np.random.randint(parts)
        if a == b or not may[u, b]:
            continue
        chain[0], length, allowed, at = u, 1, True, 0
        inside[u] = True
        while at < length:
            v = chain[at]
            other = b if colour[v] == a else a
            allowed = allowed and may[v, other]
            for i in range(near_start[v], near_start[v + 1]):
                w = near[i]
                if colour[w] == other and not inside[w]:
                    inside[w] = True
                    chain[length] = w
                    length += 1
            at += 1
        for i in range(length):
            inside[chain[i]] = False
        if not allowed:
            continue
        for i in range(length):
            v = chain[i]
            _add(v, colour[v], minus, row_start, rows, live)
            colour[v] = a + b - colour[v]
            _add(v, colour[v], plus, row_start, rows, live)
        high_a, high_b = _height(live, a), _height(live, b)
        before = max(0.0, high[a] / room[a] - 1.0) + max(0.0, high[b] / room[b] - 1.0)
        after = max(0.0, high_a / room[a] - 1.0) + max(0.0, high_b / room[b] - 1.0)
        if after <= before or np.random.random() < np.exp((before - after) / heat):
            high[a], high[b] = high_a, high_b
            excess += after - before
            if excess < best_excess - 1e-12:
                best_excess = excess
                copy_into(best_colour, colour)
        else:
            for i in range(length):
                v = chain[i]
                _add(v, colour[v], minus, row_start, rows, live)
                colour[v] = a + b - colour[v]
                _add(v, colour[v], plus, row_start, rows, live)
    return best_colour, best_excess
