"""The workspace: a folder of fixed size, reserved on the device when it is created.

::

    WORKSPACE/
      partitions/p0.arena ...   fixed size, posix_fallocate'd, mode 0600
      pools/<pool>/pool.json    slices of each reuse pool of the last plan
      checksums/<region>.<algorithm>
      metadata/workspace.json   written last: its presence says that the workspace is whole
      metadata/journal.db plan.json coordinator.lock writers.lock
      logs/                     one JSON-lines file per run, and what tasks printed
      staging/                  files of commands and generated inputs, removed when they are no longer needed

Reserving without writing takes milliseconds; it makes a full disk an error of ``create`` instead of a SIGBUS in the
middle of a run. Nothing here ever truncates or punches a file that may be mapped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from catalytic.solver.errors import InputError, IntegrityError, Mistake, Refused, StorageError
from catalytic.solver.units import Bytes, exact_size

from .assignment import Arena
from .mapping import PAGE, Piece
from .storage import (
    UNSUITABLE_FILE_SYSTEMS,
    Disk,
    Storage,
    explain,
    file_system_type,
    replace_file,
    require_space,
)

FORMAT = "catalytic-workspace/1"
FOLDERS = ("partitions", "pools", "checksums", "metadata", "logs", "staging")
MAX_PARTITIONS = 4096


@dataclass(frozen=True, slots=True)
class Workspace:
    """An existing workspace: where it is and its geometry. Sizes are bytes."""

    path: Path
    identity: str
    size: int
    partitions: int
    alignment: int
    integrity: bool
    reuse_pools: bool

    @property
    def partition_size(self) -> Bytes:
        """Bytes of one partition: ``size // partitions``, rounded down to the alignment."""
        return Bytes(self.size // self.partitions // self.alignment * self.alignment)

    @property
    def metadata(self) -> Path:
        """Folder of the journal, the plan and the locks."""
        return self.path / "metadata"

    def partition_path(self, partition: int) -> Path:
        """File of one partition."""
        return self.path / "partitions" / f"p{partition}.arena"

    @property
    def arena(self) -> Arena:
        """The partition files, for workers that map them."""
        return Arena(tuple(map(self.partition_path, range(self.partitions))), self.partition_size)

    def piece(self, partition: int, offset: int, length: int) -> Piece:
        """Bytes of one partition, ready to be mapped."""
        return Piece(self.partition_path(partition), offset, length)

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        size: int,
        partitions: int,
        alignment: int = 4096,
        integrity: bool = True,
        reuse_pools: bool = True,
        storage: Storage | None = None,
    ) -> Workspace:
        """Reserve a workspace at ``path``; an existing one of the same geometry is opened instead.

        Raises ``InputError`` (impossible geometry), ``Refused`` (another workspace or foreign files are there) and
        ``StorageError`` (space or file system). After an interruption, calling it again finishes the work.
        """
        storage = storage or Disk()
        path = Path(path).absolute()
        _require_geometry(path, size, partitions, alignment)
        wanted = cls(path, uuid4().hex, size, partitions, alignment, integrity, reuse_pools)
        if (path / "metadata" / "workspace.json").exists():
            return _same_or_refused(cls.open(path), wanted)
        _require_own_folder(path)
        _require_room(storage, wanted)
        try:
            _build(storage, wanted)
        except OSError as error:
            step = "Free space or choose another place, then run the same command again."
            raise explain(error, f"cannot create the workspace at {path}", next_step=step) from error
        return wanted

    @classmethod
    def open(cls, path: Path | str) -> Workspace:
        """The workspace at ``path``. Raises ``InputError`` (none is there) and ``IntegrityError`` (it is damaged)."""
        path = Path(path).absolute()
        header = path / "metadata" / "workspace.json"
        try:
            text = header.read_bytes()
        except FileNotFoundError:
            raise InputError(
                str(path), [Mistake("workspace", "no workspace", "a folder made by `catalytic init`")]
            ) from None
        except OSError as error:
            raise explain(error, "cannot read", next_step="Check the path and its permissions.") from error
        workspace = _parse_header(path, text)
        _require_partitions(workspace)
        return workspace


def _parse_header(path: Path, text: bytes) -> Workspace:
    try:
        header = json.loads(text)
        if not isinstance(header, Mapping) or header["format"] != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        numbers = [header[name] for name in ("size", "partitions", "alignment")]
        if not all(type(number) is int and number > 0 for number in numbers):
            raise ValueError("a size is not a positive integer")
        size, partitions, alignment = numbers
        flags = bool(header["integrity"]), bool(header["reuse_pools"])
        return Workspace(path, str(header["id"]), size, partitions, alignment, *flags)
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path}/metadata/workspace.json is damaged ({error}). Create a new workspace; nothing was changed."
        ) from error


