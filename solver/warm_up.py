"""Compiled loops: compiled once, cached beside the code (or in the user's cache), never inside anything timed.

What is missing is compiled by two processes side by side, part by part, with LLVM's first level and without its
vectorisers: that takes half the time and cost these loops, short ones with branches, no speed in measurements.
Processes, because numba compiles one function at a time and because its settings hold for a whole process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from .compiled import is_compiled

if TYPE_CHECKING:
    from .problem import Problem

PARTS = ("exact", "search", "placement", "schedule", "partitions")
"""Groups of loops, those that take longest to compile first."""

FOR_FULL_ARENAS = "tiling"
"""A group for arenas without a byte to spare, which are rare: it is only compiled where it is asked for by name."""

_CHEAPLY = {"NUMBA_OPT": "1", "NUMBA_LOOP_VECTORIZE": "0", "NUMBA_SLP_VECTORIZE": "0"}


def warm_up(announce: Callable[[str], None], parts: Sequence[str] = PARTS) -> float:
    """Load or compile the loops of ``parts``; the seconds of compilation, 0 where they only had to be loaded.

    ``announce`` is called first if something is compiled. Loading is part of every start, and of its time limit.
    """
    before = monotonic()
    missing = [part for part in (*PARTS, FOR_FULL_ARENAS) if part in parts and not is_compiled(_largest_loop(part))]
    if missing:
        announce("compiling the search loops (first use only, about a minute)")
        with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
            list(pool.map(_compile_elsewhere, missing))
    for part in parts:
        _RUN[part]()
    return monotonic() - before if missing else 0.0


def _compile_elsewhere(part: str) -> None:
    """Run ``part`` once in a process of its own. If that goes wrong, this process compiles what is missing."""
    call = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import run_once; run_once({part!r})"
    quiet = subprocess.DEVNULL
    with suppress(OSError):
        subprocess.run(
            [sys.executable, "-P", "-c", call],
            env={**os.environ, **_CHEAPLY},
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            check=False,
        )


def run_once(part: str) -> None:
    """Call every loop of ``part`` on something small."""
    _RUN[part]()


def _exact() -> None:
    from .order.branching import PrecedenceBranching
    from .order.exact import ExactSearch
    from .order.live import Live
    from .order.min_cut import INSIDE, CutNetwork, min_cut_bound

    live = Live.of(_chain())
    order = np.arange(live.task_count)
    min_cut_bound(live, order)
    network = CutNetwork(live)
    network.usage(0, network.side == INSIDE)
    PrecedenceBranching(live).run(order, 2**40, lambda: True)
    ExactSearch(live, np.zeros(1, np.int64), memory=2**16).ask(2**40, 1, order)


def _search() -> None:
    from .order.constructive import NET, beam, greedy
    from .order.live import Live
    from .order.local_search import anneal, order_value, usages
    from .order.two_sided import two_sided

    live = Live.of(_chain())
    form = two_sided(live, backward=False)
    order = np.arange(live.task_count)
    anneal(order, 1, 0, 0.01, form)
    greedy(NET, 0.0, 0, form)
    beam(2, 0, form)
    usages(order, form)
    order_value(order, form)


def _schedule() -> None:
    from .budget import Budget
    from .order import Compact
    from .schedule import Scheduler
    from .schedule.search import ScheduleSearch

    question = _chain()
    for partitions in (1, 8):
        compact = Compact.of(replace(question, workspace=replace(question.workspace, partitions=partitions)))
        Scheduler(compact).run(np.zeros(3), np.arange(3), 2**40)
        ScheduleSearch(compact, [np.arange(3)], 2**40, Budget()).run_counted(0.001)


def _placement() -> None:
    from .placement.arena import Arena, components
    from .placement.constructive import first_placements
    from .placement.repair import Repair
    from .placement.restarts import Restarts

    # Two buffers in a row under one that meets both, and no room to spare: every search has to look for something.
    (component,) = components(Arena.of([0, 2, 0], [2, 4, 4], [2, 3, 2]))
    go_on = np.zeros(1, np.bool_)
    offset = next(first_placements(component, 0, go_on))
    Restarts(component, 0).ask(component.bound, 100, go_on)
    Repair(component, 0).ask(component.bound, offset + 1, 100, go_on)


def _partitions() -> None:
    from .placement.arena import Arena
    from .placement.partition_colouring import Colouring
    from .placement.partition_question import Partitioned
    from .placement.partition_search import LEAST_GROWTH, Arrays

    # Two running writers, each of which may have one of two partitions; the third buffer follows when there is room.
    arena = Arena.of([0, 0, 2], [3, 2, 4], [2, 3, 3])
    question = Partitioned.of(arena, (4, 4), tasks=[(0, 1), (0, 1), (2, 3)], writer=[0, 1, 2], exclusive=True)
    go_on = np.zeros(1, np.bool_)
    arrays = Arrays(question)
    nowhere = np.full(3, -1, np.int64)
    arrays.fill(np.arange(3), nowhere, LEAST_GROWTH, None)
    arrays.repair(nowhere, np.zeros(3, np.int64), arrays.base.copy(), arrays.whole, 10, 0, go_on)
    Colouring(question).anneal(10, 0, 0.5, go_on)


def _tiling() -> None:
    from .placement.answers import rank_by
    from .placement.arena import Arena, components
    from .placement.holes import Tie
    from .placement.tiling import Tiling

    (component,) = components(Arena.of([0, 0, 1], [2, 1, 2], [1, 1, 1]))
    Tiling(component).ask(rank_by(component, "WZ"), 10, tie=Tie.LOWEST, stop=np.zeros(1, np.bool_))


_RUN: dict[str, Callable[[], None]] = {
    "exact": _exact,
    "search": _search,
    "schedule": _schedule,
    "placement": _placement,
    "partitions": _partitions,
    FOR_FULL_ARENAS: _tiling,
}


def _chain() -> Problem:
    """Three tasks, each reading what the one before wrote."""
    from .problem import Buffer, Problem, Task
    from .units import Bytes, Tick

    tasks = tuple(Task(f"t{k}", Tick(1), inputs=(f"b{k - 1}",) if k else (), outputs=(f"b{k}",)) for k in range(3))
    return Problem("warm-up", tasks, tuple(Buffer(f"b{k}", Bytes(8192)) for k in range(3)))


def _largest_loop(part: str) -> object:
    if part == "exact":
        from .order.reach import reach

        return reach
    if part == "search":
        from .order.local_search import anneal

        return anneal
    if part == "schedule":
        from .schedule.anneal import anneal

        return anneal
    if part == "placement":
        from .placement.holes import _fill

        return _fill
    if part == "partitions":
        from .placement.partition_search import repair

        return repair
    from .placement.tiling import _tile

    return _tile
