"""Resume: take up an interrupted run where its journal ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.report import RunReport

from .request import Observer
from .run import Execution


@dataclass(frozen=True, slots=True)
class ResumeAnswer:
    """How the rest of the run went."""

    workspace: Path
    report: RunReport


def resume(path: Path, execution: Execution, observer: Observer | None = None) -> ResumeAnswer:
    """Run what the last run of the workspace at ``path`` left undone, and nothing that it committed."""
    raise NotImplementedError
