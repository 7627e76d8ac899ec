"""Compiled loops: compiled once, cached beside the code (or in the user's cache), never inside anything timed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import numpy as np

from .budget import Budget
from .order import Compact, least_peak_order
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
        announce("compiling the search loops (first use only, about half a minute)")
    tasks = tuple(Task(f"t{k}", Tick(1), inputs=(f"b{k - 1}",) if k else (), outputs=(f"b{k}",)) for k in range(3))
    compact = Compact.of(Problem("warm-up", tasks, tuple(Buffer(f"b{k}", Bytes(8192)) for k in range(3))))
    order = least_peak_order(compact, Budget(0.1, deterministic=True))
    schedule = Scheduler(compact).run(np.zeros(3), order.sequence, 2**40)
    place(compact, schedule.start, schedule.partition, Budget(1.0, deterministic=True), enough=0, tries=1)
    # The chain above is placed without a gap; the exchanges have to be asked for what cannot be reached.
    lowest_height(schedule.start, schedule.start + 1, compact.size, -compact.size, enough=0, tries=1, seed=0)
    return monotonic() - before


def _cached() -> bool:
    """Whether the largest loop has an index file in its cache folder."""
    cache = getattr(list_schedule, "_cache", None)  # absent when compilation is switched off
    if cache is None:
        return True
    folder = Path(cache.cache_path)
    return any(folder.glob("list_schedule.list_schedule-*.nbi"))
