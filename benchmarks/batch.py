"""How much does a batch add to its cells, and does it survive being killed? One run, one table each.

Claim: a batch of 15 workflow traces x 2 configurations x 2 seeds takes at most 1.15 x (sum of the cells' time limits /
jobs), with everything that is no search: starting, reading, checking and writing plans. What is measured is the wall
clock of the whole program, from its start to its end, loops compiled before.

Claim: killed at any moments and started again, it ends with the table of an undisturbed batch. Cells count their work
there (``deterministic``) so that their answers do not depend on time; what is compared is every value, bound, status
and plan, cell by cell, and that each cell has exactly one row.

Reads the traces from ``$CATALYTIC_DATA/wfcommons`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from catalytic.solver.warm_up import warm_up

FOLDER = Path(__file__).resolve().parents[1] / "work"
"""Where studies stand while something runs: on a disk, which a temporary folder may not be."""

WANTED = 1.15
CONFIGURATIONS = {
    "reuse": 'objective = "reuse"\n',
    "makespan": 'objective = "makespan"\nreuse-factor = 0.5\n',
}
COUNTED = "deterministic = true\nthreads = 1\n"
SMALL = 200_000
"""Bytes of the largest trace that is used where batches are killed: a kill costs the cells under way."""


def traces() -> list[Path]:
    """The traces that can be read."""
    root = os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
    return sorted((Path(root) / "wfcommons").glob("*.json*"))


def write_configurations(folder: Path, extra: str = "") -> list[Path]:
    """The two configurations as files."""
    paths = []
    for name, text in CONFIGURATIONS.items():
        path = folder / f"{name}.toml"
        path.write_text(text + extra, encoding="utf-8")
        paths.append(path)
    return paths


def command(problems: Sequence[Path], configurations: Sequence[Path], out: Path, args: argparse.Namespace) -> list[str]:
    """The batch as a command line."""
    options = [word for path in configurations for word in ("--config", str(path))]
    limits = ["--seeds", str(args.seeds), "--jobs", str(args.jobs), "--time-limit", str(args.seconds), "--grace", "600"]
    call = [sys.executable, "-c", "from catalytic.cli.main import main; main()", "batch", *map(str, problems)]
    return [*call, *options, *limits, "--out", str(out)]


def rows(out: Path) -> list[dict[str, object]]:
    """The rows as they stand in the file."""
    path = out / "cells.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def print_time(problems: Sequence[Path], folder: Path, args: argparse.Namespace) -> bool:
    """One undisturbed batch against the sum of its limits."""
    started = time.monotonic()
    words = command(problems, write_configurations(folder), folder / "timed", args)
    code = subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode
    wall = time.monotonic() - started
    made = rows(folder / "timed")
    limits = sum(float(r["limits"]["time_s"]) for r in made)  # type: ignore[index]
    inside = sum(float(r["seconds"]) for r in made)  # type: ignore[arg-type]
    cpu = sum(float(r["cpu_s"]) for r in made)  # type: ignore[arg-type]
    print(f"{len(made)} cells of {args.seconds:g} s on {args.jobs} jobs: exit code {code}")
    print(f"  sum of limits / jobs   {limits / args.jobs:8.1f} s")
    print(f"  cells' own time / jobs {inside / args.jobs:8.1f} s   (cpu {cpu:.1f} s in all)")
    print(f"  the whole batch        {wall:8.1f} s")
    ratio = wall * args.jobs / limits if limits else 0.0
    print(f"  ratio {ratio:.3f}, wanted at most {WANTED}; outside of cells {wall - inside / args.jobs:.1f} s")
    late = sorted(made, key=lambda r: float(r["seconds"]) - float(r["limits"]["time_s"]), reverse=True)  # type: ignore
    for row in late[:3]:
        print(f"  longest: {row['instance']} {row['configuration']}/{row['seed']} {float(row['seconds']):.1f} s")  # type: ignore
    return code == 0 and ratio <= WANTED


def answers(out: Path) -> dict[tuple[object, ...], tuple[object, ...]]:
    """What was found, by cell, without what differs from run to run."""
    keys = ("cell", "ended", "status", "value", "bound", "gap", "plan", "bounds", "plan_file")
    return {
        (r["instance"], r["configuration"], r["seed"]): tuple(json.dumps(r[key]) for key in keys) for r in rows(out)
    }


def print_kills(problems: Sequence[Path], folder: Path, args: argparse.Namespace) -> bool:
    """A batch killed again and again against one that was not."""
    (folder / "counted").mkdir()
    configurations = write_configurations(folder / "counted", COUNTED)
    words = command(problems, configurations, folder / "undisturbed", args)
    started = time.monotonic()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=False)
    takes = time.monotonic() - started
    killed = command(problems, configurations, folder / "killed", args)
    rng, kills = Random(args.kills), 0
    for _ in range(args.kills):
        batch = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            batch.wait(rng.uniform(0.2, 0.7) * takes)
        except subprocess.TimeoutExpired:
            batch.kill()
            batch.wait()
            kills += 1
    code = subprocess.run(killed, stdout=subprocess.DEVNULL, check=False).returncode
    expected, found = answers(folder / "undisturbed"), answers(folder / "killed")
    twice = len(rows(folder / "killed")) - len(found)
    same = expected == found and twice == 0
    print(f"{len(expected)} cells, killed {kills} times, then exit code {code}: {len(found)} cells, {twice} made twice")
    print(f"  the table is {'the same' if same else 'ANOTHER ONE'}")
    for cell in sorted(set(expected) | set(found), key=str):
        for one, other in zip(expected.get(cell, ()), found.get(cell, ()), strict=False):
            if one != other:
                print(f"  {cell}: {one[:200]} undisturbed, {other[:200]} killed")
    return same and code == 0


def main() -> int:
    """Print what the command line asks for; 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description="Overhead and robustness of batches.")
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit per cell (default %(default)s)")
    parser.add_argument("--seeds", type=int, default=2, help="seeds (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="cells at a time (default %(default)s)")
    parser.add_argument("--kills", type=int, default=5, help="times that a batch is killed (default %(default)s)")
    parser.add_argument("--only", metavar="NAME", default="", help="only the traces whose name contains NAME")
    args = parser.parse_args()
    problems = [path for path in traces() if args.only in path.name]
    if not problems:
        print("skipped: no workflow traces; set CATALYTIC_DATA", file=sys.stderr)
        return 0
    FOLDER.mkdir(exist_ok=True)
    warm_up(lambda message: print(message, file=sys.stderr))
    with tempfile.TemporaryDirectory(prefix="batch-", dir=FOLDER) as folder:
        good = print_time(problems, Path(folder), args)
        if args.kills:
            args.seconds = min(args.seconds, 1.0)
            small = [p for p in problems if p.suffix == ".json" and p.stat().st_size <= SMALL] or problems[:1]
            good = print_kills(small, Path(folder), args) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
