"""Curves that compare configurations: performance profiles, and the primal gap over time.

**Performance profile** (Dolan and Moré 2002). ``r[p, s]`` = cost of ``s`` on problem ``p`` over the least cost of any
on it, infinite where ``s`` failed. ``share[s](tau)`` = share of all problems with ``r[p, s] <= tau``. At 1 it tells how
often ``s`` was best, far to the right how often it succeeded at all. Of three or more configurations only the best
should be read off the picture: the order of the others depends on who else is in it (Gould and Scott 2016).

**Primal gap** (Berthold 2013) of an incumbent ``v`` to the best known value ``b``: ``|v - b| / max(|v|, |b|)``, 0 when
both are 0, 1 while there is none. Its integral over time rewards good values that come early: small is good, and it
needs no choice of a moment to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from .trajectory import Step

Curve = tuple[tuple[float, float], ...]
"""A step function: from each place on, this value; in order of places."""


def performance_ratios(costs: Mapping[str, Sequence[float | None]]) -> dict[str, tuple[float, ...]]:
    """``r[p, s]`` for the costs of each configuration on the same problems in the same order; None: failed.

    >>> performance_ratios({"a": [1, 4, None], "b": [2, 2, None]})
    {'a': (1.0, 2.0, inf), 'b': (2.0, 1.0, inf)}
    """
    problems = zip(*costs.values(), strict=True)
    best = [min((c for c in row if c is not None), default=None) for row in problems]
    return {name: tuple(_ratio(c, b) for c, b in zip(row, best, strict=True)) for name, row in costs.items()}


def _ratio(cost: float | None, best: float | None) -> float:
    if cost is None or best is None:
        return inf
    if best == 0:
        return 1.0 if cost == 0 else inf
    return cost / best


def profile(ratios: Sequence[float]) -> Curve:
    """``share(tau)`` from ``tau`` = 1 on.

    >>> profile([1.0, 2.0, 2.0, inf])
    ((1.0, 0.25), (2.0, 0.75))
    """
    steps = {1.0: 0.0}
    for reached, ratio in enumerate(sorted(r for r in ratios if r < inf), 1):
        steps[ratio] = reached / len(ratios)
    return tuple(steps.items())


def primal_gap(value: float | None, best: float | None) -> float:
    """The gap of ``value`` (None: there is none yet) to the ``best`` known; from 0 to 1."""
    if value is None or best is None:
        return 1.0
    largest = max(abs(value), abs(best))
    if largest == 0:
        return 0.0
    return 1.0 if value * best < 0 else abs(value - best) / largest


def gap_curve(incumbents: Sequence[Step], best: float | None, horizon: float) -> Curve:
    """The primal gap over time, from 0 to before ``horizon``."""
    curve = {0.0: 1.0}
    for at, value in incumbents:
        if at < horizon:
            curve[max(0.0, at)] = primal_gap(value, best)
    return tuple(curve.items())


def integral(curve: Curve, horizon: float) -> float:
    """The integral of a step function from its first place to ``horizon``.

    >>> integral(((0.0, 1.0), (2.0, 0.5)), 4.0)
    3.0
    """
    ends = [*(at for at, _ in curve[1:]), horizon]
    return sum(value * (end - at) for (at, value), end in zip(curve, ends, strict=True))


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """The mean of step functions that begin at one place; nothing of none."""
    if not curves:
        return ()
    changes: dict[float, float] = {}
    for curve in curves:
        before = 0.0
        for at, value in curve:
            changes[at] = changes.get(at, 0.0) + value - before
            before = value
    total, steps = 0.0, []
    for at in sorted(changes):
        total += changes[at]
        steps.append((at, max(0.0, total) / len(curves)))
    return tuple(steps)
