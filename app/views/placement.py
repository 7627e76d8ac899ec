"""A placement as text: what was found, what is proved, and the moment that decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalytic.solver.plan import Evidence, Status
from catalytic.solver.units import format_size

from ..place import FullMoment, PlaceAnswer
from ..placing import Alive
from .lines import labelled, paragraph
from .table import table
from .words import percent, plural, seconds

if TYPE_CHECKING:
    from ..place_arenas import ArenasAnswer, Contradiction

MOST_ROWS = 10
"""Buffers beyond are counted, not shown; the document of ``--json`` has them all."""

STYLES = {
    Status.OPTIMAL: "bold green",
    Status.FEASIBLE: "bold",
    Status.INFEASIBLE: "bold red",
    Status.UNKNOWN: "bold yellow",
}
"""Colour of the headline."""

HOW = {
    Evidence.CERTIFICATE: "sizes of buffers that are alive together, added up; anybody can check it",
    Evidence.EXHAUSTIVE: "a search of this program went through every placement below it and ended",
    Evidence.SOLVER_CLAIM: "the word of a solver (CP-SAT) that refuted everything below; nothing here can check it",
}
"""What the evidence for a bound on the height is worth."""


def placement_report(answer: PlaceAnswer, *, width: int) -> str:
    """Everything ``catalytic place`` says, in at most ``width`` columns (names and commands may be longer)."""
    sections = [_headline(answer), labelled(_facts(answer), width=width)]
    if answer.missed:
        sections.append(_why(answer, width=width))
        if answer.remedy is not None:
            sections.append(f"  try: {answer.remedy}  # the smallest capacity known to work")
    return "\n\n".join(sections)


def _headline(a: PlaceAnswer) -> str:
    parts = [f"{a.name}: {a.status.value}"]
    if a.status is Status.INFEASIBLE:
        parts.append(f"nothing fits {amount(a.capacity or 0)}, at least {amount(a.bound)} are needed")
    elif a.status is Status.UNKNOWN:
        kept = ", CAPACITY MISSED" if a.offsets is not None else ""
        parts.append(
            f"no placement within {amount(a.capacity or 0)} was found in time, none was proved impossible{kept}"
        )
    else:
        parts.append(f"height {amount(a.height or 0)}")
        parts.append(f"= bound, {a.evidence.value}" if a.status is Status.OPTIMAL else f"gap {percent(a.gap or 0)}")
    parts += [plural(a.buffers, "buffer"), seconds(a.seconds)]
    return " | ".join(parts)


def amount(size: int) -> str:
    """``12MB (12009472 bytes)``; small sizes in bytes alone.

    >>> amount(12009472), amount(12)
    ('12MB (12009472 bytes)', '12 bytes')
    """
    return f"{format_size(size)} ({size} bytes)" if size >= 1000 else plural(size, "byte")


def _facts(a: PlaceAnswer) -> list[tuple[str, str]]:
    best = "none is known" if a.height is None else amount(a.height)
    hints, kept = a.hints
    return [
        ("height", best + (", of the best placement known" if a.missed and a.height is not None else "")),
        ("bound", f"{amount(a.bound)}, {a.evidence.value}: {_how(a)}"),
        ("gap", "" if a.gap is None else f"{percent(a.gap)} of the height"),
        ("capacity", "" if a.capacity is None else amount(a.capacity)),
        ("fullest", "" if a.fullest is None else _fullest(a.fullest, a.clock)),
        ("hints", f"{kept} of {hints} kept" if hints else ""),
        ("searched", f"{seconds(a.seconds)} of {seconds(a.time_limit_s)}"),
    ]


def _how(a: PlaceAnswer) -> str:
    """What the bound rests on; a sum may be more than the bytes alive: alignments and given offsets leave holes."""
    alive = a.fullest.bytes if a.fullest is not None and a.fullest.at_once else 0
    if a.evidence is Evidence.CERTIFICATE and a.bound > alive:
        return "buffers alive together in steps of their alignment, or above a given offset; anybody can check it"
    return HOW[a.evidence]


def _fullest(moment: FullMoment, clock: str) -> str:
    together = "alive at once" if moment.at_once else "in all, no placement of which is lower"
    return f"{interval(moment, clock)}: {plural(len(moment.buffers), 'buffer')}, {amount(moment.bytes)} {together}"


def interval(moment: FullMoment | Contradiction, clock: str) -> str:
    """``[3, 9) ticks``."""
    return f"[{moment.start}, {moment.end}) {clock}"


def _why(a: PlaceAnswer, *, width: int) -> str:
    """What decides: a moment that needs more than there is, or a search that ended; else how to go on."""
    if a.fullest is None:
        return ""
    if a.status is Status.UNKNOWN:
        more = "allow more with --time-limit, or write the best placement known with --best-effort"
        alone = f"; the fullest moment alone would fit: {_fullest(a.fullest, a.clock)}" if a.fullest.at_once else ""
        return paragraph(more + alone, width=width)
    if not a.fullest.at_once:
        text = (
            f"no single moment has too many bytes; that nothing fits is known by {a.evidence.value}: {_how(a)}. "
            f"It was about these buffers, alive in {interval(a.fullest, a.clock)}:"
        )
    elif a.fullest.bytes > (a.capacity or 0):
        text = f"in {interval(a.fullest, a.clock)} these buffers are alive at once, {amount(a.fullest.bytes)}:"
    else:
        text = (
            f"no single moment has too many bytes; that nothing fits is known by {a.evidence.value}: "
            f"{_how(a)}. In {interval(a.fullest, a.clock)} most are alive, {amount(a.fullest.bytes)}:"
        )
    return f"{paragraph(text, width=width)}\n{living(a.fullest.buffers, width=width)}"


def living(buffers: Sequence[Alive], *, width: int) -> str:
    """The first of ``buffers`` as a table, the others counted."""
    shown, rest = buffers[:MOST_ROWS], buffers[MOST_ROWS:]
    rows = [(b.id, f"[{b.lower}, {b.upper})", format_size(b.size)) for b in shown]
    lines = [table(("buffer", "lifetime", "size"), rows, width=width, left=2)]
    if rest:
        lines.append(f"and {plural(len(rest), 'more buffer')}, {format_size(sum(b.size for b in rest))}")
    return "\n".join(lines)


def exit_code(answer: PlaceAnswer | ArenasAnswer) -> int:
    """0 placed, or written although it misses the capacity because that was asked for; 3 impossible; 4 not found."""
    if answer.offsets is not None:
        return 0
    return 3 if answer.status is Status.INFEASIBLE else 4
