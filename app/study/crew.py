"""Who asks the fork server: a few cells at a time, each answered by how its process ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalytic.solver.errors import StorageError

from .cell import Cell
from .child import Ended
from .lines import Lines
from .search_cell import Order

PATIENCE_S = 10.0
"""Seconds that the fork server has to end its cells when nobody asks any more."""


@dataclass(frozen=True, slots=True)
class Result:
    """How the process of one cell ended."""

    cell: Cell
    ended: Ended


def results(
    cells: Iterable[Cell], jobs: int, plan_of: Callable[[Cell], Path | None], announce: Callable[[str], None]
) -> Generator[Result, None, None]:
    """Make ``cells``, ``jobs`` of them at a time, in their order; each result as soon as it is known.

    ``plan_of``: the file for the plan of a cell, or None. ``announce`` is told when loops are compiled first. Closing
    the iterator ends the cells under way. ``StorageError``: the fork server is lost.
    """
    waiting = deque(enumerate(cells))
    if not waiting:
        return
    asked: dict[int, Cell] = {}
    ready = False
    ours, theirs = socket.socketpair()
    server = _start_server(theirs)
    lines = Lines(ours)
    try:
        while waiting or asked:
            while ready and waiting and len(asked) < jobs:
                number, cell = waiting.popleft()
                asked[number] = cell
                lines.send(_order(number, cell, plan_of(cell)))
            if not lines.receive():
                raise StorageError(_lost(server.wait()))
            for message in lines.whole():
                if "note" in message:
                    announce(message["note"])
                elif "ready" in message:
                    ready = True
                else:
                    yield Result(asked.pop(message["cell"]), _ended(message["ended"]))
    finally:
        ours.close()
        if not ready:  # it listens to nobody yet
            server.kill()
        _await_end(server)


def _start_server(theirs: socket.socket) -> subprocess.Popen[bytes]:
    """The fork server, in a session of its own, so that a terminal's interrupt reaches it by way of us only."""
    call = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        f"from catalytic.app.study.fork_server import main; main({theirs.fileno()}, {os.getpid()})"
    )
    with theirs:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", call],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            # Threads of a library for linear algebra, which no search uses, would not survive a fork.
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )


def _order(number: int, cell: Cell, plan: Path | None) -> dict[str, object]:
    return {
        "cell": number,
        "order": Order(cell.instance.file, cell.configuration, cell.seed, plan).document(),
        "time_s": cell.configuration.time_limit_s + cell.limits.grace_s,
        "memory": cell.limits.memory,
    }


def _ended(message: Mapping[str, Any]) -> Ended:
    return Ended(**{**message, "said": message["said"].encode()})


def _lost(code: int) -> str:
    return (
        f"the process that starts cells ended unexpectedly (exit code {code}; -9: killed, perhaps for want of memory). "
        "Finished cells are recorded: the same command continues."
    )


def _await_end(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
