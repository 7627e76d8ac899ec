"""A bar for those who watch, nothing for those who do not."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from catalytic.cli import progress
from catalytic.solver.budget import Progress

from .console import catalytic, write_problem


def test_nothing_is_drawn_when_stderr_is_no_terminal(tmp_path: Path) -> None:
    said = catalytic("plan", write_problem(tmp_path), "-o", tmp_path / "p.json", "--time-limit", "3", "--threads", "1")

    assert said.code == 0
    assert "\x1b" not in said.err
    assert "planning" not in said.err


@pytest.mark.parametrize("patience", [0.0, 3600.0], ids=["long-work", "short-work"])
def test_a_terminal_sees_a_bar_only_for_long_work(patience: float, monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    monkeypatch.setattr(progress, "PATIENCE_S", patience)
    with os.fdopen(slave, "w") as terminal, os.fdopen(master, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress.progress_bar("planning") as observer:
            assert observer is not None
            observer(Progress("schedule", 0.5, "makespan 3 s"))
            drawn = screen.read(4096) if patience == 0.0 else b""
        monkeypatch.undo()

    assert (b"\x1b" in drawn) == (patience == 0.0)
