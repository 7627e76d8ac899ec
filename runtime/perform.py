"""The life of one execution in a worker: verify, run, inspect, seal, export.

Nothing is written before every seal has matched: the inputs', and those of the dead bytes about to be overwritten.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from types import MappingProxyType

from catalytic.solver.problem import Command, PythonCall
from catalytic.solver.units import align_up

from .assignment import (
    Answer,
    Assignment,
    Costs,
    Damaged,
    Dead,
    Done,
    Failure,
    FailureKind,
    Input,
    Load,
    Output,
    TaskError,
    Written,
)
from .mapping import PAGE, Mapping, Memory, Piece, Window
from .seal import Damage, check, chunks_of, digest, seal
from .storage import RESULT_FILE, Disk, Storage, is_storage_trouble, replace_file
from .tasks import Context, Messenger, StagedCommand, one_line, run_load, run_python, run_synthetic

CANARY = b"\xca\x7a\x1c\x0d"
_PATTERN = 64


class FoundDamage(Exception):
    """A seal did not match before the task ran."""

    def __init__(self, buffer: str, role: str, damage: Damage) -> None:
        super().__init__(buffer, role, damage)
        self.buffer, self.role, self.damage = buffer, role, damage


@dataclass(slots=True)
class Mapped:
    """The memory of one execution, by buffer."""

    inputs: dict[str, Memory] = field(default_factory=dict)
    outputs: dict[str, Memory] = field(default_factory=dict)
    scratch: Memory | None = None


def perform(
    assignment: Assignment,
    messenger: Messenger,
    *,
    storage: Storage | None = None,
    window: Window | None = None,
    watch: Callable[[Mapped], None] = lambda mapped: None,
    clock: Callable[[], float] = monotonic,
) -> Answer:
    """Do ``assignment``; never raises for what a task or a device does wrong.

    Outputs are opened in ``window``, if there is one. ``watch`` is told the mapped addresses, so that a fault can be
    named.
    """
    try:
        return _Performance(assignment, messenger, storage or Disk(), window, watch, clock).run()
    except FoundDamage as found:
        return Damaged(assignment.execution, found.buffer, found.role, found.damage)
    except TaskError as error:
        return Failure(assignment.execution, error.kind, error.message, error.next_step)
    except OSError as error:
        return Failure(assignment.execution, *_name_trouble(error))


def _name_trouble(error: OSError) -> tuple[FailureKind, str, str]:
    """An ``OSError`` of the runtime's own steps (the task's are caught around the task)."""
    where = f"{error.filename}: " if error.filename else ""
    kind = FailureKind.STORAGE if is_storage_trouble(error) else FailureKind.SOURCE
    return kind, f"{where}{error.strerror or error}", "Mend the cause, then run `catalytic resume`."


class _Performance:
    """One attempt, with its clock and its accounts."""

    def __init__(
        self,
        assignment: Assignment,
        messenger: Messenger,
        storage: Storage,
        window: Window | None,
        watch: Callable[[Mapped], None],
        clock: Callable[[], float],
    ) -> None:
        self._a, self._messenger, self._storage = assignment, messenger, storage
        self._window, self._watch, self._clock = window, watch, clock
        self._opened: list[range] = []
        self._costs = Costs()
        self._lengths: dict[str, int] = {}

    def run(self) -> Answer:
        with ExitStack() as stack:
            mapped = Mapped()
            for slot in self._a.inputs:
                mapped.inputs[slot.buffer] = stack.enter_context(Mapping(slot.pieces, writable=False))
            with self._timed("verify_s"):
                learned = {s.buffer: s.learn for s in self._a.inputs if s.learn is not None}
                seals = {
                    slot.buffer: seal(mapped.inputs[slot.buffer].view, learned[slot.buffer], slot.binding)
                    for slot in self._a.inputs
                    if slot.buffer in learned
                }
                for slot in self._a.inputs:
                    self._verify_input(slot, mapped.inputs[slot.buffer].view)
                for dead in self._a.dead:
                    self._verify_dead(dead)
            for output in self._a.outputs:
                if output.staged:
                    self._storage.make_folder(output.pieces[0].path.parent)
                    self._storage.reserve(output.pieces[0].path, output.size)
                    self._count(staged=output.size)
                mapped.outputs[output.buffer] = stack.enter_context(self._map_writable(output))
            if self._a.scratch is not None:
                mapped.scratch = stack.enter_context(self._map_writable(self._a.scratch))
            self._prepare(mapped)
            self._watch(mapped)
            with self._timed("task_s"):
                self._run_task(mapped)
            self._watch(Mapped())
            self._inspect(mapped)
            written = {o.buffer: self._finish(o, mapped.outputs[o.buffer]) for o in self._a.outputs}
            return Done(self._a.execution, written, seals, self._costs)

    def _map_writable(self, output: Output) -> Memory:
        """An opening in the window; a mapping of its own where the guard page would belong to another output."""
        address = self._window.address_of(output.pieces) if self._window is not None else None
        if self._window is None or address is None:
            return Mapping(output.pieces, writable=True)
        whole = range(address, address + align_up(output.size, PAGE))
        if any(whole.start <= other.stop and other.start <= whole.stop for other in self._opened):
            return Mapping(output.pieces, writable=True)
        self._opened.append(whole)
        return self._window.open(address, output.size)

    def _verify_input(self, slot: Input, view: memoryview) -> None:
        if slot.seal is None:
            return
        damage = check(view, slot.seal, slot.binding)
        self._count(verifications=1)
        if damage is not None:
            raise FoundDamage(slot.buffer, "source" if slot.external else "input", damage)

    def _verify_dead(self, dead: Dead) -> None:
        damage = damage_of(dead)
        self._count(verifications=1)
        if damage is not None:
            raise FoundDamage(dead.buffer, "dead", damage)

    def _writable(self, mapped: Mapped) -> Iterator[tuple[Output, Memory, str]]:
        for output in self._a.outputs:
            yield output, mapped.outputs[output.buffer], f"output {output.buffer!r}"
        if self._a.scratch is not None and mapped.scratch is not None:
            yield self._a.scratch, mapped.scratch, "scratch"

    def _prepare(self, mapped: Mapped) -> None:
        for output, mapping, _ in self._writable(mapped):
            if output.in_place:
                continue
            margin = mapping.margin
            margin[:] = _repeat(CANARY, len(margin))
            if self._a.pattern:
                pattern = _pattern_of(output.buffer)
                for chunk in chunks_of(mapping.view):
                    chunk[:] = _repeat(pattern, len(chunk))

    def _run_task(self, mapped: Mapped) -> None:
        run = self._a.run
        context = Context(
            self._a.execution,
            {name: m.view for name, m in mapped.inputs.items()},
            {name: m.view for name, m in mapped.outputs.items()},
            mapped.scratch.view if mapped.scratch is not None else memoryview(bytearray()),
            MappingProxyType(dict(run.args)) if isinstance(run, PythonCall) else MappingProxyType({}),
            self._messenger,
        )
        if isinstance(run, PythonCall):
            self._call(run, context)
        elif isinstance(run, Command):
            self._run_command(run, context)
        elif isinstance(run, Load):
            run_load(run, context)
        else:
            run_synthetic(context, self._a.lasts_s, self._messenger, self._clock)
        self._lengths = context.lengths

    def _call(self, run: PythonCall, context: Context) -> None:
        worker = os.getpid()
        try:
            run_python(run, context, self._a.base)
        except TaskError:
            raise
        except BaseException as error:
            traceback.print_exc()
            kind = FailureKind.CANCELLED if self._messenger.cancelled() else FailureKind.EXCEPTION
            raise TaskError(kind, _sentence(error) + _place(error, self._a.base), _advice(error)) from None
        finally:
            if os.getpid() != worker:  # a child that the task forked and let return: it is not the worker
                os._exit(0)

    def _run_command(self, run: Command, context: Context) -> None:
        folder = self._a.staging / str(self._a.epoch)
        files = {slot.buffer: slot.path for slot in self._a.inputs if slot.path is not None}
        command = StagedCommand(run, context, files, folder, self._storage)
        try:
            command.run(self._a.base, self._messenger)
        finally:
            self._count(staged=command.staged)
            shutil.rmtree(folder, ignore_errors=True)

    def _inspect(self, mapped: Mapped) -> None:
        """Canaries and, if asked for, the pattern: did the task write what it should, and nothing else?"""
        for output, mapping, name in self._writable(mapped):
            if output.in_place:
                continue
            margin = mapping.margin
            if margin != _repeat(CANARY, len(margin)):
                raise TaskError(
                    FailureKind.OUT_OF_BOUNDS,
                    f"wrote past the end of its {name} ({mapping.size} bytes)",
                    "Write less, or declare a larger size and plan again.",
                )
            if self._a.pattern and output.buffer in self._lengths:
                self._require_written(output.buffer, mapping.view[: self._lengths[output.buffer]])

    def _require_written(self, buffer: str, view: memoryview) -> None:
        offset = _first_unwritten(view, _pattern_of(buffer))
        if offset is not None:
            raise TaskError(
                FailureKind.UNWRITTEN,
                f"left bytes of its output {buffer!r} unwritten, from byte {offset} of {len(view)}",
                "Write every byte, or call context.commit_length for a shorter output.",
            )

    def _finish(self, output: Output, mapping: Memory) -> Written:
        view = mapping.view[: self._lengths[output.buffer]]
        with self._timed("seal_s"):
            sealed = seal(view, output.algorithm, output.binding) if output.algorithm else None
            content = _content(view) if output.final else None
        if sealed is not None:
            self._count(sealed=len(view))
        if self._a.durable:
            mapping.sync()
        if output.export is not None:
            self._export(view, output.export)
        return Written(len(view), sealed, content, output.export)

    def _export(self, view: memoryview, path: Path) -> None:
        pieces = (chunk for chunk in chunks_of(view))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._storage, path, pieces, mark=f"{self._a.epoch}.part", mode=RESULT_FILE)
        except OSError as error:  # whatever it is: the task has done its part
            raise TaskError(FailureKind.STORAGE, f"cannot export to {path}: {error.strerror or error}") from error
        self._count(exported=len(view))

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = self._clock()
        try:
            yield
        finally:
            spent = getattr(self._costs, name) + self._clock() - started
            self._costs = replace(self._costs, **{name: spent})

    def _count(self, **amounts: int) -> None:
        self._costs = replace(self._costs, **{n: getattr(self._costs, n) + a for n, a in amounts.items()})


def damage_of(dead: Dead) -> Damage | None:
    """The first chunk that is not what its seal says; read through the file, not mapped."""
    for chunk in dead.chunks:
        found = digest(memoryview(b"".join(map(_read, chunk.pieces))), dead.algorithm)
        if found != chunk.digest:
            return Damage(chunk.number, chunk.digest, found)
    return None


def _read(piece: Piece) -> bytes:
    with piece.path.open("rb", buffering=0) as file:
        file.seek(piece.offset)
        return file.read(piece.length)


def _content(view: memoryview) -> str:
    hasher = hashlib.sha256()
    for chunk in chunks_of(view):
        hasher.update(chunk)
    return hasher.hexdigest()


def _sentence(error: BaseException) -> str:
    """What a task raised, in one line; its text is code of the task, too, and can fail."""
    try:
        return one_line(f"{type(error).__name__}: {error}")
    except Exception:
        return type(error).__name__


def _place(error: BaseException, base: Path) -> str:
    """The innermost line in a file beside the problem, as `` (steps.py, line 4)``; nothing where there is none."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(base) and "site-packages" not in path.parts and frame.lineno is not None:
            return f" ({path.relative_to(base)}, line {frame.lineno})"
    return ""


def _advice(error: BaseException) -> str:
    if isinstance(error, (TypeError, ValueError)) and "read-only" in _sentence(error):
        return "Inputs are read-only: write to an output, or declare in_place."
    return (
        "Correct the function, then run `catalytic resume`; if the problem is wrong, its args included, correct it and "
        "run again with --discard."
    )


def _repeat(unit: bytes, length: int) -> bytes:
    return (unit * (length // len(unit) + 1))[:length]


def _pattern_of(buffer: str) -> bytes:
    return hashlib.sha512(b"unwritten\x00" + buffer.encode()).digest()


def _first_unwritten(view: memoryview, pattern: bytes) -> int | None:
    """Offset of the first whole pattern that is still in its place, or None.

    A rest shorter than eight bytes is not judged: a task could write that by chance.
    """
    position = 0
    for chunk in chunks_of(view):
        text = bytes(chunk)
        found = text.find(pattern)
        while found >= 0 and found % _PATTERN:
            found = text.find(pattern, found + 1)
        if found >= 0:
            return position + found
        position += len(text)
    rest = len(view) % _PATTERN
    if rest >= 8 and bytes(view[len(view) - rest :]) == pattern[:rest]:
        return len(view) - rest
    return None
