"""``catalytic plan``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .. import output
from ..options import (
    ANY_FILE,
    CONTEXT,
    EXISTING_FILE,
    EXISTING_FOLDER,
    exit_codes,
    json_option,
    search_options,
    shape_options,
)
from ..progress import progress_bar
from ..requests import plan_request

if TYPE_CHECKING:
    from catalytic.app.request import PlanRequest


@click.command("plan", context_settings=CONTEXT, epilog=exit_codes(0, 2, 3, 4, 5, 9, 130, 143))
@click.argument("problem", type=EXISTING_FILE)
@click.option(
    "-o",
    "--output",
    "file",
    type=ANY_FILE,
    default="catalytic-execution.json",
    show_default=True,
    help="Plan file to write.",
)
@click.option("--workspace", type=EXISTING_FOLDER, help="Plan for this existing workspace: its size and partitions.")
@search_options
@shape_options
@click.option("--best-effort", is_flag=True, help="Write the best plan even if it misses the target.")
@click.option("--integrity/--no-integrity", default=True, show_default=True, help="Seal every region with digests.")
@click.option("--monitoring", is_flag=True, help="Runs of the plan write metrics and scrub sealed regions.")
@click.option(
    "--what-if",
    metavar="NAME=VALUE,VALUE...",
    help="Plan once per value of size, partitions, workers or reuse-factor, print the trade as a table and write no "
    "plan. The time limit is shared among the values.",
)
@json_option
def command(
    problem: Path, file: Path, workspace: Path | None, what_if: str | None, as_json: bool, **options: Any
) -> int:
    """Find a plan for PROBLEM and a bound on every other plan, and write the plan file.

    PROBLEM is a problem file, a strategy or timeline file, a plan (its problem is planned again), a WfCommons
    workflow, a node-link graph, an ONNX model or a HyperDAG. A target that is missed but not disproved within the time
    limit exits with 4; one that is proved out of reach exits with 3 and says which command lines do work.
    """
    request = plan_request(problem, file, workspace, options)
    return planned(request, as_json) if what_if is None else _traded(request, what_if, as_json)


def planned(request: PlanRequest, as_json: bool) -> int:
    """Plan, write the plan file, and print what the plan is worth."""
    from catalytic.app.plan import make_plan
    from catalytic.app.views import document
    from catalytic.app.views import plan as view
    from catalytic.app.views.headline import headline_style

    with progress_bar("planning") as observer:
        answer = make_plan(request, observer)
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-plan/1", answer))
    else:
        output.result(view.brief(answer.summary), style=headline_style(answer.summary))
        output.note(f"wrote {answer.file}")
    return 0


def _traded(request: PlanRequest, what_if: str, as_json: bool) -> int:
    from catalytic.app.trade import parse_variations, trade
    from catalytic.app.views import document
    from catalytic.app.views import trade as view

    variations = parse_variations(what_if)
    with progress_bar("planning") as observer:
        answer = trade(dataclasses.replace(request, output=None), variations, observer)
    if as_json:
        output.document(document.render("catalytic-trade/1", answer))
    else:
        output.result(view.trade_table(answer, width=output.terminal_width()))
    return 0
