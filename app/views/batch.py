"""What a batch has done, in a few lines: cells by fate, and each that has no answer."""

from __future__ import annotations

from ..batch import BatchAnswer
from .table import table
from .words import plural, seconds

MOST_SHOWN = 20
"""Rows in the table of cells without an answer."""


def summary(answer: BatchAnswer, *, width: int) -> str:
    """``study: 12 cells: 8 OPTIMAL, 4 FEASIBLE | 4 made in 20s``, and below it what was not answered, and why."""
    statuses = [f"{count} {status}" for status, count in sorted(answer.status.items())]
    fates = [f"{count} {_word(fate)}" for fate, count in sorted(answer.ended.items()) if fate != "answered"]
    parts = [f"{answer.folder}: {plural(answer.cells, 'cell')}: {', '.join([*statuses, *fates])}"]
    parts.append(f"{answer.made} made in {seconds(answer.seconds)}" if answer.made else "all had their rows")
    lines = [" | ".join(parts)]
    if answer.failures:
        rows = [
            (f.instance, f.configuration, str(f.seed), _word(f.ended), _first_line(f.reason))
            for f in answer.failures[:MOST_SHOWN]
        ]
        lines += ["", table(("problem", "configuration", "seed", "ended", "why"), rows, width=width, left=5)]
        if len(answer.failures) > MOST_SHOWN:
            lines.append(f"and {len(answer.failures) - MOST_SHOWN} more")
    lines.append(f"next: catalytic compare {answer.folder}")
    return "\n".join(lines)


def _word(fate: str) -> str:
    return {"time": "over time", "memory": "over memory"}.get(fate, fate)


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
