"""Gates: what a plan may cost more than another one before a script should stop.

::

    gate   = metric sign amount
    metric = makespan | footprint | peak_live | allocated | reuse_factor | gap | reuse_edges
    sign   = + : may grow by the amount    - : may fall by the amount
    amount = number % (of the old value) | number [unit]

``makespan+5%`` fails when the makespan grew by more than 5%, ``footprint+0`` when the footprint grew at all,
``reuse_factor-0.01`` when the reuse factor fell by more than 0.01. Units: ``s`` or ``ms`` for the makespan (without
one: seconds), those of sizes for bytes (``footprint+64MiB``), none for the others; ``gap`` is a share (``gap+0.05``). A
metric that only one of the plans has fails its gate: what cannot be judged is not passed. All arithmetic is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.plan import Plan
from catalytic.solver.problem.validate import did_you_mean
from catalytic.solver.units import SIZE_UNITS

FORM = "METRIC+AMOUNT or METRIC-AMOUNT, such as makespan+5%, footprint+0 or reuse_factor-0.01"


def _reuse_factor(plan: Plan) -> Fraction | None:
    """Exact, where the plan file holds a rounded quotient."""
    allocated = plan.measures.allocated
    return 1 - Fraction(plan.measures.footprint, allocated) if allocated else None


METRICS: Mapping[str, Callable[[Plan], Fraction | None]] = {
    "makespan": lambda plan: Fraction(plan.measures.makespan, 1000),
    "footprint": lambda plan: Fraction(plan.measures.footprint),
    "peak_live": lambda plan: Fraction(plan.measures.peak_live),
    "allocated": lambda plan: Fraction(plan.measures.allocated),
    "reuse_factor": _reuse_factor,
    "gap": lambda plan: Fraction(str(plan.proof.gap)),
    "reuse_edges": lambda plan: Fraction(sum(edge.kind.value == "reuse" for edge in plan.edges)),
}
"""What gates are about: seconds, bytes, shares and numbers."""

_TIME_UNITS = {"": Fraction(1), "s": Fraction(1), "ms": Fraction(1, 1000)}
_UNITS: Mapping[str, Mapping[str, Fraction]] = {
    "makespan": _TIME_UNITS,
    **{name: {u: Fraction(f) for u, f in SIZE_UNITS.items()} for name in ("footprint", "peak_live", "allocated")},
}
_NO_UNIT = {"": Fraction(1)}
_AMOUNT = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?|\.[0-9]{1,30})\s*([A-Za-z%]*)")


@dataclass(frozen=True, slots=True)
class Gate:
    """``metric`` may change by at most ``amount`` in the direction of ``sign``; ``relative``: of its old value."""

    text: str
    metric: str
    sign: int
    amount: Fraction
    relative: bool

    def passes(self, before: Fraction | None, after: Fraction | None) -> bool:
        """Whether the change is within the gate."""
        if before is None or after is None:
            return before is None and after is None
        allowed = self.amount * abs(before) if self.relative else self.amount
        return self.sign * (after - before) <= allowed


def parse_gates(texts: Sequence[str]) -> tuple[Gate, ...]:
    """The gates that ``texts`` say; ``InputError`` with every mistake of all of them."""
    gates, mistakes = [], []
    for index, text in enumerate(texts):
        try:
            gates.append(_gate(text))
        except _Wrong as wrong:
            mistakes.append(Mistake(f"{wrong.part} of gate {index + 1}", wrong.found, wrong.allowed, wrong.hint))
    if mistakes:
        raise InputError("--fail-if", mistakes)
    return tuple(gates)


class _Wrong(Exception):
    """A part of a gate that cannot be read."""

    def __init__(self, part: str, found: str, allowed: str, hint: str = "") -> None:
        super().__init__(part, found, allowed, hint)
        self.part, self.found, self.allowed, self.hint = part, found, allowed, hint


def _gate(text: str) -> Gate:
    # The metric may be spelled with dashes, so the sign is the last one.
    at = max(text.rfind("+"), text.rfind("-"))
    if at < 1:
        raise _Wrong("the whole", repr(text), FORM)
    metric = text[:at].strip().replace("-", "_")
    if metric not in METRICS:
        hint = did_you_mean(metric, METRICS)
        raise _Wrong("the metric", repr(text[:at].strip()), f"one of {', '.join(METRICS)}", hint)
    units = _UNITS.get(metric, _NO_UNIT)
    amount = _AMOUNT.fullmatch(text[at + 1 :].strip())
    unit = "" if amount is None else amount.group(2).lower()
    if amount is None or (unit != "%" and unit not in units):
        known = ", ".join(sorted(u for u in units if u))
        allowed = f"a number, alone or with % {f'or one of {known}' if known else ''}".rstrip()
        raise _Wrong("the amount", repr(text[at + 1 :].strip()), allowed)
    factor = Fraction(1, 100) if unit == "%" else units[unit]
    return Gate(text, metric, 1 if text[at] == "+" else -1, Fraction(amount.group(1)) * factor, unit == "%")
