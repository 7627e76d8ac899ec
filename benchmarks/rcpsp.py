"""Resource-constrained projects of PSPLIB: our schedules beside PyJobShop's and a plain CP-SAT model, in one run.

Claim: with equal processor seconds the mean gap to the best known makespans is below PyJobShop's (``pip install
pyjobshop``, part of the extra ``bench``), and no value that the plain CP-SAT model reaches takes us longer, by the
geometric mean of the ratios.

Every solve is a process of its own with two threads and half the processor seconds as its limit; what it really used
is printed. Reads ``$CATALYTIC_DATA/psplib`` (default: ``../shared/data`` beside the repository). Best known values come
from the file ``best_known.csv`` there.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

THREADS = 2
SETS = ("j30", "j60", "j120")
LEAST_SECONDS = 0.05
"""Times below are taken for this, so that ratios of nothing to nothing do not count."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Makespan and bound in the file's units, (seconds, makespan) of each better one, processor seconds."""

    value: int | None
    bound: int
    trajectory: list[tuple[float, int]]
    cpu: float


def data_folder() -> Path:
    """Where the projects lie."""
    root = os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    return Path(root) / "psplib"


# -- one solve, in a process of its own ------------------------------------------------------------------------------


def ours(path: Path, seconds: float, seed: int) -> tuple[int | None, int, list[tuple[float, int]]]:
    """The planner: nothing to place, so schedules alone decide."""
    from catalytic.solver.budget import Budget, Progress
    from catalytic.solver.formats import import_psplib
    from catalytic.solver.plan import Objective
    from catalytic.solver.solve import solve
    from catalytic.solver.warm_up import warm_up

    problem = import_psplib(path).problem
    warm_up(lambda _: None)
    begin, trajectory = time.monotonic(), []

    def observe(news: Progress) -> None:
        if news.makespan is not None:
            trajectory.append((time.monotonic() - begin, news.makespan // 1000))

    budget = Budget(seconds, THREADS, seed).start()
    outcome = solve(problem, objective=Objective.MAKESPAN, budget=budget, observer=observe)
    bound = max(b.value for b in outcome.bounds if b.quantity == "makespan")
    value = None if outcome.plan is None else int(outcome.plan.measures.makespan) // 1000
    return value, -(-bound // 1000), trajectory


def pyjobshop(path: Path, seconds: float, seed: int) -> tuple[int | None, int, list[tuple[float, int]]]:
    """PyJobShop with its default solver."""
    from pyjobshop import Model

    from catalytic.solver.formats import import_psplib

    problem = import_psplib(path).problem
    model = Model()
    resources = {name: model.add_renewable(capacity) for name, capacity in problem.resources if name != "workers"}
    tasks = {t.id: model.add_task(name=t.id) for t in problem.tasks}
    for t in problem.tasks:
        needs = [(resources[name], amount) for name, amount in t.demands if name in resources and amount]
        model.add_mode(tasks[t.id], [r for r, _ in needs], int(t.duration) // 1000, [amount for _, amount in needs])
        for before in t.after:
            model.add_end_before_start(tasks[before], tasks[t.id])
    result = model.solve(time_limit=seconds, display=False, num_workers=THREADS, random_seed=seed)
    value = None if not math.isfinite(result.objective) else round(result.objective)
    return value, math.ceil(result.lower_bound - 1e-6) if math.isfinite(result.lower_bound) else 0, []


def plain(path: Path, seconds: float, seed: int) -> tuple[int | None, int, list[tuple[float, int]]]:
    """Our CP-SAT model without hint and redundant constraints, and nothing beside it."""
    from ortools.sat.python import cp_model

    from catalytic.solver.formats import import_psplib
    from catalytic.solver.order import Compact
    from catalytic.solver.schedule import cp_sat_redundant
    from catalytic.solver.schedule.cp_sat_schedule import build
    from catalytic.solver.schedule.relaxed import Chains, relax

    compact = Compact.of(import_psplib(path).problem)
    begin, trajectory = time.monotonic(), []
    relaxed = relax(compact, Chains(compact), 1, 1000, 0)
    model, _ = build(relaxed, int(relaxed.duration.sum()), 0, cp_sat_redundant.NONE)

    class Watch(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            trajectory.append((time.monotonic() - begin, round(self.objective_value)))

    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = THREADS, seed
    solver.parameters.max_time_in_seconds = seconds
    solver.solve(model, Watch())
    bound = math.ceil(solver.best_objective_bound - 1e-6)
    return (trajectory[-1][1] if trajectory else None), bound, trajectory


SOLVERS: dict[str, Callable[[Path, float, int], tuple[int | None, int, list[tuple[float, int]]]]] = {
    "ours": ours,
    "pyjobshop": pyjobshop,
    "plain": plain,
}


def child(solver: str, path: Path, seconds: float, seed: int) -> None:
    """Solve and print the answer as JSON. Processor seconds include imports."""
    value, bound, trajectory = SOLVERS[solver](path, seconds, seed)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps({"value": value, "bound": bound, "trajectory": trajectory, "cpu": usage.ru_utime + usage.ru_stime})
    )


def ask(solver: str, path: Path, seconds: float, seed: int) -> Answer:
    """One solve in a process of its own."""
    call = [sys.executable, __file__, "--child", solver, str(path), str(seconds), "--seed", str(seed)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{solver} on {path.name} failed:\n{done.stderr[-2000:]}")
    row = json.loads(done.stdout.splitlines()[-1])
    return Answer(row["value"], row["bound"], [(t, v) for t, v in row["trajectory"]], row["cpu"])


# -- the table -------------------------------------------------------------------------------------------------------


def known() -> dict[str, tuple[int, int]]:
    """Instance -> best known (lower bound, makespan)."""
    with (data_folder() / "best_known.csv").open() as file:
        return {row["instance"]: (int(row["best_lb"]), int(row["best_ub"])) for row in csv.DictReader(file)}


def instances(sets: Sequence[str], most: int | None) -> Iterator[Path]:
    """The projects of ``sets``, at most ``most`` of each, spread evenly."""
    for name in sets:
        files = sorted((data_folder() / name).glob("*.sm"))
        step = 1 if most is None else max(1, len(files) // most)
        yield from files[::step][:most]


def time_ratio(ours: Answer, other: Answer) -> float | None:
    """Our seconds to the other's last value by its own; None where it has none. Unreached: twice the last event."""
    if not other.trajectory:
        return None
    last = other.trajectory[-1][1]
    theirs = next(t for t, v in other.trajectory if v == last)
    reached = [t for t, v in ours.trajectory if v <= last]
    mine = reached[0] if reached else 2 * max(t for t, _ in [*ours.trajectory, *other.trajectory])
    return max(LEAST_SECONDS, mine) / max(LEAST_SECONDS, theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", dest="sets", action="append", choices=SETS, help="default: all three")
    parser.add_argument("--most", type=int, help="instances of each set")
    parser.add_argument("--cpu", type=float, default=21.0, help="processor seconds of each solve")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--solver", action="append", choices=tuple(SOLVERS), help="default: all")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child[0], Path(options.child[1]), float(options.child[2]), options.seed)
        return
    if not data_folder().is_dir():
        raise SystemExit(f"no projects in {data_folder()}; set CATALYTIC_DATA")
    print_table(
        options.sets or SETS, options.most, options.cpu / THREADS, options.solver or tuple(SOLVERS), options.seed
    )


def print_table(sets: Sequence[str], most: int | None, seconds: float, solvers: Sequence[str], seed: int) -> None:
    """One line per project, then the means of each set: gap to the best known makespan, in percent."""
    best = known()
    print(f"{THREADS} threads and {seconds:g} s each (plus start), seed {seed}; gap: to the best known makespan")
    print("instance    known (lb)   " + "   ".join(f"{s:>9} >=    cpu" for s in solvers) + "   time ratio")
    gaps: dict[tuple[str, str], list[float]] = {}
    ratios: list[float] = []
    for path in instances(sets, most):
        low, high = best[path.stem]
        answers = {s: ask(s, path, seconds, seed) for s in solvers}
        for s, answer in answers.items():
            value = answer.value if answer.value is not None else 2 * high
            gaps.setdefault((path.parent.name, s), []).append(100 * (value - high) / high)
        ratio = time_ratio(answers["ours"], answers["plain"]) if {"ours", "plain"} <= set(answers) else None
        ratios += [ratio] if ratio is not None else []
        cells = "   ".join(f"{a.value!s:>9} {a.bound:>4} {a.cpu:>5.1f}" for a in answers.values())
        print(
            f"{path.stem:<11} {high:>5} ({low})".ljust(25) + cells + ("" if ratio is None else f"   {ratio:.2f}"),
            flush=True,
        )
    for name in sets:
        means = ", ".join(f"{s} {mean(gaps[name, s]):.2f} %" for s in solvers if (name, s) in gaps)
        print(f"{name}: mean gap {means}")
    if ratios:
        product = math.exp(mean(math.log(r) for r in ratios))
        print(f"seconds to the plain model's last value: ours by its own, geometric mean {product:.2f}")


if __name__ == "__main__":
    main()
