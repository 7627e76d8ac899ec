"""Lifetimes of tensors in the training of a deep network, or in any graph that runs again and again, as arenas.

::

    offset   weights' states, all the time
      ^      +----------------------------------------
      |      activations: born forward, dead backward     gradients of weights: to the end of the step
      |         +-------------------+                        +-----------+
      |           +--------------+                         +-------------+
      |             +---------+                          +---------------+
      +------------------------------> time (one tick per operation; steps repeat)

Tensors of one layer have the same sizes in every step. Sizes are powers of two times a small odd number, as products
of dimensions are, in multiples of 64 bytes, to which offsets are aligned too.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from .placement.arena import Arena
from .plan.lifetime import lifetimes
from .problem import Problem
from .units import Tick

ALIGNMENT = 64


def tensor_arena(buffers: int = 20_000, *, layers: int = 48, branches: int = 3, seed: int = 0) -> Arena:
    """At least ``buffers`` tensors: training steps of ``layers`` layers, until there are enough of them.

    Each layer has up to ``branches`` operations forward, each with an output that lives until its own backward pass or
    only for the next operation, and scratch; backward each has a gradient that lives for the next layer, scratch, and
    a gradient of weights that lives to the end of the step. ``ValueError`` when a number is not positive.
    """
    if min(buffers, layers, branches) < 1:
        raise ValueError(f"{buffers} buffers, {layers} layers and {branches} branches: each must be positive")
    draw = np.random.default_rng(seed)
    operations = [int(k) for k in draw.integers(1, branches + 1, layers)]
    # Sizes fall with depth, as resolutions do; within a layer they differ by small factors.
    scale = [14 - 6 * layer // layers for layer in range(layers)]
    shapes = [[[_size(draw, scale[layer] - less) for less in (0, 2, 1, 3)] for _ in range(operations[layer])]
              for layer in range(layers)]  # fmt: skip
    kept = [[bool(draw.random() < 0.6) for _ in range(operations[layer])] for layer in range(layers)]
    rows: list[tuple[int, int, int]] = []
    now = 0
    while len(rows) < buffers:
        born: list[tuple[int, int, int]] = []
        for layer in range(layers):
            for k in range(operations[layer]):
                output, scratch, _, _ = shapes[layer][k]
                rows.append((now, now + 1, scratch))
                if kept[layer][k]:
                    born.append((now, layer, k))
                else:
                    rows.append((now, now + 2, output))
                now += 1
        last = now + sum(operations)
        at = {(layer, k): birth for birth, layer, k in born}
        for layer in reversed(range(layers)):
            for k in reversed(range(operations[layer])):
                output, scratch, gradient, weights = shapes[layer][k]
                if (layer, k) in at:
                    rows.append((at[layer, k], now + 1, output))
                rows.append((now, now + 1, scratch))
                rows.append((now, min(last, now + 1 + operations[max(0, layer - 1)]), gradient))
                rows.append((now, last + 1, weights))
                now += 1
        now += 1  # the optimiser reads all gradients of weights
    rows += [(0, now, shapes[layer][k][3]) for layer in range(layers) for k in range(operations[layer])]
    lower, upper, size = np.array(rows, dtype=np.int64).T
    return Arena.of(lower, upper, size, alignment=np.full(size.size, ALIGNMENT))


def unrolled(problem: Problem, buffers: int = 20_000, *, overlap: int = 4) -> Arena:
    """At least ``buffers`` buffers of ``problem``, run for one micro-batch after another, ``overlap`` in flight.

    ::

        batch 0   [stage 0][stage 1][stage 2]
        batch 1            [stage 0][stage 1][stage 2]
        batch 2                     [stage 0][stage 1][stage 2]          (overlap=3: a stage is a third of a run)

    Within a batch tasks run in a topological order, one after the other, as long as the problem says. ``ValueError``
    when a number is not positive, or nothing is resident.
    """
    if min(buffers, overlap) < 1:
        raise ValueError(f"{buffers} buffers, {overlap} batches in flight: each must be positive")
    graph = problem.graph
    starts, now = {}, 0
    for task in graph.topological_order:
        starts[task] = Tick(now)
        now += graph.task[task].duration
    lives = lifetimes(problem, starts)
    if not lives:
        raise ValueError(f"problem {problem.name!r} has no buffers to place")
    stage = -(-now // overlap)
    own = [(life.birth, life.death, graph.aligned_size[b]) for b, life in lives.items()]
    rows: list[tuple[int, int, int]] = []
    for batch in count():
        if len(rows) >= buffers:
            break
        rows += [(birth + batch * stage, death + batch * stage, size) for birth, death, size in own]
    lower, upper, size = np.array(rows, dtype=np.int64).T
    return Arena.of(lower, upper, size, alignment=np.full(size.size, problem.workspace.alignment))


def _size(draw: np.random.Generator, power: int) -> int:
    """A multiple of the alignment about ``2**power`` times as large."""
    odd = 2 * int(draw.integers(0, 4)) + 1
    return ALIGNMENT * odd << max(0, power + int(draw.integers(-2, 1)))
