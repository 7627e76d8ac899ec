"""How a plan is executed: what ``run`` and ``resume`` ask for in the same words."""

from __future__ import annotations

import rich_click as click

from .options import ANY_FOLDER, POSITIVE, SCALE, SECONDS, Command, applied

SEALS = ("sha256", "blake3", "xxh3_128")


processes_option = click.option("--processes", type=POSITIVE, help="Worker processes. [default: the problem's workers]")
force_option = click.option("--force", is_flag=True, help="Replace exported files that exist.")
repair_option = click.option("--repair-spill", is_flag=True, help="A repair that does not fit may use a file outside.")


def run_options(command: Command) -> Command:
    """Options of an execution."""
    return applied(
        [
            click.option("--output-dir", type=ANY_FOLDER, help="Where exports go. [default: ./NAME-out]"),
            processes_option,
            force_option,
            click.option("--discard", is_flag=True, help="Give up an unfinished run, and buffers that one kept."),
            click.option("--seal", type=click.Choice(SEALS), help="Digest of every region. [default: the plan's]"),
            click.option(
                "--scrub",
                type=click.Choice(["none", "pattern"]),
                default="none",
                show_default=True,
                help="pattern: fill a region before its writer starts, which exposes outputs left unwritten.",
            ),
            repair_option,
            click.option(
                "--time-factor",
                type=SCALE,
                default=1.0,
                show_default=True,
                help="Multiplies the duration of synthetic tasks.",
            ),
            click.option("--task-timeout", "task_timeout_s", type=SECONDS, help="Limit of tasks that set none."),
        ],
        command,
    )
