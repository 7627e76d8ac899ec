"""Generated problems by name and parameters: the same parameters and seed give the same problem, everywhere.

::

    chain        o-o-o-o-o         each task reads what the one before wrote; with ``skip`` also older outputs
    fork-join    o<ooo>o<ooo>o     stages of parallel tasks between single ones
    in-tree      leaves to root    each inner task reads ``arity`` outputs: reductions, expression trees
    out-tree     root to leaves    each output is read by ``arity`` tasks: refinements, searches
    layered      random            layers, edges between neighbours, some edges that skip layers
    training     forward, loss, backward: each backward task reads activations that were written long before
    map-shuffle-reduce             every mapper writes one buffer for every reducer

Every task writes one buffer named like itself, unless the family says otherwise, and lasts a whole number of
milliseconds. ``sizes`` (bytes) and ``durations`` (ms) are inclusive ranges from which whole numbers are drawn evenly.
There is one shared partition in which all buffers fit side by side, with an alignment of 1 byte: whoever wants memory
to be scarce says how scarce. Outputs that nobody reads take memory only while they are written.

Parameters that make no sense raise ``InputError`` with all of them. All families but ``layered`` are
linear in what they generate.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any

from .errors import InputError, Mistake
from .problem import Buffer, Problem, Task
from .problem.room import roomy_workspace
from .problem.validate import did_you_mean
from .units import MAX_BYTES, MAX_TICKS, Bytes, Tick

Range = tuple[int, int]

SIZES: Range = (1, 1000)
DURATIONS: Range = (1, 1000)
WORKERS = 8


def chain(
    tasks: int = 100,
    *,
    skip: int = 0,
    nested: bool = False,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``tasks`` tasks one after another.

    With ``skip`` above 1 every ``skip``-th task also reads the output of the task ``skip`` before it: the residual
    connections of He et al. (2016). With ``nested`` each task of the second half also reads the output of its mirror
    image in the first: the U-Net of Ronneberger et al. (2015), in which half of all outputs must wait at the turn.
    """
    draft = Draft("chain", sizes, durations, workers, seed)
    draft.demand("tasks", tasks, 1)
    draft.demand("skip", skip, 0)
    draft.refuse()
    for i in range(tasks):
        reads = [i - 1] if i else []
        if skip > 1 and i and i % skip == 0:
            reads.append(i - skip)
        if nested and 2 * i > tasks:
            reads.append(tasks - 1 - i)
        draft.add(_name("t", i, tasks), [_name("t", r, tasks) for r in dict.fromkeys(reads)])
    return draft.problem()


