"""What may be done: problem, plan, proof. Importing this package loads no solver engine.

The front door of the library: what is listed here is meant to be used, and is loaded when it is first asked for.

>>> from catalytic.solver import ProblemBuilder
>>> outcome = ProblemBuilder("tiny", workers=1).task("a", 1, writes={"x": "1MB"}).solve(seconds=1)
>>> outcome.status.value, outcome.plan.measures.footprint
('OPTIMAL', 1003520)
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .budget import Budget, Progress
    from .builder import ProblemBuilder
    from .check import violations
    from .data_frames import Frames, frames
    from .errors import CatalyticError, InputError, InvalidPlan, Mistake
    from .families import generate
    from .formats import dump_plan, dump_problem, load_plan, load_problem, problem_digest
    from .plan import Bound, Evidence, Objective, Outcome, Plan, Proof, Status
    from .problem import (
        Buffer,
        Command,
        InputPolicy,
        Isolation,
        OutputPolicy,
        Policy,
        Pool,
        Problem,
        PythonCall,
        Synthetic,
        Task,
        Workspace,
    )
    from .solve import solve
    from .units import Bytes, Tick, format_size, parse_size

_EXPORTS = {
    "Bound": "plan",
    "Budget": "budget",
    "Buffer": "problem",
    "Bytes": "units",
    "CatalyticError": "errors",
    "Command": "problem",
    "Evidence": "plan",
    "Frames": "data_frames",
    "InputError": "errors",
    "InputPolicy": "problem",
    "InvalidPlan": "errors",
    "Isolation": "problem",
    "Mistake": "errors",
    "Objective": "plan",
    "Outcome": "plan",
    "OutputPolicy": "problem",
    "Plan": "plan",
    "Policy": "problem",
    "Pool": "problem",
    "Problem": "problem",
    "ProblemBuilder": "builder",
    "Progress": "budget",
    "Proof": "plan",
    "PythonCall": "problem",
    "Status": "plan",
    "Synthetic": "problem",
    "Task": "problem",
    "Tick": "units",
    "Workspace": "problem",
    "dump_plan": "formats",
    "dump_problem": "formats",
    "format_size": "units",
    "frames": "data_frames",
    "generate": "families",
    "load_plan": "formats",
    "load_problem": "formats",
    "parse_size": "units",
    "problem_digest": "formats",
    "solve": "solve",
    "violations": "check",
}

__all__ = [
    "Bound",
    "Budget",
    "Buffer",
    "Bytes",
    "CatalyticError",
    "Command",
    "Evidence",
    "Frames",
    "InputError",
    "InputPolicy",
    "InvalidPlan",
    "Isolation",
    "Mistake",
    "Objective",
    "Outcome",
    "OutputPolicy",
    "Plan",
    "Policy",
    "Pool",
    "Problem",
    "ProblemBuilder",
    "Progress",
    "Proof",
    "PythonCall",
    "Status",
    "Synthetic",
    "Task",
    "Tick",
    "Workspace",
    "dump_plan",
    "dump_problem",
    "format_size",
    "frames",
    "generate",
    "load_plan",
    "load_problem",
    "parse_size",
    "problem_digest",
    "solve",
    "violations",
]


def __getattr__(name: str) -> object:
    """Load the module of an exported name when it is first asked for, so that the runtime never loads a solver."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)


class _Door(ModuleType):
    """This package, in which ``solve`` is always the function.

    Importing the module ``catalytic.solver.solve`` makes Python set an attribute of that name here, and whoever asked
    for the function next would be given the module. A property takes no notice.
    """

    @property
    def solve(self) -> object:
        return __getattr__("solve")

    @solve.setter
    def solve(self, module: object) -> None:
        pass


sys.modules[__name__].__class__ = _Door
