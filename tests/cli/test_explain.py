"""``explain`` through the command line: verdicts, exit codes, remedies that work, the document."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .console import catalytic, fresh, write_problem

QUICK = ("--time-limit", "3", "--threads", "1")
KIB = 1024


def commands(out: str) -> list[list[str]]:
    """The command lines at the end, as words behind ``catalytic``."""
    lines = [line.strip() for line in out.splitlines() if line.startswith("  catalytic ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_out_of_reach_exits_with_3_and_its_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = catalytic("explain", write_problem(tmp_path), "--reuse-factor", "0.3", *QUICK)

    text = " ".join(said.out.split())
    assert said.code == 3
    assert said.out.startswith("diamond: reuse factor 0.3 is IMPOSSIBLE")
    assert "every order needs 197kB (196608 bytes)" in text
    assert "these buffers are alive in every plan" in text
    assert commands(said.out)
    for words in commands(said.out):
        assert catalytic(*words).code == 0, words


def test_in_reach_exits_with_0_shows_the_order_and_says_what_it_is_not(tmp_path: Path) -> None:
    said = catalytic("explain", write_problem(tmp_path), "--reuse-factor", "0.25", "--order", *QUICK)

    text = " ".join(said.out.split())
    assert said.code == 0
    assert said.out.startswith("diamond: reuse factor 0.25 is POSSIBLE")
    assert "█" in said.out
    assert "run one at a time, counted in live bytes" in text
    assert "`catalytic plan` looks for" in text
    rows = said.out.split("the order\n")[1].splitlines()[1:5]
    assert [row.split()[0] for row in rows] in (["a", "b", "c", "d"], ["a", "c", "b", "d"])
    assert [row.split()[-1] for row in rows] == ["65.5kB", "131kB", "197kB", "197kB"]


def test_neither_exits_with_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalytic.app import explain as use_case
    from catalytic.solver.order.portfolio import LeastPeak
    from catalytic.solver.plan import Bound, Evidence, Outcome, Status

    weak = Bound("peak_live", 64 * KIB, "working_set", Evidence.CERTIFICATE)
    found = LeastPeak(("a", "b", "c", "d"), 192 * KIB, (weak,), None, "c", 1.0)
    monkeypatch.setattr(use_case, "search_order", lambda *_, **__: found)
    monkeypatch.setattr(use_case, "search_plan", lambda *_: Outcome(Status.UNKNOWN, None, (), False, "time ran out"))

    said = catalytic("explain", write_problem(tmp_path), "--reuse-factor", "0.3", *QUICK)

    assert said.code == 4
    assert said.out.startswith("diamond: reuse factor 0.3 is UNDECIDED")
    assert "196608 bytes" in said.out
    assert "65536 bytes" in said.out


def test_explain_with_json_prints_one_versioned_document_with_the_order(tmp_path: Path) -> None:
    document = catalytic("explain", write_problem(tmp_path), "--reuse-factor", "0.25", *QUICK, "--json").document

    assert document["format"] == "catalytic-explain/1"
    assert (document["verdict"], document["target"], document["allowed"]) == ("POSSIBLE", 0.25, 192 * KIB)
    assert [step["live"] // KIB for step in document["order"]] == [64, 128, 192, 192]
    assert document["peak_at"]["bytes"] == document["peak"] == 192 * KIB
    assert document["commands"]


def test_the_document_of_an_impossibility_is_on_stdout_with_exit_3(tmp_path: Path) -> None:
    said = catalytic("explain", write_problem(tmp_path), "--reuse-factor", "0.5", *QUICK, "--json")

    assert said.code == 3
    assert said.document["verdict"] == "IMPOSSIBLE"
    assert said.document["forced"]["bytes"] == 192 * KIB


def test_without_a_factor_the_workspace_is_the_question(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    words = ("--partitions", "1", *QUICK, "--size")

    assert catalytic("explain", problem, *words, "192KiB").code == 0
    assert catalytic("explain", problem, *words, "188KiB").code == 3


@pytest.mark.parametrize("value", ["1", "-0.1", "nan", "half"])
def test_a_factor_out_of_range_is_refused(value: str, tmp_path: Path) -> None:
    assert catalytic("explain", write_problem(tmp_path), "--reuse-factor", value).code == 2


@pytest.mark.parametrize("target", ["0.2", "0.9"])
def test_nothing_but_commands_is_wider_than_eighty_columns(target: str, tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    said = fresh("explain", problem, "--reuse-factor", target, "--order", *QUICK, cwd=tmp_path, env={"COLUMNS": "80"})

    lines = [line for line in said.out.splitlines() if not line.startswith("  catalytic ")]
    assert max(map(len, lines)) <= 80


def test_names_from_a_file_cannot_control_the_terminal(tmp_path: Path) -> None:
    said = catalytic("explain", write_problem(tmp_path, name="\x1b]0;title\x07"), *QUICK)

    assert said.code == 0
    assert "\x1b" not in said.out + said.err
