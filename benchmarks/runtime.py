"""What does the runtime cost, and what does reuse earn? Each row beside its baseline, in one run.

1. Speed-up: a compute-bound DAG (two chains that meet) on 1 and 2 worker processes, beside the same functions on
   ``concurrent.futures`` with the same number of processes. The baseline neither seals, journals nor survives a crash.
2. Overhead per task: a chain of tasks that do nothing, beside the same chain on ``concurrent.futures``.
3. Warm bytes: writing 64 MiB into a region that the worker has written before (an opening of its window), beside a
   region that is mapped anew, a region nobody has touched, fresh anonymous memory, and a new file. Nanoseconds per
   byte; this is what reuse earns besides space.
4. Creating a workspace of 10GB in 8 partitions.
5. Peak memory of the coordinator, and the share of task time spent in seals.

Times are the best of several rounds: the machine is shared.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from catalytic.runtime import coordinator
from catalytic.runtime.mapping import Mapping, Piece, Window
from catalytic.runtime.report import RunOptions, RunReport
from catalytic.runtime.workspace import Workspace as Arena
from catalytic.solver.plan import Plan, plan_without_reuse
from catalytic.solver.problem import Buffer, OutputPolicy, Policy, Problem, PythonCall, Task, Workspace
from catalytic.solver.units import Bytes, Tick, format_size

KERNELS = Path(__file__).resolve().parent / "kernels"
FOLDER = Path(__file__).resolve().parents[1] / "work"
"""Where workspaces stand while something runs: on a disk, which a temporary folder may not be."""


def two_chains(length: int, size: int, rounds: int) -> Problem:
    """Two chains of ``length`` tasks, joined by one more; every task writes ``size`` bytes."""
    run = PythonCall("burn:burn", {"rounds": rounds})
    tasks = [
        Task(f"{side}{i}", Tick(100), (f"{side}-{i - 1}",) if i else (), (f"{side}-{i}",), run=run)
        for side in "ab"
        for i in range(length)
    ]
    last = length - 1
    tasks.append(Task("join", Tick(100), (f"a-{last}", f"b-{last}"), ("end",), run=run))
    buffers = [Buffer(b, Bytes(size)) for t in tasks for b in t.outputs]
    space = Workspace(Bytes(10**10), 1)
    policy = Policy(outputs=OutputPolicy.DISCARD)
    return Problem("two-chains", tuple(tasks), tuple(buffers), space, (("workers", 2),), policy)


def on_futures(problem: Problem, size: int, rounds: int, workers: int) -> float:
    """Seconds of the same DAG on a process pool, buffers travelling by pickle."""
    sys.path.insert(0, str(KERNELS))
    from burn import work  # type: ignore[import-not-found,unused-ignore]

    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(time.sleep, [0.01] * workers))  # both started before the clock is
        started = time.perf_counter()
        futures: dict[str, Future[bytes]] = {}
        waiting = {t.id: t for t in problem.tasks}
        writer = problem.graph.writer
        while waiting or not all(f.done() for f in futures.values()):
            for name, t in list(waiting.items()):
                sources = [futures.get(writer[b]) for b in t.inputs]
                if all(f is not None and f.done() for f in sources):
                    inputs = [f.result() for f in sources if f is not None]
                    futures[name] = pool.submit(work, inputs, size, rounds)
                    del waiting[name]
            time.sleep(0.0002)
        return time.perf_counter() - started


def on_catalytic(plan: Plan, folder: Path, workers: int) -> tuple[float, RunReport]:
    """Seconds of the run from the first task on, and its report."""
    space = plan.problem.workspace
    arena = Arena.create(folder / "w", size=space.size, partitions=space.partitions, alignment=space.alignment)
    moments: list[float] = []
    report = coordinator.execute(
        plan,
        arena,
        RunOptions(KERNELS, folder / "out", workers=workers),
        lambda event: moments.append(time.perf_counter()),
    )
    shutil.rmtree(folder / "w")
    return moments[-1] - moments[0], report


def best(measure: Callable[[], float], rounds: int) -> float:
    """The least of several measurements."""
    return min(measure() for _ in range(rounds))


def row(name: str, *cells: object) -> None:
    """Print one line of the table."""
    print(f"{name:<34}", *(f"{cell!s:>14}" for cell in cells), flush=True)


def speed_up(folder: Path, repeats: int, rounds: int, length: int, size: int) -> None:
    """Table 1 and 5."""
    problem = two_chains(length, size, rounds)
    plan = plan_without_reuse(problem)
    row("compute-bound, seconds", "1 worker", "2 workers", "speed-up")
    base = [best(partial(on_futures, problem, size, rounds, w), repeats) for w in (1, 2)]
    row("  concurrent.futures", *(f"{s:.2f}" for s in base), f"{base[0] / base[1]:.2f}")
    runs = [[on_catalytic(plan, folder, w) for _ in range(repeats)] for w in (1, 2)]
    ours = [min(s for s, _ in measured) for measured in runs]
    row("  catalytic", *(f"{s:.2f}" for s in ours), f"{ours[0] / ours[1]:.2f}")
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:  # this process has had other things in its memory
        report = fresh.submit(on_catalytic, plan, folder, 2).result()[1]
    share = (report.seal_s + report.verify_s) / report.task_s
    row("  seals / task time", f"{share:.1%}")
    row("  coordinator's peak memory", format_size(report.peak_rss or 0))


def overhead(folder: Path, repeats: int, length: int) -> None:
    """Table 2."""
    problem = two_chains(length, 4096, 0)
    plan = plan_without_reuse(problem)
    count = 2 * length + 1
    empty = best(lambda: on_catalytic(plan, folder, 2)[0], repeats)
    # What remains of a run without tasks: starting the workers, importing the task's module.
    few = best(lambda: on_catalytic(plan_without_reuse(two_chains(1, 4096, 0)), folder, 2)[0], repeats)
    futures = best(lambda: on_futures(problem, 4096, 0, 2), repeats)
    row("per task, milliseconds", "catalytic", "futures")
    row(f"  {count} empty tasks of 4 KiB", f"{1000 * (empty - few) / (count - 3):.2f}", f"{1000 * futures / count:.2f}")


def warm_bytes(folder: Path, repeats: int, size: int = 64 * 2**20) -> None:
    """Table 3."""
    block = bytes(range(256)) * 4096

    def fill(view: memoryview) -> float:
        started = time.perf_counter()
        for offset in range(0, size, len(block)):
            view[offset : offset + len(block)] = block
        return time.perf_counter() - started

    def fresh_pages() -> float:
        arena = Arena.create(folder / "fresh", size=size, partitions=1)
        with Mapping([Piece(arena.partition_path(0), 0, size)], writable=True) as mapping:
            spent = fill(mapping.view)
        shutil.rmtree(arena.path)
        return spent

    def new_file() -> float:
        path = folder / "new"
        started = time.perf_counter()
        with path.open("wb", buffering=0) as file:
            for _ in range(0, size, len(block)):
                file.write(block)
        spent = time.perf_counter() - started
        path.unlink()
        return spent

    arena = Arena.create(folder / "warm", size=size, partitions=1)
    window = Window([arena.partition_path(0)], size)
    whole = [Piece(arena.partition_path(0), 0, size)]

    def warm_pages() -> float:
        address = window.address_of(whole)
        assert address is not None
        with window.open(address, size) as opening:
            return fill(opening.view)

    def mapped_anew() -> float:
        with Mapping(whole, writable=True) as mapping:
            return fill(mapping.view)

    warm_pages()
    row("write of 64 MiB, ns per byte", "reused region", "mapped anew", "fresh region", "new memory", "new file")
    measured = (warm_pages, mapped_anew, fresh_pages, lambda: fill(_anonymous(size)), new_file)
    row("  ", *(f"{best(m, repeats) / size * 1e9:.2f}" for m in measured))


def _anonymous(size: int) -> memoryview:
    import mmap

    return memoryview(mmap.mmap(-1, size))


def creation(folder: Path) -> None:
    """Table 4."""
    started = time.perf_counter()
    Arena.create(folder / "ten", size=10**10, partitions=8)
    spent = time.perf_counter() - started
    blocks = sum(p.stat().st_blocks * 512 for p in (folder / "ten/partitions").iterdir())
    row("creating 10GB / 8", f"{spent:.2f} s", f"{format_size(blocks)} held")
    shutil.rmtree(folder / "ten")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="rounds per row, the best counts (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=4000, help="passes of sha256 per task (default %(default)s)")
    parser.add_argument("--length", type=int, default=8, help="tasks per chain (default %(default)s)")
    parser.add_argument("--size", type=int, default=2**20, help="bytes per buffer (default %(default)s)")
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        creation(folder)
        warm_bytes(folder, asked.repeats)
        overhead(folder, asked.repeats, 100)
        speed_up(folder, asked.repeats, asked.rounds, asked.length, asked.size)


if __name__ == "__main__":
    main()
