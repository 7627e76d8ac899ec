"""The builder says what the problem file says, judges by the same rules, and plans what it built."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from catalytic.solver import (
    InputError,
    Objective,
    Progress,
    Status,
    dump_problem,
    load_problem,
    problem_digest,
    violations,
)
from catalytic.solver.builder import ProblemBuilder
from catalytic.solver.formats import parse_problem
from catalytic.solver.formats.problem_file import problem_document
from catalytic.solver.problem import Command, InputPolicy, Isolation, Problem, PythonCall, Synthetic
from tests.strategies import problems

INSTANCES = Path(__file__).parents[2] / "instances"


def a_function(context: object) -> None:
    """What a task could do."""


def survey() -> ProblemBuilder:
    """Every word of the builder once."""
    return (
        ProblemBuilder(
            "survey",
            workspace="100MB",
            partitions=4,
            alignment=8192,
            isolation="shared",
            workers=3,
            resources={"cpu": 4},
            inputs="lazy",
            outputs="keep",
        )
        .pool("rasters", data_type="image", access="sequential", size="50MB")
        .input("tile", "9MB", source=Path("data") / "tile.raw", data_type="image", access="sequential")
        .task("read", 0.4, reads=["tile"], writes={"raw": "9MB"}, scratch="1MiB", demands={"cpu": 2}, timeout=60)
        .task("clean", 1, reads=["raw"], writes=["clean"], in_place={"clean": "raw"}, run="steps:clean", args={"k": 3})
        .task("sort", 2, reads="clean", writes={"sum": 100}, run=["cksum", "{clean}"], after=["read"], reversible=True)
        .buffer("clean", "9MB", data_type="image", access="sequential", keep=True, export="out/clean.raw")
        .task("note", 1, writes=["log"], run=a_function)
        .task("look", 1, reads=["log"], run=Command(("wc",), (("LANG", "C"),), stdin="log"))
        .buffer("log", 10, export=True)
    )


def test_every_word_of_the_builder_is_a_key_of_the_file() -> None:
    text = {
        "format": "catalytic-problem/1",
        "name": "survey",
        "workspace": {"size": "100MB", "partitions": 4, "alignment": 8192, "isolation": "shared"},
        "resources": {"workers": 3, "cpu": 4},
        "policy": {"inputs": "lazy", "outputs": "keep"},
        "pools": [{"id": "rasters", "data_type": "image", "access": "sequential", "size": "50MB"}],
        "tasks": [
            {"id": "read", "duration": 0.4, "inputs": ["tile"], "outputs": ["raw"], "scratch": "1MiB",
             "demands": {"cpu": 2}, "timeout": 60},
            {"id": "clean", "duration": 1, "inputs": ["raw"], "outputs": ["clean"], "in_place": {"clean": "raw"},
             "run": {"python": "steps:clean", "args": {"k": 3}}},
            {"id": "sort", "duration": 2, "inputs": ["clean"], "outputs": ["sum"], "after": ["read"],
             "reversible": True, "run": {"command": ["cksum", "{clean}"]}},
            {"id": "note", "duration": 1, "outputs": ["log"], "run": {"python": f"{__name__}:a_function"}},
            {"id": "look", "duration": 1, "inputs": ["log"],
             "run": {"command": ["wc"], "env": {"LANG": "C"}, "stdin": "log"}},
        ],
        "buffers": [
            {"id": "tile", "size": "9MB", "source": "data/tile.raw", "data_type": "image", "access": "sequential"},
            {"id": "raw", "size": "9MB"},
            {"id": "clean", "size": "9MB", "data_type": "image", "access": "sequential", "keep": True,
             "export": "out/clean.raw"},
            {"id": "sum", "size": 100},
            {"id": "log", "size": 10, "export": True},
        ],
    }  # fmt: skip

    assert survey().problem() == parse_problem(json.dumps(text).encode(), "survey.json")


def test_defaults_are_those_of_the_file() -> None:
    built = ProblemBuilder("p").task("a", 1, writes={"x": 1}).problem()
    text = b'{"format": "catalytic-problem/1", "name": "p", "tasks": [{"id": "a", "duration": 1, "outputs": ["x"]}], '
    text += b'"buffers": [{"id": "x", "size": 1}]}'

    assert built == parse_problem(text, "p.json")
    assert isinstance(built.tasks[0].run, Synthetic)


def rebuilt(problem: Problem) -> ProblemBuilder:
    """``problem`` said again with the words of the builder."""
    w, resources = problem.workspace, dict(problem.resources)
    b = ProblemBuilder(
        problem.name,
        workspace=w.size,
        partitions=w.partitions,
        alignment=w.alignment,
        isolation=w.isolation.value,
        workers=resources.pop("workers"),
        resources=resources,
        inputs=problem.policy.inputs.value,
        outputs=problem.policy.outputs.value,
    )
    for p in problem.pools:
        b.pool(p.id, data_type=p.data_type, access=p.access, size=p.size)
    for t in problem_document(problem)["tasks"]:  # type: ignore[attr-defined]
        b.task(
            t["id"],
            t["duration"],
            reads=t.get("inputs", []),
            writes=t.get("outputs", []),
            after=t.get("after", []),
            scratch=t.get("scratch", 0),
            demands=t.get("demands"),
            in_place=t.get("in_place"),
            run=problem.graph.task[t["id"]].run,
            reversible=t.get("reversible", False),
            timeout=t.get("timeout"),
        )
    for x in problem.buffers:
        if x.id in problem.graph.writer:
            b.buffer(
                x.id,
                x.size,
                data_type=x.data_type,
                access=x.access,
                keep=x.keep,
                export=True if x.export == "" else x.export or False,
            )
        else:
            b.input(x.id, x.size, data_type=x.data_type, access=x.access, source=x.source)
    return b


@given(problems())
@settings(max_examples=60, deadline=None)
def test_every_problem_can_be_built(problem: Problem) -> None:
    kept = [b.id for b in problem.buffers if b.keep and b.id not in problem.graph.writer]
    if not kept:
        assert rebuilt(problem).problem() == problem


@pytest.mark.parametrize("name", ["specification/problem.json", "didactic/two-pools.json", "families/mosaic-47-2.json"])
def test_instances_can_be_built(name: str) -> None:
    problem = load_problem(INSTANCES / name)

    assert rebuilt(problem).problem() == problem


def test_the_order_of_the_calls_does_not_matter() -> None:
    one = ProblemBuilder("p", workers=1).input("x", 5).task("a", 1, reads=["x"], writes={"y": 1})
    other = ProblemBuilder("p", workers=1).task("a", 1, reads=["x"], writes=["y"]).buffer("y", 1).input("x", 5)

    assert one.problem() == other.problem()
    assert repr(one) == "<problem 'p': 1 tasks, 2 buffers>"


def test_numbers_of_numpy_are_numbers() -> None:
    b = ProblemBuilder("p", workspace=np.int64(10**6), partitions=np.int32(1), workers=np.int64(2))  # type: ignore[arg-type]
    b.task("a", np.float32(0.5), writes={"x": np.uint16(77)}, demands={"workers": np.int8(2)}, scratch=np.int64(3))  # type: ignore[arg-type, dict-item]

    problem = b.problem()
    assert (problem.tasks[0].duration, problem.tasks[0].scratch, problem.buffers[0].size) == (500, 3, 77)


def test_a_set_of_names_has_an_order() -> None:
    b = ProblemBuilder("p", workers=1).task("a", 1, reads={"z", "y", "x"})
    for name in "xyz":
        b.input(name, 1)

    assert b.problem().tasks[0].inputs == ("x", "y", "z")


def told(b: ProblemBuilder) -> list[str]:
    with pytest.raises(InputError) as caught:
        b.problem()
    assert caught.value.origin == b.name
    return [str(m) for m in caught.value.mistakes]


def test_every_mistake_is_told_at_its_call() -> None:
    b = (
        ProblemBuilder("wrong", workspace="10 parsecs", alignment=3, workers=1)
        .task("a", -1, reads=["tiel"], writes={"x": "5XB"}, demands={"gpu": 1})
        .task("b", 1, reads=["x"], writes={"x": 3}, timeout=float("nan"))
        .input("tile", 1.5)  # type: ignore[arg-type]
    )

    found = "\n".join(told(b))
    for words in (
        "workspace: found '10 parsecs'",
        "task('a').seconds: found -1, allowed 0 to",
        "task('a').reads[0]: found 'tiel', allowed the id of a buffer; did you mean 'tile'",
        "buffer('x').size: found '5XB'",
        "task('a').demands.gpu: found 'gpu', allowed one of workers",
        "buffer('x').id: found 'x', allowed each id once; it stands at buffer('x')",
        "task('b').writes[0]: found 'x', allowed one writer per buffer; task 'a' writes it",
        "task('b').timeout: found nan",
        "buffer('tile').size: found 1.5",
    ):
        assert words in found, words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"partitions": 0}, "partitions: found 0, allowed 1 to 4096"),
        ({"alignment": 3}, "alignment: found 3, allowed a power of two"),
        ({"isolation": "none"}, "isolation: found 'none'"),
        ({"inputs": "extern"}, "inputs: found 'extern', allowed 'external', 'lazy' or 'preload'; did you mean"),
        ({"outputs": "drop"}, "outputs: found 'drop'"),
        ({"workers": 0}, "workers: found 0"),
        ({"workers": "two"}, "workers: found 'two', allowed an integer"),
        ({"resources": {"cpu": 0}}, "resources.cpu: found 0"),
    ],
)
def test_words_of_the_builder_are_named_in_its_mistakes(change: dict[str, Any], message: str) -> None:
    (mistake,) = told(ProblemBuilder("p", **change).task("a", 1, writes={"x": 1}))

    assert message in mistake


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"run": "steps"}, "task('a').run.python: found 'steps', allowed 'module:function'"),
        ({"run": lambda context: None}, "allowed 'module:function'"),
        ({"run": []}, "task('a').run.command: found [], allowed at least the program"),
        ({"args": {"k": 1}}, "task('a').run: found no known kind of run"),
        ({"run": ["ls"], "args": {"k": 1}}, "task('a').run.args: found an unknown key"),
        ({"in_place": {"x": "nothing"}}, "task('a').in_place.x: found 'nothing', allowed an input of this task"),
        ({"after": ["b"]}, "task('a').after[0]: found 'b', allowed the id of a task"),
        ({"after": ["a"]}, "the cycle a -> a, allowed no cycle; cut a -> a, stated at task('a').after[0]"),
        ({"timeout": "soon"}, "task('a').timeout: found 'soon', allowed a number of seconds"),
    ],
)
def test_wrong_words_of_a_task_are_told(task: dict[str, Any], message: str) -> None:
    assert any(message in m for m in told(ProblemBuilder("p", workers=1).task("a", 1, writes={"x": 1}, **task)))


def test_a_file_that_is_written_is_the_problem(tmp_path: Path) -> None:
    path = survey().write(tmp_path / "survey.json")

    assert load_problem(path) == survey().problem()
    assert path.read_bytes() == dump_problem(survey().problem())
    assert problem_digest(load_problem(path)).startswith("sha256:")


def pair() -> ProblemBuilder:
    """Two halves of a reduction: three buffers of 1 MiB alive at once, of five."""
    b = ProblemBuilder("pair", workspace="8MiB", partitions=1, workers=2)
    for k in "ab":
        b.task(f"make-{k}", 1, writes={f"big-{k}": "2MiB"})
        b.task(f"cut-{k}", 1, reads=[f"big-{k}"], writes={f"small-{k}": "1MiB"})
    return b.task("join", 1, reads=["small-a", "small-b"], writes={"all": "1MiB"})


def test_what_was_built_is_planned() -> None:
    news: list[Progress] = []
    lean = pair().solve(seconds=2, observer=news.append)
    quick = pair().solve(objective="makespan", seconds=2)

    # big-b (2) and small-b (1) beside small-a (1), of 7 in all.
    assert (lean.status, lean.target_met) == (Status.OPTIMAL, True)
    assert lean.plan is not None and quick.plan is not None
    assert lean.plan.measures.footprint == 4 * 2**20
    assert violations(lean.plan) == violations(quick.plan) == []
    assert (quick.plan.measures.makespan, quick.plan.proof.objective) == (3000, Objective.MAKESPAN)
    assert news


def test_a_target_out_of_reach_is_an_answer() -> None:
    outcome = pair().solve(reuse_factor=0.5, seconds=5)

    assert outcome.status is Status.INFEASIBLE
    assert not outcome.target_met
    assert "a reuse factor of 0.5 allows" in outcome.reason


def test_the_same_deterministic_call_gives_the_same_plan() -> None:
    def once() -> Any:
        return pair().solve(objective="makespan", reuse_factor=0.4, seconds=2, deterministic=True, integrity=False).plan

    assert once() == once()
    assert not once().integrity


def test_wrong_arguments_and_wrong_tasks_are_told_together() -> None:
    b = ProblemBuilder("p", workers=1).task("a", 1, reads=["x"])

    with pytest.raises(InputError) as caught:
        b.solve(reuse_factor=1.0, seconds=0, objective="fast", threads=0)  # type: ignore[arg-type]

    assert [m.path for m in caught.value.mistakes] == [
        "reuse_factor",
        "seconds",
        "objective",
        "threads",
        "task('a').reads[0]",
    ]


def test_kinds_of_run() -> None:
    runs = {t.id: t.run for t in survey().problem().tasks}

    assert runs["clean"] == PythonCall("steps:clean", {"k": 3})
    assert runs["note"] == PythonCall(f"{__name__}:a_function")
    assert isinstance(runs["sort"], Command)
    assert isinstance(runs["read"], Synthetic)
    assert survey().problem().policy.inputs is InputPolicy.LAZY
    assert survey().problem().workspace.isolation is Isolation.SHARED


CYCLE: dict[str, Any] = {}
CYCLE["inside"] = CYCLE


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"x": object()}, "run.args.x: found a value of type object, allowed text, a number"),
        ({"x": [{1}]}, "run.args.x[0]: found a value of type set"),
        ({"x": float("nan")}, "run.args.x: found nan, allowed a finite number"),
        ({"x": 10**40}, "run.args.x: found an integer of 41 digits"),
        ({"x": "\ud800"}, "run.args.x: found half a surrogate pair"),
        (CYCLE, "found endless nesting, allowed at most 64 levels"),
    ],
)
def test_arguments_that_no_file_can_hold_are_told_when_the_problem_is_built(args: dict[str, Any], message: str) -> None:
    """And not by a traceback when it is written."""
    with pytest.raises(InputError, match=re.escape(message)):
        ProblemBuilder("p", workers=1).task("a", 1, run="m:f", args=args).problem()


def test_arrays_of_numpy_are_lists() -> None:
    args = {"x": np.arange(3), "y": np.float64(1.5)}

    (task,) = ProblemBuilder("p", workers=1).task("a", 1, run="m:f", args=args).problem().tasks

    assert task.run == PythonCall("m:f", {"x": [0, 1, 2], "y": 1.5})
    with pytest.raises(InputError, match="found a list, allowed a number of seconds"):
        ProblemBuilder("p", workers=1).task("a", np.arange(2)).problem()  # type: ignore[arg-type]


def test_words_of_a_search_that_are_no_numbers_are_told_together() -> None:
    wrong: dict[str, Any] = {"seed": 2**70, "threads": 1.5, "seconds": "x", "reuse_factor": "0.5"}

    with pytest.raises(InputError) as refused:
        ProblemBuilder("p", workers=1).task("a", 1).solve(**wrong)

    assert {m.path for m in refused.value.mistakes} == set(wrong)
