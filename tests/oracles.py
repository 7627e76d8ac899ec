"""Definitions, written the obvious way: they share no code with what they judge, and may take any time they need."""

from __future__ import annotations

from itertools import pairwise, product

from catalytic.solver.plan import Plan, Region
from catalytic.solver.problem import InputPolicy, Isolation

JUDGED = frozenset({"overlap", "in_place", "reuse", "exclusive", "resources", "precedence", "takeovers"})
"""The rules that :func:`byte_map_faults` judges."""


def byte_map_faults(plan: Plan) -> set[str]:
    """Follow every byte through every tick; the rules of ``JUDGED`` that this finds broken."""
    faults = set()
    problem = plan.problem
    end = {t.id: t.end for t in plan.tasks}
    start = {t.id: t.start for t in plan.tasks}
    writer = {b: t.id for t in problem.tasks for b in t.outputs} | {f"scratch:{t.id}": t.id for t in problem.tasks}
    readers = {r.buffer: [t.id for t in problem.tasks if r.buffer in t.inputs] for r in plan.regions}
    preload = problem.policy.inputs is InputPolicy.PRELOAD
    kept = {b.id for b in problem.buffers if b.keep}
    permitted = {pair for t in problem.tasks for pair in t.in_place}
    horizon = max(end.values(), default=0)

    for task in problem.tasks:
        needed = {writer[name] for name in task.inputs if name in writer} | set(task.after)
        if any(end[before] > start[task.id] for before in needed):
            faults.add("precedence")
    for tick in range(horizon):
        running = [t for t in problem.tasks if start[t.id] <= tick < end[t.id]]
        for name, capacity in problem.resources:
            if sum(t.demand(name) for t in running) > capacity:
                faults.add("resources")

    owners: dict[tuple[int, int], list[Region]] = {}
    for r in plan.regions:
        for e in r.extents:
            for byte in range(e.offset, e.offset + e.length):
                owners.setdefault((e.partition, byte), []).append(r)

    def uses(r: Region) -> list[str]:
        return [*([writer[r.buffer]] if r.buffer in writer else []), *readers[r.buffer]]

    def fills(r: Region) -> list[str]:
        return [writer[r.buffer]] if r.buffer in writer else [] if preload else readers[r.buffer]

    reach = {(e.source, e.target) for e in plan.edges if end[e.source] <= start[e.target]}
    names = sorted(start)
    for via, first, last in product(names, names, names):
        if (first, via) in reach and (via, last) in reach:
            reach.add((first, last))

    taken: dict[str, dict[str, int]] = {r.id: {} for r in plan.regions}
    for line in owners.values():
        line.sort(key=lambda r: (r.lifetime.birth, r.buffer in writer, r.buffer))  # a load precedes its in-place heir
        for a, b in pairwise(line):
            taken[b.id][a.id] = taken[b.id].get(a.id, 0) + 1
        for tick in range(horizon):
            alive = [r for r in line if r.lifetime.birth <= tick < r.lifetime.death]
            for i, a in enumerate(alive):
                for b in alive[i + 1 :]:
                    if (b.buffer, a.buffer) not in permitted:
                        faults.add("overlap")
                        continue
                    t = writer[b.buffer]
                    others = [u for u in uses(a) if u != t]
                    if a.buffer in kept or a.lifetime.death > end[t] or any(end[u] > start[t] for u in others):
                        faults.add("in_place")
        for i, a in enumerate(line):
            for b in line[i + 1 :]:
                if b.buffer not in writer and preload:
                    faults.add("reuse")
                for target in fills(b):
                    for user in uses(a):
                        if user == target and (b.buffer, a.buffer) in permitted:
                            continue
                        if (user, target) not in reach:
                            faults.add("reuse")
    stated = {e.region: {t.region: t.bytes for t in e.takes_over} for e in plan.events if e.takes_over}
    if stated != {region: counts for region, counts in taken.items() if counts}:
        faults.add("takeovers")
    if problem.workspace.isolation is Isolation.EXCLUSIVE:
        for tick in range(horizon):
            held = [t.partitions for t in plan.tasks if t.start <= tick < t.end]
            if any(set(mine) & set(other) for i, mine in enumerate(held) for other in held[i + 1 :]):
                faults.add("exclusive")
    return faults


def successions_by_pairs(plan: Plan) -> dict[tuple[str, str], int]:
    """(earlier, later) -> bytes that pass directly: shared, and owned by nobody in between. Looks at all pairs."""
    written = {b for t in plan.problem.tasks for b in (*t.outputs, f"scratch:{t.id}")}
    by_birth = sorted(plan.regions, key=lambda r: (r.lifetime.birth, r.buffer in written, r.buffer))

    def covered(r: Region) -> set[tuple[int, int]]:
        return {(e.partition, byte) for e in r.extents for byte in range(e.offset, e.offset + e.length)}

    result = {}
    for j, later in enumerate(by_birth):
        for i, earlier in enumerate(by_birth[:j]):
            common = covered(earlier) & covered(later)
            for between in by_birth[i + 1 : j]:
                common -= covered(between)
            if common:
                result[earlier.buffer, later.buffer] = len(common)
    return result
