"""Graphs of jobs as problems: what is filled in, and said, when a file states little."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats.jobs import Job, numbered, problem_of_jobs
from catalytic.solver.formats.passing import predecessors_past
from catalytic.solver.problem import DEFAULT_ALIGNMENT
from catalytic.solver.units import MAX_TICKS

CHAIN = {
    "a": Job("line 1", milliseconds=Decimal("1.5")),
    "b": Job("line 2", ("a",), milliseconds=Decimal(0), size=10),
    "c": Job("line 2", ("a", "b", "b"), scratch=7, demands=(("gpu", 1),)),
}


def test_dependencies_without_sizes_are_order_and_those_with_sizes_are_data() -> None:
    imported = problem_of_jobs("file", "chain", CHAIN, assumptions=["first"], resources={"gpu": 2})
    problem = imported.problem

    assert [(t.id, t.duration, t.inputs, t.outputs, t.after, t.scratch, t.demands) for t in problem.tasks] == [
        ("a", 2, (), (), (), 0, ()),
        ("b", 1, (), ("b",), ("a",), 0, ()),
        ("c", 1000, ("b",), (), ("a",), 7, (("gpu", 1),)),
    ]
    assert problem.resources == (("gpu", 2), ("workers", 8))
    assert problem.workspace.alignment == DEFAULT_ALIGNMENT
    said = imported.assumptions
    assert said[0] == "first"
    assert "tasks that state no duration (1) last 1 s (--default-duration changes it)" in said
    assert "tasks of no duration (1) last 1 ms" in said
    assert any(s.startswith("tasks that state no size (2) write no buffer") for s in said)


def test_what_is_given_fills_every_gap_and_scales_apply_to_it() -> None:
    imported = problem_of_jobs(
        "file", "chain", CHAIN, assumptions=[], resources={"gpu": 1},
        buffer_size=3, duration=4, scale_sizes=2.0, scale_time=10.0,
    )  # fmt: skip
    problem = imported.problem

    assert {b.id: b.size for b in problem.buffers} == {"a": 6, "b": 20, "c": 6}
    assert {t.id: (t.duration, t.scratch) for t in problem.tasks} == {"a": (15, 0), "b": (1, 0), "c": (40, 14)}
    assert {t.id: t.inputs for t in problem.tasks} == {"a": (), "b": ("a",), "c": ("a", "b")}
    assert any("write one buffer of 3B each" in said for said in imported.assumptions)


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ({}, "found no tasks, allowed at least one"),
        ({"a": Job("line 4", milliseconds=Decimal(MAX_TICKS + 1))}, "line 4: found a duration of"),
        ({"a": Job("line 4", milliseconds=Decimal(-1))}, "line 4: found a duration of -0.001 s of 'a'"),
        ({"a": Job("line 4", size=2**63)}, "line 4: found 9223372036854775808 of 'a'"),
        ({"a": Job("line 4", ("b",)), "b": Job("line 5", ("a",))}, "the cycle"),
        ({"a": Job("line 4", ("x",))}, r"line 4.after\[0\]: found 'x', allowed the id of a task"),
        ({"a": Job("line 4", demands=(("gpu", 3),))}, "line 4.demands.gpu: found 3"),
    ],
)
def test_a_mistake_is_told_by_the_place_of_its_job(jobs: dict[str, Job], message: str) -> None:
    with pytest.raises(InputError, match=message):
        problem_of_jobs("file", "x", jobs, assumptions=[], resources={"gpu": 2})


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "a #2", "a #3"]), max_size=12))
def test_names_that_occur_again_are_numbered_and_all_differ(names: list[str]) -> None:
    result = numbered(names)

    assert len(set(result)) == len(names)
    for k, (name, called) in enumerate(zip(names, result, strict=True)):
        assert called == name if name not in names[:k] else called.startswith(f"{name} #")


@settings(deadline=None)
@given(st.integers(1, 8).flatmap(lambda n: st.tuples(
    st.lists(st.sets(st.integers(0, n - 1)), min_size=n, max_size=n),
    st.lists(st.booleans(), min_size=n, max_size=n),
)))  # fmt: skip
def test_what_does_not_work_is_passed_through(drawn: tuple[list[set[int]], list[bool]]) -> None:
    """By definition: a path to a predecessor that works, on which nothing between works."""
    sets, works = drawn
    before = [sorted(k for k in own if k < node) for node, own in enumerate(sets)]

    def nearest(node: int) -> set[int]:
        return {x for k in before[node] for x in ({k} if works[k] else nearest(k))}

    assert predecessors_past(before, works) == [sorted(nearest(node)) for node in range(len(before))]
