"""``batch`` and ``compare`` through the command line, with real searches in real processes.

Every batch starts a process that loads the planner, so these tests share what they can.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from catalytic.app.study.cell import Limits, cells
from catalytic.app.study.configuration import load_configurations
from catalytic.app.study.instances import find_instances
from catalytic.app.study.ledger import ROWS, opened, read_rows
from catalytic.solver.formats import load_plan
from catalytic.solver.warm_up import warm_up

from .console import DIAMOND, Said, catalytic, fresh

ROOT = Path(__file__).resolve().parents[2]
BROKEN = ROOT / "instances" / "broken"
EXACT = "deterministic = true\nthreads = 1\ntime-limit = 0.5\n"
"""Counted work: every run of such a cell gives the same plan."""


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Loops are compiled before the first batch: what is timed here is not compilation."""
    warm_up(lambda message: None)


def write(folder: Path) -> Path:
    """Two problems, and two configurations whose answers do not depend on time."""
    problems = folder / "problems"
    problems.mkdir()
    for name, size in (("small", "64KiB"), ("large", "128KiB")):
        buffers = [{"id": b["id"], "size": size} for b in DIAMOND["buffers"]]
        (problems / f"{name}.json").write_text(json.dumps({**DIAMOND, "name": name, "buffers": buffers}))
    (folder / "two.toml").write_text(EXACT)
    (folder / "one.toml").write_text(EXACT + "partitions = 1\nworkers = 1\n")
    return folder


def words(folder: Path, *more: str | Path, seeds: int = 2) -> list[str | Path]:
    configurations = [folder / "two.toml", folder / "one.toml"]
    options = [word for path in configurations for word in ("--config", path)]
    study = ("--seeds", str(seeds), "--grace", "600", "--out", folder / "study")  # a busy machine is no reason to kill
    return ["batch", folder / "problems", *options, *study, *more]


