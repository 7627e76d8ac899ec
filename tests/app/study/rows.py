"""Rows for tests: what a batch would have recorded of a cell that went as told."""

from __future__ import annotations

from typing import Any

from catalytic.app.study.row import Row

HERE: dict[str, Any] = {
    "command": ["catalytic", "plan"],
    "batch": ["catalytic", "batch"],
    "folder": "/",
    "recorded": "2026-01-01T00:00:00Z",
    "versions": {"python": "3.11", "catalytic": "0.1.0"},
    "machine": {"cpu": "one", "cores": 2},
}
ALLOCATED = 1000


def row(
    instance: str = "p",
    configuration: str = "a",
    seed: int = 0,
    *,
    value: int | None = None,
    bound: int | None = None,
    objective: str = "makespan",
    target: float | None = None,
    status: str | None = None,
    ended: str = "answered",
    incumbents: list[tuple[float, int]] | None = None,
    proof_s: float | None = None,
    limit_s: float = 10.0,
    digest: str | None = None,
    **changes: Any,
) -> Row:
    """The row of a search that found ``value`` and proved ``bound``; it allocates 1000 bytes and uses 500.

    A plan for ``reuse`` has a footprint of ``value`` and a makespan of 1000 ms.
    """
    plan = None
    if value is not None:
        footprint, makespan = (value, 1000) if objective == "reuse" else (500, value)
        plan = {"makespan": makespan, "footprint": footprint, "reuse_factor": 1 - footprint / ALLOCATED}
    quantity = "peak_live" if objective == "reuse" else "makespan"
    bounds = [] if bound is None else [{"quantity": quantity, "value": bound, "method": "m", "evidence": "CERTIFICATE"}]
    proved = value is not None and value == bound
    default = None if ended != "answered" else "OPTIMAL" if proved else "FEASIBLE" if plan else "UNKNOWN"
    steps = ([(1.0, value)] if value is not None else []) if incumbents is None else incumbents
    document: dict[str, Any] = {
        "format": "catalytic-cell/1",
        "cell": f"sha256:{instance}-{configuration}-{seed}",
        "number": 0,
        "instance": instance,
        "configuration": configuration,
        "seed": seed,
        "problem": {
            "file": instance,
            "file_digest": f"sha256:{instance}",
            "kind": "problem",
            "name": instance,
            "digest": digest or f"sha256:{instance}",
            "tasks": 1,
            "buffers": 1,
            "allocated": ALLOCATED,
        },
        "options": {"objective": objective, "time-limit": limit_s},
        "configuration_digest": f"sha256:{configuration}",
        "limits": {"time_s": limit_s, "grace_s": 1.0, "memory": None},
        "ended": ended,
        "objective": objective,
        "target": target,
        "status": status or default,
        "value": value,
        "bound": bound,
        "evidence": None if bound is None else "CERTIFICATE",
        "gap": None if value is None or bound is None else (value - bound) / max(1, value),
        "plan": plan,
        "bounds": bounds,
        "first_s": steps[0][0] if steps else None,
        "best_s": steps[-1][0] if steps else None,
        "proof_s": proof_s if proof_s is not None or not proved else 2.0,
        "incumbents": steps,
        "bound_steps": [],
        "observed": bool(steps),
        "search_s": 2.0,
        "seconds": 2.0,
        "cpu_s": 1.0,
        "peak_memory": 10**8,
        **HERE,
        **changes,
    }
    return Row.model_validate(document)
