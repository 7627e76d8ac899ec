"""What kind of file this is, by its content and never by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError, Mistake
from .json_text import TOP, describe, parse_json, read_bytes
from .kinds import FOREIGN
from .reading import unpacked

_FORMATS = {"catalytic-problem": "problem", "catalytic-execution": "plan", "pebbling-strategy": "strategy"}
_JSON_SPACE = b"\xef\xbb\xbf \t\r\n"


def detect(path: Path) -> str:
    """``problem``, ``plan``, ``strategy``, ``timeline`` or one of ``FOREIGN``; else ``InputError``.

    Another version of one of our formats counts as that format: its loader says which versions it reads.
    """
    data = unpacked(read_bytes(path), str(path))
    _refuse_list(data, str(path))
    if data.lstrip(_JSON_SPACE).startswith((b"{", b"[")):
        return _kind_of_document(parse_json(data, str(path)), str(path))
    for word, kind in FOREIGN.items():
        if not kind.is_json and kind.claims(data):
            return word
    if data.strip():
        # A JSON error about the first byte of what was never meant as JSON would not help.
        raise InputError(str(path), [Mistake(TOP, "neither JSON nor any other text or data known here", _allowed())])
    return _kind_of_document(parse_json(data, str(path)), str(path))


def _refuse_list(data: bytes, origin: str) -> None:
    """``InputError`` for a JSON list of tasks: whose it is says more than that it is a list."""
    if not data.lstrip(_JSON_SPACE).startswith(b"["):
        return
    from .taskmaster import owner_of_list

    try:
        owner = owner_of_list(json.loads(data))
    except (ValueError, RecursionError):
        return  # whoever reads it says what is wrong with it
    if owner is not None:
        raise InputError(origin, [Mistake(TOP, f"a list of tasks of {owner}", _allowed())])


def _kind_of_document(document: Mapping[str, object], origin: str) -> str:
    stated = str(document.get("format", "")).partition("/")[0]
    if stated in _FORMATS:
        return _FORMATS[stated]
    if "allocation_timeline" in document and "pebbling_strategy" in document:
        return "timeline"
    for word, kind in FOREIGN.items():
        if kind.is_json and "format" not in document and kind.claims(document):
            return word
    if "tasks" in document and "format" not in document:
        return "problem"  # its loader will say that the format is missing, and everything else
    found = f"format {describe(document['format'])}" if "format" in document else "no known format"
    raise InputError(origin, [Mistake(TOP, found, _allowed())])


def _allowed() -> str:
    """Everything that is read, in one sentence."""
    foreign = [kind.named for kind in FOREIGN.values() if kind.sniffer is not None]
    return ", ".join(["a problem", "a plan", "a pebbling strategy", "a timeline", *foreign[:-1]]) + f" or {foreign[-1]}"
