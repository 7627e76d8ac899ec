"""The still picture as PNG, drawn by Pillow with the font that Pillow brings: the same pixels on every machine.

Rejected: turning the SVG into pixels. The libraries that do take fonts from the machine, so that a picture made where
none are installed has no text, without a word of warning. The price: scripts that Pillow's font does not know (it has
Latin) are shown as boxes; the SVG and the page have them all.
"""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from catalytic.solver.errors import InputError, Mistake

from .colours import LIGHT
from .picture import Area, Box, Label, Line, Picture, Stroke

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SCALE = 2
"""Pixels of the file per unit of the picture."""
SIZES = {"title": 20, "band": 13, "soft": 12}
"""Sizes of text by kind; any other is 11."""
DASH, GAP = 5, 4
_ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


def render(picture: Picture, output: str) -> bytes:
    """``picture`` as a PNG file; ``InputError`` about ``output`` when Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        hint = "install it: pip install 'catalytic[report]'; or write .svg or .html, which need nothing"
        found = "a picture in pixels, and no package 'pillow' to draw it"
        raise InputError(output, [Mistake("output", found, "an installed package 'pillow'", hint)]) from None
    image = Image.new("RGB", (picture.width * SCALE, picture.height * SCALE), LIGHT.fills["paper"])
    draw = ImageDraw.Draw(image)
    fonts = {size: ImageFont.load_default(size * SCALE) for size in {*SIZES.values(), 11}}
    for stroke in picture.strokes:
        _draw(draw, stroke, fonts)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw(draw: ImageDraw, stroke: Stroke, fonts: dict[int, Any]) -> None:
    match stroke:
        case Box(x, y, width, height, kind, _):
            left, top = round(x * SCALE), round(y * SCALE)
            right, bottom = round((x + width) * SCALE) - 1, round((y + height) * SCALE) - 1
            # A box of less than half a pixel is nothing to see, and would hide what is.
            if (width * SCALE >= 0.5) and (height * SCALE >= 0.5):
                draw.rectangle((left, top, max(left, right), max(top, bottom)), fill=LIGHT.fills[kind])
        case Line(points, kind):
            for a, b in pairwise(points):
                _line(draw, a, b, kind)
        case Area(points, kind):
            draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=LIGHT.fills[kind])
        case Label(x, y, text, kind, anchor):
            font = fonts[SIZES.get(kind, 11)]
            draw.text((x * SCALE, y * SCALE), text, font=font, fill=LIGHT.fills[kind], anchor=_ANCHORS[anchor])


def _line(draw: ImageDraw, a: tuple[float, float], b: tuple[float, float], kind: str) -> None:
    """A straight line; level ones of kind ``bound`` are dashed."""
    colour, width = LIGHT.lines[kind], SCALE if kind in ("grid", "tick") else round(1.25 * SCALE)
    if kind != "bound":
        draw.line((a[0] * SCALE, a[1] * SCALE, b[0] * SCALE, b[1] * SCALE), fill=colour, width=width)
        return
    x = a[0]
    while x < b[0]:
        draw.line((x * SCALE, a[1] * SCALE, min(x + DASH, b[0]) * SCALE, a[1] * SCALE), fill=colour, width=width)
        x += DASH + GAP
