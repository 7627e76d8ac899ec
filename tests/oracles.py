"""Definitions, written the obvious way: they share no code with what they judge, and may take any time they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from catalytic.solver.plan import Plan, Region
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Problem, Task

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


_Key = tuple[str | None, str | None]
"""Data type and access: what has the same key lies in the same pool."""


@dataclass(frozen=True)
class _Item:
    """Bytes that live in the workspace: who writes them (None: loaded), who reads them, whether they stay."""

    size: int
    writer: str | None
    readers: frozenset[str]
    kept: bool
    pool: _Key


def _items(problem: Problem) -> dict[str, _Item]:
    """Every buffer and scratch of positive size that takes bytes of the workspace, by id."""
    unit = problem.workspace.alignment
    declared = {b.id: b for b in problem.buffers}
    items = {}
    for b in problem.buffers:
        writer = next((t.id for t in problem.tasks if b.id in t.outputs), None)
        readers = frozenset(t.id for t in problem.tasks if b.id in t.inputs)
        absent = writer is None and (problem.policy.inputs is InputPolicy.EXTERNAL or not readers)
        if b.size > 0 and not absent:
            final = writer is not None and not readers and b.export is None
            kept = b.keep or (final and problem.policy.outputs is OutputPolicy.KEEP)
            items[b.id] = _Item(-(-b.size // unit) * unit, writer, readers, kept, (b.data_type, b.access))
    for t in problem.tasks:
        if t.scratch > 0:
            first = declared[t.outputs[0]] if t.outputs else None
            pool = (first.data_type, first.access) if first else (None, None)
            items[f"scratch:{t.id}"] = _Item(-(-t.scratch // unit) * unit, t.id, frozenset(), False, pool)
    return items


def _usage(problem: Problem, items: dict[str, _Item], task: Task, done: frozenset[str]) -> dict[_Key, int]:
    """Pool key -> bytes alive while ``task`` runs after exactly the tasks ``done``, by the definition."""
    preload = problem.policy.inputs is InputPolicy.PRELOAD
    started = done | {task.id}
    usage: dict[_Key, int] = {}
    for item in items.values():
        if item.writer is not None:
            born = item.writer in started
        else:
            born = preload or bool(item.readers & started)
        users = item.readers | ({item.writer} if item.writer is not None else set())
        if born and (item.kept or not users <= done):
            usage[item.pool] = usage.get(item.pool, 0) + item.size
    for output, source in task.in_place:
        if output in items and source in items and items[output].pool == items[source].pool:
            a, b = items[output], items[source]
            if not b.kept and b.readers - {task.id} <= done:
                usage[a.pool] -= a.size + b.size - max(a.size, b.size)
    return usage


def _before(problem: Problem) -> dict[str, frozenset[str]]:
    """Task id -> tasks that must have ended."""
    writer = {b: t.id for t in problem.tasks for b in t.outputs}
    return {t.id: frozenset({writer[b] for b in t.inputs if b in writer} | set(t.after)) for t in problem.tasks}


def order_value(problem: Problem, order: Sequence[str]) -> int:
    """Sum over pools of the most bytes alive while the tasks run one by one in ``order``, which must be legal."""
    items, before, tasks = _items(problem), _before(problem), {t.id: t for t in problem.tasks}
    assert sorted(order) == sorted(tasks)
    peaks: dict[_Key, int] = {}
    for k, name in enumerate(order):
        assert before[name] <= set(order[:k])
        for pool, count in _usage(problem, items, tasks[name], frozenset(order[:k])).items():
            peaks[pool] = max(peaks.get(pool, 0), count)
    return sum(peaks.values())


def least_peak_by_enumeration(
    problem: Problem, begin: frozenset[str] = frozenset(), end: frozenset[str] | None = None
) -> int:
    """The least :func:`order_value` over all legal orders, by dynamic programming over all down-sets of tasks.

    For each down-set the vectors of the pools' peaks so far are kept, those that another one undercuts left out.
    With ``begin`` and ``end`` (down-sets): only the steps from one to the other count.
    """
    items, before = _items(problem), _before(problem)
    pools = sorted({item.pool for item in items.values()}, key=str)
    allowed = before.keys() if end is None else end
    fronts: dict[frozenset[str], set[tuple[int, ...]]] = {begin: {(0,) * len(pools)}}
    for _ in range(len(allowed) - len(begin)):
        following: dict[frozenset[str], set[tuple[int, ...]]] = {}
        for done, front in fronts.items():
            for t in problem.tasks:
                if t.id in allowed and t.id not in done and before[t.id] <= done:
                    usage = _usage(problem, items, t, done)
                    now = [usage.get(pool, 0) for pool in pools]
                    reached = {tuple(map(max, peaks, now)) for peaks in front}
                    following.setdefault(done | {t.id}, set()).update(reached)
        fronts = {done: _undominated(front) for done, front in following.items()}
    return min(sum(peaks) for front in fronts.values() for peaks in front)


def least_usages_by_enumeration(problem: Problem) -> dict[str, int]:
    """Task id -> the fewest bytes, all pools together, that are alive while it runs, over all legal orders."""
    items, before = _items(problem), _before(problem)
    least: dict[str, int] = {}
    reached = {frozenset[str]()}
    for _ in problem.tasks:
        following = set()
        for done in reached:
            for t in problem.tasks:
                if t.id not in done and before[t.id] <= done:
                    usage = sum(_usage(problem, items, t, done).values())
                    least[t.id] = min(least.get(t.id, usage), usage)
                    following.add(done | {t.id})
        reached = following
    return least


def _undominated(vectors: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    return {v for v in vectors if not any(w != v and all(a <= b for a, b in zip(w, v, strict=True)) for w in vectors)}
