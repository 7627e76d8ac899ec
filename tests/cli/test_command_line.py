"""The words of the command line: help, misspellings, one message per expected error, one document per --json."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from catalytic.cli.exit_codes import EXIT_CODES
from catalytic.cli.main import COMMANDS
from catalytic.solver import errors
from catalytic.solver.errors import CatalyticError

from .console import catalytic, fresh, taskmaster, write_problem

COMMAND_WORDS = tuple(COMMANDS)


def test_help_lists_every_command_and_every_exit_code() -> None:
    said = catalytic("--help")

    assert said.code == 0
    for word in COMMAND_WORDS:
        assert re.search(rf"\b{word}\b", said.out)
    for code in EXIT_CODES:
        assert f"{code} " in said.out


@pytest.mark.parametrize("word", COMMAND_WORDS)
def test_every_command_has_help_with_exit_codes(word: str) -> None:
    said = catalytic(word, "--help")

    assert said.code == 0
    assert said.err == ""
    assert "Exit codes: 0 ok" in said.out


@pytest.mark.parametrize("word", ["catalytic-init", "catalytic-plan", "catalytic-run"])
def test_every_task_master_command_has_help_with_exit_codes(word: str) -> None:
    said = taskmaster(word, "--help")

    assert said.code == 0
    assert "Exit codes: 0 ok" in said.out


@pytest.mark.parametrize("word", ["plan", "run", "init"])
def test_help_states_units_and_defaults(word: str) -> None:
    said = " ".join(catalytic(word, "--help").out.split())

    assert "GB" in said
    assert "[default:" in said


def families() -> list[type[CatalyticError]]:
    """Every class of the tree, leaves included."""
    return [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, CatalyticError)]


@pytest.mark.parametrize("error", families(), ids=lambda e: e.__name__)
def test_every_error_has_a_documented_exit_code(error: type[CatalyticError]) -> None:
    assert error.exit_code in EXIT_CODES


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    said = catalytic("plna")

    assert said.code == 2
    assert said.out == ""
    assert "'plan'" in said.err
    assert "Traceback" not in said.err


def test_a_misspelt_option_is_answered_with_the_nearest(tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), "--tim-limit", "5")

    assert said.code == 2
    assert "--time-limit" in said.err


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    said = catalytic("plan", "nowhere.json")

    assert said.code == 2
    assert "nowhere.json" in said.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--size", "-1"),
        ("--size", "10 parsecs"),
        ("--reuse-factor", "1"),
        ("--reuse-factor", "nan"),
        ("--reuse-factor", "-0.1"),
        ("--time-limit", "nan"),
        ("--time-limit", "-3"),
        ("--time-limit", "inf"),
        ("--partitions", "0"),
        ("--workers", "0"),
        ("--isolation", "none"),
        ("--seed", "-1"),
        ("--what-if", "sise=5GB"),
        ("--what-if", "size=5GB,many"),
        ("--what-if", "workers=0"),
        ("--what-if", "reuse-factor=2"),
    ],
)
def test_a_value_out_of_range_is_refused_with_what_is_allowed(option: str, value: str, tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), option, value)

    assert said.code == 2
    assert "Traceback" not in said.err
    assert said.err.strip()


MALFORMED = {
    "empty": b"",
    "not-json": b"{",
    "not-text": b"\xff\xfe\x00",
    "a-list": b"[]",
    "another-format": b'{"format": "catalytic-problem/9"}',
    "missing-keys": b'{"format": "catalytic-problem/1", "tasks": [{}]}',
    "a-cycle": json.dumps(
        {
            "format": "catalytic-problem/1",
            "tasks": [{"id": "a", "duration": 1, "after": ["b"]}, {"id": "b", "duration": 1, "after": ["a"]}],
        }
    ).encode(),
}


@pytest.mark.parametrize("word", ["plan", "show", "check", "run", "import"])
@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_file_is_one_clear_message(word: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)

    said = catalytic(word, path)

    assert said.code == 2
    assert said.out == ""
    assert "bad.json" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("words", [("show",), ("compare", "--")])
def test_a_problem_where_a_plan_belongs_is_answered_with_the_next_step(words: tuple[str, ...], tmp_path: Path) -> None:
    problem = write_problem(tmp_path)

    said = catalytic(*words, *[problem] * len(words))

    assert said.code == 2
    assert "`catalytic plan` makes a plan of a problem" in said.err


def test_what_to_vary_is_answered_with_its_form(tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), "--what-if", "sise")

    assert said.code == 2
    assert "found 'sise', allowed NAME=VALUE,VALUE... where NAME is one of size, " in said.err


def test_an_error_with_json_is_one_document_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(MALFORMED["a-cycle"])

    document = catalytic("plan", path, "--json").document

    assert document["format"] == "catalytic-error/1"
    assert document["exit_code"] == 2
    assert "a -> b -> a" in document["mistakes"][0]["found"]


def test_a_usage_error_with_json_is_one_document_too() -> None:
    assert catalytic("plan", "nowhere.json", "--json").document["exit_code"] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    said = catalytic("completion", shell)

    assert said.code == 0
    assert "_CATALYTIC_COMPLETE" in said.out


def test_completion_offers_commands(tmp_path: Path) -> None:
    """What the script asks for at a tab: the words that may follow ``catalytic re``."""
    env = {"_CATALYTIC_COMPLETE": "bash_complete", "COMP_WORDS": "catalytic re", "COMP_CWORD": "1"}

    said = fresh(cwd=tmp_path, env=env)

    assert "resume" in said.out
    assert "plan" not in said.out


def test_no_color_is_honoured_and_nothing_is_coloured_without_a_terminal(tmp_path: Path) -> None:
    said = fresh("--help", cwd=tmp_path, env={"NO_COLOR": "1", "FORCE_COLOR": ""})

    assert "\x1b[3" not in said.out


def test_a_reader_that_goes_away_is_not_an_error(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "from catalytic.cli.main import main; main()"
    piped = f"{sys.executable} -c '{code}' --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", piped], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "Traceback" not in done.stderr
