"""Distributions: quantiles against the formulas of the textbooks, text against what it means."""

from __future__ import annotations

from decimal import Inexact, localcontext
from math import exp, log
from statistics import NormalDist, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.families import DISTRIBUTIONS, distribution
from catalytic.solver.families.distributions import (
    Bimodal,
    Constant,
    Distribution,
    Exponential,
    LogNormal,
    Pareto,
    Uniform,
    normal,
)
from catalytic.solver.families.draws import Draws
from catalytic.solver.units import MAX_BYTES, parse_duration, parse_size

MB = 10**6
EXAMPLES: dict[str, Distribution] = {
    "constant": Constant(7 * MB),
    "uniform": Uniform(MB, 3 * MB),
    "exponential": Exponential(5 * MB),
    "lognormal": LogNormal(10 * MB, 0.8),
    "pareto": Pareto(MB, 2.5),
    "bimodal": Bimodal(MB, 100 * MB, 0.1, 0.2),
}
MEANS = {
    "constant": 7 * MB,
    "uniform": 2 * MB,
    "exponential": 5 * MB,
    "lognormal": 10 * MB,
    "pareto": 2.5 * MB / 1.5,
    # A log-normal value has the mean median * exp(spread^2 / 2).
    "bimodal": (0.9 * MB + 0.1 * 100 * MB) * exp(0.02),
}
GOLDEN = {
    "constant": [7000000, 7000000, 7000000, 7000000, 7000000],
    "uniform": [1000000, 1200000, 2000000, 2860000, 3000000],
    "exponential": [1, 526803, 3465736, 13296300, 183684003],
    "lognormal": [9549, 2604769, 7261490, 23646565, 5167860795],
    "pareto": [1000000, 1043045, 1319508, 2897082, 2408995052579],
    "bimodal": [190908, 783387, 1028336, 90043247, 486048375],
}
shares = st.floats(2.0**-54, 1 - 2.0**-53)


def test_there_is_an_example_of_every_distribution() -> None:
    assert EXAMPLES.keys() == MEANS.keys() == DISTRIBUTIONS.keys()


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_mean_of_many_draws_is_the_mean(name: str) -> None:
    draws = Draws(5, "sizes")

    assert fmean(EXAMPLES[name].at(draws.inner_share()) for _ in range(20_000)) == pytest.approx(MEANS[name], rel=0.03)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_quantiles_do_not_drift(name: str) -> None:
    """Whole numbers, so that no machine may be off by anything."""
    assert [EXAMPLES[name].at(share) for share in (2.0**-54, 0.1, 0.5, 0.93, 1 - 2.0**-53)] == GOLDEN[name]


@given(shares)
def test_the_normal_quantile_is_that_of_the_standard_library(share: float) -> None:
    assert normal(share) == pytest.approx(NormalDist().inv_cdf(share), abs=2e-6)


@given(shares)
def test_tails_follow_their_formulas(share: float) -> None:
    assert EXAMPLES["exponential"].at(share) == pytest.approx(max(1, -5 * MB * log(1 - share)), abs=1)
    assert EXAMPLES["pareto"].at(share) == pytest.approx(MB / (1 - share) ** 0.4, rel=1e-9, abs=1)


@given(st.sampled_from(sorted(EXAMPLES)), shares, shares)
def test_a_larger_share_never_has_a_smaller_quantile(name: str, a: float, b: float) -> None:
    low, high = sorted((a, b))

    assert 1 <= EXAMPLES[name].at(low) <= EXAMPLES[name].at(high) <= MAX_BYTES


def test_what_is_larger_than_most_becomes_most() -> None:
    free, capped = Pareto(MB, 0.5), distribution("pareto:least=1MB,alpha=0.5,most=10MB", parse_size)

    assert capped.at(1 - 2.0**-53) == 10 * MB
    assert capped.at(0.1) == free.at(0.1) < 10 * MB
    assert free.at(1 - 2.0**-53) == MAX_BYTES


def test_the_precision_of_the_callers_thread_does_not_matter() -> None:
    expected = {name: d.at(0.7) for name, d in EXAMPLES.items()}

    with localcontext() as context:
        context.prec = 3
        context.traps[Inexact] = True
        assert {name: d.at(0.7) for name, d in EXAMPLES.items()} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10MB", Constant(10 * MB)),
        ("4096", Constant(4096)),
        ("1MB..20MB", Uniform(MB, 20 * MB)),
        ("lognormal:mean=10MB,sigma=1", LogNormal(10 * MB, 1.0)),
        (" bimodal: low=1kB, high=2kB, share=0.5 ", Bimodal(1000, 2000, 0.5, 0.2)),
        ("exponential:mean=1MiB,most=1GiB", Exponential(2**20, 2**30)),
    ],
)
def test_text_names_a_distribution(text: str, expected: Distribution) -> None:
    assert distribution(text, parse_size) == expected


def test_durations_are_seconds_in_text_and_milliseconds_inside() -> None:
    assert distribution("lognormal:mean=1.5,sigma=0.5", parse_duration) == LogNormal(1500, 0.5)
    assert distribution("0.2..3", parse_duration) == Uniform(200, 3000)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("lognorml:mean=3", ["name: found 'lognorml'", "did you mean 'lognormal'"]),
        (
            "lognormal:mean=x,sigma=y,foo=3,mean=3",
            [
                "4 mistakes",
                "lognormal.mean: found 'x'",
                "lognormal.sigma: found 'y'",
                "lognormal.foo",
                "more than once",
            ],
        ),
        ("lognormal:mean=0,sigma=nan", ["lognormal.mean: found 0", "lognormal.sigma: found nan, allowed 0 to 10"]),
        ("uniform:low=5,high=3", ["uniform.low: found 5, allowed at most high = 3"]),
        ("bimodal", ["3 mistakes", "bimodal.low: found nothing", "bimodal.share: found nothing"]),
        ("pareto:least=1MB,alpha", ["pareto.alpha: found 'alpha', allowed one of least=, alpha=, most="]),
        ("", ["constant.value: found ''"]),
        ("3MB..x", ["uniform.high: found 'x'"]),
        ("5XB", ["constant.value: found '5XB'"]),
    ],
)
def test_every_mistake_of_a_text_is_told(text: str, messages: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        distribution(text, parse_size, "--sizes")

    for message in messages:
        assert message in str(caught.value)
