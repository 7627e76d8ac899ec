"""What every reader does with bytes first, and with mistakes last."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from io import BytesIO

from ..errors import InputError, Mistake
from .json_text import TOP

_MAX_UNPACKED = 2**30
_MOST_MISTAKES = 50


def unpacked(data: bytes, origin: str) -> bytes:
    """``data``, decompressed when it begins like a gzip file."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.open(BytesIO(data)) as stream:
            unpacked = stream.read(_MAX_UNPACKED + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(origin, [Mistake(TOP, f"a damaged gzip file ({error})", "a whole one")]) from None
    if len(unpacked) > _MAX_UNPACKED:
        raise InputError(origin, [Mistake(TOP, "more than 1 GiB of text", "at most 1 GiB after decompression")])
    return unpacked


def decoded(data: bytes, origin: str) -> str:
    """``data`` as UTF-8 text without a byte order mark; ``InputError`` names the first byte that is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise InputError(origin, [Mistake(TOP, found, "UTF-8 text")]) from None


def refuse(origin: str, mistakes: Sequence[Mistake]) -> None:
    """Raise ``InputError`` when there are mistakes: the first fifty, and how many more a generated file has."""
    if not mistakes:
        return
    shown = list(mistakes[:_MOST_MISTAKES])
    if len(mistakes) > len(shown):
        shown.append(Mistake(TOP, f"{len(mistakes) - len(shown)} more mistakes", "none"))
    raise InputError(origin, shown)
