"""A workspace for a question that states none: memory is not scarce unless somebody says so."""

from __future__ import annotations

from collections.abc import Iterable

from ..units import MAX_BYTES, Bytes, align_up
from .model import Buffer, Isolation, Workspace


def roomy_workspace(buffers: Iterable[Buffer], alignment: int) -> Workspace:
    """One shared partition that holds every buffer beside every other, each rounded up to ``alignment`` bytes."""
    size = sum(align_up(b.size, alignment) for b in buffers)
    return Workspace(Bytes(min(MAX_BYTES, max(alignment, size))), 1, alignment, Isolation.SHARED)
