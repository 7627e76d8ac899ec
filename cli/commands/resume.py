"""``catalytic resume``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FOLDER, exit_codes, json_option
from ..progress import progress_bar
from ..run_options import force_option, processes_option, repair_option
from ..signals import remembered_signals


@click.command("resume", context_settings=CONTEXT, epilog=exit_codes(0, 1, 2, 5, 6, 7, 8, 9, 130, 143))
@click.argument("workspace", type=EXISTING_FOLDER)
@processes_option
@force_option
@repair_option
@json_option
def command(workspace: Path, processes: int | None, force: bool, repair_spill: bool, as_json: bool) -> int:
    """Take up the interrupted run of WORKSPACE: run what it left undone, and what is damaged and still needed.

    Everything else stays what the run was asked when it began.
    """
    from catalytic.app.resume import ResumeRequest, resume
    from catalytic.app.views import document
    from catalytic.app.views import run as view

    with progress_bar("preparing") as observer, remembered_signals() as signal:
        answer = resume(ResumeRequest(workspace, processes, force, repair_spill), observer)
        ended_by = signal()
    if as_json:
        output.document(document.render("catalytic-resume/1", answer))
    else:
        output.result(view.resumed(answer), style=view.report_style(answer.report))
    return output.report_exit_code(answer.report, ended_by)
