"""Gates: what they say, exactly, and what is no gate."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.gates import METRICS, parse_gates
from catalytic.solver.errors import InputError


def passes(text: str, before: str | None, after: str | None) -> bool:
    (gate,) = parse_gates([text])
    return gate.passes(*(None if value is None else Fraction(value) for value in (before, after)))


@pytest.mark.parametrize(
    ("text", "before", "after", "expected"),
    [
        ("makespan+5%", "100", "105", True),
        ("makespan+5%", "100", "105.001", False),
        ("makespan+5%", "100", "1", True),
        ("makespan+0.1s", "1", "1.1", True),
        ("makespan+100ms", "1", "1.101", False),
        ("footprint+0", "4096", "4096", True),
        ("footprint+0", "4096", "4097", False),
        ("footprint+64MiB", "0", str(64 * 2**20), True),
        ("footprint+64MiB", "0", str(64 * 2**20 + 1), False),
        ("footprint + 1.5 kB", "0", "1500", True),
        ("reuse_factor-0.01", "0.8", "0.79", True),
        ("reuse_factor-0.01", "0.8", "0.7899999", False),
        ("reuse-factor-0.01", "0.8", "0.9", True),
        ("reuse_factor-10%", "-0.5", "-0.55", True),
        ("reuse_factor-10%", "-0.5", "-0.56", False),
        ("reuse_edges+2", "5", "8", False),
        ("gap+.05", "0", "0.05", True),
        ("makespan+5%", "0", "0.001", False),
        ("reuse_factor-0.01", None, None, True),
        ("reuse_factor-0.01", "0.5", None, False),
        ("reuse_factor-0.01", None, "0.5", False),
    ],
)
def test_a_gate_passes_up_to_its_amount_and_not_beyond(
    text: str, before: str | None, after: str | None, expected: bool
) -> None:
    assert passes(text, before, after) is expected


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(METRICS)),
    st.sampled_from("+-"),
    st.integers(0, 10**6),
    st.integers(-(10**9), 10**9),
    st.integers(-(10**9), 10**9),
)
def test_a_gate_is_its_definition(metric: str, sign: str, amount: int, before: int, after: int) -> None:
    """Absolute: the change in the direction of the sign. Relative: the same, as a share of the old value."""
    change = after - before if sign == "+" else before - after

    assert passes(f"{metric}{sign}{amount}", str(before), str(after)) == (change <= amount)
    assert passes(f"{metric}{sign}{amount}%", str(before), str(after)) == (100 * change <= amount * abs(before))


@pytest.mark.parametrize(
    ("text", "part", "says"),
    [
        ("makespan", "the whole", "METRIC+AMOUNT"),
        ("", "the whole", "METRIC+AMOUNT"),
        ("+5", "the whole", "METRIC+AMOUNT"),
        ("makspan+5%", "the metric", "did you mean 'makespan'?"),
        ("makespan+-5", "the metric", "one of makespan"),
        ("makespan+", "the amount", "a number"),
        ("makespan+five", "the amount", "a number"),
        ("makespan+5GB", "the amount", "one of ms, s"),
        ("makespan+5%s", "the amount", "a number"),
        ("footprint+5 parsecs", "the amount", "mib"),
        ("reuse_factor-1s", "the amount", "a number, alone or with %"),
        ("makespan+nan", "the amount", "a number"),
        ("makespan+1e3", "the amount", "a number"),
        pytest.param("makespan+" + "9" * 5000, "the amount", "a number", id="digits"),
    ],
)
def test_what_is_no_gate_is_refused_with_place_found_and_allowed(text: str, part: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_gates(["footprint+0", text])

    (mistake,) = refused.value.mistakes
    assert mistake.path == f"{part} of gate 2"
    assert says in f"{mistake.allowed}; {mistake.hint}"


def test_the_mistakes_of_all_gates_come_together() -> None:
    with pytest.raises(InputError) as refused:
        parse_gates(["makspan+1", "footprint+0", "gap", "footprint+x"])

    assert [m.path for m in refused.value.mistakes] == [
        "the metric of gate 1", "the whole of gate 3", "the amount of gate 4",
    ]  # fmt: skip
