"""``place`` of a plan in another workspace, through the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalytic.solver.check import violations
from catalytic.solver.formats import load_plan
from catalytic.solver.plan import Plan

from .console import catalytic, write_problem

QUICK = ("--time-limit", "20", "--threads", "1")


@pytest.fixture(name="plan")
def plan_of_the_diamond(tmp_path: Path) -> Path:
    """Four buffers of 64 KiB in two exclusive partitions; b and c run at once and write y and z."""
    path = tmp_path / "plan.json"
    assert catalytic("plan", write_problem(tmp_path), "-o", path, *QUICK).code == 0
    return path


def plan_in(path: Path) -> Plan:
    return load_plan(path).plan


def starts(plan: Plan) -> dict[str, int]:
    return {t.id: t.start for t in plan.tasks}


def places(plan: Plan) -> dict[str, Any]:
    return {buffer: region.extents for buffer, region in plan.region_of.items()}


def test_a_plan_is_placed_again_in_more_partitions_and_what_can_stay_stays(plan: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.json"

    said = catalytic("place", plan, "--partitions", "4", *QUICK, "-o", new)

    assert said.code == 0, said.err
    assert "in 4 partitions" in said.out
    assert "regions: 4 of 4 regions stay where they were" in said.out
    assert f"wrote {new}" in said.err
    assert starts(plan_in(new)) == starts(plan_in(plan))
    assert places(plan_in(new)) == places(plan_in(plan))
    assert violations(plan_in(new)) == []
    assert catalytic("check", new).code == 0


def test_where_less_is_left_regions_move_and_those_that_are_held_do_not(plan: Path, tmp_path: Path) -> None:
    """Without a second partition what lay in it has to move, into the one where x is held."""
    words = ("place", plan, "--partitions", "1", "--size", "192KiB", *QUICK)
    old = plan_in(plan)
    stays = next(b for b in ("x", "y", "z") if old.region_of[b].extents[0].partition == 0)

    document = catalytic(*words, "--held", stays, "--json", "-o", tmp_path / "new.json").document

    new = plan_in(tmp_path / "new.json")
    assert document["regions"] == 4 and 1 <= document["stayed"] < 4
    assert new.region_of[stays].extents == old.region_of[stays].extents
    assert new.problem.workspace.partitions == 1 and new.problem.workspace.isolation.value == "shared"
    assert starts(new) == starts(old)
    assert new.measures.footprint == 192 * 1024
    assert violations(new) == []


def test_without_an_output_nothing_is_written(plan: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    assert catalytic("place", plan, "--held", "x", "--minimise", *QUICK).code == 0
    assert sorted(tmp_path.iterdir()) == before


def test_a_workspace_that_is_too_small_is_refused_with_the_reason(plan: Path, tmp_path: Path) -> None:
    said = catalytic("place", plan, "--size", "128KiB", "--partitions", "1", *QUICK, "-o", tmp_path / "new.json")

    assert said.code == 3
    assert "196608 bytes" in said.err and "the plan" in said.err and "timeline" not in said.err
    assert not (tmp_path / "new.json").exists()


def test_writers_that_run_at_once_are_named_where_there_are_too_few_partitions(plan: Path) -> None:
    said = catalytic("place", plan, "--partitions", "1", "--isolation", "exclusive", *QUICK)

    assert said.code == 3
    assert "2 tasks write at once" in said.err and "tasks 'b', 'c'" in said.err
    assert "`catalytic plan` may find others" in said.err


def test_what_cannot_be_held_is_named(plan: Path) -> None:
    for held, why in (("nope", "no region"), ("y", "does not lie in the new partitions")):
        small = ("--partitions", "1", "--size", "256KiB") if held == "y" else ("--partitions", "4")
        moved = held if held == "nope" else _in_the_last_partition(plan)
        said = catalytic("place", plan, *small, "--held", moved, *QUICK, "--json")
        assert said.code == 2
        assert said.document["mistakes"][0]["path"] == "--held"
        assert why in said.document["mistakes"][0]["hint"]


def _in_the_last_partition(path: Path) -> str:
    return next(b for b, region in plan_in(path).region_of.items() if region.extents[0].partition == 1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--partitions", "4", "--capacity", "9"), 2, "--capacity"),
        (("--partitions", "4", "-o", "-"), 8, "-o"),
        (("--partitions", "4", "-o", "nowhere/new.json"), 9, "no folder"),
        (("--size", "5"), 2, "workspace.size"),
    ],
    ids=["offsets or a plan", "a plan is a file", "no folder", "no workspace"],
)
def test_what_cannot_be_asked_is_refused(words: tuple[str, ...], code: int, said: str, plan: Path) -> None:
    answer = catalytic("place", plan, *words, *QUICK)

    assert answer.code == code
    assert said in answer.err


def test_only_plans_are_placed_again(tmp_path: Path) -> None:
    table = tmp_path / "buffers.csv"
    table.write_text("id,lower,upper,size\na,0,1,1\n")

    for path in (write_problem(tmp_path), table):
        said = catalytic("place", path, "--partitions", "2", *QUICK)
        assert said.code == 2
    problem = catalytic("place", write_problem(tmp_path), "--partitions", "2", "--json").document
    assert problem["mistakes"][0]["allowed"] == "a plan"
