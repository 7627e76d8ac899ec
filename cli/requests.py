"""From parsed options to the requests that use cases take."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from catalytic.app.request import PlanRequest, Search
    from catalytic.app.run import Execution
    from catalytic.app.sources import Shape

STARTED = time.monotonic()
"""When this program began, as far as it can tell: time limits count from here."""


def shape_of(options: Mapping[str, Any]) -> Shape:
    """What ``shape_options`` say."""
    from catalytic.app.sources import Shape
    from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy

    def chosen(kind: Any, name: str) -> Any:
        return kind(options[name]) if options.get(name) is not None else None

    return Shape(
        size=options.get("size"),
        partitions=options.get("partitions"),
        alignment=options.get("alignment"),
        workers=options.get("workers"),
        isolation=chosen(Isolation, "isolation"),
        inputs=chosen(InputPolicy, "inputs"),
        outputs=chosen(OutputPolicy, "outputs"),
    )


def search_of(options: Mapping[str, Any]) -> Search:
    """What ``search_options`` say, and the promises of the plan."""
    from catalytic.app.request import DETERMINISTIC_THREADS, NamedStrategy, Search
    from catalytic.solver.budget import Budget
    from catalytic.solver.plan import Objective

    objective = Objective(options["objective"]) if options["objective"] is not None else None
    strategy = NamedStrategy(options["strategy"]) if options["strategy"] is not None else None
    if strategy is not None:
        from catalytic.app.strategies import contradiction

        wrong = contradiction(strategy, objective, options["target"])
        if wrong:
            raise click.UsageError(f"{wrong}.")
    deterministic = options["deterministic"]
    threads = options.get("threads") or (DETERMINISTIC_THREADS if deterministic else os.cpu_count() or 1)
    return Search(
        objective=objective or Objective.REUSE,
        target=options["target"],
        budget=Budget(options["time_limit_s"], threads, options["seed"], deterministic, STARTED),
        integrity=options.get("integrity", True),
        monitoring=options.get("monitoring", False),
        best_effort=options.get("best_effort", False),
        strategy=strategy,
    )


def plan_request(path: Path, file: Path | None, workspace: Path | None, options: Mapping[str, Any]) -> PlanRequest:
    """One call of ``catalytic plan``. An existing workspace decides what it fixes, and may not be contradicted."""
    from catalytic.app.request import PlanRequest
    from catalytic.app.sources import shape_of_workspace

    shape, search = shape_of(options), search_of(options)
    if workspace is not None:
        fixed = [f"--{name}" for name in ("size", "partitions", "alignment") if options[name] is not None]
        if fixed:
            raise click.UsageError(f"{' and '.join(fixed)} cannot be given with --workspace, which fixes them.")
        existing, integrity = shape_of_workspace(workspace)
        shape = replace(shape, size=existing.size, partitions=existing.partitions, alignment=existing.alignment)
        search = replace(search, integrity=search.integrity and integrity)
    return PlanRequest(path, shape, search, file)


def execution_of(options: Mapping[str, Any]) -> Execution:
    """What ``run_options`` say."""
    from catalytic.app.run import Execution
    from catalytic.runtime.report import Scrub

    return Execution(
        output_dir=options.get("output_dir"),
        workers=options.get("processes"),
        time_factor=options["time_factor"],
        task_timeout_s=options.get("task_timeout_s"),
        seal=options.get("seal"),
        scrub=Scrub(options["scrub"]),
        force=options["force"],
        discard=options["discard"],
        repair_spill=options["repair_spill"],
        no_reuse=options.get("no_reuse", False),
    )


def request_for_workspace(path: Path, workspace: Path, file: Path, options: Mapping[str, Any]) -> PlanRequest:
    """One call of ``task-master catalytic-plan``: the workspace decides what ``shape_options`` would."""
    from catalytic.app.request import PlanRequest, Search
    from catalytic.app.sources import shape_of_workspace
    from catalytic.solver.budget import Budget
    from catalytic.solver.plan import Objective

    shape, integrity = shape_of_workspace(workspace)
    search = Search(
        objective=Objective.MAKESPAN if options["optimize_concurrency"] else Objective.REUSE,
        target=options["target"],
        budget=Budget(options["time_limit_s"], os.cpu_count() or 1, started=STARTED),
        integrity=integrity,
        monitoring=options["enable_monitoring"],
        best_effort=options["best_effort"],
    )
    return PlanRequest(path, shape, search, file)
