"""``catalytic check``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FILE, exit_codes, json_option
from ..progress import progress_bar


@click.command("check", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5))
@click.argument("plan", type=EXISTING_FILE)
@click.argument("problem", type=EXISTING_FILE, required=False)
@json_option
def command(plan: Path, problem: Path | None, as_json: bool) -> int:
    """Check that PLAN obeys every rule, and that it answers PROBLEM if one is given.

    The checker shares no code with the planner: it recomputes lifetimes, owners, measures and bounds (from their
    witnesses) and lists every broken rule.
    """
    from catalytic.app.check import check_plan
    from catalytic.app.views import document
    from catalytic.app.views.headline import headline

    with progress_bar("checking"):
        answer = check_plan(plan, problem)
    if as_json:
        output.document(document.render("catalytic-check/1", answer))
    else:
        output.result(f"valid: {headline(answer.summary)}", style="bold green")
    return 0
