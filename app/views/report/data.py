"""What the page's script reads: the report in columns, names once, everything else by position.

::

    tasks     id, start, end, tracks, at (partitions), in, out (buffers), slack; by start, as in the plan
    buffers   id, size, pool, writer, birth, death, where (partition, offset, length, ...), over (buffer, bytes, ...),
              fate ("kept", "exported", "" ...); those with a region first, by birth, then the others
    chain     [task, reason, via, gap] from the first task to the last
    path      the longest path of the graph by duration, which no plan can shorten
    graph     tasks and overview: column, row, edges (source, target, column, row of each bend ...)
    shared    [output, source, bytes]: what two living buffers own together, in place
    run       attempts, incidents, results

Times are milliseconds, sizes bytes. Whole columns instead of one object per task make the text a third as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from catalytic.solver.plan import Plan
from catalytic.solver.problem import SCRATCH_PREFIX

from ...layers import GRID, Drawing
from ...live_bytes import shared_in_place
from ...report import Report, RunPart, is_load

_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
"""What could end a script element, or begin a comment in one, and the same in JSON."""


def script_json(value: object) -> str:
    """``value`` as JSON that may stand in a script element, whatever names it holds. ASCII only.

    >>> script_json(["</script>", "\\u2028"])
    '["\\\\u003c/script\\\\u003e","\\\\u2028"]'
    """
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    # Outside of strings JSON has none of these, and inside any character may be written by its number.
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return text


def columns(report: Report) -> dict[str, object]:
    """The whole report for the script."""
    plan, s = report.plan, report.summary
    numbers = Numbers(plan)
    return {
        "name": s.name,
        "makespan": plan.measures.makespan,
        "capacity": report.capacity,
        "ceiling": report.ceiling,
        "target": s.target,
        "footprint": s.footprint,
        "peak": s.peak_live,
        "least": plan.proof.least_bytes.value if plan.proof.least_bytes is not None else None,
        "partitionSize": s.partition_size,
        "heights": [p.height for p in s.partitions],
        "trackCount": report.track_count,
        "workers": s.workers,
        "grid": GRID,
        "pools": [p.id for p in plan.problem.graph.pools],
        "tasks": _tasks(report, numbers),
        "buffers": _buffers(plan, numbers),
        "chain": [
            [numbers.task[link.task], link.reason.value, link.via, link.gap] for link in report.criticality.chain
        ],
        "path": [numbers.task[t] for t in plan.problem.graph.critical_path()[0]],
        "graph": {"tasks": _drawing(report.pictures.tasks), "overview": _overview(report)},
        "shared": [
            [numbers.buffer[output.buffer], numbers.buffer[source.buffer], count]
            for output, source, count in shared_in_place(plan)
        ],
        "run": _run(report.run, numbers) if report.run is not None else None,
    }


class Numbers:
    """Positions of tasks, buffers and pools in their columns."""

    def __init__(self, plan: Plan) -> None:
        graph = plan.problem.graph
        placed = [r.buffer for r in plan.regions]
        self.buffers = (*placed, *sorted(graph.buffer.keys() - set(placed)))
        self.buffer = {b: k for k, b in enumerate(self.buffers)}
        self.task = {t.id: k for k, t in enumerate(plan.tasks)}
        self.pool = {p.id: k for k, p in enumerate(graph.pools)}


def _tasks(report: Report, numbers: Numbers) -> dict[str, object]:
    plan, graph = report.plan, report.plan.problem.graph
    reads = [graph.task[t.id].inputs for t in plan.tasks]
    writes = [
        (*graph.task[t.id].outputs, *((graph.scratch_of[t.id],) if t.id in graph.scratch_of else ()))
        for t in plan.tasks
    ]
    return {
        "id": [t.id for t in plan.tasks],
        "start": [t.start for t in plan.tasks],
        "end": [t.end for t in plan.tasks],
        "tracks": report.tracks,
        "at": [t.partitions for t in plan.tasks],
        "in": [[numbers.buffer[b] for b in names] for names in reads],
        "out": [[numbers.buffer[b] for b in names] for names in writes],
        "slack": [report.criticality.slack[t.id] for t in plan.tasks],
    }


def _buffers(plan: Plan, numbers: Numbers) -> dict[str, object]:
    graph = plan.problem.graph
    regions = [plan.region_of.get(b) for b in numbers.buffers]
    buffer_of = {r.id: numbers.buffer[r.buffer] for r in plan.regions}
    over = [plan.takes_over.get(r.id, ()) if r is not None else () for r in regions]
    return {
        "id": numbers.buffers,
        "size": [graph.aligned_size[b] if b in plan.region_of else graph.buffer[b].size for b in numbers.buffers],
        "pool": [numbers.pool[r.pool] if r is not None else -1 for r in regions],
        "writer": [numbers.task.get(graph.writer.get(b, ""), -1) for b in numbers.buffers],
        "birth": [r.lifetime.birth for r in plan.regions],
        "death": [r.lifetime.death for r in plan.regions],
        "where": [flat((e.partition, e.offset, e.length) for e in r.extents) for r in plan.regions],
        "over": [flat((buffer_of[o.region], o.bytes) for o in owners) for owners in over[: len(plan.regions)]],
        "fate": [_fate(plan, b) for b in numbers.buffers],
    }


def _fate(plan: Plan, buffer: str) -> str:
    graph = plan.problem.graph
    if buffer.startswith(SCRATCH_PREFIX):
        return "scratch"
    if buffer in graph.kept:
        return "kept"
    if buffer in graph.exported:
        return "exported"
    return "" if buffer in graph.writer else "input"


def _drawing(drawing: Drawing) -> dict[str, object]:
    return {
        "column": drawing.column,
        "row": drawing.row,
        "edges": [[a, b, *flat(bends)] for a, b, bends in drawing.edges],
        "columns": drawing.columns,
        "rows": drawing.rows,
    }


def _overview(report: Report) -> dict[str, object] | None:
    overview = report.pictures.overview
    if overview is None:
        return None
    return {
        **_drawing(overview.drawing),
        "name": [k.name for k in overview.kinds],
        "tasks": [k.tasks for k in overview.kinds],
        "weight": overview.weight,
    }


def _run(run: RunPart, numbers: Numbers) -> dict[str, object]:
    history = run.history
    return {
        "length": history.length,
        "resumed": history.resumed,
        "trackCount": run.track_count,
        "expected": [run.expected[t] for t in numbers.task],
        "attempts": {
            "task": [numbers.task.get(a.execution, -1) for a in history.attempts],
            # A load has no task: it is named by itself, and stands for the buffer it brings in.
            "name": ["" if a.execution in numbers.task else a.execution for a in history.attempts],
            "load": [int(is_load(a.execution)) for a in history.attempts],
            "began": [a.began for a in history.attempts],
            "ended": [a.ended for a in history.attempts],
            "outcome": [a.outcome.value for a in history.attempts],
            "task_s": [a.task_s for a in history.attempts],
            "seal_s": [a.seal_s for a in history.attempts],
            "verify_s": [a.verify_s for a in history.attempts],
            "written": [a.written for a in history.attempts],
            "message": [a.message or "" for a in history.attempts],
            "tracks": run.tracks,
        },
        "incidents": [[i.at, wall_clock(i.wall), i.kind, i.subject, i.text] for i in history.incidents],
        "results": [
            [numbers.buffer.get(r.buffer, -1), r.length, r.content, exported_name(r.exported, history.request)]
            for r in history.results
        ],
    }


def exported_name(path: str | None, request: Mapping[str, object]) -> str:
    """Where a result was copied to, seen from the run's output folder: the rest of the path is nobody's business."""
    if path is None:
        return ""
    folder = str(request.get("output_dir", "")).rstrip("/") + "/"
    return path.removeprefix(folder)


def wall_clock(at: float) -> str:
    """A moment of the wall clock for people, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def flat(rows: Iterable[Sequence[int]]) -> list[int]:
    """Rows one after the other."""
    return [value for row in rows for value in row]
