"""A smaller order problem whose least peak is at most that of the given one: small outputs cost nothing.

Real workflows are wide because of dust: statistics of some kilobytes that wait for the final report. Each of their
tasks is a decision for every search, and all together they hardly matter. Here the tasks that add at most ``grain``
bytes are made free of charge and leave the problem; what is left are the few tasks that decide. Every step is a
relaxation, so a bound on what is left is a bound on the whole, and an order of what is left is the outline of one.

*Charge*: a task ``t`` reads ``b`` and writes dust ``d``. ``b`` gives up as many bytes to a new group that is born with
``b`` and dies with ``d``::

    b   ##########            b   #######             while b is alive no byte is added (true: b and perhaps d);
    d        t##########      d   ###############     when it is dead, t has ended and d is counted to the byte

If no input has room, ``d`` is born with its first reader instead.

*Leave*: a task that is never the first user of a group adds nothing, whenever it runs. It may as well run as soon as
its predecessors have; so it leaves, and where its end mattered, that of its predecessors does.

Both hold backward in time too (see :mod:`~catalytic.solver.order.two_sided`): a task that is never a last user frees
nothing and may wait for its first successor. Groups that may be taken over in place stay as they are, and so do their
users. With a grain of zero nothing but tasks is lost: the least peak stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..arrays import Ints, Rows
from ..compiled import loop
from .closure import closure, direct
from .live import Live

MOST_NEW_EDGES = 1000
"""A task stays if its neighbours would have to be joined by more edges."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """``live``: the smaller problem; its task ``i`` is task ``stayed[i]`` of the whole one.

    ``left``: the other tasks in the sequence of their leaving. ``hasty``: per one of these, whether it may run as soon
    as the tasks of its row of ``links`` have (else: wait for the first of them).
    """

    live: Live
    stayed: Ints
    left: Ints
    hasty: NDArray[np.bool_]
    links: Rows

    def outline(self, order: Ints) -> Ints:
        """The order of the smaller problem that follows ``order`` of the whole one."""
        place = np.full(order.shape[0], -1, dtype=np.int64)
        place[self.stayed] = np.arange(self.stayed.shape[0])
        inner = place[order]
        return inner[inner >= 0]

    def whole(self, order: Ints) -> Ints:
        """The order of all tasks that follows ``order`` of the smaller problem: who has left returns, the last first.

        O(tasks x tasks that have left), compiled.
        """
        result: Ints = _returned(self.stayed[order], self.left, self.hasty, self.links.start, self.links.index)
        return result


def coarse(live: Live, grain: int, go_on: Callable[[], bool] = lambda: True) -> Coarse:
    """``live`` without the tasks that add, or backward in time free, at most ``grain`` bytes each.

    When ``go_on`` says no, the tasks that have not left by then stay.
    """
    draft = _Draft(live)
    number = {t: i for i, t in enumerate(live.tasks)}
    sequence = [number[t] for t in live.problem.graph.topological_order if t in number]
    present = {t for t in sequence if not live.takings[t].size}
    left: list[int] = []
    hasty: list[bool] = []
    links: list[list[int]] = []
    forward = True
    quiet = 0  # sweeps in a row after which nobody has left
    while quiet < 2:
        quiet += 1
        for t in sequence if forward else reversed(sequence):
            if not go_on():
                present.clear()
            if t not in present or not draft.may_leave(t, grain):
                continue
            left.append(t)
            hasty.append(forward)
            links.append(sorted(draft.before[t]))
            draft.leave(t)
            present.discard(t)
            quiet = 0
        draft.mirror()
        forward = not forward
    if not forward:
        draft.mirror()
    gone = set(left)
    stayed = [t for t in range(live.task_count) if t not in gone]
    return Coarse(
        _assembled(live, draft, stayed),
        np.array(stayed, dtype=np.int64),
        np.array(left, dtype=np.int64),
        np.array(hasty, dtype=np.bool_),
        Rows.of(links),
    )


def untouched(live: Live) -> Coarse:
    """``live`` with all its tasks."""
    nobody = np.zeros(0, dtype=np.int64)
    return Coarse(live, np.arange(live.task_count), nobody, nobody.astype(np.bool_), Rows.of([]))


@dataclass
class _Group:
    """Bytes alive from the first of its users to the last (``mask``: the same as bits).

    ``early``: from the beginning; ``kept``: to the end; ``firm``: some task may take them over in place.
    """

    users: set[int]
    mask: int
    size: int
    pool: int
    early: bool
    kept: bool
    firm: bool
    names: tuple[str, ...]


class _Draft:
    """The problem in its present form. In the mirror, ``before`` and ``after``, ``early`` and ``kept`` change places.

    ``uses``: per task, its groups. ``ancestors`` and ``descendants``: bit masks, also of tasks that have left.
    """

    def __init__(self, live: Live) -> None:
        n = live.task_count
        self.before = [set(live.predecessors[t].tolist()) for t in range(n)]
        self.after = [set(live.successors[t].tolist()) for t in range(n)]
        self.ancestors = closure(self.before, self.after)
        self.descendants = closure(self.after, self.before)
        self.groups: dict[int, _Group] = {}
        self.uses: list[set[int]] = [set() for _ in range(n)]
        self.next = 0
        firm = set(live.takings.index.tolist())
        for g, names in enumerate(live.groups):
            flags = bool(live.preload[g]), bool(live.kept[g]), g in firm
            users = set(live.users[g].tolist())
            self.add(_Group(users, 0, int(live.size[g]), int(live.pool[g]), *flags, names))

    def add(self, group: _Group) -> None:
        """Add ``group``; its mask is set here."""
        self.groups[self.next] = group
        for t in group.users:
            self.join(t, self.next)
        self.next += 1

    def join(self, t: int, g: int) -> None:
        self.groups[g].users.add(t)
        self.groups[g].mask |= 1 << t
        self.uses[t].add(g)

    def forget(self, t: int, g: int) -> None:
        """``g`` lives only from and to its other users."""
        group = self.groups[g]
        self.uses[t].discard(g)
        group.users.discard(t)
        group.mask &= ~(1 << t)
        if not group.users and not (group.early and group.kept):
            del self.groups[g]

    def mirror(self) -> None:
        self.before, self.after = self.after, self.before
        self.ancestors, self.descendants = self.descendants, self.ancestors
        for group in self.groups.values():
            group.early, group.kept = group.kept, group.early

    def first(self, t: int, g: int) -> bool:
        """Whether ``t`` can be the first user of ``g``."""
        group = self.groups[g]
        return not group.early and not self.ancestors[t] & group.mask

    def loses(self, t: int, g: int) -> bool:
        """Whether ``g`` dies earlier, or is not counted at all, when ``t`` leaves."""
        users = self.groups[g].users
        if len(users) == 1:
            return True
        heirs = self.heirs(t, g)
        known = self.groups[g].mask & ~(1 << t)
        for p in heirs:
            known |= self.ancestors[p] | 1 << p
        return any(not known >> p & 1 for p in self.before[t])

    def heirs(self, t: int, g: int) -> list[int]:
        """Predecessors of ``t`` that may take over the end of ``g``: those that cannot begin its life."""
        group = self.groups[g]
        if group.early:
            return sorted(self.before[t])
        others = group.mask & ~(1 << t)
        return sorted(p for p in self.before[t] if (self.ancestors[p] | 1 << p) & others)

    def may_leave(self, t: int, grain: int) -> bool:
        """Whether what ``t`` adds is at most ``grain`` bytes, and it is not bound to stay otherwise."""
        if len(self.before[t]) * len(self.after[t]) > MOST_NEW_EDGES or any(self.groups[g].firm for g in self.uses[t]):
            return False
        return sum(self.groups[g].size for g in self.uses[t] if self.first(t, g) or self.loses(t, g)) <= grain

    def leave(self, t: int) -> None:
        """Charge what ``t`` adds to others; what waited for ``t`` waits for its predecessors."""
        for g in sorted(g for g in self.uses[t] if self.first(t, g)):
            self.charge(t, g)
        for g in sorted(self.uses[t]):
            for p in self.heirs(t, g):
                self.join(p, g)
            self.forget(t, g)
        for p in self.before[t]:
            self.after[p].discard(t)
            self.after[p] |= self.after[t]
        for s in self.after[t]:
            self.before[s].discard(t)
            self.before[s] |= self.before[t]

    def charge(self, t: int, g: int) -> None:
        """Let the largest input of ``t`` pay for ``g``, of which ``t`` can be the first user."""
        dust = self.groups[g]
        readers = dust.users - {t}
        written = dust.mask & ~(1 << t) & ~self.descendants[t] == 0
        payers = [b for b in self.uses[t] if self._pays(b, dust) and not self.first(t, b)]
        if written and (readers or dust.kept) and payers:
            self._pay(max(payers, key=lambda b: (self.groups[b].size, -b)), dust, readers)
            for u in readers:
                self.forget(u, g)
        self.forget(t, g)

    def _pays(self, b: int, dust: _Group) -> bool:
        return self.groups[b].pool == dust.pool and self.groups[b].size >= dust.size

    def _pay(self, payer: int, dust: _Group, readers: set[int]) -> None:
        source = self.groups[payer]
        first = {u for u in source.users if source.mask & ~self.descendants[u] == 1 << u}
        begin = set() if source.early else first or source.users
        source.size -= dust.size
        self.add(_Group(begin | readers, 0, dust.size, dust.pool, source.early, dust.kept, False, dust.names))


def _assembled(live: Live, draft: _Draft, stayed: list[int]) -> Live:
    """The draft as an order problem. Groups with the same users and flags become one, empty ones vanish."""
    number = {t: i for i, t in enumerate(stayed)}
    together: dict[tuple[object, ...], _Group] = {}
    firm: dict[int, tuple[object, ...]] = {}  # they were added first, so draft and whole problem count them alike
    for g, group in sorted(draft.groups.items()):
        key = (group.mask, group.pool, group.early, group.kept, g if group.firm else None)
        if group.firm:
            firm[g] = key
        elif group.size == 0:
            continue
        same = together.get(key)
        together[key] = (
            group if same is None else replace(same, size=same.size + group.size, names=same.names + group.names)
        )
    groups = list(together.values())
    place = {key: i for i, key in enumerate(together)}
    writer = [number.get(_writer(group, draft.descendants), -1) for group in groups]
    births: list[list[int]] = [[] for _ in stayed]
    uses: list[list[int]] = [[] for _ in stayed]
    for i, group in enumerate(groups):
        if writer[i] >= 0:
            births[writer[i]].append(i)
        for u in sorted(group.users):
            uses[number[u]].append(i)
    early = np.array([g.early for g in groups], dtype=np.bool_)
    loaded = np.array([w < 0 for w in writer], dtype=np.bool_)
    return Live(
        problem=live.problem,
        tasks=tuple(live.tasks[t] for t in stayed),
        pools=live.pools,
        groups=tuple(g.names for g in groups),
        predecessors=Rows.of([_numbered(draft.before[t], draft.ancestors, number) for t in stayed]),
        successors=Rows.of([_numbered(draft.after[t], draft.descendants, number) for t in stayed]),
        births=Rows.of(births),
        uses=Rows.of(uses),
        users=Rows.of([sorted(number[u] for u in g.users) for g in groups]),
        takings=Rows.of([[place[firm[g]] for g in live.takings[t].tolist()] for t in stayed]),
        saving=live.saving,
        writer=np.array(writer, dtype=np.int64),
        size=np.array([g.size for g in groups], dtype=np.int64),
        pool=np.array([g.pool for g in groups], dtype=np.int64),
        kept=np.array([g.kept for g in groups], dtype=np.bool_),
        lazy=loaded & ~early,
        preload=loaded & early,
    )


def _writer(group: _Group, descendants: list[int]) -> int:
    """The user that precedes all others, if there is one and it begins the group's life; otherwise -1."""
    if group.early:
        return -1
    return next((u for u in sorted(group.users) if group.mask & ~descendants[u] == 1 << u), -1)


def _numbered(links: set[int], masks: list[int], number: dict[int, int]) -> list[int]:
    """Numbers of the neighbours that do not follow from others."""
    return sorted(number[p] for p in direct(links, masks))


@loop
def _returned(order, left, hasty, start, index):  # type: ignore[no-untyped-def]
    """``order`` with the tasks ``left`` put back, the last one first, next to the tasks of their rows of links."""
    count = order.shape[0]
    n = count + left.shape[0]
    result = np.empty(n, np.int64)
    place = np.empty(n, np.int64)
    result[:count] = order
    for k in range(count):
        place[order[k]] = k
    for i in range(left.shape[0] - 1, -1, -1):
        if hasty[i]:
            at = 0
            for j in range(start[i], start[i + 1]):
                at = max(at, place[index[j]] + 1)
        else:
            at = count
            for j in range(start[i], start[i + 1]):
                at = min(at, place[index[j]])
        for k in range(count, at, -1):
            result[k] = result[k - 1]
            place[result[k]] = k
        result[at] = left[i]
        place[left[i]] = at
        count += 1
    return result
