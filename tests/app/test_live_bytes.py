"""Living bytes over time, against the definition: which bytes does somebody own at this moment?"""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from catalytic.app.bottlenecks import MOST_NAMED, bottlenecks
from catalytic.app.live_bytes import Step, fullest, live_steps
from catalytic.solver.plan import Plan
from tests.builders import random_plan


def owned(plan: Plan, moment: int) -> int:
    """Bytes of the workspace that some living buffer owns at ``moment``."""
    return len(
        {
            (e.partition, byte)
            for r in plan.regions
            if r.lifetime.birth <= moment < r.lifetime.death
            for e in r.extents
            for byte in range(e.offset, e.end)
        }
    )


@pytest.mark.parametrize("seed", range(60))
def test_the_steps_are_the_bytes_owned_at_each_moment(seed: int) -> None:
    plan = random_plan(Random(seed))
    steps = live_steps(plan)

    assert steps[0].start == 0 and steps[-1].end == plan.measures.makespan
    assert all(a.end == b.start for a, b in pairwise(steps))
    for step in steps:
        for moment in range(step.start, step.end):
            assert owned(plan, moment) == step.bytes
    assert max(step.bytes for step in steps) == plan.measures.peak_live


def test_fullest_moments_are_peaks_and_the_fullest_comes_first() -> None:
    steps = tuple(Step(k, k + 1, bytes_) for k, bytes_ in enumerate((0, 5, 3, 8, 8, 2, 9)))

    # 8 is no peak of its own: two equal steps beside each other never come out of live_steps.
    assert [(s.start, s.bytes) for s in fullest(steps, 5)] == [(6, 9), (1, 5)]
    assert fullest(steps, 1) == (Step(6, 7, 9),)
    assert fullest((Step(0, 1, 0),), 3) == ()


@pytest.mark.parametrize("seed", range(30))
def test_bottlenecks_are_the_longest_largest_and_fullest(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = bottlenecks(plan, live_steps(plan))

    assert [t.end - t.start for t in found.tasks] == sorted((t.end - t.start for t in plan.tasks), reverse=True)[:10]
    assert [r.length for r in found.buffers] == sorted((r.length for r in plan.regions), reverse=True)[:10]
    assert len(found.tasks) == min(10, len(plan.tasks)) and len(found.buffers) == min(10, len(plan.regions))
    for moment in found.moments:
        alive = [r for r in plan.regions if r.lifetime.birth <= moment.step.start < r.lifetime.death]
        running = [t for t in plan.tasks if t.start <= moment.step.start < t.end]
        assert (moment.alive, moment.running) == (len(alive), len(running))
        assert [r.length for r in moment.buffers] == sorted((r.length for r in alive), reverse=True)[:MOST_NAMED]
    if plan.regions:
        assert found.moments[0].step.bytes == plan.measures.peak_live
