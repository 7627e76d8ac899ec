"""The findings of ``doctor`` as a table."""

from __future__ import annotations

from ..doctor import DoctorAnswer, Verdict
from .table import table


def findings(answer: DoctorAnswer, *, width: int) -> str:
    """Every check of ``doctor`` with its verdict, and what to do about those that are not ok."""
    verdict = "healthy" if answer.healthy else "NOT HEALTHY"
    rows = [(f.verdict.value, f.check, f.found) for f in answer.findings]
    steps = [f"{f.check}: {f.next_step}" for f in answer.findings if f.verdict is not Verdict.OK and f.next_step]
    return "\n".join([f"{answer.folder}: {verdict}", table(("", "check", "found"), rows, width=width, left=3), *steps])
