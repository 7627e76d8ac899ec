"""The graph of a plan, twice: every task, and an overview in which tasks of one kind and layer are one box.

Tasks are of one kind when their names differ in digits only, as generated names do (``mDiffFit_ID0000042``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalytic.solver.plan import Plan

from .layers import Drawing, drawing, layers_of

LEAST_TASKS = 60
"""Smaller graphs are drawn whole and need no overview."""
LEAST_SAVING = 3
"""An overview is worth its while when it has at most a third as many boxes as there are tasks."""
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Kind:
    """Tasks of one kind in one layer, by their positions in the plan; ``name`` has ``*`` for digits that differ."""

    name: str
    tasks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The kinds and their drawing; ``weight``: edges between tasks that each edge of the drawing stands for."""

    kinds: tuple[Kind, ...]
    drawing: Drawing
    weight: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GraphPictures:
    """Drawings of the graph; nodes are positions in ``plan.tasks``. ``overview`` None: it would show little less."""

    tasks: Drawing
    overview: Overview | None


def graph_pictures(plan: Plan) -> GraphPictures:
    """Both drawings of the tasks of ``plan`` and what must precede what (data and ``after``)."""
    graph = plan.problem.graph
    number = {t.id: k for k, t in enumerate(plan.tasks)}
    layer_of = dict(zip(graph.topological_order, layers_of(graph.topological_order, graph.predecessors), strict=True))
    layer = [layer_of[t.id] for t in plan.tasks]
    edges = [(number[p], k) for k, t in enumerate(plan.tasks) for p in graph.predecessors[t.id]]
    return GraphPictures(drawing(layer, edges), _overview([t.id for t in plan.tasks], layer, edges))


def _overview(names: Sequence[str], layer: Sequence[int], edges: Sequence[tuple[int, int]]) -> Overview | None:
    if len(names) < LEAST_TASKS:
        return None
    members: dict[tuple[int, str], list[int]] = {}
    for k, name in enumerate(names):
        members.setdefault((layer[k], _DIGITS.sub("*", name)), []).append(k)
    if len(members) * LEAST_SAVING > len(names):
        return None
    keys = sorted(members)
    group = {k: number for number, key in enumerate(keys) for k in members[key]}
    joined: dict[tuple[int, int], int] = {}
    for a, b in edges:
        pair = group[a], group[b]
        joined[pair] = joined.get(pair, 0) + 1
    pairs = sorted(joined)
    return Overview(
        kinds=tuple(Kind(_common_name(key, members, names), tuple(members[key])) for key in keys),
        drawing=drawing([at for at, _ in keys], pairs),
        weight=tuple(joined[pair] for pair in pairs),
    )


def _common_name(key: tuple[int, str], members: Mapping[tuple[int, str], Sequence[int]], names: Sequence[str]) -> str:
    """The task's own name for a single one; else the pattern."""
    return names[members[key][0]] if len(members[key]) == 1 else key[1]
