"""``catalytic show``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FILE, exit_codes, json_option


@click.command("show", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5))
@click.argument("plan", type=EXISTING_FILE)
@click.option("--width", type=click.IntRange(min=40), help="Columns to use. [default: the terminal's, or 100]")
@click.option(
    "--analysis",
    is_flag=True,
    help="Instead: why the plan takes as long as it does (its critical chain), slack and bottlenecks of tasks and "
    "buffers, what idle workers waited for, and what one more of something would give. The plan is checked first.",
)
@json_option
def command(plan: Path, width: int | None, analysis: bool, as_json: bool) -> int:
    """Show PLAN: one headline, the policies, tables, a Gantt chart and a memory map.

    Sizes are bytes in decimal units (GB = 10^9), times seconds from the start of the plan.
    """
    if analysis:
        return _analysis(plan, width, as_json)
    from catalytic.app.show import show_plan
    from catalytic.app.views import document
    from catalytic.app.views import plan as view
    from catalytic.app.views.headline import headline_style

    answer = show_plan(plan)
    if as_json:
        output.document(document.render("catalytic-show/1", answer.summary))
    else:
        text = view.full(answer.summary, answer.plan, width=width or output.terminal_width())
        output.result(text, style=headline_style(answer.summary))
    return 0


def _analysis(plan: Path, width: int | None, as_json: bool) -> int:
    from catalytic.app.analysis import analyse_plan
    from catalytic.app.views import analysis as view
    from catalytic.app.views import document
    from catalytic.app.views.headline import headline_style

    answer = analyse_plan(plan)
    if as_json:
        output.document(document.render("catalytic-analysis/1", answer))
    else:
        text = view.analysis_report(answer, width=width or output.terminal_width())
        output.result(text, style=headline_style(answer.summary))
    return 0
