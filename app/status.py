"""Status: what a workspace is, what its last run did, and who owned a region over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.inspection import region_history, status, stored_plan
from catalytic.runtime.report import RegionOwner, StatusReport
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.problem.validate import did_you_mean


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """State of a workspace; with a region asked for, also its owners over time, the first owner first."""

    report: StatusReport
    region: str | None = None
    owners: tuple[RegionOwner, ...] = ()


def workspace_status(path: Path, region: str | None = None) -> StatusAnswer:
    """State of the workspace at ``path``.

    ``region`` is the id of a region, or of the buffer that lives in it; ``InputError`` when the last plan has neither.
    """
    workspace = Workspace.open(path)
    report = status(workspace)
    if region is None:
        return StatusAnswer(report)
    name = _region_id(workspace, region)
    return StatusAnswer(report, name, region_history(workspace, name))


def _region_id(workspace: Workspace, word: str) -> str:
    plan = stored_plan(workspace)
    if plan is None:
        raise InputError(str(workspace.path), [Mistake("region", repr(word), "a region of a run; none was started")])
    if word in plan.region:
        return word
    if word in plan.region_of:
        return plan.region_of[word].id
    hint = did_you_mean(word, [*plan.region, *plan.region_of])
    allowed = f"one of the {len(plan.regions)} regions of {plan.problem.name!r}, or a buffer that lives in one"
    raise InputError(str(workspace.path), [Mistake("region", repr(word), allowed, hint)])
