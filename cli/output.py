"""How a command speaks: results on stdout, everything else on stderr, colours only where someone sees them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from signal import SIGINT
from typing import TYPE_CHECKING

import rich_click as click

from catalytic.solver.errors import CatalyticError

if TYPE_CHECKING:
    from rich.console import Console

    from catalytic.runtime.report import RunReport

MAX_WIDTH = 160
"""Wider terminals gain nothing: charts get longer, not clearer."""


def result(text: str, *, style: str = "") -> None:
    """Print a result for people. ``style`` colours the first line, where the headline is."""
    headline, newline, rest = _printable(text).partition("\n")
    _console(stderr=False).print(headline, style=style or None, soft_wrap=True)
    if newline:
        click.echo(rest)


def document(data: bytes) -> None:
    """Print the one JSON document of ``--json``."""
    click.echo(data.decode())


def note(message: str) -> None:
    """Say something that is not a result."""
    click.echo(_printable(message), err=True)


def _printable(text: str) -> str:
    """``text`` with control characters spelled out: a name from a file must not move the cursor or set the title."""
    return "".join(c if c == "\n" or c.isprintable() else ascii(c)[1:-1] for c in text)


def usage_error(error: click.ClickException, *, as_json: bool) -> None:
    """A mistake on the command line: what is wrong and where the help is."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "catalytic"
    note(f"{path}: {error.format_message()}")
    if isinstance(error, click.UsageError):
        note(f"Try '{path} --help'.")
    if as_json:
        _error_document({"error": "UsageError", "exit_code": error.exit_code, "message": error.format_message()})


def expected_error(error: CatalyticError, name: str, *, as_json: bool) -> None:
    """One clear message for an error of the tree; with ``--json`` also one document on stdout."""
    note(f"{name}: {error}")
    if as_json:
        from catalytic.app.views.document import error_fields

        _error_document(error_fields(error))


def _error_document(fields: Mapping[str, object]) -> None:
    from catalytic.app.views.document import render

    document(render("catalytic-error/1", fields))


def terminal_width() -> int:
    """Columns available on stdout: the terminal's width or $COLUMNS, 100 when there is neither."""
    import os
    import shutil

    known = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return min(MAX_WIDTH, max(40, shutil.get_terminal_size((100, 24)).columns)) if known else 100


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def report_exit_code(report: RunReport, signal: int | None) -> int:
    """Exit code of a run that ended without an exception; ``signal`` is the one that interrupted it, if known."""
    from catalytic.runtime.report import RunStatus

    return {
        RunStatus.COMPLETE: 0,
        RunStatus.PARTIAL: 1,
        RunStatus.CANCELLED: 7,
        RunStatus.INTERRUPTED: 128 + (signal or SIGINT),
    }[report.status]
