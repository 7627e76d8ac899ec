"""How low are buffers placed, how fast, and how surely? A table beside first fit, OmniMalloc and MiniMalloc.

Claim: published and generated arenas of 50 to 100 000 buffers are placed at or close to a proved bound, within a
minute. Every instance is given to every engine in one run, one after the other:

    ours          this project
    supermalloc   OmniMalloc's portfolio of branch and bound, with the same seconds and threads
    omni          OmniMalloc's default, a portfolio of greedy orders        (both: pip install omnimalloc)
    minimalloc    the program, where --minimalloc names it; it has no goal of its own, so it gets the capacity, or the
                  bound where the height is to be minimised
    first-fit     largest first, each at the lowest offset that is free

``peak`` is added up from the offsets, after a check that shares no code with any of them; an engine that fails it is
said to be INVALID. ``bound``: the best one known for the instance, from the bytes alive at once or a search of ours.
``cpu``: seconds of all threads; on a machine that does other things they tell more than ``wall``. What the other
engines do not know (gaps in lifetimes) they get as the stricter problem without.

Families:  minimalloc (the published files, to be fitted in the capacity in their names), minimised (the same, as low
as possible), planted (cut rectangles: the optimum is known), long-tailed, tensors (unrolled networks), enumeration
(up to six buffers against all placements). What was wanted is printed beside what was obtained; nothing is asserted.

Reads files from ``$CATALYTIC_DATA`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time

import numpy as np

from catalytic.solver.arena_families import PLANTED, long_tailed
from catalytic.solver.arrays import Ints
from catalytic.solver.budget import Budget
from catalytic.solver.formats import load_minimalloc
from catalytic.solver.placement.arena import Arena
from catalytic.solver.units import format_size
from catalytic.solver.warm_up import FOR_FULL_ARENAS, warm_up

FAMILIES = ("minimalloc", "minimised", "planted", "long-tailed", "tensors", "enumeration")
ENGINES = ("ours", "supermalloc", "omni", "minimalloc", "first-fit")
TIME_LIMITS = {"minimalloc": 20.0, "planted": 30.0, "enumeration": 5.0}
TIME_LIMIT = 60.0

GRID = 1000
"""Moments and units of a cut rectangle: few of them make many pieces alike, many make all of them differ."""
PLANTED_SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
LONG_TAILED_SIZES = (1000, 10_000, 100_000)
TENSOR_SIZES = (20_000, 60_000)
ENUMERATED = 100
"""Instances per seed."""

WANTED_SUM_S, WANTED_EACH_S = 20.0, 5.0
WANTED_PROVED = {"A", "B", "C", "E", "F", "G", "H", "I", "K"}
WANTED_HEIGHTS = {"J": 1_044_480, "D": 1_048_576}
WANTED_PLANTED = 1.02
WANTED_FIRST_S = {1000: 0.1, 10_000: 0.5, 100_000: 8.0}
WANTED_LONG_TAILED, WANTED_TENSORS = 1.01, 1.015


@dataclass(frozen=True, slots=True)
class Instance:
    """One row per engine. ``load(seed)`` gives the arena; ``optimum`` and ``capacity`` where they are known."""

    family: str
    name: str
    load: Callable[[int], Arena]
    capacity: int | None = None
    optimum: int | None = None
    size: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine returned: offsets in bytes, or None, and what it says about them."""

    offset: Ints | None
    says: str
    bound: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One engine on one instance with one seed. ``peak`` None: no placement. ``bound``: the engine's own, or 0.

    ``first_s``, ``first_cpu_s``, ``first_peak``: of a run without time, which returned the first placement it had.
    """

    engine: str
    seed: int
    buffers: int
    status: str
    peak: int | None
    bound: int
    wall_s: float
    cpu_s: float
    first_s: float | None = None
    first_cpu_s: float | None = None
    first_peak: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """All runs of one engine on one instance; ``bounds``: the best bound known, by seed."""

    instance: Instance
    engine: str
    runs: tuple[Run, ...]
    bounds: Mapping[int, int] = field(default_factory=dict)

    def ratios(self) -> list[float]:
        """Peak over bound of the runs that placed everything."""
        return [r.peak / max(1, self.bounds[r.seed]) for r in self.runs if r.peak is not None]

    def first_ratios(self) -> list[float]:
        """The same of the first placements."""
        return [r.first_peak / max(1, self.bounds[r.seed]) for r in self.runs if r.first_peak is not None]

    @property
    def at_bound(self) -> int:
        """Runs whose peak nobody can beat."""
        return sum(r.peak is not None and r.peak <= self.bounds[r.seed] for r in self.runs)


# -- the judge ---------------------------------------------------------------------------------------------------------


def fault(arena: Arena, offset: Ints) -> str | None:
    """Why this is no placement, or None. One sweep over time that ends at the first two who share a byte."""
    if len(offset) != arena.size.size:
        return f"{len(offset)} offsets for {arena.size.size} buffers"
    if (offset < 0).any() or (offset % arena.alignment).any():
        return "an offset is negative or not aligned"
    if ((arena.fixed >= 0) & (arena.fixed != offset)).any():
        return "a fixed buffer was moved"
    events = []
    for b in np.flatnonzero(arena.size).tolist():
        begin = int(arena.lower[b])
        for gap_begin, gap_end in (*arena.gaps[b], (int(arena.upper[b]), None)):
            if begin < gap_begin:
                events += [(begin, 1, b), (gap_begin, 0, b)]
            begin = gap_end if gap_end is not None else begin
    bottom, top = offset.tolist(), (offset + arena.size).tolist()
    alive: list[tuple[int, int]] = []
    for _, born, b in sorted(events):
        at = bisect_left(alive, (bottom[b], b))
        if not born:
            del alive[at]
            continue
        below = at > 0 and top[alive[at - 1][1]] > bottom[b]
        above = at < len(alive) and alive[at][0] < top[b]
        if below or above:
            return f"buffers {b} and {alive[at - 1 if below else at][1]} share bytes while both are alive"
        alive.insert(at, (bottom[b], b))
    return None


def most_alive(arena: Arena) -> int:
    """The most bytes alive at once: no placement is lower."""
    change: dict[int, int] = {}
    for b, size in enumerate(arena.size.tolist()):
        ends = [int(arena.lower[b]), *(t for gap in arena.gaps[b] for t in gap), int(arena.upper[b])]
        for k, moment in enumerate(ends):
            change[moment] = change.get(moment, 0) + (size if k % 2 == 0 else -size)
    live = most = 0
    for moment in sorted(change):
        live += change[moment]
        most = max(most, live)
    return most


def least_height(arena: Arena) -> int:
    """The least height of all placements: for one height after another, every offset of every buffer is gone through.

    For a handful of small buffers. Only combinations that already collide are not continued.
    """
    n = arena.size.size
    lifetimes = [
        set(range(int(arena.lower[b]), int(arena.upper[b]))) - {t for a, z in arena.gaps[b] for t in range(a, z)}
        for b in range(n)
    ]
    height = max((int(f + s) for f, s in zip(arena.fixed, arena.size, strict=True) if f >= 0), default=0)
    height = max(height, most_alive(arena))

    def placed(b: int, at: list[int]) -> bool:
        if b == n:
            return True
        size, given = int(arena.size[b]), int(arena.fixed[b])
        choices = [given] if given >= 0 else range(0, height - size + 1, int(arena.alignment[b]))
        return any(
            placed(b + 1, [*at, o])
            for o in choices
            if not any(
                o < at[u] + int(arena.size[u]) and at[u] < o + size and lifetimes[u] & lifetimes[b] for u in range(b)
            )
        )

    while not placed(0, []):
        height += 1
    return height


# -- the engines -------------------------------------------------------------------------------------------------------


def ours(arena: Arena, seconds: float, seed: int, capacity: int | None) -> Answer:
    """This project."""
    from catalytic.solver.placement.arena_portfolio import place_arena

    budget = Budget(seconds, workers=threads(), seed=seed).start()
    placed = place_arena(arena, budget, capacity=capacity)
    return Answer(placed.offset, placed.status.value, placed.bound)


def omnimalloc(name: str, arena: Arena, seconds: float, seed: int, capacity: int | None) -> Answer:
    """OmniMalloc; its sizes are rounded up to the alignment where all buffers have the same one."""
    from omnimalloc import Allocation, Pool, allocate  # type: ignore[import-not-found, unused-ignore]
    from omnimalloc.allocators import SupermallocAllocator  # type: ignore[import-not-found, unused-ignore]

    unit = int(arena.alignment.max(initial=1))
    if (arena.alignment != unit).any() or (arena.fixed >= 0).any():
        return Answer(None, "CANNOT")
    size = -(-arena.size // unit) * unit
    rows = zip(size.tolist(), arena.lower.tolist(), arena.upper.tolist(), strict=True)
    given = tuple(Allocation(id=b, size=s, start=low, end=high) for b, (s, low, high) in enumerate(rows) if s)
    says, bound = "", 0
    if name == "supermalloc":
        result = SupermallocAllocator(timeout=seconds, num_threads=threads()).solve(given)
        placed = result.allocations
        says, bound = ("OPTIMAL" if result.proved_optimal else "FEASIBLE"), result.lower_bound
    else:
        placed = allocate(Pool(id="pool", allocations=given), allocator="omni").allocations
    offset = np.zeros(arena.size.size, dtype=np.int64)
    for each in placed:
        offset[each.id] = each.offset
    return Answer(offset, says, bound)


def minimalloc(program: Path, arena: Arena, seconds: float, seed: int, capacity: int | None) -> Answer:
    """The program ``minimalloc --capacity=N --input=FILE --output=FILE``; it is stopped when the time is spent."""
    if (arena.fixed >= 0).any():
        return Answer(None, "CANNOT")
    with tempfile.TemporaryDirectory() as folder:
        given, wanted = Path(folder, "in.csv"), Path(folder, "out.csv")
        with given.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["id", "lower", "upper", "size", "alignment"])
            writer.writerows(
                [f"b{b}", *(int(column[b]) for column in (arena.lower, arena.upper, arena.size, arena.alignment))]
                for b in range(arena.size.size)
            )
        goal = most_alive(arena) if capacity is None else capacity
        command = [str(program), f"--capacity={goal}", f"--input={given}", f"--output={wanted}"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Answer(None, "TIMEOUT")
        if done.returncode != 0 or not wanted.is_file():
            return Answer(None, "NONE")
        with wanted.open(newline="") as stream:
            at = {row["id"]: int(row["offset"]) for row in csv.DictReader(stream)}
    if len(at) != arena.size.size:
        return Answer(None, "NONE")
    return Answer(np.array([at[f"b{b}"] for b in range(len(at))], dtype=np.int64), "")


def first_fit(arena: Arena, seconds: float, seed: int, capacity: int | None) -> Answer:
    """Largest first, each at the lowest offset that those placed before it leave while it lives. O(n^2)."""
    order = np.argsort(-arena.size, kind="stable")
    order = np.concatenate([order[arena.fixed[order] >= 0], order[arena.fixed[order] < 0]])
    lower, upper, size = arena.lower[order], arena.upper[order], arena.size[order]
    alignment, fixed = arena.alignment[order].tolist(), arena.fixed[order].tolist()
    at = np.zeros(order.size, dtype=np.int64)
    for k in range(order.size):
        if fixed[k] >= 0:
            at[k] = fixed[k]
            continue
        near = np.flatnonzero((lower[:k] < upper[k]) & (lower[k] < upper[:k]))
        near = near[np.argsort(at[near])]
        lowest, need, unit = 0, int(size[k]), alignment[k]
        for bottom, top in zip(at[near].tolist(), (at[near] + size[near]).tolist(), strict=True):
            if bottom >= lowest + need:
                break
            lowest = max(lowest, -(-top // unit) * unit)
        at[k] = lowest
    offset = np.empty_like(at)
    offset[order] = at
    return Answer(offset, "")


Engine = Callable[[Arena, float, int, int | None], Answer]


def engines(program: Path | None) -> dict[str, Engine | str]:
    """Every engine by name; the reason instead of one that is not there."""
    absent = "not installed" if find_spec("omnimalloc") is None else ""
    return {
        "ours": ours,
        "supermalloc": absent or partial(omnimalloc, "supermalloc"),
        "omni": absent or partial(omnimalloc, "omni"),
        "minimalloc": partial(minimalloc, program) if program is not None else "not installed (--minimalloc PATH)",
        "first-fit": first_fit,
    }


def threads() -> int:
    """Threads of every engine that takes a number."""
    return os.cpu_count() or 1


# -- what is measured --------------------------------------------------------------------------------------------------


def data_folder() -> Path:
    """Where the published files lie."""
    return Path(os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data")


def catalogue(grid: int = GRID) -> Iterator[Instance]:
    """Every instance there is. A rectangle is not cut into more pieces than a quarter of its cells."""
    for path in sorted((data_folder() / "minimalloc").glob("*.*.csv")):
        name, capacity, _ = path.name.split(".")
        for family, goal in (("minimalloc", int(capacity)), ("minimised", None)):
            yield Instance(family, name, partial(read, path), capacity=goal)
    for kind, make in PLANTED.items():
        for size in (n for n in PLANTED_SIZES if n <= grid * grid // 4):
            optimum = make(size, moments=grid, units=grid, seed=0).optimum
            yield Instance(
                "planted", f"{kind}-{size}", partial(cut, kind, size, grid), optimum=optimum, size=size, kind=kind
            )
    for size in LONG_TAILED_SIZES:
        yield Instance("long-tailed", f"long-tailed-{size}", partial(tails, size), size=size)
    if find_spec("catalytic.solver.tensor_lifetimes") is not None:
        for size in TENSOR_SIZES:
            yield Instance("tensors", f"tensors-{size}", partial(tensors, size), size=size)
        yield Instance("tensors", "training-60000", trained, size=60_000)
    if find_spec("onnx") is not None:
        for path in sorted((data_folder() / "onnx").glob("*.onnx")):
            yield Instance("tensors", path.stem, partial(inferred, path), size=20_000)
    yield Instance("enumeration", "up to 6 buffers", lambda seed: few_buffers(Random(seed)))


def read(path: Path, seed: int) -> Arena:
    """A published file; the same for every seed."""
    table = load_minimalloc(path)
    return Arena.of(table.lower, table.upper, table.size, alignment=table.alignment, gaps=table.gaps)


def cut(kind: str, size: int, grid: int, seed: int) -> Arena:
    """The pieces of a rectangle of ``grid`` by ``grid``."""
    return PLANTED[kind](size, moments=grid, units=grid, seed=seed).arena


def tails(size: int, seed: int) -> Arena:
    """Log-normal lifetimes and sizes."""
    return long_tailed(size, seed=seed)


def tensors(size: int, seed: int) -> Arena:
    """Lifetimes of the tensors of an unrolled network."""
    from catalytic.solver.tensor_lifetimes import tensor_arena  # type: ignore[import-not-found, unused-ignore]

    arena: Arena = tensor_arena(size, seed=seed)
    return arena


def trained(seed: int) -> Arena:
    """Training steps of 200 layers, eight micro-batches in flight."""
    from catalytic.solver.families import training
    from catalytic.solver.tensor_lifetimes import unrolled

    return unrolled(training(200, seed=seed), 60_000, overlap=8)


def inferred(path: Path, seed: int) -> Arena:
    """Inferences with a model, four to seven at a time."""
    from catalytic.solver.formats import import_onnx
    from catalytic.solver.tensor_lifetimes import unrolled

    return unrolled(import_onnx(path).problem, 20_000, overlap=4 + seed % 4)


def few_buffers(random: Random) -> Arena:
    """Up to six buffers: alignments, gaps and a fixed one now and then."""
    n = random.randint(1, 6)
    lower = [random.randint(0, 5) for _ in range(n)]
    upper = [low + random.randint(1, 5) for low in lower]
    alignment = [random.choice([1, 1, 1, 2, 3]) for _ in range(n)]
    gaps = [
        ((low + 1, high - 1),) if high - low > 2 and random.random() < 0.3 else ()
        for low, high in zip(lower, upper, strict=True)
    ]
    fixed = [-1] * n
    if random.random() < 0.3:
        fixed[0] = alignment[0] * random.randint(0, 2)
    size = [random.randint(1, 5) for _ in range(n)]
    return Arena.of(lower, upper, size, alignment=alignment, fixed=fixed, gaps=gaps)


def measure(name: str, engine: Engine, instance: Instance, arena: Arena, seconds: float, seed: int) -> Run:
    """One engine on one arena, judged."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall, cpu = perf_counter(), process_time()
    answer = engine(arena, seconds, seed, instance.capacity)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu += ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime
    status, peak = judged(arena, answer, instance.capacity)
    first_s = first_cpu_s = first_peak = None
    if name == "ours" and instance.family in ("long-tailed", "tensors"):
        begun, spent = perf_counter(), process_time()
        first = engine(arena, 1e-6, seed, None)
        first_s, first_cpu_s = perf_counter() - begun, process_time() - spent
        first_peak = judged(arena, first, None)[1]
    bound = max(most_alive(arena), answer.bound if name == "ours" else 0)
    return Run(name, seed, arena.size.size, status, peak, bound, wall, cpu, first_s, first_cpu_s, first_peak)


