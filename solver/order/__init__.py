"""In which order: orders of the tasks with a low peak of live bytes, and what no order can beat."""

from .bounds import Force, forces_of_pools, peak_bounds
from .compact import Compact
from .sequence import Order, least_peak_order

__all__ = ["Compact", "Force", "Order", "forces_of_pools", "least_peak_order", "peak_bounds"]
