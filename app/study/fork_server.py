"""The process that forks cells: everything imported and compiled, no threads, nothing else to do.

It is a program of its own (``main``, on an inherited socket) and speaks lines of JSON:

::

    asked:     {"cell": 7, "order": {...}, "time_s": 25.0, "memory": null}     start this
    answered:  {"note": "..."}                                                  loops are compiled, at first use only
               {"ready": true}
               {"cell": 7, "ended": {...}}                                      see ``Ended``

When the socket ends, whoever asked is gone, and so are the cells and this process a moment later.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from time import monotonic
from typing import Any

from .child import Child, die_with_parent, outlive_parent
from .lines import Lines
from .search_cell import Order, search_cell

LOOK_S = 0.02
"""Seconds between two looks at the memory of cells that have a limit."""


def main(descriptor: int, parent: int) -> None:
    """Serve the socket ``descriptor`` for the process ``parent``, then end."""
    # While it gets ready it listens to nobody; later the end of the socket tells, and cells are ended in order.
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's interrupt is for whoever asks, who then hangs up
    lines = Lines(socket.socket(fileno=descriptor))
    _get_ready(lines)
    outlive_parent()
    lines.send({"ready": True})
    serve(lines)
    os._exit(0)


def serve(lines: Lines) -> None:
    """Fork cells as they are asked for and tell how they ended, until nobody asks any more."""
    running: dict[int, tuple[int, Child]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(lines.connection, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select(_patience(child for _, child in running.values())):
                if key.fd in running:
                    number, child = running.pop(key.fd)
                    selector.unregister(key.fd)
                    lines.send({"cell": number, "ended": _told(child)})
                elif not lines.receive():
                    _end([child for _, child in running.values()])
                    return
            for _, child in running.values():
                child.watch()
            for message in lines.whole():
                child = _start(message, private=lines.connection.fileno())
                running[child.pidfd] = (message["cell"], child)
                selector.register(child.pidfd, selectors.EVENT_READ)


def _get_ready(lines: Lines) -> None:
    """Import what cells need, load or compile their loops, and keep it all out of the garbage collector's way."""
    import catalytic.solver.fixed_starts
    import catalytic.solver.formats.plan_file
    import catalytic.solver.solve  # noqa: F401
    from catalytic.solver.warm_up import warm_up

    warm_up(lambda message: lines.send({"note": message}))
    gc.collect()
    gc.freeze()  # a collection in a child would otherwise touch, and so copy, every page of it


def _start(message: Mapping[str, Any], private: int) -> Child:
    work = partial(search_cell, Order.read(message["order"]))
    return Child(work, time_s=message["time_s"], memory=message["memory"], private=(private,))


def _told(child: Child) -> dict[str, object]:
    ended = asdict(child.wait())
    return {**ended, "said": ended["said"].decode(errors="replace")}


def _patience(children: Iterable[Child]) -> float | None:
    """Seconds until some child has to be looked at; None: until something happens."""
    watched = list(children)
    if not watched:
        return None
    first = max(0.0, min(child.deadline for child in watched) - monotonic())
    return min(first, LOOK_S) if any(child.limited for child in watched) else first


def _end(children: Iterable[Child]) -> None:
    ending = list(children)
    for child in ending:
        child.kill()
    for child in ending:
        child.wait()
