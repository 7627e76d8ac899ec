"""The definition of a valid plan. It shares no helper with what makes plans.

Rules, by name:

``tasks``        every task of the problem once, from a moment >= 0, for its duration
``regions``      every resident buffer has one region, ids are unique
``canonical``    lists stand in their one order
``precedence``   a task starts after the writers of its inputs and its ``after`` tasks have ended
``resources``    demands never exceed a capacity at the planned times
``partitions``   a task holds exactly the partitions it writes into
``exclusive``    no two running tasks write into one partition (isolation ``exclusive``)
``lifetime``     births and deaths are those that follow from the times
``partition``    extents lie inside partitions that exist (and so the plan inside the capacity)
``alignment``    offsets and lengths are multiples of the alignment
``size``         a region has its buffer's aligned size
``spanning``     one extent; a buffer larger than a partition begins one and fills consecutive ones
``pools``        one slice per pool and partition, disjoint, holding all its regions, within its limit
``overlap``      no two living buffers share a byte, but for the next rule
``in_place``     an output takes over an input's bytes where permitted, by the input's last user
``edges``        data and ``after`` edges complete, all edges meaningful, none against the times, no cycle
``reuse``        a path of edges makes who takes bytes over wait for all who used them
``events``       the reuse schedule follows from regions and times, takeovers byte by byte
``seal``         regions are sealed exactly when integrity is on
``measures``     recomputed
``bounds``       certificates prove their value; no bound contradicts the plan
``verdict``      status, gap, largest reuse factor and least makespan follow from measures and bounds
``target``       an OPTIMAL or FEASIBLE plan meets its target
"""

from __future__ import annotations

from ..plan import Plan
from .claims import bounds, measured, measures, verdict
from .facts import facts_of
from .identity import canonical, identity
from .order import edges, reuse
from .sharing import overlaps, successions
from .space import extents, pools
from .story import story
from .times import lifetimes, partitions_held, resources, times
from .violation import Violation

__all__ = ["Violation", "proof_violations", "violations"]


def violations(plan: Plan) -> list[Violation]:
    """Every violation of ``plan``; the empty list when it is valid.

    When tasks or regions are not those of the problem, only that is told: nothing else has a meaning then. Takes
    O(n log n) for n regions, edges and events, and a walk over the edges for every wait that is not an edge itself.
    """
    facts = facts_of(plan.problem)
    strangers = list(identity(plan, facts))
    if strangers:
        return strangers
    shared = successions(plan)
    real = measured(plan, facts, shared)
    return [
        *canonical(plan),
        *times(plan, facts),
        *resources(plan, facts),
        *partitions_held(plan, facts),
        *lifetimes(plan, facts),
        *extents(plan, facts),
        *pools(plan, facts),
        *overlaps(plan, facts, shared),
        *edges(plan, facts, shared),
        *reuse(plan, facts, shared),
        *story(plan, facts, shared),
        *measures(plan, real),
        *bounds(plan, facts, real),
        *verdict(plan, facts, real),
    ]


def proof_violations(plan: Plan) -> list[Violation]:
    """What :func:`violations` would say of measures and proof: enough for a valid plan whose proof was changed."""
    facts = facts_of(plan.problem)
    real = measured(plan, facts, successions(plan))
    return [*measures(plan, real), *bounds(plan, facts, real), *verdict(plan, facts, real)]
