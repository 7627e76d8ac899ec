"""A compute-bound task: hash the inputs again and again, then fill the output from the digest."""

from __future__ import annotations

import hashlib
from typing import Any


def work(inputs: list[bytes], size: int, rounds: int) -> bytes:
    """``size`` bytes that depend on every input, after ``rounds`` passes of sha256 over a block of 64 KiB."""
    digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in inputs)).digest()
    block = digest * 2048
    for _ in range(rounds):
        digest = hashlib.sha256(digest + block).digest()
    return (digest * (size // len(digest) + 1))[:size]


def burn(context: Any) -> None:
    """The same as a task of a plan."""
    inputs = [bytes(view) for view in context.inputs.values()]
    for view in context.outputs.values():
        view[:] = work(inputs, len(view), context.args["rounds"])
