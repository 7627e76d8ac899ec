"""``catalytic explain``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FILE, FACTOR, exit_codes, json_option, shape_options
from ..order_options import budget_of, order_options
from ..progress import progress_bar
from ..requests import shape_of


@click.command("explain", context_settings=CONTEXT, epilog=exit_codes(0, 2, 3, 4, 5, 9, 130, 143))
@click.argument("problem", type=EXISTING_FILE)
@click.option("--reuse-factor", "target", type=FACTOR, help="What to reach. [default: whatever fits the workspace]")
@order_options
@shape_options
@click.option("--order", is_flag=True, help="Also print the best order, one task per line.")
@json_option
def command(problem: Path, target: float | None, order: bool, as_json: bool, **options: Any) -> int:
    """Say why PROBLEM cannot reach a reuse factor, or show the order that does.

    Out of reach (exit 3): the proof, the task and the buffers that force it, and command lines that work. In reach
    (exit 0): the live bytes along an order of tasks run one at a time, and what is alive at its peak; placing them and
    running in parallel is what `plan` does. Neither (exit 4): both bounds. Without --reuse-factor the question is
    whether the workspace is large enough. Sizes are bytes (GB = 10^9), times seconds.

    \b
    For example:
      catalytic explain survey.json --reuse-factor 0.7
      catalytic explain survey.json --size 16MB --partitions 1 --order
    """
    from catalytic.app.explain import ExplainRequest, Verdict, explain_problem
    from catalytic.app.views import document
    from catalytic.app.views import explain as view

    request = ExplainRequest(problem, target, shape_of(options), budget_of(options))
    with progress_bar("explaining") as observer:
        answer = explain_problem(request, observer)
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-explain/1", answer))
    else:
        text = view.explanation(answer, width=output.terminal_width(), order=order)
        output.result(text, style=view.STYLES[answer.verdict])
    return {Verdict.POSSIBLE: 0, Verdict.IMPOSSIBLE: 3, Verdict.UNDECIDED: 4}[answer.verdict]
