"""Verdicts and their reasons on problems whose least peak is known by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalytic.app import explain as use_case
from catalytic.app.explain import ExplainAnswer, ExplainRequest, Verdict, allowance, explain_problem
from catalytic.app.sources import Shape
from catalytic.app.views.explain import explanation
from catalytic.app.views.lines import labelled
from catalytic.app.views.live_chart import LABEL, ROWS, live_chart
from catalytic.solver.budget import Budget
from catalytic.solver.order.profile import profile
from catalytic.solver.plan import Evidence, Outcome, Status
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Pool, Problem, Workspace
from catalytic.solver.units import Bytes

from .orders import PAGE, answered, pages, task, two_branches, two_pools, written
from .problems import KIB, chain

QUICK = Budget(4.0, 1)
AS_IT_IS = Shape()
GOOD = ("grow-1", "shrink-1", "grow-2", "shrink-2", "join")
BAD = ("grow-1", "grow-2", "shrink-1", "shrink-2", "join")


def explained(problem: Problem, folder: Path, target: float | None = None, shape: Shape = AS_IT_IS) -> ExplainAnswer:
    """The answer for ``problem``, read from a file."""
    return explain_problem(ExplainRequest(written(problem, folder), target, shape, QUICK))


def searched(monkeypatch: pytest.MonkeyPatch, problem: Problem, order: tuple[str, ...], lower: int, **how: Any) -> None:
    """Let the search for orders end with ``order`` and ``lower``, and the planner find nothing."""
    found = answered(problem, order, lower, **how)
    monkeypatch.setattr(use_case, "search_order", lambda *_, **__: found)
    nothing = Outcome(Status.UNKNOWN, None, (), False, "time ran out")
    monkeypatch.setattr(use_case, "search_plan", lambda *_: nothing)


def test_a_factor_in_reach_is_shown_by_an_order_that_follows_the_rules(tmp_path: Path) -> None:
    """Two of six equal buffers live at a time: 2/3 and nothing above."""
    answer = explained(chain(6), tmp_path, 0.66)

    assert answer.verdict is Verdict.POSSIBLE
    assert [s.task for s in answer.order] == ["t0", "t1", "t2", "t3", "t4", "t5"]
    assert [s.live // KIB for s in answer.order] == [64, 128, 128, 128, 128, 128]
    assert answer.peak_at is not None
    assert (answer.peak, answer.peak_at.task, answer.peak_at.bytes) == (128 * KIB, "t1", 128 * KIB)
    assert answer.commands[0].startswith("catalytic plan ")
    assert "--reuse-factor 0.66" in answer.commands[0]


def test_a_factor_out_of_reach_is_proved_with_the_task_and_its_buffers(tmp_path: Path) -> None:
    answer = explained(chain(6), tmp_path, 0.67)

    assert answer.verdict is Verdict.IMPOSSIBLE
    # 0.33 x 393216 = 129761.28
    assert (answer.allowed, answer.limited_by) == (129761, "reuse-factor")
    assert answer.lower == 128 * KIB
    assert answer.forced is not None
    assert {s.buffer for g in answer.forced.groups for s in g.buffers} == {"b0", "b1"}
    assert any("the largest target known to work" in c for c in answer.commands)


def test_without_a_factor_the_workspace_is_the_question(tmp_path: Path) -> None:
    large, small = Shape(size=Bytes(128 * KIB), partitions=1), Shape(size=Bytes(124 * KIB), partitions=1)

    fits, not_ = explained(chain(6), tmp_path, shape=large), explained(chain(6), tmp_path, shape=small)

    assert (fits.verdict, fits.limited_by, fits.allowed) == (Verdict.POSSIBLE, "workspace", 128 * KIB)
    assert (not_.verdict, not_.limited_by) == (Verdict.IMPOSSIBLE, "workspace")
    assert any("the smallest workspace known to work" in c for c in not_.commands)


def test_a_factor_is_asked_of_the_workspace_too(tmp_path: Path) -> None:
    """A small factor leaves more than the workspace holds, and then the workspace decides."""
    small = Shape(size=Bytes(124 * KIB), partitions=1)

    answer = explained(chain(6), tmp_path, 0.1, small)

    assert (answer.verdict, answer.limited_by) == (Verdict.IMPOSSIBLE, "workspace")


def test_neither_reached_nor_disproved_says_both_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """17 pages found where 10 would do and 9 are proved; 12 of 19 are allowed."""
    question = two_branches()
    searched(monkeypatch, question, BAD, 9 * PAGE)

    answer = explained(question, tmp_path, 0.36)
    text = " ".join(explanation(answer, width=80).split())

    assert answer.verdict is Verdict.UNDECIDED
    assert f"({17 * PAGE} bytes)" in text
    assert f"({9 * PAGE} bytes)" in text
    assert "neither reached nor disproved" in text
    assert "Allow more with --time-limit." in text


def test_a_plan_that_reaches_what_the_orders_missed_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question = two_branches()
    found = answered(question, BAD, 9 * PAGE)
    monkeypatch.setattr(use_case, "search_order", lambda *_, **__: found)

    answer = explained(question, tmp_path, 0.36)

    assert answer.verdict is Verdict.POSSIBLE
    assert answer.peak <= answer.allowed
    assert profile(question, [s.task for s in answer.order]).peak == answer.peak


def test_a_proof_by_search_is_told_apart_from_the_moment_that_can_be_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search says 10 pages, the heaviest moment only shows 9: both are said, and which is which."""
    from catalytic.solver.order import Compact, peak_bounds

    question = two_branches()
    _, force = peak_bounds(Compact.of(question))
    searched(monkeypatch, question, GOOD, 10 * PAGE, evidence=Evidence.EXHAUSTIVE, force=force)

    answer = explained(question, tmp_path, 0.5)  # 9.5 of 19 pages
    text = " ".join(explanation(answer, width=80).split())

    assert answer.verdict is Verdict.IMPOSSIBLE
    assert "EXHAUSTIVE by order_search" in text
    assert answer.forced is not None
    assert answer.forced.bytes == 9 * PAGE
    assert "goes beyond what one moment shows" in text


