"""The still picture: the same strokes as SVG and as PNG, at the places and moments that the plan says."""

from __future__ import annotations

import builtins
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest

from catalytic.app.report import report_of
from catalytic.app.views.report import colours, picture, png, svg
from catalytic.app.views.report.picture import LEFT, RIGHT, WIDTH, Box, Label, Picture, drawn
from catalytic.solver.errors import InputError
from catalytic.solver.plan import Plan
from tests.app.report_plans import HOSTILE, wide_plan
from tests.builders import random_plan

SVG = "{http://www.w3.org/2000/svg}"
PLAN = wide_plan(50, workers=5, partitions=3)


def of(plan: Plan) -> Picture:
    return drawn(report_of(plan))


def boxes(found: Picture, *kinds: str) -> list[Box]:
    return [s for s in found.strokes if isinstance(s, Box) and s.kind.startswith(kinds)]


def words(found: Picture) -> list[str]:
    return [s.text for s in found.strokes if isinstance(s, Label)]


def x_of(plan: Plan, moment: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * moment / plan.measures.makespan


def test_every_task_and_every_buffer_is_drawn_at_its_moments() -> None:
    found = of(PLAN)
    tasks = {b.title.split(":")[0]: b for b in boxes(found, "task", "critical") if b.title}
    regions = {b.title.split(":")[0]: b for b in boxes(found, "pool")}

    assert sorted(tasks) == sorted(t.id for t in PLAN.tasks)
    assert sorted(regions) == sorted(r.buffer for r in PLAN.regions)
    for t in PLAN.tasks:
        assert tasks[t.id].x == pytest.approx(x_of(PLAN, t.start))
        assert tasks[t.id].x + tasks[t.id].width == pytest.approx(x_of(PLAN, t.end), abs=1.01)
    for r in PLAN.regions:
        assert regions[r.buffer].x == pytest.approx(x_of(PLAN, r.lifetime.birth))


@pytest.mark.parametrize("seed", range(20))
def test_no_two_tasks_lie_upon_each_other_and_no_two_buffers_but_in_place(seed: int) -> None:
    plan = random_plan(Random(seed))
    found = of(plan)
    may_share = {frozenset(pair) for t in plan.problem.tasks for pair in t.in_place}

    for kinds in (("task", "critical"), ("pool",)):
        shown = [b for b in boxes(found, *kinds) if b.title]
        for p, q in combinations(shown, 2):
            apart = 0.01
            over = p.x + apart < q.x + q.width and q.x + apart < p.x + p.width
            upon = p.y + apart < q.y + q.height and q.y + apart < p.y + p.height
            names = frozenset((p.title.split(":")[0], q.title.split(":")[0]))
            assert not (over and upon) or names in may_share or "scratch" in p.title + q.title, (p, q)


def test_everything_stays_within_the_picture() -> None:
    for plan in (PLAN, *(random_plan(Random(seed)) for seed in range(20))):
        found = of(plan)
        for b in boxes(found, ""):
            assert min(b.x, b.y) >= 0 and b.x + b.width <= found.width and b.y + b.height <= found.height


def test_names_are_written_where_they_fit() -> None:
    found = of(PLAN)
    labels = [s for s in found.strokes if isinstance(s, Label) and s.kind == "name"]
    around = boxes(found, "task", "critical", "pool")

    assert labels
    for label in labels:
        inside = [b for b in around if b.x <= label.x <= b.x + b.width and b.y <= label.y <= b.y + b.height and b.title]
        assert any(label.x + 11 * 0.42 * len(label.text) * 0.8 <= b.x + b.width for b in inside), label


def test_the_svg_is_self_contained_xml_with_every_title() -> None:
    plan = wide_plan(40, names=dict(enumerate(HOSTILE)))
    plan = replace(plan, problem=replace(plan.problem, name=HOSTILE[0]))

    text = svg.render(of(plan)).decode("utf-8")
    root = ElementTree.fromstring(text)

    shown = {e.text for e in root.iter(f"{SVG}title")}
    assert HOSTILE[0] in shown
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg",
        "title",
        "style",
        "rect",
        "path",
        "polygon",
        "text",
    }
    assert "@import" not in text and "url(" not in text and "href" not in text and "<script" not in text
    assert "prefers-color-scheme: dark" in text
    assert sum(1 for e in root.iter(f"{SVG}rect")) == 1 + len(boxes(of(plan), ""))


