"""The row of a cell, ``catalytic-cell/1``: one line of JSON with the answer and everything needed to ask again.

``ended`` says what became of the cell's process:

    answered   the planner answered: ``status`` (OPTIMAL, FEASIBLE, INFEASIBLE, UNKNOWN) and the figures
    time       killed: it ran on for longer than its limit and the grace
    memory     killed over its limit of memory, or memory was refused to it
    refused    the problem file, or the problem that the configuration makes of it, has mistakes
    crashed    anything else; ``stderr`` holds its last words

Bytes are integers, fields that end in ``_s`` seconds, ``makespan`` and the values of an objective ``makespan`` ticks
(milliseconds). ``value``: of the objective (``footprint`` for reuse), for a plan that meets the target; ``bound``: what
no plan can beat of it; ``gap`` = (value - bound) / value. ``missed``: the best plan of a search that missed its target.
``incumbents`` and ``bound_steps``: (seconds, value) from the start of the search; ``observed``: whether the search told
its best value when it had it, else that moment is its end. ``number``: the cell's place in the order of its batch
(rows stand in the order in which cells ended). None: not known, or there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from catalytic.solver.formats.border import Shape, check_shape

from .cell import Place

ROW_FORMAT: Literal["catalytic-cell/1"] = "catalytic-cell/1"

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Amount = Annotated[int, Field(ge=0)]
Steps = Annotated[list[Annotated[tuple[Seconds, Amount], Field(strict=False)]], Field(default_factory=list)]
Goal = Literal["reuse", "makespan"]
Fate = Literal["answered", "time", "memory", "refused", "crashed"]
FAILED = ("refused", "crashed")
"""Fates that make a batch end with exit code 1."""


class ProblemFacts(Shape):
    """The problem as it was planned. ``digest``: of its canonical form, with what the configuration changes of it."""

    file: str
    file_digest: str
    kind: str | None = None
    name: str | None = None
    digest: str | None = None
    tasks: Amount | None = None
    buffers: Amount | None = None
    allocated: Amount | None = None


class BoundFacts(Shape):
    quantity: str
    value: Amount
    method: str
    evidence: str


class PlanFacts(Shape):
    makespan: Amount
    footprint: Amount
    reuse_factor: float | None


class LimitFacts(Shape):
    time_s: Seconds
    grace_s: Seconds
    memory: Amount | None = None


class Row(Shape):
    format: Literal["catalytic-cell/1"]
    cell: str
    number: Amount
    instance: str
    configuration: str
    seed: Amount
    problem: ProblemFacts
    options: dict[str, str | int | float | bool]
    configuration_digest: str
    limits: LimitFacts
    ended: Fate
    reason: str = ""
    objective: Goal
    target: float | None = None
    status: Literal["OPTIMAL", "FEASIBLE", "INFEASIBLE", "UNKNOWN"] | None = None
    value: Amount | None = None
    bound: Amount | None = None
    evidence: str | None = None
    gap: float | None = None
    plan: PlanFacts | None = None
    missed: PlanFacts | None = None
    bounds: list[BoundFacts] = Field(default_factory=list)
    first_s: Seconds | None = None
    best_s: Seconds | None = None
    proof_s: Seconds | None = None
    incumbents: Steps
    bound_steps: Steps
    observed: bool = False
    search_s: Seconds | None = None
    seconds: Seconds
    cpu_s: Seconds
    peak_memory: Amount
    plan_file: str | None = None
    stderr: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    command: list[str]
    batch: list[str]
    folder: str
    recorded: str
    versions: dict[str, str]
    machine: dict[str, str | int]

    @property
    def place(self) -> Place:
        return (self.instance, self.configuration, self.seed)

    @property
    def question(self) -> tuple[str, str, float | None]:
        """What the search was asked: cells of equal questions have comparable values, bounds and gaps."""
        return (self.problem.digest or self.problem.file_digest, self.objective, self.target)

    def line(self) -> bytes:
        """The row as one line."""
        text = json.dumps(self.model_dump(), separators=(",", ":"), ensure_ascii=False)
        # Folders may have names that are no text; a line must have it, or it could not be read again.
        return re.sub("[\ud800-\udfff]", lambda half: rf"\\u{ord(half[0]):x}", text).encode() + b"\n"


def read_row(document: Mapping[str, object], origin: str) -> Row:
    """A row from its JSON values; ``InputError`` with every deviation."""
    return check_shape(Row, document, origin)
