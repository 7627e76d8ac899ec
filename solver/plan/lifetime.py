"""From start times to lifetimes: the one definition of when a buffer must exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..problem import InputPolicy, Problem
from ..units import Tick


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Half-open interval ``[birth, death)`` in ticks during which a buffer must exist."""

    birth: Tick
    death: Tick

    def __post_init__(self) -> None:
        if not self.birth < self.death:
            raise ValueError(f"lifetime is empty: birth={self.birth}, death={self.death}")

    def overlaps(self, other: Lifetime) -> bool:
        """Whether both exist at some moment."""
        return self.birth < other.death and other.birth < self.death


def loader_of(problem: Problem, buffer: str, starts: Mapping[str, Tick]) -> str:
    """The task that loads a lazy input: its reader with the earliest planned start, the least id among equals."""
    return min(problem.graph.readers[buffer], key=lambda t: (starts[t], t))


def lifetimes(problem: Problem, starts: Mapping[str, Tick]) -> dict[str, Lifetime]:
    """Lifetime of every resident buffer, keyed by id, when task ``t`` runs in ``[starts[t], starts[t] + duration)``.

    Written: from the start of the writer to the last end of a reader (without readers, the writer's end). Lazy input:
    from its first reader's start. Preloaded input: from 0. Kept buffers die at the makespan.
    """
    graph = problem.graph
    end = {t.id: Tick(starts[t.id] + t.duration) for t in problem.tasks}
    makespan = max(end.values(), default=Tick(0))
    result = {}
    for b in graph.resident:
        readers = graph.readers[b]
        writer = graph.writer.get(b)
        if writer is not None:
            birth = starts[writer]
        elif problem.policy.inputs is InputPolicy.PRELOAD:
            birth = Tick(0)
        else:
            birth = min(starts[r] for r in readers)
        last = max((end[r] for r in readers), default=Tick(0))
        death = makespan if b in graph.kept else max(last, end[writer]) if writer is not None else last
        result[b] = Lifetime(birth, death)
    return result
