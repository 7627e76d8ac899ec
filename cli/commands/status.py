"""``catalytic status``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FOLDER, exit_codes, json_option


@click.command("status", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 9))
@click.argument("workspace", type=EXISTING_FOLDER)
@click.option("--region", metavar="ID", help="A region or buffer: list the owners of its bytes over time.")
@json_option
def command(workspace: Path, region: str | None, as_json: bool) -> int:
    """Say what WORKSPACE is, what its last run did and who owns it now. Never waits for a running one."""
    from catalytic.app.status import workspace_status
    from catalytic.app.views import document
    from catalytic.app.views import workspace as view

    answer = workspace_status(workspace, region)
    if as_json:
        output.document(document.render("catalytic-status/1", answer))
    else:
        output.result(view.status(answer, width=output.terminal_width()), style="bold")
    return 0
