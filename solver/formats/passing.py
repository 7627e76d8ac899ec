"""What precedes what, past nodes that are no tasks: phony targets, operators, channels."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InputError, Mistake
from ..problem.graph import find_cycle


def predecessors_past(before: Sequence[Sequence[int]], works: Sequence[bool]) -> list[list[int]]:
    """For each node the nearest predecessors that work, through those that do not; ascending.

    ``before``: predecessors of each node, without cycles. Linear in the size of the result and the graph between.
    """
    nearest: list[set[int] | None] = [None] * len(before)
    for root in range(len(before)):
        stack = [root]
        while stack:
            node = stack[-1]
            if nearest[node] is not None:
                stack.pop()
                continue
            waiting = [k for k in before[node] if nearest[k] is None]
            if waiting:
                stack += waiting
                continue
            found: set[int] = set()
            for k in before[node]:
                found |= {k} if works[k] else nearest[k] or set()
            nearest[node] = found
            stack.pop()
    return [sorted(found or ()) for found in nearest]


def refuse_cycle(before: Sequence[Sequence[int]], names: Sequence[str], places: Sequence[str], origin: str) -> None:
    """``InputError`` that names a cycle of nodes, and the place of its last."""
    successors: dict[str, list[str]] = {str(k): [] for k in range(len(before))}
    for k, earlier in enumerate(before):
        for j in earlier:
            successors[str(j)].append(str(k))
    cycle = find_cycle(successors)
    if cycle:
        named = " -> ".join(names[int(k)] for k in cycle)
        raise InputError(origin, [Mistake(places[int(cycle[-1])], f"the cycle {named}", "no cycle")])
