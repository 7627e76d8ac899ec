"""Groups, permissions in place and flags of the order problem, against what they mean."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from catalytic.solver.order.live import Live
from catalytic.solver.problem import InputPolicy, OutputPolicy, Policy, Pool, Problem
from tests.builders import chain, problem, random_problem, task

SEEDS = range(200)


def group_of(live: Live) -> dict[str, int]:
    return {b: g for g, members in enumerate(live.groups) for b in members}


def users_of(question: Problem, buffer: str) -> set[str]:
    """Readers and writer."""
    return {t.id for t in question.tasks if buffer in t.inputs or buffer in question.graph.working_set(t.id)}


def taken_over(question: Problem) -> dict[tuple[str, str], int]:
    """(task, input) -> bytes saved: pairs of one pool that both live in the workspace, the input not kept."""
    graph = question.graph
    return {
        (t.id, source): min(graph.aligned_size[output], graph.aligned_size[source])
        for t in question.tasks
        for output, source in t.in_place
        if {output, source} <= set(graph.resident)
        and source not in graph.kept
        and graph.pool_of[output] == graph.pool_of[source]
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_buffers_are_together_exactly_when_nothing_can_part_them(seed: int) -> None:
    """Same pool, writer, users and whether it is kept; a buffer that may be taken over is alone."""
    question = random_problem(Random(seed))
    graph, live = question.graph, Live.of(question)
    group = group_of(live)
    sources = {source for _, source in taken_over(question)}

    assert sorted(b for members in live.groups for b in members) == sorted(graph.resident)
    for a in graph.resident:
        for b in graph.resident:
            alike = (
                graph.pool_of[a] == graph.pool_of[b]
                and graph.writer.get(a) == graph.writer.get(b)
                and users_of(question, a) == users_of(question, b)
                and (a in graph.kept) == (b in graph.kept)
                and not {a, b} & sources
            )
            assert (group[a] == group[b]) == (alike or a == b)


@pytest.mark.parametrize("seed", SEEDS)
def test_groups_say_what_their_buffers_say(seed: int) -> None:
    question = random_problem(Random(seed))
    graph, live = question.graph, Live.of(question)
    policy = question.policy.inputs

    for g, members in enumerate(live.groups):
        assert live.size[g] == sum(graph.aligned_size[b] for b in members)
        for b in members:
            writer = graph.writer.get(b)
            assert live.pools[live.pool[g]] == graph.pool_of[b]
            assert (live.tasks[live.writer[g]] if live.writer[g] >= 0 else None) == writer
            assert live.kept[g] == (b in graph.kept)
            assert live.lazy[g] == (writer is None and policy is InputPolicy.LAZY)
            assert live.preload[g] == (writer is None and policy is InputPolicy.PRELOAD)
            assert {live.tasks[t] for t in live.users[g]} == users_of(question, b)
    for t, name in enumerate(live.tasks):
        assert {b for g in live.births[t] for b in live.groups[g]} == {
            b for b in graph.resident if graph.writer.get(b) == name
        }
        assert {b for g in live.uses[t] for b in live.groups[g]} == set(graph.working_set(name))
        assert {live.tasks[p] for p in live.predecessors[t]} == set(graph.predecessors[name])
        assert {live.tasks[s] for s in live.successors[t]} == set(graph.successors[name])


@pytest.mark.parametrize("seed", SEEDS)
def test_takings_are_the_permissions_that_can_be_used(seed: int) -> None:
    question = random_problem(Random(seed))
    live = Live.of(question)

    found = {
        (name, b): int(live.saving[i])
        for t, name in enumerate(live.tasks)
        for i in range(live.takings.start[t], live.takings.start[t + 1])
        for b in live.groups[live.takings.index[i]]
    }

    assert found == taken_over(question)


def test_outputs_with_the_same_readers_are_one_group_and_scratch_is_another() -> None:
    """``big`` and ``small`` live and die together; ``other`` has a reader less; scratch dies with its task."""
    question = problem(
        task("w", "", "big small other", scratch=5), task("r", "big small"), task("s", "big small other"),
        sizes={"big": 7, "small": 2, "other": 1},
    )  # fmt: skip
    live = Live.of(question)

    assert sorted(zip(live.groups, live.size.tolist(), strict=True)) == [
        (("big", "small"), 9),
        (("other",), 1),
        (("scratch:w",), 5),
    ]


def in_place_pair(**changes: object) -> Problem:
    """``t`` may write ``y`` (6 bytes) over ``x`` (8 bytes), which ``twin`` would otherwise share a group with."""
    question = problem(
        task("w", "", "x twin"),
        replace(task("t", "x twin", "y"), in_place=(("y", "x"),)),
        sizes={"x": 8, "y": 6, "twin": 4},
    )
    buffers = tuple(replace(b, **changes) if b.id == "x" else b for b in question.buffers)  # type: ignore[arg-type]
    return replace(question, buffers=buffers)


def test_what_may_be_taken_over_is_alone_and_saves_the_smaller_of_both() -> None:
    live = Live.of(in_place_pair())

    assert ("x",) in live.groups
    assert live.takings.index.tolist() == [live.groups.index(("x",))]
    assert live.saving.tolist() == [6]


@pytest.mark.parametrize("changes", [{"keep": True}, {"data_type": "image"}], ids=["kept", "another pool"])
def test_a_permission_that_can_never_be_used_is_none(changes: dict[str, object]) -> None:
    live = Live.of(in_place_pair(**changes))

    assert live.takings.index.size == live.saving.size == 0


def test_zero_bytes_are_an_edge_and_no_group() -> None:
    live = Live.of(chain(3, size=0))

    assert live.groups == ()
    assert [live.predecessors[t].tolist() for t in range(3)] == [[], [0], [1]]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(InputPolicy.EXTERNAL, None), (InputPolicy.LAZY, "lazy"), (InputPolicy.PRELOAD, "preload")],
)
def test_an_input_is_a_group_when_the_workspace_holds_it(policy: InputPolicy, expected: str | None) -> None:
    question = replace(problem(task("r", "big", "z"), sizes={"big": 9}), policy=Policy(policy, OutputPolicy.EXPORT))
    live = Live.of(question)
    group = group_of(live).get("big")

    assert (group is None) == (expected is None)
    if group is not None:
        assert live.writer[group] == -1
        assert (bool(live.lazy[group]), bool(live.preload[group])) == (expected == "lazy", expected == "preload")


def test_pools_part_what_is_written_and_read_together() -> None:
    question = problem(task("w", "", "x y"), task("r", "x y"), sizes={"x": 8, "y": 6})
    apart = replace(
        question,
        buffers=tuple(replace(b, data_type=b.id) for b in question.buffers),
        pools=(Pool("first", "x", None), Pool("second", "y", None)),
    )

    assert Live.of(question).groups == (("x", "y"),)
    assert sorted(Live.of(apart).groups) == [("x",), ("y",)]


def test_a_problem_without_tasks_has_no_rows() -> None:
    live = Live.of(replace(chain(1), tasks=(), buffers=()))

    assert (live.task_count, live.groups, live.size.size, live.uses.index.size) == (0, (), 0, 0)
