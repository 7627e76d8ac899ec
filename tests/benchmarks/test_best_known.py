"""The record of best known values: honest bookkeeping, enumeration by definition, no answer that contradicts it."""

from __future__ import annotations

import importlib.util
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.solver.formats import load_problem
from catalytic.solver.plan import Evidence
from catalytic.solver.problem import Problem
from tests.builders import chain, diamond, problem, task
from tests.cli.console import catalytic

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "best_known.py"


def load() -> ModuleType:
    """``benchmarks/best_known.py`` as a module; it is a script, and no package holds it."""
    spec = importlib.util.spec_from_file_location("benchmarks_best_known", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks_best_known"] = module
    spec.loader.exec_module(module)
    return module


best_known = load()
RECORDS = best_known.load()
NAMES = [record.question.name for record in RECORDS]
SMALL = [
    record
    for record in RECORDS
    if record.question.measure == "height_bytes"
    or len(load_problem(best_known.INSTANCES / record.question.instance).tasks) <= 60
]
PROVED = [record for record in RECORDS if record.bound_by.how.startswith("all ")]
"""By enumeration."""

INSTANCES = [
    *(best_known.INSTANCES / "families").glob("*.json"),
    *(best_known.INSTANCES / "didactic").glob("*.json"),
    *(best_known.INSTANCES / "placement").glob("*.csv"),
    best_known.INSTANCES / "specification" / "problem.json",
]


# -- the record --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", SMALL, ids=lambda r: r.question.name)
def test_what_is_found_now_contradicts_nothing_that_was_known(record: Any) -> None:
    """Above all: no value below an old bound, no bound above an old value. How near it comes is for the benchmark."""
    new = best_known.asked(record.question, 0.4)

    best_known.merged(record, new)
    if record.infeasible:
        assert new.value is None


@pytest.mark.stress
@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.question.name)
def test_what_is_found_in_seconds_contradicts_nothing_that_was_known(record: Any) -> None:
    best_known.merged(record, best_known.asked(record.question, 5.0, seed=3))


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.question.name)
def test_a_record_speaks_of_the_file_as_it_is_and_of_its_maker(record: Any) -> None:
    objective = best_known.Objective.MAKESPAN if "makespan" in record.question.measure else best_known.Objective.REUSE
    blank = best_known.question_of(record.question.instance, objective, record.question.target)

    assert (record.question, record.digest) == (blank.question, blank.digest)
    assert record.infeasible or record.value is not None
    assert record.infeasible == (record.value is None) == (record.bound is None)
    assert record.infeasible or record.bound <= record.value
    for who in (record.value_by, record.bound_by):
        assert who is None or (who.tool and who.how and who.seconds >= 0 and len(who.date) == 10)


def test_every_small_instance_has_its_questions() -> None:
    asked = {(record.question.instance, record.question.measure) for record in RECORDS}

    for path in INSTANCES:
        name = path.relative_to(best_known.INSTANCES).as_posix()
        measures = ["height_bytes"] if path.suffix == ".csv" else ["footprint_bytes", "makespan_ms"]
        assert {(name, m) for m in measures} <= asked, name
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("record", PROVED, ids=lambda r: r.question.name)
def test_what_enumeration_proved_it_proves_again(record: Any) -> None:
    again = best_known.enumerated(record.question)

    assert (again.bound, again.infeasible, again.evidence) == (record.bound, record.infeasible, record.evidence)


def test_many_small_values_are_proved_by_enumeration() -> None:
    assert len(PROVED) >= 12
    assert all(r.evidence is Evidence.EXHAUSTIVE for r in PROVED)
    assert all(r.infeasible or r.value == r.bound for r in PROVED)


def test_the_file_is_what_its_records_say() -> None:
    assert best_known.dump(RECORDS) == best_known.RECORD.read_text(encoding="utf-8")


