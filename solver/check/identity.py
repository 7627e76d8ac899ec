"""A plan is about its problem: every task once, every resident buffer once, every name known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from ..plan import Plan
from .facts import Facts
from .violation import Violation


def identity(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """Tasks and regions are exactly those of the problem."""
    yield from _exactly("tasks", "task", (t.id for t in plan.tasks), facts.duration)
    yield from _exactly("regions", "the region of buffer", (r.buffer for r in plan.regions), facts.residents)
    for name, count in Counter(r.id for r in plan.regions).items():
        if count > 1:
            yield Violation("regions", f"the region id {name!r} is given {count} times")


def _exactly(rule: str, kind: str, found: Iterable[str], wanted: Collection[str]) -> Iterator[Violation]:
    counts = Counter(found)
    for name in sorted(counts.keys() - set(wanted)):
        yield Violation(rule, f"{kind} {name!r} has no place in this problem")
    for name in sorted(set(wanted) - counts.keys()):
        yield Violation(rule, f"{kind} {name!r} is missing")
    for name, count in sorted(counts.items()):
        if count > 1:
            yield Violation(rule, f"{kind} {name!r} is given {count} times")


def canonical(plan: Plan) -> Iterator[Violation]:
    """Lists stand in their one order, so that equal plans are equal files."""
    rank = {"export": 0, "release": 1}
    for name, keys in (
        ("tasks", [(t.start, t.id) for t in plan.tasks]),
        ("regions", [(r.lifetime.birth, r.buffer) for r in plan.regions]),
        ("slices", [(s.pool, s.partition) for s in plan.slices]),
        ("edges", [(e.source, e.target, e.kind.value, e.via or "") for e in plan.edges]),
        ("events", [(e.timestamp, rank.get(e.action.value, 2), e.region) for e in plan.events]),
    ):
        ordered: list[tuple[object, ...]] = sorted(keys)
        if ordered != keys:
            yield Violation("canonical", f"the {name} do not stand in their canonical order")
