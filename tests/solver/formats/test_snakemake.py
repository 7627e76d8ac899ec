"""Workflows of Snakemake: the graph of jobs and benchmarks; real ones where they are present."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.snakemake import import_snakemake

from .files import DATA, Write, writer

REAL = DATA / "snakemake"

GRAPH = r"""digraph snakemake_dag {
    graph[bgcolor=white, margin=0];
    0[label = "all", color = "0.1 0.6 0.85", style="rounded"];
    1[label = "count\nds: a", color = "0.2 0.6 0.85", style="rounded,dashed"];
    2[label = "count\nds: b", style="rounded"];
    3[label = "cut", style="rounded"];
    4[label = "cut", style="rounded"];
    1 -> 0
    2 -> 0
    3 -> 1
    4 -> 2
}
"""
HEADER = "s\th:m:s\tmax_rss\tmax_vms\trule_name\twildcards"
BENCHMARK = f"""{HEADER}
1.5\t0:00:01\t10.00\t20\tcount\t{{'ds': 'a'}}
2.5\t0:00:02\t30.00\t20\tcount\t{{'ds': 'a'}}
4\t0:00:04\t-\t20\tcount\t{{'ds': 'c'}}
9\t0:00:09\t1\t20\tdance\t{{}}
"""


@pytest.fixture
def graph(tmp_path: Path) -> Write:
    return writer(tmp_path, "dag.dot")


@pytest.fixture
def table(tmp_path: Path) -> Write:
    return writer(tmp_path, "cut.tsv")


def test_jobs_are_called_by_rule_and_wildcards_and_numbered_where_that_is_not_enough(graph: Write) -> None:
    imported = import_snakemake(graph(GRAPH))

    assert detect(graph(GRAPH)) == "snakemake"
    assert {t.id: t.after for t in imported.problem.tasks} == {
        "all": ("count, ds: a", "count, ds: b"),
        "count, ds: a": ("cut #3",),
        "count, ds: b": ("cut #4",),
        "cut #3": (),
        "cut #4": (),
    }
    assert "jobs that are up to date (1, drawn dashed) are planned like the others" in imported.assumptions


def test_a_benchmark_times_the_jobs_of_its_rule_those_with_its_wildcards_first(graph: Write, table: Write) -> None:
    """Job b has no rows of its own: it takes the mean of all rows of its rule."""
    imported = import_snakemake(graph(GRAPH), companions=(table(BENCHMARK),))
    tasks = {t.id: t for t in imported.problem.tasks}

    assert tasks["count, ds: a"].duration == 2000
    assert tasks["count, ds: b"].duration == 2667  # (1.5 + 2.5 + 4) / 3 s, rounded up to ms
    assert dict(tasks["count, ds: a"].demands) == {"memory": 30 * 2**20}
    assert tasks["all"].duration == 1000
    said = "\n".join(imported.assumptions)
    assert "durations of 2 of 5 jobs" in said
    assert "left out: dance" in said


def test_a_table_without_rules_belongs_to_the_rule_it_is_called_after(graph: Write, table: Write) -> None:
    plain = "s\th:m:s\tmax_rss\n7.25\t0:00:07\t2\n"

    imported = import_snakemake(table(plain), companions=(graph(GRAPH),), scratch_from_memory=True)
    tasks = {t.id: t for t in imported.problem.tasks}

    assert (tasks["cut #3"].duration, tasks["cut #4"].duration) == (7250, 7250)
    assert tasks["cut #3"].scratch == 2 * 2**20


def test_benchmarks_alone_have_durations_and_no_order(table: Write) -> None:
    imported = import_snakemake(table(BENCHMARK))

    assert detect(table(BENCHMARK)) == "snakemake"
    assert {t.id: (t.duration, t.after) for t in imported.problem.tasks} == {
        "count, ds: a": (2000, ()),
        "count, ds: c": (4000, ()),
        "dance": (9000, ()),
    }
    assert any("know no dependencies" in said for said in imported.assumptions)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("1.5\t", "fast\t"), "line 2, s: found 'fast', allowed a number from 0"),
        (("1.5\t", "-1\t"), "line 2, s: found '-1'"),
        (("10.00", "1e999"), "line 2, max_rss: found '1e999'"),
        (("{'ds': 'a'}", "{'ds': "), "line 2, wildcards: found \"{'ds':\", allowed a dictionary"),
        (("{'ds': 'a'}", "__import__('os')"), "line 2, wildcards"),
        (("9\t0:00:09\t1\t20\tdance\t{}", "9\t0:0"), "line 5: found 2 fields, allowed 6, as in the header; the file"),
        (("h:m:s", "time"), "line 1: found no column h:m:s"),
    ],
)
def test_a_defect_of_a_table_is_told_by_line_and_column(
    change: tuple[str, str], message: str, graph: Write, table: Write
) -> None:
    assert change[0] in BENCHMARK
    with pytest.raises(InputError, match=re.escape(message)):
        import_snakemake(graph(GRAPH), companions=(table(BENCHMARK.replace(*change, 1)),))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("snakemake_dag", "rules"), "line 1: found the graph 'rules', allowed 'snakemake_dag'"),
        ((r'label = "cut"', 'label=""'), "line 6 (node '3'): found no label, allowed the rule of the job"),
        (("4 -> 2", "0 -> 4; 4 -> 2"), "the cycle"),
        (("}\n", ""), "the file seems to be truncated"),
    ],
)
def test_a_defect_of_a_graph_is_told_by_its_line(change: tuple[str, str], message: str, graph: Write) -> None:
    assert change[0] in GRAPH
    with pytest.raises(InputError, match=re.escape(message)):
        import_snakemake(graph(GRAPH.replace(*change, 1)))


@pytest.mark.data
@pytest.mark.skipif(not REAL.exists(), reason="no real workflow: set CATALYTIC_DATA")
def test_a_real_workflow_is_imported_whole_and_real_benchmarks_are_read() -> None:
    dag, tables = REAL / "mirna.dag.dot", sorted(REAL.glob("*.tsv"))
    text = dag.read_text()

    imported = import_snakemake(dag, companions=tuple(tables))
    problem = imported.problem

    assert detect(dag) == "snakemake"
    assert {detect(table) for table in tables} == {"snakemake"}
    assert len(problem.tasks) == len(re.findall(r"label = ", text)) == 168
    assert sum(map(len, problem.graph.predecessors.values())) == len(re.findall(r"\d -> \d", text)) == 276
    assert any("bench_run, bench_script, bench_shell" in said for said in imported.assumptions)


@pytest.mark.data
@pytest.mark.skipif(not REAL.exists(), reason="no real benchmark: set CATALYTIC_DATA")
def test_a_real_benchmark_times_a_job_of_its_rule(graph: Write) -> None:
    drawn = graph(GRAPH.replace('"cut"', '"bench_shell"'))

    problem = import_snakemake(drawn, companions=(REAL / "benchmark_shell.benchmark.tsv",)).problem

    assert {t.duration for t in problem.tasks if t.id.startswith("bench_shell")} == {10_005}  # of 10.0037 and 10.0050 s
