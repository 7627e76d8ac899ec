"""Hypothesis strategies: problems with every feature and awkward names, plans, strategies and timelines."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from catalytic.solver.plan import Allocation, Move, Plan, Step, Strategy, Timeline
from catalytic.solver.problem import (
    Buffer,
    Command,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Pool,
    Problem,
    PythonCall,
    Run,
    Synthetic,
    Task,
    Workspace,
)
from catalytic.solver.units import MAX_BYTES, MAX_TICKS, Bytes, Tick
from tests.builders import random_plan, random_problem

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)
"""Ids: any text that a file can hold, quotes, dots, slashes and other alphabets included."""

sizes = st.one_of(st.integers(0, 10), st.integers(0, MAX_BYTES)).map(Bytes)
ticks = st.one_of(st.integers(1, 10), st.integers(1, MAX_TICKS)).map(Tick)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=3),
    max_leaves=6,
)


@st.composite
def runs(draw: st.DrawFn, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Run:
    """Any kind of run that a task with these inputs and outputs may have."""
    kind = draw(st.sampled_from(("synthetic", "python", "command")))
    if kind == "python":
        return PythonCall("package.steps:project", draw(st.dictionaries(names, json_values, max_size=2)))
    if kind == "command":
        return Command(
            tuple(draw(st.lists(names, min_size=1, max_size=3))),
            tuple(draw(st.dictionaries(names.filter(lambda n: "=" not in n), names, max_size=2)).items()),
            draw(st.sampled_from((None, *inputs))),
            draw(st.sampled_from((None, *outputs))),
        )
    return Synthetic()


@st.composite
def problems(draw: st.DrawFn, *, max_tasks: int = 5) -> Problem:
    """Valid problems of any content; acyclic because a task reads only what earlier ones wrote."""
    task_ids = draw(st.lists(names.filter(lambda n: not n.startswith("load:")), unique=True, max_size=max_tasks))
    buffer_ids = draw(st.lists(names.filter(lambda n: not n.startswith("scratch:")), unique=True, max_size=8))
    partitions = draw(st.integers(1, 4))
    alignment = draw(st.sampled_from((1, 8, 4096)))
    policy = Policy(
        draw(st.sampled_from(InputPolicy)), draw(st.sampled_from((OutputPolicy.KEEP, OutputPolicy.DISCARD)))
    )
    owner = {b: draw(st.integers(-1, len(task_ids) - 1)) for b in buffer_ids}  # -1: external
    tasks = []
    for k, name in enumerate(task_ids):
        outputs = tuple(b for b in buffer_ids if owner[b] == k)
        earlier = [b for b in buffer_ids if owner[b] < k]
        inputs = tuple(draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3))) if earlier else ()
        internal = [b for b in inputs if owner[b] >= 0]
        in_place = ((outputs[0], internal[0]),) if outputs and internal and draw(st.booleans()) else ()
        tasks.append(
            Task(
                id=name,
                duration=draw(ticks),
                inputs=inputs,
                outputs=outputs,
                after=tuple(draw(st.lists(st.sampled_from(task_ids[:k]), unique=True))) if k else (),
                scratch=draw(sizes),
                demands=(("gpu", draw(st.integers(0, 3))),) if draw(st.booleans()) else (),
                in_place=in_place,
                run=draw(runs(inputs, outputs)),
                reversible=draw(st.booleans()),
                timeout=draw(st.none() | ticks),
            )
        )
    kinds = st.sampled_from((None, "text", "image"))
    buffers = tuple(
        Buffer(
            id=b,
            size=draw(sizes),
            data_type=draw(kinds),
            access=draw(st.sampled_from((None, "random"))),
            keep=draw(st.booleans()),
            export=draw(st.sampled_from((None, f"out/{k}"))) if owner[b] >= 0 else None,
            source=draw(st.none() | names) if owner[b] < 0 else None,
        )
        for k, b in enumerate(buffer_ids)
    )
    pool_names = draw(st.lists(names, unique=True, min_size=2, max_size=2))
    pools = [Pool(pool_names[0], "text", None, draw(st.none() | st.integers(1, MAX_BYTES).map(Bytes)))]
    pools.append(Pool(pool_names[1], "image", "random"))
    return Problem(
        name=draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
        tasks=tuple(tasks),
        buffers=buffers,
        workspace=Workspace(
            Bytes(draw(st.integers(alignment * partitions, MAX_BYTES))),
            partitions,
            alignment,
            draw(st.sampled_from(Isolation)),
        ),
        resources=(("workers", draw(st.integers(1, 64))), ("gpu", 3)),
        policy=policy,
        pools=tuple(pools[: draw(st.integers(0, 2))]),
    )


def small_problems() -> st.SearchStrategy[Problem]:
    """Small problems as the random placer takes them, by seed."""
    return st.integers(0, 2**32).map(lambda seed: random_problem(Random(seed)))


def plans() -> st.SearchStrategy[Plan]:
    """Valid plans of small problems, by seed."""
    return st.integers(0, 2**32).map(lambda seed: random_plan(Random(seed)))


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    """Possible strategies: tasks in topological order, buffers dropped or spilled and loaded around the last use."""
    problem = draw(small_problems())
    graph = problem.graph
    order = graph.topological_order
    steps: list[Step] = []
    for k, name in enumerate(order):
        steps.append(Step(Move.COMPUTE, name))
        for b in graph.working_set(name):
            if graph.readers[b] and b in graph.writer:
                if all(t in order[: k + 1] for t in graph.readers[b]):
                    steps.append(Step(Move.DROP, b))
                elif draw(st.booleans()):
                    steps += [Step(Move.SPILL, b), Step(Move.LOAD, b)]
    return Strategy(problem, tuple(steps), draw(st.none() | sizes), draw(names))


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Timelines with whole milliseconds and whole bytes in MB."""
    allocations = []
    for name in draw(st.lists(names, unique=True, max_size=6)):
        begin = draw(st.integers(0, 1000))
        length, megabytes = draw(st.integers(1, 1000)), draw(st.integers(0, 50))
        allocations.append(
            Allocation(name, Tick(begin), Tick(begin + length), Bytes(megabytes * 10**6), draw(st.none() | names))
        )
    return Timeline("timeline", draw(names), tuple(allocations))
