"""How far can real workflows reuse memory, and what does it cost? A table beside a plain list schedule.

Claim: nine public workflow traces, planned for a reuse factor of 0.8 on 8 workers, with a proven floor of the makespan
beside every plan. The baseline is what a scheduler does that does not think of memory: longest tail first on 8
workers, buffers placed first-fit as they come, on one address line (no partitions, pools or exclusive writers to
respect, so it is flattered).

``--execute`` runs the same workflows, sizes x 0.01 and times x 0.001, with reuse and without: the results must be the
same bytes, and no byte outside the planned regions may change.

Reads the traces from ``$CATALYTIC_DATA/wfcommons`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import filecmp
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalytic.app.views.words import factor
from catalytic.solver.budget import Budget
from catalytic.solver.formats import import_wfcommons
from catalytic.solver.plan import Bound, Objective, Outcome, Plan, lifetimes, plan_without_reuse
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Policy, Problem, Workspace
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, format_size, to_seconds
from catalytic.solver.warm_up import warm_up

WORKFLOWS = (
    "montage-chameleon-2mass-005d",
    "rnaseq",
    "airrflow",
    "atacseq",
    "1000genome-chameleon-10ch",
    "srasearch-chameleon-10a",
    "srasearch-chameleon-50a",
    "epigenomics-chameleon-ilmn-6seq",
    "montage-chameleon-dss-125d",
)
TARGET = 0.8
WORKERS = 8
SIZE = Bytes(10 * 10**9)
POLICY = Policy(InputPolicy.EXTERNAL, OutputPolicy.EXPORT)

FOLDER = Path(__file__).resolve().parents[1] / "work"
"""Where workspaces stand while something runs: on a disk, which a temporary folder may not be."""

SIZE_SCALE, TIME_SCALE = 0.01, 0.001
"""Scales of an execution; the workspace is scaled like the sizes, since some files are larger than a partition."""

PATTERN = bytes(range(251)) * 4177
"""What the arena holds before a run. Its length is prime to every page, so that shifted bytes do not look right."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The plain list schedule: its reuse factor under first-fit, and its makespan in ticks."""

    reuse_factor: float
    makespan: int


def data_folder() -> Path:
    """Where the workflow traces lie."""
    root = os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    return Path(root) / "wfcommons"


def workflow_file(name: str) -> Path | None:
    """The trace whose file name contains ``name``, or None."""
    return min(data_folder().glob(f"*{name}*.json*"), default=None)


def load(path: Path, *, sizes: float = 1.0, times: float = 1.0) -> Problem:
    """The trace as a problem for 8 workers in 8 exclusive partitions, the workspace scaled like the sizes."""
    workspace = Workspace(Bytes(round(SIZE * sizes)), partitions=8, isolation=Isolation.EXCLUSIVE)
    imported = import_wfcommons(
        path, scale_sizes=sizes, scale_time=times, workspace=workspace, policy=POLICY, workers=WORKERS
    )
    return imported.problem


def baseline(problem: Problem) -> Baseline:
    """What a list schedule without a ceiling uses, when each buffer goes to the first gap that holds it."""
    plain = plan_without_reuse(problem)
    lives = lifetimes(plain.problem, {t.id: t.start for t in plain.tasks})
    sizes = problem.graph.aligned_size
    placed: list[tuple[int, int, int]] = []
    footprint = 0
    for buffer in sorted(lives, key=lambda b: (lives[b].birth, -sizes[b], b)):
        born = lives[buffer].birth
        placed = sorted(block for block in placed if block[2] > born)
        offset = 0
        for low, high, _ in placed:
            if low - offset >= sizes[buffer]:
                break
            offset = max(offset, high)
        placed.append((offset, offset + sizes[buffer], lives[buffer].death))
        footprint = max(footprint, offset + sizes[buffer])
    return Baseline(1 - footprint / problem.graph.allocated, plain.measures.makespan)


def best_bound(bounds: Iterable[Bound], quantity: str) -> int | None:
    """The largest lower bound on ``quantity``, or None."""
    return max((b.value for b in bounds if b.quantity == quantity), default=None)


