"""Where figures come from: versions, the code itself, the machine, the command line, the moment."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("catalytic", "ortools", "numba", "numpy")


@dataclass(frozen=True, slots=True)
class Provenance:
    """What all rows of one batch have in common. ``folder``: where relative paths of its command line begin."""

    versions: dict[str, str]
    machine: dict[str, str | int]
    batch: tuple[str, ...]
    folder: str

    @classmethod
    def here(cls) -> Provenance:
        """Of this process."""
        return cls(versions(), machine(), tuple(sys.argv), str(Path.cwd()))


def versions() -> dict[str, str]:
    """Of Python, the libraries that decide a search, and ``planner``: a digest of the planner's own source."""
    found = {"python": platform.python_version(), "planner": _planner_digest()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, str | int]:
    """Processor, the cores this process may use, and bytes of memory."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "system": f"{platform.system()} {platform.release()}",
        "cpu": _cpu_model(),
        "cores": cores,
        "memory": int(psutil.virtual_memory().total),
    }


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _planner_digest() -> str:
    """A version names a release; between two of them only the source tells planners apart."""
    spec = find_spec("catalytic.solver")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    digest = hashlib.sha256()
    if folder is not None:
        for file in sorted(folder.rglob("*.py")):
            digest.update(f"{file.relative_to(folder).as_posix()}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()[:16]}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model")))
    return next(names, platform.processor() or platform.machine() or "unknown")
