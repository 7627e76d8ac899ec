"""What each exit code means, for every command."""

from __future__ import annotations

EXIT_CODES = {
    0: "ok",
    1: "a task, or a cell of a batch, failed",
    2: "usage or bad input",
    3: "proved infeasible",
    4: "nothing (good enough) found in time",
    5: "integrity, or a plan that violates the rules",
    6: "workspace or study in use",
    7: "cancelled on request",
    8: "refused by policy or gate",
    9: "I/O error or no space",
    130: "interrupted (SIGINT)",
    143: "terminated (SIGTERM)",
}
"""Code -> meaning. Expected errors carry theirs (``CatalyticError.exit_code``)."""
