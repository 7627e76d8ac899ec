"""Which bytes are used when, as text: per partition time runs to the right and addresses run upwards.

A cell shows who owns its middle byte at its middle moment: a letter for a buffer, ``.`` for nobody. Regions are
lettered in order of birth, so that neighbours in time differ and a change of letter is a reuse. What is smaller than a
cell may not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from catalytic.solver.plan import Plan, Region
from catalytic.solver.units import format_size

from .gantt import time_axis
from .words import plural

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LABEL = 9
"""Characters before the chart on each line: the address."""
ROWS = 8
"""Lines per partition; fewer for a partition with fewer distinct levels."""
MAX_PARTITIONS = 16
"""More partitions than this are not drawn."""


def memory_map(plan: Plan, *, width: int, rows: int = ROWS) -> str:
    """The map of every used partition of ``plan`` in at most ``width`` columns; empty when nothing is allocated."""
    columns = max(20, width - LABEL)
    makespan = plan.measures.makespan
    by_partition: dict[int, list[Region]] = {}
    for region in plan.regions:
        for partition in sorted({e.partition for e in region.extents}):
            by_partition.setdefault(partition, []).append(region)
    letter = {r.id: LETTERS[i % len(LETTERS)] for i, r in enumerate(plan.regions)}
    parts = [
        _partition(partition, by_partition[partition], letter, makespan, columns, rows)
        for partition in sorted(by_partition)[:MAX_PARTITIONS]
    ]
    if len(by_partition) > MAX_PARTITIONS:
        parts.append(f"... and {len(by_partition) - MAX_PARTITIONS} more partitions")
    if parts:
        parts.append(" " * LABEL + time_axis(makespan, columns))
    return "\n".join(parts)


def _partition(
    partition: int, regions: Sequence[Region], letter: dict[str, str], makespan: int, columns: int, rows: int
) -> str:
    spans = [
        (int(e.offset), e.end, r.lifetime.birth, r.lifetime.death, letter[r.id])
        for r in regions
        for e in r.extents
        if e.partition == partition
    ]
    height = max(end for _, end, _, _, _ in spans)
    levels = sorted({0, *(end for _, end, _, _, _ in spans), *(low for low, _, _, _, _ in spans)})
    rows = max(1, min(rows, len(levels) - 1))
    cells = [["."] * columns for _ in range(rows)]
    # The middle of a cell decides: who owns that byte at that moment.
    for low, high, birth, death, name in spans:
        first, last = _first_middle(birth, makespan, columns), _first_middle(death, makespan, columns)
        for row in range(_first_middle(low, height, rows), _first_middle(high, height, rows)):
            cells[row][first:last] = name * (last - first)
    lines = [f"p{partition}  {plural(len(regions), 'region')}, {format_size(height)} high"]
    edges = [height * i // rows for i in range(rows + 1)]
    for row, (low, _) in reversed(list(enumerate(pairwise(edges)))):
        lines.append(f"{format_size(low):>{LABEL - 2}} |{''.join(cells[row])}")
    return "\n".join(lines)


def _first_middle(value: int, total: int, cells: int) -> int:
    """Index of the first cell whose middle ``(i + 1/2) * total / cells`` is at least ``value``."""
    return max(0, -(-(2 * value * cells - total) // (2 * total)))
