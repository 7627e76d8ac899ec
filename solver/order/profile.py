"""What is alive at each step when the tasks run one after another in a given order.

Step ``k`` is the run of task ``order[k]``. A buffer is alive from the step of its writer to the step of its last
reader, both included (lazy inputs: from their first reader; preloaded ones: from the first step; kept ones: to the last
step). Where a task may write an output over one of its inputs, and no other task needs the input any more, the pair
occupies the larger of the two sizes while the task runs.

This is the definition, told buffer by buffer. It shares no code with the searches over orders, which add up groups of
buffers in compiled loops, and it is what people are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..problem import InputPolicy, Problem


@dataclass(frozen=True, slots=True)
class Profile:
    """The live bytes along an order. Sizes are bytes, rounded up to the alignment.

    ``pools[i]``: pool id -> bytes of the pool alive at step ``i``, less what is shared in place. ``spans``: resident
    buffer -> (first step, last step) of its life, both included. ``shared[i]``: (output, input, bytes) that share
    bytes in place at step ``i``; absent where nothing is shared.
    """

    problem: Problem
    order: tuple[str, ...]
    pools: tuple[Mapping[str, int], ...]
    spans: Mapping[str, tuple[int, int]]
    shared: Mapping[int, tuple[tuple[str, str, int], ...]]

    @property
    def live(self) -> tuple[int, ...]:
        """Bytes alive at each step, all pools together."""
        return tuple(sum(step.values()) for step in self.pools)

    @property
    def pool_peaks(self) -> dict[str, int]:
        """Pool id -> the most bytes of the pool alive at a step."""
        return {p.id: max((step[p.id] for step in self.pools), default=0) for p in self.problem.graph.pools}

    @property
    def peak(self) -> int:
        """What the order costs: the sum of the pools' own peaks, because the slices of pools are fixed and disjoint."""
        return sum(self.pool_peaks.values())

    def peak_step(self, pool: str | None = None) -> int:
        """The first step with the most bytes alive, in ``pool`` or in all of them."""
        live = self.live if pool is None else tuple(step[pool] for step in self.pools)
        return max(range(len(live)), key=lambda k: (live[k], -k), default=0)

    def alive(self, step: int) -> tuple[str, ...]:
        """Buffers alive at ``step``, larger ones first; O(buffers)."""
        size = self.problem.graph.aligned_size
        found = [b for b, (first, last) in self.spans.items() if first <= step <= last]
        return tuple(sorted(found, key=lambda b: (-size[b], b)))


def profile(problem: Problem, order: Sequence[str]) -> Profile:
    """The live bytes of ``problem`` when its tasks run in ``order``; linear in the size of the problem.

    ``ValueError`` when ``order`` is not every task once, each after its predecessors.
    """
    graph = problem.graph
    at = {t: k for k, t in enumerate(order)}
    if len(order) != len(problem.tasks) or at.keys() != graph.task.keys():
        raise ValueError("an order names every task exactly once")
    for t, before in graph.predecessors.items():
        for p in before:
            if at[p] > at[t]:
                raise ValueError(f"{p!r} must come before {t!r}")
    spans = {b: _span(problem, b, at, len(order)) for b in graph.resident}
    shared = _shared(problem, at, spans)
    changes = {p.id: [0] * (len(order) + 1) for p in graph.pools}
    for b, (first, last) in spans.items():
        changes[graph.pool_of[b]][first] += graph.aligned_size[b]
        changes[graph.pool_of[b]][last + 1] -= graph.aligned_size[b]
    for step, pairs in shared.items():
        for output, _, saved in pairs:
            changes[graph.pool_of[output]][step] -= saved
            changes[graph.pool_of[output]][step + 1] += saved
    lines = {pool: list(accumulate(change)) for pool, change in changes.items()}
    steps = tuple({pool: line[k] for pool, line in lines.items()} for k in range(len(order)))
    return Profile(problem, tuple(order), steps, spans, shared)


def _span(problem: Problem, buffer: str, at: Mapping[str, int], steps: int) -> tuple[int, int]:
    graph = problem.graph
    reads = [at[r] for r in graph.readers[buffer]]
    writer = graph.writer.get(buffer)
    if writer is not None:
        first = at[writer]
    elif problem.policy.inputs is InputPolicy.PRELOAD:
        first = 0
    else:
        first = min(reads)
    return first, steps - 1 if buffer in graph.kept else max([first, *reads])


def _shared(
    problem: Problem, at: Mapping[str, int], spans: Mapping[str, tuple[int, int]]
) -> dict[int, tuple[tuple[str, str, int], ...]]:
    """Step -> pairs that share bytes there: both resident in one pool, and the task is the input's last user."""
    graph = problem.graph
    shared = {}
    for t in problem.tasks:
        pairs = tuple(
            (output, source, int(min(graph.aligned_size[output], graph.aligned_size[source])))
            for output, source in t.in_place
            if output in spans
            and source in spans
            and source not in graph.kept
            and graph.pool_of[output] == graph.pool_of[source]
            and spans[source][1] == at[t.id]
        )
        if pairs:
            shared[at[t.id]] = pairs
    return shared
