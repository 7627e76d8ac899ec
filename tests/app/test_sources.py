"""From whatever file a user names to a problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalytic.app.files import write_whole
from catalytic.app.sources import Reading, Shape, read_foreign, read_source
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


NODE_LINK = '{"nodes": [{"id": "a", "size": 3}, {"id": "b", "size": 4}], "links": [{"source": "a", "target": "b"}]}'
HYPERDAG = "1 2 2\n0 1 3\n0 5\n1 6\n0 0\n0 1\n"


@pytest.mark.parametrize(("kind", "text"), [("node-link", NODE_LINK), ("hyperdag", HYPERDAG)])
def test_a_foreign_file_is_read_wherever_a_problem_is_and_says_what_was_assumed(
    kind: str, text: str, tmp_path: Path
) -> None:
    path = tmp_path / "graph"
    path.write_text(text)
    source = read_source(path, Shape(workers=3, outputs=OutputPolicy.KEEP))

    assert (source.kind, source.base) == (kind, tmp_path)
    assert len(source.problem.tasks) == 2
    assert source.problem.capacity_of("workers") == 3
    assert source.problem.workspace.alignment == 1
    assert any("policy 'keep'" in note for note in source.notes)


def test_a_workspace_that_is_made_for_a_file_grows_with_the_alignment_asked(tmp_path: Path) -> None:
    path = tmp_path / "graph"
    path.write_text(NODE_LINK)

    assert read_source(path).problem.workspace.size == 7
    assert read_source(path, Shape(alignment=4096)).problem.workspace.size == 8192


def test_what_fills_the_gaps_of_a_foreign_file_reaches_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(NODE_LINK.replace("size", "peak"))
    reading = Reading(scale_sizes=10.0, scale_time=5.0, size_attribute="peak", duration_attribute="peak")
    problem = read_foreign(path, "node-link", reading).problem

    assert [(b.size, t.duration) for b, t in zip(problem.buffers, problem.tasks, strict=True)] == [(30, 15), (40, 20)]


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
