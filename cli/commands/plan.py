"""``catalytic plan``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .. import output
from ..options import (
    CONTEXT,
    EXISTING_FILE,
    EXISTING_FOLDER,
    FILE_OR_FOLDER,
    exit_codes,
    json_option,
    search_options,
    shape_options,
)
from ..progress import progress_bar
from ..requests import plan_request

if TYPE_CHECKING:
    from catalytic.app.request import PlanRequest

POINTS = 6
"""Plans of a frontier: enough to see its shape, few enough to have ten seconds each in a minute."""


@click.command("plan", context_settings=CONTEXT, epilog=exit_codes(0, 2, 3, 4, 5, 9, 130, 143))
@click.argument("problem", type=EXISTING_FILE)
@click.option(
    "-o",
    "--output",
    "file",
    type=FILE_OR_FOLDER,
    help="Plan file to write; with --pareto the folder. [default: catalytic-execution.json; with --pareto "
    "catalytic-frontier]",
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
@click.option(
    "--pareto",
    is_flag=True,
    help="The frontier of footprint against makespan: from the largest reuse factor to the least makespan in the "
    "workspace, each point a plan file in the folder of -o (point-01.json ..., those of an earlier frontier there are "
    "replaced) and a picture, frontier.svg. The time limit is shared among the searches.",
)
@click.option(
    "--points", type=click.IntRange(min=2), help=f"Most plans of the frontier. [default: {POINTS}; with --pareto only]"
)
@json_option
def command(
    problem: Path,
    file: Path | None,
    workspace: Path | None,
    what_if: str | None,
    pareto: bool,
    points: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Find a plan for PROBLEM and a bound on every other plan, and write the plan file.

    PROBLEM is a problem file, a strategy or timeline file, a plan (its problem is planned again), a WfCommons
    workflow, a node-link graph, an ONNX model or a HyperDAG. A target that is missed but not disproved within the time
    limit exits with 4; one that is proved out of reach exits with 3 and says which command lines do work.
    """
    if points is not None and not pareto:
        raise click.UsageError("--points is for --pareto.")
    if pareto:
        _require_no_goal(what_if, options)
        request = plan_request(problem, file, workspace, options)
        return _frontier(request, points or POINTS, as_json)
    if file is not None and file.is_dir():
        raise click.BadParameter(f"{str(file)!r} is a folder; a plan is written into a file.", param_hint="'-o'")
    request = plan_request(problem, file or Path("catalytic-execution.json"), workspace, options)
    return planned(request, as_json) if what_if is None else _traded(request, what_if, as_json)


def _require_no_goal(what_if: str | None, options: Mapping[str, Any]) -> None:
    """A frontier has every goal; those that are one point of it contradict it."""
    given = {
        "--what-if": what_if is not None,
        "--objective": options["objective"] is not None,
        "--reuse-factor": options["target"] is not None,
        "--strategy": options["strategy"] is not None,
        "--best-effort": options["best_effort"],
    }
    wrong = [name for name, is_given in given.items() if is_given]
    if wrong:
        raise click.UsageError(f"{', '.join(wrong)} cannot be given with --pareto, which goes through all goals.")


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


def _frontier(request: PlanRequest, points: int, as_json: bool) -> int:
    from catalytic.app.pareto import make_frontier
    from catalytic.app.views import document
    from catalytic.app.views import pareto as view

    with progress_bar("planning") as observer:
        answer = make_frontier(request, points, observer)
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-frontier/1", answer))
    else:
        proved = all(p.proved for p in answer.points)
        output.result(
            view.pareto_report(answer, width=output.terminal_width()), style="bold green" if proved else "bold"
        )
    output.note(f"wrote {answer.picture} and {answer.points[0].file} to {answer.points[-1].file} beside it")
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
