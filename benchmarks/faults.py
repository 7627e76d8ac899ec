"""Does a run survive what can happen to it? Kills and flipped bits at random moments, counted and compared.

1. ``kill -9`` of the coordinator at random moments, then ``resume``. Each result must equal that of an undisturbed run
   (on a plan *without* reuse), no task reported complete may run again without a reason, and a second resume must do
   nothing. The table shows how far the runs were: at the moment of death at least one execution must have been under
   way and some bytes must have had their third owner, or the kill counts as a miss and another one is made.
2. ``kill -9`` of a worker at random moments: the run itself must go on and end with the same results.
3. One flipped bit in a random living buffer at a random moment: found before anything reads it (or by ``verify``, when
   nothing does any more), repaired, same results. Beside as many runs without a flip: no false alarm.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from catalytic.runtime import coordinator
from catalytic.runtime.events import EventKind, RunEvent
from catalytic.runtime.report import RunOptions, RunStatus
from catalytic.runtime.state import RunState
from catalytic.runtime.workspace import Workspace as Arena
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Plan, plan_without_reuse
from catalytic.solver.problem import Problem
from tests.faults import Child, flip_in, kill_process, living, records, scramble_unfinished, state_of
from tests.runtime.plans import arena_of, random_problem, tight_plan

FOLDER = Path(__file__).resolve().parents[1] / "work"
TENTHS = 10
GENERATIONS = 3


@dataclass(slots=True)
class Tally:
    """What was counted over all kills."""

    kills: int = 0
    misses: int = 0
    wrong: list[str] = field(default_factory=list)
    progress: Counter[int] = field(default_factory=Counter)
    generation: Counter[int] = field(default_factory=Counter)
    in_flight: Counter[int] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)


def instance(seed: int) -> Problem:
    """A DAG of 30 tasks with buffers up to 400 kB, every input and output policy in turn."""
    return random_problem(seed, tasks=30, most_pages=100, ms=(20, 80))


def prepare(seed: int, folder: Path) -> tuple[Plan, Arena, dict[str, str]]:
    """A tight plan in a new workspace, and the results it must have."""
    problem = instance(seed)
    plan, separate = tight_plan(problem), plan_without_reuse(problem)
    reference = arena_of(separate, folder / "reference")
    options = RunOptions(folder, folder / "wanted", executor="inline")
    wanted = dict(coordinator.execute(separate, reference, options).results)
    (folder / "plan.json").write_bytes(dump_plan(plan))
    return plan, arena_of(plan, folder / "w"), wanted


def generation(plan: Plan, state: RunState) -> int:
    """The most owners any byte has had: along takeovers among what has begun."""
    depth: dict[str, int] = {}
    begun = {name for b in state.begun for name in b.writes}
    for r in plan.regions:
        if r.buffer in begun:
            owners = plan.takes_over.get(r.id, ())
            depth[r.id] = 1 + max((depth.get(o.region, 0) for o in owners), default=0)
    return max(depth.values(), default=0)


def kill_coordinators(count: int, rng: random.Random, tally: Tally) -> None:
    """Table 1."""
    while tally.kills < count:
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            folder = Path(name)
            seed = rng.randrange(10**6)
            plan, workspace, wanted = prepare(seed, folder)
            child = Child("run", workspace, folder / "plan.json", folder)
            at = rng.randrange(2, len(plan.tasks))
            if child.wait_for(lambda at=at, workspace=workspace: len(state_of(workspace).committed) >= at):  # type: ignore[misc]
                time.sleep(rng.random() * 0.08)
            child.kill()
            before = state_of(workspace)
            if not before.open or generation(plan, before) < GENERATIONS or before.ended:
                tally.misses += 1
                continue
            tally.kills += 1
            tally.progress[TENTHS * len(before.committed) // (len(plan.tasks) + 1)] += 1
            tally.generation[generation(plan, before)] += 1
            tally.in_flight[len(before.open)] += 1
            if rng.random() < 0.5:
                scramble_unfinished(workspace, rng)
            _resume(plan, workspace, wanted, before, folder, f"seed {seed}", tally)


def _resume(
    plan: Plan, workspace: Arena, wanted: dict[str, str], before: RunState, folder: Path, name: str, tally: Tally
) -> None:
    report = coordinator.resume(workspace, RunOptions(folder, folder / "out", repair_spill=True))
    if report.status is not RunStatus.COMPLETE or dict(report.results) != wanted:
        tally.wrong.append(f"{name}: {report.status}, results differ: {dict(report.results) != wanted}")
    in_place = {n for n in before.open if n in plan.task and plan.problem.graph.task[n].in_place}
    tally.again["taken over in place" if in_place else "none"] += 1
    resumed = max(n for n, r in enumerate(records(workspace)) if r.kind == "resume")
    again = {r.subject for r in records(workspace)[resumed:] if r.kind == "commit"} & set(before.committed)
    if again and not in_place:
        tally.wrong.append(f"{name}: {sorted(again)} ran again without a reason")
    if coordinator.resume(workspace).executed or coordinator.verify(workspace).damaged:
        tally.wrong.append(f"{name}: a second resume had something to do")


def kill_workers(count: int, rng: random.Random, tally: Tally) -> None:
    """Table 2."""
    while tally.kills < count:
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            folder = Path(name)
            seed = rng.randrange(10**6)
            plan, workspace, wanted = prepare(seed, folder)
            child = Child("run", workspace, folder / "plan.json", folder)
            at = rng.randrange(2, len(plan.tasks))
            child.wait_for(lambda at=at, workspace=workspace: len(state_of(workspace).committed) >= at)  # type: ignore[misc]
            time.sleep(rng.random() * 0.05)
            before, workers = state_of(workspace), child.workers()
            if workers:
                kill_process(rng.choice(workers))
            status, printed, errors = child.finish()
            if not workers or not before.open:
                tally.misses += 1
                continue
            tally.kills += 1
            tally.progress[TENTHS * len(before.committed) // (len(plan.tasks) + 1)] += 1
            results = {b: r.content for b, r in state_of(workspace).results.items() if r.content is not None}
            if (status, printed) != (0, "complete") or results != wanted:
                tally.wrong.append(f"seed {seed}: {status} {printed} {errors[-200:]}")


def flip_bits(count: int, rng: random.Random, *, flips: bool) -> Counter[str]:
    """Table 3: how each flip was found; without flips, the false alarms."""
    found: Counter[str] = Counter()
    while sum(found.values()) < count:
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            folder = Path(name)
            plan, workspace, wanted = prepare(rng.randrange(10**6), folder)
            at = rng.randrange(1, len(plan.tasks))
            flipped: list[str] = []

            def flip(event: RunEvent) -> None:
                if event.kind is EventKind.COMMITTED and len(state_of(workspace).committed) >= at and not flipped:  # noqa: B023
                    alive = living(workspace, plan)  # noqa: B023
                    if alive:
                        flipped.append(flip_in(workspace, plan, rng.choice(alive), rng).buffer)  # noqa: B023

            options = RunOptions(folder, folder / "out", executor="inline", repair_spill=True)
            report = coordinator.execute(plan, workspace, options, flip if flips else None)
            if flips and not flipped:
                continue
            damage = [r for r in records(workspace) if r.kind == "damage"]
            verified = coordinator.verify(workspace).damaged
            kind = "by a reader or at reuse" if damage else "by verify" if verified else "not found"
            if verified:
                report = coordinator.resume(workspace, options)
            same = report.status is RunStatus.COMPLETE and dict(report.results) == wanted
            found[kind if same else f"{kind}, WRONG RESULT"] += 1
    return found


def show(title: str, tally: Tally) -> None:
    """Print one tally."""
    print(f"{title}: {tally.kills} kills ({tally.misses} misses not counted), wrong: {len(tally.wrong)}")
    print("  progress at death, tenths:", dict(sorted(tally.progress.items())))
    for label, counts in (
        ("owners of some byte", tally.generation),
        ("executions under way", tally.in_flight),
        ("damaged by design", tally.again),
    ):
        if counts:
            print(f"  {label}:", dict(sorted(counts.items(), key=str)))
    for line in tally.wrong:
        print("  WRONG", line)


def main() -> None:
    """Print the tables; exit status 1 when anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="kills per kind (default %(default)s)")
    parser.add_argument("--flips", type=int, default=100, help="runs with, and without, a flip (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    FOLDER.mkdir(exist_ok=True)
    coordinators, workers = Tally(), Tally()
    kill_coordinators(asked.kills, rng, coordinators)
    show("coordinator", coordinators)
    kill_workers(asked.kills, rng, workers)
    show("worker", workers)
    flipped = flip_bits(asked.flips, rng, flips=True)
    clean = flip_bits(asked.flips, rng, flips=False)
    print(f"{sum(flipped.values())} flipped bits, found:", dict(sorted(flipped.items())))
    print(f"{sum(clean.values())} runs without a flip, found:", dict(sorted(clean.items())))
    bad = any("not found" in k or "WRONG" in k for k in flipped) or set(clean) != {"not found"}
    raise SystemExit(1 if coordinators.wrong or workers.wrong or bad else 0)


if __name__ == "__main__":
    main()
