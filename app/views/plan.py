"""A plan as text: the headline, what it rests on, tables, a Gantt chart and a memory map."""

from __future__ import annotations

from catalytic.solver.plan import Plan
from catalytic.solver.units import format_size

from ..summary import PlanSummary
from .gantt import gantt
from .headline import headline, policies
from .memory_map import memory_map
from .table import table
from .words import bound_seconds, factor, plural, seconds


def full(summary: PlanSummary, plan: Plan, *, width: int) -> str:
    """Everything ``catalytic show`` prints, in at most ``width`` columns (the headline alone may be longer)."""
    sections = [
        brief(summary),
        "pools\n" + _pools(summary, width),
        "partitions\n" + _partitions(summary, width),
        f"largest buffers ({len(summary.largest)} of {summary.buffers})\n" + _largest(summary, width),
        "bounds: what no plan without recomputation or spilling can beat\n" + bounds(summary, width),
        "schedule (workers x time)\n" + gantt(plan, width=width),
        "memory (address x time; a letter is a buffer, a change of letter is a reuse)\n"
        + memory_map(plan, width=width),
    ]
    return "\n\n".join(section for section in sections if not section.endswith("\n"))


SLOW = 3.0
"""Times the least makespan, beyond which a plan for reuse says that time was not what was asked for."""


def brief(summary: PlanSummary) -> str:
    """Headline, policies and the memory in one line: what ``plan`` and ``run`` print."""
    return "\n".join([headline(summary), policies(summary), _memory(summary), *_slow(summary)])


def _slow(s: PlanSummary) -> list[str]:
    """What to ask for instead, where the objective cost much time."""
    if s.objective != "reuse" or s.strategy is not None or not 0 < SLOW * s.least_makespan_s < s.makespan_s:
        return []
    times = s.makespan_s / s.least_makespan_s
    return [
        f"time came second: {times:.1f} times the least makespan that is not ruled out; "
        "for a faster plan: --strategy auto, or --objective makespan with a --reuse-factor"
    ]


def _memory(s: PlanSummary) -> str:
    external = f"; {format_size(s.external_bytes)} of inputs stay outside" if s.external_bytes else ""
    return (
        f"memory: footprint {format_size(s.footprint)} for {format_size(s.allocated)} of buffers, "
        f"peak of living bytes {format_size(s.peak_live)}, workspace {format_size(s.workspace_size)} in "
        f"{plural(s.partition_count, 'partition')}"
        f"{external if s.inputs == 'external' else ''}"
    )


def _pools(s: PlanSummary, width: int) -> str:
    rows = [
        (
            p.pool,
            p.data_type or "-",
            p.access or "-",
            str(p.buffers),
            format_size(p.allocated),
            format_size(p.slices),
            factor(p.reuse_factor),
        )
        for p in s.pools
    ]
    header = ("pool", "data type", "access", "buffers", "allocated", "slices", "reuse factor")
    return table(header, rows, width=width, left=3) if rows else ""


def _partitions(s: PlanSummary, width: int) -> str:
    used = [p for p in s.partitions if p.height]
    rows = [
        (
            f"p{p.partition}",
            format_size(p.height),
            format_size(p.size),
            str(p.regions),
            str(p.writers),
            seconds(p.busy_s),
        )
        for p in used
    ]
    if not rows:
        return ""
    text = table(("partition", "used", "size", "regions", "writers", "written during"), rows, width=width)
    unused = len(s.partitions) - len(used)
    return text + (f"\n{plural(unused, 'partition')} unused" if unused else "")


def _largest(s: PlanSummary, width: int) -> str:
    rows = [
        (
            b.buffer,
            b.pool,
            ",".join(f"p{p}" for p in b.partitions),
            format_size(b.size),
            seconds(b.birth_s),
            seconds(b.death_s),
            format_size(b.taken_over),
        )
        for b in s.largest
    ]
    header = ("buffer", "pool", "in", "size", "from", "until", "reused bytes")
    return table(header, rows, width=width, left=3) if rows else ""


def bounds(s: PlanSummary, width: int) -> str:
    """Every bound with its argument and grade of evidence."""
    rows = [
        (
            b.quantity,
            b.method,
            b.evidence,
            bound_seconds(b.value) if b.quantity == "makespan" else format_size(int(b.value)),
        )
        for b in s.bounds
    ]
    return table(("quantity", "argument", "evidence", "at least"), rows, width=width, left=3) if rows else ""
