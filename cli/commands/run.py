"""``catalytic run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .. import output
from ..options import ANY_FOLDER, CONTEXT, EXISTING_FILE, exit_codes, json_option, search_options, shape_options
from ..progress import progress_bar
from ..requests import execution_of, search_of, shape_of
from ..run_options import run_options
from ..signals import remembered_signals

if TYPE_CHECKING:
    from catalytic.app.run import RunRequest


@click.command("run", context_settings=CONTEXT, epilog=exit_codes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143))
@click.argument("file", metavar="PROBLEM|PLAN", type=EXISTING_FILE)
@click.option("--workspace", type=ANY_FOLDER, help="Workspace; created if missing. [default: ./NAME-workspace]")
@click.option("--dry-run", is_flag=True, help="Say what would happen and write nothing.")
@click.option("--no-reuse", is_flag=True, help="Give every buffer bytes of its own, in a temporary workspace.")
@run_options
@search_options
@shape_options
@click.option("--best-effort", is_flag=True, help="Run the best plan even if it misses the target.")
@click.option("--integrity/--no-integrity", default=True, show_default=True, help="Seal every region with digests.")
@click.option("--monitoring", is_flag=True, help="Write metrics and scrub sealed regions periodically.")
@json_option
def command(file: Path, workspace: Path | None, dry_run: bool, as_json: bool, **options: Any) -> int:
    """Run a plan, or plan a problem and run it, creating the workspace if it does not exist.

    Exported buffers go to the output directory. An interrupted run is taken up with `catalytic resume WORKSPACE`. A
    plan file runs as it is, unless an option changes its problem, asks for a larger reuse factor or for a strategy that
    is not the plan's own: then its problem is planned again.
    """
    from catalytic.app.run import RunRequest

    request = RunRequest(file, workspace, shape_of(options), search_of(options), execution_of(options))
    return _rehearse(request, as_json) if dry_run else executed(request, as_json)


def _rehearse(request: RunRequest, as_json: bool) -> int:
    from catalytic.app.run import dry_run
    from catalytic.app.views import document
    from catalytic.app.views import run as view

    with progress_bar("planning") as observer:
        answer = dry_run(request, observer)
    if as_json:
        output.document(document.render("catalytic-dry-run/1", answer))
    else:
        output.result(view.rehearsal(answer))
    return 0


def executed(request: RunRequest, as_json: bool) -> int:
    """Run, and print how it went."""
    from catalytic.app.run import run
    from catalytic.app.views import document
    from catalytic.app.views import run as view

    with progress_bar("preparing") as observer, remembered_signals() as signal:
        answer = run(request, observer)
        ended_by = signal()
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-run/1", answer))
    else:
        output.result(view.finished(answer), style=view.report_style(answer.report))
    return output.report_exit_code(answer.report, ended_by)
