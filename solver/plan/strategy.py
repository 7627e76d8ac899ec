"""What a pebbling tool hands over: a sequence of moves, or a timeline in which all lifetimes are fixed.

A *strategy* is the order in which tasks are computed (some of them again), and which buffers are dropped, spilled to
a file, loaded back or lent between the computations. Which buffers live when follows by :func:`replay`.

A *timeline* is the form of earlier tools: per task the moments at which its memory is allocated and given back. It
has no data edges; only the placement is open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ..errors import InputError, Mistake
from ..problem import (
    Buffer,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Problem,
    Task,
    Workspace,
)
from ..units import Bytes, Tick
from .proof import Bound, Status


class Move(StrEnum):
    """``compute`` and ``recompute`` a task; ``drop``, ``spill``, ``load``, ``borrow`` and ``restore`` a buffer."""

    COMPUTE = "compute"
    RECOMPUTE = "recompute"
    DROP = "drop"
    SPILL = "spill"
    LOAD = "load"
    BORROW = "borrow"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Step:
    """One move. ``subject`` is a task (compute, recompute) or a buffer; ``task`` is who borrows or restores."""

    move: Move
    subject: str
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """A sequence of moves for ``problem``. ``limit``: the peak it was asked to stay under (bytes, None: none).

    ``rule`` names how it was found. ``status`` and ``bounds`` speak about the peak (``peak_live``).
    """

    problem: Problem
    steps: tuple[Step, ...]
    limit: Bytes | None = None
    rule: str = "given"
    status: Status = Status.FEASIBLE
    bounds: tuple[Bound, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """What follows from a strategy.

    ``live[i]``: ids of the buffers in memory after step ``i``, sorted. ``profile[i]``: bytes in memory during step
    ``i``. ``peak`` is their maximum, first reached at step ``peak_step`` (None without steps). ``base`` and ``extra``
    are ticks of first and of repeated computations, ``recomputes`` their number, ``io`` bytes spilled and loaded back.
    """

    live: tuple[tuple[str, ...], ...]
    profile: tuple[Bytes, ...]
    peak: Bytes
    peak_step: int | None
    base: Tick
    extra: Tick
    recomputes: int
    io: Bytes


def replay(strategy: Strategy) -> Replay:
    """Follow the moves; sizes are aligned, external inputs count nothing.

    A buffer appears when its writer is computed (a lazy input when first read), and goes with ``drop`` or ``spill``;
    scratch, and outputs that nobody reads and nobody keeps, go with their task. Raises ``InputError`` with every
    move that is impossible where it stands.
    """
    memory = _Memory(strategy.problem)
    for index, step in enumerate(strategy.steps):
        memory.move(f"steps[{index}]", step)
    never = sorted(memory.graph.task.keys() - memory.computed)
    if never:
        memory.refuse("steps", f"no computation of {never[0]!r}", f"each task computed ({len(never)} are not)")
    if memory.mistakes:
        raise InputError("strategy", memory.mistakes)
    peak = max(memory.profile, default=0)
    return Replay(
        live=tuple(memory.snapshots),
        profile=tuple(Bytes(b) for b in memory.profile),
        peak=Bytes(peak),
        peak_step=memory.profile.index(peak) if memory.profile else None,
        base=Tick(memory.base),
        extra=Tick(memory.extra),
        recomputes=memory.recomputes,
        io=Bytes(memory.io),
    )


class _Memory:
    """The state of a replay: what lives, what is spilled or lent, and what it has cost so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.graph = problem.graph
        preloaded = problem.policy.inputs is InputPolicy.PRELOAD
        self.live = {b for b in self.graph.resident if preloaded and b not in self.graph.writer}
        self.spilled: set[str] = set()
        self.lent: dict[str, str] = {}
        self.computed: set[str] = set()
        self.snapshots: list[tuple[str, ...]] = []
        self.profile: list[int] = []
        self.mistakes: list[Mistake] = []
        self.base = self.extra = self.recomputes = self.io = 0

    def refuse(self, path: str, found: str, allowed: str) -> None:
        self.mistakes.append(Mistake(path, found, allowed))

    def move(self, path: str, step: Step) -> None:
        during = self.live
        if step.move in (Move.COMPUTE, Move.RECOMPUTE):
            if step.subject not in self.graph.task:
                self.refuse(path, repr(step.subject), "the id of a task")
            else:
                during = self._compute(path, step)
        elif not self.graph.is_resident(step.subject):
            self.refuse(path, repr(step.subject), "the id of a buffer that takes memory")
        else:
            during = self._buffer_move(path, step)
        self.profile.append(self._bytes(during))
        self.snapshots.append(tuple(sorted(self.live)))

    def _bytes(self, buffers: Iterable[str]) -> int:
        """Bytes of ``buffers``; scratch lies in what its task has borrowed, as far as that reaches."""
        total = 0
        for b in buffers:
            size = self.graph.aligned_size[b]
            if b in self.graph.scratch_of.values():
                task = self.graph.writer[b]
                size = Bytes(max(0, size - sum(self.graph.aligned_size[x] for x, t in self.lent.items() if t == task)))
            total += size
        return total

    def _compute(self, path: str, step: Step) -> set[str]:
        task = self.graph.task[step.subject]
        again = task.id in self.computed
        if again != (step.move is Move.RECOMPUTE):
            self.refuse(path, step.move.value, "recompute" if again else "compute: it has not been computed yet")
        for before in self.graph.predecessors[task.id]:
            if before not in self.computed:
                self.refuse(path, f"{task.id!r} before {before!r}", "predecessors first")
        needed = {b for b in task.inputs if self.graph.is_resident(b)}
        absent = sorted(b for b in needed - self.live if b in self.graph.writer or b in self.spilled)
        for b in absent:
            self.refuse(path, f"the input {b!r} of {task.id!r} is not in memory", "inputs that are in memory")
        for b in sorted(needed & self.lent.keys()):
            self.refuse(path, f"the input {b!r} of {task.id!r} is lent", "inputs that have been restored")
        during = self.live | set(self.graph.working_set(task.id))
        written = {b for b in self.graph.working_set(task.id) if self.graph.writer.get(b) == task.id}
        self.live = during - {b for b in written if not self.graph.readers[b] and b not in self.graph.kept}
        self.computed.add(task.id)
        if again:
            self.recomputes += 1
            self.extra += task.duration
        else:
            self.base += task.duration
        return during

    def _buffer_move(self, path: str, step: Step) -> set[str]:
        b, before = step.subject, self.live
        present = step.move is not Move.LOAD
        if present and b not in self.live:
            self.refuse(path, f"{b!r} is not in memory", "a buffer that is")
        match step.move:
            case Move.DROP | Move.SPILL:
                if b in self.lent:
                    self.refuse(path, f"{b!r} is lent", "a buffer that has been restored")
                self.live = self.live - {b}
                if step.move is Move.SPILL:
                    self.spilled.add(b)
                    self.io += self.graph.aligned_size[b]
            case Move.LOAD:
                if b not in self.spilled:
                    self.refuse(path, f"{b!r} was not spilled", "a spilled buffer")
                self.live = self.live | {b}
                self.io += self.graph.aligned_size[b]
            case Move.BORROW:
                borrower = self.graph.task.get(step.task or "")
                if borrower is None or not borrower.reversible:
                    self.refuse(path, repr(step.task), "a reversible task that borrows")
                elif b in self.lent:
                    self.refuse(path, f"{b!r} is lent already", "an idle buffer")
                else:
                    self.lent[b] = borrower.id
            case Move.RESTORE:
                if self.lent.pop(b, None) != step.task:
                    self.refuse(path, f"{b!r} is not lent to {step.task!r}", "what was borrowed")
        return before | self.live


