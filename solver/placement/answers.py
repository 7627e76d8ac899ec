"""What a search says about a capacity, and in which order it tries buffers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ..arrays import Ints
from .arena import Component


class Found(IntEnum):
    """What a search says about a capacity. ``GAVE_UP``: no nodes left, stopped, or all that was not skipped failed."""

    NONE_EXISTS = 0
    PLACED = 1
    GAVE_UP = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """``offset``: units, one per buffer of the component, when PLACED. ``nodes``: how many were visited."""

    found: Found
    offset: Ints | None
    nodes: int


def rank_by(component: Component, key: str, noise: float = 0.0, seed: int = 0) -> Ints:
    """Rank of each buffer in the static order ``key``, a word over T, A, W, Z; fixed buffers and elder twins first.

    ``noise`` is the standard deviation of a normal number added to the logarithm of every area, width and size.
    """
    n = component.size.size
    live = component.live
    start, items = component.sections
    blur = np.exp(noise * np.random.default_rng(seed).standard_normal((3, n))) if noise else np.ones((3, n))
    columns = {
        "T": np.maximum.reduceat(live[items], start[:-1]).astype(np.float64),
        "A": component.size * component.duration * blur[0],
        "W": component.duration * blur[1],
        "Z": component.size * blur[2],
    }
    order = np.lexsort((*(-columns[letter] for letter in reversed(key)), component.fixed < 0))
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    for k in range(n):  # twins stand in the order of their numbers: exchange ranks that noise turned around
        younger, elder = k, int(component.twin[k])
        while elder >= 0 and rank[elder] > rank[younger]:
            rank[younger], rank[elder] = int(rank[elder]), int(rank[younger])
            younger, elder = elder, int(component.twin[elder])
    return rank
