"""Results as early as possible: among plans that are as quick, one whose final outputs are ready sooner.

A *result* is a task that writes something which outlives the plan's own use of it (an output that nobody reads, one
that is exported or kept), or after which nothing comes. Regions stay where they are; only starts change:

1. Everything moves to the left: no task ends later than before.
2. One result after another is pulled forward: it and all it waits for go to the front of the order from which the
   schedule is built. The new one stays if the plan does not get longer and the results together are ready sooner.

The second step is a local search: what it gives is a better plan, not the best one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..plan import Plan
from ..problem import SCRATCH_PREFIX, Problem
from ..units import Tick
from .shift import Conditions, earliest_starts, in_order, makespan_of, moved

MOST_STARTS = 300_000
"""Starts that may be worked out in all, which takes some seconds."""


def results_of(problem: Problem) -> tuple[str, ...]:
    """The tasks whose ends are what a user waits for, sorted."""
    graph = problem.graph
    return tuple(
        t.id
        for t in problem.tasks
        if not graph.successors[t.id]
        or any(
            not b.startswith(SCRATCH_PREFIX) and (not graph.readers[b] or b in graph.exported or b in graph.kept)
            for b in t.outputs
        )
    )


def early_results(plan: Plan, go_on: Callable[[], bool] = lambda: True) -> Plan:
    """``plan`` with the same regions and earlier results, never a longer one; not checked.

    Better is a smaller (makespan, sum over the results of their ends); no plan leaves worse than it came. ``go_on`` is
    asked before each attempt; without it the same plan gives the same answer.
    """
    conditions = Conditions.of(plan)
    results = results_of(plan.problem)

    def worth(starts: Mapping[str, Tick]) -> tuple[int, int]:
        ends = sum(starts[t] + conditions.duration[t] for t in results)
        return (makespan_of(conditions, starts), ends)

    best = earliest_starts(conditions, in_order({t.id: t.start for t in plan.tasks}))
    attempts = MOST_STARTS // max(1, len(best))
    improved = True
    while improved and attempts > 0:
        improved = False
        for result in sorted(results, key=lambda t: (best[t] + conditions.duration[t], t)):
            if attempts <= 0 or not go_on():
                break
            attempts -= 1
            needed = _needed(conditions, result)
            order = in_order(best)
            starts = earliest_starts(
                conditions, [*(t for t in order if t in needed), *(t for t in order if t not in needed)]
            )
            if worth(starts) < worth(best):
                best, improved = starts, True
        if not go_on():
            break
    return moved(plan, best)


def _needed(conditions: Conditions, task: str) -> set[str]:
    """``task`` and everything that it waits for, directly or not."""
    seen = {task}
    stack = [task]
    while stack:
        for source, _ in conditions.behind.get(stack.pop(), ()):
            if source not in seen:
                seen.add(source)
                stack.append(source)
    return seen
