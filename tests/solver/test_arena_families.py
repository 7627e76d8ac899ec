"""Generated arenas: pieces that fill their rectangle, and the same seed giving the same arena."""

import numpy as np
import pytest

from catalytic.solver.arena_families import PLANTED, long_tailed


@pytest.mark.parametrize("name", sorted(PLANTED))
@pytest.mark.parametrize("buffers", [1, 7, 50, 500])
def test_pieces_fill_the_rectangle(name: str, buffers: int) -> None:
    planted = PLANTED[name](buffers, moments=90, units=80, seed=buffers)
    arena = planted.arena
    assert arena.size.size == buffers
    live = np.zeros(90, dtype=np.int64)
    for low, high, size in zip(arena.lower, arena.upper, arena.size, strict=True):
        live[low:high] += size
    assert (live == planted.optimum).all()


def test_the_same_seed_gives_the_same_arena() -> None:
    first, second, other = (long_tailed(200, seed=s) for s in (3, 3, 4))
    assert (first.size == second.size).all() and (first.upper == second.upper).all()
    assert not (first.size == other.size).all()


def test_too_many_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="do not come out"):
        PLANTED["guillotine"](100, moments=3, units=3)
