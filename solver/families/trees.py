"""Complete trees, read towards the root or away from it."""

from __future__ import annotations

from ..errors import Mistake
from ..problem import Problem
from .draft import DURATIONS, SIZES, WORKERS, Amounts, Draft

MOST_VERTICES = 2 * 10**6


def in_tree(
    depth: int = 8,
    arity: int = 2,
    *,
    tasks: int | None = None,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A complete tree with ``arity ** depth`` leaves; each inner task reads the outputs of its ``arity`` children.

    With ``tasks``: the first so many vertices, level by level from the root, whatever the depth. With equal sizes and
    ``depth`` of at least 1 the least peak of live bytes of the whole tree is ``(arity - 1) * depth + 2`` outputs
    (Sethi and Ullman 1970); for any sizes an order of least peak is found in ``O(n log n)`` (Liu 1987).
    """
    draft, levels = _tree("in-tree", depth, arity, tasks, sizes, durations, workers, seed)
    for level in reversed(range(len(levels))):
        for k in range(levels[level]):
            below = levels[level + 1] if level + 1 < len(levels) else 0
            children = [_vertex(level + 1, c) for c in range(arity * k, min(arity * (k + 1), below))]
            draft.add(_vertex(level, k), children)
    return draft.problem()


def out_tree(
    depth: int = 8,
    arity: int = 2,
    *,
    tasks: int | None = None,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A complete tree with ``arity ** depth`` leaves; ``arity`` tasks read each output, none those of the leaves.

    With ``tasks``: the first so many vertices, level by level from the root, whatever the depth.
    """
    draft, levels = _tree("out-tree", depth, arity, tasks, sizes, durations, workers, seed)
    for level, width in enumerate(levels):
        for k in range(width):
            draft.add(_vertex(level, k), [_vertex(level - 1, k // arity)] if level else [])
    return draft.problem()


def _vertex(level: int, k: int) -> str:
    return f"level{level}.{k}"


def _tree(
    family: str,
    depth: int,
    arity: int,
    tasks: int | None,
    sizes: Amounts,
    durations: Amounts,
    workers: int,
    seed: int,
) -> tuple[Draft, list[int]]:
    """A draft, and how many vertices each level has."""
    draft = Draft(family, sizes, durations, workers, seed)
    draft.demand("depth", depth, 0, 40)
    draft.demand("arity", arity, 1)
    if tasks is not None:
        draft.demand("tasks", tasks, 1, MOST_VERTICES)
    draft.refuse()
    if tasks is not None:
        levels: list[int] = []
        while tasks > 0:
            levels.append(min(tasks, arity ** len(levels)))
            tasks -= levels[-1]
        return draft, levels
    if arity**depth > 10**6:
        draft.refuse(Mistake("depth", f"{arity}^{depth} leaves", "at most a million"))
    return draft, [arity**level for level in range(depth + 1)]
