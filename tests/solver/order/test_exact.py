"""The exact search, against enumeration: every small graph, every feature, every ceiling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations
from random import Random

import numpy as np
import pytest

from catalytic.solver.arrays import Ints
from catalytic.solver.order.bounds import pool_cuts
from catalytic.solver.order.exact import Answer, ExactSearch
from catalytic.solver.order.live import Live
from catalytic.solver.problem import Buffer, InputPolicy, OutputPolicy, Policy, Problem, Task
from catalytic.solver.units import Bytes, Tick
from tests.builders import TINY, chain, diamond, problem, random_problem, task
from tests.oracles import least_peak_by_enumeration, order_value

PLENTY = 10**6
"""More nodes than any problem of this page has states."""

MEMORY = 2**16
"""Bytes for failed states: room for all of them, and quickly cleared."""

PAIRS = tuple(combinations(range(6), 2))
ALL_GRAPHS = range(2 ** len(PAIRS))


def graph_of_six(number: int) -> Problem:
    """The ``number``-th graph of six tasks in a fixed topological order; sizes are drawn by its number.

    Each task writes one buffer; bit k of the number says whether the k-th pair of tasks is an edge.
    """
    rng = Random(number)
    reads: list[list[str]] = [[] for _ in range(6)]
    for k, (a, b) in enumerate(PAIRS):
        if number >> k & 1:
            reads[b].append(f"b{a}")
    tasks = tuple(Task(f"t{i}", Tick(1), tuple(reads[i]), (f"b{i}",)) for i in range(6))
    return Problem("six", tasks, tuple(Buffer(f"b{i}", Bytes(rng.randint(0, 9))) for i in range(6)), TINY)


def any_problem(seed: int, tasks: int) -> Problem:
    """A random problem with every feature; every other one may also write over inputs that were loaded."""
    rng = Random(seed)
    question = random_problem(rng, tasks=tasks)
    if seed % 2:
        return question
    policy = Policy(rng.choice((InputPolicy.LAZY, InputPolicy.PRELOAD)), question.policy.outputs)
    writer = question.graph.writer
    changed = tuple(
        replace(t, in_place=(*t.in_place, *((rng.choice(t.outputs), b) for b in t.inputs if b not in writer)))
        if t.outputs
        else t
        for t in question.tasks
    )
    return replace(question, policy=policy, tasks=changed)


def full_problem(seed: int, least: int, most: int) -> Problem:
    """The first of the problems from ``seed`` on that has ``least`` to ``most`` tasks."""
    candidates = (any_problem(1000 * seed + k, most) for k in range(1000))
    return next(question for question in candidates if len(question.tasks) >= least)


def some_order(live: Live) -> Ints:
    number = {t: i for i, t in enumerate(live.tasks)}
    return np.array([number[t] for t in live.problem.graph.topological_order], dtype=np.int64)


def no_lows(live: Live) -> Ints:
    return np.zeros(len(live.pools), dtype=np.int64)


def cut_lows(live: Live) -> Ints:
    """What each pool needs by its minimum cuts: the most that may be said about it by itself."""
    cuts = pool_cuts(live, some_order(live))
    return np.array([cuts[pool].value for pool in live.pools], dtype=np.int64)


def search_of(question: Problem, *, memory: int = MEMORY, seed: int = 0, cuts: bool = False) -> ExactSearch:
    live = Live.of(question)
    return ExactSearch(live, cut_lows(live) if cuts else no_lows(live), seed=seed, memory=memory)


def ask(search: ExactSearch, ceiling: int, nodes: int = PLENTY, guide: Ints | None = None) -> Answer:
    return search.ask(ceiling, nodes, some_order(search.live) if guide is None else guide)


def assert_true(search: ExactSearch, ceiling: int, answer: Answer, optimum: int) -> None:
    """What the answer claims holds, and it claims at most one thing."""
    if answer.order is not None:
        names = [search.live.tasks[t] for t in answer.order]
        assert answer.above is None
        assert order_value(search.live.problem, names) <= ceiling
    if answer.above is not None:
        assert ceiling < answer.above <= optimum


def assert_settled(search: ExactSearch, ceiling: int, answer: Answer, optimum: int) -> None:
    """The answer is the right one of the two."""
    assert_true(search, ceiling, answer, optimum)
    assert (answer.order is not None) == (ceiling >= optimum)
    assert (answer.above is not None) == (ceiling < optimum)


def optimum_by_bisection(search: ExactSearch, low: int, high: int, guide: Ints | None = None) -> int:
    """The least ceiling with an order, from answers of one search between two ceilings; ``high`` must have one."""
    while low < high:
        middle = (low + high) // 2
        answer = ask(search, middle, guide=guide)
        if answer.order is not None:
            names = [search.live.tasks[t] for t in answer.order]
            high = order_value(search.live.problem, names)
            assert high <= middle
        else:
            assert answer.above is not None
            assert answer.above > middle
            low = answer.above
    assert low == high
    return high


def optimum_of(question: Problem, **settings: int | bool) -> int:
    search = search_of(question, **settings)  # type: ignore[arg-type]
    return optimum_by_bisection(search, 0, order_value(question, question.graph.topological_order))


def ceilings_around(optimum: int, highest: int) -> Iterator[int]:
    """No bytes, just too few, just enough, one more, and as many as a poor order needs; up and down."""
    yield from (highest, 0, optimum - 1, optimum, optimum // 2, optimum + 1, optimum - 1)


@cache
def enumerated(seed: int, least: int, most: int) -> tuple[Problem, int]:
    """A problem with its optimum; several tests ask for the same ones."""
    question = full_problem(seed, least, most)
    return question, least_peak_by_enumeration(question)


# -- the optimum, on every graph and with every feature ---------------------------------------------------------------


def assert_optimum_is_found(question: Problem) -> None:
    """At the optimum from a fresh search, one byte below it, and by bisection on the same search."""
    optimum = least_peak_by_enumeration(question)
    search = search_of(question)
    for ceiling in (optimum - 1, optimum):
        assert_settled(search, ceiling, ask(search, ceiling), optimum)
    assert optimum_by_bisection(search, 0, order_value(question, question.graph.topological_order)) == optimum


def test_a_sample_of_all_graphs_of_six_tasks() -> None:
    for number in Random(6).sample(ALL_GRAPHS, 300):
        assert_optimum_is_found(graph_of_six(number))


@pytest.mark.stress
@pytest.mark.parametrize("part", range(16))
def test_all_graphs_of_six_tasks(part: int) -> None:
    for number in ALL_GRAPHS[part::16]:
        assert_optimum_is_found(graph_of_six(number))


@pytest.mark.parametrize("cuts", [False, True], ids=["nothing known", "pools known by cuts"])
@pytest.mark.parametrize(
    ("first", "seeds"), [(0, 120), pytest.param(120, 2000, marks=pytest.mark.stress)], ids=["sample", "all"]
)
def test_every_ceiling_gets_the_right_answer_from_a_fresh_search_and_from_a_used_one(
    first: int, seeds: int, cuts: bool
) -> None:
    for seed in range(first, first + seeds):
        question, optimum = enumerated(seed, 7, 9)
        highest = order_value(question, question.graph.topological_order)
        used = search_of(question, cuts=cuts)
        for ceiling in ceilings_around(optimum, highest):
            for search in (search_of(question, cuts=cuts), used):
                assert_settled(search, ceiling, ask(search, ceiling), optimum)
        assert optimum_by_bisection(used, 0, highest) == optimum, f"seed {seed}"


# -- what must not matter ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_memory_for_a_hundred_states_gives_the_same_answers(seed: int) -> None:
    """Rows are replaced all the time; a state forgotten costs time, a state remembered wrongly an order."""
    question, optimum = enumerated(seed, 7, 9)

    assert optimum_of(question, memory=1) == optimum


def test_a_search_that_forgets_visits_states_again_and_says_the_same() -> None:
    """Otherwise the test above would replace nothing."""
    question = wide_problem(5, seed=1)
    optimum = least_peak_by_enumeration(question)

    generous, forgetful = (ask(search_of(question, memory=memory), optimum - 1) for memory in (MEMORY, 1))

    assert generous.above == forgetful.above == optimum
    assert forgetful.nodes > generous.nodes


@pytest.mark.parametrize("width", [3, 4, 5, 6])
@pytest.mark.parametrize("seed", range(3))
def test_valleys_between_hills_are_gone_through_once(width: int, seed: int) -> None:
    """Below a deeper state of the same path a shallower one is no valley: going back to it would never end."""
    question = wide_problem(width, seed)
    optimum = least_peak_by_enumeration(question)
    search = search_of(question)

    for ceiling in (optimum - 1, optimum, optimum + 1):
        answer = ask(search, ceiling, 20_000)
        assert_settled(search, ceiling, answer, optimum)
        assert answer.nodes < 4**width + 500  # states: head and tail executed or not; 500 for the first turns


def test_an_order_from_both_ends_is_whole_and_legal() -> None:
    """Where the first end has not found the way in its first turn of 200 states, the other one has its say."""
    both = 0
    for seed in range(8):
        question = wide_problem(8, seed)
        search = search_of(question, memory=2**20)
        least, plain = int(cut_lows(search.live).sum()), order_value(question, question.graph.topological_order)
        for ceiling in range(least, plain):
            answer = ask(search, ceiling)
            assert (answer.order is None) != (answer.above is None)
            if answer.order is not None:
                assert order_value(question, [search.live.tasks[t] for t in answer.order]) <= ceiling
                both += answer.nodes > 200
    assert both > 8


def wide_problem(width: int, seed: int) -> Problem:
    """``width`` heads in a ring, each read by two tails, and a task that reads what all leave; few moves are safe."""
    rng = Random(seed)
    heads = [task(f"h{k}", "", f"x{k} y{k}") for k in range(width)]
    tails = [task(f"t{k}", f"x{k} y{(k + 1) % width}", f"z{k}") for k in range(width)]
    end = task("end", " ".join(f"z{k}" for k in range(width)), "")
    return problem(*heads, *tails, end, sizes={f"{n}{k}": rng.randint(1, 30) for n in "xyz" for k in range(width)})


@pytest.mark.parametrize("seed", range(40))
def test_guide_and_seed_change_the_way_and_not_the_answer(seed: int) -> None:
    question, optimum = enumerated(seed, 7, 9)
    search = search_of(question, seed=seed + 1)
    random = np.random.default_rng(seed)
    highest = order_value(question, question.graph.topological_order)

    for _ in range(3):  # not even a legal order is demanded of a guide
        guide = random.permutation(search.live.task_count).astype(np.int64)
        assert optimum_by_bisection(search, 0, highest, guide) == optimum


@pytest.mark.parametrize("seed", range(60))
def test_names_do_not_matter(seed: int) -> None:
    """Other names also change the canonical order, and with it every index."""
    question, optimum = enumerated(seed, 7, 9)

    assert optimum_of(renamed(question, Random(seed))) == optimum


def renamed(question: Problem, rng: Random) -> Problem:
    """The same problem under other names of its tasks."""
    names = [t.id for t in question.tasks]
    other = dict(zip(names, (f"u{k}" for k in rng.sample(range(len(names)), len(names))), strict=True))
    tasks = tuple(replace(t, id=other[t.id], after=tuple(other[a] for a in t.after)) for t in question.tasks)
    return replace(question, tasks=tasks)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("factor", [7, 10**9])
def test_multiplying_sizes_multiplies_the_optimum(seed: int, factor: int) -> None:
    question, _ = enumerated(seed, 7, 9)
    question = replace(question, workspace=replace(question.workspace, alignment=1))

    assert optimum_of(multiplied(question, factor)) == factor * optimum_of(question)


def multiplied(question: Problem, factor: int) -> Problem:
    return replace(
        question,
        buffers=tuple(replace(b, size=Bytes(factor * b.size)) for b in question.buffers),
        tasks=tuple(replace(t, scratch=Bytes(factor * t.scratch)) for t in question.tasks),
    )


@pytest.mark.parametrize("seed", range(120))
def test_another_reader_never_lowers_the_optimum(seed: int) -> None:
    """It keeps the buffer longer. Unread outputs are exported here: kept ones would be freed by a first reader."""
    question, _ = enumerated(seed, 7, 9)
    question = replace(question, policy=Policy(question.policy.inputs, OutputPolicy.EXPORT))

    assert optimum_of(with_another_reader(question, Random(seed))) >= optimum_of(question)


def with_another_reader(question: Problem, rng: Random) -> Problem:
    """A task that may read a further buffer does; the problem itself where every task already reads all it may."""
    order = question.graph.topological_order
    later = [
        (b.id, t)
        for b in question.buffers
        for t in order[order.index(question.graph.writer[b.id]) + 1 if b.id in question.graph.writer else 0 :]
        if b.id not in question.graph.task[t].inputs + question.graph.task[t].outputs
    ]
    if not later:
        return question
    buffer, reader = rng.choice(later)
    tasks = tuple(replace(t, inputs=(*t.inputs, buffer)) if t.id == reader else t for t in question.tasks)
    return replace(question, tasks=tasks)


# -- what is claimed when there is too little of something -------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_whoever_runs_out_of_nodes_claims_nothing_false(seed: int) -> None:
    question, optimum = enumerated(seed, 7, 9)
    search = search_of(question)
    for nodes in (0, 1, 2, 3, 5, 8):
        for ceiling in (optimum - 1, optimum):
            assert_true(search, ceiling, ask(search, ceiling, nodes), optimum)


def test_a_clock_that_stands_still_leaves_the_question_open() -> None:
    search = search_of(diamond(4))

    answer = search.ask(100, PLENTY, some_order(search.live), lambda: False)

    assert (answer.order, answer.above, answer.nodes) == (None, None, 0)


def test_bytes_that_every_order_needs_refuse_a_ceiling_without_search() -> None:
    search = search_of(chain(3, size=8), cuts=True)

    assert ask(search, 15) == Answer(None, 16, 0)


@pytest.mark.parametrize("policy", list(InputPolicy))
def test_a_problem_without_tasks_or_without_bytes_has_an_order_at_zero(policy: InputPolicy) -> None:
    nothing = replace(chain(1), tasks=(), buffers=(), policy=Policy(policy))
    for question in (nothing, chain(3, size=0), problem(task("alone"))):
        search = search_of(question)
        answer = ask(search, 0)
        assert answer.order is not None
        assert sorted(answer.order) == list(range(len(question.tasks)))


# -- known by hand -----------------------------------------------------------------------------------------------------


def test_a_valley_is_no_licence_to_forget_what_was_spent_on_the_way() -> None:
    """Two hills with a peak of 10 each, one after the other: 10 bytes; what the first leaves counts for the second."""
    first = [task("a1", "", "x"), task("a2", "x", "p")]
    second = [task("b1", "", "y"), task("b2", "y", "q")]
    question = problem(*first, *second, task("end", "p q", ""), sizes={"x": 8, "p": 2, "y": 6, "q": 4})

    # a first: 10, then 2 + 10 = 12; b first: 10, then 4 + 10 = 14; interleaved is no better than 12.
    assert optimum_of(question) == 12


def test_two_pools_pay_for_their_own_peaks() -> None:
    """A pool's slice is its own: 5 of one kind and 7 of the other make 12, though they never live together."""
    question = problem(task("a", "", "x"), task("b", "", "y"), sizes={"x": 5, "y": 7})
    apart = replace(question, buffers=tuple(replace(b, data_type=b.id) for b in question.buffers))

    assert optimum_of(question) == 7
    assert optimum_of(apart) == 12


def test_a_task_writes_over_an_input_that_nobody_else_still_needs() -> None:
    """``t`` last: x, then x and z (9), then y in the bytes of x (9). ``t`` before ``other`` would need 16."""
    tasks = (task("w", "", "x"), replace(task("t", "x", "y"), in_place=(("y", "x"),)), task("other", "x", "z"))

    assert optimum_of(problem(*tasks, sizes={"x": 8, "y": 8, "z": 1})) == 9
