"""What a search knew when: its best value and its best bound as steps over time, and the moments that matter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Step = tuple[float, int]
"""From this moment (seconds from the start of the search) on, this value."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Incumbents (falling values) and bounds (rising), each in order of time.

    ``observed``: the last incumbent was seen when it came; otherwise only the end of the search is known for it.
    """

    incumbents: tuple[Step, ...]
    bounds: tuple[Step, ...]
    observed: bool

    @property
    def first_s(self) -> float | None:
        """When there was a value at all."""
        return self.incumbents[0][0] if self.incumbents else None

    @property
    def best_s(self) -> float | None:
        """When there was the best value."""
        return self.incumbents[-1][0] if self.incumbents else None

    def proof_s(self) -> float | None:
        """When the value first met the bound; None: it never did."""
        if not self.incumbents or not self.bounds or self.incumbents[-1][1] > self.bounds[-1][1]:
            return None
        return max(self.incumbents[-1][0], next(at for at, bound in self.bounds if bound >= self.incumbents[-1][1]))


def trajectory(
    values: Iterable[Step], bounds: Iterable[Step], end_s: float, value: int | None, bound: int | None
) -> Trajectory:
    """From what was told while the search ran and from what it answered at ``end_s``: ``value`` and ``bound``.

    News that are no improvement are left out, and so are values better than the answer, which the search cannot have
    had; the answer closes the story where the news did not reach it.
    """
    told = tuple(step for step in improvements(values) if value is None or step[1] >= value)
    raised = tuple((at, -minus) for at, minus in improvements((at, -bound) for at, bound in bounds))
    if bound is not None:
        raised = tuple(step for step in raised if step[1] <= bound)
    observed = bool(told) and (value is None or told[-1][1] == value)
    return Trajectory(_closed(told, end_s, value), _closed(raised, end_s, bound), observed)


def improvements(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps that fall below all before them.

    >>> improvements([(0.1, 9), (0.2, 9), (0.3, 7), (0.4, 8)])
    ((0.1, 9), (0.3, 7))
    """
    kept: list[Step] = []
    for at, value in steps:
        if not kept or value < kept[-1][1]:
            kept.append((at, value))
    return tuple(kept)


def _closed(steps: tuple[Step, ...], end_s: float, last: int | None) -> tuple[Step, ...]:
    """``steps`` with ``last`` at the end, unless they reach it."""
    if last is None or (steps and steps[-1][1] == last):
        return steps
    return (*steps, (end_s, last))
