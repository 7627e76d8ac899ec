"""From whatever file a user names to a problem: ours, a plan's embedded one, a strategy, or a foreign workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from catalytic.solver.formats import LoadedPlan, detect, import_wfcommons, load_plan, load_problem, load_strategy
from catalytic.solver.plan.strategy import Timeline, timeline_problem
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Problem
from catalytic.solver.units import Bytes, Tick


@dataclass(frozen=True, slots=True)
class Shape:
    """What the command line changes of a problem. ``None`` leaves what the file says."""

    size: Bytes | None = None
    partitions: int | None = None
    alignment: int | None = None
    workers: int | None = None
    isolation: Isolation | None = None
    inputs: InputPolicy | None = None
    outputs: OutputPolicy | None = None

    def applied_to(self, problem: Problem) -> Problem:
        """``problem`` with these changes; ``InputError`` when the result is not a problem.

        A single partition that is exclusive would forbid all concurrency, so the isolation follows the number of
        partitions across that step unless it is given.
        """
        old = problem.workspace
        partitions = self.partitions or old.partitions
        isolation = old.isolation
        if (partitions == 1) != (old.partitions == 1):
            isolation = Isolation.SHARED if partitions == 1 else Isolation.EXCLUSIVE
        workspace = replace(
            old,
            size=self.size or old.size,
            partitions=partitions,
            alignment=self.alignment or old.alignment,
            isolation=self.isolation or isolation,
        )
        resources = dict(problem.resources)
        if self.workers is not None:
            resources["workers"] = self.workers
        policy = replace(
            problem.policy,
            inputs=self.inputs or problem.policy.inputs,
            outputs=self.outputs or problem.policy.outputs,
        )
        return replace(problem, workspace=workspace, resources=tuple(resources.items()), policy=policy)


@dataclass(frozen=True, slots=True)
class Source:
    """A problem and where it came from.

    ``base``: the folder that data files and Python modules are relative to. ``notes``: what the reader assumed or
    wants said. ``loaded``: the plan itself, when the file is one. ``starts``: fixed by a timeline; only addresses are
    open.
    """

    problem: Problem
    kind: str
    base: Path
    notes: tuple[str, ...] = ()
    loaded: LoadedPlan | None = None
    starts: Mapping[str, Tick] | None = None


def read_source(path: Path, shape: Shape = Shape()) -> Source:
    """The problem in ``path`` with the changes of ``shape``; ``InputError`` with every mistake of the file."""
    source = _read(path)
    changed = shape.applied_to(source.problem)
    if source.loaded is not None and changed != source.problem:
        # The plan answers another question now: only its problem is of use.
        return replace(source, problem=changed, loaded=None)
    return replace(source, problem=changed)


def shape_of_workspace(path: Path) -> tuple[Shape, bool]:
    """What planning for the existing workspace at ``path`` fixes, and whether the workspace seals its regions."""
    from catalytic.runtime.workspace import Workspace

    workspace = Workspace.open(path)
    shape = Shape(size=Bytes(workspace.size), partitions=workspace.partitions, alignment=workspace.alignment)
    return shape, workspace.integrity


def _read(path: Path) -> Source:
    kind = detect(path)
    if kind == "plan":
        loaded = load_plan(path)
        return Source(loaded.plan.problem, kind, loaded.base, (), loaded)
    if kind == "wfcommons":
        imported = import_wfcommons(path)
        return Source(imported.problem, kind, path.parent, imported.assumptions)
    if kind in ("strategy", "timeline"):
        return _strategy(path, kind)
    return Source(load_problem(path), kind, path.parent)


def _strategy(path: Path, kind: str) -> Source:
    """The problem a strategy was made for; a timeline as a problem of its own."""
    strategy = load_strategy(path)
    if isinstance(strategy, Timeline):
        problem, starts = timeline_problem(strategy)
        said = "the timeline fixes every lifetime: there is no order to search and no concurrency to optimise"
        return Source(problem, kind, path.parent, (said,), starts=starts)
    beyond = sorted({step.move.value for step in strategy.steps} - {"compute", "drop"})
    said = f"the strategy's {', '.join(beyond)} moves are not carried out: each task is planned once, in memory"
    return Source(strategy.problem, kind, path.parent, (said,) if beyond else ())
