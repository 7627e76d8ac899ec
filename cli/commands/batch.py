"""``catalytic batch``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from .. import output
from ..options import ANY_FOLDER, CONTEXT, EXISTING_FILE, POSITIVE, SECONDS, SIZE, exit_codes, json_option
from ..progress import progress_bar

if TYPE_CHECKING:
    from catalytic.app.request import Observer, Progress

TELL_EVERY_S = 10.0
"""Seconds between two lines of progress where no bar can be drawn."""

MAX_SEEDS = 10**6
"""More would fill the memory with cells before the first one is made."""


@click.command("batch", context_settings=CONTEXT, epilog=exit_codes(0, 1, 2, 6, 9, 130, 143))
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--config",
    "configurations",
    multiple=True,
    type=EXISTING_FILE,
    help="TOML file with options of `plan` as keys; repeat it to compare. [default: the defaults of `plan`]",
)
@click.option(
    "--seeds", type=click.IntRange(1, MAX_SEEDS), default=1, show_default=True, help="Number of seeds: 0, 1, 2 ..."
)
@click.option("--jobs", type=POSITIVE, help="Cells at a time. [default: cores]")
@click.option(
    "--time-limit",
    "time_limit_s",
    type=SECONDS,
    default=60.0,
    show_default=True,
    help="Seconds of one cell, for configurations that state none.",
)
@click.option(
    "--grace",
    "grace_s",
    type=SECONDS,
    default=15.0,
    show_default=True,
    help="Seconds beyond its limit after which a cell is killed.",
)
@click.option("--memory-limit", "memory", type=SIZE, help="Resident memory above which a cell is killed.")
@click.option(
    "--out",
    "folder",
    type=ANY_FOLDER,
    required=True,
    metavar="FOLDER",
    help="Folder for rows and plans; continued if it is one.",
)
@click.option("--plans/--no-plans", default=True, show_default=True, help="Keep the plan file of every cell.")
@json_option
def command(
    paths: tuple[Path, ...],
    configurations: tuple[Path, ...],
    seeds: int,
    jobs: int | None,
    time_limit_s: float,
    grace_s: float,
    memory: int | None,
    folder: Path,
    plans: bool,
    as_json: bool,
) -> int:
    """Plan every problem in PATHS with every configuration and seed, each in a process with hard limits.

    PATHS are files that `plan` reads, and folders that are searched for them. Each cell (problem x configuration x
    seed) becomes a line of FOLDER/cells.jsonl, whatever became of it. A batch that was stopped continues with the same
    command; cells that have a row are not made again unless they crashed, or their problem or configuration has
    changed. A cell has one thread unless its configuration says otherwise. `catalytic compare FOLDER` reads the rows.

    Exit code 1: some cell crashed, or its problem was refused; the others have their rows all the same.
    """
    from catalytic.app.batch import BatchRequest, run_batch
    from catalytic.app.study.cell import Limits
    from catalytic.app.views import document
    from catalytic.app.views.batch import summary

    request = BatchRequest(
        paths=paths,
        configurations=configurations,
        seeds=seeds,
        jobs=jobs or len(os.sched_getaffinity(0)),
        time_limit_s=time_limit_s,
        limits=Limits(grace_s, memory),
        folder=folder,
        plans=plans,
    )
    try:
        with _progress() as observer:
            answer = run_batch(request, observer)
    except KeyboardInterrupt:
        output.note(f"finished cells are recorded in {folder}: the same command continues")
        raise
    if as_json:
        output.document(document.render("catalytic-batch/1", answer))
    else:
        output.result(summary(answer, width=output.terminal_width()), style="" if answer.failed else "bold green")
    return 1 if answer.failed else 0


@contextmanager
def _progress() -> Iterator[Observer]:
    """Notes as lines; the progress of cells as a bar, or as a line now and then where nobody watches."""
    with progress_bar("starting") as bar:
        last = time.monotonic()

        def observe(event: Progress) -> None:
            nonlocal last
            if event.phase == "note":
                output.note(f"note: {event.message}")
            elif event.phase != "cells" or sys.stderr.isatty():
                if bar is not None:
                    bar(event)
            elif time.monotonic() - last >= TELL_EVERY_S or event.fraction == 1:
                last = time.monotonic()
                output.note(event.message)

        yield observe
