"""Draws: what they mean is fixed, and they are as even as they say."""

from __future__ import annotations

from collections import Counter
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.solver.families.draws import Draws, exponential, logarithm, power


def test_draws_do_not_drift() -> None:
    """As Python 3.11 drew them, and as :mod:`draws` has drawn them since it was written."""
    draws = Draws(42)

    assert [draws.between(1, 1000) for _ in range(5)] == [655, 115, 26, 760, 282]
    assert draws.share() == 0.24489185380347622
    assert draws.sample(range(100), 4) == [17, 94, 13, 86]
    assert draws.sample(range(12), 7) == [11, 8, 1, 6, 0, 7, 10]
    items = list(range(8))
    draws.shuffle(items)
    assert items == [6, 7, 2, 0, 5, 4, 1, 3]
    assert draws.one_of("abc") == "c"
    assert Draws(42, "sizes").between(1, 10**12) == 661697813027


def test_purposes_and_seeds_have_streams_of_their_own() -> None:
    firsts = [Draws(seed, purpose).share() for seed in range(50) for purpose in ("", "sizes", "durations")]

    assert len(set(firsts)) == len(firsts)


def test_each_order_is_as_likely_as_the_others() -> None:
    draws, seen = Draws(1), Counter[tuple[int, ...]]()
    for _ in range(6000):
        items = [0, 1, 2]
        draws.shuffle(items)
        seen[tuple(items)] += 1

    assert len(seen) == factorial(3)
    # Expected 1000 each, with a standard deviation of 29.
    assert all(850 < count < 1150 for count in seen.values())


@given(st.integers(), st.integers(1, 200), st.data())
def test_a_sample_is_of_different_items(seed: int, total: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, total))
    sample = Draws(seed).sample(range(total), count)

    assert len(set(sample)) == len(sample) == count
    assert set(sample) <= set(range(total))


@pytest.mark.parametrize(
    ("base", "exponent", "value"), [(1, 0.7, 1.0), (4, 0.5, 2.0), (1000, 1.0, 1000.0), (2, 10.0, 1024.0)]
)
def test_powers_that_are_whole_are_exactly_whole(base: int, exponent: float, value: float) -> None:
    assert power(base, exponent) == value


@given(st.floats(-50, 50))
def test_logarithm_undoes_exponential_to_more_digits_than_a_float_has(x: float) -> None:
    assert float(logarithm(exponential(x))) == pytest.approx(x, rel=1e-20, abs=1e-20)
