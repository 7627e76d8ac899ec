"""``catalytic gc``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FOLDER, exit_codes, json_option


@click.command("gc", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 6, 8, 9))
@click.argument("workspace", type=EXISTING_FOLDER)
@click.option("--kept", is_flag=True, help="Also forget the buffers that the last run kept.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed and remove nothing.")
@json_option
def command(workspace: Path, kept: bool, dry_run: bool, as_json: bool) -> int:
    """Remove what dead programs left in and beside WORKSPACE: staged and half-written files.

    The workspace keeps its size. Refused (exit 6) while a run owns the workspace.
    """
    from catalytic.app.gc import collect
    from catalytic.app.views import document
    from catalytic.app.views import workspace as view

    answer = collect(workspace, kept=kept, dry_run=dry_run)
    if as_json:
        output.document(document.render("catalytic-gc/1", answer))
    else:
        output.result(view.collected(answer))
    return 0
