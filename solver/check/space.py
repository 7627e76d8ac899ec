"""Where: extents inside partitions, aligned and of the right form; pools inside their slices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..plan import Extent, Plan, PoolSlice, Region
from .facts import Facts
from .violation import Violation


def extents(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """Each region has its buffer's aligned size, inside partitions, aligned; only what must span spans."""
    w = plan.problem.workspace
    for r in plan.regions:
        for e in r.extents:
            if not 0 <= e.partition < w.partitions:
                yield Violation("partition", f"{r.id} lies in partition {e.partition}, there are {w.partitions}")
            if e.offset < 0 or e.length <= 0 or e.offset + e.length > w.partition_size:
                stated = f"[{e.offset}, {e.offset + e.length})"
                yield Violation("partition", f"{r.id} covers {stated} of a partition of {w.partition_size} bytes")
            if e.offset % w.alignment or e.length % w.alignment:
                yield Violation("alignment", f"{r.id} has offset {e.offset} and length {e.length} in {w.alignment}s")
        total = sum(e.length for e in r.extents)
        size = facts.residents[r.buffer].size
        if total != size:
            yield Violation("size", f"{r.id} has {total} bytes, {r.buffer!r} needs {size}")
        elif list(r.extents) != _form(r, size, w.partition_size):
            yield Violation(
                "spanning", f"{r.id} must be one extent, or begin a partition and run through consecutive whole ones"
            )


def _form(region: Region, size: int, partition_size: int) -> list[Extent]:
    """The only form a region of ``size`` may have, given where it begins."""
    if size <= partition_size:
        return [region.extents[0]] if region.extents else []
    form = []
    first = region.extents[0].partition if region.extents else 0
    for k in range(-(-size // partition_size)):
        form.append(Extent(first + k, type(region.length)(0), type(region.length)(min(partition_size, size))))
        size -= partition_size
    return form


def pools(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """One slice per pool and partition, disjoint; every region inside its pool's; limits kept; pools as declared."""
    yield from _pool_names(plan, facts)
    w = plan.problem.workspace
    slices: dict[tuple[str, int], PoolSlice] = {}
    lines: dict[int, list[PoolSlice]] = {}
    named = {r.pool for r in plan.regions}
    for s in plan.slices:
        if (s.pool, s.partition) in slices:
            yield Violation("pools", f"pool {s.pool!r} has two slices in partition {s.partition}")
        if s.pool not in named:
            yield Violation("pools", f"pool {s.pool!r} owns a slice and holds no region")
        if not 0 <= s.partition < w.partitions or s.offset < 0 or s.size <= 0 or s.offset + s.size > w.partition_size:
            yield Violation(
                "pools", f"the slice of {s.pool!r} covers [{s.offset}, {s.offset + s.size}) of partition {s.partition}"
            )
        if s.offset % w.alignment or s.size % w.alignment:
            yield Violation("alignment", f"the slice of {s.pool!r} has offset {s.offset} and size {s.size}")
        slices[s.pool, s.partition] = s
        lines.setdefault(s.partition, []).append(s)
    for partition, line in sorted(lines.items()):
        line.sort(key=lambda s: (s.offset, s.size, s.pool))
        for a, b in pairwise(line):
            if a.offset + a.size > b.offset:
                yield Violation("pools", f"the slices of {a.pool!r} and {b.pool!r} overlap in partition {partition}")
    for r in plan.regions:
        for e in r.extents:
            owner = slices.get((r.pool, e.partition))
            if owner is None or e.offset < owner.offset or e.offset + e.length > owner.offset + owner.size:
                yield Violation("pools", f"{r.id} lies outside the slice of {r.pool!r} in partition {e.partition}")
    for p in plan.problem.pools:
        owned = sum(s.size for s in plan.slices if s.pool == p.id)
        if p.size is not None and owned > p.size:
            yield Violation("pools", f"the slices of {p.id!r} have {owned} bytes, its limit is {p.size}")


def _pool_names(plan: Plan, facts: Facts) -> Iterator[Violation]:
    """Buffers share a pool exactly when they share data type and access; declared pools keep their names."""
    name_of = {(p.data_type, p.access): p.id for p in plan.problem.pools}
    key_of = {name: key for key, name in name_of.items()}
    for r in plan.regions:
        key = facts.residents[r.buffer].key
        if name_of.setdefault(key, r.pool) != r.pool or key_of.setdefault(r.pool, key) != key:
            yield Violation("pools", f"{r.id} is in pool {r.pool!r}, where {r.buffer!r} does not belong")