def search(problem: Problem, seconds: float) -> tuple[Outcome, float]:
    """The planner's answer for the least makespan at the target, and the seconds it took."""
    started = time.monotonic()
    budget = Budget(time_limit_s=seconds, workers=os.cpu_count() or 1, seed=0).start()
    outcome = solve(problem, objective=Objective.MAKESPAN, target=TARGET, budget=budget)
    return outcome, time.monotonic() - started


def print_row(cells: Sequence[str], widths: Sequence[int]) -> None:
    """One line of a table: the first column to the left, the others to the right."""
    others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    print("  ".join([cells[0].ljust(widths[0]), *others]), flush=True)


PLAN_COLUMNS = (
    "workflow", "n", "status", "factor", "largest", "makespan", "floor", "gap", "seconds", "plain factor",
    "plain makespan",
)  # fmt: skip
PLAN_WIDTHS = (31, 5, 10, 8, 8, 9, 9, 6, 7, 12, 14)


def print_plans(names: Sequence[str], seconds: float) -> None:
    """Plan every workflow and print the table.

    A row that misses the target shows the plan with the largest factor that was found, marked ``!``.
    """
    print(f"target {TARGET}, {WORKERS} workers, {format_size(SIZE)} in 8 exclusive partitions, inputs external,")
    print(f"outputs export, at most {seconds:g} s each. largest: no factor is larger. floor: no plan is faster.")
    print_row(PLAN_COLUMNS, PLAN_WIDTHS)
    for name, path in present(names):
        problem = load(path)
        plain = baseline(problem)
        outcome, took = search(problem, seconds)
        plan = outcome.plan or outcome.best_alternative
        bounds = [*outcome.bounds, *(outcome.plan.proof.bounds if outcome.plan is not None else ())]
        floor = best_bound(bounds, "makespan")
        makespan = plan.measures.makespan if plan is not None else None
        cells = (
            name,
            str(len(problem.tasks)),
            outcome.status.value,
            "-" if plan is None else f"{factor(plan.measures.reuse_factor)}{' ' if outcome.target_met else '!'}",
            f"{1 - (best_bound(bounds, 'peak_live') or 0) / problem.graph.allocated:.6f}",
            "-" if makespan is None else f"{to_seconds(makespan):.0f} s",
            "-" if floor is None else f"{to_seconds(floor):.0f} s",
            "-" if makespan is None or floor is None else f"{1 - floor / makespan:.3f}",
            f"{took:.1f}",
            f"{plain.reuse_factor:.4f}",
            f"{to_seconds(plain.makespan):.0f} s",
        )
        print_row(cells, PLAN_WIDTHS)
        if not outcome.target_met:
            print(f"  ! {outcome.reason}", flush=True)


RUN_COLUMNS = (
    "workflow", "n", "factor", "with reuse", "without", "results", "bytes equal", "outside", "staged", "exported",
)  # fmt: skip
RUN_WIDTHS = (31, 5, 8, 10, 8, 7, 11, 7, 8, 8)


def print_runs(names: Sequence[str], seconds: float) -> bool:
    """Execute every workflow with and without reuse and print the table; whether all results were the same.

    A plan that misses the target (``!``) is executed like any other.
    """
    size = format_size(round(SIZE * SIZE_SCALE))
    print(f"sizes x {SIZE_SCALE}, times x {TIME_SCALE}, {size} in 8 exclusive partitions, {WORKERS} workers.")
    print("outside: bytes outside the planned regions that changed. staged: bytes of files beside the workspace.")
    print_row(RUN_COLUMNS, RUN_WIDTHS)
    same = True
    for name, path in present(names):
        problem = load(path, sizes=SIZE_SCALE, times=TIME_SCALE)
        outcome, _ = search(problem, seconds)
        plan = outcome.plan or outcome.best_alternative
        if plan is None:
            print(f"{name}: not executed, {outcome.reason}", flush=True)
            same = False
            continue
        with tempfile.TemporaryDirectory(prefix="reuse-", dir=FOLDER) as folder:
            cells, equal = run_both(plan, Path(folder))
        reached = f"{factor(plan.measures.reuse_factor)}{' ' if outcome.target_met else '!'}"
        print_row((name, str(len(problem.tasks)), reached, *cells), RUN_WIDTHS)
        same = same and equal
    return same


