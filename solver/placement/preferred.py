"""Preferred offsets: of the placements that are low enough, one that leaves most bytes where they are welcome.

Height comes first, as nobody wants to pay memory for stability. So: hold every buffer that can be where it prefers to
be, as if it were fixed, and ask for the bound (or the capacity); if that fails place without preferences, and ask once
more for that height with the preferred ones held. What is held together is chosen greedily, large buffers first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..arrays import Ints
from .arena import Arena, components
from .constructive import first_fit


def held(arena: Arena, capacity: int) -> Arena:
    """``arena`` with buffers fixed where they prefer to be, as many as first fit by size gets there.

    Preferences that nobody could meet (not aligned, above ``capacity``, where a larger buffer is held) are dropped.
    """
    wished = (arena.preferred >= 0) & (arena.fixed < 0) & (arena.size > 0)
    wished &= arena.preferred % arena.alignment == 0
    wished &= arena.preferred + arena.size <= capacity
    fixed = arena.fixed.copy()
    for component in components(replace(arena, preferred=np.where(wished, arena.preferred, -1))):
        wants = component.preferred >= 0
        order = np.lexsort((-component.size, ~wants)).astype(np.int64)
        offset = first_fit(component, order)
        assert offset is not None  # nothing stops it
        there = wants & (offset == component.preferred)
        fixed[component.buffers[there]] = arena.preferred[component.buffers[there]]
    return replace(arena, fixed=_frozen(fixed))


def _frozen(column: Ints) -> Ints:
    column.setflags(write=False)
    return column
