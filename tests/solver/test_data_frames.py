"""Tables of a plan: what the plan says, column by column, and a clear word when pandas is missing."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from catalytic.solver.data_frames import (
    EDGES,
    EVENTS,
    REGIONS,
    TASKS,
    edge_rows,
    event_rows,
    frames,
    region_rows,
    task_rows,
)
from catalytic.solver.plan import Action, plan_without_reuse
from tests.builders import chain, problem, random_problem, task


@pytest.mark.parametrize("seed", range(12))
def test_tables_hold_what_the_plan_says(seed: int) -> None:
    pytest.importorskip("pandas")
    plan = plan_without_reuse(random_problem(Random(seed)))
    tables = frames(plan)

    assert len(tables.tasks) == len(plan.tasks)
    assert len(tables.regions) == sum(len(r.extents) for r in plan.regions)
    assert len(tables.edges) == len(plan.edges)
    assert len(tables.events) == len(plan.events)
    assert (tables.tasks.end_s.max() if len(tables.tasks) else 0) == plan.measures.makespan / 1000
    assert tables.regions.length.sum() == sum(r.length for r in plan.regions)
    heights = (tables.regions.offset + tables.regions.length).groupby(tables.regions.partition).max()
    assert heights.sum() == plan.measures.footprint
    assert list(tables.edges.itertuples(index=False, name=None)) == [
        (e.source, e.target, e.kind.value, e.via) for e in plan.edges
    ]
    for table, columns in zip(
        (tables.tasks, tables.regions, tables.edges, tables.events), (TASKS, REGIONS, EDGES, EVENTS), strict=True
    ):
        assert list(table.columns) == list(columns)
        assert {name: str(kind) for name, kind in table.dtypes.items()} == dict(columns)


def test_rows_need_no_pandas() -> None:
    plan = plan_without_reuse(chain(2, size=8))

    assert task_rows(plan)[1] == {
        "task": "t2",
        "start_s": 0.001,
        "end_s": 0.002,
        "partitions": (0,),
        "reads": ("b1",),
        "writes": ("b2",),
        "scratch": 0,
    }
    first = region_rows(plan)[0]
    assert (first["buffer"], first["writer"], first["length"], first["birth_s"], first["death_s"]) == (
        "b1", "t1", 8, 0, 0.002,
    )  # fmt: skip
    assert {"source": "t1", "target": "t2", "kind": "data", "via": "b1"} in edge_rows(plan)
    assert event_rows(plan)[0] == {
        "time_s": 0,
        "action": Action.ALLOCATE,
        "pool": "default",
        "task": "t1",
        "region": first["region"],
        "taken_over": 0,
        "taken_from": (),
    }


def test_a_plan_without_buffers_has_tables_without_rows_whose_types_are_known() -> None:
    pytest.importorskip("pandas")
    tables = frames(plan_without_reuse(problem(task("lonely"))))

    assert len(tables.regions) == len(tables.events) == 0
    assert str(tables.regions.offset.dtype) == "int64"
    assert tables.regions.length.sum() == 0


def test_without_pandas_the_extra_is_named() -> None:
    script = """
import sys
sys.modules["pandas"] = None  # as if it were not installed
from catalytic.solver import InputError, frames
from catalytic.solver.plan import plan_without_reuse
from catalytic.solver.builder import ProblemBuilder
plan = plan_without_reuse(ProblemBuilder("p", workers=1).task("a", 1, writes={"x": 1}).problem())
try:
    frames(plan)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "no package 'pandas'" in done.stdout
    assert "pip install 'catalytic[frames]'" in done.stdout
