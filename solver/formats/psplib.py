"""PSPLIB's single-mode files (``.sm``) as problems: jobs that share renewable resources, and no memory.

::

    ************************************************************************
    jobs (incl. supersource/sink ):  4
    RESOURCES
      - renewable                 :  2   R
      - nonrenewable              :  0   N
      - doubly constrained        :  0   D
    PRECEDENCE RELATIONS:
    jobnr.    #modes  #successors   successors
       1        1          2           2   3
       2        1          1           4
       3        1          1           4
       4        1          0
    REQUESTS/DURATIONS:
    jobnr. mode duration  R 1  R 2
    ------------------------------------------------------------------------
      1      1     0       0    0
      2      1     8       4    0
      3      1     3       0    2
      4      1     0       0    0
    RESOURCEAVAILABILITIES:
      R 1  R 2
       12   13

A job is a task ``j<number>`` without buffers, a successor runs ``after`` it, and a request is a demand on ``R1``,
``R2`` and so on. One unit of time is one second, so a plan's makespan in seconds is the makespan of the literature.

The first and the last job, the supersource and the supersink, stand for the beginning and the end. They are left out
when they last nothing and request nothing: every task takes at least a millisecond here, so they would lengthen every
plan. Other jobs of no duration would too, and are kept: what is said of them is how many there are.

``workers`` is the number of tasks: the literature knows no limit but the resources. Due dates and tardiness costs are
ignored. Several modes, nonrenewable and doubly constrained resources, several projects and release dates are other
problems, and refused.

Source: Kolisch and Sprecher, PSPLIB - a project scheduling problem library, EJOR 96, 1997; the files themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from ..errors import InputError, Mistake
from ..problem import DEFAULT_ALIGNMENT, Policy, Task, Workspace
from ..units import MAX_BYTES, MAX_TICKS
from .foreign import (
    Imported,
    imported_graph,
    refuse_scales,
    said_of_scales,
    scaled_ticks,
)
from .json_text import describe, read_bytes
from .reading import decoded, refuse, unpacked

_SECTIONS = ("PROJECT INFORMATION", "PRECEDENCE RELATIONS", "REQUESTS/DURATIONS", "RESOURCEAVAILABILITIES")
_NEEDED = _SECTIONS[1:]
_COUNT = re.compile(r"^\s*-?\s*([A-Za-z][^:]*?)\s*:\s*(\S+)")
_SIGN = re.compile(rb"^(?:jobs \(incl\. supersource/sink|PRECEDENCE RELATIONS|REQUESTS/DURATIONS)", re.MULTILINE)
_WHOLE = re.compile(r"[0-9]{1,18}")

_ONE_OF_EACH = {
    "projects": (1, "files of several projects are not read"),
    "nonrenewable": (0, "nonrenewable resources need modes to choose from: this is a multi-mode (.mm) problem"),
    "doubly constrained": (0, "doubly constrained resources are not read"),
}
"""Line of the head -> the only count that is read, and what any other means."""


@dataclass(frozen=True, slots=True)
class _Row:
    """The whole numbers of one line, and where it stands: ``line 12``."""

    place: str
    numbers: tuple[int, ...]


@dataclass(slots=True)
class _Sections:
    """Counts of the head by their names, with their places; rows of numbers by section; names of the resources."""

    counts: dict[str, _Row] = field(default_factory=dict)
    rows: dict[str, list[_Row]] = field(default_factory=dict)
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Job:
    """A job: duration in units, amounts by resource, numbers of its successors, and the line of its duration."""

    number: int
    place: str
    duration: int
    amounts: tuple[int, ...]
    successors: tuple[int, ...]

    @property
    def is_nothing(self) -> bool:
        return self.duration == 0 and not any(self.amounts)


def is_psplib(data: bytes) -> bool:
    """Whether a line begins as only files of this kind do."""
    return _SIGN.search(data[: 2**16]) is not None


def import_psplib(
    path: Path,
    *,
    scale_sizes: float = 1.0,
    scale_time: float = 1.0,
    workspace: Workspace | None = None,
    policy: Policy | None = None,
    alignment: int = DEFAULT_ALIGNMENT,
) -> Imported:
    """The project in ``path`` (also compressed with gzip) as a problem; ``InputError`` with its mistakes by line.

    Durations are multiplied by ``scale_time`` and rounded up to milliseconds; there are no sizes to scale.
    """
    origin = str(path)
    refuse_scales(scale_sizes, scale_time)
    sections = _sections(decoded(unpacked(read_bytes(path), origin), origin), origin)
    jobs = _jobs(sections, origin)
    capacities = _capacities(sections, origin)
    dummies = _dummies(jobs)
    kept = [job for job in jobs.values() if job.number not in dummies]
    before: dict[int, list[int]] = {job.number: [] for job in kept}
    for job in kept:
        for successor in job.successors:
            if successor not in dummies:
                before[successor].append(job.number)
    tasks = {
        job.place: Task(
            id=f"j{job.number}",
            duration=scaled_ticks(Decimal(job.duration * 1000), scale_time),
            after=tuple(f"j{number}" for number in before[job.number]),
            demands=tuple((name, n) for name, n in zip(sections.resources, job.amounts, strict=True) if n),
        )
        for job in kept
    }
    return imported_graph(
        origin,
        path.name.removesuffix(".gz").removesuffix(".sm"),
        tasks,
        {},
        alignment=alignment,
        workspace=workspace,
        policy=policy,
        workers=max(1, len(tasks)),
        resources={name: capacity for name, capacity in capacities.items() if capacity},
        assumptions=[*_assumptions(kept, dummies), *said_of_scales(1.0, scale_time)],
    )


def _assumptions(kept: Sequence[_Job], dummies: Sequence[int]) -> Iterator[str]:
    yield "a unit of time lasts 1 s, so the makespan in seconds is that of the literature"
    if dummies:
        named = " and ".join(f"j{number}" for number in dummies)
        yield f"the supersource and supersink ({named}) last nothing and are left out"
    instant = sum(job.duration == 0 for job in kept)
    if instant:
        yield f"jobs of no duration ({instant}) are tasks of 1 ms"
    yield "workers are as many as tasks, so only the resources of the file limit what runs at once"
    yield "due dates and tardiness costs are ignored"


def _dummies(jobs: Mapping[int, _Job]) -> tuple[int, ...]:
    """The first job if nothing precedes it and the last if nothing follows it, where they do nothing themselves."""
    if len(jobs) < 3:
        return ()
    first, last = jobs[1], jobs[len(jobs)]
    preceded = any(1 in job.successors for job in jobs.values())
    ends = ((first, not preceded), (last, not last.successors))
    return tuple(job.number for job, outermost in ends if outermost and job.is_nothing)


def _sections(text: str, origin: str) -> _Sections:
    """The parts of the file; ``InputError`` for what is missing, is no number, or asks for another problem."""
    found, mistakes = _Sections(), []
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        place, line = f"line {number}", raw.strip()
        heading = line.rstrip(":").strip()
        if not line or not line.strip("*-"):
            continue
        if heading in _SECTIONS:
            section = heading
            if section in found.rows:
                mistakes.append(Mistake(place, f"the section {section} again", "each section once"))
            found.rows[section] = []
        elif not section:
            mistakes += _count(found, place, line)
        elif section == "RESOURCEAVAILABILITIES" and line[0].isalpha():
            found.resources = tuple("".join(pair) for pair in re.findall(r"([A-Z])\s*([0-9]+)", line))
        elif not line[0].isalpha():
            words = line.split()
            if all(map(_WHOLE.fullmatch, words)):
                found.rows[section].append(_Row(place, tuple(map(int, words))))
            else:
                mistakes.append(Mistake(place, describe(line), "whole numbers of 1 to 18 digits"))
    mistakes += _missing(found)
    refuse(origin, mistakes)
    return found


def _count(found: _Sections, place: str, line: str) -> Iterator[Mistake]:
    """Keep the count that a line of the head states; a mistake when it says that this is another problem."""
    match = _COUNT.match(line)
    if match is None or not _WHOLE.fullmatch(match[2]):
        return
    name, value = match[1], int(match[2])
    found.counts[name] = _Row(place, (value,))
    only, meaning = _ONE_OF_EACH.get(name, (value, ""))
    if value != only:
        yield Mistake(place, f"{name}: {value}", f"{only}", meaning)


def _missing(found: _Sections) -> Iterator[Mistake]:
    for section in _NEEDED:
        if not found.rows.get(section):
            what = "no rows in it" if section in found.rows else "no such section"
            yield Mistake(section, what, "a section of PSPLIB's .sm format", "the file seems to be truncated")
    for row in found.rows.get("PROJECT INFORMATION", ()):
        if len(row.numbers) > 2 and row.numbers[2]:
            yield Mistake(row.place, f"the release date {row.numbers[2]}", "0: projects that begin later are not read")


def _jobs(sections: _Sections, origin: str) -> dict[int, _Job]:
    """Number -> job, ascending from 1; ``InputError`` with every row that is no job's."""
    mistakes: list[Mistake] = []
    successors = _successors(sections, mistakes)
    width = 3 + len(sections.resources)
    jobs: dict[int, _Job] = {}
    for row in sections.rows["REQUESTS/DURATIONS"]:
        if len(row.numbers) != width:
            further = len(row.numbers) == width - 1
            hint = "a row without the number of a job is a further mode, and those are not read" if further else ""
            allowed = f"{width}: job, mode, duration, and {width - 3} requests"
            mistakes.append(Mistake(row.place, f"{len(row.numbers)} numbers", allowed, hint))
            continue
        number, _, duration, *amounts = row.numbers
        if number not in successors:
            mistakes.append(Mistake(row.place, f"job {number}", "a job of PRECEDENCE RELATIONS"))
        elif number in jobs:
            found, allowed = f"job {number} again", f"each job once; it stands at {jobs[number].place}"
            mistakes.append(Mistake(row.place, found, allowed))
        else:
            jobs[number] = _Job(number, row.place, duration, tuple(amounts), successors[number])
        if duration * 1000 > MAX_TICKS:
            mistakes.append(Mistake(row.place, f"a duration of {duration}", f"0 to {MAX_TICKS // 1000}"))
    refuse(origin, mistakes)
    if jobs.keys() != successors.keys():
        absent = ", ".join(str(number) for number in sorted(successors.keys() - jobs.keys()))
        refuse(origin, [Mistake("REQUESTS/DURATIONS", f"no row for {absent}", "a row for every job")])
    return dict(sorted(jobs.items()))


