"""Means and intervals for figures that differ by factors, and what may be said of two configurations.

**Shifted geometric mean** ``exp(mean(log(x + s))) - s``: for times, where a second matters at one and not at a
thousand; the shift ``s`` keeps what is nearly zero from deciding everything (Achterberg 2007, section A.2).

**Interval of a ratio.** Logarithms of paired ratios, Student's t over them, back again. Pairs are problems (the mean
over seeds counts as one observation each), because a claim is meant for problems like these and seeds of one problem
resemble each other; only a study of a single problem has nothing but seeds. Student's t and no bootstrap: with the
handful of observations that studies have, percentiles of resamples are far too narrow (of two pairs that agree by
chance, which is every second time, a bootstrap would claim a difference with certainty).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import atan, cos, exp, inf, isclose, isfinite, log, pi, sin, sqrt
from statistics import fmean, stdev

CONFIDENCE = 0.95

FEWEST = 3
"""Observations below which nothing is claimed: values are whole numbers, and two of them agree exactly by chance more
often than any normal distribution thinks."""


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """The geometric mean of ``count`` ratios. ``low`` and ``high``: its confidence interval; None: too few for one."""

    ratio: float
    low: float | None
    high: float | None
    count: int

    @property
    def claim(self) -> int:
        """-1: the ratio is below 1, 1: above, as far as the interval tells; 0: nothing can be said."""
        if self.low is None or self.high is None or self.count < FEWEST:
            return 0
        if self.high < 1 and not isclose(self.high, 1, abs_tol=1e-12):
            return -1
        return 1 if self.low > 1 and not isclose(self.low, 1, abs_tol=1e-12) else 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and extremes over seeds."""

    median: float
    low: float
    high: float


def geometric_mean(values: Iterable[float], shift: float = 0.0) -> float | None:
    """The geometric mean of ``values + shift``, less ``shift``; None of nothing.

    >>> geometric_mean([1, 4]), geometric_mean([0, 3], shift=1), geometric_mean([])
    (2.0, 1.0, None)
    """
    logs = [log(value + shift) for value in values]
    return exp(fmean(logs)) - shift if logs else None


def log_ratio(value: float, other: float, shift: float = 0.0) -> float | None:
    """``log((value + shift) / (other + shift))``; 0 of two zeros, None where only one of them is."""
    above, below = value + shift, other + shift
    if above == below:
        return 0.0
    return log(above / below) if above > 0 and below > 0 else None


def ratio_interval(logs: Sequence[float], confidence: float = CONFIDENCE) -> RatioInterval | None:
    """The mean ratio whose logarithms were observed as ``logs``, with its interval; None of nothing."""
    if not logs:
        return None
    middle = fmean(logs)
    if len(logs) < 2:
        return RatioInterval(exp(middle), None, None, len(logs))
    reach = student_quantile(confidence, len(logs) - 1) * stdev(logs) / sqrt(len(logs))
    return RatioInterval(exp(middle), _exp(middle - reach), _exp(middle + reach), len(logs))


def _exp(value: float) -> float:
    return exp(value) if value < 700 else inf


def spread(values: Iterable[float | None]) -> Spread | None:
    """Median and extremes, where None is worse than any value; None when the median is."""
    ordered = sorted(inf if value is None else float(value) for value in values)
    middle = median(ordered)
    known = [value for value in ordered if isfinite(value)]
    return None if middle is None or not known else Spread(middle, known[0], known[-1])


def median(values: Iterable[float | None]) -> float | None:
    """The median, where None is worse than any value; None when the median is, or of nothing.

    >>> median([3, None, 1]), median([None, None, 1]), median([1, 2])
    (3.0, None, 1.5)
    """
    ordered = sorted(inf if value is None else float(value) for value in values)
    if not ordered:
        return None
    half = len(ordered) // 2
    middle = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
    return middle if isfinite(middle) else None


def student_within(t: float, freedom: int) -> float:
    """``P(|T| <= t)`` for Student's t with ``freedom`` degrees of freedom, exactly (Abramowitz and Stegun 26.7.3, 4).

    >>> round(student_within(12.706, 1), 4), round(student_within(1.96, 10**6), 3)
    (0.95, 0.95)
    """
    angle = atan(t / sqrt(freedom))
    sine, cosine = sin(angle), cos(angle)
    if freedom == 1:
        return 2 * angle / pi
    term = cosine if freedom % 2 else 1.0
    total = term
    for k in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        if term < 1e-18 * total:
            break
        total += term
    return 2 / pi * (angle + sine * total) if freedom % 2 else sine * total


def student_quantile(within: float, freedom: int) -> float:
    """The ``t`` with ``P(|T| <= t) = within``.

    >>> round(student_quantile(0.95, 1), 3), round(student_quantile(0.95, 9), 3)
    (12.706, 2.262)
    """
    if not 0 < within < 1 or freedom < 1:
        raise ValueError(f"found within={within}, freedom={freedom}, allowed a probability and at least 1")
    low, high = 0.0, 1.0
    while student_within(high, freedom) < within:
        high *= 2
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if student_within(middle, freedom) < within else (low, middle)
        if middle in (low, high) and high - low <= 4e-16 * high:
            break
    return high
