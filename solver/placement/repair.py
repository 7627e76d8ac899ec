"""Local search for a placement within a target: what lies too high is put back where it displaces least.

::

    target ------------------------------------      b reaches above the target and is taken out;
      |          +----------+                         of all offsets where it could rest on another buffer or hang
      |   +---+  |    c     |        +---+            below one, the one is taken where the buffers in its way weigh
      |   | a |  +----------+        | b |            least; these are out now, and so on. What had to displace
      |   |   |                      +---+            others becomes heavier: next time it is let be

Ejection search with learned weights (Nagata and Braysy, 2009, for vehicle routing; the same idea as breakout local
search) on rectangles that may only move upward and downward. A step costs what the buffers alive together with one
cost, whatever the number of all; nothing is ever built anew.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from ..compiled import inner, loop
from ..interrupts import interruptible
from .arena import Component, _ranges

AREA_POWER = 0.7
"""A buffer weighs (size x time alive) to this power at first."""

_FIXED = 1e12  # outweighs all that moves, and leaves four digits of a sum that it was added to and taken from


class Repair:
    """The search of one component. It goes on where it ended when it is asked for the same target again.

    What it learned of weights stays when the target changes: a lower one is reached in half the time if many are alive.
    """

    def __init__(self, component: Component, seed: int) -> None:
        self._component = component
        self._index = _Index(component)
        self._target = -1
        self._offset = component.fixed.copy()
        area = component.size * component.duration.astype(np.float64)
        self._base = (area / area.mean()) ** AREA_POWER
        self._weight = np.where(component.fixed < 0, self._base, _FIXED)
        self._random = np.array([2 * seed + 1], dtype=np.uint64)
        self._stamp = np.zeros(component.size.size, np.int64)
        self._steps = np.zeros(1, np.int64)
        self._lists = tuple(np.empty(component.size.size + 1, np.int64) for _ in range(8))

    @property
    def out(self) -> int:
        """How many buffers were out when the last question ended."""
        return int((self._offset < 0).sum())

    def ask(self, target: int, offset: Ints, steps: int, stop: npt.NDArray[np.bool_]) -> Ints | None:
        """Offsets within ``target`` units; None when ``steps`` did not lead there, or ``stop[0]`` was set.

        ``offset``: a complete placement to begin with. O(neighbours x log(neighbours)) per step.
        """
        component = self._component
        if target < component.bound:
            return None
        if target != self._target:
            self._target = target
            self._offset = np.where(offset + component.size <= target, offset, -1)
        with interruptible():
            within = _repair(
                component.size,
                component.alignment,
                component.piece,
                component.first,
                component.end,
                *self._index.columns,
                self._offset,
                self._base,
                self._weight,
                self._random,
                self._stamp,
                self._steps,
                *self._lists,
                target,
                steps,
                stop,
            )
        return self._offset.copy() if within else None


class _Index:
    """Who is alive together with whom, without a list for each buffer.

    Pieces by their first section, and at every ``stride``-th section those that are alive since before it. The pieces
    that meet ``[s, e)`` are among those alive at the last such section up to ``s`` and those that begin from there on
    before ``e``.
    """

    def __init__(self, component: Component) -> None:
        first, end, owner = component.first, component.end, component.owner
        order = np.argsort(first, kind="stable")
        begins = np.searchsorted(first[order], np.arange(component.section_count + 1))
        mean = float((end - first).sum()) / component.section_count
        per_section = first.size / component.section_count
        stride = max(1, int(mean / per_section / 4))
        low, high = first // stride + 1, (end - 1) // stride + 1
        at = _ranges(low, np.maximum(low, high))
        piece = np.repeat(np.arange(first.size), np.maximum(0, high - low))
        since = np.zeros(component.section_count // stride + 2, np.int64)
        since[1:] = np.cumsum(np.bincount(at, minlength=since.size - 1))
        self.columns = (owner, order, begins, piece[np.argsort(at, kind="stable")], since, stride)


@inner
def _sort(keys, values, sorted_keys, sorted_values, n, most, heads):  # type: ignore[no-untyped-def]
    """Both arrays by the first, into the other two: keys from 0 to ``most`` fall evenly into buckets, or nearly so."""
    buckets = min(n, heads.shape[0] - 1)
    scale = buckets / (most + 1.0)
    for k in range(buckets + 1):
        heads[k] = 0
    for i in range(n):
        heads[np.int64(keys[i] * scale) + 1] += 1
    for k in range(buckets):
        heads[k + 1] += heads[k]
    for i in range(n):
        bucket = np.int64(keys[i] * scale)
        sorted_keys[heads[bucket]], sorted_values[heads[bucket]] = keys[i], values[i]
        heads[bucket] += 1
    for i in range(1, n):
        key, value, at = sorted_keys[i], sorted_values[i], i
        while at > 0 and sorted_keys[at - 1] > key:
            sorted_keys[at], sorted_values[at] = sorted_keys[at - 1], sorted_values[at - 1]
            at -= 1
        sorted_keys[at], sorted_values[at] = key, value


@loop
def _repair(  # type: ignore[no-untyped-def]
    size, alignment, piece, first, end,
    owner, by_first, begins, since_before, since, stride,
    offset, base, weight, random, stamp, past, out, met, key, heads, near, low, by_top, high, target, steps, stop,
):  # fmt: skip
    """Changes ``offset`` (-1: out) and ``weight``; whether nobody is out at the end.

    ``stamp``: the last step, of all the ``past``, in which a buffer was met.
    """
    outs = np.int64(0)
    for b in range(size.size):
        if offset[b] < 0:
            out[outs] = b
            outs += 1
    state = random[0]
    for step in range(steps):
        if outs == 0 or (step % 16 == 0 and stop[0]):
            break
        past[0] += 1
        now = past[0]
        # The heaviest of a few: small ones find room more easily when the others are back.
        chosen = np.int64(-1)
        for _ in range(8):  # xorshift (Marsaglia, 2003)
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
            drawn = np.int64(state % np.uint64(outs))
            if chosen < 0 or base[out[drawn]] > base[out[chosen]]:
                chosen = drawn
        b = out[chosen]
        outs -= 1
        out[chosen] = out[outs]
        # Neighbours.
        m = np.int64(0)
        stamp[b] = now
        for p in range(piece[b], piece[b + 1]):
            block = first[p] // stride
            x, y = since[block], begins[block * stride]
            while x < since[block + 1] or y < begins[end[p]]:
                if x < since[block + 1]:
                    q = since_before[x]
                    x += 1
                else:
                    q = by_first[y]
                    y += 1
                u = owner[q]
                if end[q] > first[p] and offset[u] >= 0 and stamp[u] != now:
                    stamp[u] = now
                    met[m], key[m] = u, offset[u]
                    m += 1
        _sort(key, met, low, near, m, target, heads)
        for k in range(m):
            key[k] = low[k] + size[near[k]]
        _sort(key, near, high, by_top, m, target, heads)
        # Weight in the way at an offset: of those that begin below its top, without those that end below it.
        best, best_at = _FIXED / 2, np.int64(-1)
        for way in range(2):
            if best == 0.0:
                break
            i, j = 0, 0
            begun, ended = 0.0, 0.0
            for k in range(-1, m + 1):
                if way == 0:
                    if k == m:
                        break
                    at = np.int64(0) if k < 0 else (high[k] + alignment[b] - 1) // alignment[b] * alignment[b]
                else:
                    if k < 0:
                        continue
                    at = (low[k] if k < m else target) - size[b]
                    if at < 0:
                        continue
                    at = at // alignment[b] * alignment[b]
                if at + size[b] > target:
                    break
                while i < m and low[i] < at + size[b]:
                    begun += weight[near[i]]
                    i += 1
                while j < m and high[j] <= at:
                    ended += weight[by_top[j]]
                    j += 1
                cost = 0.0 if i == j else begun - ended
                if cost < best or (cost == best and at < best_at):
                    best, best_at = cost, at
                if best == 0.0:
                    break
        if best_at < 0:
            out[outs] = b
            outs += 1
            continue
        if best > 0:
            weight[b] += base[b]
        for k in range(m):
            u = near[k]
            if offset[u] < best_at + size[b] and offset[u] + size[u] > best_at:
                offset[u] = -1
                out[outs] = u
                outs += 1
        offset[b] = best_at
    random[0] = state
    return outs == 0
