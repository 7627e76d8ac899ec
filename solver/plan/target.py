"""Between a target on the reuse factor and the bytes it leaves."""

from __future__ import annotations

from fractions import Fraction
from math import floor

MOST_DIGITS = 15
"""A float tells as many decimal digits apart."""

TOLERANCE = Fraction(1, 500)
"""Share of a ceiling that a target of few digits may leave beyond it."""


def ceiling_of(target: float | None, allocated: int, capacity: int) -> int:
    """Most bytes of footprint that reach ``target`` (None: any) in a workspace of ``capacity`` bytes.

    >>> ceiling_of(0.8, 1000, 10**6), ceiling_of(None, 1000, 10**6), ceiling_of(0.1, 1000, 500)
    (200, 1000000, 500)
    """
    if target is None:
        return capacity
    return min(capacity, int((1 - Fraction(str(target))) * allocated))


def target_leaving(ceiling: int, allocated: int, tolerance: Fraction = TOLERANCE) -> float:
    """A target that a footprint of ``ceiling`` bytes reaches, and few above it; with few digits, for people to read.

    ``tolerance``: share of ``ceiling`` that it may leave beyond; with 0 none at all, below 10^15 bytes. The target is 0
    where ``ceiling`` is all that is allocated, or more.

    >>> target_leaving(200, 1000), target_leaving(18_010_112, 39_018_496), target_leaving(7, 6)
    (0.8, 0.538, 0.0)
    """
    if ceiling >= allocated:
        return 0.0
    exact = 1 - Fraction(ceiling, allocated)
    for digits in range(1, MOST_DIGITS + 1):
        rounded = Fraction(floor(exact * 10**digits), 10**digits)
        if (1 - rounded) * allocated - ceiling <= tolerance * ceiling:
            return float(rounded)
    return float(rounded)
