"""PSPLIB's single-mode files: real ones where they are present, and a small one with every trap."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect, dump_problem, import_psplib, parse_problem
from catalytic.solver.problem import Isolation, Problem

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data"))
REAL = sorted((DATA / "psplib").glob("*/*.sm"))

SMALL = """************************************************************************
file with basedata            : small.bas
************************************************************************
projects                      :  1
jobs (incl. supersource/sink ):  5
horizon                       :  15
RESOURCES
  - renewable                 :  2   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
************************************************************************
PROJECT INFORMATION:
pronr.  #jobs rel.date duedate tardcost  MPM-Time
    1      3      0       9        2        9
************************************************************************
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           5
   4        1          1           5
   5        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------------------------------------------------
  1      1     0       0    0
  2      1     8       4    0
  3      1     3       0    2
  4      1     1       3   13
  5      1     0       0    0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1  R 2
    5   13
************************************************************************
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "small.sm"
        path.write_text(text)
        return path

    return to_file


def test_a_job_is_a_task_and_a_request_a_demand(write: Write) -> None:
    imported = import_psplib(write(SMALL))
    problem = imported.problem

    assert problem.name == "small"
    assert [(t.id, t.duration, t.after, t.demands) for t in problem.tasks] == [
        ("j2", 8000, (), (("R1", 4),)),
        ("j3", 3000, (), (("R2", 2),)),
        ("j4", 1000, ("j2",), (("R1", 3), ("R2", 13))),
    ]
    assert problem.resources == (("R1", 5), ("R2", 13), ("workers", 3))
    assert problem.buffers == ()
    assert (problem.workspace.partitions, problem.workspace.isolation) == (1, Isolation.SHARED)


def test_what_is_left_out_is_said(write: Write) -> None:
    said = "\n".join(import_psplib(write(SMALL), scale_time=0.5).assumptions)

    for part in ("a unit of time lasts 1 s", "(j1 and j5) last nothing", "as many as tasks", "due dates", "by 0.5"):
        assert part in said


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (("  1      1     0       0    0", "  1      1     2       0    0"), {"j1"}),
        (("  5      1     0       0    0", "  5      1     0       0    1"), {"j5"}),
        (("   4        1          1           5", "   4        1          1           1"), set()),
    ],
    ids=["the first lasts", "the last requests", "the first is preceded"],
)
def test_the_outermost_jobs_stay_when_they_are_more_than_ends(
    change: tuple[str, str], kept: set[str], write: Write
) -> None:
    assert change[0] in SMALL
    text = SMALL.replace(*change)
    if not kept:  # job 1 has a predecessor now, which makes a cycle: it must be seen, not dropped
        with pytest.raises(InputError, match="cycle"):
            import_psplib(write(text))
        return

    tasks = {t.id for t in import_psplib(write(text)).problem.tasks}

    assert tasks == {"j2", "j3", "j4"} | kept


def test_jobs_of_no_duration_between_others_are_kept_and_counted(write: Write) -> None:
    imported = import_psplib(write(SMALL.replace("  3      1     3  ", "  3      1     0  ")))

    assert {t.id: t.duration for t in imported.problem.tasks}["j3"] == 1
    assert "jobs of no duration (1) are tasks of 1 ms" in imported.assumptions


