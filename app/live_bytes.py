"""Living bytes as reports need them: the fullest moments, and which bytes two living buffers own together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalytic.solver.analysis import Stretch
from catalytic.solver.plan import Plan, Region


def peaks(stretches: Sequence[Stretch], most: int) -> tuple[Stretch, ...]:
    """The stretches that are fuller than their neighbours, the fullest first, at most ``most`` of them."""
    live = [0, *(s.live for s in stretches), 0]
    found = [s for k, s in enumerate(stretches) if live[k] < s.live > live[k + 2]]
    return tuple(sorted(found, key=lambda s: (-s.live, s.begin))[:most])


def shared_in_place(plan: Plan) -> Iterator[tuple[Region, Region, int]]:
    """(region, an older one, bytes) where a region takes over bytes in place, from an owner that still lives."""
    for r in plan.regions:
        for owner in plan.takes_over.get(r.id, ()):
            before = plan.region[owner.region]
            if before.lifetime.death > r.lifetime.birth:
                yield r, before, owner.bytes
