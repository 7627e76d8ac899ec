"""What changed from one plan to another, as text."""

from __future__ import annotations

from collections.abc import Sequence

from catalytic.solver.plan import Extent
from catalytic.solver.units import format_size

from ..plan_difference import BoundChange, GateVerdict, MetricChange, Names, PlanDifference, RegionMove, TaskMove
from .table import table
from .words import bound_seconds, factor, plural, seconds

MOST_SHOWN = 20
"""Rows of each table; ``--json`` has them all."""

BYTES = ("footprint", "peak_live", "allocated")


def difference_text(change: PlanDifference, *, width: int) -> str:
    """A headline, the gates, figures and bounds, then all that moved."""
    blocks = [headline(change)]
    blocks += [f"CONTRADICTION: {sentence}" for sentence in change.contradictions]
    if change.gates:
        blocks.append("\n".join(gate_words(gate) for gate in change.gates))
    blocks.append(table(("figure", "before", "after", "change"), [_metric(m) for m in change.metrics], width=width))
    if change.bounds:
        blocks.append(table(("bound", "before", "after"), [_bound(b) for b in change.bounds], width=width))
    blocks += [_only(kind, names) for kind, names in (("tasks", change.tasks), ("buffers", change.buffers))]
    blocks += [_tasks(change.moved_tasks, width), _regions(change.moved_regions, width), _edges(change)]
    return "\n\n".join(block for block in blocks if block)


def headline(change: PlanDifference) -> str:
    """``old.json -> new.json: same problem | OPTIMAL -> FEASIBLE | 3 tasks, 2 regions and 4 edges differ``."""
    problem = "same problem" if change.same_problem else f"another problem ({', '.join(change.problem_parts)} differ)"
    status = change.status[0] if change.status[0] == change.status[1] else " -> ".join(change.status)
    differ = "nothing moved" if change.same else ", ".join(_counts(change))
    return f"{change.before} -> {change.after}: {problem} | {status} | {differ}"


def _counts(change: PlanDifference) -> list[str]:
    edges = len(change.edges_added) + len(change.edges_removed)
    return [
        f"{plural(len(change.moved_tasks), 'task')} moved",
        f"{plural(len(change.moved_regions), 'region')} moved",
        f"{plural(edges, 'edge')} changed",
    ]


def gate_words(gate: GateVerdict) -> str:
    """``FAILED  makespan+5%: makespan 3.5s -> 4s``."""
    before, after = (figure(gate.metric, value) for value in (gate.before, gate.after))
    return f"{'passed' if gate.passed else 'FAILED'}  {gate.gate}: {gate.metric} {before} -> {after}"


def figure(metric: str, value: float | None) -> str:
    """A figure in words; sizes with their bytes, because a gate may hang on one of them."""
    if value is None:
        return "none"
    if metric in BYTES:
        return f"{format_size(int(value))} ({int(value)} bytes)" if abs(value) >= 1000 else f"{int(value)}B"
    if metric == "makespan":
        return f"{value:g}s"
    if metric == "reuse_factor":
        return factor(value)
    return f"{value:.4f}" if metric == "gap" else f"{value:g}"


def _metric(change: MetricChange) -> tuple[str, ...]:
    if change.difference is None:
        words = "-"
    elif not change.difference:
        words = "="
    else:
        sign, size = "+" if change.difference > 0 else "-", abs(change.difference)
        words = f"{sign}{f'{size} bytes' if change.metric in BYTES else figure(change.metric, size)}"
        words += f" ({100 * change.share:+.2f}%)" if change.share is not None else ""
    return (change.metric, figure(change.metric, change.before), figure(change.metric, change.after), words)


def _bound(change: BoundChange) -> tuple[str, ...]:
    def words(value: float | None, evidence: str | None) -> str:
        if value is None:
            return "-"
        size = bound_seconds(value) if change.quantity == "makespan" else format_size(int(value))
        return f"{size} {evidence}"

    return (
        change.quantity,
        words(change.before, change.before_evidence),
        words(change.after, change.after_evidence),
    )


def _only(kind: str, names: Names) -> str:
    lines = [
        f"{kind} only {when}: {', '.join(some[:MOST_SHOWN])}{_more(some)}"
        for when, some in (("before", names.before), ("after", names.after))
        if some
    ]
    return "\n".join(lines)


def _tasks(moves: Sequence[TaskMove], width: int) -> str:
    if not moves:
        return ""
    rows = [
        (m.task, _arrow(*map(seconds, m.start_s)), _arrow(*map(seconds, m.end_s)), _arrow(*map(_numbers, m.partitions)))
        for m in moves[:MOST_SHOWN]
    ]
    return table(("task", "starts", "ends", "partitions"), rows, width=width) + _more(moves)


def _regions(moves: Sequence[RegionMove], width: int) -> str:
    if not moves:
        return ""
    rows = [
        (m.buffer, _arrow(*map(_place, m.extents)), _arrow(*map(seconds, m.birth_s)), _arrow(*map(seconds, m.death_s)))
        for m in moves[:MOST_SHOWN]
    ]
    return table(("buffer", "lies at", "from", "until"), rows, width=width) + _more(moves)


def _edges(change: PlanDifference) -> str:
    kinds = [f"{kind} +{more} -{fewer}" for kind, (more, fewer) in change.edges.items()]
    return f"edges: {', '.join(kinds)}" if kinds else ""


def _arrow(before: str, after: str) -> str:
    return "=" if before == after else f"{before} -> {after}"


def _numbers(partitions: Sequence[int]) -> str:
    return ",".join(map(str, partitions)) or "none"


def _place(extents: Sequence[Extent]) -> str:
    """Partition and offset; of a region that spans partitions, its first."""
    first = f"{extents[0].partition}:{extents[0].offset}" if extents else "nowhere"
    return first if len(extents) <= 1 else f"{first} +{len(extents) - 1}"


def _more(things: Sequence[object]) -> str:
    return f"\nand {len(things) - MOST_SHOWN} more" if len(things) > MOST_SHOWN else ""
