"""Trade: what more or less memory, workers or reuse would give, one plan per value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.plan import Status
from catalytic.solver.problem.validate import did_you_mean
from catalytic.solver.units import Bytes, format_size, parse_size

from .plan import search_plan
from .request import Observer, PlanRequest
from .sources import read_source
from .summary import PlanSummary, summarise

VARIABLES = ("size", "partitions", "workers", "reuse-factor")
"""What can be varied."""


@dataclass(frozen=True, slots=True)
class Variations:
    """One variable and the values to try: bytes for ``size``, counts, or a factor."""

    variable: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TradeRow:
    """The best plan for one value. ``summary`` None: no plan; ``status`` and ``reason`` say why."""

    value: float
    label: str
    status: str
    reason: str
    summary: PlanSummary | None


@dataclass(frozen=True, slots=True)
class Trade:
    """One row per value, in the order asked."""

    name: str
    variable: str
    rows: tuple[TradeRow, ...]


def parse_variations(text: str) -> Variations:
    """``size=5GB,8GB`` as values; ``InputError`` with every mistake."""
    variable, equals, rest = text.partition("=")
    if variable not in VARIABLES or not equals:
        hint = did_you_mean(variable, VARIABLES)
        allowed = f"NAME=VALUE,VALUE... where NAME is one of {', '.join(VARIABLES)}"
        raise InputError("--what-if", [Mistake("name", repr(text), allowed, hint)])
    mistakes, values = [], []
    for index, word in enumerate(rest.split(",")):
        try:
            values.append(_value(variable, word.strip()))
        except ValueError as error:
            mistakes.append(Mistake(f"values[{index}]", repr(word), str(error)))
    if mistakes:
        raise InputError("--what-if", mistakes)
    return Variations(variable, tuple(values))


def _value(variable: str, word: str) -> float:
    if variable == "size":
        try:
            return parse_size(int(word) if word.isdigit() else word)
        except ValueError:
            raise ValueError("an integer of bytes, or text such as 5GB or 8GiB") from None
    if variable == "reuse-factor":
        try:
            number = float(word)
        except ValueError:
            number = -1.0
        if not 0 <= number < 1:
            raise ValueError("a number from 0 to below 1")
        return number
    if not word.isdigit() or int(word) < 1:
        raise ValueError("an integer of at least 1")
    return int(word)


def trade(request: PlanRequest, variations: Variations, observer: Observer | None = None) -> Trade:
    """Plan once per value. The values share the time limit: each gets an equal part of what is left."""
    rows, name = [], ""
    limit = request.search.budget
    for index, value in enumerate(variations.values):
        varied = _varied(request, variations.variable, value)
        source = read_source(varied.path, varied.shape)
        name = source.problem.name
        # Counted work is shared by number, whatever the clock says, so that equal calls give equal tables.
        left = limit.time_limit_s / len(variations.values)
        if not limit.deterministic:
            left = round(max(0.1, limit.remaining_s()) / (len(variations.values) - index), 2)  # as it will be told
        search = replace(varied.search, budget=replace(limit, time_limit_s=left, started=None))
        outcome = search_plan(source, search, observer)
        summary = summarise(outcome.plan) if outcome.plan is not None else None
        missed = outcome.plan is not None and not outcome.target_met
        status = "TARGET MISSED" if missed and outcome.status is not Status.INFEASIBLE else outcome.status.value
        label = format_size(Bytes(int(value))) if variations.variable == "size" else f"{value:g}"
        rows.append(TradeRow(value, label, status, outcome.reason, summary))
    return Trade(name, variations.variable, tuple(rows))


def _varied(request: PlanRequest, variable: str, value: float) -> PlanRequest:
    if variable == "size":
        return replace(request, shape=replace(request.shape, size=Bytes(int(value))))
    if variable == "partitions":
        return replace(request, shape=replace(request.shape, partitions=int(value)))
    if variable == "workers":
        return replace(request, shape=replace(request.shape, workers=int(value)))
    return replace(request, search=replace(request.search, target=value))
