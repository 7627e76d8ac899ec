"""The order problem in a form that looks alike from both ends, for compiled loops.

A group is alive from the first of its users that is executed (``early``: from the beginning) to the last of them
(``kept``: to the end). Read backwards, users stay users, predecessors become successors, and ``early`` and ``kept``
change places: a legal order read backwards is a legal order of the mirrored problem with the same bytes alive while
each task runs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints
from .live import Live


class TwoSided(NamedTuple):
    """Rows in compressed form.

    ``before``: per task, those that must have been executed; ``after``: those that wait for it. ``use``: per task,
    groups it touches; ``user``: the inverse. ``taker``: per group, tasks that may take its bytes over in place, saving
    ``saving`` bytes.

    A taking saves bytes while its task is the ``last`` user of the group that is executed (else: the first).
    """

    before_start: Ints
    before_index: Ints
    after_start: Ints
    after_index: Ints
    use_start: Ints
    use_index: Ints
    user_start: Ints
    user_index: Ints
    taker_start: Ints
    taker_index: Ints
    saving: Ints
    size: Ints
    pool: Ints
    early: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    last: bool
    pools: int


def two_sided(live: Live, *, backward: bool) -> TwoSided:
    """``live`` read forward or backward."""
    takers: list[list[int]] = [[] for _ in live.groups]
    saving: list[list[int]] = [[] for _ in live.groups]
    for t in range(live.task_count):
        for i in range(live.takings.start[t], live.takings.start[t + 1]):
            takers[live.takings.index[i]].append(t)
            saving[live.takings.index[i]].append(int(live.saving[i]))
    before, after = live.predecessors, live.successors
    early, kept = live.preload, live.kept
    if backward:
        before, after, early, kept = after, before, kept, early
    flat = np.array([s for row in saving for s in row], dtype=np.int64)
    start = np.zeros(len(live.groups) + 1, dtype=np.int64)
    np.cumsum([len(row) for row in takers], out=start[1:])
    return TwoSided(
        before.start,
        before.index,
        after.start,
        after.index,
        live.uses.start,
        live.uses.index,
        live.users.start,
        live.users.index,
        start,
        np.array([t for row in takers for t in row], dtype=np.int64),
        flat,
        live.size,
        live.pool,
        early,
        kept,
        not backward,
        len(live.pools),
    )
