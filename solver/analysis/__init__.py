"""What decides how long a plan takes and how many bytes it needs, and what one more of something would give.

From a plan alone, without any solver engine: waits and their longest paths (``solver.timing``), the reasons of starts,
the bytes alive over time, and plans that are worked out with a little more of one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..plan import Plan
from ..timing import deal, fixed_waits, latest_starts, longest_paths, order_waits, speedups
from ..timing.shift import Conditions, makespan_of
from .fullness import Shrunk, Stretch, alive_throughout, ceiling_of_plan, fullest, live_stretches, shrinking
from .reasons import Cause, IdleTime, Link, Reason, Reasons
from .relief import OwnBytes, Relief, compressed, more_resources, own_bytes

__all__ = [
    "Analysis",
    "Cause",
    "IdleTime",
    "Link",
    "OwnBytes",
    "Reason",
    "Relief",
    "Shrunk",
    "Stretch",
    "analyse",
]

ONE_MEGABYTE = 1_000_000

MOST_ROUNDS, STARTS_FOR_OWN_BYTES = 16, 8_000
"""Steps that give buffers bytes of their own, and starts that they may work out: each step makes a whole plan."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Times in ticks, sizes in bytes.

    ``chain``: why the plan ends when it does. ``slack[t]``: by how much task ``t`` could end later without a longer
    plan, in the plan's orders and with what waits for it as late as need be. ``speedup[t]``: by how much the longest
    path shrinks at most when ``t`` becomes faster (``min(x, speedup)`` for ``x`` ticks). ``longest_path``: of all
    waits; ``by_edges``: of the plan's edges alone, which no plan with these regions undercuts. ``compressed``: the
    makespan when the same tasks, scheduled anew in the same order, start as early as they can.

    ``idle``: per worker, -1 for those that never run anything, ``unused`` of them. ``fullest``: when most bytes are
    alive; ``throughout``: buffers alive in all of these moments. ``ceiling``: bytes that the plan could use.
    ``reliefs``: the largest gain first. ``own_bytes``: one step after another.
    """

    makespan: int
    compressed: int
    longest_path: int
    by_edges: int
    chain: tuple[Link, ...]
    slack: Mapping[str, int]
    speedup: Mapping[str, int]
    idle: tuple[IdleTime, ...]
    unused: int
    ceiling: int
    fullest: tuple[Stretch, ...]
    throughout: tuple[str, ...]
    shrunk: tuple[Shrunk, ...]
    reliefs: tuple[Relief, ...]
    own_bytes: tuple[OwnBytes, ...]


def analyse(plan: Plan, *, shrink_by: int = ONE_MEGABYTE) -> Analysis:
    """Everything above; ``plan`` must be valid. About as much work as assembling it some dozens of times."""
    fixed = fixed_waits(plan)
    waits = (*fixed, *order_waits(plan))
    paths, alone = longest_paths(plan, waits), longest_paths(plan, fixed)
    latest = latest_starts(plan, waits)
    stretches = live_stretches(plan)
    reasons = Reasons(plan, waits, stretches)
    workers = deal(plan, "workers")
    starts = compressed(plan)
    full = fullest(stretches)
    reliefs = more_resources(plan, starts)
    return Analysis(
        makespan=int(plan.measures.makespan),
        compressed=makespan_of(Conditions.of(plan), starts),
        longest_path=paths.length,
        by_edges=alone.length,
        chain=reasons.critical_chain(),
        slack={t.id: latest[t.id] - t.start for t in plan.tasks},
        speedup=speedups(plan, waits, paths),
        idle=reasons.idle_times(workers),
        unused=workers.capacity - len(workers.lines()),
        ceiling=ceiling_of_plan(plan),
        fullest=full,
        throughout=alive_throughout(plan, full),
        shrunk=shrinking(plan, shrink_by),
        reliefs=tuple(sorted(reliefs, key=lambda r: (-r.gain, r.kind, r.name))),
        own_bytes=own_bytes(plan, starts, rounds=max(2, min(MOST_ROUNDS, STARTS_FOR_OWN_BYTES // max(1, len(starts))))),
    )
