"""Tensor lifetimes: what repeats, what is aligned, what lives how long."""

from __future__ import annotations

import numpy as np
import pytest

from catalytic.solver.families import chain, training
from catalytic.solver.placement.arena import components
from catalytic.solver.problem import Problem
from catalytic.solver.tensor_lifetimes import ALIGNMENT, tensor_arena, unrolled


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


def test_one_batch_at_a_time_is_the_run_again_and_again() -> None:
    """Each buffer of a run comes back after the whole run, and none of two runs meet."""
    problem = training(6)
    length = sum(task.duration for task in problem.tasks)
    once = len(problem.graph.resident)
    arena = unrolled(problem, 3 * once, overlap=1)
    assert arena.size.size == 3 * once
    for k in (1, 2):
        assert (arena.lower[k * once : (k + 1) * once] == arena.lower[:once] + k * length).all()
        assert (arena.upper[k * once : (k + 1) * once] == arena.upper[:once] + k * length).all()
    assert int(arena.upper[:once].max()) <= length
    assert sorted(arena.size[:once].tolist()) == sorted(problem.graph.aligned_size[b] for b in problem.graph.resident)


@pytest.mark.parametrize("overlap", [1, 2, 5])
def test_so_many_batches_are_in_flight(overlap: int) -> None:
    """A chain has one or two buffers at a time; in the middle, as many batches have some."""
    problem = chain(40)
    once = len(problem.graph.resident)
    arena = unrolled(problem, 20 * once, overlap=overlap)
    batch = np.arange(arena.size.size) // once
    middle = (int(arena.lower.min()) + int(arena.upper.max())) // 2
    in_flight = {int(b) for b in batch[(arena.lower <= middle) & (middle < arena.upper)]}
    assert len(in_flight) in (overlap, overlap + 1)
    assert (arena.size % problem.workspace.alignment == 0).all()


def test_nothing_is_unrolled_from_nothing() -> None:
    with pytest.raises(ValueError, match="0 batches"):
        unrolled(training(3), overlap=0)
    with pytest.raises(ValueError, match="no buffers"):
        unrolled(Problem("empty", (), ()))
