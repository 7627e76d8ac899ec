"""What is compiled beforehand is all there is to compile: nobody waits for it in the middle of a search."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
from numba.core import event
from catalytic.solver.warm_up import warm_up

warm_up(lambda message: None)
late = event.RecordingListener()
event.register("numba:compile", late)

import numpy as np
from catalytic.solver.budget import Budget
from catalytic.solver.fixed_starts import solve_fixed_starts
from catalytic.solver.placement.arena import Arena
from catalytic.solver.placement.arena_portfolio import place_arena
from catalytic.solver.placement.partition_question import Partitioned
from catalytic.solver.placement.partitioned import place_partitioned
from catalytic.solver.plan import Objective
from catalytic.solver.problem import Isolation, Workspace
from catalytic.solver.solve import solve
from dataclasses import replace

from tests.builders import random_problem
from random import Random

for seed in range(4):
    question = random_problem(Random(seed), tasks=14)
    roomy = Workspace(4000, 1 + seed, question.workspace.alignment, list(Isolation)[seed % 2])
    question = replace(question, workspace=roomy)
    for objective in Objective:
        plan = solve(question, objective=objective, budget=Budget(0.5, deterministic=True)).plan
    if plan is not None:
        starts = {t.id: t.start for t in plan.tasks}
        solve_fixed_starts(question, starts, budget=Budget(0.5))

random = np.random.default_rng(0)
lower = random.integers(0, 50, 60)
arena = Arena.of(lower, lower + random.integers(1, 20, 60), random.integers(1, 30, 60))
place_arena(arena, Budget(1.0))
place_arena(replace(arena, preferred=np.arange(60)), Budget(0.5, deterministic=True), capacity=300)
tasks = [(int(a), int(a) + 1) for a in lower]
for room in (75, 120, 400):
    pools = {"pool": np.arange(60) % 2, "limits": [None, 500]}
    one_stays = {"held": [1] + [-1] * 59, "held_offset": [0] + [-1] * 59}
    for more in ({}, pools, one_stays):
        question = Partitioned.of(arena, [room] * 6, tasks=tasks, writer=np.arange(60), exclusive=room > 100, **more)
        for minimise in (False, True):
            place_partitioned(question, Budget(0.5), minimise=minimise)

names = {e.data["dispatcher"].py_func.__qualname__ for _, e in late.buffer}
assert not names, sorted(names)
"""


@pytest.mark.stress
def test_nothing_is_left_to_compile_after_the_warm_up(tmp_path: Path) -> None:
    """In a process with an empty cache; plans, timelines, address lines and partitions are asked for."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
