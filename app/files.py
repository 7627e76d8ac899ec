"""Writing answers to disk: whole or not at all, and never over a file that was not meant."""

from __future__ import annotations

import os
from pathlib import Path

from catalytic.solver.errors import StorageError

STAGED_SUFFIX = ".catalytic-tmp"
"""Ends the name of a file that is being written; ``gc`` removes those that a killed program left behind."""


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that every reader sees the old file or the new one; ``StorageError`` otherwise.

    Temporary file beside it, fsync, rename. Missing folders are an error: a mistyped path should not grow a tree. A
    link is followed; what is no regular file, such as a device or a pipe, is written to and never replaced.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        try:
            path.write_bytes(data)
        except OSError as error:
            raise StorageError(f"{path}: could not be written: {error.strerror or error}") from error
        return
    staged = path.with_name(f".{path.name}.{os.getpid()}{STAGED_SUFFIX}")
    try:
        with staged.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise StorageError(f"{path}: could not be written: {error.strerror or error}") from error


def relative_folder(folder: Path, *, seen_from: Path) -> str:
    """``folder`` as a path relative to the folder ``seen_from``, for files that travel together."""
    return os.path.relpath(folder.resolve(), seen_from.resolve())
