"""From the end of a process to its row: whatever ended it, the row says so and keeps what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalytic.app.study.cell import Cell, Limits, cells
from catalytic.app.study.child import Ended
from catalytic.app.study.configuration import Configuration, parse_configuration
from catalytic.app.study.crew import Result
from catalytic.app.study.instances import Instance
from catalytic.app.study.ledger import opened, read_rows
from catalytic.app.study.provenance import Provenance
from catalytic.app.study.record import row_of
from catalytic.app.study.row import Row

HERE = Provenance({"catalytic": "0.1.0"}, {"cores": 2}, ("catalytic", "batch"), "/")
PROBLEM = {
    "kind": "problem", "name": "p", "digest": "sha256:d", "tasks": 3, "buffers": 4, "allocated": 1000,
}  # fmt: skip
BOUNDS = [
    {"quantity": "makespan", "value": 40, "method": "critical_path", "evidence": "CERTIFICATE"},
    {"quantity": "makespan", "value": 60, "method": "cp_sat", "evidence": "SOLVER_CLAIM"},
    {"quantity": "peak_live", "value": 300, "method": "working_set", "evidence": "CERTIFICATE"},
]


def configuration(text: str = "") -> Configuration:
    return parse_configuration(text.encode(), "A", name="A", time_limit_s=10.0)


def cell(text: str = "", limits: Limits | None = None) -> Cell:
    return Cell(Instance("p.json", Path("p.json"), "sha256:f"), configuration(text), 1, limits or Limits(5.0))


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "seconds": 8.0, "status": "FEASIBLE", "reason": "", "missed": None, "bounds": BOUNDS, "parameters": {},
        "plan": {"makespan": 80, "footprint": 400, "reuse_factor": 0.6}, **changes,
    }  # fmt: skip


def ended(*news: dict[str, Any], end: str = "exit", code: int = 0, torn: bytes = b"", **changes: Any) -> Ended:
    said = b"".join(json.dumps(n).encode() + b"\n" for n in news) + torn
    return replace(Ended("exit", code, 9.0, 7.5, 2 * 10**8, said, ""), **{"end": end, **changes})


def recorded(end: Ended, of: Cell | None = None) -> Row:
    return row_of(Result(of or cell(), end), HERE, "2026-01-01T00:00:00Z", Path("plans/x.json"))


def at(moment: float, **what: int) -> dict[str, Any]:
    return {"at": moment, "makespan": None, "footprint": None, "bound": None, **what}


def test_an_answer_is_recorded_with_value_bound_and_gap_of_its_objective() -> None:
    news = [{"problem": PROBLEM}, {"answer": answer()}]
    reuse = recorded(ended(*news))
    makespan = recorded(ended(*news), cell('objective = "makespan"'))

    assert (reuse.value, reuse.bound, reuse.evidence, reuse.gap) == (400, 300, "CERTIFICATE", 0.25)
    assert (makespan.value, makespan.bound, makespan.evidence, makespan.gap) == (80, 60, "SOLVER_CLAIM", 0.25)
    assert (reuse.ended, reuse.status, reuse.plan_file) == ("answered", "FEASIBLE", "x.json")
    assert reuse.command[:3] == ["catalytic", "plan", "p.json"]
    assert reuse.command[-4:] == ["--seed", "1", "-o", "plans/x.json"]


def test_the_news_are_the_trajectory() -> None:
    story = [at(1.0, makespan=100, footprint=900), at(2.0, makespan=80, footprint=400)]
    row = recorded(ended({"problem": PROBLEM}, *story, at(3.0, bound=300), {"answer": answer()}))
    end = ended({"problem": PROBLEM}, *story, at(3.0, bound=60), {"answer": answer()})
    other = recorded(end, cell('objective = "makespan"'))

    assert row.incumbents == [(1.0, 900), (2.0, 400)]
    assert (row.first_s, row.best_s, row.observed) == (1.0, 2.0, True)
    assert other.incumbents == [(1.0, 100), (2.0, 80)]
    assert other.bound_steps == [(3.0, 60)]
    assert row.bound_steps == [(3.0, 300)]


def test_an_optimum_was_proved_when_value_and_bound_met() -> None:
    story = [at(1.0, makespan=60), at(2.0, bound=60)]
    plan = {"makespan": 60, "footprint": 400, "reuse_factor": 0.6}
    end = ended({"problem": PROBLEM}, *story, {"answer": answer(status="OPTIMAL", plan=plan)})
    row = recorded(end, cell('objective = "makespan"'))

    assert (row.proof_s, row.gap) == (2.0, 0.0)


def test_a_value_counts_from_when_it_met_the_target() -> None:
    """A reuse factor of 0.5 of 1000 bytes allows a footprint of 500."""
    story = [at(1.0, makespan=70, footprint=900), at(2.0, makespan=80, footprint=500)]
    asked = cell('objective = "makespan"\nreuse-factor = 0.5')
    row = recorded(ended({"problem": PROBLEM}, *story, {"answer": answer()}), asked)

    assert row.incumbents == [(2.0, 80)]
    assert row.target == 0.5


def test_a_missed_target_has_no_value_and_keeps_the_best_plan() -> None:
    missed = {"makespan": 80, "footprint": 900, "reuse_factor": 0.1}
    row = recorded(ended({"problem": PROBLEM}, {"answer": answer(status="UNKNOWN", plan=None, missed=missed)}))

    assert (row.value, row.gap, row.plan, row.plan_file) == (None, None, None, None)
    assert row.missed is not None
    assert row.missed.footprint == 900
    assert row.bound == 300


def test_a_proof_that_there_is_no_plan_is_dated() -> None:
    row = recorded(ended({"problem": PROBLEM}, {"answer": answer(status="INFEASIBLE", plan=None, reason="too small")}))

    assert (row.status, row.proof_s, row.reason) == ("INFEASIBLE", 8.0, "too small")


def test_a_killed_search_keeps_what_it_told_even_when_its_last_line_is_torn() -> None:
    story = [{"problem": PROBLEM}, at(1.0, footprint=900)]
    row = recorded(ended(*story, end="time", code=-9, torn=b'{"at": 2.0, "foot'))

    assert (row.ended, row.status, row.value) == ("time", None, None)
    assert row.incumbents == [(1.0, 900)]
    assert row.problem.digest == "sha256:d"
    assert "10 s and the grace of 5 s" in row.reason


@pytest.mark.parametrize(
    ("end", "fate", "says"),
    [
        (ended(end="memory", code=-9, peak_memory=10**9), "memory", "killed with 1GB resident: its limit is 500MB"),
        (ended(end="memory", code=71), "memory", "refused"),
        (ended(end="signal", code=-11, stderr="Fatal"), "crashed", "SIGSEGV"),
        (ended(code=1, stderr="Traceback\nValueError: no\n"), "crashed", "exit code 1: ValueError: no"),
        (ended({"refused": "tasks: found a cycle"}), "refused", "tasks: found a cycle"),
        (ended({"problem": PROBLEM}), "crashed", "without a word"),
        (ended({"answer": answer()}, end="signal", code=-6), "crashed", "SIGABRT"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_other_end_is_a_row_with_its_reason(end: Ended, fate: str, says: str) -> None:
    row = recorded(end, cell(limits=Limits(5.0, 500 * 10**6)))

    assert row.ended == fate
    assert says in row.reason
    assert row.value is None or fate == "answered" or row.status is not None


def test_every_row_comes_back_from_its_line(tmp_path: Path) -> None:
    story = [{"problem": PROBLEM}, at(1.0, footprint=900), {"answer": answer()}]
    rows = [recorded(ended(*story)), recorded(ended(end="time", code=-9), cell("threads = 2"))]
    rows[1] = rows[1].model_copy(update={"seed": 2})
    with opened(tmp_path / "study") as ledger:
        for row in rows:
            ledger.append(row)

    assert read_rows(tmp_path / "study")[0] == tuple(rows)


def test_a_cell_is_another_one_when_anything_that_matters_changes() -> None:
    base = cell()
    others = [
        replace(base, instance=replace(base.instance, digest="sha256:g")),
        replace(base, instance=replace(base.instance, name="q.json")),
        replace(base, seed=2),
        cell('size = "1GB"'),
        cell("time-limit = 11"),
        cell(limits=Limits(5.0, 10**9)),
    ]

    assert len({c.digest for c in [base, *others]}) == 1 + len(others)
    assert len({c.plan_name for c in [base, *others]}) == 1 + len(others)
    assert cell(limits=Limits(6.0)).digest == base.digest
    assert replace(base, number=7).digest == base.digest
    assert replace(base, instance=replace(base.instance, file=Path("/elsewhere/p.json"))).digest == base.digest


def test_all_configurations_of_a_seed_come_before_the_next_seed() -> None:
    instances = [Instance(name, Path(name), "sha256:f") for name in ("p", "q")]
    made = cells(instances, [configuration(), replace(configuration(), name="B")], 2, Limits())

    assert [c.place for c in made] == [
        ("p", "A", 0), ("p", "B", 0), ("q", "A", 0), ("q", "B", 0),
        ("p", "A", 1), ("p", "B", 1), ("q", "A", 1), ("q", "B", 1),
    ]  # fmt: skip


def test_a_row_says_folders_whose_names_are_no_text(tmp_path: Path) -> None:
    row = recorded(ended({"problem": PROBLEM}, {"answer": answer()})).model_copy(update={"folder": "/tmp/\udcff"})
    with opened(tmp_path / "\udcff") as ledger:
        ledger.append(row)

    assert [row.folder for row in read_rows(tmp_path / "\udcff")[0]] == ["/tmp/\\udcff"]
