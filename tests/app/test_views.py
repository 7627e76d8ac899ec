"""What is printed: figures never claim too much, and nothing is wider than asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.app.summary import meets_target, summarise
from catalytic.app.views import words
from catalytic.app.views.document import render
from catalytic.app.views.gantt import gantt
from catalytic.app.views.headline import headline, headline_style
from catalytic.app.views.memory_map import _first_middle, memory_map
from catalytic.app.views.plan import brief, full
from catalytic.app.views.table import cut, table
from catalytic.solver.plan import plan_without_reuse
from catalytic.solver.problem import Buffer, Problem, Task
from catalytic.solver.units import Bytes, Tick

from .problems import chain, separate


@given(st.floats(min_value=0, max_value=1))
def test_a_printed_factor_never_exceeds_the_value_nor_a_printed_bound_falls_below_it(value: float) -> None:
    assert float(words.factor(value)) <= value + 1e-9
    assert float(words.bound_factor(value)) >= value - 1e-9


@given(st.floats(min_value=0, max_value=1e6))
def test_a_printed_bound_on_the_makespan_is_never_above_the_bound(value: float) -> None:
    assert float(words.bound_seconds(value).removesuffix("s")) <= value + 1e-6


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8, "0.8000"), (0.799999, "0.7999"), (0.0, "0.0000"), (None, "none"), (-0.5, "-0.5000")],
)
def test_factors_are_rounded_down(value: float | None, text: str) -> None:
    assert words.factor(value) == text


@given(st.text(min_size=1, max_size=40), st.integers(3, 50))
def test_a_cut_name_fits_and_keeps_both_ends(name: str, width: int) -> None:
    shown = cut(name, width)

    assert len(shown) <= width
    assert shown[0] == name[0]
    assert shown[-1] == name[-1]


@given(st.lists(st.tuples(st.text("ab_", min_size=1, max_size=80), st.integers(0, 10**9)), max_size=5))
def test_a_table_of_names_and_numbers_is_no_wider_than_asked(rows: list[tuple[str, int]]) -> None:
    text = table(("name", "size"), [(name, str(size)) for name, size in rows], width=30)

    assert max(map(len, text.splitlines())) <= 30
    assert len(text.splitlines()) == len(rows) + 1


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("length", [1, 3, 60])
def test_charts_are_no_wider_than_asked(width: int, length: int) -> None:
    plan = separate(length)

    for drawing in (gantt(plan, width=width), memory_map(plan, width=width)):
        assert drawing
        assert max(map(len, drawing.splitlines())) <= width


def test_tasks_that_do_not_overlap_share_a_line_and_others_do_not() -> None:
    sequential = gantt(separate(3), width=80).splitlines()
    tasks = tuple(Task(f"t{i}", Tick(1000), outputs=(f"b{i}",)) for i in range(3))
    buffers = tuple(Buffer(f"b{i}", Bytes(4096)) for i in range(3))
    parallel = gantt(plan_without_reuse(Problem("wide", tasks, buffers)), width=80).splitlines()

    # One line per worker that is busy at once, and the axis.
    assert len(sequential) == 1 + 1
    assert len(parallel) == 3 + 1


def test_a_map_shows_a_buffer_where_and_while_it_lives() -> None:
    """In a chain without reuse, buffer i lives at address i from second i for two seconds: a staircase."""
    rows = [line.split("|")[1] for line in memory_map(separate(3), width=9 + 30, rows=3).splitlines()[1:4]]

    # Rows run upwards: b2 is the top one. Ten columns are one second.
    assert rows[2] == "A" * 20 + "." * 10
    assert rows[1] == "." * 10 + "B" * 20
    assert rows[0] == "." * 20 + "C" * 10


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 40))
def test_a_cell_belongs_to_whoever_owns_its_middle(value: int, total: int, cells: int) -> None:
    """``_first_middle`` is the first cell whose middle is not before ``value``."""
    middles = [(i + 0.5) * total / cells for i in range(cells)]
    expected = next((i for i, middle in enumerate(middles) if middle >= value - 1e-9), cells)

    assert min(_first_middle(value, total, cells), cells) == expected


def test_a_partition_is_busy_while_at_least_one_task_writes_into_it() -> None:
    """Three tasks of one second at once, in the one shared partition: one second, not three."""
    tasks = tuple(Task(f"t{i}", Tick(1000), outputs=(f"b{i}",)) for i in range(3))
    buffers = tuple(Buffer(f"b{i}", Bytes(4096)) for i in range(3))
    (partition,) = summarise(plan_without_reuse(Problem("wide", tasks, buffers))).partitions

    assert (partition.writers, partition.busy_s) == (3, 1)


def test_a_plan_of_nothing_can_be_shown() -> None:
    plan = plan_without_reuse(Problem("empty", (), ()))

    text = full(summarise(plan), plan, width=80)

    assert text.startswith("empty: FEASIBLE | reuse factor none")


def test_a_missed_target_is_the_first_thing_said() -> None:
    plan = separate(3)
    plan = replace(plan, proof=replace(plan.proof, target=0.5))
    summary = summarise(plan)

    assert not meets_target(plan)
    assert headline(summary).startswith("chain: TARGET MISSED (asked 0.5)")
    assert headline_style(summary) == "bold red"


def test_a_plan_without_seals_says_so() -> None:
    assert "NO SEALS" in headline(summarise(plan_without_reuse(chain(2), integrity=False)))


@dataclass(frozen=True)
class Answer:
    path: Path
    count: int


def test_a_plan_for_reuse_says_when_time_came_second() -> None:
    summary = replace(
        summarise(plan_without_reuse(chain(2))),
        objective="reuse",
        strategy=None,
        makespan_s=31.0,
        least_makespan_s=10.0,
    )
    words = "time came second: 3.1 times the least makespan"

    assert words in brief(summary)
    for other in ({"makespan_s": 30.0}, {"objective": "makespan"}, {"strategy": "memory"}, {"least_makespan_s": 0.0}):
        assert words[:16] not in brief(replace(summary, **other))


def test_a_document_has_a_format_and_plain_values() -> None:
    assert json.loads(render("catalytic-test/1", Answer(Path("a/b"), 3))) == {
        "format": "catalytic-test/1",
        "path": "a/b",
        "count": 3,
    }
