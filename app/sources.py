"""From whatever file a user names to a problem: ours, a plan's embedded one, a strategy, or a foreign workflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from catalytic.solver.formats import (
    FOREIGN,
    Imported,
    LoadedPlan,
    detect,
    load_plan,
    load_problem,
    load_strategy,
)
from catalytic.solver.plan.strategy import Timeline, timeline_problem
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy, Policy, Problem
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
class Reading:
    """How the gaps of a foreign file are filled; each kind of file heeds what concerns it (``Kind.heeds``).

    ``scale_sizes``, ``scale_time``: factors for every kind. ``size_attribute``, ``duration_attribute``: None chooses by
    known names. ``dimensions``: (name, size) pairs. ``companions``: further files that say more about the same graph.
    ``buffer_size``, ``duration``: of tasks of which the file states none. ``tag``: which of several lists of tasks.
    ``variable``: the name of a graph in a Python file.
    """

    scale_sizes: float = 1.0
    scale_time: float = 1.0
    scratch_from_memory: bool = False
    size_attribute: str | None = None
    duration_attribute: str | None = None
    dimensions: tuple[tuple[str, int], ...] = ()
    companions: tuple[Path, ...] = ()
    buffer_size: Bytes | None = None
    duration: Tick | None = None
    tag: str | None = None
    variable: str | None = None

    def stray(self, kind: str) -> tuple[str, ...]:
        """Options that were given and do not concern files of ``kind``."""
        heeded = FOREIGN[kind].heeds if kind in FOREIGN else ()
        return tuple(option for name, option in _OPTIONS.items() if getattr(self, name) and name not in heeded)

    def heeded_by(self, kind: str) -> dict[str, object]:
        """What a reader of ``kind`` takes beside the scales."""
        return {name: getattr(self, name) for name in _OPTIONS if name in FOREIGN[kind].heeds}


_OPTIONS = {
    "scratch_from_memory": "--scratch-from-memory",
    "size_attribute": "--size-attribute",
    "duration_attribute": "--duration-attribute",
    "dimensions": "--bind-dimension",
    "companions": "--with",
    "buffer_size": "--buffer-size",
    "duration": "--default-duration",
    "tag": "--tag",
    "variable": "--variable",
}
"""Field of ``Reading`` -> the option that sets it."""


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
    source = _read(path, shape)
    changed = shape.applied_to(source.problem)
    if source.loaded is not None and changed != source.problem:
        # The plan answers another question now: only its problem is of use.
        return replace(source, problem=changed, loaded=None)
    return replace(source, problem=changed)


def read_foreign(path: Path, kind: str, reading: Reading = Reading(), shape: Shape = Shape()) -> Imported:
    """The foreign file ``path`` as a problem with the changes of ``shape``; ``InputError`` with its mistakes.

    The policies are given to the reader, whose assumptions name them, and so is an alignment that is asked for, because
    it decides how large a workspace for all buffers is.
    """
    keywords = {"scale_sizes": reading.scale_sizes, "scale_time": reading.scale_time, **reading.heeded_by(kind)}
    if shape.inputs is not None or shape.outputs is not None:
        keywords["policy"] = Policy(shape.inputs or Policy().inputs, shape.outputs or Policy().outputs)
    if shape.alignment is not None and "alignment" in FOREIGN[kind].heeds:
        keywords["alignment"] = shape.alignment
    imported = FOREIGN[kind].read(path, **keywords)
    return replace(imported, problem=shape.applied_to(imported.problem))


def shape_of_workspace(path: Path) -> tuple[Shape, bool]:
    """What planning for the existing workspace at ``path`` fixes, and whether the workspace seals its regions."""
    from catalytic.runtime.workspace import Workspace

    workspace = Workspace.open(path)
    shape = Shape(size=Bytes(workspace.size), partitions=workspace.partitions, alignment=workspace.alignment)
    return shape, workspace.integrity


def _read(path: Path, shape: Shape) -> Source:
    kind = detect(path)
    if kind == "plan":
        loaded = load_plan(path)
        return Source(loaded.plan.problem, kind, loaded.base, (), loaded)
    if kind in FOREIGN:
        imported = read_foreign(path, kind, shape=shape)
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
