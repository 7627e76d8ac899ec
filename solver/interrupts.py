"""An interrupt stays an interrupt when it strikes inside a compiled loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """``KeyboardInterrupt`` where a compiled loop was interrupted; also a decorator.

    Such a loop returns with the interrupt set, which the interpreter takes for a bug and reports as ``SystemError``,
    once per compiled function on the way out.
    """
    try:
        yield
    except SystemError as error:
        reason: BaseException | None = error
        while reason is not None and not isinstance(reason, KeyboardInterrupt):
            reason = reason.__cause__ or reason.__context__
        if reason is not None:
            raise KeyboardInterrupt from error
        raise
