"""Plan files: self-contained, exact both ways, and refused when malformed or contradictory."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from catalytic.solver.errors import CatalyticError, InputError, InvalidPlan
from catalytic.solver.formats import dump_plan, load_plan, parse_plan
from catalytic.solver.plan import Plan, plan_without_reuse
from tests.builders import diamond, random_plan
from tests.strategies import plans, small_problems

HERE = Path()


@settings(max_examples=80, deadline=None)
@given(plans())
def test_reading_gives_back_what_was_written(plan: Plan) -> None:
    data = dump_plan(plan, base="../problems")

    loaded = parse_plan(data, "plan.json", folder=Path("/plans"))

    assert loaded.plan == plan
    assert loaded.base == Path("/plans/../problems")
    assert dump_plan(loaded.plan, base=loaded.stated_base) == data
    assert pickle.loads(pickle.dumps(plan)) == plan


@settings(max_examples=40, deadline=None)
@given(small_problems())
def test_a_plan_without_reuse_survives_the_trip_too(problem: object) -> None:
    plan = plan_without_reuse(problem)  # type: ignore[arg-type]

    assert parse_plan(dump_plan(plan), "plan.json", folder=HERE).plan == plan


def test_the_keys_of_the_specification_are_spelled_as_there() -> None:
    document = json.loads(dump_plan(random_plan(Random(4), diamond())))

    header = document["catalytic_execution_plan"]
    assert {"workspace_size", "reuse_factor", "partition_count", "integrity_enabled"} <= header.keys()
    for pool in document["memory_pools"]:
        assert {"pool_id", "size", "reuse_tasks", "data_type", "lifecycle_duration"} <= pool.keys()
    for event in document["reuse_schedule"]:
        assert {"timestamp", "action", "pool", "task", "memory_region"} <= event.keys()
    assert document["integrity_mechanisms"].keys() == {
        "checksum_algorithm",
        "verification_frequency",
        "rollback_enabled",
        "isolation_barriers",
    }


def test_equal_plans_are_equal_files() -> None:
    assert dump_plan(random_plan(Random(5))) == dump_plan(random_plan(Random(5)))


def test_a_loaded_plan_knows_the_folder_of_its_problem(tmp_path: Path) -> None:
    path = tmp_path / "out" / "plan.json"
    path.parent.mkdir()
    path.write_bytes(dump_plan(random_plan(Random(6)), base=".."))

    assert load_plan(path).base.resolve() == tmp_path.resolve()


def test_an_edited_problem_betrays_itself_by_its_digest() -> None:
    document = json.loads(dump_plan(random_plan(Random(4), diamond())))
    document["problem"]["tasks"][0]["duration"] = 99

    with pytest.raises(InvalidPlan, match="digest"):
        parse_plan(json.dumps(document).encode(), "plan.json", folder=HERE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format="catalytic-execution/2"), "this program reads version 1"),
        (lambda d: d.update(extra=1), "an unknown key"),
        (lambda d: d["regions"][0].pop("extents"), "the key is required"),
        (lambda d: d["regions"][0].update(death=0), "a moment after the birth"),
        (lambda d: d["tasks"][0].update(start=0.0001), "exact to the millisecond"),
        (lambda d: d["proof"]["bounds"][-1].update(quantity="makespan", value=1e308), "bounds\\[.*\\].value"),
        (lambda d: d["edges"][0].update(kind="whim"), "edges\\[0\\].kind"),
        (lambda d: d["problem"]["tasks"][0].update(duration=-1), "problem.tasks\\[0\\].duration"),
        (lambda d: d["problem"]["tasks"][0].update(after=["nobody"]), "problem.tasks\\[0\\].after"),
    ],
    ids=["version", "unknown key", "missing key", "empty lifetime", "half a tick", "bound", "kind", "size", "after"],
)
def test_a_malformed_plan_is_refused_with_its_path(change: object, message: str) -> None:
    document = json.loads(dump_plan(random_plan(Random(4), diamond())))
    change(document)  # type: ignore[operator]

    with pytest.raises(InputError, match=message):
        parse_plan(json.dumps(document).encode(), "plan.json", folder=HERE)


def test_two_hundred_mutations_of_a_plan_never_crash() -> None:
    rng = Random(9)
    good = dump_plan(random_plan(Random(4), diamond()))
    wrong: list[object] = [None, -1, 2**62, 1e300, "", "x", True, [], {}, 0.5, ["t"], {"a": 1}]
    refusals = 0
    for _ in range(200):
        root = json.loads(good)
        record = root
        while True:
            key = rng.choice(list(record) if isinstance(record, dict) else range(len(record)))
            inner = record[key]
            if not isinstance(inner, (dict, list)) or not inner or rng.random() < 0.2:
                record[key] = rng.choice(wrong)
                break
            record = inner
        try:
            parse_plan(json.dumps(root).encode(), "plan.json", folder=HERE)
        except CatalyticError:
            refusals += 1
    assert refusals > 150
