"""Simulated annealing over what the list scheduler is told: priorities, the reference order, and who is strict.

A state is an order of priority and a set of strict tasks. A neighbour moves a few tasks to other places of the order
(near ones more often than far ones) or makes one task strict or not. Whenever a state is accepted, the start order of
its schedule becomes the next reference order: it peaks no higher than the schedule does, so it fits, and it keeps what
was found alive when priorities change.

Some neighbours are *justified* (Valls, Ballestin, Quintanilla, 2005): the schedule is pushed to the right by
scheduling the mirrored problem in order of ends, then to the left again, which closes gaps that no move of a priority
would close. That is possible because the mirror image of a line is a line (``line.py``).

The cost is the makespan plus a little of the mean start, so that the search sees progress between two makespans, and of
the reserved bytes, plus the share by which these exceed their limit. Temperatures are shares of the makespan.
"""

from __future__ import annotations

import numpy as np

from ..compiled import inner, loop
from .cell_gate import celled_schedule
from .gate import NO_SCHEDULE, gated_schedule
from .serial import serial_schedule

STRICT_SHARE = 0.1
"""Of the neighbours, those that differ in who is strict."""

HOME_SHARE = 0.1
"""Of the neighbours in partitions, those in which a block has another home."""

SEGMENT_SHARE = 0.1
"""Of the others, those in which a whole stretch of the order moves."""

MEAN_START_WEIGHT = 0.02
"""Of the mean start in the cost."""

RESERVED_WEIGHT = 0.05
"""Of the share of the limit that is reserved, in makespans: among equals, what reserves less is easier to place."""

EXCESS_WEIGHT = 3.0
"""How much longer, in makespans, a plan may be for reserving one limit less."""


