"""Two locks per workspace: one for the coordinator, one that its workers inherit.

Both are ``flock`` locks, so the kernel drops them when the last process that holds them dies, however it dies. The
coordinator's says *this workspace has an owner*. The writers' is inherited by every worker: while one of them lives it
may still write, so a new owner waits for it before it touches a byte.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

from catalytic.solver.errors import WorkspaceBusy

WRITERS_WAIT_S = 10.0
_POLL_S = 0.05


class WorkspaceLocks:
    """Both locks of one workspace, held from construction to ``close``.

    Raises ``WorkspaceBusy`` at once when there is another coordinator, and after ``wait_s`` seconds when a worker of a
    dead coordinator still lives.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wait_s: float = WRITERS_WAIT_S,
        clock: Callable[[], float] = monotonic,
        pause: Callable[[float], None] = sleep,
    ) -> None:
        self._coordinator = _open(folder / "coordinator.lock")
        if not _take(self._coordinator):
            owner = owner_pid(folder)
            os.close(self._coordinator)
            who = f" (process {owner})" if owner is not None else ""
            raise WorkspaceBusy(
                f"{folder.parent}: another run owns this workspace{who}. Wait for it, or use another workspace."
            )
        os.ftruncate(self._coordinator, 0)
        os.pwrite(self._coordinator, str(os.getpid()).encode(), 0)
        self.writers = _open(folder / "writers.lock")
        deadline = clock() + wait_s
        while not _take(self.writers):
            if clock() >= deadline:
                self.close()
                holders = ", ".join(map(str, _holders(folder / "writers.lock")))
                who = f" (process {holders})" if holders else ""
                raise WorkspaceBusy(
                    f"{folder.parent}: a worker of an earlier run, or what its task started, is still alive{who} "
                    f"after {wait_s:.0f} s. End it, then try again."
                )
            pause(_POLL_S)

    def close(self) -> None:
        """Give both locks back; the writers' lock stays taken while a worker that inherited it lives."""
        for descriptor in (self.writers, self._coordinator) if hasattr(self, "writers") else (self._coordinator,):
            with suppress(OSError):
                os.close(descriptor)

    def __enter__(self) -> WorkspaceLocks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def owner_pid(folder: Path) -> int | None:
    """Process id of the coordinator that owns the workspace now, or None. Does not disturb the owner."""
    try:
        descriptor = os.open(folder / "coordinator.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _take(descriptor, shared=True):
            return None
        text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)


def _holders(path: Path) -> list[int]:
    """Processes that have ``path`` open, as far as this user may see them."""
    holders = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            if any(link.resolve() == path.resolve() for link in folder.iterdir()):
                holders.append(int(folder.parent.name))
    return sorted(holders)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(descriptor: int, *, shared: bool = False) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
