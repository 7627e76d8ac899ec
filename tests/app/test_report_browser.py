"""The page in a real browser: it draws, is silent, asks nobody for anything, and can be used with keys alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from xml.etree import ElementTree

import pytest

from catalytic.app.live_bytes import shared_in_place
from catalytic.app.report import report_of
from catalytic.app.views.report import colours, page
from catalytic.app.views.report.text import visible
from catalytic.solver.plan import Plan, ScheduledTask
from catalytic.solver.units import format_size
from tests.app.browser import Browser, browser, missing
from tests.app.report_plans import HOSTILE, wide_plan
from tests.builders import random_plan

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"no browser: {missing()}")

RIGHT, LEFT, UP, DOWN, HOME, END = "\ue014", "\ue012", "\ue013", "\ue015", "\ue011", "\ue010"
ENTER, ESCAPE, TAB, SHIFT = "\ue007", "\ue00c", "\ue004", "\ue008"
PLAN = wide_plan(80, workers=5, partitions=3)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def written(folder: Path, plan: Plan) -> Path:
    path = folder / "report.html"
    path.write_bytes(page.render(report_of(plan)))
    return path


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Browser]:
    """The page of ``PLAN``; whatever a test does, the console stays empty and nobody is asked for anything."""
    path = written(tmp_path, PLAN)
    chromium.open(path)
    yield chromium
    assert chromium.errors() == []
    assert [url for url in chromium.requests() if url not in (path.as_uri(), "data:,")] == []


def chosen(window: Browser) -> str:
    """The name of what is selected; empty for nothing."""
    return str(window.run("const e = document.querySelector('#details .id'); return e ? e.textContent : ''"))


def test_every_chart_is_drawn(opened: Browser) -> None:
    for chart in ("gantt-chart", "live-chart", "map-chart", "graph-chart"):
        assert len(opened.colours(chart)) > 3, chart
    assert opened.colours("strip-chart") == {"#1f5f99"}  # the frame; what is below it lets the panel shine through
    shown = opened.colours("gantt-chart")
    assert colours.LIGHT.fills["task"] in shown and colours.LIGHT.fills["critical"] in shown
    pools = {f"pool-{k}-{tint}" for k in range(3) for tint in range(3)}
    assert len({kind for kind in pools if colours.LIGHT.fills[kind] in opened.colours("map-chart")}) >= 3


def test_the_peak_that_the_page_draws_is_the_peak_of_the_plan(opened: Browser) -> None:
    """The script adds up the living bytes itself; the plan says what comes out."""
    assert f"at most {format_size(PLAN.measures.peak_live)}" in opened.find("live-chart").get_attribute("aria-label")
    heights = opened.run("return JSON.parse(document.getElementById('data').textContent).peak")
    assert heights == PLAN.measures.peak_live


def test_sizes_and_names_are_written_as_in_every_other_report(chromium: Browser, tmp_path: Path) -> None:
    """Script and program round alike: the table shows what ``format_size`` and ``visible`` say."""
    plan = wide_plan(20, names=dict(enumerate(HOSTILE)))
    chromium.open(written(tmp_path, plan))
    chromium.run("document.getElementById('tab-buffers').click()")
    cells = chromium.run(
        "return Array.from(document.querySelectorAll('#tables-panel tbody tr'),"
        " row => [row.children[1].querySelector('button').title, row.children[2].textContent])"
    )

    shown = {visible(r.buffer): format_size(r.length) for r in plan.regions}
    assert len(cells) == 20
    for name, bytes_ in cells:
        if "…" not in name:
            assert shown[name] == bytes_


def test_keys_move_the_selection_in_the_gantt_chart(opened: Browser) -> None:
    first, second = (t.id for t in on_one_track())

    opened.press("gantt-chart", END)
    assert chosen(opened) == PLAN.tasks[-1].id
    opened.press("gantt-chart", HOME)
    assert chosen(opened) == PLAN.tasks[0].id
    opened.press("gantt-chart", RIGHT)
    assert chosen(opened) == second
    opened.press("gantt-chart", LEFT)
    assert chosen(opened) == first == PLAN.tasks[0].id
    opened.press("gantt-chart", DOWN)
    assert chosen(opened) not in ("", first)
    assert chosen(opened) in opened.text("said")
    opened.press("gantt-chart", ESCAPE)
    assert chosen(opened) == ""


def on_one_track() -> list[ScheduledTask]:
    """The first two tasks of the track that the first task is on."""
    report = report_of(PLAN)
    track = report.tracks[0]
    return [t for t, own in zip(PLAN.tasks, report.tracks, strict=True) if own == track][:2]


def test_keys_follow_bytes_in_the_memory_map_and_edges_in_the_graph(opened: Browser) -> None:
    heir, owners = next((r, o) for r, o in PLAN.takes_over.items() if o)
    buffer = PLAN.region[heir].buffer
    before = max(owners, key=lambda o: (o.bytes, -[r.id for r in PLAN.regions].index(o.region)))

    search(opened, buffer)
    opened.press("search", ENTER)
    assert chosen(opened) == buffer
    opened.press("map-chart", LEFT)
    assert chosen(opened) == PLAN.region[before.region].buffer

    task = next(t for t in PLAN.problem.tasks if PLAN.problem.graph.predecessors[t.id])
    search(opened, task.id)
    opened.press("search", ENTER)
    opened.run(
        "const m = document.getElementById('graph-mode'); m.value = 'tasks'; m.dispatchEvent(new Event('change'))"
    )
    opened.press("graph-chart", LEFT)
    assert chosen(opened) in PLAN.problem.graph.predecessors[task.id]


def search(window: Browser, text: str) -> None:
    """Paste ``text`` into the search box and stay in it."""
    window.run(
        "const s = document.getElementById('search'); s.focus(); s.value = arguments[0];"
        "s.dispatchEvent(new Event('input'))",
        text,
    )
    window.settle()


def test_plus_minus_and_nought_zoom_all_charts_of_time_together(opened: Browser) -> None:
    charts = ("strip-chart", "gantt-chart", "live-chart", "map-chart")
    whole = [opened.pixels(chart) for chart in charts]

    opened.press("live-chart", "+")
    zoomed = [opened.pixels(chart) for chart in charts]
    opened.press("map-chart", "0")

    assert all(a != b for a, b in zip(whole, zoomed, strict=True))
    assert [opened.pixels(chart) for chart in charts] == whole


def test_the_wheel_zooms_with_ctrl_and_leaves_the_page_alone_without(opened: Browser) -> None:
    turn = (
        "const e = new WheelEvent('wheel', {deltaY: -200, ctrlKey: arguments[0], cancelable: true, bubbles: true});"
        "document.getElementById('gantt-chart').dispatchEvent(e); return e.defaultPrevented"
    )
    whole = opened.pixels("gantt-chart")

    assert opened.run(turn, False) is False
    opened.settle()
    assert opened.pixels("gantt-chart") == whole
    assert opened.run(turn, True) is True
    opened.settle()
    assert opened.pixels("gantt-chart") != whole


def test_the_tab_key_reaches_every_chart_and_focus_can_be_seen(opened: Browser) -> None:
    opened.run("document.getElementById('zoom-all').focus()")
    reached = []
    for _ in range(16):
        opened.driver.switch_to.active_element.send_keys(TAB)
        style = opened.run("const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth")
        reached.append(opened.run("return document.activeElement.id"))
        assert style == "solid2px", reached[-1]
    charts = [name for name in reached if name.endswith("-chart")]
    assert charts == ["strip-chart", "gantt-chart", "live-chart", "map-chart", "graph-chart"]


def test_search_finds_tasks_and_buffers_and_marks_them_in_every_view(opened: Browser) -> None:
    charts = ("gantt-chart", "map-chart", "graph-chart")
    plain = [opened.pixels(chart) for chart in charts]
    hit = "#8a1c7c"  # --hit
    assert all(hit not in opened.colours(chart) for chart in charts)

    search(opened, "0001")
    found = [t.id for t in PLAN.tasks if "0001" in t.id] + [b for b in PLAN.problem.graph.buffer if "0001" in b]
    assert opened.text("count") == f"{len(found)} found"
    assert all(a != opened.pixels(chart) for a, chart in zip(plain, charts, strict=True))
    assert hit in opened.colours("gantt-chart") and hit in opened.colours("map-chart")
    rows = opened.run("return Array.from(document.querySelectorAll('#tables-panel tbody .pick'), e => e.title)")
    assert sorted(rows) == sorted(t.id for t in PLAN.tasks if "0001" in t.id)

    opened.press("search", DOWN)
    opened.press("search", DOWN)
    active = opened.find("search").get_attribute("aria-activedescendant")
    second = opened.run("return document.getElementById(arguments[0]).lastChild.textContent", active)
    opened.press("search", ENTER)
    assert chosen(opened) == second

    opened.press("gantt-chart", ESCAPE)
    opened.press("gantt-chart", ESCAPE)
    assert opened.text("count") == ""
    opened.run("document.activeElement.blur()")
    opened.settle()
    assert [opened.pixels(chart) for chart in charts] == plain


def test_nothing_is_found_without_harm(opened: Browser) -> None:
    search(opened, "no such name <&\"'>")

    assert opened.text("count") == "0 found"
    opened.press("search", ENTER)
    assert chosen(opened) == ""


def test_tables_are_sorted_and_turned(opened: Browser) -> None:
    def column(k: int) -> list[str]:
        rows = "document.querySelectorAll('#tables-panel tbody tr')"
        return [str(text) for text in opened.run(f"return Array.from({rows}, r => r.children[{k}].textContent)")]

    opened.run("document.querySelectorAll('#tables-panel th button')[2].click()")
    longest = sorted((t.end - t.start for t in PLAN.tasks), reverse=True)
    assert [float(text.rstrip("s").replace(",", "")) * 1000 for text in column(2)] == pytest.approx(longest[:25])
    opened.run("Array.from(document.querySelectorAll('#tables-panel .pager button'))[1].click()")
    assert [float(text.rstrip("s").replace(",", "")) * 1000 for text in column(2)] == pytest.approx(longest[25:50])
    assert "26 to 50 of 80" in opened.text("tables-panel")
    assert opened.run("return document.activeElement.textContent").startswith("Next")


def test_a_name_in_a_table_chooses_it_everywhere(opened: Browser) -> None:
    button = opened.driver.find_element("css selector", "#bottlenecks .pick[data-buffer]")
    opened.run("arguments[0].click()", button)

    assert chosen(opened) == button.get_attribute("title")
    assert opened.run("return document.querySelector('tr.chosen .pick').title") == button.get_attribute("title")
    assert opened.find("tab-buffers").get_attribute("aria-selected") == "true"


def test_the_theme_button_goes_from_the_system_s_to_light_to_dark(opened: Browser) -> None:
    button = opened.find("theme")
    backgrounds = []
    for name in ("Light", "Dark", "Auto"):
        button.click()
        opened.settle()
        assert button.text == name
        backgrounds.append(opened.run("return getComputedStyle(document.body).backgroundColor"))
        faint = colours.DARK.fills["free"] if name == "Dark" else colours.LIGHT.fills["free"]
        assert faint in opened.colours("map-chart")
    assert backgrounds[0] == backgrounds[2] != backgrounds[1]


def test_dark_systems_get_a_dark_page(tmp_path: Path) -> None:
    path = written(tmp_path, PLAN)
    with browser(dark=True) as window:
        window.open(path)
        shown = window.colours("map-chart")
        window.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        window.settle()

        assert colours.DARK.fills["free"] in shown and colours.LIGHT.fills["free"] not in shown
        # Printed light, and as it was again afterwards.
        assert colours.DARK.fills["free"] in window.colours("map-chart")
        assert window.run("return document.documentElement.dataset.theme") == "auto"
        assert window.errors() == []


@pytest.mark.parametrize("part", ["timeline", "graph"])
def test_what_is_shown_can_be_saved_as_svg_and_png(part: str, opened: Browser) -> None:
    opened.run(
        "window.saved = []; const make = URL.createObjectURL;"
        "URL.createObjectURL = blob => { window.saved.push(blob); return make(blob); };"
        "HTMLAnchorElement.prototype.click = function () { window.named = this.download; }"
    )
    opened.find(f"{part}-svg").click()
    text = opened.driver.execute_async_script("const done = arguments[0]; window.saved[0].text().then(done)")
    opened.run(f"document.getElementById('{part}-png').click()")
    head = opened.driver.execute_async_script(
        "const done = arguments[0]; const look = () => window.saved.length < 2 ? setTimeout(look, 20)"
        " : window.saved[1].arrayBuffer().then(b => done(Array.from(new Uint8Array(b.slice(0, 8))))); look()"
    )

    root = ElementTree.fromstring(text)
    assert bytes(head) == b"\x89PNG\r\n\x1a\n"
    assert opened.run("return window.named") == f"wide-{part}.png"
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter("{http://www.w3.org/2000/svg}rect"))) > 10
    assert not re.search(r"href|<script|@import|url\((?!#)", text)


def test_hostile_names_do_nothing_but_show(chromium: Browser, tmp_path: Path) -> None:
    plan = wide_plan(40, names=dict(enumerate(HOSTILE)), title=HOSTILE[0], data_type=HOSTILE[1])
    path = written(tmp_path, plan)
    chromium.open(path)
    for name in HOSTILE:
        search(chromium, visible(name))
        chromium.press("search", ENTER)
        assert chosen(chromium) == visible(name)[: len(chosen(chromium))] or "…" in chosen(chromium)
    for control in ("reuse", "graph-reuse"):
        chromium.run("document.getElementById(arguments[0]).click()", control)
    for colour in ("kind", "pool", "slack", "chain"):
        chromium.run(
            "const c = document.getElementById('colour'); c.value = arguments[0]; c.dispatchEvent(new Event('change'))",
            colour,
        )
        chromium.settle()

    assert chromium.run("return typeof window.broken") == "undefined"
    assert chromium.run("return document.querySelectorAll('script, img').length") == 2
    assert chromium.errors() == []
    assert [url for url in chromium.requests() if url not in (path.as_uri(), "data:,")] == []


SPECIAL: dict[str, Callable[[Plan], object]] = {
    "nothing is placed": lambda plan: not plan.regions,
    "bytes shared in place": lambda plan: list(shared_in_place(plan)),
    "a buffer over several partitions": lambda plan: any(len(r.extents) > 1 for r in plan.regions),
}


@pytest.mark.parametrize("special", SPECIAL)
def test_unusual_plans_can_be_looked_at(special: str, chromium: Browser, tmp_path: Path) -> None:
    """Every key in every chart, and no error."""
    plan = next(p for p in (random_plan(Random(seed)) for seed in range(1000)) if SPECIAL[special](p))
    chromium.open(written(tmp_path, plan))
    for chart in ("gantt-chart", "map-chart", "graph-chart", "live-chart", "strip-chart"):
        chromium.press(chart, HOME + RIGHT + DOWN + LEFT + UP + END + "+-0" + ENTER)

    assert chromium.errors() == []
    drawn = json.loads(chromium.run("return document.getElementById('data').textContent"))
    assert drawn["makespan"] == plan.measures.makespan


def test_two_thousand_tasks_open_and_can_be_searched(chromium: Browser, tmp_path: Path) -> None:
    chromium.open(written(tmp_path, wide_plan(2000, workers=16)))

    search(chromium, "task_01234")
    chromium.press("search", ENTER)

    assert chosen(chromium) == "stage4.task_01234"
    assert chromium.errors() == []
