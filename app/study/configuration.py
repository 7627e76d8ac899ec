"""A configuration: the options of ``catalytic plan`` in a TOML file, one key per option, spelled as they are there.

::

    objective = "makespan"
    reuse-factor = 0.8
    partitions = 4
    size = "2GB"

What a file leaves out has the defaults of ``plan``, with two exceptions that make cells comparable: ``threads`` is 1
(2 with ``deterministic``), not the number of cores, because cells run side by side; and ``time-limit`` is the batch's.
The seed is none of its options: a batch gives the seeds.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.budget import MAX_WORKERS, Budget
from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.formats.json_text import TOP, describe, digest_json, is_unicode, read_bytes
from catalytic.solver.plan import Objective
from catalytic.solver.problem import InputPolicy, Isolation, OutputPolicy
from catalytic.solver.problem.validate import did_you_mean
from catalytic.solver.units import SIZE_FORM, Bytes, exact_size, parse_duration, parse_size, to_seconds

from ..request import DETERMINISTIC_THREADS, Search
from ..sources import Shape

DEFAULT_NAME = "default"
"""The configuration of a batch that is given none."""

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Configuration:
    """``options``: each that is not left to the problem's file, by its key, in the units of the model.

    Bytes and numbers are integers, times seconds; whatever decides the search is stated, defaults too.
    """

    name: str
    options: Mapping[str, Value]

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of the options; the name, comments and spellings do not matter."""
        return digest_json(dict(self.options))

    @property
    def time_limit_s(self) -> float:
        """Seconds of one search."""
        return float(self.options["time-limit"])

    @property
    def threads(self) -> int:
        """Threads of one search."""
        return int(self.options["threads"])

    def shape(self) -> Shape:
        """What the options change of a problem."""
        given = self.options
        return Shape(
            size=Bytes(int(given["size"])) if "size" in given else None,
            partitions=_count(given, "partitions"),
            alignment=_count(given, "alignment"),
            workers=_count(given, "workers"),
            isolation=Isolation(str(given["isolation"])) if "isolation" in given else None,
            inputs=InputPolicy(str(given["inputs"])) if "inputs" in given else None,
            outputs=OutputPolicy(str(given["outputs"])) if "outputs" in given else None,
        )

    def search(self, seed: int, started: float | None = None) -> Search:
        """The search with one seed; its clock runs from ``started`` (a value of ``time.monotonic``)."""
        given = self.options
        return Search(
            objective=Objective(str(given["objective"])),
            target=float(given["reuse-factor"]) if "reuse-factor" in given else None,
            budget=Budget(self.time_limit_s, self.threads, seed, bool(given["deterministic"]), started),
            integrity=bool(given["integrity"]),
            monitoring=bool(given["monitoring"]),
        )

    def words(self) -> tuple[str, ...]:
        """The options as words of a command line."""
        words: list[str] = []
        for key, value in self.options.items():
            if key == "integrity":
                words += [] if value else ["--no-integrity"]
            elif isinstance(value, bool):
                words += [f"--{key}"] if value else []
            elif key == "size":
                words += ["--size", exact_size(int(value))]
            else:
                words += [f"--{key}", str(value).removesuffix(".0")]
        return tuple(words)


def _count(options: Mapping[str, Value], key: str) -> int | None:
    return int(options[key]) if key in options else None


def default_configuration(time_limit_s: float) -> Configuration:
    """The defaults of ``plan``."""
    return Configuration(DEFAULT_NAME, _completed({}, time_limit_s))


def load_configurations(paths: Sequence[Path], time_limit_s: float) -> tuple[Configuration, ...]:
    """One configuration per file, called like the file without its ending; the default one when there are none.

    Raises ``InputError`` with every mistake of all the files. ``time_limit_s``: of those that state none.
    """
    if not paths:
        return (default_configuration(time_limit_s),)
    mistakes: list[Mistake] = []
    found: dict[str, Configuration] = {}
    files: dict[str, Path] = {}
    for path in paths:
        name = path.stem
        if name in files:
            mistakes.append(Mistake(str(path), f"the name {name!r}, which {files[name]} has too", "one file per name"))
            continue
        files[name] = path
        if not is_unicode(name):
            found_name = f"the name {os.fsencode(name)!r}"
            mistakes.append(
                Mistake(str(path.parent), found_name, "a name in UTF-8", "rows call configurations by name")
            )
            continue
        try:
            found[name] = parse_configuration(read_bytes(path), str(path), name=name, time_limit_s=time_limit_s)
        except InputError as error:
            mistakes += [Mistake(_in_file(path, m.path), m.found, m.allowed, m.hint) for m in error.mistakes]
    if mistakes:
        raise InputError("--config", mistakes)
    return tuple(found.values())


