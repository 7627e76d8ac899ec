"""What the problem says, worked out again from its tasks and buffers alone.

Nothing here comes from ``problem.graph``, ``plan.lifetime`` or ``plan.assemble``: a mistake there must not be able to
excuse itself here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..problem import InputPolicy, OutputPolicy, Problem


@dataclass(frozen=True, slots=True)
class Resident:
    """A buffer that takes bytes of the workspace: ``size`` is aligned; ``writer`` is None for a loaded input."""

    id: str
    size: int
    writer: str | None
    readers: tuple[str, ...]
    key: tuple[str | None, str | None]
    kept: bool
    exported: bool

    @property
    def users(self) -> tuple[str, ...]:
        """Tasks that touch the bytes: the writer (which also exports them) and the readers."""
        return self.readers if self.writer is None else (self.writer, *self.readers)


@dataclass(frozen=True, slots=True)
class Facts:
    """Relations of a problem, keyed by id. ``before``: task -> tasks that must have ended (data and ``after``)."""

    duration: dict[str, int]
    demand: dict[str, dict[str, int]]
    before: dict[str, set[str]]
    residents: dict[str, Resident]
    in_place: frozenset[tuple[str, str]]
    preloaded: bool
    allocated: int


def facts_of(problem: Problem) -> Facts:
    """The facts of ``problem``; linear in its size."""
    alignment = problem.workspace.alignment
    declared = {b.id: b for b in problem.buffers}
    writer: dict[str, str] = {}
    readers: dict[str, list[str]] = {}
    for t in problem.tasks:
        for name in t.outputs:
            writer[name] = t.id
        for name in t.inputs:
            readers.setdefault(name, []).append(t.id)
    residents: dict[str, Resident] = {}
    for b in problem.buffers:
        loaded = b.id not in writer and b.id in readers and problem.policy.inputs is not InputPolicy.EXTERNAL
        if b.size == 0 or not (b.id in writer or loaded):
            continue
        unread = b.id in writer and b.id not in readers and b.export is None
        residents[b.id] = Resident(
            id=b.id,
            size=-(-b.size // alignment) * alignment,
            writer=writer.get(b.id),
            readers=tuple(readers.get(b.id, ())),
            key=(b.data_type, b.access),
            kept=b.keep or (unread and problem.policy.outputs is OutputPolicy.KEEP),
            exported=b.id in writer
            and (b.export is not None or (unread and not b.keep and problem.policy.outputs is OutputPolicy.EXPORT)),
        )
    for t in problem.tasks:
        if t.scratch:
            first = declared[t.outputs[0]] if t.outputs else None
            residents[f"scratch:{t.id}"] = Resident(
                id=f"scratch:{t.id}",
                size=-(-t.scratch // alignment) * alignment,
                writer=t.id,
                readers=(),
                key=(first.data_type, first.access) if first else (None, None),
                kept=False,
                exported=False,
            )
    return Facts(
        duration={t.id: t.duration for t in problem.tasks},
        demand={t.id: {"workers": 1} | dict(t.demands) for t in problem.tasks},
        before={t.id: {writer[b] for b in t.inputs if b in writer} | set(t.after) for t in problem.tasks},
        residents=residents,
        in_place=frozenset(
            (output, source)
            for t in problem.tasks
            for output, source in t.in_place
            if output in residents and source in residents
        ),
        preloaded=problem.policy.inputs is InputPolicy.PRELOAD,
        allocated=sum(r.size for r in residents.values()),
    )
