"""The program ``catalytic``: find the command, run it, and turn whatever happened into an exit code.

Commands are loaded by name when they are needed, so that ``catalytic --help`` stays fast whatever a use case imports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import NoReturn

import rich_click as click

from catalytic.solver.errors import CatalyticError, StorageError

from . import output
from .exit_codes import EXIT_CODES

COMMANDS = {
    "init": "init",
    "import": "import_file",
    "export": "export",
    "generate": "generate",
    "bound": "bound",
    "explain": "explain",
    "place": "place",
    "plan": "plan",
    "check": "check",
    "show": "show",
    "report": "report",
    "batch": "batch",
    "compare": "compare",
    "run": "run",
    "resume": "resume",
    "cancel": "cancel",
    "verify": "verify",
    "status": "status",
    "gc": "gc",
    "schema": "schema",
    "doctor": "doctor",
    "completion": "completion",
}
"""Word on the command line -> module in ``cli/commands``, in the order in which a user meets them."""


class CommandsByName(click.RichGroup):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f".commands.{COMMANDS[cmd_name]}", __package__).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if not word.startswith("-") and word not in COMMANDS and not ctx.resilient_parsing:
            near = get_close_matches(word, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {word!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=CommandsByName,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: " + ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".",
)
@click.version_option(package_name="catalytic", prog_name="catalytic")
def program() -> None:
    """Plan a DAG of tasks into a fixed, file-backed workspace, prove bounds on every other plan, and run it.

    Sizes are bytes or text with a unit (GB = 10^9, GiB = 2^30); times are seconds. Results go to stdout, everything
    else to stderr. NO_COLOR switches colours off.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    sys.exit(exit_code_of(program, arguments, "catalytic"))


def exit_code_of(command: click.Command, arguments: Sequence[str] | None, name: str) -> int:
    """Run ``command`` and return its exit code. Expected errors become one message; bugs keep their traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = command.main(args=words, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        output.usage_error(error, as_json="--json" in words)
        return error.exit_code
    except CatalyticError as error:
        output.expected_error(error, name, as_json="--json" in words)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        output.note(f"{name}: interrupted")
        return 130
    except BrokenPipeError:
        return _nobody_reads()
    except SystemExit as ended:
        # click and rich turn a broken pipe into this.
        if isinstance(ended.__context__, BrokenPipeError):
            return _nobody_reads()
        raise
    except OSError as error:
        # Files can vanish or refuse at any step; whoever knows more says more.
        where = f"{error.filename}: " if error.filename else ""
        trouble = StorageError(f"{where}{error.strerror or error}. Check the file and its permissions.")
        output.expected_error(trouble, name, as_json="--json" in words)
        return trouble.exit_code
    return code if isinstance(code, int) else 0


def _nobody_reads() -> int:
    """The reader of our output went away (`catalytic show plan | head`): nothing is wrong, nothing is left to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    return 0
