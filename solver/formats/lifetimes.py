"""MiniMalloc's CSV as a problem: buffers whose lifetimes are fixed, and tasks that do nothing but keep them so.

The moments at which a buffer begins or ends cut time into steps. Each step is a task, the steps run one after another,
and every buffer is written by the step it begins with and read by the step it ends with. So there is one order, in
every plan any two buffers are alive together exactly when they are in the file, and only addresses are open::

    id,lower,upper,size        step 0 [0, 2)   writes a
    a,0,5,4                    step 1 [2, 5)   writes b, reads a
    b,2,9,3                    step 2 [5, 9)   reads b

A tick lasts one millisecond. A buffer that lives in one step only is written and read by nobody. The workspace aligns
to the largest alignment of the file, which keeps every placement valid and may round sizes up.

``catalytic place`` reads such a file as it is, with hints, gaps, given offsets and arenas, none of which a problem can
say. The reader of the file itself is ``minimalloc``.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from ..errors import Mistake
from ..problem import Buffer, OutputPolicy, Policy, Task, Workspace
from .foreign import (
    DEFAULT_WORKERS,
    Imported,
    imported_graph,
    refuse_scales,
    said_of_scales,
    scaled_size,
    scaled_ticks,
)
from .json_text import TOP
from .minimalloc import BufferTable, load_minimalloc
from .reading import refuse


def import_minimalloc(
    path: Path,
    *,
    scale_sizes: float = 1.0,
    scale_time: float = 1.0,
    workspace: Workspace | None = None,
    policy: Policy | None = None,
    workers: int = DEFAULT_WORKERS,
    alignment: int | None = None,
) -> Imported:
    """The buffers in ``path`` as a problem whose only order keeps their lifetimes; ``InputError`` with its mistakes.

    ``alignment``: None takes the largest of the file. ``policy``: unread buffers are discarded unless it says
    otherwise, because they are no results.
    """
    origin = str(path)
    refuse_scales(scale_sizes, scale_time)
    table = load_minimalloc(path)
    step = max(table.alignment, default=1)
    refuse(origin, [*_mistakes(table, step)])
    moments = sorted({*table.lower, *table.upper})
    at = {moment: k for k, moment in enumerate(moments)}
    names = [f"step {k} [{start}, {end})" for k, (start, end) in enumerate(pairwise(moments))]
    writes: list[list[str]] = [[] for _ in names]
    reads: list[list[str]] = [[] for _ in names]
    for b, lower, upper in zip(table.id, table.lower, table.upper, strict=True):
        first, last = at[lower], at[upper] - 1
        writes[first].append(b)
        if last > first:
            reads[last].append(b)
    tasks = {
        names[k]: Task(
            id=names[k],
            duration=scaled_ticks(Decimal(end - start), scale_time),
            inputs=tuple(reads[k]),
            outputs=tuple(writes[k]),
            after=(names[k - 1],) if k else (),
        )
        for k, (start, end) in enumerate(pairwise(moments))
    }
    buffers = {
        f"line {line}": Buffer(b, scaled_size(size, scale_sizes), data_type=pool or None)
        for line, b, size, pool in zip(table.line, table.id, table.size, table.pool, strict=True)
    }
    return imported_graph(
        origin,
        path.name.removesuffix(".gz").removesuffix(".csv"),
        tasks,
        buffers,
        alignment=alignment or step,
        workspace=workspace,
        policy=policy or Policy(outputs=OutputPolicy.DISCARD),
        workers=workers,
        assumptions=[*_assumptions(table, len(names)), *said_of_scales(scale_sizes, scale_time)],
    )


def _mistakes(table: BufferTable, step: int) -> Iterator[Mistake]:
    if not table.id:
        yield Mistake(TOP, "no buffers", "at least one")
    if step & (step - 1):
        line = table.line[table.alignment.index(step)]
        hint = "`catalytic place` reads it: a problem aligns to a power of two"
        yield Mistake(f"line {line}, alignment", str(step), "a power of two", hint)


def _assumptions(table: BufferTable, steps: int) -> Iterator[str]:
    yield f"lifetimes are fixed: {steps} tasks, one after another, write and read the buffers where they begin and end"
    yield "a tick lasts 1 ms; buffers that nobody reads are alive during one step and no results"
    if len(set(table.alignment)) > 1:
        yield f"alignments differ: all buffers are aligned to the largest, {max(table.alignment)} bytes"
    for what, given in (
        ("offsets", sum(offset is not None for offset in table.offset)),
        ("hints", sum(hint is not None for hint in table.hint)),
        ("arenas", sum(arena is not None for arena in table.arena)),
        ("gaps", sum(bool(gaps) for gaps in table.gaps)),
    ):
        if given:
            yield f"{what} (of {given} buffers) are not kept: `catalytic place` heeds them"
