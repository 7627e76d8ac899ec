"""Text to domain and back: problem, plan and strategy files, and one module per foreign format."""

from .plan_file import LoadedPlan, dump_plan, load_plan, parse_plan
from .problem_file import dump_problem, load_problem, parse_problem, problem_digest

__all__ = [
    "LoadedPlan",
    "dump_plan",
    "dump_problem",
    "load_plan",
    "load_problem",
    "parse_plan",
    "parse_problem",
    "problem_digest",
]
