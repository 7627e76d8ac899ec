"""Random graphs in layers."""

from __future__ import annotations

from math import sqrt

from ..problem import Problem
from .draft import DURATIONS, SIZES, WORKERS, Amounts, Draft, numbered


def layered(
    tasks: int = 1000,
    layers: int | None = None,
    *,
    edge_probability: float = 0.2,
    skip_probability: float = 0.14,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A random graph in ``layers`` layers (None: the square root of ``tasks``), none of which is empty.

    A task reads each output of the layer before with ``edge_probability``, and one at least; with ``skip_probability``
    it also reads one output of any layer before that one. This is the shape of the random layered graphs of Gagrani et
    al. (Neural Topological Ordering for Computation Graphs, NeurIPS 2022), with which MOCCASIN was measured; the
    distributions are simpler than theirs. Takes ``tasks ** 2 / layers`` steps.
    """
    draft = Draft("layered", sizes, durations, workers, seed)
    draft.demand("tasks", tasks, 1)
    count = layers if layers is not None else max(1, round(sqrt(max(0, tasks))))
    draft.demand("layers", count, 1, max(1, tasks))
    draft.demand("edge_probability", edge_probability, 0, 1)
    draft.demand("skip_probability", skip_probability, 0, 1)
    draft.refuse()
    random = draft.random
    cuts = [0, *sorted(random.sample(range(1, tasks), count - 1)), tasks]
    names = [numbered("t", i, tasks) for i in range(tasks)]
    for layer in range(count):
        start, end = cuts[layer], cuts[layer + 1]
        above = range(cuts[layer - 1], start) if layer else range(0)
        for i in range(start, end):
            reads = [r for r in above if random.share() < edge_probability]
            if above and not reads:
                reads = [random.one_of(above)]
            if layer > 1 and random.share() < skip_probability:
                reads.append(random.below(cuts[layer - 1]))
            draft.add(names[i], [names[r] for r in reads])
    return draft.problem()
