"""A plan as tables for pandas: tasks, regions, edges, events. Needs ``catalytic[frames]``.

>>> from catalytic.solver import ProblemBuilder, frames
>>> b = ProblemBuilder("pair", workspace="1MB", partitions=1, workers=1)
>>> plan = b.task("a", 1.5, writes={"x": 4096}).task("b", 2, reads=["x"], writes={"y": 8192}).solve(seconds=2).plan
>>> frames(plan).tasks[["task", "start_s", "end_s"]]
  task  start_s  end_s
0    a      0.0    1.5
1    b      1.5    3.5
>>> int(frames(plan).regions.length.sum())
12288

Sizes are bytes, times seconds from the start of the plan, each row is one line of what the plan file says. The rows of
plain Python are there without pandas too: :func:`task_rows`, :func:`region_rows`, :func:`edge_rows`,
:func:`event_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import InputError, Mistake
from .plan import Plan
from .units import to_seconds

if TYPE_CHECKING:
    from pandas import DataFrame

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frames:
    """The four tables of a plan.

    ``tasks``: task, start_s, end_s, partitions (that it writes into), reads, writes, scratch. ``regions``, one row per
    extent: region, buffer, pool, writer (None: loaded), partition, offset, length, birth_s, death_s, seal. ``edges``:
    source, target, kind, via. ``events``: time_s, action, pool, task, region, taken_over (bytes), taken_from (regions).
    """

    tasks: DataFrame
    regions: DataFrame
    edges: DataFrame
    events: DataFrame


TASKS: Mapping[str, str] = {
    "task": "object",
    "start_s": "float64",
    "end_s": "float64",
    "partitions": "object",
    "reads": "object",
    "writes": "object",
    "scratch": "int64",
}
REGIONS: Mapping[str, str] = {
    "region": "object",
    "buffer": "object",
    "pool": "object",
    "writer": "object",
    "partition": "int64",
    "offset": "int64",
    "length": "int64",
    "birth_s": "float64",
    "death_s": "float64",
    "seal": "object",
}
EDGES: Mapping[str, str] = {"source": "object", "target": "object", "kind": "object", "via": "object"}
EVENTS: Mapping[str, str] = {
    "time_s": "float64",
    "action": "object",
    "pool": "object",
    "task": "object",
    "region": "object",
    "taken_over": "int64",
    "taken_from": "object",
}


def frames(plan: Plan) -> Frames:
    """``plan`` as data frames; ``InputError`` that names the extra when pandas is not installed."""
    try:
        import pandas
    except ImportError:
        hint = "install it: pip install 'catalytic[frames]'"
        found = "no package 'pandas' to make data frames with"
        raise InputError("frames", [Mistake("pandas", found, "an installed package 'pandas'", hint)]) from None

    def frame(rows: Iterable[Row], columns: Mapping[str, str]) -> DataFrame:
        # Types are stated: those of an empty table cannot be guessed, and a guess would turn None into NaN.
        rows = list(rows)
        return pandas.DataFrame(
            {name: pandas.Series([row[name] for row in rows], dtype=kind) for name, kind in columns.items()}
        )

    return Frames(
        tasks=frame(task_rows(plan), TASKS),
        regions=frame(region_rows(plan), REGIONS),
        edges=frame(edge_rows(plan), EDGES),
        events=frame(event_rows(plan), EVENTS),
    )


def task_rows(plan: Plan) -> list[Row]:
    """One row per execution."""
    task = plan.problem.graph.task
    return [
        {
            "task": t.id,
            "start_s": to_seconds(t.start),
            "end_s": to_seconds(t.end),
            "partitions": t.partitions,
            "reads": task[t.id].inputs,
            "writes": task[t.id].outputs,
            "scratch": int(task[t.id].scratch),
        }
        for t in plan.tasks
    ]


def region_rows(plan: Plan) -> list[Row]:
    """One row per extent: a buffer larger than a partition has several."""
    writer = plan.problem.graph.writer
    return [
        {
            "region": r.id,
            "buffer": r.buffer,
            "pool": r.pool,
            "writer": writer.get(r.buffer),
            "partition": e.partition,
            "offset": int(e.offset),
            "length": int(e.length),
            "birth_s": to_seconds(r.lifetime.birth),
            "death_s": to_seconds(r.lifetime.death),
            "seal": r.seal,
        }
        for r in plan.regions
        for e in r.extents
    ]


def edge_rows(plan: Plan) -> list[Row]:
    """One row per edge of the order that a run follows."""
    return [{"source": e.source, "target": e.target, "kind": e.kind.value, "via": e.via} for e in plan.edges]


def event_rows(plan: Plan) -> list[Row]:
    """One row per line of the reuse schedule."""
    return [
        {
            "time_s": to_seconds(e.timestamp),
            "action": e.action.value,
            "pool": e.pool,
            "task": e.task,
            "region": e.region,
            "taken_over": int(sum(t.bytes for t in e.takes_over)),
            "taken_from": tuple(t.region for t in e.takes_over),
        }
        for e in plan.events
    ]
