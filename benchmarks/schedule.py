"""Least makespan under a memory ceiling: real workflows, with a proven floor and a greedy baseline beside every plan.

Claim: 8 workers, a reuse factor of 0.8, a minute each on two cores. ``greedy`` is the first list schedule that keeps
below the ceiling (longest tail or reference order, before placement), ``floor`` what no plan can undercut, ``price``
the makespan in 8 exclusive partitions by that on one address line with the same policies, when both are asked for.

``--redundant`` shows what each family of redundant constraints earns: the bound after equal time with and without it.
``--large`` plans a generated problem of 10 000 tasks and 30 000 buffers in 8 partitions and prints time and memory.

Reads the traces from ``$CATALYTIC_DATA/wfcommons`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

import numpy as np

from catalytic.solver.budget import Budget
from catalytic.solver.formats import import_wfcommons
from catalytic.solver.order import Compact, least_peak
from catalytic.solver.plan import Objective
from catalytic.solver.problem import (
    Buffer,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Problem,
    Task,
    Workspace,
)
from catalytic.solver.schedule import cp_sat_redundant as redundant
from catalytic.solver.schedule.cp_sat_schedule import Asked
from catalytic.solver.schedule.relaxed import Chains, relax
from catalytic.solver.schedule.search import ScheduleSearch
from catalytic.solver.solve import solve
from catalytic.solver.units import Bytes, Tick
from catalytic.solver.warm_up import warm_up

WORKFLOWS = (
    "srasearch-chameleon-10a",
    "montage-chameleon-2mass-005d",
    "rnaseq",
    "atacseq",
    "1000genome-chameleon-10ch",
    "epigenomics-chameleon-ilmn-6seq",
    "montage-chameleon-dss-125d",
)
TARGET, WORKERS, SIZE = 0.8, 8, Bytes(10 * 10**9)


def data_folder() -> Path:
    """Where the workflow traces lie."""
    root = os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    return Path(root) / "wfcommons"


def load(name: str, inputs: InputPolicy, partitions: int) -> Problem:
    """The trace whose file name contains ``name``; one partition is shared, several are exclusive."""
    path = min(data_folder().glob(f"*{name}*.json*"), default=None)
    if path is None:
        raise SystemExit(f"no trace like {name} in {data_folder()}; set CATALYTIC_DATA")
    isolation = Isolation.SHARED if partitions == 1 else Isolation.EXCLUSIVE
    workspace = Workspace(SIZE, partitions=partitions, isolation=isolation)
    policy = Policy(inputs, OutputPolicy.EXPORT)
    return import_wfcommons(path, workspace=workspace, policy=policy, workers=WORKERS).problem


def ceiling_of(problem: Problem) -> int:
    """Bytes that the target allows."""
    return min(int(problem.workspace.capacity), int(problem.graph.allocated) // 5)


def greedy(problem: Problem) -> float | None:
    """Makespan (s) of the first list schedule below the ceiling."""
    compact = Compact.of(problem)
    ceiling = ceiling_of(problem)
    found = least_peak(problem, Budget(2.0), enough=ceiling)
    order = np.array([compact.tasks.index(t) for t in found.order], dtype=np.int64)
    search = ScheduleSearch(compact, [order], ceiling, Budget().start())
    search.first()
    best = search.best
    return None if best is None or best.worth(ceiling)[0] > 0 else best.schedule.makespan / 1000


def rows(
    names: Sequence[str], inputs: InputPolicy, partitions: int, seconds: float, seeds: int
) -> Iterator[tuple[str, float]]:
    """Plan every workflow, print a line for each, and yield its median makespan."""
    where = "one address line" if partitions == 1 else f"{partitions} exclusive partitions"
    print(
        f"\n{where}, inputs {inputs.value}, outputs export, target {TARGET}, {WORKERS} workers, {seconds:g} s, "
        f"{seeds} seed(s)"
    )
    print(
        f"{'workflow':32} {'tasks':>5} {'greedy':>9} {'makespan (all seeds)':>28} {'floor':>9} {'gap':>6} {'s':>6}  "
        "status, floor by"
    )
    for name in names:
        problem = load(name, inputs, partitions)
        first = greedy(problem)
        makespans, floors, took, status, by = [], [], [], "", ""
        for seed in range(seeds):
            begin = time.monotonic()
            budget = Budget(seconds, os.cpu_count() or 1, seed).start()
            outcome = solve(problem, objective=Objective.MAKESPAN, target=TARGET, budget=budget)
            took.append(time.monotonic() - begin)
            best = max((b for b in outcome.bounds if b.quantity == "makespan"), key=lambda b: b.value)
            floors.append(best.value / 1000)
            status, by = outcome.status.value, best.method
            if outcome.plan is not None and outcome.target_met:
                makespans.append(outcome.plan.measures.makespan / 1000)
        value, floor = (median(makespans) if makespans else float("nan")), max(floors)
        listed = " ".join(f"{m:.1f}" for m in sorted(makespans)) or "target missed"
        start = "-" if first is None else f"{first:.1f}"
        print(
            f"{name:32} {len(problem.tasks):5} {start:>9} {listed:>28} {floor:9.1f} {100 * (1 - floor / value):5.1f}% "
            f"{max(took):6.1f}  {status}, {by}",
            flush=True,
        )
        yield name, value


def print_redundant(names: Sequence[str], seconds: float) -> None:
    """The bound of one relaxation after equal time, with all families, without each, and with none."""
    variants = {"all": redundant.DEFAULT, "none": redundant.NONE}
    variants |= {f"without {n}": replace(redundant.DEFAULT, **{n: False}) for n in ("energy", "memory_time", "twins")}
    print(f"bounds (s) of one relaxation (groups above 1 %) after at most {seconds:g} s, and the seconds")
    print(f"{'workflow':32} " + " ".join(f"{v:>24}" for v in variants))
    for name in names:
        problem = load(name, InputPolicy.LAZY, 1)
        compact, ceiling = Compact.of(problem), ceiling_of(problem)
        upper = int(compact.duration.sum())
        relaxed = relax(compact, Chains(compact), ceiling, max(1, upper // 2000), ceiling // 100)
        cells = []
        for switches in variants.values():
            begin = time.monotonic()
            solution = Asked(switches).least_makespan(relaxed, upper // relaxed.grain, seconds, Budget())
            cells.append(f"{solution.bound * relaxed.grain / 1000:>14.1f} {time.monotonic() - begin:>6.1f} s")
        print(f"{name:32} " + " ".join(f"{c:>24}" for c in cells), flush=True)


def large_problem(tasks: int, seed: int) -> Problem:
    """Tasks that write three buffers each and read some of those written not long before."""
    rng = Random(seed)
    buffers, rows = [], []
    for k in range(tasks):
        reads = {
            f"b{max(0, k - 1 - int(rng.expovariate(1 / 60)))}.{rng.randrange(3)}" for _ in range(rng.randrange(1, 4))
        }
        outputs = tuple(f"b{k}.{i}" for i in range(3))
        buffers += [Buffer(b, Bytes(int(rng.lognormvariate(13, 1.2)) + 1)) for b in outputs]
        inputs = tuple(sorted(reads)) if k > 20 else ()
        rows.append(Task(f"t{k}", Tick(int(rng.lognormvariate(7, 1)) + 1), inputs=inputs, outputs=outputs))
    return Problem("large", tuple(rows), tuple(buffers), Workspace(SIZE, 8), (("workers", WORKERS),))


def print_large(seconds: float) -> None:
    """A plan of 10 000 tasks, with the time it took and the most memory the process ever had."""
    problem = large_problem(10_000, 0)
    begin = time.monotonic()
    outcome = solve(
        problem, objective=Objective.MAKESPAN, target=TARGET, budget=Budget(seconds, os.cpu_count() or 1).start()
    )
    took, most = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    plan = outcome.plan
    assert plan is not None
    floor = max(b.value for b in outcome.bounds if b.quantity == "makespan") / 1000
    print(
        f"10 000 tasks, 30 000 buffers, 8 exclusive partitions: {outcome.status.value}, target met "
        f"{outcome.target_met}, makespan {plan.measures.makespan / 1000:.1f} s (floor {floor:.1f}), {took:.1f} s of "
        f"{seconds:g}, {most:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", help="workflows whose file names contain this")
    parser.add_argument(
        "--inputs", action="append", choices=[p.value for p in InputPolicy], help="default: lazy, external"
    )
    parser.add_argument("--partitions", action="append", type=int, help="default: 1 and 8")
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--redundant", action="store_true")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    warm_up(lambda message: print(message, file=sys.stderr))
    if options.large:
        print_large(options.time_limit)
        return
    names = options.only or list(WORKFLOWS)
    if options.redundant:
        print_redundant(names, options.time_limit)
        return
    for inputs in map(InputPolicy, options.inputs or ["lazy", "external"]):
        found: dict[int, dict[str, float]] = {}
        for partitions in options.partitions or [1, 8]:
            found[partitions] = dict(rows(names, inputs, partitions, options.time_limit, options.seeds))
        if {1, 8} <= set(found):
            print(f"price of partitions, inputs {inputs.value}: " + ", ".join(
                f"{name} {found[8][name] / found[1][name]:.2f}" for name in names
            ))  # fmt: skip


if __name__ == "__main__":
    main()