def test_buffers_that_do_not_pack_are_a_proof(tmp_path: Path) -> None:
    """Three buffers of 6 pages in two partitions of 11: 18 of 22 pages, but two of them must share one."""
    two = Workspace(Bytes(22 * PAGE), 2, PAGE, Isolation.SHARED)
    question = pages(task("wide", "", "x y z"), task("next"), sizes={"x": 6, "y": 6, "z": 6}, workspace=two)

    answer = explained(question, tmp_path)

    assert answer.verdict is Verdict.IMPOSSIBLE
    assert answer.lower < answer.allowed
    assert "the buffers of task 'wide' do not pack into 2 partitions" in answer.reason
    assert answer.forced is not None
    assert (answer.forced.task, answer.forced.bytes) == ("wide", 18 * PAGE)
    assert "goes beyond" not in explanation(answer, width=80)


def test_a_pool_limit_that_cannot_hold_is_a_proof_whatever_the_workspace(tmp_path: Path) -> None:
    question = replace(two_pools(), pools=(Pool("text", "text", None, Bytes(2 * PAGE)),))

    answer = explained(question, tmp_path)

    assert answer.verdict is Verdict.IMPOSSIBLE
    assert answer.reason.startswith("pool 'text' is limited to 8.19kB, but while task 'b' runs it needs 12.3kB")
    assert answer.forced is not None
    assert answer.forced.bytes == 3 * PAGE
    assert answer.commands == ()


