"""What has to run again after damage, a crash or a failure, and where: lineage, in the bytes nobody needs.

The plan's bytes are reused, so the inputs of a writer that has to run again are often gone. A repair therefore has
two parts, decided here without touching a byte:

1. *What no longer stands* (``undone``). An execution that ran ahead of a stuck one it was ordered behind (see
   :mod:`.engine`) and whose results are still needed holds bytes the stuck one must have: it is given up and runs
   again in its turn. So is everything that may have read damaged bytes.
2. *What is missing* (``plan_repair``). A buffer somebody still needs, whose writer has committed but whose bytes are
   damaged or gone, is written again where it was. Its writer's inputs are used where they still live, or made again
   by their writers, and so on, up to external inputs. These temporaries lie in bytes of the arena that no living
   buffer owns; they are placed first fit, in the order of the repair.

A repair runs while nothing else runs. It is not recorded as a plan: after a crash it is simply decided anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalytic.solver.errors import IntegrityError
from catalytic.solver.plan import Extent
from catalytic.solver.problem import LOAD_PREFIX
from catalytic.solver.units import Bytes, format_size

from .dispatch import Home
from .engine import takes_from_stuck
from .execution import Execution, Executions
from .region import Version, free_spans
from .state import RunState
from .storage import file_name
from .workspace import Workspace


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of a repair. ``restores``: buffers written where they were; ``homes``: where the others go.

    ``temporary``: inputs that earlier steps of the repair have made.
    """

    execution: str
    restores: tuple[str, ...]
    homes: Mapping[str, Home] = field(default_factory=dict)
    temporary: tuple[str, ...] = ()


