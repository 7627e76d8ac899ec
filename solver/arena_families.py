"""Generated placement problems by name, parameters and seed; the same everywhere. Families of tasks: ``families``.

::

    guillotine    a rectangle (time x bytes) cut in two again and again, from edge to edge
    pinwheel      cut in five as well: four arms around a middle, which no cut from edge to edge separates
    long-tailed   births anywhere, lifetimes and sizes log-normal: many short and small, a few long and large

The pieces of a cut rectangle fill it: its height is the optimum, known beforehand (*planted*), and no placement that
reaches it wastes a byte. With few distinct moments and sizes (``moments``, ``units``) there are many ways to go wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np

from .placement.arena import Arena


@dataclass(frozen=True, slots=True)
class Planted:
    """An arena whose least height is known: ``optimum`` bytes."""

    arena: Arena
    optimum: int


Piece = tuple[int, int, int, int]
"""(birth, death, bottom, top) of a part of the rectangle."""


def guillotine(buffers: int = 100, *, moments: int = 1000, units: int = 1000, seed: int = 0) -> Planted:
    """``buffers`` pieces of a rectangle of ``moments`` by ``units``, each cut from edge to edge in two."""
    return _planted(buffers, moments, units, seed, pinwheels=False)


def pinwheel(buffers: int = 100, *, moments: int = 1000, units: int = 1000, seed: int = 0) -> Planted:
    """The same with three cuts in four made in five parts: four arms around a middle."""
    return _planted(buffers, moments, units, seed, pinwheels=True)


def long_tailed(
    buffers: int = 1000, *, moments: int | None = None, spread: float = 1.0, seed: int = 0, alive: float = 50.0
) -> Arena:
    """Log-normal lifetimes and sizes (``spread``: deviation of their logarithms), about ``alive`` of them at a time."""
    draw = np.random.default_rng(seed)
    moments = moments or 10 * buffers
    lower = np.sort(draw.integers(0, moments, buffers))
    mean = alive * moments / buffers
    length = np.exp(spread * draw.standard_normal(buffers) - spread**2 / 2) * mean
    upper = np.minimum(lower + np.maximum(1, length).astype(np.int64), 2 * moments)
    size = np.maximum(1, (np.exp(spread * draw.standard_normal(buffers)) * 4096)).astype(np.int64)
    return Arena.of(lower, upper, size)


PLANTED: dict[str, Callable[..., Planted]] = {"guillotine": guillotine, "pinwheel": pinwheel}


def _planted(buffers: int, moments: int, units: int, seed: int, *, pinwheels: bool) -> Planted:
    if buffers < 1 or moments < 1 or units < 1 or buffers > moments * units // 4 + 1:
        raise ValueError(f"{buffers} buffers do not come out of a rectangle of {moments} x {units}")
    random = Random(seed)
    pieces: list[Piece] = [(0, moments, 0, units)]
    while len(pieces) < buffers:
        # Large pieces are cut more often, so that shapes differ but none dominates.
        index = max((random.randrange(len(pieces)) for _ in range(3)), key=lambda k: _area(pieces[k]))
        parts = _pinwheel(pieces[index], random) if pinwheels and random.random() < 0.75 else ()
        if not parts or len(pieces) + len(parts) - 1 > buffers:
            parts = _halves(pieces[index], moments, units, random)
        if parts:
            pieces[index : index + 1] = parts
    random.shuffle(pieces)
    lower, upper, bottom, top = (np.array(column, dtype=np.int64) for column in zip(*pieces, strict=True))
    return Planted(Arena.of(lower, upper, top - bottom), units)


def _area(piece: Piece) -> int:
    return (piece[1] - piece[0]) * (piece[3] - piece[2])


def _halves(piece: Piece, moments: int, units: int, random: Random) -> tuple[Piece, ...]:
    """Cut across the relatively longer side, mostly."""
    birth, death, bottom, top = piece
    wide, high = (death - birth) / moments, (top - bottom) / units
    across_time = random.random() < wide / (wide + high)
    if across_time and death - birth > 1:
        at = birth + _inside(death - birth, random)
        return (birth, at, bottom, top), (at, death, bottom, top)
    if not across_time and top - bottom > 1:
        at = bottom + _inside(top - bottom, random)
        return (birth, death, bottom, at), (birth, death, at, top)
    return ()


def _pinwheel(piece: Piece, random: Random) -> tuple[Piece, ...]:
    birth, death, bottom, top = piece
    if death - birth < 3 or top - bottom < 3:
        return ()
    a, b = sorted(random.sample(range(birth + 1, death), 2))
    c, d = sorted(random.sample(range(bottom + 1, top), 2))
    arms = ((birth, a, bottom, d), (a, death, bottom, c), (b, death, c, top), (birth, b, d, top), (a, b, c, d))
    if random.random() < 0.5:
        return arms
    return tuple((birth + death - z, birth + death - s, lo, hi) for s, z, lo, hi in arms)


def _inside(length: int, random: Random) -> int:
    """A cut between a fifth and four fifths of ``length``, at least 1 from its ends."""
    return min(length - 1, max(1, round(length * random.uniform(0.2, 0.8))))
