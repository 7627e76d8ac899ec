"""Tasks on a grid that read their neighbours: wavefronts, stencils, and the overlapping tiles of a mosaic."""

from __future__ import annotations

from collections.abc import Iterator

from ..problem import Problem
from .draft import DURATIONS, SIZES, WORKERS, Amounts, Draft, numbered


def diamond(
    rows: int = 10,
    columns: int = 10,
    *,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A grid in which each task reads the output above it and the one to its left: dynamic programs over two sequences.

    Two rows of two are the diamond of four tasks that everybody draws. Of ``rows`` x ``columns`` equal outputs,
    ``min(rows, columns) + 1`` are alive at once in the best order (one, if there is but one): the diamond graphs of
    Papadimitriou and Ullman (A communication-time tradeoff, 1987).
    """
    draft = Draft("diamond", sizes, durations, workers, seed)
    draft.demand("rows", rows, 1)
    draft.demand("columns", columns, 1)
    draft.refuse()

    def name(row: int, column: int) -> str:
        return f"{numbered('row', row, rows)}.{numbered('', column, columns)}"

    for row in range(rows):
        for column in range(columns):
            above = [name(row - 1, column)] if row else []
            left = [name(row, column - 1)] if column else []
            draft.add(name(row, column), above + left)
    return draft.problem()


def stencil(
    width: int = 10,
    steps: int = 10,
    *,
    radius: int = 1,
    periodic: bool = False,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``steps`` times a line of ``width`` cells; each reads the cells within ``radius`` of its own in the step before.

    Jacobi iterations and explicit solvers of differential equations, with halos. ``periodic``: the line is a ring.
    """
    draft = Draft("stencil", sizes, durations, workers, seed)
    draft.demand("width", width, 1)
    draft.demand("steps", steps, 1)
    draft.demand("radius", radius, 0)
    draft.refuse()

    def name(step: int, cell: int) -> str:
        return f"{numbered('step', step, steps)}.{numbered('', cell, width)}"

    for step in range(steps):
        for cell in range(width):
            near = range(cell - radius, cell + radius + 1)
            cells = [c % width for c in near] if periodic else [c for c in near if 0 <= c < width]
            draft.add(name(step, cell), [name(step - 1, c) for c in dict.fromkeys(cells)] if step else [])
    return draft.problem()


def mosaic(
    rows: int = 4,
    columns: int = 4,
    *,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """Images of ``rows`` x ``columns`` overlapping tiles become one: the shape of Montage (Berriman et al. 2004).

    Each tile, an external input, is projected; tiles that touch are compared; one model is fitted to all comparisons;
    each projection is corrected by the model; rows are added up to strips, and strips to the mosaic. A projection must
    wait for the model, which needs all of them: what is large lives long. Comparisons (a hundredth of the drawn size)
    and the model are tables, the rest images, so there are two pools.
    """
    draft = Draft("mosaic", sizes, durations, workers, seed)
    draft.demand("rows", rows, 1)
    draft.demand("columns", columns, 1)
    draft.refuse()

    def tile(word: str, row: int, column: int) -> str:
        return f"{word}.{numbered('', row, rows)}.{numbered('', column, columns)}"

    tiles = [(row, column) for row in range(rows) for column in range(columns)]
    for row, column in tiles:
        draft.add(
            tile("project", row, column),
            [draft.input(tile("tile", row, column), data_type="image")],
            data_type="image",
        )
    compared = []
    for (row, column), other, word in _touching(rows, columns):
        compared.append(tile(f"compare-{word}", row, column))
        reads = [tile("project", row, column), tile("project", *other)]
        draft.add(compared[-1], reads, shrink=100, data_type="table")
    draft.add("model", compared or [tile("project", 0, 0)], shrink=100, data_type="table")
    for row, column in tiles:
        draft.add(tile("correct", row, column), [tile("project", row, column), "model"], data_type="image")
    strips = [numbered("strip.", row, rows) for row in range(rows)]
    for row, strip in enumerate(strips):
        draft.add(strip, [tile("correct", row, column) for column in range(columns)], data_type="image")
    draft.add("mosaic", strips, data_type="image")
    return draft.problem()


def _touching(rows: int, columns: int) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """Each tile with its neighbour to the right and with the one below."""
    for row in range(rows):
        for column in range(columns):
            if column + 1 < columns:
                yield (row, column), (row, column + 1), "right"
            if row + 1 < rows:
                yield (row, column), (row + 1, column), "below"
