"""A progress bar on stderr for what may take long; where nobody watches, only compilation at first use is told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import output

if TYPE_CHECKING:
    from catalytic.app.request import Observer, Progress

PATIENCE_S = 1.0
"""Nothing is drawn for work that ends sooner: a bar that flashes says nothing."""


@contextmanager
def progress_bar(doing: str = "starting") -> Iterator[Observer | None]:
    """An observer that draws what it is told; when stderr is not a terminal, one that tells of compilation only.

    ``doing`` stands beside a pulsing bar until the first event, and throughout for work that tells none.
    """
    if not sys.stderr.isatty():
        yield _told_of_compilation
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[message]}"),
        console=Console(stderr=True),
        transient=True,
    )
    line = bar.add_task(doing, total=None, message="")

    def observe(event: Progress) -> None:
        total, completed = (1.0, event.fraction) if event.fraction is not None else (None, 0.0)
        bar.update(line, description=event.phase, total=total, completed=completed, message=event.message)

    # The work may be silent for long (one constraint model, one large file), so a clock and not an event starts it.
    patience = threading.Timer(PATIENCE_S, bar.start)
    patience.daemon = True
    patience.start()
    try:
        yield observe
    finally:
        patience.cancel()
        patience.join()
        bar.stop()


def _told_of_compilation(event: Progress) -> None:
    """A minute of silence at first use looks like a hang in a log too."""
    if event.phase == "compile":
        output.note(f"note: {event.message}")