def table(folder: Path) -> dict[tuple[str, str, int], tuple[Any, ...]]:
    """What a study found, without what differs from run to run."""
    rows, superseded = read_rows(folder)
    assert superseded == 0
    return {r.place: (r.cell, r.ended, r.status, r.value, r.bound, r.gap, r.plan, r.bounds, r.plan_file) for r in rows}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A finished study of 2 problems x 2 configurations x 2 seeds."""
    folder = write(tmp_path_factory.mktemp("study"))
    return folder, catalytic(*words(folder, "--jobs", "2", "--json"))


def test_a_batch_makes_every_cell_and_says_so(study: tuple[Path, Said]) -> None:
    folder, said = study

    assert said.code == 0, said.err
    assert said.document["format"] == "catalytic-batch/1"
    assert (said.document["cells"], said.document["made"]) == (8, 8)
    assert said.document["ended"] == {"answered": 8}
    assert "8 of 8 cells" in said.err
    rows, _ = read_rows(folder / "study")
    assert {row.place for row in rows} == {
        (p, c, s) for p in ("large.json", "small.json") for c in ("one", "two") for s in (0, 1)
    }


def test_a_row_has_what_is_needed_to_ask_again(study: tuple[Path, Said], tmp_path: Path) -> None:
    """The command line of a row, run by itself, gives the same plan."""
    folder, _ = study
    row = next(r for r in read_rows(folder / "study")[0] if r.place == ("small.json", "one", 1))

    assert {"catalytic", "python", "ortools", "numba"} <= set(row.versions)
    assert row.versions["catalytic"] == "0.1.0"
    assert {"cpu", "cores", "memory"} <= set(row.machine)
    assert (row.limits.time_s, row.limits.grace_s, row.limits.memory) == (0.5, 600.0, None)
    assert row.cpu_s > 0
    assert row.peak_memory > 2**24
    assert row.folder == str(Path.cwd())
    command = [*row.command[1:-1], str(tmp_path / "again.json")]
    assert catalytic(*command).code == 0
    again = load_plan(tmp_path / "again.json").plan
    kept = load_plan(folder / "study" / "plans" / str(row.plan_file)).plan
    assert again.regions == kept.regions
    assert again.tasks == kept.tasks
    assert (kept.measures.footprint, kept.measures.makespan) == (row.value, row.plan.makespan if row.plan else None)


def test_finished_cells_are_not_made_again(study: tuple[Path, Said]) -> None:
    folder, _ = study
    before = (folder / "study" / ROWS).read_bytes()

    said = catalytic(*words(folder, "--json"))

    assert (said.code, said.document["made"], said.document["cells"]) == (0, 0, 8)
    assert "8 of 8 cells have their rows already" in said.err
    assert (folder / "study" / ROWS).read_bytes() == before


def test_compare_shows_a_study_in_every_form(study: tuple[Path, Said], tmp_path: Path) -> None:
    folder, _ = study
    text = catalytic("compare", folder / "study", "--baseline", "one")
    document = catalytic("compare", folder / "study", "--json").document
    page = tmp_path / "page.html"

    assert text.code == 0
    assert "2 problems x 2 configurations x 2 seeds, 8 cells; baseline one" in text.out
    assert "large.json" in text.out
    assert document["format"] == "catalytic-study/1"
    assert document["baseline"] == "two"
    assert {t["configuration"]: t["solved"] for t in document["totals"]} == {"one": 4, "two": 4}
    assert catalytic("compare", folder / "study", "--csv").out.startswith("problem,configuration,")
    assert catalytic("compare", folder / "study", "--markdown", "--html", page).out.startswith("# ")
    assert page.read_text().startswith("<!doctype html>")


def test_a_value_below_a_bound_is_told_loudly(study: tuple[Path, Said], tmp_path: Path) -> None:
    """The rows of a real study, with the bytes of one plan halved."""
    folder, _ = study
    rows = (folder / "study" / ROWS).read_text().splitlines(keepends=True)
    document = json.loads(rows[0])
    document["plan"]["footprint"] = document["value"] = document["value"] // 2
    (tmp_path / ROWS).write_text("".join([json.dumps(document) + "\n", *rows[1:]]))

    said = catalytic("compare", tmp_path)

    assert said.code == 5
    assert "CONTRADICTION" in said.err
    assert "CONTRADICTION" in said.out
    assert catalytic("compare", tmp_path, "--csv").code == 5


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--baseline", "three"), "one of two, one"),
        (("--fail-if", "makespan+1"), "--fail-if cannot be given: this is a study"),
        (("--csv", "--json"), "exclude each other"),
    ],
)
def test_what_does_not_go_with_a_study_is_refused(
    study: tuple[Path, Said], options: tuple[str, ...], says: str
) -> None:
    said = catalytic("compare", study[0] / "study", *options)

    assert said.code == 2
    assert says in said.err


def test_plans_are_compared_and_gates_decide(study: tuple[Path, Said]) -> None:
    """With one worker the diamond takes four durations instead of three."""
    plans = {r.configuration: study[0] / "study" / "plans" / str(r.plan_file) for r in read_rows(study[0] / "study")[0]}
    said = catalytic("compare", plans["two"], plans["one"], "--fail-if", "makespan+5%", "--fail-if", "footprint+1kB")
    back = catalytic("compare", plans["one"], plans["two"], "--fail-if", "makespan+0", "--json")

    assert said.code == 8
    assert "gate FAILED  makespan+5%: makespan 0.03s -> 0.04s" in said.err
    assert "footprint+1kB" not in said.err
    assert "another problem" in said.out
    assert back.code == 0
    assert back.document["format"] == "catalytic-plan-difference/1"
    assert back.document["gates"][0]["passed"] is True
    assert catalytic("compare", plans["one"], plans["two"], "--fail-if", "makspan+0").code == 2
    assert catalytic("compare", plans["one"], plans["two"], "--csv").code == 2
    assert catalytic("compare", plans["one"]).code == 2


def test_a_plan_that_was_tampered_with_passes_no_gate(study: tuple[Path, Said], tmp_path: Path) -> None:
    plan = next(iter(sorted((study[0] / "study" / "plans").iterdir())))
    document = json.loads(plan.read_text())
    document["tasks"][0]["start"] = document["tasks"][0]["end"] + 1
    (tmp_path / "bad.json").write_text(json.dumps(document))

    assert catalytic("compare", plan, tmp_path / "bad.json", "--fail-if", "makespan+0").code in (2, 5)


# -- what changes, fails or is limited ---------------------------------------------------------------------------------


def test_a_changed_problem_or_configuration_is_made_again_and_said_and_can_be_changed_back(
    study: tuple[Path, Said], tmp_path: Path
) -> None:
    """In a copy of the finished study, of which one seed is asked for."""
    folder = tmp_path / "copy"
    shutil.copytree(study[0], folder)
    problem, settings = folder / "problems" / "small.json", folder / "one.toml"
    old_problem, old_settings = problem.read_text(), settings.read_text()
    problem.write_text(old_problem.replace("64KiB", "32KiB"))
    settings.write_text("# a comment changes nothing\n" + old_settings.replace("partitions = 1", "partitions = 2"))

    changed = catalytic(*words(folder, "--json", seeds=1))

    assert changed.document["made"] == 3
    assert "the problem file of small.json" in changed.err
    assert "partitions of one" in changed.err
    rows, superseded = read_rows(folder / "study")
    assert (len(rows), superseded) == (8, 3)
    problem.write_text(old_problem)
    settings.write_text(old_settings)
    back = catalytic(*words(folder, "--json", seeds=1))
    assert back.document["made"] == 0
    current = {row.place: row for row in read_rows(folder / "study")[0]}
    assert current[("small.json", "one", 0)].options["partitions"] == 1
    assert current[("small.json", "two", 0)].value == 3 * 65536


def test_a_cell_that_fails_is_a_row_and_the_others_are_made(tmp_path: Path) -> None:
    """One problem has mistakes; the plan of another cannot be written, because a folder has its name."""
    folder = write(tmp_path)
    (folder / "problems" / "cycle.json").write_bytes((BROKEN / "cycle.json").read_bytes())
    found = find_instances([folder / "problems"], except_in=folder / "study").instances
    settings = load_configurations([folder / "two.toml", folder / "one.toml"], 60.0)
    blocked = next(c for c in cells(found, settings, 1, Limits()) if c.place == ("small.json", "two", 0))
    (folder / "study" / "plans" / blocked.plan_name).mkdir(parents=True)

    said = catalytic(*words(folder, "--json", seeds=1))

    assert said.code == 1
    assert said.document["ended"] == {"answered": 3, "crashed": 1, "refused": 2}
    rows = {row.place: row for row in read_rows(folder / "study")[0]}
    refused, crashed = rows[("cycle.json", "one", 0)], rows[blocked.place]
    assert (refused.ended, refused.status) == ("refused", None)
    assert "cycle" in refused.reason
    assert crashed.ended == "crashed"
    assert "StorageError" in crashed.stderr
    assert "could not be written" in crashed.reason
    assert crashed.reason in {f["reason"] for f in said.document["failures"]}

    (folder / "study" / "plans" / blocked.plan_name).rmdir()
    again = catalytic(*words(folder, "--json", seeds=1))

    assert (again.document["made"], again.document["ended"]) == (1, {"answered": 4, "refused": 2})
    assert "1 cell crashed before: tried again" in again.err


def write_slow(folder: Path) -> Path:
    """A problem that takes longer to read than it takes a test to interfere."""
    tasks = [{"id": f"t{k}", "duration": 1, "outputs": [f"b{k}"]} for k in range(4_000)]
    buffers = [{"id": f"b{k}", "size": 4096} for k in range(4_000)]
    path = folder / "slow.json"
    path.write_text(json.dumps({"format": "catalytic-problem/1", "tasks": tasks, "buffers": buffers}))
    return path


def test_a_cell_over_its_memory_is_a_row_with_that_reason(tmp_path: Path) -> None:
    """No planner fits 48 MB."""
    folder = write(tmp_path)
    said = catalytic(*words(folder, "--memory-limit", "48MB", "--no-plans", "--json", seeds=1))

    assert said.code == 0
    assert said.document["ended"] == {"memory": 4}
    rows, _ = read_rows(folder / "study")
    assert all("its limit is 48MB" in row.reason and row.peak_memory > 48e6 for row in rows)


def test_a_cell_over_its_time_is_a_row_with_that_reason(tmp_path: Path) -> None:
    options = ("--time-limit", "0.01", "--grace", "0.01", "--out", tmp_path / "study", "--json")
    said = catalytic("batch", write_slow(tmp_path), *options)

    assert said.code == 0
    assert said.document["ended"] == {"time": 1}
    assert said.document["failures"][0]["reason"].startswith("killed after")


def test_mistakes_of_paths_and_configurations_are_told_before_anything_is_made(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "two.toml").write_text('objectiv = "reuse"\nthreads = 0\n')
    said = catalytic(*words(folder))

    assert said.code == 2
    assert "objectiv: found an unknown key" in said.err
    assert "threads: found 0" in said.err
    assert not (folder / "study").exists()
    assert catalytic("batch", folder / "one.toml", "--out", folder / "study").code == 2
    # Cells are counted before the first one is made: without an end they would fill the memory.
    assert catalytic("batch", folder / "p.json", "--out", folder / "study", "--seeds", "9" * 20).code == 2


# -- killed at any moment ----------------------------------------------------------------------------------------------


def start(*command: str | Path) -> subprocess.Popen[str]:
    """``catalytic COMMAND`` as a program of its own, whose results are not read."""
    call = [sys.executable, "-c", "from catalytic.cli.main import main; main()", *map(str, command)]
    return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def family(pid: int) -> list[psutil.Process]:
    """Everything that a process has started."""
    with suppress(psutil.NoSuchProcess):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them end, sooner or later; a zombie has ended."""
    deadline = time.monotonic() + 300
    while any(alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def rows_so_far(folder: Path) -> int:
    path = folder / "study" / ROWS
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def test_a_batch_killed_at_random_moments_gives_the_same_table(study: tuple[Path, Said], tmp_path: Path) -> None:
    """Killed before the first row, then after some: nothing is lost, nothing is made twice, and nobody lives on."""
    folder = write(tmp_path)
    rng = Random(3)
    for wanted in (0, 3):
        batch = start(*words(folder, "--jobs", "2"))
        deadline = time.monotonic() + 600
        while rows_so_far(folder) < wanted and batch.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.05) if wanted else rng.uniform(0.5, 1.5))
        processes = family(batch.pid)
        batch.kill()
        batch.communicate()
        assert all_gone(processes)
    path = folder / "study" / ROWS
    with path.open("ab") as file:
        file.write(b'{"format":"catalytic-cell/1","cell":"sha2')

    said = catalytic(*words(folder))

    assert said.code == 0, said.err
    assert "the last row was torn" in said.err
    assert table(folder / "study") == table(study[0] / "study")
    assert path.read_bytes().count(b"\n") == 8


