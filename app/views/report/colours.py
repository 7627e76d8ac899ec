"""Colours of the still picture, light and dark: the page's own (``page.css``), by what is drawn.

The colours of pools were searched: as far apart as can be for people who lack one kind of cone, whichever it is, and
yet light (or dark) enough for small text upon them. Neighbours of one pool differ in lightness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

POOLS_LIGHT = ("#82b1de", "#ebba62", "#7be6b6", "#b8849b", "#fc9a83", "#828bd9", "#919644", "#bcc7ce")
POOLS_DARK = ("#2a618e", "#775a10", "#265138", "#733064", "#8d5031", "#3e4287", "#4f4b00", "#5b5d5e")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colour of each kind of stroke, as ``#rrggbb``: filled ones and text in ``fills``, lines in ``lines``."""

    fills: Mapping[str, str]
    lines: Mapping[str, str]


def mixed(colour: str, other: str, share: float) -> str:
    """``share`` of ``other`` in ``colour``.

    >>> mixed("#000000", "#ffffff", 0.5)
    '#808080'
    """
    channels = [(int(colour[k : k + 2], 16), int(other[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{int(a * (1 - share) + b * share + 0.5):02x}" for a, b in channels)


def _pools(colours: Sequence[str], lighter: str, darker: str) -> dict[str, str]:
    shades: dict[str, str] = {}
    for k, colour in enumerate(colours):
        shades[f"pool-{k}-0"] = colour
        shades[f"pool-{k}-1"] = mixed(colour, lighter, 0.26)
        shades[f"pool-{k}-2"] = mixed(colour, darker, 0.1)
    return shades


LIGHT = Palette(
    fills={
        "paper": "#ffffff", "free": "#eceef0", "task": "#a9bdd3", "critical": "#eda66f", "critical-mark": "#b8480f",
        "live": "#82b1de", "title": "#1b1f24", "label": "#1b1f24", "band": "#1b1f24", "name": "#14181d",
        "soft": "#56606b", "axis": "#56606b", **_pools(POOLS_LIGHT, "#ffffff", "#000000"),
    },
    lines={"grid": "#dcdfe3", "tick": "#56606b", "mark": "#1b1f24", "bound": "#1b1f24", "ceiling": "#a8201a"},
)  # fmt: skip
DARK = Palette(
    fills={
        "paper": "#1a1e23", "free": "#262b32", "task": "#41566e", "critical": "#8f4f20", "critical-mark": "#f29a68",
        "live": "#2a618e", "title": "#e7e9ec", "label": "#e7e9ec", "band": "#e7e9ec", "name": "#f4f5f6",
        "soft": "#a5aeb9", "axis": "#a5aeb9", **_pools(POOLS_DARK, "#000000", "#ffffff"),
    },
    lines={"grid": "#343b44", "tick": "#a5aeb9", "mark": "#e7e9ec", "bound": "#e7e9ec", "ceiling": "#ff9088"},
)  # fmt: skip
