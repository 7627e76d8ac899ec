"""Lower bounds on the peak of live bytes of every schedule without recomputation, each with its witness.

While task ``t`` runs, the buffers it reads and writes, its scratch, and every buffer written by an ancestor of ``t``
and read by a descendant of ``t`` are alive, whatever the schedule. Such a set is a bound that is checked by adding up.

What the cheapest moment of ``t`` costs is a minimum cut (``min_cut.py``), never less than such a set. Its witness is
the maximum flow, as chains of buffers: of each chain some buffer is alive while ``t`` runs, whatever was executed
before::

    {"task": "t", "buffers": ["a", "b", "c"], "chains": [[4096, 0, 2], [8192, 1]]}

says: besides what ``t`` touches, ``a`` or after it ``c`` holds 4096 bytes, and ``b`` 8192. A checker needs the
ancestors of each task and additions. Chains name a buffer by its place in the list, because names of real workflows are
long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

import numpy as np

from ..arrays import Ints
from ..plan import Bound, Evidence
from ..problem import InputPolicy, Problem
from ..units import format_size
from .closure import closure
from .compact import Compact
from .live import Live
from .min_cut import CutBound, CutNetwork, min_cut_bound

MOST_TASKS_FOR_THROUGH_SETS = 1500
"""Listing them takes time in proportion to tasks times buffers; minimum cuts are stronger and cheaper beyond."""


@dataclass(frozen=True, slots=True)
class Force:
    """The moment that forces a peak: ``bytes`` alive while ``task`` runs, in the named buffers, larger first.

    ``certain``: these buffers are alive then in every schedule; otherwise they are one cheapest choice.
    """

    task: str
    buffers: tuple[str, ...]
    bytes: int
    certain: bool = True

    def sentence(self) -> str:
        """One line for people."""
        shown = ", ".join(repr(b) for b in self.buffers[:4])
        more = f" and {len(self.buffers) - 4} more" if len(self.buffers) > 4 else ""
        choice = "" if self.certain else "at best "
        return f"while task {self.task!r} runs, {format_size(self.bytes)} must be alive: {choice}{shown}{more}"


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
    predecessors = [compact.predecessors[t].tolist() for t in range(n)]
    successors = [compact.successors[t].tolist() for t in range(n)]
    ancestors, descendants = closure(predecessors, successors), closure(successors, predecessors)
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


# -- the cheapest moment of a task -------------------------------------------------------------------------------------


class MinCutBounds(NamedTuple):
    """``bounds`` with their witnesses, best first; ``force``: the moment that forces the peak (None without resident
    buffers); ``lows``: per pool in canonical order, the bytes that the pool needs by itself.
    """

    bounds: tuple[Bound, ...]
    force: Force | None
    lows: Ints


def min_cut_bounds(
    live: Live,
    order: Ints,
    *,
    enough: int | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> MinCutBounds:
    """The min-cut bound on the peak; with several pools also the pools' own ones added up (on the footprint).

    ``order``: a legal sequence of all task indices; a good one makes it fast. Stops at a bound of ``enough`` bytes, or
    with the best so far when ``go_on`` says no.
    """
    if not live.groups:
        return MinCutBounds((), None, np.zeros(len(live.pools), np.int64))
    cut = min_cut_bound(live, order, enough=enough, go_on=go_on)
    bounds = [min_cut_as_bound(live, cut)]
    cuts = {live.pools[0]: cut}
    if len(live.pools) > 1:
        cuts = pool_cuts(live, order, go_on=go_on)
        bounds.append(pool_sum(live, cuts))
    # A clock that stops the first flow leaves nothing: a bound of zero would be a claim.
    claims = tuple(sorted((b for b in bounds if b.value > 0), key=lambda b: -b.value))
    lows = np.array([cuts[pool].value for pool in live.pools], dtype=np.int64)
    return MinCutBounds(claims, force_of(live, cut), lows)


def pool_cuts(live: Live, order: Ints, *, go_on: Callable[[], bool] = lambda: True) -> dict[str, CutBound]:
    """Pool id -> the min-cut bound on its own peak: no slices of the pool add up to less."""
    return {
        pool: min_cut_bound(CutNetwork(live, pool=index), order, go_on=go_on) for index, pool in enumerate(live.pools)
    }


def forces_by_cut(problem: Problem, order: Sequence[str]) -> dict[str, Force]:
    """Pool id -> the moment that forces its own peak, by minimum cuts; ``order``: a legal sequence of all task ids."""
    live = Live.of(problem)
    number = {t: i for i, t in enumerate(live.tasks)}
    cuts = pool_cuts(live, np.array([number[t] for t in order], dtype=np.int64))
    forces = {pool: force_of(live, cut) for pool, cut in cuts.items()}
    return {pool: force for pool, force in forces.items() if force is not None}


def min_cut_as_bound(live: Live, cut: CutBound) -> Bound:
    """The bound on ``peak_live`` that ``cut`` (all pools, no condition on the order) is, with its witness."""
    return Bound("peak_live", cut.value, "min_cut", Evidence.CERTIFICATE, _witness(live, cut))


def pool_sum(live: Live, cuts: Mapping[str, CutBound]) -> Bound:
    """What the pools need at their own moments adds up, because their slices are disjoint: a bound on the footprint."""
    parts = {pool: {"method": "min_cut", **_witness(live, cut)} for pool, cut in cuts.items() if cut.value > 0}
    return Bound(
        "footprint", sum(cut.value for cut in cuts.values()), "pool_sum", Evidence.CERTIFICATE, {"pools": parts}
    )


def force_of(live: Live, cut: CutBound) -> Force | None:
    """The moment of ``cut``: its task, and the buffers alive when exactly the tasks inside have been executed."""
    if cut.task is None:
        return None
    started = cut.inside.copy()
    started[cut.task] = True
    born = np.where(live.writer >= 0, started[live.writer], live.preload)
    users = np.diff(live.users.start)
    group_of_use = np.repeat(np.arange(len(live.groups)), users)
    begun = np.bincount(group_of_use, weights=started[live.users.index], minlength=len(live.groups))
    ended = np.bincount(group_of_use, weights=cut.inside[live.users.index], minlength=len(live.groups))
    alive = (born | (live.lazy & (begun > 0))) & (live.kept | (ended < users))
    if cut.pool is not None:
        alive &= live.pool == cut.pool
    size = live.problem.graph.aligned_size
    names = sorted((b for g in np.flatnonzero(alive) for b in live.groups[g]), key=lambda b: (-size[b], b))
    return Force(live.tasks[cut.task], tuple(names), cut.value, certain=False)


def _witness(live: Live, cut: CutBound) -> dict[str, object]:
    """The task, and the flow as chains of buffers; a buffer stands for its group, named once."""
    if cut.task is None or cut.flow is None:
        return {}
    chains = cut.flow.chains()
    groups = sorted({g for _, chain in chains for g in chain})
    position = {g: i for i, g in enumerate(groups)}
    return {
        "task": live.tasks[cut.task],
        "buffers": [live.groups[g][0] for g in groups],
        "chains": [[amount, *(position[g] for g in chain)] for amount, chain in chains],
    }
