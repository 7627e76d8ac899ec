"""Fullest moments and bytes that two owners share, against the definition: whose is this byte at this moment?"""

from __future__ import annotations

from random import Random

import pytest

from catalytic.app.bottlenecks import MOST_NAMED, bottlenecks
from catalytic.app.live_bytes import peaks, shared_in_place
from catalytic.solver.analysis import Stretch
from catalytic.solver.analysis.fullness import live_stretches
from catalytic.solver.plan import Plan, Region
from tests.builders import random_plan


def owned(region: Region) -> set[tuple[int, int]]:
    return {(e.partition, byte) for e in region.extents for byte in range(e.offset, e.end)}


def owners(plan: Plan, moment: int) -> list[Region]:
    return [r for r in plan.regions if r.lifetime.birth <= moment < r.lifetime.death]


@pytest.mark.parametrize("seed", range(60))
def test_sizes_less_what_is_shared_are_the_bytes_owned_at_each_moment(seed: int) -> None:
    """How the page's script adds up what is alive, done here the same way and by painting every byte."""
    plan = random_plan(Random(seed))
    shared = list(shared_in_place(plan))

    for moment in range(plan.measures.makespan):
        alive = owners(plan, moment)
        twice = sum(
            count
            for r, before, count in shared
            if r.lifetime.birth <= moment < min(r.lifetime.death, before.lifetime.death)
        )
        assert sum(r.length for r in alive) - twice == len(set().union(*map(owned, alive)))


def test_peaks_are_fuller_than_their_neighbours_and_the_fullest_comes_first() -> None:
    stretches = tuple(Stretch(k, k + 1, live) for k, live in enumerate((0, 5, 3, 8, 2, 9)))

    assert [(s.begin, s.live) for s in peaks(stretches, 5)] == [(5, 9), (3, 8), (1, 5)]
    assert peaks(stretches, 1) == (Stretch(5, 6, 9),)
    assert peaks((Stretch(0, 1, 0),), 3) == peaks((), 3) == ()


@pytest.mark.parametrize("seed", range(30))
def test_bottlenecks_are_the_longest_largest_and_fullest(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = bottlenecks(plan, live_stretches(plan))

    assert [t.end - t.start for t in found.tasks] == sorted((t.end - t.start for t in plan.tasks), reverse=True)[:10]
    assert [r.length for r in found.buffers] == sorted((r.length for r in plan.regions), reverse=True)[:10]
    for moment in found.moments:
        alive = owners(plan, moment.stretch.begin)
        running = [t for t in plan.tasks if t.start <= moment.stretch.begin < t.end]
        assert (moment.alive, moment.running) == (len(alive), len(running))
        assert [r.length for r in moment.buffers] == sorted((r.length for r in alive), reverse=True)[:MOST_NAMED]
    if plan.regions:
        assert found.moments[0].stretch.live == plan.measures.peak_live
