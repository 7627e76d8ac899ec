"""A problem while it is generated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..errors import InputError, Mistake
from ..problem import Buffer, Problem, Task
from ..problem.room import roomy_workspace
from ..units import MAX_BYTES, MAX_TICKS, Bytes, Tick
from .distributions import Distribution
from .draws import Draws

Range = tuple[int, int]
Amounts = Range | Distribution
"""What sizes (bytes) or durations (ms) are drawn from. An inclusive range is drawn from evenly, by the generator that
also draws the graph; a distribution has a generator of its own, so that the graph stays when the distribution changes.
"""

SIZES: Range = (1, 1000)
DURATIONS: Range = (1, 1000)
WORKERS = 8

MOST_TASKS = 10**6
MOST_ENDS = 10**7
"""Most tasks of a generated problem, and most buffers that they read and write, each counted as often as it is.

What is larger is a slip of the keyboard, and would fill the memory before anybody could say so.
"""


class Draft:
    """Draws sizes and durations in the order in which tasks are added."""

    def __init__(self, family: str, sizes: Amounts, durations: Amounts, workers: int, seed: int) -> None:
        self.random = Draws(seed)
        self._family, self._workers, self._seed = family, workers, seed
        self._tasks: dict[str, Task] = {}
        self._buffers: dict[str, Buffer] = {}
        self._mistakes: list[Mistake] = []
        self._ends = 0
        self._size = self._drawer("sizes", sizes, MAX_BYTES)
        # Some families let a task last twice as long as another.
        self._duration = self._drawer("durations", durations, MAX_TICKS // 2)
        self.demand("workers", workers, 1, MAX_BYTES)

    def _drawer(self, name: str, amounts: Amounts, limit: int) -> Callable[[], int]:
        if not isinstance(amounts, tuple):
            distribution, own = amounts, Draws(self._seed, name)
            return lambda: min(limit, distribution.at(own.inner_share()))
        low, high = amounts
        if not 1 <= low <= high <= limit:
            self._mistakes.append(Mistake(name, f"({low}, {high})", f"a range within 1 to {limit}"))
        return lambda: self.random.between(low, high)

    def demand(self, name: str, value: float, least: float, most: float | None = None) -> None:
        """Remember a mistake unless ``least <= value <= most``."""
        # Not written as `value < least`: NaN must be refused too.
        if not (least <= value and (most is None or value <= most)):
            allowed = f"at least {least}" if most is None else f"{least} to {most}"
            self._mistakes.append(Mistake(name, str(value), allowed))
        elif most is None and value > MOST_TASKS:
            self._mistakes.append(Mistake(name, str(value), f"at most {MOST_TASKS}"))

    def refuse(self, *more: Mistake) -> None:
        """``InputError`` with every mistake that was remembered, and ``more``."""
        if self._mistakes or more:
            raise InputError(self._family, [*self._mistakes, *more])

    def add(
        self,
        name: str,
        reads: Sequence[str],
        *,
        writes: Iterable[str] | None = None,
        size: int | None = None,
        duration: int | None = None,
        shrink: float | Sequence[float] = 1.0,
        grow: int = 1,
        data_type: str | None = None,
    ) -> None:
        """A task that writes one buffer of its own name, or ``writes``.

        Sizes that are drawn and not given are multiplied by ``grow`` and divided by ``shrink``, rounded up.
        """
        outputs = (name,) if writes is None else tuple(writes)
        self._ends += len(reads) + len(outputs)
        if len(self._tasks) >= MOST_TASKS or self._ends > MOST_ENDS:
            allowed = f"at most {MOST_TASKS}, which read and write at most {MOST_ENDS} buffers"
            self.refuse(Mistake("tasks", "more", allowed))
        factors = shrink if isinstance(shrink, Sequence) else [shrink] * len(outputs)
        for output, factor in zip(outputs, factors, strict=True):
            drawn = min(MAX_BYTES, grow * self._size()) if size is None else size
            whole = drawn if factor == 1 else max(1, -int(-drawn // factor))
            self._buffers[output] = Buffer(output, Bytes(whole), data_type)
        length = self._duration() if duration is None else duration
        self._tasks[name] = Task(name, Tick(length), tuple(reads), outputs)

    def input(self, name: str, *, data_type: str | None = None) -> str:
        """An external input of a drawn size; returns its id."""
        self._buffers[name] = Buffer(name, Bytes(self._size()), data_type)
        return name

    def drawn(self, name: str) -> tuple[int, int]:
        """Size (bytes) and duration (ms) of the task ``name``, which writes a buffer of that name."""
        return self._buffers[name].size, self._tasks[name].duration

    def problem(self) -> Problem:
        """The problem that was drawn."""
        buffers = tuple(self._buffers.values())
        return Problem(
            name=self._family,
            tasks=tuple(self._tasks.values()),
            buffers=buffers,
            workspace=roomy_workspace(buffers, alignment=1),
            resources=(("workers", self._workers),),
        )


def numbered(word: str, index: int, count: int) -> str:
    """``word`` and ``index``, padded so that names sort like numbers.

    >>> numbered("t", 7, 100)
    't07'
    """
    return f"{word}{index:0{len(str(count - 1))}d}"
