"""How figures are written: one form for factors, seconds and shares in every report."""

from __future__ import annotations

from math import ceil, floor

ROUNDING = 1e-7
"""What a factor may be off by after a division in floating point, in units of its fourth digit."""


def factor(value: float | None) -> str:
    """A reuse factor with four digits, rounded down: a report never claims more than the plan reaches.

    >>> factor(0.84219), factor(None), factor(0.0)
    ('0.8421', 'none', '0.0000')
    """
    if value is None:
        return "none"
    return f"{floor(value * 10_000 + ROUNDING) / 10_000:.4f}"


def bound_factor(value: float | None) -> str:
    """An upper bound on the reuse factor with four digits, rounded up: it still holds as written.

    >>> bound_factor(0.84211), bound_factor(0.5)
    ('0.8422', '0.5000')
    """
    if value is None:
        return "none"
    return f"{ceil(value * 10_000 - ROUNDING) / 10_000:.4f}"


def seconds(value: float) -> str:
    """A duration or moment with about three digits: ``0.05s``, ``1.75s``, ``1132s``.

    >>> seconds(0.05), seconds(1.75), seconds(12.52), seconds(1132.4), seconds(0)
    ('0.05s', '1.75s', '12.5s', '1132s', '0s')
    """
    return _trimmed(f"{value:.{_decimals(value)}f}")


def bound_seconds(value: float) -> str:
    """A lower bound on a duration, rounded down to the digits of :func:`seconds`: it still holds as written.

    >>> bound_seconds(12.58), bound_seconds(0.4666), bound_seconds(3)
    ('12.5s', '0.466s', '3s')
    """
    decimals = _decimals(value)
    return _trimmed(f"{floor(value * 10**decimals + ROUNDING) / 10**decimals:.{decimals}f}")


def upper_seconds(value: float) -> str:
    """An upper bound on a duration, rounded up to the digits of :func:`seconds`: it still holds as written.

    >>> upper_seconds(12.52), upper_seconds(0.4666), upper_seconds(3)
    ('12.6s', '0.467s', '3s')
    """
    decimals = _decimals(value)
    return _trimmed(f"{ceil(value * 10**decimals - ROUNDING) / 10**decimals:.{decimals}f}")


def _decimals(value: float) -> int:
    return 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0


def _trimmed(number: str) -> str:
    return (number.rstrip("0").rstrip(".") if "." in number else number) + "s"


def percent(share: float) -> str:
    """A share with about two digits.

    >>> percent(0), percent(0.0312), percent(0.42)
    ('0%', '3.1%', '42%')
    """
    value = 100 * share
    return f"{value:.0f}%" if value == 0 or value >= 10 else f"{value:.1f}%"


def plural(count: int, noun: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
