"""From a plan to executions: what is run, what each must wait for and why, and what it holds while it runs.

An *execution* is a task, or the *load* of an external input that no task writes: into its region (policies ``lazy``
and ``preload``) or, when it has no source, into a staged file from which its readers map it (policy ``external``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from catalytic.solver.plan import EdgeKind, Plan, Region, loader_of
from catalytic.solver.problem import LOAD_PREFIX, InputPolicy, Isolation, Problem


@dataclass(frozen=True, slots=True)
class Execution:
    """One node of the partial order.

    ``needs``: executions whose results it reads, or that it must follow (data, ``after``, load). ``waits``: those
    whose bytes it takes over (reuse). ``follows``: those it only queues behind (exclusive, resource). ``readers``:
    executions that need what it writes. ``kept``: some output outlives the run. ``priority``: planned start (ms).
    """

    id: str
    priority: int
    needs: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    follows: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()
    partitions: frozenset[int] = frozenset()
    demands: tuple[tuple[str, int], ...] = ()
    kept: bool = False

    @property
    def is_load(self) -> bool:
        """Whether it brings in an external input instead of running a task."""
        return self.id.startswith(LOAD_PREFIX)


class Executions:
    """The executions of one plan and the relations the coordinator asks for. Keys are execution or buffer ids."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._problem = plan.problem
        self._graph = plan.problem.graph

    @cached_property
    def loaded(self) -> frozenset[str]:
        """External inputs with a load of their own: resident ones, and read ones that have neither bytes nor source."""
        return frozenset(
            b
            for b in self._graph.external
            if self._graph.readers[b]
            and self._graph.buffer[b].size > 0
            and (self._graph.is_resident(b) or self._graph.buffer[b].source is None)
        )

    @cached_property
    def writer(self) -> Mapping[str, str]:
        """Buffer id -> id of the execution that writes it. Inputs that are read where they are have none."""
        return dict(self._graph.writer) | {b: LOAD_PREFIX + b for b in sorted(self.loaded)}

    def inputs(self, execution: str) -> tuple[str, ...]:
        """Buffers it reads."""
        return () if execution.startswith(LOAD_PREFIX) else self._graph.task[execution].inputs

    def outputs(self, execution: str) -> tuple[str, ...]:
        """Buffers it writes, without scratch."""
        if execution.startswith(LOAD_PREFIX):
            return (execution.removeprefix(LOAD_PREFIX),)
        return self._graph.task[execution].outputs

    def scratch(self, execution: str) -> str | None:
        """Its scratch buffer, if it has one."""
        return self._graph.scratch_of.get(execution)

    def written_regions(self, execution: str) -> tuple[Region, ...]:
        """Regions it writes: outputs and scratch."""
        scratch = self.scratch(execution)
        names = (*self.outputs(execution), *((scratch,) if scratch else ()))
        return tuple(self.plan.region_of[b] for b in names if b in self.plan.region_of)

    @cached_property
    def order(self) -> tuple[Execution, ...]:
        """All executions in planned order; every predecessor comes first."""
        executions = [*map(self._load, sorted(self.loaded)), *(self._task(t.id) for t in self.plan.tasks)]
        # At one moment loads come first: their readers start then.
        return tuple(sorted(executions, key=lambda e: (e.priority, not e.id.startswith(LOAD_PREFIX), e.id)))

    def _task(self, task: str) -> Execution:
        kinds = self._edges_into.get(task, {})
        loads = frozenset(LOAD_PREFIX + b for b in self.inputs(task) if b in self.loaded)
        hard = kinds.get(EdgeKind.DATA, frozenset()) | kinds.get(EdgeKind.AFTER, frozenset())
        return Execution(
            id=task,
            priority=self.plan.task[task].start,
            needs=hard | loads,
            waits=(kinds.get(EdgeKind.REUSE, frozenset()) | self._loads_taken_over(task)) - hard,
            follows=kinds.get(EdgeKind.EXCLUSIVE, frozenset()) | kinds.get(EdgeKind.RESOURCE, frozenset()),
            readers=frozenset(r for b in self.outputs(task) for r in self._graph.readers[b]),
            partitions=self._partitions(task),
            demands=tuple((name, self._graph.task[task].demand(name)) for name, _ in self._problem.resources),
            kept=any(b in self._graph.kept for b in self.outputs(task)),
        )

    def _loads_taken_over(self, task: str) -> frozenset[str]:
        """Loads whose bytes the task takes over: their readers imply them, unless those readers are stuck."""
        owners = (o.region for r in self.written_regions(task) for o in self.plan.takes_over.get(r.id, ()))
        taken = {self.plan.region[region].buffer for region in owners}
        return frozenset(LOAD_PREFIX + b for b in taken & self.loaded)

    def _load(self, buffer: str) -> Execution:
        readers = self._graph.readers[buffer]
        starts = {t.id: t.start for t in self.plan.tasks}
        first = loader_of(self._problem, buffer, starts)
        region = self.plan.region_of.get(buffer)
        if region is not None:
            needs: frozenset[str] = frozenset()
            owners = self.plan.takes_over.get(region.id, ())
            waits = frozenset(u for o in owners for u in self._users(self.plan.region[o.region].buffer))
        else:
            # A staged file takes no planned bytes, so nothing orders its load: wait until the first reader is due.
            needs, waits = self._predecessors(first), frozenset()
        preloaded = self._problem.policy.inputs is InputPolicy.PRELOAD
        return Execution(
            id=LOAD_PREFIX + buffer,
            priority=0 if preloaded else starts[first],
            needs=needs,
            waits=waits,
            readers=frozenset(readers),
            partitions=self._partitions(LOAD_PREFIX + buffer),
            demands=(("workers", 1),),
            kept=buffer in self._graph.kept,
        )

    def _users(self, buffer: str) -> Iterable[str]:
        return (*((self.writer[buffer],) if buffer in self.writer else ()), *self._graph.readers[buffer])

    def _predecessors(self, task: str) -> frozenset[str]:
        return frozenset(e.source for e in self.plan.edges if e.target == task and e.kind in _HARD)

    @cached_property
    def _edges_into(self) -> Mapping[str, Mapping[EdgeKind, frozenset[str]]]:
        into: dict[str, dict[EdgeKind, set[str]]] = {}
        for e in self.plan.edges:
            into.setdefault(e.target, {}).setdefault(e.kind, set()).add(e.source)
        return {t: {k: frozenset(sources) for k, sources in kinds.items()} for t, kinds in into.items()}

    def _partitions(self, execution: str) -> frozenset[int]:
        """Partitions held alone while it runs; none when the problem lets writers share them."""
        if self._problem.workspace.isolation is Isolation.SHARED:
            return frozenset()
        return frozenset(e.partition for r in self.written_regions(execution) for e in r.extents)


_HARD = (EdgeKind.DATA, EdgeKind.AFTER)


def capacities(problem: Problem, workers: int) -> dict[str, int]:
    """Capacity of each resource when the run has ``workers`` worker processes."""
    return dict(problem.resources) | {"workers": workers}
