"""Lower bounds on the peak of live bytes of every schedule without recomputation, each with its witness.

While task ``t`` runs, the buffers it reads and writes, its scratch, and every buffer written by an ancestor of ``t``
and read by a descendant of ``t`` are alive, whatever the schedule. Such a set is a bound that is checked by adding up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from ..plan import Bound, Evidence
from ..problem import InputPolicy
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
    """The best bound on ``peak_live`` of this kind, and the moment that forces it (none without resident buffers).

    It is called ``working_set`` when the task itself touches every buffer of the moment, else ``through_set``.
    Complexity: O((tasks + uses) x tasks / 64) for the ancestor masks; beyond ``MOST_TASKS_FOR_THROUGH_SETS`` only the
    working sets are looked at.
    """
    if not compact.problem.graph.resident:
        return (), None
    force = _heaviest_moment(compact, _moments(compact))
    touched = set(compact.problem.graph.working_set(force.task))
    method = "working_set" if touched.issuperset(force.buffers) else "through_set"
    witness = {"task": force.task, "buffers": list(force.buffers)}
    return (Bound("peak_live", force.bytes, method, Evidence.CERTIFICATE, witness),), force


def forces_of_pools(compact: Compact) -> dict[str, Force]:
    """Pool id -> the moment that forces its own peak: no slices of the pool add up to less."""
    pool_of = compact.problem.graph.pool_of
    moments = _moments(compact)
    return {
        pool: _heaviest_moment(compact, {t: [b for b in alive if pool_of[b] == pool] for t, alive in moments.items()})
        for pool in compact.pools
    }


def _moments(compact: Compact) -> dict[str, list[str]]:
    """Per task, the resident buffers that are alive whenever it runs, in every schedule."""
    through = _through_sets(compact) if compact.task_count <= MOST_TASKS_FOR_THROUGH_SETS else {}
    return {t: [*compact.problem.graph.working_set(t), *through.get(t, ())] for t in compact.tasks}


def _heaviest_moment(compact: Compact, moments: Mapping[str, list[str]]) -> Force:
    graph = compact.problem.graph
    size = graph.aligned_size

    def bytes_alive(t: str) -> int:
        inside = set(moments[t])
        saved = sum(min(size[o], size[i]) for o, i in graph.task[t].in_place if o in inside and i in inside)
        return sum(size[b] for b in moments[t]) - saved

    task = max(compact.tasks, key=bytes_alive)
    return Force(task, tuple(sorted(moments[task], key=lambda b: (-size[b], b))), bytes_alive(task))


def _through_sets(compact: Compact) -> dict[str, list[str]]:
    """Per task, resident buffers it does not touch that are alive whenever it runs.

    Such a buffer exists before the task in every schedule (its writer, or for a lazy input one reader, is an ancestor;
    or it is preloaded) and is needed after it (a reader is a descendant, or it is kept).
    """
    graph = compact.problem.graph
    number = {t: i for i, t in enumerate(compact.tasks)}
    n = compact.task_count
    ancestors, descendants = [0] * n, [0] * n
    order = [number[t] for t in graph.topological_order]
    for t in order:
        for p in compact.predecessors[t]:
            ancestors[t] |= ancestors[p] | 1 << int(p)
    for t in reversed(order):
        for s in compact.successors[t]:
            descendants[t] |= descendants[s] | 1 << int(s)
    everyone = (1 << n) - 1
    through: dict[str, list[str]] = {}
    for b in graph.resident:
        readers = [number[r] for r in graph.readers[b]]
        writer = graph.writer.get(b)
        if writer is not None:
            before = descendants[number[writer]]
        elif compact.problem.policy.inputs is InputPolicy.PRELOAD:
            before = everyone
        else:
            before = _union(descendants[r] for r in readers)
        after = everyone if b in graph.kept else _union(ancestors[r] for r in readers)
        mask = before & after
        for t in (*readers, *((number[writer],) if writer is not None else ())):
            mask &= ~(1 << t)
        while mask:
            low = mask & -mask
            through.setdefault(compact.tasks[low.bit_length() - 1], []).append(b)
            mask ^= low
    return through


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)
