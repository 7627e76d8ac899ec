"""Before a search: its loops compiled, its clock started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalytic.solver.budget import Budget
from catalytic.solver.budget import Progress as News

if TYPE_CHECKING:
    from .request import Observer


def ready(budget: Budget, observer: Observer | None, parts: Sequence[str] | None = None) -> Budget:
    """``budget``, started, once the compiled loops are loaded: compilation at first use is announced, not counted.

    ``parts`` of ``warm_up``; None: all of them.
    """
    from catalytic.solver.warm_up import PARTS, warm_up

    def announce(message: str) -> None:
        if observer is not None:
            observer(News("compile", None, message))

    budget = budget.start()
    return budget.postponed(warm_up(announce, PARTS if parts is None else parts))
