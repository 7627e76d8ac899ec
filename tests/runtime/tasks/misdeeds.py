"""Tasks that do right and wrong things on purpose. Imported in workers, with this folder first on the path."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

KEPT: list[Any] = []


def _address(view: memoryview) -> int:
    import numpy as np

    return int(np.frombuffer(view, dtype=np.uint8).__array_interface__["data"][0])


def copy(context: Any) -> None:
    """Every output repeats the inputs, byte by byte plus one."""
    source = b"".join(bytes(view) for view in context.inputs.values()) or b"\x01"
    for view in context.outputs.values():
        text = bytes((byte + 1) % 256 for byte in source)
        view[:] = (text * (len(view) // len(text) + 1))[: len(view)]


def shorten(context: Any) -> None:
    """Write seven bytes and say so."""
    (name,) = context.outputs
    context.outputs[name][:7] = b"seven!!"
    context.commit_length(name, 7)


def lengths(context: Any) -> None:
    """Write the lengths of the inputs as text."""
    (name,) = context.outputs
    text = ",".join(str(len(view)) for view in context.inputs.values()).encode()
    context.outputs[name][: len(text)] = text
    context.commit_length(name, len(text))


def with_numpy(context: Any) -> None:
    """Sum the input as numbers into the output, using scratch."""
    (source,), (target,) = context.inputs, context.outputs
    numbers = context.array(source, "uint8")
    work = context.array("scratch", "uint64", len(numbers) // 8)
    work[:] = numbers[: len(work) * 8].view("uint64")
    out = context.array(target, "uint8")
    out[:] = 0
    out[: len(numbers)] = numbers
    context.progress(1.0)


def fail(context: Any) -> None:
    """Raise."""
    raise RuntimeError("the flux capacitor is empty")


def fail_unless_mended(context: Any) -> None:
    """Raise until the file named in the arguments exists."""
    if not Path(context.args["mended"]).exists():
        raise RuntimeError("not yet mended")
    copy(context)


def hang(context: Any) -> None:
    """Never listen."""
    while True:
        time.sleep(1)


def hang_politely(context: Any) -> None:
    """End when asked."""
    while not context.cancelled():
        time.sleep(0.01)
    raise RuntimeError("stopped as asked")


def die(context: Any) -> None:
    """Be killed from outside, the first time."""
    marker = Path(context.args["marker"])
    if not marker.exists():
        marker.write_text("died")
        os.kill(os.getpid(), signal.SIGKILL)
    copy(context)


def write_into_input(context: Any) -> None:
    """Write where only reading is allowed, behind Python's back."""
    view = next(iter(context.inputs.values()))
    ctypes.memset(_address(view), 0, 1)


def assign_to_input(context: Any) -> None:
    """Write where only reading is allowed, the ordinary way."""
    next(iter(context.inputs.values()))[0] = 1


def write_past_page(context: Any) -> None:
    """Run over the end of an output into what would be the next region."""
    view = next(iter(context.outputs.values()))
    ctypes.memset(_address(view), 0x55, len(view) + 2 * 4096)


def write_past_end(context: Any) -> None:
    """Write one byte too many, within the last page."""
    copy(context)
    view = next(iter(context.outputs.values()))
    ctypes.memset(_address(view) + len(view), 0x55, 1)


def leave_a_hole(context: Any) -> None:
    """Leave the middle of the output as it was found."""
    view = next(iter(context.outputs.values()))
    view[:1000] = bytes(1000)
    view[2000:] = bytes(len(view) - 2000)


def keep_a_view(context: Any) -> None:
    """Remember a buffer beyond the call, and use the one remembered last time."""
    if KEPT:
        ctypes.memset(KEPT[0][0], 1, 1)
    copy(context)
    view = next(iter(context.outputs.values()))
    KEPT.append((_address(view), view))


def fork_and_die(context: Any) -> None:
    """Leave a child behind in a session of its own, and end the worker."""
    _fork_a_sleeper()
    os._exit(3)


def fork_and_go_on(context: Any) -> None:
    """Leave a child behind in a session of its own, and end well."""
    _fork_a_sleeper()
    copy(context)


def _fork_a_sleeper() -> None:
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)


def fork_and_return_twice(context: Any) -> None:
    """Forget that a child goes on where its parent does."""
    copy(context)
    os.fork()


def close_stdout(context: Any) -> None:
    """Close what is not its own."""
    copy(context)
    sys.stdout.close()


def fail_at_length(context: Any) -> None:
    """Raise an essay."""
    raise RuntimeError("first line\n" + "and so on " * 100_000)


class Untellable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def fail_untellably(context: Any) -> None:
    """Raise what cannot be printed."""
    raise Untellable


def die_of_an_unnamed_signal(context: Any) -> None:
    """End by a real-time signal, which has a number only."""
    os.kill(os.getpid(), signal.SIGRTMIN + 6)
    time.sleep(60)
