"""The picture of a placement: XML that anybody reads, each buffer once, at its place, and bounded in size."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from random import Random
from xml.etree import ElementTree

import pytest

from catalytic.app.buffer_tables import lives
from catalytic.app.views import svg_map as view
from catalytic.app.views.svg_map import HEIGHT, Chart, Picture, svg_map, svg_maps
from catalytic.solver.formats import BufferTable

SVG = "{http://www.w3.org/2000/svg}"
THREE = BufferTable.of(["a", "b", "c"], [0, 2, 4], [3, 9, 6], [4, 5, 5], alignment=1)
AT = [0, 4, 9]
MARKS = Picture("three", "ticks", height=14, bound=10, capacity=16)


def drawn(table: BufferTable, offset: list[int], marks: Picture) -> ElementTree.Element:
    return ElementTree.fromstring(svg_map(table, offset, [lives(table, b) for b in range(len(offset))], marks))


def shapes(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """id -> the element that shows the buffer."""
    titles = [(e, e.findtext(f"{SVG}title") or "") for e in root.iter() if e.tag in (f"{SVG}rect", f"{SVG}g")]
    return {title.split(":")[0]: e for e, title in titles if title}


def box(rectangle: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    x, y, width, height = (float(rectangle.get(name) or "nan") for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def test_each_buffer_is_drawn_once_at_its_place() -> None:
    found = shapes(drawn(THREE, AT, MARKS))

    assert list(found) == ["a", "b", "c"]
    assert found["b"].findtext(f"{SVG}title") == "b: 5 bytes at 4, [2, 9) ticks"
    a, b, c = (box(found[name]) for name in "abc")
    # b lies on a and under c, begins within a's lifetime, and ends last.
    assert a[1] == pytest.approx(b[3], abs=0.02) and b[1] == pytest.approx(c[3], abs=0.02)
    assert a[0] < b[0] < a[2] < c[0] < c[2] < b[2]
    # Widths and heights are to one scale: 3 moments and 4 bytes against 7 and 5.
    assert (b[2] - b[0]) / (a[2] - a[0]) == pytest.approx(7 / 3, rel=1e-3)
    assert (b[3] - b[1]) / (a[3] - a[1]) == pytest.approx(5 / 4, rel=1e-3)


def test_rectangles_overlap_only_if_buffers_do() -> None:
    found = [box(e) for e in shapes(drawn(THREE, AT, MARKS)).values()]

    for p, q in combinations(found, 2):
        apart = 0.02
        assert not (p[0] + apart < q[2] and q[0] + apart < p[2] and p[1] + apart < q[3] and q[1] + apart < p[3])


def test_a_gap_is_drawn_faintly_between_two_stretches() -> None:
    table = replace(THREE, gaps=((), ((4, 6),), ()))
    group = shapes(drawn(table, AT, MARKS))["b"]
    faint, first, second = group.findall(f"{SVG}rect")

    assert faint.get("class") == "g"
    assert box(faint)[0] == box(first)[0] and box(faint)[2] == box(second)[2]
    assert box(first)[2] < box(second)[0]
    assert group.findtext(f"{SVG}title") == "b: 5 bytes at 4, [2, 4) and [6, 9) ticks"


def test_lines_stand_at_the_bound_and_at_a_near_capacity() -> None:
    near, far = svg(MARKS), svg(replace(MARKS, capacity=10_000))

    assert 'class="bound"' in near and 'class="capacity"' in near
    assert 'class="bound"' in far and 'class="capacity"' not in far
    assert "capacity 10kB (10000 bytes)" in far


def svg(marks: Picture) -> str:
    return svg_map(THREE, AT, [lives(THREE, b) for b in range(3)], marks)


@pytest.mark.parametrize("seed", range(5))
def test_buffers_that_touch_have_different_colours(seed: int) -> None:
    """A wall of bricks of all lengths: each touches some above and below, and the ones before and after it."""
    random = Random(seed)
    bricks = []
    for level in range(12):
        joints = [0, *sorted(random.sample(range(1, 60), 14)), 60]
        bricks += [(start, end, 8 * level) for start, end in pairwise(joints)]
    random.shuffle(bricks)
    names = [str(k) for k in range(len(bricks))]
    wall = BufferTable.of(names, [b[0] for b in bricks], [b[1] for b in bricks], [8] * len(bricks), 1)

    found = shapes(drawn(wall, [b[2] for b in bricks], replace(MARKS, height=96)))

    colour = [found[name].get("class") for name in names]
    assert len(set(colour)) > 3
    for (i, p), (k, q) in combinations(enumerate(bricks), 2):
        stacked = abs(p[2] - q[2]) == 8 and p[0] < q[1] and q[0] < p[1]
        in_line = p[2] == q[2] and (p[1] == q[0] or q[1] == p[0])
        assert not (stacked or in_line) or colour[i] != colour[k], (p, q)


def test_names_that_are_no_xml_are_shown_all_the_same() -> None:
    table = replace(THREE, id=('<a&"b">', "b\x00\x1b", "ç\ud800"))

    text = svg_map(table, AT, [lives(table, b) for b in range(3)], replace(MARKS, name="x<y"))

    assert list(shapes(ElementTree.fromstring(text.encode()))) == ['<a&"b">', "b\ufffd\ufffd", "ç\ufffd"]


def test_it_is_self_contained() -> None:
    text = svg(MARKS)

    assert "<script" not in text and "@import" not in text and "href" not in text and "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_where_there_are_too_many_the_largest_are_drawn_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(view, "MOST_BYTES", 2000)
    n = 100
    table = BufferTable.of([f"t{k}" for k in range(n)], list(range(n)), [k + 1 for k in range(n)], range(n), 1)

    root = drawn(table, [0] * n, replace(MARKS, height=99))

    found = shapes(root)
    said = " ".join(e.text or "" for e in root.iter(f"{SVG}text"))
    assert 0 < len(found) < n
    assert list(found) == [f"t{k}" for k in range(n - len(found), n)]
    assert f"the {n - len(found)} smallest buffers by size x lifetime are not drawn" in said


def test_a_hundred_thousand_buffers_stay_below_twenty_megabytes() -> None:
    n = 100_000
    table = BufferTable.of(
        [f"activation-of-layer-{k}" for k in range(n)],
        [10**6 + k for k in range(n)],
        [10**6 + k + 20 for k in range(n)],
        [4096 + k % 7 for k in range(n)],
        1,
    )

    text = svg_map(
        table, [5000 * (k % 20) for k in range(n)], [lives(table, b) for b in range(n)], replace(MARKS, height=100_000)
    )

    assert len(text.encode()) < 20_000_000
    assert text.count("<title>activation") > n // 2


def test_moments_of_plans_are_seconds() -> None:
    plan = BufferTable.of(["a"], [0], [8000], [4], 1)

    root = drawn(plan, [0], Picture("p", "ms", 4, 4, None))

    said = [e.text for e in root.iter(f"{SVG}text")]
    assert "time, seconds" in said and "8s" in said


def test_several_lines_stand_below_each_other_over_one_time() -> None:
    """b is alone in the second; it begins where it would begin beside a, which is in the first."""
    first, second = THREE.only([0, 2]), THREE.only([1])
    charts = [
        Chart(first, [0, 4], [lives(first, b) for b in range(2)], replace(MARKS, name="0", bound=None)),
        Chart(second, [2], [lives(second, 0)], replace(MARKS, name="1", bound=None)),
    ]

    root = ElementTree.fromstring(svg_maps("both", charts))

    found, alone = shapes(root), shapes(drawn(THREE, AT, MARKS))
    shifts = [g.get("transform") for g in root.findall(f"{SVG}g")]
    assert shifts == ["translate(0 0)", f"translate(0 {HEIGHT})"]
    assert (root.get("viewBox") or "").split()[-1] == str(2 * HEIGHT)
    assert sorted(found) == ["a", "b", "c"]
    assert all(box(found[name])[::2] == box(alone[name])[::2] for name in "abc")
    assert "bound" not in " ".join(e.text or "" for e in root.iter(f"{SVG}text"))
