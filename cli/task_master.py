"""The program ``task-master``: the catalytic commands as their specification spells them.

Two tools can share this name. Words that are not ours are handed to the next ``task-master`` on PATH, so that both
live side by side.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click

from catalytic.solver.errors import Refused
from catalytic.solver.units import Bytes

from . import output
from .main import exit_code_of
from .options import ANY_FILE, ANY_FOLDER, CONTEXT, EXISTING_FILE, FACTOR, POSITIVE, SECONDS, SIZE, exit_codes
from .options import json_option as with_json
from .progress import progress_bar

NAME = "task-master"
HOME_VARIABLE = "TASKMASTER_HOME"


@click.group(context_settings=CONTEXT, epilog=f"Any other word is handed to the next {NAME} on PATH.")
def program() -> None:
    """Catalytic execution: a workspace, a plan, a run.

    The same as `catalytic init`, `plan` and `run`, in the words of their specification.
    """


def require_home(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """Refuse ``/catalytic``, which is what ``$TASKMASTER_HOME/catalytic`` becomes when the variable is not set."""
    if value is not None and not os.environ.get(HOME_VARIABLE) and value.resolve() == Path("/catalytic"):
        raise Refused(
            f"--workspace {value}: ${HOME_VARIABLE} is not set, so '${HOME_VARIABLE}/catalytic' means '/catalytic'. "
            f"Set it (export {HOME_VARIABLE}=...), or name another folder."
        )
    return value


workspace_option = click.option(
    "--workspace",
    type=ANY_FOLDER,
    required=True,
    callback=require_home,
    help=f"The workspace, such as ${HOME_VARIABLE}/catalytic.",
)


@program.command("catalytic-init", context_settings=CONTEXT, epilog=exit_codes(0, 2, 8, 9))
@workspace_option
@click.option("--size", type=SIZE, default="10GB", show_default=True, help="Bytes to reserve (GB = 10^9, GiB = 2^30).")
@click.option("--partition-count", type=POSITIVE, default=8, show_default=True, help="Partitions of equal size.")
@click.option("--enable-integrity-checks", is_flag=True, help="Seal regions; without it every report says NO SEALS.")
@click.option("--configure-reuse-pools", is_flag=True, help="Runs record the slices of their pools in pools/.")
@with_json
def catalytic_init(
    workspace: Path,
    size: Bytes,
    partition_count: int,
    enable_integrity_checks: bool,
    configure_reuse_pools: bool,
    as_json: bool,
) -> int:
    """Create a workspace of fixed size; its space is reserved at once."""
    from catalytic.app.init import InitRequest, create_workspace
    from catalytic.app.views import document
    from catalytic.app.views import workspace as view

    request = InitRequest(
        workspace, size, partition_count, integrity=enable_integrity_checks, reuse_pools=configure_reuse_pools
    )
    with progress_bar("reserving"):
        answer = create_workspace(request)
    if as_json:
        output.document(document.render("catalytic-init/1", answer))
    else:
        output.result(view.created(answer), style="bold green")
    return 0


@program.command("catalytic-plan", context_settings=CONTEXT, epilog=exit_codes(0, 2, 3, 4, 5, 8, 9, 130, 143))
@click.option("--input", "source", type=EXISTING_FILE, required=True, help="Strategy, timeline or problem file.")
@workspace_option
@click.option(
    "--output", "file", type=ANY_FILE, default="catalytic-execution.json", show_default=True, help="Plan file."
)
@click.option("--reuse-factor", "target", type=FACTOR, help="Target: least reuse factor to accept.")
@click.option("--enable-monitoring", is_flag=True, help="Runs write metrics and scrub sealed regions periodically.")
@click.option("--optimize-concurrency", is_flag=True, help="Least makespan under the target instead of most reuse.")
@click.option(
    "--time-limit", "time_limit_s", type=SECONDS, default=60.0, show_default=True, help="Seconds for the whole answer."
)
@click.option("--best-effort", is_flag=True, help="Write the best plan even if it misses the target.")
@with_json
def catalytic_plan(source: Path, workspace: Path, file: Path, as_json: bool, **options: Any) -> int:
    """Turn a pebbling strategy into an execution plan for the workspace.

    The plan takes size, partitions, alignment and integrity from the workspace, which must exist.
    """
    from .commands.plan import planned
    from .requests import request_for_workspace

    return planned(request_for_workspace(source, workspace, file, options), as_json)


@program.command("catalytic-run", context_settings=CONTEXT, epilog=exit_codes(0, 1, 2, 5, 6, 7, 8, 9, 130, 143))
@click.option("--plan", "file", type=EXISTING_FILE, default="catalytic-execution.json", show_default=True, help="Plan.")
@workspace_option
@click.option("--output-dir", type=ANY_FOLDER, help="Where exports go. [default: ./NAME-out]")
@click.option("--force", is_flag=True, help="Replace exported files that exist.")
@click.option("--discard", is_flag=True, help="Give up an unfinished run, and buffers that one kept.")
@with_json
def catalytic_run(
    file: Path, workspace: Path, output_dir: Path | None, force: bool, discard: bool, as_json: bool
) -> int:
    """Execute a plan in the workspace."""
    from catalytic.app.run import Execution, RunRequest

    from .commands.run import executed

    execution = Execution(output_dir=output_dir, force=force, discard=discard)
    return executed(RunRequest(file, workspace, execution=execution), as_json)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run our commands; hand any other word to the other tool of this name."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and not words[0].startswith("-") and words[0] not in program.commands:
        sys.exit(_hand_over(words))
    sys.exit(exit_code_of(program, words, NAME))


def _hand_over(words: list[str]) -> int:
    other = next_on_path(os.environ.get("PATH", os.defpath), Path(sys.argv[0]))
    if other is None:
        ours = ", ".join(program.commands)
        close = get_close_matches(words[0], program.commands, n=1)
        hint = f". Did you mean {close[0]!r}?" if close else ""
        output.note(f"{NAME}: {words[0]!r} is not one of {ours}, and no other {NAME} is on PATH to hand it to{hint}")
        return 2
    try:
        os.execv(other, [str(other), *words])
    except OSError as error:
        output.note(f"{NAME}: {other}: cannot be executed: {error.strerror}")
        return 2


def next_on_path(path: str, ourselves: Path) -> Path | None:
    """The first executable ``task-master`` on ``path`` that is not the file we were started from."""
    own = ourselves.resolve()
    for folder in path.split(os.pathsep):
        candidate = Path(folder or ".") / NAME
        if candidate.is_file() and os.access(candidate, os.X_OK) and not _is_ours(candidate, own):
            return candidate
    return None


def _is_ours(candidate: Path, own: Path) -> bool:
    """Whether ``candidate`` is this program: the same file, or another installation's launcher of it.

    Two environments with catalytic on one PATH would otherwise hand the word to each other for ever.
    """
    if candidate.resolve() == own:
        return True
    try:
        return b"catalytic.cli.task_master" in candidate.read_bytes()[:4096]
    except OSError:
        return False