def judged(arena: Arena, answer: Answer, capacity: int | None) -> tuple[str, int | None]:
    """What may be said of an answer, and its peak; with a capacity it fits or does not."""
    if answer.offset is None:
        return answer.says, None
    wrong = fault(arena, answer.offset)
    if wrong is not None:
        return f"INVALID: {wrong}", None
    peak = int((answer.offset + arena.size)[arena.size > 0].max(initial=0))
    if capacity is not None:
        return ("FITS" if peak <= capacity else answer.says if answer.says == "INFEASIBLE" else "ABOVE"), peak
    return answer.says or ("OPTIMAL" if peak <= most_alive(arena) else "FEASIBLE"), peak


def measured(
    instances: Sequence[Instance], chosen: Mapping[str, Engine | str], limit: float | None, seeds: int
) -> Iterator[Row | str]:
    """The rows of one instance after another; a line of text for an engine that is not there."""
    for instance in instances:
        seconds = limit if limit is not None else TIME_LIMITS.get(instance.family, TIME_LIMIT)
        arenas = [instance.load(seed) for seed in range(seeds)]
        bounds = {seed: max(most_alive(arena), instance.optimum or 0) for seed, arena in enumerate(arenas)}
        for name, engine in chosen.items():
            if isinstance(engine, str):
                yield f"{instance.name:<20}  {name:<11}  {engine}"
                continue
            runs = [measure(name, engine, instance, arena, seconds, seed) for seed, arena in enumerate(arenas)]
            for run in runs:
                bounds[run.seed] = max(bounds[run.seed], run.bound)
            yield Row(instance, name, tuple(runs), dict(bounds))


