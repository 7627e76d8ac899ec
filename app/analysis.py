"""Analysis: why a plan takes as long and as many bytes as it does, and what one more of something would give.

The plan is checked first: what holds a task back has no meaning where the rules are broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.analysis import Analysis, Cause, analyse
from catalytic.solver.check import violations
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import load_plan
from catalytic.solver.plan import Plan
from catalytic.solver.units import to_seconds

from .summary import PlanSummary, summarise

ONE_SECOND = 1000
"""Ticks by which each task is made faster."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A task of the critical chain and why it starts no earlier.

    ``waits_for``: the task before it in the chain. ``reason``: ``data``, ``after``, ``load``, ``resource``,
    ``exclusive``, ``reuse``; ``ceiling`` or ``held`` where it starts ``gap_s`` after all of these; ``start``: it begins
    the plan. ``via``: the buffer, resource or partition. ``also``: other reasons that end at the same moment.
    """

    task: str
    start_s: float
    end_s: float
    reason: str
    waits_for: str | None
    via: str | None
    also: tuple[str, ...]
    gap_s: float


@dataclass(frozen=True, slots=True)
class TaskRoom:
    """How much later a task could end, and how much sooner the plan would if the task were faster.

    ``gain_s``: one second faster (or by all but a millisecond of its duration). ``at_most_s``: however much faster.
    """

    task: str
    start_s: float
    end_s: float
    slack_s: float
    gain_s: float
    at_most_s: float


@dataclass(frozen=True, slots=True)
class WorkerTime:
    """``count`` workers with the same times (one, or all that never run anything): seconds each, by cause."""

    worker: int | None
    count: int
    tasks: int
    busy_s: float
    idle_s: float
    waited_s: dict[str, float]


@dataclass(frozen=True, slots=True)
class FullMoment:
    """``live`` bytes are alive in [``begin_s``, ``end_s``)."""

    begin_s: float
    end_s: float
    live: int


@dataclass(frozen=True, slots=True)
class SmallerBuffer:
    """By how many bytes peak, footprint and the largest working set fall when ``buffer`` is ``by`` bytes smaller."""

    buffer: str
    size: int
    by: int
    peak: int
    footprint: int
    working_set: int


@dataclass(frozen=True, slots=True)
class Addition:
    """``amount`` more of a resource, or shared partitions (``kind`` isolation), with every region where it is.

    ``gain_s``: what the same order of tasks gains; ``at_most_s``: what any plan of the richer problem could.
    """

    kind: str
    name: str
    amount: int
    gain_s: float
    makespan_s: float
    at_most_s: float


@dataclass(frozen=True, slots=True)
class OwnBytesStep:
    """``task``, like those of the steps before, writes ``buffers`` into bytes of its own in ``partition``.

    What all these steps cost together, bytes more of footprint, and what they gain.
    """

    task: str
    buffers: tuple[str, ...]
    partition: int
    footprint_more: int
    gain_s: float
    makespan_s: float


@dataclass(frozen=True, slots=True)
class AnalysisAnswer:
    """A plan's figures, and what decides them.

    ``compressed_s``: the makespan when the tasks, in the same order and with the same regions, start as early as they
    can; gains are measured from there. ``longest_path_s``: the longest path through all waits, orders at workers and
    partitions included; gains of faster tasks are measured from there. ``by_edges_s``: through the plan's edges alone.
    ``ceiling``: bytes that the plan could use. ``tasks``: by what a faster task gains, then by slack.
    """

    summary: PlanSummary
    makespan_s: float
    compressed_s: float
    longest_path_s: float
    by_edges_s: float
    chain: tuple[ChainLink, ...]
    tasks: tuple[TaskRoom, ...]
    workers: tuple[WorkerTime, ...]
    ceiling: int
    fullest: tuple[FullMoment, ...]
    alive_throughout: tuple[str, ...]
    smaller: tuple[SmallerBuffer, ...]
    additions: tuple[Addition, ...]
    own_bytes: tuple[OwnBytesStep, ...]


def analyse_plan(path: Path) -> AnalysisAnswer:
    """The analysis of the plan in ``path``.

    ``InputError`` when the file is malformed, ``InvalidPlan`` when it contradicts itself or violates a rule.
    """
    plan = load_plan(path).plan
    broken = [f"{v.rule}: {v.message}" for v in violations(plan)]
    if broken:
        raise InvalidPlan(broken)
    return answer(plan, analyse(plan))


def answer(plan: Plan, analysis: Analysis) -> AnalysisAnswer:
    """``analysis`` in the units of people."""
    return AnalysisAnswer(
        summary=summarise(plan),
        makespan_s=to_seconds(analysis.makespan),
        compressed_s=to_seconds(analysis.compressed),
        longest_path_s=to_seconds(analysis.longest_path),
        by_edges_s=to_seconds(analysis.by_edges),
        chain=tuple(
            ChainLink(
                task=link.task,
                start_s=to_seconds(link.start),
                end_s=to_seconds(link.end),
                reason=link.reason.value,
                waits_for=link.after,
                via=link.via,
                also=tuple(reason.value for reason in link.also),
                gap_s=to_seconds(link.gap),
            )
            for link in analysis.chain
        ),
        tasks=_tasks(plan, analysis),
        workers=_workers(analysis),
        ceiling=analysis.ceiling,
        fullest=tuple(FullMoment(to_seconds(s.begin), to_seconds(s.end), s.live) for s in analysis.fullest),
        alive_throughout=analysis.throughout,
        smaller=tuple(
            SmallerBuffer(s.buffer, s.size, s.by, s.peak, s.footprint, s.working_set)
            for s in sorted(analysis.shrunk, key=lambda s: (-s.footprint, -s.peak, -s.working_set, s.buffer))
        ),
        additions=tuple(
            Addition(r.kind, r.name, r.amount, to_seconds(r.gain), to_seconds(r.makespan), to_seconds(r.at_most))
            for r in analysis.reliefs
        ),
        own_bytes=tuple(
            OwnBytesStep(s.task, s.buffers, s.partition, s.footprint, to_seconds(s.gain), to_seconds(s.makespan))
            for s in analysis.own_bytes
        ),
    )


def _tasks(plan: Plan, analysis: Analysis) -> tuple[TaskRoom, ...]:
    order = sorted(plan.tasks, key=lambda t: (-analysis.speedup[t.id], analysis.slack[t.id], t.start, t.id))
    return tuple(
        TaskRoom(
            task=t.id,
            start_s=to_seconds(t.start),
            end_s=to_seconds(t.end),
            slack_s=to_seconds(analysis.slack[t.id]),
            gain_s=to_seconds(min(ONE_SECOND, analysis.speedup[t.id])),
            at_most_s=to_seconds(analysis.speedup[t.id]),
        )
        for t in order
    )


def _workers(analysis: Analysis) -> tuple[WorkerTime, ...]:
    return tuple(
        WorkerTime(
            worker=w.worker if w.worker >= 0 else None,
            count=1 if w.worker >= 0 else analysis.unused,
            tasks=w.tasks,
            busy_s=to_seconds(w.busy),
            idle_s=to_seconds(sum(w.waited.values())),
            waited_s={cause.value: to_seconds(w.waited[cause]) for cause in Cause if cause in w.waited},
        )
        for w in analysis.idle
    )
