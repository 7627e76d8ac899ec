"""MiniMalloc's CSV: buffers with lifetimes and sizes, to be given offsets; and the same file with the offsets.

::

    id,lower,upper,size[,alignment][,hint][,gaps][,pool][,arena][,offset]
    b1,0,3,4                          alive in [0, 3), 4 bytes
    b2,2,9,4,...                      gaps "3-5 6-8": [3, 5) and [6, 8) are not needed

Columns come in any order. ``buffer`` and ``buffer_id`` mean ``id``; ``start`` and ``begin`` mean ``lower``. A column
``end`` instead of ``upper`` is inclusive: the buffer is alive in [lower, end + 1), and the ends of its gaps are
inclusive too. A file is written in the dialect it was read in, columns in the order above. An empty alignment is 1, an
empty hint, arena or offset none. Gaps that leave a part of the buffer in use (``3-5@0:8``) are refused: no reader here
could honour them. Lines after the first empty one are read, not ignored. ``pool`` and ``arena`` are ours: a name, empty
like any other, for buffers that lie next to each other, and the number of one of several address lines.

Source: ``converter.cc`` of github.com/google/minimalloc.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, Mistake
from ..units import MAX_BYTES, MAX_TICKS
from .json_text import TOP, describe, read_bytes
from .reading import decoded, refuse, unpacked

if TYPE_CHECKING:
    from ..plan import Plan

_NAMES = {"buffer": "id", "buffer_id": "id", "start": "lower", "begin": "lower", "end": "upper"}
_REQUIRED = ("id", "lower", "upper", "size")
_OPTIONAL = ("alignment", "hint", "gaps", "pool", "arena", "offset")
_MOST_ARENAS = 2**31
_LONGEST_HEADER = 4096
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_GAP = re.compile(r"(-?[0-9]{1,19})-(-?[0-9]{1,19})")
_ANY_COLUMNS = (
    "id (or buffer), lower (or start, begin), upper (or end, inclusive), size; also alignment, hint, gaps, pool, "
    "arena, offset"
)


@dataclass(frozen=True, slots=True)
class BufferTable:
    """Buffers of one file by column, in its order. Times are half-open whatever the dialect; sizes in bytes.

    ``hint``: offsets that are preferred; ``offset`` and ``arena``: those that the file states (None: none). ``pool``:
    names, "" without one. ``header``: the names of the columns as the file spells them. ``line``: where each buffer
    stands; empty when no file was read.
    """

    id: tuple[str, ...]
    lower: tuple[int, ...]
    upper: tuple[int, ...]
    size: tuple[int, ...]
    alignment: tuple[int, ...]
    hint: tuple[int | None, ...]
    gaps: tuple[tuple[tuple[int, int], ...], ...]
    pool: tuple[str, ...]
    arena: tuple[int | None, ...]
    offset: tuple[int | None, ...]
    header: tuple[str, ...]
    line: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, id: Sequence[str], lower: Sequence[int], upper: Sequence[int], size: Sequence[int], alignment: int
    ) -> BufferTable:
        """Buffers that come from elsewhere, with one alignment; nothing about them is given or preferred."""
        n = len(id)
        none: tuple[int | None, ...] = (None,) * n
        header = ("id", "lower", "upper", "size", "alignment")
        columns = (tuple(id), tuple(lower), tuple(upper), tuple(size), (alignment,) * n)
        return cls(*columns, hint=none, gaps=((),) * n, pool=("",) * n, arena=none, offset=none, header=header)

    def only(self, buffers: Sequence[int]) -> BufferTable:
        """The table of these buffers alone, in this order."""
        columns = {name: getattr(self, name) for name in (*_REQUIRED, *_OPTIONAL, "line")}
        return replace(self, **{name: tuple(own[b] for b in buffers) for name, own in columns.items() if own})

    @property
    def inclusive(self) -> bool:
        """Whether the file's ends belong to the lifetimes."""
        return "end" in self.header


def is_minimalloc(data: bytes) -> bool:
    """Whether the first line that is not empty reads like a header: two of the columns that every file has.

    A header in which one is misspelled still counts, so that the reader can say which.
    """
    first = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:_LONGEST_HEADER].splitlines()[:1]
    if not first or first[0].startswith((b"{", b"[")):
        return False
    names = [field.strip(b' \t"').decode("utf-8", "replace") for field in first[0].split(b",")]
    return len({_NAMES.get(name, name) for name in names} & {*_REQUIRED}) >= 2


