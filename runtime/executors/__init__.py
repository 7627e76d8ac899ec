"""Where executions run. A registry names the executors; ``processes`` is the default."""

from __future__ import annotations

from collections.abc import Callable

from catalytic.solver.errors import InputError, Mistake

from .base import Capabilities, Executor, ExecutorSettings, Force
from .inline import InlineExecutor
from .processes import ProcessExecutor

__all__ = ["REGISTRY", "Capabilities", "Executor", "ExecutorSettings", "Force", "open_executor"]

REGISTRY: dict[str, Callable[[ExecutorSettings], Executor]] = {
    "processes": ProcessExecutor,
    "inline": InlineExecutor,
}


def open_executor(name: str, settings: ExecutorSettings) -> Executor:
    """The executor of that name, ready to run. Raises ``InputError`` for an unknown one."""
    if name not in REGISTRY:
        raise InputError("run", [Mistake("executor", repr(name), " | ".join(sorted(REGISTRY)))])
    return REGISTRY[name](settings)
