"""Min-cut witnesses: what the planner writes is accepted, what is damaged proves no more than is true."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from graphlib import TopologicalSorter
from random import Random

import numpy as np
import pytest

from catalytic.solver.check import standalone, violations
from catalytic.solver.check.facts import facts_of
from catalytic.solver.check.moments import min_cut
from catalytic.solver.check.witness import Unproved
from catalytic.solver.formats import dump_plan
from catalytic.solver.order.bounds import min_cut_bounds
from catalytic.solver.order.live import Live
from catalytic.solver.plan import Bound, Plan
from tests.builders import random_plan
from tests.oracles import least_usages_by_enumeration
from tests.solver.check.damages import claiming

Witness = dict[str, object]


def bounds_of(plan: Plan) -> tuple[Bound, ...]:
    live = Live.of(plan.problem)
    number = {t: i for i, t in enumerate(live.tasks)}
    order = np.array([number[t.id] for t in sorted(plan.tasks, key=lambda t: (t.start, t.id))], dtype=np.int64)
    return min_cut_bounds(live, order)[0]


def by_script(plan: Plan, bound: Bound) -> int:
    """What the script finds proved; its errors are those that it would report."""
    case = standalone.Case(json.loads(dump_plan(plan)))  # type: ignore[no-untyped-call]
    order = list(TopologicalSorter(case.before).static_order())
    claim = {"quantity": bound.quantity, "method": bound.method, "witness": dict(bound.witness)}
    return int(standalone.proved(case, claim, order))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 400), pytest.param(400, 6000, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_what_the_planner_writes_is_accepted_and_not_one_byte_more(first: int, seeds: int) -> None:
    tally: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        plan = random_plan(Random(seed))
        found = bounds_of(plan)
        whole = claiming(plan, *found)
        assert violations(whole) == [], f"seed {seed}"
        assert standalone.check(json.loads(dump_plan(whole))) == [], f"seed {seed}"
        for bound in found:
            more = claiming(plan, replace(bound, value=bound.value + 1))
            assert {v.rule for v in violations(more)} == {"bounds"}, f"seed {seed}"
            assert {rule for rule, _ in standalone.check(json.loads(dump_plan(more)))} == {"bounds"}, f"seed {seed}"
            tally[bound.method] += 1
            tally["chains"] += bool(bound.witness.get("chains"))
    assert tally["min_cut"] > 0.9 * seeds
    assert tally["pool_sum"] > 0.3 * seeds
    assert tally["chains"] > 0.1 * seeds


def damaged(rng: Random, witness: Witness, plan: Plan) -> Witness:
    """One or two small changes to the task, the buffers or the chains."""
    copy = json.loads(json.dumps(witness))
    names, chains = copy["buffers"], copy["chains"]
    known = [r.buffer for r in plan.regions]
    for _ in range(rng.choice((1, 1, 2))):
        match rng.choice(("task", "amount", "drop", "insert", "swap", "name", "chain", "twice")):
            case "task":
                copy["task"] = rng.choice(plan.problem.tasks).id
            case "amount" if chains:
                rng.choice(chains)[0] += rng.choice((-1, 1, 4, 12))
            case "drop" if chains:
                chain = rng.choice(chains)
                del chain[rng.randrange(len(chain))]
            case "insert" if chains and names:
                chain = rng.choice(chains)
                chain.insert(rng.randint(1, len(chain)), rng.randrange(len(names)))
            case "swap" if chains:
                rng.shuffle(rng.choice(chains))
            case "name" if names:
                names[rng.randrange(len(names))] = rng.choice(known)
            case "chain":
                fresh = [b for b in rng.sample(known, min(len(known), 2)) if b not in names]
                names += fresh
                chains += [[rng.choice((1, 2, 4, 8)), *(names.index(b) for b in fresh)]]
            case "twice" if chains:
                chains.append(list(rng.choice(chains)))
            case _:
                pass
    return dict(copy)


@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 400), pytest.param(400, 6000, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_a_damaged_witness_never_proves_more_than_is_true(first: int, seeds: int) -> None:
    """Checker and script agree on what it proves, which is never above the least usage of its task by enumeration."""
    tally: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        rng = Random(seed)
        plan = random_plan(rng)
        least = least_usages_by_enumeration(plan.problem)
        facts = facts_of(plan.problem)
        for bound in bounds_of(plan):
            if bound.method != "min_cut":
                continue
            for _ in range(6):
                witness = damaged(rng, dict(bound.witness), plan)
                claim = replace(bound, witness=witness)
                try:
                    proved = min_cut(claim.witness, plan, facts)
                except (Unproved, LookupError, TypeError, ValueError):
                    tally["refused"] += 1
                    with pytest.raises((LookupError, TypeError, ValueError)):
                        by_script(plan, claim)
                    continue
                assert by_script(plan, claim) == proved, f"seed {seed}: {witness}"
                assert proved <= least[str(witness["task"])], f"seed {seed}: {witness}"
                tally["accepted"] += 1
                tally["tight"] += proved == least[str(witness["task"])]
    assert tally["refused"] > seeds
    assert tally["accepted"] > seeds / 2
    assert tally["tight"] > seeds / 8
