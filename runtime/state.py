"""State of a run as a fold over its journal: what has committed, what was under way, and whose bytes are whose.

Nothing here touches a file of the arena. What the journal says is what is believed; seals say whether it is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalytic.solver.plan import Extent
from catalytic.solver.units import Bytes

from .journal import Kind, Record
from .region import Ownership, Version
from .seal import Seal

RETURNED = "returned"
"""Kind of a FAIL record whose execution will be started again: it was stopped, lost its worker, or met damage."""


@dataclass(frozen=True, slots=True)
class Result:
    """A committed version of a buffer. ``extents`` is empty for zero bytes and for staged files."""

    version: Version
    writer: str
    extents: tuple[Extent, ...]
    length: int
    seal: Seal | None
    content: str | None = None
    exported: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that was recorded before it changed a byte."""

    execution: str
    epoch: int
    writes: Mapping[str, tuple[Extent, ...]]
    at: float


@dataclass(slots=True)
class RunState:
    """The fold. Mappings are keyed by execution id or buffer id; epochs are numbers of BEGIN records."""

    run_id: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    ended: str | None = None
    committed: dict[str, int] = field(default_factory=dict)
    committed_at: dict[str, int] = field(default_factory=dict)
    open: dict[str, Begun] = field(default_factory=dict)
    begun: list[Begun] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    sealed: dict[Version, Result] = field(default_factory=dict)
    damaged: set[Version] = field(default_factory=set)
    learned: dict[str, Seal] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    ownership: Ownership = field(default_factory=Ownership)

    def apply(self, record: Record) -> None:
        """Take one record into account."""
        match record.kind:
            case Kind.RUN:
                self.run_id, self.request = record.subject, record.body
            case Kind.RESUME:
                self.ended = None
                self.failed.clear()
            case Kind.BEGIN:
                self._begin(record)
            case Kind.COMMIT:
                self._commit(record)
            case Kind.FAIL:
                self.open.pop(record.subject, None)
                if record.body["kind"] != RETURNED:
                    self.failed[record.subject] = str(record.body["message"])
            case Kind.DAMAGE:
                self.damaged.add(Version(record.subject, int(str(record.body["epoch"]))))
            case Kind.UNDO:
                self.committed.pop(record.subject, None)
            case Kind.END:
                self.ended = str(record.body["status"])

    def _begin(self, record: Record) -> None:
        body: Any = record.body
        writes = {name: extents_from(rows) for name, rows in body["writes"].items()}
        begun = Begun(record.subject, record.number, writes, record.at)
        self.begun.append(begun)
        self.open[record.subject] = begun
        self.failed.pop(record.subject, None)
        for name, extents in writes.items():
            self.ownership.claim(extents, Version(name, record.number))

    def _commit(self, record: Record) -> None:
        body: Any = record.body
        epoch = body["epoch"]
        begun = self.open.pop(record.subject)
        for name, row in body["outputs"].items():
            result = Result(
                Version(name, epoch),
                record.subject,
                begun.writes.get(name, ()),
                row["length"],
                seal_from(row["seal"]),
                row.get("content"),
                row.get("exported"),
            )
            self.sealed[result.version] = result
            if not row.get("temporary"):
                before = self.results.get(name)
                if before is not None and body["repair"]:
                    # A repair writes the same bytes again; what became of them outside stays as it was.
                    result = _carry(result, before)
                self.results[name] = result
        self.learned |= {name: _seal(row) for name, row in body["learned"].items()}
        self.committed[record.subject] = epoch
        self.committed_at[record.subject] = record.number
        self.seconds[record.subject] = body["seconds"]

    def intact(self, buffer: str) -> bool:
        """Whether the last committed version of ``buffer`` still has all its bytes, as far as anybody knows."""
        result = self.results.get(buffer)
        return (
            result is not None
            and result.version not in self.damaged
            and self.ownership.intact(result.extents, result.version)
        )


def _carry(repaired: Result, before: Result) -> Result:
    return Result(
        repaired.version,
        repaired.writer,
        repaired.extents,
        repaired.length,
        repaired.seal,
        before.content,
        before.exported,
    )


def fold(records: Iterable[Record]) -> RunState:
    """The state after ``records`` of one run."""
    state = RunState()
    for record in records:
        state.apply(record)
    return state


def extents_from(rows: Sequence[Sequence[int]]) -> tuple[Extent, ...]:
    """Extents from their rows in a record."""
    return tuple(Extent(partition, Bytes(offset), Bytes(length)) for partition, offset, length in rows)


def extent_rows(extents: Iterable[Extent]) -> list[list[int]]:
    """Extents as rows of a record."""
    return [[e.partition, e.offset, e.length] for e in extents]


def seal_from(row: Any) -> Seal | None:
    """A seal from its row in a record; None where nothing was sealed."""
    return None if row is None else _seal(row)


def _seal(row: Any) -> Seal:
    return Seal(row["algorithm"], row["length"], tuple(row["chunks"]), row["root"])


def seal_row(seal: Seal | None) -> dict[str, object] | None:
    """A seal as a row of a record."""
    if seal is None:
        return None
    return {"algorithm": seal.algorithm, "length": seal.length, "chunks": list(seal.chunks), "root": seal.root}
