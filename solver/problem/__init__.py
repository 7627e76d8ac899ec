"""The question: tasks, buffers and a workspace, immutable and valid from birth."""

from .graph import Graph, find_cycle
from .model import (
    DEFAULT_ALIGNMENT,
    DEFAULT_PARTITIONS,
    DEFAULT_POOL,
    DEFAULT_WORKSPACE_SIZE,
    SCRATCH_PREFIX,
    Buffer,
    Command,
    InputPolicy,
    Isolation,
    OutputPolicy,
    Policy,
    Pool,
    Problem,
    PythonCall,
    Run,
    Synthetic,
    Task,
    Workspace,
)
from .validate import mistakes_of

__all__ = [
    "DEFAULT_ALIGNMENT",
    "DEFAULT_PARTITIONS",
    "DEFAULT_POOL",
    "DEFAULT_WORKSPACE_SIZE",
    "SCRATCH_PREFIX",
    "Buffer",
    "Command",
    "Graph",
    "InputPolicy",
    "Isolation",
    "OutputPolicy",
    "Policy",
    "Pool",
    "Problem",
    "PythonCall",
    "Run",
    "Synthetic",
    "Task",
    "Workspace",
    "find_cycle",
    "mistakes_of",
]
