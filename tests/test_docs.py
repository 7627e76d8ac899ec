"""The documentation tells the truth: its commands answer what it shows, its programs run, its reference is complete."""

from __future__ import annotations

import doctest
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from catalytic import solver
from catalytic.cli import main as cli
from catalytic.cli import task_master
from catalytic.cli.exit_codes import EXIT_CODES
from catalytic.solver.families import FAMILIES
from catalytic.solver.formats import schemas
from catalytic.solver.units import parse_size
from catalytic.solver.warm_up import warm_up

from .cli.console import catalytic, taskmaster
from .pages import Block, Command, blocks, commands, disagreement, pages

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = pages(DOCS)
NAMES = [str(p.relative_to(DOCS)) for p in PAGES]

NOT_RUN = {"pip", "make", "pre-commit", "git"}
"""Programs that install or change what the tests run in; they stand in ``shell`` blocks, which are not run."""


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Pages show what a command says the second time: the first one also announces that loops are compiled."""
    warm_up(lambda message: None)


KNOWN = {"console", "shell", "text", "json", "yaml", "toml", "python", "csv", "{toctree}", "{note}", ""}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_what_a_page_shows_happens(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are written, commands run and programs executed in the order of the page, in one folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.syspath_prepend(str(tmp_path))
    for block in blocks(page.read_text(encoding="utf-8")):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        assert block.kind in KNOWN, f"{where}: a block of kind {block.kind!r}"
        if block.caption is not None:
            Path(block.caption).parent.mkdir(parents=True, exist_ok=True)
            Path(block.caption).write_text(block.text, encoding="utf-8")
        if block.kind == "console":
            for command in commands(block):
                _run(command, f"{page.relative_to(ROOT)}:{command.line}")
        if block.kind == "shell":
            first = {shlex.split(line)[0] for line in block.text.splitlines() if line and not line.startswith("#")}
            assert first <= NOT_RUN, f"{where}: commands of a shell block are not run: {first - NOT_RUN}"
        _is_what_it_says(block, where)


def _run(command: Command, where: str) -> None:
    """Run one command and compare exit code and answer."""
    words = shlex.split(command.words, comments=True)
    # A program of ours is called in this process, where nothing has to be loaded again; the shell does the rest.
    ours = {"catalytic": catalytic, "task-master": taskmaster}.get(words[0])
    if ours is not None and not re.search(r"[|<>&;*$]", " ".join(words)):
        said = ours(*words[1:])
        code, out, err = said.code, said.out, said.err
    else:
        done = subprocess.run(["bash", "-c", command.words], capture_output=True, text=True, check=False)
        code, out, err = done.returncode, done.stdout, done.stderr
    assert code == command.code, f"{where}: $ {command.words}\nended with {code}\n{out}{err}"
    if command.answer:
        lines = [*out.splitlines(), *err.splitlines()]
        why = disagreement(command.answer, lines)
        assert not why, f"{where}: $ {command.words}\n{why}"


def _is_what_it_says(block: Block, where: str) -> None:
    """Data can be parsed; programs run, and examples with prompts give what they show."""
    if block.kind == "json":
        json.loads(block.text)
    if block.kind == "yaml":
        yaml.safe_load(block.text)
    if block.kind == "toml":
        tomllib.loads(block.text)
    if block.kind == "python" and ">>>" in block.text:
        example = doctest.DocTestParser().get_doctest(block.text, {}, where, where, block.line)
        said: list[str] = []
        failures = doctest.DocTestRunner().run(example, out=said.append).failed
        assert not failures, f"{where}:\n{''.join(said)}"
    elif block.kind == "python" and block.caption is None:
        exec(compile(block.text, where, "exec"), {})


def test_answers_are_compared() -> None:
    """The comparison itself: what must agree, what may differ, and where lines may be left out."""
    said = ["name: OPTIMAL | planned in 1.63s", "one", "two", "three"]

    assert disagreement(["name: OPTIMAL | planned in 9.2s", "one", "two", "three"], said) == ""
    assert disagreement(["...", "two", "..."], said) == ""
    assert disagreement(["name: ... | planned in 0.1s", "...", "three"], said) == ""
    assert disagreement(["name: OPTIMAL | planned in 1s", "..."], said) == ""
    assert "more than expected" in disagreement(["name: OPTIMAL | planned in 1s"], said)
    for wrong in (
        ["two", "..."],
        ["...", "two"],
        ["name: FEASIBLE | planned in 1s", "..."],
        ["...", "two", "one", "..."],
    ):
        assert "expected" in disagreement(wrong, said)


# -- the reference -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated pages."""
    pytest.importorskip("sphinx")
    folder = tmp_path_factory.mktemp("reference")
    spec = importlib.util.spec_from_file_location("reference_pages", DOCS / "reference_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_reference(folder)
    return folder


def test_every_command_and_option_is_in_the_reference(reference: Path) -> None:
    import rich_click as click

    text = (reference / "commands.md").read_text(encoding="utf-8")
    for program, name in ((cli.program, "catalytic"), (task_master.program, "task-master")):
        context = click.Context(program, info_name=name)
        for word in program.list_commands(context):
            command = program.get_command(context, word)
            assert command is not None
            assert f"\n### {name} {word}\n" in text
            section = text.split(f"\n### {name} {word}\n")[1].split("\n### ")[0]
            for parameter in command.params:
                for option in parameter.opts if isinstance(parameter, click.Option) else ():
                    assert option in section, (word, option)
            assert "Exit codes:" in section or name == "task-master", word


def test_every_key_exit_code_export_and_family_is_in_the_reference(reference: Path) -> None:
    files, codes, library, families = (
        (reference / f"{name}.md").read_text(encoding="utf-8")
        for name in ("files", "exit-codes", "library", "families")
    )
    for kind in schemas.KINDS:
        for record in (schemas.schema(kind), *schemas.schema(kind)["$defs"].values()):
            for key in record.get("properties", {}):
                assert f"| `{key}` |" in files
    for code, meaning in EXIT_CODES.items():
        assert f"| {code} | {meaning} |" in codes
    for name in solver.__all__:
        assert re.search(rf"auto\w+:: catalytic\.solver\.{name}\n", library), name
    for name in FAMILIES:
        assert f"\n## {name}\n" in families


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx")
    words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    done = subprocess.run([*words, str(DOCS), str(tmp_path / "html")], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    for page in NAMES:
        assert (tmp_path / "html" / page).with_suffix(".html").is_file()
    assert "ProblemBuilder" in (tmp_path / "html" / "reference" / "generated" / "library.html").read_text(
        encoding="utf-8"
    )


def test_what_editors_are_told_names_what_there_is() -> None:
    """The hook and the action of the page are those of the repository."""
    page = (DOCS / "how-to" / "editors.md").read_text(encoding="utf-8")
    found = [yaml.safe_load(block.text) for block in blocks(page) if block.kind == "yaml"]
    (hooks,) = (f for f in found if "repos" in f)
    (jobs,) = (f for f in found if "jobs" in f)
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

    assert hooks["repos"][0]["hooks"][0]["id"] == hook["id"]
    used = [s for job in jobs["jobs"].values() for s in job["steps"] if "catalytic" in s.get("uses", "")]
    assert used
    assert all(set(s["with"]) <= set(action["inputs"]) for s in used)


def test_sizes_of_the_model_page_mean_what_it_says() -> None:
    page = (DOCS / "explanation" / "model.md").read_text(encoding="utf-8")

    assert "GB = 10^9" in page and "GiB = 2^30" in page
    assert (parse_size("1GB"), parse_size("1GiB")) == (10**9, 2**30)
