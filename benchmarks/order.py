"""How close to the least peak does the planner come, and how fast is that proved? A table beside a greedy order.

Claim: for public workflows, networks, training graphs and fine-grained kernels, and for generated graphs of up to 5000
tasks, the order found is proved optimal or close to a proved bound, within a minute and 2 GB. The baseline is the
greedy order that anyone would write first: of the tasks that are ready, run the one that leaves the fewest bytes more
alive than before, ties in canonical order.

Every run has a process of its own, so that its memory is its own; compilation and loading happen before its clock
starts. ``best`` is added up from the order itself, buffer by buffer. ``gap`` is 1 - bound / best: what a better order
might still save. ``to best``: when the news first ended with the value of the best order (-: never;
the first order found makes no news). ``MB``: peak resident set.

What was wanted is printed beside what was obtained; nothing is asserted.

Reads graphs from ``$CATALYTIC_DATA`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from catalytic.solver.budget import Budget, Progress
from catalytic.solver.families import fork_join, layered
from catalytic.solver.formats import Imported, detect, import_hyperdag, import_node_link, import_onnx, import_wfcommons
from catalytic.solver.problem import InputPolicy, OutputPolicy, Policy, Problem
from catalytic.solver.units import format_size

POLICY = Policy(InputPolicy.EXTERNAL, OutputPolicy.EXPORT)
IMPORTERS: Mapping[str, Callable[..., Imported]] = {
    "wfcommons": import_wfcommons,
    "node-link": import_node_link,
    "onnx": import_onnx,
    "hyperdag": import_hyperdag,
}

WORKFLOWS = (
    "1000genome-chameleon-10ch-100k-001.json",
    "airrflow-dirt02-001.json",
    "atacseq-dirt02-001.json",
    "bacass-dirt02-001.json",
    "blast-chameleon-small-001.json",
    "epigenomics-chameleon-hep-1seq-100k-001.json",
    "epigenomics-chameleon-ilmn-6seq-50k-001.json.gz",
    "helloworld-forkjoin-10-chameleon.json",
    "montage-chameleon-2mass-005d-001.json",
    "montage-chameleon-dss-125d-001.json.gz",
    "montage-chameleon-dss-15d-001.json.gz",
    "rnaseq-dirt02-001.json",
    "seismology-chameleon-100p-001.json",
    "srasearch-chameleon-10a-001.json",
    "srasearch-chameleon-50a-001.json",
)
NETWORKS = ("light_inception_v2.onnx", "light_resnet50.onnx", "light_shufflenet.onnx", "light_squeezenet.onnx")
TRAINING = (
    "MobileNet_512_224x224x3_train_nx.json",
    "ResNet50_256_224x224x3_test_nx.json",
    "ResNet50_256_224x224x3_train_nx.json",
    "VGG16_256_224x224x3_test_nx.json",
    "VGG16_256_224x224x3_train_nx.json",
    "fcn_8_vgg_32_416x608x3_test_nx.json",
    "fcn_8_vgg_32_416x608x3_train_nx.json",
    "vgg_unet_32_416x608x3_train_nx.json",
)
LAYERED = {
    "G1": "random_layered_n100_w0.27_nlv0.75_ed0.2_scd0.14.json",
    "G2": "random_layered_n250_w0.43_nlv0.75_ed0.2_scd0.14.json",
    "G4": "random_layered_n1000_w0.31_nlv0.75_ed0.2_scd0.14.json",
}
HYPERDAGS = ("hyperdag", "remat/apache2-onestopparallel", "remat/ccby4-hyperdag_db")
SMALL_FILE = 20_000
"""Bytes of a HyperDAG file up to which it is measured without ``--all``: some hundreds of tasks."""

GENERATED: Mapping[str, Callable[[], Problem]] = {
    "layered-2000": partial(layered, 2000, seed=1),
    "layered-5000": partial(layered, 5000, seed=1),
    "fork-join-2001": partial(fork_join, width=49, depth=40, seed=1),
    "fork-join-5001": partial(fork_join, width=99, depth=50, seed=1),
}

FAMILIES = ("workflows", "onnx", "training", "layered", "hyperdag", "generated")
TIME_LIMITS = {"onnx": 20.0, "training": 20.0}
TIME_LIMIT = 60.0
EARLY = 5.0
"""Seconds after which ``--anytime`` looks at what has been found."""

WANTED_PROVED = 12
WANTED_GAP = 0.03
WANTED_GAPS = {"G1": 0.05, "G2": 0.03, "G4": 0.04}
WANTED_EARLY = 0.05
WANTED_MEGABYTES = 2000


@dataclass(frozen=True, slots=True)
class Instance:
    """One row: a file, or a generated problem when ``path`` is None."""

    family: str
    name: str
    path: Path | None = None

    def load(self) -> Problem:
        """The problem, external inputs read where they are and final outputs copied out."""
        if self.path is None:
            return GENERATED[self.name]()
        return IMPORTERS[detect(self.path)](self.path, policy=POLICY).problem


@dataclass(frozen=True, slots=True)
class Run:
    """What one process measured. Sizes in bytes; ``to_best`` None: no news named the best order."""

    tasks: int
    allocated: int
    greedy: int
    best: int
    bound: int
    evidence: str
    seconds: float
    to_best: float | None
    megabytes: float

    @property
    def gap(self) -> float:
        """The share of the peak that a better order might still save."""
        return 1 - self.bound / self.best if self.best else 0.0

    @property
    def proved(self) -> bool:
        """Whether no order is better."""
        return self.best <= self.bound

    @property
    def largest_factor(self) -> float | None:
        """No plan has a larger reuse factor; None when nothing is allocated."""
        return 1 - self.bound / self.allocated if self.allocated else None


@dataclass(frozen=True, slots=True)
class Row:
    """All runs of an instance, one per seed; ``early``: the best order of each after five seconds, if measured."""

    instance: Instance
    time_limit_s: float
    runs: tuple[Run, ...]
    early: tuple[int, ...] = ()

    @property
    def gap(self) -> float:
        """The median gap."""
        return median(run.gap for run in self.runs)

    @property
    def proved(self) -> bool:
        """Whether every seed ended with a proof."""
        return all(run.proved for run in self.runs)

    @property
    def early_excess(self) -> float | None:
        """By how much the order found early is worse than the last one, the worst seed; None: not measured."""
        pairs = zip(self.early, self.runs, strict=False)
        return max((early / run.best - 1 for early, run in pairs if run.best), default=None)


# -- what is measured --------------------------------------------------------------------------------------------------


def data_folder() -> Path:
    """Where the graphs lie."""
    return Path(os.environ.get("CATALYTIC_DATA") or Path(__file__).resolve().parents[1] / ".." / "shared" / "data")


def catalogue(*, everything: bool = False) -> tuple[Instance, ...]:
    """Every instance there may be, present or not; of the HyperDAGs the small ones unless ``everything``."""
    root = data_folder()
    moccasin = root / "remat" / "gpl3-moccasin"
    hyperdags = [p for folder in HYPERDAGS for p in sorted((root / folder).glob("*_*.[ht]*"))]
    return (
        *(Instance("workflows", name.split(".")[0], root / "wfcommons" / name) for name in WORKFLOWS),
        *(Instance("onnx", name.removesuffix(".onnx"), root / "onnx" / name) for name in NETWORKS),
        *(Instance("training", name.removesuffix("_nx.json"), moccasin / name) for name in TRAINING),
        *(Instance("layered", name, moccasin / file) for name, file in LAYERED.items()),
        *(
            Instance("hyperdag", p.stem.split("__")[-1], p)
            for p in hyperdags
            if everything or p.stat().st_size <= SMALL_FILE
        ),
        *(Instance("generated", name) for name in GENERATED),
    )


def greedy_order(problem: Problem) -> tuple[str, ...]:
    """The baseline: of the ready tasks, the one with the least net change of live bytes; ties in canonical order.

    O(uses x log(uses)) when tasks use few buffers: a score is computed again only when a buffer of the task changed.
    """
    graph = problem.graph
    size = graph.aligned_size
    uses = {t.id: graph.working_set(t.id) for t in problem.tasks}
    users: dict[str, set[str]] = {b: set() for b in graph.resident}
    for t, row in uses.items():
        for b in row:
            users[b].add(t)
    position = {t.id: k for k, t in enumerate(problem.tasks)}
    born = set(graph.resident) - set(graph.writer) if problem.policy.inputs is InputPolicy.PRELOAD else set()
    waiting = {t: set(before) for t, before in graph.predecessors.items()}

    def change(t: str) -> int:
        grown = sum(size[b] for b in uses[t] if b not in born)
        return grown - sum(size[b] for b in uses[t] if users[b] == {t} and b not in graph.kept)

    score = {t: change(t) for t, before in waiting.items() if not before}
    heap = [(value, position[t], t) for t, value in score.items()]
    heapq.heapify(heap)
    order: list[str] = []
    while heap:
        value, _, t = heapq.heappop(heap)
        if score.get(t) != value:
            continue
        del score[t]
        order.append(t)
        changed = {
            other for b in uses[t] if b not in born or len(users[b]) == 2 for other in users[b] if other in score
        }
        born.update(uses[t])
        for b in uses[t]:
            users[b].discard(t)
        for after in graph.successors[t]:
            waiting[after].discard(t)
            if not waiting[after]:
                changed.add(after)
        for other in changed:
            score[other] = change(other)
            heapq.heappush(heap, (score[other], position[other], other))
    return tuple(order)


def measure(problem: Problem, time_limit_s: float, seed: int) -> Run:
    """Search for the least peak, now, in this process, whose loops must have been compiled."""
    from catalytic.solver.order.portfolio import least_peak
    from catalytic.solver.order.profile import profile

    news: list[tuple[float, str]] = []
    budget = Budget(time_limit_s, workers=os.cpu_count() or 1, seed=seed).start()

    def heard(progress: Progress) -> None:
        news.append((budget.elapsed_s(), progress.message))

    found = least_peak(problem, budget, observer=heard)
    seconds = budget.elapsed_s()
    peak = profile(problem, found.order).peak
    assert peak == found.peak, f"{found.peak} was said of an order that takes {peak}"
    best = [b for b in found.bounds if b.value == found.lower]
    kind = found.evidence.value if found.evidence is not None else "-"
    method = next((b.method for b in best if b.evidence is found.evidence), "-")
    return Run(
        tasks=len(problem.tasks),
        allocated=problem.graph.allocated,
        greedy=profile(problem, greedy_order(problem)).peak,
        best=peak,
        bound=found.lower,
        evidence=f"{method} {kind.lower()}",
        seconds=seconds,
        to_best=first_named(news, peak),
        megabytes=peak_megabytes(),
    )


def first_named(news: Sequence[tuple[float, str]], peak: int) -> float | None:
    """When a line of the news first ended with ``peak``, to the digits that people are shown; None: never."""
    return next((at for at, message in news if message.split()[-1:] == [format_size(peak)]), None)


def peak_megabytes() -> float:
    """Peak resident set of this process, and of the largest process it started."""
    unit = 1 if sys.platform == "darwin" else 1024
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(peaks) * unit / 10**6


def compile_all() -> None:
    """Load or compile every loop of the order search, those included that only a search reaches."""
    from catalytic.solver.order.portfolio import least_peak
    from catalytic.solver.warm_up import warm_up

    warm_up(lambda message: print(message, file=sys.stderr))
    least_peak(layered(40, seed=1), Budget(20.0, workers=os.cpu_count() or 1))


# -- one process per run -----------------------------------------------------------------------------------------------


def in_child(instance: Instance, time_limit_s: float, seed: int) -> Run | None:
    """:func:`measure` in a fresh process; None when it failed, which it has said on stderr."""
    job = {
        "family": instance.family,
        "name": instance.name,
        "path": None if instance.path is None else str(instance.path),
        "time_limit_s": time_limit_s,
        "seed": seed,
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--child", json.dumps(job)], stdout=subprocess.PIPE, text=True
    )
    return Run(**json.loads(done.stdout)) if done.returncode == 0 else None


def child(job: str) -> int:
    """The other side of :func:`in_child`: prints the run as JSON."""
    stated = json.loads(job)
    instance = Instance(stated["family"], stated["name"], None if stated["path"] is None else Path(stated["path"]))
    problem = instance.load()
    compile_all()
    print(json.dumps(asdict(measure(problem, stated["time_limit_s"], stated["seed"]))))
    return 0


def measured(instances: Sequence[Instance], limit: float | None, seeds: int, *, anytime: bool) -> Iterator[Row | None]:
    """The rows, one after another; None for an instance whose file is missing or whose run failed."""
    for instance in instances:
        if instance.path is not None and not instance.path.is_file():
            print(f"{instance.name}: no file {instance.path}", file=sys.stderr)
            yield None
            continue
        seconds = limit if limit is not None else TIME_LIMITS.get(instance.family, TIME_LIMIT)
        runs = [in_child(instance, seconds, seed) for seed in range(seeds)]
        look = anytime and instance.family == "generated"
        early = [in_child(instance, EARLY, seed) for seed in range(seeds)] if look else []
        if None in runs or None in early:
            print(f"{instance.name}: a run failed", file=sys.stderr)
            yield None
            continue
        yield Row(instance, seconds, tuple(r for r in runs if r), tuple(r.best for r in early if r))


# -- what is printed ---------------------------------------------------------------------------------------------------

COLUMNS = (
    "instance", "n", "greedy", "best", "bound", "gap %", "evidence", "seconds", "to best", "MB", "reuse <=", "at 5 s",
)  # fmt: skip
WIDTHS = (39, 5, 8, 8, 8, 6, 31, 7, 7, 6, 8, 10)


def spread(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """The median, and the range over the seeds where it is one."""
    low, middle, high = shown(min(values)), shown(median(values)), shown(max(values))
    return middle if low == high else f"{middle} [{low}, {high}]"


def size(count: float) -> str:
    """Bytes for people; exact below 10 kB, where units of abstract graphs live."""
    return str(round(count)) if count < 10_000 else format_size(round(count))


def cells(row: Row) -> tuple[str, ...]:
    """One line of the table."""
    runs = row.runs
    to_best = [run.to_best for run in runs if run.to_best is not None]
    factors = [run.largest_factor for run in runs if run.largest_factor is not None]
    return (
        row.instance.name,
        str(runs[0].tasks),
        size(runs[0].greedy),
        spread([run.best for run in runs], size),
        spread([run.bound for run in runs], size),
        spread([100 * run.gap for run in runs], lambda gap: f"{gap:.2f}"),
        " / ".join(sorted({run.evidence for run in runs})),
        spread([run.seconds for run in runs], lambda s: f"{s:.1f}"),
        spread(to_best, lambda s: f"{s:.1f}") if to_best else "-",
        spread([run.megabytes for run in runs], lambda mb: f"{mb:.0f}"),
        spread(factors, lambda factor: f"{factor:.4f}") if factors else "-",
        spread(row.early, size) if row.early else "-",
    )


def headline(limit: float | None, seeds: int) -> str:
    """What all rows have in common."""
    short = ", ".join(f"{seconds:g} s for {family}" for family, seconds in TIME_LIMITS.items())
    time = f"at most {limit:g} s each" if limit is not None else f"at most {TIME_LIMIT:g} s each, {short}"
    many = "one seed" if seeds == 1 else f"{seeds} seeds: median [least, most]"
    return (
        f"inputs {POLICY.inputs.value}, outputs {POLICY.outputs.value}; {time}; {many}.\n"
        "greedy: of the ready tasks, the one that leaves the fewest bytes more alive. gap: 1 - bound / best."
    )


def wanted(rows: Sequence[Row]) -> list[str]:
    """What was wanted of the rows, beside what they came to; families that were not measured are left out."""

    def of(*families: str) -> list[Row]:
        return [row for row in rows if row.instance.family in families]

    lines = []
    if found := of("workflows"):
        worst = max((row.gap for row in found if not row.proved), default=0.0)
        lines.append(
            f"workflows: optimum proved on {sum(row.proved for row in found)} of {len(found)}, largest gap {worst:.1%} "
            f"(wanted: {WANTED_PROVED} of {len(WORKFLOWS)}, the rest within {WANTED_GAP:.0%})"
        )
    if found := of("onnx", "training"):
        slowest = max(run.seconds for row in found for run in row.runs)
        lines.append(
            f"onnx and training graphs: optimum proved on {sum(row.proved for row in found)} of {len(found)}, "
            f"the slowest run {slowest:.1f} s (wanted: all in 20 s)"
        )
    for row in of("layered"):
        lines.append(f"{row.instance.name}: gap {row.gap:.1%} (wanted: at most {WANTED_GAPS[row.instance.name]:.0%})")
    if found := of("hyperdag"):
        worst = max(row.gap for row in found)
        proved = sum(row.proved for row in found)
        lines.append(
            f"hyperdags: optimum proved on {proved} of {len(found)}, largest gap {worst:.1%} (no figure wanted)"
        )
    if found := of("generated"):
        excesses = [row.early_excess for row in found if row.early_excess is not None]
        early = f"at most {max(excesses):.1%} above the last result" if excesses else "not measured (--anytime)"
        largest = max(run.megabytes for row in found for run in row.runs)
        lines.append(
            f"2000 to 5000 tasks: after {EARLY:g} s {early}, memory up to {largest:.0f} MB "
            f"(wanted: at most {WANTED_EARLY:.0%}, below {WANTED_MEGABYTES} MB)"
        )
    return lines


def print_row(line: Sequence[str]) -> None:
    """The first column and the evidence to the left, the others to the right."""
    texts = [
        cell.ljust(width) if name in ("instance", "evidence") else cell.rjust(width)
        for name, cell, width in zip(COLUMNS, line, WIDTHS, strict=True)
    ]
    print("  ".join(texts).rstrip(), flush=True)


def document(rows: Sequence[Row], skipped: int) -> dict[str, object]:
    """Everything that was measured, for programs."""
    return {
        "inputs": POLICY.inputs.value,
        "outputs": POLICY.outputs.value,
        "rows": [
            {
                "family": row.instance.family,
                "instance": row.instance.name,
                "time_limit_s": row.time_limit_s,
                "runs": [
                    {**asdict(run), "gap": run.gap, "proved": run.proved, "largest_reuse_factor": run.largest_factor}
                    for run in row.runs
                ],
                "best_after_5_s": list(row.early),
            }
            for row in rows
        ],
        "wanted": wanted(rows),
        "skipped": skipped,
    }


def main() -> int:
    """Print the table that the command line asks for."""
    parser = argparse.ArgumentParser(description="Least peaks of live bytes: orders found, bounds proved, seconds.")
    parser.add_argument(
        "--time-limit", type=float, metavar="SECONDS", help="per run (default 60; 20 for onnx/training)"
    )
    parser.add_argument("--family", action="append", choices=FAMILIES, help="only this family (may be repeated)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs per instance (default %(default)s)")
    parser.add_argument("--all", action="store_true", help="large HyperDAGs too")
    parser.add_argument("--anytime", action="store_true", help="also the best order after 5 s, for 2000 to 5000 tasks")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child is not None:
        return child(args.child)
    if args.seeds < 1:
        parser.error(f"--seeds: found {args.seeds}, allowed at least 1")
    families = args.family or FAMILIES
    instances = [i for i in catalogue(everything=args.all) if i.family in families]
    if not args.json:
        print(headline(args.time_limit, args.seeds))
        print_row(COLUMNS)
    rows: list[Row] = []
    skipped = 0
    for row in measured(instances, args.time_limit, args.seeds, anytime=args.anytime):
        if row is None:
            skipped += 1
            continue
        rows.append(row)
        if not args.json:
            print_row(cells(row))
    if args.json:
        print(json.dumps(document(rows, skipped), indent=2))
        return 0
    for line in wanted(rows):
        print(line)
    print(f"{len(rows)} instances measured, {skipped} skipped (files are looked for in {data_folder()})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
