"""The same problem without reuse: every buffer has bytes of its own. The fallback, and the reference of every run."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush

from ..problem import Isolation, Problem, Workspace
from ..units import Bytes, Tick
from .assemble import assemble
from .model import Extent, Plan, PoolSlice
from .proof import Objective, Proof, Status


def plan_without_reuse(problem: Problem, *, integrity: bool = True) -> Plan:
    """A plan in which no byte is ever owned twice, in one partition of exactly the allocated bytes.

    Tasks are list-scheduled by longest tail. The embedded problem has one shared partition, in-place permissions and
    pool limits removed; everything else is unchanged, so the results must be the same bytes.
    """
    graph = problem.graph
    alignment = problem.workspace.alignment
    size = Bytes(max(graph.allocated, alignment))
    separate = replace(
        problem,
        workspace=Workspace(size, 1, alignment, Isolation.SHARED),
        tasks=tuple(replace(t, in_place=()) for t in problem.tasks),
        pools=tuple(replace(p, size=None) for p in problem.pools),
    )
    starts = _list_schedule(separate)
    extents: dict[str, tuple[Extent, ...]] = {}
    slices = []
    offset = 0
    for pool in graph.pools:
        base = offset
        for b in graph.resident:
            if graph.pool_of[b] == pool.id:
                extents[b] = (Extent(0, Bytes(offset), graph.aligned_size[b]),)
                offset += graph.aligned_size[b]
        slices.append(PoolSlice(pool.id, 0, Bytes(base), Bytes(offset - base)))
    proof = Proof(Objective.MAKESPAN, None, Status.FEASIBLE, (), None, graph.critical_path()[1], 1.0)
    plan = assemble(separate, starts, extents, slices, proof, integrity=integrity)
    gap = 1 - proof.least_makespan / plan.measures.makespan if plan.measures.makespan else 0.0
    return replace(plan, proof=replace(proof, gap=gap))


def _list_schedule(problem: Problem) -> dict[str, Tick]:
    """Starts by list scheduling with longest-tail priority under the resources alone; never idles needlessly."""
    graph = problem.graph
    tail: dict[str, int] = {}
    for t in reversed(graph.topological_order):
        tail[t] = graph.task[t].duration + max((tail[s] for s in graph.successors[t]), default=0)
    capacity = dict(problem.resources)
    missing = {t: len(p) for t, p in graph.predecessors.items()}
    ready = sorted((-tail[t], t) for t, n in missing.items() if n == 0)
    running: list[tuple[int, str]] = []
    starts: dict[str, Tick] = {}
    now = 0
    while ready or running:
        blocked = []
        while ready:
            entry = heappop(ready)
            task = graph.task[entry[1]]
            demands = {name: task.demand(name) for name in capacity}
            if all(amount <= capacity[name] for name, amount in demands.items()):
                for name, amount in demands.items():
                    capacity[name] -= amount
                starts[task.id] = Tick(now)
                heappush(running, (now + task.duration, task.id))
            else:
                blocked.append(entry)
            if capacity["workers"] == 0:
                break
        for entry in blocked:
            heappush(ready, entry)
        now = running[0][0]
        while running and running[0][0] == now:
            done = heappop(running)[1]
            for name in capacity:
                capacity[name] += graph.task[done].demand(name)
            for s in graph.successors[done]:
                missing[s] -= 1
                if missing[s] == 0:
                    heappush(ready, (-tail[s], s))
    return starts
