"""What a check found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from catalytic.solver.errors import InputError
from catalytic.solver.units import format_size

from ..check import CheckAnswer, Checked, ProblemAnswer
from .document import error_fields
from .headline import headline
from .words import plural, seconds


def checked(answer: CheckAnswer | ProblemAnswer) -> str:
    """A valid plan by its headline; a valid problem by its figures, and what its reader assumed."""
    if isinstance(answer, CheckAnswer):
        return f"valid: {headline(answer.summary)}"
    figures = (
        f"valid: {answer.name}: {plural(answer.tasks, 'task')}, {plural(answer.buffers, 'buffer')}, "
        f"{format_size(answer.allocated)} to place in {format_size(answer.workspace)} "
        f"({plural(answer.partitions, 'partition')}), critical path {seconds(answer.critical_path_s)}"
    )
    return "\n".join([figures, *(f"assumed: {a}" for a in answer.assumptions)])


def refused(one: Checked) -> str:
    """What is wrong with a file, beginning with its name."""
    message = str(one.error)
    return message if isinstance(one.error, InputError) else f"{one.file}: {message}"


def each(found: Sequence[Checked]) -> str:
    """How many files there were of each kind; a line for each valid one."""
    valid = [f"{one.file}: {checked(one.answer).splitlines()[0]}" for one in found if one.answer is not None]
    bad = sum(one.error is not None for one in found)
    others = len(found) - len(valid) - bad
    skipped = f", {others} of other kinds" if others else ""
    return "\n".join([f"{plural(len(found), 'file')}: {len(valid)} valid, {bad} not{skipped}", *valid])


def each_document(found: Sequence[Checked]) -> dict[str, object]:
    """Every file with its answer or its error, for programs."""

    def of(one: Checked) -> dict[str, object]:
        if one.error is not None:
            return {"file": one.file, "valid": False, **error_fields(one.error)}
        if one.answer is None:
            return {"file": one.file, "valid": None}
        return {"file": one.file, "valid": True, **{f.name: getattr(one.answer, f.name) for f in fields(one.answer)}}

    return {"files": [of(one) for one in found]}
