"""Text to domain and back: problem, plan and strategy files, and one module per foreign format."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .detect import detect
from .kinds import FOREIGN

if TYPE_CHECKING:
    from .foreign import Imported
    from .hyperdag import import_hyperdag
    from .minimalloc import BufferTable, dump_minimalloc, load_minimalloc, parse_minimalloc
    from .node_link import import_node_link
    from .onnx_file import import_onnx
    from .plan_file import LoadedPlan, dump_plan, load_plan, parse_plan
    from .problem_file import dump_problem, load_problem, parse_problem, problem_digest
    from .psplib import import_psplib
    from .strategy_file import dump_strategy, load_strategy, parse_strategy
    from .wfcommons import import_wfcommons

_EXPORTS = {
    "Imported": "foreign",
    "import_hyperdag": "hyperdag",
    "BufferTable": "minimalloc",
    "dump_minimalloc": "minimalloc",
    "load_minimalloc": "minimalloc",
    "parse_minimalloc": "minimalloc",
    "import_node_link": "node_link",
    "import_onnx": "onnx_file",
    "LoadedPlan": "plan_file",
    "dump_plan": "plan_file",
    "load_plan": "plan_file",
    "parse_plan": "plan_file",
    "dump_problem": "problem_file",
    "load_problem": "problem_file",
    "parse_problem": "problem_file",
    "problem_digest": "problem_file",
    "import_psplib": "psplib",
    "dump_strategy": "strategy_file",
    "load_strategy": "strategy_file",
    "parse_strategy": "strategy_file",
    "import_wfcommons": "wfcommons",
}

__all__ = [
    "FOREIGN",
    "BufferTable",
    "Imported",
    "LoadedPlan",
    "detect",
    "dump_minimalloc",
    "dump_plan",
    "dump_problem",
    "dump_strategy",
    "import_hyperdag",
    "import_node_link",
    "import_onnx",
    "import_psplib",
    "import_wfcommons",
    "load_minimalloc",
    "load_plan",
    "load_problem",
    "load_strategy",
    "parse_minimalloc",
    "parse_plan",
    "parse_problem",
    "parse_strategy",
    "problem_digest",
]


def __getattr__(name: str) -> object:
    """Load the module of an exported name when it is first asked for: most uses need one format."""
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
