"""Step functions as a chart: SVG to stand in a page, coloured by the page's style sheet (``.s0`` to ``.s6``).

Every line is told twice, by its colour and by its dashes, and names itself when pointed at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 16, 48
"""Pixels around the chart."""
COLOURS = 7
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 2", "1 3")
MOST_POINTS = 2000
"""Steps of one line that are drawn; more cannot be told apart."""

Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high``, which is above it. ``log``: equal factors take equal room (``low`` > 0)."""

    title: str
    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where ``value`` lies, from 0 to 1."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round numbers in the range, not more than ten."""
        if self.log:
            return _log_ticks(self.low, self.high)
        return _ticks(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Line:
    """A step function with a name. ``number``: decides colour and dashes; one name has one number in all charts."""

    name: str
    number: int
    curve: Curve


def line_chart(lines: Sequence[Line], x: Axis, y: Axis, *, label: str) -> str:
    """One SVG element with a step line per curve, which holds its last value up to the end of the axis."""
    drawn = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        *_grid(x, y),
        f'<text class="m" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}">{escape(x.title)}</text>',
        f'<text class="m" transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)">'
        f"{escape(y.title)}</text>",
    ]
    for line in lines:
        drawn.append(
            f'<path {_stroke(line.number)} d="{_steps(line.curve, x, y)}"><title>{escape(line.name)}</title></path>'
        )
    return "\n".join([*drawn, "</svg>"])


def sample(number: int) -> str:
    """A short piece of the line with this number, for a legend."""
    return f'<svg class="sample" viewBox="0 0 36 10" aria-hidden="true"><path {_stroke(number)} d="M0 5H36"/></svg>'


def _stroke(number: int) -> str:
    """Seven colours, each with other dashes when it comes again."""
    dash = DASHES[(number + number // COLOURS) % len(DASHES)]
    return f'class="line s{number % COLOURS}"' + (f' stroke-dasharray="{dash}"' if dash else "")


def _steps(curve: Curve, x: Axis, y: Axis) -> str:
    points = thinned(curve)
    if not points:
        return ""
    at, value = points[0]
    path = [f"M{_n(_x(x, at))} {_n(_y(y, value))}"]
    for place, value in points[1:]:
        if place > x.high:
            break
        path.append(f"H{_n(_x(x, place))}V{_n(_y(y, value))}")
    return "".join([*path, f"H{WIDTH - RIGHT}"])


def thinned(curve: Curve) -> Curve:
    """At most ``MOST_POINTS`` steps of ``curve``, the first and the last among them."""
    if len(curve) <= MOST_POINTS:
        return curve
    last = len(curve) - 1
    return [curve[round(k * last / (MOST_POINTS - 1))] for k in range(MOST_POINTS)]


def _grid(x: Axis, y: Axis) -> list[str]:
    ground = HEIGHT - BOTTOM
    lines = []
    for value in y.ticks():
        at = _n(_y(y, value))
        lines.append(f'<path class="grid" d="M{LEFT} {at}H{WIDTH - RIGHT}"/>')
        lines.append(f'<text class="e" x="{LEFT - 7}" y="{_n(_y(y, value) + 4)}">{value:g}</text>')
    for value in x.ticks():
        at = _n(_x(x, value))
        lines.append(f'<path class="grid" d="M{at} {TOP}V{ground}"/>')
        lines.append(f'<text class="m" x="{at}" y="{ground + 17}">{value:g}</text>')
    lines.append(f'<path class="axis" d="M{LEFT} {TOP}V{ground}H{WIDTH - RIGHT}"/>')
    return lines


def _x(axis: Axis, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * axis.share(value)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * axis.share(value)


def _ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten.

    >>> _ticks(0, 1), _ticks(0, 60)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    """
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    return [round(k * step, 12) for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten and what lies well between them, as many as there is room for.

    >>> _log_ticks(1, 100), _log_ticks(1, 1.3)
    ([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0], [1.0, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3])
    """
    if high / low < 3:
        return _ticks(low, high)
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    fine = (1, 2, 5) if len(decades) <= 4 else (1,)
    step = 1 if len(decades) <= 10 else ceil(len(decades) / 10)
    values = [m * 10.0**d for d in decades[::step] for m in fine]
    return [v for v in values if low * 0.999 <= v <= high * 1.001]


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