def load_minimalloc(path: Path) -> BufferTable:
    """The buffers in ``path`` (also compressed with gzip); ``InputError`` with every mistake, by line and column."""
    origin = str(path)
    return parse_minimalloc(unpacked(read_bytes(path), origin), origin)


def parse_minimalloc(data: bytes, origin: str) -> BufferTable:
    """The buffers of a file with the content ``data``; ``origin`` names it in ``InputError``."""
    text = decoded(data, origin)
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        for row in rows:
            if any(field.strip() for field in row):
                lines.append((rows.line_num, [field.strip() for field in row]))
    except csv.Error as error:
        raise InputError(origin, [Mistake(f"line {rows.line_num}", str(error), "comma-separated values")]) from None
    if not lines:
        raise InputError(origin, [Mistake(TOP, "no line", f"a header with the columns {_ANY_COLUMNS}")])
    (number, header), *records = lines
    refuse(origin, _header_mistakes(f"line {number}", header))
    return _table(header, records, origin)


def dump_minimalloc(table: BufferTable, offset: Sequence[int], arena: Sequence[int] | None = None) -> str:
    """The file again, with ``offset[k]`` bytes as the offset of buffer ``k``, in the arena of that number if given."""
    present = {_NAMES.get(name, name): name for name in table.header}
    columns: dict[str, Sequence[object]] = {
        "id": table.id,
        "lower": table.lower,
        "upper": [upper - table.inclusive for upper in table.upper],
        "size": table.size,
        "alignment": table.alignment,
        "hint": ["" if hint is None else hint for hint in table.hint],
        "gaps": [" ".join(f"{a}-{z - table.inclusive}" for a, z in gaps) for gaps in table.gaps],
        "pool": table.pool,
        "arena": table.arena if arena is None else arena,
        "offset": offset,
    }
    added = {"offset"} if arena is None else {"arena", "offset"}
    kept = [name for name in columns if name in present or name in added]
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([present.get(name, name) for name in kept])
    writer.writerows(zip(*(columns[name] for name in kept), strict=True))
    return stream.getvalue()


def _header_mistakes(place: str, header: Sequence[str]) -> list[Mistake]:
    names = [_NAMES.get(name, name) for name in header]
    mistakes = [
        Mistake(place, f"the column {describe(name)}", _ANY_COLUMNS)
        for name in header
        if _NAMES.get(name, name) not in (*_REQUIRED, *_OPTIONAL)
    ]
    for name in (*_REQUIRED, *_OPTIONAL):
        spelled = [header[k] for k, known in enumerate(names) if known == name]
        if len(spelled) > 1:
            mistakes.append(Mistake(place, f"the columns {' and '.join(spelled)}", f"one column for {name}"))
        elif not spelled and name in _REQUIRED:
            mistakes.append(Mistake(place, f"no column {name}", _ANY_COLUMNS))
    return mistakes


@dataclass(slots=True)
class _Line:
    """One record: its place, its fields by canonical name, and where its mistakes go."""

    place: str
    fields: Mapping[str, str]
    mistakes: list[Mistake]

    def refuse(self, column: str, found: str, allowed: str, hint: str = "") -> None:
        self.mistakes.append(Mistake(f"{self.place}, {column}", found, allowed, hint))

    def integer(self, column: str, low: int, high: int, default: int | None = None) -> int | None:
        """The number in ``column``, ``default`` where the field is absent or empty; None after a mistake."""
        text = self.fields.get(column, "")
        if not text and column in _OPTIONAL:
            return default
        if _INTEGER.fullmatch(text) and low <= (number := int(text)) <= high:
            return number
        self.refuse(column, describe(text) if text else "nothing", f"a whole number, {low} to {high}")
        return None


