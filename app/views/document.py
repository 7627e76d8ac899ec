"""The one JSON document of ``--json``: a format name and version, then the fields of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from catalytic.solver.errors import CatalyticError, InputError, InvalidPlan, ProvedInfeasible

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
    return orjson.dumps({"format": name, **content}, default=_plain, option=orjson.OPT_INDENT_2)


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
