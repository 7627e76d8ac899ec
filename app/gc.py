"""Garbage collection: remove what dead programs left behind, in a workspace nobody owns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.errors import StorageError

from .files import STAGED_SUFFIX

UNFINISHED = ("*.part", f"*{STAGED_SUFFIX}")
"""Names of files that are renamed when they are whole; one that is still there was never finished."""


@dataclass(frozen=True, slots=True)
class GcAnswer:
    """What was removed (or would be, when ``dry_run``), relative to the workspace; and the kept buffers forgotten."""

    workspace: Path
    dry_run: bool
    files: tuple[str, ...]
    bytes: int
    forgotten: tuple[str, ...]


def collect(path: Path, *, kept: bool = False, dry_run: bool = False) -> GcAnswer:
    """Remove staged and half-written files of the workspace at ``path``; with ``kept``, forget kept buffers too.

    ``WorkspaceBusy`` while a run owns it. Partitions, journal, seals and logs are never touched.
    """
    from catalytic.runtime.locks import WorkspaceLocks
    from catalytic.runtime.workspace import Workspace

    workspace = Workspace.open(path)
    with WorkspaceLocks(workspace.metadata):
        stale = sorted(_stale(workspace.path))
        size = sum(file.stat().st_size for file in stale)
        if not dry_run:
            for file in stale:
                _remove(file)
    return GcAnswer(workspace.path, dry_run, tuple(str(f.relative_to(workspace.path.parent)) for f in stale), size, ())


def _stale(workspace: Path) -> Iterator[Path]:
    """Everything in ``staging/``, and unfinished files in the folders that are written by renaming."""
    yield from (file for file in (workspace / "staging").rglob("*") if file.is_file())
    for folder in ("pools", "checksums", "metadata", "logs"):
        for pattern in UNFINISHED:
            yield from (workspace / folder).rglob(pattern)


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        raise StorageError(f"{file}: could not be removed: {error.strerror}") from error
