"""When each task runs: schedules under a memory ceiling, and what no schedule can beat."""

from .bounds import MakespanBounds, makespan_bounds
from .list_schedule import Schedule, Scheduler

__all__ = ["MakespanBounds", "Schedule", "Scheduler", "makespan_bounds"]
