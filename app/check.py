"""Check: whether a plan obeys every rule, by the independent checker, and whether it answers the given problem.

A problem is checked too: what is wrong with its file, or its figures. Hooks and jobs name many files at once, some of
which are none of ours; each is judged alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from catalytic.solver.check import violations
from catalytic.solver.errors import CatalyticError, InvalidPlan
from catalytic.solver.formats import detect, load_plan, problem_digest
from catalytic.solver.problem import Problem

from .sources import read_source
from .summary import PlanSummary, summarise


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """A valid plan: its figures, the digest of its problem, and whether a problem file was compared with it."""

    summary: PlanSummary
    problem_digest: str
    compared: Path | None


def check_plan(path: Path, problem_path: Path | None = None) -> CheckAnswer:
    """Figures of the valid plan in ``path``.

    Raises ``InvalidPlan`` with every broken rule; a plan made for another problem than the one in ``problem_path``
    breaks one too. The shape of the workspace is part of a problem, so a plan made with ``--size`` differs from its
    file in that.
    """
    plan = load_plan(path).plan
    found = [f"{v.rule}: {v.message}" for v in violations(plan)]
    digest = problem_digest(plan.problem)
    if problem_path is not None:
        asked = read_source(problem_path).problem
        if problem_digest(asked) != digest:
            parts = [f.name for f in fields(Problem) if getattr(asked, f.name) != getattr(plan.problem, f.name)]
            found.append(
                f"problem: the plan answers the problem {digest}, {problem_path} holds {problem_digest(asked)}; "
                f"they differ in {', '.join(parts)}"
            )
    if found:
        raise InvalidPlan(found)
    return CheckAnswer(summarise(plan), digest, problem_path)


@dataclass(frozen=True, slots=True)
class ProblemAnswer:
    """A valid problem in figures. ``kind``: of its file; ``assumptions``: what a foreign file leaves open."""

    name: str
    kind: str
    tasks: int
    buffers: int
    allocated: int
    external: int
    workspace: int
    partitions: int
    critical_path_s: float
    problem_digest: str
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """One file of several: its answer, or the error that says what is wrong, or neither when it is none of ours."""

    file: Path
    answer: CheckAnswer | ProblemAnswer | None = None
    error: CatalyticError | None = None


OURS = ("catalytic-problem/", "catalytic-execution/", "pebbling-strategy/", '"allocation_timeline"')
"""What stands in a file of ours, whatever is wrong with it."""


def check_file(path: Path) -> CheckAnswer | ProblemAnswer:
    """Figures of the valid plan or problem in ``path``; ``InputError`` or ``InvalidPlan`` with everything wrong."""
    return check_plan(path) if detect(path) == "plan" else check_problem(path)


def check_problem(path: Path) -> ProblemAnswer:
    """Figures of the problem in ``path``; ``InputError`` with every mistake of the file."""
    source = read_source(path)
    problem, graph = source.problem, source.problem.graph
    return ProblemAnswer(
        name=problem.name,
        kind=source.kind,
        tasks=len(problem.tasks),
        buffers=len(problem.buffers),
        allocated=graph.allocated,
        external=sum(graph.buffer[b].size for b in graph.external),
        workspace=problem.workspace.capacity,
        partitions=problem.workspace.partitions,
        critical_path_s=graph.critical_path()[1] / 1000,
        problem_digest=problem_digest(problem),
        assumptions=source.notes,
    )


def check_each(paths: Iterable[Path], *, skip_others: bool = False) -> tuple[Checked, ...]:
    """Every file of ``paths``, judged alone; ``skip_others``: files that are none of ours are no mistake."""
    return tuple(_checked(path, skip_others) for path in paths)


def _checked(path: Path, skip_others: bool) -> Checked:
    try:
        if skip_others and not _is_ours(path):
            return Checked(path)
        return Checked(path, check_file(path))
    except CatalyticError as error:
        return Checked(path, error=error)


def _is_ours(path: Path) -> bool:
    """Whether ``path`` says that it is a file of ours; a damaged one still says so."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return True  # reading it again will say what is the matter
    return any(word in text for word in OURS)
