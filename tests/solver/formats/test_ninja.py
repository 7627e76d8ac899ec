"""Builds of ninja: the log, the graph and both; a real build where it is present."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.ninja import import_ninja

from .files import DATA, Write, writer

REAL = DATA / "ninja"

GRAPH = """digraph ninja {
rankdir="LR"
node [fontsize=10, shape=box, height=0.25]
edge [fontsize=10]
"0x1" [label="app"]
"0x2" [label="link", shape=ellipse]
"0x2" -> "0x1"
"0x3" -> "0x2" [arrowhead=none]
"0x4" -> "0x2" [arrowhead=none]
"0x5" -> "0x2" [arrowhead=none style=dotted]
"0x3" [label="a.o"]
"0x6" -> "0x3" [label=" cc"]
"0x6" [label="a.c"]
"0x4" [label="b.o"]
"0x8" -> "0x4" [label=" cc"]
"0x8" [label="b.c"]
"0x5" [label="ready"]
"0x9" [label="phony", shape=ellipse]
"0x9" -> "0x5"
"0x10" -> "0x9" [arrowhead=none]
"0x11" -> "0x9" [arrowhead=none]
"0x10" [label="gen.h"]
"0x11" [label="gen.c"]
"0x12" [label="generate", shape=ellipse]
"0x12" -> "0x10"
"0x12" -> "0x11"
"0x13" -> "0x12" [arrowhead=none]
"0x13" [label="gen.py"]
}
"""
LOG = """# ninja log v6
0\t5\t1\ta.o\taaaa
9\t20\t1\told.o\tffff
0\t40\t2\tgen.h\tcccc
0\t40\t2\tgen.c\tcccc
50\t80\t3\ta.o\tabab
80\t100\t4\tapp\tdddd
"""


@pytest.fixture
def graph(tmp_path: Path) -> Write:
    return writer(tmp_path, "graph.dot")


@pytest.fixture
def log(tmp_path: Path) -> Write:
    return writer(tmp_path, ".ninja_log")


def test_a_log_alone_knows_how_long_and_not_after_what(log: Write) -> None:
    imported = import_ninja(log(LOG))

    assert detect(log(LOG)) == "ninja"
    assert imported.problem.name == "ninja_log"
    assert {t.id: t.duration for t in imported.problem.tasks} == {"a.o": 30, "gen.h": 40, "app": 20, "old.o": 11}
    assert any("knows no dependencies" in said for said in imported.assumptions)


def test_a_graph_alone_knows_after_what_and_not_how_long(graph: Write) -> None:
    imported = import_ninja(graph(GRAPH), duration=3)

    assert detect(graph(GRAPH)) == "ninja"
    assert {t.id: t.after for t in imported.problem.tasks} == {
        "a.o": (),
        "b.o": (),
        "gen.h": (),
        "app": ("a.o", "b.o", "gen.h"),
    }
    assert {t.duration for t in imported.problem.tasks} == {3}
    assert "phony edges (1) are passed through" in imported.assumptions
    assert not any("as long as when it was built last" in said for said in imported.assumptions)


def test_both_are_joined_by_paths_in_either_order(graph: Write, log: Write) -> None:
    """b.o was not built, so what it would have been needed for is not held up by it; old.o is stale."""
    imported = import_ninja(log(LOG), companions=(graph(GRAPH),))
    problem = imported.problem

    assert {t.id: (t.duration, t.after) for t in problem.tasks} == {
        "a.o": (30, ()),
        "gen.h": (40, ()),
        "app": (20, ("a.o", "gen.h")),
    }
    assert import_ninja(graph(GRAPH), companions=(log(LOG),)).problem.tasks == problem.tasks
    said = "\n".join(imported.assumptions)
    for part in ("log does not know (1) were not built", "graph does not know (1) are left out"):
        assert part in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("v6", "v4"), "line 1: found '# ninja log v4', allowed '# ninja log v5', v6 or v7"),
        (("v6", "v8"), "line 1"),
        (("0\t5\t1\ta.o\taaaa", "0\t5\t1\ta.o"), "line 2: found 4 fields, allowed 5, separated by tabs"),
        (("80\t100\t4\tapp\tdddd\n", "80\t1"), "line 7: found 2 fields, allowed 5, separated by tabs; the file seems"),
        (("9\t20", "20\t9"), "line 3: found '20' to '9', allowed milliseconds of a start"),
        (("9\t20", "9\tx"), "line 3: found '9' to 'x'"),
        (("old.o", ""), "line 3: found no output"),
        (("9\t20", "9\t99999999999999"), "line 3: found a duration of"),
    ],
)
def test_a_defect_of_a_log_is_told_by_its_line(change: tuple[str, str], message: str, log: Write) -> None:
    assert change[0] in LOG
    with pytest.raises(InputError, match=re.escape(message)):
        import_ninja(log(LOG.replace(*change, 1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"0x2" -> "0x1"', '"0x2" -> "0x9"'), "line 7: found an edge between two rules"),
        (('"0x12" -> "0x11"', '"0x12" -> "0x3"'), "found 'a.o' made again, allowed one rule"),
        (('"0x13" -> "0x12"', '"0x1" -> "0x12"'), "found the cycle"),
        (("digraph ninja", "digraph cmake"), "line 1: found the graph 'cmake', allowed 'ninja'"),
    ],
)
def test_a_defect_of_a_graph_is_told_by_its_line(change: tuple[str, str], message: str, graph: Write) -> None:
    assert change[0] in GRAPH
    with pytest.raises(InputError, match=re.escape(message)):
        import_ninja(graph(GRAPH.replace(*change, 1)))


def test_two_logs_are_two_builds(graph: Write, log: Write, tmp_path: Path) -> None:
    other = writer(tmp_path, "other_log")(LOG)

    with pytest.raises(InputError, match="a second log"):
        import_ninja(log(LOG), companions=(other,))
    with pytest.raises(InputError, match="a second graph"):
        import_ninja(graph(GRAPH), companions=(graph(GRAPH),))


@pytest.mark.data
@pytest.mark.skipif(not REAL.exists(), reason="no real build: set CATALYTIC_DATA")
def test_a_real_build_is_imported_whole() -> None:
    log, graph = REAL / "ninja_log.v5.txt", REAL / "graph.dot"
    rows = [line.split("\t") for line in log.read_text().splitlines()[1:]]
    times = {(row[0], row[1], row[4]): int(row[1]) - int(row[0]) for row in rows}

    alone, joined = import_ninja(log).problem, import_ninja(log, companions=(graph,)).problem

    assert (detect(log), detect(graph)) == ("ninja", "ninja")
    assert sum(t.duration for t in alone.tasks) == sum(times.values())
    assert {t.id for t in joined.tasks} == {t.id for t in alone.tasks} <= {row[3] for row in rows}
    assert sum(name.endswith(".o") for name in joined.graph.predecessors["ninja"]) > 20
    starts = {row[3]: (int(row[0]), int(row[1])) for row in rows}
    for task, before in joined.graph.predecessors.items():
        for p in before:
            assert starts[p][1] <= starts[task][0] + 1, "what precedes ended before it began, as it was built"
