"""The picture of a frontier: XML that anybody reads, every plan at its place, nothing found below what is proved."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from catalytic.app.pareto import FloorStep, FrontierPoint, ParetoAnswer
from catalytic.app.views.pareto import pareto_report
from catalytic.app.views.svg_frontier import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, svg_frontier

SVG = "{http://www.w3.org/2000/svg}"


def point(footprint: int, makespan_s: float, least_s: float | None, name: str = "point.json") -> FrontierPoint:
    proved = least_s == makespan_s
    gap = 0.0 if least_s is None else (makespan_s - least_s) / makespan_s
    method, evidence = (None, None) if least_s is None else ("cp_sat", "SOLVER_CLAIM")
    return FrontierPoint(
        1 - footprint / 1000, footprint, makespan_s, least_s, method, evidence, proved, gap, name
    )  # fmt: skip


def answer(points: list[FrontierPoint], floor: list[FloorStep], least: int | None = None) -> ParetoAnswer:
    return ParetoAnswer(
        name="a <name> & more",
        allocated=1000,
        workspace_size=10_000,
        partition_count=2,
        workers=3,
        tasks=7,
        inputs="external",
        outputs="export",
        points=tuple(points),
        floor=tuple(floor),
        least_footprint=least,
        footprint_method="working_set" if least is not None else None,
        footprint_evidence="CERTIFICATE" if least is not None else None,
        largest_reuse_factor=None if least is None else 1 - least / 1000,
        searches=(),
        folder=Path("folder"),
        picture=Path("folder/frontier.svg"),
        seconds=1.5,
        time_limit_s=10,
        notes=(),
    )


THREE = answer(
    [point(200, 9, 9, "p1"), point(300, 6, 4, "p2"), point(500, 3, 3, "p3")],
    [FloorStep(250, 9, "cp_sat", "SOLVER_CLAIM"), FloorStep(10_000, 3, "critical_path", "CERTIFICATE")],
    least=180,
)


def circles(root: ElementTree.Element) -> list[tuple[float, float, str]]:
    """(x, y, title) of the plans; the two of the legend have no title."""
    return [
        (float(c.get("cx") or "nan"), float(c.get("cy") or "nan"), c.findtext(f"{SVG}title") or "")
        for c in root.iter(f"{SVG}circle")
        if c.find(f"{SVG}title") is not None
    ]


def corners(root: ElementTree.Element, kind: str) -> list[tuple[float, float]]:
    """The corners of a path that is written with absolute M, L, H and V."""
    (path,) = (p for p in root.iter(f"{SVG}path") if p.get("class") == kind)
    found: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([MLHV])\s*([-\d. ]+)", path.get("d") or ""):
        values = [float(n) for n in numbers.split()]
        x, y = found[-1] if found else (0.0, 0.0)
        found.append({"H": (values[0], y), "V": (x, values[0])}.get(command, (values[0], values[-1])))
    return found


def height_at(line: list[tuple[float, float]], x: float) -> float:
    """The lowest pixel (largest y) that the line has at or left of ``x``: what it says there."""
    return max(y for left, y in line if left <= x + 1e-6)


def test_every_plan_is_a_circle_with_its_figures() -> None:
    root = ElementTree.fromstring(svg_frontier(THREE))
    found = circles(root)

    assert [title.split(":")[0] for _, _, title in found] == ["p1", "p2", "p3"]
    assert "reuse factor 0.8000, 200B, 9s (= bound, SOLVER_CLAIM)" in found[0][2]
    assert "at least 4s" in found[1][2]
    for x, y, _ in found:
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM
    assert found[0][0] < found[1][0] < found[2][0]
    assert found[0][1] < found[1][1] < found[2][1]  # pixels grow downwards
    # To one scale: 100 bytes against 200, 3 seconds each.
    assert (found[2][0] - found[1][0]) / (found[1][0] - found[0][0]) == pytest.approx(2, rel=1e-3)
    assert (found[2][1] - found[1][1]) / (found[1][1] - found[0][1]) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize("seed", range(30))
def test_the_proved_line_never_lies_above_the_found_one(seed: int) -> None:
    """For plans and bounds that agree, whatever the scales; a proved plan lies on the border."""
    rng = Random(seed)
    footprints = sorted(rng.sample(range(1, 1000), rng.randint(1, 6)))
    slowest = rng.choice((10, 10_000))
    makespans = sorted((rng.uniform(1, slowest) for _ in footprints), reverse=True)
    ceilings = sorted(rng.sample(range(footprints[0], 2000), rng.randint(0, 5)))
    floor, least = [], 0.0
    for ceiling in reversed(ceilings):
        allowed = min(m for f, m in zip(footprints, makespans, strict=True) if f <= ceiling)
        bound = rng.uniform(0.05, 1.0) * allowed
        if bound > least:
            floor.append(FloorStep(ceiling, bound, "cp_sat", "SOLVER_CLAIM"))
            least = bound
    points = [point(f, m, None) for f, m in zip(footprints, makespans, strict=True)]
    picture = svg_frontier(answer(points, floor[::-1], least=rng.choice((None, footprints[0]))))
    root = ElementTree.fromstring(picture)

    border = corners(root, "proved")
    for x, y, _ in circles(root):
        assert y <= height_at(border, x) + 0.02
    assert all(a[0] <= b[0] + 0.01 for a, b in itertools.pairwise(border))
    assert len(corners(root, "found")) == 2 * len(points)


def test_many_times_slower_plans_get_a_logarithmic_scale_that_is_named() -> None:
    wide = answer([point(200, 9000, 9, "p1"), point(300, 9, 9, "p2")], [FloorStep(999, 9, "x", "CERTIFICATE")])

    assert "logarithmic" in svg_frontier(wide)
    assert "logarithmic" not in svg_frontier(THREE)


def test_the_picture_has_colours_for_light_and_dark_and_needs_nothing_from_outside() -> None:
    picture = svg_frontier(THREE)

    assert "prefers-color-scheme: dark" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in picture
    assert "a &lt;name&gt; &amp; more" in picture


@pytest.mark.parametrize(
    "found",
    [
        answer([point(0, 0.001, None)], []),
        answer([point(500, 3, 3)], [FloorStep(500, 3, "cp_sat", "SOLVER_CLAIM")], least=500),
        answer([point(500, 3, 3), point(501, 2.999, 2)], [FloorStep(500, 3, "cp_sat", "SOLVER_CLAIM")], least=500),
    ],
    ids=["nothing", "one", "close"],
)
def test_small_frontiers_are_drawn_too(found: ParetoAnswer) -> None:
    root = ElementTree.fromstring(svg_frontier(found))

    assert len(circles(root)) == len(found.points)
    assert pareto_report(found, width=80)


def test_the_table_says_what_is_proved_beside_what_was_found() -> None:
    text = pareto_report(THREE, width=100)

    assert text.splitlines()[0] == (
        "a <name> & more: frontier of 3 plans, 2 proved | reuse factor 0.5000 to 0.8000 | makespan 3s to 9s | "
        "found in 1.5s"
    )
    rows = [line.split() for line in text.splitlines() if line.startswith("p") and line[1].isdigit()]
    assert [row[0] for row in rows] == ["p1", "p2", "p3"]
    assert rows[0][-3:] == ["=", "bound", "0%"]
    assert rows[1][-2:] == ["4s", "33%"]
    assert "footprint at least 180B, reuse factor at most 0.8200 (working_set, CERTIFICATE)" in text
    assert "with at most 250B: makespan at least 9s (cp_sat, SOLVER_CLAIM)" in text
