"""In which order: orders of the tasks with a low peak of live bytes, and what no order can beat."""

from .bounds import Force, forces_of_pools, peak_bounds
from .compact import Compact
from .portfolio import LeastPeak, least_peak

__all__ = ["Compact", "Force", "LeastPeak", "forces_of_pools", "least_peak", "peak_bounds"]
