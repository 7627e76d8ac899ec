"""What decides the end of a plan, as reports show it: the critical chain, and how late every task may be.

The only place where reports ask :mod:`catalytic.solver.analysis`; of the whole analysis they need these two answers,
which are cheap. They are those of ``show --analysis``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalytic.solver.analysis import Link, Stretch
from catalytic.solver.analysis.reasons import Reasons
from catalytic.solver.plan import Plan
from catalytic.solver.timing import fixed_waits, latest_starts, order_waits


@dataclass(frozen=True, slots=True)
class Criticality:
    """The chain that ends last, from its first task on, and the slack of every task in ticks, by id."""

    chain: tuple[Link, ...]
    slack: Mapping[str, int]


def criticality(plan: Plan, stretches: tuple[Stretch, ...]) -> Criticality:
    """What decides the end of ``plan``; ``stretches``: its living bytes."""
    waits = (*fixed_waits(plan), *order_waits(plan))
    latest = latest_starts(plan, waits)
    chain = Reasons(plan, waits, stretches).critical_chain()
    return Criticality(chain, {t.id: int(latest[t.id] - t.start) for t in plan.tasks})
