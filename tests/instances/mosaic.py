"""The mosaic without catalytic: its steps run one after the other on separate arrays, and so are its oracle."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parents[2] / "instances" / "mosaic"

GARBAGE = 0xA5
"""Every buffer begins with this byte throughout, as a reused region begins with what its last owner left."""


@cache
def load(module: str) -> ModuleType:
    """A module of the mosaic's folder, imported as a task's module is: with that folder first on the path."""
    sys.path.insert(0, str(FOLDER))
    try:
        return import_module(module)
    finally:
        sys.path.remove(str(FOLDER))


class PlainContext:
    """What a step is given, on bytes of its own: inputs that cannot be written, outputs full of garbage."""

    def __init__(self, task: Mapping[str, Any], buffers: dict[str, bytearray], sizes: Mapping[str, int]) -> None:
        self.args: Mapping[str, Any] = task["run"]["args"]
        for name in task["outputs"]:
            buffers[name] = bytearray([GARBAGE]) * sizes[name]
        self.inputs = {name: memoryview(buffers[name]).toreadonly() for name in task["inputs"]}
        self.outputs = {name: memoryview(buffers[name]) for name in task["outputs"]}
        self.scratch = memoryview(bytearray([GARBAGE]) * task.get("scratch", 0))
        self.lengths = {name: sizes[name] for name in task["outputs"]}

    def array(self, buffer: str, dtype: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        view = self.inputs[buffer] if buffer in self.inputs else self.outputs[buffer]
        count = int(np.prod(shape))
        return np.frombuffer(view, dtype=dtype, count=count).reshape(shape)

    def commit_length(self, buffer: str, length: int) -> None:
        self.lengths[buffer] = length

    def progress(self, fraction: float) -> None:
        assert 0 <= fraction <= 1

    def cancelled(self) -> bool:
        return False


def run(problem: Mapping[str, Any]) -> dict[str, bytes]:
    """Content of every buffer after all tasks, in an order in which every writer comes before its readers.

    Nothing is dropped, so this is for small grids.
    """
    steps = load("steps")
    sizes = {b["id"]: b["size"] for b in problem["buffers"]}
    buffers: dict[str, bytearray] = {}
    waiting = list(problem["tasks"])
    while waiting:
        ready = [t for t in waiting if all(name in buffers for name in t["inputs"])]
        assert ready, "the rest of the tasks wait for each other"
        for task in ready:
            if "command" in task["run"]:
                content = bytes(buffers[task["run"]["stdin"]])
                answer = subprocess.run(task["run"]["command"], input=content, capture_output=True, check=True)
                buffers[task["run"]["stdout"]] = bytearray(answer.stdout)
                continue
            context = PlainContext(task, buffers, sizes)
            getattr(steps, task["run"]["python"].removeprefix("steps:"))(context)
            for name, length in context.lengths.items():
                buffers[name] = buffers[name][:length]
        waiting = [t for t in waiting if t not in ready]
    return {name: bytes(content) for name, content in buffers.items()}
