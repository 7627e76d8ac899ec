"""Plans and partitioned questions: what a problem with given starts asks, and where an answer puts its buffers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..order import Compact
from ..plan import Extent, PoolSlice, lifetimes, loader_of
from ..problem import InputPolicy, Isolation
from ..units import Bytes, Tick
from .arena import Arena
from .partition_question import Partitioned, slices
from .partitioned import Placed

Place = tuple[int, int]
"""Partition, and offset in it."""


def question_of(
    compact: Compact,
    starts: Mapping[str, Tick],
    *,
    held: Mapping[str, Place] | None = None,
    preferred: Mapping[str, Place] | None = None,
) -> Partitioned:
    """Where do the buffers of ``compact.problem`` lie when task ``t`` starts at ``starts[t]``?

    Buffers are numbered as in ``problem.graph.resident``, tasks as in ``compact.tasks``. ``held``: where buffers must
    lie; ``preferred``: where they should. Blocks of ``compact`` share a region.
    """
    problem = compact.problem
    graph = problem.graph
    lives = lifetimes(problem, starts)
    number = {b: i for i, b in enumerate(graph.resident)}
    task = {t: i for i, t in enumerate(compact.tasks)}
    lazy = problem.policy.inputs is InputPolicy.LAZY

    def writer(buffer: str) -> int:
        if buffer in graph.writer:
            return task[graph.writer[buffer]]
        return task[loader_of(problem, buffer, starts)] if lazy else -1

    def column(places: Mapping[str, Place] | None, part: int) -> list[int]:
        return [(places or {}).get(b, (-1, -1))[part] for b in graph.resident]

    region = [-1] * len(number)
    for i, block in enumerate(compact.blocks):
        for b in block if len(block) > 1 else ():
            region[number[b]] = i
    n, workspace = len(number), problem.workspace
    return Partitioned.of(
        Arena.of(
            [lives[b].birth for b in graph.resident],
            [lives[b].death for b in graph.resident],
            [graph.aligned_size[b] for b in graph.resident],
            alignment=np.full(n, workspace.alignment, np.int64),
        ),
        (int(workspace.partition_size),) * workspace.partitions,
        pool=[compact.pools.index(graph.pool_of[b]) for b in graph.resident],
        limits=[p.size for p in graph.pools] or [None],
        tasks=[(starts[t], starts[t] + graph.task[t].duration) for t in compact.tasks],
        writer=[writer(b) for b in graph.resident],
        exclusive=workspace.isolation is Isolation.EXCLUSIVE,
        held=column(held, 0),
        held_offset=column(held, 1),
        preferred=column(preferred, 0),
        preferred_offset=column(preferred, 1),
        spanning=True,
        region=region,
    )


def extents_and_slices(
    compact: Compact, question: Partitioned, placed: Placed
) -> tuple[dict[str, tuple[Extent, ...]], tuple[PoolSlice, ...]]:
    """Extents of every resident buffer, and the pools' slices, of an answer that has a placement."""
    assert placed.partition is not None
    assert placed.offset is not None
    extents = {}
    for b, p, at in zip(compact.problem.graph.resident, placed.partition, placed.offset, strict=True):
        pieces = question.cut(int(compact.problem.graph.aligned_size[b]), int(p))
        extents[b] = tuple(Extent(piece, Bytes(int(at)), Bytes(size)) for piece, size in pieces)
    owned = slices(question, placed.partition.tolist(), placed.offset.tolist())
    return extents, tuple(PoolSlice(compact.pools[pool], p, Bytes(low), Bytes(size)) for pool, p, low, size in owned)
