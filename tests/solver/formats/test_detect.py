"""The kind of a file is told by its content."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import detect, dump_plan, dump_problem, dump_strategy
from catalytic.solver.plan import Move, Step, Strategy
from tests.builders import chain, random_plan

FILES = {
    "problem": dump_problem(chain(1)),
    "plan": dump_plan(random_plan(Random(1))),
    "strategy": dump_strategy(Strategy(chain(1), (Step(Move.COMPUTE, "t1"),))),
    "timeline": json.dumps({"pebbling_strategy": {}, "allocation_timeline": []}).encode(),
    "wfcommons": gzip.compress(json.dumps({"schemaVersion": "1.5", "workflow": {}}).encode()),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_content_tells_the_kind_whatever_the_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(FILES[kind])

    assert detect(path) == kind


def test_a_newer_version_is_still_that_kind(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"format": "catalytic-execution/7"}')

    assert detect(path) == "plan"


@pytest.mark.parametrize("text", ['{"a": 1}', "[]", "{", '{"format": "zip/1"}', '{"format": {"x": 1}}'])
def test_anything_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)

    with pytest.raises(InputError):
        detect(path)