def test_every_generated_instance_is_what_its_command_writes(tmp_path: Path) -> None:
    folder = best_known.INSTANCES / "families"
    text = (folder / "README.md").read_text(encoding="utf-8")
    commands = [line.removeprefix("$ catalytic ") for line in text.splitlines() if line.startswith("$ catalytic ")]

    for command in commands:
        *words, name = shlex.split(command)
        said = catalytic(*words, tmp_path / name)
        assert said.code == 0, said.err
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in folder.glob("*.json")}


def test_instances_are_small_files() -> None:
    files = [p for p in best_known.INSTANCES.rglob("*") if p.is_file() and "__pycache__" not in p.parts]

    assert sum(p.stat().st_size for p in files) < 2_000_000


# -- bookkeeping -------------------------------------------------------------------------------------------------

QUESTION = best_known.Question("made/up.json", "makespan_ms")
WHO = best_known.Who("catalytic 0.0", "guess", 1.0, "2026-01-01")


def known(
    value: int | None = None, bound: int | None = None, grade: str = "CERTIFICATE", *, infeasible: bool = False
) -> Any:
    evidence = Evidence(grade) if bound is not None or infeasible else None
    return best_known.Known(
        QUESTION,
        "sha256:0",
        value,
        WHO if value is not None else None,
        bound,
        evidence,
        WHO if evidence is not None else None,
        infeasible,
    )


grades = st.sampled_from([e.value for e in Evidence])
answers = st.builds(known, st.none() | st.integers(50, 99), st.none() | st.integers(1, 50), grades)


@given(answers, answers)
def test_the_better_of_two_answers_is_kept_on_each_side(a: Any, b: Any) -> None:
    both = best_known.merged(a, b)

    values, bounds = [k.value for k in (a, b) if k.value is not None], [k.bound for k in (a, b) if k.bound is not None]
    assert both.value == min(values, default=None)
    assert both.bound == max(bounds, default=None)
    grades = [best_known.GRADES.index(k.evidence) for k in (a, b) if k.bound is not None and k.bound == both.bound]
    assert (best_known.GRADES.index(both.evidence) if both.evidence is not None else None) == max(grades, default=None)
    assert best_known.merged(both, a) == best_known.merged(both, b) == both


@given(st.integers(2, 50), grades, st.data())
def test_a_value_below_a_bound_is_refused_from_both_sides(bound: int, grade: str, data: st.DataObject) -> None:
    value = data.draw(st.integers(1, bound - 1))

    for old, new in ((known(None, bound, grade), known(value)), (known(value), known(60, bound, grade))):
        with pytest.raises(best_known.Contradiction, match=f"a plan of {value} .* and {bound} is said to be the least"):
            best_known.merged(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (known(7), known(infeasible=True)),
        (known(infeasible=True), known(7)),
        (known(), known(7, 8)),
        (known(7), replace(known(6), digest="sha256:1")),
    ],
    ids=["value and none", "none and value", "in itself", "another problem"],
)
def test_answers_that_exclude_each_other_are_refused(old: Any, new: Any) -> None:
    with pytest.raises(best_known.Contradiction):
        best_known.merged(old, new)


def test_that_nothing_exists_is_known_by_the_strongest_evidence() -> None:
    weak, strong = known(grade="SOLVER_CLAIM", infeasible=True), known(grade="EXHAUSTIVE", infeasible=True)

    assert best_known.merged(weak, strong).evidence is Evidence.EXHAUSTIVE
    assert best_known.merged(strong, weak) == strong
    assert best_known.merged(known(bound=5), weak) == weak
    assert best_known.merged(weak, known(bound=5)) == weak


def run(record: Path, *words: str) -> int:
    code = best_known.main(["--record", str(record), "--seconds", "0.5", *words])
    assert isinstance(code, int)
    return code


def only_record(path: Path) -> Any:
    (record,) = best_known.load(path)
    return record


def test_a_contradiction_is_told_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "known.json"
    assert run(record, "--add", "didactic/chain.json") == 0
    honest = only_record(record)
    # Six equal buffers, of which two are alive at a time: nothing is lower.
    lie = replace(honest, value=honest.value + 1, bound=honest.value + 1)
    record.write_text(best_known.dump([lie]), encoding="utf-8")
    before = record.read_bytes()

    assert run(record, "--update") == 5
    said = capsys.readouterr()
    assert "contradiction: didactic/chain footprint: a plan of 524288" in said.err
    assert "nothing was written" in said.err
    assert record.read_bytes() == before