def fork_join(
    width: int = 16,
    depth: int = 8,
    *,
    skew: float = 1.0,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``depth`` stages of ``width`` parallel tasks; a single task before, between and after them reads all of a stage.

    Within a stage sizes are skewed: the k-th largest output, at a random place, has the drawn size divided by
    ``k ** skew``, rounded up (Zipf's law; 0: no skew).
    """
    draft = Draft("fork-join", sizes, durations, workers, seed)
    draft.demand("width", width, 1)
    draft.demand("depth", depth, 1)
    draft.demand("skew", skew, 0)
    draft.refuse()
    draft.add(_name("join", 0, depth + 1), [])
    for stage in range(depth):
        ranks = list(range(1, width + 1))
        draft.random.shuffle(ranks)
        before = _name("join", stage, depth + 1)
        branches = [f"{_name('stage', stage, depth)}.{_name('', k, width)}" for k in range(width)]
        for branch, rank in zip(branches, ranks, strict=True):
            draft.add(branch, [before], shrink=rank**skew)
        draft.add(_name("join", stage + 1, depth + 1), branches)
    return draft.problem()


def in_tree(
    depth: int = 8,
    arity: int = 2,
    *,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A complete tree with ``arity ** depth`` leaves; each inner task reads the outputs of its ``arity`` children.

    With equal sizes and ``depth`` of at least 1 the least peak of live bytes is ``(arity - 1) * depth + 2`` outputs
    (Sethi and Ullman 1970); for any sizes an order of least peak is found in ``O(n log n)`` (Liu 1987).
    """
    draft = _tree_draft("in-tree", depth, arity, sizes, durations, workers, seed)
    for level in range(depth, -1, -1):
        for k in range(arity**level):
            children = [_vertex(level + 1, arity * k + c) for c in range(arity)] if level < depth else []
            draft.add(_vertex(level, k), children)
    return draft.problem()


def out_tree(
    depth: int = 8,
    arity: int = 2,
    *,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A complete tree with ``arity ** depth`` leaves; ``arity`` tasks read each output, none those of the leaves."""
    draft = _tree_draft("out-tree", depth, arity, sizes, durations, workers, seed)
    for level in range(depth + 1):
        for k in range(arity**level):
            draft.add(_vertex(level, k), [_vertex(level - 1, k // arity)] if level else [])
    return draft.problem()


def layered(
    tasks: int = 1000,
    layers: int | None = None,
    *,
    edge_probability: float = 0.2,
    skip_probability: float = 0.14,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """A random graph in ``layers`` layers (None: the square root of ``tasks``), none of which is empty.

    A task reads each output of the layer before with ``edge_probability``, and one at least; with ``skip_probability``
    it also reads one output of any layer before that one. This is the shape of the random layered graphs of Gagrani et
    al. (Neural Topological Ordering for Computation Graphs, NeurIPS 2022), with which MOCCASIN was measured; the
    distributions are simpler than theirs. Takes ``tasks ** 2 / layers`` steps.
    """
    draft = Draft("layered", sizes, durations, workers, seed)
    draft.demand("tasks", tasks, 1)
    count = layers if layers is not None else max(1, round(max(0, tasks) ** 0.5))
    draft.demand("layers", count, 1, max(1, tasks))
    draft.demand("edge_probability", edge_probability, 0, 1)
    draft.demand("skip_probability", skip_probability, 0, 1)
    draft.refuse()
    random = draft.random
    cuts = [0, *sorted(random.sample(range(1, tasks), count - 1)), tasks]
    names = [_name("t", i, tasks) for i in range(tasks)]
    for layer in range(count):
        start, end = cuts[layer], cuts[layer + 1]
        above = range(cuts[layer - 1], start) if layer else range(0)
        for i in range(start, end):
            reads = [r for r in above if random.random() < edge_probability]
            if above and not reads:
                reads = [random.choice(above)]
            if layer > 1 and random.random() < skip_probability:
                reads.append(random.randrange(cuts[layer - 1]))
            draft.add(names[i], [names[r] for r in reads])
    return draft.problem()


def training(
    layers: int = 50,
    *,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """Forward and backward pass of ``layers`` layers: ``2 * layers + 1`` tasks.

    ``forward`` *i* reads the activation of *i - 1*; ``loss`` reads the last one; ``backward`` *i* reads the gradient of
    *i + 1* and the activations of *i* and *i - 1*. So all activations are alive at the loss: the graphs of Checkmate
    (Jain et al., MLSys 2020), without recomputation. A gradient is as large as its activation, a backward task lasts
    twice as long as its forward task.
    """
    draft = Draft("training", sizes, durations, workers, seed)
    draft.demand("layers", layers, 1)
    draft.refuse()
    forward = [_name("forward", i, layers) for i in range(layers)]
    backward = [_name("backward", i, layers) for i in range(layers)]
    for i in range(layers):
        draft.add(forward[i], [forward[i - 1]] if i else [])
    draft.add("loss", [forward[-1]], size=1)
    for i in reversed(range(layers)):
        gradient = backward[i + 1] if i + 1 < layers else "loss"
        activations = [forward[i], *([forward[i - 1]] if i else [])]
        size, duration = draft.drawn(forward[i])
        draft.add(backward[i], [gradient, *activations], size=size, duration=2 * duration)
    return draft.problem()


def map_shuffle_reduce(
    mappers: int = 50,
    reducers: int = 10,
    *,
    rounds: int = 1,
    skew: float = 0.5,
    sizes: Range = SIZES,
    durations: Range = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``rounds`` times: each mapper writes one buffer per reducer, each reducer reads its buffer of every mapper.

    The mappers of the first round read one external input each; those of later rounds read the outputs of all reducers.
    A last task reads the outputs of the last reducers. Buffers for the k-th reducer are the drawn size divided by
    ``k ** skew``, rounded up: keys are never even (Dean and Ghemawat, MapReduce, OSDI 2004).
    """
    draft = Draft("map-shuffle-reduce", sizes, durations, workers, seed)
    for name, value in (("mappers", mappers), ("reducers", reducers), ("rounds", rounds)):
        draft.demand(name, value, 1)
    draft.demand("skew", skew, 0)
    draft.refuse()
    reduced: list[str] = []
    for number in range(rounds):
        turn = _name("round", number, rounds)
        shuffled: list[list[str]] = [[] for _ in range(reducers)]
        for m in range(mappers):
            mapper = f"{turn}.{_name('map', m, mappers)}"
            reads = reduced or [draft.input(f"input{m}")]
            parts = [f"{mapper}.to.{_name('', r, reducers)}" for r in range(reducers)]
            draft.add(mapper, reads, writes=parts, shrink=[(r + 1) ** skew for r in range(reducers)])
            for r, part in enumerate(parts):
                shuffled[r].append(part)
        reduced = [f"{turn}.{_name('reduce', r, reducers)}" for r in range(reducers)]
        for r in range(reducers):
            draft.add(reduced[r], shuffled[r])
    draft.add("result", reduced)
    return draft.problem()


FAMILIES: Mapping[str, Callable[..., Problem]] = {
    "chain": chain,
    "fork-join": fork_join,
    "in-tree": in_tree,
    "layered": layered,
    "map-shuffle-reduce": map_shuffle_reduce,
    "out-tree": out_tree,
    "training": training,
}


def generate(family: str, **parameters: Any) -> Problem:
    """The problem of a family by its name; ``InputError`` when the family or a parameter does not exist."""
    if family not in FAMILIES:
        hint = did_you_mean(family, FAMILIES)
        raise InputError("families", [Mistake("family", repr(family), f"one of {', '.join(sorted(FAMILIES))}", hint)])
    known = inspect.signature(FAMILIES[family]).parameters
    mistakes = [
        Mistake(name, "an unknown parameter", f"one of {', '.join(known)}", did_you_mean(name, known))
        for name in parameters
        if name not in known
    ]
    if mistakes:
        raise InputError(family, mistakes)
    return FAMILIES[family](**parameters)


class Draft:
    """A problem while it is generated: draws sizes and durations in the order in which tasks are added."""

    def __init__(self, family: str, sizes: Range, durations: Range, workers: int, seed: int) -> None:
        self.random = Random(seed)
        self._family, self._sizes, self._durations, self._workers = family, sizes, durations, workers
        self._tasks: dict[str, Task] = {}
        self._buffers: dict[str, int] = {}
        self._mistakes: list[Mistake] = []
        for name, (low, high), limit in (("sizes", sizes, MAX_BYTES), ("durations", durations, MAX_TICKS // 2)):
            if not 1 <= low <= high <= limit:
                self._mistakes.append(Mistake(name, f"({low}, {high})", f"a range within 1 to {limit}"))
        self.demand("workers", workers, 1)

    def demand(self, name: str, value: float, least: int, most: int | None = None) -> None:
        """Remember a mistake unless ``least <= value <= most``."""
        # Not written as `value < least`: NaN must be refused too.
        if not (least <= value and (most is None or value <= most)):
            allowed = f"at least {least}" if most is None else f"{least} to {most}"
            self._mistakes.append(Mistake(name, str(value), allowed))

    def refuse(self) -> None:
        """``InputError`` with every mistake that was remembered."""
        if self._mistakes:
            raise InputError(self._family, self._mistakes)

    def add(
        self,
        name: str,
        reads: Sequence[str],
        *,
        writes: Iterable[str] | None = None,
        size: int | None = None,
        duration: int | None = None,
        shrink: float | Sequence[float] = 1.0,
    ) -> None:
        """A task that writes one buffer of its own name, or ``writes``; their drawn sizes are divided by ``shrink``."""
        outputs = (name,) if writes is None else tuple(writes)
        factors = shrink if isinstance(shrink, Sequence) else [shrink] * len(outputs)
        for output, factor in zip(outputs, factors, strict=True):
            drawn = self.random.randint(*self._sizes) if size is None else size
            self._buffers[output] = drawn if factor == 1 else max(1, -int(-drawn // factor))
        length = self.random.randint(*self._durations) if duration is None else duration
        self._tasks[name] = Task(name, Tick(length), tuple(reads), outputs)

    def input(self, name: str) -> str:
        """An external input of a drawn size; returns its id."""
        self._buffers[name] = self.random.randint(*self._sizes)
        return name

    def drawn(self, name: str) -> tuple[int, int]:
        """Size (bytes) and duration (ms) of the task ``name``, which writes a buffer of that name."""
        return self._buffers[name], self._tasks[name].duration

    def problem(self) -> Problem:
        """The problem that was drawn."""
        buffers = tuple(Buffer(name, Bytes(size)) for name, size in self._buffers.items())
        return Problem(
            name=self._family,
            tasks=tuple(self._tasks.values()),
            buffers=buffers,
            workspace=roomy_workspace(buffers, alignment=1),
            resources=(("workers", self._workers),),
        )


def _name(word: str, index: int, count: int) -> str:
    """``word`` and ``index``, padded so that names sort like numbers."""
    return f"{word}{index:0{len(str(count - 1))}d}"


def _vertex(level: int, k: int) -> str:
    return f"level{level}.{k}"


def _tree_draft(family: str, depth: int, arity: int, sizes: Range, durations: Range, workers: int, seed: int) -> Draft:
    draft = Draft(family, sizes, durations, workers, seed)
    draft.demand("depth", depth, 0, 40)
    draft.demand("arity", arity, 1)
    draft.refuse()
    if arity**depth > 10**6:
        raise InputError(family, [Mistake("depth", f"{arity}^{depth} leaves", "at most a million")])
    return draft
