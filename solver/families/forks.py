"""Work that is spread and gathered: stages, nested blocks, map and reduce, one large input for everybody."""

from __future__ import annotations

from ..problem import Problem
from .draft import DURATIONS, SIZES, WORKERS, Amounts, Draft, numbered
from .draws import power


def fork_join(
    width: int = 16,
    depth: int = 8,
    *,
    skew: float = 1.0,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
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
    draft.demand("skew", skew, 0, 100)
    draft.refuse()
    draft.add(numbered("join", 0, depth + 1), [])
    for stage in range(depth):
        ranks = list(range(1, width + 1))
        draft.random.shuffle(ranks)
        before = numbered("join", stage, depth + 1)
        branches = [f"{numbered('stage', stage, depth)}.{numbered('', k, width)}" for k in range(width)]
        for branch, rank in zip(branches, ranks, strict=True):
            draft.add(branch, [before], shrink=power(rank, skew))
        draft.add(numbered("join", stage + 1, depth + 1), branches)
    return draft.problem()


def series_parallel(
    tasks: int = 100,
    *,
    branches: int = 4,
    parallel_probability: float = 0.5,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``tasks`` tasks in blocks that are cut, at random, into two blocks one after the other or into parallel ones.

    A parallel block (with ``parallel_probability``, where four tasks are left) begins with a task whose output all
    of its 2 to ``branches`` branches read, and ends with one that reads what they wrote: programs that spawn and wait,
    as in Cilk (Frigo, Leiserson and Randall, PLDI 1998).
    """
    draft = Draft("series-parallel", sizes, durations, workers, seed)
    draft.demand("tasks", tasks, 1)
    draft.demand("branches", branches, 2)
    draft.demand("parallel_probability", parallel_probability, 0, 1)
    draft.refuse()
    random, made = draft.random, 0

    def task(reads: list[str]) -> str:
        nonlocal made
        name = numbered("t", made, tasks)
        draft.add(name, reads)
        made += 1
        return name

    def block(count: int, reads: list[str]) -> str:
        """Add a block of ``count`` tasks whose first one has ``reads``; returns the last one."""
        while count > 1:
            if count >= 4 and random.share() < parallel_probability:
                width = random.between(2, min(branches, count - 2))
                first = task(reads)
                cuts = [0, *sorted(random.sample(range(1, count - 2), width - 1)), count - 2]
                return task([block(cuts[k + 1] - cuts[k], [first]) for k in range(width)])
            before = random.between(1, count - 1)
            reads, count = [block(before, reads)], count - before
        return task(reads)

    block(tasks, [])
    return draft.problem()


def map_shuffle_reduce(
    mappers: int = 50,
    reducers: int = 10,
    *,
    rounds: int = 1,
    skew: float = 0.5,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
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
    draft.demand("skew", skew, 0, 100)
    draft.refuse()
    shares = [power(r + 1, skew) for r in range(reducers)]
    reduced: list[str] = []
    for number in range(rounds):
        turn = numbered("round", number, rounds)
        shuffled: list[list[str]] = [[] for _ in range(reducers)]
        for m in range(mappers):
            mapper = f"{turn}.{numbered('map', m, mappers)}"
            reads = reduced or [draft.input(f"input{m}")]
            parts = [f"{mapper}.to.{numbered('', r, reducers)}" for r in range(reducers)]
            draft.add(mapper, reads, writes=parts, shrink=shares)
            for r, part in enumerate(parts):
                shuffled[r].append(part)
        reduced = [f"{turn}.{numbered('reduce', r, reducers)}" for r in range(reducers)]
        for r in range(reducers):
            draft.add(reduced[r], shuffled[r])
    draft.add("result", reduced)
    return draft.problem()


def shared_input(
    readers: int = 48,
    tables: int = 2,
    *,
    ratio: int = 20,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``tables`` tasks write one large buffer each, all ``readers`` read them all, a last task reads what they wrote.

    A large buffer is ``ratio`` times the drawn size. Between its writer and the last reader nobody can have its bytes,
    whatever the order: sweeps over parameters, searches against one index, the reference genome of an alignment. Each
    reader also has an external input of its own.
    """
    draft = Draft("shared-input", sizes, durations, workers, seed)
    for name, value in (("readers", readers), ("tables", tables), ("ratio", ratio)):
        draft.demand(name, value, 1)
    draft.refuse()
    shared = [numbered("table", k, tables) for k in range(tables)]
    for table in shared:
        draft.add(table, [], grow=ratio)
    found = [numbered("find", k, readers) for k in range(readers)]
    for k, name in enumerate(found):
        draft.add(name, [*shared, draft.input(numbered("query", k, readers))])
    draft.add("result", found)
    return draft.problem()
