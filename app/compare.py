"""Compare: what the rows of a study say about its configurations, one against the baseline, and with what certainty.

Values are compared between configurations of one objective. A configuration that changes the problem (its partitions,
say) asks another question: its values may be compared, its bounds and gaps refer to its own question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.problem.validate import did_you_mean

from .study.contradictions import Contradiction, contradictions
from .study.ledger import read_rows
from .study.profiles import Curve, gap_curve, integral, mean_curve, performance_ratios, profile
from .study.row import Row
from .study.statistics import (
    RatioInterval,
    Spread,
    geometric_mean,
    log_ratio,
    median,
    ratio_interval,
    spread,
)

TIME_SHIFT_S = 1.0
"""Shift of geometric means and ratios of times."""
GAP_SHIFT = 0.01
"""Shift of geometric means of gaps."""
LEAST_TIME_S = 0.001
"""Times below count as this much where they are divided by each other."""


@dataclass(frozen=True, slots=True)
class InstanceLine:
    """One configuration on one problem, over seeds. ``None``: not known, or not so for most seeds.

    ``status``: cells by status, or by fate where there is no answer. ``bound``: the best over seeds. ``ratio``: values
    against the baseline's with the same seed. Units as in ``Row``.
    """

    instance: str
    configuration: str
    objective: str
    seeds: int
    status: dict[str, int]
    value: Spread | None
    bound: int | None
    evidence: str | None
    gap: float | None
    first_s: float | None
    best_s: float | None
    proof_s: float | None
    ratio: RatioInterval | None


@dataclass(frozen=True, slots=True)
class ConfigurationLine:
    """One configuration over all its cells.

    ``solved``: cells with a value; ``proved``: with nothing left to prove. ``wins``: problems on which no other
    configuration has a better median value, ``sole_wins`` of them without a tie. ``value``, ``bound``: geometric means
    over the problems that every configuration of the objective solved (medians, best bounds). ``gap`` and times:
    geometric means over cells, shifted; what never happened counts as the time limit. ``primal_integral_s``: of the
    primal gap up to the horizon, likewise.
    """

    configuration: str
    objective: str
    options: dict[str, str | int | float | bool]
    cells: int
    solved: int
    proved: int
    ended: dict[str, int]
    status: dict[str, int]
    wins: int
    sole_wins: int
    value: float | None
    bound: float | None
    gap: float | None
    first_s: float | None
    best_s: float | None
    proof_s: float | None
    primal_integral_s: float | None
    cpu_s: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Versus:
    """One configuration against the baseline. ``over``: what the observations are, ``problems`` or ``seeds``.

    ``value``: ratio of values where both have one (``only``, ``only_baseline``: cells that one of them alone solved);
    ``proof``: ratio of shifted times to proof, where what is not proved counts as the time limit. None: not comparable.
    """

    configuration: str
    over: str
    value: RatioInterval | None
    only: int
    only_baseline: int
    proof: RatioInterval | None


@dataclass(frozen=True, slots=True)
class StudyComparison:
    """A study in figures. ``confidence`` of all intervals; ``horizon_s``: the largest time limit.

    ``value_profile`` and ``proof_profile``: performance profiles; ``gap_curves``: the mean primal gap over time.
    """

    folder: Path
    baseline: str
    problems: int
    seeds: int
    cells: int
    superseded: int
    horizon_s: float
    confidence: float
    totals: tuple[ConfigurationLine, ...]
    versus: tuple[Versus, ...]
    lines: tuple[InstanceLine, ...]
    value_profile: dict[str, Curve]
    proof_profile: dict[str, Curve]
    gap_curves: dict[str, Curve]
    contradictions: tuple[Contradiction, ...]
    cautions: tuple[str, ...]


def compare_study(folder: Path, baseline: str | None = None) -> StudyComparison:
    """The comparison of all configurations in ``folder``; ``baseline`` None: the one given first.

    Raises ``InputError`` when there is no study, or no configuration of that name.
    """
    rows, superseded = read_rows(folder)
    if not rows:
        raise InputError(str(folder), [Mistake("cells.jsonl", "no rows", "at least one", "the batch made none yet")])
    return comparison(folder, rows, superseded, baseline)


def comparison(folder: Path, rows: Sequence[Row], superseded: int, baseline: str | None) -> StudyComparison:
    """The comparison of ``rows``, one per place."""
    from .study.statistics import CONFIDENCE

    study = _Study(rows)
    base = _baseline(study.names, baseline)
    return StudyComparison(
        folder=folder,
        baseline=base,
        problems=len(study.instances),
        seeds=len({row.seed for row in rows}),
        cells=len(rows),
        superseded=superseded,
        horizon_s=study.horizon_s,
        confidence=CONFIDENCE,
        totals=tuple(_total(study, name) for name in study.names),
        versus=tuple(_versus(study, name, base) for name in study.names if name != base),
        lines=tuple(
            _line(study, instance, name, base)
            for instance in study.instances
            for name in study.names
            if study.of(instance, name)
        ),
        value_profile=_profiles(study, study.like(base), lambda row: row.value),
        proof_profile=_profiles(
            study, study.names, lambda row: None if row.proof_s is None else max(LEAST_TIME_S, row.proof_s)
        ),
        gap_curves={name: mean_curve(list(_curves(study, name))) for name in study.names},
        contradictions=contradictions(rows),
        cautions=tuple(_cautions(study, base)),
    )


class _Study:
    """Rows by place, and what is the same for every line."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.names = tuple(dict.fromkeys(row.configuration for row in sorted(rows, key=lambda row: row.number)))
        self.instances = tuple(sorted({row.instance for row in rows}))
        self.horizon_s = max(row.limits.time_s for row in rows)
        self._rows: dict[tuple[str, str], dict[int, Row]] = {}
        for row in rows:
            self._rows.setdefault((row.instance, row.configuration), {})[row.seed] = row
        self.objective = {name: next(r.objective for r in rows if r.configuration == name) for name in self.names}
        self.best: dict[object, int] = {}
        for row in rows:
            for value in (row.value, *(value for _, value in row.incumbents)):
                if value is not None:
                    self.best[row.question] = min(value, self.best.get(row.question, value))

    def of(self, instance: str, name: str) -> dict[int, Row]:
        """Rows of one problem and configuration by seed."""
        return self._rows.get((instance, name), {})

    def all_of(self, name: str) -> list[Row]:
        return [row for row in self.rows if row.configuration == name]

    def like(self, name: str) -> tuple[str, ...]:
        """Configurations of the same objective, itself among them."""
        return tuple(other for other in self.names if self.objective[other] == self.objective[name])

    def median_value(self, instance: str, name: str) -> float | None:
        return median(row.value for row in self.of(instance, name).values())


