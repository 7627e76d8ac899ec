"""``catalytic place``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, EXISTING_FILE, ISOLATION, POSITIVE, SIZE, exit_codes, json_option
from ..order_options import budget_of, order_options
from ..progress import progress_bar

if TYPE_CHECKING:
    from catalytic.app.place_again import AgainRequest
    from catalytic.app.placing import PlaceRequest


@click.command("place", context_settings=CONTEXT, epilog=exit_codes(0, 2, 3, 4, 5, 8, 9, 130, 143))
@click.argument("file", type=EXISTING_FILE)
@click.option(
    "--capacity",
    "capacities",
    type=SIZE,
    multiple=True,
    help="Find a placement within SIZE, or prove that there is none. Once for each arena: 0, 1, ...",
)
@click.option(
    "--minimise",
    "--minimize",
    is_flag=True,
    help="Find the lowest placement, also within capacities. [default without --capacity]",
)
@click.option(
    "-o", "--output", "file_out", type=ANY_FILE, help="CSV to write, with the offsets; - is stdout. Or a plan."
)
@click.option("--svg", type=ANY_FILE, help="Picture to write: time to the right, addresses upwards.")
@click.option("--best-effort", is_flag=True, help="Write the best placement even if it misses the capacity.")
@click.option("--size", type=SIZE, help="Of a plan: place its regions again in a workspace of SIZE.")
@click.option("--partitions", type=POSITIVE, help="Of a plan: place its regions again in so many partitions.")
@click.option("--isolation", type=ISOLATION, help="Of a plan: whether tasks may write one partition at the same time.")
@click.option("--held", multiple=True, metavar="ID", help="Of a plan: a buffer that keeps its bytes. Repeatable.")
@order_options
@json_option
def command(
    file: Path,
    capacities: tuple[int, ...],
    minimise: bool,
    file_out: Path | None,
    svg: Path | None,
    best_effort: bool,
    as_json: bool,
    size: int | None,
    partitions: int | None,
    isolation: str | None,
    held: tuple[str, ...],
    **options: Any,
) -> int:
    """Give every buffer of FILE an offset, and say how low any placement can be.

    FILE is MiniMalloc's CSV (id, lower, upper, size; also alignment, hint, gaps, offset; `end` instead of `upper` is
    inclusive), a timeline, a plan, or whatever else `plan` takes; then the tasks run one after another in the best
    order found. A given `offset` stays, a `hint` is preferred. A capacity that is proved too small exits with 3 and
    says why; one that was not reached in time exits with 4. Sizes are bytes (GB = 10^9).

    With --capacity more than once there are several arenas, numbered from 0, and each buffer lies in one of them; a
    column `arena` is written, and one that is read holds a buffer in that arena. Buffers with the same `pool` lie next
    to each other in each arena.

    With --size, --partitions, --isolation or --held, FILE is a plan, and a plan is written: the same starts in another
    workspace. Regions stay where they are if they can; those that are held do. What is refused is refused for these
    starts: `plan` may find others.

    \b
    For example:
      catalytic place buffers.csv
      catalytic place buffers.csv --capacity 1MiB -o placed.csv --svg map.svg
      catalytic place buffers.csv --capacity 512KiB --capacity 256KiB -o -
      catalytic place catalytic-execution.json --time-limit 10 -o -
      catalytic place plan.json --partitions 4 --held tile -o new-plan.json
    """
    shape = {"size": size, "partitions": partitions, "isolation": isolation}
    if held or any(value is not None for value in shape.values()):
        if capacities or svg is not None or best_effort:
            raise click.UsageError(
                "--capacity, --svg and --best-effort are about tables of offsets; "
                "--size, --partitions, --isolation and --held place a plan again."
            )
        from catalytic.app.place_again import AgainRequest

        from ..requests import shape_of

        budget = budget_of(options)
        return _again(AgainRequest(file, shape_of(shape), held, budget, file_out, minimise), as_json)
    if best_effort and len(capacities) != 1:
        raise click.UsageError("--best-effort needs one --capacity that may be missed.")
    from catalytic.app.placing import STDOUT, PlaceRequest

    if svg is not None and str(svg) == "-":
        raise click.UsageError("--svg writes a file, not to stdout; name one.")
    if file_out == STDOUT and as_json:
        raise click.UsageError("-o - and --json would both write to stdout; name a file with -o.")
    request = PlaceRequest(file, capacities, budget_of(options), file_out, svg, best_effort, minimise)
    return _place(request, as_json)


def _place(request: PlaceRequest, as_json: bool) -> int:
    """Offsets, on one address line or in several arenas."""
    from catalytic.app.place import PlaceAnswer, place_file
    from catalytic.app.placing import STDOUT
    from catalytic.app.views import placement as view

    with progress_bar("placing") as observer:
        found = place_file(request, observer)
    answer = found.answer
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        from catalytic.app.views import document

        kind = "catalytic-place/1" if isinstance(answer, PlaceAnswer) else "catalytic-place-arenas/1"
        output.document(document.render(kind, answer))
    else:
        if isinstance(answer, PlaceAnswer):
            text = view.placement_report(answer, width=output.terminal_width())
        else:
            from catalytic.app.views.arenas import arenas_report

            text = arenas_report(answer, width=output.terminal_width())
        if request.output == STDOUT:
            output.note(text)
            click.echo(found.csv() or "", nl=False)
        else:
            output.result(text, style=view.STYLES[answer.status])
        for written in (answer.file, answer.svg):
            if written is not None:
                output.note(f"wrote {written}")
    return view.exit_code(answer)


def _again(request: AgainRequest, as_json: bool) -> int:
    """The plan in another workspace."""
    from catalytic.app.place_again import place_plan_again
    from catalytic.app.views import document
    from catalytic.app.views import plan as view
    from catalytic.app.views.headline import headline_style
    from catalytic.app.views.words import plural

    with progress_bar("placing") as observer:
        answer = place_plan_again(request, observer)
    if as_json:
        output.document(document.render("catalytic-place-again/1", answer))
    else:
        output.result(view.brief(answer.summary), style=headline_style(answer.summary))
        click.echo(f"regions: {answer.stayed} of {plural(answer.regions, 'region')} stay where they were")
        if answer.file is not None:
            output.note(f"wrote {answer.file}")
    return 0
