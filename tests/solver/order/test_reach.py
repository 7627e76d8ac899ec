"""The compiled loops of the exact search, against the definition of live bytes and against enumeration of subsets."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalytic.solver.order.exact import ExactSearch
from catalytic.solver.order.live import Live
from catalytic.solver.order.reach import State, execute, least_between, prepare, undo
from catalytic.solver.order.two_sided import TwoSided, two_sided
from catalytic.solver.problem import InputPolicy, OutputPolicy, Policy, Problem
from tests.builders import problem, random_problem, task
from tests.oracles import least_peak_by_enumeration

Usage = tuple[int, ...]
"""Bytes per pool, in the order of ``Live.pools``."""


def alive(question: Problem, started: frozenset[str], ended: frozenset[str]) -> Usage:
    """Bytes alive per pool when these tasks have started and those have ended, savings in place left out."""
    graph = question.graph
    usage = {p.id: 0 for p in graph.pools}
    for b in graph.resident:
        readers = frozenset(graph.readers[b])
        users = readers | ({graph.writer[b]} if b in graph.writer else frozenset())
        if b in graph.writer:
            born = graph.writer[b] in started
        else:
            born = question.policy.inputs is InputPolicy.PRELOAD or bool(readers & started)
        if born and (b in graph.kept or not users <= ended):
            usage[graph.pool_of[b]] += graph.aligned_size[b]
    return tuple(usage[p.id] for p in graph.pools)


def running(question: Problem, name: str, done: frozenset[str]) -> Usage:
    """Bytes alive per pool while the task runs after exactly the tasks ``done``."""
    graph = question.graph
    pools = [p.id for p in graph.pools]
    usage = list(alive(question, done | {name}, done))
    for output, source in graph.task[name].in_place:
        resident = graph.is_resident(output) and graph.is_resident(source)
        if resident and source not in graph.kept and graph.pool_of[output] == graph.pool_of[source]:
            others = {*graph.readers[source], *([graph.writer[source]] if source in graph.writer else [])} - {name}
            if others <= done:
                saved = min(graph.aligned_size[output], graph.aligned_size[source])
                usage[pools.index(graph.pool_of[source])] -= saved
    return tuple(usage)


def any_problem(seed: int, tasks: int = 8) -> Problem:
    """A random problem; where inputs live in the workspace, their first readers may write over them."""
    question = random_problem(Random(seed), tasks=tasks)
    if question.policy.inputs is InputPolicy.EXTERNAL:
        return question
    writer = question.graph.writer
    changed = tuple(
        replace(t, in_place=(*t.in_place, *((t.outputs[0], b) for b in t.inputs if b not in writer)))
        if t.outputs
        else t
        for t in question.tasks
    )
    return replace(question, tasks=changed)


def flags(live: Live, names: frozenset[str]) -> NDArray[np.bool_]:
    return np.array([t in names for t in live.tasks], dtype=np.bool_)


def random_order(question: Problem, rng: Random) -> list[str]:
    """A legal order, each of the ready tasks as likely as the others."""
    order: list[str] = []
    while len(order) < len(question.tasks):
        ready = [t.id for t in question.tasks if t.id not in order]
        order.append(rng.choice([t for t in ready if set(question.graph.predecessors[t]) <= set(order)]))
    return order


def fresh(done: NDArray[np.bool_], arrays: TwoSided, allowed: NDArray[np.bool_] | None = None) -> State:
    """The state after ``done``, computed from nothing; without ``allowed`` every task is."""
    return prepare(done, np.ones_like(done) if allowed is None else allowed, arrays)  # type: ignore[no-any-return]


def ready_tasks(state: State) -> list[int]:
    return [int(t) for t in state.ready[: state.ready_count[0]]]


def content(state: State, rows: NDArray[np.bool_] | slice = slice(None)) -> dict[str, Any]:
    """What a state says, as plain values; about tasks only ``rows``. The ready tasks in the order of the list."""
    return {
        "missing": state.missing[rows].tolist(),
        "left": state.left.tolist(),
        "link": state.link.tolist(),
        "need": state.need[rows].tolist(),
        "net": state.net[rows].tolist(),
        "live": state.live.tolist(),
        "ready": ready_tasks(state),
        "places": [int(state.where[t]) for t in ready_tasks(state)],
    }


# -- one state after another -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_undo_restores_every_array_and_execute_agrees_with_a_fresh_start(
    backward: bool, seed: int, rng: Random
) -> None:
    """A random walk forth and back. What is said about executed tasks may be anything, as long as it is restored."""
    live = Live.of(any_problem(seed))
    arrays = two_sided(live, backward=backward)
    done = np.zeros(live.task_count, dtype=np.bool_)
    state = fresh(done, arrays)
    before = [content(state)]
    trail: list[int] = []
    for _ in range(4 * live.task_count):
        ready = ready_tasks(state)
        if ready and (not trail or rng.random() < 0.6):
            trail.append(rng.choice(ready))
            execute(trail[-1], done, state, arrays)
            before.append(content(state))
        else:
            undo(trail.pop(), done, state, arrays)
            before.pop()
        assert content(state) == before[-1]
        assert ready_tasks(state) == [t for _, t in sorted((state.where[t], t) for t in ready_tasks(state))]
        now, expected = content(state, ~done), content(fresh(done, arrays), ~done)
        assert sorted(now.pop("ready")) == sorted(expected.pop("ready"))
        assert sorted(now.pop("places")) == sorted(expected.pop("places"))
        assert now == expected
        assert sorted(trail) == np.flatnonzero(done).tolist()


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_only_allowed_tasks_become_ready(seed: int, rng: Random) -> None:
    """The other end has taken the last tasks of an order; all before them can be executed, and no other."""
    question = any_problem(seed)
    live = Live.of(question)
    order = random_order(question, rng)
    allowed = flags(live, frozenset(order[: rng.randint(0, len(order))]))
    arrays = two_sided(live, backward=False)
    done = np.zeros(live.task_count, dtype=np.bool_)
    state = fresh(done, arrays, allowed)
    while ready_tasks(state):
        assert all(allowed[t] and not done[t] for t in ready_tasks(state))
        execute(rng.choice(ready_tasks(state)), done, state, arrays)
    assert done.tolist() == allowed.tolist()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_live_need_and_net_are_those_of_the_definition_at_every_step(seed: int, rng: Random) -> None:
    """For every task that might run next."""
    question = any_problem(seed)
    live = Live.of(question)
    arrays = two_sided(live, backward=False)
    done = np.zeros(live.task_count, dtype=np.bool_)
    state = fresh(done, arrays)
    executed: frozenset[str] = frozenset()
    for name in random_order(question, rng):
        now = state.live
        assert tuple(now) == alive(question, executed, executed)
        for t, other in enumerate(live.tasks):
            missing = set(question.graph.predecessors[other]) - executed
            assert (t in ready_tasks(state)) == (other not in executed and not missing)
            if t in ready_tasks(state):
                after = executed | {other}
                assert tuple(now + state.net[t]) == alive(question, after, after)
                assert tuple(now + state.need[t]) == running(question, other, executed)
        execute(live.tasks.index(name), done, state, arrays)
        executed |= {name}
    assert tuple(state.live) == alive(question, executed, executed)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_read_backwards_every_moment_of_an_order_has_the_same_bytes(seed: int, rng: Random) -> None:
    question = any_problem(seed)
    live = Live.of(question)
    order = [live.tasks.index(t) for t in random_order(question, rng)]

    between, during = moments(live, order, backward=False)
    mirrored_between, mirrored_during = moments(live, order[::-1], backward=True)

    assert mirrored_between[::-1] == between
    assert mirrored_during[::-1] == during


def moments(live: Live, sequence: list[int], *, backward: bool) -> tuple[list[Usage], list[Usage]]:
    """Live bytes between the tasks of a sequence, and while each of them runs."""
    arrays = two_sided(live, backward=backward)
    done = np.zeros(live.task_count, dtype=np.bool_)
    state = fresh(done, arrays)
    between, during = [tuple(state.live.tolist())], []
    for t in sequence:
        assert t in ready_tasks(state)
        during.append(tuple((state.live + state.need[t]).tolist()))
        execute(t, done, state, arrays)
        between.append(tuple(state.live.tolist()))
    return between, during


# -- valleys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_the_least_set_between_two_states_is_the_one_of_enumeration(backward: bool, seed: int, rng: Random) -> None:
    """Of all sets of the path that are closed under predecessors: least live bytes, all pools together, and largest."""
    question = any_problem(seed, tasks=11)
    live = Live.of(question)
    order = random_order(question, rng)
    low, high = sorted((rng.randint(0, len(order)), rng.randint(0, len(order))))
    if backward:
        order.reverse()
    prefix, path = frozenset(order[:low]), order[low:high]
    arrays = two_sided(live, backward=backward)
    done = flags(live, frozenset(order[:high]))
    numbers = np.array([live.tasks.index(t) for t in path], dtype=np.int64)

    chosen = least_between(numbers, done, fresh(done, arrays), arrays)

    everyone = frozenset(order)
    least: dict[frozenset[str], int] = {}
    for count in range(len(path) + 1):
        for some in combinations(path, count):
            inside = prefix | set(some)
            executed = everyone - inside if backward else inside
            if all(set(question.graph.predecessors[t]) <= executed for t in executed):
                least[frozenset(some)] = sum(alive(question, executed, executed))
    lowest = min(least.values())
    largest = frozenset[str]().union(*(some for some, value in least.items() if value == lowest))
    assert frozenset(t for t, inside in zip(path, chosen, strict=True) if inside) == largest


def test_between_a_hill_and_what_follows_lies_a_valley() -> None:
    """``a`` writes 9 bytes that ``b`` turns into 1; ``c`` and ``d`` add 5 each and come too early."""
    question = problem(
        task("a", "", "x"), task("b", "x", "y"), task("c", "", "p"), task("d", "", "q"), task("end", "y p q"),
        sizes={"x": 9, "y": 1, "p": 5, "q": 5},
    )  # fmt: skip
    live = Live.of(question)
    arrays = two_sided(live, backward=False)
    a, b, c, d, _ = range(5)
    done = flags(live, frozenset("abcd"))

    from_nothing = least_between(np.array([a, c, d, b]), done, fresh(done, arrays), arrays)
    from_the_hill = least_between(np.array([c, d, b]), done, fresh(done, arrays), arrays)

    assert from_nothing.tolist() == [False, False, False, False]  # nothing is less than nothing
    assert from_the_hill.tolist() == [False, False, True]


# -- twins -------------------------------------------------------------------------------------------------------------


def near_twins(rng: Random) -> Problem:
    """Middle tasks that read alike and write alike, most of them; a few details differ, by chance."""
    count = rng.randint(3, 5)
    likely, alone, same = rng.choice((0, 0.8, 1)), rng.choice((0, 0, 0.2)), rng.choice((1, 1, 0.5))
    own = {k for k in range(count) if rng.random() < alone}
    loaded = {k for k in range(count) if rng.random() < 0.3}
    top = task("top", "", " ".join(["s0", "s1", *(f"in{k}" for k in range(count) if k not in own | loaded)]))
    tops = [top, *(task(f"w{k}", "", f"in{k}") for k in sorted(own))]
    given = {b for t in tops for b in t.outputs}
    middle = []
    for k in range(count):
        private = f" in{k}" if rng.random() < likely else ""
        reads = ("s0" if rng.random() < same else "s1") + private
        middle.append(task(f"m{k}", reads, f"o{k}", scratch=rng.choice((0, 0, 0, 0, 0, 3))))
    ends = [task("end", " ".join(f"o{k}" for k in range(count) if rng.random() < 0.9), "z")]
    ends.append(task("also", " ".join(f"o{k}" for k in range(count) if rng.random() < 0.1), "", after="top"))
    sizes = {f"{n}{k}": rng.choice((2, 2, 2, 2, 2, 5)) for n in ("in", "o", "s") for k in range(count)}
    question = problem(*rng.sample([*tops, *middle, *ends], len(tops) + len(middle) + 2), sizes=sizes)
    types = rng.choice(((None,), (None,), (None, None, None, "image")))
    buffers = tuple(
        replace(b, keep=rng.random() < 0.1, data_type=rng.choice(types)) if b.id in given or b.id.startswith("o") else b
        for b in question.buffers
    )
    in_place = tuple(
        replace(t, in_place=((t.outputs[0], t.inputs[-1]),))
        if t.id.startswith("m") and t.inputs[-1] in given and rng.random() < 0.15
        else t
        for t in question.tasks
    )
    outputs = rng.choice((OutputPolicy.KEEP, OutputPolicy.DISCARD))
    inputs = InputPolicy.LAZY if any(t.in_place for t in in_place) else rng.choice(tuple(InputPolicy))
    return replace(question, buffers=buffers, tasks=in_place, policy=Policy(inputs, outputs))


def predecessor_twins(live: Live) -> list[int]:
    """Per task, the twin that the forward search runs before it, or -1."""
    search = ExactSearch(live, np.zeros(len(live.pools), dtype=np.int64), memory=1)
    return [int(t) for t in search._ends[0].twin]


@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 150), pytest.param(150, 3000, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_whatever_runs_its_twin_might_have_run_instead(first: int, seeds: int) -> None:
    """In any legal order two twins may change places, and the bytes of every pool at every step stay what they were."""
    pairs = 0
    for seed in range(first, first + seeds):
        rng = Random(seed)
        question = near_twins(rng)
        live = Live.of(question)
        for t, other in enumerate(predecessor_twins(live)):
            if other < 0:
                continue
            pairs += 1
            exchange = {live.tasks[t]: live.tasks[other], live.tasks[other]: live.tasks[t]}
            for _ in range(6):
                order = random_order(question, rng)
                changed = [exchange.get(name, name) for name in order]
                for k, (name, instead) in enumerate(zip(order, changed, strict=True)):
                    done, other_done = frozenset(order[:k]), frozenset(changed[:k])
                    assert set(question.graph.predecessors[instead]) <= other_done, f"seed {seed}"
                    assert running(question, name, done) == running(question, instead, other_done), f"seed {seed}"
    assert pairs > seeds / 4


def test_equal_branches_are_twins_of_each_other_in_one_row() -> None:
    branches = [task(f"m{k}", "seed", f"o{k}") for k in range(4)]
    question = problem(task("a", "", "seed"), *branches, task("z", "o0 o1 o2 o3"))

    # canonical order: a, m0 to m3, z
    assert predecessor_twins(Live.of(question)) == [-1, -1, 1, 2, 3, -1]


@pytest.mark.parametrize(
    "differs",
    [
        {"sizes": {"o1": 2}},
        {"keep": "o1"},
        {"scratch": 1},
        {"reads": "seed other"},
        {"after": "b"},
        {"in_place": True},
    ],
    ids=lambda differs: next(iter(differs)),
)
def test_one_difference_and_they_are_no_twins(differs: dict[str, Any]) -> None:
    one = task("m0", "seed", "o0")
    two = task(
        "m1", differs.get("reads", "seed"), "o1", scratch=differs.get("scratch", 0), after=differs.get("after", "")
    )
    if "in_place" in differs:
        two = replace(two, in_place=(("o1", "seed"),))
    question = problem(
        task("a", "", "seed"), task("b", "", "other"), one, two, task("z", "o0 o1 other"), sizes=differs.get("sizes", 1)
    )
    if "keep" in differs:
        buffers = tuple(replace(b, keep=b.id == differs["keep"]) for b in question.buffers)
        question = replace(question, buffers=buffers)

    assert set(predecessor_twins(Live.of(question))) == {-1}


def test_those_who_share_different_inputs_are_no_twins_though_all_sizes_agree() -> None:
    """``m0`` and ``m2`` free ``left``, ``m1`` and ``m3`` free ``right``: half of each pair frees nothing."""
    middle = [task(f"m{k}", "right" if k % 2 else "left", f"o{k}") for k in range(4)]
    question = problem(task("a", "", "left right"), *middle, task("z", "o0 o1 o2 o3"), sizes=3)

    assert predecessor_twins(Live.of(question)) == [-1, -1, -1, 1, 2, -1]


@pytest.mark.parametrize("seed", range(150))
def test_the_order_of_twins_costs_nothing(seed: int) -> None:
    """The search that keeps twins in order finds what enumeration finds, at the optimum and one byte below."""
    question = near_twins(Random(seed))
    live = Live.of(question)
    optimum = least_peak_by_enumeration(question)
    search = ExactSearch(live, np.zeros(len(live.pools), dtype=np.int64), memory=2**16)
    guide = np.array([live.tasks.index(t) for t in question.graph.topological_order], dtype=np.int64)

    assert search.ask(optimum, 10**5, guide).order is not None
    below = search.ask(optimum - 1, 10**5, guide)
    assert below.above is not None
    assert below.above <= optimum
