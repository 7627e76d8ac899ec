"""A graph drawn in layers: every edge runs to the right, and the tasks of a layer are ordered so that few edges cross.

After Sugiyama, Tagawa and Toda (1981). *Layers* by longest paths; a task without predecessors moves right until it
stands before its first successor. An edge over several layers gets *bends*, one per layer between, while there are few
enough of them. *Orders* by barycentres, swept to the right and to the left; of all orders seen the one with the fewest
crossings stays. *Heights* by isotonic regression: in each sweep a layer's tasks move as close to the middle of their
neighbours as their order and distance allow, which is a least-squares problem that pooling adjacent violators solves
exactly in linear time.

A layer of very many tasks is wrapped into several columns: a strip of thousands of boxes, one above the other, is no
picture. Crossings inside it mean nothing then, and are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_ROWS = 48
"""A layer of more tasks than this is wrapped."""
MOST_BENDS = 2500
"""With more bends than this, long edges are drawn straight."""
SWEEPS = 10
GRID = 8
"""Heights are multiples of 1 / GRID of the distance between two tasks, so that they print short."""
BESIDE_TASK, BESIDE_BEND = 0.6, 0.25
"""Distance of a bend from a task and from another bend, where two tasks are 1 apart."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where each node stands: ``column`` from the left, ``row`` in units of 1 / ``GRID`` from the top.

    ``edges``: (index of the source, index of the target, its bends as (column, row)). ``columns``, ``rows``: how many,
    the latter in whole tasks.
    """

    column: tuple[int, ...]
    row: tuple[int, ...]
    edges: tuple[tuple[int, int, tuple[tuple[int, int], ...]], ...]
    columns: int
    rows: int


def layers_of(nodes: Sequence[str], before: Mapping[str, Sequence[str]]) -> list[int]:
    """The layer of each node; ``nodes`` stand in topological order."""
    layer: dict[str, int] = {}
    for n in nodes:
        layer[n] = max((layer[p] + 1 for p in before[n]), default=0)
    nearest: dict[str, int] = {}
    for n in nodes:
        for p in before[n]:
            nearest[p] = min(nearest.get(p, layer[n]), layer[n])
    return [nearest[n] - 1 if not before[n] and n in nearest else layer[n] for n in nodes]


def drawing(layer: Sequence[int], edges: Sequence[tuple[int, int]]) -> Drawing:
    """The drawing of nodes ``0, 1, ...`` with the layers given; every edge leads to a higher layer.

    In a layer the first order is that of the node numbers.
    """
    bends = sum(max(0, layer[b] - layer[a] - 1) for a, b in edges)
    graph = _Layered(layer, edges, with_bends=bends <= MOST_BENDS)
    graph.order_layers()
    return graph.drawn(edges)


class _Layered:
    """Nodes and bends in layers. Bends are numbered behind the nodes; ``up`` and ``down`` are neighbours."""

    def __init__(self, layer: Sequence[int], edges: Sequence[tuple[int, int]], *, with_bends: bool) -> None:
        self.nodes = len(layer)
        self.layer = list(layer)
        self.up: list[list[int]] = [[] for _ in layer]
        self.down: list[list[int]] = [[] for _ in layer]
        self.bends: dict[int, list[int]] = {}
        for number, (a, b) in enumerate(edges):
            if with_bends and self.layer[b] - self.layer[a] > 1:
                self._bend(number, a, b)
            else:
                self._join(a, b)
        self.rows: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]
        for n, at in enumerate(self.layer):
            self.rows[at].append(n)
        self.wrapped = [sum(n < self.nodes for n in row) > MOST_ROWS for row in self.rows]

    def _join(self, a: int, b: int) -> None:
        self.down[a].append(b)
        self.up[b].append(a)

    def _bend(self, number: int, a: int, b: int) -> None:
        self.bends[number] = []
        before = a
        for at in range(self.layer[a] + 1, self.layer[b]):
            bend = len(self.layer)
            self.layer.append(at)
            self.up.append([])
            self.down.append([])
            self.bends[number].append(bend)
            self._join(before, bend)
            before = bend
        self._join(before, b)

    def order_layers(self) -> None:
        """Find an order of each layer with few crossings."""
        place = self._places()
        best, fewest = [list(row) for row in self.rows], self._crossings(place)
        for sweep in range(SWEEPS):
            if not fewest:
                break
            rightward = sweep % 2 == 0
            for row in self.rows if rightward else reversed(self.rows):
                row.sort(key=lambda n: (self._barycentre(n, place, rightward), place[n]))
                for k, n in enumerate(row):
                    place[n] = k
            crossings = self._crossings(place)
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def _places(self) -> list[int]:
        place = [0] * len(self.layer)
        for row in self.rows:
            for k, n in enumerate(row):
                place[n] = k
        return place

    def _barycentre(self, n: int, place: Sequence[int], rightward: bool) -> float:
        near = self.up[n] if rightward else self.down[n]
        near = near or (self.down[n] if rightward else self.up[n])
        if not near:
            return place[n]
        # Shares of their layers, so that neighbours in layers of different sizes can be compared.
        return sum((place[m] + 0.5) / len(self.rows[self.layer[m]]) for m in near) / len(near)

    def _crossings(self, place: Sequence[int]) -> int:
        """Pairs of edges between neighbouring layers that cross, counted by inversions; wrapped layers do not count."""
        total = 0
        for row in self.rows:
            ends = [
                place[m]
                for n in sorted(row, key=place.__getitem__)
                for m in sorted(self.down[n], key=place.__getitem__)
                if self.layer[m] == self.layer[n] + 1
                and not self.wrapped[self.layer[n]]
                and not self.wrapped[self.layer[m]]
            ]
            total += _inversions(ends)
        return total

    def drawn(self, edges: Sequence[tuple[int, int]]) -> Drawing:
        """Columns and rows of everything in its final order."""
        column, row, columns = self._columns()
        height = self._heights(row)
        least = min((height[n] for n in range(len(height))), default=0.0)
        at = [round((h - least) * GRID) for h in height]
        return Drawing(
            tuple(column[: self.nodes]),
            tuple(at[: self.nodes]),
            tuple(
                (a, b, tuple((column[n], at[n]) for n in self.bends.get(number, ())))
                for number, (a, b) in enumerate(edges)
            ),
            columns,
            -(-max(at, default=0) // GRID) + 1,
        )

    def _columns(self) -> tuple[list[int], list[float], int]:
        """Column of every node, its first row, and how many columns there are; a wrapped layer takes several."""
        column, row, first = [0] * len(self.layer), [0.0] * len(self.layer), 0
        for line, wrapped in zip(self.rows, self.wrapped, strict=True):
            # As high as the others are, and never much higher than wide.
            count = -(-len(line) // MOST_ROWS) if wrapped else 1
            high = -(-len(line) // count) if line else 0
            for k, n in enumerate(line):
                column[n], row[n] = first + k // max(1, high), float(k % max(1, high))
            first += count
        return column, row, first

    def _heights(self, row: Sequence[float]) -> list[float]:
        """Heights near those of the neighbours, in order and apart; centred layers to begin with."""
        height = list(row)
        for line in self.rows:
            middle = max((row[n] for n in line), default=0.0) / 2
            for n in line:
                height[n] = row[n] - middle
        for sweep in range(SWEEPS):
            rightward = sweep % 2 == 0
            numbered = list(zip(self.rows, self.wrapped, strict=True))
            for line, wrapped in numbered if rightward else reversed(numbered):
                if not wrapped and len(line):
                    self._settle(line, height, rightward)
        return height

    def _settle(self, line: Sequence[int], height: list[float], rightward: bool) -> None:
        offset, wanted, weight = 0.0, [], []
        offsets = []
        for k, n in enumerate(line):
            if k:
                tasks = (n < self.nodes) + (line[k - 1] < self.nodes)
                offset += (BESIDE_BEND, BESIDE_TASK, 1.0)[tasks]
            near = (self.up[n] if rightward else self.down[n]) or self.up[n] or self.down[n]
            middle = _median([height[m] for m in near]) if near else height[n]
            offsets.append(offset)
            wanted.append(middle - offset)
            # Straight long edges read better than centred tasks.
            weight.append(1.0 if n < self.nodes else 4.0)
        for n, level, shift in zip(line, _isotonic(wanted, weight), offsets, strict=True):
            height[n] = level + shift


def _median(values: list[float]) -> float:
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _isotonic(wanted: Sequence[float], weight: Sequence[float]) -> list[float]:
    """The non-decreasing values nearest to ``wanted`` in weighted least squares, by pooling adjacent violators.

    >>> _isotonic([1.0, 3.0, 2.0], [1.0, 1.0, 1.0])
    [1.0, 2.5, 2.5]
    """
    blocks: list[tuple[float, float, int]] = []
    for value, w in zip(wanted, weight, strict=True):
        blocks.append((value, w, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            right, left = blocks.pop(), blocks.pop()
            both = left[1] + right[1]
            blocks.append(((left[0] * left[1] + right[0] * right[1]) / both, both, left[2] + right[2]))
    return [value for value, _, count in blocks for _ in range(count)]


def _inversions(values: Sequence[int]) -> int:
    """Pairs that stand in the wrong order.

    >>> _inversions([2, 0, 1, 1])
    3
    """
    if len(values) < 2:
        return 0
    # A Fenwick tree over values: how many of those seen so far are larger.
    size = max(values) + 1
    tree = [0] * (size + 1)
    total = 0
    for seen, value in enumerate(values):
        k, at_most = value + 1, 0
        while k:
            at_most += tree[k]
            k &= k - 1
        total += seen - at_most
        k = value + 1
        while k <= size:
            tree[k] += 1
            k += k & -k
    return total
