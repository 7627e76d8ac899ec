"""Generate: a problem of a family as a file, which depends on what was asked and on nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from catalytic.solver.errors import InputError, Mistake, Refused
from catalytic.solver.families import FAMILIES, Distribution, Family, distribution, generate, parameters_for
from catalytic.solver.formats import dump_problem, problem_digest
from catalytic.solver.problem import DEFAULT_ALIGNMENT, Problem
from catalytic.solver.problem.room import roomy_workspace
from catalytic.solver.problem.validate import did_you_mean
from catalytic.solver.units import parse_duration, parse_size

from .files import write_whole
from .sources import Shape


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One call of ``catalytic generate``. ``tasks``, ``name`` None: the family's. ``settings``: as they were typed."""

    family: str
    output: Path
    tasks: int | None = None
    seed: int = 0
    sizes: str = "lognormal:mean=10MB,sigma=1"
    durations: str = "lognormal:mean=1,sigma=0.5"
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    shape: Shape = Shape()
    force: bool = False


@dataclass(frozen=True, slots=True)
class GenerateAnswer:
    """The problem file that was written, in figures; ``parameters`` are those that are not the family's defaults."""

    file: Path
    name: str
    family: str
    parameters: Mapping[str, object]
    seed: int
    asked_tasks: int | None
    tasks: int
    buffers: int
    allocated: int
    external: int
    critical_path_s: float
    digest: str


@dataclass(frozen=True, slots=True)
class FamilyLine:
    """One family: what it models, and its parameters with their defaults."""

    family: str
    models: str
    grows: str
    parameters: Mapping[str, object]


def family_list() -> tuple[FamilyLine, ...]:
    """Every family, by name."""
    return tuple(FamilyLine(name, f.models, f.grows, dict(f.parameters)) for name, f in sorted(FAMILIES.items()))


def generate_file(request: GenerateRequest) -> GenerateAnswer:
    """Write the problem that ``request`` describes.

    ``InputError`` with every mistake of the request; ``Refused`` when the output exists and ``force`` is not set.
    """
    if request.output.exists() and not request.force:
        raise Refused(f"{request.output} exists. Write elsewhere with -o, or replace it with --force.")
    problem, parameters = generated(request)
    write_whole(request.output, dump_problem(problem))
    graph = problem.graph
    return GenerateAnswer(
        file=request.output,
        name=problem.name,
        family=request.family,
        parameters=parameters,
        seed=request.seed,
        asked_tasks=request.tasks,
        tasks=len(problem.tasks),
        buffers=len(problem.buffers),
        allocated=graph.allocated,
        external=sum(graph.buffer[b].size for b in graph.external),
        critical_path_s=graph.critical_path()[1] / 1000,
        digest=problem_digest(problem),
    )


def generated(request: GenerateRequest) -> tuple[Problem, Mapping[str, object]]:
    """The problem that ``request`` describes, and the parameters of its family."""
    if request.family not in FAMILIES:
        hint = did_you_mean(request.family, FAMILIES)
        allowed = f"one of {', '.join(sorted(FAMILIES))}"
        raise InputError("generate", [Mistake("family", repr(request.family), allowed, hint)])
    parameters, mistakes = _settings(FAMILIES[request.family], request.settings)
    sizes = _distribution(request.sizes, "--sizes", mistakes)
    durations = _distribution(request.durations, "--durations", mistakes)
    if mistakes or sizes is None or durations is None:
        raise InputError(f"generate {request.family}", mistakes)
    if request.tasks is not None:
        parameters = parameters_for(request.family, request.tasks, **parameters)
    problem = generate(request.family, **parameters, sizes=sizes, durations=durations, seed=request.seed)
    name = request.name or f"{request.family}-{len(problem.tasks)}-{request.seed}"
    alignment = request.shape.alignment or DEFAULT_ALIGNMENT
    roomy = replace(problem, name=name, workspace=roomy_workspace(problem.buffers, alignment))
    return request.shape.applied_to(roomy), parameters


def _settings(family: Family, settings: Mapping[str, str]) -> tuple[dict[str, object], list[Mistake]]:
    values: dict[str, object] = {}
    mistakes = []
    known = family.parameters
    for name, text in settings.items():
        if name not in known:
            allowed = f"one of {', '.join(known)}"
            mistakes.append(Mistake(f"--set {name}", "an unknown parameter", allowed, did_you_mean(name, known)))
            continue
        try:
            values[name] = family.read(name, text)
        except ValueError as error:
            mistakes.append(Mistake(f"--set {name}", repr(text), str(error)))
    return values, mistakes


def _distribution(text: str, option: str, mistakes: list[Mistake]) -> Distribution | None:
    """The distribution that ``text`` names; None, and its mistakes among ``mistakes``, when it names none."""
    amounts = parse_size if option == "--sizes" else parse_duration
    try:
        return distribution(text, amounts, option)
    except InputError as error:
        mistakes += [replace(m, path=f"{option} {m.path}") for m in error.mistakes]
        return None
