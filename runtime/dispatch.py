"""From a decision to run an execution to its record and its assignment: which bytes, which seals, which files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from catalytic.solver.plan import Extent
from catalytic.solver.problem import LOAD_PREFIX, Run
from catalytic.solver.units import Bytes

from .assignment import Assignment, Chunk, Dead, Input, Load, Output
from .execution import Executions
from .mapping import Piece
from .region import Span
from .report import Durability, RunOptions, Scrub
from .seal import CHUNK, Binding
from .state import Result, RunState, extent_rows
from .storage import file_name
from .workspace import Workspace


@dataclass(frozen=True, slots=True)
class Home:
    """Where an output is written instead of its region: other bytes of the arena, or a file outside it."""

    extents: tuple[Extent, ...] = ()
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Detour:
    """An execution that runs again for a repair. ``homes``: outputs and scratch that go elsewhere, by buffer.

    ``inputs``: temporary versions it reads, and the file of each that lies outside the arena.
    """

    homes: Mapping[str, Home] = field(default_factory=dict)
    inputs: Mapping[str, Result] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beginning:
    """An execution about to begin: the body of its BEGIN record, and what only the epoch is missing for.

    ``straddling``: dead chunks that are only partly inside its bytes; they have to be checked before anybody else
    can begin to write into the rest. ``reused``: bytes that had an owner before.
    """

    execution: str
    detour: Detour | None
    writes: Mapping[str, tuple[Extent, ...]]
    dead: tuple[Dead, ...]
    straddling: tuple[Dead, ...]
    reused: int

    def body(self, attempt: int) -> dict[str, object]:
        """What the journal has to know before the first byte changes."""
        return {
            "attempt": attempt,
            "repair": self.detour is not None,
            "writes": {name: extent_rows(extents) for name, extents in self.writes.items()},
            "overwrites": [dead.buffer for dead in (*self.dead, *self.straddling)],
        }


class Dispatcher:
    """Prepares executions of one run. Reads the state, changes nothing."""

    def __init__(
        self, executions: Executions, state: RunState, workspace: Workspace, options: RunOptions, run_id: str
    ) -> None:
        self._executions, self._state, self.workspace, self._options = executions, state, workspace, options
        self._plan = executions.plan
        self._graph = executions.plan.problem.graph
        self.staging = workspace.path / "staging" / run_id
        self.sealing = workspace.integrity and self._plan.integrity

    def beginning(self, execution: str, detour: Detour | None = None) -> Beginning:
        """What ``execution`` is going to write and overwrite."""
        homes = detour.homes if detour is not None else {}
        writes = {}
        for name in self._written(execution):
            if name in homes:
                writes[name] = homes[name].extents
            elif name in self._plan.region_of:
                writes[name] = self._plan.region_of[name].extents
            else:
                writes[name] = ()
        extents = [e for own in writes.values() for e in own]
        inside, straddling = self._dead(extents, set(self._executions.inputs(execution)))
        reused = sum(s.high - s.low for s in self._state.ownership.within(extents))
        return Beginning(execution, detour, writes, inside, straddling, reused)

    def assignment(self, begin: Beginning, epoch: int) -> Assignment:
        """The assignment of an execution whose BEGIN record has the number ``epoch``."""
        name, detour = begin.execution, begin.detour or Detour()
        inputs = tuple(self._input(b, detour) for b in self._executions.inputs(name))
        taken = [e for slot in inputs for e in slot.binding.extents]
        outputs = tuple(self._output(b, begin, epoch, taken) for b in self._executions.outputs(name))
        scratch = self._executions.scratch(name)
        has_scratch = scratch is not None and begin.writes.get(scratch)
        duration_s = 0.0 if name.startswith(LOAD_PREFIX) else self._graph.task[name].duration / 1000
        return Assignment(
            execution=name,
            epoch=epoch,
            run=self._run(name),
            inputs=inputs,
            outputs=outputs,
            scratch=self._output(scratch, begin, epoch, taken) if scratch is not None and has_scratch else None,
            dead=begin.dead,
            base=self._options.base,
            staging=self.staging,
            lasts_s=0.0 if begin.detour is not None else duration_s * self._options.time_factor,
            pattern=self._options.scrub is Scrub.PATTERN,
            durable=self._options.durability is Durability.FULL,
        )

    def staged_path(self, buffer: str) -> Path:
        """File of a generated external input that takes no bytes of the arena."""
        return self.staging / "inputs" / file_name(buffer)

    def source_path(self, buffer: str) -> Path | None:
        """File of an external input that is read where it is or loaded from; None when it is generated."""
        source = self._graph.buffer[buffer].source
        return None if source is None else self._options.base / source

    def export_path(self, buffer: str) -> Path | None:
        """Where ``buffer`` is copied to when its writer ends."""
        name = self._graph.exported.get(buffer)
        return None if name is None else self._options.output_dir / name

    def is_final(self, buffer: str) -> bool:
        """Whether the content of ``buffer`` is a result of the run: exported, kept, or read by nobody."""
        return (
            buffer in self._graph.exported
            or buffer in self._graph.kept
            or (buffer in self._graph.writer and not self._graph.readers[buffer])
        )

    def _written(self, execution: str) -> tuple[str, ...]:
        scratch = self._executions.scratch(execution)
        return (*self._executions.outputs(execution), *((scratch,) if scratch is not None else ()))

    def _run(self, execution: str) -> Run | Load:
        if execution.startswith(LOAD_PREFIX):
            return Load(self.source_path(execution.removeprefix(LOAD_PREFIX)))
        return self._graph.task[execution].run

    def _input(self, buffer: str, detour: Detour) -> Input:
        if buffer not in self._executions.writer:
            return self._external(buffer)
        result = detour.inputs.get(buffer) or self._state.results[buffer]
        file = detour.files.get(buffer)
        if file is None and result.length and not result.extents:
            file = self.staged_path(buffer)
        binding = Binding(buffer, _rows(result.extents), result.version.epoch)
        if file is not None:
            whole = (Piece(file, 0, result.length),) if result.length else ()
            return Input(buffer, whole, result.length, binding, result.seal, path=file)
        pieces = pieces_of(self.workspace, result.extents, result.length)
        return Input(buffer, pieces, result.length, binding, result.seal)

    def _external(self, buffer: str) -> Input:
        """An external input that is read where it is: digested by its first reader, compared by every later one."""
        path = self.source_path(buffer)
        binding = Binding(buffer, (), 0)
        if path is None:
            return Input(buffer, (), 0, binding)
        try:
            length = path.stat().st_size
        except OSError:
            length = 1  # let the worker try: its answer names the file and what is wrong with it
        known = self._state.learned.get(buffer)
        learn = "sha256" if self.sealing and known is None else None
        whole = (Piece(path, 0, length),) if length else ()
        return Input(buffer, whole, length, binding, known, learn, path, external=True)

    def _output(self, buffer: str, begin: Beginning, epoch: int, taken: list[tuple[int, int, int]]) -> Output:
        size = self._graph.buffer[buffer].size
        extents = begin.writes[buffer]
        home = begin.detour.homes.get(buffer) if begin.detour is not None else None
        region = self._plan.region_of.get(buffer)
        file = home.file if home is not None else None
        if file is None and size and not extents:
            file = self.staged_path(buffer)
        pieces = (Piece(file, 0, size),) if file is not None else pieces_of(self.workspace, extents, size)
        repair = begin.detour is not None
        return Output(
            buffer=buffer,
            pieces=pieces,
            size=size,
            binding=Binding(buffer, _rows(extents), epoch),
            algorithm=(region.seal if region is not None and region.seal else "sha256") if self.sealing else None,
            final=self.is_final(buffer) and not repair,
            export=None if repair else self.export_path(buffer),
            staged=file is not None,
            in_place=any(_share(e, row) for e in extents for row in taken),
        )

    def _dead(self, extents: list[Extent], inputs: set[str]) -> tuple[tuple[Dead, ...], tuple[Dead, ...]]:
        """Sealed chunks about to be overwritten: those wholly inside ``extents``, and those that reach beyond."""
        if not self.sealing:
            return (), ()
        inside, straddling = [], []
        spans = sorted(self._state.ownership.within(extents), key=lambda s: (s.owner, s.partition, s.low))
        for owner, own in groupby(spans, key=lambda s: s.owner):
            result = self._state.sealed.get(owner)
            if result is None or result.seal is None or owner.buffer in inputs or owner in self._state.damaged:
                continue
            near, far = self._chunks(result, list(own), extents)
            if near:
                inside.append(Dead(owner.buffer, result.seal.algorithm, near))
            if far:
                straddling.append(Dead(owner.buffer, result.seal.algorithm, far))
        return tuple(inside), tuple(straddling)

    def _chunks(
        self, result: Result, spans: list[Span], extents: list[Extent]
    ) -> tuple[tuple[Chunk, ...], tuple[Chunk, ...]]:
        numbers = sorted({n for s in spans for n in _touched_chunks(result, s)})
        near: list[Chunk] = []
        far: list[Chunk] = []
        for number in numbers:
            where = tuple(_locate(result, number))
            if not self._state.ownership.intact(where, result.version):
                continue  # an earlier successor took a part of it, and checked it then
            chunk = _chunk(result, number, where, self.workspace)
            covered = all(any(_contains(own, e) for own in extents) for e in where)
            (near if covered else far).append(chunk)
        return tuple(near), tuple(far)


def pieces_of(workspace: Workspace, extents: Iterable[Extent], length: int) -> tuple[Piece, ...]:
    """The first ``length`` bytes of ``extents`` as pieces of partition files."""
    pieces = []
    for e in extents:
        count = min(e.length, length)
        if count > 0:
            pieces.append(workspace.piece(e.partition, e.offset, count))
        length -= count
    return tuple(pieces)


def sealed_chunk(result: Result, number: int, workspace: Workspace) -> Dead:
    """One chunk of a sealed version in the form in which it can be checked."""
    assert result.seal is not None
    chunk = _chunk(result, number, tuple(_locate(result, number)), workspace)
    return Dead(result.version.buffer, result.seal.algorithm, (chunk,))


def _chunk(result: Result, number: int, where: tuple[Extent, ...], workspace: Workspace) -> Chunk:
    assert result.seal is not None
    pieces = tuple(workspace.piece(e.partition, e.offset, e.length) for e in where)
    return Chunk(number, pieces, result.seal.chunks[number])


def _touched_chunks(result: Result, span: Span) -> range:
    """Numbers of the chunks of ``result`` that share bytes with ``span``."""
    position = 0
    for e in result.extents:
        if e.partition == span.partition and e.offset <= span.low < e.end:
            low = position + span.low - e.offset
            high = min(low + span.high - span.low, result.length)
            return range(low // CHUNK, -(-high // CHUNK)) if high > low else range(0)
        position += e.length
    return range(0)


def _locate(result: Result, number: int) -> Iterator[Extent]:
    """Bytes of one chunk, as extents; several where the region continues in the next partition."""
    low, high = number * CHUNK, min((number + 1) * CHUNK, result.length)
    position = 0
    for e in result.extents:
        begin, end = max(low, position), min(high, position + e.length)
        if begin < end:
            yield Extent(e.partition, Bytes(e.offset + begin - position), Bytes(end - begin))
        position += e.length


def _contains(outer: Extent, inner: Extent) -> bool:
    return outer.partition == inner.partition and outer.offset <= inner.offset and inner.end <= outer.end


def _rows(extents: Iterable[Extent]) -> tuple[tuple[int, int, int], ...]:
    return tuple((e.partition, e.offset, e.length) for e in extents)


def _share(e: Extent, row: tuple[int, int, int]) -> bool:
    partition, offset, length = row
    return e.partition == partition and e.offset < offset + length and offset < e.end
