"""Different orders below a ceiling: beginnings for searches whose end depends on where they begin."""

from __future__ import annotations

from collections.abc import Iterator

from ..arrays import Ints
from .constructive import DEPTH_FIRST, NEED, NET, SHARE, greedy
from .live import Live
from .local_search import order_value
from .two_sided import two_sided

RULES = (
    (NEED, 0.0),
    (DEPTH_FIRST, 0.0),
    (NET, 0.0),
    (SHARE, 0.0),
    (NEED, 0.5),
    (NET, 0.1),
    (DEPTH_FIRST, 0.1),
    (SHARE, 0.5),
)
"""Greedy rules with the share of the largest size that is added to scores by chance."""


def orders_below(live: Live, ceiling: int, seed: int) -> Iterator[Ints]:
    """Orders of task numbers with at most ``ceiling`` bytes alive, from both ends of the graph, no two the same."""
    forward, backward = two_sided(live, backward=False), two_sided(live, backward=True)
    seen: set[bytes] = set()
    for number, (rule, noise) in enumerate(RULES):
        for mirrored in (False, True):
            order = greedy(rule, noise, seed + number, backward if mirrored else forward)
            if mirrored:
                order = order[::-1].copy()
            if order.tobytes() not in seen and order_value(order, forward) <= ceiling:
                seen.add(order.tobytes())
                yield order
