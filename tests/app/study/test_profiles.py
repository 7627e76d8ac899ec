"""Profiles and integrals against their definitions."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.study.profiles import (
    Curve,
    gap_curve,
    integral,
    mean_curve,
    performance_ratios,
    primal_gap,
    profile,
)

costs = st.none() | st.integers(0, 5).map(float)
tables = st.integers(1, 4).flatmap(
    lambda n: st.dictionaries(st.sampled_from("abc"), st.lists(costs, min_size=n, max_size=n), min_size=1)
)
steps = st.lists(st.tuples(st.integers(0, 40).map(lambda k: k / 4), st.integers(0, 9)), max_size=6).map(
    lambda pairs: sorted(dict(pairs).items())
)


def at(curve: Curve, place: float) -> float:
    """The value of a step function: that of the last step at or before ``place``."""
    return [value for start, value in curve if start <= place][-1]


@settings(deadline=None, max_examples=60)
@given(tables, st.sampled_from([1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 100.0]))
def test_a_profile_is_the_share_of_problems_within_a_factor_of_the_best(
    table: dict[str, list[float | None]], tau: float
) -> None:
    """Dolan and Moré's definition, counted problem by problem."""
    count = len(next(iter(table.values())))
    for name, ratios in performance_ratios(table).items():
        within = 0
        for p in range(count):
            known = [row[p] for row in table.values() if row[p] is not None]
            cost, best = table[name][p], min((k for k in known if k is not None), default=None)
            within += cost is not None and best is not None and cost <= tau * best

        assert at(profile(ratios), tau) == pytest.approx(within / count)


@settings(deadline=None, max_examples=60)
@given(tables)
def test_a_profile_rises_and_ends_at_the_share_that_succeeded(table: dict[str, list[float | None]]) -> None:
    for name, ratios in performance_ratios(table).items():
        curve = profile(ratios)
        values = [value for _, value in curve]

        assert curve[0][0] == 1.0
        assert values == sorted(values)
        assert values[-1] == pytest.approx(sum(r < inf for r in ratios) / len(ratios))
        assert all(r >= 1 for r in ratios), name


@settings(deadline=None, max_examples=60)
@given(tables)
def test_somebody_is_best_on_every_problem_that_anybody_solved(table: dict[str, list[float | None]]) -> None:
    ratios = performance_ratios(table)
    for p in range(len(next(iter(table.values())))):
        if any(row[p] is not None for row in table.values()):
            assert min(r[p] for r in ratios.values()) == 1


@pytest.mark.parametrize(
    ("value", "best", "gap"),
    [(None, 5, 1), (5, 5, 0), (0, 0, 0), (10, 5, 0.5), (5, 10, 0.5), (0, 5, 1), (-5, 5, 1), (7, None, 1)],
)
def test_the_primal_gap_is_berthold_s(value: float | None, best: float | None, gap: float) -> None:
    assert primal_gap(value, best) == gap


@settings(deadline=None, max_examples=60)
@given(steps, st.integers(1, 9), st.integers(1, 48).map(lambda k: k / 4))
def test_the_primal_integral_is_what_summing_many_thin_slices_gives(
    incumbents: list[tuple[float, int]], best: int, horizon: float
) -> None:
    """All moments are multiples of a quarter, so slices of an eighth with their middles are exact."""

    def gap(moment: float) -> float:
        known = [value for start, value in incumbents if start <= moment]
        return primal_gap(known[-1] if known else None, best)

    slices = round(horizon * 8)
    expected = sum(gap((k + 0.5) / 8) for k in range(slices)) / 8

    assert integral(gap_curve(incumbents, best, horizon), horizon) == pytest.approx(expected)


@settings(deadline=None, max_examples=60)
@given(st.lists(steps, min_size=1, max_size=4), st.integers(1, 9))
def test_the_mean_curve_is_the_mean_at_every_moment(runs: list[list[tuple[float, int]]], best: int) -> None:
    curves = [gap_curve(run, best, 12.0) for run in runs]
    mean = mean_curve(curves)

    for quarter in range(48):
        moment = quarter / 4
        assert at(mean, moment) == pytest.approx(sum(at(c, moment) for c in curves) / len(curves))
    assert integral(mean, 12.0) == pytest.approx(sum(integral(c, 12.0) for c in curves) / len(curves))


def test_no_curves_have_no_mean() -> None:
    assert mean_curve([]) == ()
