"""What makes a problem a problem: every mistake, with its path in the file, in one go.

Paths are those of the problem file (``tasks[2].inputs[0]``), because that is where a person will mend it; they refer
to the order in which tasks and buffers were given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ..errors import Mistake
from ..units import MAX_BYTES, MAX_TICKS
from .graph import file_name_of, find_cycle
from .model import LOAD_PREFIX, SCRATCH_PREFIX, Command, OutputPolicy, PythonCall

if TYPE_CHECKING:
    from .model import Problem


MAX_NAME_BYTES = 220
"""Longest part of an exported file's path. File systems take 255 bytes; unfinished files have longer names."""


def did_you_mean(word: str, known: Collection[str]) -> str:
    """``did you mean 'x'?``, or the empty text when nothing is near. Large vocabularies are not searched."""
    if len(known) > 5000:
        return ""
    near = get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"did you mean {near[0]!r}?" if near else ""


def mistakes_of(problem: Problem) -> list[Mistake]:
    """Every mistake of ``problem``; the empty list when it is valid. Cycles are looked for when ids resolve."""
    found = [
        *_name(problem),
        *_workspace(problem),
        *_resources(problem),
        *_ids("tasks", [t.id for t in problem.tasks]),
        *_ids("buffers", [b.id for b in problem.buffers]),
        *_ids("pools", [p.id for p in problem.pools]),
        *_pools(problem),
        *_buffers(problem),
        *_tasks(problem),
        *_writers(problem),
    ]
    return found or list(_cycles(problem))


def _name(problem: Problem) -> Iterator[Mistake]:
    if not _is_unicode(problem.name):
        yield Mistake("name", ascii(problem.name), "Unicode text")


