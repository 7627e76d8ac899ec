"""What kind of problem it is, before a plan is made: how wide its graph is, how short of memory it will be.

Measured, not searched for, but for a short look for an order with a low peak: seconds at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .budget import Budget, Progress
from .order import least_peak
from .plan import plan_without_reuse
from .problem import Problem


@dataclass(frozen=True, slots=True)
class Character:
    """Figures of a problem. Times in ticks, sizes in bytes.

    ``width``: most tasks that run at once when each starts as soon as those before it have ended. ``work``: all tasks
    one after another; ``floor``: what no plan undercuts, the longest chain or the work that some resource has to serve.

    ``needed``: bytes that no plan undercuts without recomputation or spilling; ``sequential``: bytes alive at once
    along the best order found. ``unhindered``: the same when tasks start as soon as workers and resources are free,
    without any regard for memory. ``capacity``: of the workspace.
    """

    tasks: int
    width: int
    work: int
    floor: int
    allocated: int
    needed: int
    sequential: int
    unhindered: int
    capacity: int

    @property
    def serial(self) -> bool:
        """Whether no plan is faster than one task after another."""
        return self.floor >= self.work

    @property
    def tightness(self) -> float:
        """Share of the workspace that every plan needs."""
        return self.needed / self.capacity if self.capacity else float(self.needed > 0)


def character(
    problem: Problem, budget: Budget, *, enough: int = 0, observer: Callable[[Progress], None] | None = None
) -> Character:
    """The figures of ``problem``. ``budget``: of the look for an order; it ends early at ``enough`` bytes."""
    found = least_peak(problem, budget, enough=enough, observer=observer)
    graph = problem.graph
    energies = [
        -(-sum(t.duration * t.demand(name) for t in problem.tasks) // capacity) for name, capacity in problem.resources
    ]
    return Character(
        tasks=len(problem.tasks),
        width=width_of(problem),
        work=sum(t.duration for t in problem.tasks),
        floor=max([graph.critical_path()[1], *energies]),
        allocated=int(graph.allocated),
        needed=max((b.value for b in found.bounds), default=0),
        sequential=found.peak,
        unhindered=int(plan_without_reuse(problem).measures.peak_live),
        capacity=int(problem.workspace.capacity),
    )


def width_of(problem: Problem) -> int:
    """Most tasks that run at once when each starts as soon as those before it have ended."""
    graph = problem.graph
    end: dict[str, int] = {}
    changes: list[tuple[int, int]] = []
    for t in graph.topological_order:
        start = max((end[p] for p in graph.predecessors[t]), default=0)
        end[t] = start + graph.task[t].duration
        changes += [(start, 1), (end[t], -1)]
    running = most = 0
    for _, change in sorted(changes):
        running += change
        most = max(most, running)
    return most
