"""The README tells the truth: its example is a problem, its commands end as it says, its tables are complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from catalytic.cli import main as cli
from catalytic.cli import task_master
from catalytic.cli.exit_codes import EXIT_CODES
from catalytic.solver.formats import parse_problem

from .cli.console import catalytic

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line.removeprefix("$ ")
    for kind, block in BLOCKS
    if kind == "console"
    for line in block.splitlines()
    if line.startswith("$ catalytic")
]


def expected_code(command: str) -> int:
    """The exit code that a comment behind the command states; 0 without one."""
    stated = re.search(r"# exit (\d+)", command)
    return int(stated.group(1)) if stated else 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_ends_as_it_says(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = (block for kind, block in BLOCKS if kind == "json")
    Path("survey.json").write_text(example, encoding="utf-8")
    (table,) = (block for kind, block in BLOCKS if kind == "csv")
    Path("buffers.csv").write_text(table, encoding="utf-8")
    if "catalytic-execution.json" in command or "survey-workspace" in command:
        assert catalytic("run", "survey.json", "--time-limit", "5").code == 0

    said = catalytic(*shlex.split(command, comments=True)[1:])

    assert said.code == expected_code(command), said.err


def test_the_headline_of_the_readme_is_what_the_example_gives(tmp_path: Path) -> None:
    """Footprint and allocated bytes follow from the sizes: three raw rasters one after the other, three clean ones."""
    (example,) = (block for kind, block in BLOCKS if kind == "json")
    problem = tmp_path / "survey.json"
    problem.write_text(example, encoding="utf-8")

    document = catalytic("plan", problem, "-o", tmp_path / "plan.json", "--time-limit", "10", "--json").document

    assert f"reuse factor {int(document['summary']['reuse_factor'] * 10_000) / 10_000:.4f}" in README
    assert document["summary"]["footprint"] == pytest.approx(18e6, rel=1e-3)


def test_the_placement_of_the_readme_is_what_its_table_gives(tmp_path: Path) -> None:
    """`image` and `conv1` are alive together, and no two others are larger."""
    (table,) = (block for kind, block in BLOCKS if kind == "csv")
    (tmp_path / "buffers.csv").write_text(table, encoding="utf-8")

    document = catalytic("place", tmp_path / "buffers.csv", "--time-limit", "20", "--json").document

    assert document["height"] == document["bound"] == 602112 + 401408
    assert f"height 1MB ({document['height']} bytes)" in README


def test_the_readme_lists_every_command_and_exit_code() -> None:
    for word in cli.COMMANDS:
        assert f"`catalytic {word}" in README, word
    for word in task_master.program.commands:
        assert word in README
    for code in EXIT_CODES:
        assert re.search(rf"^\|.*\b{code}\b", README, flags=re.MULTILINE), code


def test_the_program_of_the_readme_plans_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    """The same tasks and buffers as in the problem file, hence the same footprint."""
    pytest.importorskip("pandas")
    (program,) = (block for kind, block in BLOCKS if kind == "python" and "ProblemBuilder" in block)
    names: dict[str, object] = {}

    exec(program, names)

    (example,) = (block for kind, block in BLOCKS if kind == "json")
    built = names["b"].problem()  # type: ignore[attr-defined]
    assert built == parse_problem(example.encode(), "survey.json")
    assert "OPTIMAL" in capsys.readouterr().out
