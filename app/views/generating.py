"""What was generated, and what could be."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from catalytic.solver.units import format_size

from ..generating import FamilyLine, GenerateAnswer
from .words import plural, seconds


def generated(answer: GenerateAnswer) -> str:
    """One line of figures, and the parameters behind them."""
    lines = [
        f"wrote {answer.file}: {answer.name}, {plural(answer.tasks, 'task')}, {plural(answer.buffers, 'buffer')}, "
        f"{format_size(answer.allocated)} to place, {format_size(answer.external)} of external inputs, critical path "
        f"{seconds(answer.critical_path_s)}",
        f"parameters: {_parameters(answer.parameters) or 'those of the family'}, seed {answer.seed}",
        f"digest: {answer.digest}",
    ]
    if answer.asked_tasks is not None and answer.asked_tasks != answer.tasks:
        lines.append(f"asked for {plural(answer.asked_tasks, 'task')}: the next problem of this shape has more")
    return "\n".join(lines)


def families(lines: Iterable[FamilyLine]) -> str:
    """Each family: its name, what it models, its parameters with their defaults."""
    shown = []
    for line in lines:
        told = textwrap.wrap(line.models, width=96)
        shown += [f"{line.family:<19} {told[0]}", *(f"{'':<19} {more}" for more in told[1:])]
        shown.append(f"{'':<19} --set {_parameters(line.parameters)}; --tasks chooses {line.grows}")
    return "\n".join(shown)


def _parameters(parameters: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_word(value)}" for name, value in parameters.items())


def _word(value: object) -> str:
    if value is None:
        return "automatic"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
