"""The state machine of a run: events in, commands out. No I/O, no clock, no randomness.

It follows the plan's partial order, not its clock. An execution starts when everything it follows has ended and its
partitions, resources and a worker slot can all be taken *in one step*; what waits holds nothing, so a run cannot
deadlock. Planned starts are priorities.

**After a failure.** What needs the failed execution's results, or comes ``after`` it, is blocked. What is ordered
behind a stuck execution *only because it takes over its bytes* may still run, when nothing it writes will be needed
once this run is over: not kept, and every reader of it runs to the end, too. Otherwise it would destroy the inputs
of what is stuck for the sake of a result that has to be given up when the run is resumed. The executions that will
still run are the greatest set closed under that rule (``_still_possible``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .execution import Execution


@dataclass(frozen=True, slots=True)
class Committed:
    """Event: the execution's results are durable."""

    execution: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Event: the execution failed for good and wrote nothing that counts."""

    execution: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Event: the execution ended without a result and is to be started again."""

    execution: str


@dataclass(frozen=True, slots=True)
class Halted:
    """Event: start nothing more (cancelled, or a repair is due)."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Event: the repair is done. ``undone`` executions, once committed, have to run again."""

    undone: frozenset[str] = frozenset()


Event = Committed | Failed | Returned | Halted | Resumed


@dataclass(frozen=True, slots=True)
class Start:
    """Command: start the execution; everything it holds has been taken."""

    execution: str


class Engine:
    """State of one run. ``slots`` executions run at once; ``capacity`` bounds each resource.

    A demand above the capacity (the run was given fewer workers than the problem has) counts as the whole capacity.
    """

    def __init__(
        self,
        executions: Iterable[Execution],  # in planned order: predecessors first
        capacity: Mapping[str, int],
        slots: int,
        committed: Collection[str] = (),
    ) -> None:
        self.executions = {e.id: e for e in executions}
        self._capacity = dict(capacity)
        self._free = dict(capacity)
        self._slots = slots
        self._held: set[int] = set()
        self._halted = False
        self.committed = set(committed)
        self.failed: set[str] = set()
        self._possible: set[str] = set()
        self._missing: dict[str, set[str]] = {}
        self._successors: dict[str, list[str]] = {}
        self._ready: list[str] = []
        self.running: set[str] = set()
        self._recompute()

    @property
    def blocked(self) -> frozenset[str]:
        """Executions that cannot run any more because others failed, the failed ones excluded."""
        return frozenset(self.executions) - self.committed - self.failed - self.running - self._possible

    @property
    def wanting(self) -> frozenset[str]:
        """Executions that this run has not given up: all but the failed and the blocked ones."""
        return frozenset(self._possible | self.running)

    @property
    def finished(self) -> bool:
        """Nothing runs and nothing can be started, now or later."""
        return not self.running and (self._halted or not self._possible - self.committed)

    @property
    def idle(self) -> bool:
        """Nothing runs."""
        return not self.running

    def handle(self, events: Iterable[Event]) -> list[Start]:
        """Apply ``events`` in order; what is to be started now, by priority."""
        for event in events:
            match event:
                case Committed(name):
                    self._release(name)
                    self.committed.add(name)
                    self._advance(name)
                case Failed(name):
                    self._release(name)
                    self.failed.add(name)
                    self._recompute()
                case Returned(name):
                    self._release(name)
                    self._ready.append(name)
                    self._sort_ready()
                case Halted():
                    self._halted = True
                case Resumed(undone):
                    self._halted = False
                    self.committed -= undone
                    self._recompute()
        return [] if self._halted else self._start()

    def _start(self) -> list[Start]:
        started = []
        waiting = []
        for position, name in enumerate(self._ready):
            if len(self.running) == self._slots:
                waiting += self._ready[position:]
                break
            if self._take(self.executions[name]):
                started.append(Start(name))
            else:
                waiting.append(name)
        self._ready = waiting
        return started

    def _take(self, e: Execution) -> bool:
        """Take everything ``e`` holds while it runs, or nothing."""
        demands = [(name, min(amount, self._capacity[name])) for name, amount in e.demands]
        if self._held & e.partitions or any(amount > self._free[name] for name, amount in demands):
            return False
        self._held |= e.partitions
        for name, amount in demands:
            self._free[name] -= amount
        self.running.add(e.id)
        return True

    def _release(self, name: str) -> None:
        e = self.executions[name]
        self.running.remove(name)
        self._held -= e.partitions
        for resource, amount in e.demands:
            self._free[resource] += min(amount, self._capacity[resource])

    def _advance(self, name: str) -> None:
        """One predecessor less for everything behind ``name``."""
        for successor in self._successors.get(name, ()):
            missing = self._missing[successor]
            missing.discard(name)
            if not missing and successor not in self.running:
                self._ready.append(successor)
        self._sort_ready()

    def _sort_ready(self) -> None:
        self._ready.sort(key=lambda n: (self.executions[n].priority, n))

    def _recompute(self) -> None:
        """Derive who waits for whom from scratch: at the start, after a failure, after a repair.

        An execution behind a stuck one inherits what the stuck one would have waited for: the bytes it takes over may
        still hold what an earlier owner's readers are reading.
        """
        settled = self.committed | self.running
        self._possible = _still_possible(self.executions, settled, self.failed)
        self._missing, self._successors, self._ready = {}, {}, []
        inherited: dict[str, set[str]] = {}
        for name, e in self.executions.items():
            if name in settled:
                continue
            behind: set[str] = set()
            for p in (e.needs | e.waits | e.follows) - self.committed:
                behind |= {p} if p in self._possible else inherited[p]
            if name not in self._possible:
                inherited[name] = behind
                continue
            self._missing[name] = behind
            for p in behind:
                self._successors.setdefault(p, []).append(name)
            if not behind:
                self._ready.append(name)
        self._sort_ready()


def _still_possible(executions: dict[str, Execution], settled: Collection[str], failed: Collection[str]) -> set[str]:
    """The executions that will have committed when this run ends: the greatest set in which each one

    has all it needs in the set, and takes over bytes of executions outside the set only if it keeps nothing and all
    its readers are in the set. A load without readers in the set is of no use. ``settled`` ones run or have committed.
    """
    possible = set(executions) - set(failed)
    changed = bool(failed)
    while changed:
        before = len(possible)
        # What is missing spreads forwards, what has lost its readers backwards: one sweep each way does most of it.
        tainted = takes_from_stuck(executions, possible)
        for sweep in (executions, reversed(executions)):
            for name in sweep:
                e = executions[name]
                if name in possible and name not in settled and not _supported(e, possible, tainted=name in tainted):
                    possible.remove(name)
        changed = len(possible) < before
    return possible


def _supported(e: Execution, possible: set[str], *, tainted: bool) -> bool:
    """Whether ``e`` may stay in the set of executions that will still run."""
    if not e.needs <= possible or (e.is_load and not e.readers & possible):
        return False
    return not tainted or (not e.kept and e.readers <= possible)


def takes_from_stuck(executions: Mapping[str, Execution], moving: Collection[str]) -> set[str]:
    """Executions of ``moving`` that take over bytes of one outside it, directly or from one that does."""
    tainted: set[str] = set()
    for name, e in executions.items():
        if name in moving and any(w not in moving or w in tainted for w in e.waits):
            tainted.add(name)
    return tainted
