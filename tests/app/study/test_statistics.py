"""Means and intervals against their definitions, computed in other ways."""

from __future__ import annotations

from math import exp, gamma, inf, log, pi, prod, sqrt
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.study.statistics import (
    geometric_mean,
    log_ratio,
    median,
    ratio_interval,
    spread,
    student_quantile,
    student_within,
)

positive = st.floats(1e-3, 1e6)


def density(t: float, freedom: int) -> float:
    """Student's density, from its formula."""
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    return float(scale * (1 + t * t / freedom) ** (-(freedom + 1) / 2))


def within_by_integration(t: float, freedom: int, pieces: int = 2000) -> float:
    """Simpson's rule over the density from -t to t."""
    step = t / pieces
    weights = (1 if k in (0, pieces) else 4 if k % 2 else 2 for k in range(pieces + 1))
    return 2 * step / 3 * sum(w * density(k * step, freedom) for k, w in enumerate(weights))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 13, 30, 99])
@pytest.mark.parametrize("t", [0.1, 1.0, 2.0, 4.5])
def test_the_distribution_is_the_integral_of_its_density(t: float, freedom: int) -> None:
    assert student_within(t, freedom) == pytest.approx(within_by_integration(t, freedom), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.01, 0.999), st.integers(1, 200))
def test_the_quantile_is_the_inverse_of_the_distribution(share: float, freedom: int) -> None:
    assert student_within(student_quantile(share, freedom), freedom) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(
    ("freedom", "tabulated"), [(1, 12.706), (2, 4.303), (3, 3.182), (9, 2.262), (10, 2.228), (60, 2.000)]
)
def test_the_quantile_is_the_printed_table(freedom: int, tabulated: float) -> None:
    assert student_quantile(0.95, freedom) == pytest.approx(tabulated, abs=5e-4)


def test_the_interval_covers_the_true_ratio_as_often_as_it_says() -> None:
    """1000 samples of five normal logarithms: 95% of the intervals hold the truth, give or take three deviations."""
    rng, truth = Random(7), 0.1
    held = 0
    for _ in range(1000):
        interval = ratio_interval([rng.gauss(truth, 0.3) for _ in range(5)])
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= exp(truth) <= interval.high

    assert abs(held - 950) <= 3 * sqrt(1000 * 0.95 * 0.05)


@settings(deadline=None, max_examples=60)
@given(st.lists(positive, min_size=1, max_size=8))
def test_the_geometric_mean_is_the_root_of_the_product(values: list[float]) -> None:
    mean = geometric_mean(values)

    assert mean is not None
    assert mean == pytest.approx(exp(log(prod(v / 1e3 for v in values)) / len(values)) * 1e3, rel=1e-9)
    assert min(values) * (1 - 1e-9) <= mean <= max(values) * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(positive, min_size=1, max_size=8), st.floats(0.1, 100))
def test_a_shift_moves_the_geometric_mean_towards_the_arithmetic_one(values: list[float], shift: float) -> None:
    plain, shifted = geometric_mean(values), geometric_mean(values, shift)

    assert plain is not None
    assert shifted is not None
    assert plain * (1 - 1e-9) <= shifted + 1e-9
    assert shifted <= sum(values) / len(values) * (1 + 1e-9) + 1e-9


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(positive, positive), min_size=2, max_size=8), st.floats(0.1, 10))
def test_the_ratio_is_turned_over_with_the_pairs_and_scales_with_them(
    pairs: list[tuple[float, float]], factor: float
) -> None:
    logs = [log_ratio(a, b) or 0.0 for a, b in pairs]
    one = ratio_interval(logs)
    other = ratio_interval([-x for x in logs])
    scaled = ratio_interval([x + log(factor) for x in logs])

    assert one is not None
    assert other is not None
    assert scaled is not None
    assert one.ratio * other.ratio == pytest.approx(1)
    assert scaled.ratio == pytest.approx(one.ratio * factor, rel=1e-6)
    assert one.low is not None
    assert other.high is not None
    if other.high < inf:
        assert one.low * other.high == pytest.approx(1, rel=1e-6)


def test_nothing_is_claimed_when_the_interval_contains_one_or_there_is_too_little() -> None:
    def claim(*ratios: float) -> int:
        interval = ratio_interval([log(r) for r in ratios])
        assert interval is not None
        return interval.claim

    assert claim(0.9, 0.91, 0.89, 0.9) == -1
    assert claim(1.1, 1.11, 1.09, 1.1) == 1
    assert claim(0.9, 1.12, 0.95, 1.05) == 0
    assert claim(1.0, 1.0, 1.0) == 0
    assert claim(0.5) == 0
    assert claim(0.5, 0.5) == 0
    assert ratio_interval([]) is None


def test_a_ratio_with_one_zero_is_none_and_of_two_zeros_is_one() -> None:
    assert log_ratio(0, 0) == 0
    assert log_ratio(0, 5) is None
    assert log_ratio(5, 0) is None
    assert log_ratio(0, 1, shift=1) == pytest.approx(log(1 / 2))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.integers(0, 9), max_size=7))
def test_what_is_missing_is_worse_than_any_value(values: list[int | None]) -> None:
    """The median with None is the median with a value above all others, unless that is such a value itself."""
    middle = median(values)
    ordered = sorted(10_000 if v is None else v for v in values)
    if not ordered:
        assert middle is None
        return
    half = len(ordered) // 2
    expected = ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2

    assert middle == (None if expected >= 5000 else expected)
    found = spread(values)
    assert (found is None) == (middle is None)
    if found is not None:
        known = [v for v in values if v is not None]
        assert (found.low, found.high) == (min(known), max(known))
