"""From how the process of a cell ended to the row of the cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from signal import Signals
from typing import Any

from catalytic.solver.errors import InputError
from catalytic.solver.formats.json_text import parse_json
from catalytic.solver.units import format_size

from .cell import Cell
from .child import Ended
from .crew import Result
from .provenance import Provenance
from .row import ROW_FORMAT, BoundFacts, Fate, Goal, LimitFacts, PlanFacts, ProblemFacts, Row
from .trajectory import Step, trajectory

QUANTITIES = {"reuse": ("peak_live", "footprint"), "makespan": ("makespan",)}
"""What bounds the value of each objective: what bounds the peak of living bytes bounds the footprint too."""


def row_of(result: Result, provenance: Provenance, recorded: str, plan_file: Path | None) -> Row:
    """The row of a cell whose process has ended. ``plan_file``: where its plan was to be written."""
    cell, ended = result.cell, result.ended
    news = list(_news(ended.said))
    facts: Mapping[str, Any] = next((n["problem"] for n in news if "problem" in n), {})
    refused = next((str(n["refused"]) for n in news if "refused" in n), None)
    answer: Mapping[str, Any] | None = next((n["answer"] for n in news if "answer" in n), None)
    fate, reason = _fate(cell, ended, refused, answer)
    search = cell.configuration.search(cell.seed)
    plan = PlanFacts(**answer["plan"]) if answer is not None and answer["plan"] is not None else None
    missed = PlanFacts(**answer["missed"]) if answer is not None and answer["missed"] is not None else None
    bounds = [BoundFacts(**b) for b in answer["bounds"]] if answer is not None else []
    objective: Goal = search.objective.value
    value = None if plan is None else plan.footprint if objective == "reuse" else plan.makespan
    best = max((b for b in bounds if b.quantity in QUANTITIES[objective]), key=lambda b: b.value, default=None)
    bound = None if best is None else best.value
    told = [n for n in news if "at" in n]
    story = trajectory(
        _values(told, objective, _most_bytes(search.target, facts.get("allocated"))),
        [(n["at"], n["bound"]) for n in told if n["bound"] is not None],
        ended.seconds if answer is None else answer["seconds"],
        value,
        bound,
    )
    return Row(
        format=ROW_FORMAT,
        cell=cell.digest,
        number=cell.number,
        instance=cell.instance.name,
        configuration=cell.configuration.name,
        seed=cell.seed,
        problem=ProblemFacts(file=str(cell.instance.file), file_digest=cell.instance.digest, **facts),
        options=dict(cell.configuration.options),
        configuration_digest=cell.configuration.digest,
        limits=LimitFacts(
            time_s=cell.configuration.time_limit_s, grace_s=cell.limits.grace_s, memory=cell.limits.memory
        ),
        ended=fate,
        reason=reason,
        objective=objective,
        target=search.target,
        status=None if answer is None else answer["status"],
        value=value,
        bound=bound,
        evidence=None if best is None else best.evidence,
        gap=_gap(value, bound),
        plan=plan,
        missed=missed,
        bounds=bounds,
        first_s=story.first_s,
        best_s=story.best_s,
        proof_s=_proof_s(answer, story.proof_s()),
        incumbents=list(story.incumbents),
        bound_steps=list(story.bounds),
        observed=story.observed,
        search_s=None if answer is None else answer["seconds"],
        seconds=round(ended.seconds, 4),
        cpu_s=round(ended.cpu_s, 4),
        peak_memory=ended.peak_memory,
        plan_file=None if plan is None or plan_file is None else plan_file.name,
        stderr=ended.stderr if fate != "answered" else "",
        parameters={} if answer is None else answer["parameters"],
        command=list(cell.command(plan_file)),
        batch=list(provenance.batch),
        folder=provenance.folder,
        recorded=recorded,
        versions=provenance.versions,
        machine=provenance.machine,
    )


def _news(said: bytes) -> Iterator[dict[str, Any]]:
    """The lines of a cell; the last one may be torn when it was killed."""
    for line in said.splitlines():
        try:
            yield parse_json(line, "news")
        except InputError:
            return


def _fate(cell: Cell, ended: Ended, refused: str | None, answer: Mapping[str, Any] | None) -> tuple[Fate, str]:
    """What became of the cell, and why it has no answer or no plan."""
    if answer is not None and (ended.end, ended.code) == ("exit", 0):
        return "answered", str(answer["reason"])
    if refused is not None:
        return "refused", refused
    if ended.end == "time":
        limits = f"{cell.configuration.time_limit_s:g} s and the grace of {cell.limits.grace_s:g} s"
        return "time", f"killed after {ended.seconds:.1f} s: its limit is {limits}"
    if ended.end == "memory":
        most = format_size(ended.peak_memory)
        if cell.limits.memory is not None and ended.peak_memory > cell.limits.memory:
            return "memory", f"killed with {most} resident: its limit is {format_size(cell.limits.memory)}"
        return "memory", f"memory was refused to it; at most {most} were resident"
    if ended.end == "signal":
        return "crashed", f"killed by {Signals(-ended.code).name}, which this batch did not send"
    last = ended.stderr.strip().splitlines()
    return "crashed", f"exit code {ended.code}: {last[-1] if last else 'without a word'}"


def _values(told: Sequence[Mapping[str, Any]], objective: str, most_bytes: Fraction | None) -> Iterator[Step]:
    """Values of the objective over time, of plans that meet the target as far as the news tell."""
    for news in told:
        footprint = news["footprint"]
        value = footprint if objective == "reuse" else news["makespan"]
        if value is not None and (most_bytes is None or footprint is None or footprint <= most_bytes):
            yield news["at"], value


def _most_bytes(target: float | None, allocated: int | None) -> Fraction | None:
    """The largest footprint with a reuse factor of ``target``."""
    return None if target is None or allocated is None else (1 - Fraction(str(target))) * allocated


def _gap(value: int | None, bound: int | None) -> float | None:
    if value is None or bound is None:
        return None
    return max(0.0, (value - bound) / value) if value else 0.0


def _proof_s(answer: Mapping[str, Any] | None, met: float | None) -> float | None:
    """When nothing was left to prove; an answer that is proved otherwise was so at its end."""
    if answer is None or answer["status"] not in ("OPTIMAL", "INFEASIBLE"):
        return None
    seconds: float = answer["seconds"]
    return seconds if met is None else met