@dataclass(frozen=True, slots=True)
class Allocation:
    """Memory of one task: ``size`` bytes in ``[allocated, deallocated)``."""

    task: str
    allocated: Tick
    deallocated: Tick
    size: Bytes
    data_type: str | None = None

    @property
    def pool_key(self) -> str:
        """The data type; where none is given, the task id up to its last ``.`` or ``-``."""
        if self.data_type is not None:
            return self.data_type
        cut = max(self.task.rfind("."), self.task.rfind("-"))
        return self.task[:cut] if cut > 0 else self.task


@dataclass(frozen=True, slots=True)
class Timeline:
    """Allocations with fixed moments, as earlier tools write them."""

    name: str
    algorithm: str
    allocations: tuple[Allocation, ...]


def timeline_problem(timeline: Timeline, workspace: Workspace | None = None) -> tuple[Problem, dict[str, Tick]]:
    """A problem and the starts that are fixed: only the placement is open.

    Each allocation is a task that lasts as long as its memory and writes one buffer nobody reads (digested, not
    exported). There are as many workers as the timeline runs tasks at once. Without ``workspace`` it is the default
    one with shared partitions, because fixed starts cannot wait for a partition.
    """
    problem = Problem(
        name=timeline.name,
        tasks=tuple(
            Task(id=a.task, duration=Tick(a.deallocated - a.allocated), outputs=(f"{a.task}:memory",))
            for a in timeline.allocations
        ),
        buffers=tuple(Buffer(f"{a.task}:memory", a.size, a.pool_key) for a in timeline.allocations),
        workspace=workspace or Workspace(isolation=Isolation.SHARED),
        resources=(("workers", max(1, _most_at_once(timeline.allocations))),),
        policy=Policy(outputs=OutputPolicy.DISCARD),
    )
    return problem, {a.task: a.allocated for a in timeline.allocations}


def _most_at_once(allocations: Iterable[Allocation]) -> int:
    changes = sorted(change for a in allocations for change in ((a.allocated, 1), (a.deallocated, -1)))
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most
