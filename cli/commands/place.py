"""``catalytic place``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import ANY_FILE, CONTEXT, EXISTING_FILE, SIZE, exit_codes, json_option
from ..order_options import budget_of, order_options
from ..progress import progress_bar


@click.command("place", context_settings=CONTEXT, epilog=exit_codes(0, 2, 3, 4, 5, 8, 9, 130, 143))
@click.argument("file", type=EXISTING_FILE)
@click.option("--capacity", type=SIZE, help="Find a placement within SIZE, or prove that there is none.")
@click.option("--minimise", "--minimize", is_flag=True, help="Find the lowest placement. [default without --capacity]")
@click.option("-o", "--output", "csv", type=ANY_FILE, help="CSV to write, with the offsets; - is stdout.")
@click.option("--svg", type=ANY_FILE, help="Picture to write: time to the right, addresses upwards.")
@click.option("--best-effort", is_flag=True, help="Write the best placement even if it misses the capacity.")
@order_options
@json_option
def command(
    file: Path,
    capacity: int | None,
    minimise: bool,
    csv: Path | None,
    svg: Path | None,
    best_effort: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Give every buffer of FILE an offset on one address line, and say how low any placement can be.

    FILE is MiniMalloc's CSV (id, lower, upper, size; also alignment, hint, gaps, offset; `end` instead of `upper` is
    inclusive), a timeline, a plan, or whatever else `plan` takes; then the tasks run one after another in the best
    order found. A given `offset` stays, a `hint` is preferred. A capacity that is proved too small exits with 3 and
    says why; one that was not reached in time exits with 4. Sizes are bytes (GB = 10^9).

    \b
    For example:
      catalytic place buffers.csv
      catalytic place buffers.csv --capacity 1MiB -o placed.csv --svg map.svg
      catalytic place catalytic-execution.json --time-limit 10 -o -
    """
    if capacity is not None and minimise:
        raise click.UsageError("--minimise looks for the least capacity, so it cannot be given with --capacity.")
    if best_effort and capacity is None:
        raise click.UsageError("--best-effort needs a --capacity that may be missed.")
    from catalytic.app.place import STDOUT, PlaceRequest, place_file
    from catalytic.app.views import document
    from catalytic.app.views import placement as view

    to_stdout = csv == STDOUT
    if to_stdout and as_json:
        raise click.UsageError("-o - and --json would both write to stdout; name a file with -o.")
    request = PlaceRequest(file, capacity, budget_of(options), csv, svg, best_effort)
    with progress_bar("placing") as observer:
        found = place_file(request, observer)
    answer = found.answer
    for note in answer.notes:
        output.note(f"note: {note}")
    if as_json:
        output.document(document.render("catalytic-place/1", answer))
    else:
        text = view.placement_report(answer, width=output.terminal_width())
        if to_stdout:
            output.note(text)
            click.echo(found.csv() or "", nl=False)
        else:
            output.result(text, style=view.STYLES[answer.status])
        for written in (answer.file, answer.svg):
            if written is not None:
                output.note(f"wrote {written}")
    return view.exit_code(answer)
