"""The analysis of a plan as text: why it takes as long as it does, who waits for what, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from catalytic.solver.analysis import Cause
from catalytic.solver.units import format_size

from ..analysis import AnalysisAnswer, ChainLink, TaskRoom, WorkerTime
from .headline import headline, policies
from .lines import paragraph
from .table import table
from .words import bound_seconds, percent, plural, seconds, upper_seconds

MOST_LINKS = 24
"""Links of the chain that are shown, half from either end; the document of ``--json`` has them all."""
MOST_TASKS = 8
MOST_WORKERS = 32
MOST_BUFFERS = 8
MOST_MOMENTS = 4


def analysis_report(answer: AnalysisAnswer, *, width: int) -> str:
    """Everything ``catalytic show --analysis`` prints, in at most ``width`` columns (names may be longer)."""
    sections = [
        f"{headline(answer.summary)}\n{policies(answer.summary)}",
        _chain(answer, width),
        _slack(answer, width),
        _workers(answer, width),
        _memory(answer, width),
        _additions(answer, width),
    ]
    return "\n\n".join(section for section in sections if section)


def _chain(a: AnalysisAnswer, width: int) -> str:
    if not a.chain:
        return ""
    counts: dict[str, int] = {}
    for link in a.chain[1:]:
        counts[_kind(link)] = counts.get(_kind(link), 0) + 1
    total = ", ".join(f"{count} by {kind}" for kind, count in sorted(counts.items(), key=lambda c: (-c[1], c[0])))
    title = f"why it takes {seconds(a.makespan_s)}: {plural(len(a.chain), 'task')} one behind the other"
    rows = [_link(link) for link in a.chain]
    half = MOST_LINKS // 2
    left_out = len(rows) - MOST_LINKS
    if left_out > 0:
        rows = [*rows[:half], (f"... {left_out} more", "", "", "", ""), *rows[-half:]]
    lines = [
        f"{title}{f' ({total})' if total else ''}",
        table(("task", "starts when the one above", "also", "start", "end"), rows, width=width, left=3),
    ]
    if a.compressed_s < a.makespan_s:
        lines.append(
            paragraph(
                f"nothing forces all of it: the same tasks in the same order, with their bytes where they are, could "
                f"end after {seconds(a.compressed_s)}; a run, which follows the order and not the clock, does not wait",
                width=width,
            )
        )
    return "\n".join(lines)


def _kind(link: ChainLink) -> str:
    return f"{link.reason} {link.via!r}" if link.reason == "resource" else link.reason


def _link(link: ChainLink) -> tuple[str, str, str, str, str]:
    return (link.task, _starts_when(link), ", ".join(link.also), seconds(link.start_s), seconds(link.end_s))


def _starts_when(link: ChainLink) -> str:
    """What the task before it in the chain does at the start of this one."""
    match link.reason:
        case "start":
            return "(the plan begins)"
        case "data":
            return f"has written {link.via}"
        case "after":
            return "has ended"
        case "load":
            return f"loads {link.via}"
        case "reuse":
            return f"no longer needs {link.via}"
        case "exclusive":
            return f"has left partition {link.via}"
        case "resource":
            return f"gives back {link.via}"
        case "ceiling":
            return f"ended {seconds(link.gap_s)} ago, and its bytes fit"
        case _:
            return f"ended {seconds(link.gap_s)} ago; planned so"


def _slack(a: AnalysisAnswer, width: int) -> str:
    if not a.tasks:
        return ""
    slack = sorted(t.slack_s for t in a.tasks)
    none = sum(s == 0 for s in slack)
    title = f"slack: {none} of {plural(len(slack), 'task')} can end no later"
    if slack[-1]:
        title += f"; half can by {seconds(slack[len(slack) // 2])} or more, one by {seconds(slack[-1])}"
    helpful = [t for t in a.tasks if t.at_most_s > 0]
    if not helpful:
        return f"{title}\n{paragraph('no single task, however fast, would make the plan shorter', width=width)}"
    rows = [_room(t) for t in helpful[:MOST_TASKS]]
    header = ("task", "start", "end", "1s faster gains", "at most")
    more = len(helpful) - MOST_TASKS
    end = f"\nand {plural(more, 'more task')} whose speed counts" if more > 0 else ""
    return f"{title}\n{table(header, rows, width=width)}{end}"


def _room(t: TaskRoom) -> tuple[str, ...]:
    return (t.task, seconds(t.start_s), seconds(t.end_s), bound_seconds(t.gain_s), upper_seconds(t.at_most_s))


def _workers(a: AnalysisAnswer, width: int) -> str:
    if not a.workers:
        return ""
    shown = [cause for cause in Cause if any(cause.value in w.waited_s for w in a.workers)]
    rows = [_worker(w, shown, a.makespan_s) for w in a.workers[:MOST_WORKERS]]
    left_out = len(a.workers) - MOST_WORKERS
    header = ("worker", "tasks", "busy", *(f"{cause.value}" for cause in shown))
    text = table(header, rows, width=width)
    more = f"\nand {plural(left_out, 'more worker')}" if left_out > 0 else ""
    return f"workers: seconds at work, and what they waited for when idle\n{text}{more}"


def _worker(w: WorkerTime, shown: Sequence[Cause], makespan_s: float) -> tuple[str, ...]:
    name = f"w{w.worker}" if w.worker is not None else f"{w.count} unused"
    busy = f"{seconds(w.busy_s)} ({percent(w.busy_s / makespan_s if makespan_s else 0)})"
    waits = (seconds(w.waited_s[c.value]) if c.value in w.waited_s else "-" for c in shown)
    return (name, str(w.tasks), busy, *waits)


def _memory(a: AnalysisAnswer, width: int) -> str:
    if not a.fullest:
        return ""
    live = a.fullest[0].live
    when = ", ".join(f"[{seconds(m.begin_s)}, {seconds(m.end_s)})" for m in a.fullest[:MOST_MOMENTS])
    more = len(a.fullest) - MOST_MOMENTS
    title = (
        f"memory: {format_size(live)} alive in {when}{f' and {more} more' if more > 0 else ''}; footprint "
        f"{format_size(a.summary.footprint)}, ceiling {format_size(a.ceiling)}"
    )
    helpful = [s for s in a.smaller if s.peak or s.footprint or s.working_set]
    if not helpful:
        return (
            f"{title}\n{paragraph('no single buffer, 1MB smaller, would lower the peak or the footprint', width=width)}"
        )
    rows = [
        (s.buffer, format_size(s.size), *(format_size(n) if n else "-" for n in (s.peak, s.footprint, s.working_set)))
        for s in helpful[:MOST_BUFFERS]
    ]
    header = ("buffer, 1MB smaller", "size", "peak falls", "footprint falls", "largest working set falls")
    left_out = len(helpful) - MOST_BUFFERS
    end = f"\nand {plural(left_out, 'more buffer')} that would help" if left_out > 0 else ""
    return f"{title}\n{table(header, rows, width=width)}{end}"


def _additions(a: AnalysisAnswer, width: int) -> str:
    rows: list[tuple[float, tuple[str, ...]]] = []
    for more in a.additions:
        what = "partitions shared by writers" if more.kind == "isolation" else f"{more.amount:,} more of {more.name}"
        rows.append((more.gain_s, (what, bound_seconds(more.gain_s), upper_seconds(more.at_most_s))))
    best = max(a.own_bytes, key=lambda s: (s.gain_s, -s.footprint_more), default=None)
    if best is not None and best.gain_s > 0:
        steps = a.own_bytes[: a.own_bytes.index(best) + 1]
        names = steps[0].task if len(steps) == 1 else f"{steps[0].task} +{len(steps) - 1}"
        what = f"{format_size(best.footprint_more)} more: own bytes for {names}"
        rows.append((best.gain_s, (what, bound_seconds(best.gain_s), "-")))
    fastest = a.tasks[0] if a.tasks and a.tasks[0].gain_s > 0 else None
    if fastest is not None:
        rows.append((fastest.gain_s, (f"{fastest.task} 1s faster", bound_seconds(fastest.gain_s), "-")))
    if not rows:
        return ""
    rows.sort(key=lambda row: (-row[0], row[1]))
    text = table(("what one more would give", "gain", "at most"), [row for _, row in rows], width=width)
    meaning = (
        "gain: worked out for the same order of tasks with every other region where it is; a new plan may gain more, "
        "and no plan at all gains more than 'at most'"
    )
    return f"{text}\n{paragraph(meaning, width=width)}"
