"""Problems and tight plans for the runtime's tests: small, seeded, and as full of reuse as first fit can make them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from catalytic.runtime.workspace import Workspace as Arena
from catalytic.solver.plan import Extent, Objective, Plan, PoolSlice, Proof, Region, Status, assemble, lifetimes
from catalytic.solver.problem import (
    Buffer,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Problem,
    Run,
    Synthetic,
    Task,
    Workspace,
)
from catalytic.solver.units import Bytes, Tick

PAGE = 4096


def chain(length: int, size: int = 3 * PAGE, run: Run | None = None, **changes: object) -> Problem:
    """``length`` tasks in a row, each turning one buffer into the next."""
    tasks = tuple(
        Task(f"t{i:02}", Tick(5), (f"b{i:02}",), (f"b{i + 1:02}",), run=run or Synthetic()) for i in range(length)
    )
    buffers = tuple(Buffer(f"b{i:02}", Bytes(size + i)) for i in range(length + 1))
    problem = Problem("chain", tasks, buffers, Workspace(Bytes(64 * PAGE), 1), (("workers", 2),))
    return replace(problem, **changes)  # type: ignore[arg-type]


def random_problem(
    seed: int, tasks: int = 12, most_pages: int = 6, *, partitions: int | None = None, ms: tuple[int, int] = (1, 30)
) -> Problem:
    """A random layered DAG with scratch, in-place pairs, kept and exported buffers, and any of the input policies."""
    rng = random.Random(seed)
    policy = Policy(rng.choice(list(InputPolicy)), rng.choice(list(OutputPolicy)))
    made = [Buffer(f"in{i}", Bytes(rng.randrange(1, most_pages * PAGE)), rng.choice(["a", None])) for i in range(3)]
    buffers = list(made)
    result = []
    for i in range(tasks):
        inputs = tuple(b.id for b in rng.sample(made, min(len(made), rng.randrange(1, 4))))
        outputs = [
            Buffer(
                f"b{i}.{k}",
                Bytes(rng.choice([0, *[rng.randrange(1, most_pages * PAGE)] * 9])),
                rng.choice(["a", None]),
                keep=rng.random() < 0.08,
                export="" if rng.random() < 0.1 else None,
            )
            for k in range(rng.randrange(1, 3))
        ]
        buffers += outputs
        scratch = Bytes(rng.choice([0, rng.randrange(1, 2 * PAGE)]))
        duration = Tick(rng.randrange(*ms))
        result.append(Task(f"t{i}", duration, inputs, tuple(b.id for b in outputs), scratch=scratch))
        made = [*made[-6:], *outputs]
    count = partitions or rng.choice([1, 3])
    isolation = Isolation.SHARED if count == 1 else Isolation.EXCLUSIVE
    space = Workspace(Bytes(count * 40 * most_pages * PAGE), count, PAGE, isolation)
    plain = Problem(f"random-{seed}", tuple(result), tuple(buffers), space, (("workers", 2),), policy)
    return _with_in_place(plain, rng)


def _with_in_place(problem: Problem, rng: random.Random) -> Problem:
    """``problem`` with permissions for some last readers to take over an input."""
    graph = problem.graph
    order = {t: k for k, t in enumerate(graph.topological_order)}
    tasks = []
    for t in problem.tasks:
        pairs = [
            (o, b)
            for o in t.outputs
            for b in t.inputs
            if graph.is_resident(b)
            and graph.is_resident(o)
            and b not in graph.kept
            and b not in graph.exported
            and max(graph.readers[b], key=order.__getitem__) == t.id
            and (b in graph.writer or len(graph.readers[b]) > 1)  # loaded before this task begins
        ]
        chosen = (rng.choice(pairs),) if pairs and rng.random() < 0.6 else ()
        tasks.append(replace(t, in_place=chosen))
    return replace(problem, tasks=tuple(tasks))


def tight_plan(problem: Problem, *, integrity: bool = True, seal: str = "sha256") -> Plan:
    """A sequential plan in topological order, every buffer at the lowest address that is free, in-place used."""
    starts, now = {}, 0
    for t in problem.graph.topological_order:
        starts[t] = Tick(now)
        now += problem.graph.task[t].duration
    return placed(problem, starts, integrity=integrity, seal=seal)


def placed(problem: Problem, starts: Mapping[str, Tick], *, integrity: bool = True, seal: str = "sha256") -> Plan:
    """The plan with these starts and first-fit addresses."""
    graph = problem.graph
    lives = lifetimes(problem, starts)
    extents: dict[str, tuple[Extent, ...]] = {}
    order = sorted(graph.resident, key=lambda b: (lives[b].birth, b))
    pools = [p.id for p in graph.pools]
    share = problem.workspace.partition_size // len(pools) // PAGE * PAGE if pools else 0
    for number, b in enumerate(order):
        writer = graph.writer.get(b)
        pairs = dict(graph.task[writer].in_place) if writer is not None else {}
        source = pairs.get(b)
        if source is not None and _fits(problem, b, source):
            e = extents[source][0]
            extents[b] = (Extent(e.partition, e.offset, graph.aligned_size[b]),)
            continue
        rivals = [extents[o][0] for o in order[:number] if lives[o].overlaps(lives[b])]
        low = pools.index(graph.pool_of[b]) * share
        extents[b] = (_first_fit(problem, graph.aligned_size[b], rivals, low, low + share),)
    slices = [
        PoolSlice(p, q, Bytes(k * share), Bytes(share))
        for k, p in enumerate(pools)
        for q in range(problem.workspace.partitions)
    ]
    proof = Proof(Objective.REUSE, None, Status.FEASIBLE, (), None, graph.critical_path()[1], 1.0)
    return assemble(problem, starts, extents, slices, proof, integrity=integrity, seal=seal)


def laid_out(problem: Problem, order: str, pages: Mapping[str, int]) -> Plan:
    """The plan that runs the tasks in ``order`` (ids, separated by blanks), buffer ``b`` from page ``pages[b]`` on."""
    starts, now = {}, 0
    for t in order.split():
        starts[t] = Tick(now)
        now += problem.graph.task[t].duration
    extents = {b: [Extent(0, Bytes(PAGE * page), problem.graph.aligned_size[b])] for b, page in pages.items()}
    slices = [PoolSlice("default", 0, Bytes(0), problem.workspace.partition_size)]
    proof = Proof(Objective.REUSE, None, Status.FEASIBLE, (), None, problem.graph.critical_path()[1], 1.0)
    return assemble(problem, starts, extents, slices, proof)


def tasks_of(text: str, sizes: Mapping[str, int], run: Run | None = None, keep: str = "") -> Problem:
    """Tasks from lines such as ``a: x y -> z``; sizes in pages, results discarded, ``keep`` kept."""
    tasks = []
    for line in text.strip().splitlines():
        name, _, rest = line.strip().partition(":")
        reads, _, writes = rest.partition("->")
        tasks.append(Task(name, Tick(5), tuple(reads.split()), tuple(writes.split()), run=run or Synthetic()))
    buffers = tuple(Buffer(b, Bytes(PAGE * pages), keep=b in keep.split()) for b, pages in sizes.items())
    space = Workspace(Bytes(64 * PAGE), 1)
    return Problem("tasks", tuple(tasks), buffers, space, (("workers", 2),), Policy(outputs=OutputPolicy.DISCARD))


def _fits(problem: Problem, output: str, source: str) -> bool:
    graph = problem.graph
    return graph.pool_of[output] == graph.pool_of[source] and graph.aligned_size[output] <= graph.aligned_size[source]


def _first_fit(problem: Problem, size: int, rivals: Sequence[Extent], low: int, high: int) -> Extent:
    for partition in range(problem.workspace.partitions):
        mine = sorted(e for e in rivals if e.partition == partition)
        for offset in [low, *(e.end for e in mine)]:
            new = Extent(partition, Bytes(offset), Bytes(size))
            inside = low <= offset and new.end <= high
            if inside and not any(new.offset < e.end and e.offset < new.end for e in mine):
                return new
    raise AssertionError("the test's workspace is too small for first fit")


def arena_of(plan: Plan, path: object, **changes: object) -> Arena:
    """A workspace of the plan's geometry."""
    w = plan.problem.workspace
    options: dict[str, object] = {"size": w.size, "partitions": w.partitions, "alignment": w.alignment} | changes
    return Arena.create(str(path), **options)  # type: ignore[arg-type]


def regions_reused(plan: Plan) -> int:
    """Number of regions that take over bytes of another."""
    return sum(1 for owners in plan.takes_over.values() if owners)


def third_owners(plan: Plan) -> list[Region]:
    """Regions whose bytes have had two owners before, along some line of takeovers."""
    generation: dict[str, int] = {}
    for r in plan.regions:
        generation[r.id] = 1 + max((generation[o.region] for o in plan.takes_over.get(r.id, ())), default=0)
    return [r for r in plan.regions if generation[r.id] >= 3]
