"""``catalytic export``: what it writes is read back, by this program and by the rules of the other form."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from catalytic.app.exporting import EXPORTERS
from catalytic.cli.commands.export import FORMS
from catalytic.solver.formats import dump_problem, import_wfcommons, load_minimalloc, load_plan
from catalytic.solver.problem import Buffer, Problem, Task
from catalytic.solver.units import Bytes, Tick

from .console import Said, catalytic, write_problem

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data")) / "wfcommons"
REAL = sorted(DATA.glob("*.json")) if DATA.is_dir() else []
SMALLER = [p for p in REAL if p.stat().st_size < 400_000]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of the diamond, in two partitions."""
    folder = tmp_path_factory.mktemp("planned")
    problem = write_problem(folder)
    said = catalytic("plan", problem, "-o", folder / "plan.json", "--time-limit", "20")
    assert said.code == 0, said.err
    return folder / "plan.json"


def export(form: str, source: Path, target: Path | str, *more: str) -> Said:
    return catalytic("export", form, source, "-o", target, *more)


def violations_of_wfformat(document: dict[str, Any]) -> list[str]:
    """The rules of wfformat 1.5 that its schema states and the reader here does not need."""
    specification, execution = (document["workflow"][key] for key in ("specification", "execution"))
    ids = [t["id"] for t in specification["tasks"]]
    files = [f["id"] for f in specification["files"]]
    parents = {(p, t["id"]) for t in specification["tasks"] for p in t["parents"]}
    children = {(t["id"], c) for t in specification["tasks"] for c in t["children"]}
    named = [*ids, *files, *(f for t in specification["tasks"] for f in (*t["inputFiles"], *t["outputFiles"]))]
    rules = {
        "version": document["schemaVersion"] == "1.5",
        "names": bool(document["name"]) and all(t["name"] for t in specification["tasks"]),
        "ids are of letters, digits and -_.": all(re.fullmatch(r"[0-9a-zA-Z\-_.]+", name) for name in named),
        "ids differ": len(set(ids)) == len(ids) and len(set(files)) == len(files),
        "parents mirror children": parents == children,
        "ends are tasks": {name for pair in parents for name in pair} <= set(ids),
        "files are listed": set(named) <= {*ids, *files},
        "execution": {"makespanInSeconds", "executedAt", "tasks"} <= execution.keys(),
        "executed once": sorted(t["id"] for t in execution["tasks"]) == sorted(ids),
        "runtimes": all(t["runtimeInSeconds"] > 0 for t in execution["tasks"]),
        "machines": all(m["nodeName"] for m in execution["machines"]),
        "system": {"name", "version"} <= document["runtimeSystem"].keys(),
    }
    return [rule for rule, holds in rules.items() if not holds]


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real instances: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", SMALLER, ids=lambda p: p.name.partition(".")[0])
def test_a_real_workflow_survives_being_written_and_read(path: Path, tmp_path: Path) -> None:
    """Except for what the format cannot say, and for characters that it does not allow in ids."""
    before = import_wfcommons(path).problem
    source = tmp_path / "problem.json"
    source.write_bytes(dump_problem(before))

    assert export("wfcommons", source, tmp_path / "w.json").code == 0
    document = json.loads((tmp_path / "w.json").read_bytes())
    after = import_wfcommons(tmp_path / "w.json").problem

    assert violations_of_wfformat(document) == []
    name = {t["name"]: t["id"] for t in document["workflow"]["specification"]["tasks"]}
    assert {t.id: t.duration for t in after.tasks} == {name[t.id]: t.duration for t in before.tasks}
    assert after.graph.predecessors == {
        name[t]: tuple(sorted(name[p] for p in names)) for t, names in before.graph.predecessors.items()
    }
    assert sorted(b.size for b in after.buffers) == sorted(b.size for b in before.buffers)
    assert {t.id: t.demands for t in after.tasks} == {name[t.id]: t.demands for t in before.tasks}
    assert dict(after.resources) == dict(before.resources)
    if all(a == b for a, b in name.items()) and not any("/" in b.id for b in before.buffers):
        assert {t.id: (t.inputs, t.outputs) for t in after.tasks} == {t.id: (t.inputs, t.outputs) for t in before.tasks}


