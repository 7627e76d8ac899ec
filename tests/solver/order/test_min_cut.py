"""Minimum cuts, against enumeration of every set of tasks that can have been executed."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.order.live import Live
from catalytic.solver.order.min_cut import CutNetwork, min_cut_bound
from catalytic.solver.problem import Buffer, InputPolicy, OutputPolicy, Policy, Problem, Task
from catalytic.solver.units import MAX_BYTES, Bytes, Tick
from tests.builders import TINY, chain, diamond, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration, least_usages_by_enumeration, order_value


def indices(live: Live, order: tuple[str, ...]) -> Ints:
    number = {t: i for i, t in enumerate(live.tasks)}
    return np.array([number[t] for t in order], dtype=np.int64)


def some_order(live: Live) -> Ints:
    return indices(live, live.problem.graph.topological_order)


def bound_of(question: Problem, pool: int | None = None) -> int:
    live = Live.of(question)
    return min_cut_bound(CutNetwork(live, pool=pool), some_order(live)).value


def best_bound(question: Problem) -> int:
    """The larger of the bound on all pools at one moment and the sum of their own bounds."""
    pools = range(len(question.graph.pools))
    return max(bound_of(question), sum(bound_of(question, pool) for pool in pools))


def any_problem(seed: int, tasks: int) -> Problem:
    """A random problem; every other one with permissions to write over loaded inputs."""
    rng = Random(seed)
    question = random_problem(rng, tasks=tasks)
    if seed % 2:
        return question
    policy = Policy(rng.choice((InputPolicy.LAZY, InputPolicy.PRELOAD)), question.policy.outputs)
    graph = question.graph
    changed = [
        replace(t, in_place=(*t.in_place, *((rng.choice(t.outputs), b) for b in t.inputs if b not in graph.writer)))
        if t.outputs
        else t
        for t in question.tasks
    ]
    return replace(question, policy=policy, tasks=tuple(changed))


def layered(tasks: int, width: int, seed: int) -> Problem:
    """Tasks that read up to six of the buffers written a few layers of ``width`` tasks before."""
    rng = Random(seed)
    made = []
    for k in range(tasks):
        recent = range(max(0, k - 3 * width), max(0, k - width // 2))
        inputs = tuple(f"b{i}" for i in rng.sample(recent, min(len(recent), rng.randint(1, 6))))
        made.append(Task(f"t{k:05}", Tick(1), inputs, (f"b{k}",)))
    buffers = tuple(Buffer(f"b{k}", Bytes(rng.randint(1, 1000))) for k in range(tasks))
    return Problem("layered", tuple(made), buffers, TINY)


def as_numbered(live: Live) -> Ints:
    return np.arange(live.task_count, dtype=np.int64)


@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 150), pytest.param(150, 3000, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_a_cut_is_the_least_usage_of_its_task(first: int, seeds: int) -> None:
    """Exactly, whatever is kept, loaded, preloaded, taken over in place or of no bytes at all."""
    for seed in range(first, first + seeds):
        question = any_problem(seed, tasks=8)
        live = Live.of(question)
        network = CutNetwork(live)
        least = least_usages_by_enumeration(question)
        for v, name in enumerate(live.tasks):
            value, inside, _ = network.cut(v, network.sides(v))
            assert value * network.unit == least[name], f"seed {seed}, task {name}"
            assert network.usage(v, inside) == value, f"seed {seed}, task {name}"


@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 300), pytest.param(300, 3000, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_no_order_is_below_the_bound_and_most_often_one_reaches_it(first: int, seeds: int) -> None:
    reached = 0
    for seed in range(first, first + seeds):
        question = any_problem(seed, tasks=9)
        optimum, bound = least_peak_by_enumeration(question), best_bound(question)
        assert bound <= optimum, f"seed {seed}"
        reached += bound == optimum
    print(f"bound = optimum in {reached} of {seeds}")
    assert reached > 0.8 * seeds


@pytest.mark.parametrize("seed", range(60))
def test_the_bound_is_the_largest_cut_though_few_are_computed(seed: int) -> None:
    live = Live.of(random_problem(Random(seed), tasks=12))
    network = CutNetwork(live)
    values = [network.cut(v, network.sides(v))[0] * network.unit for v in range(live.task_count)]

    found = min_cut_bound(network, some_order(live))

    assert found.exact
    assert found.value == max(values)
    assert found.task is not None
    assert found.value == values[found.task]
    assert found.flows <= live.task_count


@pytest.mark.parametrize(("tasks", "width"), [(300, 15)])
def test_estimates_leave_few_flows_to_compute(tasks: int, width: int) -> None:
    live = Live.of(layered(tasks, width, seed=1))
    network = CutNetwork(live)

    found = min_cut_bound(network, as_numbered(live))

    assert found.value == max(network.cut(v, network.sides(v))[0] for v in range(tasks)) * network.unit
    assert found.flows < tasks / 5


@pytest.mark.stress
def test_five_thousand_tasks_take_seconds() -> None:
    live = Live.of(layered(5000, 50, seed=1))
    order = as_numbered(live)

    found = min_cut_bound(live, order)

    assert found.exact
    assert found.flows < 2000
    assert found.value <= CutNetwork(live).estimates(order).max()


@pytest.mark.parametrize("seed", range(200))
def test_estimates_are_the_usages_of_the_order(seed: int) -> None:
    question = any_problem(seed, tasks=8)
    live = Live.of(question)
    for pool in range(len(live.pools)):
        network = CutNetwork(live, pool=pool)
        usages = network.estimates(some_order(live)) * network.unit
        if len(live.pools) == 1:
            assert usages.max() == order_value(question, question.graph.topological_order)
        for v in range(live.task_count):
            value, inside, _ = network.cut(v, network.sides(v))
            assert value * network.unit <= usages[v]
            estimates = np.full(live.task_count, network.unlimited)
            network.lower_estimates(estimates, inside)
            assert estimates[v] == value


@pytest.mark.parametrize("seed", range(80))
def test_further_precedence_is_the_same_as_after_edges(seed: int) -> None:
    rng = Random(seed)
    question = random_problem(rng, tasks=7)
    order = question.graph.topological_order
    pairs = sorted({tuple(sorted(rng.sample(range(len(order)), 2))) for _ in range(2)} if len(order) > 1 else ())
    tasks = tuple(
        replace(t, after=(*t.after, *(order[a] for a, b in pairs if order[b] == t.id))) for t in question.tasks
    )
    stricter = replace(question, tasks=tasks)
    live = Live.of(question)
    where = indices(live, order)
    network = CutNetwork(live, extra=[(int(where[a]), int(where[b])) for a, b in pairs])

    found = min_cut_bound(network, where)

    assert found.value == bound_of(stricter)
    assert found.value <= least_peak_by_enumeration(stricter)
    assert found.value >= bound_of(question)


@pytest.mark.parametrize("seed", range(80))
def test_between_two_sets_only_the_steps_between_count(seed: int) -> None:
    rng = Random(seed)
    question = random_problem(rng, tasks=8)
    order = question.graph.topological_order
    low, high = sorted(rng.sample(range(len(order) + 1), 2))
    live = Live.of(question)
    where = indices(live, order)
    begin, end = np.zeros((2, len(order)), dtype=np.bool_)
    begin[where[:low]] = True
    end[where[:high]] = True

    found = min_cut_bound(CutNetwork(live, begin=begin, end=end), where)

    assert found.value <= least_peak_by_enumeration(question, frozenset(order[:low]), frozenset(order[:high]))
    assert found.value >= max(
        (
            network.cut(v, network.sides(v))[0] * network.unit
            for network in [CutNetwork(live)]
            for v in where[low:high].tolist()
        ),
        default=0,
    )
    assert found.inside[begin].all()
    assert not found.inside[~end].any()


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_a_clock_that_stops_leaves_a_valid_bound(allowed: int) -> None:
    live = Live.of(layered(60, 8, seed=3))
    ticks = count()

    found = min_cut_bound(live, as_numbered(live), go_on=lambda: next(ticks) < allowed)

    assert found.flows == allowed
    assert not found.exact
    assert (found.task is None) == (allowed == 0)
    assert found.value <= min_cut_bound(live, as_numbered(live)).value


def test_a_bound_that_is_enough_is_not_raised() -> None:
    live = Live.of(layered(60, 8, seed=3))
    whole = min_cut_bound(live, as_numbered(live))

    assert whole.flows > 1
    assert min_cut_bound(live, as_numbered(live), enough=1).flows == 1


def renamed(question: Problem, rng: Random) -> Problem:
    """The same problem under other names, which also changes the canonical order."""
    names = [t.id for t in question.tasks]
    other = dict(zip(names, (f"u{k}" for k in rng.sample(range(len(names)), len(names))), strict=True))
    tasks = tuple(replace(t, id=other[t.id], after=tuple(other[a] for a in t.after)) for t in question.tasks)
    return replace(question, tasks=tasks)


@pytest.mark.parametrize("seed", range(60))
def test_names_do_not_matter(seed: int) -> None:
    rng = Random(seed)
    question = random_problem(rng, tasks=8)
    other = renamed(question, rng)

    assert best_bound(other) == best_bound(question)
    assert least_peak_by_enumeration(other) == least_peak_by_enumeration(question)


@pytest.mark.parametrize("seed", range(60))
def test_multiplying_sizes_multiplies_the_bound(seed: int) -> None:
    question = random_problem(Random(seed), tasks=8)
    question = replace(question, workspace=replace(question.workspace, alignment=1))
    larger = replace(
        question,
        buffers=tuple(replace(b, size=Bytes(7 * b.size)) for b in question.buffers),
        tasks=tuple(replace(t, scratch=Bytes(7 * t.scratch)) for t in question.tasks),
    )

    assert best_bound(larger) == 7 * best_bound(question)
    assert least_peak_by_enumeration(larger) == 7 * least_peak_by_enumeration(question)


@pytest.mark.parametrize("seed", range(100))
def test_another_reader_never_lowers_bound_or_optimum(seed: int) -> None:
    """It keeps the buffer longer. Unread outputs are exported here: kept ones would be freed by a first reader."""
    rng = Random(seed)
    question = random_problem(rng, tasks=7)
    question = replace(question, policy=Policy(question.policy.inputs, OutputPolicy.EXPORT))
    order = question.graph.topological_order
    later = [
        (b.id, t)
        for b in question.buffers
        for t in order[order.index(question.graph.writer[b.id]) + 1 if b.id in question.graph.writer else 0 :]
        if b.id not in question.graph.task[t].inputs + question.graph.task[t].outputs
    ]
    if not later:
        return
    buffer, reader = rng.choice(later)
    tasks = tuple(replace(t, inputs=(*t.inputs, buffer)) if t.id == reader else t for t in question.tasks)
    more = replace(question, tasks=tasks)

    assert bound_of(more) >= bound_of(question)
    assert least_peak_by_enumeration(more) >= least_peak_by_enumeration(question)


def test_two_buffers_of_which_one_must_wait() -> None:
    """While ``right`` runs, ``left`` has run or not: what it reads or what it writes is alive, at least 4 bytes."""
    question = problem(
        task("top", "", "a b"),
        task("left", "a", "l"),
        task("right", "b", "r"),
        task("bottom", "l r", "z"),
        sizes={"a": 8, "b": 4, "l": 4, "r": 6, "z": 1},
    )
    live = Live.of(question)
    network = CutNetwork(live)
    left, right = live.tasks.index("left"), live.tasks.index("right")

    value, inside, flow = network.cut(right, network.sides(right))

    assert value * network.unit == 4 + 6 + 4  # b, r, and l rather than a
    assert inside[left]
    assert [(n, [live.groups[g][0] for g in chain]) for n, chain in flow.chains()] == [(4, ["a", "l"])]


def test_a_reader_that_must_come_later_forbids_taking_over() -> None:
    """``t`` may write ``y`` over ``x`` when ``other`` has read it; with ``other`` behind ``t`` it never may."""
    tasks = (task("w", "", "x"), replace(task("t", "x", "y"), in_place=(("y", "x"),)), task("other", "x", "z"))
    free = problem(*tasks, sizes={"x": 8, "y": 8, "z": 1})
    bound = problem(*tasks[:2], replace(tasks[2], after=("t",)), sizes={"x": 8, "y": 8, "z": 1})

    assert bound_of(free) == 9  # w, other, t: x and z, then y in the bytes of x
    assert bound_of(bound) == 16


@pytest.mark.parametrize(
    ("policy", "expected"), [(InputPolicy.EXTERNAL, 3), (InputPolicy.LAZY, 51), (InputPolicy.PRELOAD, 53)]
)
def test_inputs_count_from_where_the_policy_puts_them(policy: InputPolicy, expected: int) -> None:
    """``late`` reads what a preloaded workspace holds from the start, also while ``b`` runs."""
    question = problem(
        task("a", "", "x"), task("b", "x", "y"), task("late", "big", "", after="b"), sizes={"big": 50, "x": 2, "y": 1}
    )
    question = replace(question, policy=Policy(policy))
    if policy is InputPolicy.LAZY:
        tasks = tuple(replace(t, outputs=("end",)) if t.id == "late" else t for t in question.tasks)
        question = replace(question, tasks=tasks, buffers=(*question.buffers, Buffer("end", Bytes(1))))

    assert bound_of(question) == expected


def test_without_bytes_there_is_nothing_to_bound() -> None:
    assert bound_of(chain(3, size=0)) == 0
    assert bound_of(replace(chain(1), tasks=(), buffers=())) == 0


def test_sums_beyond_64_bits_are_rounded_down() -> None:
    """Three of the five buffers are alive at once, about 2^62 bytes each; the bound stays below and close."""
    question = diamond(MAX_BYTES)
    question = replace(
        question, buffers=tuple(replace(b, size=Bytes(b.size - k)) for k, b in enumerate(question.buffers))
    )
    live = Live.of(question)

    found = min_cut_bound(live, some_order(live))

    assert not found.exact
    assert 0.999 < found.value / least_peak_by_enumeration(question) <= 1
