"""``bound`` through the command line: what is said, the document, and the exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .console import catalytic, fresh, write_problem

QUICK = ("--time-limit", "3", "--threads", "1")
KIB = 1024
SPECIFICATION = Path(__file__).resolve().parents[2] / "instances" / "specification"


def test_bound_says_peak_factor_workspace_evidence_and_policies(tmp_path: Path) -> None:
    """Three of the four buffers of 64 KiB live while b runs, in every order: 196608 bytes, 1 - 3/4."""
    said = catalytic("bound", write_problem(tmp_path), *QUICK)

    text = " ".join(said.out.split())
    assert said.code == 0
    assert said.out.startswith("diamond: least peak 197kB, PROVED (CERTIFICATE)")
    assert "inputs external, outputs export" in text
    assert "reuse factor at most 0.2500" in text
    assert "in 1 partition none below 197kB (196608 bytes) can work; a sequential plan was placed in exactly" in text
    # Three buffers in two partitions: two must share one, so both need 128 KiB.
    assert "in 2 partitions none below 262kB (262144 bytes) can work (the buffers of task" in text
    assert "without recomputation or spilling" in text
    assert not list(tmp_path.glob("catalytic-execution.json"))


def test_bound_with_json_prints_one_versioned_document(tmp_path: Path) -> None:
    document = catalytic("bound", write_problem(tmp_path), *QUICK, "--json").document

    assert document["format"] == "catalytic-bound/1"
    assert (document["peak"], document["lower"], document["proved"]) == (192 * KIB, 192 * KIB, True)
    assert (document["inputs"], document["outputs"]) == ("external", "export")
    assert document["largest_reuse_factor"] == 0.25
    assert document["bounds"][0]["evidence"] == "CERTIFICATE"
    forced = document["forced"]
    assert sum(g["size"] for g in forced["groups"]) - forced["shared"] == forced["bytes"] == 192 * KIB
    assert [(w["partitions"], w["least"], w["placed"]) for w in document["workspaces"]] == [
        (2, 256 * KIB, 256 * KIB),
        (1, 192 * KIB, 192 * KIB),
    ]


def test_the_placed_workspace_is_one_in_which_plan_works_and_below_the_least_it_is_refused(tmp_path: Path) -> None:
    problem = write_problem(tmp_path)
    (row,) = [w for w in catalytic("bound", problem, *QUICK, "--json").document["workspaces"] if w["partitions"] == 1]
    plan = ("plan", problem, "-o", tmp_path / "plan.json", *QUICK, "--partitions", "1", "--size")

    assert catalytic(*plan, str(row["placed"])).code == 0
    assert catalytic(*plan, str(row["least"] - 1)).code == 3


def test_options_reshape_the_problem(tmp_path: Path) -> None:
    words = ("--outputs", "keep", "--partitions", "1", "--json")

    document = catalytic("bound", write_problem(tmp_path), *QUICK, *words).document

    assert document["outputs"] == "keep"
    assert [w["partitions"] for w in document["workspaces"]] == [1]


def test_a_plan_file_is_bounded_by_its_problem(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    catalytic("plan", write_problem(tmp_path), "-o", plan, *QUICK)

    assert catalytic("bound", plan, *QUICK, "--json").document["peak"] == 192 * KIB


@pytest.mark.parametrize("word", ["bound", "explain"])
def test_a_timeline_is_refused_with_what_to_do(word: str) -> None:
    said = catalytic(word, SPECIFICATION / "pebbling-strategy.json", *QUICK)

    assert said.code == 2
    assert "`catalytic plan`" in said.err


@pytest.mark.parametrize("word", ["bound", "explain"])
@pytest.mark.parametrize("words", [("--time-limit", "nan"), ("--threads", "0"), ("--seed", "-1"), ("--inputs", "all")])
def test_a_value_out_of_range_is_refused(word: str, words: tuple[str, ...], tmp_path: Path) -> None:
    said = catalytic(word, write_problem(tmp_path), *words)

    assert said.code == 2
    assert said.err.strip()


@pytest.mark.parametrize("word", ["bound", "explain"])
def test_a_malformed_file_is_one_clear_message(word: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text("{")

    said = catalytic(word, path, "--json")

    assert said.code == 2
    assert said.document["format"] == "catalytic-error/1"
    assert "Traceback" not in said.err


@pytest.mark.parametrize("word", ["bound", "explain"])
@pytest.mark.parametrize(("cause", "code"), [(KeyboardInterrupt(), 130), (None, None)], ids=["an-interrupt", "a-bug"])
def test_an_interrupt_inside_a_compiled_loop_exits_with_130(
    word: str, cause: BaseException | None, code: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalytic.app import bound, explain

    def struck(*_: object, **__: object) -> None:
        raise SystemError("returned a result with an exception set") from cause

    for use_case in (bound, explain):
        monkeypatch.setattr(use_case, "search_order", struck)

    if code is not None:
        assert catalytic(word, write_problem(tmp_path)).code == code
    else:
        with pytest.raises(SystemError):
            catalytic(word, write_problem(tmp_path))


@pytest.mark.parametrize("word", ["bound", "explain"])
def test_help_has_examples_and_exit_codes(word: str) -> None:
    said = " ".join(catalytic(word, "--help").out.split())

    assert f"catalytic {word} survey.json" in said
    assert "Exit codes: 0 ok" in said


@pytest.mark.parametrize("word", ["bound", "explain"])
def test_help_loads_no_engine(word: str) -> None:
    code = (
        "import sys\nfrom catalytic.cli.main import exit_code_of, program\n"
        "assert exit_code_of(program, sys.argv[1:], 'catalytic') == 0\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, word, "--help"], capture_output=True, text=True, check=True)

    assert not {"ortools", "numba", "networkx"} & set(done.stdout.split("MODULES", 1)[1].split())


def test_nothing_is_wider_than_eighty_columns(tmp_path: Path) -> None:
    said = fresh("bound", write_problem(tmp_path), *QUICK, cwd=tmp_path, env={"COLUMNS": "80"})

    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80
