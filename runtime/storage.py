"""The only module that opens, reserves, writes, syncs, renames and removes files of a workspace.

``Storage`` is a protocol of single steps, so that a test can crash, fill the disk or fail at the n-th one. Whole
transactions (``replace_file``) are functions over those steps, and safe when interrupted between any two of them.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from catalytic.solver.errors import StorageError
from catalytic.solver.units import format_size

_LONGEST_NAME = 200
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
RESULT_FILE = 0o666
"""Mode of exported files, less the user's umask: they are results, not parts of the workspace."""

UNSUITABLE_FILE_SYSTEMS = {
    "nfs": "a network file system",
    "nfs4": "a network file system",
    "cifs": "a network file system",
    "smb3": "a network file system",
    "9p": "a network file system",
    "ceph": "a network file system",
    "zfs": "a copy-on-write file system, where overwriting may need space that was never reserved",
    "bcachefs": "a copy-on-write file system, where overwriting may need space that was never reserved",
    "squashfs": "read-only",
}
"""File systems on which reserved space or shared memory maps cannot be relied on, and why."""


class Storage(Protocol):
    """Single steps on files. Each raises ``OSError``; none is retried."""

    def make_folder(self, path: Path) -> None:
        """Create a folder (and its parents) unless it exists; new ones are private to the user."""

    def reserve(self, path: Path, size: int) -> None:
        """Make ``path`` a file of ``size`` bytes, all reserved on the device: never sparse."""

    def write(self, path: Path, pieces: Iterable[bytes | memoryview], mode: int = PRIVATE_FILE) -> int:
        """Create or overwrite ``path`` with the concatenated ``pieces``, durably; number of bytes written."""

    def append(self, path: Path, data: bytes) -> None:
        """Add ``data`` at the end of ``path``; not durable, for logs."""

    def rename(self, source: Path, target: Path) -> None:
        """Give ``source`` the name ``target``, replacing what is there."""

    def sync_folder(self, path: Path) -> None:
        """Make creations, renames and removals in ``path`` durable."""

    def remove(self, path: Path) -> None:
        """Remove a file; not an error when it is gone."""

    def free_bytes(self, path: Path) -> int:
        """Bytes an unprivileged user can still write on the file system of ``path``."""


class Disk:
    """The real file system."""

    def make_folder(self, path: Path) -> None:
        path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)

    def reserve(self, path: Path, size: int) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            if os.fstat(descriptor).st_size > size:  # the rest of an unfinished, larger workspace: nobody maps it
                os.ftruncate(descriptor, size)
            # Allocating without writing takes milliseconds for 10 GB; blocks that exist already stay as they are.
            os.posix_fallocate(descriptor, 0, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def write(self, path: Path, pieces: Iterable[bytes | memoryview], mode: int = PRIVATE_FILE) -> int:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        written = 0
        try:
            for piece in pieces:
                rest = memoryview(piece).cast("B")
                while rest:
                    count = os.write(descriptor, rest)
                    written += count
                    rest = rest[count:]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return written

    def append(self, path: Path, data: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def sync_folder(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            path.unlink()

    def free_bytes(self, path: Path) -> int:
        info = os.statvfs(path)
        return info.f_bavail * info.f_frsize


def file_name(name: str) -> str:
    """``name``, whatever its characters and length, as the name of one file; different names give different ones.

    >>> file_name("a/b"), len(file_name("\u00e9" * 200))
    ('a%2Fb', 183)
    """
    quoted = quote(name, safe="")
    if len(quoted) <= _LONGEST_NAME:
        return quoted
    return f"{quoted[:150]}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def replace_file(
    storage: Storage, path: Path, pieces: Iterable[bytes | memoryview], *, mark: str = "part", mode: int = PRIVATE_FILE
) -> int:
    """Make ``path`` hold ``pieces``, all or nothing, durably. ``mark`` tells unfinished files of writers apart."""
    unfinished = path.with_name(f".{path.name}.{mark}")
    try:
        written = storage.write(unfinished, pieces, mode)
        storage.rename(unfinished, path)
    except OSError:
        with suppress(OSError):
            storage.remove(unfinished)
        raise
    storage.sync_folder(path.parent)
    return written


def file_system_type(path: Path) -> str:
    """Name of the file system that holds ``path`` (its nearest existing parent), ``""`` when it cannot be told."""
    resolved = existing_parent(path).resolve()
    best, kind = -1, ""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        left, _, right = line.partition(" - ")
        mount = left.split(" ")[4].replace("\\040", " ")
        if resolved.is_relative_to(mount) and len(mount) >= best:
            best, kind = len(mount), right.split(" ", 1)[0]
    return kind


def existing_parent(path: Path) -> Path:
    """``path`` or its nearest parent that exists."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def explain(error: OSError, doing: str, *, next_step: str) -> StorageError:
    """``error`` as a sentence: what was being done, to which file, why it failed, and the next step."""
    where = f" {error.filename}" if error.filename else ""
    why = os.strerror(error.errno) if error.errno else str(error)
    return StorageError(f"{doing}{where}: {why}. {next_step}")


def is_storage_trouble(error: OSError) -> bool:
    """Whether the device, and not the caller's argument, is the cause."""
    return error.errno in {errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


def require_space(storage: Storage, path: Path, needed: int, purpose: str, next_step: str) -> None:
    """``StorageError`` unless ``needed`` more bytes fit on the file system of ``path``."""
    free = storage.free_bytes(existing_parent(path))
    if needed > free:
        raise StorageError(
            f"{path}: {purpose} needs {needed} bytes ({format_size(needed)}), "
            f"{free} bytes ({format_size(free)}) are free. {next_step}"
        )
