"""Periodic verification of what is alive, a few chunks at a time between other work."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from .dispatch import sealed_chunk
from .perform import damage_of
from .region import Version
from .seal import Damage
from .state import RunState
from .workspace import Workspace

_CHUNKS_PER_STEP = 8


class Scrubber:
    """Goes round the living buffers every ``interval_s`` seconds; never, when that is None."""

    def __init__(self, interval_s: float | None, clock: Callable[[], float]) -> None:
        self._interval_s, self._clock = interval_s, clock
        self._next_round = clock() + (interval_s or 0.0)
        self._queue: deque[tuple[Version, int]] = deque()

    def due(self) -> bool:
        """Whether there is something to verify now."""
        return self._interval_s is not None and (bool(self._queue) or self._clock() >= self._next_round)

    def step(self, living: Iterable[str], state: RunState, workspace: Workspace) -> tuple[str, Damage] | None:
        """Verify a few chunks; the first damaged buffer, or None. Buffers that are being overwritten are left out."""
        if not self._queue:
            self._next_round = self._clock() + (self._interval_s or 0.0)
            for b in sorted(living):
                result = state.results[b]
                if result.seal is not None and result.extents:
                    self._queue.extend((result.version, n) for n in range(len(result.seal.chunks)))
        for _ in range(min(_CHUNKS_PER_STEP, len(self._queue))):
            version, number = self._queue.popleft()
            result = state.sealed[version]
            if not state.intact(version.buffer) or state.results[version.buffer].version != version:
                continue
            damage = damage_of(sealed_chunk(result, number, workspace))
            if damage is not None:
                return version.buffer, damage
        return None
