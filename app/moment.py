"""The buffers alive at one moment, as people ask for them: what each does, who wrote it, who still needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from catalytic.solver.problem import SCRATCH_PREFIX, Problem

if TYPE_CHECKING:
    from catalytic.solver.order.bounds import Force
    from catalytic.solver.order.profile import Profile


class Role(StrEnum):
    """What a living buffer does while the task runs."""

    WRITTEN = "written"
    SCRATCH = "scratch"
    READ = "read"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Share:
    """One buffer and its bytes, rounded up to the alignment."""

    buffer: str
    size: int


@dataclass(frozen=True, slots=True)
class Group:
    """Buffers that play one role, have one writer and are needed by the same tasks; ``size`` is their sum.

    ``written_by`` None: an external input. ``needed_by``: readers that have not ended, the running task included.
    ``then``: what becomes of them after the last reader, or of unread ones: ``kept``, ``exported`` or ``dropped``.
    """

    role: Role
    size: int
    written_by: str | None
    needed_by: tuple[str, ...]
    then: str
    buffers: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is alive while ``task`` runs. ``bytes`` = sizes of the groups - ``shared`` in place.

    ``certain``: these very buffers are alive; otherwise they are the cheapest choice, and others may be alive instead
    that have no fewer bytes.
    """

    task: str
    bytes: int
    shared: int
    certain: bool
    groups: tuple[Group, ...]


def forced_moment(problem: Problem, force: Force) -> Moment:
    """The moment of a bound. No order is given, so a reader counts as done only if it must precede the task."""
    done = _ancestors(problem, force.task)
    groups = _groups(problem, force.task, force.buffers, lambda reader: reader not in done)
    return _moment(force.task, force.bytes, groups, certain=force.certain)


def working_moment(problem: Problem, task: str) -> Moment:
    """What exists in every order while ``task`` runs because the task itself touches it."""
    graph = problem.graph
    size = {b: graph.aligned_size[b] for b in graph.working_set(task)}
    saved = sum(min(size[o], size[i]) for o, i in graph.task[task].in_place if o in size and i in size)
    done = _ancestors(problem, task)
    return _moment(
        task, sum(size.values()) - saved, _groups(problem, task, size, lambda r: r not in done), certain=True
    )


def peak_moment(along: Profile, pool: str | None = None) -> Moment:
    """The first step of an order at which most bytes are alive."""
    step = along.peak_step(pool)
    later = set(along.order[step:])
    groups = _groups(along.problem, along.order[step], along.alive(step), later.__contains__)
    return _moment(along.order[step], along.live[step], groups, certain=True)


def _moment(task: str, total: int, groups: tuple[Group, ...], *, certain: bool) -> Moment:
    return Moment(task, total, sum(g.size for g in groups) - total, certain, groups)


def _groups(problem: Problem, task: str, alive: Iterable[str], needs: Callable[[str], bool]) -> tuple[Group, ...]:
    """The living buffers, those with the same role and users together, largest group first."""
    graph = problem.graph
    together: dict[tuple[Role, str | None, tuple[str, ...], str], list[Share]] = {}
    for b in alive:
        readers = tuple(r for r in graph.readers[b] if needs(r))
        key = (_role(problem, task, b), graph.writer.get(b), readers, _then(problem, b))
        together.setdefault(key, []).append(Share(b, graph.aligned_size[b]))
    groups = [
        Group(role, sum(s.size for s in shares), writer, readers, then, tuple(sorted(shares, key=_larger_first)))
        for (role, writer, readers, then), shares in together.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.size, _larger_first(g.buffers[0]))))


def _larger_first(share: Share) -> tuple[int, str]:
    return (-share.size, share.buffer)


def _role(problem: Problem, task: str, buffer: str) -> Role:
    if buffer == SCRATCH_PREFIX + task:
        return Role.SCRATCH
    if problem.graph.writer.get(buffer) == task:
        return Role.WRITTEN
    return Role.READ if buffer in problem.graph.task[task].inputs else Role.WAITING


def _then(problem: Problem, buffer: str) -> str:
    if buffer in problem.graph.kept:
        return "kept"
    return "exported" if buffer in problem.graph.exported else "dropped"


def _ancestors(problem: Problem, task: str) -> set[str]:
    """Every task that must end before ``task`` starts."""
    seen: set[str] = set()
    waiting = [task]
    while waiting:
        for before in problem.graph.predecessors[waiting.pop()]:
            if before not in seen:
                seen.add(before)
                waiting.append(before)
    return seen