def _successors(sections: _Sections, mistakes: list[Mistake]) -> dict[int, tuple[int, ...]]:
    """Number of each job -> its successors."""
    rows = sections.rows["PRECEDENCE RELATIONS"]
    total = sections.counts.get("jobs (incl. supersource/sink )", _Row("", (len(rows),)))
    if total.numbers[0] != len(rows):
        found = f"{len(rows)} rows"
        mistakes.append(Mistake("PRECEDENCE RELATIONS", found, f"{total.numbers[0]}, as {total.place} says"))
    successors: dict[int, tuple[int, ...]] = {}
    for expected, row in enumerate(rows, 1):
        number, modes, count, *names = (*row.numbers, 0, 0)[: max(3, len(row.numbers))]
        if number != expected:
            mistakes.append(Mistake(row.place, f"job {number}", f"job {expected}: jobs stand in order"))
        if modes != 1:
            hint = "this is a multi-mode (.mm) problem" if modes > 1 else ""
            mistakes.append(Mistake(row.place, f"{modes} modes", "1", hint))
        if count != len(names):
            mistakes.append(Mistake(row.place, f"{len(names)} successors", f"{count}, as the row says"))
        mistakes += [
            Mistake(row.place, f"successor {name}", f"a job from 1 to {len(rows)}, not itself")
            for name in names
            if not 1 <= name <= len(rows) or name == number
        ]
        successors[expected] = tuple(dict.fromkeys(names))
    return successors


