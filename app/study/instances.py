"""The problems below some files and folders: every file that ``catalytic plan`` reads, known by its content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalytic.solver.errors import InputError, Mistake
from catalytic.solver.formats import detect
from catalytic.solver.formats.json_text import TOP, is_unicode, read_bytes


@dataclass(frozen=True, slots=True)
class Instance:
    """A problem file. ``name``: its path below the folder it was found in; of a file that was named, the file's name.

    ``digest``: ``sha256:<hex>`` of its bytes.
    """

    name: str
    file: Path
    digest: str


@dataclass(frozen=True, slots=True)
class Instances:
    """What was found, in the order of names, and how many other files lay there."""

    instances: tuple[Instance, ...]
    others: int


def find_instances(paths: Sequence[Path], *, except_in: Path) -> Instances:
    """The problems among ``paths`` and, recursively, in folders among them; nothing hidden, nothing in ``except_in``.

    In a folder, files that are no problems are passed over. ``InputError``, with every mistake: a file that was named
    and is no problem, two problems of one name, nothing found at all.
    """
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    mistakes: list[Mistake] = []
    others = 0
    for name, file, named in _files(paths, except_in.resolve()):
        if file.resolve() in seen:
            continue
        seen.add(file.resolve())
        reason = _no_problem(file)
        if reason is None and not is_unicode(name):
            found_name = f"the name {os.fsencode(name)!r}"
            mistakes.append(Mistake(str(file.parent), found_name, "a name in UTF-8", "rows call problems by name"))
        elif reason is not None:
            if named:
                mistakes.append(reason)
            others += 1
        elif name in found:
            allowed = "one problem per name"
            mistakes.append(Mistake(str(file), f"the name {name!r}, which {found[name]} has too", allowed, _PARENT))
        else:
            found[name] = file
    if not found and not mistakes:
        where = ", ".join(map(str, paths))
        mistakes.append(Mistake(where, f"no problem among {others} files", "at least one file that `plan` reads"))
    if mistakes:
        raise InputError("PATHS", mistakes)
    return Instances(tuple(Instance(name, found[name], file_digest(found[name])) for name in sorted(found)), others)


_PARENT = "give the folder that holds both, and names are paths below it"


def file_digest(path: Path) -> str:
    """``sha256:<hex>`` of the bytes of ``path``."""
    return f"sha256:{hashlib.sha256(read_bytes(path)).hexdigest()}"


def _files(paths: Sequence[Path], except_in: Path) -> Iterator[tuple[str, Path, bool]]:
    """Name, path, and whether the file itself was named."""
    for path in paths:
        if not path.is_dir():
            yield path.name, path, True
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(f for f in folders if not _hidden(f) and (Path(folder) / f).resolve() != except_in)
            for file in sorted(files):
                below = Path(folder) / file
                if not _hidden(file) and below.is_file():
                    yield below.relative_to(path).as_posix(), below, False


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _no_problem(file: Path) -> Mistake | None:
    """Why ``file`` is not planned, or None."""
    try:
        kind = detect(file)
    except InputError as error:
        first = error.mistakes[0]
        place = str(file) if first.path == TOP else f"{file}, {first.path}"
        return Mistake(place, first.found, first.allowed, first.hint)
    if kind == "minimalloc":
        found = "buffers whose lifetimes are fixed, without tasks"
        return Mistake(str(file), found, "a file with tasks", "`catalytic place` gives offsets")
    return None
