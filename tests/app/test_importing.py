"""Problems made from other files: scaled, corrected by measurements, and found again from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.app.importing import ImportRequest, corrected, import_file, scaled
from catalytic.app.sources import Reading
from catalytic.runtime.report import MeasuredTask
from catalytic.solver.errors import InputError, Refused
from catalytic.solver.formats import dump_problem, load_problem
from catalytic.solver.problem import PythonCall
from catalytic.solver.units import Bytes, Tick

from .problems import chain


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3))
def test_scaling_keeps_the_graph_and_never_empties_what_was_not_empty(sizes: float, time: float) -> None:
    before, after = chain(4), scaled(chain(4), sizes, time)

    assert after.graph.predecessors == before.graph.predecessors
    for b, a in zip(before.buffers, after.buffers, strict=True):
        assert a.size >= max(1, b.size * sizes * (1 - 1e-9))
        assert a.size < b.size * sizes * (1 + 1e-9) + 1
    assert all(t.duration >= 1 for t in after.tasks)


def test_scaling_by_one_is_the_same_problem() -> None:
    assert scaled(chain(3), 1, 1) is not None
    assert scaled(chain(3), 1, 1) == chain(3)


def test_measurements_replace_estimates_and_leave_the_rest() -> None:
    measured = [MeasuredTask("t1", 2.5, {"b1": Bytes(100)})]

    problem, said = corrected(chain(3), measured)

    assert [t.duration for t in problem.tasks] == [1000, 2500, 1000]
    assert [b.size for b in problem.buffers] == [65536, 100, 65536]
    assert "1 of 3 tasks" in said


def test_a_problem_written_elsewhere_still_finds_its_data(tmp_path: Path) -> None:
    problem = chain(2)
    problem = replace(
        problem,
        tasks=(replace(problem.tasks[0], run=PythonCall("steps:make"), inputs=("raw",)), problem.tasks[1]),
        buffers=(*problem.buffers, replace(problem.buffers[0], id="raw", source="data/raw.bin")),
    )
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    source = tmp_path / "here" / "problem.json"
    source.write_bytes(dump_problem(problem))

    answer = import_file(ImportRequest(source, tmp_path / "there" / "problem.json"))

    raw = load_problem(answer.file).graph.buffer["raw"]
    assert raw.source == "../here/data/raw.bin"
    assert any("steps" in a and "copy them there" in a for a in answer.assumptions)


def test_an_existing_problem_file_is_not_replaced_unasked(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(dump_problem(chain(2)))

    with pytest.raises(Refused, match="--force"):
        import_file(ImportRequest(source, source))
    assert import_file(ImportRequest(source, source, Reading(scale_time=2.0), force=True)).critical_path_s == 4.0


def test_a_foreign_graph_becomes_a_problem_file_with_its_assumptions(tmp_path: Path) -> None:
    source = tmp_path / "graph.hdag"
    source.write_text("1 2 2\n0 1 3\n0 5\n1 6\n0 0\n0 1\n")

    answer = import_file(ImportRequest(source, tmp_path / "problem.json", Reading(scale_sizes=2.0)))

    assert (answer.kind, answer.name, answer.tasks, answer.buffers, answer.allocated) == ("hyperdag", "graph", 2, 1, 6)
    assert answer.critical_path_s == 0.011
    assert "sizes are multiplied by 2 and rounded up" in answer.assumptions


@pytest.mark.parametrize(
    ("reading", "option"),
    [
        (Reading(scratch_from_memory=True), "--scratch-from-memory"),
        (Reading(size_attribute="size"), "--size-attribute"),
        (Reading(duration_attribute="time"), "--duration-attribute"),
        (Reading(dimensions=(("batch", 1),)), "--bind-dimension"),
        (Reading(companions=(Path("more"),)), "--with"),
        (Reading(buffer_size=Bytes(1)), "--buffer-size"),
        (Reading(duration=Tick(1)), "--default-duration"),
        (Reading(tag="next"), "--tag"),
        (Reading(variable="graph"), "--variable"),
    ],
)
def test_an_option_for_another_kind_of_file_is_refused_not_ignored(
    reading: Reading, option: str, tmp_path: Path
) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(dump_problem(chain(2)))

    with pytest.raises(InputError, match=f"{option}: found a file of kind problem"):
        import_file(ImportRequest(source, tmp_path / "b.json", reading))
    assert not (tmp_path / "b.json").exists()
