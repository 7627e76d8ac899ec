"""Plans for the tests of reports, as wide and as long as wanted: list scheduling and first fit, not the planner."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from random import Random

from catalytic.solver.plan import Bound, Evidence, Extent, Objective, Plan, Proof, Status, assemble, lifetimes
from catalytic.solver.problem import Buffer, Isolation, OutputPolicy, Policy, Problem, Task, Workspace
from catalytic.solver.units import Bytes, Tick
from tests.builders import tight_slices

PAGE = 4096
HOSTILE = (
    "</script><script>window.broken = 1</script>",
    "<img src=x onerror='window.broken = 1'>",
    "<!-- <script> ]]> -->",
    "\"quotes\" & 'apostrophes' \\ `ticks` ${data}",
    "{{data}} {{script}}",
    "\u202eturned round\u202c",
    "line\u2028paragraph\u2029tab\tnew\nline\x1b[2J",
    "__proto__",
    "constructor",
    "日本語のタスク",
    "rocket \U0001f680 \u0301combining",
    "very long " + "x" * 20_000,
)
"""Names that would end a script, an attribute, a comment or a line, turn the text, or fill the screen."""


def wide_plan(
    tasks: int = 200,
    *,
    workers: int = 8,
    partitions: int = 4,
    pools: int = 3,
    seed: int = 0,
    names: Mapping[int, str] | None = None,
    title: str = "wide",
    data_type: str = "type",
) -> Plan:
    """Layered random tasks on ``workers``, each with one buffer. ``names``: of task ``k`` and of its buffer."""
    rng, names = Random(seed), names or {}
    made: list[Task] = []
    buffers: list[Buffer] = []
    for k in range(tasks):
        name = names.get(k, f"stage{k % 5}.task_{k:05d}")
        recent = buffers[max(0, k - 40) : max(0, k - workers)]
        reads = tuple(b.id for b in rng.sample(recent, min(len(recent), rng.randrange(4))))
        buffer = names.get(k, f"data/{k:05d}.bin")
        buffers.append(Buffer(buffer, Bytes(PAGE * rng.randrange(1, 60)), f"{data_type}-{rng.randrange(pools)}"))
        made.append(Task(name, Tick(rng.randrange(20, 3000)), reads, (buffer,)))
    space = Workspace(Bytes(partitions * PAGE * 40_000), partitions, PAGE, Isolation.SHARED)
    problem = Problem(
        title, tuple(made), tuple(buffers), space, (("workers", workers),), Policy(outputs=OutputPolicy.DISCARD)
    )
    starts = _listed(problem, workers)
    extents = _first_fit(problem, starts)
    least = Bound("makespan", problem.graph.critical_path()[1], "critical_path", Evidence.CERTIFICATE)
    proof = Proof(Objective.REUSE, None, Status.FEASIBLE, (least,), None, least.value, 0.5)
    return assemble(problem, starts, extents, tight_slices(problem, extents), proof)


def _listed(problem: Problem, workers: int) -> dict[str, Tick]:
    """Each task as soon as its predecessors have ended and a worker is free, in topological order."""
    graph, free = problem.graph, [0] * workers
    starts: dict[str, Tick] = {}
    for t in graph.topological_order:
        ready = max((starts[p] + graph.task[p].duration for p in graph.predecessors[t]), default=0)
        start = max(ready, heappop(free))
        starts[t] = Tick(start)
        heappush(free, start + graph.task[t].duration)
    return starts


def _first_fit(problem: Problem, starts: Mapping[str, Tick]) -> dict[str, list[Extent]]:
    """The lowest free bytes of the pool's own line in each partition, in order of birth; then the lines stacked."""
    graph, lives = problem.graph, lifetimes(problem, starts)
    alive: dict[tuple[str, int], list[tuple[int, int, int]]] = {}
    placed: dict[str, tuple[tuple[str, int], int]] = {}
    height: dict[tuple[str, int], int] = {}
    for number, b in enumerate(sorted(graph.resident, key=lambda b: (lives[b].birth, b))):
        partition, size, low = number % problem.workspace.partitions, graph.aligned_size[b], 0
        key = graph.pool_of[b], partition
        line = alive[key] = sorted(s for s in alive.get(key, []) if s[2] > lives[b].birth)
        for begin, end, _ in line:
            if begin - low >= size:
                break
            low = max(low, end)
        line.append((low, low + size, lives[b].death))
        height[key] = max(height.get(key, 0), low + size)
        placed[b] = (key, low)
    base = {key: sum(height[other] for other in height if other < key and other[1] == key[1]) for key in height}
    return {b: [Extent(key[1], Bytes(base[key] + low), graph.aligned_size[b])] for b, (key, low) in placed.items()}
