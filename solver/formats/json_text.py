"""Bytes to JSON values and back: strict when reading, canonical when writing.

Reading refuses what JSON readers usually let pass in silence: a key given twice, NaN and infinity, numbers too large
to be meant, text that is not Unicode, endless nesting. Every such mistake is found in one pass and carries its path.

Writing is canonical: equal values give equal bytes. Lists of records are written one record a line, so that files can
be compared line by line; a *digest* is taken of the compact form with sorted keys, which any JSON library reproduces.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path

from ..errors import InputError, Mistake

TOP = "(the whole file)"
"""The path of a mistake that concerns the file as such."""

_LINE = 120
_MAX_DEPTH = 64
_MAX_INTEGER = 2**63


class _Object(dict[str, object]):
    """A JSON object that remembers which keys were given more than once."""

    repeated: tuple[str, ...] = ()


def _object(pairs: list[tuple[str, object]]) -> _Object:
    result = _Object(pairs)
    if len(result) != len(pairs):
        count = Counter(name for name, _ in pairs)
        result.repeated = tuple(sorted(name for name in result if count[name] > 1))
    return result


def read_bytes(path: Path) -> bytes:
    """The content of ``path``; ``InputError`` when there is no such file or it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(str(path), [Mistake(TOP, "no such file", "a file that exists")]) from None
    except IsADirectoryError:
        raise InputError(str(path), [Mistake(TOP, "a directory", "a file")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), [Mistake(TOP, f"an unreadable file ({reason})", "a readable file")]) from None


def parse_json(data: bytes, origin: str) -> dict[str, object]:
    """The JSON object in ``data``. Raises ``InputError`` with every mistake of the text, never anything else."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise InputError(origin, [Mistake(TOP, found, "UTF-8 text")]) from None
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            found = f"the end of the text at line {error.lineno}, column {error.colno}"
            hint = "the file seems to be truncated" if text.strip() else "the file is empty"
            raise InputError(origin, [Mistake(TOP, found, f"JSON ({error.msg})", hint)]) from None
        found = f"{text[error.pos : error.pos + 12]!r} at line {error.lineno}, column {error.colno}"
        raise InputError(origin, [Mistake(TOP, found, f"JSON ({error.msg})")]) from None
    except RecursionError:
        raise InputError(origin, [Mistake(TOP, "endless nesting", f"at most {_MAX_DEPTH} levels")]) from None
    except ValueError:  # Python refuses to convert integers of thousands of digits
        raise InputError(origin, [Mistake(TOP, "a number of thousands of digits", "64-bit integers")]) from None
    if not isinstance(value, dict):
        raise InputError(origin, [Mistake(TOP, describe(value), "a JSON object")])
    mistakes = list(json_mistakes(value))
    if mistakes:
        raise InputError(origin, mistakes)
    return value


def json_mistakes(value: object, path: str = "", depth: int = 0) -> Iterator[Mistake]:
    """What no file of ours may hold: of that which JSON permits, and of values that a program hands over as JSON."""
    if depth > _MAX_DEPTH and isinstance(value, (dict, list)):
        yield Mistake(path[:40] + "...", "endless nesting", f"at most {_MAX_DEPTH} levels")
    elif isinstance(value, dict):
        for key in value.repeated if isinstance(value, _Object) else ():
            yield Mistake(join(path, key), "the key more than once", "each key once")
        for key, item in value.items():
            if not isinstance(key, str):
                yield Mistake(path or TOP, f"the key {describe(key)}", "text")
                continue
            if not is_unicode(key):
                yield Mistake(join(path, key), "half a surrogate pair", "Unicode text")
            yield from json_mistakes(item, join(path, key), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from json_mistakes(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, str):
        if not is_unicode(value):
            yield Mistake(path, "half a surrogate pair", "Unicode text")
    elif isinstance(value, float):
        if not isfinite(value):
            yield Mistake(path, str(value), "a finite number")
    elif isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            yield Mistake(path, _of_many_digits(value), "64-bit integers")
    elif value is not None:
        yield Mistake(
            path, f"a value of type {type(value).__name__}", "text, a number, true, false, null, lists, objects"
        )


def _of_many_digits(value: int) -> str:
    try:
        return f"an integer of {len(str(abs(value)))} digits"
    except ValueError:  # Python refuses to write thousands of them
        return "an integer of thousands of digits"


def is_unicode(text: str) -> bool:
    """Whether ``text`` can be written: names of files may be bytes that are no text, and come with half surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def spelled_out(text: str) -> str:
    r"""``text`` with what is not Unicode in it spelled out: ``\udcff`` for a byte of a file's name that is no text."""
    return text.encode(errors="backslashreplace").decode()


def join(path: str, key: str) -> str:
    """``path.key``; a key that cannot be read as one word is quoted."""
    name = key if key.replace("_", "a").replace("-", "a").isalnum() else ascii(key)
    return f"{path}.{name}" if path else name


def describe(value: object) -> str:
    """``value`` in an error message: short, and by kind where the content would not help."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def plain(value: object) -> object:
    """``value`` with mappings as sorted dictionaries and sequences as lists: the canonical form of free JSON."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value)}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    return value


def digest_json(value: object) -> str:
    """``sha256:<hex>`` of the compact JSON of ``value`` with sorted keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def write_json(value: Mapping[str, object]) -> bytes:
    """Canonical bytes of a document, one record a line, ending in a newline."""
    return (_render(value, "") + "\n").encode()


def _render(value: object, indent: str) -> str:
    inner = indent + " "
    if isinstance(value, Mapping) and (_has_records(value) or len(_compact(value)) > _LINE):
        lines = [f"{inner}{_compact(key)}: {_render(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if _is_records(value):
        assert isinstance(value, list)
        return "[\n" + ",\n".join(inner + _compact(item) for item in value) + f"\n{indent}]"
    return _compact(value)


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _has_records(value: Mapping[str, object]) -> bool:
    return any(_is_records(item) or (isinstance(item, Mapping) and _has_records(item)) for item in value.values())


def _compact(value: object) -> str:
    return json.dumps(value, separators=(", ", ": "), ensure_ascii=False, allow_nan=False)
