"""``catalytic check``: plans, problems, and many files at once as hooks and jobs hand them over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect, dump_plan, load_problem, problem_digest
from catalytic.solver.plan import plan_without_reuse

from .console import catalytic, write_problem

INSTANCES = Path(__file__).parents[2] / "instances"


def plan_file(folder: Path, *, damaged: bool = False) -> Path:
    """A valid plan of the diamond, or one whose last task starts before its inputs exist."""
    text = dump_plan(plan_without_reuse(load_problem(write_problem(folder))))
    path = folder / ("bad-plan.json" if damaged else "plan.json")
    document = json.loads(text)
    if damaged:
        document["edges"] = [e for e in document["edges"] if e["to"] != "d"]
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("path", sorted((INSTANCES / "didactic").glob("*.json")), ids=lambda p: p.stem)
def test_a_good_problem_is_told_in_figures(path: Path) -> None:
    problem = load_problem(path)
    said, document = catalytic("check", path), catalytic("check", path, "--json").document

    assert said.code == 0
    assert said.out.startswith(f"valid: {problem.name}: {len(problem.tasks)} tasks, {len(problem.buffers)} buffers")
    assert document["format"] == "catalytic-check-problem/1"
    assert (document["allocated"], document["problem_digest"]) == (problem.graph.allocated, problem_digest(problem))


@pytest.mark.parametrize("path", sorted((INSTANCES / "broken").glob("*.json")), ids=lambda p: p.stem)
def test_every_mistake_of_a_problem_is_told(path: Path) -> None:
    """In the words of its reader, where the file says that it is a problem."""
    said = catalytic("check", path)

    assert said.code == 2
    if kind_of(path) == "problem":
        mistakes = path.with_suffix(".expected").read_text().partition(": ")[2]
        assert mistakes.strip() in said.err


def kind_of(path: Path) -> str | None:
    """What the file says it is; None when it cannot even be read so far."""
    try:
        return detect(path)
    except InputError:
        return None


def test_what_a_foreign_file_leaves_open_is_said() -> None:
    said = catalytic("check", INSTANCES / "specification" / "pebbling-strategy.json")

    assert said.code == 0
    assert "assumed: the timeline fixes every lifetime" in said.out


def test_each_file_is_judged_alone_and_the_worst_decides(tmp_path: Path) -> None:
    good, plan, bad_plan = write_problem(tmp_path), plan_file(tmp_path), plan_file(tmp_path, damaged=True)
    cycle = INSTANCES / "broken" / "cycle.json"

    assert catalytic("check", "--each", good, plan).code == 0
    assert catalytic("check", "--each", good, cycle).code == 2
    said = catalytic("check", "--each", good, bad_plan, cycle, plan)

    assert said.code == 5
    assert said.out.splitlines()[0] == "4 files: 2 valid, 2 not"
    assert f"{good}: valid: diamond" in said.out
    assert f"{plan}: valid: diamond" in said.out
    assert f"{bad_plan}: the plan violates" in said.err
    assert f"{cycle}: tasks: found the cycle make -> use -> make" in said.err


def test_files_of_others_are_passed_over_on_request(tmp_path: Path) -> None:
    good = write_problem(tmp_path)
    other, list_, text = (tmp_path / name for name in ("package.json", "list.json", "torn.json"))
    other.write_text('{"name": "someone", "version": "1.0"}')
    list_.write_text("[1, 2]")
    text.write_text('{"not even')

    said = catalytic("check", "--each", "--skip-others", good, other, list_, text)
    assert said.code == 0
    assert said.out.splitlines()[0] == "4 files: 1 valid, 0 not, 3 of other kinds"
    assert catalytic("check", "--each", good, other).code == 2


def test_a_damaged_file_of_ours_is_not_passed_over(tmp_path: Path) -> None:
    torn = tmp_path / "torn.json"
    torn.write_bytes(write_problem(tmp_path).read_bytes()[:-30])

    said = catalytic("check", "--each", "--skip-others", torn)
    assert said.code == 2
    assert "the file seems to be truncated" in said.err


def test_one_document_holds_every_answer(tmp_path: Path) -> None:
    good, bad_plan = write_problem(tmp_path), plan_file(tmp_path, damaged=True)
    other = tmp_path / "package.json"
    other.write_text("{}")
    cycle = INSTANCES / "broken" / "cycle.json"

    said = catalytic("check", "--each", "--skip-others", "--json", good, bad_plan, cycle, other)
    files = said.document["files"]

    assert said.code == 5
    assert [f["valid"] for f in files] == [True, False, False, None]
    assert files[1]["violations"]
    assert files[2]["mistakes"][0]["path"] == "tasks"
    assert [Path(f["file"]) for f in files] == [good, bad_plan, cycle, other]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("diamond.json diamond.json", "diamond.json is no plan; allowed a plan and its problem"),
        ("diamond.json diamond.json diamond.json", "found 3 files, allowed a plan and its problem"),
        ("--skip-others diamond.json", "--skip-others needs --each"),
        ("", "Missing argument"),
        ("nothing.json", "does not exist"),
    ],
)
def test_wrong_words_are_told(words: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_problem(tmp_path)

    said = catalytic("check", *words.split())
    assert said.code == 2
    assert message in said.err
