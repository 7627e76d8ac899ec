"""``catalytic check``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from .. import output
from ..options import CONTEXT, EXISTING_FILE, exit_codes, json_option
from ..progress import progress_bar


@click.command("check", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5))
@click.argument("files", type=EXISTING_FILE, nargs=-1, required=True, metavar="PLAN [PROBLEM] | PROBLEM | FILE...")
@click.option("--each", is_flag=True, help="Check every FILE alone, and go on after a bad one.")
@click.option("--skip-others", is_flag=True, help="With --each: pass over files that are no problem, plan or strategy.")
@json_option
def command(files: tuple[Path, ...], each: bool, skip_others: bool, as_json: bool) -> int:
    """Check that PLAN obeys every rule, and that it answers PROBLEM if one is given; or what is wrong with PROBLEM.

    The checker shares no code with the planner: it recomputes lifetimes, owners, measures and bounds (from their
    witnesses) and lists every broken rule. Of a problem every mistake of its file is listed.

    With --each, plans and problems are checked one by one, as hooks and jobs want it: the exit code is that of the
    worst file.
    """
    if each:
        return _each(files, skip_others, as_json)
    if skip_others:
        raise click.UsageError("--skip-others needs --each.")
    if len(files) > 2:
        raise click.UsageError(f"found {len(files)} files, allowed a plan and its problem; --each takes any number.")
    from catalytic.app.check import CheckAnswer, check_file, check_plan
    from catalytic.app.views import check as view
    from catalytic.app.views import document
    from catalytic.solver.formats import detect

    if len(files) == 2 and detect(files[0]) != "plan":
        raise click.UsageError(f"{files[0]} is no plan; allowed a plan and its problem; --each takes any files.")
    with progress_bar("checking"):
        answer = check_plan(*files) if len(files) == 2 else check_file(files[0])
    if as_json:
        name = "catalytic-check/1" if isinstance(answer, CheckAnswer) else "catalytic-check-problem/1"
        output.document(document.render(name, answer))
    else:
        output.result(view.checked(answer), style="bold green")
    return 0


def _each(files: tuple[Path, ...], skip_others: bool, as_json: bool) -> int:
    from catalytic.app.check import check_each
    from catalytic.app.views import check as view
    from catalytic.app.views import document

    with progress_bar("checking"):
        found = check_each(files, skip_others=skip_others)
    for one in found:
        if one.error is not None:
            output.note(view.refused(one))
    if as_json:
        output.document(document.render("catalytic-check-each/1", view.each_document(found)))
    else:
        output.result(view.each(found))
    return max((one.error.exit_code for one in found if one.error is not None), default=0)
