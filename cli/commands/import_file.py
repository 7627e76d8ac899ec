"""``catalytic import``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from .. import output
from ..options import (
    ANY_FILE,
    CONTEXT,
    DIMENSION,
    EXISTING_FILE,
    EXISTING_FOLDER,
    SCALE,
    exit_codes,
    json_option,
    shape_options,
)
from ..progress import progress_bar
from ..requests import shape_of


@click.command("import", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 8, 9))
@click.argument("file", type=EXISTING_FILE)
@click.option(
    "-o", "--output", "problem", type=ANY_FILE, default="problem.json", show_default=True, help="File to write."
)
@click.option("--scale-sizes", type=SCALE, default=1.0, show_default=True, help="Multiply sizes; rounded up.")
@click.option("--scale-time", type=SCALE, default=1.0, show_default=True, help="Multiply durations; at least 1 ms.")
@click.option(
    "--from-run",
    metavar="WORKSPACE",
    type=EXISTING_FOLDER,
    help="Put back the durations and sizes that the last run in WORKSPACE measured.",
)
@click.option("--scratch-from-memory", is_flag=True, help="WfCommons: a task's memory is scratch, not a demand.")
@click.option(
    "--size-attribute", metavar="NAME", help="Node-link: bytes of a node's output. [default: size, cost_ram, ...]"
)
@click.option(
    "--duration-attribute", metavar="NAME", help="Node-link: duration of a node. [default: duration, cost_cpu, ...]"
)
@click.option(
    "--bind-dimension",
    "dimensions",
    type=DIMENSION,
    multiple=True,
    help="ONNX: size of a symbolic dimension, or of axis A of a tensor T as T:A=N. [default: the batch counts as 1]",
)
@shape_options
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@json_option
def command(
    file: Path,
    problem: Path,
    scale_sizes: float,
    scale_time: float,
    from_run: Path | None,
    scratch_from_memory: bool,
    size_attribute: str | None,
    duration_attribute: str | None,
    dimensions: tuple[tuple[str, int], ...],
    force: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Write FILE as a problem file and say what was assumed.

    FILE is a WfCommons workflow (wfformat 1.5 or 1.6), a node-link graph (networkx, d3), an ONNX model (needs
    catalytic[onnx]), a HyperDAG (.hdag), a PSPLIB project (.sm), each also compressed with gzip; a timeline, a
    strategy, a plan, or a problem.
    """
    from catalytic.app.importing import ImportRequest, import_file
    from catalytic.app.sources import Reading
    from catalytic.app.views import document
    from catalytic.app.views import importing as view

    reading = Reading(scale_sizes, scale_time, scratch_from_memory, size_attribute, duration_attribute, dimensions)
    request = ImportRequest(file, problem, reading, from_run, shape_of(options), force)
    with progress_bar("importing"):
        answer = import_file(request)
    if as_json:
        output.document(document.render("catalytic-import/1", answer))
    else:
        output.result(view.imported(answer))
    return 0
