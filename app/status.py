"""Status: what a workspace is, what its last run did, and who owned a region over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.report import RegionOwner, StatusReport
from catalytic.runtime.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """State of a workspace; with a region asked for, also its owners over time, the first owner first."""

    report: StatusReport
    region: str | None = None
    owners: tuple[RegionOwner, ...] = ()


def workspace_status(path: Path, region: str | None = None) -> StatusAnswer:
    """State of the workspace at ``path``. ``InputError`` for a region (or buffer) its last plan does not have."""
    from catalytic.runtime import coordinator

    workspace = Workspace.open(path)
    report = coordinator.status(workspace)
    if region is None:
        return StatusAnswer(report)
    return StatusAnswer(report, region, tuple(coordinator.region_history(workspace, region)))
