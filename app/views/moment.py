"""The buffers alive at a moment as a table: one row per group, the largest first."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..moment import Group, Moment
from .table import table
from .words import plural

MOST_ROWS = 10
"""Groups beyond are counted, not shown; the document of ``--json`` has them all."""

MOST_NEEDED_BY = 2
"""Readers that are named; the others are counted."""


def moment_table(moment: Moment, *, width: int) -> str:
    """One row per group; below it what is left out, and what is shared in place."""
    rows = [_row(g) for g in moment.groups[:MOST_ROWS]]
    header = ("buffers", "written by", "needed by", "now", "size")
    lines = [table(header, rows, width=width, left=4)]
    rest = moment.groups[MOST_ROWS:]
    if rest:
        count, size = sum(len(g.buffers) for g in rest), sum(g.size for g in rest)
        lines.append(f"and {plural(count, 'more buffer')} in {plural(len(rest), 'group')}, {format_size(size)}")
    if moment.shared:
        lines.append(f"less {format_size(moment.shared)} that outputs take over in place")
    return "\n".join(lines)


def _row(group: Group) -> tuple[str, ...]:
    names = [s.buffer for s in group.buffers]
    return (
        names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}",
        group.written_by or "(input)",
        _needed_by(group),
        group.role.value,
        format_size(group.size),
    )


def _needed_by(group: Group) -> str:
    end = {"kept": "(kept)", "exported": "(exported)", "dropped": "-"}[group.then]
    shown = ", ".join(group.needed_by[:MOST_NEEDED_BY])
    more = len(group.needed_by) - MOST_NEEDED_BY
    if not shown:
        return end
    return shown + (f" +{more}" if more > 0 else "") + (f" {end}" if group.then == "kept" else "")
