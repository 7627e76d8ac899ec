"""The still picture as SVG: self-contained, light or dark as the reader's screen is, names shown when pointed at."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .colours import DARK, LIGHT, Palette
from .picture import Area, Box, Label, Line, Picture, Stroke

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"
STYLE = f"""\
svg {{ font: 11px {FONT}; font-variant-numeric: tabular-nums }}
text {{ pointer-events: none }} .title {{ font-size: 20px; font-weight: 600 }}
.band {{ font-size: 13px; font-weight: 600 }} .soft {{ font-size: 12px }}
path {{ fill: none }} .bound {{ stroke-dasharray: 5 4 }}
"""


def render(picture: Picture) -> bytes:
    """``picture`` as one SVG document."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.width} {picture.height}" role="img">',
        f"<title>{escape(picture.name)}</title>",
        f"<style>{STYLE}{_rules(LIGHT)}@media (prefers-color-scheme: dark) {{\n{_rules(DARK)}}}\n</style>",
        f'<rect class="paper" width="{picture.width}" height="{picture.height}"/>',
        *map(_stroke, picture.strokes),
        "</svg>\n",
    ]
    return "\n".join(lines).encode("utf-8")


def _rules(palette: Palette) -> str:
    """One rule per colour: what is filled and what is drawn as a line."""
    fills = "".join(f".{kind} {{ fill: {colour} }}\n" for kind, colour in palette.fills.items())
    return fills + "".join(
        f"path.{kind} {{ stroke: {colour}; fill: none }}\n" for kind, colour in palette.lines.items()
    )


def _stroke(stroke: Stroke) -> str:
    match stroke:
        case Box(x, y, width, height, kind, title):
            shape = f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
            return f"{shape}><title>{escape(title)}</title></rect>" if title else f"{shape}/>"
        case Line(points, kind):
            return f'<path class="{kind}" d="M{_points(points)}"/>'
        case Area(points, kind):
            return f'<polygon class="{kind}" points="{_points(points)}"/>'
        case Label(x, y, text, kind, anchor):
            where = f' text-anchor="{anchor}"' if anchor != "start" else ""
            return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" dy=".35em"{where}>{escape(text)}</text>'


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _n(value: float) -> str:
    """A coordinate to a hundredth of a pixel, without zeros at its end."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
