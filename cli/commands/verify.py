"""``catalytic verify``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FOLDER, exit_codes, json_option
from ..progress import progress_bar


@click.command("verify", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 6, 9))
@click.argument("workspace", type=EXISTING_FOLDER)
@json_option
def command(workspace: Path, as_json: bool) -> int:
    """Hash every sealed living region of WORKSPACE again and compare; exit 5 when bytes are damaged."""
    from catalytic.app.verify import verify_workspace
    from catalytic.app.views import document
    from catalytic.app.views import workspace as view

    with progress_bar("verifying"):
        report = verify_workspace(workspace)
    if as_json:
        output.document(document.render("catalytic-verify/1", report))
    else:
        output.result(view.verified(report), style="bold red" if report.damaged else "bold green")
    return 5 if report.damaged else 0
