"""The least bytes that can be alive while a task runs, in any order: a minimum cut per task.

Just when task ``v`` starts, the executed tasks form a down-set ``X`` (closed under predecessors) that contains the
ancestors of ``v`` and neither ``v`` nor a descendant of it; ``live(X) + need(v, X)`` bytes are alive while it runs. The
cheapest such set is a minimum cut, so its value is exact for ``v``, and the largest value over all ``v`` is below the
peak of every order. Source side = executed::

    source --size--> h --inf--> every reader         a group whose writer is an ancestor of v, or preloaded
    writer --size--> h --inf--> every reader         alive when its writer is inside and a reader is not
    reader --inf--> h --size--> h' --inf--> reader   a lazy input: alive when some reader is inside and one is not
    task --inf--> its predecessors                   X is closed
    source --saving--> h --inf--> other users        v may take over an input when all its other users have ended

Ancestors of ``v`` are the source, ``v`` and its descendants the sink, and a kept group has the sink for a reader.
Nodes ``h`` with one free reader are left out. What ``v`` itself touches is alive whatever the cut.

A flow per task would be too slow beyond some hundreds of tasks. Every order, and every cut found on the way, shows for
many tasks a down-set that is cheap for them: an upper estimate of their own value. Tasks are taken in decreasing
estimate; when the largest estimate left is not above the best value, no flow can improve the bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import max_flow

from ..arrays import Ints, Rows
from ..compiled import loop
from .live import Live

FREE, INSIDE, OUTSIDE = 0, 1, 2
SOURCE, SINK = 0, 1

MOST_UNITS = 2**60
"""Sizes are counted in units of their greatest common divisor, or coarser ones where sums would leave 64 bits."""

CUTS_REMEMBERED = 8
"""So many of the latest cuts are fitted to a task before a flow is spent on it."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A maximum flow for ``task``: what proves the value. Amounts in bytes.

    Arc ``i`` carries ``amount[i]`` from node ``tail[i]`` to ``head[i]``; it runs through the bytes of group
    ``carrier[i]`` (-1: an arc without a limit). ``always``: (group, bytes) that no cut of this task avoids.
    """

    task: int
    tail: Ints
    head: Ints
    carrier: Ints
    amount: Ints
    always: tuple[tuple[int, int], ...]

    def chains(self) -> list[tuple[int, tuple[int, ...]]]:
        """The flow as paths: (bytes, groups whose bytes it runs through, from source to sink), sorted.

        Whatever set is executed when ``task`` starts, some group of each chain is alive: the first has been written;
        who has used up one has started the next; the last is still needed. Amounts through a group add up to at most
        its size. O(arcs x length of a path).
        """
        left = self.amount.tolist()
        tail, head, carrier = self.tail.tolist(), self.head.tolist(), self.carrier.tolist()
        leaving: dict[int, list[int]] = {}
        for arc in np.flatnonzero(self.amount > 0)[::-1].tolist():
            leaving.setdefault(tail[arc], []).append(arc)
        together: dict[tuple[int, ...], int] = {(group,): amount for group, amount in self.always}
        path: list[int] = []
        place = {SOURCE: 0}  # node -> arcs of the path before it
        node = SOURCE
        while leaving.get(SOURCE):
            arc = leaving[node][-1]
            path.append(arc)
            node = head[arc]
            if node != SINK and node not in place:
                place[node] = len(path)
                continue
            closed = path[place.get(node, 0) :]  # the whole path, or a cycle that carries nothing to the sink
            amount = min(left[a] for a in closed)
            if node == SINK:
                groups = tuple(carrier[a] for a in closed if carrier[a] >= 0)
                together[groups] = together.get(groups, 0) + amount
            for a in closed:
                left[a] -= amount
                if left[a] == 0:
                    leaving[tail[a]].remove(a)
            del path[len(path) - len(closed) :]
            for a in closed:
                place.pop(head[a], None)
            node = tail[closed[0]]
            place[node] = len(path)
        return sorted((amount, groups) for groups, amount in together.items())


@dataclass(frozen=True, slots=True)
class CutBound:
    """In every order at least ``value`` bytes are alive while some task runs; ``task`` shows it (None: no tasks).

    ``inside``: the cheapest set of tasks that can be executed when ``task`` starts. ``exact``: no other task has a
    larger value (otherwise time ran out, or ``enough`` was reached). ``flows``: maximum flows computed. ``pool``: index
    of the pool that was looked at alone, or None.
    """

    value: int
    task: int | None
    inside: NDArray[np.bool_]
    exact: bool
    flows: int
    flow: Flow | None
    pool: int | None


class CutNetwork:
    """The order problem of some or all pools, prepared for one minimum cut after another.

    ``pool``: only the buffers of this pool index count (None: all). ``extra``: further precedence, as pairs (before,
    after) of task indices; bounds then hold for the orders that respect them. ``begin`` and ``end``: down-sets (bool
    arrays); bounds then hold for the orders that execute ``begin`` first and the rest of ``end`` next, and only the
    tasks between are looked at.
    """

    def __init__(
        self,
        live: Live,
        *,
        pool: int | None = None,
        extra: Sequence[tuple[int, int]] = (),
        begin: NDArray[np.bool_] | None = None,
        end: NDArray[np.bool_] | None = None,
    ) -> None:
        self.live, self.pool = live, pool
        n = live.task_count
        predecessors, successors = live.predecessors, live.successors
        if extra:
            predecessors = _with_pairs(predecessors, [(b, a) for a, b in extra])
            successors = _with_pairs(successors, extra)
        self.side = np.full(n, FREE, dtype=np.int8)
        if begin is not None:
            self.side[begin] = INSIDE
        if end is not None:
            self.side[~end] = OUTSIDE
        counted = np.ones(live.size.shape[0], dtype=np.bool_) if pool is None else live.pool == pool
        size = np.where(counted, live.size, 0)
        saving = np.where(counted[live.takings.index], live.saving, 0)
        total = sum(size.tolist()) + sum(saving.tolist())
        self.unit = gcd(*size.tolist(), *saving.tolist()) or 1
        self.rounded = False
        while total // self.unit > MOST_UNITS:
            self.unit, self.rounded = 2 * self.unit, True
        # Rounded so that the value can only become smaller.
        self.size, self.saving = size // self.unit, -(-saving // self.unit)
        self.unlimited = int(self.size.sum() + self.saving.sum()) + 1
        self._links = (predecessors.start, predecessors.index, successors.start, successors.index)
        self._arrays = (
            live.births.start,
            live.births.index,
            live.uses.start,
            live.uses.index,
            live.users.start,
            live.users.index,
            live.takings.start,
            live.takings.index,
            self.saving,
            self.size,
            live.writer,
            live.kept,
            live.lazy,
            live.preload,
        )

    def estimates(self, order: Ints) -> Ints:
        """Per task, its own usage in ``order``, which is never below its value (units)."""
        return np.asarray(_usages(order, self.side, self.unlimited, *self._arrays), dtype=np.int64)

    def lower_estimates(self, estimates: Ints, inside: NDArray[np.bool_]) -> None:
        """Lower the estimates of all tasks that can start when exactly ``inside`` has been executed."""
        _lower(estimates, inside, self.side, *self._links[:2], *self._arrays)

    def sides(self, task: int) -> NDArray[np.int8]:
        """Per task, whether it must have been executed when ``task`` starts (INSIDE), cannot (OUTSIDE), or may."""
        return np.asarray(_sides(task, self.side, *self._links), dtype=np.int8)

    def usage(self, task: int, inside: NDArray[np.bool_]) -> int:
        """Bytes alive (units) while ``task`` runs when exactly ``inside`` has been executed."""
        return int(_usage(task, inside, *self._arrays))

    def cut(self, task: int, sides: NDArray[np.int8]) -> tuple[int, NDArray[np.bool_], Flow]:
        """The least usage (units) of ``task``, a set that has it, and the flow that proves it."""
        tail, head, capacity, carrier, always, amounts, constant = _network(
            task, sides, self.unlimited, *self._links[:2], *self._arrays
        )
        engine = max_flow.SimpleMaxFlow()
        arcs = engine.add_arcs_with_capacity(tail, head, capacity)
        status = engine.solve(SOURCE, SINK)
        if status != engine.OPTIMAL:
            raise AssertionError(f"maximum flow of a valid network ended with status {status}")
        inside = sides == INSIDE
        free = np.flatnonzero(sides == FREE)
        chosen = np.asarray(engine.get_source_side_min_cut(), dtype=np.int64) - 2
        inside[free[chosen[(chosen >= 0) & (chosen < free.size)]]] = True
        flow = Flow(
            task,
            tail,
            head,
            carrier,
            np.asarray(engine.flows(arcs), dtype=np.int64) * self.unit,
            tuple((int(g), int(a) * self.unit) for g, a in zip(always, amounts, strict=True)),
        )
        return int(constant) + int(engine.optimal_flow()), inside, flow


def min_cut_bound(
    network: CutNetwork | Live,
    order: Ints,
    *,
    enough: int | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> CutBound:
    """The largest value over all tasks, or the best found when ``go_on`` says no or it reaches ``enough`` bytes.

    ``order``: any legal sequence of all task indices; the better it is, the fewer flows are needed. A bound that is
    equal to its peak proves it optimal.
    """
    network = network if isinstance(network, CutNetwork) else CutNetwork(network)
    estimates = network.estimates(order)
    open_tasks = network.side == FREE
    best, task, flow = 0, None, None
    inside = network.side == INSIDE
    latest: deque[NDArray[np.bool_]] = deque(maxlen=CUTS_REMEMBERED)
    flows, exact = 0, True
    while open_tasks.any():
        v = int(np.where(open_tasks, estimates, -1).argmax())
        if task is not None and estimates[v] <= best:
            break
        if (enough is not None and best * network.unit >= enough) or not go_on():
            exact = False
            break
        sides = network.sides(v)
        for known in latest:
            fitted = (known | (sides == INSIDE)) & (sides != OUTSIDE)
            estimates[v] = min(int(estimates[v]), network.usage(v, fitted))
        if task is not None and estimates[v] <= best:
            continue
        value, found, its_flow = network.cut(v, sides)
        flows += 1
        open_tasks[v] = False
        if task is None or value > best:
            best, task, inside, flow = value, v, found, its_flow
        network.lower_estimates(estimates, found)
        latest.append(found)
    return CutBound(best * network.unit, task, inside, exact and not network.rounded, flows, flow, network.pool)


def _with_pairs(rows: Rows, pairs: Sequence[tuple[int, int]]) -> Rows:
    lists = [rows[i].tolist() for i in range(rows.start.shape[0] - 1)]
    for i, j in pairs:
        lists[i].append(j)
    return Rows.of(lists)


@loop
def _sides(v, side, ps, pi, ss, si):  # type: ignore[no-untyped-def]
    """``side`` with the ancestors of ``v`` inside, ``v`` and its descendants outside."""
    side = side.copy()
    stack = np.empty(side.shape[0], np.int64)
    count = 1
    stack[0] = v
    while count:
        count -= 1
        t = stack[count]
        for i in range(ps[t], ps[t + 1]):
            if side[pi[i]] != INSIDE:
                side[pi[i]] = INSIDE
                stack[count] = pi[i]
                count += 1
    side[v] = OUTSIDE
    count = 1
    stack[0] = v
    while count:
        count -= 1
        t = stack[count]
        for i in range(ss[t], ss[t + 1]):
            if side[si[i]] != OUTSIDE:
                side[si[i]] = OUTSIDE
                stack[count] = si[i]
                count += 1
    return side


@loop
def _left(inside, us, ui):  # type: ignore[no-untyped-def]
    """Per group, its users that are not inside."""
    left = np.zeros(us.shape[0] - 1, np.int64)
    for g in range(left.shape[0]):
        for i in range(us[g], us[g + 1]):
            if not inside[ui[i]]:
                left[g] += 1
    return left


@loop
def _live(inside, left, us, size, writer, kept, lazy, preload):  # type: ignore[no-untyped-def]
    """Units alive when exactly ``inside`` has been executed."""
    live = 0
    for g in range(size.shape[0]):
        if left[g] == 0 and not kept[g]:
            continue
        if writer[g] >= 0:
            born = inside[writer[g]]
        else:
            born = preload[g] or left[g] < us[g + 1] - us[g]
        if born:
            live += size[g]
    return live


@loop
def _need(v, left, bs, bi, es, ei, us, ks, ki, saving, size, lazy):  # type: ignore[no-untyped-def]
    """Units that ``v`` adds while it runs: births and first loads less what it may take over; ``v`` is not inside."""
    need = 0
    for i in range(bs[v], bs[v + 1]):
        need += size[bi[i]]
    for i in range(es[v], es[v + 1]):
        g = ei[i]
        if lazy[g] and left[g] == us[g + 1] - us[g]:
            need += size[g]
    for i in range(ks[v], ks[v + 1]):
        if left[ki[i]] == 1:
            need -= saving[i]
    return need


@loop
def _usage(v, inside, bs, bi, es, ei, us, ui, ks, ki, saving, size, writer, kept, lazy, preload):  # type: ignore[no-untyped-def]
    left = _left(inside, us, ui)
    need = _need(v, left, bs, bi, es, ei, us, ks, ki, saving, size, lazy)
    return _live(inside, left, us, size, writer, kept, lazy, preload) + need


@loop
def _lower(estimates, inside, side, ps, pi, bs, bi, es, ei, us, ui, ks, ki, saving, size, writer, kept, lazy, preload):  # type: ignore[no-untyped-def]
    """Lower the estimate of every task between that could start after ``inside``."""
    left = _left(inside, us, ui)
    live = _live(inside, left, us, size, writer, kept, lazy, preload)
    for v in range(inside.shape[0]):
        if inside[v] or side[v] != FREE:
            continue
        ready = True
        for i in range(ps[v], ps[v + 1]):
            if not inside[pi[i]]:
                ready = False
                break
        if ready:
            usage = live + _need(v, left, bs, bi, es, ei, us, ks, ki, saving, size, lazy)
            estimates[v] = min(estimates[v], usage)


@loop
def _usages(order, side, unlimited, bs, bi, es, ei, us, ui, ks, ki, saving, size, writer, kept, lazy, preload):  # type: ignore[no-untyped-def]
    """Per task, its usage in ``order``; ``unlimited`` where the tasks before it are not a legal set."""
    n = side.shape[0]
    usages = np.full(n, unlimited, np.int64)
    left = us[1:] - us[:-1]
    live = 0
    for g in range(size.shape[0]):
        if preload[g]:
            live += size[g]
    missing = 0
    for t in range(n):
        if side[t] == INSIDE:
            missing += 1
    for k in range(n):
        t = order[k]
        if side[t] == OUTSIDE:
            break
        if side[t] == FREE and missing == 0:
            usages[t] = live + _need(t, left, bs, bi, es, ei, us, ks, ki, saving, size, lazy)
        if side[t] == INSIDE:
            missing -= 1
        for i in range(bs[t], bs[t + 1]):
            live += size[bi[i]]
        for i in range(es[t], es[t + 1]):
            g = ei[i]
            if lazy[g] and left[g] == us[g + 1] - us[g]:
                live += size[g]
            left[g] -= 1
            if left[g] == 0 and not kept[g]:
                live -= size[g]
    return usages


@loop
def _network(v, side, unlimited, ps, pi, bs, bi, es, ei, us, ui, ks, ki, saving, size, writer, kept, lazy, preload):  # type: ignore[no-untyped-def]
    """Arcs (tail, head, capacity, group or -1), groups alive whatever the cut with their units, and the constant.

    Free tasks are the nodes after source and sink, in their own order; then come the nodes of groups.
    """
    most = pi.shape[0] + 2 * ui.shape[0] + size.shape[0]
    for i in range(ks[v], ks[v + 1]):
        most += 1 + us[ki[i] + 1] - us[ki[i]]
    tail = np.empty(most, np.int32)
    head = np.empty(most, np.int32)
    capacity = np.empty(most, np.int64)
    carrier = np.full(most, -1, np.int64)
    always = np.empty(size.shape[0] + ks[v + 1] - ks[v], np.int64)
    amounts = np.empty(always.shape[0], np.int64)
    arcs = 0
    certain = 0
    constant = 0
    node = np.full(side.shape[0], -1, np.int32)
    nodes = 2
    for t in range(side.shape[0]):
        if side[t] == FREE:
            node[t] = nodes
            nodes += 1
    for t in range(side.shape[0]):
        if side[t] == FREE:
            for i in range(ps[t], ps[t + 1]):
                if side[pi[i]] == FREE:
                    tail[arcs], head[arcs], capacity[arcs] = node[t], node[pi[i]], unlimited
                    arcs += 1
    touched = np.zeros(size.shape[0], np.bool_)
    for i in range(es[v], es[v + 1]):
        touched[ei[i]] = True
        constant += size[ei[i]]
    takings = ks[v + 1] - ks[v]
    for r in range(-takings, size.shape[0]):
        # Rows below zero: a permission of v, which is a preloaded group of the saving, used by the others.
        if r < 0:
            g = ki[ks[v + 1] + r]
            amount = saving[ks[v + 1] + r]
            constant -= amount
        else:
            g = r
            amount = size[g]
            if touched[g]:
                continue
        if amount == 0:
            continue
        free = 0
        some = -1
        executed = False
        stays = kept[g]
        for i in range(us[g], us[g + 1]):
            t = ui[i]
            if t == v and r < 0:
                continue
            if side[t] == FREE:
                if r < 0 or t != writer[g]:
                    free += 1
                    some = node[t]
            elif side[t] == OUTSIDE:
                stays = True
            else:
                executed = True
        w = writer[g]
        if r < 0 or preload[g] or (w >= 0 and side[w] == INSIDE) or (w < 0 and executed):
            begin = SOURCE
        elif w >= 0:
            if side[w] == OUTSIDE:
                continue
            begin = node[w]
        else:
            begin = -1
        if begin == SOURCE and stays:
            always[certain], amounts[certain] = g, amount
            certain += 1
            constant += amount
            continue
        if begin >= 0:
            if stays:
                end = SINK
            elif free == 0:
                continue
            elif free == 1:
                end = some
            else:
                end = nodes
                nodes += 1
        elif free == 0 or (free == 1 and not stays):
            continue  # a lazy input that lives only outside, or only while its one user runs
        else:
            begin = some
            if free > 1:
                begin = nodes
                nodes += 1
            end = SINK
            if not stays:
                end = nodes
                nodes += 1
        tail[arcs], head[arcs], capacity[arcs], carrier[arcs] = begin, end, amount, g
        arcs += 1
        if free > 1:
            for i in range(us[g], us[g + 1]):
                t = ui[i]
                if side[t] != FREE or (t == w and r >= 0):
                    continue
                if w < 0 and begin != SOURCE:
                    tail[arcs], head[arcs], capacity[arcs] = node[t], begin, unlimited
                    arcs += 1
                if end != SINK:
                    tail[arcs], head[arcs], capacity[arcs] = end, node[t], unlimited
                    arcs += 1
    return (
        tail[:arcs],
        head[:arcs],
        capacity[:arcs],
        carrier[:arcs],
        always[:certain],
        amounts[:certain],
        constant,
    )