@dataclass(frozen=True, slots=True)
class Enumerated:
    """How often an engine that minimises found the optimum of small instances, and said so; ``wrong``: a bound above
    the optimum, a peak below it or an invalid placement."""

    engine: str
    instances: int
    optimal: int
    claimed: int
    wrong: int


def enumerated(chosen: Mapping[str, Engine | str], limit: float | None, seeds: int) -> Iterator[Enumerated | str]:
    """Each engine against all placements of small random instances."""
    seconds = limit if limit is not None else TIME_LIMITS["enumeration"]
    random = Random(0)
    arenas = [few_buffers(random) for _ in range(ENUMERATED * seeds)]
    optima = [least_height(arena) for arena in arenas]
    for name, engine in chosen.items():
        if isinstance(engine, str):
            yield f"{'up to 6 buffers':<20}  {name:<11}  {engine}"
            continue
        optimal = claimed = wrong = number = 0
        for seed, (arena, optimum) in enumerate(zip(arenas, optima, strict=True)):
            answer = engine(arena, seconds, seed, None)
            if answer.offset is None:
                continue
            number += 1
            peak = judged(arena, answer, None)[1]
            optimal += peak == optimum
            claimed += peak == optimum and answer.says == "OPTIMAL"
            # A bound of an engine that does not know gaps speaks of a stricter problem.
            lied = answer.says == "OPTIMAL" and peak != optimum and name == "ours"
            wrong += peak is None or peak < optimum or lied or (name == "ours" and answer.bound > optimum)
        yield Enumerated(name, number, optimal, claimed, wrong)