def _table(header: Sequence[str], records: Sequence[tuple[int, list[str]]], origin: str) -> BufferTable:
    names = [_NAMES.get(name, name) for name in header]
    beyond = int("end" in header)
    mistakes: list[Mistake] = []
    seen: dict[str, str] = {}
    columns: dict[str, list[object]] = {name: [] for name in (*_REQUIRED, *_OPTIONAL)}
    for number, fields in records:
        place = f"line {number}"
        if len(fields) != len(header):
            mistakes.append(Mistake(place, f"{len(fields)} fields", f"{len(header)}, as in the header"))
            continue
        line = _Line(place, dict(zip(names, fields, strict=True)), mistakes)
        name = line.fields["id"]
        if not name or name in seen:
            line.refuse("id", describe(name), f"each id once; it stands at {seen[name]}" if name else "an id")
        seen.setdefault(name, place)
        lower, end = line.integer("lower", -MAX_TICKS, MAX_TICKS), line.integer("upper", -MAX_TICKS, MAX_TICKS)
        upper = None if end is None else end + beyond
        if lower is not None and upper is not None and lower >= upper:
            last = "the last moment" if beyond else "the first moment after it"
            line.refuse(header[names.index("upper")], str(end), f"{last}, at least {lower + 1 - beyond}")
        size = line.integer("size", 0, MAX_BYTES)
        alignment = line.integer("alignment", 1, MAX_BYTES, default=1)
        offset = line.integer("offset", 0, MAX_BYTES)
        if offset is not None and alignment is not None and offset % alignment:
            line.refuse(
                "offset", str(offset), f"a multiple of the alignment {alignment}", "leave it empty if it is free"
            )
        hint, gaps = line.integer("hint", 0, MAX_BYTES), _gaps(line, lower, upper, beyond)
        pool, arena = line.fields.get("pool", ""), line.integer("arena", 0, _MOST_ARENAS)
        row = (name, lower, upper, size, alignment, hint, gaps, pool, arena, offset)
        for column, value in zip(columns, row, strict=True):
            columns[column].append(value)
    refuse(origin, mistakes)
    whole = {name: tuple(column) for name, column in columns.items()}
    lines = tuple(number for number, _ in records)
    return BufferTable(**whole, header=tuple(header), line=lines)  # type: ignore[arg-type]


def _gaps(line: _Line, lower: int | None, upper: int | None, beyond: int) -> tuple[tuple[int, int], ...]:
    gaps = []
    for text in line.fields.get("gaps", "").split():
        match = _GAP.fullmatch(text)
        if match is None:
            hint = "gaps in which a part stays in use are not supported" if "@" in text else ""
            line.refuse("gaps", describe(text), "FROM-TO, several of them separated by spaces", hint)
        else:
            gaps.append((int(match[1]), int(match[2]) + beyond))
    gaps.sort()
    if lower is None or upper is None or lower >= upper:
        return tuple(gaps)
    apart = all(first[1] <= second[0] for first, second in pairwise(gaps))
    if not apart or not all(lower <= a < z <= upper for a, z in gaps) or sum(z - a for a, z in gaps) == upper - lower:
        allowed = f"disjoint parts of [{lower}, {upper}), and not all of it"
        line.refuse("gaps", describe(line.fields["gaps"]), allowed)
    return tuple(gaps)


def placement_table(plan: Plan) -> tuple[BufferTable, tuple[int, ...], tuple[int, ...] | None]:
    """What ``dump_minimalloc`` takes of a plan: its regions, one row per extent, their offsets, and their partitions.

    Times are milliseconds. A region of several extents has one row for each, ``id/1``, ``id/2``. Partitions are arenas;
    a plan of one partition has none. Pools are stated when there are several.
    """
    parts = [
        (region, extent, f"{region.buffer}/{k}" if len(region.extents) > 1 else region.buffer)
        for region in plan.regions
        for k, extent in enumerate(region.extents, 1)
    ]
    table = BufferTable.of(
        [name for _, _, name in parts],
        [region.lifetime.birth for region, _, _ in parts],
        [region.lifetime.death for region, _, _ in parts],
        [extent.length for _, extent, _ in parts],
        plan.problem.workspace.alignment,
    )
    if len({region.pool for region in plan.regions}) > 1:
        table = replace(table, pool=tuple(r.pool for r, _, _ in parts), header=(*table.header, "pool"))
    several = plan.problem.workspace.partitions > 1
    arenas = tuple(extent.partition for _, extent, _ in parts) if several else None
    return table, tuple(int(extent.offset) for _, extent, _ in parts), arenas
