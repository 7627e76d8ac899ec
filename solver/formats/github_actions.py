"""Workflows of GitHub Actions as problems: jobs and what they need.

::

    jobs:
      build: {runs-on: ubuntu-latest, steps: [...]}
      tests:
        needs: build                       one name, or a list of names
        strategy:
          max-parallel: 2
          matrix:
            os: [linux, macos]             one task for each combination, 3 here
            python: ["3.12", "3.13"]
            exclude: [{os: macos, python: "3.12"}]

A job is a task of its key; a job with a matrix is one task per combination, ``tests (linux, 3.12)``, and what needs the
job follows all of them. ``max-parallel`` is a resource of that job's. A matrix that an expression makes at run time is
one task. Conditions are ignored: every job runs. Steps, artifacts and services are not looked at.

A workflow states no durations. Those of a run are given ``--with`` it: the answer of the API of jobs (``GET
/repos/OWNER/REPO/actions/runs/ID/jobs``), or ``gh run view ID --json jobs``; they are joined by the names that jobs
show there.

The text is YAML 1.1 to PyYAML, which would make a key ``on`` true; so only its nodes are used, and keys are texts. A
file of another service (GitLab, CircleCI, Azure) is refused by name.

Source: docs.github.com, workflow syntax for GitHub Actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Unpack

from ..errors import InputError, Mistake
from ..problem.validate import did_you_mean
from .foreign import Gaps, Imported, refuse_scales
from .jobs import Job, numbered, problem_of_jobs
from .json_text import TOP, describe, parse_json, read_bytes
from .reading import decoded, refuse, unpacked
from .yaml_tree import Branch, Leaf, Twig, Value, parse_yaml

_JOBS = re.compile(rb"^jobs[ \t]*:", re.MULTILINE)
_OTHERS: Mapping[str, str] = {
    "stages": "GitLab CI or Azure Pipelines",
    "workflows": "CircleCI",
    "orbs": "CircleCI",
    "trigger": "Azure Pipelines",
    "pool": "Azure Pipelines",
    "services": "Docker Compose",
    "script": "Travis CI",
    "pipeline": "Woodpecker or Drone",
}
"""Key at the top that GitHub does not know -> whose file it is."""

_OTHER_KEYS = re.compile(rb"^(?:%s)[ \t]*:" % b"|".join(key.encode() for key in _OTHERS), re.MULTILINE)
_MOST_COMBINATIONS = 256
_EXPRESSION = re.compile(r"\$\{\{\s*matrix\.([\w.-]+)\s*\}\}")

Combination = Mapping[str, Value]


@dataclass(slots=True)
class _Parsed:
    """One job of the file: its key and line, what it needs, its combinations (one, empty, without a matrix).

    ``shown``: the text of ``name``, None without one. ``at_once``: ``max-parallel``. ``dynamic``: whether an expression
    makes its matrix.
    """

    key: str
    line: int
    needs: list[Leaf] = field(default_factory=list)
    combinations: list[Combination] = field(default_factory=lambda: [{}])
    shown: str | None = None
    at_once: int | None = None
    dynamic: bool = False
    conditional: bool = False


def is_github_actions(data: bytes) -> bool:
    """Whether ``data`` reads like a workflow, GitHub's or another service's."""
    return _JOBS.search(data) is not None or _OTHER_KEYS.search(data) is not None


def import_github_actions(path: Path, *, companions: Sequence[Path] = (), **gaps: Unpack[Gaps]) -> Imported:
    """The workflow in ``path`` as a problem; ``companions``: jobs of runs. ``InputError`` with mistakes by line."""
    origin = str(path)
    refuse_scales(gaps.get("scale_sizes", 1.0), gaps.get("scale_time", 1.0))
    root = parse_yaml(decoded(unpacked(read_bytes(path), origin), origin), origin)
    parsed = _workflow(root, origin)
    measured = [pair for companion in companions for pair in _measured(companion)]
    tasks = {job.key: numbered([_called(job.key, c) for c in job.combinations]) for job in parsed}
    jobs: dict[str, Job] = {}
    for job in parsed:
        after = tuple(name for need in job.needs for name in tasks[need.text])
        for name, combination in zip(tasks[job.key], job.combinations, strict=True):
            jobs[name] = Job(
                f"line {job.line} ({name})",
                after=after,
                milliseconds=_duration(_shown(job, combination), measured),
                demands=((f"max-parallel {job.key}", 1),) if job.at_once else (),
            )
    title = root.items.get("name") if isinstance(root, Branch) else None
    return problem_of_jobs(
        origin,
        title.text if isinstance(title, Leaf) and title.text else path.name.removesuffix(".gz").removesuffix(".yml"),
        jobs,
        assumptions=_assumptions(parsed, jobs, companions),
        resources={f"max-parallel {job.key}": job.at_once for job in parsed if job.at_once},
        **gaps,
    )


def _assumptions(parsed: Sequence[_Parsed], jobs: Mapping[str, Job], companions: Sequence[Path]) -> Iterator[str]:
    conditional = sum(job.conditional for job in parsed)
    if conditional:
        yield f"conditions (of {conditional} jobs) are ignored: every job runs"
    dynamic = [job.key for job in parsed if job.dynamic]
    if dynamic:
        yield f"matrices that are made at run time are one task: {', '.join(dynamic)}"
    limited = [job.key for job in parsed if job.at_once]
    if limited:
        yield f"max-parallel is a resource of the jobs {', '.join(limited)}"
    if companions:
        timed = sum(job.milliseconds is not None for job in jobs.values())
        yield f"the run gives the durations of {timed} of {len(jobs)} tasks"


def _workflow(root: Value, origin: str) -> list[_Parsed]:
    """The jobs of the file; ``InputError`` with all its mistakes, or with whose file it is."""
    if not isinstance(root, Branch):
        raise InputError(origin, [Mistake("line 1", "no mapping", "a workflow, with the keys on and jobs")])
    if "on" not in root.items:
        whose = next((service for key, service in _OTHERS.items() if key in root.items), None)
        found = f"a file of {whose}" if whose else "no key 'on'"
        raise InputError(origin, [Mistake(TOP, found, "a workflow of GitHub Actions, with the keys on and jobs")])
    listed = root.items.get("jobs")
    if not isinstance(listed, Branch) or not listed.items:
        place = f"line {listed.line}, jobs" if listed is not None else "jobs"
        raise InputError(origin, [Mistake(place, "no jobs" if listed is not None else "nothing", "a mapping of jobs")])
    mistakes: list[Mistake] = []
    parsed = [_job(key, value, listed.lines[key], mistakes) for key, value in listed.items.items()]
    for job in parsed:
        mistakes += _unknown_needs(job, listed.items.keys())
    refuse(origin, mistakes)
    return parsed


def _unknown_needs(job: _Parsed, known: Set[str]) -> Iterator[Mistake]:
    for need in job.needs:
        if need.text not in known:
            hint = did_you_mean(need.text, known)
            yield Mistake(f"line {need.line}, needs", repr(need.text), "the key of a job", hint)


def _job(key: str, value: Value, line: int, mistakes: list[Mistake]) -> _Parsed:
    job = _Parsed(key, line)
    if not isinstance(value, Branch):
        mistakes.append(Mistake(f"line {line}, {key}", "no mapping", "a job"))
        return job
    if not value.items.keys() & {"runs-on", "uses"}:
        mistakes.append(Mistake(f"line {line}, {key}", "neither runs-on nor uses", "one of them"))
    job.needs = _names(value.items.get("needs"), mistakes)
    job.conditional = "if" in value.items
    shown = value.items.get("name")
    job.shown = shown.text if isinstance(shown, Leaf) else None
    strategy = value.items.get("strategy")
    if isinstance(strategy, Branch):
        job.at_once = _at_once(strategy.items.get("max-parallel"), mistakes)
        _expand(job, strategy.items.get("matrix"), mistakes)
    elif isinstance(strategy, Leaf) and "${{" in strategy.text:
        job.dynamic = True
    elif strategy is not None:
        mistakes.append(Mistake(f"line {strategy.line}, strategy", "no mapping", "max-parallel, matrix"))
    return job


def _names(value: Value | None, mistakes: list[Mistake]) -> list[Leaf]:
    """``needs``: one name, or a list of them."""
    listed = value.items if isinstance(value, Twig) else (value,) if value is not None else ()
    names = []
    for item in listed:
        if isinstance(item, Leaf) and item.text:
            names.append(item)
        else:
            mistakes.append(Mistake(f"line {item.line}, needs", "no text", "the key of a job, or a list of them"))
    return names


def _at_once(value: Value | None, mistakes: list[Mistake]) -> int | None:
    if value is None or (isinstance(value, Leaf) and "${{" in value.text):
        return None
    if isinstance(value, Leaf) and value.text.isascii() and value.text.isdigit() and int(value.text[:9]) > 0:
        return int(value.text[:9])
    mistakes.append(Mistake(f"line {value.line}, max-parallel", _describe(value), "a number from 1"))
    return None


def _expand(job: _Parsed, matrix: Value | None, mistakes: list[Mistake]) -> None:
    """The combinations of a matrix: axes, less ``exclude``, more ``include``, as GitHub defines them."""
    if matrix is None:
        return
    if not isinstance(matrix, Branch):
        job.dynamic = _is_expression(matrix)
        if not job.dynamic:
            mistakes.append(Mistake(f"line {matrix.line}, matrix", _describe(matrix), "a mapping of lists"))
        return
    if any(map(_is_expression, matrix.items.values())):
        job.dynamic = True
        return
    axes: dict[str, tuple[Value, ...]] = {}
    for name, values in matrix.items.items():
        if isinstance(values, Twig) and values.items:
            axes[name] = values.items
        else:
            found = "an empty list" if isinstance(values, Twig) else _describe(values)
            mistakes.append(Mistake(f"line {matrix.lines[name]}, matrix.{name}", found, "a list of values"))
    included, excluded = (_records(axes.pop(name, ()), name, mistakes) for name in ("include", "exclude"))
    total = 1
    for axis in axes.values():
        total *= len(axis)
    if total > _MOST_COMBINATIONS:
        allowed = f"at most {_MOST_COMBINATIONS}, as GitHub allows"
        mistakes.append(Mistake(f"line {matrix.line}, matrix", f"{total} combinations", allowed))
        return
    combinations: list[Combination] = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    combinations = [c for c in combinations if not any(_agrees(c, entry) for entry in excluded)]
    job.combinations = _with_included(combinations if axes else [], axes.keys(), included) or [{}]


def _records(values: Sequence[Value], name: str, mistakes: list[Mistake]) -> list[Combination]:
    """The mappings under ``include`` or ``exclude``."""
    found: list[Combination] = []
    for value in values:
        if isinstance(value, Branch):
            found.append(value.items)
        else:
            mistakes.append(Mistake(f"line {value.line}, matrix.{name}", _describe(value), "a mapping"))
    return found


def _with_included(
    combinations: Sequence[Combination], axes: Set[str], included: Sequence[Combination]
) -> list[Combination]:
    """An entry widens every combination of the axes that it contradicts nowhere, or is a combination of its own."""
    widened = [dict(c) for c in combinations]
    alone: list[Combination] = []
    for entry in included:
        fitting = [
            own
            for own, c in zip(widened, combinations, strict=True)
            if all(_plain(c[n]) == _plain(v) for n, v in entry.items() if n in axes)
        ]
        for own in fitting:
            own.update(entry)
        if not fitting:
            alone.append(entry)
    return [*widened, *alone]


def _agrees(combination: Combination, entry: Combination) -> bool:
    """Whether ``combination`` has every value of ``entry``."""
    return all(name in combination and _plain(combination[name]) == _plain(value) for name, value in entry.items())


def _plain(value: Value) -> object:
    """``value`` without lines, to be compared."""
    if isinstance(value, Leaf):
        return value.text
    if isinstance(value, Twig):
        return [_plain(item) for item in value.items]
    return {name: _plain(item) for name, item in value.items.items()}


def _scalars(value: Value) -> Iterator[str]:
    if isinstance(value, Leaf):
        yield value.text
    else:
        for item in value.items.values() if isinstance(value, Branch) else value.items:
            yield from _scalars(item)


def _called(key: str, combination: Combination) -> str:
    """The name of a task, in the form in which GitHub shows jobs: ``tests (linux, 3.12)``."""
    values = [text for value in combination.values() for text in _scalars(value)]
    return f"{key} ({', '.join(values)})" if values else key


def _shown(job: _Parsed, combination: Combination) -> str:
    """The name that the page of a run shows for a task."""
    if job.shown is None:
        return _called(job.key, combination)
    text = _EXPRESSION.sub(lambda match: _at(combination, match[1]), job.shown)
    return text if text != job.shown or not combination else _called(job.shown, combination)


def _at(combination: Combination, path: str) -> str:
    """The value of ``matrix.path`` in a combination, as text."""
    value: Value | None = Branch(dict(combination), {}, 0)
    for name in path.split("."):
        value = value.items.get(name) if isinstance(value, Branch) else None
    return value.text if isinstance(value, Leaf) else ""


def _is_expression(value: Value) -> bool:
    return isinstance(value, Leaf) and "${{" in value.text


def _describe(value: Value) -> str:
    return describe(value.text) if isinstance(value, Leaf) else "a list" if isinstance(value, Twig) else "a mapping"


def _measured(path: Path) -> list[tuple[str, Decimal, Decimal]]:
    """Name, begin and end (ms) of each job of a run that has ended."""
    origin = str(path)
    document = parse_json(unpacked(read_bytes(path), origin), origin)
    listed = document.get("jobs")
    if not isinstance(listed, list):
        found = describe(listed) if "jobs" in document else "nothing"
        hint = "gh run view ID --json jobs"
        raise InputError(origin, [Mistake("jobs", found, "the jobs of a run, a list", hint)])
    mistakes: list[Mistake] = []
    found_jobs = []
    for k, job in enumerate(listed):
        if not isinstance(job, dict) or not isinstance(job.get("name"), str):
            mistakes.append(Mistake(f"jobs[{k}]", "no name" if isinstance(job, dict) else describe(job), "a job"))
            continue
        ends = [_moment(job, key, f"jobs[{k}]", mistakes) for key in ("started", "completed")]
        if ends[0] is not None and ends[1] is not None:
            found_jobs.append((job["name"], ends[0], ends[1]))
    refuse(origin, mistakes)
    return found_jobs


def _moment(job: Mapping[str, object], key: str, place: str, mistakes: list[Mistake]) -> Decimal | None:
    """``started_at`` of the API, ``startedAt`` of gh, in milliseconds; None for a job that did not get so far."""
    name = f"{key}_at" if f"{key}_at" in job else f"{key}At"
    text = job.get(name)
    if text is None or (isinstance(text, str) and text.startswith("0001-")):
        return None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        mistakes.append(Mistake(f"{place}.{name}", describe(text), "a time such as 2026-01-31T12:00:00Z"))
        return None
    return Decimal(str(moment.timestamp())) * 1000


def _duration(shown: str, measured: Sequence[tuple[str, Decimal, Decimal]]) -> Decimal | None:
    """How long the job of that name took; a reusable workflow from its first begin to its last end."""
    spans = [(a, z) for name, a, z in measured if name == shown or name.startswith(f"{shown} / ")]
    return max(Decimal(0), max(z for _, z in spans) - min(a for a, _ in spans)) if spans else None
