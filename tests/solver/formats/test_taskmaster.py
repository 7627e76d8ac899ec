"""Task Master's tasks.json: every layout, subtasks, complexities, look-alikes; real files where they are present."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect
from catalytic.solver.formats.taskmaster import import_taskmaster

from .files import DATA, Write, writer

REAL = sorted((DATA / "taskmaster").glob("*.tasks.json"))
OURS = [p for p in REAL if "huckleberry" not in p.name]

TASKS: list[dict[str, Any]] = [
    {"id": 1, "title": "Design", "status": "done", "dependencies": []},
    {
        "id": "2",
        "title": "Build",
        "dependencies": ["1"],
        "complexity": 6,
        "subtasks": [
            {"id": 1, "title": "core", "dependencies": []},
            {"id": 2, "title": "shell", "dependencies": [1]},
            {"id": 3, "title": "docs", "dependencies": ["2.1", 3, 2], "parentTaskId": 2},
        ],
    },
    {"id": 3, "title": "Survey", "dependencies": [], "subtasks": []},
    {"id": 4, "title": "Ship", "dependencies": [2, "3", 2]},
]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path, "tasks.json")


def flat(**changes: Any) -> str:
    return json.dumps({"tasks": TASKS, "metadata": {}, **changes})


def test_subtasks_wait_for_what_their_parent_waits_for_and_the_parent_for_them(write: Write) -> None:
    """A number is the subtask beside it, 2.2, and not task 2; but 3 in 2.3 cannot be itself, so it is task 3."""
    imported = import_taskmaster(write(flat()))

    assert {t.id: t.after for t in imported.problem.tasks} == {
        "1": (),
        "2": ("1", "2.1", "2.2", "2.3"),
        "2.1": ("1",),
        "2.2": ("1", "2.1"),
        "2.3": ("1", "2.1", "2.2", "3"),
        "3": (),
        "4": ("2", "3"),
    }
    assert "tasks with subtasks (1) are the moment at which all of those are done" in imported.assumptions


def test_points_last_seconds_and_are_shared_by_subtasks(write: Write, tmp_path: Path) -> None:
    tasks = json.loads(flat())["tasks"]
    report = tmp_path / "report.json"
    analysis = [{"taskId": 1, "complexityScore": 4}, {"taskId": "4", "complexityScore": 2.5}, {"taskId": 99}]
    report.write_text(json.dumps({"meta": {}, "complexityAnalysis": analysis}))
    path = write(json.dumps({"tasks": tasks}))

    imported = import_taskmaster(path, companions=(report,), duration=7)

    assert {t.id: t.duration for t in imported.problem.tasks} == {
        "1": 4000,
        "2": 1,
        "2.1": 2000,
        "2.2": 2000,
        "2.3": 2000,
        "3": 7,
        "4": 2500,
    }
    assert "report.json gives the complexity of 2 tasks; 1 others are of no task here" in imported.assumptions


def test_the_layouts_say_the_same(write: Write) -> None:
    tasks = json.loads(flat())["tasks"]
    layouts: list[dict[str, Any]] = [
        {"tasks": tasks},
        {"tasks": tasks, "metadata": {"projectName": "x"}},
        {"master": {"tasks": tasks, "metadata": {}}},
        {"feature": {"tasks": tasks}},
        {"tasks": {"tasks": tasks}},
        {"other": {"tasks": tasks[:1]}, "master": {"tasks": tasks}},
        {"tasks": tasks, "other": {"tasks": tasks[:1]}},
    ]

    problems = [import_taskmaster(write(json.dumps(layout))).problem for layout in layouts]

    assert all(problem == problems[0] for problem in problems)
    assert {detect(write(json.dumps(layout))) for layout in layouts} == {"task-master"}


def test_a_tag_is_chosen_and_the_others_are_named(write: Write) -> None:
    path = write(json.dumps({"master": {"tasks": TASKS[:1]}, "next": {"tasks": [{"id": 9, "title": "x"}]}}))

    assert [t.id for t in import_taskmaster(path).problem.tasks] == ["1"]
    chosen = import_taskmaster(path, tag="next")
    assert [t.id for t in chosen.problem.tasks] == ["9"]
    assert "the tag 'next' is read, of 2 lists (--tag chooses; also master)" in chosen.assumptions
    with pytest.raises(InputError, match=r"--tag: found 'nxt', allowed master, next; did you mean 'next'\?"):
        import_taskmaster(path, tag="nxt")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((0, "id"), None, "tasks[0].id: found null, allowed a number or a text"),
        ((0, "id"), 3, "tasks[2].id: found '3', allowed each id once; it stands at tasks[0]"),
        ((0,), "Design", "tasks[0]: found 'Design', allowed an object"),
        ((3, "dependencies"), 2, "tasks[3].dependencies: found 2, allowed a list of ids"),
        ((3, "dependencies"), [7], "tasks[3].dependencies[0]: found '7', allowed the id of a task or subtask"),
        (
            (3, "dependencies"),
            ["2.9"],
            "tasks[3].dependencies[0]: found '2.9', allowed the id of a task or subtask",
        ),
        ((3, "dependencies"), [{}], "tasks[3].dependencies[0]: found an object"),
        ((3, "dependencies"), [4], "tasks[3].dependencies[0]: found '4' itself, allowed another task"),
        ((1, "subtasks"), {}, "tasks[1].subtasks: found an object, allowed a list"),
        ((1, "subtasks", 1, "id"), 1, "tasks[1].subtasks[1].id: found '2.1', allowed each id once"),
        ((1, "subtasks", 1, "dependencies"), ["2.2"], "tasks[1].subtasks[1].dependencies[0]: found '2.2' itself"),
        ((1, "complexity"), "high", "tasks[1].complexity: found 'high', allowed a number of points, 1 to 10"),
        ((0, "dependencies"), [4], "the cycle"),
    ],
)
def test_a_defect_is_told_by_its_path(path: tuple[Any, ...], value: object, message: str, write: Write) -> None:
    document = json.loads(flat())
    place = document["tasks"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(InputError, match=re.escape(message)):
        import_taskmaster(write(json.dumps(document)))


@pytest.mark.parametrize(
    ("document", "whose"),
    [
        ({"version": "2.0.0", "tasks": [{"label": "build", "type": "shell", "command": "make"}]}, "VS Code or Zed"),
        ({"tasks": [{"id": "TASK-001", "title": "x", "status": "todo", "completed": False}]}, "VS Code Huckleberry"),
        (
            {"tasks": [{"id": "0e", "implementationGuide": "x", "dependencies": [{"taskId": "1"}]}]},
            "Shrimp Task Manager",
        ),
        ({"name": "job", "tasks": [{"task_key": "a", "depends_on": []}]}, "Databricks"),
        ({"tasks": [{"uuid": "0e", "status": "pending", "urgency": 1}]}, "Taskwarrior"),
    ],
)
def test_look_alikes_are_refused_by_name(document: dict[str, Any], whose: str, write: Write) -> None:
    path = write(json.dumps(document))

    assert detect(path) == "task-master"
    with pytest.raises(InputError, match=f"a tasks.json of {whose}"):
        import_taskmaster(path)


def test_a_report_alone_has_durations_and_no_order(write: Write, tmp_path: Path) -> None:
    analysis = [{"taskId": 1, "complexityScore": 4}, {"taskId": 2, "complexityScore": 2}]
    report = writer(tmp_path, "report.json")(json.dumps({"meta": {}, "complexityAnalysis": analysis}))

    alone = import_taskmaster(report)

    assert detect(report) == "task-master"
    assert {t.id: (t.duration, t.after) for t in alone.problem.tasks} == {"1": (4000, ()), "2": (2000, ())}
    assert any("knows no dependencies" in said for said in alone.assumptions)
    tasks = write(json.dumps({"tasks": TASKS}))
    joined = import_taskmaster(report, companions=(tasks,)).problem
    assert joined.tasks == import_taskmaster(tasks, companions=(report,)).problem.tasks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"tasks": []}', "a second list of tasks"),
        ('{"a": 1}', "no report of complexities"),
        ('{"complexityAnalysis": {}}', "complexityAnalysis: found an object"),
        ('{"complexityAnalysis": [{"complexityScore": 3}]}', r"complexityAnalysis\[0\].taskId: found nothing"),
        ('{"complexityAnalysis": [{"taskId": 1, "complexityScore": "x"}]}', "complexityScore: found 'x'"),
    ],
)
def test_a_report_that_is_none_says_what_is_wrong(text: str, message: str, write: Write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        import_taskmaster(write(json.dumps({"tasks": TASKS[:1]})), companions=(writer(tmp_path, "r.json")(text),))


def test_a_problem_without_its_format_is_still_a_problem(write: Write) -> None:
    path = write('{"tasks": [{"id": "a", "duration": 1, "outputs": ["x"]}], "buffers": []}')

    assert detect(path) == "problem"


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real files: set CATALYTIC_DATA")
@pytest.mark.parametrize("path", OURS, ids=lambda p: p.name.partition(".")[0])
def test_every_list_of_a_real_file_is_imported_whole(path: Path) -> None:
    document = json.loads(path.read_text())
    lists = {None: document["tasks"]} if "tasks" in document else {t: v["tasks"] for t, v in document.items()}
    for tag, tasks in lists.items():
        problem = import_taskmaster(path, tag=tag).problem
        expected = {str(t["id"]) for t in tasks}
        expected |= {f"{t['id']}.{s['id']}" for t in tasks for s in t["subtasks"]}

        assert {t.id for t in problem.tasks} == expected
        before = problem.graph.predecessors
        for t in tasks:
            assert {str(d) for d in t["dependencies"]} <= set(before[str(t["id"])])
            for s in t["subtasks"]:
                name = f"{t['id']}.{s['id']}"
                assert name in before[str(t["id"])]
                assert {str(d) for d in t["dependencies"]} <= set(before[name])
                assert len(set(map(str, s["dependencies"]))) <= len(before[name])
    assert detect(path) == "task-master"


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="no real files: set CATALYTIC_DATA")
def test_real_reports_give_complexities_and_real_look_alikes_are_refused() -> None:
    for name, tag, known in (
        ("5dlabs__toolman.task-complexity-report.json", None, 9),
        ("AcidicSoil__oraclepack.task-complexity-report_bugfix-tui.json", "bugfix-tui", 10),
    ):
        tasks = DATA / "taskmaster" / f"{name.partition('.')[0]}.tasks.json"
        imported = import_taskmaster(tasks, companions=(DATA / "taskmaster" / name,), tag=tag)
        assert f"{name} gives the complexity of {known} tasks" in imported.assumptions
    for path in set(REAL) - set(OURS):
        with pytest.raises(InputError, match="VS Code Huckleberry"):
            import_taskmaster(path)
