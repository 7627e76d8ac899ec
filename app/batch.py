"""Batch: every problem x configuration x seed, each in a process of its own, one durable row per cell.

A batch that is stopped at any moment continues: rows that exist are not made again, except those of cells that
crashed, for which the moment may be to blame (a full disk, a kernel out of memory). A cell is the same cell while its
place, the bytes of its problem file, its options and its limit of memory are; what changes any of them is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from catalytic.solver.budget import Progress as News

from .request import Observer
from .study.cell import Cell, Limits, cells
from .study.configuration import load_configurations
from .study.crew import Result, results
from .study.instances import find_instances
from .study.ledger import PLANS, Ledger, opened
from .study.provenance import Provenance, now
from .study.record import row_of
from .study.row import FAILED, Row
from .views.words import plural


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One call of ``catalytic batch``. ``time_limit_s``: of configurations that state none."""

    paths: tuple[Path, ...]
    configurations: tuple[Path, ...]
    seeds: int
    jobs: int
    time_limit_s: float
    limits: Limits
    folder: Path
    plans: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """A cell without an answer, and why."""

    instance: str
    configuration: str
    seed: int
    ended: str
    reason: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The rows of all cells that were asked for. ``made``: in this call; the others were there.

    ``ended``: cells by what became of them; ``status``: answered cells by the planner's status. ``failures``: cells
    that were not answered.
    """

    folder: Path
    cells: int
    made: int
    ended: dict[str, int]
    status: dict[str, int]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def failed(self) -> int:
        """Cells that crashed or were refused."""
        return sum(self.ended.get(fate, 0) for fate in FAILED)


def run_batch(request: BatchRequest, observer: Observer | None = None) -> BatchAnswer:
    """Make every cell that has no row yet.

    Raises ``InputError`` for paths and configurations before anything is made, ``WorkspaceBusy`` when another batch
    writes into the folder. The observer is told ``note`` events before the first cell, then ``cells``.
    """
    began = monotonic()
    tell = observer or (lambda _: None)
    configurations = load_configurations(request.configurations, request.time_limit_s)
    found = find_instances(request.paths, except_in=request.folder)
    wanted = cells(found.instances, configurations, request.seeds, request.limits)
    with opened(request.folder) as ledger:
        provenance = Provenance.here()
        missing = [cell for cell in wanted if not _is_made(ledger, cell)]
        notes = [
            *_on_what_is_there(ledger, wanted, missing, found.others, provenance),
            *_on_cores(request.jobs, max(c.threads for c in configurations), provenance),
        ]
        for note in notes:
            tell(News("note", None, note))
        for cell in wanted:
            row = ledger.of_cell(cell.digest)
            if row is not None and ledger.at(cell.place) != row:
                ledger.append(row)  # changed back: what was made then counts again
        _make(missing, request, ledger, provenance, tell)
        rows = [row for cell in wanted if (row := ledger.of_cell(cell.digest)) is not None]
    return _answer(request.folder, rows, len(missing), tuple(notes), monotonic() - began)


def _is_made(ledger: Ledger, cell: Cell) -> bool:
    """Whether ``cell`` has a row that says something about the search: a crash may be the fault of a full disk."""
    row = ledger.of_cell(cell.digest)
    return row is not None and row.ended != "crashed"


def _make(
    missing: Sequence[Cell], request: BatchRequest, ledger: Ledger, provenance: Provenance, tell: Observer
) -> None:
    plans = request.folder / PLANS

    def plan_of(cell: Cell) -> Path | None:
        return plans / cell.plan_name if request.plans else None

    forecast = _Forecast(missing, request.jobs)
    made = results(missing, request.jobs, plan_of, lambda message: tell(News("compile", None, message)))
    with closing(made):
        for result in made:
            ledger.append(row_of(result, provenance, now(), plan_of(result.cell)))
            tell(News("cells", *forecast.after(result)))


class _Forecast:
    """How much is done and how long the rest will take, if it takes the same share of its limits as what is done."""

    def __init__(self, cells: Sequence[Cell], jobs: int) -> None:
        self._cells, self._jobs = len(cells), jobs
        self._all = self._left = sum(c.configuration.time_limit_s for c in cells)
        self._done, self._spent = 0, 0.0

    def after(self, result: Result) -> tuple[float, str]:
        """Count a result; the share of all limits that is behind us, and a sentence."""
        self._done += 1
        self._left -= result.cell.configuration.time_limit_s
        self._spent += result.ended.seconds
        seconds = self._spent * self._left / max(self._all - self._left, 1e-9) / self._jobs
        return 1 - self._left / self._all, f"{self._done} of {self._cells} cells, {_about(seconds)} left"


def _about(seconds: float) -> str:
    """A duration that promises no more than an estimate can.

    >>> _about(12.3), _about(200), _about(20000)
    ('about 12 s', 'about 3 min', 'about 5.6 h')
    """
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _on_what_is_there(
    ledger: Ledger, wanted: Sequence[Cell], missing: Sequence[Cell], others: int, provenance: Provenance
) -> Iterable[str]:
    if others:
        yield f"passed over: {plural(others, 'file')} that `plan` does not read"
    if ledger.torn:
        yield "the last row was torn when a batch was killed: it is cut off, and its cell made again"
    if kept := len(wanted) - len(missing):
        yield f"{kept} of {len(wanted)} cells have their rows already"
    if crashed := sum(ledger.of_cell(cell.digest) is not None for cell in missing):
        yield f"{plural(crashed, 'cell')} crashed before: tried again"
    for change, names in _changes(ledger, missing).items():
        yield f"new since their last rows, and made again: {change} of {', '.join(sorted(names))}"
    rows = [row for cell in wanted if (row := ledger.of_cell(cell.digest)) is not None]
    for what, values in (("machine", [r.machine for r in rows]), ("versions", [r.versions for r in rows])):
        here = provenance.machine if what == "machine" else provenance.versions
        if any(value != here for value in values):
            different = sorted({key for value in values for key in {*value, *here} if value.get(key) != here.get(key)})
            yield (
                f"rows of another {'machine' if what == 'machine' else 'version'} are kept (they differ in "
                f"{', '.join(different)}); for a study of its own give another --out"
            )


def _changes(ledger: Ledger, missing: Sequence[Cell]) -> dict[str, set[str]]:
    """What was changed since the rows at the places of missing cells were made -> names of what it belongs to."""
    changes: dict[str, set[str]] = {}
    for cell in missing:
        row = ledger.at(cell.place)
        if row is None:
            continue
        if row.problem.file_digest != cell.instance.digest:
            changes.setdefault("the problem file", set()).add(cell.instance.name)
        if row.configuration_digest != cell.configuration.digest:
            options = cell.configuration.options
            keys = sorted({k for k in {*row.options, *options} if row.options.get(k) != options.get(k)})
            changes.setdefault(", ".join(keys), set()).add(cell.configuration.name)
        if row.limits.memory != cell.limits.memory:
            changes.setdefault("the limit of memory", set()).add("all cells")
    return changes


def _on_cores(jobs: int, threads: int, provenance: Provenance) -> Iterable[str]:
    cores = int(provenance.machine["cores"])
    if jobs * threads > cores:
        yield f"{jobs} cells of {threads} threads at once on {cores} cores: they will slow each other down"


def _answer(folder: Path, rows: Sequence[Row], made: int, notes: tuple[str, ...], seconds: float) -> BatchAnswer:
    return BatchAnswer(
        folder=folder,
        cells=len(rows),
        made=made,
        ended=dict(Counter(row.ended for row in rows)),
        status=dict(Counter(row.status for row in rows if row.status is not None)),
        failures=tuple(
            Failure(row.instance, row.configuration, row.seed, row.ended, row.reason)
            for row in rows
            if row.ended != "answered"
        ),
        notes=notes,
        seconds=round(seconds, 3),
    )
