"""Small problems and plans for the tests of this floor."""

from __future__ import annotations

from catalytic.solver.plan import Plan, plan_without_reuse
from catalytic.solver.problem import Buffer, Problem, Task, Workspace
from catalytic.solver.units import Bytes, Tick

KIB = 1024


def chain(length: int, *, size: int = 64 * KIB, workers: int = 1) -> Problem:
    """``t0 -> t1 -> ...``: each task of one second reads its predecessor's buffer and writes one."""
    return Problem(
        name="chain",
        tasks=tuple(
            Task(f"t{i}", Tick(1000), inputs=(f"b{i - 1}",) if i else (), outputs=(f"b{i}",)) for i in range(length)
        ),
        buffers=tuple(Buffer(f"b{i}", Bytes(size)) for i in range(length)),
        workspace=Workspace(Bytes(2**20), 2),
        resources=(("workers", workers),),
    )


def separate(length: int) -> Plan:
    """The plan without reuse of a chain: no planner is needed to make it."""
    return plan_without_reuse(chain(length))
