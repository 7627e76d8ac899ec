"""What ``bound`` and ``explain`` ask for in the same words: how long to search orders, and with what."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import rich_click as click

from .options import SECONDS, SEED, THREADS, Command, applied
from .requests import STARTED

if TYPE_CHECKING:
    from catalytic.solver.budget import Budget


def order_options(command: Command) -> Command:
    """Options of a search for orders."""
    return applied(
        [
            click.option(
                "--time-limit",
                "time_limit_s",
                type=SECONDS,
                default=60.0,
                show_default=True,
                help="Seconds for the whole answer, counted from the start of the program; less when all is proved.",
            ),
            click.option("--seed", type=SEED, default=0, show_default=True, help="Of the search."),
            click.option("--threads", type=THREADS, help="Threads of the search. [default: cores]"),
        ],
        command,
    )


def budget_of(options: Mapping[str, Any]) -> Budget:
    """What ``order_options`` say."""
    from catalytic.solver.budget import Budget

    threads = options["threads"] or os.cpu_count() or 1
    return Budget(options["time_limit_s"], threads, options["seed"], started=STARTED)
