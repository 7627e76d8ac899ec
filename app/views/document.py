"""The one JSON document of ``--json``: a format name and version, then the fields of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from catalytic.solver.errors import CatalyticError, InputError, InvalidPlan, ProvedInfeasible
from catalytic.solver.formats.json_text import spelled_out

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def render(name: str, answer: DataclassInstance | Mapping[str, object]) -> bytes:
    """``answer`` (a dataclass or a mapping) as JSON text; ``name`` is its format and version: ``catalytic-run/1``.

    Paths become text, enumerations their values, tuples lists; sizes are bytes, fields that end in ``_s`` are seconds.
    """
    if isinstance(answer, Mapping):
        content = dict(answer)
    else:
        content = {field.name: getattr(answer, field.name) for field in fields(answer)}
    whole = {"format": name, **content}
    try:
        return orjson.dumps(whole, default=_plain, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:  # names of files need not be text, and a document has to say them all the same
        return orjson.dumps(_spelled_out(whole), default=_plain, option=orjson.OPT_INDENT_2)


def _spelled_out(value: object) -> object:
    """``value`` with all texts in it such that JSON has them."""
    if isinstance(value, (str, Path)):
        return value.value if isinstance(value, Enum) else spelled_out(str(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _spelled_out(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_spelled_out(key): _spelled_out(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spelled_out(item) for item in value]
    return value


def _plain(value: object) -> object:
    """What JSON has no word for, in words it has."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def error_fields(error: CatalyticError) -> dict[str, object]:
    """An error as programs read it, without having to parse its message."""
    found: dict[str, object] = {"error": type(error).__name__, "exit_code": error.exit_code, "message": str(error)}
    if isinstance(error, InputError):
        found["origin"] = error.origin
        found["mistakes"] = [
            {"path": m.path, "found": m.found, "allowed": m.allowed, "hint": m.hint} for m in error.mistakes
        ]
    if isinstance(error, ProvedInfeasible):
        found |= {"reason": error.reason, "remedies": list(error.remedies)}
    if isinstance(error, InvalidPlan):
        found["violations"] = list(error.violations)
    return found
