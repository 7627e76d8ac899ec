"""Cancel: ask the run that owns a workspace to stop; what has committed stays, and the rest can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.interrupt import CANCEL_FILE
from catalytic.runtime.locks import owner_pid
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import InputError, Mistake, StorageError


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """Which process was asked."""

    workspace: Path
    owner_pid: int


def cancel(path: Path) -> CancelAnswer:
    """Leave the request; the run answers by ending with exit code 7. ``InputError`` when nobody owns the workspace."""
    workspace = Workspace.open(path)
    owner = owner_pid(workspace.metadata)
    if owner is None:
        raise InputError(str(workspace.path), [Mistake("run", "no run under way", "a workspace that a run owns")])
    try:
        (workspace.metadata / CANCEL_FILE).touch()
    except OSError as error:
        raise StorageError(f"{workspace.metadata}: the request could not be left: {error.strerror}") from error
    return CancelAnswer(workspace.path, owner)
