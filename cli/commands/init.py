"""``catalytic init``."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from catalytic.solver.units import Bytes

from .. import output
from ..options import ANY_FOLDER, CONTEXT, POSITIVE, SIZE, exit_codes, json_option
from ..progress import progress_bar


@click.command("init", context_settings=CONTEXT, epilog=exit_codes(0, 2, 8, 9))
@click.argument("workspace", type=ANY_FOLDER)
@click.option("--size", type=SIZE, default="10GB", show_default=True, help="Bytes to reserve (GB = 10^9, GiB = 2^30).")
@click.option("--partitions", type=POSITIVE, default=8, show_default=True, help="Number of partitions of equal size.")
@click.option("--alignment", type=SIZE, default=4096, show_default=True, help="Bytes; a power of two.")
@click.option("--integrity/--no-integrity", default=True, show_default=True, help="Seal regions with digests.")
@click.option("--reuse-pools/--no-reuse-pools", default=True, show_default=True, help="Record pool slices in pools/.")
@json_option
def command(
    workspace: Path,
    size: Bytes,
    partitions: int,
    alignment: Bytes,
    integrity: bool,
    reuse_pools: bool,
    as_json: bool,
) -> int:
    """Create a workspace of fixed size in the folder WORKSPACE.

    Its space is reserved at once and never grows or shrinks: a full disk is an error now, not during a run.
    """
    from catalytic.app.init import InitRequest, create_workspace
    from catalytic.app.views import document
    from catalytic.app.views import workspace as view

    with progress_bar("reserving"):
        answer = create_workspace(InitRequest(workspace, size, partitions, alignment, integrity, reuse_pools))
    if as_json:
        output.document(document.render("catalytic-init/1", answer))
    else:
        output.result(view.created(answer), style="bold green")
    return 0
