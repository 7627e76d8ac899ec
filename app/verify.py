"""Verify: hash every sealed living region of a workspace again and compare."""

from __future__ import annotations

from pathlib import Path

from catalytic.runtime.report import VerifyReport


def verify_workspace(path: Path) -> VerifyReport:
    """What was checked and what is damaged; ``WorkspaceBusy`` while a run owns the workspace."""
    from catalytic.runtime import coordinator
    from catalytic.runtime.workspace import Workspace

    return coordinator.verify(Workspace.open(path))
