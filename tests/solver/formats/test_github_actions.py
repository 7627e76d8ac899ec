"""Workflows of GitHub Actions: matrices, needs, durations of runs; real workflows where they are present."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.github_actions import import_github_actions

from .files import DATA, Write, writer

REAL = sorted((DATA / "github-actions").glob("*.yml"))

SMALL = """name: CI
on: [push, pull_request]
jobs:
  build:
    runs-on: ubuntu-latest
    steps: [{run: make}]
  tests:
    name: Tests on ${{ matrix.os }}
    needs: build
    runs-on: ${{ matrix.os }}
    strategy:
      max-parallel: 2
      matrix:
        os: [linux, macos]
        python: ["3.10", "3.12"]
        exclude:
          - {os: macos, python: "3.10"}
        include:
          - {os: linux, extra: yes}
          - {os: windows, python: "3.12"}
  docs:
    uses: ./.github/workflows/docs.yml
    if: github.ref == 'refs/heads/main'
  done:
    needs: [tests, docs]
    runs-on: ubuntu-latest
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "ci.yml")


def test_a_matrix_is_one_task_per_combination_and_all_are_needed(write: Write) -> None:
    """3.10 stays text; yes too; the excluded pair is gone; one entry widens, the other adds."""
    imported = import_github_actions(write(SMALL))
    problem = imported.problem
    tests = ("tests (linux, 3.10, yes)", "tests (linux, 3.12, yes)", "tests (macos, 3.12)", "tests (windows, 3.12)")

    assert detect(write(SMALL)) == "github-actions"
    assert problem.name == "CI"
    assert {t.id: t.after for t in problem.tasks} == {
        "build": (),
        "docs": (),
        "done": ("docs", *tests),
        **dict.fromkeys(tests, ("build",)),
    }
    assert problem.capacity_of("max-parallel tests") == 2
    assert all(t.demand("max-parallel tests") == (t.id in tests) for t in problem.tasks)
    assert "conditions (of 1 jobs) are ignored: every job runs" in imported.assumptions


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("{a: [1, 2], b: [x, y]}", ["t (1, x)", "t (1, y)", "t (2, x)", "t (2, y)"]),
        ("{include: [{a: 1}, {a: 2}]}", ["t (1)", "t (2)"]),
        ("{a: [1, 2], include: [{b: z}]}", ["t (1, z)", "t (2, z)"]),
        ("{a: [1, 2], include: [{a: 1, b: z}, {a: 3}]}", ["t (1, z)", "t (2)", "t (3)"]),
        # From GitHub's documentation: added values may be overwritten, original ones may not.
        (
            "{fruit: [apple, pear], animal: [cat], "
            "include: [{color: green}, {color: pink, animal: cat}, {fruit: kiwi}]}",
            ["t (apple, cat, pink)", "t (kiwi)", "t (pear, cat, pink)"],
        ),
        ("{a: [{os: x, v: 1}, {os: y}]}", ["t (x, 1)", "t (y)"]),
        ("{a: [1, 2], exclude: [{a: 1}, {a: 2}]}", ["t"]),
        ("{a: ['${{ fromJson(x) }}', 2]}", ["t (${{ fromJson(x) }})", "t (2)"]),
        ("{a: '${{ fromJson(x) }}'}", ["t"]),
        ("'${{ fromJson(x) }}'", ["t"]),
    ],
)
def test_combinations_are_those_of_github(matrix: str, expected: list[str], write: Write) -> None:
    text = f"on: push\njobs:\n  t:\n    runs-on: x\n    strategy:\n      matrix: {matrix}\n"

    assert sorted(t.id for t in import_github_actions(write(text)).problem.tasks) == expected


def test_the_key_on_may_be_quoted_and_names_may_be_aliases(write: Write) -> None:
    text = "'on': push\njobs:\n  a: &job {runs-on: x}\n  b: *job\n"

    assert len(import_github_actions(write(text)).problem.tasks) == 2


