"""Plans and runs as traces in the JSON of Chrome's tracing, which ui.perfetto.dev and chrome://tracing show.

::

    {"displayTimeUnit": "ms", "traceEvents": [
      {"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "worker 1"}},
      {"ph": "X", "pid": 1, "tid": 2, "name": "clean", "ts": 400000, "dur": 600000, "args": {...}},
      {"ph": "C", "pid": 2, "name": "live bytes", "ts": 400000, "args": {"bytes": 9000000}}]}

Times are microseconds. A plan is one process of workers and one process per partition of the workspace. Tracks cannot
hold slices that overlap without lying inside each other, so what overlaps is dealt to as few tracks as hold it: tasks
to workers, and the regions of a partition to lanes, in the order of their addresses where they begin together. A
counter shows the bytes that are alive in each partition.

A run's log is one process of workers, with one slice for each execution from its start to its commit or failure, and
one instant for all other events of a task.

Source: the "Trace Event Format", docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from ..errors import InputError, Mistake
from ..plan import Extent, Plan, Region
from .json_text import describe
from .reading import refuse

_WORKERS = 1
"""Process of the tasks; partition ``k`` is the process behind it by ``k + 1``."""

_STARTS, _ENDS = "started", ("committed", "failed", "retried")
_TOLD = ("seconds", "seal_s", "verify_s", "message")
"""What of the end of an execution stands beside its slice."""

Event = Mapping[str, object]


def trace_of_plan(plan: Plan) -> bytes:
    """The planned schedule of ``plan``."""
    partitions = plan.problem.workspace.partitions
    extents = [
        [(region, extent) for region in plan.regions for extent in region.extents if extent.partition == k]
        for k in range(partitions)
    ]
    events = [*_of_tasks(plan)]
    for k, held in enumerate(extents):
        if held:
            events += _of_partition(k, sorted(held, key=lambda pair: (pair[0].lifetime.birth, pair[1].offset)))
    return _document(events, {"problem": plan.problem.name, "makespan_s": plan.measures.makespan / 1000})


def _of_tasks(plan: Plan) -> Iterator[Event]:
    tasks = sorted(plan.tasks, key=lambda t: (t.start, t.id))
    lanes = _lanes([(t.start, t.end) for t in tasks])
    yield from _names(_WORKERS, "tasks", [f"worker {k}" for k in range(max(lanes, default=-1) + 1)])
    for t, lane in zip(tasks, lanes, strict=True):
        yield _slice(_WORKERS, lane, t.id, t.start, t.end, {"partitions": list(t.partitions)})


def _of_partition(number: int, held: Sequence[tuple[Region, Extent]]) -> Iterator[Event]:
    """Regions in one partition, in ascending order of birth."""
    process = _WORKERS + 1 + number
    lives = [(region.lifetime.birth, region.lifetime.death) for region, _ in held]
    lanes = _lanes(lives)
    yield from _names(process, f"partition {number}", [f"regions {k}" for k in range(max(lanes) + 1)])
    for (region, extent), (birth, death), lane in zip(held, lives, lanes, strict=True):
        said = {"pool": region.pool, "offset": extent.offset, "bytes": extent.length}
        yield _slice(process, lane, region.buffer, birth, death, said)
    changes: dict[int, int] = {}
    for (_, extent), (birth, death) in zip(held, lives, strict=True):
        changes[birth] = changes.get(birth, 0) + extent.length
        changes[death] = changes.get(death, 0) - extent.length
    live = 0
    for moment, change in sorted(changes.items()):
        live += change
        yield {"ph": "C", "pid": process, "name": "live bytes", "ts": moment * 1000, "args": {"bytes": live}}


def trace_of_log(text: str, origin: str) -> bytes:
    """The executions of a run, from the lines of its log; ``InputError`` for lines that are none.

    A last line that was cut off is passed over, as a run leaves it that was killed. What had not ended when the log
    ends, ends there.
    """
    lines = _log_lines(text, origin)
    if not lines:
        raise InputError(origin, [Mistake("line 1", "no event", "the log of a run, an event on each line")])
    zero = _moment(lines[0])
    running: dict[str, Event] = {}
    spans: list[tuple[int, int, Event, Event]] = []
    for line in lines:
        attempt = str(line.get("correlation"))
        if line["type"] == _STARTS:
            running[attempt] = line
        elif line["type"] in _ENDS and attempt in running:
            begin = running.pop(attempt)
            spans.append((_moment(begin) - zero, _moment(line) - zero, begin, line))
    last = _moment(lines[-1])
    spans += [(_moment(begin) - zero, last - zero, begin, {"type": "unfinished"}) for begin in running.values()]
    spans.sort(key=lambda span: span[:2])
    lanes = _lanes([(begin, end) for begin, end, _, _ in spans])
    events: list[Event] = [*_names(_WORKERS, "tasks", [f"worker {k}" for k in range(max(lanes, default=-1) + 1)])]
    for (since, until, first, final), lane in zip(spans, lanes, strict=True):
        said = {"outcome": final["type"], **{key: final[key] for key in _TOLD if key in final}}
        events.append(_slice(_WORKERS, lane, str(first["task"]), since, until, said, scale=1))
    for line in lines:
        if line["type"] not in (_STARTS, *_ENDS):
            name = " ".join(str(line[key]) for key in ("type", "task") if line.get(key))
            events.append({"ph": "i", "pid": _WORKERS, "name": name, "ts": _moment(line) - zero, "s": "p"})
    return _document(events, {"run": lines[0].get("run")})


def _log_lines(text: str, origin: str) -> list[dict[str, object]]:
    lines, mistakes = [], []
    raw = text.split("\n")
    for number, line in enumerate(raw, 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
            if number == len(raw):
                break
        time = event.get("time") if isinstance(event, dict) else None
        if isinstance(time, (int, float)) and not isinstance(time, bool) and isinstance(event.get("type"), str):
            lines.append(event)
        else:
            mistakes.append(Mistake(f"line {number}", describe(line), "an event with time and type"))
    refuse(origin, mistakes)
    return lines


def _moment(line: Event) -> int:
    """Microseconds of an event."""
    time = line["time"]
    assert isinstance(time, (int, float))
    return round(time * 10**6)


def _lanes(intervals: Sequence[tuple[int, int]]) -> list[int]:
    """A track for each interval, ascending by begin, so that none on one track overlap; as few as possible."""
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    lanes = []
    used = 0
    for begin, end in intervals:
        while busy and busy[0][0] <= begin:
            heappush(free, heappop(busy)[1])
        if not free:
            heappush(free, used)
            used += 1
        lane = heappop(free)
        heappush(busy, (max(begin, end), lane))
        lanes.append(lane)
    return lanes


def _names(process: int, name: str, tracks: Iterable[str]) -> Iterator[Event]:
    """Names of a process and of its tracks, which are shown in this order."""
    yield {"ph": "M", "pid": process, "name": "process_name", "args": {"name": name}}
    yield {"ph": "M", "pid": process, "name": "process_sort_index", "args": {"sort_index": process}}
    for lane, track in enumerate(tracks):
        yield {"ph": "M", "pid": process, "tid": lane + 1, "name": "thread_name", "args": {"name": track}}
        yield {"ph": "M", "pid": process, "tid": lane + 1, "name": "thread_sort_index", "args": {"sort_index": lane}}


def _slice(process: int, lane: int, name: str, begin: int, end: int, said: Event, *, scale: int = 1000) -> Event:
    """One slice; ``scale``: microseconds of a unit of ``begin`` and ``end``."""
    times = {"ts": begin * scale, "dur": max(0, end - begin) * scale}
    return {"ph": "X", "pid": process, "tid": lane + 1, "name": name, **times, "args": dict(said)}


def _document(events: Sequence[Event], about: Event) -> bytes:
    head = {"displayTimeUnit": "ms", "otherData": about}
    lines = ",\n".join(json.dumps(event) for event in events)
    opening = json.dumps(head)[:-1]
    return f'{opening}, "traceEvents": [\n{lines}\n]}}\n'.encode()