def _baseline(names: Sequence[str], asked: str | None) -> str:
    if asked is None:
        return names[0]
    if asked not in names:
        hint = did_you_mean(asked, names)
        raise InputError("--baseline", [Mistake("name", repr(asked), f"one of {', '.join(names)}", hint)])
    return asked


# -- lines -------------------------------------------------------------------------------------------------------------


def _line(study: _Study, instance: str, name: str, base: str) -> InstanceLine:
    rows = study.of(instance, name)
    best = max((r for r in rows.values() if r.bound is not None), key=lambda r: r.bound or 0, default=None)
    logs = list(_value_logs(rows, study.of(instance, base))) if name != base and base in study.like(name) else []
    return InstanceLine(
        instance=instance,
        configuration=name,
        objective=study.objective[name],
        seeds=len(rows),
        status=dict(Counter(row.status or row.ended for row in rows.values())),
        value=spread(row.value for row in rows.values()),
        bound=None if best is None else best.bound,
        evidence=None if best is None else best.evidence,
        gap=median(row.gap for row in rows.values()),
        first_s=median(row.first_s for row in rows.values()),
        best_s=median(row.best_s for row in rows.values()),
        proof_s=median(row.proof_s for row in rows.values()),
        ratio=ratio_interval(logs),
    )


def _value_logs(rows: Mapping[int, Row], others: Mapping[int, Row]) -> Iterator[float]:
    """Logarithms of value ratios, seed by seed."""
    for seed, row in rows.items():
        other = others.get(seed)
        if other is not None and row.value is not None and other.value is not None:
            ratio = log_ratio(row.value, other.value)
            if ratio is not None:
                yield ratio


def _total(study: _Study, name: str) -> ConfigurationLine:
    rows = study.all_of(name)
    solved = [row for row in rows if row.value is not None]
    like = study.like(name)
    shared = [i for i in study.instances if all(study.median_value(i, other) is not None for other in like)]
    wins = [winners for i in study.instances if name in (winners := _winners(study, i, like))]
    bounds = [max((r.bound for r in study.of(i, name).values() if r.bound is not None), default=None) for i in shared]

    def time(of: Callable[[Row], float | None]) -> float | None:
        return geometric_mean((_within_limit(row, of(row)) for row in rows), TIME_SHIFT_S)

    return ConfigurationLine(
        configuration=name,
        objective=study.objective[name],
        options=dict(rows[0].options),
        cells=len(rows),
        solved=len(solved),
        proved=sum(row.proof_s is not None for row in rows),
        ended=dict(Counter(row.ended for row in rows)),
        status=dict(Counter(row.status for row in rows if row.status is not None)),
        wins=len(wins),
        sole_wins=sum(len(winners) == 1 for winners in wins),
        value=geometric_mean((study.median_value(i, name) or 0 for i in shared), 1),
        bound=geometric_mean((b for b in bounds if b is not None), 1),
        gap=geometric_mean((max(0.0, row.gap) for row in rows if row.gap is not None), GAP_SHIFT),
        first_s=time(lambda row: row.first_s),
        best_s=time(lambda row: row.best_s),
        proof_s=time(lambda row: row.proof_s),
        primal_integral_s=geometric_mean(
            (integral(curve, study.horizon_s) for curve in _curves(study, name)), TIME_SHIFT_S
        ),
        cpu_s=round(sum(row.cpu_s for row in rows), 3),
        peak_memory=max(row.peak_memory for row in rows),
    )


