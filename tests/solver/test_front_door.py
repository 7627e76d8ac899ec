"""``catalytic.solver``: what it lists is there, is typed, costs nothing before it is used, and is what it is called."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import catalytic.solver

SOURCE = Path(catalytic.solver.__file__ or "")


def output_of(script: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_listed_is_there() -> None:
    for name in catalytic.solver.__all__:
        assert getattr(catalytic.solver, name) is not None
    assert set(catalytic.solver.__all__) == set(catalytic.solver._EXPORTS)
    with pytest.raises(AttributeError, match="has no attribute 'solv'"):
        _ = catalytic.solver.solv


def test_type_checkers_see_what_is_loaded() -> None:
    """The imports for type checkers name the modules that the table names."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert seen == catalytic.solver._EXPORTS


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import catalytic.solver.solve",
        "from catalytic.solver.solve import solve as mine",
        "from catalytic.app.plan import search_plan",
    ],
)
def test_solve_is_the_function_whatever_was_imported_before(before: str, tmp_path: Path) -> None:
    """Importing a module sets an attribute of its name in its package, which must not hide the function."""
    script = f"{before}\nfrom catalytic.solver import solve\nimport catalytic.solver\n"
    script += "print(callable(solve), solve.__module__, catalytic.solver.solve is solve)"

    assert output_of(script, tmp_path) == "True catalytic.solver.solve True\n"


def test_building_and_reading_a_problem_loads_no_engine(tmp_path: Path) -> None:
    script = """
import sys
from catalytic.solver import Problem, ProblemBuilder, Task, load_problem
path = ProblemBuilder("p", workers=1).task("a", 1, writes={"x": 1}).write("p.json")
assert isinstance(load_problem(path), Problem)
print(sorted({"ortools", "numba", "pandas"} & set(sys.modules)))
"""
    assert output_of(script, tmp_path) == "[]\n"
