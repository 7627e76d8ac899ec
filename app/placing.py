"""What placing buffers asks for and promises, on one address line or in several arenas."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.budget import Budget
from catalytic.solver.errors import Refused, StorageError
from catalytic.solver.formats import BufferTable
from catalytic.solver.units import exact_size

from .buffer_tables import collisions

STDOUT = Path("-")
"""As an output: the caller prints the table; nothing is written."""

SECONDS_FOR_REMEDY = 3.0
"""What looking for capacities that work may take, within the time limit."""


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """One call of ``catalytic place``. ``capacities``: one for each arena; none: as low as can be found on one line.

    ``minimise``: not only within the capacities, but in as few bytes as can be found. ``output``, ``svg``: files to
    write once the buffers are placed; ``best_effort``: also above the capacity of one line.
    """

    path: Path
    capacities: tuple[int, ...] = ()
    budget: Budget = Budget()
    output: Path | None = None
    svg: Path | None = None
    best_effort: bool = False
    minimise: bool = False

    @property
    def capacity(self) -> int | None:
        """The capacity of one address line; None when it is open."""
        return self.capacities[0] if self.capacities else None


@dataclass(frozen=True, slots=True)
class Alive:
    """A buffer at a moment: its bytes and its lifetime ``[lower, upper)``."""

    id: str
    size: int
    lower: int
    upper: int


def alive(table: BufferTable, buffers: Iterable[int]) -> tuple[Alive, ...]:
    """The rows of ``buffers``, the largest first."""
    rows = [Alive(table.id[b], table.size[b], table.lower[b], table.upper[b]) for b in buffers]
    return tuple(sorted(rows, key=lambda row: (-row.size, row.id)))


def require_files(request: PlaceRequest) -> None:
    """Say now, not after a minute of searching, that a file cannot be written or would destroy what is read."""
    for file in (request.output, request.svg):
        if file is None or file == STDOUT:
            continue
        if not file.absolute().parent.is_dir():
            raise StorageError(f"{file}: could not be written: there is no folder {file.parent}")
        if file.exists() and file.samefile(request.path):
            raise Refused(f"{file} is the file that is read; name another one")
    if request.svg is not None and request.output is not None and request.svg.absolute() == request.output.absolute():
        raise Refused(f"{request.svg} cannot hold both the offsets and the picture; name two files")


def broken_rules(table: BufferTable, offset: list[int], height: int | None) -> list[str]:
    """The rules that a placement on one address line breaks, by the definition, whoever made it. O(n log n)."""
    name = table.id
    broken = [f"{name[a]!r} and {name[b]!r} share bytes while both are alive" for a, b in collisions(table, offset)]
    for b, at in enumerate(offset):
        if at < 0 or at % table.alignment[b]:
            broken.append(f"{name[b]!r} at {at} is not aligned to {table.alignment[b]}")
        if table.offset[b] not in (None, at):
            broken.append(f"{name[b]!r} is at {at}, and {table.offset[b]} was given")
    highest = highest_byte(table, offset)
    if height is not None and highest > height:
        broken.append(f"the highest byte is {highest}, and {height} was said")
    return broken


def highest_byte(table: BufferTable, offset: list[int]) -> int:
    """The first byte above every buffer."""
    return max((at + size for at, size in zip(offset, table.size, strict=True) if size), default=0)


def command_line(request: PlaceRequest, capacities: Iterable[int]) -> str:
    """The same call with other capacities; quoted for a shell."""
    words = ["catalytic", "place", str(request.path)]
    for capacity in capacities:
        words += ["--capacity", exact_size(capacity)]
    words += ["--minimise"] if request.minimise else []
    for name, file in (("-o", request.output), ("--svg", request.svg)):
        words += [name, str(file)] if file is not None else []
    if request.budget.time_limit_s != Budget().time_limit_s:
        # Milliseconds count; nobody wants 1e+06.
        words += ["--time-limit", f"{request.budget.time_limit_s:.3f}".rstrip("0").rstrip(".")]
    words += ["--seed", str(request.budget.seed)] if request.budget.seed else []
    return shlex.join(words)
