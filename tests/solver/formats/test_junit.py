"""Reports of tests: JUnit's XML, a real one where it is present, and durations of pytest-split."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.junit import import_junit

from .files import DATA, Write, writer

REAL = sorted((DATA / "junit").glob("*.xml"))

SMALL = """<?xml version="1.0"?>
<!-- a report -->
<testsuites name="all">
  <testsuite name="outer" tests="5"><properties/>
    <testsuite name="inner">
      <testcase classname="tests.test_a.TestB" name="test_c[x::y]" time="0.081"/>
      <testcase classname="tests.test_a" name="test_d" time="1,234.5"><failure message="no"/></testcase>
    </testsuite>
    <testcase classname="tests.test_a" name="test_d" time="2"/>
    <testcase name="alone" time="0.000"><skipped/></testcase>
    <testcase name="timeless"/>
  </testsuite>
</testsuites>
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "report.xml")


def test_each_case_is_a_task_whatever_its_suite_and_outcome(write: Write) -> None:
    imported = import_junit(write(SMALL), duration=7)

    assert detect(write(SMALL)) == "junit"
    assert {t.id: t.duration for t in imported.problem.tasks} == {
        "tests.test_a.TestB::test_c[x::y]": 81,
        "tests.test_a::test_d": 1_234_500,
        "tests.test_a::test_d #2": 2000,
        "alone": 1,
        "timeless": 7,
    }
    assert not any(imported.problem.graph.predecessors.values())
    said = "\n".join(imported.assumptions)
    assert "tasks of no duration (1) last 1 ms" in said
    assert "tasks that state no duration (1) last 0.007 s" in said


def test_durations_replace_times_by_node_id_or_are_read_alone(write: Write, tmp_path: Path) -> None:
    stored = tmp_path / ".test_durations"
    stored.write_text(json.dumps({"tests/test_a.py::TestB::test_c[x::y]": 9, "tests/test_z.py::test_z": 4.5}))

    joined = import_junit(write(SMALL), companions=(stored,))
    alone = import_junit(stored).problem

    assert {t.id: t.duration for t in joined.problem.tasks}["tests.test_a.TestB::test_c[x::y]"] == 9000
    assert ".test_durations gives the durations of 1 of 5 tests" in joined.assumptions
    assert detect(stored) == "durations"
    assert {t.id: t.duration for t in alone.tasks} == {
        "tests.test_a.TestB::test_c[x::y]": 9000,
        "tests.test_z::test_z": 4500,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('time="2"', 'time="-2"'), "line 9 (testcase), time: found '-2', allowed a number of seconds from 0"),
        (('time="2"', 'time="nan"'), "line 9 (testcase), time: found 'nan'"),
        (('time="2"', 'time="9999999999999"'), "line 9 (testcase)"),
        (('name="alone"', 'title="alone"'), "line 10 (testcase), name: found nothing, allowed the name of the test"),
        (("</testsuites>", ""), "line 14, column 1: found no element found"),
        (('classname="tests.test_a" name="test_d" time="2"', 'classname="a" classname="b"'), "duplicate attribute"),
    ],
)
def test_a_defect_is_told_by_its_line(change: tuple[str, str], message: str, write: Write) -> None:
    assert change[0] in SMALL
    with pytest.raises(InputError, match=re.escape(message)):
        import_junit(write(SMALL.replace(*change, 1)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<assemblies><assembly/></assemblies>", "a report of xUnit.net v2"),
        ('<TestRun xmlns="http://microsoft.com/schemas"/>', "a report of Visual Studio (TRX)"),
        ("<coverage/>", "a report of Cobertura, of coverage"),
        ("<testsuites/>", "no test cases"),
    ],
)
def test_reports_of_others_are_refused_by_name(text: str, message: str, write: Write) -> None:
    path = write(text)

    assert detect(path) == "junit"
    with pytest.raises(InputError, match=re.escape(message)):
        import_junit(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a::b": "fast"}', "found 'fast', allowed a number of seconds from 0"),
        ('{"a::b": -1}', "found -1"),
        ('{"a::b": true}', "found true"),
        ('{"a::b": 1, "c": 2}', "c: found no '::', allowed a node id of pytest"),
        ('{"a[x::y]": 2}', "found no '::'"),
        ("{}", "no tasks"),
    ],
)
def test_durations_that_are_none_are_told_by_their_key(text: str, message: str, write: Write) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        import_junit(write(text))


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real report: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_report_is_imported_whole(path: Path) -> None:
    times = re.findall(r'<testcase [^>]*time="([0-9.]+)"', path.read_text())

    problem = import_junit(path).problem

    assert detect(path) == "junit"
    assert len(problem.tasks) == len(times) > 100
    assert sum(t.duration for t in problem.tasks) == sum(max(1, round(float(t) * 1000)) for t in times)