def _is_unicode(text: str) -> bool:
    """Whether ``text`` can be written to a file: Python, YAML and names of files know halves of surrogate pairs."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _workspace(problem: Problem) -> Iterator[Mistake]:
    w = problem.workspace
    if not 1 <= w.partitions <= 4096:
        yield Mistake("workspace.partitions", str(w.partitions), "1 to 4096")
    if w.alignment < 1 or w.alignment > 2**30 or w.alignment & (w.alignment - 1):
        yield Mistake("workspace.alignment", str(w.alignment), "a power of two, at most 2^30 bytes")
    elif w.partitions >= 1 and not w.alignment * w.partitions <= w.size <= MAX_BYTES:
        yield Mistake(
            "workspace.size", str(w.size), f"at least alignment x partitions = {w.alignment * w.partitions} bytes"
        )


def _resources(problem: Problem) -> Iterator[Mistake]:
    names = [name for name, _ in problem.resources]
    for name, capacity in problem.resources:
        if not 1 <= capacity <= MAX_BYTES:
            yield Mistake(f"resources.{name}", str(capacity), f"an integer from 1 to {MAX_BYTES}")
    if "workers" not in names:
        yield Mistake("resources", ", ".join(names) or "nothing", "a capacity for 'workers'")
    if len(names) != len(set(names)):
        yield Mistake("resources", ", ".join(names), "each resource once")


def _ids(section: str, ids: Sequence[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, name in enumerate(ids):
        if not name or "\x00" in name:
            yield Mistake(f"{section}[{index}].id", repr(name), "non-empty text without NUL")
        elif not _is_unicode(name):
            yield Mistake(f"{section}[{index}].id", ascii(name), "Unicode text")
        if name in first:
            yield Mistake(f"{section}[{index}].id", repr(name), f"each id once; it stands at {section}[{first[name]}]")
        first.setdefault(name, index)


def _pools(problem: Problem) -> Iterator[Mistake]:
    first: dict[tuple[str | None, str | None], int] = {}
    for index, pool in enumerate(problem.pools):
        if pool.key in first:
            yield Mistake(
                f"pools[{index}]",
                f"data_type={pool.data_type!r}, access={pool.access!r}",
                f"each key once; it stands at pools[{first[pool.key]}]",
            )
        first.setdefault(pool.key, index)
        if pool.size is not None and not 1 <= pool.size <= MAX_BYTES:
            yield Mistake(f"pools[{index}].size", str(pool.size), f"1 to {MAX_BYTES} bytes")


def _buffers(problem: Problem) -> Iterator[Mistake]:
    written = {b for t in problem.tasks for b in t.outputs}
    for index, b in enumerate(problem.buffers):
        path = f"buffers[{index}]"
        if not 0 <= b.size <= MAX_BYTES:
            yield Mistake(f"{path}.size", str(b.size), f"0 to {MAX_BYTES} bytes")
        if b.id.startswith(SCRATCH_PREFIX):
            yield Mistake(f"{path}.id", repr(b.id), f"ids that do not begin with {SCRATCH_PREFIX!r}")
        if b.source is not None and b.id in written:
            yield Mistake(f"{path}.source", repr(b.source), "no source: a task writes this buffer")
        if b.export is not None:
            if b.id not in written:
                yield Mistake(f"{path}.export", repr(b.export), "no export: no task writes this buffer")
            name = b.export or file_name_of(b.id)
            if name.startswith("/") or ".." in name.split("/") or "\x00" in name or not PurePosixPath(name).parts:
                yield Mistake(f"{path}.export", repr(b.export), "a relative path that stays below the output directory")
    yield from _exports(problem, written)


def _exports(problem: Problem, written: Collection[str]) -> Iterator[Mistake]:
    """Two buffers would be copied to one file, or one to a file that another needs as a folder."""
    read = {b for t in problem.tasks for b in t.inputs}
    by_policy = problem.policy.outputs is OutputPolicy.EXPORT
    files: dict[str, int] = {}
    for index, b in enumerate(problem.buffers):
        if b.id not in written or (b.export is None and (not by_policy or b.keep or b.id in read)):
            continue
        name = str(PurePosixPath(b.export or file_name_of(b.id)))
        longest = max(len(part.encode()) for part in name.split("/"))
        if longest > MAX_NAME_BYTES:
            yield Mistake(
                f"buffers[{index}].export",
                f"a file name of {longest} bytes",
                f"at most {MAX_NAME_BYTES}",
                "" if b.export else "give the buffer an 'export' of its own",
            )
        if name in files:
            yield Mistake(f"buffers[{index}].export", repr(name), f"each file once; buffers[{files[name]}] has it too")
        files.setdefault(name, index)
    for name, index in files.items():
        for folder in map(str, PurePosixPath(name).parents):
            if folder in files:
                yield Mistake(
                    f"buffers[{index}].export", repr(name), f"another file: buffers[{files[folder]}] is {folder!r}"
                )


def _tasks(problem: Problem) -> Iterator[Mistake]:
    tasks = {t.id for t in problem.tasks}
    buffers = {b.id: b for b in problem.buffers}
    capacities = dict(problem.resources)
    written = {b for t in problem.tasks for b in t.outputs}
    for index, t in enumerate(problem.tasks):
        path = f"tasks[{index}]"
        if t.id.startswith(LOAD_PREFIX):
            yield Mistake(f"{path}.id", repr(t.id), f"ids that do not begin with {LOAD_PREFIX!r}")
        if not 1 <= t.duration <= MAX_TICKS:
            yield Mistake(f"{path}.duration", f"{t.duration} ms", f"1 to {MAX_TICKS} ms")
        if t.timeout is not None and not 1 <= t.timeout <= MAX_TICKS:
            yield Mistake(f"{path}.timeout", f"{t.timeout} ms", f"1 to {MAX_TICKS} ms")
        if not 0 <= t.scratch <= MAX_BYTES:
            yield Mistake(f"{path}.scratch", str(t.scratch), f"0 to {MAX_BYTES} bytes")
        for section, names in (("inputs", t.inputs), ("outputs", t.outputs)):
            for i, name in enumerate(names):
                if name not in buffers:
                    yield Mistake(
                        f"{path}.{section}[{i}]", repr(name), "the id of a buffer", did_you_mean(name, buffers)
                    )
                if name in names[:i]:
                    yield Mistake(f"{path}.{section}[{i}]", repr(name), "each buffer once")
        for name in sorted(set(t.inputs) & set(t.outputs)):
            yield Mistake(f"{path}.outputs", repr(name), "a buffer the task does not read itself (use in_place)")
        for i, name in enumerate(t.after):
            if name not in tasks:
                yield Mistake(f"{path}.after[{i}]", repr(name), "the id of a task", did_you_mean(name, tasks))
        if len(t.demands) != len(dict(t.demands)):
            yield Mistake(f"{path}.demands", ", ".join(name for name, _ in t.demands), "each resource once")
        for name, amount in t.demands:
            if name not in capacities:
                yield Mistake(
                    f"{path}.demands.{name}", repr(name), f"one of {', '.join(sorted(capacities))}",
                    did_you_mean(name, capacities),
                )  # fmt: skip
            elif not 0 <= amount <= capacities[name]:
                yield Mistake(f"{path}.demands.{name}", str(amount), f"0 to the capacity {capacities[name]}")
        yield from _in_place(path, t.in_place, t.inputs, t.outputs, problem.policy.inputs.value, written)
        yield from _run(path, t.run, t.inputs, t.outputs)


def _in_place(
    path: str,
    pairs: Sequence[tuple[str, str]],
    inputs: Sequence[str],
    outputs: Sequence[str],
    input_policy: str,
    written: Collection[str],
) -> Iterator[Mistake]:
    seen: set[str] = set()
    for output, source in pairs:
        if output not in outputs:
            yield Mistake(
                f"{path}.in_place.{output}", repr(output), "an output of this task", did_you_mean(output, outputs)
            )
        if source not in inputs:
            yield Mistake(
                f"{path}.in_place.{output}", repr(source), "an input of this task", did_you_mean(source, inputs)
            )
        elif source not in written and input_policy == "external":
            yield Mistake(f"{path}.in_place.{output}", repr(source), "a buffer that lives in the workspace")
        if source in seen:
            yield Mistake(f"{path}.in_place.{output}", repr(source), "each input taken over once")
        seen.add(source)


def _run(path: str, run: object, inputs: Sequence[str], outputs: Sequence[str]) -> Iterator[Mistake]:
    if isinstance(run, PythonCall):
        module, _, function = run.target.partition(":")
        if not module or not function or not all(part.isidentifier() for part in (*module.split("."), function)):
            yield Mistake(f"{path}.run.python", repr(run.target), "'module:function'")
    if isinstance(run, Command):
        if not run.argv:
            yield Mistake(f"{path}.run.command", "[]", "at least the program")
        for index, word in enumerate(run.argv):
            if "\x00" in word:
                yield Mistake(f"{path}.run.command[{index}]", repr(word), "text without NUL")
        for name, value in run.env:
            if not name or "=" in name or "\x00" in name + value:
                yield Mistake(
                    f"{path}.run.env", repr(name), "names that are not empty and hold no '=', nothing with NUL"
                )
        if run.stdin is not None and run.stdin not in inputs:
            yield Mistake(
                f"{path}.run.stdin", repr(run.stdin), "an input of this task", did_you_mean(run.stdin, inputs)
            )
        if run.stdout is not None and run.stdout not in outputs:
            yield Mistake(
                f"{path}.run.stdout", repr(run.stdout), "an output of this task", did_you_mean(run.stdout, outputs)
            )


def _writers(problem: Problem) -> Iterator[Mistake]:
    writer: dict[str, str] = {}
    for index, t in enumerate(problem.tasks):
        for i, name in enumerate(t.outputs):
            if name in writer and writer[name] != t.id:
                yield Mistake(
                    f"tasks[{index}].outputs[{i}]",
                    repr(name),
                    f"one writer per buffer; task {writer[name]!r} writes it",
                )
            writer.setdefault(name, t.id)


def _cycles(problem: Problem) -> Iterator[Mistake]:
    writer = {b: t.id for t in problem.tasks for b in t.outputs}
    why: dict[tuple[str, str], str] = {}
    successors: dict[str, list[str]] = {t.id: [] for t in problem.tasks}
    for index, t in enumerate(problem.tasks):
        for i, b in enumerate(t.inputs):
            if b in writer:
                why.setdefault((writer[b], t.id), f"tasks[{index}].inputs[{i}] ({b!r})")
                successors[writer[b]].append(t.id)
        for i, before in enumerate(t.after):
            why.setdefault((before, t.id), f"tasks[{index}].after[{i}]")
            successors[before].append(t.id)
    cycle = find_cycle(successors)
    if cycle is not None:
        # An `after` edge is the likelier mistake: data edges say what a task really reads.
        edges = list(pairwise(cycle))
        cut = next((e for e in reversed(edges) if ".after[" in why[e]), edges[-1])
        yield Mistake(
            "tasks", "the cycle " + " -> ".join(cycle), "no cycle", f"cut {cut[0]} -> {cut[1]}, stated at {why[cut]}"
        )