def test_every_kind_of_stroke_has_its_colours_light_and_dark() -> None:
    for plan in (PLAN, wide_plan(30, pools=12), *(random_plan(Random(seed)) for seed in range(20))):
        for stroke in of(plan).strokes:
            filled = not isinstance(stroke, picture.Line)
            for palette in (colours.LIGHT, colours.DARK):
                assert stroke.kind in (palette.fills if filled else palette.lines), stroke


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_text_has_the_contrast_that_wcag_asks_of_small_text(palette: colours.Palette) -> None:
    upon = [c for kind, c in palette.fills.items() if kind.startswith("pool") or kind in ("task", "critical")]
    for colour in upon:
        assert contrast(palette.fills["name"], colour) >= 4.5, colour
    for kind in ("title", "label", "band", "soft", "axis"):
        assert contrast(palette.fills[kind], palette.fills["paper"]) >= 4.5, kind


def test_the_page_and_the_picture_have_the_same_colours() -> None:
    from importlib.resources import files

    style = files("catalytic.app.views.report").joinpath("page.css").read_text(encoding="utf-8")
    for palette in (colours.LIGHT, colours.DARK):
        names = {"task": "task", "critical": "task-critical", "critical-mark": "critical", "free": "faint"}
        names |= {"paper": "panel", "title": "ink", "soft": "soft", "name": "text-on-pool"}
        for kind, name in names.items():
            assert f"--{name}: {palette.fills[kind]};" in style
        for k in range(8):
            assert f"--pool-{k}: {palette.fills[f'pool-{k}-0']};" in style


MACHADO: Mapping[str, Sequence[Sequence[float]]] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""How people with a full deficiency of one kind see linear RGB (Machado, Oliveira and Fernandes 2009)."""


def seen(colour: str, matrix: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The colour as CIELAB after the deficiency."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    r, g, b = (min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear, strict=True)))) for row in matrix)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("deficiency", MACHADO)
@pytest.mark.parametrize("palette", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_what_is_critical_differs_from_what_is_not_for_everybody(palette: colours.Palette, deficiency: str) -> None:
    """CIE76 differences above about 10 are seen at a glance."""
    a, b = (seen(palette.fills[kind], MACHADO[deficiency]) for kind in ("task", "critical"))

    assert sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5 > 20


@pytest.mark.parametrize("deficiency", MACHADO)
@pytest.mark.parametrize("palette", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_pools_differ_for_everybody(palette: colours.Palette, deficiency: str) -> None:
    found = [seen(palette.fills[f"pool-{k}-0"], MACHADO[deficiency]) for k in range(8)]

    for p, q in combinations(found, 2):
        assert sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) ** 0.5 > 10


def test_the_png_shows_the_boxes_of_the_picture() -> None:
    """The middle of every box that nothing else covers has its colour."""
    image_of = pytest.importorskip("PIL.Image")
    found = of(PLAN)

    image = image_of.open(io.BytesIO(png.render(found, "x.png"))).convert("RGB")

    assert image.size == (found.width * png.SCALE, found.height * png.SCALE)
    looked = 0
    labels = [s for s in found.strokes if isinstance(s, Label)]
    for b in boxes(found, "pool"):
        x, y = b.x + b.width * 0.75, b.y + b.height / 2
        if b.width < 4 or b.height < 4 or any(abs(label.y - y) < 9 for label in labels if label.kind == "name"):
            continue
        colour = "#{:02x}{:02x}{:02x}".format(*image.getpixel((round(x * png.SCALE), round(y * png.SCALE))))
        assert colour == colours.LIGHT.fills[b.kind], b
        looked += 1
    assert looked > 5


@pytest.mark.parametrize("render", [lambda p: svg.render(p), lambda p: png.render(p, "x.png")], ids=["svg", "png"])
def test_the_same_plan_gives_the_same_picture(render: Any) -> None:
    pytest.importorskip("PIL")

    assert render(of(wide_plan(50))) == render(of(wide_plan(50)))


def test_without_pillow_a_png_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def importing(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "PIL":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", importing)

    with pytest.raises(InputError, match=r"pip install 'catalytic\[report\]'"):
        png.render(of(PLAN), "x.png")


def test_where_there_are_too_many_the_largest_are_drawn_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(picture, "MOST_SHAPES", 20)
    monkeypatch.setattr(picture, "MOST_TRACKS", 3)
    monkeypatch.setattr(picture, "MOST_PARTITIONS", 2)
    found = of(PLAN)

    said = " ".join(words(found))
    assert "the 30 smallest buffers by size x lifetime not drawn" in said
    assert "the 30 shortest tasks not drawn" in said
    assert "1 partition not drawn" in said
    assert f"{report_of(PLAN).track_count - 3} track" in said
    assert len(boxes(found, "pool")) <= 20


def test_an_empty_plan_has_a_picture() -> None:
    plan = next(p for p in (random_plan(Random(seed)) for seed in range(400)) if not p.regions)

    assert "nothing is placed in the workspace" in " ".join(words(of(plan)))
