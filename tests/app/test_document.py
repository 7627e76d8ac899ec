"""The document of ``--json``: whatever an answer holds, it is JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from catalytic.app.views.document import render
from catalytic.solver.plan import Objective


@dataclass(frozen=True)
class Answer:
    file: Path
    objective: Objective
    inside: tuple[dict[str, object], ...] = ()


def test_a_file_s_name_that_is_no_text_is_spelled_out() -> None:
    """On disk a name may be any bytes, and JSON has only text."""
    answer = Answer(Path("/tmp/\udcff"), Objective.REUSE, ({"a\udcfe": Answer(Path("b"), Objective.MAKESPAN)},))

    assert json.loads(render("test/1", answer)) == {
        "format": "test/1",
        "file": "/tmp/\\udcff",
        "objective": "reuse",
        "inside": [{"a\\udcfe": {"file": "b", "objective": "makespan", "inside": []}}],
    }
