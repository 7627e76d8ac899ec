"""Sentences within a width: facts with their names in a column of their own, and paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

GAP = 2
"""Blanks between the column of names and what stands beside it."""


def labelled(facts: Sequence[tuple[str, str]], *, width: int) -> str:
    """One fact per row, ``name  sentence``; a long one goes on below itself. Facts without a sentence are left out.

    >>> print(labelled([("peak", "12MB of 40MB"), ("by", "a")], width=14))
    peak  12MB of
          40MB
    by    a
    """
    shown = [(name, sentence) for name, sentence in facts if sentence]
    column = max((len(name) for name, _ in shown), default=0) + GAP
    lines = []
    for name, sentence in shown:
        first, *rest = _wrapped(sentence, width - column)
        lines += [f"{name:<{column}}{first}", *(" " * column + line for line in rest)]
    return "\n".join(lines)


def paragraph(sentence: str, *, width: int) -> str:
    """``sentence`` in lines of at most ``width``; words are never broken.

    >>> print(paragraph("a bound on every plan", width=12))
    a bound on
    every plan
    """
    return "\n".join(_wrapped(sentence, width))


def _wrapped(sentence: str, width: int) -> list[str]:
    return wrap(sentence, max(1, width), break_long_words=False, break_on_hyphens=False)
