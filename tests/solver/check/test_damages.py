"""A good plan has no violation; each kind of damage is found by both checkers, under its own name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalytic.solver.check import standalone, violations
from catalytic.solver.errors import InvalidPlan
from catalytic.solver.formats import dump_plan, dump_problem, parse_plan
from catalytic.solver.plan import Bound, Evidence, Plan
from tests.builders import chain, diamond
from tests.solver.check.damages import (
    DAMAGES,
    Damage,
    passing,
    plain,
    pooled,
    rich,
    strangers,
    surviving,
    waiting,
)

Document = dict[str, object]


@pytest.mark.parametrize(
    "good", [rich, plain, strangers, passing, surviving, waiting, pooled], ids=lambda f: f.__name__
)
def test_a_good_plan_has_no_violation(good: Callable[[], Plan]) -> None:
    assert violations(good()) == []
    assert standalone.check(json.loads(dump_plan(good()))) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.name)
def test_damage_is_found_by_the_checker_and_by_the_script(damage: Damage) -> None:
    damaged = damage.inflict(damage.victim())

    found = {v.rule for v in violations(damaged)}
    by_script = {rule for rule, _ in standalone.check(json.loads(dump_plan(damaged)))}

    assert damage.rule in found
    assert damage.rule in by_script
    assert found == by_script


def test_a_set_through_a_task_is_a_witness() -> None:
    witness = {"task": "b", "buffers": ["x", "y"]}
    plan = passing()
    bounds = (*plan.proof.bounds, Bound("peak_live", 8, "through_set", Evidence.CERTIFICATE, witness))
    plan = replace(plan, proof=replace(plan.proof, bounds=bounds))

    assert violations(plan) == []
    assert standalone.check(json.loads(dump_plan(plan))) == []


def _set(*path: str | int, to: object) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        record: object = document
        for key in path[:-1]:
            record = record[key]  # type: ignore[index]
        record[path[-1]] = to  # type: ignore[index]

    return edit


EDITS = {
    "workspace size": _set("catalytic_execution_plan", "workspace_size", to="1GB"),
    "partition count": _set("catalytic_execution_plan", "partition_count", to=5),
    "policy": _set("catalytic_execution_plan", "input_policy", to="external"),
    "target": _set("catalytic_execution_plan", "target", to=0.1),
    "status": _set("catalytic_execution_plan", "status", to="OPTIMAL"),
    "digest": _set("catalytic_execution_plan", "problem_digest", to="sha256:00"),
    "embedded problem": _set("problem", "name", to="another"),
    "pool size": _set("memory_pools", 0, "size", to="1GB"),
    "pool bytes": _set("memory_pools", 0, "size_bytes", to=7),
    "reuse tasks": _set("memory_pools", 0, "reuse_tasks", to=[]),
    "lifecycle": _set("memory_pools", 0, "lifecycle_duration", to=99),
    "data type": _set("memory_pools", 1, "data_type", to="image"),
    "checksum algorithm": _set("integrity_mechanisms", "checksum_algorithm", to="crc"),
    "barriers": _set("integrity_mechanisms", "isolation_barriers", to=False),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_a_file_says_twice_must_agree(name: str, tmp_path: Path) -> None:
    document = json.loads(dump_plan(rich()))
    EDITS[name](document)

    with pytest.raises(InvalidPlan):
        parse_plan(json.dumps(document).encode(), "edited", folder=tmp_path)
    assert {rule for rule, _ in standalone.check(document)} & {"header", "digest"}


def run_alone(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script, copied to a folder of its own and run without this package or any other."""
    script = tmp_path / "check_plan.py"
    script.write_bytes(Path(standalone.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_script_works_alone_and_its_exit_code_tells(tmp_path: Path) -> None:
    good, bad, junk = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "junk.json"
    good.write_bytes(dump_plan(plain()))
    document = json.loads(dump_plan(plain()))
    document["catalytic_execution_plan"]["footprint"] = 4
    bad.write_text(json.dumps(document))
    junk.write_text('{"format": "catalytic-execution/1", "tasks": 5}')

    assert run_alone(tmp_path, str(good)).returncode == 0
    failed = run_alone(tmp_path, str(bad))
    assert (failed.returncode, failed.stdout.splitlines()[0]) == (5, "measures: footprint is stated as 4, it is 8")
    for place, value in (("size", "1e9999999999"), ("partitions", 0)):
        document = json.loads(dump_plan(plain()))
        document["problem"]["workspace"][place] = value
        (tmp_path / f"{place}.json").write_text(json.dumps(document))
    impossible = [[str(tmp_path / f"{place}.json")] for place in ("size", "partitions")]
    for arguments in (*impossible, [str(junk)], [str(tmp_path / "absent.json")], [], [str(tmp_path)]):
        refused = run_alone(tmp_path, *arguments)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr


def test_the_script_compares_a_plan_with_a_problem_file(tmp_path: Path) -> None:
    plan, same, other = tmp_path / "plan.json", tmp_path / "same.json", tmp_path / "other.json"
    plan.write_bytes(dump_plan(plain()))
    same.write_bytes(dump_problem(plain().problem))
    other.write_bytes(dump_problem(diamond()))

    assert run_alone(tmp_path, str(plan), str(same)).returncode == 0
    answer = run_alone(tmp_path, str(plan), str(other))
    assert answer.returncode == 5
    assert "problem: the plan answers another problem" in answer.stdout


def test_the_script_reads_problem_files_as_people_write_them() -> None:
    """Sizes with units, left-out defaults and another order mean the same."""
    canonical = json.loads(dump_problem(chain(2, size=1500)))
    loose = json.loads(dump_problem(chain(2, size=1500)))
    loose["tasks"].reverse()
    for b in loose["buffers"]:
        b["size"] = "1.5kB"
    del loose["policy"], loose["resources"], loose["workspace"]["isolation"]

    assert standalone.same_problem({"problem": canonical}, loose) == []


def test_the_script_refuses_what_only_looks_like_a_plan() -> None:
    """Two tasks of one name would be one to it, evidence of another name would need no witness."""
    twice, other = json.loads(dump_plan(plain())), json.loads(dump_plan(rich()))
    twice["problem"]["tasks"].append(twice["problem"]["tasks"][0])
    with pytest.raises(ValueError, match="twice"):
        standalone.check(twice)

    assert other["proof"]["bounds"]
    other["proof"]["bounds"][0]["evidence"] = "PROMISE"
    assert "bounds" in {rule for rule, _ in standalone.check(other)}


def test_the_script_does_not_count_to_infinity() -> None:
    document = json.loads(dump_plan(plain()))
    document["problem"]["buffers"][-1]["size"] = 2**62

    assert "size" in {rule for rule, _ in standalone.check(document)}
