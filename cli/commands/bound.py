"""``catalytic bound``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FILE, exit_codes, json_option, shape_options
from ..order_options import budget_of, order_options
from ..progress import progress_bar
from ..requests import shape_of


@click.command("bound", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 9, 130, 143))
@click.argument("problem", type=EXISTING_FILE)
@order_options
@shape_options
@json_option
def command(problem: Path, as_json: bool, **options: Any) -> int:
    """Say what every plan of PROBLEM needs: least peak, largest reuse factor, smallest workspace.

    PROBLEM is what `plan` takes, except a timeline, whose order is fixed. Nothing is written. The figures hold for
    plans without recomputation or spilling; each states its evidence. Sizes are bytes (GB = 10^9), times seconds.

    \b
    For example:
      catalytic bound survey.json
      catalytic bound workflow.json --inputs lazy --outputs keep --time-limit 10
    """
    from catalytic.app.bound import BoundRequest, bound_problem
    from catalytic.app.views import bound as view
    from catalytic.app.views import document

    request = BoundRequest(problem, shape_of(options), budget_of(options))
    with progress_bar("bounding") as observer:
        answer = bound_problem(request, observer)
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-bound/1", answer))
    else:
        text = view.bound_report(answer, width=output.terminal_width())
        output.result(text, style="bold green" if answer.proved else "bold")
    return 0
