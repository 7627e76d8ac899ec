"""Init: create a workspace of fixed size. Its space is reserved now, so that a full disk is an error now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.problem import DEFAULT_ALIGNMENT, DEFAULT_PARTITIONS, DEFAULT_WORKSPACE_SIZE
from catalytic.solver.units import Bytes


@dataclass(frozen=True, slots=True)
class InitRequest:
    """One call of ``catalytic init``. Sizes are bytes."""

    path: Path
    size: Bytes = DEFAULT_WORKSPACE_SIZE
    partitions: int = DEFAULT_PARTITIONS
    alignment: int = DEFAULT_ALIGNMENT
    integrity: bool = True
    reuse_pools: bool = True


@dataclass(frozen=True, slots=True)
class InitAnswer:
    """The workspace that is there now. ``usable`` is what the partitions hold together, in bytes.

    ``created``: no such workspace stood there before.
    """

    path: Path
    size: int
    usable: int
    partitions: int
    partition_size: int
    alignment: int
    integrity: bool
    reuse_pools: bool
    seconds: float
    created: bool = True


def create_workspace(request: InitRequest) -> InitAnswer:
    """Create the workspace, unless the very same stands there.

    ``StorageError`` without the space, ``Refused`` where another workspace or something else stands.
    """
    from catalytic.runtime.workspace import Workspace

    from .run import is_workspace

    started = time.monotonic()
    created = not is_workspace(request.path)
    Workspace.create(
        request.path,
        size=request.size,
        partitions=request.partitions,
        alignment=request.alignment,
        integrity=request.integrity,
        reuse_pools=request.reuse_pools,
    )
    partition_size = request.size // request.partitions // request.alignment * request.alignment
    return InitAnswer(
        path=request.path,
        size=request.size,
        usable=partition_size * request.partitions,
        partitions=request.partitions,
        partition_size=partition_size,
        alignment=request.alignment,
        integrity=request.integrity,
        reuse_pools=request.reuse_pools,
        seconds=time.monotonic() - started,
        created=created,
    )
