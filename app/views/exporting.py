"""What an export wrote."""

from __future__ import annotations

from catalytic.solver.units import format_size

from ..exporting import ExportAnswer


def exported(answer: ExportAnswer) -> str:
    """One line: the file, its form, and how large it is."""
    return f"wrote {answer.file}: {answer.name} as {answer.form}, {format_size(answer.size)}"
