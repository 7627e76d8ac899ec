"""The chain that ends last, and slack: checked by delaying a task and pushing whatever follows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from random import Random

import pytest

from catalytic.app.criticality import Criticality, criticality
from catalytic.app.tracks import planned_tracks
from catalytic.solver.plan import EdgeKind, Extent, Plan
from catalytic.solver.problem import Isolation, Problem, Workspace
from catalytic.solver.units import Bytes, Tick
from tests.builders import chain, diamond, planned, problem, random_plan, task


def followers(plan: Plan, found: Criticality) -> dict[str, set[str]]:
    """What must wait for each task if the order on tracks and in exclusive partitions stays: by definition, O(n^2)."""
    tracks, _ = planned_tracks(plan)
    own = {t.id: set(lines) for t, lines in zip(plan.tasks, tracks, strict=True)}
    exclusive = plan.problem.workspace.isolation is Isolation.EXCLUSIVE
    waits = {t.id: {e.target for e in plan.edges if e.source == t.id} for t in plan.tasks}
    for a in plan.tasks:
        for b in plan.tasks:
            beside = own[a.id] & own[b.id] or (exclusive and set(a.partitions) & set(b.partitions))
            if beside and a.end <= b.start:
                waits[a.id].add(b.id)
    for before, after in pairwise(found.chain):
        waits[before.task].add(after.task)
    return waits


def end_if_late(plan: Plan, waits: Mapping[str, set[str]], late: str, ticks: int) -> int:
    """The last end when ``late`` ends ``ticks`` later and everything else starts as planned, or when it can."""
    end: dict[str, int] = {}
    for t in sorted(plan.tasks, key=lambda t: (t.start, t.end)):
        ready = max((end[s] for s in end if t.id in waits[s]), default=0)
        end[t.id] = max(t.start, ready) + (t.end - t.start) + (ticks if t.id == late else 0)
    return max(end.values())


@pytest.mark.parametrize("seed", range(40))
def test_slack_is_the_most_a_task_may_be_late(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = criticality(plan)
    waits = followers(plan, found)

    for t in plan.tasks:
        slack = found.slack[t.id]
        assert slack >= 0
        assert end_if_late(plan, waits, t.id, slack) == plan.measures.makespan
        assert end_if_late(plan, waits, t.id, slack + 1) == plan.measures.makespan + 1


@pytest.mark.parametrize("seed", range(40))
def test_the_chain_leads_without_a_gap_to_the_last_end(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = criticality(plan)

    assert plan.task[found.chain[-1].task].end == plan.measures.makespan
    assert plan.task[found.chain[0].task].start == found.chain[0].waited
    for before, after in pairwise(found.chain):
        assert plan.task[before.task].end + after.waited == plan.task[after.task].start
        if after.why in (EdgeKind.DATA, EdgeKind.AFTER, EdgeKind.REUSE):
            assert any(e.source == before.task and e.target == after.task and e.kind is after.why for e in plan.edges)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_in_a_chain_without_waiting_has_no_slack(seed: int) -> None:
    """From the last wait on, a delay of any task of the chain is a delay of the end."""
    plan = random_plan(Random(seed))
    found = criticality(plan)

    since = max((k for k, link in enumerate(found.chain) if link.waited), default=0)
    assert all(found.slack[link.task] == 0 for link in found.chain[since:])


def test_a_chain_of_readers_is_its_own_chain() -> None:
    question = chain(3)
    plan = planned(question, {f"t{k}": Tick(k - 1) for k in (1, 2, 3)}, places(question))

    assert [(k.task, k.why, k.via) for k in criticality(plan).chain] == [
        ("t1", None, None),
        ("t2", EdgeKind.DATA, "b1"),
        ("t3", EdgeKind.DATA, "b2"),
    ]


def test_the_shorter_branch_of_a_diamond_has_the_difference_as_slack() -> None:
    """left takes 2, right 3, and they run beside each other."""
    question = diamond()
    starts = {"top": Tick(0), "left": Tick(1), "right": Tick(1), "bottom": Tick(4)}

    found = criticality(planned(question, starts, places(question)))

    assert [link.task for link in found.chain] == ["top", "right", "bottom"]
    assert dict(found.slack) == {"top": 0, "left": 1, "right": 0, "bottom": 0}


def test_waiting_for_a_partition_and_for_a_worker_is_told_apart() -> None:
    """a and b have nothing in common but the partition they write; c and b nothing but the moment."""
    space = Workspace(Bytes(1 << 20), 2, 1, Isolation.EXCLUSIVE)
    question = problem(task("a", "", "x"), task("b", "", "y"), task("c", "", "z"), workspace=space)
    starts = {"a": Tick(0), "b": Tick(1), "c": Tick(2)}
    extents = {b: [Extent(p, Bytes(at), Bytes(1))] for b, p, at in (("x", 0, 0), ("y", 0, 1), ("z", 1, 0))}

    found = criticality(planned(question, starts, extents))

    assert [(k.task, k.why, k.via) for k in found.chain] == [
        ("a", None, None),
        ("b", EdgeKind.EXCLUSIVE, "0"),
        ("c", EdgeKind.RESOURCE, None),
    ]


def places(question: Problem) -> dict[str, list[Extent]]:
    """Every buffer at a place of its own."""
    return {b: [Extent(0, Bytes(k), Bytes(1))] for k, b in enumerate(question.graph.resident)}
