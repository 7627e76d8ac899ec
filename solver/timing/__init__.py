"""What the times of a plan rest on: who waits for whom and why, and how much sooner or later things could end."""

from .dealing import Dealing, deal
from .paths import Paths, latest_starts, longest_paths, speedups
from .results import early_results, results_of
from .shift import Conditions, earliest_starts, moved
from .waits import Wait, WaitKind, by_target, fixed_waits, order_waits

__all__ = [
    "Conditions",
    "Dealing",
    "Paths",
    "Wait",
    "WaitKind",
    "by_target",
    "deal",
    "earliest_starts",
    "early_results",
    "fixed_waits",
    "latest_starts",
    "longest_paths",
    "moved",
    "order_waits",
    "results_of",
    "speedups",
]
