"""YAML as a tree of values that know their lines; scalars stay texts, whatever YAML 1.1 would make of them.

PyYAML composes the nodes. Its constructors are not used: they turn ``on`` into true and ``3.10`` into 3.1, forget lines
and let the last of two equal keys win.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from yaml.reader import ReaderError

from ..errors import InputError, Mistake
from .json_text import describe
from .reading import refuse

_DEEPEST = 100
_MOST_NODES = 10**5


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar as it is written."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Twig:
    """A sequence."""

    items: tuple[Value, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping. ``lines``: where each key stands."""

    items: dict[str, Value]
    lines: dict[str, int]
    line: int


Value = Leaf | Twig | Branch


def parse_yaml(text: str, origin: str) -> Value:
    """The one document in ``text``; ``InputError`` with the line of what is no YAML, and of keys that occur twice."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "line 1"
        raise InputError(origin, [Mistake(place, error.problem or "no YAML", "YAML", error.context or "")]) from None
    except ReaderError as error:
        found = f"the character {describe(error.character)}"
        place = f"line {text.count(chr(10), 0, error.position) + 1}"
        raise InputError(origin, [Mistake(place, found, "characters that YAML allows")]) from None
    except yaml.YAMLError as error:
        raise InputError(origin, [Mistake("line 1", str(error).partition("\n")[0], "YAML")]) from None
    except (RecursionError, ValueError) as error:
        found = "endless nesting" if isinstance(error, RecursionError) else str(error)
        raise InputError(origin, [Mistake("line 1", found, f"YAML of at most {_DEEPEST} levels")]) from None
    if node is None:
        raise InputError(origin, [Mistake("line 1", "no document", "a mapping")])
    tree = _Tree(origin)
    value = tree.value(node, 0)
    refuse(origin, tree.mistakes)
    return value


class _Tree:
    """Turns nodes into values. An alias repeats its anchor, so nodes are counted as they are met."""

    def __init__(self, origin: str) -> None:
        self.mistakes: list[Mistake] = []
        self._origin = origin
        self._count = 0

    def value(self, node: yaml.Node, depth: int) -> Value:
        line = node.start_mark.line + 1
        self._count += 1
        if depth > _DEEPEST or self._count > _MOST_NODES:
            allowed = f"at most {_DEEPEST} levels and {_MOST_NODES} values, aliases repeated"
            raise InputError(self._origin, [Mistake(f"line {line}", "endless nesting", allowed)])
        if isinstance(node, yaml.ScalarNode):
            return Leaf(str(node.value), line)
        if isinstance(node, yaml.SequenceNode):
            return Twig(tuple(self.value(item, depth + 1) for item in node.value), line)
        assert isinstance(node, yaml.MappingNode)
        return self._branch(node, line, depth)

    def _branch(self, node: yaml.MappingNode, line: int, depth: int) -> Branch:
        items: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for key, item in node.value:
            place = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.mistakes.append(Mistake(f"line {place}", "a key that is no text", "a text"))
            elif key.value in items:
                found, allowed = f"the key {key.value!r} again", f"each key once; it stands at line {lines[key.value]}"
                self.mistakes.append(Mistake(f"line {place}", found, allowed))
            else:
                items[key.value], lines[key.value] = self.value(item, depth + 1), place
        return Branch(items, lines, line)
