"""Text to domain and back: problem, plan and strategy files, and one module per foreign format."""

from .problem_file import dump_problem, load_problem, parse_problem, problem_digest

__all__ = [
    "dump_problem",
    "load_problem",
    "parse_problem",
    "problem_digest",
]
