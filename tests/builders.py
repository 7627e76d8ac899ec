"""Small problems and plans for tests: named shapes, random problems, and a placer that is not the planner's.

The placer knows nothing of optimality: it starts tasks when it can, and puts each buffer at a random place where it
fits. What it returns is valid by construction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from catalytic.solver.plan import (
    Bound,
    Evidence,
    Extent,
    Lifetime,
    Objective,
    Plan,
    PoolSlice,
    Proof,
    Status,
    assemble,
    lifetimes,
    loader_of,
)
from catalytic.solver.problem import (
    Buffer,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Pool,
    Problem,
    Task,
    Workspace,
)
from catalytic.solver.units import Bytes, Tick

TINY = Workspace(Bytes(1 << 20), 1, 1, Isolation.SHARED)
"""One shared partition with an alignment of one byte."""


def task(name: str, reads: str = "", writes: str = "", *, duration: int = 1, after: str = "", scratch: int = 0) -> Task:
    """A task whose inputs, outputs and ``after`` are given as words: ``task("b", "x y", "z")``."""
    return Task(
        id=name,
        duration=Tick(duration),
        inputs=tuple(reads.split()),
        outputs=tuple(writes.split()),
        after=tuple(after.split()),
        scratch=Bytes(scratch),
    )


def problem(*tasks: Task, sizes: Mapping[str, int] | int = 1, workspace: Workspace = TINY, workers: int = 8) -> Problem:
    """A problem whose buffers are those the tasks name, all of one size or each of its own."""
    names = sorted({b for t in tasks for b in (*t.inputs, *t.outputs)})
    return Problem(
        name="test",
        tasks=tasks,
        buffers=tuple(Buffer(b, Bytes(sizes if isinstance(sizes, int) else sizes.get(b, 1))) for b in names),
        workspace=workspace,
        resources=(("workers", workers),),
    )


def chain(length: int, size: int = 1) -> Problem:
    """``t1 -> t2 -> ...``: each task reads what the one before it wrote."""
    return problem(*(task(f"t{i}", f"b{i - 1}" if i > 1 else "", f"b{i}") for i in range(1, length + 1)), sizes=size)


def diamond(size: int = 1) -> Problem:
    """``top -> left, right -> bottom``."""
    return problem(
        task("top", "", "seed"),
        task("left", "seed", "l", duration=2),
        task("right", "seed", "r", duration=3),
        task("bottom", "l r", "result"),
        sizes=size,
    )


def random_problem(rng: Random, *, tasks: int = 8) -> Problem:
    """A small problem in which every feature of the model has a chance."""
    count = rng.randint(1, tasks)
    alignment = rng.choice((1, 1, 4))
    types = rng.choice(((None,), (None,), ("text", "image"), (None, "text")))
    accesses = rng.choice(((None,), (None,), (None, "random")))
    buffers: list[Buffer] = []
    readable: list[str] = []

    def new_buffer(written: bool) -> str:
        name = f"b{len(buffers)}"
        size = rng.choice((0, 1, 2, 3, 4, 5, 7)) if rng.random() < 0.9 else 12
        export = rng.choice(("", f"out/{name}")) if written and rng.random() < 0.15 else None
        buffers.append(
            Buffer(
                name, Bytes(size), rng.choice(types), rng.choice(accesses), rng.random() < 0.1, export
            )
        )  # fmt: skip
        readable.append(name)
        return name

    for _ in range(rng.randint(0, 2)):
        new_buffer(written=False)
    made: list[Task] = []
    external = len(buffers)
    for number in range(count):
        recent = readable[-5:]
        inputs = tuple(rng.sample(recent, rng.randint(0, min(3, len(recent)))))
        outputs = tuple(new_buffer(written=True) for _ in range(rng.choice((0, 1, 1, 1, 2))))
        internal = [b for b in inputs if int(b[1:]) >= external]
        in_place: tuple[tuple[str, str], ...] = ()
        if internal and outputs and rng.random() < 0.6:
            in_place = ((rng.choice(outputs), rng.choice(internal)),)
        made.append(
            Task(
                id=f"t{number}",
                duration=Tick(rng.randint(1, 4)),
                inputs=inputs,
                outputs=outputs,
                after=tuple(f"t{k}" for k in range(number) if rng.random() < 0.1),
                scratch=Bytes(rng.choice((0, 0, 0, 2, 5))),
                demands=(("cpu", rng.randint(0, 2)),) if rng.random() < 0.3 else (),
                in_place=in_place,
            )
        )
    keys = sorted({b.pool_key for b in buffers}, key=str)
    return Problem(
        name="random",
        tasks=tuple(made),
        buffers=tuple(buffers),
        workspace=Workspace(Bytes(1 << 20), 1, alignment, rng.choice((Isolation.SHARED, Isolation.EXCLUSIVE))),
        resources=(("cpu", 2), ("workers", rng.randint(1, 3))),
        policy=Policy(rng.choice(tuple(InputPolicy)), rng.choice(tuple(OutputPolicy))),
        pools=tuple(Pool(f"pool{i}", *key) for i, key in enumerate(keys) if rng.random() < 0.4),
    )


def random_starts(rng: Random, question: Problem) -> dict[str, Tick]:
    """Starts that respect precedence and resources, in a random order with random idling."""
    graph = question.graph
    waiting = {t: set(before) for t, before in graph.predecessors.items()}
    starts: dict[str, Tick] = {}
    used: dict[tuple[str, int], int] = {}
    while waiting:
        ready = sorted(t for t, before in waiting.items() if not before)
        chosen = graph.task[rng.choice(ready)]
        del waiting[chosen.id]
        for before in waiting.values():
            before.discard(chosen.id)
        start = max((starts[p] + graph.task[p].duration for p in graph.predecessors[chosen.id]), default=0)
        start += rng.choice((0, 0, 0, 1, 3))
        while any(
            used.get((name, tick), 0) + chosen.demand(name) > capacity
            for name, capacity in question.resources
            for tick in range(start, start + chosen.duration)
        ):
            start += 1
        for name, _ in question.resources:
            for tick in range(start, start + chosen.duration):
                used[name, tick] = used.get((name, tick), 0) + chosen.demand(name)
        starts[chosen.id] = Tick(start)
    return starts


class Placer:
    """Puts buffers one by one, in order of birth, at random places; grows the workspace where nothing fits.

    Each pool has an address line of its own in each partition; at the end the lines of a partition are stacked, which
    makes them slices. ``partition_size`` is fixed only when some buffer spans; then there is a single pool.
    """

    def __init__(self, rng: Random, question: Problem, starts: Mapping[str, Tick], partition_size: int | None) -> None:
        self.rng, self.problem, self.graph, self.starts = rng, question, question.graph, starts
        self.lives = lifetimes(question, starts)
        self.partition_size = partition_size
        self.partitions = 1 if partition_size is None else 3
        self.at: dict[str, list[tuple[int, int, int]]] = {}
        self.writing: dict[int, list[Lifetime]] = {}

    def place_all(self) -> None:
        for b in sorted(self.graph.resident, key=lambda b: (self.lives[b].birth, self.rng.random())):
            places = list(self._places(b))
            while not places:
                self.partitions += 1
                places = list(self._places(b))
            self.at[b] = self.rng.choice(places)
            for partition, _, _ in self.at[b]:
                self.writing.setdefault(partition, []).append(self._run_of(b))

    def _writer(self, b: str) -> str | None:
        if b in self.graph.writer:
            return self.graph.writer[b]
        return None if self.problem.policy.inputs is InputPolicy.PRELOAD else loader_of(self.problem, b, self.starts)

    def _run_of(self, b: str) -> Lifetime:
        """The interval in which the buffer's partitions are held: that of its writer; nothing for a preloaded one."""
        t = self._writer(b)
        if t is None:
            return Lifetime(Tick(-2), Tick(-1))
        return Lifetime(self.starts[t], Tick(self.starts[t] + self.graph.task[t].duration))

    def _places(self, b: str) -> Iterator[list[tuple[int, int, int]]]:
        size = self.graph.aligned_size[b]
        whole = self.partition_size
        if whole is not None and size > whole:
            count = -(-size // whole)
            for first in range(self.partitions - count + 1):
                form = [(first + k, 0, min(whole, size - k * whole)) for k in range(count)]
                if all(self._free(b, *extent) for extent in form):
                    yield form
            return
        for partition in range(self.partitions):
            ends = {0} | {low + n for other in self.at for p, low, n in self.at[other] if p == partition}
            lows = {low for other in self.at for p, low, _ in self.at[other] if p == partition}
            anywhere = self.problem.workspace.alignment * self.rng.randint(0, 12)
            for low in sorted(ends | lows | {anywhere}):
                if (whole is None or low + size <= whole) and self._free(b, partition, low, size):
                    yield [(partition, low, size)]

    def _free(self, b: str, partition: int, low: int, size: int) -> bool:
        """Whether nobody else lives there, and nobody else writes into the partition meanwhile when exclusive."""
        me = self._writer(b)
        if self.problem.workspace.isolation is Isolation.EXCLUSIVE and me is not None:
            others = [o for o in self.at if self._writer(o) not in (None, me)]
            if any(
                p == partition and self._run_of(o).overlaps(self._run_of(b)) for o in others for p, _, _ in self.at[o]
            ):
                return False
        for other, extents in self.at.items():
            if not self.lives[other].overlaps(self.lives[b]) or self.graph.pool_of[other] != self.graph.pool_of[b]:
                continue
            if self._may_take_over(b, other):
                continue
            if any(p == partition and low < o + n and o < low + size for p, o, n in extents):
                return False
        return True

    def _may_take_over(self, b: str, other: str) -> bool:
        """In place: permitted, and the writer is the only task that still needs the other buffer."""
        writer = self.graph.writer.get(b)
        if writer is None or (b, other) not in self.graph.task[writer].in_place or other in self.graph.kept:
            return False
        users = [*self.graph.readers[other], *([self.graph.writer[other]] if other in self.graph.writer else [])]
        begin = self.starts[writer]
        return all(u == writer or self.starts[u] + self.graph.task[u].duration <= begin for u in users)

    def slices(self) -> list[PoolSlice]:
        """The pools' lines, stacked in each partition in a random order."""
        found = []
        for partition in range(self.partitions):
            names = sorted(p.id for p in self.graph.pools)
            self.rng.shuffle(names)
            base = 0
            for name in names:
                tops = [
                    low + n
                    for b, extents in self.at.items()
                    for p, low, n in extents
                    if p == partition and self.graph.pool_of[b] == name
                ]
                if tops:
                    found.append(PoolSlice(name, partition, Bytes(base), Bytes(max(tops))))
                    base += max(tops)
        return found


def random_plan(rng: Random, question: Problem | None = None) -> Plan:
    """A valid plan for ``question`` (or for a random problem) with honest bounds.

    The workspace of the question is replaced by one that the placement needs, sometimes with slack.
    """
    if question is None:
        question = random_problem(rng)
    starts = random_starts(rng, question)
    alignment = question.workspace.alignment
    whole = None
    if len(question.graph.pools) == 1 and rng.random() < 0.3:
        whole = alignment * rng.choice((2, 3))
    placer = Placer(rng, question, starts, whole)
    placer.place_all()
    slices = placer.slices()
    height = max((s.offset + s.size for s in slices), default=alignment)
    size = whole if whole is not None else height + alignment * rng.choice((0, 0, 2))
    w = question.workspace
    limits = {p.id: sum(s.size for s in slices if s.pool == p.id) for p in question.pools}
    question = replace(
        question,
        workspace=Workspace(Bytes(size * placer.partitions), placer.partitions, alignment, w.isolation),
        pools=tuple(replace(p, size=Bytes(limits[p.id])) if limits[p.id] and rng.random() < 0.5 else p
                    for p in question.pools),
    )  # fmt: skip
    base = {(s.pool, s.partition): s.offset for s in slices}
    extents = {
        b: [Extent(p, Bytes(base[question.graph.pool_of[b], p] + low), Bytes(n)) for p, low, n in where]
        for b, where in placer.at.items()
    }
    return planned(
        question, starts, extents, slices, objective=rng.choice(tuple(Objective)), integrity=rng.random() < 0.8
    )


def planned(
    question: Problem,
    starts: Mapping[str, Tick],
    extents: Mapping[str, Sequence[Extent]],
    slices: Sequence[PoolSlice] | None = None,
    *,
    objective: Objective = Objective.REUSE,
    target: float | None = None,
    integrity: bool = True,
) -> Plan:
    """The plan with these starts and places, and the proof that they deserve.

    Without ``slices`` each pool gets the least slice that holds its regions in each partition.
    """
    if slices is None:
        slices = tight_slices(question, extents)
    blank = Proof(objective, target, Status.FEASIBLE, (), None, 0, 1.0)
    plan = assemble(question, starts, extents, slices, blank, integrity=integrity)
    return replace(plan, proof=honest_proof(plan))


def tight_slices(question: Problem, extents: Mapping[str, Sequence[Extent]]) -> list[PoolSlice]:
    """Per pool and partition, from the lowest to the highest byte of its regions."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for b, where in extents.items():
        for e in where:
            key = (question.graph.pool_of[b], e.partition)
            low, high = spans.get(key, (e.offset, e.end))
            spans[key] = (min(low, e.offset), max(high, e.end))
    return [PoolSlice(pool, p, Bytes(low), Bytes(high - low)) for (pool, p), (low, high) in spans.items()]


def honest_proof(plan: Plan) -> Proof:
    """Bounds of every kind with their witnesses, and status and gap as they follow."""
    question, graph, old = plan.problem, plan.problem.graph, plan.proof
    bounds = []
    sets = [(_occupied(question, t.id), t.id) for t in question.tasks]
    value, name = max(sets, default=(0, ""))
    if name:
        witness = {"task": name, "buffers": list(graph.working_set(name))}
        bounds.append(Bound("peak_live", value, "working_set", Evidence.CERTIFICATE, witness))
    path, length = graph.critical_path()
    bounds.append(Bound("makespan", length, "critical_path", Evidence.CERTIFICATE, {"path": list(path)}))
    for resource, capacity in question.resources:
        work = sum(t.duration * t.demand(resource) for t in question.tasks)
        witness = {"resource": resource}
        bounds.append(Bound("makespan", -(-work // capacity), "resource_energy", Evidence.CERTIFICATE, witness))
    ceiling = question.workspace.capacity
    energy = sum(graph.aligned_size[b] * _least_lifetime(question, b) for b in graph.resident)
    if ceiling and not any(t.in_place for t in question.tasks):
        claim = Bound(
            "makespan", -(-energy // ceiling), "memory_time_energy", Evidence.CERTIFICATE, {"ceiling": ceiling}
        )
        bounds.append(claim)
    m = plan.measures
    peak = max((b.value for b in bounds if b.quantity == "peak_live"), default=None)
    least = max(b.value for b in bounds if b.quantity == "makespan")
    value, bound = (m.footprint, peak or 0) if old.objective is Objective.REUSE else (m.makespan, least)
    gap = (value - bound) / value if value else 0.0
    return Proof(
        objective=old.objective,
        target=old.target,
        status=Status.OPTIMAL if gap == 0 else Status.FEASIBLE,
        bounds=tuple(bounds),
        largest_reuse_factor=(m.allocated - peak) / m.allocated if peak is not None and m.allocated else None,
        least_makespan=least,
        gap=gap,
    )


def _occupied(question: Problem, name: str) -> int:
    """Bytes that exist while a task runs, with the most that in-place permissions save."""
    graph = question.graph
    size = {b: graph.aligned_size[b] for b in graph.working_set(name)}
    saved = sum(min(size[o], size[i]) for o, i in graph.task[name].in_place if o in size and i in size)
    return sum(size.values()) - saved


def _least_lifetime(question: Problem, b: str) -> int:
    """By enumeration of paths: from the writer's start to the last end of a reader; a loaded input's longest reader."""
    graph = question.graph
    if b not in graph.writer:
        return max(graph.task[r].duration for r in graph.readers[b])

    def longest(t: str, goal: str) -> int:
        """Duration of the longest path from ``t`` to ``goal``, both included; far below zero when there is none."""
        own = graph.task[t].duration
        if t == goal:
            return own
        return own + max((longest(s, goal) for s in graph.successors[t]), default=-(10**9))

    return max(longest(graph.writer[b], r) for r in (graph.writer[b], *graph.readers[b]))


def extents_of(plan: Plan) -> dict[str, tuple[Extent, ...]]:
    """Buffer id -> extents, as :func:`planned` takes them."""
    return {r.buffer: r.extents for r in plan.regions}


def starts_of(plan: Plan) -> dict[str, Tick]:
    """Task id -> planned start."""
    return {t.id: t.start for t in plan.tasks}
