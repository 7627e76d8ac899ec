"""What a run costs and yields, summed as it goes, and turned into its report at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalytic.solver.units import Bytes

from .assignment import Done
from .report import MeasuredTask, RunReport, RunStatus, TaskFailure


@dataclass(slots=True)
class Account:
    """Sums over the executions of this process. Seconds and bytes."""

    executed: int = 0
    already_done: int = 0
    task_s: float = 0.0
    seal_s: float = 0.0
    verify_s: float = 0.0
    written: int = 0
    reused: int = 0
    sealed: int = 0
    staged: int = 0
    exported: int = 0
    verifications: int = 0
    repaired: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: dict[str, TaskFailure] = field(default_factory=dict)
    measured: dict[str, MeasuredTask] = field(default_factory=dict)

    def add(self, done: Done, *, is_task: bool) -> None:
        """Count a committed execution."""
        costs = done.costs
        self.executed += 1
        self.task_s += costs.task_s
        self.seal_s += costs.seal_s
        self.verify_s += costs.verify_s
        self.sealed += costs.sealed
        self.staged += costs.staged
        self.exported += costs.exported
        self.verifications += costs.verifications
        self.written += sum(w.length for w in done.outputs.values())
        if is_task:
            lengths = {b: Bytes(w.length) for b, w in done.outputs.items()}
            self.measured[done.execution] = MeasuredTask(done.execution, costs.task_s, lengths)

    def note(self, text: str) -> None:
        """Add a sentence to the report, once."""
        if text not in self.notes:
            self.notes.append(text)

    def report(
        self,
        run_id: str,
        status: RunStatus,
        results: Mapping[str, str],
        exports: tuple[str, ...],
        blocked: tuple[str, ...],
        wall_s: float,
    ) -> RunReport:
        """The report of a run that ended like this."""
        return RunReport(
            run_id=run_id,
            status=status,
            results=dict(sorted(results.items())),
            failures=tuple(self.failures[t] for t in sorted(self.failures)),
            blocked=blocked,
            executed=self.executed,
            already_done=self.already_done,
            repaired=tuple(self.repaired),
            wall_s=wall_s,
            task_s=self.task_s,
            seal_s=self.seal_s,
            verify_s=self.verify_s,
            bytes_written=self.written,
            bytes_reused=self.reused,
            bytes_sealed=self.sealed,
            bytes_staged=self.staged,
            bytes_exported=self.exported,
            verifications=self.verifications,
            peak_rss=peak_rss(),
            measured=tuple(self.measured[t] for t in sorted(self.measured)),
            notes=tuple(self.notes),
            exports=exports,
        )


def peak_rss() -> int | None:
    """Largest resident memory of this process so far, in bytes; None where the kernel does not tell."""
    # Not getrusage: its ru_maxrss survives exec, so it would report the parent's peak.
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