def _in_file(path: Path, place: str) -> str:
    return f"{path}" if place == TOP else f"{path}, {place}"


def parse_configuration(data: bytes, origin: str, *, name: str, time_limit_s: float) -> Configuration:
    """The configuration in ``data``; ``InputError`` with every mistake."""
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at offset {error.start}"
        raise InputError(origin, [Mistake(TOP, found, "UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(origin, [Mistake(TOP, f"no TOML: {error}", "TOML with keys such as size")]) from None
    except RecursionError:
        raise InputError(origin, [Mistake(TOP, "endless nesting", "one value per key")]) from None
    except ValueError:  # Python refuses to convert integers of thousands of digits
        raise InputError(origin, [Mistake(TOP, "a number of thousands of digits", "numbers of options")]) from None
    mistakes = list(_mistakes(document))
    if mistakes:
        raise InputError(origin, mistakes)
    return Configuration(name, _completed({k: OPTIONS[k](v) for k, v in document.items()}, time_limit_s))


def _mistakes(document: Mapping[str, object]) -> Iterator[Mistake]:
    for key, value in document.items():
        if key == "seed":
            yield Mistake(key, describe(value), "no seed", "a batch gives the seeds: --seeds N")
        elif key not in OPTIONS:
            known = sorted(OPTIONS)
            hint = did_you_mean(key.replace("_", "-"), known)
            yield Mistake(key, "an unknown key", f"one of {', '.join(known)}", hint)
        else:
            try:
                OPTIONS[key](value)
            except ValueError as error:
                yield Mistake(key, describe(value), str(error))


def _completed(given: Mapping[str, Value], time_limit_s: float) -> dict[str, Value]:
    """``given`` with the defaults of all that decides a search, in the order of ``OPTIONS``."""
    threads = DETERMINISTIC_THREADS if given.get("deterministic") else 1
    defaults: dict[str, Value] = {
        "objective": Objective.REUSE.value,
        "time-limit": time_limit_s,
        "threads": threads,
        "deterministic": False,
        "integrity": True,
        "monitoring": False,
    }
    options = {**defaults, **given}
    return {key: options[key] for key in OPTIONS if key in options}


# -- values: each function returns the value in the units of the model, or says in a ValueError what is allowed ------


def _one_of(*words: str) -> Callable[[object], Value]:
    def read(value: object) -> Value:
        if not isinstance(value, str) or value not in words:
            near = did_you_mean(value, words) if isinstance(value, str) else ""
            raise ValueError(f"one of {', '.join(words)}{f'; {near}' if near else ''}")
        return value

    return read


def _size(value: object) -> Value:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            size = parse_size(int(value) if isinstance(value, str) and value.isdigit() else value)
        except ValueError:
            size = Bytes(0)
        if size > 0:
            return int(size)
    raise ValueError(f"{SIZE_FORM}, more than 0")


def _whole(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        raise ValueError("an integer from 1 to 2147483647")
    return value


def _threads(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_WORKERS:
        raise ValueError(f"an integer from 1 to {MAX_WORKERS}")
    return value


def _power_of_two(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31 or value & (value - 1):
        raise ValueError("bytes, a power of two")
    return value


def _factor(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ValueError("a number from 0 to below 1")
    return float(value)


def _seconds(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number of seconds")
    try:
        return float(to_seconds(parse_duration(value)))
    except ValueError as error:
        raise ValueError(str(error).partition(", allowed ")[2]) from None


def _flag(value: object) -> Value:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


OPTIONS: Mapping[str, Callable[[object], Value]] = {
    "objective": _one_of(*(o.value for o in Objective)),
    "reuse-factor": _factor,
    "size": _size,
    "partitions": _whole,
    "alignment": _power_of_two,
    "workers": _whole,
    "isolation": _one_of(*(i.value for i in Isolation)),
    "inputs": _one_of(*(p.value for p in InputPolicy)),
    "outputs": _one_of(*(p.value for p in OutputPolicy)),
    "time-limit": _seconds,
    "threads": _threads,
    "deterministic": _flag,
    "integrity": _flag,
    "monitoring": _flag,
}
"""Key of a configuration -> how its value is read."""
