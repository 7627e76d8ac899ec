"""What a plan claims about every other plan: bounds, how each is known, and the status they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Objective(StrEnum):
    """``reuse``: largest reuse factor, then least makespan. ``makespan``: least makespan subject to the target."""

    REUSE = "reuse"
    MAKESPAN = "makespan"


class Status(StrEnum):
    """OPTIMAL: value = bound. FEASIBLE: a plan, with a gap. INFEASIBLE: proved. UNKNOWN: nothing found in time."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"
    UNKNOWN = "UNKNOWN"


class Evidence(StrEnum):
    """How a bound is known: checkable without search, a finished search, or a solver's word."""

    CERTIFICATE = "CERTIFICATE"
    EXHAUSTIVE = "EXHAUSTIVE"
    SOLVER_CLAIM = "SOLVER_CLAIM"


@dataclass(frozen=True, slots=True)
class Bound:
    """What no plan (without recomputation and spilling) can beat.

    ``quantity`` is ``peak_live`` (bytes alive at once), ``footprint`` (bytes of all pools' slices; what bounds the peak
    bounds it too) or ``makespan`` (ticks); all are lower bounds. ``method`` names the argument: ``working_set``,
    ``through_set``, ``min_cut``, ``pool_sum``, ``order_search``, ``critical_path``, ``resource_energy``,
    ``memory_time_energy``, ``cp_sat``. ``witness`` holds what a checker needs: a task and its buffers (``min_cut``: and
    chains of them), one such witness per pool, a path of tasks, a resource name, or the parameters of the solver run;
    plain JSON values, sequences as lists.
    """

    quantity: str
    value: int
    method: str
    evidence: Evidence
    witness: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "witness", _plain(self.witness))


@dataclass(frozen=True, slots=True)
class Proof:
    """Objective, target, status, bounds (best first per quantity) and the solver's parameters.

    ``largest_reuse_factor`` follows from the best bound on bytes, ``peak_live`` or ``footprint``:
    ``1 - bound / allocated`` (None when nothing is allocated). ``gap`` is relative to the objective's value:
    (footprint - that bound) / footprint for ``reuse``, (makespan - bound) / makespan for ``makespan``. ``effort`` holds
    wall-clock figures, absent in deterministic mode.
    """

    objective: Objective
    target: float | None
    status: Status
    bounds: tuple[Bound, ...]
    largest_reuse_factor: float | None
    least_makespan: int
    gap: float
    parameters: Mapping[str, object] = field(default_factory=dict)
    effort: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", _plain(self.parameters))
        if self.effort is not None:
            object.__setattr__(self, "effort", _plain(self.effort))

    def bound(self, quantity: str) -> Bound | None:
        """The best bound on ``quantity`` (the largest lower bound), or None."""
        return max((b for b in self.bounds if b.quantity == quantity), key=lambda b: b.value, default=None)

    @property
    def least_bytes(self) -> Bound | None:
        """The best bound on the footprint: bytes alive at once, or the pools' own peaks added up."""
        best = (self.bound("peak_live"), self.bound("footprint"))
        return max((b for b in best if b is not None), key=lambda b: b.value, default=None)


def _plain(value: object) -> object:
    """``value`` as JSON keeps it (dictionaries, lists), so that a proof equals itself after a trip through a file."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
