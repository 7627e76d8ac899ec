"""Full components read as a history of exchanges: at each moment some buffers hand exactly their bytes to others.

Where every section is full, what is born at a moment lies exactly where something died::

      |   b   |  d  |       at t the block {b, c} is exchanged for {e, f, g}: the dying lay side by side,
      |-------+  e  |       the newborn lie side by side, and everybody else stays where he is
      |   c   +-----|
      |       |  f,g|
      |-------+-----|
      |   a         |
              t

So a placement is a history of stacks, and all that is asked of a stack is that some blocks are contiguous. The orders
in which that is so are what a PQ-tree represents (Booth and Lueker 1976): the children of a P-node in any order, those
of a Q-node forwards or backwards. One sweep over time reduces the tree by the block that dies and puts a P-node of the
newborn in its place; afterwards, from the last moment back, every block that died is stacked where those who took its
bytes lie. Where each moment has one exchange this decides the component without search; and it nearly does where the
bytes tell which of several exchanges of one moment belong together. There the ways to match them are guessed, the
finest first, and a sweep that gets stuck begins anew with other guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from random import Random

import numpy as np
import numpy.typing as npt

from ..arrays import Ints
from .arena import Component

MOST_MATCHED = 16
"""Buffers that die and are born at one moment, beyond which they are not matched but taken as one exchange."""

MOST_WAYS = 40
"""Ways to match the exchanges of one moment that are looked at."""


def exchange(component: Component, seed: int, backtracks: int, stop: npt.NDArray[np.bool_]) -> Ints | None:
    """Offsets in units, at the bound, of a component that ``is_full`` (see ``tiling``); None when all guesses fail.

    Ends after so many ``backtracks``. ``seed`` 0: guesses in their order, else shuffled. A moment costs O(its buffers x
    depth of the tree), a guess a copy of the tree.
    """
    count = component.section_count
    born, dying = _by_section(component.first, count), _by_section(component.end, count)
    random = Random(seed) if seed else None
    tree = _Tree.of(born[0])
    history: list[_Exchange] = []
    guesses: list[_Guess] = []
    t = 1
    while t < count:
        tree.blame = 0
        ways = _ways(dying[t], born[t], component.size, tree, random)
        guess = _Guess(t, ways, tree, len(history), tree.blame)
        while True:
            done = guess.next(len(guesses))
            if done is not None:
                break
            # Nothing can be done at this moment: back to the last guess that has to do with it.
            blame = guess.blame
            while guesses and not blame >> (len(guesses) - 1) & 1:
                guesses.pop()
            if not guesses or backtracks == 0 or stop[0]:
                return None
            backtracks -= 1
            guess = guesses.pop()
            guess.blame |= blame & ~(1 << len(guesses))
            del history[guess.history :]
        exchanges, tree = done
        if guess.ways:
            guesses.append(guess)
        history += exchanges
        t = guess.t + 1
    return _offsets(component.size, tree, history)


@dataclass(slots=True)
class _Guess:
    """A moment, the ways to match its exchanges that were not tried, the tree before it, and the length of the history.

    ``blame``: earlier guesses that are behind the failure of the ways that were tried.
    """

    t: int
    ways: list[Match]
    tree: _Tree
    history: int
    blame: int

    def next(self, number: int) -> tuple[list[_Exchange], _Tree] | None:
        """The next way that the tree allows: its exchanges, and the tree after them; None when there is no other."""
        while self.ways:
            match = self.ways.pop(0)
            tree = self.tree.copy() if self.ways else self.tree
            tree.blame = 0
            # The last way is right because the others are wrong, for reasons of their own.
            done = tree.carry_out(match, 1 << number if self.ways else self.blame)
            if done is not None:
                return done, tree
            self.blame |= tree.blame & ~(1 << number)
        return None


def _by_section(section: Ints, count: int) -> list[list[int]]:
    result: list[list[int]] = [[] for _ in range(count + 1)]
    for b, s in enumerate(section.tolist()):
        result[s].append(b)
    return result


# -- the tree ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Node:
    """A leaf has a ``buffer``; others have ``children``, in a fixed order up to reversal when ``ordered`` (a Q-node).

    ``why``: the guesses without which it would not be what it is, one bit each.
    """

    buffer: int = -1
    ordered: bool = False
    children: list[_Node] = field(default_factory=list)
    parent: _Node | None = None
    leaves: int = 1
    why: int = 0


@dataclass(slots=True)
class _Exchange:
    """``before`` lay where ``after`` lies, in this order or reversed: ``beside`` (a buffer) is on its lower side if
    ``below``, else on its upper one. ``beside`` -1: any order."""

    after: list[int]
    before: list[_Node]
    beside: int
    below: bool


_Test = Callable[[_Node], bool]


class _Tree:
    """The orders of the living in which all blocks that were exchanged so far were contiguous."""

    def __init__(self) -> None:
        self.leaf: dict[int, _Node] = {}
        self.root = _Node()
        self.blame = 0  # guesses that made the blocks that were not found since it was last set to 0

    @classmethod
    def of(cls, buffers: Sequence[int]) -> _Tree:
        """All orders of ``buffers``."""
        tree = cls()
        tree.root = tree._group_of(buffers)
        return tree

    def copy(self) -> _Tree:
        """The same orders, in nodes of its own."""
        other = _Tree()
        root = self.root
        other.root = _Node(root.buffer, root.ordered, root.children, None, root.leaves, root.why)
        rest = [other.root]
        while rest:
            node = rest.pop()
            if not node.children:
                other.leaf[node.buffer] = node
                continue
            node.children = [_Node(c.buffer, c.ordered, c.children, node, c.leaves, c.why) for c in node.children]
            rest += node.children
        return other

    def carry_out(self, match: Match, guess: int) -> list[_Exchange] | None:
        """All exchanges of one moment, which are right if ``guess`` is; None if one cannot be, and the tree is lost."""
        done = []
        for before, after in match:
            each = self.replace(before, after, guess)
            if each is None:
                return None
            done.append(each)
        return done

    def _group_of(self, buffers: Sequence[int], why: int = 0) -> _Node:
        leaves = [_Node(b, why=why) for b in buffers]
        self.leaf.update(zip(buffers, leaves, strict=True))
        return _adopt(leaves, why)

    def replace(self, dying: Sequence[int], born: Sequence[int], guess: int) -> _Exchange | None:
        """Exchange the block ``dying`` for ``born``; None, and nothing has changed, if it cannot be contiguous."""
        block = self.find(dying)
        if block is None:
            return None
        for b in dying:
            del self.leaf[b]
        new = self._group_of(born, guess)
        block.put(new, self, guess)
        beside = block.lower[-1] if block.lower else block.upper[0] if block.upper else None
        return _Exchange(list(born), block.inside, -1 if beside is None else _any_leaf(beside), bool(block.lower))

    def find(self, buffers: Sequence[int]) -> _Block | None:
        """Where ``buffers`` are contiguous; None when no order of the tree has them so."""
        count: dict[int, int] = {}
        for b in buffers:
            node: _Node | None = self.leaf[b]
            while node is not None:
                count[id(node)] = count.get(id(node), 0) + 1
                node = node.parent
        root = self.leaf[buffers[0]]
        while count[id(root)] < len(buffers):
            assert root.parent is not None
            root = root.parent
        block = _block(root, count)
        if block is None:
            self.blame |= self._why(buffers, root)
        return block

    def _why(self, buffers: Sequence[int], root: _Node) -> int:
        """Guesses behind the nodes from ``buffers`` up to ``root``."""
        why = root.why
        for b in buffers:
            node = self.leaf[b]
            while node is not root:
                why |= node.why
                assert node.parent is not None
                node = node.parent
        return why


@dataclass(slots=True)
class _Block:
    """A contiguous block below ``root``: ``inside`` are its subtrees, ordered unless ``lower`` and ``upper`` are empty.

    ``lower``/``upper``: the subtrees beside it on a Q-node, nearest last/first. ``others``: children of a P-node that
    have nothing to do with it. ``why``: the guesses behind subtrees that were unfolded.
    """

    root: _Node
    inside: list[_Node]
    lower: list[_Node]
    upper: list[_Node]
    others: list[_Node]
    why: int = 0

    def put(self, new: _Node, tree: _Tree, guess: int) -> None:
        """Let ``new`` take the place of ``inside``."""
        root, parent = self.root, self.root.parent
        change = new.leaves - sum(node.leaves for node in self.inside)
        if self.lower or self.upper:
            line = [*self.lower, new, *self.upper]
            why = self.why | guess
            if self.others:
                _fill(root, [*self.others, _adopt(line, why, ordered=True)], root.why, ordered=False)
            else:
                _fill(root, line, root.why | why, ordered=True)
        elif self.others:
            _fill(root, [*self.others, new], root.why, ordered=False)
        else:
            new.parent = parent
            if parent is None:
                tree.root = new
            else:
                parent.children[next(k for k, child in enumerate(parent.children) if child is root)] = new
        while parent is not None:
            parent.leaves += change
            parent = parent.parent


def _adopt(nodes: list[_Node], why: int, *, ordered: bool = False) -> _Node:
    """``nodes`` under one node; a single one stays alone."""
    if len(nodes) == 1:
        return nodes[0]
    return _fill(_Node(), nodes, why, ordered=ordered)


def _fill(node: _Node, children: list[_Node], why: int, *, ordered: bool) -> _Node:
    node.children, node.why, node.ordered = children, why, ordered
    node.leaves = sum(child.leaves for child in children)
    for child in children:
        child.parent = node
        if child.children and child.children[0].parent is not child:
            for bundled in child.children:
                bundled.parent = child
    return node


def _any_leaf(node: _Node) -> int:
    while node.children:
        node = node.children[0]
    return node.buffer


def _block(root: _Node, count: dict[int, int]) -> _Block | None:
    """The marked leaves as a block of ``root``, the lowest node above all; ``count``: marked leaves below a node."""

    def full(node: _Node) -> bool:
        return count.get(id(node), 0) == node.leaves

    def empty(node: _Node) -> bool:
        return id(node) not in count

    if full(root):
        return _Block(root, [root], [], [], [])
    if not root.ordered:
        partial = [node for node in root.children if not full(node) and not empty(node)]
        if len(partial) > 2:
            return None
        inside = [node for node in root.children if full(node)]
        why = 0
        lower: list[_Node] = []
        upper: list[_Node] = []
        for k, node in enumerate(partial):
            sides = _unfolded(node, full, empty)
            if sides is None:
                return None
            why |= sides[2]
            if k == 0:
                lower, inside = sides[0], [*sides[1], *inside]
            else:
                upper, inside = sides[0][::-1], [*inside, *sides[1][::-1]]
        return _Block(root, inside, lower, upper, [node for node in root.children if empty(node)], why)
    touched = [k for k, node in enumerate(root.children) if not empty(node)]
    first, last = touched[0], touched[-1]
    if not all(full(node) for node in root.children[first + 1 : last]):
        return None
    lower, upper = root.children[:first], root.children[last + 1 :]
    inside = root.children[first + 1 : last]
    why = 0
    for k, node in ((first, root.children[first]), (last, root.children[last])):
        sides = ([], [node], 0) if full(node) else _unfolded(node, full, empty)
        if sides is None:
            return None
        why |= sides[2]
        if k == first:
            lower, inside = [*lower, *sides[0]], [*sides[1], *inside]
        else:
            upper, inside = [*sides[0][::-1], *upper], [*inside, *sides[1][::-1]]
    return _Block(root, inside, lower, upper, [], why)


def _unfolded(node: _Node, full: _Test, empty: _Test) -> tuple[list[_Node], list[_Node], int] | None:
    """A partly marked subtree as a line: its unmarked subtrees, then the marked ones, and the guesses behind it.

    None when it has no order in which they come apart.
    """
    why = 0
    unmarked: list[_Node] = []
    marked: list[_Node] = []
    inner: _Node | None = node
    while inner is not None:
        children = inner.children
        why |= inner.why
        partial = [child for child in children if not full(child) and not empty(child)]
        if len(partial) > 1:
            return None
        if inner.ordered:
            kinds = [0 if empty(child) else 2 if full(child) else 1 for child in children]
            if kinds[0] > kinds[-1]:
                children, kinds = children[::-1], kinds[::-1]
            if kinds != sorted(kinds):
                return None
            unmarked += [child for child in children if empty(child)]
            marked = [child for child in children if full(child)] + marked
        else:
            apart = [child for child in children if empty(child)]
            within = [child for child in children if full(child)]
            # A group of its own is made without a change to the tree: it may still turn out that there is no order.
            unmarked += [_bundle(apart, why)] if apart else []
            marked = ([_bundle(within, why)] if within else []) + marked
        inner = partial[0] if partial else None
    return unmarked, marked, why


def _bundle(nodes: list[_Node], why: int) -> _Node:
    """``nodes`` in any order, as one; they learn of their parent when the block is exchanged."""
    if len(nodes) == 1:
        return nodes[0]
    return _Node(children=nodes, leaves=sum(node.leaves for node in nodes), why=why)


# -- exchanges of one moment -------------------------------------------------------------------------------------------


Match = list[tuple[list[int], list[int]]]
"""Exchanges of one moment: who dies, and who is born in the same bytes."""


def _ways(dying: list[int], born: list[int], size: Ints, tree: _Tree, random: Random | None) -> list[Match]:
    """Ways to match the dying with the newborn of a moment, those with most exchanges first; all as one comes last."""
    whole: Match = [(dying, born)]
    if min(len(dying), len(born)) == 1 or len(dying) + len(born) > MOST_MATCHED:
        return [whole]
    ways = list(islice(_matches(dying, born, {b: int(size[b]) for b in (*dying, *born)}, tree), MOST_WAYS))
    if random is not None:
        random.shuffle(ways)
    ways.sort(key=len, reverse=True)
    return ways if ways and len(ways[-1]) == 1 else [*ways, whole]


def _matches(dying: list[int], born: list[int], size: dict[int, int], tree: _Tree) -> Iterator[Match]:
    """All ways to cut both lists into parts of equal bytes whose dying the tree can have contiguous."""
    if not dying:
        yield []
        return
    by_bytes: dict[int, list[tuple[int, ...]]] = {}
    for k in range(1, len(born) + 1):
        for part in combinations(born, k):
            by_bytes.setdefault(sum(size[b] for b in part), []).append(part)
    for k in range(len(dying)):
        for others in combinations(dying[1:], k):
            before = [dying[0], *others]
            possible = by_bytes.get(sum(size[b] for b in before), ())
            if not possible or tree.find(before) is None:
                continue
            for after in possible:
                rest = [b for b in dying if b not in before], [b for b in born if b not in after]
                if bool(rest[0]) == bool(rest[1]):
                    for match in _matches(*rest, size, tree):
                        yield [(before, list(after)), *match]


# -- back from the last moment -----------------------------------------------------------------------------------------


def _offsets(size: Ints, tree: _Tree, history: list[_Exchange]) -> Ints:
    """Offsets of all buffers: a stack of the last tree, then every block where those lie who took its bytes."""
    offset = np.full(size.size, -1, np.int64)
    _stack(_frontier([tree.root]), 0, size, offset)
    for each in reversed(history):
        base = min(int(offset[b]) for b in each.after)
        turned = each.beside >= 0 and (offset[each.beside] < base) != each.below
        _stack(_frontier(each.before[::-1] if turned else each.before), base, size, offset)
    return offset


def _stack(buffers: list[int], base: int, size: Ints, offset: Ints) -> None:
    for b in buffers:
        offset[b] = base
        base += int(size[b])


def _frontier(nodes: list[_Node]) -> list[int]:
    """Leaves below ``nodes``, in order."""
    result, rest = [], nodes[::-1]
    while rest:
        node = rest.pop()
        if node.children:
            rest += node.children[::-1]
        else:
            result.append(node.buffer)
    return result
