"""Relations derived from a problem: who writes, who reads, who must precede whom, and what lives in the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from ..units import Bytes, align_up
from .model import DEFAULT_POOL, SCRATCH_PREFIX, Buffer, InputPolicy, OutputPolicy, Pool, Problem, Task


def find_cycle(successors: Mapping[str, Iterable[str]]) -> list[str] | None:
    """A cycle ``[a, b, ..., a]`` of the graph, or ``None``. Iterative depth-first search, linear, deterministic."""
    done: set[str] = set()
    for root in successors:
        if root in done:
            continue
        path: list[str] = [root]
        on_path = {root}
        stack = [iter(successors.get(root, ()))]
        while stack:
            for nxt in stack[-1]:
                if nxt in on_path:
                    return [*path[path.index(nxt) :], nxt]
                if nxt not in done:
                    path.append(nxt)
                    on_path.add(nxt)
                    stack.append(iter(successors.get(nxt, ())))
                    break
            else:
                stack.pop()
                node = path.pop()
                on_path.discard(node)
                done.add(node)
    return None


def file_name_of(buffer: str) -> str:
    """The relative file name of an exported buffer that names none: its id, kept below the output directory.

    >>> file_name_of("/c3/9397/x.csv"), file_name_of("../../etc/passwd")
    ('c3/9397/x.csv', 'etc/passwd')
    """
    return "/".join(part for part in buffer.split("/") if part not in ("", ".", "..")) or "_"


class Graph:
    """Derived relations of one problem. Mappings are keyed by id; tuples keep the problem's canonical order."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    @cached_property
    def task(self) -> Mapping[str, Task]:
        """Task of each id."""
        return {t.id: t for t in self._problem.tasks}

    @cached_property
    def buffer(self) -> Mapping[str, Buffer]:
        """Buffer of each id, scratch buffers (``scratch:<task>``) included."""
        declared = {b.id: b for b in self._problem.buffers}
        return declared | {b.id: b for b in self._scratch}

    @cached_property
    def _scratch(self) -> tuple[Buffer, ...]:
        declared = {b.id: b for b in self._problem.buffers}
        scratch = []
        for t in self._problem.tasks:
            if t.scratch > 0:
                first = declared[t.outputs[0]] if t.outputs else None
                data_type, access = first.pool_key if first else (None, None)
                scratch.append(Buffer(SCRATCH_PREFIX + t.id, t.scratch, data_type, access))
        return tuple(scratch)

    @cached_property
    def scratch_of(self) -> Mapping[str, str]:
        """Task id -> id of its scratch buffer, for tasks that have one."""
        return {b.id.removeprefix(SCRATCH_PREFIX): b.id for b in self._scratch}

    @cached_property
    def writer(self) -> Mapping[str, str]:
        """Buffer id -> id of the task that writes it. External inputs are absent."""
        written = {b: t.id for t in self._problem.tasks for b in t.outputs}
        return written | {b: t for t, b in self.scratch_of.items()}

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """Buffer id -> ids of the tasks that read it, sorted; the empty tuple when nobody does."""
        readers: dict[str, list[str]] = {b: [] for b in self.buffer}
        for t in self._problem.tasks:
            for b in t.inputs:
                readers[b].append(t.id)
        return {b: tuple(sorted(ids)) for b, ids in readers.items()}

    @cached_property
    def predecessors(self) -> Mapping[str, tuple[str, ...]]:
        """Task id -> ids of the tasks that must end before it starts (data and ``after``), sorted."""
        return {
            t.id: tuple(sorted({self.writer[b] for b in t.inputs if b in self.writer} | set(t.after)))
            for t in self._problem.tasks
        }

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        """Inverse of :attr:`predecessors`."""
        successors: dict[str, list[str]] = {t.id: [] for t in self._problem.tasks}
        for t, before in self.predecessors.items():
            for p in before:
                successors[p].append(t)
        return {t: tuple(sorted(ids)) for t, ids in successors.items()}

    @cached_property
    def topological_order(self) -> tuple[str, ...]:
        """Task ids, every predecessor first; among ready tasks the least id first."""
        from heapq import heapify, heappop, heappush

        missing = {t: len(p) for t, p in self.predecessors.items()}
        ready = [t for t, n in missing.items() if n == 0]
        heapify(ready)
        order = []
        while ready:
            t = heappop(ready)
            order.append(t)
            for s in self.successors[t]:
                missing[s] -= 1
                if missing[s] == 0:
                    heappush(ready, s)
        return tuple(order)

    @cached_property
    def external(self) -> tuple[str, ...]:
        """Ids of the buffers no task writes, whatever the input policy."""
        return tuple(b.id for b in self._problem.buffers if b.id not in self.writer)

    @cached_property
    def resident(self) -> tuple[str, ...]:
        """Ids of the buffers that take bytes of the workspace, sorted.

        Written buffers and scratch of positive size; external inputs of positive size that somebody reads, when the
        input policy is ``lazy`` or ``preload``.
        """
        loads = self._problem.policy.inputs is not InputPolicy.EXTERNAL
        return tuple(
            sorted(
                b.id
                for b in self.buffer.values()
                if b.size > 0 and (b.id in self.writer or (loads and self.readers[b.id]))
            )
        )

    @cached_property
    def aligned_size(self) -> Mapping[str, Bytes]:
        """Buffer id -> size rounded up to the alignment."""
        alignment = self._problem.workspace.alignment
        return {b.id: align_up(b.size, alignment) for b in self.buffer.values()}

    @cached_property
    def allocated(self) -> Bytes:
        """Sum of the aligned sizes of all resident buffers, each counted once."""
        return Bytes(sum(self.aligned_size[b] for b in self.resident))

    @cached_property
    def kept(self) -> frozenset[str]:
        """Ids of the resident buffers that survive until the makespan: ``keep``, or unread under policy ``keep``."""
        keep_unread = self._problem.policy.outputs is OutputPolicy.KEEP
        return frozenset(
            b
            for b in self.resident
            if self.buffer[b].keep
            or (
                keep_unread
                and b in self.writer
                and not self.readers[b]
                and self.buffer[b].export is None
                and not b.startswith(SCRATCH_PREFIX)
            )
        )

    @cached_property
    def exported(self) -> Mapping[str, str]:
        """Buffer id -> relative file name it is copied to when its writer ends.

        Buffers that name an ``export``, and unread written buffers under policy ``export`` that are not ``keep``.
        Zero-byte buffers are exported too (as empty files). Scratch never is. Where a buffer's id gives the name, what
        would lead out of the output directory (a leading ``/``, ``..``) is left out of it.
        """
        export_unread = self._problem.policy.outputs is OutputPolicy.EXPORT
        exported = {}
        for b in self._problem.buffers:
            if b.id not in self.writer:
                continue
            if b.export is not None:
                exported[b.id] = b.export or file_name_of(b.id)
            elif export_unread and not b.keep and not self.readers[b.id]:
                exported[b.id] = file_name_of(b.id)
        return exported

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Every pool some resident buffer needs, sorted by id: declared ones, and one per remaining key."""
        by_key = {p.key: p for p in self._problem.pools}
        taken = {p.id for p in self._problem.pools}
        for key in sorted({self.buffer[b].pool_key for b in self.resident} - by_key.keys(), key=_key_order):
            words = [word for word in key if word is not None]
            name = stem = "-".join(words) if words else DEFAULT_POOL
            number = 2
            while name in taken:
                name, number = f"{stem}-{number}", number + 1
            taken.add(name)
            by_key[key] = Pool(name, *key)
        used = {self.buffer[b].pool_key for b in self.resident}
        return tuple(sorted((p for key, p in by_key.items() if key in used), key=lambda p: p.id))

    @cached_property
    def pool_of(self) -> Mapping[str, str]:
        """Resident buffer id -> pool id."""
        by_key = {p.key: p.id for p in self.pools}
        return {b: by_key[self.buffer[b].pool_key] for b in self.resident}

    def critical_path(self) -> tuple[tuple[str, ...], int]:
        """A longest chain of tasks by duration, and its length in ticks: no schedule ends sooner."""
        best: dict[str, int] = {}
        came: dict[str, str | None] = {}
        for t in self.topological_order:
            before = max(self.predecessors[t], key=lambda p: (best[p], p), default=None)
            best[t] = self.task[t].duration + (best[before] if before is not None else 0)
            came[t] = before
        if not best:
            return (), 0
        last: str | None = max(best, key=lambda t: (best[t], t))
        length = best[last] if last is not None else 0
        path = []
        while last is not None:
            path.append(last)
            last = came[last]
        return tuple(reversed(path)), length

    def working_set(self, task: str) -> tuple[str, ...]:
        """Resident buffers that exist while ``task`` runs in every plan: its inputs, outputs and scratch."""
        t = self.task[task]
        resident = self._resident_set
        names: Sequence[str] = (*t.inputs, *t.outputs, *((self.scratch_of[task],) if task in self.scratch_of else ()))
        return tuple(b for b in names if b in resident)

    @cached_property
    def _resident_set(self) -> frozenset[str]:
        return frozenset(self.resident)

    def is_resident(self, buffer: str) -> bool:
        """Whether ``buffer`` takes bytes of the workspace."""
        return buffer in self._resident_set


def _key_order(key: tuple[str | None, str | None]) -> tuple[str, str]:
    return (key[0] or "", key[1] or "")
