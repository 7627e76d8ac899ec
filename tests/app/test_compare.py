"""Comparing configurations: what is counted, what is claimed, what is warned of, and how it is shown."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalytic.app.compare import StudyComparison, comparison
from catalytic.app.study.row import Row
from catalytic.app.views.document import render
from catalytic.app.views.study import claims, study_csv, study_markdown, study_text
from catalytic.app.views.study_page import study_page
from catalytic.solver.errors import InputError

from .study.rows import row


def compared(*rows: Row, baseline: str | None = None) -> StudyComparison:
    return comparison(Path("study"), rows, 0, baseline)


def noisy(configuration: str, factor: float, problems: int = 8, seeds: int = 3) -> list[Row]:
    """Values around 1000 x factor that differ between problems and a little between seeds."""
    rng = Random(f"{configuration}-{factor}")
    return [
        row(f"p{p}", configuration, seed, value=round(1000 * (p + 1) * factor * rng.uniform(0.99, 1.01)), bound=900)
        for p in range(problems)
        for seed in range(seeds)
    ]


def test_a_difference_that_every_problem_shows_is_claimed() -> None:
    study = compared(*noisy("a", 1.0), *noisy("b", 0.9))

    (versus,) = study.versus
    assert versus.value is not None
    assert versus.value.count == 8
    assert versus.value.ratio == pytest.approx(0.9, rel=0.02)
    assert versus.value.claim == -1
    assert "b has smaller ones" in claims(study)[0]


def test_noise_is_not_claimed() -> None:
    study = compared(*noisy("a", 1.0), *noisy("b", 1.0))

    (versus,) = study.versus
    assert versus.value is not None
    assert versus.value.low is not None
    assert versus.value.high is not None
    assert versus.value.low <= 1 <= versus.value.high
    assert "no difference is shown" in claims(study)[0]


def test_many_seeds_of_one_problem_are_a_claim_about_that_problem_only() -> None:
    study = compared(*noisy("a", 1.0, problems=1, seeds=6), *noisy("b", 0.8, problems=1, seeds=6))

    assert study.versus[0].over == "seeds"
    assert "over 6 seeds of one problem: b has smaller ones" in claims(study)[0]


def test_the_baseline_is_chosen_and_turns_the_ratio_over() -> None:
    rows = [*noisy("a", 1.0), *noisy("b", 0.9)]
    (one,), (other,) = compared(*rows).versus, compared(*rows, baseline="b").versus

    assert (one.configuration, other.configuration) == ("b", "a")
    assert one.value is not None
    assert other.value is not None
    assert one.value.ratio * other.value.ratio == pytest.approx(1)
    with pytest.raises(InputError, match="one of a, b"):
        compared(*rows, baseline="c")


def test_configurations_stand_in_the_order_in_which_they_were_given() -> None:
    """Rows are in the order in which cells ended."""
    rows = [row("p", "c", number=2), row("p", "a", number=1), row("p", "b", number=0), row("q", "c", number=5)]

    assert [total.configuration for total in compared(*rows).totals] == ["b", "a", "c"]
    assert compared(*rows).baseline == "b"


def test_wins_count_problems_and_ties_are_told() -> None:
    study = compared(
        row("p", "a", value=10), row("p", "b", value=12), row("q", "a", value=7), row("q", "b", value=7), row("r", "b"),
        row("r", "a"),
    )  # fmt: skip

    wins = {total.configuration: (total.wins, total.sole_wins) for total in study.totals}
    assert wins == {"a": (2, 1), "b": (1, 0)}


def test_a_cell_that_only_one_side_solved_is_in_no_ratio_and_is_told() -> None:
    study = compared(
        row("p", "a", value=10), row("p", "b", value=5), row("q", "a"), row("q", "b", value=5), row("r", "a", value=4),
        row("r", "b", ended="memory"),
    )  # fmt: skip

    (versus,) = study.versus
    assert versus.value is not None
    assert (versus.value.count, versus.only, versus.only_baseline) == (1, 1, 1)
    assert "1 cell solved by b alone; 1 cell solved by a alone" in claims(study)[0]


def test_times_that_never_came_count_as_the_limit() -> None:
    """Shifted by a second: (1 + 1)(10 + 1) = 22, its root less 1."""
    study = compared(row("p", value=5, bound=5, proof_s=1.0), row("q", value=5, bound=4))

    assert study.totals[0].proof_s == pytest.approx(22**0.5 - 1)
    assert study.totals[0].proved == 1


def test_the_primal_integral_refers_to_the_best_value_anybody_found() -> None:
    """a: 1 for 2 s, then (10 - 5) / 10 until 10 s; b: 1 for 4 s, then 0."""
    study = compared(
        row("p", "a", value=10, incumbents=[(2.0, 10)]), row("p", "b", value=5, incumbents=[(4.0, 5)])
    )  # fmt: skip

    assert {t.configuration: t.primal_integral_s for t in study.totals} == pytest.approx({"a": 6.0, "b": 4.0})
    assert study.gap_curves["a"] == ((0.0, 1.0), (2.0, 0.5))


def test_another_objective_is_not_compared_and_another_question_is_told() -> None:
    study = compared(
        row("p", "a", value=10), row("p", "b", value=400, objective="reuse"), row("p", "c", value=9, digest="sha256:x")
    )
    told = " / ".join(study.cautions)

    assert {v.configuration: v.value is None for v in study.versus} == {"b": True, "c": False}
    assert set(study.value_profile) == {"a", "c"}
    assert "another objective than a: the values of b are not compared" in told
    assert "c and a ask different questions on 1 of 1 problems" in told
    assert "one seed" in told


def test_rows_that_are_missing_or_from_elsewhere_are_told() -> None:
    study = compared(
        row("p", "a", value=10), row("p", "b", value=9), row("q", "a", value=9, machine={"cpu": "two", "cores": 2})
    )
    told = " / ".join(study.cautions)

    assert "3 of 4 cells have rows" in told
    assert "more than one machine (cpu differ)" in told


def awkward() -> StudyComparison:
    """A study with every fate, a contradiction, and names that are markup."""
    name, problem = 'a|<b> "c"', "p|<script>alert(1)</script>.json"
    rows = [
        row(problem, name, 0, value=10, bound=8),
        row(problem, name, 1, value=12, bound=12),
        row(problem, "other", 0, value=9, bound=11),
        row(problem, "other", 1, ended="crashed"),
        row("q", name, 0, ended="time", incumbents=[(1.0, 50)]),
        row("q", "other", 0, status="INFEASIBLE", proof_s=3.0),
    ]
    return compared(*rows)


def test_a_value_that_equals_its_bound_does_not_look_as_if_it_differed() -> None:
    """22969 ms are 23.0 s to the nearest and 22.9 s rounded down, as bounds are."""
    study = compared(row("p", "a", value=22_969, bound=22_969), row("q", "a", value=22_969, bound=22_900))

    table = study_text(study, width=120)

    assert re.search(r"a .*23s +0% +22\.9s", table)
    assert re.search(r"a .*23s +0% += value", table)


def test_no_heading_is_cut_to_fit_80_columns() -> None:
    text = study_text(compared(*noisy("a", 1.0), *noisy("b", 0.9)), width=80)

    (head,) = (line for line in text.splitlines() if " solved " in line)
    assert head.startswith("config ")
    assert "…" not in head


def test_every_form_shows_the_contradiction_or_keeps_to_figures() -> None:
    study = awkward()

    assert len(study.contradictions) == 1
    for text in (study_text(study, width=100), study_markdown(study), study_page(study)):
        assert "CONTRADICTION" in text
    document = json.loads(render("catalytic-study/1", study))
    assert document["contradictions"][0]["quantity"] == "makespan"
    assert document["format"] == "catalytic-study/1"


def test_the_csv_form_has_a_line_per_problem_and_configuration_and_the_totals() -> None:
    study = awkward()
    lines = list(csv.DictReader(StringIO(study_csv(study))))

    assert len(lines) == len(study.lines) + len(study.totals)
    first = lines[0]
    assert (float(first["value"]), float(first["value_low"]), float(first["value_high"])) == (11, 10, 12)
    assert first["bound"] == "12"
    assert lines[-1]["problem"] == "(total)"


def test_the_markdown_form_is_a_table_whatever_the_names() -> None:
    lines = study_markdown(awkward()).splitlines()
    table = [line for line in lines if line.startswith("|")]

    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert columns == {14, 12}


def test_the_page_needs_nothing_from_elsewhere_and_is_well_formed() -> None:
    page = study_page(awkward())

    assert not re.search(r"https?://|src=|@import|url\(|<script", page)
    assert "prefers-color-scheme: dark" in page
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) >= 3
    for picture in pictures:
        ElementTree.fromstring(picture)
    body = page[page.index("<body>") : page.index("</html>")]
    for tag in ("table", "figure", "ul", "div"):
        assert len(re.findall(rf"<{tag}\b", body)) == body.count(f"</{tag}>")


def test_the_curve_of_a_profile_is_drawn_where_its_steps_are() -> None:
    """Two problems; b is twice as bad on one: its line starts at 1/2 and reaches 1 at a ratio of 2."""
    study = compared(row("p", "a", value=10), row("p", "b", value=20), row("q", "a", value=10), row("q", "b", value=10))
    assert study.value_profile == {"a": ((1.0, 1.0),), "b": ((1.0, 0.5), (2.0, 1.0))}
    picture = re.findall(r"<svg viewBox.*?</svg>", study_page(study), flags=re.DOTALL)[0]
    (start, height, place, top) = map(
        float, re.findall(r'class="line s1"[^>]*d="M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)', picture)[0]
    )

    assert (start, top) == (56.0, 16.0)
    assert height == pytest.approx((16 + 380 - 48) / 2)
    assert place > 700


fates = st.sampled_from(["answered", "time", "memory", "refused", "crashed"])
cells = st.tuples(
    st.sampled_from("pqr"),
    st.sampled_from("abc"),
    st.integers(0, 2),
    st.none() | st.integers(0, 3) | st.integers(0, 10**12),
    st.none() | st.integers(0, 3) | st.integers(0, 10**12),
    st.sampled_from(["reuse", "makespan"]),
    fates,
)


@settings(deadline=None, max_examples=60)
@given(st.lists(cells, min_size=1, max_size=12, unique_by=lambda cell: cell[:3]))
def test_whatever_cells_there_are_every_form_can_be_made(
    places: list[tuple[str, str, int, int | None, int | None, str, str]],
) -> None:
    objective = {configuration: goal for _, configuration, _, _, _, goal, _ in places}
    rows = [
        row(p, c, s, value=v if fate == "answered" else None, bound=b, objective=objective[c], ended=fate)
        for p, c, s, v, b, _, fate in places
    ]
    study = compared(*rows)

    assert sum(total.cells for total in study.totals) == len(rows)
    for total in study.totals:
        assert total.sole_wins <= total.wins <= 3
        assert total.primal_integral_s is None or 0 <= total.primal_integral_s <= study.horizon_s + 1e-9
    json.loads(render("catalytic-study/1", study))
    assert study_text(study, width=80)
    assert study_markdown(study)
    assert len(study_csv(study).splitlines()) == 1 + len(study.lines) + len(study.totals)
    for picture in re.findall(r"<svg.*?</svg>", study_page(study), flags=re.DOTALL):
        ElementTree.fromstring(picture)


def test_a_name_with_a_line_break_is_one_line_of_every_table() -> None:
    """File names may hold them; the lines below would be those of other problems."""
    study = compared(row("p\n|q", "a\nb", value=10), row("p\n|q", "c", value=9))

    text, markdown = study_text(study, width=100), study_markdown(study)

    assert "\np\\n|q\n  a\\nb" in text
    assert text.count("  c  ") == 1  # in the table of problems
    assert "baseline a\\nb\n" in text
    assert all(line.endswith("|") for line in markdown.splitlines() if line.startswith("|"))
    assert not any(line.startswith("b") for line in (text + "\n" + markdown).splitlines())
