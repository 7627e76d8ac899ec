"""``catalytic resume``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FOLDER, exit_codes, json_option
from ..progress import progress_bar
from ..requests import execution_of
from ..run_options import run_options


@click.command("resume", context_settings=CONTEXT, epilog=exit_codes(0, 1, 2, 5, 6, 7, 8, 9, 130, 143))
@click.argument("workspace", type=EXISTING_FOLDER)
@run_options
@json_option
def command(workspace: Path, as_json: bool, **options: Any) -> int:
    """Take up the interrupted run of WORKSPACE: run what it left undone, and what is damaged and still needed."""
    from catalytic.app.resume import resume
    from catalytic.app.views import document
    from catalytic.app.views import run as view

    with progress_bar() as observer:
        answer = resume(workspace, execution_of(options), observer)
    if as_json:
        output.document(document.render("catalytic-resume/1", answer))
    else:
        output.result(view.report_lines(answer.report), style=view.report_style(answer.report))
    return output.report_exit_code(answer.report)
