"""``catalytic cancel``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FOLDER, exit_codes, json_option


@click.command("cancel", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 9))
@click.argument("workspace", type=EXISTING_FOLDER)
@json_option
def command(workspace: Path, as_json: bool) -> int:
    """Ask the run that owns WORKSPACE to stop; it ends with exit code 7 and can be resumed."""
    from catalytic.app.cancel import cancel
    from catalytic.app.views import document

    answer = cancel(workspace)
    if as_json:
        output.document(document.render("catalytic-cancel/1", answer))
    else:
        output.result(f"asked process {answer.owner_pid} to stop")
    return 0