def test_what_wfformat_cannot_say_is_told(tmp_path: Path) -> None:
    problem = Problem(
        "odd names",
        (
            Task("a b", Tick(1500), outputs=("x/y",), scratch=Bytes(5), demands=(("gpu", 1), ("memory", 7))),
            Task("a_b", Tick(1), inputs=("x/y",), after=("a b",), in_place=()),
        ),
        (Buffer("x/y", Bytes(3), data_type="image"),),
        resources=(("gpu", 1), ("memory", 9), ("workers", 2)),
    )
    source = tmp_path / "p.json"
    source.write_bytes(dump_problem(problem))

    said = export("wfcommons", source, tmp_path / "w.json")

    for part in ("(2) are written with '_'", "demands of gpu", "scratch (1)", "pools of buffers (1)", "longest path"):
        assert part in said.err
    document = json.loads((tmp_path / "w.json").read_bytes())
    assert violations_of_wfformat(document) == []
    assert [t["id"] for t in document["workflow"]["specification"]["tasks"]] == ["a_b_2", "a_b"]
    again = import_wfcommons(tmp_path / "w.json").problem
    assert again.capacity_of("memory") == 9
    assert {t.id: t.duration for t in again.tasks} == {"a_b_2": 1500, "a_b": 1}


def test_a_plan_states_its_makespan_and_a_problem_what_no_plan_undercuts(planned: Path, tmp_path: Path) -> None:
    plan = load_plan(planned).plan
    source = write_problem(tmp_path)

    for path, expected in ((planned, plan.measures.makespan), (source, plan.problem.graph.critical_path()[1])):
        assert export("wfcommons", path, tmp_path / "w.json", "--force").code == 0
        document = json.loads((tmp_path / "w.json").read_bytes())
        assert document["workflow"]["execution"]["makespanInSeconds"] == expected / 1000


def test_regions_of_a_plan_are_a_table_that_collides_nowhere(planned: Path, tmp_path: Path) -> None:
    plan = load_plan(planned).plan

    assert export("minimalloc", planned, tmp_path / "placed.csv").code == 0

    table = load_minimalloc(tmp_path / "placed.csv")
    rows = list(zip(table.id, table.lower, table.upper, table.arena, table.offset, table.size, strict=True))
    assert sorted(rows) == sorted(
        (r.buffer, r.lifetime.birth, r.lifetime.death, x.partition, x.offset, x.length)
        for r in plan.regions
        for x in r.extents
    )
    for a, b in combinations(rows, 2):
        together = a[1] < b[2] and b[1] < a[2] and a[3] == b[3]
        assert not (together and a[4] < b[4] + b[5] and b[4] < a[4] + a[5])
    capacity = str(plan.problem.workspace.partition_size)
    again = catalytic("place", tmp_path / "placed.csv", "--capacity", capacity, "--capacity", capacity, "--json")
    assert again.code == 0
    assert again.document["offsets"] == {r.buffer: r.extents[0].offset for r in plan.regions}


