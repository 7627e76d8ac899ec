"""Generated problems by name and parameters: the same parameters and seed give the same problem, everywhere.

::

    chain        o-o-o-o-o         each task reads what the one before wrote; with ``skip`` also older outputs
    diamond      grid              each task reads the output above and the one to its left
    fork-join    o<ooo>o<ooo>o     stages of parallel tasks between single ones
    in-tree      leaves to root    each inner task reads ``arity`` outputs: reductions, expression trees
    layered      random            layers, edges between neighbours, some edges that skip layers
    map-shuffle-reduce             every mapper writes one buffer for every reducer
    mosaic       tiles             projected, compared with their neighbours, corrected by one model, added up
    out-tree     root to leaves    each output is read by ``arity`` tasks: refinements, searches
    series-parallel                blocks within blocks, one after the other or side by side
    shared-input                   a few large buffers that everybody reads
    stencil      grid              each cell reads its neighbourhood of the step before
    training     forward, loss, backward: each backward task reads activations that were written long before

Every task writes one buffer named like itself, unless the family says otherwise, and lasts a whole number of
milliseconds. ``sizes`` (bytes) and ``durations`` (ms) are inclusive ranges from which whole numbers are drawn evenly,
or named distributions (:mod:`.distributions`). There is one shared partition in which all buffers fit side by side,
with an alignment of 1 byte: whoever wants memory to be scarce says how scarce. Outputs that nobody reads take memory
only while they are written.

Parameters that make no sense raise ``InputError`` with all of them. All families but ``layered`` are linear in what
they generate.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any, get_type_hints

from ..errors import InputError, Mistake
from ..problem import Problem
from ..problem.validate import did_you_mean
from .distributions import DISTRIBUTIONS, Distribution, distribution
from .draft import MOST_TASKS
from .forks import fork_join, map_shuffle_reduce, series_parallel, shared_input
from .grids import diamond, mosaic, stencil
from .layers import layered
from .lines import chain, training
from .trees import in_tree, out_tree

__all__ = [
    "DISTRIBUTIONS",
    "FAMILIES",
    "Distribution",
    "Family",
    "chain",
    "diamond",
    "distribution",
    "fork_join",
    "generate",
    "in_tree",
    "layered",
    "map_shuffle_reduce",
    "mosaic",
    "out_tree",
    "parameters_for",
    "series_parallel",
    "shared_input",
    "stencil",
    "training",
]

COMMON = ("sizes", "durations", "workers", "seed")
"""Parameters of every family, beside those of its shape."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family: how it is built, what it models, and how it reaches a number of tasks.

    ``count`` tells the number of tasks from the shape's parameters and never falls when ``grows`` does not;
    ``proportions`` gives what else follows from a number of tasks, so that no direction of the shape stays tiny.
    """

    build: Callable[..., Problem]
    models: str
    grows: str
    count: Callable[..., int]
    proportions: Callable[[int], Mapping[str, int]] = lambda tasks: {}

    @property
    def parameters(self) -> Mapping[str, object]:
        """Parameters of the shape, and their defaults."""
        known = inspect.signature(self.build).parameters
        return {name: p.default for name, p in known.items() if name not in COMMON}

    def read(self, name: str, text: str) -> object:
        """``text`` as a value of the parameter ``name``; ``ValueError`` says what is allowed."""
        kinds = str(get_type_hints(self.build)[name])
        if "bool" in kinds:
            words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
            if text.lower() not in words:
                raise ValueError("yes or no")
            return words[text.lower()]
        try:
            return float(text) if "float" in kinds else int(text)
        except ValueError:
            raise ValueError("a number" if "float" in kinds else "a whole number") from None


FAMILIES: Mapping[str, Family] = {
    "chain": Family(
        chain,
        "steps one after another: pipelines, and networks with residual (skip) or nested (U-Net) connections",
        "tasks",
        lambda tasks, **_: tasks,
    ),
    "diamond": Family(
        diamond,
        "a wavefront over a grid: alignments and other dynamic programs over two sequences",
        "rows",
        lambda rows, columns, **_: rows * columns,
        lambda tasks: {"columns": isqrt(tasks)},
    ),
    "fork-join": Family(
        fork_join,
        "bulk-synchronous stages: spread, wait for all, go on; some branches write far more than others",
        "depth",
        lambda width, depth, **_: depth * (width + 1) + 1,
        lambda tasks: {"width": max(1, isqrt(tasks) - 1)},
    ),
    "in-tree": Family(
        in_tree,
        "reductions and expression trees: every inner task reads what its children wrote",
        "tasks",
        lambda tasks, **_: tasks,
    ),
    "layered": Family(
        layered,
        "computation graphs at random: layers, edges between neighbours, some that skip layers",
        "tasks",
        lambda tasks, **_: tasks,
    ),
    "map-shuffle-reduce": Family(
        map_shuffle_reduce,
        "mappers that write one buffer for every reducer, keys unevenly spread; in one or more rounds",
        "mappers",
        lambda mappers, reducers, rounds, **_: rounds * (mappers + reducers) + 1,
        lambda tasks: {"reducers": max(1, isqrt(tasks) // 2)},
    ),
    "mosaic": Family(
        mosaic,
        "overlapping images become one: project, compare neighbours, fit one model, correct, add up (Montage)",
        "rows",
        lambda rows, columns, **_: 2 * rows * columns + rows * (columns - 1) + columns * (rows - 1) + rows + 2,
        lambda tasks: {"columns": max(1, isqrt(tasks // 5))},
    ),
    "out-tree": Family(
        out_tree,
        "refinements and searches: every output is read by several tasks, and the leaves remain",
        "tasks",
        lambda tasks, **_: tasks,
    ),
    "series-parallel": Family(
        series_parallel,
        "programs that spawn and wait: blocks within blocks, one after the other or side by side",
        "tasks",
        lambda tasks, **_: tasks,
    ),
    "shared-input": Family(
        shared_input,
        "a few large tables that every task reads: parameter sweeps, searches against one index",
        "readers",
        lambda readers, tables, **_: readers + tables + 1,
    ),
    "stencil": Family(
        stencil,
        "iterated solvers on a line of cells, each of which reads its neighbourhood of the step before",
        "steps",
        lambda width, steps, **_: width * steps,
        lambda tasks: {"width": isqrt(tasks)},
    ),
    "training": Family(
        training,
        "forward and backward pass of a network: activations wait from one to the other",
        "layers",
        lambda layers, **_: 2 * layers + 1,
    ),
}
"""Every family, by name."""


def generate(family: str, **parameters: Any) -> Problem:
    """The problem of a family by its name; ``InputError`` when the family or a parameter does not exist."""
    kind = _known(family)
    known = inspect.signature(kind.build).parameters
    mistakes = [
        Mistake(name, "an unknown parameter", f"one of {', '.join(known)}", did_you_mean(name, known))
        for name in parameters
        if name not in known
    ]
    if mistakes:
        raise InputError(family, mistakes)
    tasks: int | None = kind.count(**{**kind.parameters, **{k: v for k, v in parameters.items() if k not in COMMON}})
    if tasks is not None and tasks > MOST_TASKS:  # None: what follows from another parameter
        raise InputError(family, [Mistake("tasks", str(tasks), f"at most {MOST_TASKS}")])
    return kind.build(**parameters)


def parameters_for(family: str, tasks: int, **given: Any) -> dict[str, Any]:
    """Parameters of the shape with which ``family`` has ``tasks`` tasks, or as few less as the shape allows.

    What is ``given`` stays. ``InputError`` when the smallest such problem has more tasks.

    >>> parameters_for("fork-join", 100), parameters_for("fork-join", 100, width=20)
    ({'width': 9, 'depth': 9}, {'width': 20, 'depth': 4})
    """
    kind = _known(family)
    if kind.grows in given:
        allowed = f"one of the two: --tasks chooses {kind.grows}"
        raise InputError(family, [Mistake(kind.grows, "a value, and a number of tasks", allowed)])
    shape = {**kind.parameters, **(kind.proportions(tasks) if tasks >= 1 else {}), **given}

    def count(size: int) -> int:
        return kind.count(**{**shape, kind.grows: size})

    least = count(1)
    if tasks < least:
        fixed = ", ".join(f"{name} {value}" for name, value in shape.items() if name in given)
        raise InputError(family, [Mistake("tasks", str(tasks), f"at least {least}{f' with {fixed}' if fixed else ''}")])
    low, high = 1, 2
    # No shape needs a direction longer than its number of tasks; one that was given a negative width never gets there.
    while high <= tasks and count(high) <= tasks:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= tasks else (low, middle)
    chosen = {name: shape[name] for name in shape if name in given or shape[name] != kind.parameters[name]}
    return {**chosen, kind.grows: low}


def _known(family: str) -> Family:
    if family not in FAMILIES:
        hint = did_you_mean(family, FAMILIES)
        raise InputError("families", [Mistake("family", repr(family), f"one of {', '.join(sorted(FAMILIES))}", hint)])
    return FAMILIES[family]
