"""Resume: take up an interrupted run where its journal ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.report import RunOptions, RunReport
from catalytic.runtime.workspace import Workspace

from .request import Observer
from .run import run_observer


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """One call of ``catalytic resume``. Everything else stays what the run was asked when it began."""

    workspace: Path
    workers: int | None = None
    force: bool = False
    repair_spill: bool = False


@dataclass(frozen=True, slots=True)
class ResumeAnswer:
    """How the rest of the run went."""

    workspace: Path
    report: RunReport


def resume(request: ResumeRequest, observer: Observer | None = None) -> ResumeAnswer:
    """Run what the last run of the workspace left undone, and what is damaged and still needed."""
    from catalytic.runtime import coordinator

    workspace = Workspace.open(request.workspace)
    # The folders are taken from the run's journal; these two only fill the form.
    options = RunOptions(
        base=Path(),
        output_dir=Path(),
        workers=request.workers,
        force=request.force,
        repair_spill=request.repair_spill,
    )
    return ResumeAnswer(workspace.path, coordinator.resume(workspace, options, run_observer(observer)))