def compile_all() -> None:
    """Load or compile every loop before anything is timed."""
    from catalytic.solver.placement.arena_portfolio import place_arena

    for arena in (PLANTED["pinwheel"](60, seed=1).arena, long_tailed(300, seed=1)):
        place_arena(arena, Budget(4.0, workers=threads()))


# -- what is printed ---------------------------------------------------------------------------------------------------

COLUMNS = ("instance", "engine", "n", "status", "peak", "bound", "peak/bound", "wall", "cpu", "first", "first/bound")
WIDTHS = (20, 11, 6, 22, 22, 9, 22, 18, 18, 16, 16)


def spread(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """The median, and the range over the seeds where it is one."""
    if not values:
        return "-"
    low, middle, high = shown(min(values)), shown(median(values)), shown(max(values))
    return middle if low == high else f"{middle} [{low}, {high}]"


def size(count: float) -> str:
    """Bytes for people; exact below ten million, where the published instances lie."""
    return str(round(count)) if count < 10_000_000 else format_size(round(count))


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    runs = row.runs
    said = sorted({run.status for run in runs})
    counted = [f"{sum(run.status == s for run in runs)} {s}" if len(said) > 1 else s for s in said]
    return (
        row.instance.name,
        row.engine,
        str(runs[0].buffers),
        ", ".join(counted),
        spread([run.peak for run in runs if run.peak is not None], size),
        spread([*row.bounds.values()], size),
        spread(row.ratios(), lambda ratio: f"{ratio:.4f}"),
        spread([run.wall_s for run in runs], lambda s: f"{s:.2f}"),
        spread([run.cpu_s for run in runs], lambda s: f"{s:.2f}"),
        spread([run.first_s for run in runs if run.first_s is not None], lambda s: f"{s:.2f}"),
        spread(row.first_ratios(), lambda ratio: f"{ratio:.4f}"),
    )


def print_row(line: Sequence[str]) -> None:
    """Names to the left, figures to the right."""
    texts = [
        cell.ljust(width) if name in ("instance", "engine", "status") else cell.rjust(width)
        for name, cell, width in zip(COLUMNS, line, WIDTHS, strict=True)
    ]
    print("  ".join(texts).rstrip(), flush=True)


def shapes(arena: Arena) -> str:
    """Quartiles of sizes and lifetimes as shares of the whole, and of their ratio: what kind of pieces these are."""
    share = arena.size / max(1, most_alive(arena))
    life = (arena.upper - arena.lower) / max(1, int(arena.upper.max() - arena.lower.min()))
    named = (("size", share), ("lifetime", life), ("aspect", life / share))
    return "; ".join(f"{name} {' '.join(f'{q:.3g}' for q in np.quantile(v, (0.25, 0.5, 0.75)))}" for name, v in named)


def planted_table(rows: Sequence[Row]) -> list[str]:
    """Share proved at 1.000 by kind, size and engine, with the shapes of the pieces (of seed 0)."""
    lines = ["planted optima: share at 1.000, worst ratio; quartiles of shares of the rectangle"]
    for row in rows:
        if row.instance.family == "planted":
            found = f"{row.at_bound}/{len(row.runs)}"
            worst = f"{max(row.ratios()):.4f}" if row.ratios() else "-"
            about = shapes(row.instance.load(0)) if row.engine == "ours" else ""
            name = f"{row.instance.kind} {row.instance.size}"
            lines.append(f"  {name:<16}  {row.engine:<11}  {found:>6}  {worst:>7}  {about}".rstrip())
    return lines


def wanted(rows: Sequence[Row]) -> list[str]:
    """What was wanted of our rows, beside what they came to; families that were not measured are left out."""

    def of(family: str) -> list[Row]:
        return [row for row in rows if row.instance.family == family and row.engine == "ours"]

    lines = []
    if found := of("minimalloc"):
        fitted = [row for row in found if all(run.status == "FITS" for run in row.runs)]
        each = [median(run.wall_s for run in row.runs) for row in found]
        lines.append(
            f"fitted in the capacity: {len(fitted)} of {len(found)}, {sum(each):.1f} s in all, the slowest "
            f"{max(each):.1f} s (wanted: all, {WANTED_SUM_S:g} s, {WANTED_EACH_S:g} s)"
        )
    if found := of("minimised"):
        proved = {row.instance.name for row in found if row.at_bound == len(row.runs)}
        goal = " ".join(sorted(WANTED_PROVED))
        lines.append(f"minimised: optimum proved on {' '.join(sorted(proved)) or 'none'} (wanted: {goal})")
        for row in found:
            if row.instance.name in WANTED_HEIGHTS:
                worst = max((run.peak for run in row.runs if run.peak is not None), default=0)
                most = WANTED_HEIGHTS[row.instance.name]
                lines.append(f"minimised: {row.instance.name} at {worst} (wanted: at most {most})")
    for family, limit in (
        ("planted", WANTED_PLANTED), ("long-tailed", WANTED_LONG_TAILED), ("tensors", WANTED_TENSORS)
    ):  # fmt: skip
        if found := of(family):
            worst_ratio = max((each for row in found for each in row.ratios()), default=0.0)
            lines.append(f"{family}: the worst ratio {worst_ratio:.4f} (wanted: at most {limit})")
    for row in of("long-tailed"):
        slowest = max(run.first_s or 0.0 for run in row.runs)
        spent = max(run.first_cpu_s or 0.0 for run in row.runs)
        soon = WANTED_FIRST_S[row.instance.size]
        lines.append(
            f"{row.instance.name}: first answer after {slowest:.2f} s, {spent:.2f} s of CPU (wanted: {soon:g} s)"
        )
    return lines


def document(rows: Sequence[Row], small: Sequence[Enumerated]) -> dict[str, object]:
    """Everything that was measured, for programs."""
    return {
        "rows": [
            {
                "family": row.instance.family,
                "instance": row.instance.name,
                "engine": row.engine,
                "capacity": row.instance.capacity,
                "runs": [{**asdict(run), "best_bound": row.bounds[run.seed]} for run in row.runs],
            }
            for row in rows
        ],
        "enumeration": [asdict(each) for each in small],
        "wanted": wanted(rows),
    }


def main() -> int:
    """Print the table that the command line asks for."""
    parser = argparse.ArgumentParser(description="Heights of placements, bounds and seconds, beside other engines.")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="per run (default 60; fit 20, planted 30)")
    parser.add_argument("--family", action="append", choices=FAMILIES, help="only this family (may be repeated)")
    parser.add_argument("--engine", action="append", choices=ENGINES, help="only this engine (may be repeated)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this instance, such as A (repeatable)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs per instance (default %(default)s)")
    parser.add_argument(
        "--grid", type=int, default=GRID, metavar="N", help="planted: N moments, N units (default 1000)"
    )
    parser.add_argument("--minimalloc", type=Path, metavar="PATH", help="the program minimalloc")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    args = parser.parse_args()
    if args.seeds < 1:
        parser.error(f"--seeds: found {args.seeds}, allowed at least 1")
    if args.grid < 2 * PLANTED_SIZES[0] ** 0.5:
        parser.error(f"--grid: found {args.grid}, allowed at least 15")
    if args.minimalloc is not None and not os.access(args.minimalloc, os.X_OK):
        parser.error(f"--minimalloc: {args.minimalloc} cannot be executed")
    warm_up(lambda message: print(message, file=sys.stderr), ("placement", FOR_FULL_ARENAS))
    families = args.family or FAMILIES
    chosen = {name: engine for name, engine in engines(args.minimalloc).items() if name in (args.engine or ENGINES)}
    instances = [i for i in catalogue(args.grid) if i.family in families and (not args.only or i.name in args.only)]
    compile_all()
    speak: Callable[[str], None] = (lambda text: None) if args.json else partial(print, flush=True)
    limits = ", ".join(f"{seconds:g} s for {family}" for family, seconds in TIME_LIMITS.items())
    time = f"{args.time_limit:g} s" if args.time_limit is not None else f"{TIME_LIMIT:g} s, {limits}"
    speak(f"at most {time} each, {threads()} threads; {args.seeds} seed(s): median [least, most]")
    rows: list[Row] = []
    small: list[Enumerated] = []
    if any(i.family != "enumeration" for i in instances) and not args.json:
        print_row(COLUMNS)
    for row in measured([i for i in instances if i.family != "enumeration"], chosen, args.time_limit, args.seeds):
        if isinstance(row, str):
            speak(row)
            continue
        rows.append(row)
        if not args.json:
            print_row(cells(row))
    if any(i.family == "enumeration" for i in instances):
        for each in enumerated(chosen, args.time_limit, args.seeds):
            if isinstance(each, str):
                speak(each)
                continue
            small.append(each)
            speak(
                f"{'up to 6 buffers':<20}  {each.engine:<11}  optimum found {each.optimal}, proved {each.claimed}, "
                f"wrong {each.wrong} of {each.instances}"
            )
    if args.json:
        print(json.dumps(document(rows, small), indent=2))
        return 0
    for line in (*(planted_table(rows) if any(r.instance.family == "planted" for r in rows) else ()), *wanted(rows)):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
