"""Certificates on time: no schedule beats its longest chain, its work, or its bytes times their lifetimes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from math import floor

from ..plan import Plan
from .facts import Facts
from .witness import Unproved, after_of, names_of, topological


def critical_path(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Tasks that wait for one another take at least the sum of their durations."""
    path = names_of(witness, "path")
    for a, b in pairwise(path):
        if a not in facts.before[b]:
            raise Unproved(f"{b!r} does not wait for {a!r}")
    return sum(facts.duration[t] for t in path)


def resource_energy(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Demand times duration, over all tasks, fits under the capacity."""
    name = str(witness["resource"])
    work = sum(facts.duration[t] * demand.get(name, 0) for t, demand in facts.demand.items())
    return -(-work // dict(plan.problem.resources)[name])


def memory_time_energy(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Bytes times least lifetimes fill a rectangle that is as high as the target leaves and as long as the makespan."""
    ceiling = witness["ceiling"]
    if not isinstance(ceiling, int) or isinstance(ceiling, bool) or ceiling <= 0:
        raise Unproved(f"the ceiling {ceiling!r} is not a positive number of bytes")
    least = ceiling_of(plan, facts)
    if ceiling < least:
        raise Unproved(f"plans may use {least} bytes, the bound assumes {ceiling}")
    return -(-_energy(facts) // ceiling)


def ceiling_of(plan: Plan, facts: Facts) -> int:
    """Most bytes that a plan which meets the target may use."""
    capacity, target = plan.problem.workspace.capacity, plan.proof.target
    if target is None:
        return capacity
    # In binary floating point (1 - 0.8) * 1000 falls just below 200; both readings of the target are allowed.
    exact, rounded = (1 - Fraction(target)) * facts.allocated, (1 - target) * facts.allocated
    return min(floor(exact), floor(rounded), capacity)


def _energy(facts: Facts) -> int:
    """Sum of size x least lifetime, in byte-ticks; what may be shared in place is counted once."""
    after = after_of(facts)
    place = {t: k for k, t in enumerate(topological(facts))}
    order = sorted(place, key=place.__getitem__)
    written: dict[str, list[str]] = {}
    total = 0
    for b, r in facts.residents.items():
        if r.writer is None:
            total += r.size * max(facts.duration[t] for t in r.readers)
        else:
            written.setdefault(r.writer, []).append(b)
    for writer, buffers in written.items():
        readers = {t for b in buffers for t in facts.residents[b].readers}
        longest = {writer: facts.duration[writer]}
        for k in range(place[writer], max((place[t] for t in readers), default=place[writer]) + 1):
            t = order[k]
            if t in longest:
                for s in after[t]:
                    longest[s] = max(longest.get(s, 0), longest[t] + facts.duration[s])
        for b in buffers:
            total += facts.residents[b].size * max(longest[t] for t in facts.residents[b].users)
    for out, source in facts.in_place:
        task = facts.residents[out].writer
        if task is not None:
            total -= min(facts.residents[out].size, facts.residents[source].size) * facts.duration[task]
    return total


def longest_chain(facts: Facts) -> int:
    """Ticks of the longest path through the tasks."""
    longest: dict[str, int] = {}
    for t in topological(facts):
        longest[t] = facts.duration[t] + max((longest[b] for b in facts.before[t]), default=0)
    return max(longest.values(), default=0)
