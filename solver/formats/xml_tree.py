"""XML as a tree of elements that know their lines.

A thin layer over expat, which the standard library has. Rejected: ElementTree, which forgets where an element stood.
Entities that a file declares itself are refused: no format here needs them, and they can make a small file endless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from ..errors import InputError, Mistake

_DEEPEST = 200
_ROOT = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>)*<(?:[\w.-]+:)?([\w.-]+)", re.DOTALL)


@dataclass(slots=True)
class Element:
    """One element: its name without a namespace, attributes, children in order, text directly inside, and its line."""

    name: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    @property
    def place(self) -> str:
        """Where it stands: the line and the name."""
        return f"line {self.line} ({self.name})"

    def all(self, *names: str) -> Iterator[Element]:
        """Its children of these names."""
        return (child for child in self.children if child.name in names)


def root_name(data: bytes) -> str:
    """The name of the outermost element of what seems to be XML, without a namespace; "" for anything else."""
    match = _ROOT.match(data.removeprefix(b"\xef\xbb\xbf")[: 2**16])
    return match[1].decode("ascii", "replace") if match else ""


def parse_xml(data: bytes, origin: str) -> Element:
    """The outermost element of ``data``; ``InputError`` with line and column of what is no XML."""
    tree = _Tree(origin)
    try:
        tree.parser.Parse(data, True)
    except expat.ExpatError as error:
        text = expat.errors.messages[error.code]
        hint = "the file seems to be truncated" if text in ("no element found", "unclosed token") else ""
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise InputError(origin, [Mistake(place, text, "well-formed XML", hint)]) from None
    except (LookupError, ValueError) as error:  # an encoding that is unknown, or wider than expat reads
        raise InputError(origin, [Mistake("line 1", str(error), "XML in UTF-8")]) from None
    return tree.root


class _Tree:
    """Builds elements from the events of expat."""

    def __init__(self, origin: str) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._entity
        self._origin = origin
        self._open: list[Element] = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        element = Element(name.rpartition(":")[2], attributes, line)
        if not self._open:
            self.root = element
        else:
            self._open[-1].children.append(element)
        self._open.append(element)
        if len(self._open) > _DEEPEST:
            mistake = Mistake(f"line {line}", "endless nesting", f"at most {_DEEPEST} elements inside each other")
            raise InputError(self._origin, [mistake])

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].text += text

    def _entity(self, name: str, *_: object) -> None:
        mistake = Mistake(f"line {self.parser.CurrentLineNumber}", f"the entity {name!r} declared", "no entities")
        raise InputError(self._origin, [mistake])
