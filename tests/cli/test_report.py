"""``report`` through the command line: plans, runs, logs of runs, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from catalytic.solver.formats import dump_plan, load_plan

from .console import catalytic, fresh, write_problem

QUICK = ("--time-limit", "3", "--threads", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plan of the diamond, ``plan.json``, and two runs of it in the workspace ``w``."""
    folder = tmp_path_factory.mktemp("made")
    assert catalytic("plan", write_problem(folder), "-o", folder / "plan.json", *QUICK).code == 0
    for name in ("first", "second"):
        where = ("--workspace", folder / "w", "--output-dir", folder / name, "--processes", "1")
        said = catalytic("run", folder / "plan.json", *where, "--json")
        assert said.code == 0, said.err
        (folder / name).with_suffix(".id").write_text(said.document["report"]["run_id"])
    return folder


class Data(HTMLParser):
    """The data in a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.inside, self.text, self.ids = False, "", set[str]()
        self.feed(path.read_text(encoding="utf-8"))
        self.value: dict[str, Any] = json.loads(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inside = tag == "script" and given.get("id") == "data"
        self.ids.add(given.get("id") or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.text += data


def test_a_page_is_written_and_said_to_be(made: Path, tmp_path: Path) -> None:
    said = catalytic("report", made / "plan.json", "-o", tmp_path / "r.html")

    assert said.code == 0, said.err
    assert said.out.startswith(f"wrote {tmp_path / 'r.html'}: diamond, 4 tasks, 4 buffers (")
    page = Data(tmp_path / "r.html")
    assert sorted(page.value["tasks"]["id"]) == ["a", "b", "c", "d"]
    assert page.value["run"] is None and "run" not in page.ids


def test_json_says_what_was_written(made: Path, tmp_path: Path) -> None:
    document = catalytic("report", made / "plan.json", "-o", tmp_path / "r.svg", "--json").document

    assert document["format"] == "catalytic-report/1"
    assert document["kind"] == "svg"
    assert document["bytes"] == (tmp_path / "r.svg").stat().st_size
    assert (document["tasks"], document["buffers"], document["run_id"]) == (4, 4, None)


@pytest.mark.parametrize("name", ["r.svg", "r.SVG"])
def test_the_ending_of_the_name_chooses_a_picture(name: str, made: Path, tmp_path: Path) -> None:
    assert catalytic("report", made / "plan.json", "-o", tmp_path / name).code == 0

    assert ElementTree.parse(tmp_path / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_png_is_one(made: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL")

    assert catalytic("report", made / "plan.json", "-o", tmp_path / "r.png").code == 0

    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize("name", ["r.pdf", "r", "html"])
def test_another_ending_is_refused_before_anything_is_read(name: str, made: Path, tmp_path: Path) -> None:
    said = catalytic("report", made / "plan.json", "-o", tmp_path / name)

    assert said.code == 2
    assert "a name that ends in .html, .htm, .svg, .png" in said.err
    assert not (tmp_path / name).exists()


def test_the_last_run_of_a_workspace_is_reported(made: Path, tmp_path: Path) -> None:
    said = catalytic("report", made / "w", "-o", tmp_path / "r.html")

    assert said.code == 0, said.err
    assert f"run {(made / 'second.id').read_text()}" in said.out
    page = Data(tmp_path / "r.html")
    run = page.value["run"]
    assert "run" in page.ids
    assert sorted(run["attempts"]["task"]) == [0, 1, 2, 3]
    assert set(run["attempts"]["outcome"]) == {"committed"}
    assert [i[2] for i in run["incidents"]] == ["started", "ended"]
    assert [r[3] for r in run["results"]] == ["end"]


def test_an_earlier_run_is_reported_by_its_log(made: Path, tmp_path: Path) -> None:
    run_id = (made / "first.id").read_text()

    document = catalytic(
        "report", made / "w" / "logs" / f"{run_id}.jsonl", "-o", tmp_path / "r.html", "--json"
    ).document

    assert document["run_id"] == run_id


def test_a_run_of_another_plan_than_the_workspace_holds_needs_its_plan(made: Path, tmp_path: Path) -> None:
    """The first run's plan is gone from the workspace: it is asked for by name, and checked to be the one."""
    workspace = tmp_path / "w"
    shutil.copytree(made / "w", workspace, copy_function=shutil.copy2)
    other = write_problem(tmp_path, name="other")
    where = ("--workspace", workspace, "--output-dir", tmp_path / "out", "--processes", "1", "--discard")
    assert catalytic("run", other, *where, *QUICK).code == 0
    log = workspace / "logs" / f"{(made / 'first.id').read_text()}.jsonl"

    refused = catalytic("report", log, "-o", tmp_path / "r.html")
    wrong = catalytic("report", log, "-o", tmp_path / "r.html", "--plan", workspace / "metadata" / "plan.json")
    right = catalytic("report", log, "-o", tmp_path / "r.html", "--plan", made / "plan.json")

    assert refused.code == wrong.code == 2
    assert "another plan than the one that the run began with" in refused.err and "--plan" in refused.err
    assert right.code == 0, right.err


