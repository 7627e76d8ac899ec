"""The wheel holds every package, and importing the front doors loads no solver engine.

A subpackage missing from ``packages`` works when editable and is absent from the wheel; a heavy import at module level
works everywhere and costs half a second at every start. Neither shows in any other test.
"""

from __future__ import annotations

import doctest
import importlib
import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("solver", "runtime", "app", "cli")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages_in_folders() -> set[str]:
    """Every folder below a floor that holds a Python file, as a dotted name."""
    return {
        ".".join(("catalytic", *file.parent.relative_to(ROOT).parts))
        for floor in FLOORS
        for file in (ROOT / floor).rglob("*.py")
    }


def test_packages_of_the_wheel_are_the_folders() -> None:
    """``packages`` in pyproject.toml lists exactly the folders that hold Python files."""
    listed = PYPROJECT["tool"]["setuptools"]["packages"]

    assert set(listed) == packages_in_folders()
    assert len(listed) == len(set(listed))


def test_every_package_has_an_init_file() -> None:
    """A folder without ``__init__.py`` would be a namespace package, which setuptools does not install."""
    missing = [p for p in packages_in_folders() if not (folder_of(p) / "__init__.py").is_file()]

    assert missing == []


def folder_of(package: str) -> Path:
    """The folder of a dotted package name."""
    return ROOT.joinpath(*package.split(".")[1:])


def test_every_floor_is_typed_and_linked_for_type_checkers() -> None:
    """Each floor carries ``py.typed`` in the wheel, and a link in ``.typing/`` for mypy."""
    data = PYPROJECT["tool"]["setuptools"]["package-data"]
    for floor in FLOORS:
        assert (ROOT / floor / "py.typed").is_file()
        assert "py.typed" in data[f"catalytic.{floor}"]
        assert (ROOT / ".typing" / "catalytic" / floor).resolve() == ROOT / floor


def test_files_beside_the_modules_are_in_the_wheel() -> None:
    """Whatever a package reads from beside its modules is named as its data."""
    data = PYPROJECT["tool"]["setuptools"]["package-data"]
    beside = [
        (package, file.name)
        for package in sorted(packages_in_folders())
        for file in folder_of(package).iterdir()
        if file.is_file() and file.suffix not in (".py", ".pyc")
    ]

    assert ("catalytic.app.views.report", "page.html") in beside
    assert [(p, f) for p, f in beside if not any(fnmatch(f, pattern) for pattern in data.get(p, []))] == []


def modules_loaded_by(code: str, *, cwd: Path) -> set[str]:
    """Names of all modules that are loaded after ``code`` ran in a fresh interpreter."""
    script = f"{code}\nimport sys; print('\\n'.join(['', 'MODULES', *sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("MODULES\n")[-1].split())


@pytest.mark.parametrize(
    "module",
    ["catalytic.solver", "catalytic.solver.plan", "catalytic.runtime.report", "catalytic.app", "catalytic.cli.main"],
)
def test_importing_loads_no_engine(module: str, tmp_path: Path) -> None:
    """Fresh process: importing the domain, the runtime or the doors loads neither ortools nor numba."""
    loaded = modules_loaded_by(f"import {module}", cwd=tmp_path)

    assert module in loaded
    assert not {"ortools", "numba"} & loaded


@pytest.mark.parametrize("floor", FLOORS)
def test_every_module_can_be_imported_and_its_examples_hold(floor: str) -> None:
    """Doctests go by the installed name: from the repository's root ``solver.units`` would be a second module."""
    for file in sorted((ROOT / floor).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        name = ".".join(("catalytic", *(p for p in parts if p != "__init__")))
        if parts[-1] == "standalone":
            continue
        failures, _ = doctest.testmod(importlib.import_module(name))
        assert failures == 0, name
