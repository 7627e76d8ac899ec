"""A problem in a few lines of Python, and its plan.

>>> from catalytic.solver import ProblemBuilder
>>> b = (
...     ProblemBuilder("mosaic", workspace="1GB", partitions=2, workers=2)
...     .input("tile", "60MB", source="data/tile.raw")
...     .task("project", 12.5, reads=["tile"], writes={"plane": "250MB"}, scratch="64MB")
...     .task("correct", 4, reads=["plane"], writes={"corrected": "250MB"}, in_place={"corrected": "plane"})
...     .task("blend", 2, reads=["corrected"], writes={"map": "120MB"})
... )
>>> outcome = b.solve(reuse_factor=0.4, seconds=5)
>>> print(outcome.status, f"{outcome.plan.measures.reuse_factor:.2f}")
OPTIMAL 0.46

Sizes are whole numbers of bytes or text with a unit (``GB`` = 10^9, ``GiB`` = 2^30), durations seconds. Whoever writes
a buffer declares it; :meth:`ProblemBuilder.input` declares one that is there before the run, and
:meth:`ProblemBuilder.buffer` one that needs more said about it. Nothing is judged before :meth:`ProblemBuilder.problem`
or :meth:`ProblemBuilder.solve`, so the order of the calls does not matter, and every mistake is told at once:

>>> wrong = ProblemBuilder("wrong", workers=1)
>>> _ = wrong.task("a", -1, writes={"x": "5 parsecs"}).task("b", 1, reads=["y"])
>>> wrong.problem()
Traceback (most recent call last):
    ...
catalytic.solver.errors.InputError: wrong: 3 mistakes
  task('a').seconds: found -1, allowed 0 to 1099511627 seconds
  buffer('x').size: found '5 parsecs', allowed an integer of bytes, or text such as '250MB' (10^6) or '2GiB' (2^30)
  task('b').reads[0]: found 'y', allowed the id of a buffer

The rules are those of the problem file: a builder writes its document, and what reads the file judges it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal

from .budget import MAX_SEED, MAX_WORKERS, Budget, Progress
from .errors import InputError, Mistake
from .formats.json_text import json_mistakes
from .formats.problem_file import PROBLEM_FORMAT, dump_problem, problem_from
from .plan import Objective, Outcome
from .problem import DEFAULT_ALIGNMENT, DEFAULT_PARTITIONS, Command, Problem, PythonCall, Run, Synthetic

if TYPE_CHECKING:
    from os import PathLike

Size = int | str
"""Bytes: a whole number, or text with a unit."""

Record = dict[str, Any]

Runs = Run | str | Callable[..., object] | Sequence[str]
"""What a task does: ``"module:function"`` or the function itself, the words of a command, or a value of the model."""


class ProblemBuilder:
    """Collects tasks and buffers; every method that adds something returns the builder.

    ``workspace``: bytes of all partitions together. ``isolation``: None is shared with one partition, exclusive
    otherwise. ``workers``: tasks that run at once; None: the cores of this machine. ``resources``: capacities of what
    else tasks demand. ``inputs`` and ``outputs``: the policies for buffers that nobody writes or that nobody reads.
    """

    def __init__(
        self,
        name: str,
        *,
        workspace: Size = "10GB",
        partitions: int = DEFAULT_PARTITIONS,
        alignment: Size = DEFAULT_ALIGNMENT,
        isolation: Literal["exclusive", "shared"] | None = None,
        workers: int | None = None,
        resources: Mapping[str, int] | None = None,
        inputs: Literal["external", "lazy", "preload"] = "external",
        outputs: Literal["export", "keep", "discard"] = "export",
    ) -> None:
        self.name = name
        self._workspace = _stated(size=workspace, partitions=partitions, alignment=alignment, isolation=isolation)
        self._resources = {**(resources or {}), **_stated(workers=workers)}
        self._policy = {"inputs": inputs, "outputs": outputs}
        self._pools: list[Record] = []
        self._tasks: list[Record] = []
        self._buffers: list[Record] = []

    def __repr__(self) -> str:
        return f"<problem {self.name!r}: {len(self._tasks)} tasks, {len(self._buffers)} buffers>"

    def task(
        self,
        id: str,
        seconds: float,
        *,
        reads: Iterable[str] = (),
        writes: Mapping[str, Size] | Iterable[str] = (),
        after: Iterable[str] = (),
        scratch: Size = 0,
        demands: Mapping[str, int] | None = None,
        in_place: Mapping[str, str] | None = None,
        run: Runs | None = None,
        args: Mapping[str, object] | None = None,
        reversible: bool = False,
        timeout: float | None = None,
    ) -> ProblemBuilder:
        """A unit of work of ``seconds``.

        ``writes`` with sizes declares the buffers; a mere sequence of names refers to buffers declared with
        :meth:`buffer`. ``scratch``: bytes only the task uses, while it runs. ``demands``: amounts of resources.
        ``in_place``: output -> input whose bytes it may take over. ``run``: nothing is a synthetic task, which lasts
        its duration and writes bytes that depend on its inputs; ``args`` are for a function. ``timeout``: seconds.

        >>> b = ProblemBuilder("p", workers=1).task("sort", 3, writes=["sorted"], run=["sort", "-o", "{sorted}"])
        >>> b.buffer("sorted", "1MB", keep=True).problem().tasks[0].run.argv
        ('sort', '-o', '{sorted}')
        """
        if isinstance(writes, Mapping):
            self._buffers += [{"id": name, "size": size} for name, size in writes.items()]
        record = {"id": id, "duration": seconds, "inputs": _names(reads), "outputs": _names(writes)}
        record |= {"after": _names(after), "demands": dict(demands or {}), "in_place": dict(in_place or {})}
        record |= {"scratch": scratch, "reversible": reversible} | _stated(timeout=timeout, run=_run(run, args))
        self._tasks.append(record)
        return self

    def input(
        self,
        id: str,
        size: Size,
        *,
        source: str | PathLike[str] | None = None,
        data_type: str | None = None,
        access: str | None = None,
    ) -> ProblemBuilder:
        """A buffer that no task writes. ``source``: its file; without one its bytes are made from its id and size."""
        path = None if source is None else str(source)
        return self._declare(id, size, data_type=data_type, access=access, source=path)

    def buffer(
        self,
        id: str,
        size: Size,
        *,
        data_type: str | None = None,
        access: str | None = None,
        keep: bool = False,
        export: str | bool = False,
    ) -> ProblemBuilder:
        """A buffer that some task names among its ``writes``.

        ``data_type`` and ``access`` decide its pool. ``keep``: it survives the run. ``export``: it is copied out when
        it is written, to a file of this name, or of its own (``True``).
        """
        return self._declare(
            id, size, data_type=data_type, access=access, keep=keep or None, export=None if export is False else export
        )

    def pool(
        self, id: str, *, data_type: str | None = None, access: str | None = None, size: Size | None = None
    ) -> ProblemBuilder:
        """All buffers of one data type and access; ``size``: an upper bound on the bytes of its slices."""
        self._pools.append(_stated(id=id, data_type=data_type, access=access, size=size))
        return self

    def problem(self) -> Problem:
        """The problem; ``InputError`` with every mistake, each at the call it stems from."""
        document = _plain(self._document())
        # What a file could not hold: its reader, who looks for it in text, is not asked here.
        found = list(json_mistakes(document))
        try:
            problem = problem_from(document, self.name)
        except InputError as error:
            found = [*error.mistakes, *(m for m in found if not _is_told(m.path, error.mistakes))]
        if found:
            raise InputError(self.name, [self._told(mistake) for mistake in found])
        return problem

    def solve(
        self,
        *,
        reuse_factor: float | None = None,
        objective: Objective | Literal["reuse", "makespan"] = "reuse",
        seconds: float = 60.0,
        seed: int = 0,
        threads: int = 2,
        deterministic: bool = False,
        integrity: bool = True,
        monitoring: bool = False,
        observer: Callable[[Progress], None] | None = None,
    ) -> Outcome:
        """Plan the problem; the checked plan, the bounds, and what they add up to.

        ``reuse``: the largest reuse factor, then the least makespan. ``makespan``: the least makespan whose reuse
        factor is at least ``reuse_factor``. The answer comes within ``seconds`` and a little; loops that are compiled
        at first use are not counted. ``deterministic``: counted work instead of seconds, so that the same call gives
        the same plan. A target that is proved out of reach is an answer (``outcome.status``), not an error.
        """
        mistakes = []
        # Not written as `reuse_factor < 0`: NaN must be refused too.
        if reuse_factor is not None and not (_is_number(reuse_factor) and 0 <= reuse_factor < 1):
            mistakes.append(Mistake("reuse_factor", str(reuse_factor), "a number from 0 to below 1"))
        if not (_is_number(seconds) and 0 < seconds < float("inf")):
            mistakes.append(Mistake("seconds", str(seconds), "a positive number of seconds"))
        if objective not in list(Objective):
            mistakes.append(Mistake("objective", repr(objective), "'reuse' or 'makespan'"))
        for word, given, least, most in (("threads", threads, 1, MAX_WORKERS), ("seed", seed, 0, MAX_SEED)):
            if not isinstance(given, Integral) or not least <= given <= most:
                mistakes.append(Mistake(word, repr(given), f"an integer from {least} to {most}"))
        try:
            problem = self.problem()
        except InputError as error:
            mistakes += error.mistakes
        if mistakes:
            raise InputError(self.name, mistakes)
        # Here and not above: whoever only builds a problem needs no solver engine.
        from .solve import solve

        return solve(
            problem,
            objective=Objective(objective),
            target=reuse_factor,
            budget=Budget(seconds, threads, seed, deterministic),
            integrity=integrity,
            monitoring=monitoring,
            observer=observer,
        )

    def write(self, path: str | PathLike[str]) -> Path:
        """Write the problem file, which ``catalytic`` and :func:`catalytic.solver.load_problem` read."""
        file = Path(path)
        file.write_bytes(dump_problem(self.problem()))
        return file

    def _declare(self, id: str, size: Size, **rest: object) -> ProblemBuilder:
        self._buffers.append({"id": id, "size": size} | _stated(**rest))
        return self

    def _document(self) -> Record:
        return {
            "format": PROBLEM_FORMAT,
            "name": self.name,
            "workspace": self._workspace,
            "resources": self._resources,
            "policy": self._policy,
            "pools": self._pools,
            "tasks": self._tasks,
            "buffers": self._buffers,
        }

    def _told(self, mistake: Mistake) -> Mistake:
        """``mistake`` at the call that made it, in the words of the call."""
        allowed, hint = (_RECORD.sub(self._call, text) for text in (mistake.allowed, mistake.hint))
        found = _RECORD.match(mistake.path)
        if found is None:
            path = _OF_THE_BUILDER.get(mistake.path, mistake.path)
        else:
            rest = mistake.path[found.end() :]
            for word, meant in _OF_A_CALL.items():
                rest = re.sub(rf"^\.{word}\b", f".{meant}", rest)
            path = self._call(found) + rest
        return replace(mistake, path=path, allowed=allowed, hint=hint)

    def _call(self, record: re.Match[str]) -> str:
        """``tasks[3]`` as the call that added it."""
        section, index = record.group(1), int(record.group(2))
        return f"{section.removesuffix('s')}({getattr(self, f'_{section}')[index].get('id')!r})"


_DEEPEST = 100
"""Levels that are looked into: more than a file may have."""

_RECORD = re.compile(r"\b(tasks|buffers|pools)\[(\d+)\]")
"""How a mistake names a record of the file."""

_OF_A_CALL = {"inputs": "reads", "outputs": "writes", "duration": "seconds"}
"""Key of a record of the file -> keyword of the call."""

_OF_THE_BUILDER = {
    "workspace.size": "workspace",
    "workspace.partitions": "partitions",
    "workspace.alignment": "alignment",
    "workspace.isolation": "isolation",
    "policy.inputs": "inputs",
    "policy.outputs": "outputs",
    "resources.workers": "workers",
}


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _stated(**record: object) -> Record:
    """What was given: ``None`` leaves the default of the file."""
    return {key: value for key, value in record.items() if value is not None}


def _names(names: Iterable[str]) -> list[str]:
    """``names`` as a list; one text is one name, not its letters, and a set has an order that is the same each time."""
    if isinstance(names, str):
        return [names]
    return sorted(names) if isinstance(names, (set, frozenset)) else list(names)


def _run(run: Runs | None, args: Mapping[str, object] | None) -> Record | None:
    given: Record = {} if args is None else {"args": dict(args)}
    match run:
        case Synthetic():
            return {"synthetic": True} | given
        case PythonCall(target, settings):
            return {"python": target, "args": dict(settings)} | given
        case Command(argv, env, stdin, stdout):
            return {"command": list(argv), "env": dict(env)} | _stated(stdin=stdin, stdout=stdout) | given
    if isinstance(run, FunctionType):
        run = f"{run.__module__}:{run.__qualname__}"
    if isinstance(run, str):
        return {"python": run} | given
    if isinstance(run, Sequence):
        return {"command": list(run)} | given
    return given or None if run is None else {"python": repr(run)}


def _is_told(path: str, mistakes: Iterable[Mistake]) -> bool:
    """Whether one of ``mistakes`` is about ``path`` or something in it."""
    return any(m.path.startswith(path) for m in mistakes)


def _plain(value: Any, depth: int = 0) -> Any:
    """``value`` as JSON has it: numbers and arrays of numpy become Python's, any sequence a list.

    What is nested without end, or in itself, is left as it is: it will be refused.
    """
    if depth > _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value
