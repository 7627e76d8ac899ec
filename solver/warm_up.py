"""Compiled loops: compiled once, cached beside the code (or in the user's cache), never inside anything timed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import numpy as np

from .budget import Budget
from .order import Compact
from .order.branching import PrecedenceBranching
from .order.constructive import NET, beam, greedy
from .order.exact import ExactSearch
from .order.live import Live
from .order.local_search import anneal, order_value, usages
from .order.min_cut import min_cut_bound
from .order.two_sided import two_sided
from .placement import place
from .placement.first_fit import lowest_height
from .problem import Buffer, Problem, Task
from .schedule import Scheduler
from .schedule.list_schedule import list_schedule
from .units import Bytes, Tick


def warm_up(announce: Callable[[str], None]) -> float:
    """Load or compile every loop the planner uses; the seconds it took. ``announce`` is called first if it is slow."""
    before = monotonic()
    if not _cached():
        announce("compiling the search loops (first use only, about a minute)")
    tasks = tuple(Task(f"t{k}", Tick(1), inputs=(f"b{k - 1}",) if k else (), outputs=(f"b{k}",)) for k in range(3))
    problem = Problem("warm-up", tasks, tuple(Buffer(f"b{k}", Bytes(8192)) for k in range(3)))
    _warm_up_orders(Live.of(problem))
    compact = Compact.of(problem)
    schedule = Scheduler(compact).run(np.zeros(3), np.arange(3), 2**40)
    place(compact, schedule.start, schedule.partition, Budget(1.0, deterministic=True), enough=0, tries=1)
    # The chain above is placed without a gap; the exchanges have to be asked for what cannot be reached.
    lowest_height(schedule.start, schedule.start + 1, compact.size, -compact.size, enough=0, tries=1, seed=0)
    return monotonic() - before


def _warm_up_orders(live: Live) -> None:
    """The loops of the order problem, each once: the chain itself is solved before most of them would be asked."""
    form = two_sided(live, backward=False)
    order = np.arange(live.task_count)
    anneal(order, 1, 0, 0.01, form)
    greedy(NET, 0.0, 0, form)
    beam(2, 0, form)
    usages(order, form)
    order_value(order, form)
    min_cut_bound(live, order)
    PrecedenceBranching(live).run(order, 2**40, lambda: True)
    ExactSearch(live, np.zeros(1, np.int64), memory=2**16).ask(2**40, 1, order)


def _cached() -> bool:
    """Whether the largest loop has an index file in its cache folder."""
    cache = getattr(list_schedule, "_cache", None)  # absent when compilation is switched off
    if cache is None:
        return True
    folder = Path(cache.cache_path)
    return any(folder.glob("list_schedule.list_schedule-*.nbi"))
