"""A placement in several arenas as text: how full each is, what is proved, or why nothing fits."""

from __future__ import annotations

from catalytic.solver.plan import Evidence, Status
from catalytic.solver.units import format_size

from ..place_arenas import ArenasAnswer
from .lines import labelled, paragraph
from .placement import HOW, amount, interval, living
from .table import table
from .words import percent, plural, seconds


def arenas_report(answer: ArenasAnswer, *, width: int) -> str:
    """Everything ``catalytic place`` says of several arenas, in at most ``width`` columns (names may be longer)."""
    sections = [_headline(answer)]
    if answer.arenas:
        sections.append(_uses(answer, width))
    if answer.slices:
        sections.append(_slices(answer, width))
    sections.append(labelled(_facts(answer), width=width))
    if answer.impossible is not None:
        when = interval(answer.impossible, answer.clock)
        text = paragraph(f"in {when}, {answer.impossible.reason} ({answer.evidence.value}):", width=width)
        sections.append(f"{text}\n{living(answer.impossible.buffers, width=width)}")
    elif answer.status is Status.UNKNOWN:
        sections.append(paragraph("allow more with --time-limit, or larger capacities", width=width))
    if answer.remedy is not None:
        sections.append(f"  try: {answer.remedy}  # known to work")
    return "\n\n".join(sections)


def _headline(a: ArenasAnswer) -> str:
    parts = [f"{a.name}: {a.status.value}"]
    room = " + ".join(format_size(capacity) for capacity in a.capacities)
    if a.status is Status.INFEASIBLE:
        parts.append(f"nothing fits {room}")
    elif a.status is Status.UNKNOWN:
        parts.append(f"no placement within {room} was found in time, none was proved impossible")
    else:
        parts.append(f"footprint {amount(a.footprint or 0)} in {plural(len(a.capacities), 'arena')}")
        parts.append(f"= bound, {a.evidence.value}" if a.status is Status.OPTIMAL else f"gap {percent(a.gap or 0)}")
    parts += [plural(a.buffers, "buffer"), seconds(a.seconds)]
    return " | ".join(parts)


def _uses(a: ArenasAnswer, width: int) -> str:
    rows = [
        (str(u.arena), format_size(u.height), format_size(u.capacity), percent(u.height / u.capacity), str(u.buffers))
        for u in a.arenas
    ]
    return table(("arena", "height", "capacity", "used", "buffers"), rows, width=width)


def _slices(a: ArenasAnswer, width: int) -> str:
    rows = [(s.pool or "(none)", str(s.arena), str(s.offset), format_size(s.size)) for s in a.slices]
    return table(("pool", "arena", "offset", "size"), rows, width=width)


def _facts(a: ArenasAnswer) -> list[tuple[str, str]]:
    best = "none is known" if a.footprint is None else f"{amount(a.footprint)}, heights of the arenas added up"
    counted = "fullest moments of the pools, or given offsets, added up; anybody can check it"
    how = counted if a.evidence is Evidence.CERTIFICATE else HOW[a.evidence]
    known = "" if a.impossible is not None else f", {a.evidence.value}: {how}"
    hints, kept = a.hints
    return [
        ("footprint", best),
        ("bound", amount(a.bound) + known),
        ("gap", "" if a.gap is None else f"{percent(a.gap)} of the footprint"),
        ("capacities", ", ".join(amount(capacity) for capacity in a.capacities)),
        ("hints", f"{kept} of {hints} kept" if hints else ""),
        ("searched", f"{seconds(a.seconds)} of {seconds(a.time_limit_s)}"),
    ]
