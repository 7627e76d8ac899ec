"""The main job, behind ``make run``: the mosaic in a fraction of its memory, and the proof that nothing was lost.

Creates the workspace, plans for a reuse factor of 0.8, executes, verifies, executes once more without any reuse, and
compares. Everything it makes lies in one folder: the plan, the products of both runs, and the workspace itself.

``--size`` (or ``SIZE``) is the size of the workspace; the tiles grow and shrink with it, so that 10GB is the mosaic of
``problem.json`` and 1GB one of a tenth of its bytes.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from make_problem import COLS, ROWS, TILE, WORKSPACE, make_problem, render

from catalytic.app.init import InitRequest, create_workspace
from catalytic.app.plan import make_plan
from catalytic.app.request import Observer, PlanRequest, Progress, Search
from catalytic.app.run import Execution, RunAnswer, RunRequest, is_workspace, run
from catalytic.app.sources import Shape
from catalytic.app.verify import verify_workspace
from catalytic.app.views.headline import headline
from catalytic.app.views.run import report_lines
from catalytic.app.views.words import bound_factor, bound_seconds, factor, percent, seconds
from catalytic.cli.output import report_exit_code
from catalytic.cli.progress import progress_bar
from catalytic.cli.signals import remembered_signals
from catalytic.solver.budget import Budget
from catalytic.solver.errors import CatalyticError, InputError, IntegrityError, Mistake, StorageError
from catalytic.solver.formats import load_problem
from catalytic.solver.plan import Objective
from catalytic.solver.units import SIZE_FORM, Bytes, format_size, parse_size

HERE = Path(__file__).resolve().parent
TARGET = 0.8
SIZES = {"small": "1GB", "medium": "10GB", "large": "40GB"}
"""Names for sizes of the workspace."""

Answer = TypeVar("Answer")


def main() -> int:
    """Do the job; an expected error is one line on stderr and its exit code."""
    parser = argparse.ArgumentParser(
        description="Plan, execute and verify the mosaic, and compare it with a run without reuse.",
        epilog="Exit codes: 0 ok, 1 a task failed, 2 usage, 4 no plan in time, 5 integrity, 9 no space.",
    )
    parser.add_argument(
        "--size",
        default=os.environ.get("SIZE") or WORKSPACE,
        help=f"size of the workspace: {', '.join(SIZES)}, or such as 2GB (default {WORKSPACE})",
    )
    parser.add_argument("--folder", type=Path, help="where everything goes (default work/mosaic-SIZE)")
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit of planning (default %(default)s)")
    args = parser.parse_args()
    try:
        size = workspace_size(args.size)
        folder: Path = args.folder or Path("work") / f"mosaic-{format_size(size)}"
        do_the_job(size, folder, args.seconds)
    except UnfinishedRun as unfinished:
        print(f"{unfinished}\nnext: catalytic resume {unfinished.answer.workspace}", file=sys.stderr)
        return unfinished.exit_code
    except CatalyticError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command starts afresh", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


class UnfinishedRun(Exception):
    """A run ended before all of its tasks were done. ``exit_code`` says why."""

    def __init__(self, answer: RunAnswer, exit_code: int) -> None:
        super().__init__(answer, exit_code)
        self.answer, self.exit_code = answer, exit_code

    def __str__(self) -> str:
        return report_lines(self.answer.report)


def workspace_size(text: str) -> Bytes:
    """The bytes that ``--size`` means; ``InputError`` for what is no size."""
    try:
        return parse_size(SIZES.get(text, text))
    except ValueError:
        raise InputError("--size", [Mistake("--size", repr(text), f"{', '.join(SIZES)}, or {SIZE_FORM}")]) from None


def do_the_job(size: Bytes, folder: Path, planning_s: float) -> None:
    """All steps in order; the report on stdout, what is being done on stderr."""
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    problem = problem_file(size, folder)
    workspace, plan_file = folder / "workspace", folder / "catalytic-execution.json"
    require_room(problem, workspace, size)

    timed("workspace", lambda see: create_workspace(InitRequest(workspace, size)))
    budget = Budget(time_limit_s=planning_s, workers=os.cpu_count() or 1)
    search = Search(objective=Objective.MAKESPAN, target=TARGET, budget=budget)
    plan = timed("plan", lambda see: make_plan(PlanRequest(problem, Shape(), search, plan_file), see)).summary
    print(headline(plan))

    execution = Execution(output_dir=folder / "out", force=True, discard=True)
    reuse = timed("execute", lambda see: complete(RunRequest(plan_file, workspace, execution=execution), see))
    verified = timed("verify", lambda see: verify_workspace(workspace))
    if verified.damaged:
        raise IntegrityError(
            f"{len(verified.damaged)} damaged region(s) after the run; see `catalytic verify {workspace}`"
        )
    plain = Execution(output_dir=folder / "out-without-reuse", force=True, no_reuse=True)
    separate = timed(
        "execute without reuse", lambda see: complete(RunRequest(plan_file, workspace, execution=plain), see)
    )

    print(f"\nwith reuse\n{report_lines(reuse.report)}\n\nwithout reuse\n{report_lines(separate.report)}\n")
    report = reuse.report
    integrity = report.seal_s + report.verify_s
    print(f"reused     {format_size(report.bytes_reused)} lay over bytes of earlier buffers")
    print(f"footprint  {format_size(plan.footprint)} for {format_size(plan.allocated)} of buffers")
    most, least = bound_factor(plan.largest_reuse_factor), bound_seconds(plan.least_makespan_s)
    print(f"factor     {factor(plan.reuse_factor)} (asked {TARGET:g}; none above {most} exists)")
    print(f"makespan   {seconds(plan.makespan_s)} planned (none below {least} exists)")
    print(f"           {seconds(report.wall_s)} run; {seconds(separate.report.wall_s)} without reuse")
    print(f"seals      {percent(integrity / report.task_s)} of task time")
    print(f"verified   {verified.regions} living region(s) after the run, {format_size(verified.bytes)}")
    compare(reuse, separate)
    print(f"files      {folder}: out/preview.png, out/report.json, {plan_file.name}")
    print(f"remove     rm -r {folder}  (the workspace takes {format_size(size)})")
    print(f"done in {time.monotonic() - started:.1f} s", file=sys.stderr)


def problem_file(size: Bytes, folder: Path) -> Path:
    """The problem for a workspace of ``size``: the committed one, or one with its own tile size in ``folder``."""
    if size == parse_size(WORKSPACE):
        return HERE / "problem.json"
    tile = max(40, 20 * round(TILE / 20 * math.sqrt(size / parse_size(WORKSPACE))))
    path = folder / "problem.json"
    path.write_text(render(make_problem(ROWS, COLS, tile, workspace=f"{size}B")), encoding="utf-8")
    # A problem's modules lie beside it.
    shutil.copyfile(HERE / "steps.py", folder / "steps.py")
    return path


def require_room(problem: Path, workspace: Path, size: Bytes) -> None:
    """Refuse now what would fail at the end: the run without reuse needs a workspace of its own, for a while."""
    allocated = load_problem(problem).graph.allocated
    needed = allocated + (0 if is_workspace(workspace) else size)
    free = shutil.disk_usage(workspace.parent).free
    if free < needed:
        raise StorageError(
            f"{workspace.parent.absolute()}: needs {format_size(needed)} ({format_size(size)} for the workspace, "
            f"{format_size(allocated)} for the run without reuse), found {format_size(free)} free. "
            "Free space, or choose another --folder or a smaller --size."
        )


def complete(request: RunRequest, observer: Observer | None) -> RunAnswer:
    """The answer of a run in which every task was done; ``UnfinishedRun`` otherwise."""
    with remembered_signals() as first_signal:
        answer = run(request, observer)
        code = report_exit_code(answer.report, first_signal())
    if code:
        raise UnfinishedRun(answer, code)
    return answer


def compare(reuse: RunAnswer, separate: RunAnswer) -> None:
    """Print the digests of the results; ``IntegrityError`` unless both runs have the same ones."""
    ours, theirs = reuse.report.results, separate.report.results
    different = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if different or not ours:
        raise IntegrityError(f"results differ from those without reuse: {', '.join(different) or 'there are none'}")
    print(f"equal      all {len(ours)} results have the same sha256 with and without reuse:")
    for name, digest in sorted(ours.items()):
        print(f"           {digest}  {name}")


def announce(progress: Progress) -> None:
    """Tell, where no progress bar does, of the one thing that takes longer than a person expects."""
    if progress.phase == "compile":
        print(progress.message, file=sys.stderr, flush=True)


def timed(what: str, work: Callable[[Observer], Answer]) -> Answer:
    """The answer of ``work``; says on stderr what is being done, how far it is and how long it took."""
    print(f"{what} ...", file=sys.stderr, flush=True)
    started = time.monotonic()
    with progress_bar(what) as bar:
        answer = work(bar or announce)
    print(f"{what}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return answer


if __name__ == "__main__":
    sys.exit(main())
