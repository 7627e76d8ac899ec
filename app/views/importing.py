"""What an import wrote and assumed."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..importing import ImportAnswer
from .words import plural, seconds


def imported(answer: ImportAnswer) -> str:
    """One line of figures, then every assumption."""
    lines = [
        f"wrote {answer.file}: {answer.name}, {plural(answer.tasks, 'task')}, {plural(answer.buffers, 'buffer')}, "
        f"{format_size(answer.allocated)} to place, {format_size(answer.external)} of external inputs, critical path "
        f"{seconds(answer.critical_path_s)}"
    ]
    return "\n".join([*lines, *(f"assumed: {a}" for a in answer.assumptions)])
