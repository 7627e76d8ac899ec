"""What cannot all be true is found, and nothing else is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.study.contradictions import contradictions

from .rows import row


def test_a_value_below_another_cell_s_bound_is_a_contradiction() -> None:
    (found,) = contradictions([row(configuration="a", value=90, bound=50), row(configuration="b", value=120, bound=95)])

    assert (found.quantity, found.value, found.bound) == ("makespan", 90, 95)
    assert (found.plan.configuration, found.proof.configuration) == ("a", "b")
    assert "90 ms" in str(found)
    assert "95 ms (m, CERTIFICATE)" in str(found)


def test_a_bound_on_bytes_holds_for_plans_of_any_objective_and_target() -> None:
    """The plan for the makespan has a footprint of 500."""
    rows = [
        row(configuration="a", value=90, bound=50, target=0.3),
        row(configuration="b", bound=501, objective="reuse"),
    ]

    assert [c.quantity for c in contradictions(rows)] == ["footprint"]
    assert contradictions([rows[0], row(configuration="b", bound=500, objective="reuse")]) == ()


def test_a_bound_on_the_makespan_holds_only_for_plans_that_reach_its_target() -> None:
    """A footprint of 500 of 1000 bytes is a reuse factor of exactly 0.5."""
    plan = row(configuration="a", value=90)

    assert contradictions([plan, row(configuration="b", bound=95, target=0.51)]) == ()
    assert len(contradictions([plan, row(configuration="b", bound=95, target=0.5)])) == 1
    assert len(contradictions([plan, row(configuration="b", bound=95)])) == 1


def test_a_plan_refutes_a_proof_that_there_is_none() -> None:
    rows = [row(configuration="a", value=90), row(configuration="b", status="INFEASIBLE", target=0.5)]

    assert [c.quantity for c in contradictions(rows)] == ["feasibility"]
    assert contradictions([rows[0], row(configuration="b", status="INFEASIBLE", target=0.6)]) == ()


def test_a_plan_that_missed_its_target_refutes_too() -> None:
    missed = {"makespan": 90, "footprint": 500, "reuse_factor": 0.5}
    rows = [row(configuration="a", target=0.9, missed=missed), row(configuration="b", bound=95, target=0.4)]

    assert len(contradictions(rows)) == 1


def test_other_problems_have_nothing_to_do_with_it() -> None:
    rows = [row("p", "a", value=90), row("p", "b", bound=95, digest="sha256:with-more-workers")]

    assert contradictions(rows) == ()


values = st.none() | st.integers(400, 600)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(values, values, st.sampled_from([None, 0.4, 0.5, 0.6])), min_size=1, max_size=5))
def test_a_contradiction_is_found_exactly_when_some_pair_makes_one(
    cells: list[tuple[int | None, int | None, float | None]],
) -> None:
    """The definition, pair by pair; every plan has a reuse factor of 0.5."""
    rows = [row(seed=k, value=v, bound=b, target=t) for k, (v, b, t) in enumerate(cells)]
    expected = any(
        value is not None and bound is not None and value < bound and (target is None or target <= 0.5)
        for value, _, _ in cells
        for _, bound, target in cells
    )

    assert bool(contradictions(rows)) == expected
