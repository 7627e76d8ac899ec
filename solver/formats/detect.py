"""What kind of file this is, by its content and never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import InputError, Mistake
from .json_text import TOP, describe, parse_json, read_bytes
from .minimalloc import is_minimalloc
from .reading import unpacked

_FORMATS = {"catalytic-problem": "problem", "catalytic-execution": "plan", "pebbling-strategy": "strategy"}
_ALLOWED = (
    "a problem, a plan, a pebbling strategy, a timeline, a WfCommons instance, a node-link graph, an ONNX model, "
    "a HyperDAG, a PSPLIB project (.sm) or MiniMalloc's CSV (commas, with a header such as id,lower,upper,size)"
)
_JSON_SPACE = b"\xef\xbb\xbf \t\r\n"


FOREIGN = ("wfcommons", "node-link", "onnx", "hyperdag", "psplib")
"""Kinds of other programs' files, which state less than a problem: their readers return what they assumed."""


def detect(path: Path) -> str:
    """``problem``, ``plan``, ``strategy``, ``timeline``, ``minimalloc`` or one of ``FOREIGN``; else ``InputError``.

    Another version of one of our formats counts as that format: its loader says which versions it reads.
    """
    data = unpacked(read_bytes(path), str(path))
    if is_minimalloc(data):
        return "minimalloc"
    # The other readers load libraries that a table of buffers does not need.
    from .hyperdag import is_hyperdag
    from .onnx_file import is_onnx
    from .psplib import is_psplib

    if is_onnx(data):
        return "onnx"
    if is_hyperdag(data):
        return "hyperdag"
    if is_psplib(data):
        return "psplib"
    if not data.lstrip(_JSON_SPACE).startswith((b"{", b"[")) and data.strip():
        # A JSON error about the first byte of what was never meant as JSON would not help.
        raise InputError(
            str(path),
            [
                Mistake(
                    TOP, "neither JSON, nor an ONNX model, a HyperDAG, a PSPLIB project or MiniMalloc's CSV", _ALLOWED
                )
            ],
        )
    document = parse_json(data, str(path))
    kind = _kind(document)
    if kind is None:
        found = f"format {describe(document['format'])}" if "format" in document else "no known format"
        raise InputError(str(path), [Mistake(TOP, found, _ALLOWED)])
    return kind


def _kind(document: Mapping[str, object]) -> str | None:
    from .node_link import is_node_link

    stated = str(document.get("format", "")).partition("/")[0]
    if stated in _FORMATS:
        return _FORMATS[stated]
    if "allocation_timeline" in document and "pebbling_strategy" in document:
        return "timeline"
    if "schemaVersion" in document and "workflow" in document:
        return "wfcommons"
    if is_node_link(document) and "format" not in document:
        return "node-link"
    if "tasks" in document and "format" not in document:
        return "problem"  # its loader will say that the format is missing, and everything else
    return None