def test_an_order_must_keep_every_pool_within_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One page of text at a time is enough, but the order found has two: the workspace has room, the pool has not."""
    question = pages(task("a", "", "x"), task("b", "", "y"), task("c", "x"), task("d", "y"), sizes={"x": 1, "y": 1})
    question = replace(
        question,
        buffers=tuple(replace(b, data_type="text") for b in question.buffers),
        pools=(Pool("text", "text", None, Bytes(PAGE)),),
    )
    searched(monkeypatch, question, ("a", "b", "c", "d"), PAGE)

    answer = explained(question, tmp_path)

    assert answer.verdict is Verdict.UNDECIDED
    assert "above it: 'text' (8.19kB of 4.1kB)" in answer.reason


def test_two_pools_count_the_sum_of_their_peaks(tmp_path: Path) -> None:
    """No moment has more than 3 pages alive, yet the slices of both pools together take 5 of 5."""
    answer = explained(two_pools(), tmp_path, 0.0)

    assert (answer.peak, max(s.live for s in answer.order)) == (5 * PAGE, 3 * PAGE)
    assert answer.order[1].pools == {"image": 0, "text": 3 * PAGE}


def test_what_allocates_nothing_reaches_any_factor(tmp_path: Path) -> None:
    answer = explained(pages(task("a", "in"), sizes={"in": 3}), tmp_path, 0.9)

    assert (answer.verdict, answer.peak_at, answer.allocated) == (Verdict.POSSIBLE, None, 0)
    assert "POSSIBLE" in explanation(answer, width=80)


@pytest.mark.parametrize(
    ("inputs", "outputs", "live"),
    [
        (InputPolicy.EXTERNAL, OutputPolicy.EXPORT, [1, 3]),
        (InputPolicy.EXTERNAL, OutputPolicy.KEEP, [1, 3]),
        (InputPolicy.LAZY, OutputPolicy.DISCARD, [6, 3]),
        (InputPolicy.PRELOAD, OutputPolicy.EXPORT, [6, 3]),
    ],
)
def test_the_live_bytes_follow_the_policies(
    inputs: InputPolicy, outputs: OutputPolicy, live: list[int], tmp_path: Path
) -> None:
    question = pages(task("a", "in", "x"), task("b", "x", "y"), sizes={"in": 5, "x": 1, "y": 2})

    answer = explained(question, tmp_path, 0.0, Shape(inputs=inputs, outputs=outputs))

    assert [s.live // PAGE for s in answer.order] == live
    assert f"inputs {inputs.value}, outputs {outputs.value}" in explanation(answer, width=120)


def test_a_target_is_read_as_it_is_written() -> None:
    """In binary 1 - 0.8 falls short of a fifth; a fifth of 20 pages is 4 pages."""
    question = pages(task("a", "", "x"), sizes={"x": 20})

    assert allowance(question, 0.8) == (4 * PAGE, "reuse-factor")
    assert allowance(question, None) == (64 * PAGE, "workspace")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("target", [0.4, 0.9, None])
@pytest.mark.parametrize("question", [chain(6), two_branches(), two_pools()], ids=["chain", "branches", "pools"])
def test_an_explanation_is_no_wider_than_asked(
    question: Problem, target: float | None, width: int, tmp_path: Path
) -> None:
    """Command lines stand whole on a line of their own, so that they can be pasted."""
    text = explanation(explained(question, tmp_path, target), width=width, order=True)

    lines = [line for line in text.splitlines()[1:] if not line.startswith("  catalytic ")]
    assert max(map(len, lines)) <= width


@given(st.lists(st.integers(0, 100), min_size=1, max_size=300), st.integers(0, 120), st.integers(40, 160))
def test_a_chart_is_as_high_as_its_steps(live: list[int], allowed: int, width: int) -> None:
    chart = live_chart(live, allowed, width=width)

    if max(live) == 0:
        assert chart == ""
        return
    *lines, axis = chart.splitlines()
    assert len(lines) == ROWS
    assert max(map(len, (*lines, axis))) <= width
    assert ("┄" in chart) <= (allowed < max(live))
    full = [sum(line[LABEL:].ljust(width)[c] == "█" for line in lines) for c in range(width - LABEL)]
    assert max(full) == ROWS  # the peak fills its column


def test_a_chart_by_hand() -> None:
    """Rows of 1kB; what is allowed is the upper edge of the dotted row."""
    assert live_chart([1000, 4000, 1500], 3000, width=80, rows=4).splitlines() == [
        "    4kB │        ████████",
        "    3kB │┄┄┄┄┄┄┄┄████████┄┄┄┄┄┄┄┄",
        "        │        ████████▄▄▄▄▄▄▄▄",
        "     0B │████████████████████████",
        "         1       ^              3",
    ]


def test_a_chart_without_a_limit_has_no_dotted_line_and_a_long_order_keeps_its_peak() -> None:
    chart = live_chart([1] * 500 + [9] + [1] * 499, 9, width=60, rows=3).splitlines()

    assert [line.count("█") for line in chart] == [1, 1, 1, 0]
    assert "┄" not in "".join(chart)
    assert chart[-1].index("^") == chart[0].index("█")


def test_facts_stand_beside_their_names_and_empty_ones_are_left_out() -> None:
    text = labelled([("a", "one two three"), ("none", ""), ("long", "four")], width=14)

    assert text.splitlines() == ["a     one two", "      three", "long  four"]