@pytest.mark.parametrize("keys", [("started_at", "completed_at"), ("startedAt", "completedAt")], ids=["api", "gh"])
def test_a_run_gives_durations_by_the_names_that_are_shown(keys: tuple[str, str], write: Write, tmp_path: Path) -> None:
    def job(name: str, start: str, end: str | None) -> dict[str, object]:
        return {"name": name, keys[0]: f"2026-01-31T12:{start}Z", keys[1]: f"2026-01-31T12:{end}Z" if end else None}

    run = tmp_path / "jobs.json"
    jobs = [
        job("build", "00:00", "01:30"),
        job("Tests on linux", "02:00", "02:10.500"),
        job("docs / one", "01:00", "01:10"),
        job("docs / two", "01:05", "01:20"),
        job("done", "05:00", None),
        job("something else", "00:00", "09:00"),
    ]
    run.write_text(json.dumps({"total_count": 6, "jobs": jobs}))

    imported = import_github_actions(write(SMALL), companions=(run,), duration=5)

    assert {t.id: t.duration for t in imported.problem.tasks} == {
        "build": 90_000,
        "tests (linux, 3.10, yes)": 10_500,
        "tests (linux, 3.12, yes)": 10_500,
        "tests (macos, 3.12)": 5,
        "tests (windows, 3.12)": 5,
        "docs": 20_000,
        "done": 5,
    }
    assert "the run gives the durations of 4 of 7 tasks" in imported.assumptions


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("needs: build", "needs: biuld"),
            "line 9, needs: found 'biuld', allowed the key of a job; did you mean 'build'?",
        ),
        (
            ("needs: build", "needs: {a: b}"),
            "line 9, needs: found no text, allowed the key of a job, or a list of them",
        ),
        (("[tests, docs]", "[tests, [docs]]"), "line 25, needs: found no text"),
        (("    needs: build\n", "    needs: done\n"), "the cycle"),
        (("  build:\n", "  build: 3\n  other:\n"), "line 4, build: found no mapping, allowed a job"),
        (
            ("  docs:\n", "  build:\n"),
            "line 21: found the key 'build' again, allowed each key once; it stands at line 4",
        ),
        (("    uses: ./.github/workflows/docs.yml\n", ""), "line 21, docs: found neither runs-on nor uses"),
        (("max-parallel: 2", "max-parallel: 0"), "line 12, max-parallel: found '0', allowed a number from 1"),
        (("os: [linux, macos]", "os: linux"), "line 14, matrix.os: found 'linux', allowed a list of values"),
        (("os: [linux, macos]", "os: []"), "line 14, matrix.os: found an empty list"),
        (('- {os: macos, python: "3.10"}', "- macos"), "line 17, matrix.exclude: found 'macos', allowed a mapping"),
        (("[linux, macos]", f"[{', '.join(map(str, range(200)))}]"), "found 400 combinations, allowed at most 256"),
        (("on: [push, pull_request]\n", ""), "found no key 'on', allowed a workflow of GitHub Actions"),
        (("[push, pull_request]", "[push"), "line 3, column"),
        (("name: CI", "name: CI\x07"), "line 1: found the character"),
        (("name: CI", "name: *none"), "line 1, column 7: found found undefined alias"),
        (("jobs:\n", "jobs: &j\n  x: *j\n"), "endless nesting"),
    ],
)
def test_a_defect_is_told_by_its_line(change: tuple[str, str], message: str, write: Write) -> None:
    assert change[0] in SMALL
    with pytest.raises(InputError, match=re.escape(message)):
        import_github_actions(write(SMALL.replace(*change, 1)))


def test_aliases_of_aliases_do_not_grow_without_end(write: Write) -> None:
    lines = ["on: push", "jobs:", "  a0: &a0 {runs-on: x, env: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}"]
    lines += [f"  a{k}: &a{k} {{runs-on: x, env: [{', '.join([f'*a{k - 1}'] * 10)}]}}" for k in range(1, 12)]

    with pytest.raises(InputError, match="values, aliases repeated"):
        import_github_actions(write("\n".join(lines)))


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("stages: [build]\nbuild:\n  script: make\n", "GitLab CI or Azure Pipelines"),
        ("version: 2.1\njobs:\n  build: {docker: []}\nworkflows: {}\n", "CircleCI"),
        ("trigger: [main]\njobs:\n- job: a\n", "Azure Pipelines"),
        ("services:\n  web: {image: x}\n", "Docker Compose"),
    ],
)
def test_files_of_other_services_are_refused_by_name(text: str, whose: str, write: Write) -> None:
    path = write(text)

    assert detect(path) == "github-actions"
    with pytest.raises(InputError, match=f"a file of {whose}"):
        import_github_actions(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "jobs: found nothing, allowed the jobs of a run, a list; gh run view ID --json jobs"),
        ('{"jobs": [3]}', "jobs[0]: found 3, allowed a job"),
        ('{"jobs": [{"name": "a", "startedAt": "noon"}]}', "jobs[0].startedAt: found 'noon', allowed a time such as"),
        ('{"jobs": [{"name": "a", "started_at": 12}]}', "jobs[0].started_at: found 12"),
    ],
)
def test_a_run_that_is_none_is_told_by_its_path(text: str, message: str, write: Write, tmp_path: Path) -> None:
    run = tmp_path / "jobs.json"
    run.write_text(text)

    with pytest.raises(InputError, match=re.escape(message)):
        import_github_actions(write(SMALL), companions=(run,))


def called(task: str) -> str:
    """The key of a task's job."""
    return task.partition(" (")[0]


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real workflows: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.stem)
def test_a_real_workflow_is_imported_whole(path: Path) -> None:
    """Every job has a task, and what it needs precedes each of its tasks, as PyYAML's own objects say."""
    jobs = yaml.safe_load(path.read_text())["jobs"]

    problem = import_github_actions(path).problem

    assert detect(path) == "github-actions"
    assert {called(t.id) for t in problem.tasks} == jobs.keys()
    for task, before in problem.graph.predecessors.items():
        needs = jobs[called(task)].get("needs", [])
        assert {called(p) for p in before} == set([needs] if isinstance(needs, str) else needs)
    static = {k: j["strategy"]["matrix"] for k, j in jobs.items() if "strategy" in j}
    for key, matrix in static.items():
        if all(isinstance(values, list) for values in matrix.values()) and len(matrix) == 1:
            assert sum(called(t.id) == key for t in problem.tasks) == len(*matrix.values())
