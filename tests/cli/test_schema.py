"""``catalytic schema``: on stdout or in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalytic.solver.formats.schemas import KINDS, schema

from .console import catalytic


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_printed_or_written(kind: str, tmp_path: Path) -> None:
    printed = catalytic("schema", kind)
    written = catalytic("schema", kind, "-o", tmp_path / "schema.json")

    assert json.loads(printed.out) == json.loads((tmp_path / "schema.json").read_bytes()) == schema(kind)
    assert (printed.code, written.code, written.out) == (0, 0, "")


def test_another_word_is_refused() -> None:
    said = catalytic("schema", "problems")

    assert said.code == 2
    assert "'problem', 'plan', 'strategy'" in said.err
