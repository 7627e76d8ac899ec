"""Who runs when, as text: one line per worker slot, time from left to right.

Tasks are dealt to the first free line by start, which is how a run would look if every duration were exact. A task is
drawn as its name (cut to its length) between bars; what is too short for one cell shares it and is drawn as ``+``.
"""

from __future__ import annotations

from heapq import heappop, heappush

from catalytic.solver.plan import Plan
from catalytic.solver.units import to_seconds

from .table import cut
from .words import seconds

LABEL = 5
"""Characters before the chart on each line."""
MAX_LINES = 32
"""More worker lines than this are not drawn."""


def gantt(plan: Plan, *, width: int) -> str:
    """The chart of ``plan`` in at most ``width`` columns; empty text for a plan without tasks."""
    makespan = plan.measures.makespan
    if not plan.tasks:
        return ""
    columns = max(20, width - LABEL)
    lines: list[list[str]] = []
    filled: list[int] = []
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for task in sorted(plan.tasks, key=lambda t: (t.start, t.id)):
        while busy and busy[0][0] <= task.start:
            heappush(free, heappop(busy)[1])
        if free:
            line = heappop(free)
        else:
            line = len(lines)
            lines.append([" "] * columns)
            filled.append(0)
        heappush(busy, (task.end, line))
        first = task.start * columns // makespan
        last = max(first + 1, task.end * columns // makespan)
        _draw(lines[line], task.id, first, last, filled[line])
        filled[line] = max(filled[line], last)
    drawn = [f"{f'w{i}':<{LABEL}}{''.join(cells).rstrip()}" for i, cells in enumerate(lines[:MAX_LINES])]
    if len(lines) > MAX_LINES:
        drawn.append(f"{'':<{LABEL}}... and {len(lines) - MAX_LINES} more lines")
    return "\n".join([*drawn, " " * LABEL + time_axis(makespan, columns)])


def _draw(cells: list[str], name: str, first: int, last: int, filled: int) -> None:
    """Draw one task into ``cells[first:last]``; cells below ``filled`` are taken by an earlier task."""
    if first < filled:
        cells[filled - 1] = "+"
        first = filled
    length = last - first
    if length <= 0:
        return
    if length < 3:
        cells[first:last] = ["█"] * length
        return
    inner = length - 2
    label = cut(name, inner) if inner >= 4 else name[:inner]
    cells[first:last] = ["▐", *label.center(inner, "·"), "▌"]


def time_axis(makespan: int, columns: int) -> str:
    """``0s`` at the left, quarters between, the makespan at the right end."""
    axis = [" "] * columns
    for quarter in range(5):
        label = seconds(to_seconds(makespan * quarter // 4))
        at = min(columns - len(label), max(0, columns * quarter // 4 - (len(label) // 2 if quarter else 0)))
        if all(cell == " " for cell in axis[max(0, at - 1) : at + len(label) + 1]):
            axis[at : at + len(label)] = label
    return "".join(axis).rstrip()