def _within_limit(row: Row, seconds: float | None) -> float:
    return row.limits.time_s if seconds is None else min(max(0.0, seconds), row.limits.time_s)


def _winners(study: _Study, instance: str, names: Sequence[str]) -> list[str]:
    """Who has the least median value on a problem; nobody where nobody has one."""
    values = {name: study.median_value(instance, name) for name in names}
    least = min((v for v in values.values() if v is not None), default=None)
    return [name for name, value in values.items() if value is not None and value == least]


def _curves(study: _Study, name: str) -> Iterator[Curve]:
    """The primal gap over time of each cell; cells without a plan to be found (proved infeasible) have none."""
    for row in study.all_of(name):
        if row.status != "INFEASIBLE":
            yield gap_curve(row.incumbents, study.best.get(row.question), study.horizon_s)


# -- one against the other ---------------------------------------------------------------------------------------------


def _versus(study: _Study, name: str, base: str) -> Versus:
    values, proofs, only, only_base = [], [], 0, 0
    comparable = base in study.like(name)
    for instance in study.instances:
        rows, others = study.of(instance, name), study.of(instance, base)
        both = [(row, others[seed]) for seed, row in rows.items() if seed in others]
        values.append(list(_value_logs(rows, others)) if comparable else [])
        proofs.append([_proof_log(row, other) for row, other in both])
        only += sum(row.value is not None and other.value is None for row, other in both)
        only_base += sum(row.value is None and other.value is not None for row, other in both)
    many = sum(bool(logs) for logs in proofs) > 1
    return Versus(
        configuration=name,
        over="problems" if many else "seeds",
        value=ratio_interval(_observations(values, many)),
        only=only,
        only_baseline=only_base,
        proof=ratio_interval(_observations(proofs, many)),
    )


def _observations(logs: Iterable[Sequence[float]], many: bool) -> list[float]:
    """One observation per problem; of a single problem, its seeds."""
    return [fmean(of_one) for of_one in logs if of_one] if many else [log for of_one in logs for log in of_one]


def _proof_log(row: Row, other: Row) -> float:
    ratio = log_ratio(_within_limit(row, row.proof_s), _within_limit(other, other.proof_s), TIME_SHIFT_S)
    assert ratio is not None  # a shift keeps both above zero
    return ratio


def _profiles(study: _Study, names: Sequence[str], cost: Callable[[Row], float | None]) -> dict[str, Curve]:
    """Performance profiles over the places (problem and seed) that all configurations have rows for."""
    places = [
        (instance, seed)
        for instance in study.instances
        for seed in sorted(set.intersection(*(set(study.of(instance, name)) for name in names)))
    ]
    costs = {name: [cost(study.of(instance, name)[seed]) for instance, seed in places] for name in names}
    return {name: profile(ratios) for name, ratios in performance_ratios(costs).items()} if places else {}


# -- cautions ----------------------------------------------------------------------------------------------------------


def _cautions(study: _Study, base: str) -> Iterator[str]:
    """What a reader should know before believing anything."""
    rows = study.rows
    if len({row.seed for row in rows}) == 1:
        yield "one seed: nothing can be said about chance within a problem"
    expected = len(study.instances) * len(study.names) * len({row.seed for row in rows})
    if len(rows) < expected:
        yield f"{len(rows)} of {expected} cells have rows: pairs that are not complete are left out"
    apart = [name for name in study.names if name not in study.like(base)]
    if apart:
        yield f"another objective than {base}: the values of {', '.join(apart)} are not compared with it"
    for name in study.like(base):
        differing = [i for i in study.instances if _asks_differently(study, i, name, base)]
        if differing:
            yield (
                f"{name} and {base} ask different questions on {len(differing)} of {len(study.instances)} problems: "
                "bounds, gaps and integrals refer to each one's own"
            )
    unobserved = sum(row.value is not None and not row.observed for row in rows)
    if unobserved:
        yield f"{unobserved} searches did not tell their best value when they had it: its time is that of their end"
    for what, values in (("machine", [r.machine for r in rows]), ("version", [r.versions for r in rows])):
        if any(value != values[0] for value in values):
            keys = sorted({k for v in values for k in v if v.get(k) != values[0].get(k)})
            yield f"rows come from more than one {what} ({', '.join(keys)} differ): times do not compare"


def _asks_differently(study: _Study, instance: str, name: str, base: str) -> bool:
    questions = {row.question for row in study.of(instance, name).values()}
    others = {row.question for row in study.of(instance, base).values()}
    return bool(questions and others and questions != others)
