"""``catalytic doctor``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from catalytic.solver.units import Bytes

from .. import output
from ..options import ANY_FOLDER, CONTEXT, SIZE, exit_codes, json_option


@click.command("doctor", context_settings=CONTEXT, epilog=exit_codes(0, 2, 9))
@click.argument("folder", type=ANY_FOLDER, default=".")
@click.option("--size", type=SIZE, default="10GB", show_default=True, help="Bytes a new workspace should have.")
@json_option
def command(folder: Path, size: Bytes, as_json: bool) -> int:
    """Check the machine, the installation, and whether FOLDER can hold a workspace. Exit 9 if something fails.

    FOLDER is a workspace, a folder for one, or a path that does not exist yet. [default: the current folder]
    """
    from catalytic.app.doctor import examine
    from catalytic.app.views import doctor as view
    from catalytic.app.views import document

    answer = examine(folder, size=size)
    if as_json:
        output.document(document.render("catalytic-doctor/1", answer))
    else:
        output.result(view.findings(answer, width=output.terminal_width()), style="bold" if answer.healthy else "red")
    return 0 if answer.healthy else 9
