"""From whatever file a user names to a problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalytic.app.files import write_whole
from catalytic.app.sources import Shape, read_source
from catalytic.solver.errors import InputError, StorageError
from catalytic.solver.formats import dump_plan, dump_problem
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy
from catalytic.solver.units import Bytes

from .problems import chain, separate


def problem_file(folder: Path) -> Path:
    path = folder / "chain.json"
    path.write_bytes(dump_problem(chain(3)))
    return path


def test_an_empty_shape_changes_nothing(tmp_path: Path) -> None:
    assert read_source(problem_file(tmp_path)).problem == chain(3)


def test_a_shape_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    shape = Shape(Bytes(2**21), workers=4, inputs=InputPolicy.LAZY, outputs=OutputPolicy.DISCARD)
    problem = read_source(problem_file(tmp_path), shape).problem

    assert problem.workspace.size == 2**21
    assert problem.workspace.partitions == 2
    assert problem.capacity_of("workers") == 4
    assert (problem.policy.inputs, problem.policy.outputs) == (InputPolicy.LAZY, OutputPolicy.DISCARD)
    assert problem.tasks == chain(3).tasks


@pytest.mark.parametrize(
    ("before", "partitions", "asked", "after"),
    [
        ((2, Isolation.EXCLUSIVE), 1, None, Isolation.SHARED),
        ((1, Isolation.SHARED), 4, None, Isolation.EXCLUSIVE),
        ((2, Isolation.EXCLUSIVE), 4, None, Isolation.EXCLUSIVE),
        ((2, Isolation.SHARED), 4, None, Isolation.SHARED),
        ((2, Isolation.EXCLUSIVE), 1, Isolation.EXCLUSIVE, Isolation.EXCLUSIVE),
    ],
    ids=["one-is-shared", "more-than-one-is-exclusive", "exclusive-stays", "shared-stays", "what-is-asked-wins"],
)
def test_isolation_follows_the_partitions_across_one(
    before: tuple[int, Isolation], partitions: int, asked: Isolation | None, after: Isolation
) -> None:
    from dataclasses import replace

    problem = replace(chain(2), workspace=replace(chain(2).workspace, partitions=before[0], isolation=before[1]))

    assert Shape(partitions=partitions, isolation=asked).applied_to(problem).workspace.isolation is after


def test_a_plan_file_is_its_plan_until_its_problem_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(dump_plan(separate(3)))

    assert read_source(path).loaded is not None
    assert read_source(path, Shape(workers=5)).loaded is None


def test_a_shape_that_makes_no_problem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"workspace\.size"):
        read_source(problem_file(tmp_path), Shape(size=Bytes(1)))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no-such-folder"):
        write_whole(tmp_path / "no-such-folder" / "file", b"x")
    target = tmp_path / "file"
    target.write_bytes(b"old")
    write_whole(target, b"new")

    assert target.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(StorageError, match="taken"):
        write_whole(tmp_path / "taken", b"x")

    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
