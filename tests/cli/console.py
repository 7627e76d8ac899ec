"""Calling the programs as a user does, in this process (quick) or in a fresh one (when imports or signals matter)."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalytic.cli import main as cli
from catalytic.cli import order_options, requests, task_master

DIAMOND: dict[str, Any] = {
    "format": "catalytic-problem/1",
    "name": "diamond",
    "workspace": {"size": "1MB", "partitions": 2},
    "resources": {"workers": 2},
    "tasks": [
        {"id": "a", "duration": 0.01, "outputs": ["x"]},
        {"id": "b", "duration": 0.01, "inputs": ["x"], "outputs": ["y"]},
        {"id": "c", "duration": 0.01, "inputs": ["x"], "outputs": ["z"]},
        {"id": "d", "duration": 0.01, "inputs": ["y", "z"], "outputs": ["end"]},
    ],
    "buffers": [{"id": name, "size": "64KiB"} for name in ("x", "y", "z", "end")],
}
"""Four buffers of 64 KiB. While b, c or d runs three of them live in every plan, so no reuse factor exceeds 1/4."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a program answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def catalytic(*words: str | Path) -> Said:
    """``catalytic WORDS`` in this process."""
    return _here(cli.program, "catalytic", words)


def taskmaster(*words: str | Path) -> Said:
    """``task-master WORDS`` in this process, for the words that are ours."""
    return _here(task_master.program, "task-master", words)


def _here(program: Any, name: str, words: tuple[str | Path, ...]) -> Said:
    # Time limits count from the start of the program, which here is the start of this command.
    order_options.STARTED = requests.STARTED = time.monotonic()  # type: ignore[attr-defined]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.exit_code_of(program, [str(word) for word in words], name)
    return Said(code, out.getvalue(), err.getvalue())


def fresh(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None, module: str = "main") -> Said:
    """``catalytic WORDS`` (``module="task_master"``: ``task-master WORDS``) in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"from catalytic.cli.{module} import main; main()", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def write_problem(folder: Path, **changes: Any) -> Path:
    """The diamond as a problem file, with top-level keys changed."""
    path = folder / "diamond.json"
    path.write_text(json.dumps({**DIAMOND, **changes}), encoding="utf-8")
    return path
