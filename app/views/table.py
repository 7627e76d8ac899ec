"""Tables as text, no wider than asked: numbers to the right, names cut in the middle when they do not fit."""

from __future__ import annotations

from collections.abc import Sequence

GAP = 2
"""Blanks between two columns."""
LEAST_NAME = 8
"""A column of names is never cut below this many characters, even if the table then exceeds the width."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, left: int = 1) -> str:
    """``header`` over ``rows``; the first ``left`` columns are flush left, the others flush right.

    Too wide a table is narrowed by cutting its widest left column, where the names are.
    """
    header, *rows = [[on_one_line(cell) for cell in cells] for cells in (header, *rows)]
    columns = [[title, *(row[i] for row in rows)] for i, title in enumerate(header)]
    widths = [max(map(len, column)) for column in columns]
    while left and sum(widths) + GAP * (len(widths) - 1) > width:
        widest = max(range(left), key=lambda i: widths[i])
        if widths[widest] <= LEAST_NAME:
            break
        widths[widest] -= 1
    lines = []
    for cells in (header, *rows):
        parts = [
            cut(cell, widths[i]).ljust(widths[i]) if i < left else cell.rjust(widths[i]) for i, cell in enumerate(cells)
        ]
        lines.append((" " * GAP).join(parts).rstrip())
    return "\n".join(lines)


def on_one_line(text: str) -> str:
    r"""``text`` with line breaks and other control characters spelled out: a name in a table is one line of it.

    >>> on_one_line("a\nb"), on_one_line("größer")
    ('a\\nb', 'größer')
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def cut(name: str, width: int) -> str:
    """``name`` in at most ``width`` characters: both ends of an id tell more than its beginning alone.

    >>> cut("blastall_ID0000042", 11), cut("short", 11)
    ('blast…00042', 'short')
    """
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    return name[: width - 1 - tail] + "…" + name[len(name) - tail :]