def first_cell(batch: subprocess.Popen[str]) -> psutil.Process:
    """The process of a cell, as soon as there is one: a child of the child that forks them."""
    deadline = time.monotonic() + 600
    while batch.poll() is None and time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):  # it may end while it is looked at
            for server in psutil.Process(batch.pid).children():
                for cell in server.children():
                    return cell
        time.sleep(0.002)
    raise AssertionError("no cell was started")


def test_an_interrupted_batch_says_that_it_continues_and_leaves_nobody_behind(tmp_path: Path) -> None:
    batch = start("batch", write_slow(tmp_path), "--time-limit", "60", "--out", tmp_path / "study")
    first_cell(batch)
    processes = family(batch.pid)
    batch.send_signal(signal.SIGINT)
    _, told = batch.communicate()

    assert batch.returncode == 130
    assert "the same command continues" in told
    assert all_gone(processes)


def test_a_killed_cell_is_a_row_and_without_who_starts_cells_a_batch_ends_and_can_be_continued(tmp_path: Path) -> None:
    """As the kernel does when memory runs out: first the process of a cell, then the one that forks them."""
    batch = start(
        "batch", write_slow(tmp_path), "--seeds", "2", "--jobs", "1", "--time-limit", "60", "--out", tmp_path / "study"
    )
    first_cell(batch).send_signal(signal.SIGSEGV)
    while rows_so_far(tmp_path) < 1:
        time.sleep(0.01)
    cell = first_cell(batch)
    (server,) = psutil.Process(batch.pid).children()
    server.kill()
    _, told = batch.communicate()

    assert batch.returncode == 9
    assert "exit code -9" in told
    assert "the same command continues" in told
    assert all_gone([cell])
    (row,) = read_rows(tmp_path / "study")[0]
    assert (row.ended, row.status, row.seed) == ("crashed", None, 0)
    assert "SIGSEGV, which this batch did not send" in row.reason


def test_two_batches_do_not_write_into_one_folder(tmp_path: Path) -> None:
    folder = write(tmp_path)
    with opened(folder / "study"):
        said = fresh(*words(folder), cwd=tmp_path)

    assert said.code == 6
    assert f"process {os.getpid()}" in said.err
    assert rows_so_far(folder) == 0