@loop
def anneal(  # type: ignore[no-untyped-def]
    rank, reference, strict, home, random, serial, by_home, steps, hot, cold, justified, ceiling, limit, lower, line,
    mirror, cells, best_start, best_where, found, stop,
):  # fmt: skip
    """Anneal for ``steps`` schedules, from temperature ``hot`` to ``cold``, until ``stop[0]`` or makespan ``lower``.

    ``limit`` is what may be reserved; excess has its price. ``by_home``: by the gate that sees partitions, which lets
    no more than ``ceiling`` be reserved; otherwise ``ceiling`` is for live bytes.

    ``rank``, ``reference``, ``strict`` and ``home`` (partitions) are the state, changed in place; ``justified`` is the
    share of justified neighbours (0 with partitions). ``serial``: there are no bytes, and schedules are made serially.
    The best schedule goes to ``best_start`` and ``best_where``, its makespan and reserved bytes to ``found[0]`` and
    ``found[1]``. Returns how many schedules were made.
    """
    n, parts = rank.shape[0], cells[0]
    duration, size, part_size = line[0], line[11], cells[2]
    start, back, again = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    where = np.zeros(best_where.shape[0], np.int64)  # stays so on one address line
    trial, trial_strict, trial_home = rank.copy(), strict.copy(), home.copy()
    turned, lax = np.empty(n, np.int64), np.zeros(n, np.bool_)
    key, tie = np.empty(n, np.int64), np.empty(n, np.int64)
    made, best = 0, np.inf
    cost, span = np.inf, 1.0
    while made < steps and not stop[0]:
        if made > 0:
            _copy(trial, rank)
            for t in range(n):
                trial_strict[t] = strict[t]
            _copy(trial_home, home)
            if by_home and home.shape[0] > 0 and _uniform(random) < HOME_SHARE:
                g = int(_uniform(random) * home.shape[0])
                trial_home[g] = int(_uniform(random) * (parts - (size[g] - 1) // part_size))
            else:
                _neighbour(trial, trial_strict, random)
        if serial:
            makespan, reserved = serial_schedule(trial, line, start), np.int64(0)
        elif by_home:
            makespan, reserved = celled_schedule(
                trial, reference, trial_strict, trial_home, ceiling, line, cells, start, where
            )
        else:
            makespan, reserved = gated_schedule(
                trial, reference, trial_strict, ceiling, limit, line, cells, start, where
            )
        made += 1
        if makespan == NO_SCHEDULE:
            if made == 1:
                break
            continue
        for k in range(n):
            tie[trial[k]] = k
        if justified > 0.0 and _uniform(random) < justified:
            _order(start, tie, key, trial)
            for k in range(n):
                turned[k] = trial[n - 1 - k]
            for t in range(n):
                again[t] = -start[t] - duration[t]
            _order(again, tie, key, trial)
            if serial:
                length = serial_schedule(trial, mirror, back)
            else:
                length, _ = gated_schedule(trial, turned, lax, ceiling, limit, mirror, cells, back, where)
            for t in range(n):
                again[t] = length - back[t] - duration[t]
            _order(again, tie, key, trial)
            if serial:
                length, peak = serial_schedule(trial, line, again), np.int64(0)
            else:
                length, peak = gated_schedule(trial, trial, lax, ceiling, limit, line, cells, again, where)
            made += 2
            if length <= makespan:
                makespan, reserved = length, peak
                _copy(start, again)
                for t in range(n):
                    trial_strict[t] = False
                for k in range(n):
                    tie[trial[k]] = k
        mean = 0.0
        for t in range(n):
            mean += start[t]
        excess = max(0, reserved - limit) / max(1, limit)
        longer = makespan * (1.0 + EXCESS_WEIGHT * excess)
        value = longer + MEAN_START_WEIGHT * mean / n + RESERVED_WEIGHT * makespan * reserved / max(1, limit)
        heat = hot * (cold / hot) ** (made / steps) * span
        if value <= cost or _uniform(random) < np.exp((cost - value) / heat):
            cost, span = value, float(makespan)
            _order(start, tie, key, reference)
            for t in range(n):
                rank[tie[t]] = t
                strict[t] = trial_strict[t]
            _copy(home, where)
            if longer < best or (longer == best and reserved < found[1]):
                best = longer
                _copy(best_start, start)
                _copy(best_where, where)
                found[0], found[1] = makespan, reserved
                if excess == 0.0 and makespan <= lower:
                    break
    return made


@inner
def _neighbour(rank, strict, random):  # type: ignore[no-untyped-def]
    """Change who is strict, or move one to a few tasks by distances whose logarithm is uniform."""
    n = rank.shape[0]
    if _uniform(random) < STRICT_SHARE:
        t = int(_uniform(random) * n)
        strict[t] = not strict[t]
        return
    if _uniform(random) < SEGMENT_SHARE:
        length = int(2.0 * (n / 8.0) ** _uniform(random))
        a = int(_uniform(random) * (n - length + 1))
        _rotate(rank, a, length, int(_uniform(random) * (n - length + 1)))
        return
    while True:
        a = int(_uniform(random) * n)
        reach = max(2.0, n * 10.0 ** (-2.5 * _uniform(random)))
        b = min(n - 1, max(0, int(a + (2.0 * _uniform(random) - 1.0) * reach)))
        moved = rank[a]
        step = 1 if a < b else -1
        for k in range(a, b, step):
            rank[k] = rank[k + step]
        rank[b] = moved
        if _uniform(random) >= 0.3:
            return


@inner
def _rotate(rank, begin, length, target):  # type: ignore[no-untyped-def]
    """Move ``rank[begin : begin + length]`` so that it begins at ``target``."""
    moved = rank[begin : begin + length].copy()
    if target < begin:
        for k in range(begin - 1, target - 1, -1):
            rank[k + length] = rank[k]
    else:
        for k in range(begin, target):
            rank[k] = rank[k + length]
    for k in range(length):
        rank[target + k] = moved[k]


@inner
def _order(value, tie, key, order):  # type: ignore[no-untyped-def]
    """Fill ``order`` with tasks by ``value``, then by ``tie`` (places in an order)."""
    n = value.shape[0]
    for t in range(n):
        key[t] = value[t] * n + tie[t]
    _copy(order, np.argsort(key))


@inner
def _copy(target, source):  # type: ignore[no-untyped-def]
    for i in range(target.shape[0]):
        target[i] = source[i]


@inner
def _uniform(random):  # type: ignore[no-untyped-def]
    """A number in ``[0, 1)``; ``random[0]`` is the state, never 0 (xorshift; Marsaglia, 2003)."""
    state = random[0]
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    random[0] = state
    return (state >> np.uint64(11)) * 2.0**-53
