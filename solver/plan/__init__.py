"""The answer: when each task runs, where each buffer lives, which bytes are reused by whom, and the proof."""

from .assemble import assemble
from .lifetime import Lifetime, lifetimes, loader_of
from .model import (
    Action,
    Edge,
    EdgeKind,
    Extent,
    Measures,
    Plan,
    PoolSlice,
    Region,
    ReuseEvent,
    ScheduledTask,
    TakeOver,
)
from .outcome import Outcome
from .proof import Bound, Evidence, Objective, Proof, Status
from .restate import restated
from .separate import plan_without_reuse
from .strategy import Allocation, Move, Replay, Step, Strategy, Timeline, replay, timeline_problem
from .target import ceiling_of, target_leaving

__all__ = [
    "Action",
    "Allocation",
    "Bound",
    "Edge",
    "EdgeKind",
    "Evidence",
    "Extent",
    "Lifetime",
    "Measures",
    "Move",
    "Objective",
    "Outcome",
    "Plan",
    "PoolSlice",
    "Proof",
    "Region",
    "Replay",
    "ReuseEvent",
    "ScheduledTask",
    "Status",
    "Step",
    "Strategy",
    "TakeOver",
    "Timeline",
    "assemble",
    "ceiling_of",
    "lifetimes",
    "loader_of",
    "plan_without_reuse",
    "replay",
    "restated",
    "target_leaving",
    "timeline_problem",
]
