"""What ``bound`` answers on problems whose least peak is known by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalytic.app import bound as use_case
from catalytic.app.bound import BoundAnswer, BoundRequest, bound_problem
from catalytic.app.sources import Shape
from catalytic.app.views.bound import bound_report
from catalytic.solver.budget import Budget
from catalytic.solver.plan import Bound, Evidence
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Pool, Problem, Workspace
from catalytic.solver.units import Bytes

from .orders import PAGE, answered, pages, task, two_branches, two_pools, written
from .problems import KIB, chain

QUICK = Budget(4.0, 1)
AS_IT_IS = Shape()


def bounded(problem: Problem, folder: Path, shape: Shape = AS_IT_IS, budget: Budget = QUICK) -> BoundAnswer:
    """The answer for ``problem``, read from a file."""
    return bound_problem(BoundRequest(written(problem, folder), shape, budget))


def test_a_chain_needs_two_buffers_and_the_bound_proves_it(tmp_path: Path) -> None:
    """Six buffers of 64 KiB, two of which live while a task runs: 1 - 2/6."""
    answer = bounded(chain(6), tmp_path)

    assert (answer.peak, answer.lower, answer.gap, answer.proved) == (128 * KIB, 128 * KIB, 0.0, True)
    assert answer.evidence == "CERTIFICATE"
    assert answer.largest_reuse_factor == answer.order_reuse_factor == pytest.approx(2 / 3)
    assert answer.forced is not None
    assert answer.forced.bytes == 128 * KIB
    assert [(w.partitions, w.least, w.placed) for w in answer.workspaces] == [
        (2, 128 * KIB, 128 * KIB),
        (1, 128 * KIB, 128 * KIB),
    ]


def test_peak_and_bound_stay_on_their_sides_of_the_truth(tmp_path: Path) -> None:
    """Two branches need 10 pages, whether or not the search proves it."""
    answer = bounded(two_branches(), tmp_path)

    assert answer.lower <= 10 * PAGE == answer.peak
    assert answer.proved == (answer.lower == 10 * PAGE)
    assert answer.gap == pytest.approx((answer.peak - answer.lower) / answer.peak)
    assert answer.peak_task in ("shrink-1", "shrink-2")


@pytest.mark.parametrize(
    ("inputs", "outputs", "peak"),
    [
        (InputPolicy.EXTERNAL, OutputPolicy.EXPORT, 3),  # b: 1 + 2
        (InputPolicy.EXTERNAL, OutputPolicy.KEEP, 4),  # both outputs at the end; c before b: 2 + 1 + 2
        (InputPolicy.LAZY, OutputPolicy.EXPORT, 6),  # a: 5 + 1
        (InputPolicy.LAZY, OutputPolicy.KEEP, 6),  # a: 5 + 1, then c: 1 + 3 + 2, then b: 2 + 1 + 2
        (InputPolicy.PRELOAD, OutputPolicy.DISCARD, 9),  # a first: 5 + 3 + 1; c first: 5 + 3 + 2
    ],
)
def test_the_policies_move_the_figures(inputs: InputPolicy, outputs: OutputPolicy, peak: int, tmp_path: Path) -> None:
    """``a`` reads 5 pages and writes 1; ``b`` reads that one and writes 2; ``c`` reads 3 and writes 2."""
    question = pages(
        task("a", "in-a", "x"),
        task("b", "x", "y"),
        task("c", "in-c", "z"),
        sizes={"in-a": 5, "in-c": 3, "x": 1, "y": 2, "z": 2},
    )

    answer = bounded(question, tmp_path, Shape(inputs=inputs, outputs=outputs))

    assert answer.peak == peak * PAGE
    assert answer.lower <= answer.peak
    assert (answer.inputs, answer.outputs) == (inputs.value, outputs.value)
    assert answer.external_bytes == 8 * PAGE


def test_pools_are_told_apart_and_their_peaks_add_up(tmp_path: Path) -> None:
    answer = bounded(two_pools(), tmp_path)

    assert answer.peak == 5 * PAGE
    assert [(p.pool, p.least, p.forced.task, p.peak, p.limit) for p in answer.pools] == [
        ("image", 2 * PAGE, "d", 2 * PAGE, None),
        ("text", 3 * PAGE, "b", 3 * PAGE, 4 * PAGE),
    ]
    assert answer.workspaces[0].placed == 5 * PAGE


def test_a_pool_whose_limit_is_too_small_makes_every_workspace_too_small(tmp_path: Path) -> None:
    question = replace(two_pools(), pools=(Pool("text", "text", None, Bytes(2 * PAGE)),))

    answer = bounded(question, tmp_path)

    assert [w.placed for w in answer.workspaces] == [None]
    assert "'text' is limited to 8.19kB and needs 12.3kB (12288 bytes)" in bound_report(answer, width=200)


def test_in_place_lowers_what_is_needed(tmp_path: Path) -> None:
    over = replace(task("b", "x", "y"), in_place=(("y", "x"),))

    answer = bounded(pages(task("a", "", "x"), over, sizes={"x": 4, "y": 4}), tmp_path)

    assert (answer.peak, answer.lower, answer.proved) == (4 * PAGE, 4 * PAGE, True)


def test_buffers_that_do_not_pack_raise_the_least_workspace(tmp_path: Path) -> None:
    """Three buffers of 6 pages in two partitions: two must share one."""
    two = Workspace(Bytes(64 * PAGE), 2, PAGE, Isolation.SHARED)

    answer = bounded(pages(task("wide", "", "x y z"), sizes={"x": 6, "y": 6, "z": 6}, workspace=two), tmp_path)

    assert [(w.partitions, w.least // PAGE, w.least_task, w.placed) for w in answer.workspaces] == [
        (2, 24, "wide", 24 * PAGE),
        (1, 18, None, 18 * PAGE),
    ]
    assert "(the buffers of task 'wide' do not pack into less)" in bound_report(answer, width=200)


def test_nothing_resident_is_nothing_to_bound(tmp_path: Path) -> None:
    answer = bounded(pages(task("a", "in"), sizes={"in": 3}), tmp_path)

    assert (answer.peak, answer.lower, answer.evidence) == (0, 0, None)
    assert answer.largest_reuse_factor is None
    assert "nothing is placed" in bound_report(answer, width=80)


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (Evidence.CERTIFICATE, "Anybody can check it"),
        (Evidence.EXHAUSTIVE, "A search of this program"),
        (Evidence.SOLVER_CLAIM, "the word of a solver"),
    ],
    ids=lambda value: value.value if isinstance(value, Evidence) else "",
)
def test_each_grade_of_evidence_is_said_in_plain_words(
    evidence: Evidence, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = two_branches()
    found = answered(question, ("grow-1", "shrink-1", "grow-2", "shrink-2", "join"), 10 * PAGE, evidence)
    monkeypatch.setattr(use_case, "search_order", lambda *_, **__: found)

    answer = bounded(question, tmp_path)
    text = " ".join(bound_report(answer, width=80).split())

    assert answer.proved
    assert f"PROVED ({evidence.value})" in text
    assert words in text
    assert ("solver CP-SAT, seed 7, workers 2" in text) == (evidence is Evidence.SOLVER_CLAIM)


def test_of_equal_bounds_the_best_known_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = two_branches()
    found = answered(question, ("grow-1", "shrink-1", "grow-2", "shrink-2", "join"), 10 * PAGE, Evidence.SOLVER_CLAIM)
    others = (
        Bound("peak_live", 9 * PAGE, "working_set", Evidence.CERTIFICATE),
        Bound("peak_live", 10 * PAGE, "order_search", Evidence.EXHAUSTIVE),
    )
    monkeypatch.setattr(use_case, "search_order", lambda *_, **__: replace(found, bounds=(*found.bounds, *others)))

    answer = bounded(question, tmp_path)

    assert [b.evidence for b in answer.bounds] == ["EXHAUSTIVE", "SOLVER_CLAIM", "CERTIFICATE"]
    assert answer.evidence == "EXHAUSTIVE"


def test_without_a_proof_nothing_is_called_proved_or_optimal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = two_branches()
    found = answered(question, ("grow-1", "shrink-1", "grow-2", "shrink-2", "join"), 9 * PAGE)
    monkeypatch.setattr(use_case, "search_order", lambda *_, **__: found)

    answer = bounded(question, tmp_path)
    text = bound_report(answer, width=80)

    assert not answer.proved
    assert answer.gap == pytest.approx(0.1)
    assert answer.largest_reuse_factor == pytest.approx(1 - 9 / 19)
    assert answer.order_reuse_factor == pytest.approx(1 - 10 / 19)
    assert "least peak from 36.9kB to 41kB, gap 10%" in text
    assert "a sequential plan was placed in 41kB (40960 bytes)" in " ".join(text.split())
    assert "PROVED" not in text
    assert "optimal" not in text.lower()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("question", [chain(6), two_branches(), two_pools()], ids=["chain", "branches", "pools"])
def test_a_report_is_no_wider_than_asked(question: Problem, width: int, tmp_path: Path) -> None:
    text = bound_report(bounded(question, tmp_path), width=width)

    assert max(map(len, text.splitlines()[1:])) <= width
    assert "without recomputation or spilling" in " ".join(text.split())
    assert "inputs external, outputs export" in " ".join(text.split())


def test_the_answer_comes_within_the_time_limit(tmp_path: Path) -> None:
    assert bounded(two_branches(), tmp_path, budget=Budget(1.0, 1)).seconds <= 2.0
