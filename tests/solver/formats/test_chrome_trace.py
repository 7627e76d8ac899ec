"""Traces of plans and of runs: every task and region once, where and when it is, and no overlap on a track."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats.chrome_trace import _lanes, trace_of_log, trace_of_plan
from tests.builders import random_plan

Event = dict[str, Any]


def events(data: bytes) -> list[Event]:
    document = json.loads(data)
    assert document["displayTimeUnit"] == "ms"
    found = document["traceEvents"]
    assert isinstance(found, list)
    return found


def slices(found: list[Event]) -> dict[tuple[int, int], list[Event]]:
    """Slices by (process, track), in the order of time; they may not overlap."""
    tracks: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in found:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append(event)
    for own in tracks.values():
        own.sort(key=lambda e: e["ts"])
        assert all(a["ts"] + a["dur"] <= b["ts"] for a, b in pairwise(own))
    return tracks


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_is_shown_as_it_is(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = events(trace_of_plan(plan))
    tracks = slices(found)
    processes = {e["pid"]: e["args"]["name"] for e in found if e["name"] == "process_name"}
    threads = {(e["pid"], e["tid"]) for e in found if e["name"] == "thread_name"}

    assert tracks.keys() == threads
    tasks = [e for (process, _), own in tracks.items() if processes[process] == "tasks" for e in own]
    assert sorted((e["name"], e["ts"], e["dur"]) for e in tasks) == sorted(
        (t.id, t.start * 1000, (t.end - t.start) * 1000) for t in plan.tasks
    )
    regions = [
        (processes[process], e["name"], e["ts"], e["ts"] + e["dur"], e["args"]["offset"], e["args"]["bytes"])
        for (process, _), own in tracks.items()
        if processes[process] != "tasks"
        for e in own
    ]
    assert sorted(regions) == sorted(
        (f"partition {x.partition}", r.buffer, r.lifetime.birth * 1000, r.lifetime.death * 1000, x.offset, x.length)
        for r in plan.regions
        for x in r.extents
    )


@pytest.mark.parametrize("seed", range(8))
def test_counters_are_the_bytes_alive_by_definition(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = events(trace_of_plan(plan))
    processes = {e["pid"]: e["args"]["name"] for e in found if e["name"] == "process_name"}
    counters = [e for e in found if e["ph"] == "C"]

    assert bool(counters) == bool(plan.regions)
    for event in counters:
        moment = event["ts"] // 1000
        alive = [
            x.length
            for r in plan.regions
            for x in r.extents
            if r.lifetime.birth <= moment < r.lifetime.death and f"partition {x.partition}" == processes[event["pid"]]
        ]
        assert event["args"]["bytes"] == sum(alive)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9)), max_size=12))
def test_lanes_hold_no_overlap_and_are_as_few_as_possible(drawn: list[tuple[int, int]]) -> None:
    """As many as intervals meet at one moment: no fewer can be enough."""
    intervals = sorted((begin, begin + length) for begin, length in drawn)

    lanes = _lanes(intervals)

    for lane in set(lanes):
        own = [interval for interval, at in zip(intervals, lanes, strict=True) if at == lane]
        assert all(a[1] <= b[0] for a, b in pairwise(own))
    most = max((sum(a <= moment < z for a, z in intervals) for moment in range(31)), default=0)
    assert len(set(lanes)) == most


def line(kind: str, time: float, **more: object) -> str:
    return json.dumps({"time": time, "type": kind, "run": "r1", **more}) + "\n"


RUN = (
    line("run-started", 100.0, task=None)
    + line("started", 100.001, task="a", correlation="r1/1")
    + line("started", 100.002, task="b", correlation="r1/2")
    + line("retried", 100.5, task="b", correlation="r1/2", message="no")
    + line("started", 100.5, task="b", correlation="r1/3")
    + line("committed", 101.0, task="a", correlation="r1/1", seconds=0.9, digests={"x": "1"})
    + line("exported", 101.1, task="a")
)


def test_a_run_has_one_slice_per_attempt_and_what_did_not_end_ends_with_the_log() -> None:
    found = events(trace_of_log(RUN + '{"time": 102, "ty', "log"))

    told = [(e["name"], e["ts"], e["dur"], e["args"]["outcome"]) for own in slices(found).values() for e in own]
    assert sorted(told) == [
        ("a", 1000, 999_000, "committed"),
        ("b", 2000, 498_000, "retried"),
        ("b", 500_000, 600_000, "unfinished"),
    ]
    assert [(e["name"], e["ts"]) for e in found if e["ph"] == "i"] == [("run-started", 0), ("exported a", 1_100_000)]
    (first,) = (e for own in slices(found).values() for e in own if e["name"] == "a")
    assert first["args"] == {"outcome": "committed", "seconds": 0.9}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: found no event"),
        ("{}\n" + RUN, "line 1: found '{}', allowed an event with time and type"),
        (RUN + "torn\n" + RUN, "line 8: found 'torn'"),
        (RUN + "[1]\n", "line 8"),
        (RUN.replace("101.1", '"now"'), "line 7"),
    ],
)
def test_a_log_that_is_none_says_where(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        trace_of_log(text, "log")

    assert message in str(caught.value)
