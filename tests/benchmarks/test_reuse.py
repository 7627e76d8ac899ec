"""The instruments of ``benchmarks/reuse.py``: the baseline it compares with, and the scan for stray writes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from catalytic.runtime.workspace import Workspace as Arena
from catalytic.solver.plan import Plan, plan_without_reuse
from catalytic.solver.problem import Buffer, Problem, Task, Workspace
from catalytic.solver.units import Bytes, Tick

PAGE = 4096


def load() -> ModuleType:
    """``benchmarks/reuse.py`` as a module; it is a script, and no package holds it."""
    path = Path(__file__).parents[2] / "benchmarks" / "reuse.py"
    spec = importlib.util.spec_from_file_location("benchmarks_reuse", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


reuse = load()


def chain(length: int) -> Problem:
    """Tasks in a row; each reads the page of the one before and writes one of its own."""
    tasks = tuple(
        Task(f"t{k}", Tick(10), inputs=(f"b{k - 1}",) if k else (), outputs=(f"b{k}",)) for k in range(length)
    )
    buffers = tuple(Buffer(f"b{k}", Bytes(PAGE)) for k in range(length))
    return Problem("chain", tasks, buffers, Workspace(Bytes(4 * PAGE), partitions=1), (("workers", 1),))


@pytest.fixture
def arena(tmp_path: Path) -> Path:
    """A workspace of two partitions with five pages each, full of the pattern."""
    Arena.create(tmp_path / "arena", size=10 * PAGE, partitions=2)
    reuse.fill(tmp_path / "arena")
    return tmp_path / "arena"


@pytest.fixture
def plan() -> Plan:
    """Three regions of a page: all in partition 0, from its beginning."""
    return plan_without_reuse(chain(3))


def overwrite(arena: Path, partition: int, offset: int, length: int) -> None:
    """Turn every bit of some bytes."""
    with (arena / "partitions" / f"p{partition}.arena").open("r+b") as file:
        file.seek(offset)
        old = file.read(length)
        file.seek(offset)
        file.write(bytes(byte ^ 0xFF for byte in old))


def test_the_baseline_of_a_chain_needs_two_of_its_buffers() -> None:
    """A task's input and output live at once, and first-fit alternates between two places."""
    baseline = reuse.baseline(chain(8))

    assert baseline.reuse_factor == pytest.approx(1 - 2 / 8)
    assert baseline.makespan == 80


def test_an_untouched_arena_has_no_changed_bytes(arena: Path, plan: Plan) -> None:
    assert reuse.changed_outside(arena, plan) == 0


def test_bytes_inside_planned_regions_may_change(arena: Path, plan: Plan) -> None:
    overwrite(arena, 0, 0, 3 * PAGE)

    assert reuse.changed_outside(arena, plan) == 0


@pytest.mark.parametrize(
    ("partition", "offset", "length", "found"),
    [(0, 3 * PAGE, 1, 1), (0, 3 * PAGE - 2, 5, 3), (0, 5 * PAGE - 1, 1, 1), (1, 0, 7, 7)],
    ids=["first byte behind", "across the end", "last byte", "other partition"],
)
def test_every_byte_outside_is_counted(
    arena: Path, plan: Plan, partition: int, offset: int, length: int, found: int
) -> None:
    overwrite(arena, partition, offset, length)

    assert reuse.changed_outside(arena, plan) == found


def test_results_of_both_runs_are_compared_byte_for_byte(plan: Plan, tmp_path: Path) -> None:
    """A whole execution of the chain, with the plan that shares nothing standing for both."""
    cells, equal = reuse.run_both(plan, tmp_path)

    assert equal
    assert cells[2:5] == ("1", "1/1", "0")
