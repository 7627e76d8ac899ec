"""Garbage collection: remove what dead programs left behind, in and beside a workspace nobody owns."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalytic.runtime.inspection import living_kept, stored_plan
from catalytic.runtime.journal import read_run
from catalytic.runtime.locks import WorkspaceLocks, owner_pid
from catalytic.runtime.state import RunState, fold
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import Refused, StorageError

from .files import STAGED_SUFFIX
from .run import reference_prefix

UNFINISHED = (".*.part", f".*{STAGED_SUFFIX}")
"""Names of files that are renamed when they are whole; one that is still there was never finished."""


@dataclass(frozen=True, slots=True)
class GcAnswer:
    """What was removed (or would be, with ``dry_run``), as paths; their bytes; and the kept buffers forgotten."""

    workspace: Path
    dry_run: bool
    removed: tuple[Path, ...]
    bytes: int
    forgotten: tuple[str, ...]


def collect(path: Path, *, kept: bool = False, dry_run: bool = False) -> GcAnswer:
    """Remove half-written files, staged files of ended runs, and workspaces that reference runs left behind.

    With ``kept``, also forget the kept buffers of the last run, which must have ended (``Refused`` otherwise): its
    journal moves to ``logs/`` and the workspace is as new. ``WorkspaceBusy`` while a run owns it.
    """
    workspace = Workspace.open(path)
    with WorkspaceLocks(workspace.metadata):
        state = fold(read_run(workspace.metadata / "journal.db"))
        stale = sorted(_stale(workspace, state))
        size = sum(_bytes(entry) for entry in stale)
        forgotten = _kept_buffers(workspace, state) if kept else ()
        if not dry_run:
            for entry in stale:
                _remove(entry)
            if kept and state.run_id is not None:
                _retire(workspace, state.run_id)
    return GcAnswer(workspace.path, dry_run, tuple(stale), size, forgotten)


def _stale(workspace: Workspace, state: RunState) -> Iterator[Path]:
    """Staged files of an unfinished run are not stale: resuming it needs them."""
    if state.ended == "complete" or state.run_id is None:
        yield from (workspace.path / "staging").iterdir()
    for folder in ("pools", "checksums", "metadata", "logs"):
        for pattern in UNFINISHED:
            yield from (workspace.path / folder).rglob(pattern)
    yield from _unfinished_exports(workspace, state)
    for beside in workspace.path.parent.iterdir():
        ours = beside.name.startswith(reference_prefix(workspace.path))
        if ours and owner_pid(beside / "workspace" / "metadata") is None:
            yield beside


def _unfinished_exports(workspace: Workspace, state: RunState) -> Iterator[Path]:
    """Copies of final outputs that were never finished: ``.NAME.EPOCH.part`` beside where NAME would stand."""
    plan, folder = stored_plan(workspace, state), state.request.get("output_dir")
    if plan is None or not isinstance(folder, str):
        return
    for name in plan.problem.graph.exported.values():
        export = Path(folder) / name
        prefix = f".{export.name}."
        for beside in export.parent.iterdir() if export.parent.is_dir() else ():
            if beside.name.startswith(prefix) and beside.name.endswith(".part"):
                yield beside


def _bytes(entry: Path) -> int:
    files = entry.rglob("*") if entry.is_dir() else [entry]
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(entry: Path) -> None:
    try:
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    except OSError as error:
        raise StorageError(f"{entry}: could not be removed: {error.strerror}") from error


def _kept_buffers(workspace: Workspace, state: RunState) -> tuple[str, ...]:
    if state.run_id is not None and state.ended != "complete":
        raise Refused(
            f"{workspace.path} holds the unfinished run {state.run_id}. Continue it with `catalytic resume`, "
            "or give it up by running with --discard."
        )
    return living_kept(workspace, state)


def _retire(workspace: Workspace, run_id: str) -> None:
    """Put the journal of an ended run among the logs. The plan goes first: without a journal it is nobody's."""
    journal = workspace.metadata / "journal.db"
    try:
        (workspace.metadata / "plan.json").unlink(missing_ok=True)
        for suffix in ("-wal", "-shm", ""):
            part = journal.with_name(journal.name + suffix)
            if part.exists():
                part.replace(workspace.path / "logs" / f"{run_id}.{part.name}")
    except OSError as error:
        raise StorageError(f"{workspace.metadata}: could not be cleared: {error.strerror}") from error
