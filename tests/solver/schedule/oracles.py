"""Schedules by definition: the gate as a replay of the reference order, bytes alive, and optima by enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from catalytic.solver.arrays import Ints
from catalytic.solver.order import Compact


def users(compact: Compact) -> list[list[int]]:
    """Tasks that touch each block."""
    rows: list[list[int]] = [[] for _ in range(compact.size.size)]
    for t in range(compact.task_count):
        for b in compact.touches[t].tolist():
            rows[b].append(t)
    return rows


def peak_of_starts(compact: Compact, start: Ints) -> int:
    """Most bytes alive at any tick: a block lives from the start of its first user to the end of its last one."""
    end = start + compact.duration
    horizon = int(end.max(initial=0))
    most = 0
    for tick in range(horizon):
        alive = 0
        for b, tasks in enumerate(users(compact)):
            birth = 0 if compact.preload[b] else min(int(start[t]) for t in tasks)
            death = horizon if compact.kept[b] else max(int(end[t]) for t in tasks)
            alive += int(compact.size[b]) if birth <= tick < death else 0
        most = max(most, alive)
    return most


def peak_of_order(compact: Compact, order: list[int], started: set[int], ceiling: int) -> bool:
    """Whether ``order``, run one task at a time after all of ``started`` have ended, stays below ``ceiling``."""
    rows, gone = users(compact), set(started)
    for t in order:
        alive = 0
        for b, tasks in enumerate(rows):
            born = compact.preload[b] or t in tasks or any(u in gone for u in tasks)
            wanted = compact.kept[b] or t in tasks or any(u not in gone for u in tasks)
            alive += int(compact.size[b]) if born and wanted else 0
        if alive > ceiling:
            return False
        gone.add(t)
    return True


def gated(compact: Compact, rank: Ints, reference: Ints, strict: NDArray[np.bool_], ceiling: int) -> Ints:
    """List scheduling in which the gate replays the rest of the reference order at every start."""
    n, rows = compact.task_count, users(compact)
    start, end = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    now = 0
    while (start < 0).any():
        ended = {t for t in range(n) if start[t] >= 0 and end[t] <= now}
        closed = False
        for t in rank.tolist():
            if start[t] >= 0 or any(int(p) not in ended for p in compact.predecessors[t]):
                continue
            running = [u for u in range(n) if start[u] >= 0 and end[u] > now]
            used = sum((compact.demand[u] for u in running), np.zeros(compact.capacity.size, np.int64))
            if (used + compact.demand[t] > compact.capacity).any():
                continue
            started = {u for u in range(n) if start[u] >= 0}
            born = [compact.preload[b] or any(u in started for u in rows[b]) for b in range(len(rows))]
            dead = [not compact.kept[b] and all(u in ended for u in rows[b]) for b in range(len(rows))]
            live = sum(int(compact.size[b]) for b in range(len(rows)) if born[b] and not dead[b])
            need = sum(int(compact.size[b]) for b in compact.touches[t].tolist() if not born[b])
            rest = [u for u in reference.tolist() if u not in started and u != t]
            before = rest[: sum(1 for u in reference.tolist()[: reference.tolist().index(t)] if u not in started)]
            if need and (closed or live + need > ceiling or not peak_of_order(compact, before, started | {t}, ceiling)):
                closed = closed or bool(strict[t])
                continue
            start[t], end[t] = now, now + compact.duration[t]
        if not (end > now).any():  # a strict task keeps all others out: the reference order goes on
            t = next(u for u in reference.tolist() if start[u] < 0)
            start[t], end[t] = now, now + compact.duration[t]
        now = min(int(e) for e in end if e > now)
    return start


def least_makespan(compact: Compact, ceiling: int) -> int | None:
    """The optimum on one line with resources and ``ceiling``, over all integer starts; None where there is none."""
    n, horizon = compact.task_count, int(compact.duration.sum())
    best: int | None = None
    for starts in product(*(range(horizon - int(d) + 1) for d in compact.duration)):
        start = np.array(starts, dtype=np.int64)
        end = start + compact.duration
        makespan = int(end.max(initial=0))
        if best is not None and makespan >= best:
            continue
        if any(end[p] > start[t] for t in range(n) for p in compact.predecessors[t]):
            continue
        if any(
            (compact.demand[(start <= tick) & (tick < end)].sum(axis=0) > compact.capacity).any()
            for tick in range(makespan)
        ):
            continue
        if peak_of_starts(compact, start) <= ceiling:
            best = makespan
    return best
