"""What happens in the process of one cell: read the problem, search, write the plan, and leave news behind.

The news are lines of JSON, written as they come, so that a cell which is killed has told what it had found:

::

    {"problem": {"kind": ..., "name": ..., "digest": ..., "tasks": ..., "buffers": ..., "allocated": ...}}
    {"at": 1.25, "makespan": 4100, "footprint": 18010112, "bound": 3900}       what is new, seconds from the start
    {"answer": {...}}  or  {"refused": "..."}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from catalytic.solver.budget import Progress as News
from catalytic.solver.errors import InputError
from catalytic.solver.formats import problem_digest
from catalytic.solver.plan import Bound, Outcome

from ..plan import search_plan, write_plan
from ..request import Progress
from ..sources import Source, read_source
from .configuration import Configuration


@dataclass(frozen=True, slots=True)
class Order:
    """What the process of a cell is told. ``plan``: the file to write, if the search finds one to write."""

    file: Path
    configuration: Configuration
    seed: int
    plan: Path | None

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "file": str(self.file),
            "options": dict(self.configuration.options),
            "seed": self.seed,
            "plan": None if self.plan is None else str(self.plan),
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Order:
        """From JSON values."""
        plan = document["plan"]
        configuration = Configuration("", document["options"])
        return cls(Path(document["file"]), configuration, document["seed"], None if plan is None else Path(plan))


def search_cell(order: Order, news: BinaryIO) -> None:
    """Make the search of one cell. The clock of its time limit runs from here, as that of ``plan`` from its start."""
    started = monotonic()

    def tell(**what: object) -> None:
        news.write(json.dumps(what).encode() + b"\n")
        news.flush()

    def observe(event: Progress) -> None:
        if isinstance(event, News) and (event.makespan, event.footprint, event.bound) != (None, None, None):
            at = round(monotonic() - started, 4)
            tell(at=at, makespan=event.makespan, footprint=event.footprint, bound=event.bound)

    try:
        source = read_source(order.file, order.configuration.shape())
    except InputError as error:
        tell(refused=str(error).removeprefix(f"{order.file}: "))
        return
    tell(problem=_facts(source))
    outcome = search_plan(source, order.configuration.search(order.seed, started), observe)
    seconds = round(monotonic() - started, 4)
    plan = outcome.plan if outcome.target_met else None
    if plan is not None and order.plan is not None:
        write_plan(plan, order.plan, base=source.base)
    tell(answer=_answer(outcome, seconds))


def _facts(source: Source) -> dict[str, object]:
    problem = source.problem
    return {
        "kind": source.kind,
        "name": problem.name,
        "digest": problem_digest(problem),
        "tasks": len(problem.tasks),
        "buffers": len(problem.buffers),
        "allocated": int(problem.graph.allocated),
    }


def _answer(outcome: Outcome, seconds: float) -> dict[str, object]:
    """The outcome in figures. ``plan``: of the plan that meets the target; ``missed``: of one that does not."""
    plan = outcome.plan
    measures = None
    if plan is not None:
        m = plan.measures
        measures = {"makespan": int(m.makespan), "footprint": int(m.footprint), "reuse_factor": m.reuse_factor}
    known = {(b.quantity, b.method): b for b in (*outcome.bounds, *(plan.proof.bounds if plan is not None else ()))}
    return {
        "seconds": seconds,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "plan": measures if outcome.target_met else None,
        "missed": None if outcome.target_met else measures,
        "bounds": [_bound(b) for b in sorted(known.values(), key=lambda b: (b.quantity, -b.value, b.method))],
        "parameters": dict(plan.proof.parameters) if plan is not None else {},
    }


def _bound(bound: Bound) -> dict[str, object]:
    return {
        "quantity": bound.quantity,
        "value": int(bound.value),
        "method": bound.method,
        "evidence": bound.evidence.value,
    }
