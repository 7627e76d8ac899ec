"""Arrays that searches read: integers, and rows of integers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of integers, compressed: ``index[start[i]:start[i + 1]]`` is row ``i``."""

    start: Ints
    index: Ints

    @staticmethod
    def of(rows: Sequence[Iterable[int]]) -> Rows:
        """Compress ``rows``."""
        lists = [list(row) for row in rows]
        start = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in lists], out=start[1:])
        return Rows(start, np.array([i for row in lists for i in row], dtype=np.int64))

    def __getitem__(self, row: int) -> Ints:
        return self.index[self.start[row] : self.start[row + 1]]
