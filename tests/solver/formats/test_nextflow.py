"""Runs of Nextflow: the trace, the graph of processes and both; a real run where it is present."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.nextflow import import_nextflow

from .files import DATA, Write, writer

REAL = DATA / "nextflow"

TRACE = """task_id\thash\tname\tstatus\trealtime\tpeak_rss\twchar
1\t19/be\tRUN:READ (a)\tCOMPLETED\t1m 2.5s\t2.5 GB\t1.5 KB
2\t20/be\tRUN:READ (b)\tFAILED\t10s\t3 GB\t-
3\t21/be\tRUN:READ (b)\tCOMPLETED\t252ms\t0\t10 B
4\t22/be\tRUN:CLEAN (a)\tCACHED\t2h\t1 MB\t0
5\t23/be\tRUN:CLEAN (a)\tCOMPLETED\t1d 1h\t-\t-
6\t24/be\tRUN:MERGE\tCOMPLETED\t-\t1 MB\t4 KB
7\t25/be\tELSE:LOST\tCOMPLETED\t7\t\t12
"""
GRAPH = """digraph "dag" {
p0 [shape=point,label="",fixedsize=true,width=0.1,xlabel="Channel.fromPath"];
p1 [label="RUN:READ"];
p0 -> p1 [label="reads"];

p2 [shape=circle,label="",fixedsize=true,width=0.1,xlabel="map"];
p1 -> p2;
p3 [label="RUN:CLEAN"];
p2 -> p3;
p4 [label="RUN:SKIPPED"];
p3 -> p4;
p5 [label="MERGE"];
p4 -> p5;
p1 -> p5;
}
"""


@pytest.fixture
def trace(tmp_path: Path) -> Write:
    return writer(tmp_path, "trace.txt")


@pytest.fixture
def graph(tmp_path: Path) -> Write:
    return writer(tmp_path, "dag.dot")


def test_what_completed_is_a_task_with_amounts_in_their_units(trace: Write) -> None:
    imported = import_nextflow(trace(TRACE))
    problem = imported.problem

    assert detect(trace(TRACE)) == "nextflow"
    assert {t.id: (t.duration, dict(t.demands)) for t in problem.tasks} == {
        "RUN:READ (a)": (62_500, {"memory": int(2.5 * 2**30)}),
        "RUN:READ (b)": (252, {}),
        "RUN:CLEAN (a)": (7_200_000, {"memory": 2**20}),
        "RUN:CLEAN (a) [5]": (90_000_000, {}),
        "RUN:MERGE": (1000, {"memory": 2**20}),
        "ELSE:LOST": (7, {}),
    }
    assert {b.id: b.size for b in problem.buffers} == {
        "RUN:READ (a)": 1536,
        "RUN:READ (b)": 10,
        "RUN:CLEAN (a)": 0,
        "RUN:MERGE": 4096,
        "ELSE:LOST": 12,
    }
    assert problem.capacity_of("memory") == int(2.5 * 2**30)
    assert "executions that failed or were aborted (1) are left out" in imported.assumptions


def test_every_task_follows_all_tasks_of_the_processes_before(trace: Write, graph: Write) -> None:
    imported = import_nextflow(trace(TRACE), companions=(graph(GRAPH),))
    before = imported.problem.graph.predecessors

    reads, cleans = {"RUN:READ (a)", "RUN:READ (b)"}, {"RUN:CLEAN (a)", "RUN:CLEAN (a) [5]"}
    assert {task: set(names) for task, names in before.items()} == {
        "RUN:READ (a)": set(),
        "RUN:READ (b)": set(),
        "RUN:CLEAN (a)": reads,
        "RUN:CLEAN (a) [5]": reads,
        "RUN:MERGE": reads | cleans,
        "ELSE:LOST": set(),
    }
    said = "\n".join(imported.assumptions)
    assert "does not know (1) depend on nothing" in said
    assert "without a completed task (1) are passed through" in said
    assert import_nextflow(graph(GRAPH), companions=(trace(TRACE),)).problem.tasks == imported.problem.tasks


def test_a_graph_alone_has_one_task_per_process(graph: Write) -> None:
    problem = import_nextflow(graph(GRAPH), buffer_size=8).problem

    assert detect(graph(GRAPH)) == "nextflow"
    assert {t.id: t.inputs for t in problem.tasks} == {
        "RUN:READ": (),
        "RUN:CLEAN": ("RUN:READ",),
        "RUN:SKIPPED": ("RUN:CLEAN",),
        "MERGE": ("RUN:READ", "RUN:SKIPPED"),
    }


def test_memory_may_be_scratch(trace: Write) -> None:
    problem = import_nextflow(trace(TRACE), scratch_from_memory=True).problem

    assert {t.id: t.scratch for t in problem.tasks}["RUN:CLEAN (a)"] == 2**20
    assert [name for name, _ in problem.resources] == ["workers"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("1m 2.5s", "1m 2.5"), "line 2, realtime: found '1m 2.5', allowed a time such as '1m 19s'"),
        (("1m 2.5s", "-1s"), "line 2, realtime: found '-1s'"),
        (("2.5 GB", "2.5 XB"), "line 2, peak_rss: found '2.5 XB', allowed a size such as '2.2 GB'"),
        (("2.5 GB", "99999999999 PB"), "line 2, peak_rss"),
        (("CACHED", "DREAMT"), "line 5, status: found 'DREAMT', allowed COMPLETED, CACHED, FAILED, ABORTED"),
        (("RUN:MERGE", ""), "line 7, name: found nothing"),
        (("\tname\t", "\ttitle\t"), "line 1: found no column name"),
        (("\thash\t", "\tname\t"), "line 1: found the column 'name' again"),
        (
            ("7\t25/be\tELSE:LOST\tCOMPLETED\t7\t\t12", "7\t25/b"),
            "line 8: found 2 fields, allowed 7, as in the header;",
        ),
        (("1d 1h", "999999999d"), "line 6: found a duration of"),
    ],
)
def test_a_defect_of_a_trace_is_told_by_line_and_column(change: tuple[str, str], message: str, trace: Write) -> None:
    assert change[0] in TRACE
    with pytest.raises(InputError, match=re.escape(message)):
        import_nextflow(trace(TRACE.replace(*change, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("p4 -> p5", "p4 -> p1"), "found the cycle"),
        (('"RUN:CLEAN"', '"RUN:READ"'), "line 8: found the process 'RUN:READ' again"),
        (("p4 -> p5;", "p4 ->"), "found '}'"),
    ],
)
def test_a_defect_of_a_graph_is_told_by_its_line(change: tuple[str, str], message: str, graph: Write) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        import_nextflow(graph(GRAPH.replace("p1 -> p5;\n", "").replace(*change, 1)))


@pytest.mark.data
@pytest.mark.skipif(not REAL.exists(), reason="no real run: set CATALYTIC_DATA")
def test_a_real_run_is_imported_whole() -> None:
    trace, graph = REAL / "chipseq.execution_trace.txt", REAL / "chipseq.pipeline_dag.dot"
    with trace.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["status"] == "COMPLETED"]

    alone, joined = import_nextflow(trace).problem, import_nextflow(trace, companions=(graph,)).problem

    assert (detect(trace), detect(graph)) == ("nextflow", "nextflow")
    assert len(alone.tasks) == len(joined.tasks) == len(rows) == 258
    assert sorted(t.id.partition(" [")[0] for t in alone.tasks) == sorted(row["name"] for row in rows)
    brief = {row["name"]: m[1] for row in rows if (m := re.fullmatch(r"([0-9]+)ms", row["realtime"]))}
    once = {name for name in brief if [row["name"] for row in rows].count(name) == 1}
    assert len(once) > 20
    assert all(t.duration == max(1, int(brief[t.id])) for t in joined.tasks if t.id in once)
    assert any(joined.graph.predecessors.values())
