"""The reuse schedule tells the same story as the regions: line by line, byte by byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..plan import Action, Plan, ReuseEvent, TakeOver
from ..units import Bytes, Tick
from .facts import Facts
from .sharing import Successions
from .violation import Violation


def story(plan: Plan, facts: Facts, shared: Successions) -> Iterator[Violation]:
    """The events are exactly those that follow from regions, times and successions; seals as integrity demands."""
    expected, given = Counter(_events(plan, facts, shared)), Counter(plan.events)
    for e in sorted(expected - given, key=_when):
        yield Violation("events", f"missing: {_sentence(e)}")
    for e in sorted(given - expected, key=_when):
        yield Violation("events", f"does not follow from the plan: {_sentence(e)}")
    for r in plan.regions:
        if plan.integrity != bool(r.seal):
            allowed = "a seal, integrity is on" if plan.integrity else "no seal, integrity is off"
            yield Violation("seal", f"{r.id} has the seal {r.seal!r}, allowed {allowed}")


def _when(e: ReuseEvent) -> tuple[int, str, str]:
    return e.timestamp, e.action.value, e.region


def _sentence(e: ReuseEvent) -> str:
    taken = "".join(f", {t.bytes} bytes of {t.region}" for t in e.takes_over)
    checked = f", {e.verification}" if e.verification is not None else ""
    return f"{e.action.value} {e.region} at {e.timestamp} by {e.task!r} in pool {e.pool!r}{taken}{checked}"


def _events(plan: Plan, facts: Facts, shared: Successions) -> Iterator[ReuseEvent]:
    region_id = {r.buffer: r.id for r in plan.regions}
    taken: dict[str, list[TakeOver]] = {}
    for (earlier, later), count in shared.items():
        taken.setdefault(later, []).append(TakeOver(region_id[earlier], Bytes(count)))
    for r in plan.regions:
        fact = facts.residents[r.buffer]
        takes = tuple(sorted(taken.get(r.buffer, ())))
        if fact.writer is not None:
            action, who = (Action.REUSE if takes else Action.ALLOCATE), fact.writer
            birth = plan.task[who].start
        elif facts.preloaded:
            action, who, birth = Action.LOAD, None, Tick(0)
        else:
            birth, who = min((plan.task[t].start, t) for t in fact.readers)
            action = Action.LOAD
        verification = "checksum_validated" if takes and plan.integrity else None
        yield ReuseEvent(birth, action, r.pool, who, r.id, takes, verification)
        if fact.exported and fact.writer is not None:
            yield ReuseEvent(plan.task[fact.writer].end, Action.EXPORT, r.pool, fact.writer, r.id)
        if not fact.kept:
            death, last = max((plan.task[t].end, t) for t in fact.users)
            yield ReuseEvent(death, Action.RELEASE, r.pool, last, r.id)
