"""Lower bounds on the peak of live bytes of every schedule without recomputation, each with its witness.

While task ``t`` runs, the buffers it reads and writes, its scratch, and every buffer written by an ancestor of ``t``
and read by a descendant of ``t`` are alive, whatever the schedule. Such a set is a bound that is checked by adding up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..plan import Bound, Evidence
from ..units import format_size
from .compact import Compact

MOST_TASKS_FOR_THROUGH_SETS = 6000
"""Ancestor and descendant masks take n^2 / 4 bytes: 9 MB here."""


@dataclass(frozen=True, slots=True)
class Force:
    """The moment that forces a peak: ``bytes`` alive while ``task`` runs, in the named buffers."""

    task: str
    buffers: tuple[str, ...]
    bytes: int

    def sentence(self) -> str:
        """One line for people."""
        shown = ", ".join(repr(b) for b in self.buffers[:4])
        more = f" and {len(self.buffers) - 4} more" if len(self.buffers) > 4 else ""
        return f"while task {self.task!r} runs, {format_size(self.bytes)} must be alive: {shown}{more}"


def peak_bounds(compact: Compact) -> tuple[tuple[Bound, ...], Force | None]:
    """Bounds on ``peak_live``, best first, and the moment that forces the best one (None without resident buffers)."""
    force = _heaviest_moment(compact)
    if force is None:
        return (), None
    witness = {"task": force.task, "buffers": list(force.buffers)}
    return (Bound("peak_live", force.bytes, "working_set", Evidence.CERTIFICATE, witness),), force


def _heaviest_moment(compact: Compact) -> Force | None:
    """The task whose through set weighs most: blocks it touches, and those that span it from ancestor to descendant."""
    count = len(compact.blocks)
    if count == 0:
        return None
    loads = np.bincount(
        np.repeat(np.arange(compact.task_count), np.diff(compact.touches.start)),
        weights=compact.size[compact.touches.index],
        minlength=compact.task_count,
    ).astype(np.int64)
    spanning: list[list[int]] = [[] for _ in compact.tasks]
    if compact.task_count <= MOST_TASKS_FOR_THROUGH_SETS:
        spanning = _spanning(compact)
        loads = loads + np.array([int(compact.size[s].sum()) if s else 0 for s in spanning], dtype=np.int64)
    if compact.task_count == 0:
        return None
    t = int(np.argmax(loads))
    members = sorted([*(int(i) for i in compact.touches[t]), *spanning[t]], key=lambda i: (-int(compact.size[i]), i))
    return Force(compact.tasks[t], tuple(_alive(compact, i, compact.tasks[t]) for i in members), int(loads[t]))


def _alive(compact: Compact, block: int, task: str) -> str:
    """The buffer of a block that witnesses its bytes at ``task``: the one as large as the block, its head."""
    return compact.blocks[block][0]


def _spanning(compact: Compact) -> list[list[int]]:
    """Per task, untouched blocks that are alive whenever it runs.

    A single-buffer block spans ``t`` when its writer is an ancestor of ``t`` (or it is preloaded) and a reader is a
    descendant, or it is kept.
    """
    n = compact.task_count
    ancestors, descendants = [0] * n, [0] * n
    number = {t: i for i, t in enumerate(compact.tasks)}
    order = [number[t] for t in compact.problem.graph.topological_order]
    for t in order:
        for p in compact.predecessors[t]:
            ancestors[t] |= ancestors[p] | 1 << int(p)
    for t in reversed(order):
        for s in compact.successors[t]:
            descendants[t] |= descendants[s] | 1 << int(s)
    spanning: list[list[int]] = [[] for _ in range(n)]
    users: list[list[int]] = [[] for _ in compact.blocks]
    for t in range(n):
        for b in compact.touches[t]:
            users[b].append(t)
    everyone = (1 << n) - 1
    for b, members in enumerate(compact.blocks):
        if len(members) > 1 or compact.lazy[b]:
            continue
        writer = compact.problem.graph.writer.get(members[0])
        mask = everyone if writer is None else descendants[number[writer]]
        if compact.kept[b]:
            later = everyone
        else:
            later = 0
            for t in users[b]:
                later |= ancestors[t]
        through = mask & later
        for t in users[b]:
            through &= ~(1 << t)
        while through:
            low = through & -through
            spanning[low.bit_length() - 1].append(b)
            through ^= low
    return spanning
