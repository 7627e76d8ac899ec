"""What an execution can be: a Python callable, a command, a synthetic kernel, or the load of an external input.

Each is a function of a :class:`Context` that has to write every output. They run in a worker, on mapped bytes.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from catalytic.solver.problem import Command, PythonCall, Run

from .assignment import FailureKind, Load, TaskError
from .seal import digest
from .storage import Storage, file_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

_BLOCK = 2**16
_COPY = 2**22
_PR_SET_PDEATHSIG = 1
_COMMAND_POLL_S = 0.05
_SENTENCE = 500
_libc = ctypes.CDLL(None, use_errno=True)

_MEND_COMMAND = (
    "Run it by hand. If the cause lies outside the problem, mend it and run `catalytic resume`; "
    "if the problem is wrong, correct it and run again with --discard."
)


class Messenger(Protocol):
    """How a running task talks to the coordinator."""

    def progress(self, fraction: float) -> None:
        """Say how far it is."""

    def cancelled(self) -> bool:
        """Whether it was asked to stop."""

    def wait(self, seconds: float) -> bool:
        """Sleep, at most until it is asked to stop; whether it was."""


class Context:
    """What a Python task is called with.

    ``inputs`` are read-only buffers with the length their writer committed; ``outputs`` are writable buffers of the
    declared size that still hold old bytes: every byte has to be written (or the output shortened with
    ``commit_length``). ``scratch`` is private memory. None of them may be used after the task has returned.
    """

    def __init__(
        self,
        task: str,
        inputs: Mapping[str, memoryview],
        outputs: Mapping[str, memoryview],
        scratch: memoryview,
        args: Mapping[str, object],
        messenger: Messenger,
    ) -> None:
        self.task = task
        self.inputs = MappingProxyType(dict(inputs))
        self.outputs = MappingProxyType(dict(outputs))
        self.scratch = scratch
        self.args = args
        self.lengths = {name: len(view) for name, view in outputs.items()}
        self._messenger = messenger

    def array(self, name: str, dtype: DTypeLike = "uint8", shape: int | tuple[int, ...] = -1) -> NDArray[Any]:
        """A NumPy view of an input (read-only), an output or ``"scratch"``, without a copy.

        A ``shape`` smaller than the buffer covers its beginning; -1 covers all of it.
        """
        import numpy as np

        view = self.scratch if name == "scratch" else self.outputs.get(name, self.inputs.get(name))
        if view is None:
            known = ", ".join((*self.inputs, *self.outputs))
            raise KeyError(f"task {self.task!r} has no buffer {name!r}; it has {known}")
        flat: np.ndarray[Any, Any] = np.frombuffer(view, dtype=np.uint8)
        kind = np.dtype(dtype)
        count = len(flat) // kind.itemsize
        if shape != -1:
            sides = (shape,) if isinstance(shape, int) else shape
            if -1 not in sides:
                count = int(np.prod(sides, dtype=np.int64))
            if count * kind.itemsize > len(flat):
                raise ValueError(f"{shape} x {kind} needs {count * kind.itemsize} bytes, {name!r} has {len(flat)}")
        return flat[: count * kind.itemsize].view(kind).reshape(shape)

    def commit_length(self, output: str, length: int) -> None:
        """Declare that ``output`` has only ``length`` bytes; readers will see just those."""
        if output not in self.outputs:
            raise KeyError(f"task {self.task!r} has no output {output!r}")
        if not 0 <= length <= len(self.outputs[output]):
            raise ValueError(f"length {length} of {output!r} is not within 0 to {len(self.outputs[output])}")
        self.lengths[output] = length

    def progress(self, fraction: float) -> None:
        """Report how far the task is, from 0 to 1."""
        self._messenger.progress(fraction)

    def cancelled(self) -> bool:
        """Whether the task should stop (time limit or cancelled run); it is ended by force a little later."""
        return self._messenger.cancelled()


def run_python(call: PythonCall, context: Context, base: Path) -> None:
    """Import the function with ``base`` first on the path, and call it."""
    folder = str(base)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    module, _, name = call.target.partition(":")
    try:
        function: Callable[[Context], object] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise TaskError(
            FailureKind.EXCEPTION,
            f"cannot import {call.target!r}: {error}",
            f"Check that {module.replace('.', '/')}.py in {folder} defines {name}.",
        ) from error
    function(context)


def run_synthetic(context: Context, lasts_s: float, messenger: Messenger, clock: Callable[[], float]) -> None:
    """Read all inputs, write all outputs as a function of them, and take ``lasts_s`` seconds in all."""
    ends = clock() + lasts_s
    hasher = hashlib.sha256(context.task.encode())
    for name, view in context.inputs.items():
        hasher.update(f"\x00{name}\x00{len(view)}\x00{digest(view, 'xxh3_128')}".encode())
    for name, view in context.outputs.items():
        expand(hasher.digest() + name.encode(), view)
    if context.scratch:
        expand(hasher.digest(), context.scratch)
    if messenger.wait(max(0.0, ends - clock())):
        raise TaskError(FailureKind.CANCELLED, "stopped on request")


def expand(key: bytes, view: memoryview) -> None:
    """Fill ``view`` with bytes that depend on ``key`` and their position, at the speed of memory."""
    block = hashlib.shake_128(key).digest(min(len(view), _BLOCK))
    for number, start in enumerate(range(0, len(view), _BLOCK)):
        count = min(_BLOCK, len(view) - start)
        view[start : start + count] = block[:count]
        stamp = (number.to_bytes(8, "little") + block[:8])[:count]
        view[start : start + len(stamp)] = stamp


def run_load(load: Load, context: Context) -> int:
    """Bring the one output in; bytes read from the source (0 when generated)."""
    ((name, view),) = context.outputs.items()
    if load.source is None:
        expand(f"{name}\x00{len(view)}".encode(), view)
        return 0
    with load.source.open("rb", buffering=0) as file:
        length = _read_into(file, view)
        if file.read(1):
            raise TaskError(
                FailureKind.SOURCE,
                f"{load.source} is longer than the declared {len(view)} bytes of {name!r}",
                "Correct the buffer's size and plan again.",
            )
    context.commit_length(name, length)
    return length


def _read_into(file: Any, view: memoryview) -> int:
    position = 0
    while position < len(view):
        count = file.readinto(view[position : position + _COPY])
        if not count:
            break
        position += count
    return position


class StagedCommand:
    """A program with the buffers of its task as files.

    An input that already is a file (an external input) is used where it is; others are written to ``folder``. Outputs
    are files the program creates; they are read back into the buffers, and a shorter one commits its length.
    """

    def __init__(self, command: Command, context: Context, files: Mapping[str, Path], folder: Path, storage: Storage):
        self._command, self._context, self._files, self._folder = command, context, files, folder
        self._storage = storage
        self.staged = 0

    def run(self, base: Path, messenger: Messenger) -> None:
        """Stage, run, read back. Raises ``TaskError`` with the last line the program printed on stderr."""
        self._storage.make_folder(self._folder)
        paths = {name: self._path(name) for name in (*self._context.inputs, *self._context.outputs)}
        argv = [self._fill(word, paths) for word in self._command.argv]
        environment = os.environ | {name: self._fill(value, paths) for name, value in self._command.env}
        self._stage_inputs(paths)
        with ExitStack() as open_files:
            stdin: Any = subprocess.DEVNULL
            if self._command.stdin is not None:
                stdin = open_files.enter_context(paths[self._command.stdin].open("rb"))
            stdout: Any = sys.stderr
            if self._command.stdout is not None:
                stdout = open_files.enter_context(paths[self._command.stdout].open("wb"))
            stderr = open_files.enter_context((self._folder / ".stderr").open("wb+"))
            try:
                process = subprocess.Popen(
                    argv, cwd=base, env=environment, stdin=stdin, stdout=stdout, stderr=stderr, preexec_fn=_die_with_me
                )
            except (OSError, ValueError) as error:  # ValueError: a word or a name that no program can be given
                raise TaskError(
                    FailureKind.EXIT_STATUS,
                    f"cannot start {argv[0]!r}: {getattr(error, 'strerror', None) or error}",
                    "Check the program's name and that it is installed.",
                ) from error
            status = _await(process, messenger)
            stderr.seek(0)
            self._require_success(argv[0], status, stderr.read())
        for name, view in self._context.outputs.items():
            self._read_back(name, paths[name], view)

    def _path(self, name: str) -> Path:
        return self._files.get(name) or self._folder / file_name(name)

    def _fill(self, text: str, paths: Mapping[str, Path]) -> str:
        for name, path in paths.items():
            text = text.replace("{" + name + "}", str(path))
        return text

    def _mentioned(self, name: str) -> bool:
        words = (*self._command.argv, *(value for _, value in self._command.env))
        return name == self._command.stdin or any("{" + name + "}" in word for word in words)

    def _stage_inputs(self, paths: Mapping[str, Path]) -> None:
        for name, view in self._context.inputs.items():
            if name not in self._files and self._mentioned(name):
                self.staged += self._storage.write(paths[name], [view])

    def _require_success(self, program: str, status: int, printed: bytes) -> None:
        sys.stderr.write(printed.decode(errors="replace"))
        sys.stderr.flush()
        if status == 0:
            return
        lines = printed.decode(errors="replace").strip().splitlines()
        said = f": {one_line(lines[-1])}" if lines else ""
        how = f"ended with status {status}" if status > 0 else f"was killed by {signal_name(-status)}"
        raise TaskError(FailureKind.EXIT_STATUS, f"{program} {how}{said}", _MEND_COMMAND)

    def _read_back(self, name: str, path: Path, view: memoryview) -> None:
        try:
            found = path.stat()
        except FileNotFoundError:
            raise TaskError(
                FailureKind.UNWRITTEN,
                f"the command did not create its output {name!r}",
                f"Let it write to {{{name}}}, or bind its stdout to {name!r}.",
            ) from None
        if not stat.S_ISREG(found.st_mode):  # reading a pipe or a device might never end
            raise TaskError(
                FailureKind.UNWRITTEN,
                f"the command made something else than a file of its output {name!r}",
                f"Let it write an ordinary file to {{{name}}}.",
            )
        size = found.st_size
        if size > len(view):
            raise TaskError(
                FailureKind.OUT_OF_BOUNDS,
                f"the command wrote {size} bytes to its output {name!r}, {len(view)} are declared",
                "Declare a larger size for it and plan again.",
            )
        with path.open("rb", buffering=0) as file:
            self._context.commit_length(name, _read_into(file, view))
        self.staged += size
        self._storage.remove(path)


def one_line(text: str) -> str:
    """``text`` as a part of a sentence: its lines joined, cut where nobody reads on."""
    joined = " ".join(text[: 4 * _SENTENCE].split())
    return joined if len(joined) <= _SENTENCE else joined[:_SENTENCE] + "..."


def signal_name(number: int) -> str:
    """The name of a signal; real-time signals have only a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _await(process: subprocess.Popen[bytes], messenger: Messenger) -> int:
    while True:
        try:
            return process.wait(_COMMAND_POLL_S)
        except subprocess.TimeoutExpired:
            if messenger.cancelled():
                process.terminate()
                process.wait()
                raise TaskError(FailureKind.CANCELLED, "stopped on request") from None


def _die_with_me() -> None:
    """In the program, before it starts: be killed when the worker dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def describe(run: Run | Load) -> str:
    """What is run, for logs."""
    if isinstance(run, PythonCall):
        return run.target
    if isinstance(run, Command):
        return run.argv[0]
    return "load" if isinstance(run, Load) else "synthetic"