def test_a_region_that_spans_partitions_has_a_row_for_each_part(tmp_path: Path) -> None:
    source = write_problem(
        tmp_path,
        workspace={"size": "128KiB", "partitions": 2, "isolation": "shared"},
        tasks=[{"id": "a", "duration": 0.01, "outputs": ["x"]}],
        buffers=[{"id": "x", "size": "128KiB"}],
    )
    plan = tmp_path / "plan.json"
    assert catalytic("plan", source, "-o", plan, "--time-limit", "20").code == 0

    assert export("minimalloc", plan, tmp_path / "placed.csv").code == 0
    with (tmp_path / "placed.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert [(row["id"], row["arena"], row["size"]) for row in rows] == [("x/1", "0", "65536"), ("x/2", "1", "65536")]


def test_one_partition_needs_no_arenas_and_several_pools_are_stated(tmp_path: Path) -> None:
    source = write_problem(
        tmp_path,
        workspace={"size": "1MB", "partitions": 1},
        buffers=[
            {"id": b, "size": "64KiB", **({"data_type": "t"} if b == "x" else {})} for b in ("x", "y", "z", "end")
        ],
    )
    plan = tmp_path / "plan.json"
    assert catalytic("plan", source, "-o", plan, "--time-limit", "20").code == 0

    said = catalytic("export", "minimalloc", plan, "-o", "-")

    header, *rows = said.out.splitlines()
    assert header == "id,lower,upper,size,alignment,pool,offset"
    assert len({row.split(",")[5] for row in rows}) == 2


def test_a_graph_in_dot_is_planned_as_the_problem_is(tmp_path: Path) -> None:
    source = write_problem(tmp_path)

    assert export("dot", source, tmp_path / "graph.dot").code == 0
    said = catalytic("import", tmp_path / "graph.dot", "-o", tmp_path / "again.json", "--json")

    assert said.document["allocated"] == 4 * 65536
    assert said.document["critical_path_s"] == 0.03
    assert said.document["tasks"] == 4


def test_a_plan_and_a_run_become_traces(planned: Path, tmp_path: Path) -> None:
    assert export("perfetto", planned, tmp_path / "plan.trace").code == 0
    run = catalytic("run", planned, "--workspace", tmp_path / "w", "--output-dir", tmp_path / "out")
    assert run.code == 0, run.err

    of_workspace = export("perfetto", tmp_path / "w", tmp_path / "run.trace")
    (log,) = (tmp_path / "w" / "logs").glob("*.jsonl")
    of_log = catalytic("export", "perfetto", log, "-o", "-")

    assert (of_workspace.code, of_log.code) == (0, 0)
    assert (tmp_path / "run.trace").read_text() == of_log.out
    for name in ("plan.trace", "run.trace"):
        found = json.loads((tmp_path / name).read_bytes())["traceEvents"]
        assert {e["name"] for e in found if e["ph"] == "X"} >= {"a", "b", "c", "d"}


def test_a_form_that_cannot_say_what_is_asked_says_so(tmp_path: Path) -> None:
    source = write_problem(tmp_path)

    for form in ("minimalloc", "perfetto"):
        said = export(form, source, tmp_path / "x")
        assert said.code == 2
        assert "catalytic plan makes one" in said.err
    (tmp_path / "w" / "logs").mkdir(parents=True)
    empty = export("perfetto", tmp_path / "w", tmp_path / "x")
    assert (empty.code, "no log of a run" in empty.err) == (2, True)
    (tmp_path / "w" / "logs" / "r.jsonl").write_text('{"time": 1, "type": "run-started"}\n')
    other = export("dot", tmp_path / "w", tmp_path / "x")
    assert (other.code, "runs are exported as perfetto" in other.err) == (2, True)
    assert not (tmp_path / "x").exists()


def test_an_existing_file_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    source = write_problem(tmp_path)
    target = tmp_path / "graph.dot"
    target.write_text("mine")

    assert export("dot", source, target).code == 8
    assert target.read_text() == "mine"
    answer = export("dot", source, target, "--force", "--json").document
    assert answer["format"] == "catalytic-export/1"
    assert answer["size"] == len(target.read_bytes())
    assert export("dot", source, "-", "--json").code == 2


def test_the_words_are_those_of_the_application() -> None:
    assert tuple(EXPORTERS) == FORMS


def test_a_foreign_file_is_exported_with_what_was_assumed_of_it(tmp_path: Path) -> None:
    source = tmp_path / "graph.hdag.gz"
    source.write_bytes(gzip.compress(b"1 2 2\n0 1 3\n0 5\n1 6\n0 0\n0 1\n"))

    said = catalytic("export", "dot", source, "-o", "-")

    assert '"n0" -> "n1"' in said.out
    assert "a unit of memory weight is 1 byte" in said.err