def _require_partitions(workspace: Workspace) -> None:
    """Every partition file has its full size and all its blocks: a sparse copy would fail in the middle of a run."""
    for number in range(workspace.partitions):
        path = workspace.partition_path(number)
        try:
            info = path.stat()
        except OSError as error:
            raise IntegrityError(f"{path} is missing ({error.strerror}). Create a new workspace.") from error
        if info.st_size != workspace.partition_size:
            raise IntegrityError(f"{path} has {info.st_size} bytes instead of {workspace.partition_size}.")
        if info.st_blocks * 512 < info.st_size:
            raise StorageError(
                f"{path} is sparse: {info.st_blocks * 512} of {info.st_size} bytes are reserved. "
                "Create a new workspace, or copy with `cp --sparse=never`."
            )


def _require_geometry(path: Path, size: int, partitions: int, alignment: int) -> None:
    mistakes = []
    if not 1 <= partitions <= MAX_PARTITIONS:
        mistakes.append(Mistake("partitions", str(partitions), f"1 to {MAX_PARTITIONS}"))
    if alignment < PAGE or alignment % PAGE or alignment & (alignment - 1):
        mistakes.append(
            Mistake("alignment", str(alignment), f"a power of two, at least the page size {PAGE}: regions are mapped")
        )
    if not mistakes and size < partitions * alignment:
        mistakes.append(Mistake("size", str(size), f"at least partitions x alignment = {partitions * alignment} bytes"))
    if mistakes:
        raise InputError(str(path), mistakes)


def _same_or_refused(existing: Workspace, wanted: Workspace) -> Workspace:
    names = ("size", "partitions", "alignment", "integrity", "reuse_pools")
    differing = [n for n in names if getattr(existing, n) != getattr(wanted, n)]
    if differing:
        found = ", ".join(f"{n}={getattr(existing, n)}" for n in differing)
        asked = ", ".join(f"{n}={getattr(wanted, n)}" for n in differing)
        raise Refused(
            f"{wanted.path}: a workspace with {found} is there, asked was {asked}. "
            "Use it as it is, remove it, or choose another place."
        )
    return existing


def _require_own_folder(path: Path) -> None:
    """Refuse a folder that holds anything but an unfinished workspace, which its marker tells."""
    if path.is_dir() and any(path.iterdir()) and not (path / "metadata" / "creating").exists():
        raise Refused(f"{path} is not empty and not a workspace. Choose another place, or empty it.")
    if path.exists() and not path.is_dir():
        raise Refused(f"{path} is a file. Choose another place.")


def _require_room(storage: Storage, wanted: Workspace) -> None:
    kind = file_system_type(wanted.path)
    if kind in UNSUITABLE_FILE_SYSTEMS:
        raise StorageError(
            f"{wanted.path} lies on {kind}, {UNSUITABLE_FILE_SYSTEMS[kind]}: "
            "memory maps and reserved space cannot be relied on. Choose a local disk (ext4, xfs) or tmpfs."
        )
    reserved = sum(
        wanted.partition_path(n).stat().st_blocks * 512
        for n in range(wanted.partitions)
        if wanted.partition_path(n).exists()
    )
    needed = wanted.partitions * wanted.partition_size - reserved
    smaller = "Free space, choose another place, or create a smaller workspace with --size."
    try:
        require_space(storage, wanted.path, needed, f"a workspace of {exact_size(wanted.size)}", smaller)
    except OSError as error:
        raise explain(error, "cannot read the free space of", next_step="Choose another place.") from error


def _build(storage: Storage, wanted: Workspace) -> None:
    """Marker first, header last: at every moment the folder is recognised as unfinished or is whole."""
    storage.make_folder(wanted.path)
    storage.make_folder(wanted.metadata)
    marker = wanted.metadata / "creating"
    storage.write(marker, [b""])
    for name in FOLDERS:
        storage.make_folder(wanted.path / name)
    for number in range(wanted.partitions):
        storage.reserve(wanted.partition_path(number), wanted.partition_size)
    header = {
        "format": FORMAT,
        "id": wanted.identity,
        "size": wanted.size,
        "partitions": wanted.partitions,
        "alignment": wanted.alignment,
        "partition_size": wanted.partition_size,
        "integrity": wanted.integrity,
        "reuse_pools": wanted.reuse_pools,
    }
    for name in FOLDERS:
        storage.sync_folder(wanted.path / name)
    text = json.dumps(header, indent=1).encode() + b"\n"
    replace_file(storage, wanted.metadata / "workspace.json", [text])
    storage.sync_folder(wanted.path)
    storage.remove(marker)
