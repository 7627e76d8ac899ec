"""Tensor lifetimes: what repeats, what is aligned, what lives how long."""

from __future__ import annotations

import numpy as np
import pytest

from catalytic.solver.placement.arena import components
from catalytic.solver.tensor_lifetimes import ALIGNMENT, tensor_arena


def test_the_same_seed_gives_the_same_tensors() -> None:
    one, two, other = (tensor_arena(500, seed=seed) for seed in (1, 1, 2))
    assert (one.lower == two.lower).all()
    assert (one.size == two.size).all()
    assert one.size.tolist() != other.size.tolist()


def test_everything_is_aligned_and_connected() -> None:
    arena = tensor_arena(1000, layers=10)
    assert arena.size.size >= 1000
    assert (arena.size % ALIGNMENT == 0).all()
    assert len(components(arena)) == 1  # the states of weights live all the time


def test_steps_repeat() -> None:
    """One layer of one operation: two steps of three operations (forward, backward, optimiser), state throughout."""
    arena = tensor_arena(6, layers=1, branches=1)
    length = 3
    lives = sorted(zip(arena.lower.tolist(), arena.upper.tolist(), arena.size.tolist(), strict=True))
    whole = [row for row in lives if row[1] - row[0] > length]
    assert len(whole) == 1
    steps = [row for row in lives if row not in whole]
    half = len(steps) // 2
    assert [(a + length, z + length, size) for a, z, size in steps[:half]] == steps[half:]


def test_numbers_must_be_positive() -> None:
    with pytest.raises(ValueError, match="0 layers"):
        tensor_arena(10, layers=0)
    assert int(np.min(tensor_arena(10).size)) >= ALIGNMENT
