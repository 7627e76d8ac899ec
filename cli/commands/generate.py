"""``catalytic generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, SETTING, exit_codes, json_option, new_problem_options
from ..requests import shape_of


@click.command("generate", context_settings=CONTEXT, epilog=exit_codes(0, 2, 8, 9))
@click.argument("family", required=False)
@click.option("--list", "listed", is_flag=True, help="Tell every family, what it models and its parameters.")
@click.option(
    "--tasks", type=click.IntRange(min=1), help="Tasks, or as few less as the shape allows. [default: the family's]"
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of everything drawn.")
@click.option(
    "--sizes",
    metavar="DISTRIBUTION",
    default="lognormal:mean=10MB,sigma=1",
    show_default=True,
    help="What sizes of buffers are drawn from.",
)
@click.option(
    "--durations",
    metavar="DISTRIBUTION",
    default="lognormal:mean=1,sigma=0.5",
    show_default=True,
    help="What durations of tasks, in seconds, are drawn from.",
)
@click.option("--set", "settings", type=SETTING, multiple=True, help="A parameter of the family; see --list.")
@click.option("--name", help="Name of the problem. [default: FAMILY-TASKS-SEED]")
@click.option("-o", "--output", "file", type=ANY_FILE, default="problem.json", show_default=True, help="File to write.")
@new_problem_options
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@json_option
def command(
    family: str | None,
    listed: bool,
    tasks: int | None,
    seed: int,
    sizes: str,
    durations: str,
    settings: tuple[tuple[str, str], ...],
    name: str | None,
    file: Path,
    force: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Write a problem of FAMILY. The same words give the same file on every machine.

    A DISTRIBUTION is constant:value=, uniform:low=,high=, exponential:mean=, lognormal:mean=,sigma=,
    pareto:least=,alpha= or bimodal:low=,high=,share= (the share of high ones), or short: 10MB, 1MB..20MB. Those with a
    tail take most= too. The graph depends on the seed, not on the distributions.
    """
    if listed:
        return _listed(as_json)
    if family is None:
        raise click.UsageError("Missing argument 'FAMILY'; --list tells what there is.")
    from catalytic.app.generating import GenerateRequest, generate_file
    from catalytic.app.views import document
    from catalytic.app.views import generating as view

    repeated = sorted({n for n, _ in settings if [m for m, _ in settings].count(n) > 1})
    if repeated:
        raise click.UsageError(f"--set gives {', '.join(repeated)} more than once.")
    request = GenerateRequest(
        family, file, tasks, seed, sizes, durations, dict(settings), name, shape_of(options), force
    )
    answer = generate_file(request)
    if as_json:
        output.document(document.render("catalytic-generate/1", answer))
    else:
        output.result(view.generated(answer))
    return 0


def _listed(as_json: bool) -> int:
    from catalytic.app.generating import family_list
    from catalytic.app.views import document
    from catalytic.app.views import generating as view

    families = family_list()
    if as_json:
        output.document(document.render("catalytic-families/1", {"families": families}))
    else:
        output.result(view.families(families))
    return 0
