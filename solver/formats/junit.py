"""Reports of tests as problems: JUnit's XML, which most test runners write, and the durations that pytest-split stores.

::

    <testsuites><testsuite name="pytest" tests="2">
      <testcase classname="tests.test_a.TestB" name="test_c" time="0.081"/>
      <testcase classname="tests.test_a" name="test_d" time="0.006"><skipped/></testcase>
    </testsuite></testsuites>

    {"tests/test_a.py::TestB::test_c": 0.079}

A test case is a task ``classname::name`` that lasts ``time``, also when it failed or was skipped; nothing depends on
anything, and no memory is known. A name that occurs again (a test that was run again, or in several suites) is
numbered. Suites may lie inside suites.

The durations of pytest-split (``.test_durations``: a JSON object of seconds by node id) are read alone, or
``--with`` a report; then they replace its times where the node id is the class name and name of a test case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, numbered, problem_of_jobs
from .json_text import describe, join, parse_json, read_bytes
from .reading import refuse, unpacked
from .xml_tree import Element, parse_xml, root_name

_SUITES = ("testsuites", "testsuite")
_OTHER_REPORTS = {
    "assemblies": "xUnit.net v2",
    "test-run": "NUnit 3",
    "test-results": "NUnit 2",
    "TestRun": "Visual Studio (TRX)",
    "coverage": "Cobertura, of coverage",
    "checkstyle": "Checkstyle",
    "robot": "Robot Framework",
}
"""Outermost element -> whose report it is, when it is not JUnit's."""

_SECONDS = re.compile(
    r"[0-9]{1,12}(?:,[0-9]{3})*(?:\.[0-9]{0,18})?|\.[0-9]{1,18}|[0-9]{1,12}(?:\.[0-9]{1,18})?[eE]-?[0-9]{1,2}"
)


def is_junit(data: bytes) -> bool:
    """Whether ``data`` is XML that reports on tests, JUnit's or another's."""
    return root_name(data) in (*_SUITES, *_OTHER_REPORTS)


def is_durations(document: Mapping[str, object]) -> bool:
    """Whether a JSON object holds numbers by node ids of pytest."""
    return bool(document) and all("::" in key for key in document)


def import_junit(path: Path, *, companions: Sequence[Path] = (), **gaps: Unpack[Gaps]) -> Imported:
    """The report in ``path`` as a problem; ``companions``: durations that replace its times.

    Raises ``InputError`` with the mistakes of the file by line, or by key.
    """
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    data = unpacked(read_bytes(path), origin)
    jobs = _jobs_of_durations(data, origin) if _is_json(data) else _jobs_of_report(data, origin)
    said = ["tests depend on nothing, and may run in any order"]
    for companion in companions:
        durations = _durations(unpacked(read_bytes(companion), str(companion)), str(companion))
        replaced = {name: durations[name] for name in jobs if name in durations}
        jobs |= {name: Job(jobs[name].place, milliseconds=ms) for name, ms in replaced.items()}
        said.append(f"{companion.name} gives the durations of {len(replaced)} of {len(jobs)} tests")
    return problem_of_jobs(origin, path.name.removesuffix(".gz").removesuffix(".xml"), jobs, assumptions=said, **gaps)


def _is_json(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _jobs_of_report(data: bytes, origin: str) -> dict[str, Job]:
    root = parse_xml(data, origin)
    if root.name not in _SUITES:
        whose = _OTHER_REPORTS.get(root.name)
        found = f"the element {root.name}" + (f": a report of {whose}" if whose else "")
        raise InputError(origin, [Mistake(root.place, found, "testsuites or testsuite, of JUnit's XML")])
    cases = list(_cases(root))
    mistakes: list[Mistake] = []
    names = [_name(case, mistakes) for case in cases]
    times = [_milliseconds(case, mistakes) for case in cases]
    if not cases:
        mistakes.append(Mistake(root.place, "no test cases", "at least one"))
    refuse(origin, mistakes)
    return {
        name: Job(case.place, milliseconds=time) for name, case, time in zip(numbered(names), cases, times, strict=True)
    }


def _cases(suite: Element) -> Iterator[Element]:
    """Test cases of a suite and of those inside it, in the order of the file."""
    for child in suite.all("testcase", *_SUITES):
        if child.name == "testcase":
            yield child
        else:
            yield from _cases(child)


def _name(case: Element, mistakes: list[Mistake]) -> str:
    name, group = case.attributes.get("name", ""), case.attributes.get("classname", "")
    if not name:
        mistakes.append(Mistake(f"{case.place}, name", "nothing", "the name of the test"))
    return f"{group}::{name}" if group else name


def _milliseconds(case: Element, mistakes: list[Mistake]) -> Decimal | None:
    """``time``, which is seconds; some writers group thousands by commas."""
    text = case.attributes.get("time")
    if text is None or not text.strip():
        return None
    if not _SECONDS.fullmatch(text.strip()):
        mistakes.append(Mistake(f"{case.place}, time", describe(text), "a number of seconds from 0"))
        return None
    return Decimal(text.strip().replace(",", "")) * 1000


def _jobs_of_durations(data: bytes, origin: str) -> dict[str, Job]:
    return {name: Job(name, milliseconds=ms) for name, ms in _durations(data, origin).items()}


def _durations(data: bytes, origin: str) -> dict[str, Decimal]:
    """Name of each test -> its milliseconds."""
    document = parse_json(data, origin)
    mistakes = []
    found = {}
    for node_id, seconds in document.items():
        if "::" not in node_id.partition("[")[0]:
            mistakes.append(Mistake(join("", node_id), "no '::'", "a node id of pytest: path::test"))
        elif isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds < 0:
            mistakes.append(Mistake(join("", node_id), describe(seconds), "a number of seconds from 0"))
        else:
            found[_class_and_name(node_id)] = Decimal(str(seconds)) * 1000
    refuse(origin, mistakes)
    return found


def _class_and_name(node_id: str) -> str:
    """``a/test_b.py::TestC::test_d[x::y]`` as pytest's report names it: ``a.test_b.TestC::test_d[x::y]``."""
    before, bracket, parameters = node_id.partition("[")
    path, *groups, name = before.split("::")
    module = path.removesuffix(".py").replace("/", ".")
    return "::".join((".".join((module, *groups)), name + bracket + parameters))
