"""Remedies are command lines as a user would type them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from catalytic.app.remedies import plan_command, smallest_workspace
from catalytic.app.request import PlanRequest, Search
from catalytic.app.sources import Shape
from catalytic.cli.commands import plan as plan_command_line
from catalytic.cli.requests import plan_request
from catalytic.solver.budget import Budget
from catalytic.solver.plan import Objective
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy
from catalytic.solver.units import Bytes

from .problems import separate

EVERYTHING = PlanRequest(
    Path("my problem.json"),
    Shape(Bytes(2**30), 4, None, 3, Isolation.SHARED, InputPolicy.LAZY, OutputPolicy.KEEP),
    Search(Objective.MAKESPAN, 0.9, Budget(12.5, 2, 7, True)),
    Path("out dir/plan.json"),
)


@pytest.mark.parametrize(
    "request_", [EVERYTHING, PlanRequest(Path("p.json"))], ids=["everything-changed", "nothing-changed"]
)
def test_a_command_line_says_what_the_request_says(request_: PlanRequest, tmp_path: Path) -> None:
    """Parsing the remedy gives the request back, with the new target."""
    words = shlex.split(plan_command(request_, 0.25))
    (tmp_path / "my problem.json").touch()

    assert words[:2] == ["catalytic", "plan"]
    # The parser insists on an existing file; everything else is parsed as it stands.
    context = plan_command_line.command.make_context("plan", [str(tmp_path / "my problem.json"), *words[3:]])
    options = dict(context.params)
    parsed = plan_request(Path(words[2]), options.pop("file"), options.pop("workspace"), options)

    assert parsed.path == request_.path
    assert parsed.shape == request_.shape
    assert parsed.output == request_.output
    assert parsed.search.target == 0.25
    assert parsed.search.objective == request_.search.objective
    for name in ("time_limit_s", "seed", "deterministic"):
        assert getattr(parsed.search.budget, name) == getattr(request_.search.budget, name)


def test_a_size_is_written_so_that_it_is_read_back_exactly() -> None:
    words = shlex.split(plan_command(EVERYTHING, None, size=18_010_112, partitions=1))

    assert words[words.index("--size") + 1] == "18010112B"
    assert words[words.index("--partitions") + 1] == "1"
    assert "--reuse-factor" not in words


def test_the_smallest_workspace_is_the_highest_partition_times_those_used() -> None:
    plan = separate(3)  # three buffers of 64 KiB in one partition

    assert smallest_workspace(plan) == (1, 3 * 65536)


def test_a_spanning_buffer_needs_its_own_partition_size() -> None:
    plan = separate(2)
    first = plan.regions[0]
    extents = tuple(replace(first.extents[0], partition=p, length=Bytes(32768)) for p in (0, 1))
    plan = replace(plan, regions=(replace(first, extents=extents), *plan.regions[1:]))

    assert smallest_workspace(plan) == (2, 2 * plan.problem.workspace.partition_size)
