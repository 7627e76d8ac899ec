"""The DOT language of Graphviz: text to nodes, edges and attributes, each with its line.

The grammar is the one of graphviz.org/doc/info/lang.html: ``strict``, ports, subgraphs as ends of edges, default
attributes of nodes and edges and the scope in which they hold, quoted and concatenated texts, HTML texts, comments.
As in Graphviz, ``\\"`` in a quoted text is a quotation mark, a backslash before a line break joins the lines, and every
other escape stays as it is written, because its meaning depends on the attribute.

Rejected: pydot, which takes 5 s for a graph of 571 nodes that is read here in 0.15 s, prints its errors, and knows no
lines. It is the oracle of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from ..errors import InputError, Mistake
from .json_text import describe

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n]* | /\*.*?\*/ | ^\#[^\n]*)
  | (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<edge>->|--)
  | (?P<number>-?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?))
  | (?P<word>[A-Za-z_\u0080-\U0010ffff][0-9A-Za-z_\u0080-\U0010ffff]*)
  | (?P<mark>[{}\[\];,:=+])
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_BRACKET = re.compile("[<>]")
_TEXTS = ("quoted", "number", "word", "html")
_DEEPEST = 100
_SIGN = re.compile(rb'(?:strict\s+)?(?:di)?graph(?:\s+(?:\w+|"(?:[^"\\]|\\.)*"))?\s*\{', re.IGNORECASE | re.DOTALL)
_BEFORE = re.compile(rb"(?:\s+|//[^\n]*\n|/\*.*?\*/|#[^\n]*\n)*", re.DOTALL)

Attributes = Mapping[str, str]


@dataclass(slots=True)
class DotNode:
    """A node: its attributes, defaults included, and the line that mentions it first."""

    attributes: dict[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class DotEdge:
    """An edge from ``tail`` to ``head``: its attributes, defaults included, and its line."""

    tail: str
    head: str
    attributes: Attributes
    line: int


@dataclass(slots=True)
class DotGraph:
    """A graph: nodes by id and edges, in the order of the file. ``attributes``: of the outermost graph."""

    name: str
    directed: bool
    nodes: dict[str, DotNode] = field(default_factory=dict)
    edges: list[DotEdge] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


def is_dot(data: bytes) -> bool:
    """Whether ``data`` begins as a graph, after comments."""
    head = data.removeprefix(b"\xef\xbb\xbf")
    start = _BEFORE.match(head)
    return _SIGN.match(head, start.end() if start else 0) is not None


def parse_dot(text: str, origin: str) -> DotGraph:
    """The first graph in ``text``; ``InputError`` with the line of what is no DOT."""
    return _Parser(text, origin).graph()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def _tokens(text: str, origin: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None and text[position] == "<":
            end = _end_of_html(text, position)
            token = _Token("html", text[position:end], line)
        elif match is None or match.lastgroup is None:
            rest = text[position:].partition("\n")[0][:20]
            hint = "a quotation mark is not closed" if rest.startswith('"') else ""
            raise InputError(origin, [Mistake(f"line {line}", describe(rest), "DOT", hint)])
        else:
            end, token = match.end(), _Token(match.lastgroup, match[0], line)
        if token.kind != "space":
            yield token
        line += text.count("\n", position, end)
        position = end
    yield _Token("end", "the end of the text", line)


def _end_of_html(text: str, position: int) -> int:
    """Where the HTML text that begins at ``position`` ends: brackets are balanced, or the file ends."""
    depth = 0
    for match in _BRACKET.finditer(text, position):  # a copy of the rest per text would be quadratic
        depth += 1 if match[0] == "<" else -1
        if depth == 0:
            return match.end()
    return len(text)


@dataclass(slots=True)
class _Scope:
    """Default attributes inside one pair of braces."""

    node: dict[str, str]
    edge: dict[str, str]


class _Parser:
    """Recursive descent over the tokens, one method per rule of the grammar."""

    def __init__(self, text: str, origin: str) -> None:
        self._tokens = _tokens(text, origin)
        self._origin = origin
        self._next = next(self._tokens)
        self._graph = DotGraph("", directed=True)

    def graph(self) -> DotGraph:
        self._keyword("strict")
        self._graph.directed = self._keyword("digraph")
        if not self._graph.directed and not self._keyword("graph"):
            raise self._refused("graph or digraph")
        if self._next.kind in _TEXTS:
            self._graph.name = self._text("a name")
        self._statements(_Scope({}, {}), depth=0)
        return self._graph

    def _statements(self, scope: _Scope, depth: int) -> list[str]:
        """What stands between braces; the nodes that are mentioned there."""
        self._mark("{")
        mentioned: list[str] = []
        while not self._take("}"):
            mentioned += self._statement(scope, depth)
            self._take(";")
        return mentioned

    def _statement(self, scope: _Scope, depth: int) -> list[str]:
        for word, defaults in (("graph", None), ("node", scope.node), ("edge", scope.edge)):
            if self._keyword(word):
                stated = self._attributes()
                if defaults is not None:
                    defaults.update(stated)
                elif depth == 0:
                    self._graph.attributes.update(stated)
                return []
        line = self._next.line
        chain = [self._end(scope, depth)]
        if self._peek("=") and len(chain[0]) == 1:
            return self._assignment(chain[0][0], depth)
        arrow = "->" if self._graph.directed else "--"
        while self._next.kind == "edge":
            if self._next.text != arrow:
                raise self._refused(f"{arrow!r} in a {'digraph' if self._graph.directed else 'graph'}")
            self._advance()
            chain.append(self._end(scope, depth))
        stated = self._attributes() if self._peek("[") else {}
        for name in dict.fromkeys(name for end in chain for name in end):
            self._mention(name, line, scope)
        if len(chain) == 1:
            for name in chain[0]:
                self._graph.nodes[name].attributes.update(stated)
        for tails, heads in pairwise(chain):
            attributes = {**scope.edge, **stated}
            self._graph.edges += [DotEdge(tail, head, attributes, line) for tail in tails for head in heads]
        return [name for end in chain for name in end]

    def _assignment(self, name: str, depth: int) -> list[str]:
        """``name = value``: an attribute of the graph around it."""
        self._mark("=")
        value = self._text("a value")
        if depth == 0:
            self._graph.attributes[name] = value
        return []

    def _end(self, scope: _Scope, depth: int) -> list[str]:
        """One end of an edge: a node, or all nodes of a subgraph."""
        subgraph = self._keyword("subgraph")
        if subgraph and self._next.kind in _TEXTS:
            self._text("a name")
        if subgraph or self._peek("{"):
            if depth >= _DEEPEST:
                raise self._refused(f"at most {_DEEPEST} subgraphs inside each other")
            inside = self._statements(_Scope({**scope.node}, {**scope.edge}), depth + 1)
            return list(dict.fromkeys(inside))
        name = self._text("a node, an edge, attributes or '}'")
        while self._take(":"):  # a port, and a point of the compass
            self._text("a port")
        return [name]

    def _attributes(self) -> dict[str, str]:
        """``[name = value, ...]``, any number of times; a name alone is true."""
        found: dict[str, str] = {}
        while self._take("["):
            while not self._take("]"):
                name = self._text("the name of an attribute")
                found[name] = self._text("a value") if self._take("=") else "true"
                self._take(";", ",")
        return found

    def _mention(self, name: str, line: int, scope: _Scope) -> None:
        if name not in self._graph.nodes:
            self._graph.nodes[name] = DotNode({**scope.node}, line)

    def _text(self, allowed: str) -> str:
        """An id: a word, a number, an HTML text, or quoted texts joined by ``+``."""
        token = self._next
        if token.kind not in _TEXTS:
            raise self._refused(allowed)
        self._advance()
        text = _unquoted(token)
        while token.kind == "quoted" and self._take("+"):
            if self._next.kind != "quoted":
                raise self._refused("a quoted text")
            text += _unquoted(self._next)
            self._advance()
        return text

    def _keyword(self, word: str) -> bool:
        """Whether ``word`` comes next; then it is passed. Keywords are written in any case, and never quoted."""
        found = self._next.kind == "word" and self._next.text.lower() == word
        if found:
            self._advance()
        return found

    def _peek(self, *marks: str) -> bool:
        return self._next.kind == "mark" and self._next.text in marks

    def _take(self, *marks: str) -> bool:
        found = self._peek(*marks)
        if found:
            self._advance()
        return found

    def _mark(self, mark: str) -> None:
        if not self._take(mark):
            raise self._refused(repr(mark))

    def _advance(self) -> None:
        self._next = next(self._tokens)

    def _refused(self, allowed: str) -> InputError:
        token = self._next
        ended = token.kind == "end"
        found = token.text if ended else describe(token.text)
        hint = "the file seems to be truncated" if ended else ""
        return InputError(self._origin, [Mistake(f"line {token.line}", found, allowed, hint)])


def _unquoted(token: _Token) -> str:
    if token.kind != "quoted":
        return token.text
    return token.text[1:-1].replace("\\\r\n", "").replace("\\\n", "").replace('\\"', '"')