class Recovery:
    """Decides over one state. ``wanting``: executions that this run still wants to run (failed ones excluded).

    Executions are in planned order, so a predecessor always comes first.
    """

    def __init__(self, executions: Executions, state: RunState, workspace: Workspace, wanting: Collection[str]) -> None:
        self._executions, self._state, self._workspace = executions, state, workspace
        self._graph = executions.plan.problem.graph
        self._by_id = {e.id: e for e in executions.order}
        self._wanting = frozenset(wanting)

    def undone(self, suspects: Iterable[str] = ()) -> frozenset[str]:
        """Committed executions that must run again in their turn.

        ``suspects`` may have read damaged bytes: they and all that used their results. Also loads whose result is
        missing (they have no inputs, so running them again is their repair), and what ran ahead and is still needed.
        """
        undone = self._descendants(suspects)
        changed = True
        while changed:
            needed = self.needed(undone)
            settled = set(self._by_id) - self._to_run(undone)
            ahead = takes_from_stuck(self._by_id, settled) & self._standing(undone)
            again = {n for n in ahead if any(b in needed for b in self._executions.outputs(n))}
            again |= {LOAD_PREFIX + b for b in needed if b in self._executions.loaded and not self.present(b)}
            changed = bool(again - undone)
            undone |= again
        return frozenset(undone)

    def _standing(self, undone: Collection[str]) -> set[str]:
        return {n for n in self._state.committed if n not in undone}

    def _to_run(self, undone: Collection[str]) -> set[str]:
        return {n for n in self._wanting if n not in self._state.committed} | set(undone)

    def suspects(self, damaged: Version) -> tuple[str, ...]:
        """Committed readers of a version that was found damaged only after its last reader had ended.

        Every reader verifies what it reads before it runs; so those that ended before the last one began are safe.
        """
        readers = [r for r in self._graph.readers.get(damaged.buffer, ()) if r in self._state.committed]
        last_check = max((self._state.committed[r] for r in readers), default=0)
        return tuple(r for r in readers if self._state.committed_at[r] > last_check)

    def needed(self, undone: Collection[str] = ()) -> set[str]:
        """Buffers whose writer stands and that an execution still to be run reads, or that are kept."""
        standing = self._standing(undone)
        needed = {b for e in self._to_run(undone) for b in self._executions.inputs(e)} | self._graph.kept
        return {b for b in needed if self._executions.writer.get(b) in standing}

    def present(self, buffer: str) -> bool:
        """Whether the bytes of ``buffer`` are where they should be, by the journal and the file system."""
        if buffer in self._executions.loaded and not self._graph.is_resident(buffer):
            return self._state.intact(buffer) and self._is_staged(buffer)
        return self._state.intact(buffer)

    def _is_staged(self, buffer: str) -> bool:
        try:
            return self.staged_path(buffer).stat().st_size == self._state.results[buffer].length
        except OSError:
            return False

    def staged_path(self, buffer: str) -> Path:
        """File of a generated external input."""
        return self._workspace.path / "staging" / str(self._state.run_id) / "inputs" / file_name(buffer)

    def missing(self, undone: Collection[str] = ()) -> list[str]:
        """Needed buffers whose bytes are not there, sorted."""
        return sorted(b for b in self.needed(undone) if not self.present(b))

    def plan_repair(self, undone: Collection[str], spill: Path | None) -> list[Step]:
        """Steps that make every needed buffer present again, in order. ``spill``: folder for what does not fit.

        Raises ``IntegrityError`` naming the bytes needed when temporaries do not fit and there is no spill folder.
        """
        goals = self.missing(undone)
        return self._place(self._closure(goals), set(goals), undone, spill)

    def _descendants(self, suspects: Iterable[str]) -> set[str]:
        found: set[str] = set()
        todo = [s for s in suspects if s in self._state.committed]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += [r for r in self._by_id[name].readers if r in self._state.committed]
        return found

    def _closure(self, goals: Iterable[str]) -> list[Execution]:
        """Executions that write ``goals``, and the writers of their missing inputs, in planned order."""
        runs: set[str] = set()
        todo = list(goals)
        while todo:
            writer = self._executions.writer[todo.pop()]
            if writer not in runs:
                runs.add(writer)
                todo += [
                    b for b in self._executions.inputs(writer) if b in self._executions.writer and not self.present(b)
                ]
        return [e for e in self._executions.order if e.id in runs]

    def _place(self, runs: list[Execution], goals: set[str], undone: Collection[str], spill: Path | None) -> list[Step]:
        made = {b: k for k, e in enumerate(runs) for b in self._executions.outputs(e.id)}
        last_use = dict(made)
        occupied: list[Extent] = [e for b in goals for e in self._executions.plan.region_of[b].extents]
        living = {b for b in self.needed(undone) if self.present(b)}
        for k, e in enumerate(runs):
            for b in self._executions.inputs(e.id):
                if b in made and not self.present(b):
                    last_use[b] = k
                elif b in self._executions.writer:
                    living.add(b)
        occupied += [e for b in living for e in self._state.results[b].extents]
        temporaries: list[tuple[int, Extent]] = []
        steps = []
        for k, e in enumerate(runs):
            temporaries = [(end, extent) for end, extent in temporaries if end >= k]
            homes = {}
            scratch = self._executions.scratch(e.id)
            for b in (*self._executions.outputs(e.id), *((scratch,) if scratch else ())):
                if b in goals or self._graph.aligned_size[b] == 0:
                    continue
                home = self._home(b, [*occupied, *(extent for _, extent in temporaries)], goals, spill)
                temporaries += [(last_use.get(b, k), extent) for extent in home.extents]
                homes[b] = home
            steps.append(
                Step(
                    e.id,
                    tuple(b for b in self._executions.outputs(e.id) if b in goals),
                    homes,
                    tuple(b for b in self._executions.inputs(e.id) if b in made and not self.present(b)),
                )
            )
        return steps

    def _home(self, buffer: str, occupied: list[Extent], goals: Collection[str], spill: Path | None) -> Home:
        """The first free place for a temporary, in the arena or in the spill folder."""
        size = self._graph.aligned_size[buffer]
        free = free_spans(occupied, self._workspace.partitions, self._workspace.partition_size)
        for e in free:
            if e.length >= size:
                return Home((Extent(e.partition, e.offset, Bytes(size)),))
        if spill is not None:
            return Home(file=spill / file_name(buffer))
        largest = max((e.length for e in free), default=0)
        raise IntegrityError(
            f"repairing {', '.join(sorted(goals))} needs {size} bytes ({format_size(size)}) in one piece for "
            f"{buffer!r} beside what is alive; the largest free piece has {largest}. "
            "Nothing was lost: resume with --repair-spill to use a temporary file outside the workspace."
        )
