"""``catalytic export``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, exit_codes, json_option

FORMS = ("wfcommons", "dot", "minimalloc", "perfetto")
"""Forms that are written; ``app.exporting`` has them with what writes them."""


@click.command("export", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 8, 9))
@click.argument("form", type=click.Choice(FORMS), metavar="FORMAT")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FILE")
@click.option("-o", "--output", "target", type=ANY_FILE, required=True, help="File to write; - is stdout.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@json_option
def command(form: str, source: Path, target: Path, force: bool, as_json: bool) -> int:
    """Write FILE, a problem or a plan, in the FORMAT of another program, and say what that leaves out.

    \b
    wfcommons   WfCommons instance, wfformat 1.5
    dot         graph of the tasks, for Graphviz
    minimalloc  CSV of a plan's regions with their offsets
    perfetto    trace (JSON) of a plan: tasks by worker, regions by
                partition; or of a run: FILE is a workspace or a log

    FILE may also be whatever else `plan` takes. What the format cannot say is told on stderr.
    """
    from catalytic.app.exporting import ExportRequest, export_file
    from catalytic.app.placing import STDOUT
    from catalytic.app.views import document
    from catalytic.app.views import exporting as view

    if target == STDOUT and as_json:
        raise click.UsageError("-o - and --json would both write to stdout; name a file with -o.")
    answer, data = export_file(ExportRequest(form, source, target, force))
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-export/1", answer))
    elif answer.file is None:
        click.echo(data.decode(), nl=False, color=True)  # data, not a message: nothing is stripped
    else:
        output.result(view.exported(answer))
    return 0
