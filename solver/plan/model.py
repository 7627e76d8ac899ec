"""A plan: start of every execution, region of every buffer, pool slices, the partial order to follow, and the proof.

The runtime follows ``edges`` (a partial order), not the clock. ``regions`` say where each buffer lives; ``events``
(the file's ``reuse_schedule``) tell the same story in time; the checker makes sure that they agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ..problem import Problem
from ..units import Bytes, Tick
from .lifetime import Lifetime
from .proof import Proof


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """``length`` bytes of one partition from ``offset``; both are multiples of the alignment."""

    partition: int
    offset: Bytes
    length: Bytes

    @property
    def end(self) -> int:
        """First byte behind the extent."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Region:
    """Where one buffer lives while it lives. Several extents only for a buffer larger than a partition."""

    id: str
    buffer: str
    pool: str
    extents: tuple[Extent, ...]
    lifetime: Lifetime
    seal: str | None = "sha256"

    @property
    def length(self) -> Bytes:
        """Bytes over all extents: the buffer's aligned size."""
        return Bytes(sum(e.length for e in self.extents))


@dataclass(frozen=True, slots=True)
class ScheduledTask:
    """Planned interval of one execution, and the sorted partitions it writes into (held alone when exclusive)."""

    id: str
    start: Tick
    end: Tick
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PoolSlice:
    """The contiguous part of one partition that a pool owns."""

    pool: str
    partition: int
    offset: Bytes
    size: Bytes


class EdgeKind(StrEnum):
    """Why one execution must end before another starts."""

    DATA = "data"
    AFTER = "after"
    REUSE = "reuse"
    EXCLUSIVE = "exclusive"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """``source`` must have committed before ``target`` starts.

    ``via``: the buffer read (data), the buffer whose bytes are taken over (reuse), None (after), a partition or
    resource name (exclusive, resource).
    """

    source: str
    target: str
    kind: EdgeKind
    via: str | None = None


class Action(StrEnum):
    """What happens to a region at a moment of the plan."""

    ALLOCATE = "allocate"
    REUSE = "reuse"
    RELEASE = "release"
    EXPORT = "export"
    RECOMPUTE = "recompute"
    SPILL = "spill"
    LOAD = "load"
    BORROW = "borrow"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, order=True)
class TakeOver:
    """``bytes`` of a region whose last owner was ``region`` (a region id)."""

    region: str
    bytes: Bytes


@dataclass(frozen=True, slots=True)
class ReuseEvent:
    """One line of the reuse schedule. ``takes_over`` and ``verification`` only with ``reuse`` and reusing ``load``."""

    timestamp: Tick
    action: Action
    pool: str
    task: str | None
    region: str
    takes_over: tuple[TakeOver, ...] = ()
    verification: str | None = None


@dataclass(frozen=True, slots=True)
class Measures:
    """What a plan is judged by. Bytes are aligned sizes, makespan is in ticks, the factor None if nothing is allocated.

    ``footprint`` sums the highest byte ever used over the partitions; ``reuse_factor = 1 - footprint / allocated``.
    """

    allocated: Bytes
    footprint: Bytes
    reuse_factor: float | None
    makespan: Tick
    peak_live: Bytes


@dataclass(frozen=True)
class Plan:
    """A complete, self-contained answer to ``problem``; in canonical order, so that equal plans are equal values."""

    problem: Problem
    tasks: tuple[ScheduledTask, ...]
    regions: tuple[Region, ...]
    slices: tuple[PoolSlice, ...]
    edges: tuple[Edge, ...]
    events: tuple[ReuseEvent, ...]
    measures: Measures
    proof: Proof
    integrity: bool = True
    monitoring: bool = False

    @cached_property
    def region_of(self) -> Mapping[str, Region]:
        """Region of each resident buffer, keyed by buffer id."""
        return {r.buffer: r for r in self.regions}

    @cached_property
    def region(self) -> Mapping[str, Region]:
        """Region of each region id."""
        return {r.id: r for r in self.regions}

    @cached_property
    def task(self) -> Mapping[str, ScheduledTask]:
        """Planned interval of each task id."""
        return {t.id: t for t in self.tasks}

    @cached_property
    def takes_over(self) -> Mapping[str, tuple[TakeOver, ...]]:
        """Region id -> the regions whose bytes it takes over (empty when its bytes are fresh)."""
        return {e.region: e.takes_over for e in self.events if e.action in (Action.ALLOCATE, Action.REUSE, Action.LOAD)}