def test_a_run_that_gc_has_put_away_is_reported_with_its_plan(made: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    shutil.copytree(made / "w", workspace, copy_function=shutil.copy2)
    assert catalytic("gc", workspace, "--kept").code == 0

    refused = catalytic("report", workspace, "-o", tmp_path / "r.html")
    given = catalytic("report", workspace, "-o", tmp_path / "r.html", "--plan", made / "plan.json")

    assert refused.code == 2 and "--plan" in refused.err
    assert given.code == 0, given.err


def test_what_is_no_plan_and_no_run_is_refused_with_the_next_step(made: Path, tmp_path: Path) -> None:
    problem = catalytic("report", made / "diamond.json", "-o", tmp_path / "r.html")
    folder = catalytic("report", tmp_path, "-o", tmp_path / "r.html")
    stray = tmp_path / "abc.jsonl"
    stray.write_text("{}\n")
    log = catalytic("report", stray, "-o", tmp_path / "r.html")
    both = catalytic("report", made / "plan.json", "--plan", made / "plan.json", "-o", tmp_path / "r.html")
    assert catalytic("init", tmp_path / "empty", "--size", "1MB").code == 0
    empty = catalytic("report", tmp_path / "empty", "-o", tmp_path / "r.html")

    assert {problem.code, folder.code, log.code, both.code, empty.code} == {2}
    assert "catalytic plan" in problem.err
    assert "catalytic init" in folder.err
    assert "WORKSPACE/logs/RUN.jsonl" in log.err
    assert "found a plan file" in both.err
    assert "found no run" in empty.err
    assert not (tmp_path / "r.html").exists()


def test_a_folder_that_is_not_there_is_an_error_of_the_disk(made: Path, tmp_path: Path) -> None:
    assert catalytic("report", made / "plan.json", "-o", tmp_path / "nowhere" / "r.html").code == 9


def test_the_same_plan_gives_the_same_page_wherever_it_lies(made: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(made / "plan.json", tmp_path / "elsewhere" / "copy.json")
    catalytic("report", made / "plan.json", "-o", tmp_path / "a.html")
    catalytic("report", tmp_path / "elsewhere" / "copy.json", "-o", tmp_path / "b.html")

    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_neither_solver_is_loaded(made: Path, tmp_path: Path) -> None:
    """A fresh process, for a plan and for a run."""
    for source in (made / "plan.json", made / "w"):
        code = (
            "import sys; from catalytic.cli.main import exit_code_of, program;"
            f"assert exit_code_of(program, ['report', {str(source)!r}, '-o', 'r.html'], 'catalytic') == 0;"
            "print('MODULES', *sys.modules)"
        )
        loaded = modules_of(code, tmp_path)
        assert "catalytic.app.report" in loaded
        assert not {"ortools", "numba", "networkx", "PIL"} & loaded


def modules_of(code: str, cwd: Path) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("MODULES", 1)[1].split())


def test_the_help_names_units_and_the_extra(tmp_path: Path) -> None:
    said = " ".join(fresh("report", "--help", cwd=tmp_path).out.split())

    assert "catalytic[report]" in said and "GB = 10^9" in said and "Exit codes: 0 ok" in said


def test_the_digest_in_the_page_is_that_of_the_canonical_plan(made: Path, tmp_path: Path) -> None:
    catalytic("report", made / "plan.json", "-o", tmp_path / "r.html")

    digest = hashlib.sha256(dump_plan(load_plan(made / "plan.json").plan)).hexdigest()
    assert f"Plan sha256:{digest}" in (tmp_path / "r.html").read_text()
