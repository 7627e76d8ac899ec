"""WfCommons instances: real ones where they are present, and small ones with every trap."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import dump_problem, import_wfcommons, parse_problem
from catalytic.solver.problem import Policy, Workspace

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data")) / "wfcommons"
REAL = sorted(p for p in DATA.glob("*.json*")) if DATA.is_dir() else []


def instance() -> dict[str, Any]:
    """Two tasks and a third that no file ties to them; a zero-byte file; a runtime of zero; 1000 bytes of memory."""
    return {
        "name": "small",
        "schemaVersion": "1.5",
        "workflow": {
            "specification": {
                "tasks": [
                    {"id": "a", "children": ["b"], "inputFiles": ["/in"], "outputFiles": ["x", "flag"]},
                    {"id": "b", "children": ["c"], "inputFiles": ["x", "flag"], "outputFiles": ["/out"]},
                    {"id": "c", "parents": ["a"]},
                ],
                "files": [
                    {"id": "/in", "sizeInBytes": 10},
                    {"id": "x", "sizeInBytes": 7},
                    {"id": "flag", "sizeInBytes": 0},
                    {"id": "/out", "sizeInBytes": 1},
                ],
            },
            "execution": {
                "tasks": [
                    {"id": "a", "runtimeInSeconds": 1.0005, "memoryInBytes": 1000, "coreCount": 2, "avgCPU": 99.0},
                    {"id": "b", "runtimeInSeconds": 0.0, "memoryInBytes": 0},
                    {"id": "c"},
                ],
                "machines": [{"nodeName": "m", "memoryInBytes": 4000, "cpu": {"coreCount": 16}}],
            },
        },
    }  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def to_file(document: dict[str, Any]) -> Path:
        path = tmp_path / "instance.json"
        path.write_text(json.dumps(document))
        return path

    return to_file


def test_files_become_buffers_and_runtimes_durations(write: Callable[[dict[str, Any]], Path]) -> None:
    imported = import_wfcommons(write(instance()))
    problem = imported.problem
    task = problem.graph.task

    assert [t.duration for t in problem.tasks] == [1001, 1, 1000]  # up to the next ms; zero is 1 ms; unknown is 1 s
    assert task["b"].inputs == ("x", "flag")
    assert problem.graph.predecessors["b"] == ("a",)
    assert task["b"].after == ()  # the files say it already
    assert task["c"].after == ("a", "b")  # one stated by the parent, one by the child
    assert "flag" not in problem.graph.resident
    assert task["a"].demands == (("memory", 1000),)
    assert dict(problem.resources) == {"workers": 8, "memory": 4000}
    assert problem.graph.exported == {"/out": "out"}
    said = "\n".join(imported.assumptions)
    for part in ("runtime", "no measurable time", "zero bytes", "'after'", "memoryInBytes", "coreCount", "avgCPU (1)"):
        assert part in said
    assert "policy 'external'" in said


def test_memory_becomes_scratch_and_cores_a_demand_when_asked(write: Callable[[dict[str, Any]], Path]) -> None:
    problem = import_wfcommons(write(instance()), scratch_from_memory=True, cores_as_demand=True).problem

    assert problem.graph.task["a"].scratch == 1000
    assert problem.graph.task["a"].demands == (("cores", 2),)
    assert dict(problem.resources) == {"workers": 8, "cores": 16}


def test_scaling_rounds_up_and_never_makes_something_of_nothing(write: Callable[[dict[str, Any]], Path]) -> None:
    problem = import_wfcommons(write(instance()), scale_sizes=0.1, scale_time=0.5).problem

    assert {b.id: b.size for b in problem.buffers} == {"/in": 1, "x": 1, "flag": 0, "/out": 1}
    assert [t.duration for t in problem.tasks] == [501, 1, 500]


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_factor_is_refused(factor: float, write: Callable[[dict[str, Any]], Path]) -> None:
    with pytest.raises(InputError, match="factor"):
        import_wfcommons(write(instance()), scale_sizes=factor)


def test_a_compressed_file_gives_the_same_problem(tmp_path: Path, write: Callable[[dict[str, Any]], Path]) -> None:
    packed = tmp_path / "instance.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(instance()).encode()))

    assert import_wfcommons(packed).problem == import_wfcommons(write(instance())).problem


def test_version_1_6_is_read_with_its_metrics_ignored(write: Callable[[dict[str, Any]], Path]) -> None:
    newer = instance()
    newer["schemaVersion"] = "1.6"
    newer["workflow"]["specification"]["metrics"] = {"numberOfTasks": 3, "numberOfLevels": 3, "maximumWidth": 1}
    newer["workflow"]["execution"]["metrics"] = {"sumTaskRuntimesInSeconds": 1.0005}
    newer["createdAt"] = "2026-01-31T12:00:00Z"

    imported = import_wfcommons(write(newer))

    assert imported.problem == import_wfcommons(write(instance())).problem
    assert "metrics (2)" in "\n".join(imported.assumptions)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real instances: set CATALYTIC_DATA")
def test_a_real_instance_that_was_migrated_to_1_6_is_the_same_problem(
    write: Callable[[dict[str, Any]], Path],
) -> None:
    """As the tools of the format do it: the version, and metrics of the graph and of the execution."""
    path = min((p for p in REAL if p.suffix == ".json"), key=lambda p: p.stat().st_size)
    newer = json.loads(path.read_bytes())
    specification, execution = newer["workflow"]["specification"], newer["workflow"]["execution"]
    newer["schemaVersion"] = "1.6"
    specification["metrics"] = {
        "numberOfTasks": len(specification["tasks"]),
        "numberOfFiles": len(specification["files"]),
        "sumOfFileSizesInBytes": sum(f["sizeInBytes"] for f in specification["files"]),
    }
    execution["metrics"] = {"sumTaskRuntimesInSeconds": sum(t["runtimeInSeconds"] for t in execution["tasks"])}

    assert import_wfcommons(write(newer)).problem == import_wfcommons(path).problem


def _task(index: int, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["workflow"]["specification"]["tasks"][index].update(values)


def _file(index: int, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["workflow"]["specification"]["files"][index].update(values)


def _executed(index: int, **values: object) -> Callable[[dict[str, Any]], None]:
    return lambda d: d["workflow"]["execution"]["tasks"][index].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schemaVersion="1.4"), "schemaVersion: found '1.4'"),
        (lambda d: d.pop("schemaVersion"), "schemaVersion: found nothing"),
        (_task(0, inputFiles=["/inn"]), r"specification\.tasks\[0\]\.inputFiles\[0\].*did you mean '/in'"),
        (_task(2, parents=["zz"]), r"specification\.tasks\[2\]\.parents\[0\]"),
        (_task(1, outputFiles=["x2"]), r"specification\.tasks\[1\]\.outputFiles\[0\]"),
        (_task(2, outputFiles=["x"]), r"specification\.tasks\[2\]\.outputFiles\[0\].*one writer"),
        (_task(0, parents=["c"]), "the cycle a -> "),
        (lambda d: d["workflow"]["specification"]["tasks"].append({"id": "a"}), "each id once"),
        (_file(1, sizeInBytes=-1), r"specification\.files\[1\]\.sizeInBytes"),
        (_file(1, sizeInBytes="big"), r"specification\.files\[1\]\.sizeInBytes"),
        (_executed(0, runtimeInSeconds=-1), r"execution\.tasks\[0\]\.runtimeInSeconds"),
        (_executed(0, runtimeInSeconds=1e300), r"execution\.tasks\[0\]\.runtimeInSeconds"),
        (_executed(0, id="z"), "a specified task"),
        (lambda d: d["workflow"].pop("specification"), r"workflow\.specification"),
    ],
    ids=[
        "old version",
        "no version",
        "unknown input",
        "unknown parent",
        "unknown output",
        "two writers",
        "cycle",
        "same id",
        "negative size",
        "size in words",
        "negative runtime",
        "absurd runtime",
        "unknown execution",
        "no specification",
    ],
)
def test_a_defect_is_told_with_its_path_in_the_file(
    change: Callable[[dict[str, Any]], None], message: str, write: Callable[[dict[str, Any]], Path]
) -> None:
    document = instance()
    change(document)

    with pytest.raises(InputError, match=message):
        import_wfcommons(write(document))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps(instance()).encode())
    path = tmp_path / "instance.json.gz"
    for damaged in (whole[:-9], whole[:20], whole[:30] + b"\x00\xff" * 20 + whole[40:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError):
            import_wfcommons(path)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real instances: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.name.split(".")[0])
def test_a_real_workflow_is_imported_whole(path: Path) -> None:
    raw = path.read_bytes()
    specification = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)["workflow"]["specification"]

    problem = import_wfcommons(path, workspace=Workspace(), policy=Policy()).problem

    assert len(problem.tasks) == len(specification["tasks"])
    assert len(problem.buffers) == len(specification["files"])
    assert sum(b.size for b in problem.buffers) == sum(f["sizeInBytes"] for f in specification["files"])
    for t in specification["tasks"]:
        assert set(problem.graph.predecessors[t["id"]]) >= set(t["parents"])
    assert parse_problem(dump_problem(problem), "again.json") == problem
