"""What does integrity cost? Seconds of sealing and verifying beside seconds of work, and beside runs without either.

Claim: where tasks take their time, as real workflows do, full coverage with sha256 costs under 5 %; where they do
little per byte, the cost is what the table says and a faster digest is what helps.

Two problems, each run once per digest and once without integrity, from the same plan:

- ``mosaic``: strips of the mosaic, NumPy at about 17 ns of work per byte written. Far less than any real workflow.
- ``paced``: synthetic tasks that last 655 ns per byte they write. Of the nine traces of ``reuse.py`` that is the least
  (srasearch-10a; the median is 2200).

share: (seal + verify) / task seconds, from the run's own report. wall: against the run without integrity, which also
shows what the share does not, such as the caches.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from catalytic.runtime import coordinator
from catalytic.runtime.report import RunOptions, RunReport
from catalytic.runtime.seal import ALGORITHMS
from catalytic.runtime.workspace import Workspace as Arena
from catalytic.solver.budget import Budget
from catalytic.solver.formats import parse_problem
from catalytic.solver.plan import Objective, Plan
from catalytic.solver.problem import Buffer, Problem, Task, Workspace
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick, format_size
from catalytic.solver.warm_up import warm_up

FOLDER = Path(__file__).resolve().parents[1] / "work"
"""Where workspaces stand while something runs: on a disk, which a temporary folder may not be."""

MOSAIC = Path(__file__).resolve().parents[1] / "instances" / "mosaic"
NANOSECONDS_PER_BYTE = 655


def mosaic(rows: int, tile: int) -> Problem:
    """``rows`` strips of the mosaic, 8 tiles each, in 10GB."""
    sys.path.insert(0, str(MOSAIC))
    try:
        from make_problem import make_problem, render  # type: ignore[import-not-found,unused-ignore]
    finally:
        sys.path.remove(str(MOSAIC))
    return parse_problem(render(make_problem(rows=rows, tile=tile)).encode(), "mosaic")


def paced(layers: int, width: int, size: int) -> Problem:
    """``layers`` of ``width`` tasks; each reads two buffers of the layer before and writes one of ``size`` bytes."""
    duration = Tick(max(1, round(size * NANOSECONDS_PER_BYTE / 10**6)))
    tasks = tuple(
        Task(
            f"task-{layer:02d}-{i}",
            duration,
            inputs=tuple(f"out-{layer - 1:02d}-{j}" for j in sorted({i, (i + 1) % width})) if layer else (),
            outputs=(f"out-{layer:02d}-{i}",),
        )
        for layer in range(layers)
        for i in range(width)
    )
    buffers = tuple(Buffer(b, Bytes(size)) for t in tasks for b in t.outputs)
    return Problem("paced", tasks, buffers, Workspace(Bytes(8 * width * size)), resources=(("workers", 2),))


def planned(problem: Problem) -> Plan:
    """A plan for the least makespan in a fifth of the allocated bytes, or as near as the problem allows."""
    outcome = solve(problem, objective=Objective.MAKESPAN, target=0.8, budget=Budget(time_limit_s=5.0).start())
    plan = outcome.plan or outcome.best_alternative
    if plan is None:
        raise SystemExit(f"{problem.name}: {outcome.reason}")
    return plan


def run(plan: Plan, algorithm: str | None, folder: Path) -> RunReport:
    """One run of ``plan``, sealed with ``algorithm`` or not at all."""
    sealed = replace(
        plan, integrity=algorithm is not None, regions=tuple(replace(r, seal=algorithm) for r in plan.regions)
    )
    geometry = plan.problem.workspace
    arena = Arena.create(
        folder / "workspace",
        size=geometry.size,
        partitions=geometry.partitions,
        alignment=geometry.alignment,
        integrity=algorithm is not None,
    )
    return coordinator.execute(sealed, arena, RunOptions(base=MOSAIC, output_dir=folder / "out"))


def print_table(problem: Problem) -> bool:
    """Run ``problem`` with every digest and print a line each; whether all runs gave the same results."""
    plan = planned(problem)
    factor = plan.measures.reuse_factor or 0.0
    print(f"\n{problem.name}: {len(problem.tasks)} tasks, {format_size(plan.measures.allocated)}, factor {factor:.3f}")
    print("seal         tasks     seal   verify   share    wall   wall against none   checks")
    reports: dict[str | None, RunReport] = {}
    for algorithm in (None, *ALGORITHMS):
        with tempfile.TemporaryDirectory(prefix="seals-", dir=FOLDER) as folder:
            report = reports[algorithm] = run(plan, algorithm, Path(folder))
        share = (report.seal_s + report.verify_s) / report.task_s
        against = report.wall_s / reports[None].wall_s - 1
        print(
            f"{algorithm or 'none':9} {report.task_s:6.2f} s {report.seal_s:6.2f} s {report.verify_s:6.2f} s "
            f"{share:6.1%} {report.wall_s:6.2f} s {against:+18.1%} {report.verifications:8d}",
            flush=True,
        )
    complete = all(report.status.value == "complete" for report in reports.values())
    return complete and len({tuple(sorted(report.results.items())) for report in reports.values()}) == 1


def main() -> int:
    """Print both tables; 1 when a run failed or gave other results than the rest."""
    parser = argparse.ArgumentParser(description="Seconds of sealing and verifying beside seconds of work.")
    parser.add_argument("--rows", type=int, default=4, help="strips of the mosaic (default %(default)s)")
    parser.add_argument("--tile", type=int, default=1400, help="pixels per side of a tile (default %(default)s)")
    parser.add_argument("--layers", type=int, default=12, help="layers of paced tasks (default %(default)s)")
    args = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    warm_up(lambda message: print(message, file=sys.stderr))
    same = [print_table(problem) for problem in (mosaic(args.rows, args.tile), paced(args.layers, 4, 750_000))]
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
