"""An interrupt stays an interrupt when it strikes inside a compiled loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """``KeyboardInterrupt`` where a compiled loop was interrupted; also a decorator.

    Such a loop returns with the interrupt set, which the interpreter takes for a bug and reports as ``SystemError``.
    """
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
