"""Graphs of jobs as problems: what follows what, how long it takes, and at most one size per job.

Most programs that run graphs record no more than that: build tools, schedulers of workflows, test runners, trackers of
work. A job becomes a task of the same name. Where the size of its result is known, the task writes one buffer of the
task's name, which all that follow it read; where it is not, they run ``after`` it and no memory is planned.

What the file leaves open is filled in one way for all of them, and said: jobs without a duration last 1 s
(``--default-duration``), jobs without a size write no buffer (``--buffer-size`` gives each one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Unpack

from ..errors import Mistake
from ..problem import DEFAULT_ALIGNMENT, Buffer, Task
from ..units import MAX_BYTES, MAX_TICKS, format_size
from .foreign import (
    DEFAULT_WORKERS,
    Gaps,
    Imported,
    imported_graph,
    refuse_scales,
    said_of_scales,
    scaled_size,
    scaled_ticks,
)
from .json_text import TOP
from .reading import refuse

DEFAULT_DURATION = 1000
"""Ticks of a job whose duration nobody states: the same for all, so that the shape of the graph decides."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job: where it stands in the file, what it follows, and what is known of it (None: nothing).

    ``size``: bytes that all jobs after it read. ``scratch``: bytes it needs while it runs.
    """

    place: str
    after: tuple[str, ...] = ()
    milliseconds: Decimal | None = None
    size: int | None = None
    scratch: int = 0
    demands: tuple[tuple[str, int], ...] = ()


def problem_of_jobs(
    origin: str,
    name: str,
    jobs: Mapping[str, Job],
    *,
    assumptions: Iterable[str],
    resources: Mapping[str, int] | None = None,
    **gaps: Unpack[Gaps],
) -> Imported:
    """The problem of ``jobs``, which are keyed by the names of their tasks; ``InputError`` with mistakes by place.

    Every name in an ``after`` must be one of a job.
    """
    scale_sizes, scale_time = gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0)
    refuse_scales(scale_sizes, scale_time)
    refuse(origin, [*_absurd(jobs)] if jobs else [Mistake(TOP, "no tasks", "at least one")])
    given = gaps.get("buffer_size")
    sizes = {n: size for n, job in jobs.items() if (size := given if job.size is None else job.size) is not None}
    unknown = Decimal(gaps.get("duration") or DEFAULT_DURATION)
    places = _places(jobs)
    tasks = {
        places[n]: Task(
            id=n,
            duration=scaled_ticks(unknown if job.milliseconds is None else job.milliseconds, scale_time),
            inputs=tuple(before for before in dict.fromkeys(job.after) if before in sizes),
            outputs=(n,) if n in sizes else (),
            after=tuple(before for before in job.after if before not in sizes),
            scratch=scaled_size(job.scratch, scale_sizes),
            demands=job.demands,
        )
        for n, job in jobs.items()
    }
    return imported_graph(
        origin,
        name,
        tasks,
        {places[n]: Buffer(n, scaled_size(size, scale_sizes)) for n, size in sizes.items()},
        alignment=gaps.get("alignment", DEFAULT_ALIGNMENT),
        workspace=gaps.get("workspace"),
        policy=gaps.get("policy"),
        workers=gaps.get("workers", DEFAULT_WORKERS),
        resources=resources,
        assumptions=[*assumptions, *_said(jobs, unknown, given), *said_of_scales(scale_sizes, scale_time)],
    )


def numbered(names: Sequence[str]) -> list[str]:
    """``names``, those that occur again with `` #2``, `` #3`` behind them, so that all differ."""
    taken = set(names)
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        called = name
        while seen[name] > 1 and (called := f"{name} #{seen[name]}") in taken:
            seen[name] += 1
        taken.add(called)
        result.append(called)
    return result


def _absurd(jobs: Mapping[str, Job]) -> Iterator[Mistake]:
    """Amounts that no task could have."""
    for n, job in jobs.items():
        if job.milliseconds is not None and not 0 <= job.milliseconds <= MAX_TICKS:
            found = f"a duration of {job.milliseconds / 1000:f} s of {n!r}"
            yield Mistake(job.place, found, f"0 to {MAX_TICKS // 1000} seconds")
        for amount in (job.size or 0, job.scratch, *(amount for _, amount in job.demands)):
            if not 0 <= amount <= MAX_BYTES:
                yield Mistake(job.place, f"{amount} of {n!r}", f"0 to {MAX_BYTES} bytes")


def _places(jobs: Mapping[str, Job]) -> dict[str, str]:
    """Where each job stands, by its name too where several stand in one place."""
    count = Counter(job.place for job in jobs.values())
    return {n: job.place if count[job.place] == 1 else f"{job.place} ({n!r})" for n, job in jobs.items()}


def _said(jobs: Mapping[str, Job], unknown: Decimal, given: int | None) -> Iterator[str]:
    untimed = sum(job.milliseconds is None for job in jobs.values())
    if untimed:
        whose = (
            "no durations are stated: each task lasts"
            if untimed == len(jobs)
            else f"tasks that state no duration ({untimed}) last"
        )
        yield f"{whose} {unknown / 1000:f} s (--default-duration changes it)"
    instant = sum(job.milliseconds == 0 for job in jobs.values())
    if instant:
        yield f"tasks of no duration ({instant}) last 1 ms"
    unsized = sum(job.size is None for job in jobs.values())
    if unsized and given is not None:
        buffers = f"one buffer of {format_size(given)} each, which all that follow read"
        yield f"tasks that state no size ({unsized}) write {buffers}"
    elif unsized:
        whose = "no sizes are stated: tasks" if unsized == len(jobs) else f"tasks that state no size ({unsized})"
        yield f"{whose} write no buffer, and what follows them runs after them (--buffer-size gives each task one)"
