"""Serial schedule generation, for problems without bytes: each task at the earliest time at which it fits.

List scheduling (``gate.py``) lets no task wait that could start, and with several resources every best schedule may
need one to wait. Here tasks are taken one after another, each is put at the earliest time from which its resources are
free for as long as it lasts, between tasks that were put earlier too. The schedules made so are the active ones; one of
them is optimal (Kolisch, 1996). Bytes are different: how long they live is only known when their readers are placed.

Free capacity is kept per unit of time, so the unit must not be too small: ``MOST_UNITS``.
"""

from __future__ import annotations

import numpy as np

from ..compiled import loop

MOST_UNITS = 20_000
"""Units of time in a plan beyond which a table of them is too slow."""


@loop
def serial_schedule(rank, line, start):  # type: ignore[no-untyped-def]
    """Fill ``start``; returns the makespan. ``rank``: tasks, highest priority first; precedence comes before it."""
    dur, waits, ss, si, demand, capacity = line[0], line[1], line[2], line[3], line[4], line[5]
    n, resources = dur.shape[0], capacity.shape[0]
    place, earliest, missing = np.empty(n, np.int64), np.zeros(n, np.int64), waits.copy()
    horizon = np.int64(1)
    for p in range(n):
        place[rank[p]] = p
        horizon += dur[p]
    free = np.empty((horizon, resources), np.int64)
    used_until = np.int64(0)  # rows of ``free`` that are filled in
    makespan = np.int64(0)
    heap, count = np.empty(n, np.int64), np.int64(0)  # places of tasks whose predecessors are scheduled, least first
    for p in range(n):
        if missing[rank[p]] == 0:
            heap[count] = p
            count += 1
    for _ in range(n):
        t = rank[heap[0]]
        count -= 1
        item, k = heap[count], np.int64(0)
        while 2 * k + 1 < count:
            child = 2 * k + 1
            if child + 1 < count and heap[child + 1] < heap[child]:
                child += 1
            if heap[child] >= item:
                break
            heap[k] = heap[child]
            k = child
        heap[k] = item
        begin, length = earliest[t], dur[t]
        k = begin
        while k < begin + length and k < used_until:
            for r in range(resources):
                if demand[t, r] > free[k, r]:
                    begin = k + 1
            k += 1
        end = begin + length
        while used_until < end:
            for r in range(resources):
                free[used_until, r] = capacity[r]
            used_until += 1
        for u in range(begin, end):
            for r in range(resources):
                free[u, r] -= demand[t, r]
        start[t] = begin
        makespan = max(makespan, end)
        for i in range(ss[t], ss[t + 1]):
            u = si[i]
            earliest[u] = max(earliest[u], end)
            missing[u] -= 1
            if missing[u] == 0:
                k = count
                count += 1
                while k > 0 and heap[(k - 1) // 2] > place[u]:
                    heap[k] = heap[(k - 1) // 2]
                    k = (k - 1) // 2
                heap[k] = place[u]
    return makespan