def test_a_compressed_file_gives_the_same_problem(tmp_path: Path, write: Write) -> None:
    packed = tmp_path / "small.sm.gz"
    packed.write_bytes(gzip.compress(SMALL.encode()))

    assert detect(packed) == "psplib"
    assert import_psplib(packed).problem == import_psplib(write(SMALL)).problem


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (("nonrenewable              :  0", "nonrenewable              :  2"), ["line 9", "multi-mode (.mm)"]),
        (("constrained        :  0", "constrained        :  1"), ["line 10", "doubly constrained: 1"]),
        (("projects                      :  1", "projects                      :  2"), ["line 4", "several projects"]),
        (("    1      3      0", "    1      3      4"), ["line 14: found the release date 4"]),
        (("   2        1          1", "   2        3          1"), ["line 19: found 3 modes, allowed 1", ".mm"]),
        (("   2        1          1", "   2        1          2"), ["line 19: found 1 successors, allowed 2"]),
        (("           4\n", "           9\n"), ["line 19: found successor 9, allowed a job from 1 to 5"]),
        (("           4\n", "           2\n"), ["line 19: found successor 2", "not itself"]),
        (("   4        1          1           5", "   4        1          1           2"), ["cycle j2 -> j4 -> j2"]),
        (("   3        1  ", "   4        1  "), ["line 20: found job 4, allowed job 3"]),
        (("sink ):  5", "sink ):  6"), ["PRECEDENCE RELATIONS: found 5 rows, allowed 6, as line 5 says"]),
        (("  3      1     3 ", "  2      1     3 "), ["line 29: found job 2 again", "it stands at line 28"]),
        (("  3      1     3       0    2\n", ""), ["REQUESTS/DURATIONS: found no row for 3"]),
        (("  3      1     3       0    2", "  3      1     3       0"), ["line 29: found 4 numbers, allowed 5"]),
        (("  3      1     3       0    2", "  3      1     x       0    2"), ["line 29: found '3      1     x"]),
        (("  3      1     3 ", "  3      1     9999999999999 "), ["line 29: found a duration of 9999999999999"]),
        (("  4      1     1       3   13", "  4      1     1       3   14"), ["line 30", "R2: found 14, allowed 0 to"]),
        (("    5   13", "    5"), ["RESOURCEAVAILABILITIES: found 1 amounts (line 35)"]),
        (("renewable                 :  2", "renewable                 :  3"), ["line 8: found renewable: 3"]),
        (("RESOURCEAVAILABILITIES:\n", "MORE:\n"), ["RESOURCEAVAILABILITIES: found no such section", "truncated"]),
    ],
)
def test_a_defect_is_told_by_its_line(change: tuple[str, str], messages: list[str], write: Write) -> None:
    assert change[0] in SMALL
    with pytest.raises(InputError) as caught:
        import_psplib(write(SMALL.replace(*change, 1)))

    for message in messages:
        assert message in str(caught.value)


def graph_of(path: Path) -> tuple[dict[str, tuple[int, ...]], set[tuple[str, str]], list[int]]:
    """Rows of jobs, edges and capacities, read the obvious way by the stars that separate sections."""
    parts = path.read_text().split("*" * 72 + "\n")
    edges, jobs, room = parts[4].splitlines()[2:], parts[5].splitlines()[3:], parts[6].splitlines()[2]
    rows = [list(map(int, line.split())) for line in edges]
    requests = [list(map(int, line.split())) for line in jobs]
    return (
        {f"j{row[0]}": tuple(row[2:]) for row in requests},
        {(f"j{row[0]}", f"j{successor}") for row in rows for successor in row[3:]},
        list(map(int, room.split())),
    )


def demands_of(problem: Problem, task: str) -> tuple[int, ...]:
    demands = dict(next(t for t in problem.tasks if t.id == task).demands)
    return tuple(demands.get(name, 0) for name, _ in problem.resources if name != "workers")


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real projects: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_project_is_imported_whole(path: Path) -> None:
    jobs, edges, room = graph_of(path)
    ends = {"j1", f"j{len(jobs)}"}

    problem = import_psplib(path).problem

    assert detect(path) == "psplib"
    assert {t.id: (t.duration // 1000, *demands_of(problem, t.id)) for t in problem.tasks} == {
        name: row for name, row in jobs.items() if name not in ends
    }
    assert {(p, t.id) for t in problem.tasks for p in t.after} == {e for e in edges if not ends & {*e}}
    assert [n for name, n in problem.resources if name != "workers"] == room
    assert problem.capacity_of("workers") >= len(problem.tasks)
    assert parse_problem(dump_problem(problem), "again.json") == problem


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real projects: set CATALYTIC_DATA")
def test_no_known_makespan_is_below_the_critical_path_and_some_are_equal() -> None:
    """The critical path is a lower bound on the makespans of the literature, in the same unit."""
    with (DATA / "psplib" / "best_known.csv").open() as file:
        known = {row["instance"]: int(row["best_ub"]) for row in csv.DictReader(file)}
    paths = {p.stem: import_psplib(p).problem.graph.critical_path()[1] for p in REAL}

    assert all(length <= known[name] * 1000 for name, length in paths.items())
    assert any(length == known[name] * 1000 for name, length in paths.items())
