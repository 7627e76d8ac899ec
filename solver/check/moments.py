"""Certificates on bytes: moments that every schedule must pass, and what is alive then.

By the sequential-equivalence theorem it is enough to speak of orders: while task ``v`` runs, the executed tasks are
closed under predecessors, contain the ancestors of ``v``, and contain neither ``v`` nor a descendant of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..plan import Plan
from .facts import Facts, Resident
from .witness import Unproved, after_of, names_of, topological


def working_set(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Inputs, outputs and scratch of one task exist while it runs; a pair in place occupies the larger of the two."""
    task = next((t for t in plan.problem.tasks if t.id == witness["task"]), None)
    if task is None:
        raise Unproved(f"there is no task {witness['task']!r}")
    names = names_of(witness, "buffers")
    strangers = set(names) - {*task.inputs, *task.outputs, f"scratch:{task.id}"} | set(names) - facts.residents.keys()
    if strangers:
        raise Unproved(f"{min(strangers)!r} does not take memory while {task.id!r} runs")
    size = {b: facts.residents[b].size for b in names}
    saved = sum(min(size[out], size[source]) for out, source in task.in_place if out in size and source in size)
    return sum(size.values()) - saved


def through_set(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """A working set, and buffers that exist before the task in every schedule and are needed after it."""
    names = names_of(witness, "buffers")
    task = str(witness["task"])
    touched = [b for b in names if b in facts.residents and task in facts.residents[b].users]
    earlier, later = _reaching(task, facts.before), _reaching(task, after_of(facts))
    for b in names:
        if b in touched:
            continue
        r = facts.residents[b]
        loaded = r.writer is None and (facts.preloaded or any(t in earlier for t in r.readers))
        if not (loaded or r.writer in earlier):
            raise Unproved(f"{b!r} need not exist before {task!r}")
        if not (r.kept or any(t in later for t in r.readers)):
            raise Unproved(f"{b!r} need not exist after {task!r}")
    rest = sum(facts.residents[b].size for b in names if b not in touched)
    return working_set({"task": task, "buffers": touched}, plan, facts) + rest


def min_cut(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """What the task touches, less what it may take over in place, and the bytes of chains.

    A chain is ``[bytes, i, j, ...]``, positions in the witness's list of buffers, each of which stands for all that
    live and die with it (same writer, readers and fate). Whatever has been executed, some buffer of the chain is
    alive: the first exists when the task starts; when one has no user left, the next exists, because a starter of it
    is a user of the one before or precedes such a user; and the last still has a user to come or is kept. So each
    chain adds its bytes, as long as the chains through a buffer add up to at most its size.

    An input of the task in a chain stands for the bytes saved in place: gained only when all its other users ended.
    """
    task = next((t for t in plan.problem.tasks if t.id == witness["task"]), None)
    if task is None:
        raise Unproved(f"there is no task {witness['task']!r}")
    residents, names = facts.residents, names_of(witness, "buffers")
    strangers = set(names) - residents.keys()
    if strangers:
        raise Unproved(f"{min(strangers)!r} does not take memory here")
    saving: dict[object, int] = {
        source: min(residents[out].size, residents[source].size)
        for out, source in task.in_place
        if {out, source} <= residents.keys()
        and residents[out].key == residents[source].key
        and not residents[source].kept
    }
    room: dict[object, int] = {}
    for r in residents.values():
        if task.id not in r.users:
            room[_fate(r)] = room.get(_fate(r), 0) + r.size
    room |= saving
    account: list[object] = [b if b in saving else _fate(residents[b]) for b in names]
    if any(a not in room for a in account):
        raise Unproved(f"a buffer in a chain is touched by {task.id!r} and counts already")

    line = list(topological(facts))
    bit = {t: 1 << k for k, t in enumerate(line)}
    past: dict[str, int] = {}  # task -> itself and its ancestors
    for t in line:
        past[t] = bit[t]
        for p in facts.before[t]:
            past[t] |= past[p]
    earlier = past[task.id] ^ bit[task.id]
    users = [[t for t in residents[b].users if t != task.id] for b in names]
    starters, done = [], []
    for b, others in zip(names, users, strict=True):
        r = residents[b]
        exists = b in saving or (r.writer is None and facts.preloaded)
        first = r.readers if r.writer is None else (r.writer,)
        starters.append(-1 if exists else sum(bit[t] for t in set(first)))
        executed = earlier
        for t in others:
            executed |= past[t]
        done.append(executed)
    total = sum(r.size for r in residents.values() if task.id in r.users) - sum(saving.values())
    for amount, chain in _chains(witness, len(names)):
        executed = earlier
        for i in chain:
            if starters[i] != -1 and not starters[i] & executed:
                raise Unproved(f"{names[i]!r} need not exist when its turn in a chain comes")
            executed = done[i]
            room[account[i]] -= amount
            if room[account[i]] < 0:
                raise Unproved(f"chains through {names[i]!r} hold more than its bytes")
        last = chain[-1]
        if not (residents[names[last]].kept or any(past[t] & bit[task.id] for t in users[last])):
            raise Unproved(f"{names[last]!r} ends a chain, and nobody needs it after {task.id!r} starts")
        total += amount
    return total


def pool_sum(witness: Mapping[str, object], plan: Plan, facts: Facts) -> int:
    """Pools own disjoint slices: what each of them needs at its own moment adds up."""
    pool_of = {r.buffer: r.pool for r in plan.regions}
    methods: Mapping[str, Callable[[Mapping[str, object], Plan, Facts], int]] = {
        "working_set": working_set,
        "through_set": through_set,
        "min_cut": min_cut,
    }
    parts = witness["pools"]
    if not isinstance(parts, Mapping):
        raise Unproved("'pools' is not a map from pools to witnesses")
    total = 0
    for pool, part in parts.items():
        if pool not in pool_of.values():
            raise Unproved(f"there is no pool {pool!r}")
        if part["method"] not in methods:
            raise Unproved(f"the moment of pool {pool!r} is of a kind that cannot be checked")
        own = {b: r for b, r in facts.residents.items() if pool_of[b] == pool}
        total += methods[part["method"]](part, plan, replace(facts, residents=own))
    return total


def _fate(r: Resident) -> tuple[object, ...]:
    """Resident buffers with the same fate live and die together, in every schedule."""
    return (r.writer, tuple(sorted(r.readers)), r.kept)


def _chains(witness: Mapping[str, object], count: int) -> list[tuple[int, list[int]]]:
    """Bytes and positions of every chain; ``count``: buffers that a position may point at."""
    chains = witness["chains"]
    if not isinstance(chains, list):
        raise Unproved("'chains' is not a list")
    for chain in chains:
        if not isinstance(chain, list) or len(chain) < 2 or not all(type(x) is int for x in chain):
            raise Unproved(f"{chain!r} is not a number of bytes and positions of buffers")
        if chain[0] <= 0 or not all(0 <= i < count for i in chain[1:]):
            raise Unproved(f"{chain!r} has no bytes, or points beyond the list of buffers")
    return [(chain[0], chain[1:]) for chain in chains]


def _reaching(task: str, links: Mapping[str, set[str]]) -> set[str]:
    """Every task that ``links`` lead to from ``task``, itself not included."""
    seen: set[str] = set()
    open_ends = [task]
    while open_ends:
        for t in links[open_ends.pop()]:
            if t not in seen:
                seen.add(t)
                open_ends.append(t)
    return seen
