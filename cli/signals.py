"""Which signal ended a run: the coordinator turns signals into an orderly stop, the exit code must still name them."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def remembered_signals() -> Iterator[Callable[[], int | None]]:
    """While entered, the interpreter notes every signal that is handled; the callable gives the first one's number.

    The notes come through ``signal.set_wakeup_fd``, which works whoever has installed the handlers. Outside the main
    thread nothing can be noted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    inbox, notes = socket.socketpair()
    with inbox, notes:
        inbox.setblocking(False)
        notes.setblocking(False)
        before = signal.set_wakeup_fd(notes.fileno(), warn_on_full_buffer=False)
        try:
            yield lambda: _first(inbox)
        finally:
            signal.set_wakeup_fd(before)


def _first(inbox: socket.socket) -> int | None:
    """The first signal that asks for an end; children that die announce themselves too."""
    try:
        numbers = inbox.recv(4096)
    except BlockingIOError:
        return None
    return next((n for n in numbers if n in (signal.SIGINT, signal.SIGTERM)), None)
