"""``catalytic compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, exit_codes, json_option
from ..progress import progress_bar

OF_STUDIES = ("baseline", "as_csv", "as_markdown", "page")
OF_PLANS = ("gates",)
"""Options that concern one of the two uses."""


@click.command("compare", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 8, 9))
@click.argument("paths", nargs=-1, required=True, metavar="FOLDER | PLAN1 PLAN2", type=click.Path(path_type=Path))
@click.option("--baseline", metavar="NAME", help="Configuration to compare with. [default: the first of the study]")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: values in bytes or milliseconds, times in seconds.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown.")
@click.option("--html", "page", type=ANY_FILE, help="Write one page with tables and pictures, besides what is printed.")
@click.option(
    "--fail-if",
    "gates",
    multiple=True,
    metavar="GATE",
    help="Exit with 8 when PLAN2 is worse: makespan+5%, footprint+0, footprint+64MiB, reuse_factor-0.01. Repeatable.",
)
@json_option
def command(paths: tuple[Path, ...], as_json: bool, **options: Any) -> int:
    """Compare the configurations of a study, or two plans.

    FOLDER is what `catalytic batch --out` wrote: values, bounds and times of every configuration, ratios to the
    baseline with intervals (no difference is claimed when the interval contains 1), and, loudly and with exit code 5,
    bounds and values that contradict each other.

    PLAN1 PLAN2: what changed from the first to the second: figures, bounds, moved tasks and regions, edges. A gate
    METRIC+AMOUNT fails when the metric grew by more than the amount, METRIC-AMOUNT when it fell by more; an amount is a
    number, with % a share of the old value. Metrics: makespan (s), footprint, peak_live, allocated (bytes),
    reuse_factor, gap, reuse_edges.
    """
    if len(paths) == 1 and paths[0].is_dir():
        _refuse(OF_PLANS, options, "this is a study, not two plans")
        return _study(paths[0], as_json, options)
    if len(paths) == 2 and not any(path.is_dir() for path in paths):
        _refuse(OF_STUDIES, options, "these are two plans, not a study")
        return _plans(paths[0], paths[1], as_json, options["gates"])
    found = ", ".join(f"{path} ({'a folder' if path.is_dir() else 'no folder'})" for path in paths)
    raise click.UsageError(f"found {found}; allowed: the folder of one study, or two plan files.")


def _refuse(names: tuple[str, ...], options: dict[str, Any], why: str) -> None:
    words = {"as_csv": "--csv", "as_markdown": "--markdown", "page": "--html", "gates": "--fail-if"}
    given = [words.get(name, f"--{name}") for name in names if options[name]]
    if given:
        raise click.UsageError(f"{', '.join(given)} cannot be given: {why}.")


def _study(folder: Path, as_json: bool, options: dict[str, Any]) -> int:
    from catalytic.app.compare import compare_study
    from catalytic.app.files import write_whole
    from catalytic.app.views import document
    from catalytic.app.views import study as view
    from catalytic.app.views.study_page import study_page

    if as_json + options["as_csv"] + options["as_markdown"] > 1:
        raise click.UsageError("--json, --csv and --markdown exclude each other.")
    answer = compare_study(folder, options["baseline"])
    if options["page"] is not None:
        write_whole(options["page"], study_page(answer).encode())
        output.note(f"wrote {options['page']}")
    if as_json:
        output.document(document.render("catalytic-study/1", answer))
    elif options["as_csv"]:
        output.document(view.study_csv(answer).encode().rstrip(b"\n"))
    elif options["as_markdown"]:
        output.result(view.study_markdown(answer))
    else:
        output.result(view.study_text(answer, width=output.terminal_width()), style="bold")
    return _told_of([str(c) for c in answer.contradictions])


def _plans(before: Path, after: Path, as_json: bool, gates: tuple[str, ...]) -> int:
    from catalytic.app.gates import parse_gates
    from catalytic.app.plan_difference import compare_plans
    from catalytic.app.views import document
    from catalytic.app.views import plan_difference as view

    parsed = parse_gates(gates)
    with progress_bar("checking"):
        answer = compare_plans(before, after, parsed)
    if as_json:
        output.document(document.render("catalytic-plan-difference/1", answer))
    else:
        output.result(view.difference_text(answer, width=output.terminal_width()), style="bold")
    failed = [gate for gate in answer.gates if not gate.passed]
    for gate in failed:
        output.note(f"catalytic compare: gate {view.gate_words(gate)}")
    return _told_of(answer.contradictions) or (8 if failed else 0)


def _told_of(contradictions: Any) -> int:
    """Say aloud what cannot all be true; the exit code that goes with it, or 0."""
    for sentence in contradictions:
        output.note(f"catalytic compare: CONTRADICTION, one of these is wrong: {sentence}")
    return 5 if contradictions else 0
