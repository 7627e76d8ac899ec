"""Bytes and time: the two units of the model, and their text forms.

Sizes are integers of bytes; text accepts a unit, where GB = 10^9 and GiB = 2^30. Times are seconds in files and
integer milliseconds (ticks) inside; a positive duration never becomes zero.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NewType

Bytes = NewType("Bytes", int)
"""A number of bytes, or a byte offset."""

Tick = NewType("Tick", int)
"""A moment or a duration in milliseconds since the start of the plan."""

MAX_BYTES = 2**62
"""Largest size that is accepted: sums of a million of them would still be exact in Python, and one fits in int64."""

MAX_TICKS = 2**40
"""Largest duration that is accepted, in milliseconds (about 35 years)."""

_MOST_SECONDS = Decimal(MAX_TICKS) / 1000

SIZE_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
SIZE_FORM = "an integer of bytes, or text such as '250MB' (10^6) or '2GiB' (2^30)"
_SIZE = re.compile(r"^\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*$")


def parse_size(value: int | str) -> Bytes:
    """The number of bytes that ``value`` denotes, rounded up to a whole byte.

    >>> parse_size("1.5GB"), parse_size("2GiB"), parse_size(7)
    (1500000000, 2147483648, 7)

    Raises ``ValueError`` (found and allowed in its text) on anything else, negative or above ``MAX_BYTES`` included.
    """
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"found {value!r}, allowed {SIZE_FORM}")
    if isinstance(value, int):
        size = value
    else:
        match = _SIZE.match(value)
        if match is None or match.group(2).lower() not in SIZE_UNITS:
            raise ValueError(f"found {value!r}, allowed {SIZE_FORM}")
        exact = Decimal(match.group(1)) * SIZE_UNITS[match.group(2).lower()]
        size = int(exact.to_integral_value(rounding="ROUND_CEILING"))
    if not 0 <= size <= MAX_BYTES:
        raise ValueError(f"found {value!r}, allowed 0 to {MAX_BYTES} bytes")
    return Bytes(size)


def format_size(size: int) -> str:
    """``size`` for people, in decimal units with three significant digits.

    >>> format_size(1_500_000_000), format_size(999), format_size(0), format_size(10_000_000_000)
    ('1.5GB', '999B', '0B', '10GB')
    """
    if size < 0:
        return "-" + format_size(-size)
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            number = size / factor
            digits = 2 if number < 10 else 1 if number < 100 else 0
            return f"{number:.{digits}f}".rstrip("0").rstrip(".") + unit if digits else f"{number:.0f}{unit}"
    return f"{size}B"


def exact_size(size: int) -> str:
    """``size`` as text that :func:`parse_size` reads back unchanged, with the largest decimal unit that divides it.

    >>> exact_size(10**10), exact_size(1_500_000_001)
    ('10GB', '1500000001B')
    """
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_duration(seconds: float | int | str | Decimal) -> Tick:
    """Seconds to ticks (ms), rounded half up, at least one tick: the model has no instantaneous task.

    >>> parse_duration(12.5), parse_duration(0), parse_duration("0.0004")
    (12500, 1, 1)
    """
    if isinstance(seconds, bool):
        raise ValueError(f"found {seconds!r}, allowed a number of seconds")
    try:
        exact = Decimal(str(seconds))
    except InvalidOperation:
        raise ValueError(f"found {seconds!r}, allowed a number of seconds") from None
    if not exact.is_finite() or exact < 0 or exact > _MOST_SECONDS:
        raise ValueError(f"found {seconds!r}, allowed 0 to {MAX_TICKS // 1000} seconds")
    return Tick(max(1, int((exact * 1000).to_integral_value(rounding=ROUND_HALF_UP))))


def to_seconds(ticks: int) -> int | float:
    """Ticks to seconds; an integer where it is whole, so that files stay short and canonical."""
    return ticks // 1000 if ticks % 1000 == 0 else ticks / 1000


def align_up(size: int, alignment: int) -> Bytes:
    """The least multiple of ``alignment`` that is at least ``size``."""
    return Bytes(-(-size // alignment) * alignment)
