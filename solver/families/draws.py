"""Random numbers that are the same everywhere: the same seed gives the same draws on every machine and Python.

Python promises of its generator (Mersenne Twister, seeded with an integer) that ``random()`` never changes; how
``randint``, ``shuffle`` or ``sample`` turn its words into answers may change between versions, and did. So nothing but
``random()`` and ``getrandbits()``, which hands out the generator's words, is used here, and what is made of them is
written out. The whole numbers are those that Python 3.11's own methods draw: families that are older than this module
give the problems they always gave.

Nothing here calls the mathematical library of the machine, whose ``exp``, ``log`` and ``pow`` are off by a unit in the
last place on some machines and not on others, enough to move a size by a byte. :func:`power`, :func:`exponential` and
:func:`logarithm` are ``decimal``'s, which are correctly rounded by specification.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableSequence, Sequence
from decimal import Context, Decimal
from random import Random
from typing import TypeVar

Item = TypeVar("Item")

EXACTLY = Context(prec=28)
"""Arithmetic whose results are specified to the last digit, whatever context the caller's thread has."""

_SMALLEST = 2.0**-54


class Draws:
    """A stream of draws. Streams of one ``seed`` and different ``purpose`` are independent of each other."""

    def __init__(self, seed: int, purpose: str = "") -> None:
        if purpose:
            seed = int.from_bytes(hashlib.sha256(f"{seed}:{purpose}".encode()).digest())
        self._words = Random(seed)

    def share(self) -> float:
        """Evenly from [0, 1)."""
        return self._words.random()

    def inner_share(self) -> float:
        """Evenly from the open interval (0, 1), where every quantile is finite."""
        return max(_SMALLEST, self._words.random())

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count - 1``, each as likely as the others."""
        bits = count.bit_length()
        drawn = self._words.getrandbits(bits)
        while drawn >= count:
            drawn = self._words.getrandbits(bits)
        return drawn

    def between(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def one_of(self, items: Sequence[Item]) -> Item:
        """One of ``items``."""
        return items[self.below(len(items))]

    def shuffle(self, items: MutableSequence[Item]) -> None:
        """Put ``items`` in an order in which each order is as likely as the others (Fisher and Yates)."""
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def sample(self, items: Sequence[Item], count: int) -> list[Item]:
        """``count`` different ones of ``items``, in the order in which they were drawn."""
        total = len(items)
        # A set of what was drawn takes less room than a copy of the items when there are far more of those.
        room = 21
        if count > 5:
            room += 4 ** next(m for m in range(64) if 4**m >= 3 * count)
        if total <= room:
            pool, drawn = list(items), []
            for left in range(total, total - count, -1):
                j = self.below(left)
                drawn.append(pool[j])
                pool[j] = pool[left - 1]
            return drawn
        chosen: dict[int, None] = {}
        while len(chosen) < count:
            chosen.setdefault(self.below(total))
        return [items[j] for j in chosen]


def exponential(exponent: float | Decimal) -> Decimal:
    """e to the ``exponent``, to 28 digits."""
    return EXACTLY.exp(Decimal(exponent))


def logarithm(number: float | Decimal) -> Decimal:
    """The natural logarithm of ``number``, to 28 digits."""
    return EXACTLY.ln(Decimal(number))


def power(base: int, exponent: float) -> float:
    """``base ** exponent`` as the nearest floating-point number.

    >>> power(9, 0.5), power(10, 2.0), power(7, 0.0)
    (3.0, 100.0, 1.0)
    """
    return float(exponential(EXACTLY.multiply(logarithm(base), Decimal(exponent))))
