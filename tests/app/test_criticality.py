"""What reports say of chain and slack is what the analysis says, and fits the plan."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from catalytic.app.criticality import Criticality, criticality
from catalytic.solver.analysis import Reason, analyse
from catalytic.solver.analysis.fullness import live_stretches
from catalytic.solver.plan import Extent, Plan
from catalytic.solver.problem import Isolation, Problem, Workspace
from catalytic.solver.units import Bytes, Tick
from tests.builders import diamond, planned, problem, random_plan, task


def found_in(plan: Plan) -> Criticality:
    return criticality(plan, live_stretches(plan))


def places(question: Problem) -> dict[str, list[Extent]]:
    """Every buffer at a place of its own."""
    return {b: [Extent(0, Bytes(k), Bytes(1))] for k, b in enumerate(question.graph.resident)}


@pytest.mark.parametrize("seed", range(20))
def test_a_report_says_what_the_analysis_says(seed: int) -> None:
    plan = random_plan(Random(seed))
    whole = analyse(plan)

    found = found_in(plan)

    assert found.chain == whole.chain
    assert found.slack == dict(whole.slack)


@pytest.mark.parametrize("seed", range(40))
def test_the_chain_leads_to_the_last_end_and_every_task_has_slack(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = found_in(plan)

    assert plan.task[found.chain[-1].task].end == plan.measures.makespan
    assert [link.after for link in found.chain[1:]] == [link.task for link in found.chain[:-1]]
    assert all(plan.task[a.task].start <= plan.task[b.task].start for a, b in pairwise(found.chain))
    assert found.slack.keys() == {t.id for t in plan.tasks}
    assert min(found.slack.values()) >= 0 and found.slack[found.chain[-1].task] == 0


def test_the_shorter_branch_of_a_diamond_has_the_difference_as_slack() -> None:
    """left takes 2, right 3, and they run beside each other."""
    question = diamond()
    starts = {"top": Tick(0), "left": Tick(1), "right": Tick(1), "bottom": Tick(4)}

    found = found_in(planned(question, starts, places(question)))

    assert [(link.task, link.reason, link.via) for link in found.chain] == [
        ("top", Reason.START, None),
        ("right", Reason.DATA, "seed"),
        ("bottom", Reason.DATA, "r"),
    ]
    assert dict(found.slack) == {"top": 0, "left": 1, "right": 0, "bottom": 0}


def test_waiting_for_a_partition_is_told() -> None:
    """a and b have nothing in common but the partition they write."""
    space = Workspace(Bytes(1 << 20), 2, 1, Isolation.EXCLUSIVE)
    question = problem(task("a", "", "x"), task("b", "", "y"), workspace=space)
    extents = {b: [Extent(0, Bytes(at), Bytes(1))] for b, at in (("x", 0), ("y", 1))}

    found = found_in(planned(question, {"a": Tick(0), "b": Tick(1)}, extents))

    assert [(k.task, k.reason, k.via) for k in found.chain] == [("a", Reason.START, None), ("b", Reason.EXCLUSIVE, "0")]
