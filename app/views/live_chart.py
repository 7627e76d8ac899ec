"""Live bytes along an order, as text: steps run to the right, bytes upwards.

A column shows the fullest of the steps it stands for, so that no peak is lost. Where the bytes rise above what is
allowed, a dotted line shows how far; ``^`` marks the first peak.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalytic.solver.units import format_size

ROWS = 8
"""Lines of the chart."""
LABEL = 9
"""Characters before the chart on each line: bytes."""
MOST_COLUMNS_PER_STEP = 8
"""Short orders need no more."""
EIGHTHS = " ▁▂▃▄▅▆▇█"
DOTS = "┄"


def live_chart(live: Sequence[int], allowed: int, *, width: int, rows: int = ROWS) -> str:
    """The chart of ``live`` (bytes per step) in at most ``width`` columns; empty when nothing is ever alive."""
    top = max(live, default=0)
    if top == 0:
        return ""
    columns = min(max(20, width - LABEL), MOST_COLUMNS_PER_STEP * len(live))
    heights = [_fullest(live, column, columns) * rows * 8 // top for column in range(columns)]
    limit = max(0, -(-allowed * rows // top) - 1) if allowed < top else None
    labels = {limit: format_size(allowed), 0: "0B", rows - 1: format_size(top)}
    lines = []
    for row in reversed(range(rows)):
        cells = "".join(EIGHTHS[max(0, min(8, height - 8 * row))] for height in heights)
        cells = cells.replace(" ", DOTS) if row == limit else cells.rstrip()
        lines.append(f"{labels.get(row, ''):>{LABEL - 2}} │{cells}")
    return "\n".join([*lines, _axis(live, columns)])


def _fullest(live: Sequence[int], column: int, columns: int) -> int:
    first = column * len(live) // columns
    return max(live[first : max(first + 1, (column + 1) * len(live) // columns)])


def _axis(live: Sequence[int], columns: int) -> str:
    """The first step, the last one, and between them where the first peak is."""
    axis = list("1" + str(len(live)).rjust(columns - 1))
    at = next(c for c in range(columns) if _fullest(live, c, columns) == max(live))
    if axis[at] == " ":
        axis[at] = "^"
    return " " * LABEL + "".join(axis)
