"""Large plans are checked in seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from time import process_time

import pytest

from catalytic.solver.check import standalone, violations
from catalytic.solver.formats import dump_plan
from catalytic.solver.plan import Bound, EdgeKind, Evidence, Extent, Objective, Plan, Proof, Status, assemble
from catalytic.solver.problem import Buffer, Isolation, Problem, Task, Workspace
from catalytic.solver.units import Bytes, Tick
from tests.builders import tight_slices

WIDTH, UNIT, PARTITIONS = 30, 4096, 8


def layered(layers: int) -> Plan:
    """``layers`` x 30 tasks, each reading two buffers of the layer before; two layers of buffers live at a time."""
    rng = Random(1)
    tasks, starts, extents = [], {}, {}
    for layer in range(layers):
        slots = rng.sample(range(WIDTH), WIDTH)
        for k in range(WIDTH):
            inputs = tuple(f"b{layer - 1}_{(k + d) % WIDTH}" for d in (0, 1)) if layer else ()
            name, output = f"t{layer}_{k}", f"b{layer}_{k}"
            tasks.append(Task(name, Tick(1000), inputs, (output,)))
            starts[name] = Tick(layer * 1000)
            slot = slots[k] + layer % 2 * WIDTH
            extents[output] = [Extent(slot % PARTITIONS, Bytes(slot // PARTITIONS * UNIT), Bytes(UNIT))]
    question = Problem(
        name="layered",
        tasks=tuple(tasks),
        buffers=tuple(Buffer(b, Bytes(UNIT)) for b in extents),
        workspace=Workspace(Bytes(WIDTH * 2 * PARTITIONS * UNIT), PARTITIONS, UNIT, Isolation.SHARED),
        resources=(("workers", WIDTH),),
    )
    path = list(question.graph.critical_path()[0])
    bound = Bound("makespan", layers * 1000, "critical_path", Evidence.CERTIFICATE, {"path": path})
    proof = Proof(Objective.MAKESPAN, None, Status.OPTIMAL, (bound,), None, layers * 1000, 0.0)
    return assemble(question, starts, extents, tight_slices(question, extents), proof)


@pytest.mark.stress
def test_thirty_thousand_buffers_are_checked_in_seconds() -> None:
    plan = layered(1000)
    data = dump_plan(plan)

    begin = process_time()
    assert violations(plan) == []
    checked = process_time()
    assert standalone.check(json.loads(data)) == []
    checked_alone = process_time()

    assert checked - begin < 20
    assert checked_alone - checked < 40


def test_waits_are_found_along_paths_too() -> None:
    """Without its reuse edges this plan is no worse where data edges lead the same way round."""
    plan = layered(6)
    pruned = replace(plan, edges=tuple(e for e in plan.edges if e.kind is not EdgeKind.REUSE))

    found = violations(pruned)

    assert {v.rule for v in found} == {"reuse"}
    assert len(found) < sum(e.kind is EdgeKind.REUSE for e in plan.edges)
