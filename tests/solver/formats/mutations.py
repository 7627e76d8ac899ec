"""Files that were damaged on their way: cut off, with bytes flipped, lines lost, keys dropped, values of other types.

Deterministic: the same content and seed give the same damaged files on every machine.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Damage = Callable[[bytes, Random], bytes]

STRANGE: tuple[Any, ...] = (None, True, -1, 0, 1.5, 10**30, 1e300, "", "x", "\x00", [], {}, [[]], {"id": 1}, "9" * 40)
WORDS = (b"", b"-1", b"x", b"1e999", b"99999999999999999999", b"NaN", b'"', b"{", b"]", b"<", b"\t", b"0.5.5", b"\\")


def truncated(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def flipped(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 3, 20))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def without_a_line(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def with_lines_swapped(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def with_a_line_twice(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    lines.insert(random.randrange(len(lines)), random.choice(lines))
    return b"\n".join(lines)


def with_another_word(data: bytes, random: Random) -> bytes:
    words = list(re.finditer(rb"[\w.+-]+", data))
    if not words:
        return data
    word = random.choice(words)
    return data[: word.start()] + random.choice(WORDS) + data[word.end() :]


def without_a_key(data: bytes, random: Random) -> bytes:
    return _changed_json(data, random, lambda holder, key: holder.__delitem__(key))


def with_another_type(data: bytes, random: Random) -> bytes:
    return _changed_json(data, random, lambda holder, key: holder.__setitem__(key, random.choice(STRANGE)))


def _changed_json(data: bytes, random: Random, change: Callable[[Any, Any], None]) -> bytes:
    """``data`` with one place of its JSON changed."""
    document = copy.deepcopy(json.loads(data))
    places: list[tuple[Any, Any]] = []
    stack = [document]
    while stack:
        holder = stack.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            places.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                stack.append(holder[key])
    # Most places are deep inside; the few at the top are where readers begin.
    top = [place for place in places if place[0] is document]
    change(*random.choice(random.choice((top, places))))
    return json.dumps(document).encode()


TEXT: tuple[Damage, ...] = (
    truncated, flipped, without_a_line, with_lines_swapped, with_a_line_twice, with_another_word, with_another_word,
)  # fmt: skip
BINARY: tuple[Damage, ...] = (truncated, flipped)
JSON: tuple[Damage, ...] = (truncated, flipped, with_another_word, without_a_key, without_a_key, with_another_type)


def damaged(data: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` damaged forms of ``data``, each with the name of its damage."""
    random = Random(seed)
    text = data.lstrip()
    kinds = JSON if text.startswith(b"{") else BINARY if b"\x00" in data else TEXT
    for k in range(count):
        damage = kinds[k % len(kinds)]
        yield damage.__name__, damage(data, random)
