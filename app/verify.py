"""Verify: hash every sealed living region of a workspace again and compare."""

from __future__ import annotations

from pathlib import Path

from catalytic.runtime.inspection import verify
from catalytic.runtime.report import VerifyReport
from catalytic.runtime.workspace import Workspace


def verify_workspace(path: Path) -> VerifyReport:
    """What was checked and what is damaged; ``WorkspaceBusy`` while a run owns the workspace."""
    return verify(Workspace.open(path))
