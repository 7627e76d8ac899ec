"""Parallel parts that do not touch each other, put in line without losing any optimum.

Two sequences of tasks between the same predecessors and the same successors, whose buffers nobody else's progress
touches, change the live bytes independently of each other. Such a sequence falls into *segments*: from its start down
to its lowest point, each segment ends lower than it began; from there on each ends higher. Of all ways to interleave
two sequences there is one that is as good as any other in whatever context: first the falling segments, those with
lower hills first; then the rising ones, those with the larger difference of hill and end first. So the two become one
sequence, and by repetition every series-parallel part becomes a chain. What is left is narrower, and every search and
every bound on it holds for the whole.

Sources: H. Abdel-Wahab and T. Kameda, Operations Research 26 (1978), for cumulative costs under series-parallel
precedence; J. Liu, SIAM J. Algebraic Discrete Methods 8 (1987), for trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..arrays import Rows
from .closure import closure, direct
from .live import Live

MOST_TASKS = 20_000
"""Ancestor and descendant masks take n^2 / 4 bytes: 100 MB here."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """Consecutive tasks; bytes relative to the segment's begin: the most alive (``hill``) and those left (``end``)."""

    tasks: tuple[int, ...]
    hill: int
    end: int

    def then(self, other: _Segment) -> _Segment:
        """Both, one after the other."""
        return _Segment(self.tasks + other.tasks, max(self.hill, self.end + other.hill), self.end + other.end)

    def rank(self) -> tuple[int, int]:
        """Falling segments by their hills, then rising ones by what they leave free below the hill, largest first."""
        return (0, self.hill) if self.end <= 0 else (1, self.end - self.hill)


def in_line(live: Live) -> Live:
    """``live`` with further precedence edges under which some optimal order of all legal ones remains.

    One pool only: with several, the peaks of a sequence are not comparable; ``live`` itself is returned.
    """
    if len(live.pools) != 1 or live.task_count > MOST_TASKS:
        return live
    chains = _Reduction(live).run()
    known = {(int(p), t) for t in range(live.task_count) for p in live.predecessors[t]}
    new = [pair for chain in chains for pair in pairwise(chain) if pair not in known]
    if not new:
        return live
    before = [live.predecessors[t].tolist() for t in range(live.task_count)]
    after = [live.successors[t].tolist() for t in range(live.task_count)]
    for a, b in new:
        before[b].append(a)
        after[a].append(b)
    return replace(live, predecessors=Rows.of(before), successors=Rows.of(after))


class _Reduction:
    """A graph whose nodes are sequences of tasks: parallel ones are merged, those in series joined, until none is left.

    A node is named by its first task at the beginning; merged nodes keep the name of one of them.
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        n = live.task_count
        before = [live.predecessors[t].tolist() for t in range(n)]
        after = [live.successors[t].tolist() for t in range(n)]
        self.ancestors, self.descendants = closure(before, after), closure(after, before)
        self.sequence: dict[int, tuple[int, ...]] = {t: (t,) for t in range(n)}
        self.before = {t: frozenset(direct(before[t], self.ancestors)) for t in range(n)}
        self.after = {t: frozenset(direct(after[t], self.descendants)) for t in range(n)}
        self.users = [sum(1 << int(u) for u in live.users[g]) for g in range(len(live.groups))]

    def run(self) -> list[tuple[int, ...]]:
        """Sequences of the nodes that are left."""
        work = set(self.sequence)
        while work:
            self._join(work)
            work = self._merge(work)
        return list(self.sequence.values())

    def _join(self, names: Iterable[int]) -> None:
        """Join nodes in series: one that is the only predecessor of its only successor."""
        for name in sorted(names):
            while name in self.sequence and len(self.after[name]) == 1:
                (following,) = self.after[name]
                if len(self.before[following]) != 1:
                    break
                self.sequence[name] += self.sequence.pop(following)
                self.after[name] = self.after.pop(following)
                del self.before[following]
                for s in self.after[name]:
                    self.before[s] = self.before[s] - {following} | {name}

    def _merge(self, names: Iterable[int]) -> set[int]:
        """Merge parallel nodes; returns the nodes that may now be joined."""
        alike: dict[tuple[frozenset[int], frozenset[int]], list[int]] = {}
        for name in self.sequence:
            alike.setdefault((self.before[name], self.after[name]), []).append(name)
        changed: set[int] = set()
        for parallel in alike.values():
            if len(parallel) < 2:
                continue
            segments = {name: s for name in parallel if (s := self._segments(self.sequence[name])) is not None}
            if len(segments) < 2:
                continue
            kept, *merged = segments
            # The sort is stable and ranks rise within a sequence, so that no sequence is taken apart.
            line = sorted((s for of_one in segments.values() for s in of_one), key=_Segment.rank)
            self.sequence[kept] = tuple(t for s in line for t in s.tasks)
            for name in merged:
                del self.sequence[name], self.before[name], self.after[name]
            for p in self.before[kept]:
                self.after[p] = self.after[p] - set(merged)
            for following in self.after[kept]:
                self.before[following] = self.before[following] - set(merged)
            changed |= {kept, *self.before[kept], *self.after[kept]}
        return changed & self.sequence.keys()

    def _segments(self, tasks: Sequence[int]) -> list[_Segment] | None:
        """The sequence in segments of rising rank, or None if its bytes depend on what runs beside it."""
        live = self.live
        mine = sum(1 << t for t in tasks)
        first, last = self.ancestors[tasks[0]], self.descendants[tasks[-1]]
        births: dict[int, int] = {}
        deaths: dict[int, int] = {}
        place: dict[int, tuple[int, int]] = {}
        for k, t in enumerate(tasks):
            for g in live.uses[t].tolist():
                place[g] = (place[g][0] if g in place else k, k)
        for g, (begin, end) in place.items():
            begun = bool(live.preload[g]) or bool(self.users[g] & first)
            stays = bool(live.kept[g]) or bool(self.users[g] & last)
            beside = self.users[g] & ~(mine | first | last)
            if beside and not (begun and stays):
                return None
            if not begun:
                births[begin] = births.get(begin, 0) + int(live.size[g])
            if not stays and not beside:
                deaths[end] = deaths.get(end, 0) + int(live.size[g])
        steps = []
        for k, t in enumerate(tasks):
            born, died = births.get(k, 0), deaths.get(k, 0)
            saved = 0
            for i in range(int(live.takings.start[t]), int(live.takings.start[t + 1])):
                g = int(live.takings.index[i])
                if not self.users[g] & last and place[g][1] == k:
                    saved += int(live.saving[i])
            steps.append(_Segment((t,), born - saved, born - died))
        return _canonical(steps)


def _canonical(steps: Sequence[_Segment]) -> list[_Segment]:
    """Steps joined until ranks rise strictly: what would be taken apart otherwise belongs together."""
    line: list[_Segment] = []
    for step in steps:
        line.append(step)
        while len(line) > 1 and _belong(line[-2], line[-1]):
            second = line.pop()
            line.append(line.pop().then(second))
    return line


def _belong(first: _Segment, second: _Segment) -> bool:
    """Whether ``second`` would come before ``first`` if it could: then nothing is ever gained by parting them."""
    return second.rank() <= first.rank()
