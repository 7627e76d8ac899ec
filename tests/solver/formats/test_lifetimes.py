"""MiniMalloc's CSV as a problem: its only order keeps the lifetimes of the file."""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.solver.errors import InputError
from catalytic.solver.formats import load_minimalloc
from catalytic.solver.formats.lifetimes import import_minimalloc
from catalytic.solver.plan import lifetimes
from catalytic.solver.problem import OutputPolicy, Problem
from catalytic.solver.units import Tick

from .files import DATA, Write, writer

REAL = sorted((DATA / "minimalloc").glob("*.csv"))

SMALL = "id,lower,upper,size\na,0,5,4\nb,2,9,3\nc,5,6,1\nd,20,21,0\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "buffers.csv")


def lives(problem: Problem) -> dict[str, tuple[int, int]]:
    """Lifetimes when the tasks run one after another, from 0: in the one order that there is."""
    before, order = problem.graph.predecessors, []
    left = {t.id: t for t in problem.tasks}
    while left:
        (ready,) = (name for name in left if not left.keys() & set(before[name]))
        order.append(left.pop(ready))
    ends = list(accumulate(t.duration for t in order))
    starts = {t.id: Tick(end - t.duration) for t, end in zip(order, ends, strict=True)}
    return {b: (life.birth, life.death) for b, life in lifetimes(problem, starts).items()}


def test_steps_write_and_read_buffers_where_they_begin_and_end(write: Write) -> None:
    problem = import_minimalloc(write(SMALL)).problem

    assert [(t.id, t.duration, t.inputs, t.outputs) for t in problem.tasks] == [
        ("step 0 [0, 2)", 2, (), ("a",)),
        ("step 1 [2, 5)", 3, ("a",), ("b",)),
        ("step 2 [5, 6)", 1, (), ("c",)),
        ("step 3 [6, 9)", 3, ("b",), ()),
        ("step 4 [9, 20)", 11, (), ()),
        ("step 5 [20, 21)", 1, (), ("d",)),
    ]
    assert problem.policy.outputs is OutputPolicy.DISCARD
    assert problem.workspace.alignment == 1


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 15), st.integers(1, 99)), min_size=1, max_size=7))
def test_lifetimes_are_those_of_the_file(
    rows: list[tuple[int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "buffers.csv"
    lines = [f"b{k},{lower},{lower + length},{size}" for k, (lower, length, size) in enumerate(rows)]
    path.write_text("\n".join(["id,lower,upper,size", *lines]) + "\n")
    first = min(lower for lower, _, _ in rows)

    problem = import_minimalloc(path).problem

    assert lives(problem) == {f"b{k}": (a - first, a - first + n) for k, (a, n, _) in enumerate(rows)}
    assert {b.id: b.size for b in problem.buffers} == {f"b{k}": size for k, (_, _, size) in enumerate(rows)}


def test_what_a_problem_cannot_say_is_said(write: Write) -> None:
    text = "id,lower,upper,size,alignment,hint,gaps,pool,offset\na,0,9,4,8,16,3-5,x,8\nb,1,9,4,2,,,,\n"

    imported = import_minimalloc(write(text))

    said = "\n".join(imported.assumptions)
    for part in ("largest, 8 bytes", "offsets (of 1", "hints (of 1", "gaps (of 1", "`catalytic place` heeds them"):
        assert part in said
    assert imported.problem.workspace.alignment == 8
    assert {b.id: b.data_type for b in imported.problem.buffers} == {"a": "x", "b": None}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "id,lower,upper,size,alignment\na,0,1,4,3\n",
            "line 2, alignment: found 3, allowed a power of two; `catalytic",
        ),
        ("id,lower,upper,size\n", "found no buffers"),
        ("id,lower,upper,size\na,3,1,4\n", "line 2, upper"),
    ],
)
def test_a_defect_is_told_by_its_line(text: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        import_minimalloc(write(text))


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real tables: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_table_keeps_its_lifetimes(path: Path) -> None:
    table = load_minimalloc(path)
    first = min(table.lower)

    problem = import_minimalloc(path).problem

    assert lives(problem) == {
        b: (lower - first, upper - first) for b, lower, upper in zip(table.id, table.lower, table.upper, strict=True)
    }