def run_both(plan: Plan, folder: Path) -> tuple[tuple[str, ...], bool]:
    """Execute ``plan`` and the plan without reuse below ``folder``: cells of the table, and whether all is equal."""
    from catalytic.runtime import coordinator
    from catalytic.runtime.report import RunOptions
    from catalytic.runtime.workspace import Workspace as Arena

    reports = []
    changed = 0
    for mode, chosen in (("reuse", plan), ("separate", plan_without_reuse(plan.problem))):
        geometry = chosen.problem.workspace
        arena = Arena.create(
            folder / mode, size=geometry.size, partitions=geometry.partitions, alignment=geometry.alignment
        )
        if mode == "reuse":
            fill(folder / mode)
        options = RunOptions(base=folder, output_dir=folder / f"{mode}-out")
        reports.append(coordinator.execute(chosen, arena, options))
        if mode == "reuse":
            changed = changed_outside(folder / mode, chosen)
    reuse, separate = reports
    exports = sorted(p.relative_to(folder / "reuse-out") for p in (folder / "reuse-out").rglob("*") if p.is_file())
    equal_files = sum(
        filecmp.cmp(folder / "reuse-out" / name, folder / "separate-out" / name, shallow=False) for name in exports
    )
    complete = all(r.status.value == "complete" for r in reports)
    equal = complete and reuse.results == separate.results and equal_files == len(exports) and changed == 0
    cells = (
        f"{reuse.wall_s:.1f} s",
        f"{separate.wall_s:.1f} s",
        str(len(reuse.results)),
        f"{equal_files}/{len(exports)}" if complete and reuse.results == separate.results else "NO",
        str(changed),
        format_size(reuse.bytes_staged),
        format_size(reuse.bytes_exported),
    )
    return cells, equal


def arenas(workspace: Path) -> list[Path]:
    """The partition files, in order of their numbers."""
    return sorted((workspace / "partitions").glob("p*.arena"), key=lambda path: int(path.stem[1:]))


def fill(workspace: Path) -> None:
    """Write the pattern over all partitions."""
    for path in arenas(workspace):
        size = path.stat().st_size
        with path.open("r+b") as file:
            for offset in range(0, size, len(PATTERN)):
                file.write(PATTERN[: min(len(PATTERN), size - offset)])


def changed_outside(workspace: Path, plan: Plan) -> int:
    """Bytes outside all planned regions that are no longer the pattern."""
    changed = 0
    for number, path in enumerate(arenas(workspace)):
        content = path.read_bytes()
        extents = sorted((e.offset, e.end) for r in plan.regions for e in r.extents if e.partition == number)
        expected = (PATTERN * (len(content) // len(PATTERN) + 1))[: len(content)]
        free = 0
        for low, high in [*extents, (len(content), len(content))]:
            if low > free and content[free:low] != expected[free:low]:
                changed += sum(a != b for a, b in zip(content[free:low], expected[free:low], strict=True))
            free = max(free, high)
    return changed


def present(names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The workflows that can be read, with their files; the others are named on stderr."""
    for name in names:
        path = workflow_file(name)
        if path is None:
            print(f"{name}: no such file in {data_folder()}", file=sys.stderr)
        else:
            yield name, path


def main() -> int:
    """Print the table that the command line asks for; 1 when an execution changed a result or a stray byte."""
    parser = argparse.ArgumentParser(description="Reuse factors and makespans of real workflows.")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit per workflow (default %(default)s)")
    parser.add_argument("--only", metavar="NAME", help="only the workflows whose name contains NAME")
    parser.add_argument("--execute", action="store_true", help="execute scaled copies, with and without reuse")
    args = parser.parse_args()
    names = [name for name in WORKFLOWS if args.only is None or args.only in name]
    if not names:
        parser.error(f"--only: found {args.only!r}, allowed a part of {', '.join(WORKFLOWS)}")
    if not data_folder().is_dir():
        print(f"skipped: no workflow traces in {data_folder()}; set CATALYTIC_DATA", file=sys.stderr)
        return 0
    FOLDER.mkdir(exist_ok=True)
    warm_up(lambda message: print(message, file=sys.stderr))
    if args.execute:
        return 0 if print_runs(names, args.seconds) else 1
    print_plans(names, args.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
