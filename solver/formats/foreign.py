"""What the readers of other programs' files share: what they return, and how they scale.

A foreign file says less than a problem file. Each reader fills the gaps the same way and says so: the assumptions are
part of its result, one sentence each, and everything that prints a problem made from such a file prints them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TypedDict

from pydantic import BaseModel, ConfigDict

from ..errors import InputError, Mistake
from ..problem import DEFAULT_ALIGNMENT, Buffer, Policy, Problem, Task, Workspace
from ..problem.room import roomy_workspace
from ..units import MAX_TICKS, Bytes, Tick, format_size
from .json_text import spelled_out
from .reading import refuse

DEFAULT_WORKERS = 8
"""Tasks that may run at once when the file says nothing: a constant, so that the same file is the same problem."""

ABSTRACT_ALIGNMENT = 1
"""Alignment of graphs whose sizes may be unit weights: any other would round every buffer of 1 up to itself."""


class Gaps(TypedDict, total=False):
    """How a caller fills what a foreign file leaves open: keyword arguments of every reader of jobs.

    ``buffer_size``: bytes of the one buffer that each task without a stated size writes (None: none). ``duration``:
    ticks of tasks whose duration the file does not state. The rest as in ``imported_graph``.
    """

    scale_sizes: float
    scale_time: float
    workspace: Workspace | None
    policy: Policy | None
    workers: int
    alignment: int
    buffer_size: int | None
    duration: int | None


class ForeignShape(BaseModel):
    """A record of somebody else's file: unknown keys are ignored, and counted by the reader."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Imported:
    """A problem made from a foreign file, and every assumption made on the way, one sentence each."""

    problem: Problem
    assumptions: tuple[str, ...]


def refuse_scales(scale_sizes: float, scale_time: float) -> None:
    """``InputError`` unless both are factors."""
    for name, factor in (("--scale-sizes", scale_sizes), ("--scale-time", scale_time)):
        if not 0 < factor <= 10**9:
            raise InputError(name, [Mistake("factor", str(factor), "a number above 0, at most 10^9")])


def scaled_size(size: float, scale: float) -> Bytes:
    """``size`` times ``scale`` in bytes, rounded up; nothing stays nothing, and something never becomes nothing."""
    if size == 0:
        return Bytes(0)
    return Bytes(max(1, _ceiling(Decimal(str(size)) * Decimal(str(scale)))))


def scaled_ticks(milliseconds: Decimal, scale: float) -> Tick:
    """``milliseconds`` times ``scale``, rounded up, at least one tick: the model has no instantaneous task."""
    return Tick(min(MAX_TICKS, max(1, _ceiling(milliseconds * Decimal(str(scale))))))


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))


def said_of_scales(scale_sizes: float, scale_time: float) -> Iterable[str]:
    """One sentence per factor that is not 1."""
    if scale_sizes != 1:
        yield f"sizes are multiplied by {scale_sizes:g} and rounded up"
    if scale_time != 1:
        yield f"durations are multiplied by {scale_time:g} and rounded up"


def imported_graph(
    origin: str,
    name: str,
    tasks: Mapping[str, Task],
    buffers: Mapping[str, Buffer],
    *,
    alignment: int,
    workspace: Workspace | None,
    policy: Policy | None,
    workers: int,
    assumptions: Iterable[str],
    resources: Mapping[str, int] | None = None,
) -> Imported:
    """The problem of a graph that states neither memory nor workers, with what that leaves to assume.

    ``resources``: capacities beside the workers. Keys of ``tasks`` and ``buffers`` are their places in the file;
    ``InputError`` names mistakes by them.
    """
    room = workspace or roomy_workspace(buffers.values(), alignment)
    try:
        problem = Problem(
            name=spelled_out(name),  # that of a file may be bytes that are no text
            tasks=tuple(tasks.values()),
            buffers=tuple(buffers.values()),
            workspace=room,
            resources=(("workers", workers), *(resources or {}).items()),
            policy=policy or Policy(),
        )
    except InputError as error:
        places = {"tasks": list(tasks), "buffers": list(buffers)}
        refuse(origin, [_in_the_foreign_file(m, places) for m in error.mistakes])
        raise
    return Imported(problem, (*assumptions, *_said_of_room(problem, stated=workspace is not None)))


def _said_of_room(problem: Problem, *, stated: bool) -> Iterable[str]:
    """Memory, workers and policies, none of which the file states; the memory only if the caller did (``stated``)."""
    workers = f"up to {problem.capacity_of('workers')} tasks run at once"
    if not problem.buffers:
        yield f"{workers}; the file states no memory, and tasks neither read nor write buffers"
        return
    room, external = problem.workspace, problem.graph.external
    if not stated:
        rounding = (
            "sizes count as they are" if room.alignment == 1 else f"sizes are rounded up to {room.alignment} bytes"
        )
        mapped = "" if room.alignment >= DEFAULT_ALIGNMENT else f"; to run it, ask for --alignment {DEFAULT_ALIGNMENT}"
        yield (
            f"the file states no memory: the workspace is one shared partition of {format_size(room.size)}, in which "
            f"all buffers fit side by side (--size bounds it); {rounding} (alignment {room.alignment}{mapped})"
        )
    inputs = f"external inputs ({len(external)}) follow the policy '{problem.policy.inputs}', " if external else ""
    yield (
        f"{workers}; {inputs}outputs that nobody reads "
        f"follow the policy '{problem.policy.outputs}': unless kept, they take memory only while they are written"
    )


_PLACE = re.compile(r"\b(tasks|buffers)\[(\d+)\]")


def _in_the_foreign_file(mistake: Mistake, places: Mapping[str, Sequence[str]]) -> Mistake:
    """``mistake`` with each ``tasks[3]`` replaced by the place of that task in the file that was read."""
    texts = (
        _PLACE.sub(lambda match: places[match[1]][int(match[2])], text)
        for text in (mistake.path, mistake.allowed, mistake.hint)
    )
    path, allowed, hint = texts
    return Mistake(path, mistake.found, allowed, hint)
