"""What comes from outside is checked here once: pydantic's findings become ``Mistake`` values with paths.

The models of the files state their shape; this module states how a deviation is told: where, found, allowed, hint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from ..units import MAX_BYTES, MAX_TICKS, parse_duration, parse_size
from .json_text import TOP, describe, join


class Shape(BaseModel):
    """A record of one of our files: types are exact, unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _read(parse: Callable[[Any], int]) -> Callable[[object], int]:
    """A validator from a parser that raises ``ValueError("found X, allowed Y")``."""

    def read(value: object) -> int:
        try:
            return parse(value)
        except ValueError as error:
            allowed = str(error).partition(", allowed ")[2]
            context = {"found": describe(value), "allowed": allowed}
            raise PydanticCustomError("catalytic", "{found}", context) from None

    return read


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"found {describe(value)}, allowed a number of seconds")
    return parse_duration(value)


def _moment(value: object) -> int:
    """Seconds to ticks, exactly: a plan states no moment between two ticks, and zero is one of them."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"found {describe(value)}, allowed a number of seconds")
    if isinstance(value, int) and 0 <= value <= MAX_BYTES // 1000:
        return value * 1000
    ticks = Decimal(str(value)) * 1000
    if ticks != int(ticks) or not 0 <= ticks <= MAX_BYTES:
        raise ValueError(f"found {value!r}, allowed seconds from 0, exact to the millisecond")
    return int(ticks)


SIZE_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": MAX_BYTES},
        {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*([bB]|[kKmMgGtT][iI]?[bB])?\s*$"},
    ]
}
"""A size in JSON Schema: bytes, or text with a unit."""

Size = Annotated[int, BeforeValidator(_read(parse_size)), WithJsonSchema(SIZE_SCHEMA)]
"""Bytes: an integer, or text with a unit."""

Duration = Annotated[
    int,
    BeforeValidator(_read(_seconds)),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_TICKS / 1000}),
]
"""Seconds in the file, ticks inside, at least one."""

Moment = Annotated[
    int,
    BeforeValidator(_read(_moment)),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": MAX_BYTES / 1000}),
]
"""A moment or a span of a plan: seconds in the file, ticks inside, exact."""

_ALLOWED = {
    "string_type": "text",
    "int_type": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_too_short": "text that is not empty",
}

ModelT = TypeVar("ModelT", bound=BaseModel)


def check_shape(model: type[ModelT], document: Mapping[str, object], origin: str) -> ModelT:
    """``document`` as ``model``; ``InputError`` with every deviation from its shape."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InputError(origin, [_mistake(model, e) for e in error.errors(include_url=False)]) from None


def _mistake(model: type[BaseModel], error: ErrorDetails) -> Mistake:
    location = [part for index, part in enumerate(error["loc"]) if not _is_tag(error["loc"], index)]
    path = ""
    for part in location:
        path = f"{path}[{part}]" if isinstance(part, int) else join(path, part)
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return Mistake(path, "nothing", "a value: the key is required")
    if kind == "extra_forbidden":
        keys = sorted(_keys_at(model, error["loc"][:-1]))
        return Mistake(path, "an unknown key", f"one of {', '.join(keys)}", did_you_mean(str(location[-1]), keys))
    if kind == "catalytic":
        return Mistake(path or TOP, str(context["found"]), str(context["allowed"]))
    if kind in ("enum", "literal_error"):
        hint = did_you_mean(error["input"], _words(context)) if isinstance(error["input"], str) else ""
        return Mistake(path, describe(error["input"]), str(context["expected"]), hint)
    return Mistake(path or TOP, describe(error["input"]), _ALLOWED.get(kind, error["msg"]))


def _is_tag(location: Sequence[int | str], index: int) -> bool:
    """Whether a part of a location is pydantic's name for the kind of a ``run``, and no key of the file.

    A file may have keys in angle brackets too; what follows right after ``run`` is never one of them.
    """
    part = location[index]
    return index > 0 and location[index - 1] == "run" and isinstance(part, str) and part.startswith("<")


def _words(context: Mapping[str, Any]) -> list[str]:
    return [word.strip(" '") for part in str(context["expected"]).split(" or ") for word in part.split(",")]


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> Iterator[str]:
    """Keys that the record at ``location`` may have."""
    here: type[BaseModel] | None = model
    candidates: list[type[BaseModel]] = []
    for index, part in enumerate(location):
        if _is_tag(location, index):
            assert isinstance(part, str)
            here = next((m for m in candidates if m.__name__ == part.strip("<>")), None)
        elif isinstance(part, str) and here is not None:
            candidates = list(_models_in(here.model_fields[part]))
            here = candidates[0] if candidates else None
    if here is not None:
        yield from here.model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    annotation = getattr(annotation, "annotation", annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
