"""What several commands ask for in the same words: sizes, factors, the shape of the workspace, the search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from catalytic.solver.budget import MAX_SEED, MAX_WORKERS
from catalytic.solver.units import SIZE_FORM, Bytes, parse_duration, parse_size, to_seconds

from .exit_codes import EXIT_CODES

if TYPE_CHECKING:
    # Generic since click 8.5, and not subscriptable before.
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["-h", "--help"]}
"""Settings of every command."""

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
ANY_FILE = click.Path(dir_okay=False, path_type=Path)
FILE_OR_FOLDER = click.Path(path_type=Path)
ANY_FOLDER = click.Path(file_okay=False, path_type=Path)


class Size(ParamType):
    """Bytes: an integer, or text such as 10GB or 8GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Bytes:
        text = str(value)
        try:
            return parse_size(int(text) if text.isdigit() else text)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "SIZE"


class Factor(ParamType):
    """A reuse factor: at least 0 and below 1."""

    name = "factor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"found {value!r}, allowed a number from 0 to below 1", param, ctx)
        # Not written as `number < 0 or number >= 1`: NaN must be refused too.
        if not 0 <= number < 1:
            self.fail(f"found {value!r}, allowed a number from 0 to below 1", param, ctx)
        return number

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "FACTOR"


class Seconds(ParamType):
    """A positive number of seconds."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            ticks = parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return float(to_seconds(ticks))

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "SECONDS"


class Scale(ParamType):
    """A positive, finite factor."""

    name = "scale"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not 0 < number < float("inf"):
            self.fail(f"found {value!r}, allowed a positive number", param, ctx)
        return number

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "F"


class Setting(ParamType):
    """One named value: width=8."""

    name = "setting"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        name, equals, text = (word.strip() for word in str(value).partition("="))
        if not name or not equals or not text:
            self.fail(f"found {value!r}, allowed NAME=VALUE, such as width=8", param, ctx)
        return name, text

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "NAME=VALUE"


class Dimension(ParamType):
    """The size of one named dimension of tensors: batch=1."""

    name = "dimension"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        # Names may hold '=': the size is what follows the last one.
        symbol, _, size = str(value).rpartition("=")
        if not symbol or not size.isascii() or not size.isdigit() or int(size) >= 2**31:
            self.fail(f"found {value!r}, allowed NAME=N with a whole number N, such as batch=1", param, ctx)
        return symbol, int(size)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "NAME=N"


SIZE, FACTOR, SECONDS, SCALE, DIMENSION, SETTING = Size(), Factor(), Seconds(), Scale(), Dimension(), Setting()
POSITIVE = click.IntRange(min=1)
SEED = click.IntRange(0, MAX_SEED)
THREADS = click.IntRange(1, MAX_WORKERS)
ISOLATION = click.Choice(["exclusive", "shared"])
INPUTS = click.Choice(["external", "lazy", "preload"])
OUTPUTS = click.Choice(["export", "keep", "discard"])
OBJECTIVE = click.Choice(["reuse", "makespan"])
STRATEGY = click.Choice(["throughput", "latency", "memory", "balanced", "auto"])


def exit_codes(*codes: int) -> str:
    """The epilog of a command's help: the exit codes it can return."""
    return "Exit codes: " + ", ".join(f"{code} {EXIT_CODES[code]}" for code in codes) + "."


def applied(options: list[Callable[[Any], Any]], command: Command) -> Command:
    """``command`` with ``options``, shown in the order in which they are listed."""
    for option in reversed(options):
        command = option(command)
    return command


def json_option(command: Command) -> Command:
    """``--json``: one versioned document instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout instead of text.")(
        command
    )


def shape_options(command: Command) -> Command:
    """Options that change the problem before it is planned. Unset options leave what the file says."""
    return applied(
        [
            click.option("--size", type=SIZE, help=f"Workspace size: {SIZE_FORM}. [default: the file's, or 10GB]"),
            click.option("--partitions", type=POSITIVE, help="Number of partitions. [default: the file's, or 8]"),
            click.option("--alignment", type=POSITIVE, help="Bytes, a power of two. [default: the file's, or 4096]"),
            click.option("--workers", type=POSITIVE, help="Tasks that run at once. [default: the file's, or cores]"),
            click.option("--isolation", type=ISOLATION, help="Whether tasks may write one partition at the same time."),
            click.option("--inputs", type=INPUTS, help="Where external inputs are. [default: the file's, or external]"),
            click.option("--outputs", type=OUTPUTS, help="What becomes of unread outputs. [default: the file's]"),
        ],
        command,
    )


def new_problem_options(command: Command) -> Command:
    """The same words as ``shape_options`` where there is no file yet that could say anything."""
    return applied(
        [
            click.option("--size", type=SIZE, help=f"Workspace size: {SIZE_FORM}. [default: all buffers side by side]"),
            click.option("--partitions", type=POSITIVE, help="Number of partitions. [default: 1]"),
            click.option("--alignment", type=POSITIVE, help="Bytes, a power of two. [default: 4096]"),
            click.option("--workers", type=POSITIVE, help="Tasks that run at once. [default: 8]"),
            click.option("--isolation", type=ISOLATION, help="Whether tasks may write one partition at the same time."),
            click.option("--inputs", type=INPUTS, help="Where external inputs are. [default: external]"),
            click.option("--outputs", type=OUTPUTS, help="What becomes of unread outputs. [default: export]"),
        ],
        command,
    )


def search_options(command: Command) -> Command:
    """Options of the search for a plan."""
    return applied(
        [
            click.option("--reuse-factor", "target", type=FACTOR, help="Target: least reuse factor to accept."),
            click.option(
                "--objective",
                type=OBJECTIVE,
                help="reuse: largest reuse factor, then least makespan. makespan: least makespan within the target. "
                "[default: reuse]",
            ),
            click.option(
                "--strategy",
                type=STRATEGY,
                help="Objective and target by name. memory: objective reuse. throughput: least makespan in the "
                "workspace, no target. latency: the same, then final outputs as early as the plan's regions allow. "
                "balanced: least makespan at a reuse factor of 0.8 if an order reaches it, else with 5% more bytes "
                "than the least footprint found. auto: one of these by the problem's size, width and need of memory, "
                "and why.",
            ),
            click.option(
                "--time-limit",
                "time_limit_s",
                type=SECONDS,
                default=60.0,
                show_default=True,
                help="Seconds for the whole answer, counted from the start of the program.",
            ),
            click.option("--seed", type=SEED, default=0, show_default=True, help="Of the search."),
            click.option(
                "--deterministic",
                is_flag=True,
                help="Count work instead of seconds: same problem, seed and version give the same file.",
            ),
            click.option(
                "--threads",
                type=THREADS,
                help="Threads of the search. [default: cores, or 2 with --deterministic]",
            ),
        ],
        command,
    )
