"""``catalytic import``."""

from __future__ import annotations

from dataclasses import fields
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
    SECONDS,
    SIZE,
    exit_codes,
    json_option,
    shape_options,
)
from ..progress import progress_bar
from ..requests import shape_of

OWN = ("problem", "plan", "strategy", "timeline")
"""Kinds of files that are ours, or that need no assumptions."""


def _format_and_file(ctx: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> tuple[str | None, Path]:
    """``[FORMAT] FILE`` as both: click knows no optional argument before one that is not."""
    from catalytic.solver.formats import FOREIGN

    if len(words) > 2:
        raise click.UsageError(f"{len(words)} words, allowed [FORMAT] FILE.", ctx)
    form = None
    if len(words) == 2:
        # `taskmaster` and `node_link` are meant well: hyphens and capitals tell no two formats apart.
        known = {_plain(word): word for word in (*OWN, *FOREIGN)}
        form = click.Choice([*OWN, *FOREIGN]).convert(known.get(_plain(words[0]), words[0]), parameter, ctx)
    return form, Path(EXISTING_FILE.convert(words[-1], parameter, ctx))


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


@click.command("import", context_settings=CONTEXT, epilog=exit_codes(0, 2, 5, 8, 9))
@click.argument("source", nargs=-1, metavar="[FORMAT] FILE", required=True, callback=_format_and_file)
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
@click.option(
    "--with",
    "companions",
    type=EXISTING_FILE,
    multiple=True,
    help="A further file about the same graph, such as measured times. Repeatable.",
)
@click.option("--buffer-size", type=SIZE, help="Tasks that state no size write a buffer of SIZE. [default: none]")
@click.option(
    "--default-duration", "duration", type=SECONDS, help="Tasks that state no duration last so long. [default: 1]"
)
@click.option("--scratch-from-memory", is_flag=True, help="A task's memory is scratch, not a demand.")
@click.option(
    "--size-attribute", metavar="NAME", help="Graphs: bytes of a node's output. [default: size, cost_ram, ...]"
)
@click.option(
    "--duration-attribute", metavar="NAME", help="Graphs: duration of a node. [default: duration, cost_cpu, ...]"
)
@click.option(
    "--bind-dimension",
    "dimensions",
    type=DIMENSION,
    multiple=True,
    help="ONNX: size of a symbolic dimension, or of axis A of a tensor T as T:A=N. [default: the batch counts as 1]",
)
@click.option(
    "--tag", metavar="NAME", help="Task Master: the list of tasks to read. [default: master, or the only one]"
)
@click.option("--variable", metavar="NAME", help="Dask: which graph of the Python file. [default: the only one]")
@shape_options
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@json_option
def command(
    source: tuple[str | None, Path],
    problem: Path,
    scale_sizes: float,
    scale_time: float,
    from_run: Path | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Write FILE as a problem file and say what was assumed.

    FILE is of one of these kinds, also compressed with gzip, told by its content or by FORMAT:

    \b
    wfcommons       WfCommons workflow, wfformat 1.5 or 1.6
    node-link       node-link graph (networkx, d3)
    graphml, dot    graphs whose nodes have attributes
    hyperdag        HyperDAG (.hdag)
    onnx            ONNX model (needs catalytic[onnx])
    minimalloc      buffers with fixed lifetimes, CSV
    psplib          PSPLIB project, single mode (.sm)
    task-master     tasks.json; --with complexity reports
    ninja           log or graph, one --with the other
    nextflow        trace or graph, one --with the other
    snakemake       graph of jobs; --with benchmarks
    github-actions  workflow; --with the jobs of a run
    junit           report; --with durations
    durations       of tests, as pytest-split stores them
    dask            Python file that makes a graph; it is run
                    (needs catalytic[dask])
    problem, plan, strategy, timeline

    Sizes and durations that a file does not state are asked for or assumed, and said.

    \b
    For example:
      catalytic import workflow.json -o problem.json
      catalytic import .ninja_log --with graph.dot --buffer-size 1MB
      catalytic import dask pipeline.py --variable result
    """
    from catalytic.app.importing import ImportRequest, import_file
    from catalytic.app.sources import Reading
    from catalytic.app.views import document
    from catalytic.app.views import importing as view
    from catalytic.solver.units import parse_duration

    form, file = source
    own = {field.name: options[field.name] for field in fields(Reading) if field.name in options}
    if own["duration"] is not None:
        own["duration"] = parse_duration(own["duration"])
    reading = Reading(scale_sizes, scale_time, **own)
    request = ImportRequest(file, problem, reading, from_run, shape_of(options), force, form)
    with progress_bar("importing"):
        answer = import_file(request)
    if as_json:
        output.document(document.render("catalytic-import/1", answer))
    else:
        output.result(view.imported(answer))
    return 0
