"""Checker, script and a simulation of every byte at every tick agree on thousands of plans, right and wrong."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from catalytic.solver.check import standalone, violations
from catalytic.solver.check.sharing import successions
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Action, EdgeKind, Extent, Plan, TakeOver
from catalytic.solver.units import Bytes, Tick
from tests.builders import extents_of, planned, random_plan, starts_of
from tests.oracles import JUDGED, byte_map_faults, successions_by_pairs

SHARING = {"overlap", "in_place"}


def moved(rng: Random, plan: Plan) -> Plan:
    """Some regions lie somewhere else; everything else is derived anew."""
    extents = extents_of(plan)
    w = plan.problem.workspace
    for b in rng.sample(sorted(extents), min(len(extents), rng.randint(1, 2))):
        if len(extents[b]) == 1:
            highest = max(0, w.partition_size - extents[b][0].length)
            offset = rng.randrange(0, highest + 1, w.alignment)
            extents[b] = (Extent(rng.randrange(w.partitions), Bytes(offset), extents[b][0].length),)
    return planned(plan.problem, starts_of(plan), extents, objective=plan.proof.objective)


def retimed(rng: Random, plan: Plan) -> Plan:
    """Some tasks start at another time; everything else is derived anew."""
    starts = starts_of(plan)
    for t in rng.sample(sorted(starts), min(len(starts), rng.randint(1, 2))):
        starts[t] = Tick(max(0, starts[t] + rng.randint(-3, 3)))
    return planned(plan.problem, starts, extents_of(plan), plan.slices, objective=plan.proof.objective)


def unwaited(rng: Random, plan: Plan) -> Plan:
    """Some reuse edges are gone. Where a path remains, the plan is as good as before."""
    return replace(plan, edges=tuple(e for e in plan.edges if e.kind is not EdgeKind.REUSE or rng.random() < 0.6))


def miscounted(rng: Random, plan: Plan) -> Plan:
    """One takeover has another number of bytes."""
    events = list(plan.events)
    reuses = [i for i, e in enumerate(events) if e.action in (Action.REUSE, Action.LOAD) and e.takes_over]
    if reuses:
        i = rng.choice(reuses)
        first, *rest = events[i].takes_over
        changed = TakeOver(first.region, Bytes(first.bytes + rng.choice((-1, 1))))
        events[i] = replace(events[i], takes_over=(changed, *rest))
    return replace(plan, events=tuple(events))


@pytest.mark.parametrize(
    ("first", "count"), [(0, 2_500), pytest.param(2_500, 7_500, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_three_judges_agree_on_ten_thousand_plans(first: int, count: int) -> None:
    """Half of the plans are left as they are, the others changed in a way that may or may not break a rule."""
    tally: Counter[str] = Counter()
    for seed in range(first, first + count):
        rng = Random(seed)
        plan = random_plan(rng)
        change = rng.choice((None, None, None, None, moved, retimed, unwaited, miscounted))
        if change is not None:
            plan = change(rng, plan)

        found = {v.rule for v in violations(plan)}
        by_bytes = byte_map_faults(plan)
        by_script = {rule for rule, _ in standalone.check(json.loads(dump_plan(plan)))}

        judged = {"takeovers" if rule == "events" else rule for rule in found} & JUDGED
        if judged & SHARING:  # owners no longer take turns, and behind the first fault a second may hide
            by_bytes -= SHARING - judged
        assert judged == by_bytes, f"seed {seed}"
        assert found == by_script, f"seed {seed}"
        assert change is not None or not found, f"seed {seed}"
        tally.update(by_bytes)
        tally["valid" if not found else "invalid"] += 1
    assert tally["valid"] > count / 2
    assert all(tally[rule] >= count / 1000 for rule in JUDGED), tally


def test_the_sweep_finds_the_successions_that_all_pairs_give() -> None:
    """Also where bytes are shared by living buffers: the sweep assumes nothing about the plan."""
    shared = 0
    for seed in range(600):
        rng = Random(seed)
        plan = moved(rng, random_plan(rng))
        assert successions(plan) == successions_by_pairs(plan), f"seed {seed}"
        shared += bool(successions(plan))
    assert shared > 200
