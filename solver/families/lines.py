"""Tasks one after another, with reads that reach back: chains, and the two passes of training."""

from __future__ import annotations

from ..problem import Problem
from .draft import DURATIONS, SIZES, WORKERS, Amounts, Draft, numbered


def chain(
    tasks: int = 100,
    *,
    skip: int = 0,
    nested: bool = False,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """``tasks`` tasks one after another.

    With ``skip`` above 1 every ``skip``-th task also reads the output of the task ``skip`` before it: the residual
    connections of He et al. (2016). With ``nested`` each task of the second half also reads the output of its mirror
    image in the first: the U-Net of Ronneberger et al. (2015), in which half of all outputs must wait at the turn.
    """
    draft = Draft("chain", sizes, durations, workers, seed)
    draft.demand("tasks", tasks, 1)
    draft.demand("skip", skip, 0)
    draft.refuse()
    for i in range(tasks):
        reads = [i - 1] if i else []
        if skip > 1 and i and i % skip == 0:
            reads.append(i - skip)
        if nested and 2 * i > tasks:
            reads.append(tasks - 1 - i)
        draft.add(numbered("t", i, tasks), [numbered("t", r, tasks) for r in dict.fromkeys(reads)])
    return draft.problem()


def training(
    layers: int = 50,
    *,
    sizes: Amounts = SIZES,
    durations: Amounts = DURATIONS,
    workers: int = WORKERS,
    seed: int = 0,
) -> Problem:
    """Forward and backward pass of ``layers`` layers: ``2 * layers + 1`` tasks.

    ``forward`` *i* reads the activation of *i - 1*; ``loss`` reads the last one; ``backward`` *i* reads the gradient of
    *i + 1* and the activations of *i* and *i - 1*. So all activations are alive at the loss: the graphs of Checkmate
    (Jain et al., MLSys 2020), without recomputation. A gradient is as large as its activation, a backward task lasts
    twice as long as its forward task.
    """
    draft = Draft("training", sizes, durations, workers, seed)
    draft.demand("layers", layers, 1)
    draft.refuse()
    forward = [numbered("forward", i, layers) for i in range(layers)]
    backward = [numbered("backward", i, layers) for i in range(layers)]
    for i in range(layers):
        draft.add(forward[i], [forward[i - 1]] if i else [])
    draft.add("loss", [forward[-1]], size=1)
    for i in reversed(range(layers)):
        gradient = backward[i + 1] if i + 1 < layers else "loss"
        activations = [forward[i], *([forward[i - 1]] if i else [])]
        size, duration = draft.drawn(forward[i])
        draft.add(backward[i], [gradient, *activations], size=size, duration=2 * duration)
    return draft.problem()
