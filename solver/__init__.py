"""What may be done: problem, plan, proof. Importing this package loads no solver engine."""

from __future__ import annotations

from importlib import import_module

_EXPORTS = {
    "Budget": "budget",
    "Buffer": "problem",
    "Outcome": "plan",
    "Plan": "plan",
    "Problem": "problem",
    "Task": "problem",
    "Workspace": "problem",
    "solve": "solve",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> object:
    """Load the module of an exported name when it is first asked for, so that the runtime never loads a solver."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
