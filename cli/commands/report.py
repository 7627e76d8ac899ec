"""``catalytic report``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, EXISTING_FILE, exit_codes, json_option


@click.command("report", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 9))
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="PLAN|RUN")
@click.option(
    "-o",
    "--output",
    "file_out",
    type=ANY_FILE,
    default=Path("report.html"),
    show_default=True,
    help="File to write; its name ends in .html, .svg or .png. An existing one is replaced.",
)
@click.option("--plan", type=EXISTING_FILE, help="Of a run: its plan, when the workspace has another one by now.")
@json_option
def command(source: Path, file_out: Path, plan: Path | None, as_json: bool) -> int:
    """Write a page about a plan, or about a run of it.

    PLAN is a plan file. RUN is a workspace, for its last run, or the log of a run, WORKSPACE/logs/RUN.jsonl. Nothing is
    executed or verified: the figures are those of the plan and of the journal.

    The page is one file that loads nothing from anywhere. An .svg or .png shows its timeline: who runs, how much is
    alive and where it lies. A .png needs the extra `report`: pip install 'catalytic[report]'.

    Sizes are bytes in decimal units (GB = 10^9), times seconds from the start of the plan.

    \b
    For example:
      catalytic report catalytic-execution.json -o plan.html
      catalytic report survey-workspace -o run.html
      catalytic report survey-workspace/logs/ca2c3081c6b2.jsonl -o run.html --plan survey-plan.json
    """
    from catalytic.app.report import ReportRequest, write_report
    from catalytic.app.views import document
    from catalytic.app.views.words import plural
    from catalytic.solver.units import format_size

    answer = write_report(ReportRequest(source, file_out, plan))
    if as_json:
        output.document(document.render("catalytic-report/1", answer))
    else:
        about = f"{plural(answer.tasks, 'task')}, {plural(answer.buffers, 'buffer')}"
        run = f", run {answer.run_id}" if answer.run_id is not None else ""
        output.result(f"wrote {answer.file}: {answer.name}, {about}{run} ({format_size(answer.bytes)})")
    return 0
