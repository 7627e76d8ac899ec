"""``catalytic generate``: the same words give the same file, and every wrong word is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalytic.solver.families import FAMILIES
from catalytic.solver.formats import load_problem
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy

from .console import catalytic, fresh


def test_the_same_words_give_the_same_file(tmp_path: Path) -> None:
    words = ("layered", "--tasks", "40", "--seed", "7", "--sizes", "bimodal:low=1MB,high=50MB,share=0.2")

    here = catalytic("generate", *words, "-o", tmp_path / "a.json")
    # Hashes of text differ between processes: nothing may depend on them.
    there = fresh("generate", *words, "-o", tmp_path / "b.json", cwd=tmp_path, env={"PYTHONHASHSEED": "1"})
    other = catalytic("generate", *words, "--seed", "8", "-o", tmp_path / "c.json")

    assert (here.code, there.code, other.code) == (0, 0, 0), there.err
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_bytes() != (tmp_path / "c.json").read_bytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_makes_a_problem_that_can_be_read(family: str, tmp_path: Path) -> None:
    said = catalytic("generate", family, "--tasks", "30", "-o", tmp_path / "p.json", "--json")

    problem, document = load_problem(tmp_path / "p.json"), said.document
    assert document["format"] == "catalytic-generate/1"
    assert document["tasks"] == len(problem.tasks) <= 30 == document["asked_tasks"]
    assert document["name"] == problem.name == f"{family}-{len(problem.tasks)}-0"
    # Everything fits side by side, rounded up to pages.
    assert problem.workspace.capacity == problem.graph.allocated + sum(
        problem.graph.aligned_size[b] for b in problem.graph.external
    )


def test_options_of_the_problem_are_obeyed(tmp_path: Path) -> None:
    options = "--size 1GB --partitions 4 --workers 3 --inputs lazy --outputs keep --name little --alignment 8192"
    said = catalytic("generate", "mosaic", "-o", tmp_path / "p.json", "--set", "rows=2", *options.split())

    problem = load_problem(tmp_path / "p.json")
    assert said.code == 0, said.err
    assert "parameters: rows=2, seed 0" in said.out
    assert (problem.workspace.size, problem.workspace.partitions) == (10**9, 4)
    assert (problem.workspace.alignment, problem.workspace.isolation) == (8192, Isolation.EXCLUSIVE)
    assert problem.capacity_of("workers") == 3
    assert (problem.policy.inputs, problem.policy.outputs) == (InputPolicy.LAZY, OutputPolicy.KEEP)
    assert problem.name == "little"


def test_a_number_of_tasks_that_no_shape_has_is_said(tmp_path: Path) -> None:
    said = catalytic("generate", "training", "--tasks", "10", "-o", tmp_path / "p.json")

    assert "training-9-0, 9 tasks" in said.out
    assert "asked for 10 tasks" in said.out


def test_the_list_tells_every_family_and_parameter() -> None:
    text, document = catalytic("generate", "--list").out, catalytic("generate", "--list", "--json").document

    assert [line["family"] for line in document["families"]] == sorted(FAMILIES)
    for line in document["families"]:
        assert line["models"].split(":")[0].split("(")[0].strip() in " ".join(text.split())
        assert all(f"{name}=" in text for name in line["parameters"])


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        ("", ["Missing argument 'FAMILY'", "--list"]),
        ("chian", ["family: found 'chian'", "did you mean 'chain'"]),
        (
            "fork-join --set widht=20 --set depth=x --sizes lognorml:3 --durations uniform:low=3",
            ["4 mistakes", "--set widht: found an unknown parameter", "did you mean 'width'", "--set depth: found 'x'",
             "--sizes name: found 'lognorml'", "--durations uniform.high: found nothing"],
        ),
        ("stencil --set periodic=maybe", ["--set periodic: found 'maybe', allowed yes or no"]),
        ("stencil --set width=2 --set width=3", ["--set gives width more than once"]),
        ("stencil --set width", ["found 'width', allowed NAME=VALUE"]),
        ("stencil --tasks 30 --set steps=3", ["one of the two: --tasks chooses steps"]),
        ("fork-join --tasks 5 --set width=20", ["tasks: found 5, allowed at least 22 with width 20"]),
        ("chain --tasks 3 --size 1", ["workspace.size: found 1"]),
        ("layered --set edge_probability=2", ["edge_probability: found 2.0, allowed 0 to 1"]),
    ],
)  # fmt: skip
def test_wrong_words_are_told(words: str, messages: list[str], tmp_path: Path) -> None:
    said = catalytic("generate", *words.split(), "-o", tmp_path / "p.json")

    assert said.code == 2
    for message in messages:
        assert message in said.err
    assert not (tmp_path / "p.json").exists()


def test_a_file_is_replaced_on_request_only(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("mine")

    assert catalytic("generate", "chain", "--tasks", "3", "-o", tmp_path / "p.json").code == 8
    assert (tmp_path / "p.json").read_text() == "mine"
    assert catalytic("generate", "chain", "--tasks", "3", "-o", tmp_path / "p.json", "--force").code == 0
    assert json.loads((tmp_path / "p.json").read_text())["name"] == "chain-3-0"
    assert catalytic("generate", "chain", "--tasks", "3", "-o", tmp_path / "none" / "p.json").code == 9
