"""The plan as one still picture: who runs, how much is alive, where it lies, over one time axis.

The picture is a list of strokes in units of a pixel; :mod:`.svg` and :mod:`.png` render it, each in its own way, so
that both show the same. Names are written where they fit. It is as high as what it shows needs, within bounds: beyond
``MOST_TRACKS`` tracks or ``MOST_PARTITIONS`` partitions the rest is counted, and so are the buffers and tasks beyond
``MOST_SHAPES``, of which the largest are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from catalytic.solver.plan import Region
from catalytic.solver.units import format_size, to_seconds

from ...report import Report
from ..headline import headline
from ..svg_parts import ticks
from ..table import cut
from ..words import plural, seconds
from .text import fitted, visible, width_of

WIDTH = 1600
LEFT, RIGHT, TOP, BOTTOM = 84, 28, 84, 30
"""Pixels around the charts: labels, nothing, title, nothing."""
BAND_TITLE, BAND_GAP, AXIS = 26, 20, 24
LIVE_HEIGHT, MAP_HEIGHT = 150, 620
LEAST_LINE, LINE_GAP = 30, 10
MOST_TRACK, MOST_GANTT = 26, 520
MOST_TRACKS = 260
MOST_PARTITIONS = 24
MOST_SHAPES = 40_000
LETTERS = 11
"""Size of the letters of labels, in pixels."""
POOL_COLOURS, TINTS = 8, 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle. ``kind``: what it shows, from which its colour follows; ``title``: said when pointed at."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points (x, y)."""

    points: tuple[tuple[float, float], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Area:
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """Text whose middle line is at ``y``; ``anchor``: ``start``, ``middle`` or ``end`` of it is at ``x``."""

    x: float
    y: float
    text: str
    kind: str = "label"
    anchor: str = "start"


Stroke = Box | Line | Area | Label


@dataclass(frozen=True, slots=True)
class Picture:
    """Strokes in the order in which they are drawn, and the picture's size in pixels."""

    name: str
    width: int
    height: int
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True, slots=True)
class _Time:
    """From moments of the plan to pixels."""

    end: int

    def x(self, moment: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * moment / max(1, self.end)


def drawn(report: Report) -> Picture:
    """The picture of the plan of ``report``."""
    time = _Time(report.plan.measures.makespan)
    name = visible(report.summary.name)
    strokes: list[Stroke] = [
        Label(24, 30, cut(name, 120), "title"),
        Label(24, 56, visible(headline(replace(report.summary, name="plan"))).removeprefix("plan: "), "soft"),
    ]
    y = float(TOP)
    for title, band in (("who runs", _gantt), ("bytes alive", _live), ("memory", _map)):
        height, said, made = band(report, time, y + BAND_TITLE)
        strokes.append(Label(24, y + 9, title, "band"))
        strokes.append(Label(WIDTH - RIGHT, y + 9, said, "soft", "end"))
        strokes += made
        y += BAND_TITLE + height + BAND_GAP
    return Picture(name, WIDTH, round(y + BOTTOM - BAND_GAP), tuple(strokes))


def _gantt(report: Report, time: _Time, top: float) -> tuple[float, str, list[Stroke]]:
    plan, count = report.plan, min(report.track_count, MOST_TRACKS)
    row = min(MOST_TRACK, MOST_GANTT // max(1, count))
    bottom = top + AXIS + max(1, count) * row
    chain = {link.task for link in report.criticality.chain}
    strokes: list[Stroke] = list(_axis(time, top, bottom))
    strokes += [
        Label(LEFT - 10, top + AXIS + (track + 0.5) * row - 1, f"w{track}", "axis", "end")
        for track in range(0, count, max(1, -(-14 // max(1, row))))
    ]
    inner = row - 3 if row > 6 else row - 1 if row > 2 else row
    longest = _largest(range(len(plan.tasks)), lambda k: plan.tasks[k].end - plan.tasks[k].start)
    for k in longest:
        t = plan.tasks[k]
        x, width = time.x(t.start), time.x(t.end) - time.x(t.start)
        for track in report.tracks[k]:
            if track >= count:
                continue
            y = top + AXIS + track * row
            kind = "critical" if t.id in chain else "task"
            title = f"{cut(visible(t.id), 200)}: {_span(t.start)} to {_span(t.end)}"
            strokes.append(Box(x, y, max(0.5, width - 1 if width > 4 else width), inner, kind, title))
            if kind == "critical" and inner >= 8:
                strokes.append(Box(x, y + inner - 2, max(0.5, width - 1 if width > 4 else width), 2, "critical-mark"))
            if inner >= 12:
                strokes += _name(t.id, x, width, y + inner / 2)
    left_out = report.track_count - count
    said = f"{plural(report.summary.tasks, 'task')}, at most {report.track_count} at once"
    said += f"; {plural(left_out, 'track')} not drawn" if left_out else ""
    said += (
        f"; the {plural(len(plan.tasks) - len(longest), 'shortest task')} not drawn"
        if len(longest) < len(plan.tasks)
        else ""
    )
    return bottom - top, f"{said}; orange: the critical chain", strokes


def _axis(time: _Time, top: float, bottom: float) -> Iterator[Stroke]:
    for moment in ticks(0, time.end, 10):
        x = time.x(moment)
        yield Line(((x, top + 16), (x, bottom)), "grid")
        yield Label(x, top + 7, seconds(moment / 1000), "axis", "middle")


def _live(report: Report, time: _Time, top: float) -> tuple[float, str, list[Stroke]]:
    s, bottom = report.summary, top + LIVE_HEIGHT
    high = max(1, s.footprint, s.peak_live)
    if report.ceiling <= 1.35 * high:
        high = max(high, report.ceiling)
    high = round(high * 1.16)

    def y(count: float) -> float:
        return bottom - LIVE_HEIGHT * count / high

    strokes: list[Stroke] = []
    for count in ticks(0, high, 4):
        strokes.append(Line(((LEFT, y(count)), (WIDTH - RIGHT, y(count))), "grid"))
        strokes.append(Label(LEFT - 10, y(count), format_size(count), "axis", "end"))
    outline = [(time.x(0), bottom)]
    for stretch in report.stretches:
        outline += [(time.x(stretch.begin), y(stretch.live)), (time.x(stretch.end), y(stretch.live))]
    outline.append((outline[-1][0], bottom))
    strokes.append(Area(tuple(outline), "live"))
    least = report.plan.proof.least_bytes
    marks = [("footprint", s.footprint, "mark")] if s.footprint else []
    marks += [("least of any plan", least.value, "bound")] if least is not None and s.footprint else []
    marks += [("ceiling", report.ceiling, "ceiling")] if report.ceiling <= high else []
    strokes += _marks(sorted(marks, key=lambda mark: -mark[1]), y)
    above = "" if report.ceiling <= high else f"; ceiling {format_size(report.ceiling)} is above the picture"
    return LIVE_HEIGHT, f"at most {format_size(s.peak_live)}{above}", strokes


def _marks(marks: Sequence[tuple[str, int, str]], y: Callable[[float], float]) -> Iterator[Stroke]:
    """Lines with their names above them; beside each other where two lines lie close, which they often do."""
    free, level = float(WIDTH - RIGHT), float("-inf")
    for name, count, kind in marks:
        yield Line(((LEFT, y(count)), (WIDTH - RIGHT, y(count))), kind)
        if y(count) - 9 - level > 15:
            free, level = float(WIDTH - RIGHT), y(count) - 9
        said = f"{name} {format_size(count)}"
        yield Label(free, level, said, "label", "end")
        free -= width_of(said, LETTERS) + 4
        yield Line(((free - 20, level), (free, level)), kind)
        free -= 40


def _map(report: Report, time: _Time, top: float) -> tuple[float, str, list[Stroke]]:
    plan = report.plan
    used = [p for p in report.summary.partitions if p.height]
    shown = used[:MOST_PARTITIONS]
    if not shown:
        return 20, "nothing is placed in the workspace", []
    pools = {p.id: k for k, p in enumerate(plan.problem.graph.pools)}
    tint = _tints(plan.regions)
    inside: dict[int, list[Region]] = {p.partition: [] for p in shown}
    drawn_regions = _largest(plan.regions, lambda r: r.length * (r.lifetime.death - r.lifetime.birth))
    for r in drawn_regions:
        for partition in sorted({e.partition for e in r.extents}):
            if partition in inside:
                inside[partition].append(r)
    whole = sum(p.height for p in shown)
    strokes: list[Stroke] = []
    y = top
    for p in shown:
        high = max(LEAST_LINE, MAP_HEIGHT * p.height / whole)
        strokes.append(Box(LEFT, y, WIDTH - LEFT - RIGHT, high, "free"))
        strokes.append(Label(24, y + 8, f"p{p.partition}", "band"))
        for address in ticks(0, p.height, max(1, round(high / 45))):
            at = y + high - high * address / p.height
            strokes.append(Line(((LEFT - 4, at), (LEFT, at)), "tick"))
            strokes.append(Label(LEFT - 8, max(y + 5, min(at, y + high - 4)), format_size(address), "axis", "end"))
        for r in inside[p.partition]:
            strokes += _region(
                r, p.partition, time, y, high, p.height, f"pool-{pools[r.pool] % POOL_COLOURS}-{tint[r.id]}"
            )
        y += high + LINE_GAP
    said = f"{plural(len(plan.regions), 'buffer')} in {plural(len(used), 'partition')}"
    said += f", {format_size(report.summary.footprint)} high in all"
    said += f"; {plural(len(used) - len(shown), 'partition')} not drawn" if len(used) > len(shown) else ""
    left_out = len(plan.regions) - len(drawn_regions)
    said += f"; the {plural(left_out, 'smallest buffer')} by size x lifetime not drawn" if left_out else ""
    return y - LINE_GAP - top, said, strokes


def _region(
    r: Region, partition: int, time: _Time, top: float, high: float, addresses: int, kind: str
) -> Iterator[Stroke]:
    x, width = time.x(r.lifetime.birth), time.x(r.lifetime.death) - time.x(r.lifetime.birth)
    for e in r.extents:
        if e.partition != partition:
            continue
        y, height = top + high - high * e.end / addresses, high * e.length / addresses
        gap = 0.75 if width > 3 and height > 3 else 0
        title = (
            f"{cut(visible(r.buffer), 200)}: {format_size(r.length)}, p{partition} from byte {e.offset}, "
            f"{_span(r.lifetime.birth)} to {_span(r.lifetime.death)}"
        )
        yield Box(x, y, max(0.2, width - gap), max(0.2, height - gap), kind, title)
        if height >= 13:
            yield from _name(r.buffer, x, width, y + height / 2)


def _name(name: str, x: float, width: float, y: float) -> Iterator[Label]:
    """The name where at least eight letters of it, or all of it, have room."""
    said = fitted(name, width - 8, LETTERS)
    if said:
        yield Label(x + 4, y, said, "name")


def _tints(regions: Sequence[Region]) -> dict[str, int]:
    """A shade for each region, other than that of the regions it touches when it is born, while there is one."""
    tint: dict[str, int] = {}
    lines: dict[int, list[tuple[int, int, Region]]] = {}
    for r in regions:
        taken = [0] * TINTS
        for e in r.extents:
            line = lines.setdefault(e.partition, [])
            for low, high, other in line:
                if high >= e.offset and low <= e.end and other.pool == r.pool:
                    taken[tint[other.id]] += 1
            lines[e.partition] = [s for s in line if s[1] <= e.offset or s[0] >= e.end] + [(e.offset, e.end, r)]
        tint[r.id] = taken.index(min(taken))
    return tint


def _largest(items: Iterable[T], size: Callable[[T], int]) -> list[T]:
    """At most ``MOST_SHAPES`` of ``items``, the largest, in their order."""
    listed = list(items)
    if len(listed) <= MOST_SHAPES:
        return listed
    chosen = sorted(range(len(listed)), key=lambda k: (-size(listed[k]), k))[:MOST_SHAPES]
    return [listed[k] for k in sorted(chosen)]


def _span(ticks_: int) -> str:
    return seconds(to_seconds(ticks_))
