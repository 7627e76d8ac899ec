"""Text to domain and back: problem, plan and strategy files, and one module per foreign format."""

from .detect import FOREIGN, detect
from .foreign import Imported
from .hyperdag import import_hyperdag
from .minimalloc import BufferTable, dump_minimalloc, load_minimalloc, parse_minimalloc
from .node_link import import_node_link
from .onnx_file import import_onnx
from .plan_file import LoadedPlan, dump_plan, load_plan, parse_plan
from .problem_file import dump_problem, load_problem, parse_problem, problem_digest
from .strategy_file import dump_strategy, load_strategy, parse_strategy
from .wfcommons import import_wfcommons

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
