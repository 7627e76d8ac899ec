"""A frontier as a picture: SVG without scripts or fonts of its own; light or dark as the reader's screen is.

::

    makespan
      ^::|o                         o  a plan; to its right nothing known is faster up to the next one
      |::|+--o                      :  where no plan can be: fewer bytes than any plan has,
      |::|   |                         or faster than any plan that has no more
      |::|___+------o-----
      |:::::::|___________          the lower line is proved, the upper one was found
      +-----------------> footprint

Pointing at a plan shows its figures and its file. Where the slowest plan takes many times as long as the fastest, the
makespan has a logarithmic scale, which the axis says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from catalytic.solver.units import format_size

from .svg_parts import number, text, ticks
from .words import bound_seconds, factor, plural, seconds

if TYPE_CHECKING:
    from ..pareto import ParetoAnswer

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 84, 28, 92, 62
"""Pixels around the chart: seconds, nothing, title and reuse factors, bytes."""

LOGARITHMIC = 20
"""The slowest plan takes so many times as long as the least bound shown: a linear scale would hide the fast ones."""

STYLE = """\
svg { background: #fff; color: #222; font: 12px system-ui, sans-serif; fill: currentColor }
.axis { stroke: #8888; fill: none } .found { stroke: #2b6cb0; stroke-width: 2; fill: none }
.plan { fill: #2b6cb0; stroke: #fff; stroke-width: 1.5 } .open { fill: #fff; stroke: #2b6cb0; stroke-width: 2 }
.proved { stroke: #c05621; stroke-width: 1.5; fill: none } .never { fill: #c05621; opacity: .13 }
.h { font-size: 15px; font-weight: 600 } .e { text-anchor: end } .m { text-anchor: middle }
@media (prefers-color-scheme: dark) {
svg { background: #16181c; color: #ddd }
.found { stroke: #7fb2e5 } .plan { fill: #7fb2e5; stroke: #16181c } .open { fill: #16181c; stroke: #7fb2e5 }
.proved { stroke: #f0a46b } .never { fill: #f0a46b; opacity: .16 } }
"""


def svg_frontier(answer: ParetoAnswer) -> str:
    """The frontier of ``answer``, which has at least one point, as one SVG document."""
    scale = _Scale(answer)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{text(answer.name)}</title>",
        f"<style>{STYLE}</style>",
        *_caption(answer),
        *_impossible(answer, scale),
        *_axes(answer, scale),
        *_found(answer, scale),
    ]
    return "\n".join([*lines, "</svg>\n"])


class _Scale:
    """From bytes and seconds to pixels; some room is left around the points."""

    def __init__(self, answer: ParetoAnswer) -> None:
        footprints = [p.footprint for p in answer.points]
        least = min([*footprints, *([] if answer.least_footprint is None else [answer.least_footprint])])
        room = max(1, (max(footprints) - least) // 10, max(footprints) // 50)
        self.first, self.last = max(0, least - room), max(footprints) + room
        slow = max(p.makespan_s for p in answer.points)
        proved = [s.least_makespan_s for s in answer.floor if s.least_makespan_s > 0]
        fast = min([*proved, *(p.makespan_s for p in answer.points)])
        self.logarithmic = fast > 0 and slow / fast > LOGARITHMIC
        self.low = fast / 1.3 if self.logarithmic else 0.0
        self.high = slow * (1.3 if self.logarithmic else 1.08) or 1.0

    def x(self, footprint: float) -> float:
        inside = min(max(footprint, self.first), self.last)
        return LEFT + (WIDTH - LEFT - RIGHT) * (inside - self.first) / max(1, self.last - self.first)

    def y(self, makespan_s: float) -> float:
        inside = min(max(makespan_s, self.low), self.high)
        if self.logarithmic:
            share = (log10(inside) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = inside / self.high
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    def marks(self) -> list[float]:
        """Seconds that the axis names."""
        if not self.logarithmic:
            return [milliseconds / 1000 for milliseconds in ticks(0, int(self.high * 1000))]
        powers = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        steps = (1,) if len(powers) > 5 else (1, 2, 5)
        return [m * 10.0**p for p in powers for m in steps if self.low <= m * 10.0**p <= self.high]


def _caption(a: ParetoAnswer) -> list[str]:
    proved = sum(p.proved for p in a.points)
    said = f"{plural(len(a.points), 'plan')}, {proved} of them proved: none with so small a footprint is faster"
    return [
        f'<text class="h" x="{LEFT}" y="24">{text(a.name)}</text>',
        f'<text x="{LEFT}" y="44">{text(said)}</text>',
        f'<circle class="plan" cx="{WIDTH - 316}" cy="20" r="5"/><text x="{WIDTH - 306}" y="24">found, proved</text>',
        f'<circle class="open" cx="{WIDTH - 206}" cy="20" r="5"/><text x="{WIDTH - 196}" y="24">found</text>',
        f'<rect class="never" x="{WIDTH - 146}" y="13" width="14" height="14"/>'
        f'<text x="{WIDTH - 126}" y="24">proved: no plan</text>',
    ]


def _impossible(a: ParetoAnswer, scale: _Scale) -> list[str]:
    """The region in which no plan lies, and its border."""
    border = list(_border(a, scale))
    ground = HEIGHT - BOTTOM
    path = " ".join(f"L{number(x)} {number(y)}" for x, y in border)
    left, right = scale.x(scale.first), scale.x(scale.last)
    return [
        f'<path class="never" d="M{number(left)} {ground} L{number(left)} {TOP} {path} L{number(right)} {ground} Z"/>',
        f'<path class="proved" d="M{path[1:]}"/>',
    ]


def _border(a: ParetoAnswer, scale: _Scale) -> Iterator[tuple[float, float]]:
    """From the upper left to the lower right: straight down at the least footprint, then step by step."""
    left = scale.x(a.least_footprint if a.least_footprint is not None else scale.first)
    yield left, TOP
    for step in a.floor:
        if step.footprint < (a.least_footprint or 0):
            continue
        yield left, scale.y(step.least_makespan_s)
        left = max(left, scale.x(step.footprint))
        yield left, scale.y(step.least_makespan_s)
        if step.footprint >= scale.last:
            return
    yield left, HEIGHT - BOTTOM
    yield scale.x(scale.last), HEIGHT - BOTTOM


def _found(a: ParetoAnswer, scale: _Scale) -> list[str]:
    """The best plan known below each footprint, and the plans themselves."""
    path: list[str] = []
    for k, p in enumerate(a.points):
        x, y = number(scale.x(p.footprint)), number(scale.y(p.makespan_s))
        path.append(f"M{x} {y}" if k == 0 else f"H{x} V{y}")
    path.append(f"H{number(scale.x(scale.last))}")
    lines = [f'<path class="found" d="{" ".join(path)}"/>']
    for p in a.points:
        least = "no bound" if p.least_makespan_s is None else f"at least {bound_seconds(p.least_makespan_s)}"
        bound = "= bound" if p.proved else least
        grade = "" if p.evidence is None else f", {p.evidence}"
        said = (
            f"{p.file}: reuse factor {factor(p.reuse_factor)}, {format_size(p.footprint)}, {seconds(p.makespan_s)} "
            f"({bound}{grade})"
        )
        kind = "plan" if p.proved else "open"
        lines.append(
            f'<circle class="{kind}" cx="{number(scale.x(p.footprint))}" cy="{number(scale.y(p.makespan_s))}" r="5">'
            f"<title>{text(said)}</title></circle>"
        )
    return lines


def _axes(a: ParetoAnswer, scale: _Scale) -> list[str]:
    left, right, ground = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    lines = [f'<path class="axis" d="M{left} {TOP}V{ground}H{right}"/>']
    for size in ticks(scale.first, scale.last, most=6):
        x = number(scale.x(size))
        lines.append(f'<path class="axis" d="M{x} {ground}v5"/>')
        lines.append(f'<text class="m" x="{x}" y="{ground + 19}">{format_size(size)}</text>')
    for share, size in _factors(a, scale):
        x = number(scale.x(size))
        lines.append(f'<path class="axis" d="M{x} {TOP}v-5"/>')
        lines.append(f'<text class="m" x="{x}" y="{TOP - 9}">{share:g}</text>')
    for mark in scale.marks():
        y = number(scale.y(mark))
        lines.append(f'<path class="axis" d="M{left - 5} {y}H{left}"/>')
        lines.append(f'<text class="e" x="{left - 8}" y="{number(scale.y(mark) + 4)}">{seconds(mark)}</text>')
    kind = ", logarithmic" if scale.logarithmic else ""
    middle = (TOP + ground) / 2
    lines.append(f'<text class="m" x="{(left + right) / 2:.0f}" y="{HEIGHT - 16}">footprint, bytes</text>')
    lines.append(f'<text class="m" x="{(left + right) / 2:.0f}" y="{TOP - 26}">reuse factor</text>')
    lines.append(f'<text class="m" transform="translate(18 {middle:.0f}) rotate(-90)">makespan, seconds{kind}</text>')
    return lines


def _factors(a: ParetoAnswer, scale: _Scale) -> Sequence[tuple[float, int]]:
    """Round reuse factors and their footprints, few enough to be read beside each other."""
    if not a.allocated:
        return ()
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5):
        marks = [(k * step, round((1 - k * step) * a.allocated)) for k in range(-1, round(1 / step) + 1)]
        inside = [(round(share, 2), size) for share, size in marks if scale.first <= size <= scale.last]
        if len(inside) <= 10:
            return inside
    return ()
