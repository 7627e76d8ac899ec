"""A placement as a picture: SVG without scripts or fonts of its own; light or dark as the reader's screen is.

::

    address
      ^   - - - - - - - - - - - - - -  capacity
      |   +-----------+       +-----+
      |   |     b     |.......|  b  |   a buffer is as wide as its lifetime and as high as its size; where it does not
      |   +---+-------+---+   +-----+   need its bytes (a gap) it is drawn faintly, because they may be another's
      |   | a |   |   c   |
      +---+---+---+-------+---> time

Pointing at a buffer shows its id, size, lifetime and offset. Buffers that touch have different colours. The size of
the file is bounded: where there are too many buffers the largest are drawn, and the picture says how many are not.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass

from catalytic.solver.formats import BufferTable
from catalytic.solver.units import format_size

from .svg_parts import number as _n
from .svg_parts import text as _text
from .svg_parts import ticks
from .words import plural, seconds

WIDTH, HEIGHT = 1280, 760
LEFT, RIGHT, TOP, BOTTOM = 78, 24, 70, 56
"""Pixels around the chart: addresses, nothing, title, moments."""

COLOURS = 7
MOST_BYTES = 15_000_000
"""Characters of drawn buffers; about 100 000 with short names."""
MOST_SHOWN_ABOVE = 1.25
"""A capacity further above the placement than this is named and not drawn: the buffers would shrink to a stripe."""
LABEL_HEIGHT, LABEL_WIDTH = 13, 7.2
"""Pixels that a letter needs; names are written into rectangles that hold them whole."""

LIGHT = ("#8fb0cc", "#c9a97f", "#9bbf9b", "#c59bae", "#a9a3cf", "#b9bf86", "#8fbfba")
DARK = ("#44647f", "#7d6440", "#4f7350", "#7b5265", "#605a86", "#6d7340", "#43736e")
"""Muted hues of one lightness each."""

STYLE = f"""\
svg {{ background: #fff; color: #222; font: 12px system-ui, sans-serif; fill: currentColor }}
.b {{ stroke: #fff; stroke-width: .5 }} .b .g {{ opacity: .18 }}
{" ".join(f".c{k} {{ fill: {colour} }}" for k, colour in enumerate(LIGHT))}
.axis {{ stroke: #8888; fill: none }} .capacity {{ stroke: #c33; stroke-width: 1.5 }}
.bound {{ stroke: #555; stroke-dasharray: 6 4 }} .h {{ font-size: 15px; font-weight: 600 }}
.n {{ pointer-events: none; font-size: 11px; text-anchor: middle }}
.e {{ text-anchor: end }} .m {{ text-anchor: middle }}
@media (prefers-color-scheme: dark) {{
svg {{ background: #16181c; color: #ddd }} .b {{ stroke: #16181c }}
.bound {{ stroke: #bbb }} .capacity {{ stroke: #f66 }}
{" ".join(f".c{k} {{ fill: {colour} }}" for k, colour in enumerate(DARK))} }}
"""

Life = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is written around the buffers. ``clock``: a unit of time; heights in bytes.

    ``bound`` None: none is known for this line alone; ``capacity`` None: not asked.
    """

    name: str
    clock: str
    height: int
    bound: int | None
    capacity: int | None


@dataclass(frozen=True, slots=True)
class Chart:
    """One address line: ``offset[b]`` in bytes, ``lives[b]``: when buffer ``b`` needs them, in order."""

    table: BufferTable
    offset: Sequence[int]
    lives: Sequence[Sequence[Life]]
    picture: Picture


@dataclass(frozen=True, slots=True)
class _Scale:
    """From moments and addresses to pixels."""

    first: int
    last: int
    top: int

    def x(self, moment: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (moment - self.first) / max(1, self.last - self.first)

    def y(self, address: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * address / max(1, self.top)


def svg_map(table: BufferTable, offset: Sequence[int], lives: Sequence[Sequence[Life]], picture: Picture) -> str:
    """The picture of one address line as one SVG document; the arguments are those of ``Chart``."""
    return svg_maps(picture.name, [Chart(table, offset, lives, picture)])


def svg_maps(name: str, charts: Sequence[Chart]) -> str:
    """The pictures of several address lines, one below the other over the same time, as one SVG document."""
    first = min((moment for chart in charts for moment in chart.table.lower), default=0)
    last = max((moment for chart in charts for moment in chart.table.upper), default=1)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(charts)}" role="img">',
        f"<title>{_text(name)}</title>",
        f"<style>{STYLE}</style>",
    ]
    for k, chart in enumerate(charts):
        lines.append(f'<g transform="translate(0 {k * HEIGHT})">')
        lines += [*_chart(chart, (first, last), MOST_BYTES // len(charts)), "</g>"]
    return "\n".join([*lines, "</svg>\n"])


def _chart(chart: Chart, span: Life, most_bytes: int) -> list[str]:
    """What shows one address line over the time ``span``."""
    table, offset, lives, picture = chart.table, chart.offset, chart.lives, chart.picture
    n = len(offset)
    near = [m for m in (picture.capacity, picture.bound) if m is not None and m <= MOST_SHOWN_ABOVE * picture.height]
    scale = _Scale(*span, max([picture.height, *near]))
    colour = _colours(table, offset, lives)
    drawn: dict[int, str] = {}
    spent = 0
    for b in sorted(range(n), key=lambda b: (-table.size[b] * sum(z - a for a, z in lives[b]), b)):
        text = _buffer(table, b, offset[b], lives[b], colour[b], scale, picture.clock)
        spent += len(text.encode())
        if spent > most_bytes:
            break
        drawn[b] = text
    return [
        *_caption(picture, n, n - len(drawn)),
        *_axes(scale, picture.clock),
        '<g class="b">',
        *(drawn[b] for b in sorted(drawn)),
        "</g>",
        *_names(table, offset, lives, drawn, scale),
        *_marks(scale, picture),
    ]


def _buffer(
    table: BufferTable, b: int, offset: int, lives: Sequence[Life], colour: int, scale: _Scale, clock: str
) -> str:
    when = " and ".join(f"[{a}, {z})" for a, z in lives)
    size = table.size[b]
    title = f"<title>{_text(f'{table.id[b]}: {size} bytes at {offset}, {when} {clock}')}</title>"
    living = [_rectangle(scale, a, z, offset, size) for a, z in lives]
    if len(living) == 1 and lives[0] == (table.lower[b], table.upper[b]):
        return f'<rect class="c{colour}" {living[0]}>{title}</rect>'
    between = [(table.lower[b], table.upper[b])] if len(lives) != 1 else []
    faint = [f'<rect class="g" {_rectangle(scale, a, z, offset, size)}/>' for a, z in between]
    return f'<g class="c{colour}">{title}{"".join(faint)}{"".join(f"<rect {r}/>" for r in living)}</g>'


def _rectangle(scale: _Scale, birth: int, death: int, bottom: int, size: int) -> str:
    x, y = scale.x(birth), scale.y(bottom + size)
    return f'x="{_n(x)}" y="{_n(y)}" width="{_n(scale.x(death) - x)}" height="{_n(scale.y(bottom) - y)}"'


def _colours(table: BufferTable, offset: Sequence[int], lives: Sequence[Sequence[Life]]) -> list[int]:
    """A colour for each buffer, other than that of a buffer it touches, above, below or in time, while there is one.

    In the order of births each takes the first free colour after the last one taken, so that all are used. Two that
    touch in address have nothing between them, so they are next to each other when the younger is born.
    """
    events = []
    for b, spans in enumerate(lives):
        if table.size[b]:
            for birth, death in spans:
                events += [(birth, 1, b), (death, 0, b)]
    events.sort()
    colour = [-1] * len(offset)
    alive: list[tuple[int, int]] = []
    gone: list[int] = []
    moment, last = None, 0
    for when, born, b in events:
        if when != moment:
            moment, gone = when, []
        own = (offset[b], b)
        at = bisect_left(alive, own)
        if not born:
            del alive[at]
            gone.append(b)
            continue
        if colour[b] < 0:
            near = [other for _, other in alive[max(0, at - 1) : at + 1]]
            top = offset[b] + table.size[b]
            near += [g for g in gone if offset[g] < top and offset[b] < offset[g] + table.size[g]]
            taken = {colour[other] for other in near}
            turn = [(last + 1 + k) % COLOURS for k in range(COLOURS)]
            colour[b] = last = next((c for c in turn if c not in taken), turn[0])
        insort(alive, own)
    return [max(0, c) for c in colour]


def _names(
    table: BufferTable, offset: Sequence[int], lives: Sequence[Sequence[Life]], drawn: dict[int, str], scale: _Scale
) -> list[str]:
    """The id in the longest stretch of each buffer that is large enough to hold it."""
    names = []
    for b in sorted(drawn):
        birth, death = max(lives[b], key=lambda life: life[1] - life[0])
        wide, high = scale.x(death) - scale.x(birth), scale.y(offset[b]) - scale.y(offset[b] + table.size[b])
        if high >= LABEL_HEIGHT and wide >= LABEL_WIDTH * (len(table.id[b]) + 1):
            x, y = scale.x((birth + death) / 2), scale.y(offset[b] + table.size[b] / 2) + 4
            names.append(f'<text class="n" x="{_n(x)}" y="{_n(y)}">{_text(table.id[b])}</text>')
    return names


def _caption(picture: Picture, buffers: int, left_out: int) -> list[str]:
    proved = " = bound" if picture.height == picture.bound else f", bound {format_size(picture.bound or 0)}"
    proved = "" if picture.bound is None else proved
    said = f"{plural(buffers, 'buffer')}, height {format_size(picture.height)} ({picture.height} bytes){proved}"
    if picture.capacity is not None:
        said += f", capacity {format_size(picture.capacity)} ({picture.capacity} bytes)"
    if left_out:
        said += f"; the {plural(left_out, 'smallest buffer')} by size x lifetime are not drawn"
    return [
        f'<text class="h" x="{LEFT}" y="24">{_text(picture.name)}</text>',
        f'<text x="{LEFT}" y="44">{_text(said)}</text>',
    ]


def _axes(scale: _Scale, clock: str) -> list[str]:
    left, right, ground = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    lines = [f'<path class="axis" d="M{left} {TOP}V{ground}H{right}"/>']
    for address in ticks(0, scale.top):
        y = _n(scale.y(address))
        lines.append(f'<path class="axis" d="M{left - 5} {y}H{left}"/>')
        lines.append(f'<text class="e" x="{left - 8}" y="{_n(scale.y(address) + 4)}">{format_size(address)}</text>')
    for moment in ticks(scale.first, scale.last):
        x = _n(scale.x(moment))
        label = seconds(moment / 1000) if clock == "ms" else f"{moment:,}"
        lines.append(f'<path class="axis" d="M{x} {ground}v5"/>')
        lines.append(f'<text class="m" x="{x}" y="{ground + 19}">{label}</text>')
    unit = "seconds" if clock == "ms" else clock
    lines.append(f'<text class="m" x="{(left + right) / 2:.0f}" y="{HEIGHT - 14}">time, {unit}</text>')
    lines.append(
        f'<text class="m" transform="translate(16 {(TOP + ground) / 2:.0f}) rotate(-90)">address, bytes</text>'
    )
    return lines


def _marks(scale: _Scale, picture: Picture) -> list[str]:
    """Lines across the chart at the bound and, where it is near, at the capacity."""
    lines = []
    for kind, address in (("bound", picture.bound), ("capacity", picture.capacity)):
        if address is not None and address <= scale.top:
            lines.append(f'<path class="{kind}" d="M{LEFT} {_n(scale.y(address))}H{WIDTH - RIGHT}"/>')
            # The two may coincide: their names stand at different ends.
            end, x = ("e", WIDTH - RIGHT) if kind == "bound" else ("", LEFT + 4)
            lines.append(f'<text class="{end}" x="{x}" y="{_n(scale.y(address) - 4)}">{kind}</text>')
    return lines
