"""What kind of file this is, by its content and never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError, Mistake
from .json_text import TOP, describe, parse_json, read_bytes
from .plan_file import PLAN_FORMAT
from .problem_file import PROBLEM_FORMAT
from .strategy_file import STRATEGY_FORMAT
from .wfcommons import unpacked

_FORMATS = {PROBLEM_FORMAT: "problem", PLAN_FORMAT: "plan", STRATEGY_FORMAT: "strategy"}


def detect(path: Path) -> str:
    """``problem``, ``plan``, ``strategy``, ``timeline`` or ``wfcommons``; ``InputError`` for anything else.

    Another version of one of our formats counts as that format: its loader says which versions it reads.
    """
    document = parse_json(unpacked(read_bytes(path), str(path)), str(path))
    kind = _kind(document)
    if kind is None:
        found = f"format {describe(document['format'])}" if "format" in document else "no known format"
        allowed = "a problem, a plan, a pebbling strategy or a WfCommons instance"
        raise InputError(str(path), [Mistake(TOP, found, allowed)])
    return kind


def _kind(document: Mapping[str, object]) -> str | None:
    stated = str(document.get("format", "")).partition("/")[0]
    for name, kind in _FORMATS.items():
        if stated == name.partition("/")[0]:
            return kind
    if "allocation_timeline" in document and "pebbling_strategy" in document:
        return "timeline"
    if "schemaVersion" in document and "workflow" in document:
        return "wfcommons"
    if "tasks" in document and "format" not in document:
        return "problem"  # its loader will say that the format is missing, and everything else
    return None
