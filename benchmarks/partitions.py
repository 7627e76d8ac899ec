"""Can buffers that fit on one address line be placed in eight partitions? A table over real workflows.

Claim: with the starts of a plan, there is a placement in 8 partitions, or a proof that there is none, whenever there is
one without partitions; with and without pools, with and without exclusive writers, in workspaces near the least.

Three plans per workflow give the starts: the fastest on 8 workers in one shared partition, the one with the least
memory, and the fastest in 8 exclusive partitions. ``partition-free`` is the height on one address line per pool (the
baseline); a capacity is a multiple of it, or of the most bytes alive at once (marked ``live``). Pools: by the last part
of a file's name, into three.

Reads the traces from ``$CATALYTIC_DATA/wfcommons`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.formats import import_wfcommons
from catalytic.solver.order import Compact
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.arena_portfolio import place_arena
from catalytic.solver.placement.partition_bounds import least_footprint
from catalytic.solver.placement.partition_plan import question_of
from catalytic.solver.placement.partition_question import Partitioned, disagreements
from catalytic.solver.placement.partitioned import place_partitioned
from catalytic.solver.plan import Objective, Status
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Policy, Problem, Workspace
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick
from catalytic.solver.warm_up import warm_up

PARTITIONS, WORKERS, POOLS = 8, 8, 3
FACTORS = (1.0, 1.02, 1.05, 1.1, 1.5)
POLICY = Policy(InputPolicy.EXTERNAL, OutputPolicy.EXPORT)
LARGE = Bytes(10**12)


@dataclass(frozen=True, slots=True)
class Row:
    """One question: how its workspace is told, and the bytes that its buffers need without partitions."""

    capacity: str
    question: Partitioned
    partition_free: int


def data_folder() -> Path:
    """Where the workflow traces lie."""
    root = os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    return Path(root) / "wfcommons"


def load(path: Path, partitions: int) -> Problem:
    """The trace in a workspace that holds anything; one partition is shared, several are exclusive."""
    isolation = Isolation.SHARED if partitions == 1 else Isolation.EXCLUSIVE
    workspace = Workspace(LARGE, partitions, isolation=isolation)
    return import_wfcommons(path, workspace=workspace, policy=POLICY, workers=WORKERS).problem


def plans(path: Path, seconds: float) -> Iterator[tuple[str, dict[str, Tick]]]:
    """Name and starts of the plans whose lifetimes are placed again."""
    for name, partitions, objective in (
        ("fast", 1, Objective.MAKESPAN),
        ("lean", 1, Objective.REUSE),
        ("exclusive", PARTITIONS, Objective.MAKESPAN),
    ):
        plan = solve(load(path, partitions), objective=objective, budget=Budget(seconds, seed=0)).plan
        if plan is not None:
            yield name, {t.id: t.start for t in plan.tasks}


def questions(path: Path, starts: Mapping[str, Tick], seconds: float) -> Iterator[Row]:
    """Every workspace, with and without pools and exclusive writers."""
    problem = load(path, PARTITIONS)
    question = question_of(Compact.of(problem), starts)
    kinds = [zlib.crc32(b.rsplit(".", 1)[-1].encode()) % POOLS for b in problem.graph.resident]
    _, pools = np.unique(np.array(kinds, dtype=np.int64), return_inverse=True)
    one = np.zeros(len(kinds), np.int64)
    for pool in (one, pools.astype(np.int64)) if pools.max(initial=0) else (one,):
        count = int(pool.max(initial=0)) + 1
        pooled = replace(question, pool=pool, limits=(None,) * count)
        height, live = partition_free(pooled.arena, pool, seconds), least_footprint(pooled)
        for exclusive in (False, True):
            name = f"{count} pool{'s' * (count > 1)}, {'exclusive' if exclusive else 'shared'}"
            sizes = {f"{name}, x {f}": int(height * f) for f in FACTORS}
            sizes |= {f"{name}, live x {f}": int(live * f) for f in FACTORS[1:4] if height > 1.005 * live}
            for capacity, size in sizes.items():
                step = problem.workspace.alignment
                each = -(-size // (PARTITIONS * step)) * step
                yield Row(capacity, replace(pooled, partitions=(each,) * PARTITIONS, exclusive=exclusive), height)


def partition_free(arena: Arena, pool: Ints, seconds: float) -> int:
    """Height of each pool on an address line of its own, added up."""
    height = 0
    for own in range(int(pool.max(initial=0)) + 1):
        of = np.flatnonzero(pool == own)
        alone = Arena.of(arena.lower[of], arena.upper[of], arena.size[of], alignment=arena.alignment[of])
        height += place_arena(alone, Budget(seconds)).height or 0
    return height


COLUMNS = ("workflow", "plan", "tasks", "buffers", "partition-free", "capacity", "answer", "seconds", "CPU s", "proof")
WIDTHS = (26, 9, 5, 7, 14, 32, 10, 7, 6, 12)


def print_row(cells: tuple[str, ...]) -> None:
    """One line of the table."""
    print("  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)), flush=True)


def run(only: str, seconds: float, plan_seconds: float) -> Counter[str]:
    """Ask every question, print the table, and count the answers."""
    answers: Counter[str] = Counter()
    print_row(COLUMNS)
    for path in sorted(data_folder().glob(f"*{only}*.json*")):
        for plan, starts in plans(path, plan_seconds):
            for row in questions(path, starts, plan_seconds):
                wall, spent = time.monotonic(), time.process_time()
                placed = place_partitioned(row.question, Budget(seconds, workers=2), minimise=False)
                wall, spent = time.monotonic() - wall, time.process_time() - spent
                if placed.partition is not None and placed.offset is not None:
                    broken = disagreements(row.question, placed.partition.tolist(), placed.offset.tolist())
                    assert not broken, broken
                answer = "placed" if placed.partition is not None else placed.status.value.lower()
                answer = "impossible" if placed.status is Status.INFEASIBLE else answer
                answers[answer] += 1
                print_row((
                    path.name.split(".")[0][:26], plan, str(len(starts)), str(row.question.arena.size.size),
                    str(row.partition_free), row.capacity, answer, f"{wall:.1f}", f"{spent:.1f}",
                    placed.evidence.value if placed.impossible else "-",
                ))  # fmt: skip
                if placed.impossible is not None:
                    print(f"    {placed.impossible.reason}")
    return answers


def main() -> int:
    """Print the table; 1 when a question was left open."""
    parser = argparse.ArgumentParser(description="Placements of real workflows' plans in eight partitions.")
    parser.add_argument("--seconds", type=float, default=30.0, help="time limit per placement (default %(default)s)")
    parser.add_argument("--plan-seconds", type=float, default=3.0, help="time limit per plan (default %(default)s)")
    parser.add_argument("--only", metavar="NAME", default="", help="only workflows whose name contains NAME")
    args = parser.parse_args()
    if not data_folder().is_dir():
        print(f"skipped: no workflow traces in {data_folder()}; set CATALYTIC_DATA", file=sys.stderr)
        return 0
    warm_up(lambda message: print(message, file=sys.stderr))
    answers = run(args.only, args.seconds, args.plan_seconds)
    print(", ".join(f"{answer}: {count}" for answer, count in sorted(answers.items())))
    return 1 if answers["unknown"] else 0


if __name__ == "__main__":
    sys.exit(main())
