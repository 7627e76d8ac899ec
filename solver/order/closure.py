"""Ancestors, descendants, and the edges that do not follow from others; sets of tasks are bit masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def closure(links: Sequence[Iterable[int]], back: Sequence[Iterable[int]]) -> list[int]:
    """Per task, everything that ``links`` leads to. ``back``: the same edges the other way round; no cycles.

    With predecessors and successors: the ancestors; the other way round: the descendants. O(edges x tasks / 64).
    """
    masks = [0] * len(links)
    waiting = [len(list(row)) for row in links]
    ready = [t for t, count in enumerate(waiting) if count == 0]
    while ready:
        t = ready.pop()
        for p in links[t]:
            masks[t] |= masks[p] | 1 << p
        for s in back[t]:
            waiting[s] -= 1
            if waiting[s] == 0:
                ready.append(s)
    return masks


def direct(links: Iterable[int], masks: Sequence[int]) -> list[int]:
    """Those of ``links`` that do not follow from others (transitive reduction); ``masks``: their closure."""
    row = list(links)
    implied = 0
    for p in row:
        implied |= masks[p]
    return [p for p in row if not implied >> p & 1]
