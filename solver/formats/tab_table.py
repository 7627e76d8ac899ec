"""Tables whose columns are separated by tabs, with a header: rows by the names of their columns, each with its line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import InputError, Mistake
from .json_text import TOP, describe
from .reading import refuse


@dataclass(frozen=True, slots=True)
class Row:
    """Fields of one line by column, and where it stands: ``line 12``."""

    place: str
    fields: Mapping[str, str]

    def get(self, column: str) -> str:
        """The field in ``column`` without spaces around it; "" where there is no such column."""
        return self.fields.get(column, "").strip()


def parse_tab_table(text: str, required: Sequence[str], origin: str) -> tuple[Row, ...]:
    """The rows of ``text``; ``InputError`` when a column is missing, doubled, or a row too short or too long."""
    lines = text.splitlines()
    if not lines:
        raise InputError(origin, [Mistake(TOP, "no line", f"a header with the columns {', '.join(required)}")])
    header = [name.strip() for name in lines[0].split("\t")]
    mistakes = [
        Mistake("line 1", f"no column {name}", "a header that names it") for name in required if name not in header
    ]
    mistakes += [
        Mistake("line 1", f"the column {describe(name)} again", "each column once")
        for k, name in enumerate(header)
        if name in header[:k]
    ]
    refuse(origin, mistakes)
    rows = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if not line.strip():
            continue
        if len(fields) != len(header):
            hint = "the file seems to be truncated" if number == len(lines) and len(fields) < len(header) else ""
            found, allowed = f"{len(fields)} fields", f"{len(header)}, as in the header"
            mistakes.append(Mistake(f"line {number}", found, allowed, hint))
        else:
            rows.append(Row(f"line {number}", dict(zip(header, fields, strict=True))))
    refuse(origin, mistakes)
    return tuple(rows)
