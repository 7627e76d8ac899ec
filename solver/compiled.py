"""How hot loops are compiled: ``@loop`` on a function that numba can type. When: ``warm_up``.

Compiled code is cached beside the source (or in the user's cache folder), so that compilation happens once per machine
and version; but somebody waits for that first time. Hence no wrapper for C callers. Literals passed to a loop are
written ``np.int64(0)``: numba compiles a function again for each literal it is called with. Arrays are copied by
``copy_into``: ``a[:] = b`` brings in the formatting of an error message, which takes longer to compile than most loops.
What only other loops of the same module call is ``@inner``; arrays to work in are made by the caller, in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def loop(function: Callable[..., Any]) -> Any:
    """Compile at the first call with each type of arguments, cached; other threads go on while it runs."""
    return njit(cache=True, nogil=True, no_cfunc_wrapper=True)(function)


def inner(function: Callable[..., Any]) -> Any:
    """A part of loops of the same module: their code contains it, so it has no wrapper and no cache of its own."""
    return njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def is_compiled(function: Any) -> bool:
    """Whether calling the loop ``function`` compiles nothing: it was called before, or the cache has this source."""
    cache = getattr(function, "_cache", None)  # absent when compilation is switched off
    return cache is None or bool(function.signatures) or bool(cache._cache_file._load_index())


@loop
def copy_into(target, source):  # type: ignore[no-untyped-def]
    """``target[:] = source`` for arrays of one dimension and equal length."""
    for i in range(target.shape[0]):
        target[i] = source[i]


@loop
def copy_rows(target, source):  # type: ignore[no-untyped-def]
    """``target[:] = source`` for arrays of two dimensions and equal shape."""
    for i in range(target.shape[0]):
        copy_into(target[i], source[i])
