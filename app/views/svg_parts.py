"""What the pictures have in common: numbers, text and round marks on an axis."""

from __future__ import annotations

from html import escape
from math import floor, log10


def ticks(first: int, last: int, most: int = 8) -> list[int]:
    """Round numbers in [first, last], 1, 2 or 5 times a power of ten apart, at most ``most`` + 1 of them.

    >>> ticks(0, 1048576), ticks(3, 7), ticks(0, 0)
    ([0, 200000, 400000, 600000, 800000, 1000000], [3, 4, 5, 6, 7], [0])
    """
    rough = max(1.0, (last - first) / most)
    power = 10 ** floor(log10(rough))
    step = next(int(m * power) for m in (1, 2, 5, 10) if m * power >= rough)
    return list(range(-(-first // step) * step, last + 1, step))


def number(value: float) -> str:
    """A coordinate to a hundredth of a pixel, without zeros at its end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(words: str) -> str:
    """``words`` as XML content; what XML has no form for, control characters and halves of characters, is replaced."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words))
