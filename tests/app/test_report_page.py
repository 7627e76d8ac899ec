"""The page: well-formed, complete, one file, and deaf to whatever its names would like it to do."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from random import Random
from typing import Any

import pytest

from catalytic.app.report import report_of
from catalytic.app.views.report import page
from catalytic.app.views.report.data import script_json
from catalytic.app.views.report.text import fitted, visible, width_of
from catalytic.solver.plan import Plan
from tests.app.report_plans import HOSTILE, wide_plan
from tests.builders import random_plan

VOID = {"meta", "link", "input", "br", "img", "hr"}
NAMED = wide_plan(40, names=dict(enumerate(HOSTILE)))


@dataclass
class Element:
    """One element: its tag, its attributes, the text directly in it, and its children in order."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Every element with this tag, itself included."""
        own = [self] if self.tag == tag else []
        return own + [found for child in self.children for found in child.all(tag)]

    @property
    def content(self) -> str:
        """All text in it."""
        return self.text + "".join(child.content for child in self.children)


class Tree(HTMLParser):
    """A strict reading: every element is closed by its own end tag, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("document", {})
        self.open = [self.root]
        self.feed(text)
        self.close()
        assert self.open == [self.root], [e.tag for e in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, (tag, self.open[-1].tag)
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def rendered(plan: Plan) -> str:
    return page.render(report_of(plan)).decode("utf-8")


def read(plan: Plan) -> Element:
    return Tree(rendered(plan)).root


def data_of(root: Element) -> dict[str, Any]:
    (script,) = (s for s in root.all("script") if s.attributes.get("id") == "data")
    value = json.loads(script.text)
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def hostile() -> Element:
    return read(NAMED)


def test_a_page_has_its_sections_and_every_anchor_leads_to_one(hostile: Element) -> None:
    ids = [e.attributes["id"] for tag in ("section", "div", "canvas") for e in hostile.all(tag) if "id" in e.attributes]
    links = [a.attributes["href"] for a in hostile.all("a")]

    assert len(ids) == len(set(ids))
    assert {"summary", "timeline", "graph", "bottlenecks", "memory", "proof", "tables"} <= set(ids)
    assert "run" not in ids
    assert links and all(link.startswith("#") and link[1:] in ids for link in links)


def test_every_section_and_control_has_a_name(hostile: Element) -> None:
    ids = {e.attributes.get("id") for tag in ("h1", "h2", "h3") for e in hostile.all(tag)}

    for section in hostile.all("section"):
        assert section.attributes["aria-labelledby"] in ids
    for button in hostile.all("button"):
        assert button.content.strip() or button.attributes.get("aria-label")
    labelled = [control for label in hostile.all("label") for tag in ("input", "select") for control in label.all(tag)]
    for control in (*hostile.all("input"), *hostile.all("select")):
        assert any(control is other for other in labelled) or control.attributes.get("aria-label")
    assert hostile.all("html")[0].attributes["lang"] == "en"


@pytest.mark.parametrize("seed", range(25))
def test_random_plans_make_well_formed_pages_whose_data_is_theirs(seed: int) -> None:
    plan = random_plan(Random(seed))
    root = read(plan)
    data = data_of(root)

    assert data["tasks"]["id"] == [t.id for t in plan.tasks]
    assert data["tasks"]["start"] == [t.start for t in plan.tasks]
    placed = len(plan.regions)
    assert data["buffers"]["id"][:placed] == [r.buffer for r in plan.regions]
    assert sorted(data["buffers"]["id"]) == sorted(plan.problem.graph.buffer)
    assert data["buffers"]["birth"] == [r.lifetime.birth for r in plan.regions]
    where = [[(e.partition, e.offset, e.length) for e in r.extents] for r in plan.regions]
    assert data["buffers"]["where"] == [[number for extent in extents for number in extent] for extents in where]
    for number, b in enumerate(data["buffers"]["id"]):
        writer = data["buffers"]["writer"][number]
        assert (data["tasks"]["id"][writer] if writer >= 0 else None) == plan.problem.graph.writer.get(b)
        readers = [data["tasks"]["id"][k] for k, inputs in enumerate(data["tasks"]["in"]) if number in inputs]
        assert tuple(sorted(readers)) == plan.problem.graph.readers[b]
    taken = {
        (data["buffers"]["id"][pairs[k]], data["buffers"]["id"][number], pairs[k + 1])
        for number, pairs in enumerate(data["buffers"]["over"])
        for k in range(0, len(pairs), 2)
    }
    assert taken == {
        (plan.region[o.region].buffer, plan.region[r].buffer, o.bytes)
        for r, owners in plan.takes_over.items()
        for o in owners
    }
    chosen = [(e.attributes.get("data-task"), e.attributes.get("title")) for e in root.all("button")]
    assert all(data["tasks"]["id"][int(k)] == title for k, title in chosen if k is not None)


def test_names_stay_names(hostile: Element) -> None:
    """Whatever a name contains, there are the elements of a page with plain names, and the data holds it unchanged."""
    plain = read(wide_plan(40, names={k: f"name-{k}" for k in range(len(HOSTILE))}))

    assert len(hostile.all("script")) == len(plain.all("script")) == 2
    assert hostile.all("img") == []
    assert {e.tag for e in everything(hostile)} == {e.tag for e in everything(plain)}
    assert set(HOSTILE) <= set(data_of(hostile)["tasks"]["id"])
    assert set(HOSTILE) <= set(data_of(hostile)["buffers"]["id"])
    for element in everything(hostile):
        assert not any(name.startswith("on") or name == "style" for name in element.attributes), element


def everything(root: Element) -> list[Element]:
    return [root, *(found for child in root.children for found in everything(child))]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_the_problem_pool_or_task_shows_in_full_or_cut(name: str) -> None:
    root = read(wide_plan(6, pools=1, names={0: name}, title=name, data_type=name[:100]))

    shown = visible(name)
    (title,) = root.all("h1")
    assert title.content == shown or (len(title.content) == 160 and "…" in title.content)
    assert root.all("title")[0].content.startswith(title.content)
    (brand,) = (a for a in root.all("a") if a.attributes.get("class") == "brand")
    assert brand.attributes == {"class": "brand", "href": "#summary", "title": title.content}
    assert data_of(root)["name"] == name
    assert not any(c for c in root.all("body")[0].content if not c.isprintable() and c != "\n")


def test_the_page_forbids_whatever_is_not_its_own(hostile: Element) -> None:
    """The policy allows one style and one script by their digests, and no address at all."""
    (policy,) = (m.attributes["content"] for m in hostile.all("meta") if "http-equiv" in m.attributes)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    style, script = hostile.all("style")[0].text, hostile.all("script")[1].text

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'{digest(script)}'"
    assert rules["style-src"] == f"'{digest(style)}'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"].split() == ["data:", "blob:"]


def digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def test_nothing_is_loaded_from_anywhere(hostile: Element) -> None:
    style, script = hostile.all("style")[0].text, hostile.all("script")[1].text
    sources = [v for e in everything(hostile) for n, v in e.attributes.items() if n in ("src", "href", "srcset")]

    assert all(source.startswith("#") or source == "data:," for source in sources)
    assert "@import" not in style and "url(" not in style and "@font-face" not in style
    assert not re.search(
        r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|importScripts|sendBeacon|innerHTML|eval)\b", script
    )
    addresses = set(re.findall(r"https?://[^\"'` ]+", style + script))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of a language, in pictures that are saved


def test_the_same_plan_gives_the_same_bytes() -> None:
    first, second = (page.render(report_of(wide_plan(300))) for _ in range(2))

    assert first == second


def test_the_page_of_two_thousand_tasks_stays_small() -> None:
    plan = wide_plan(2000, workers=16, pools=5)

    data = page.render(report_of(plan))

    assert len(plan.tasks) == 2000
    assert len(data) < 1_500_000
    assert len(data_of(Tree(data.decode()).root)["tasks"]["id"]) == 2000


def test_a_plan_that_places_nothing_has_a_page() -> None:
    plan = next(p for p in (random_plan(Random(seed)) for seed in range(400)) if not p.regions)

    root = read(plan)

    assert "Nothing is placed in the workspace." in root.content
    assert data_of(root)["buffers"]["birth"] == []


@pytest.mark.parametrize(
    ("target", "factor", "said"),
    [(None, 0.5, "FEASIBLE"), (0.9, 0.5, "TARGET MISSED"), (0.4, 0.5, "FEASIBLE")],
    ids=["no target", "missed", "met"],
)
def test_a_missed_target_is_the_first_thing_said(target: float | None, factor: float, said: str) -> None:
    plan = wide_plan(12)
    plan = replace(plan, proof=replace(plan.proof, target=target), measures=replace(plan.measures, reuse_factor=factor))

    (verdict,) = (p for p in read(plan).all("p") if p.attributes.get("class") == "verdict")

    assert verdict.all("strong")[0].content == said
    assert ("at least" in verdict.content) == (target is not None)
    assert target is None or f"reuse factor at least {target:g}" in verdict.content


def test_without_seals_the_page_says_so() -> None:
    plan = replace(wide_plan(12), integrity=False)

    assert read(plan).content.count("NO SEALS") == 2
    assert "NO SEALS" not in read(wide_plan(12)).content


def test_bounds_are_rounded_so_that_they_hold_as_written() -> None:
    plan = wide_plan(12)
    plan = replace(
        plan,
        proof=replace(plan.proof, largest_reuse_factor=0.80001),
        measures=replace(plan.measures, reuse_factor=0.79999),
    )
    tiles = [d.content for d in read(plan).all("div") if d.attributes.get("class") == "tile"]

    assert "0.7999" in tiles[0] and "0.8000" not in tiles[0]


def test_json_in_a_script_element_cannot_end_it() -> None:
    value = {"</script>": ["<!--<script>", "&amp;", "\u2028\u2029", "\ud800", "\x00", 1.5, None]}

    text = script_json(value)

    assert not set("<>&\u2028\u2029") & set(text) and text.isascii()
    assert json.loads(text) == value


@pytest.mark.parametrize("name", [*HOSTILE, "plain", "", "ＷＩＤＥ", "iii.iii"])
@pytest.mark.parametrize("room", [0, 20, 60, 200])
def test_a_fitted_name_fits(name: str, room: int) -> None:
    said = fitted(name, room, 11)

    assert width_of(said, 11) <= room
    assert said.isprintable()
    assert said in ("", visible(name)) or len(said) >= 8
