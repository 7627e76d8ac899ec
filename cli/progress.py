"""A progress bar on stderr for whatever may take long; nothing when nobody watches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalytic.app.request import Observer, Progress

PATIENCE_S = 1.0
"""Nothing is drawn for work that ends sooner: a bar that flashes says nothing."""


@contextmanager
def progress_bar(doing: str = "starting") -> Iterator[Observer | None]:
    """An observer that draws what it is told, or ``None`` when stderr is not a terminal.

    ``doing`` stands beside a pulsing bar until the first event, and throughout for work that tells none.
    """
    if not sys.stderr.isatty():
        yield None
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
