"""Coarse relaxations: small scheduling problems whose makespan bounds that of the real one.

A schedule read through a coarse clock of ``grain`` ticks is a schedule of a coarser problem. With ``s = floor(S /
grain)`` for every start ``S``:

- a chain of tasks that takes ``L`` from the start of ``a`` to the start of ``b`` gives ``s[b] >= s[a] + floor(L /
  grain)``. The floor is taken of whole chains, not of each task, so little is lost on short tasks;
- a task "runs" at the coarse ticks ``s .. s + floor(duration / grain) - 1``. If it runs at coarse tick ``k`` it really
  runs at the tick ``(k + 1) grain - 1``, since it starts before that and ends after it. So whatever runs together at a
  coarse tick runs together at one real moment, and demands add up to no more than the capacity. The same holds for
  groups of bytes between the start of their first user and the end of their last one;
- a group lives at least as long as the longest chain from its writer to the end of a reader;
- groups smaller than a threshold may be left out, and tasks that then last no coarse tick and touch nothing.

Hence ``makespan >= grain x (coarse makespan)``. A small model can be solved to optimality where the full one does not
move: a ladder of ever finer ones gives ever better bounds, the best of which is kept (``cp_sat_schedule.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Ints
from ..order import Compact
from ..order.compact import Alike
from .line import scarce_resources

UNREACHABLE = -(2**60)
"""Length of the longest chain between tasks of which neither leads to the other."""


@dataclass(frozen=True, slots=True)
class Group:
    """Bytes alive from ``first user's start`` to at least ``start[t] + lag`` for each ``(t, lag)`` of ``users``.

    ``writer`` None: alive from the least start of the users (``preload``: from 0). ``kept``: alive to the end.
    ``least``: coarse ticks of the shortest possible life.
    """

    writer: int | None
    users: tuple[tuple[int, int], ...]
    size: int
    least: int
    kept: bool
    preload: bool


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A problem for CP-SAT: times in grains, ``tasks[i]`` the number in ``Compact`` of task ``i``.

    ``head[i]`` and ``tail[i]``: the longest chain before the start of task ``i``, and from its start to the end of the
    plan. ``arcs``: (a, b, lag), meaning ``start[b] >= start[a] + lag``. ``least``: a makespan none can undercut.
    """

    grain: int
    tasks: Ints
    duration: Ints
    head: Ints
    tail: Ints
    arcs: tuple[tuple[int, int, int], ...]
    demand: Ints
    capacity: Ints
    groups: tuple[Group, ...]
    ceiling: int
    writers: tuple[tuple[int, int], ...]
    partitions: int

    @property
    def least(self) -> int:
        return int(self.tail.max(initial=0))


class Chains:
    """Longest chains of a problem: ``length[a, b]`` from the start of ``a`` to the start of ``b``, in ticks."""

    def __init__(self, compact: Compact) -> None:
        n = compact.task_count
        number = {t: i for i, t in enumerate(compact.tasks)}
        self.length = np.full((n, n), UNREACHABLE, dtype=np.int64)
        self.head = np.zeros(n, dtype=np.int64)
        for name in compact.problem.graph.topological_order:
            t = number[name]
            self.length[t, t] = 0
            for p in compact.predecessors[t]:
                np.maximum(self.length[:, t], self.length[:, p] + compact.duration[p], out=self.length[:, t])
                self.head[t] = max(self.head[t], self.head[p] + compact.duration[p])
        self.tail = (self.length + compact.duration[None, :]).max(axis=1, initial=0)


def relax(
    compact: Compact,
    chains: Chains,
    ceiling: int,
    grain: int,
    smallest: int,
    groups: Sequence[Alike] | None = None,
) -> Relaxed:
    """The relaxation with a clock of ``grain`` ticks, without groups of fewer than ``smallest`` bytes.

    ``grain`` 1 and ``smallest`` 0: nothing is lost but partitions and pools, which are one line here. ``groups``: other
    ones than blocks that live and die together, merged.
    """
    alike = [a for a in (compact.alike() if groups is None else groups) if a.size >= smallest]
    duration = compact.duration // grain
    touching = {t for a in alike for t in a.users}
    tasks = np.array([t for t in range(compact.task_count) if duration[t] > 0 or t in touching], dtype=np.int64)
    index = {int(t): i for i, t in enumerate(tasks)}
    scarce = np.array(scarce_resources(compact), dtype=np.int64)
    writers, partitions = _writers(compact, index)
    return Relaxed(
        grain=grain,
        tasks=tasks,
        duration=duration[tasks],
        head=chains.head[tasks] // grain,
        tail=chains.tail[tasks] // grain,
        arcs=_arcs(chains.length[np.ix_(tasks, tasks)] // grain),
        demand=compact.demand[np.ix_(tasks, scarce)],
        capacity=compact.capacity[scarce],
        groups=tuple(_group(a, index, compact, chains, grain) for a in alike),
        ceiling=ceiling,
        writers=writers,
        partitions=partitions,
    )


def _arcs(lag: Ints) -> tuple[tuple[int, int, int], ...]:
    """Pairs of tasks with their lags, without those that two others imply."""
    n = lag.shape[0]
    reachable = lag >= 0
    np.fill_diagonal(reachable, False)
    arcs = []
    for a in range(n):
        after = np.flatnonzero(reachable[a])
        if after.size == 0:
            continue
        onwards = np.where(reachable[np.ix_(after, after)], lag[np.ix_(after, after)], UNREACHABLE)
        through = (lag[a, after][:, None] + onwards).max(axis=0)
        direct = after[through < lag[a, after]]
        arcs += [(a, int(b), int(lag[a, b])) for b in direct]
    return tuple(arcs)


def _group(a: Alike, index: dict[int, int], compact: Compact, chains: Chains, grain: int) -> Group:
    users = tuple((index[t], int(compact.duration[t] // grain)) for t in a.users)
    longest = max(int(compact.duration[t]) for t in a.users)
    if a.writer is not None:
        longest = max(int(chains.length[a.writer, t] + compact.duration[t]) for t in a.users)
    writer = None if a.writer is None else index[a.writer]
    return Group(writer, users, a.size, longest // grain, a.kept, a.preload)


def _writers(compact: Compact, index: dict[int, int]) -> tuple[tuple[tuple[int, int], ...], int]:
    """Exclusive isolation as a count: each running task that writes holds at least so many of the partitions."""
    workspace = compact.problem.workspace
    if workspace.isolation.value != "exclusive":
        return (), 0
    writers = []
    for t, i in index.items():
        sizes = [int(compact.size[b]) for b in (*compact.births[t], *compact.over[t])]
        if sizes:
            writers.append((i, max(1, -(-max(sizes) // int(workspace.partition_size)))))
    return tuple(writers), workspace.partitions
