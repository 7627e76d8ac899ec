"""Names and figures as they stand in a page: whatever a name holds, it is shown, and nothing of it is obeyed."""

from __future__ import annotations

from html import escape

from ..table import cut

LONGEST_NAME = 44
"""Characters of a name in a table of the page; a longer one is cut in its middle."""
LONGEST_TITLE = 160
"""The same where a name stands alone."""


def visible(name: str) -> str:
    """``name`` with everything spelled out that cannot be seen or changes what stands beside it.

    Control and format characters (among them those that turn the direction of writing) and halves of characters.

    >>> visible("a\\x1b[2J\\u202e"), visible("Größe 1")
    ('a\\\\x1b[2J\\\\u202e', 'Größe 1')
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def html(text: str) -> str:
    """``text`` as content of an element or of a quoted attribute."""
    return escape(visible(text), quote=True)


def name_html(name: str, most: int = LONGEST_NAME) -> str:
    """A name from a file: isolated, so that its direction of writing ends with it, and cut to ``most`` characters."""
    return f"<bdi>{html(shortened(name, most))}</bdi>"


def shortened(name: str, most: int) -> str:
    """``name``, visible, in at most ``most`` characters."""
    return cut(visible(name), most)


WIDE, NARROW = frozenset("MW@%mw"), frozenset(" .,:;|'`!iljtfrI/()[]{}-")


def width_of(text: str, size: float) -> float:
    """Pixels that ``text`` takes at a size of letters, in the widest of the usual fonts: what fits there fits in all.

    >>> width_of("Mill", 10) < width_of("Mmmm", 10)
    True
    """
    return size * sum(map(_width, text))


def _width(letter: str) -> float:
    """In units of the size of the letters."""
    if not letter.isascii():
        return 1.0
    if letter in NARROW:
        return 0.42
    if letter in WIDE:
        return 1.0
    return 0.72 if letter.isupper() else 0.64


def fitted(name: str, room: float, size: float, least: int = 8) -> str:
    """``name`` in ``room`` pixels: whole, cut in its middle to at least ``least`` letters, or the empty text."""
    shown = visible(name[:2000])
    most = min(len(shown), int(room / (0.42 * size))) if room > 0 else 0
    while most > 0:
        said = cut(shown, most)
        if width_of(said, size) <= room:
            return said if said == shown or most >= least else ""
        most -= 1
    return ""


def lasting(seconds: float) -> str:
    """A duration in the two largest units that fit, for figures too large to be read in seconds.

    >>> lasting(78088.2), lasting(185), lasting(59), lasting(90061)
    ('21h 41min', '3min 5s', '', '1d 1h')
    """
    whole = round(seconds)
    if whole < 60:
        return ""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    first = next(k for k, (_, size) in enumerate(units) if whole >= size)
    parts = []
    for unit, size in units[first : first + 2]:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)
