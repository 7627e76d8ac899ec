"""Sizes and durations as text: whatever is no amount is refused, however large."""

from __future__ import annotations

import pytest

from catalytic.solver.units import MAX_TICKS, parse_duration


@pytest.mark.parametrize("text", ["1e999999", "1e9999999999999999999", "9" * 5000, "-1", "nan", "inf", "", "1 s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Numbers beyond those that decimal arithmetic can multiply too."""
    with pytest.raises(ValueError, match=r"^found .*, allowed "):
        parse_duration(text)


def test_the_longest_duration_is_read_exactly() -> None:
    assert parse_duration(f"{MAX_TICKS // 1000}.{MAX_TICKS % 1000:03}") == MAX_TICKS
    with pytest.raises(ValueError, match="allowed 0 to"):
        parse_duration(f"{MAX_TICKS // 1000}.{MAX_TICKS % 1000 + 1:03}")