def _capacities(sections: _Sections, origin: str) -> dict[str, int]:
    """Resource -> how much there is of it."""
    rows, names = sections.rows["RESOURCEAVAILABILITIES"], sections.resources
    total = sections.counts.get("renewable", _Row("", (len(names),)))
    mistakes = []
    if len(rows) != 1 or len(rows[0].numbers) != len(names):
        found = " and ".join(f"{len(row.numbers)} amounts ({row.place})" for row in rows)
        mistakes.append(Mistake("RESOURCEAVAILABILITIES", found, f"one for each of {len(names)} resources"))
    elif total.numbers[0] != len(names):
        mistakes.append(Mistake(total.place, f"renewable: {total.numbers[0]}", f"{len(names)}, the resources listed"))
    elif max(rows[0].numbers, default=0) > MAX_BYTES:
        mistakes.append(Mistake(rows[0].place, f"{max(rows[0].numbers)}", f"at most {MAX_BYTES}"))
    if len(set(names)) != len(names) or any(not name.startswith("R") for name in names):
        mistakes.append(Mistake("RESOURCEAVAILABILITIES", ", ".join(names), "R 1, R 2 and so on, each once"))
    if mistakes:
        raise InputError(origin, mistakes)
    return dict(zip(names, rows[0].numbers, strict=True))
