"""Text to domain and back: problem, plan and strategy files, and one module per foreign format."""

from .detect import detect
from .plan_file import LoadedPlan, dump_plan, load_plan, parse_plan
from .problem_file import dump_problem, load_problem, parse_problem, problem_digest
from .strategy_file import dump_strategy, load_strategy, parse_strategy
from .wfcommons import Imported, import_wfcommons

__all__ = [
    "Imported",
    "LoadedPlan",
    "detect",
    "dump_plan",
    "dump_problem",
    "dump_strategy",
    "import_wfcommons",
    "load_plan",
    "load_problem",
    "load_strategy",
    "parse_plan",
    "parse_problem",
    "parse_strategy",
    "problem_digest",
]