def test_what_is_better_is_written_on_request_only(tmp_path: Path) -> None:
    record = tmp_path / "known.json"
    assert run(record, "--add", "didactic/chain.json", "--objective", "makespan") == 0
    honest = only_record(record)
    poor = replace(honest, value=honest.value + 100, bound=1, evidence=Evidence.SOLVER_CLAIM)
    record.write_text(best_known.dump([poor]), encoding="utf-8")

    assert run(record) == 0
    assert only_record(record) == poor
    assert run(record, "--update", "--enumerate") == 0
    again = only_record(record)
    assert (again.value, again.bound) == (honest.value, honest.bound) == (600, 600)
    assert again.evidence is Evidence.CERTIFICATE
    assert json.loads(record.read_text())["format"] == "catalytic-best-known/1"


# -- enumeration -------------------------------------------------------------------------------------------------


def least_makespan_by_trying_all_starts(question: Problem, ceiling: int) -> int | None:
    """The definition: every vector of starts up to the sum of durations, checked tick by tick."""
    tasks = question.tasks
    horizon = sum(t.duration for t in tasks)
    writer = {b: i for i, t in enumerate(tasks) for b in t.outputs}
    least: int | None = None
    for starts in product(range(horizon), repeat=len(tasks)):
        ends = [s + t.duration for s, t in zip(starts, tasks, strict=True)]
        if least is not None and max(ends) >= least:
            continue
        if any(ends[writer[b]] > starts[i] for i, t in enumerate(tasks) for b in t.inputs):
            continue
        if all(_fits(question, ceiling, starts, ends, tick) for tick in range(max(ends))):
            least = max(ends)
    return least


def _fits(question: Problem, ceiling: int, starts: Sequence[int], ends: Sequence[int], tick: int) -> bool:
    running = [i for i in range(len(starts)) if starts[i] <= tick < ends[i]]
    alive: int = sum(question.tasks[i].scratch for i in running)
    for b in question.buffers:
        (writer,) = (i for i, t in enumerate(question.tasks) if b.id in t.outputs)
        death = max(ends[i] for i, t in enumerate(question.tasks) if i == writer or b.id in t.inputs)
        alive += b.size if starts[writer] <= tick < death else 0
    return len(running) <= question.capacity_of("workers") and alive <= ceiling


@pytest.mark.parametrize("seed", range(8))
def test_the_least_makespan_is_that_of_all_starts(seed: int) -> None:
    """Four tasks, all vectors of starts: that starts at the ends of others suffice is not taken on trust."""
    rng = Random(seed)
    tasks = []
    for i in range(4):
        reads = " ".join(f"b{r}" for r in range(i) if rng.random() < 0.4)
        tasks.append(task(f"t{i}", reads, f"b{i}", duration=rng.randint(1, 3), scratch=rng.randint(0, 2)))
    sizes = {f"b{i}": rng.randint(1, 5) for i in range(4)}
    question = problem(*tasks, sizes=sizes, workers=rng.choice((1, 2, 3)))

    seen = set()
    for ceiling in (5, 8, 11, 14, 18, 22, 28):
        expected = least_makespan_by_trying_all_starts(question, ceiling)
        try:
            found = best_known.Schedules(question, ceiling).least_makespan()
        except ValueError:
            found = None
        assert found == expected
        seen.add(expected)
    assert len(seen) > 1  # memory matters


def test_schedules_of_known_shapes() -> None:
    # Two equal buffers at a time, whatever the workers; the branches of a diamond (2 and 3 ticks) run side by side.
    assert best_known.Schedules(chain(5), 2).least_makespan() == 5
    assert best_known.Schedules(diamond(), 3).least_makespan() == 1 + 3 + 1
    with pytest.raises(ValueError, match="no schedule stays"):
        best_known.Schedules(chain(5), 1).least_makespan()
